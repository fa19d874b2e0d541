// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's fw_cfg, by ports and by DMA. */
#include "checks.h"

#include "port.h"
#include "print.h"

enum { SELECTOR = 0x510, DATA = 0x511, DMA_HIGH = 0x514, DMA_LOW = 0x518 };
enum { SIGNATURE = 0x00, ID = 0x01, RAM_SIZE = 0x03, CPUS = 0x05, DIRECTORY = 0x19 };
enum { ID_PORTS = 1, ID_DMA = 2, DMA_READ = 2, DMA_SELECT = 8, NAME_SIZE = 56, FILES_MAX = 100 };

#define MIB	   (1ull << 20)
#define HOLE	   (384ull << 10) /* between 640 KiB and 1 MiB, which not every map counts as RAM */
#define DMA_NAME   0x47464320554d4551ull /* "QEMU CFG" */
#define E820_RAM   1
#define GREETING   "opt/checks/greeting"
#define TEXT_BYTES 64

struct entry {
	uint32_t size; /* big-endian, as the next one */
	uint16_t key, reserved;
	char name[NAME_SIZE];
};

struct e820_entry {
	uint64_t base, size;
	uint32_t type;
} __attribute__((packed));

struct request {
	uint32_t control, size;
	uint64_t address;
};

static volatile struct request request;

static void take(void *to, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		((uint8_t *)to)[i] = inb(DATA);
}

static uint64_t number(uint16_t key, unsigned size)
{
	uint64_t value = 0;

	outw(SELECTOR, key);
	take(&value, size);
	return value;
}

static bool is_name(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Selects the file; returns its size, or -1. */
static long open_file(const char *name)
{
	uint32_t count;
	struct entry entry;

	outw(SELECTOR, DIRECTORY);
	take(&count, sizeof(count));
	count = __builtin_bswap32(count);
	for (uint32_t i = 0; i < count && i < FILES_MAX; i++) {
		take(&entry, sizeof(entry));
		if (!is_name(entry.name, name))
			continue;
		outw(SELECTOR, __builtin_bswap16(entry.key));
		return (long)__builtin_bswap32(entry.size);
	}
	return -1;
}

static void check_map(void)
{
	long size = open_file("etc/e820");
	uint64_t ram = number(RAM_SIZE, sizeof(ram)), sum = 0;

	check("etc/e820 is there", size >= (long)sizeof(struct e820_entry), true);
	open_file("etc/e820");
	for (; size >= (long)sizeof(struct e820_entry); size -= (long)sizeof(struct e820_entry)) {
		struct e820_entry entry;

		take(&entry, sizeof(entry));
		if (entry.type == E820_RAM)
			sum += entry.size;
	}
	check("etc/e820 has all RAM", ram - sum <= HOLE, true);
	check("the loader's map has no more", boot_memory() <= ram, true);
	check("RAM in MiB", ram / MIB, environment_number("MEMORY", ram / MIB));
}

static void check_file(void)
{
	const char *want = environment_text("GREETING");
	char text[TEXT_BYTES];
	long size = open_file(GREETING);

	if (!want)
		return;
	check(GREETING " is there", size > 0 && size < TEXT_BYTES, true);
	if (size <= 0 || size >= TEXT_BYTES)
		return;
	take(text, (unsigned)size);
	check(GREETING, same(text, want, (size_t)size), true);
}

static void check_dma(void)
{
	uint64_t name = inl(DMA_HIGH) | (uint64_t)inl(DMA_LOW) << 32;
	uint64_t by_ports = number(RAM_SIZE, sizeof(by_ports));
	static uint64_t by_dma;

	check("DMA has its signature", name, DMA_NAME);
	request.control = __builtin_bswap32(RAM_SIZE << 16 | DMA_SELECT | DMA_READ);
	request.size = __builtin_bswap32(sizeof(by_dma));
	request.address = __builtin_bswap64((uint64_t)&by_dma);
	outl(DMA_HIGH, 0);
	outl(DMA_LOW, __builtin_bswap32((uint32_t)(uint64_t)&request));
	check("DMA is done", request.control, 0);
	check("DMA reads the same", *(volatile uint64_t *)&by_dma, by_ports);
}

unsigned fwcfg_cpus(void)
{
	return (unsigned)number(CPUS, 2);
}

void fwcfg_checks(void)
{
	check("fw_cfg is there", number(SIGNATURE, 4), 0x554d4551);
	check("fw_cfg by ports", number(ID, 4) & ID_PORTS, ID_PORTS);
	check("CPUs by fw_cfg", fwcfg_cpus(), environment_number("CPUS", fwcfg_cpus()));
	check_map();
	check_file();
	if (number(ID, 4) & ID_DMA)
		check_dma();
}
