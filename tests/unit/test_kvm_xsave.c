// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Vector registers: where CPUID says that they are, out to KVM and back, and whether the guest sees
 * what was written.
 */
#include "accel/kvm_private.h"

#include "bare_vm.h"
#include "cpu_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CR4_OSXSAVE (1ull << 18)
#define CR4_PKE	    (1ull << 22)
#define XCR0_PKRU   (1ull << XSAVE_PKRU)

/* ---- CPUID ------------------------------------------------------------------------------- */

enum { LEAVES = 7 };

union table {
	struct kvm_cpuid2 cpuid;
	uint8_t room[sizeof(struct kvm_cpuid2) + LEAVES * sizeof(struct kvm_cpuid_entry2)];
};

#define COMPONENT(which, size, at)                                                                 \
	{                                                                                          \
		.function = 0xd, .index = (which), .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,       \
		.eax = (size), .ebx = (at)                                                         \
	}

/* AVX, AVX-512 and PKRU, as Intel's processors have them. */
static void fill(union table *table)
{
	static const struct kvm_cpuid_entry2 entries[LEAVES] = {
		{.function = 1, .ecx = 1u << 28 | 1u << 26},
		{.function = 7,
		 .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		 .ebx = 1u << 16,
		 .ecx = 1u << 3},
		COMPONENT(XSAVE_AVX, 256, 576),
		COMPONENT(XSAVE_OPMASK, 64, 1088),
		COMPONENT(XSAVE_ZMM_HI256, 512, 1152),
		COMPONENT(XSAVE_HI16_ZMM, 1024, 1664),
		COMPONENT(XSAVE_PKRU, 8, 2688),
	};

	table->cpuid.nent = LEAVES;
	memcpy(table->cpuid.entries, entries, sizeof(entries));
}

static void expect_layout(const union table *table, unsigned avx, unsigned opmask, unsigned pkru)
{
	uint16_t layout[XSAVE_COMPONENTS];

	memset(layout, 0xa5, sizeof(layout));
	kvm_xsave_layout(&table->cpuid, layout);
	assert_int_equal(layout[XSAVE_X87] | layout[XSAVE_SSE] | layout[3] | layout[4] | layout[8],
			 0);
	assert_int_equal(layout[XSAVE_AVX], avx);
	assert_int_equal(layout[XSAVE_OPMASK], opmask);
	assert_int_equal(layout[XSAVE_PKRU], pkru);
}

static void places_are_what_cpuid_says(void **unused)
{
	union table table;
	uint16_t layout[XSAVE_COMPONENTS];

	(void)unused;
	fill(&table);
	expect_layout(&table, 576, 1088, 2688);
	kvm_xsave_layout(&table.cpuid, layout);
	assert_int_equal(layout[XSAVE_ZMM_HI256], 1152);
	assert_int_equal(layout[XSAVE_HI16_ZMM], 1664);
	table.cpuid.entries[6].ebx = 2432; /* as on AMD's */
	expect_layout(&table, 576, 1088, 2432);
}

/* What -cpu takes away is not there, and AVX-512 is nothing without AVX. */
static void features_that_cpuid_lacks(void **unused)
{
	struct error err = {0};
	union table table;

	(void)unused;
	fill(&table);
	assert_int_equal(kvm_cpuid_features(&table.cpuid, "max,-avx512f", &err), 0);
	expect_layout(&table, 576, 0, 2688);
	assert_int_equal(kvm_cpuid_features(&table.cpuid, "max,-pku", &err), 0);
	expect_layout(&table, 576, 0, 0);
	fill(&table);
	assert_int_equal(kvm_cpuid_features(&table.cpuid, "max,-avx", &err), 0);
	expect_layout(&table, 0, 0, 2688);
	fill(&table);
	assert_int_equal(kvm_cpuid_features(&table.cpuid, "max,-xsave", &err), 0);
	expect_layout(&table, 0, 0, 0);
}

static void nonsense_is_not_believed(void **unused)
{
	union table table;

	(void)unused;
	fill(&table);
	table.cpuid.entries[2].ebx = CPU_XSAVE_SIZE - 255; /* it would end outside */
	table.cpuid.entries[3].eax = 63;
	table.cpuid.entries[6].ecx = 1; /* XSS, not XCR0 */
	expect_layout(&table, 0, 0, 0);
	fill(&table);
	table.cpuid.entries[2].ebx = CPU_XSAVE_SIZE - 256;
	table.cpuid.entries[3].ebx = ~0u;
	table.cpuid.nent = LEAVES - 1;
	expect_layout(&table, CPU_XSAVE_SIZE - 256, 0, 0);
}

/* ---- KVM --------------------------------------------------------------------------------- */

/* A CPU in long mode with everything switched on that it has. */
static void open_kvm(struct bare_vm *bare, const void *code, size_t size)
{
	const uint16_t *at;

	if (!bare_available(&accel_kvm))
		skip();
	bare_open(bare, &accel_kvm, NULL);
	bare_load(bare, BARE_LONG, code, size);
	at = bare->state.fpu.component;
	if (!at[XSAVE_AVX] && !at[XSAVE_PKRU]) {
		print_message("# SKIP this host's KVM: AVX or protection keys\n");
		bare_close(bare);
		skip();
	}
	bare->state.fpu.xcr0 = 3 | (at[XSAVE_AVX] ? 1 << XSAVE_AVX : 0) |
			       (at[XSAVE_OPMASK] ? 7 << XSAVE_OPMASK : 0) |
			       (at[XSAVE_PKRU] ? XCR0_PKRU : 0);
	bare->state.system.cr4 |= CR4_OSXSAVE | (at[XSAVE_PKRU] ? CR4_PKE : 0);
	assert_int_equal(bare->ops->state_put(bare->vcpu, CPU_SYSTEM | CPU_FPU, &bare->state), 0);
}

static void needs(struct bare_vm *bare, enum xsave_component component, const char *name)
{
	if (bare->state.fpu.component[component])
		return;
	print_message("# SKIP this host's KVM: %s\n", name);
	bare_close(bare);
	skip();
}

static void fill_value(unsigned reg, uint8_t value[REGISTER_MAX_BYTES])
{
	for (unsigned i = 0; i < REGISTER_MAX_BYTES; i++)
		value[i] = (uint8_t)(reg * 37 + i * 11 + 1);
}

static void vector_registers_make_a_round_trip(void **unused)
{
	static const uint8_t hlt[] = {0xf4};
	uint8_t value[REGISTER_MAX_BYTES], got[REGISTER_MAX_BYTES];
	struct bare_vm bare;
	unsigned count = 0;

	(void)unused;
	open_kvm(&bare, hlt, sizeof(hlt));
	for (unsigned i = 0; i < register_count; i++) {
		fill_value(i, value);
		if (registers[i].component && register_exists(&registers[i], &bare.state))
			assert_int_equal(registers[i].set(&registers[i], &bare.state, value), 0);
	}
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_FPU, &bare.state), 0);
	memset(&bare.state.fpu, 0, sizeof(bare.state.fpu));
	bare_get(&bare, CPU_FPU);
	for (unsigned i = 0; i < register_count; i++) {
		if (!registers[i].component || !register_exists(&registers[i], &bare.state))
			continue;
		fill_value(i, value);
		registers[i].get(&registers[i], &bare.state, got);
		if (memcmp(value, got, registers[i].bits / 8) != 0)
			fail_msg("%s does not come back as written", registers[i].name);
		count++;
	}
	assert_true(count == 1 || count >= 16);
	bare_close(&bare);
}

static void set(struct bare_vm *bare, const char *name)
{
	const struct register_desc *reg = find_register(name);
	uint8_t value[REGISTER_MAX_BYTES];

	fill_value((unsigned)(reg - registers), value);
	assert_int_equal(reg->set(reg, &bare->state, value), 0);
}

/* What the guest stored at BARE_DATA + at. */
static void expect_stored(const struct bare_vm *bare, const char *name, unsigned at, unsigned size)
{
	uint8_t value[REGISTER_MAX_BYTES];

	fill_value((unsigned)register_find(name), value);
	assert_memory_equal(bare->memory + BARE_DATA + at, value, size);
}

/* Until hlt; where KVM executes ring 0 by itself, it may not know these instructions. */
static void run(struct bare_vm *bare, const char *what)
{
	assert_int_equal(bare->ops->state_put(bare->vcpu, CPU_FPU, &bare->state), 0);
	if (bare_run(bare) == EXIT_HLT)
		return;
	assert_int_equal(bare->exit.reason, EXIT_INTERNAL_ERROR);
	assert_int_equal(bare->exit.internal.suberror, INTERNAL_EMULATION);
	print_message("# SKIP this host's KVM: %s in ring 0\n", what);
	bare_close(bare);
	skip();
}

static void the_guest_sees_avx(void **unused)
{
	/* vextractf128 $1,%ymm3,(%rbx); hlt */
	static const uint8_t code[] = {0xc4, 0xe3, 0x7d, 0x19, 0x1b, 0x01, 0xf4};
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, code, sizeof(code));
	needs(&bare, XSAVE_AVX, "AVX");
	set(&bare, "ymm3h");
	run(&bare, "AVX");
	expect_stored(&bare, "ymm3h", 0, 16);
	bare_close(&bare);
}

static void the_guest_sees_avx512(void **unused)
{
	/* vextracti64x4 $1,%zmm3,(%rbx); kmovw %k3,0x40(%rbx); vmovdqu64 %zmm20,0x80(%rbx); hlt */
	static const uint8_t code[] = {0x62, 0xf3, 0xfd, 0x48, 0x3b, 0x1b, 0x01, 0xc5, 0xf8, 0x91,
				       0x5b, 0x40, 0x62, 0xe1, 0xfe, 0x48, 0x7f, 0x63, 0x02, 0xf4};
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, code, sizeof(code));
	needs(&bare, XSAVE_OPMASK, "AVX-512");
	set(&bare, "zmm3h");
	set(&bare, "k3");
	set(&bare, "xmm20");
	set(&bare, "ymm20h");
	set(&bare, "zmm20h");
	run(&bare, "AVX-512");
	expect_stored(&bare, "zmm3h", 0, 32);
	expect_stored(&bare, "k3", 0x40, 2);
	expect_stored(&bare, "xmm20", 0x80, 16);
	expect_stored(&bare, "ymm20h", 0x90, 16);
	expect_stored(&bare, "zmm20h", 0xa0, 32);
	bare_close(&bare);
}

static void the_guest_sees_protection_keys(void **unused)
{
	/* xor %ecx,%ecx; rdpkru; mov %eax,(%rbx); hlt */
	static const uint8_t code[] = {0x31, 0xc9, 0x0f, 0x01, 0xee, 0x89, 0x03, 0xf4};
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, code, sizeof(code));
	needs(&bare, XSAVE_PKRU, "protection keys");
	set(&bare, "pkru");
	run(&bare, "rdpkru");
	expect_stored(&bare, "pkru", 0, 4);
	bare_close(&bare);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(places_are_what_cpuid_says),
		T(features_that_cpuid_lacks),
		T(nonsense_is_not_believed),
		T(vector_registers_make_a_round_trip),
		T(the_guest_sees_avx),
		T(the_guest_sees_avx512),
		T(the_guest_sees_protection_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
