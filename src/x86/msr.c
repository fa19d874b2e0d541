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

const struct msr_desc msr_table[MSR_SLOT_COUNT] = {
	[MSR_SLOT_STAR] = {.index = 0xc0000081,	.name = "star",		.long_name = "MSR_STAR"},
	[MSR_SLOT_LSTAR] = { .index = 0xc0000082,
			    .name = "lstar",
			    .long_name = "MSR_LSTAR",
			    .canonical = true},
	[MSR_SLOT_CSTAR] = {							 .index = 0xc0000083,
			    .name = "cstar",
			    .long_name = "MSR_CSTAR",
			    .canonical = true},
	[MSR_SLOT_FMASK] = {							 .index = 0xc0000084,
			    .name = "fmask",
			    .long_name = "MSR_FMASK",
			    .reserved = HIGH_HALF},
	[MSR_SLOT_KERNEL_GS_BASE] = {						     .index = 0xc0000102,
			     .name = "kernel_gs_base",
			     .long_name = "MSR_KERNEL_GS_BASE",
			     .canonical = true},
	[MSR_SLOT_SYSENTER_CS] = {							 .index = 0x174,
				  .name = "sysenter_cs",
				  .long_name = "MSR_SYSENTER_CS",
				  .reserved = HIGH_HALF},
	[MSR_SLOT_SYSENTER_ESP] = {						     .index = 0x175,
			   .name = "sysenter_esp",
			   .long_name = "MSR_SYSENTER_ESP",
			   .canonical = true},
	[MSR_SLOT_SYSENTER_EIP] = {							 .index = 0x176,
			   .name = "sysenter_eip",
			   .long_name = "MSR_SYSENTER_EIP",
			   .canonical = true},
	[MSR_SLOT_PAT] = {							 .index = 0x277,
			   .name = "pat",
			   .long_name = "MSR_PAT",
			   .valid = pat_valid},
	[MSR_SLOT_TSC] = {							.index = 0x10,		 .name = "tsc", .long_name = "MSR_TSC",		.clock = true},
	[MSR_SLOT_TSC_AUX] = { .index = 0xc0000103,
			      .name = "tsc_aux",
			      .long_name = "MSR_TSC_AUX",
			      .reserved = HIGH_HALF},
	[MSR_SLOT_MISC_ENABLE] = {						     .index = 0x1a0,
				  .name = "misc_enable",
				  .long_name = "MSR_MISC_ENABLE",
				  .reserved = ~MISC_ENABLE_KNOWN},
	[MSR_SLOT_MTRR_DEF_TYPE] = {					    .index = 0x2ff,
			    .name = "mtrr_def_type",
			    .long_name = "MSR_MTRR_DEF_TYPE",
			    .reserved = ~MTRR_DEF_TYPE_KNOWN,
			    .valid = mtrr_valid},
	[MSR_SLOT_TSC_DEADLINE] = {							 .index = 0x6e0,
			   .name = "tsc_deadline",
			   .long_name = "MSR_TSC_DEADLINE",
			   .clock = true},
};

// clang-format off
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
