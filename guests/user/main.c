// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A kernel with one program in ring 3, which calls it by syscall and by int 0x80. The kernel prints
 * what it was given.
 *
 * A KVM without hardware virtualisation may get both wrong: syscall jumps to syscall_entry but stays
 * in ring 3, where that page faults; int 0x80 is an invalid opcode. The kernel recognises the two and
 * answers the call from the exception handler, so that the guest runs there too; it says so once.
 *
 * Command line: rounds=N  how often the program calls (3; 0: for ever)
 *               exit=V    the code that it ends with (0)
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"
#include "system.h"

#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_FMASK	   0xc0000084
#define EFER_SCE	   1
#define RFLAGS_TF_IF_DF_AC 0x40700

extern char user_text_start[], user_text_end[], user_data_start[], user_data_end[];

/* The program's stack, between the kernel's pages. */
uint8_t user_stack[8192] __attribute__((aligned(4096)));

void user_main(long rounds, long code); /* in ring 3 */
__attribute__((noreturn)) void enter_user(void (*rip)(long, long), uint8_t *rsp, long rdi,
					  long rsi);
void syscall_entry(void);
long system_call(long number, long a, long b);
long system_write(const char *text, long number);
void interrupt_call(struct frame *frame);
void mend_syscall(struct frame *frame);
void mend_interrupt(struct frame *frame);

/* A program can pass any address; the kernel reads only what ring 3 could read itself. */
static int is_users(const char *text)
{
	return (text >= user_text_start && text < user_text_end) ||
	       (text >= user_data_start && text < user_data_end) ||
	       (text >= (char *)user_stack && text < (char *)user_stack + sizeof(user_stack));
}

long system_write(const char *text, long number)
{
	if (!is_users(text))
		return -1;
	print("user: %s %ld\n", text, number);
	return 0;
}

long system_call(long number, long a, long b)
{
	if (number == SYSTEM_WRITE)
		return system_write((const char *)a, b);
	if (number == SYSTEM_ADD)
		return a + b;
	if (number != SYSTEM_EXIT)
		return -1;
	print("user: exit %ld\n", a);
	debug_exit((uint8_t)a);
}

void interrupt_call(struct frame *frame)
{
	frame->rax = (uint64_t)system_call((long)frame->rax, (long)frame->rdi, (long)frame->rsi);
}

static int from_user(const struct frame *frame)
{
	return (frame->cs & 3) == 3;
}

static void unexpected(const struct frame *frame)
{
	print("unexpected ");
	print_frame(frame);
	debug_exit((uint8_t)frame->vector);
}

/* The page fault of a syscall that stayed in ring 3: RCX and R11 are what sysret would use. */
void mend_syscall(struct frame *frame)
{
	static int told;

	if (!from_user(frame) || frame->rip != (uint64_t)syscall_entry)
		unexpected(frame);
	if (!told++)
		print("user: here syscall stays in ring 3; answered from #PF\n");
	frame->rip = frame->rcx;
	frame->rflags = frame->r11;
	interrupt_call(frame);
}

/* The invalid opcode of an int 0x80, which is two bytes long. */
void mend_interrupt(struct frame *frame)
{
	const uint8_t *code = (const uint8_t *)frame->rip;
	static int told;

	if (!from_user(frame) || !is_users((const char *)code) || code[0] != 0xcd ||
	    code[1] != 0x80)
		unexpected(frame);
	if (!told++)
		print("user: here int 0x80 is an invalid opcode; answered from #UD\n");
	frame->rip += 2;
	interrupt_call(frame);
}

/* syscall loads CS from bits 32-47 of STAR, sysret from bits 48-63 and 16 more (SDM vol. 2B). */
static void syscall_init(void)
{
	wrmsr(MSR_STAR, (uint64_t)USER_CODE32 << 48 | (uint64_t)KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_FMASK, RFLAGS_TF_IF_DF_AC);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}

static void open_user_pages(void)
{
	uint64_t stack = (uint64_t)user_stack;
	uint64_t data = PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_NX;

	paging_set(0, 0);
	paging_set_range((uint64_t)user_text_start, (uint64_t)user_text_end,
			 PAGE_PRESENT | PAGE_USER);
	paging_set_range((uint64_t)user_data_start, (uint64_t)user_data_end, data);
	paging_set_range(stack, stack + sizeof(user_stack), data);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	long rounds = (long)argument_number(command_line, "rounds", 3);
	long code = (long)argument_number(command_line, "exit", 0);

	(void)ram_size;
	serial_init();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	exceptions_init();
	pic_init();
	exception_handler(VECTOR_SYSTEM, interrupt_call);
	exception_handler(VECTOR_PF, mend_syscall);
	exception_handler(VECTOR_UD, mend_interrupt);
	syscall_init();
	open_user_pages();
	print("user: entering ring 3\n");
	/* As behind a call: the return address would stand here. */
	enter_user(user_main, user_stack + sizeof(user_stack) - 8, rounds, code);
}
