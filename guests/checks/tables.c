// SPDX-License-Identifier: GPL-3.0-or-later
/* ACPI's tables, and the MP table, as a kernel finds them: by looking through the low megabyte. */
#include "checks.h"

#include "print.h"

#define SEARCH_FROM 0xe0000ul
#define SEARCH_MP   0xf0000ul
#define SEARCH_END  0x100000ul

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
} __attribute__((packed));

struct table {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], name[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct madt {
	struct table table;
	uint32_t lapic, flags;
} __attribute__((packed));

struct madt_cpu {
	uint8_t type, length, id, apic;
	uint32_t flags;
} __attribute__((packed));

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5];
} __attribute__((packed));

struct mp_table {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8], product[12];
	uint32_t oem_table;
	uint16_t oem_size, count;
	uint32_t lapic, extended;
} __attribute__((packed));

enum { MADT_CPU = 0, MP_CPU = 0, ENABLED = 1, MP_CPU_SIZE = 20, MP_OTHER_SIZE = 8 };

static uint8_t sum(const void *bytes, size_t size)
{
	uint8_t total = 0;

	for (size_t i = 0; i < size; i++)
		total = (uint8_t)(total + ((const uint8_t *)bytes)[i]);
	return total;
}

static const void *find(uint64_t from, const char *signature, size_t length, size_t size)
{
	for (uint64_t at = from; at < SEARCH_END; at += 16)
		if (same((const void *)at, signature, length) && !sum((const void *)at, size))
			return (const void *)at;
	return NULL;
}

static const struct table *acpi_table(const struct table *rsdt, const char *signature)
{
	const uint32_t *entry = (const uint32_t *)(rsdt + 1);
	size_t count = (rsdt->length - sizeof(*rsdt)) / sizeof(*entry);

	for (size_t i = 0; i < count; i++) {
		const struct table *table = (const struct table *)(uint64_t)entry[i];

		if (same(table->signature, signature, 4))
			return table;
	}
	return NULL;
}

static unsigned madt_cpus(const struct madt *madt)
{
	const uint8_t *at = (const uint8_t *)(madt + 1);
	const uint8_t *end = (const uint8_t *)madt + madt->table.length;
	unsigned count = 0;

	while (at < end && at[1]) {
		const struct madt_cpu *cpu = (const struct madt_cpu *)at;

		count += cpu->type == MADT_CPU && cpu->flags & ENABLED;
		at += at[1];
	}
	return count;
}

static void check_acpi(void)
{
	const struct rsdp *rsdp = find(SEARCH_FROM, "RSD PTR ", 8, sizeof(*rsdp));
	const struct table *rsdt, *facp, *madt;

	check("an RSDP is there", rsdp != NULL, true);
	if (!rsdp)
		return;
	rsdt = (const struct table *)(uint64_t)rsdp->rsdt;
	check("the RSDT's checksum", sum(rsdt, rsdt->length), 0);
	facp = acpi_table(rsdt, "FACP");
	check("an FADT is there", facp && !sum(facp, facp->length), true);
	madt = acpi_table(rsdt, "APIC");
	check("a MADT is there", madt && !sum(madt, madt->length), true);
	if (madt)
		check("CPUs by MADT", madt_cpus((const struct madt *)madt), fwcfg_cpus());
}

static unsigned mp_cpus(const struct mp_table *table)
{
	const uint8_t *at = (const uint8_t *)(table + 1);
	unsigned count = 0;

	for (unsigned i = 0; i < table->count; i++) {
		count += at[0] == MP_CPU && at[3] & ENABLED;
		at += at[0] == MP_CPU ? MP_CPU_SIZE : MP_OTHER_SIZE;
	}
	return count;
}

static void check_mp(void)
{
	const struct mp_pointer *pointer = find(SEARCH_MP, "_MP_", 4, sizeof(*pointer));
	const struct mp_table *table;

	check("an MP table is there", pointer != NULL, true);
	if (!pointer)
		return;
	table = (const struct mp_table *)(uint64_t)pointer->table;
	check("the MP table's checksum", sum(table, table->length), 0);
	check("CPUs by MP table", mp_cpus(table), environment_number("MPCPUS", fwcfg_cpus()));
}

void table_checks(void)
{
	check_acpi();
	check_mp();
}
