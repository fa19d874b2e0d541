// SPDX-License-Identifier: GPL-3.0-or-later
/* The names of bits. Each list is in the order of the bits; what is not named is not shown. */
#include "x86/registers.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

// clang-format off
#define BIT(name, at, meaning)		{name, meaning, at, at}
#define FIELD(name, low, high, meaning) {name, meaning, low, high}
#define FILLER(low, high)		{"", NULL, low, high}

/* SDM vol. 1, figure 3-8. */
static const struct register_flag eflags[] = {
	BIT("CF", 0, "carry or borrow out of the highest bit"),
	FILLER(1, 1),
	BIT("PF", 2, "even number of ones in the lowest byte"),
	BIT("AF", 4, "carry out of bit 3"),
	BIT("ZF", 6, "the result was 0"),
	BIT("SF", 7, "the result was negative"),
	BIT("TF", 8, "trap after each instruction"),
	BIT("IF", 9, "interrupts are taken"),
	BIT("DF", 10, "string instructions go down"),
	BIT("OF", 11, "signed overflow"),
	FIELD("IOPL", 12, 13, "rings up to this one may use ports, cli and sti"),
	BIT("NT", 14, "nested task: iret returns to another task"),
	BIT("RF", 16, "instruction breakpoints are silent for one instruction"),
	BIT("VM", 17, "virtual-8086 mode"),
	BIT("AC", 18, "ring 3: alignment is checked; ring 0: SMAP lets through"),
	BIT("VIF", 19, "virtual interrupt flag"),
	BIT("VIP", 20, "a virtual interrupt waits"),
	BIT("ID", 21, "cpuid exists, if this can be changed"),
};

/* SDM vol. 1, figure 10-3. */
static const struct register_flag mxcsr[] = {
	BIT("IE", 0, "there was an invalid operation"),
	BIT("DE", 1, "there was a denormal operand"),
	BIT("ZE", 2, "there was a division by zero"),
	BIT("OE", 3, "there was an overflow"),
	BIT("UE", 4, "there was an underflow"),
	BIT("PE", 5, "there was a result that is not exact"),
	BIT("DAZ", 6, "denormal operands are taken for 0"),
	BIT("IM", 7, "invalid operations raise nothing"),
	BIT("DM", 8, "denormal operands raise nothing"),
	BIT("ZM", 9, "divisions by zero raise nothing"),
	BIT("OM", 10, "overflows raise nothing"),
	BIT("UM", 11, "underflows raise nothing"),
	BIT("PM", 12, "inexact results raise nothing"),
	FIELD("RC", 13, 14, "rounding: 0 nearest, 1 down, 2 up, 3 towards 0"),
	BIT("FZ", 15, "underflows give 0"),
};

/* SDM vol. 3A, 2.5. */
static const struct register_flag cr0[] = {
	BIT("PE", 0, "protected mode"),
	BIT("MP", 1, "wait raises #NM while TS is set"),
	BIT("EM", 2, "no x87: its instructions raise #NM"),
	BIT("TS", 3, "a task was switched: x87 and SSE raise #NM"),
	BIT("ET", 4, "the x87 is an 80387 (always)"),
	BIT("NE", 5, "x87 errors raise #MF, not an interrupt"),
	BIT("WP", 16, "ring 0 obeys read-only pages"),
	BIT("AM", 18, "EFLAGS.AC checks alignment in ring 3"),
	BIT("NW", 29, "no write-through"),
	BIT("CD", 30, "caches are off"),
	BIT("PG", 31, "paging"),
};

static const struct register_flag cr3[] = {
	FIELD("PCID", 0, 11, "address space with CR4.PCIDE, else bits 3 PWT, 4 PCD"),
	FIELD("PDBR", 12, 63, "page frame of the first table"),
};

static const struct register_flag cr4[] = {
	BIT("VME", 0, "virtual-8086 mode extensions"),
	BIT("PVI", 1, "virtual interrupt flag in protected mode"),
	BIT("TSD", 2, "rdtsc in ring 0 alone"),
	BIT("DE", 3, "I/O breakpoints; dr4 and dr5 raise #UD"),
	BIT("PSE", 4, "pages of 4 MiB in 32-bit paging"),
	BIT("PAE", 5, "entries of 64 bits: physical addresses beyond 4 GiB"),
	BIT("MCE", 6, "machine checks raise #MC"),
	BIT("PGE", 7, "global pages stay in the TLB when CR3 is loaded"),
	BIT("PCE", 8, "rdpmc in ring 3"),
	BIT("OSFXSR", 9, "the guest saves SSE state: SSE may be used"),
	BIT("OSXMMEXCPT", 10, "the guest handles #XM"),
	BIT("UMIP", 11, "sgdt, sidt, sldt, smsw and str in ring 0 alone"),
	BIT("LA57", 12, "five levels of paging"),
	BIT("VMXE", 13, "VMX: vmxon may be used"),
	BIT("SMXE", 14, "SMX: getsec may be used"),
	BIT("FSGSBASE", 16, "rdfsbase and its like, in every ring"),
	BIT("PCIDE", 17, "address space numbers in CR3"),
	BIT("OSXSAVE", 18, "the guest saves extended state: AVX may be used"),
	BIT("KL", 19, "Key Locker"),
	BIT("SMEP", 20, "ring 0 does not execute pages of ring 3"),
	BIT("SMAP", 21, "ring 0 does not touch pages of ring 3 without EFLAGS.AC"),
	BIT("PKE", 22, "protection keys for pages of ring 3"),
	BIT("CET", 23, "control-flow enforcement"),
	BIT("PKS", 24, "protection keys for pages of ring 0"),
	BIT("UINTR", 25, "user interrupts"),
	BIT("LASS", 27, "linear addresses are separated by ring"),
	BIT("LAM_SUP", 28, "address bits of ring 0 are masked"),
	BIT("FRED", 32, "flexible return and event delivery"),
};

/* SDM vol. 3A, 2.2.1; AMD APM vol. 2, 3.1.7. */
static const struct register_flag efer[] = {
	BIT("SCE", 0, "syscall and sysret"),
	BIT("LME", 8, "long mode is wanted once paging is on"),
	BIT("LMA", 10, "long mode is active"),
	BIT("NXE", 11, "pages can forbid execution"),
	BIT("SVME", 12, "SVM: vmrun may be used"),
	BIT("LMSLE", 13, "segment limits in long mode"),
	BIT("FFXSR", 14, "fxsave leaves XMM out in ring 0"),
	BIT("TCE", 15, "invlpg spares upper levels of the walk"),
	BIT("AIBRSE", 21, "automatic IBRS"),
};

/* SDM vol. 1, 13.3. */
static const struct register_flag xcr0[] = {
	BIT("X87", 0, "x87 state (always)"),
	BIT("SSE", 1, "XMM registers and MXCSR"),
	BIT("AVX", 2, "upper halves of YMM registers"),
	BIT("BNDREGS", 3, "MPX bounds"),
	BIT("BNDCSR", 4, "MPX configuration"),
	BIT("OPMASK", 5, "AVX-512 masks"),
	BIT("ZMM_HI256", 6, "upper halves of ZMM0 to ZMM15"),
	BIT("HI16_ZMM", 7, "ZMM16 to ZMM31"),
	BIT("PKRU", 9, "protection keys of ring 3"),
	BIT("TILECFG", 17, "AMX configuration"),
	BIT("TILEDATA", 18, "AMX tiles"),
};

/* SDM vol. 3A, 11.4.4. */
static const struct register_flag apic_base[] = {
	BIT("BSP", 8, "this is the bootstrap processor"),
	BIT("EXTD", 10, "x2APIC: its registers are MSRs"),
	BIT("EN", 11, "the local APIC is on"),
	FIELD("PAGE", 12, 51, "page frame of its registers"),
};

/* SDM vol. 3B, 18.2. Bits 11 and 16 mean something while they are 0, and are 1 nearly always. */
static const struct register_flag dr6[] = {
	BIT("B0", 0, "breakpoint 0 was met"),
	BIT("B1", 1, "breakpoint 1 was met"),
	BIT("B2", 2, "breakpoint 2 was met"),
	BIT("B3", 3, "breakpoint 3 was met"),
	FILLER(4, 12),
	BIT("BD", 13, "a debug register was accessed while DR7.GD was set"),
	BIT("BS", 14, "single step"),
	BIT("BT", 15, "a task switch with its trap bit"),
	FILLER(16, 31),
};

static const struct register_flag dr7[] = {
	BIT("L0", 0, "breakpoint 0 is on for this task"),
	BIT("G0", 1, "breakpoint 0 is on"),
	BIT("L1", 2, "breakpoint 1 is on for this task"),
	BIT("G1", 3, "breakpoint 1 is on"),
	BIT("L2", 4, "breakpoint 2 is on for this task"),
	BIT("G2", 5, "breakpoint 2 is on"),
	BIT("L3", 6, "breakpoint 3 is on for this task"),
	BIT("G3", 7, "breakpoint 3 is on"),
	BIT("LE", 8, "exact data breakpoints (obsolete)"),
	BIT("GE", 9, "exact data breakpoints (obsolete)"),
	FILLER(10, 10),
	BIT("RTM", 11, "transactional regions are debugged"),
	BIT("GD", 13, "accesses to debug registers raise #DB"),
	FIELD("RW0", 16, 17, "breakpoint 0: 0 execution, 1 write, 2 port, 3 access"),
	FIELD("LEN0", 18, 19, "breakpoint 0: 0 one byte, 1 two, 3 four, 2 eight"),
	FIELD("RW1", 20, 21, "breakpoint 1: 0 execution, 1 write, 2 port, 3 access"),
	FIELD("LEN1", 22, 23, "breakpoint 1: 0 one byte, 1 two, 3 four, 2 eight"),
	FIELD("RW2", 24, 25, "breakpoint 2: 0 execution, 1 write, 2 port, 3 access"),
	FIELD("LEN2", 26, 27, "breakpoint 2: 0 one byte, 1 two, 3 four, 2 eight"),
	FIELD("RW3", 28, 29, "breakpoint 3: 0 execution, 1 write, 2 port, 3 access"),
	FIELD("LEN3", 30, 31, "breakpoint 3: 0 one byte, 1 two, 3 four, 2 eight"),
};

/* SDM vol. 3A, figure 3-8, from bit 8 of a descriptor's second half; UNUSABLE is SDM vol. 3C, table
 * 25-2. */
static const struct register_flag segment[] = {
	FIELD("TYPE", 0, 3, "what it may do"),
	BIT("S", 4, "code or data, not a system segment"),
	FIELD("DPL", 5, 6, "ring"),
	BIT("P", 7, "present"),
	BIT("AVL", 12, "left to the guest"),
	BIT("L", 13, "64-bit code"),
	BIT("DB", 14, "32 bits, not 16"),
	BIT("G", 15, "the limit counts pages"),
	BIT("UNUSABLE", 16, "no access through it"),
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
