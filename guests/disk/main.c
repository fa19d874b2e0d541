// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The IDE disks as a driver uses them, in flat protected mode with multiboot entry, by polling and by interrupts.
 * Command line: do=check  (default) tries everything by polling, prints "ok NAME" or "bad NAME", ends with how many
 *                         were bad; it writes to the sectors of drive 0 from 8 on
 *               do=interrupts  reads and writes by interrupts
 *               do=write  fills sectors 8 to 71 over and over, each with one value, until it is ended
 *               do=read   reads rounds=N blocks (1000) of block=N sectors (1; up to 16), says so before and
 *                         behind it, and ends
 */
#include "arguments.h"
#include "port.h"
#include "print.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	DATA = 0x1f0,
	ERROR,
	COUNT,
	LOW,
	MID,
	HIGH,
	DEVICE,
	STATUS,
	COMMAND = STATUS,
	CONTROL = 0x3f6
};
enum { ERR = 0x01, DRQ = 0x08, BUSY = 0x80 };
enum { READ = 0x20, READ_EXT = 0x24, WRITE = 0x30, SET_MULTIPLE = 0xc6, READ_MULTIPLE = 0xc4 };
enum { WRITE_MULTIPLE = 0xc5, FLUSH = 0xe7, IDENTIFY = 0xec };
enum { PIC1 = 0x20, PIC2 = 0xa0, PIC_EOI = 0x20, VECTOR = 0x40, IRQ_LINE = 14 };

#define SECTOR	    512
#define FIRST	    8
#define WRITTEN	    64
#define CODE	    0x08
#define GATE_KERNEL 0x8e00
#define MAGIC	    0x2badb002

struct information {
	uint32_t flags, lower, upper, boot_device, command_line;
};

void guest_main(uint32_t magic, const struct information *information);
void disk_interrupt(void);
void disk_entry(void);

static uint16_t buffer[16 * SECTOR / 2];
static unsigned bad;
static volatile unsigned interrupts;

/* ---- the drive ---------------------------------------------------------------------------------- */

static void read_words(uint16_t *words, uint32_t count)
{
	__asm__ volatile("rep insw" : "+D"(words), "+c"(count) : "d"(DATA) : "memory");
}

static void write_words(const uint16_t *words, uint32_t count)
{
	__asm__ volatile("rep outsw" : "+S"(words), "+c"(count) : "d"(DATA) : "memory");
}

/* The status when it is busy no more. */
static uint8_t ready(void)
{
	uint8_t status;

	do
		status = inb(STATUS);
	while (status & BUSY);
	return status;
}

static void command(uint8_t what, uint32_t sector, uint8_t count)
{
	outb(DEVICE, (uint8_t)(0xe0 | (sector >> 24 & 0xf)));
	outb(COUNT, count);
	outb(LOW, (uint8_t)sector);
	outb(MID, (uint8_t)(sector >> 8));
	outb(HIGH, (uint8_t)(sector >> 16));
	outb(COMMAND, what);
}

/* block: sectors for each time that the drive is ready. */
static bool read_sectors(uint8_t what, uint32_t sector, uint8_t count, uint8_t block)
{
	command(what, sector, count);
	for (unsigned done = 0; done < count; done += block) {
		if ((ready() & (ERR | DRQ)) != DRQ)
			return false;
		read_words(buffer + done * SECTOR / 2, block * SECTOR / 2);
	}
	return !(ready() & (ERR | DRQ));
}

static bool write_sectors(uint8_t what, uint32_t sector, uint8_t count, uint8_t block)
{
	command(what, sector, count);
	for (unsigned done = 0; done < count; done += block) {
		if ((ready() & (ERR | DRQ)) != DRQ)
			return false;
		write_words(buffer + done * SECTOR / 2, block * SECTOR / 2);
	}
	return !(ready() & (ERR | DRQ));
}

static void fill(uint16_t value, unsigned sectors)
{
	for (unsigned i = 0; i < sectors * SECTOR / 2; i++)
		buffer[i] = value;
}

static bool is_full_of(uint16_t value, unsigned sectors)
{
	for (unsigned i = 0; i < sectors * SECTOR / 2; i++)
		if (buffer[i] != value)
			return false;
	return true;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

struct gate {
	uint16_t low, selector, type, high;
};

static struct gate idt[256];
static const uint64_t gdt[3] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};

struct pointer {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

void disk_interrupt(void)
{
	interrupts++;
	outb(PIC2, PIC_EOI);
	outb(PIC1, PIC_EOI);
}

static void take_interrupts(void)
{
	static const uint8_t words[][2] = {{VECTOR - 8, VECTOR}, {4, 2}, {1, 1}, {0xfb, 0xbf}};
	const struct pointer gdtr = {sizeof(gdt) - 1, (uint32_t)gdt};
	const struct pointer idtr = {sizeof(idt) - 1, (uint32_t)idt};
	uint32_t entry = (uint32_t)disk_entry;

	idt[VECTOR + IRQ_LINE - 8] = (struct gate){(uint16_t)entry, CODE, GATE_KERNEL,
						   (uint16_t)(entry >> 16)};
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	__asm__ volatile("ljmp %0, $1f; 1:" : : "i"(CODE));
	outb(PIC1, 0x11);
	outb(PIC2, 0x11);
	for (unsigned i = 0; i < 4; i++) {
		outb(PIC1 + 1, words[i][0]);
		outb(PIC2 + 1, words[i][1]);
	}
}

/* Sleeps until the drive has interrupted so often. */
static void wait_interrupts(unsigned count)
{
	interrupts_off();
	while (interrupts < count)
		wait_for_interrupt();
}

static bool read_by_interrupts(void)
{
	uint8_t status = 0;

	inb(STATUS);
	interrupts = 0;
	command(READ, FIRST, 3);
	for (unsigned i = 0; i < 3; i++) {
		wait_interrupts(i + 1);
		status = inb(STATUS);
		read_words(buffer + i * SECTOR / 2, SECTOR / 2);
	}
	return (status & (ERR | DRQ | BUSY)) == DRQ && interrupts == 3 && is_full_of(0x1234, 3);
}

static bool write_by_interrupts(void)
{
	fill(0x7777, 2);
	inb(STATUS);
	interrupts = 0;
	command(WRITE, FIRST + 20, 2);
	for (unsigned i = 0; i < 2; i++) {
		ready();
		write_words(buffer, SECTOR / 2);
		wait_interrupts(i + 1);
	}
	command(FLUSH, 0, 0);
	wait_interrupts(3);
	return !(inb(STATUS) & (ERR | DRQ | BUSY)) && interrupts == 3;
}

/* ---- everything --------------------------------------------------------------------------------- */

static void tell(const char *name, bool good)
{
	print("%s %s\n", good ? "ok" : "bad", name);
	bad += !good;
}

static bool identify(void)
{
	command(IDENTIFY, 0, 0);
	if ((ready() & (ERR | DRQ)) != DRQ)
		return false;
	read_words(buffer, SECTOR / 2);
	print("disk: %u sectors\n", buffer[60] | (uint32_t)buffer[61] << 16);
	return buffer[49] & 0x200;
}

static bool refused(uint32_t sector, uint8_t error)
{
	command(READ, sector, 1);
	return (ready() & ERR) && inb(ERROR) == error;
}

static bool multiple(void)
{
	command(SET_MULTIPLE, 0, 16);
	if (ready() & ERR)
		return false;
	fill(0x4321, 16);
	if (!write_sectors(WRITE_MULTIPLE, FIRST + 4, 16, 16))
		return false;
	fill(0, 16);
	return read_sectors(READ_MULTIPLE, FIRST + 4, 16, 16) && is_full_of(0x4321, 16);
}

static bool flush(void)
{
	command(FLUSH, 0, 0);
	return !(ready() & ERR);
}

static bool reset(void)
{
	outb(CONTROL, 0x04);
	outb(CONTROL, 0x00);
	return !(ready() & ERR) && inb(COUNT) == 1 && inb(LOW) == 1 && inb(ERROR) == 1;
}

static void check(void)
{
	tell("identify", identify());
	fill(0x1234, 4);
	tell("write", write_sectors(WRITE, FIRST, 4, 1));
	fill(0, 4);
	tell("read", read_sectors(READ, FIRST, 4, 1) && is_full_of(0x1234, 4));
	tell("multiple", multiple());
	tell("flush", flush());
	tell("no such sector", refused(0x0fffffff, 0x10));
	tell("reset", reset());
	debug_exit((uint8_t)bad);
}

static void check_interrupts(void)
{
	fill(0x1234, 4);
	tell("write", write_sectors(WRITE, FIRST, 4, 1));
	take_interrupts();
	outb(CONTROL, 0x00);
	tell("read by interrupts", read_by_interrupts());
	tell("write by interrupts", write_by_interrupts());
	debug_exit((uint8_t)bad);
}

static void write_for_ever(void)
{
	print("disk: writing\n");
	for (uint16_t value = 1;; value++) {
		fill((uint16_t)(value << 8 | (value & 0xff)), 1);
		for (uint32_t i = 0; i < WRITTEN; i++)
			write_sectors(WRITE, FIRST + i, 1, 1);
		if (value == 1)
			print("disk: once round\n");
	}
}

static void read_many(unsigned rounds, uint8_t block)
{
	bool good = true;

	if (block > 1) {
		command(SET_MULTIPLE, 0, block);
		good = !(ready() & ERR);
	}
	print("disk: reading\n");
	for (unsigned i = 0; i < rounds; i++)
		good &= read_sectors(block > 1 ? READ_MULTIPLE : READ, i & 63, block, block);
	print("disk: read\n");
	debug_exit(!good);
}

void guest_main(uint32_t magic, const struct information *information)
{
	const char *line = magic == MAGIC ? (const char *)information->command_line : NULL;
	const char *what = line ? argument_text(line, "do") : NULL;

	serial_init();
	outb(CONTROL, 0x02);
	if (what && argument_is(what, "write"))
		write_for_ever();
	else if (what && argument_is(what, "read"))
		read_many((unsigned)argument_number(line, "rounds", 1000),
			  (uint8_t)argument_number(line, "block", 1));
	else if (what && argument_is(what, "interrupts"))
		check_interrupts();
	else
		check();
}
