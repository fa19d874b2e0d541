// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Up to four CPUs that add to one counter under a lock, each on its own stack and in its own
 * function. The first CPU starts the others by INIT and startup IPIs, and prints the total about
 * once a second.
 *
 * Command line: cpus=N    how many CPUs to wait for (what the CMOS says)
 *               rounds=N  each adds N times, then "total = X" and the end: value 0 when X is right
 *               quiet     no interrupt once they run
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

enum {
	CPU_MAX = 4,
	STACK_SIZE = 8192,
	TRAMPOLINE = 0x8000,
	TIMER_HZ = 20,
	PATIENCE = 5 * TIMER_HZ, /* for CPUs that do not come */
	CMOS_INDEX = 0x70,
	CMOS_DATA = 0x71,
	CMOS_CPUS = 0x5f, /* CPUs besides the first, as QEMU's firmware interface has it */
};

#define APIC_SPURIOUS 0xfee000f0ul
#define APIC_ICR_LOW  0xfee00300ul
#define APIC_ENABLE   0x1ff
#define ICR_PENDING   (1u << 12)
#define ICR_INIT      0x000c4500u /* to all but self, assert */
#define ICR_STARTUP   (0x000c4600u | TRAMPOLINE >> 12)

struct cpu {
	unsigned long rounds;
	volatile int running, done;
};

struct shared {
	volatile unsigned lock;
	volatile unsigned long counter;
	unsigned last_cpu; /* who added last */
};

extern const uint8_t trampoline[];
extern const uint32_t trampoline_size, trampoline_cr3; /* bytes, and where in them CR3 goes */

uint8_t stacks[CPU_MAX][STACK_SIZE] __attribute__((aligned(16)));
volatile unsigned cpus_numbered = 1; /* the first CPU has number 0 already */
struct cpu cpus[CPU_MAX];
struct shared shared;
unsigned long rounds; /* for each CPU; 0: for ever */
volatile unsigned long ticks;

void lock_take(volatile unsigned *lock);
void lock_release(volatile unsigned *lock);
void add_one(unsigned cpu);
void cpu0_loop(void);
void cpu1_loop(void);
void cpu2_loop(void);
void cpu3_loop(void);
void ap_main(unsigned cpu);
void timer_interrupt(struct frame *frame);

/* Interrupts stay on while a CPU waits here. */
void lock_take(volatile unsigned *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
		while (*lock)
			__asm__ volatile("pause");
	}
}

void lock_release(volatile unsigned *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

__attribute__((noinline)) void add_one(unsigned cpu)
{
	unsigned long old;

	lock_take(&shared.lock);
	old = shared.counter;
	shared.counter = old + 1;
	shared.last_cpu = cpu;
	lock_release(&shared.lock);
	cpus[cpu].rounds++;
}

static int goes_on(unsigned cpu)
{
	return rounds == 0 || cpus[cpu].rounds < rounds;
}

static void print_total(void)
{
	static unsigned long next = TIMER_HZ;

	if (ticks < next)
		return;
	next = ticks + TIMER_HZ;
	print("smp: total so far %lu\n", shared.counter);
}

__attribute__((noinline)) void cpu0_loop(void)
{
	while (goes_on(0)) {
		add_one(0);
		print_total();
	}
}

__attribute__((noinline)) void cpu1_loop(void)
{
	while (goes_on(1))
		add_one(1);
}

__attribute__((noinline)) void cpu2_loop(void)
{
	while (goes_on(2))
		add_one(2);
}

__attribute__((noinline)) void cpu3_loop(void)
{
	while (goes_on(3))
		add_one(3);
}

static void (*const loops[CPU_MAX])(void) = {cpu0_loop, cpu1_loop, cpu2_loop, cpu3_loop};

/* The IDT is shared; the GDT is the trampoline's, whose first selectors mean the same. */
void ap_main(unsigned cpu)
{
	exceptions_load();
	interrupts_on();
	cpus[cpu].running = 1;
	loops[cpu]();
	cpus[cpu].done = 1;
	for (;;)
		__asm__ volatile("hlt");
}

void timer_interrupt(struct frame *frame)
{
	(void)frame;
	ticks++;
	pic_end_of_interrupt(0);
}

/* Where there is no local APIC, the register reads all ones for ever. */
static void apic_send(uint32_t command)
{
	volatile uint32_t *icr = (volatile uint32_t *)APIC_ICR_LOW;

	*icr = command;
	for (int tries = 0; tries < 1000 && *icr & ICR_PENDING; tries++)
		__asm__ volatile("pause");
}

static void sleep_ticks(unsigned long count)
{
	unsigned long end = ticks + count;

	while (ticks < end)
		__asm__ volatile("hlt");
}

static void copy_trampoline(void)
{
	uint8_t *to = (uint8_t *)TRAMPOLINE;

	for (uint32_t i = 0; i < trampoline_size; i++)
		to[i] = trampoline[i];
	*(uint32_t *)(to + trampoline_cr3) = (uint32_t)read_cr3();
}

static void start_others(void)
{
	copy_trampoline();
	*(volatile uint32_t *)APIC_SPURIOUS = APIC_ENABLE;
	apic_send(ICR_INIT);
	sleep_ticks(1);
	apic_send(ICR_STARTUP);
	apic_send(ICR_STARTUP);
}

static unsigned count_running(void)
{
	unsigned count = 1;

	for (unsigned cpu = 1; cpu < CPU_MAX; cpu++)
		count += (unsigned)cpus[cpu].running;
	return count;
}

static void wait_for_others(unsigned wanted)
{
	unsigned long end = ticks + PATIENCE;

	while (count_running() < wanted && ticks < end)
		__asm__ volatile("hlt");
}

static void wait_until_done(void)
{
	for (unsigned cpu = 1; cpu < CPU_MAX; cpu++) {
		while (cpus[cpu].running && !cpus[cpu].done)
			__asm__ volatile("pause");
	}
}

static unsigned cpus_wanted(const char *command_line)
{
	unsigned long wanted;

	outb(CMOS_INDEX, CMOS_CPUS);
	wanted = argument_number(command_line, "cpus", inb(CMOS_DATA) + 1ul);
	return wanted < 1 ? 1 : wanted > CPU_MAX ? CPU_MAX : (unsigned)wanted;
}

static void interrupts_init(void)
{
	exceptions_init();
	pic_init();
	exception_handler(VECTOR_TIMER, timer_interrupt);
	timer_init(TIMER_HZ);
	pic_unmask(0);
	interrupts_on();
}

/* Does not come back: with rounds the total tells whether an addition was lost. */
static void finish(unsigned running)
{
	int right;

	wait_until_done();
	right = shared.counter == rounds * running;
	print("total = %lu, %s\n", shared.counter, right ? "as it must be" : "WRONG");
	debug_exit(!right);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	unsigned wanted = cpus_wanted(command_line), running;

	(void)ram_size;
	serial_init();
	descriptors_init((uint64_t)stack_top);
	paging_init();
	interrupts_init();
	rounds = argument_number(command_line, "rounds", 0);
	if (wanted > 1)
		start_others();
	wait_for_others(wanted);
	running = count_running();
	print("smp: %u of %u CPUs run\n", running, wanted);
	cpus[0].running = 1;
	if (argument_given(command_line, "quiet"))
		interrupts_off();
	cpu0_loop();
	finish(running);
}
