// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ACPI tables, revision 3.0 of the specification; section numbers are that one's. In one block: RSDP, RSDT,
 * XSDT, FACS, DSDT, FADT, MADT.
 */
#include "boot/firmware_tables.h"
#include "devices/acpi_pm.h"
#include "devices/reset_port.h"

#include <stddef.h>
#include <string.h>

#define ALIGN 64 /* what the FACS wants */

struct table_header { /* 5.2.6 */
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct rsdp { /* 5.2.5.3 */
	char signature[8];
	uint8_t checksum; /* of what ACPI 1.0 knew: up to and with rsdt */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

/* The tables that RSDT and XSDT list. */
enum { LISTED_FADT, LISTED_MADT, LISTED_MAX };

struct rsdt {
	struct table_header header;
	uint32_t tables[LISTED_MAX];
} __attribute__((packed));

struct xsdt {
	struct table_header header;
	uint64_t tables[LISTED_MAX];
} __attribute__((packed));

struct facs { /* 5.2.10 */
	char signature[4];
	uint32_t length, hardware_signature, waking_vector, global_lock, flags;
	uint64_t waking_vector64;
	uint8_t version, reserved[31];
} __attribute__((packed));

enum { SPACE_IO = 1, ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

struct address { /* 5.2.3.1 */
	uint8_t space, width, offset, access;
	uint64_t at;
} __attribute__((packed));

struct fadt { /* 5.2.9 */
	struct table_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0,
		gpe1;
	uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length,
		gpe0_length, gpe1_length, gpe1_base, cst;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value, reserved2[3];
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
		x_pm_timer, x_gpe0, x_gpe1;
} __attribute__((packed));

enum {
	BOOT_LEGACY_DEVICES = 1 << 0,
	BOOT_8042 = 1 << 1,
	BOOT_NO_MSI = 1 << 3,

	FADT_WBINVD = 1 << 0,
	FADT_C1 = 1 << 2,
	/* Both buttons would be devices of the DSDT's, which has none. */
	FADT_POWER_BUTTON = 1 << 4,
	FADT_SLEEP_BUTTON = 1 << 5,
	FADT_TIMER_32_BITS = 1 << 8,
	FADT_RESET_REGISTER = 1 << 10,

	PROFILE_UNSPECIFIED = 0,
	NO_C_STATE = 0xffff, /* latencies beyond what the specification allows */
	CMOS_CENTURY = 0x32,
};

/*
 * ACPI machine language (chapter 18), all of it:
 *
 *	Name (_S5, Package (4) {0, 0, 0, 0})	// SLP_TYPa, SLP_TYPb, reserved
 *
 * Its first element is ACPI_SLEEP_OFF.
 */
static const uint8_t dsdt_code[] = {
	0x08, /* NameOp */
	'_',  'S',  '5',  '_',
	0x12, 0x06, 0x04,	/* PackageOp; its length, from here on; four elements */
	0x00, 0x00, 0x00, 0x00, /* ZeroOp, four times */
};
_Static_assert(ACPI_SLEEP_OFF == 0, "the DSDT has a ZeroOp for it");

struct madt { /* 5.2.11.3 */
	struct table_header header;
	uint32_t lapic, flags;
} __attribute__((packed));

enum { MADT_HAS_8259S = 1 << 0, CPU_ENABLED = 1 << 0, ALL_CPUS = 0xff };

/* Polarity and trigger mode, as in the MP specification. */
enum { AS_THE_BUS = 0, ACTIVE_HIGH = 1, LEVEL = 3 << 2 };

struct madt_lapic {
	uint8_t type, length, cpu, id;
	uint32_t flags;
} __attribute__((packed));

struct madt_x2apic { /* ACPI 4.0, 5.2.12.12 */
	uint8_t type, length;
	uint16_t reserved;
	uint32_t id, flags, cpu;
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, first;
} __attribute__((packed));

struct madt_override {
	uint8_t type, length, bus, line;
	uint32_t pin;
	uint16_t flags;
} __attribute__((packed));

struct madt_nmi {
	uint8_t type, length, cpu;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4, MADT_X2APIC = 9 };
#define XAPIC_IDS 255

/* ---- the block as it grows ------------------------------------------------------------------- */

struct block {
	uint8_t *bytes;
	size_t used;
};

static uint64_t append(struct block *b, const void *data, size_t size)
{
	uint64_t gpa = FIRMWARE_ACPI + b->used;

	memcpy(b->bytes + b->used, data, size);
	b->used += size;
	return gpa;
}

static void align(struct block *b)
{
	b->used = (b->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static struct table_header header_of(const char *signature, uint8_t revision)
{
	struct table_header h = {.revision = revision, .oem_revision = 1, .creator_revision = 1};

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem, "VITRIN", sizeof(h.oem));
	memcpy(h.oem_table, "VITRINE ", sizeof(h.oem_table));
	memcpy(h.creator, "VTRN", sizeof(h.creator));
	return h;
}

/* A table from gpa up to the end of the block is complete. */
static void seal(struct block *b, uint64_t gpa)
{
	uint8_t *table = b->bytes + (gpa - FIRMWARE_ACPI);
	uint32_t length = (uint32_t)(b->used - (gpa - FIRMWARE_ACPI));

	memcpy(table + offsetof(struct table_header, length), &length, sizeof(length));
	table[offsetof(struct table_header, checksum)] = firmware_checksum(table, length);
	align(b);
}

/* ---- the tables ------------------------------------------------------------------------------ */

static uint64_t add_facs(struct block *b)
{
	struct facs facs = {
		.signature = {'F', 'A', 'C', 'S'}, .length = sizeof(facs), .version = 1};

	return append(b, &facs, sizeof(facs));
}

static uint64_t add_dsdt(struct block *b)
{
	struct table_header header = header_of("DSDT", 2);
	uint64_t gpa = append(b, &header, sizeof(header));

	append(b, dsdt_code, sizeof(dsdt_code));
	seal(b, gpa);
	return gpa;
}

static struct address port(uint16_t at, uint8_t bits, uint8_t access)
{
	return (struct address){.space = SPACE_IO, .width = bits, .access = access, .at = at};
}

static uint64_t add_fadt(struct block *b, uint64_t facs, uint64_t dsdt)
{
	const struct fadt fadt = {
		.header = header_of("FACP", 3),
		.facs = (uint32_t)facs,
		.dsdt = (uint32_t)dsdt,
		.profile = PROFILE_UNSPECIFIED,
		.sci = FIRMWARE_SCI_LINE,
		.pm1a_event = ACPI_PM_EVENT,
		.pm1a_control = ACPI_PM_CONTROL,
		.pm_timer = ACPI_PM_TIMER,
		.pm1_event_length = 4,
		.pm1_control_length = 2,
		.pm_timer_length = 4,
		.c2_latency = NO_C_STATE,
		.c3_latency = NO_C_STATE,
		.century = CMOS_CENTURY,
		.boot_flags = BOOT_LEGACY_DEVICES | BOOT_8042 | BOOT_NO_MSI,
		.flags = FADT_WBINVD | FADT_C1 | FADT_POWER_BUTTON | FADT_SLEEP_BUTTON |
			 FADT_TIMER_32_BITS | FADT_RESET_REGISTER,
		.reset = port(RESET_PORT, 8, ACCESS_BYTE),
		.reset_value = RESET_PORT_RESET,
		.x_dsdt = dsdt,
		.x_pm1a_event = port(ACPI_PM_EVENT, 32, ACCESS_WORD),
		.x_pm1a_control = port(ACPI_PM_CONTROL, 16, ACCESS_WORD),
		.x_pm_timer = port(ACPI_PM_TIMER, 32, ACCESS_DWORD),
	};
	uint64_t gpa = append(b, &fadt, sizeof(fadt));

	seal(b, gpa);
	return gpa;
}

static void add_cpu(struct block *b, unsigned id)
{
	const struct madt_lapic narrow = {.type = MADT_LAPIC,
					  .length = sizeof(narrow),
					  .cpu = (uint8_t)id,
					  .id = (uint8_t)id,
					  .flags = CPU_ENABLED};
	const struct madt_x2apic wide = {.type = MADT_X2APIC,
					 .length = sizeof(wide),
					 .id = id,
					 .cpu = id,
					 .flags = CPU_ENABLED};

	if (id < XAPIC_IDS)
		append(b, &narrow, sizeof(narrow));
	else
		append(b, &wide, sizeof(wide));
}

/* Only lines that do not come in at the pin of their number, as edges, active high. */
static void add_routing(struct block *b)
{
	const struct madt_ioapic ioapic = {
		.type = MADT_IOAPIC, .length = sizeof(ioapic), .address = FIRMWARE_IOAPIC};
	const struct madt_override timer = {.type = MADT_OVERRIDE,
					    .length = sizeof(timer),
					    .line = 0,
					    .pin = firmware_pin(0),
					    .flags = AS_THE_BUS};
	const struct madt_override sci = {.type = MADT_OVERRIDE,
					  .length = sizeof(sci),
					  .line = FIRMWARE_SCI_LINE,
					  .pin = firmware_pin(FIRMWARE_SCI_LINE),
					  .flags = ACTIVE_HIGH | LEVEL};
	const struct madt_nmi nmi = {
		.type = MADT_NMI, .length = sizeof(nmi), .cpu = ALL_CPUS, .lint = 1};

	append(b, &ioapic, sizeof(ioapic));
	append(b, &timer, sizeof(timer));
	append(b, &sci, sizeof(sci));
	append(b, &nmi, sizeof(nmi));
}

static uint64_t add_madt(struct block *b, unsigned vcpus)
{
	const struct madt madt = {
		.header = header_of("APIC", 2), .lapic = FIRMWARE_LAPIC, .flags = MADT_HAS_8259S};
	uint64_t gpa = append(b, &madt, sizeof(madt));

	for (unsigned id = 0; id < vcpus; id++)
		add_cpu(b, id);
	add_routing(b);
	seal(b, gpa);
	return gpa;
}

/* ---- where they are -------------------------------------------------------------------------- */

/* The first in the block, so that its place is known. */
static void fill_rsdp(struct block *b, uint64_t rsdt, uint64_t xsdt)
{
	struct rsdp rsdp = {
		.revision = 2, .rsdt = (uint32_t)rsdt, .length = sizeof(rsdp), .xsdt = xsdt};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem, "VITRIN", sizeof(rsdp.oem));
	rsdp.checksum = firmware_checksum(&rsdp, offsetof(struct rsdp, length));
	rsdp.extended_checksum = firmware_checksum(&rsdp, sizeof(rsdp));
	memcpy(b->bytes, &rsdp, sizeof(rsdp));
}

static uint64_t add_rsdt(struct block *b, const uint64_t *tables, unsigned count)
{
	struct rsdt rsdt = {.header = header_of("RSDT", 1)};
	uint64_t gpa;

	for (unsigned i = 0; i < count; i++)
		rsdt.tables[i] = (uint32_t)tables[i];
	gpa = append(b, &rsdt, sizeof(rsdt.header) + count * sizeof(rsdt.tables[0]));
	seal(b, gpa);
	return gpa;
}

static uint64_t add_xsdt(struct block *b, const uint64_t *tables, unsigned count)
{
	struct xsdt xsdt = {.header = header_of("XSDT", 1)};
	uint64_t gpa;

	for (unsigned i = 0; i < count; i++)
		xsdt.tables[i] = tables[i];
	gpa = append(b, &xsdt, sizeof(xsdt.header) + count * sizeof(xsdt.tables[0]));
	seal(b, gpa);
	return gpa;
}

size_t firmware_acpi(uint8_t block[FIRMWARE_ACPI_ROOM], unsigned vcpus, bool apic)
{
	struct block b = {.bytes = block, .used = sizeof(struct rsdp)};
	uint64_t tables[LISTED_MAX], facs, rsdt;
	unsigned count = LISTED_FADT + 1;

	align(&b);
	facs = add_facs(&b);
	tables[LISTED_FADT] = add_fadt(&b, facs, add_dsdt(&b));
	if (apic)
		tables[count++] = add_madt(&b, vcpus);
	rsdt = add_rsdt(&b, tables, count);
	fill_rsdp(&b, rsdt, add_xsdt(&b, tables, count));
	return b.used;
}
