/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest in long mode sets up: descriptors, exceptions, interrupts, pages. */
#ifndef GUEST_CPU64_H
#define GUEST_CPU64_H

#include <stdint.h>

/* Selectors of the GDT in descriptors.c. The user ones stand as syscall and sysret want them. */
enum {
	KERNEL_CODE = 0x08,
	KERNEL_DATA = 0x10,
	USER_CODE32 = 0x18 | 3,
	USER_DATA = 0x20 | 3,
	USER_CODE = 0x28 | 3,
	NOT_PRESENT_DATA = 0x30, /* for provoking #NP and #SS */
	TASK = 0x38,
};

/* Loads the GDT and the task register; rsp0 is where ring 3 is interrupted to. */
void descriptors_init(uint64_t rsp0);
/* Exception vector from now on runs on a stack of its own that ends at top. */
void descriptors_own_stack(unsigned vector, uint64_t top);

/* What isr64.S leaves on the stack; a handler may change it and the return obeys. */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

typedef void handler_fn(struct frame *frame);

enum {
	VECTOR_DE = 0,
	VECTOR_DB = 1,
	VECTOR_BP = 3,
	VECTOR_OF = 4,
	VECTOR_UD = 6,
	VECTOR_NM = 7,
	VECTOR_DF = 8,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_TIMER = 32,  /* IRQ 0 */
	VECTOR_SERIAL = 36, /* IRQ 4 */
	VECTOR_COUNT = 49,  /* 0-47 and, for int 0x80, one more */
	VECTOR_SYSTEM = 0x80,
};

/* Makes and loads the IDT. Vectors without a handler print their frame and end the run with their
 * number. */
void exceptions_init(void);
/* Loads the same IDT on another CPU. */
void exceptions_load(void);
void exception_handler(unsigned vector, handler_fn *handler);
/* An IDT gate made not present again (0) or present (1). */
void exception_gate(unsigned vector, int present);
/* The gate switches to this stack of the task state segment; descriptors_own_stack() asks for it.
 */
void exception_stack(unsigned vector, unsigned stack);
const char *exception_name(unsigned vector);
void print_frame(const struct frame *frame);

/* The 8259s to vectors 32-47, all lines masked; and one line opened. */
void pic_init(void);
void pic_unmask(unsigned line);
void pic_end_of_interrupt(unsigned line);
/* IRQ 0 hz times a second, 19 at least. */
void timer_init(unsigned hz);

#define PAGE_PRESENT  0x001ull
#define PAGE_WRITE    0x002ull
#define PAGE_USER     0x004ull
#define PAGE_NO_CACHE 0x010ull
#define PAGE_LARGE    0x080ull
#define PAGE_NX	      (1ull << 63)

/* The first 4 GiB identity mapped by 2 MiB pages, the first two of those by 4 KiB pages. NX on. */
void paging_init(void);
/* Flags of one 4 KiB page below 4 MiB; 0 takes it away. */
void paging_set(uint64_t address, uint64_t flags);
/* The same for every page from start up to end. */
void paging_set_range(uint64_t start, uint64_t end, uint64_t flags);

static inline uint64_t read_cr2(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* lib/long.ld */
extern char image_start[], text_end[], rodata_end[], image_end[];
/* lib/start64.S: where the first stack ends. */
extern char stack_top[];

/* Each guest's own. */
void guest_main(uint64_t ram_size, const char *command_line);

#endif
