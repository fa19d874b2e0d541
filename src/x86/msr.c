// SPDX-License-Identifier: GPL-3.0-or-later
/* Model-specific registers, SDM vol. 4, table 2-2. */
#include "x86/msr.h"

#include "x86/mode.h"

#include <stddef.h>

#define HIGH_HALF 0xffffffff00000000ull

/* What a memory type may be, a bit for each: UC, WC, WT, WP, WB; PAT also has UC-, 7. */
#define TYPES_MTRR (1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6)
#define TYPES_PAT  (TYPES_MTRR | 1 << 7)

static bool is_type(uint64_t type, unsigned types)
{
	return type < 8 && types >> type & 1;
}

static bool pat_valid(uint64_t value)
{
	for (int i = 0; i < 8; i++, value >>= 8) {
		if (!is_type(value & 0xff, TYPES_PAT))
			return false;
	}
	return true;
}

static bool mtrr_valid(uint64_t value)
{
	return is_type(value & 0xff, TYPES_MTRR);
}

/* The bits that some processor defines: fast strings, thermal control, performance monitoring, BTS
 * and PEBS unavailable, SpeedStep, MONITOR, CPUID limit, xTPR, XD disable, turbo disable. */
#define MISC_ENABLE_KNOWN                                                                          \
	(1ull << 0 | 1ull << 3 | 1ull << 7 | 1ull << 11 | 1ull << 12 | 1ull << 16 | 1ull << 18 |   \
	 1ull << 22 | 1ull << 23 | 1ull << 34 | 1ull << 38)

#define MTRR_DEF_TYPE_KNOWN (0xffull | 1ull << 10 | 1ull << 11)

#define ROW(slot, number, register_name, ...)                                                      \
	[MSR_SLOT_##slot] = {.index = (number),                                                    \
			     .name = (register_name),                                              \
			     .long_name = "MSR_" #slot,                                            \
			     __VA_ARGS__}

// clang-format off
const struct msr_desc msr_table[MSR_SLOT_COUNT] = {
	ROW(STAR,           0xc0000081, "star"),
	ROW(LSTAR,          0xc0000082, "lstar", .canonical = true),
	ROW(CSTAR,          0xc0000083, "cstar", .canonical = true),
	ROW(FMASK,          0xc0000084, "fmask", .reserved = HIGH_HALF),
	ROW(KERNEL_GS_BASE, 0xc0000102, "kernel_gs_base", .canonical = true),
	ROW(SYSENTER_CS,    0x174, "sysenter_cs", .reserved = HIGH_HALF),
	ROW(SYSENTER_ESP,   0x175, "sysenter_esp", .canonical = true),
	ROW(SYSENTER_EIP,   0x176, "sysenter_eip", .canonical = true),
	ROW(PAT,            0x277, "pat", .valid = pat_valid),
	ROW(TSC,            0x10, "tsc", .clock = true),
	ROW(TSC_AUX,        0xc0000103, "tsc_aux", .reserved = HIGH_HALF),
	ROW(MISC_ENABLE,    0x1a0, "misc_enable", .reserved = ~MISC_ENABLE_KNOWN),
	ROW(MTRR_DEF_TYPE,  0x2ff, "mtrr_def_type", .reserved = ~MTRR_DEF_TYPE_KNOWN,
						    .valid = mtrr_valid),
	ROW(TSC_DEADLINE,   0x6e0, "tsc_deadline", .clock = true),
};

/* Those that live elsewhere in struct cpu_state, and those that a guest reads while it boots. */
static const struct {
	uint32_t index;
	const char *name;
} other_names[] = {
	{0x17, "MSR_PLATFORM_ID"},
	{0x1b, "MSR_APIC_BASE"},
	{0x3a, "MSR_FEATURE_CONTROL"},
	{0x3b, "MSR_TSC_ADJUST"},
	{0x48, "MSR_SPEC_CTRL"},
	{0x49, "MSR_PRED_CMD"},
	{0x79, "MSR_BIOS_UPDT_TRIG"},
	{0x8b, "MSR_BIOS_SIGN_ID"},
	{0xe7, "MSR_MPERF"},
	{0xe8, "MSR_APERF"},
	{0xfe, "MSR_MTRRCAP"},
	{0x10a, "MSR_ARCH_CAPABILITIES"},
	{0x179, "MSR_MCG_CAP"},
	{0x17a, "MSR_MCG_STATUS"},
	{0x1d9, "MSR_DEBUGCTL"},
	{0xda0, "MSR_XSS"},
	{0xc0000080, "MSR_EFER"},
	{0xc0000100, "MSR_FS_BASE"},
	{0xc0000101, "MSR_GS_BASE"},
	{0xc0010015, "MSR_K7_HWCR"},
	{0xc001001f, "MSR_AMD64_NB_CFG"},
	{0xc0010114, "MSR_VM_CR"},
	{0xc0010117, "MSR_VM_HSAVE_PA"},
};
// clang-format on

bool msr_value_valid(enum cpu_msr slot, uint64_t value, const struct cpu_state *state)
{
	const struct msr_desc *msr = &msr_table[slot];

	if (value & msr->reserved)
		return false;
	if (msr->canonical && !cpu_canonical(state, value))
		return false;
	return !msr->valid || msr->valid(value);
}

const char *msr_name(uint32_t index)
{
	for (unsigned i = 0; i < MSR_SLOT_COUNT; i++) {
		if (msr_table[i].index == index)
			return msr_table[i].long_name;
	}
	for (unsigned i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++) {
		if (other_names[i].index == index)
			return other_names[i].name;
	}
	return NULL;
}
