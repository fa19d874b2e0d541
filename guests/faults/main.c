// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every exception on request. A handler prints vector, error code, CR2 and RIP.
 *
 * Command line: fault=NAME  raise this one; the run ends with its vector as value
 *                           (de db bp of ud nm df np ss gp pf pfw pfx triple)
 *               nothing     raise one after the other, each time skipping what faulted; 0 in the
 * end, 1 when one was not as expected
 *
 * bp and of are raised by int3 and int 4. They are not in the default tour, because not every KVM
 * can execute those in ring 0.
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

#include <stdbool.h>
#include <stddef.h>

#define NOT_MAPPED   0x3ff000ul
#define NOT_WRITABLE 0x3fe000ul
#define NOT_EXECUTED 0x3fd000ul
#define CR0_TS	     8
#define RFLAGS_TF    0x100

struct fault {
	const char *name;
	void (*raise)(void);
	unsigned vector, error;
	bool tour;
};

/* Where a handler goes on, set by what raises; and what it saw. */
uint64_t recovery;
struct seen {
	unsigned count, vector, error;
} seen;
static bool end_at_fault;
static uint8_t double_fault_stack[4096] __attribute__((aligned(16)));

/* One faulting instruction, and the place behind it. RSP is the same before and after. */
#define RAISE(instruction, ...)                                                                    \
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"                                               \
			 "movq %%rax, recovery(%%rip)\n\t" instruction "\n1:"                      \
			 :                                                                         \
			 : __VA_ARGS__                                                             \
			 : "rax", "rdx", "memory", "cc")

void raise_de(void);
void raise_db(void);
void raise_bp(void);
void raise_of(void);
void raise_ud(void);
void raise_nm(void);
void raise_df(void);
void raise_np(void);
void raise_ss(void);
void raise_gp(void);
void raise_pf(void);
void raise_pf_write(void);
void raise_pf_execute(void);
void raise_triple(void);
void on_fault(struct frame *frame);

void raise_de(void)
{
	RAISE("xorl %%edx, %%edx; divl %0", "r"(0));
}

/* The trap comes behind the instruction that follows the popf. */
void raise_db(void)
{
	RAISE("pushfq; orq %0, (%%rsp); popfq; nop", "i"(RFLAGS_TF));
}

void raise_bp(void)
{
	RAISE("int3", "i"(0));
}

void raise_of(void)
{
	RAISE("int $4", "i"(0));
}

void raise_ud(void)
{
	RAISE("ud2", "i"(0));
}

/* With CR0.TS set, the first SSE instruction asks the kernel for the right registers. */
void raise_nm(void)
{
	static uint8_t to[16] __attribute__((aligned(16)));
	uint64_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_TS));
	RAISE("movaps %%xmm0, %0", "m"(to));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
}

/* A page fault whose own gate is not present. */
void raise_df(void)
{
	exception_gate(VECTOR_PF, 0);
	RAISE("movl (%0), %%eax", "r"(NOT_MAPPED));
	exception_gate(VECTOR_PF, 1);
}

void raise_np(void)
{
	RAISE("movl %0, %%fs", "r"(NOT_PRESENT_DATA));
}

void raise_ss(void)
{
	RAISE("movl %0, %%ss", "r"(NOT_PRESENT_DATA));
}

/* A selector beyond the end of the GDT. */
void raise_gp(void)
{
	RAISE("movl %0, %%fs", "r"(0xfff8));
}

void raise_pf(void)
{
	RAISE("movl (%0), %%eax", "r"(NOT_MAPPED + 0x123));
}

void raise_pf_write(void)
{
	RAISE("movl %%eax, (%0)", "r"(NOT_WRITABLE + 0x456));
}

void raise_pf_execute(void)
{
	RAISE("jmp *%0", "r"(NOT_EXECUTED + 0x789));
}

/* Neither the page fault nor the double fault can be delivered. */
void raise_triple(void)
{
	exception_gate(VECTOR_PF, 0);
	exception_gate(VECTOR_DF, 0);
	RAISE("movl (%0), %%eax", "r"(NOT_MAPPED));
}

static const struct fault faults[] = {
	{"de", raise_de, VECTOR_DE, 0, true},
	{"db", raise_db, VECTOR_DB, 0, true},
	{"bp", raise_bp, VECTOR_BP, 0, false},
	{"of", raise_of, VECTOR_OF, 0, false},
	{"ud", raise_ud, VECTOR_UD, 0, true},
	{"nm", raise_nm, VECTOR_NM, 0, true},
	{"df", raise_df, VECTOR_DF, 0, false},
	{"np", raise_np, VECTOR_NP, NOT_PRESENT_DATA, true},
	{"ss", raise_ss, VECTOR_SS, NOT_PRESENT_DATA, true},
	{"gp", raise_gp, VECTOR_GP, 0xfff8, true},
	{"pf", raise_pf, VECTOR_PF, 0, true},
	{"pfw", raise_pf_write, VECTOR_PF, 3, true},
	{"pfx", raise_pf_execute, VECTOR_PF, 0x11, true},
	{"triple", raise_triple, 0, 0, false},
};
enum { FAULTS = sizeof(faults) / sizeof(faults[0]) };

void on_fault(struct frame *frame)
{
	print_frame(frame);
	seen.count++;
	seen.vector = (unsigned)frame->vector;
	seen.error = (unsigned)frame->error;
	if (end_at_fault)
		debug_exit((uint8_t)frame->vector);
	frame->rflags &= ~(uint64_t)RFLAGS_TF;
	frame->rip = recovery;
}

static bool raise_and_check(const struct fault *fault)
{
	unsigned before = seen.count;
	bool right;

	print("raising %s\n", fault->name);
	fault->raise();
	right = seen.count == before + 1 && seen.vector == fault->vector &&
		seen.error == fault->error;
	print("%s %s\n", right ? "ok" : "bad", fault->name);
	return right;
}

static void tour(void)
{
	unsigned failures = 0;

	for (unsigned i = 0; i < FAULTS; i++) {
		if (faults[i].tour)
			failures += !raise_and_check(&faults[i]);
	}
	print("faults: %u wrong\n", failures);
	debug_exit(failures != 0);
}

static const struct fault *find(const char *name)
{
	for (unsigned i = 0; i < FAULTS; i++) {
		if (argument_is(name, faults[i].name))
			return &faults[i];
	}
	return NULL;
}

static void one(const char *name)
{
	const struct fault *fault = find(name);

	end_at_fault = true;
	if (fault)
		fault->raise();
	print("faults: nothing came of fault=%s\n", name);
	debug_exit(255);
}

static void prepare(void)
{
	serial_init();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	exceptions_init();
	pic_init();
	for (unsigned vector = 0; vector < VECTOR_TIMER; vector++)
		exception_handler(vector, on_fault);
	descriptors_own_stack(VECTOR_DF, (uint64_t)double_fault_stack + sizeof(double_fault_stack));
	paging_set(NOT_MAPPED, 0);
	paging_set(NOT_WRITABLE, PAGE_PRESENT);
	paging_set(NOT_EXECUTED, PAGE_PRESENT | PAGE_WRITE | PAGE_NX);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	const char *name = argument_text(command_line, "fault");

	(void)ram_size;
	prepare();
	if (name)
		one(name);
	else
		tour();
}
