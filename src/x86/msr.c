// SPDX-License-Identifier: GPL-3.0-or-later
/* Model-specific registers, SDM vol. 4, table 2-2. */
#include "x86/msr.h"

#include "x86/mode.h"

#include <stddef.h>
#include <strings.h>

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
	{0x0, "MSR_P5_MC_ADDR"},
	{0x1, "MSR_P5_MC_TYPE"},
	{0x17, "MSR_PLATFORM_ID"},
	{0x1b, "MSR_APIC_BASE"},
	{0x34, "MSR_SMI_COUNT"},
	{0x3a, "MSR_FEATURE_CONTROL"},
	{0x3b, "MSR_TSC_ADJUST"},
	{0x48, "MSR_SPEC_CTRL"},
	{0x49, "MSR_PRED_CMD"},
	{0x79, "MSR_BIOS_UPDT_TRIG"},
	{0x8b, "MSR_BIOS_SIGN_ID"},
	{0xc1, "MSR_PERFCTR0"},
	{0xc2, "MSR_PERFCTR1"},
	{0xce, "MSR_PLATFORM_INFO"},
	{0xe1, "MSR_UMWAIT_CONTROL"},
	{0xe7, "MSR_MPERF"},
	{0xe8, "MSR_APERF"},
	{0xfe, "MSR_MTRRCAP"},
	{0x10a, "MSR_ARCH_CAPABILITIES"},
	{0x10b, "MSR_FLUSH_CMD"},
	{0x122, "MSR_TSX_CTRL"},
	{0x140, "MSR_MISC_FEATURES_ENABLES"},
	{0x179, "MSR_MCG_CAP"},
	{0x17a, "MSR_MCG_STATUS"},
	{0x17b, "MSR_MCG_CTL"},
	{0x186, "MSR_PERFEVTSEL0"},
	{0x187, "MSR_PERFEVTSEL1"},
	{0x198, "MSR_PERF_STATUS"},
	{0x199, "MSR_PERF_CTL"},
	{0x19a, "MSR_CLOCK_MODULATION"},
	{0x19c, "MSR_THERM_STATUS"},
	{0x1b0, "MSR_ENERGY_PERF_BIAS"},
	{0x1d9, "MSR_DEBUGCTL"},
	{0x1f2, "MSR_SMRR_PHYSBASE"},
	{0x1f3, "MSR_SMRR_PHYSMASK"},
	{0x200, "MSR_MTRR_PHYSBASE0"},
	{0x201, "MSR_MTRR_PHYSMASK0"},
	{0x250, "MSR_MTRR_FIX64K_00000"},
	{0x258, "MSR_MTRR_FIX16K_80000"},
	{0x259, "MSR_MTRR_FIX16K_A0000"},
	{0x268, "MSR_MTRR_FIX4K_C0000"},
	{0x345, "MSR_PERF_CAPABILITIES"},
	{0x38d, "MSR_FIXED_CTR_CTRL"},
	{0x38e, "MSR_PERF_GLOBAL_STATUS"},
	{0x38f, "MSR_PERF_GLOBAL_CTRL"},
	{0x390, "MSR_PERF_GLOBAL_OVF_CTRL"},
	{0x400, "MSR_MC0_CTL"},
	{0x401, "MSR_MC0_STATUS"},
	{0x480, "MSR_VMX_BASIC"},
	{0x6a0, "MSR_U_CET"},
	{0x6a2, "MSR_S_CET"},
	{0x6a4, "MSR_PL0_SSP"},
	{0x6a7, "MSR_PL3_SSP"},
	{0x6a8, "MSR_INT_SSP_TAB"},
	{0x802, "MSR_X2APIC_APICID"},
	{0x803, "MSR_X2APIC_VERSION"},
	{0x808, "MSR_X2APIC_TPR"},
	{0x80b, "MSR_X2APIC_EOI"},
	{0x80f, "MSR_X2APIC_SIVR"},
	{0x830, "MSR_X2APIC_ICR"},
	{0x832, "MSR_X2APIC_LVT_TIMER"},
	{0x838, "MSR_X2APIC_INIT_COUNT"},
	{0x839, "MSR_X2APIC_CUR_COUNT"},
	{0x83e, "MSR_X2APIC_DIV_CONF"},
	{0xda0, "MSR_XSS"},
	{0x40000000, "MSR_HV_GUEST_OS_ID"},
	{0x4b564d00, "MSR_KVM_WALL_CLOCK_NEW"},
	{0x4b564d01, "MSR_KVM_SYSTEM_TIME_NEW"},
	{0x4b564d02, "MSR_KVM_ASYNC_PF_EN"},
	{0x4b564d03, "MSR_KVM_STEAL_TIME"},
	{0x4b564d04, "MSR_KVM_PV_EOI_EN"},
	{0xc0000080, "MSR_EFER"},
	{0xc0000100, "MSR_FS_BASE"},
	{0xc0000101, "MSR_GS_BASE"},
	{0xc0010000, "MSR_K7_EVNTSEL0"},
	{0xc0010004, "MSR_K7_PERFCTR0"},
	{0xc0010010, "MSR_AMD64_SYSCFG"},
	{0xc0010015, "MSR_K7_HWCR"},
	{0xc001001a, "MSR_K8_TOP_MEM1"},
	{0xc001001d, "MSR_K8_TOP_MEM2"},
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

static uint32_t number_at(unsigned i)
{
	return i < MSR_SLOT_COUNT ? msr_table[i].index : other_names[i - MSR_SLOT_COUNT].index;
}

const char *msr_name_at(unsigned i)
{
	if (i < MSR_SLOT_COUNT)
		return msr_table[i].long_name;
	i -= MSR_SLOT_COUNT;
	return i < sizeof(other_names) / sizeof(other_names[0]) ? other_names[i].name : NULL;
}

const char *msr_name(uint32_t index)
{
	const char *name;

	for (unsigned i = 0; (name = msr_name_at(i)); i++)
		if (number_at(i) == index)
			return name;
	return NULL;
}

bool msr_find(const char *name, uint32_t *index)
{
	const char *known;

	if (!strncasecmp(name, "MSR_", 4))
		name += 4;
	else if (!strncasecmp(name, "IA32_", 5))
		name += 5;
	for (unsigned i = 0; (known = msr_name_at(i)); i++) {
		if (strcasecmp(known + 4, name))
			continue;
		*index = number_at(i);
		return true;
	}
	return false;
}
