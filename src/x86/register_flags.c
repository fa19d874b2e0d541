// SPDX-License-Identifier: GPL-3.0-or-later
/* The names of bits. Each list is in the order of the bits; what is not named is not shown. */
#include "x86/registers.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define BIT(name, at)                                                                              \
	{                                                                                          \
		name, at, at                                                                       \
	}
#define FIELD(name, low, high)                                                                     \
	{                                                                                          \
		name, low, high                                                                    \
	}
#define FILLER(low, high)                                                                          \
	{                                                                                          \
		"", low, high                                                                      \
	}

// clang-format off
/* SDM vol. 1, figure 3-8. */
static const struct register_flag eflags[] = {
	BIT("CF", 0), FILLER(1, 1), BIT("PF", 2), BIT("AF", 4), BIT("ZF", 6), BIT("SF", 7),
	BIT("TF", 8), BIT("IF", 9), BIT("DF", 10), BIT("OF", 11), FIELD("IOPL", 12, 13),
	BIT("NT", 14), BIT("RF", 16), BIT("VM", 17), BIT("AC", 18), BIT("VIF", 19),
	BIT("VIP", 20), BIT("ID", 21),
};

/* SDM vol. 1, figure 10-3. */
static const struct register_flag mxcsr[] = {
	BIT("IE", 0), BIT("DE", 1), BIT("ZE", 2), BIT("OE", 3), BIT("UE", 4), BIT("PE", 5),
	BIT("DAZ", 6), BIT("IM", 7), BIT("DM", 8), BIT("ZM", 9), BIT("OM", 10), BIT("UM", 11),
	BIT("PM", 12), FIELD("RC", 13, 14), BIT("FZ", 15),
};

/* SDM vol. 3A, 2.5. */
static const struct register_flag cr0[] = {
	BIT("PE", 0), BIT("MP", 1), BIT("EM", 2), BIT("TS", 3), BIT("ET", 4), BIT("NE", 5),
	BIT("WP", 16), BIT("AM", 18), BIT("NW", 29), BIT("CD", 30), BIT("PG", 31),
};

static const struct register_flag cr3[] = {
	FIELD("PCID", 0, 11), FIELD("PDBR", 12, 63),
};

static const struct register_flag cr4[] = {
	BIT("VME", 0), BIT("PVI", 1), BIT("TSD", 2), BIT("DE", 3), BIT("PSE", 4), BIT("PAE", 5),
	BIT("MCE", 6), BIT("PGE", 7), BIT("PCE", 8), BIT("OSFXSR", 9), BIT("OSXMMEXCPT", 10),
	BIT("UMIP", 11), BIT("LA57", 12), BIT("VMXE", 13), BIT("SMXE", 14), BIT("FSGSBASE", 16),
	BIT("PCIDE", 17), BIT("OSXSAVE", 18), BIT("KL", 19), BIT("SMEP", 20), BIT("SMAP", 21),
	BIT("PKE", 22), BIT("CET", 23), BIT("PKS", 24), BIT("UINTR", 25), BIT("LASS", 27),
	BIT("LAM_SUP", 28), BIT("FRED", 32),
};

/* SDM vol. 3A, 2.2.1; AMD APM vol. 2, 3.1.7. */
static const struct register_flag efer[] = {
	BIT("SCE", 0), BIT("LME", 8), BIT("LMA", 10), BIT("NXE", 11), BIT("SVME", 12),
	BIT("LMSLE", 13), BIT("FFXSR", 14), BIT("TCE", 15), BIT("AIBRSE", 21),
};

/* SDM vol. 1, 13.3. */
static const struct register_flag xcr0[] = {
	BIT("X87", 0), BIT("SSE", 1), BIT("AVX", 2), BIT("BNDREGS", 3), BIT("BNDCSR", 4),
	BIT("OPMASK", 5), BIT("ZMM_HI256", 6), BIT("HI16_ZMM", 7), BIT("PKRU", 9),
	BIT("TILECFG", 17), BIT("TILEDATA", 18),
};

/* SDM vol. 3A, 11.4.4. */
static const struct register_flag apic_base[] = {
	BIT("BSP", 8), BIT("EXTD", 10), BIT("EN", 11), FIELD("PAGE", 12, 51),
};

/* SDM vol. 3B, 18.2. Bits 11 and 16 mean something while they are 0, and are 1 nearly always. */
static const struct register_flag dr6[] = {
	BIT("B0", 0), BIT("B1", 1), BIT("B2", 2), BIT("B3", 3), FILLER(4, 12), BIT("BD", 13),
	BIT("BS", 14), BIT("BT", 15), FILLER(16, 31),
};

static const struct register_flag dr7[] = {
	BIT("L0", 0), BIT("G0", 1), BIT("L1", 2), BIT("G1", 3), BIT("L2", 4), BIT("G2", 5),
	BIT("L3", 6), BIT("G3", 7), BIT("LE", 8), BIT("GE", 9), FILLER(10, 10), BIT("RTM", 11),
	BIT("GD", 13), FIELD("RW0", 16, 17), FIELD("LEN0", 18, 19), FIELD("RW1", 20, 21),
	FIELD("LEN1", 22, 23), FIELD("RW2", 24, 25), FIELD("LEN2", 26, 27), FIELD("RW3", 28, 29),
	FIELD("LEN3", 30, 31),
};

/* SDM vol. 3A, figure 3-8, from bit 8 of a descriptor's second half; UNUSABLE is SDM vol. 3C, table
 * 25-2. */
static const struct register_flag segment[] = {
	FIELD("TYPE", 0, 3), BIT("S", 4), FIELD("DPL", 5, 6), BIT("P", 7), BIT("AVL", 12),
	BIT("L", 13), BIT("DB", 14), BIT("G", 15), BIT("UNUSABLE", 16),
};

#define TYPE(id, bytes, list) {id, bytes, list, ARRAY_SIZE(list)}

const struct register_flags_type register_flags_types[] = {
	TYPE("i386_eflags", 4, eflags),
	TYPE("i386_mxcsr", 4, mxcsr),
	TYPE("vitrine_cr0", 8, cr0),
	TYPE("vitrine_cr3", 8, cr3),
	TYPE("vitrine_cr4", 8, cr4),
	TYPE("vitrine_efer", 8, efer),
	TYPE("vitrine_xcr0", 8, xcr0),
	TYPE("vitrine_apic_base", 8, apic_base),
	TYPE("vitrine_dr6", 8, dr6),
	TYPE("vitrine_dr7", 8, dr7),
	TYPE("vitrine_segment", 4, segment),
};
// clang-format on

const unsigned register_flags_type_count = ARRAY_SIZE(register_flags_types);

const struct register_flags_type *register_flags_type_find(const char *id)
{
	for (unsigned i = 0; i < register_flags_type_count; i++) {
		if (!strcmp(id, register_flags_types[i].id))
			return &register_flags_types[i];
	}
	return NULL;
}

/* One flag, as a word of the text; what does not fit is cut off. */
static size_t append_flag(const struct register_flag *flag, uint64_t value, char *buf, size_t size,
			  size_t used)
{
	unsigned width = flag->bit_hi - flag->bit_lo + 1;
	uint64_t field = value >> flag->bit_lo & ~0ull >> (64 - width);
	int n;

	if (!field || !*flag->name || used >= size)
		return used;
	n = snprintf(buf + used, size - used, "%s%s", used ? " " : "", flag->name);
	used += (size_t)n;
	if (width > 1 && used < size)
		used += (size_t)snprintf(buf + used, size - used, "=%llx",
					 (unsigned long long)field);
	return used;
}

char *register_flags_text(const char *name, uint64_t value, char *buf, size_t size)
{
	int index = register_find(name);
	const struct register_flags_type *type = NULL;
	size_t used = 0;

	if (size)
		buf[0] = '\0';
	if (index >= 0)
		type = register_flags_type_find(registers[index].gdb_type);
	for (unsigned i = 0; type && i < type->field_count; i++)
		used = append_flag(&type->fields[i], value, buf, size, used);
	return buf;
}
