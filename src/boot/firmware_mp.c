// SPDX-License-Identifier: GPL-3.0-or-later
/* The MP table: Intel's MultiProcessor Specification 1.4, chapter 4. Its APIC ids have 8 bits, so it lists the
 * first 255 vCPUs. */
#include "boot/firmware_tables.h"

#include <stddef.h>
#include <string.h>

#define XAPIC_IDS      255
#define LAPIC_VERSION  0x14
#define IOAPIC_VERSION 0x11
#define ISA_BUS	       0
#define ISA_LINES      16
#define ALL_LAPICS     0xff
#define REVISION       4 /* of the specification: 1.4 */

/* CPUID leaf 1 is what a kernel believes; these are a Pentium Pro with FPU and local APIC. */
#define CPU_SIGNATURE 0x600
#define CPU_FEATURES  0x201

struct pointer { /* 4.1 */
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5];
} __attribute__((packed));

struct header { /* 4.2 */
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8], product[12];
	uint32_t oem_table;
	uint16_t oem_size, count;
	uint32_t lapic;
	uint16_t extended_length;
	uint8_t extended_checksum, reserved;
} __attribute__((packed));

enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_LINE, ENTRY_LINT };

struct cpu { /* 4.3.1 */
	uint8_t type, id, version, flags;
	uint32_t signature, features;
	uint64_t reserved;
} __attribute__((packed));

enum { CPU_ENABLED = 1, CPU_BOOTS = 2, IOAPIC_ENABLED = 1 };

struct bus { /* 4.3.2 */
	uint8_t type, id;
	char name[6];
} __attribute__((packed));

struct ioapic { /* 4.3.3 */
	uint8_t type, id, version, flags;
	uint32_t address;
} __attribute__((packed));

enum { KIND_INT = 0, KIND_NMI = 1, KIND_EXTINT = 3, AS_THE_BUS = 0, LEVEL_HIGH = 0xd };

struct interrupt { /* 4.3.4, 4.3.5: of a line at an IOAPIC, or at the LINT pin of local APICs */
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, line, apic, pin;
} __attribute__((packed));

struct table {
	uint8_t *bytes;
	size_t used;
	uint16_t count;
};

static void append(struct table *t, const void *entry, size_t size)
{
	memcpy(t->bytes + t->used, entry, size);
	t->used += size;
	t->count++;
}

static void add_cpus(struct table *t, unsigned vcpus)
{
	for (unsigned id = 0; id < vcpus && id < XAPIC_IDS; id++) {
		const struct cpu cpu = {.type = ENTRY_CPU,
					.id = (uint8_t)id,
					.version = LAPIC_VERSION,
					.flags = CPU_ENABLED | (id == 0 ? CPU_BOOTS : 0),
					.signature = CPU_SIGNATURE,
					.features = CPU_FEATURES};

		append(t, &cpu, sizeof(cpu));
	}
}

static void add_line(struct table *t, unsigned line)
{
	const struct interrupt interrupt = {.type = ENTRY_LINE,
					    .kind = KIND_INT,
					    .flags = line == FIRMWARE_SCI_LINE ? LEVEL_HIGH
									       : AS_THE_BUS,
					    .bus = ISA_BUS,
					    .line = (uint8_t)line,
					    .pin = (uint8_t)firmware_pin(line)};

	append(t, &interrupt, sizeof(interrupt));
}

/* The IOAPIC's id is 0, as its own register says, though a CPU has that id too. */
static void add_wiring(struct table *t)
{
	const struct bus bus = {.type = ENTRY_BUS, .id = ISA_BUS, .name = "ISA   "};
	const struct ioapic ioapic = {.type = ENTRY_IOAPIC,
				      .version = IOAPIC_VERSION,
				      .flags = IOAPIC_ENABLED,
				      .address = FIRMWARE_IOAPIC};
	const struct interrupt lint[] = {
		{.type = ENTRY_LINT, .kind = KIND_EXTINT, .apic = ALL_LAPICS, .pin = 0},
		{.type = ENTRY_LINT, .kind = KIND_NMI, .apic = ALL_LAPICS, .pin = 1},
	};

	append(t, &bus, sizeof(bus));
	append(t, &ioapic, sizeof(ioapic));
	for (unsigned line = 0; line < ISA_LINES; line++)
		if (line != FIRMWARE_CASCADE_LINE)
			add_line(t, line);
	append(t, &lint[0], sizeof(lint[0]));
	append(t, &lint[1], sizeof(lint[1]));
}

static void fill_pointer(uint8_t *block)
{
	struct pointer pointer = {.signature = {'_', 'M', 'P', '_'},
				  .table = FIRMWARE_MP + sizeof(pointer),
				  .length = sizeof(pointer) / 16,
				  .revision = REVISION};

	pointer.checksum = firmware_checksum(&pointer, sizeof(pointer));
	memcpy(block, &pointer, sizeof(pointer));
}

size_t firmware_mp(uint8_t block[FIRMWARE_MP_ROOM], unsigned vcpus)
{
	struct table t = {.bytes = block, .used = sizeof(struct pointer) + sizeof(struct header)};
	struct header header = {
		.signature = {'P', 'C', 'M', 'P'}, .revision = REVISION, .lapic = FIRMWARE_LAPIC};
	uint8_t *table = block + sizeof(struct pointer);

	fill_pointer(block);
	add_cpus(&t, vcpus);
	add_wiring(&t);
	memcpy(header.oem, "VITRINE ", sizeof(header.oem));
	memcpy(header.product, "VITRINE     ", sizeof(header.product));
	header.length = (uint16_t)(t.used - sizeof(struct pointer));
	header.count = t.count;
	memcpy(table, &header, sizeof(header));
	table[offsetof(struct header, checksum)] = firmware_checksum(table, header.length);
	return t.used;
}
