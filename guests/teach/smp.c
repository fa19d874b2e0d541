// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The second CPU: found in the MP table (MP specification 1.4, chapter 4), started by INIT and two startup IPIs
 * (appendix B.4), and given something to do by an interrupt.
 */
#include "kernel.h"
#include "port.h"
#include "print.h"

#define TRAMPOLINE   0x8000u
#define WARM_RESET   0x0a
#define RESET_VECTOR 0x467u
#define BIOS_BEGIN   0xe0000u
#define BIOS_END     0x100000u

enum { LAPIC_EOI = 0xb0, LAPIC_SPURIOUS = 0xf0, LAPIC_COMMAND = 0x300, LAPIC_TARGET = 0x310 };
enum { LAPIC_LINT0 = 0x350, LAPIC_ON = 0x1ff, LINT_PICS = 0x700 };
enum { IPI_FIXED = 0x4000, IPI_INIT = 0x4500, IPI_STARTUP = 0x4600, IPI_PENDING = 0x1000 };
enum { ENTRY_CPU = 0, CPU_USABLE = 1, CPU_BOOTS = 2 };

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5];
};

struct mp_table {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char names[20];
	uint32_t oem;
	uint16_t oem_size, count;
	uint32_t lapic, extended;
};

struct mp_cpu {
	uint8_t type, id, version, flags;
	uint8_t rest[16];
};

extern uint8_t trampoline[], trampoline_end[];

static volatile uint32_t *lapic;
static int second = -1; /* its LAPIC's number */
static volatile bool second_runs;
static volatile uint32_t job, result;
static volatile unsigned jobs_done;

static uint32_t lapic_read(unsigned reg)
{
	return lapic[reg / 4];
}

static void lapic_write(unsigned reg, uint32_t value)
{
	lapic[reg / 4] = value;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static bool sums_up(const void *bytes, unsigned size)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < size; i++)
		sum += ((const uint8_t *)bytes)[i];
	return sum == 0;
}

static bool is(const char *signature, const char *wanted)
{
	for (unsigned i = 0; i < 4; i++)
		if (signature[i] != wanted[i])
			return false;
	return true;
}

static const struct mp_table *find_table(void)
{
	for (uint32_t at = BIOS_BEGIN; at < BIOS_END; at += 16) {
		const struct mp_pointer *p = (const struct mp_pointer *)at;

		if (is(p->signature, "_MP_") && sums_up(p, sizeof(*p)))
			return (const struct mp_table *)p->table;
	}
	return NULL;
}

static void read_table(const struct mp_table *table)
{
	const uint8_t *entry = (const uint8_t *)(table + 1);

	lapic = (volatile uint32_t *)table->lapic;
	for (unsigned i = 0; i < table->count && *entry == ENTRY_CPU; i++) {
		const struct mp_cpu *cpu = (const struct mp_cpu *)entry;

		if (second < 0 && (cpu->flags & CPU_USABLE) && !(cpu->flags & CPU_BOOTS))
			second = cpu->id;
		entry += sizeof(*cpu);
	}
}

/* ---- starting it -------------------------------------------------------------------------------- */

static void send(uint32_t command)
{
	lapic_write(LAPIC_TARGET, (uint32_t)second << 24);
	lapic_write(LAPIC_COMMAND, command);
	while (lapic_read(LAPIC_COMMAND) & IPI_PENDING)
		__asm__ volatile("pause");
}

/* About so many microseconds: a read of this port takes one on a PC. Who waits for another CPU with interrupts off
 * does it here, too: an emulator may let nobody else run until somebody touches a device. */
static void wait_us(unsigned us)
{
	while (us--)
		inb(0x80);
}

/* A CPU of old times comes from INIT through the CMOS shutdown byte and the vector at 40:67. */
static void set_warm_reset(void)
{
	outb(0x70, 0x0f);
	outb(0x71, WARM_RESET);
	*(volatile uint16_t *)RESET_VECTOR = 0;
	*(volatile uint16_t *)(RESET_VECTOR + 2) = TRAMPOLINE >> 4;
}

void second_cpu_start(void)
{
	const struct mp_table *table = find_table();

	if (table && is((const char *)table, "PCMP") && sums_up(table, table->length))
		read_table(table);
	if (second < 0)
		return;
	for (unsigned i = 0; trampoline + i < trampoline_end; i++)
		((uint8_t *)TRAMPOLINE)[i] = trampoline[i];
	lapic_write(LAPIC_SPURIOUS, LAPIC_ON);
	lapic_write(LAPIC_LINT0, LINT_PICS);
	set_warm_reset();
	send(IPI_INIT);
	wait_us(1000);
	for (unsigned i = 0; i < 2 && !second_runs; i++) {
		send(IPI_STARTUP | TRAMPOLINE >> 12);
		wait_us(200);
	}
	while (!second_runs)
		wait_us(1);
	print("teach: the second CPU runs\n");
}

/* ---- its life ----------------------------------------------------------------------------------- */

void second_main(void)
{
	paging_on();
	traps_load();
	lapic_write(LAPIC_SPURIOUS, LAPIC_ON);
	second_runs = true;
	for (;;)
		__asm__ volatile("sti; hlt" : : : "memory");
}

void second_job(void)
{
	uint32_t sum = 0;

	for (uint32_t i = 1; i <= job; i++)
		sum += i;
	result = sum;
	jobs_done++;
	lapic_write(LAPIC_EOI, 0);
}

uint32_t second_sum(uint32_t n)
{
	unsigned before = jobs_done;

	if (second < 0)
		return 0;
	job = n < 1000 ? n : 1000;
	send(IPI_FIXED | VECTOR_JOB);
	while (jobs_done == before)
		wait_us(1);
	return result;
}
