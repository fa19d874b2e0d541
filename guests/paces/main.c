// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a debugger is put through: loops on one line, recursion, structures of a page, spins that no interrupt
 * ends, and a program that uses int3, the trap flag and a debug register itself. The timer ticks a thousand
 * times a second all the while.
 *
 * Command line: do=NAME   one of them (see the table), ROUNDS times; without it nothing but ticks
 *               rounds=N  how often (1); 0 for ever
 * The run ends with the number of things that the guest found wrong.
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

#include <stddef.h>

enum { TIMER_HZ = 1000, TURNS = 1000, CELLS = 504, LONG_SPIN = 100000000 };

#define RFLAGS_TF    0x100ul
#define DR6_SLOT0    1ul
#define DR6_STEP     (1ul << 14)
#define DR7_EXECUTE0 1ul

/* A page, and nothing else on it. */
struct record {
	unsigned long id, updates;
	char name[16];
	uint64_t cells[CELLS];
	unsigned long check;
	uint8_t rest[4096 - 5 * 8 - 8 * CELLS];
};

struct seen {
	unsigned long breakpoints, steps, slots, others;
	uint64_t rip; /* of the last one */
};

struct record record __attribute__((aligned(4096)));
uint8_t bytes[64] __attribute__((aligned(64)));
struct seen seen;
volatile unsigned long ticks;
volatile unsigned released, wrong;
volatile unsigned long turns, sink;

void timer_interrupt(struct frame *frame);
void on_breakpoint(struct frame *frame);
void on_debug(struct frame *frame);
void busy(unsigned long count);
unsigned long depth(unsigned long n);
unsigned long lines(unsigned long n);
void change_cell(struct record *which, unsigned index, uint64_t value);
void change_record(struct record *which, unsigned long round);
void write_bytes(unsigned long round);
uint64_t read_cell(const struct record *which, unsigned index);
void spin_without_interrupts(void);
void sleep_without_interrupts(void);
void own_int3(void);
void own_trap_flag(void);
void own_debug_register(void);
void target(void);

void timer_interrupt(struct frame *frame)
{
	(void)frame;
	ticks++;
	pic_end_of_interrupt(0);
}

/* ---- steps --------------------------------------------------------------------------------- */

/* For a debugger, all of it is on the line that uses it. */
#define COUNT_TO(count)                                                                            \
	while (turns < (count))                                                                    \
	turns++

void busy(unsigned long count)
{
	turns = 0;
	COUNT_TO(count);
	sink = turns;
}

unsigned long depth(unsigned long n)
{
	unsigned long below = 0;

	if (n > 0)
		below = depth(n - 1);
	return below + 1;
}

unsigned long lines(unsigned long n)
{
	unsigned long a = n + 1;
	unsigned long b = a * 2;
	unsigned long c = depth(b % 5);

	for (unsigned long i = 0; i < 3; i++)
		c += i;
	return a + b + c;
}

static void do_steps(unsigned long round)
{
	sink = lines(round);
	busy(TURNS);
	wrong += turns != TURNS;
}

/* ---- watches ------------------------------------------------------------------------------- */

void change_cell(struct record *which, unsigned index, uint64_t value)
{
	which->cells[index] = value;
}

void change_record(struct record *which, unsigned long round)
{
	which->id = round;
	change_cell(which, 7, round);
	change_cell(which, CELLS - 1, round * 2);
	which->updates++;
}

/* Writes of all widths and some that are not aligned, into 64 bytes. */
void write_bytes(unsigned long round)
{
	uint64_t value = round * 0x0101010101010101;
	uint8_t *to = bytes + 44;
	unsigned long count = 5;

	*(volatile uint8_t *)(bytes + 3) = (uint8_t)value;
	*(volatile uint16_t *)(bytes + 9) = (uint16_t)value;
	*(volatile uint32_t *)(bytes + 17) = (uint32_t)value;
	*(volatile uint64_t *)(bytes + 28) = value;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"((int)value) : "memory");
}

uint64_t read_cell(const struct record *which, unsigned index)
{
	return which->cells[index];
}

static void do_watches(unsigned long round)
{
	change_record(&record, round);
	write_bytes(round);
	sink = read_cell(&record, 9);
	record.check = record.id + record.updates;
}

/* ---- what only Ctrl-C ends ----------------------------------------------------------------- */

/* Not for ever: it would take along a host whose interrupts come only when the guest takes some. */
void spin_without_interrupts(void)
{
	interrupts_off();
	turns = 0;
	while (!released && turns < LONG_SPIN) {
		turns++;
		__asm__ volatile("pause");
	}
	interrupts_on();
}

void sleep_without_interrupts(void)
{
	interrupts_off();
	while (!released)
		__asm__ volatile("hlt");
	interrupts_on();
}

static void do_spin(unsigned long round)
{
	(void)round;
	spin_without_interrupts();
}

static void do_sleep(unsigned long round)
{
	(void)round;
	sleep_without_interrupts();
}

/* ---- a guest that debugs itself ------------------------------------------------------------ */

void on_breakpoint(struct frame *frame)
{
	seen.breakpoints++;
	seen.rip = frame->rip;
}

/* DR6 tells, and is not cleared by the processor. */
void on_debug(struct frame *frame)
{
	uint64_t dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("mov %0, %%dr6" : : "r"(0ul));
	if (dr6 & DR6_SLOT0)
		seen.slots++;
	else if (dr6 & DR6_STEP)
		seen.steps++;
	else
		seen.others++;
	seen.rip = frame->rip;
	frame->rflags &= ~RFLAGS_TF;
	if (dr6 & DR6_SLOT0) /* or it would be hit again at once */
		__asm__ volatile("mov %0, %%dr7" : : "r"(0ul));
}

void own_int3(void)
{
	unsigned long before = seen.breakpoints;

	__asm__ volatile("int3\n"
			 ".globl behind_int3\n"
			 "behind_int3: nop");
	wrong += seen.breakpoints != before + 1;
}

/* The trap comes behind the instruction that follows the popf. */
void own_trap_flag(void)
{
	unsigned long before = seen.steps;

	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq; nop" : : "i"(RFLAGS_TF) : "memory", "cc");
	wrong += seen.steps != before + 1;
}

void target(void)
{
	sink++;
}

void own_debug_register(void)
{
	unsigned long before = seen.slots;

	__asm__ volatile("mov %0, %%dr0" : : "r"(target));
	__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_EXECUTE0));
	target();
	__asm__ volatile("mov %0, %%dr7" : : "r"(0ul));
	wrong += seen.slots != before + 1 || seen.rip != (uint64_t)target;
}

static void do_debug(unsigned long round)
{
	(void)round;
	own_int3();
	own_trap_flag();
	own_debug_register();
}

/* ---- all of them --------------------------------------------------------------------------- */

static void do_nothing(unsigned long round)
{
	(void)round;
	sink++;
}

static const struct pace {
	const char *name;
	void (*go)(unsigned long round);
} paces[] = {
	{"steps", do_steps}, {"watches", do_watches}, {"spin", do_spin},
	{"sleep", do_sleep}, {"debug", do_debug},
};

static void (*find(const char *name))(unsigned long round)
{
	for (size_t i = 0; name && i < sizeof(paces) / sizeof(paces[0]); i++) {
		if (argument_is(name, paces[i].name))
			return paces[i].go;
	}
	return do_nothing;
}

static void prepare(void)
{
	serial_init();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	exceptions_init();
	pic_init();
	exception_handler(VECTOR_TIMER, timer_interrupt);
	exception_handler(VECTOR_BP, on_breakpoint);
	exception_handler(VECTOR_DB, on_debug);
	timer_init(TIMER_HZ);
	pic_unmask(0);
	interrupts_on();
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	void (*go)(unsigned long round) = find(argument_text(command_line, "do"));
	unsigned long rounds = argument_number(command_line, "rounds", 1);

	(void)ram_size;
	prepare();
	for (unsigned long round = 1; rounds == 0 || round <= rounds; round++)
		go(round);
	print("paces: %u wrong\n", wrong);
	debug_exit((uint8_t)wrong);
}
