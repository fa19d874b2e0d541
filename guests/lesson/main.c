// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The kernel of the lesson in docs/tour.md: it gives memory away page by page, when a page fault asks for
 * it; counts the timer's interrupts; lets a second CPU add something up; and counts down, which goes wrong.
 * There is one mistake in here. Do not look for it: the lesson hunts it down. Interrupts are on in
 * wait_ticks() alone.
 *
 * It ends with the number of steps that it has counted: 10, if all were right.
 */
#include "cpu64.h"
#include "port.h"
#include "print.h"

enum { PAGE = 4096, LAZY_PAGES = 4, TIMER_HZ = 50, CPUS = 2 };

#define APIC_SPURIOUS 0xfee000f0ul
#define APIC_COMMAND  0xfee00300ul
#define APIC_ON	      0x1ff
#define SEND_INIT     0x000c4500u /* to all but the sender (SDM vol. 3A, figure 11-12) */
#define SEND_STARTUP  0x000c4600u /* the number of the page to begin at comes in the low byte */

/* Stacks grow downwards: one that is too small runs into its guard page, which is not mapped. */
struct stack {
	uint8_t guard[PAGE], bytes[PAGE];
};

extern const uint8_t real_start[];

struct stack stacks[CPUS] __attribute__((aligned(PAGE)));
uint8_t spare_stack[PAGE] __attribute__((aligned(16))); /* for whoever needs one */
uint8_t lazy[LAZY_PAGES][PAGE] __attribute__((aligned(PAGE)));
volatile unsigned cpus_started;
unsigned pages_given;
volatile unsigned long ticks;
volatile unsigned total, second_done;
char job_name[8] = "none";
unsigned job_steps = 10;

void lesson_main(unsigned cpu);
void prepare(void);
void set_job(const char *name);
void use_memory(void);
void on_page_fault(struct frame *frame);
void on_timer(struct frame *frame);
void wait_ticks(unsigned count);
void start_second(void);
void second_main(void);
unsigned count_down(unsigned n);

static uint64_t kernel_cr3;

/* ---- memory: a page is mapped when somebody touches it ------------------------------------------ */

void on_page_fault(struct frame *frame)
{
	uint64_t address = read_cr2();

	if (address - (uint64_t)lazy >= sizeof(lazy)) {
		print_frame(frame);
		debug_exit(VECTOR_PF);
	}
	paging_set(address, PAGE_PRESENT | PAGE_WRITE);
	pages_given++;
}

void use_memory(void)
{
	for (unsigned i = 0; i < LAZY_PAGES; i++)
		lazy[i][5] = (uint8_t)(i + 1);
	print("lesson: %u pages given\n", pages_given);
}

/* ---- time --------------------------------------------------------------------------------------- */

void on_timer(struct frame *frame)
{
	(void)frame;
	ticks++;
	pic_end_of_interrupt(0);
}

/* Behind sti one more instruction runs before an interrupt may come: none is missed. */
void wait_ticks(unsigned count)
{
	unsigned long end = ticks + count;

	while (ticks < end)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* ---- the second CPU ----------------------------------------------------------------------------- */

static void apic_write(unsigned long address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/* CPUs besides the first, as QEMU's firmware interface has it. */
static unsigned others(void)
{
	outb(0x70, 0x5f);
	return inb(0x71);
}

/* INIT, a pause, startup (SDM vol. 3A, 9.4.4). It begins in real mode with IP 0 in the page that is named. */
void start_second(void)
{
	apic_write(APIC_SPURIOUS, APIC_ON);
	apic_write(APIC_COMMAND, SEND_INIT);
	wait_ticks(1);
	apic_write(APIC_COMMAND, SEND_STARTUP | (unsigned)((uint64_t)real_start / PAGE));
	while (!second_done)
		wait_ticks(1);
	print("lesson: the second CPU says %u\n", total);
}

void second_main(void)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(kernel_cr3) : "memory");
	exceptions_load();
	for (unsigned i = 1; i <= 100; i++)
		total += i;
	second_done = 1;
}

/* ---- a job -------------------------------------------------------------------------------------- */

void set_job(const char *name)
{
	char *to = job_name;

	while (*name)
		*to++ = *name++;
	*to = '\0';
}

unsigned count_down(unsigned n)
{
	if (n == 0)
		return 0;
	return 1 + count_down(n - 1);
}

/* ---- all of it ---------------------------------------------------------------------------------- */

void prepare(void)
{
	serial_init();
	descriptors_init((uint64_t)&stacks[1]);
	paging_init();
	kernel_cr3 = read_cr3();
	exceptions_init();
	exception_handler(VECTOR_PF, on_page_fault);
	exception_handler(VECTOR_TIMER, on_timer);
	pic_init();
	timer_init(TIMER_HZ);
	pic_unmask(0);
	for (unsigned i = 0; i < CPUS; i++)
		paging_set((uint64_t)stacks[i].guard, 0);
	for (unsigned i = 0; i < LAZY_PAGES; i++)
		paging_set((uint64_t)lazy[i], 0);
}

void lesson_main(unsigned cpu)
{
	unsigned steps;

	if (cpu > 0) {
		second_main();
		return;
	}
	prepare();
	print("lesson: long mode\n");
	set_job("count down");
	use_memory();
	wait_ticks(3);
	print("lesson: the clock ticks\n");
	if (others())
		start_second();
	steps = count_down(job_steps);
	print("lesson: %s, %u steps\n", job_name, steps);
	debug_exit((uint8_t)steps);
}
