// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A kernel that does not stay where it was linked: it copies itself 48 MiB up, goes on there, and lets its interrupt
 * table lead there. Its code does not care where it is.
 *
 * Command line: rounds=N  (3; 0 for ever)   exit=V
 */
#include "arguments.h"
#include "port.h"
#include "print.h"

#include <stddef.h>
#include <stdint.h>

#define SLIDE 0x3000000ul

struct ledger {
	unsigned long rounds, sum;
};

struct gate {
	uint16_t low, selector, attributes, middle;
	uint32_t high, reserved;
};

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern uint8_t image_start[], image_end[];

static struct ledger ledger = {.sum = 100};
static struct gate gates[32];

void book(struct ledger *in, unsigned long amount);
void handle_nothing(void);
void set_gates(void);
void keep_books(unsigned long rounds, unsigned char status);
void copy(uint8_t *to, const uint8_t *from, size_t size);
void guest_main(uint64_t ram_size, const char *command_line);

void book(struct ledger *in, unsigned long amount)
{
	in->rounds++;
	in->sum += amount;
}

/* What the gates lead to. */
void handle_nothing(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

void set_gates(void)
{
	uintptr_t handler = (uintptr_t)handle_nothing;
	struct table table = {sizeof(gates) - 1, (uintptr_t)gates};

	for (unsigned i = 0; i < 32; i++)
		gates[i] = (struct gate){.low = (uint16_t)handler,
					 .selector = 8,
					 .attributes = 0x8e00,
					 .middle = (uint16_t)(handler >> 16),
					 .high = (uint32_t)(handler >> 32)};
	__asm__ volatile("lidt %0" : : "m"(table));
}

/* Runs in the copy. */
void keep_books(unsigned long rounds, unsigned char status)
{
	set_gates();
	for (unsigned long i = 1; i != rounds + 1 || !rounds; i++)
		book(&ledger, i);
	outb(0xf4, status);
}

void copy(uint8_t *to, const uint8_t *from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	unsigned long rounds = argument_number(command_line, "rounds", 3);
	unsigned long status = argument_number(command_line, "exit", 0);
	void (*moved)(unsigned long, unsigned char) = (void (*)(unsigned long, unsigned char))(
		(uintptr_t)keep_books + SLIDE);

	(void)ram_size;
	copy(image_start + SLIDE, image_start, (size_t)(image_end - image_start));
	moved(rounds, (unsigned char)status);
}
