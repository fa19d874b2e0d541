// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every shape of port I/O and MMIO, checked by the guest itself: "ok NAME" or "bad NAME". Ends with 0
 * when all were right, otherwise 1.
 *
 * Command line: reset=i8042|port92|cf9|triple  resets the machine that way first, and says so when it
 *               is back
 */
#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

#include <stdbool.h>

enum {
	SCRATCH = 0x3ff, /* COM1's scratch register: reads back what was written */
	COM1 = 0x3f8,
	DEBUG_CONSOLE = 0xe9, /* reads as 0xe9 */
	NOBODY = 0x5f0,	      /* a port that nothing claims */
};

#define TEXT_MEMORY 0xb8000ul
#define NOTHING	    0xd0000000ul /* an address that nothing claims */
#define COUNT	    16

/* CMOS keeps its bytes through a reset; this one tells firmware why the machine starts. */
enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71, CMOS_SHUTDOWN = 0x0f };

static unsigned failures;
static unsigned first_words = 1; /* in RAM, which a reset restores */
static uint8_t buffer[COUNT * 4 + 8];

void check(const char *name, bool right);
void port_reads(void);
void port_writes(void);
void string_reads(void);
void string_writes(void);
void text_memory(void);
void text_strings(void);
void unclaimed_memory(void);
void reset_by_keyboard_controller(void);
void reset_by_port_92(void);
void reset_by_port_cf9(void);
void reset_by_triple_fault(void);
void reset_once(const char *how);

void check(const char *name, bool right)
{
	print("%s %s\n", right ? "ok" : "bad", name);
	failures += !right;
}

void port_reads(void)
{
	check("inb from nobody", inb(NOBODY) == 0xff);
	check("inw from nobody", inw(NOBODY) == 0xffff);
	check("inl from nobody", inl(NOBODY) == 0xffffffff);
	check("inb from 0xe9", inb(DEBUG_CONSOLE) == DEBUG_CONSOLE);
}

void port_writes(void)
{
	outb(NOBODY, 1);
	outw(NOBODY, 2);
	outl(NOBODY, 3);
	outb(SCRATCH, 0x5a);
	check("outb, inb", inb(SCRATCH) == 0x5a);
	outb(SCRATCH, 0xa5);
	check("outb, inb again", inb(SCRATCH) == 0xa5);
}

/* rep ins of COUNT elements into the middle of the buffer; true when the pointer and the count
 * ended where they must. */
#define STRING_IN(letter, size)                                                                    \
	static bool string_in_##letter(uint16_t port)                                              \
	{                                                                                          \
		uint8_t *to = buffer + 4;                                                          \
		unsigned long count = COUNT;                                                       \
                                                                                                   \
		__asm__ volatile("rep ins" #letter                                                 \
				 : "+D"(to), "+c"(count)                                           \
				 : "d"(port)                                                       \
				 : "memory");                                                      \
		return count == 0 && to == buffer + 4 + COUNT * (size);                            \
	}
STRING_IN(b, 1)
STRING_IN(w, 2)
STRING_IN(l, 4)

#define STRING_OUT(letter, size)                                                                   \
	static bool string_out_##letter(uint16_t port, const uint8_t *from, unsigned long count)   \
	{                                                                                          \
		const uint8_t *end = from + count * (size);                                        \
                                                                                                   \
		__asm__ volatile("rep outs" #letter                                                \
				 : "+S"(from), "+c"(count)                                         \
				 : "d"(port)                                                       \
				 : "memory");                                                      \
		return count == 0 && from == end;                                                  \
	}
STRING_OUT(b, 1)
STRING_OUT(w, 2)
STRING_OUT(l, 4)

/* Whether the middle holds size bytes of value, and what is around it was left alone. */
static bool buffer_holds(unsigned size, uint8_t value)
{
	for (unsigned i = 0; i < sizeof(buffer); i++) {
		bool inside = i >= 4 && i < 4 + size;

		if (buffer[i] != (inside ? value : 0x11))
			return false;
	}
	return true;
}

static void buffer_clear(void)
{
	for (unsigned i = 0; i < sizeof(buffer); i++)
		buffer[i] = 0x11;
}

/* The direction flag makes string instructions walk downwards. */
static bool string_in_down(uint16_t port)
{
	uint8_t *to = buffer + 4 + COUNT - 1;
	unsigned long count = COUNT;

	__asm__ volatile("std; rep insb; cld" : "+D"(to), "+c"(count) : "d"(port) : "memory");
	return count == 0 && to == buffer + 3;
}

void string_reads(void)
{
	buffer_clear();
	check("rep insb", string_in_b(DEBUG_CONSOLE) && buffer_holds(COUNT, DEBUG_CONSOLE));
	buffer_clear();
	check("rep insb downwards", string_in_down(NOBODY) && buffer_holds(COUNT, 0xff));
	buffer_clear();
	check("rep insw", string_in_w(NOBODY) && buffer_holds(COUNT * 2, 0xff));
	buffer_clear();
	check("rep insl", string_in_l(NOBODY) && buffer_holds(COUNT * 4, 0xff));
}

void string_writes(void)
{
	static const char text[] = "written by rep outsb\n";

	check("rep outsb", string_out_b(COM1, (const uint8_t *)text, sizeof(text) - 1));
	check("rep outsb, last byte",
	      string_out_b(SCRATCH, (const uint8_t *)"123\x77", 4) && inb(SCRATCH) == 0x77);
	check("rep outsw", string_out_w(NOBODY, buffer, COUNT));
	check("rep outsl", string_out_l(NOBODY, buffer, COUNT));
}

/* Written values read back at once: writes that the host keeps for later must be seen first. */
#define MEMORY_CHECK(bits, value)                                                                  \
	static bool text_##bits(void)                                                              \
	{                                                                                          \
		volatile uint##bits##_t *at = (volatile uint##bits##_t *)(TEXT_MEMORY + 0x100);    \
                                                                                                   \
		at[0] = (value);                                                                   \
		at[1] = (uint##bits##_t) ~(value);                                                 \
		return at[0] == (value) && at[1] == (uint##bits##_t) ~(value);                     \
	}
MEMORY_CHECK(8, 0x5a)
MEMORY_CHECK(16, 0x1f41)
MEMORY_CHECK(32, 0x12345678u)
MEMORY_CHECK(64, 0x0123456789abcdefull)

void text_memory(void)
{
	check("mmio 1 byte", text_8());
	check("mmio 2 bytes", text_16());
	check("mmio 4 bytes", text_32());
	check("mmio 8 bytes", text_64());
}

void text_strings(void)
{
	volatile uint16_t *cells = (volatile uint16_t *)TEXT_MEMORY;
	uint16_t *to = (uint16_t *)TEXT_MEMORY;
	unsigned long count = COUNT;
	bool right = true;

	__asm__ volatile("rep stosw" : "+D"(to), "+c"(count) : "a"(0x0758) : "memory");
	for (unsigned i = 0; i < COUNT; i++)
		right = right && cells[i] == 0x0758;
	check("rep stosw to mmio", right && count == 0);
	count = COUNT;
	to = (uint16_t *)buffer;
	__asm__ volatile("rep movsb" : "+D"(to), "+c"(count) : "S"(TEXT_MEMORY) : "memory");
	for (unsigned i = 0; i < COUNT; i++)
		right = right && buffer[i] == (i % 2 ? 0x07 : 0x58);
	check("rep movsb from mmio", right && count == 0);
}

void unclaimed_memory(void)
{
	*(volatile uint32_t *)NOTHING = 0;
	check("no mmio 1 byte", *(volatile uint8_t *)NOTHING == 0xff);
	check("no mmio 2 bytes", *(volatile uint16_t *)NOTHING == 0xffff);
	check("no mmio 4 bytes", *(volatile uint32_t *)NOTHING == 0xffffffff);
	check("no mmio 8 bytes", *(volatile uint64_t *)NOTHING == ~0ull);
}

void reset_by_keyboard_controller(void)
{
	outb(0x64, 0xfe);
}

void reset_by_port_92(void)
{
	outb(0x92, 1);
}

void reset_by_port_cf9(void)
{
	outb(0xcf9, 2);
	outb(0xcf9, 6);
}

/* No descriptor table, so that not even a double fault can be delivered. */
void reset_by_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0, 0};

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static const struct {
	const char *name;
	void (*reset)(void);
} resets[] = {
	{"i8042", reset_by_keyboard_controller},
	{"port92", reset_by_port_92},
	{"cf9", reset_by_port_cf9},
	{"triple", reset_by_triple_fault},
};

void reset_once(const char *how)
{
	outb(CMOS_INDEX, CMOS_SHUTDOWN);
	if (inb(CMOS_DATA)) {
		print("io: back after a reset, RAM %s\n",
		      first_words ? "as loaded" : "as it was left");
		return;
	}
	outb(CMOS_DATA, 1);
	first_words = 0;
	for (unsigned i = 0; i < sizeof(resets) / sizeof(resets[0]); i++)
		if (argument_is(how, resets[i].name))
			resets[i].reset();
	check("reset", false);
}

void guest_main(uint64_t ram_size, const char *command_line)
{
	const char *how = argument_text(command_line, "reset");

	(void)ram_size;
	serial_init();
	descriptors_init((uint64_t)stack_top);
	exceptions_init();
	if (how)
		reset_once(how);
	port_reads();
	port_writes();
	string_reads();
	string_writes();
	text_memory();
	text_strings();
	unclaimed_memory();
	print("io: %u wrong\n", failures);
	debug_exit(failures != 0);
}
