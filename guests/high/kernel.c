// SPDX-License-Identifier: GPL-3.0-or-later
/* The kernel: linked high, and without a word from lib/, which is low. Every start_ function runs once a
 * round; the run ends with how many ran. */
#include "high.h"
#include "port.h"

#define COM1	    0x3f8
#define LINE_STATUS 5
#define CAN_SEND    0x20

unsigned long started;

kernel_entry_fn kernel_entry __attribute__((section(".kernel.start"), noreturn));
void kernel_main(unsigned long rounds, uint64_t place);
void start_memory(uint64_t place);
void start_interrupts(void);
void start_clock(void);
void start_tasks(void);
void start_files(void);
void start_network(void);
void start_programs(void);
void say(const char *text);

void kernel_entry(unsigned long rounds, uint64_t place)
{
	kernel_main(rounds, place);
	debug_exit((uint8_t)started);
}

void say(const char *text)
{
	for (; *text; text++) {
		while (!(inb(COM1 + LINE_STATUS) & CAN_SEND))
			;
		outb(COM1, (uint8_t)*text);
	}
}

void start_memory(uint64_t place)
{
	(void)place;
	started++;
}

void start_interrupts(void)
{
	started++;
}

void start_clock(void)
{
	started++;
}

void start_tasks(void)
{
	started++;
}

void start_files(void)
{
	started++;
}

void start_network(void)
{
	started++;
}

void start_programs(void)
{
	say("kernel: all is up\n");
	started++;
}

void kernel_main(unsigned long rounds, uint64_t place)
{
	for (unsigned long round = 0; round < rounds; round++) {
		start_memory(place);
		start_interrupts();
		start_clock();
		start_tasks();
		start_files();
		start_network();
		start_programs();
	}
}
