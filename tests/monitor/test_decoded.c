// SPDX-License-Identifier: GPL-3.0-or-later
/* Registers bit by bit, segments, the x87, vectors, MSRs and CPUID, over made-up state. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cpu_state *cpu(struct rig *rig)
{
	return &rig->debug->state[0];
}

static void test_bits(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info cr0"), "cr0 = 0x80010011\n"
					  "      0  PE         1  protected mode\n");
	contains(rig->text, "     31  PG         1  paging\n");
	cpu(rig)->general.rflags = 0x3246;
	contains(answer(rig, "info eflags"), "  13-12  IOPL       3  rings up to");
	contains(rig->text, "      6  ZF         1  the result was 0\n");
	cpu(rig)->system.apic_base = 0xfee00900;
	contains(answer(rig, "info apic_base"), "  51-12  PAGE       0xfee00  page frame");
	contains(answer(rig, "info flags"), "eflags = 0x3246\n");
	contains(answer(rig, "json info cr0"),
		 "\"value\":\"0x80010011\",\"bits\":{\"PE\":\"0x1\",");
}

/* Every bit that a register has a name for is explained, in a line that fits. */
static void test_every_bit(void **state)
{
	static const char *const names[] = {"eflags", "cr0",	   "cr3", "cr4", "efer",
					    "xcr0",   "apic_base", "dr6", "dr7", "mxcsr"};
	struct rig *rig = *state;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char line[32];

		snprintf(line, sizeof(line), "info %s", names[i]);
		answer(rig, line);
		lacks(rig->text, "(null)");
		for (const char *at = rig->text; at && *at; at = strchr(at, '\n') + 1)
			assert_true(strcspn(at, "\n") < 80);
	}
	for (unsigned i = 0; i < register_flags_type_count; i++)
		for (unsigned j = 0; j < register_flags_types[i].field_count; j++) {
			const struct register_flag *flag = &register_flags_types[i].fields[j];

			assert_int_equal(flag->name[0] != 0, flag->meaning != NULL);
		}
}

static void test_debug_registers(void **state)
{
	struct rig *rig = *state;

	cpu(rig)->debug.dr7 = 1 << 1 | 13u << 16 | 1 << 2 | 0u << 20 | 1 << 13;
	cpu(rig)->debug.dr[0] = address_of(rig, "counter");
	cpu(rig)->debug.dr[1] = 0x1234;
	contains(answer(rig, "info dr7"), "  breakpoint 0  write, 4 bytes at 0x");
	contains(rig->text, " <counter>\n");
	contains(rig->text, "  breakpoint 1  execution at 0x1234, for this task\n");
	contains(rig->text, "  breakpoint 2  off\n");
	contains(rig->text, "     13  GD         1");
	lacks(rig->text, "LEN0");
}

static void test_segments(void **state)
{
	struct rig *rig = *state;

	cpu(rig)->system.seg[SEG_FS].base = 0xffff888000000000;
	cpu(rig)->system.seg[SEG_ES].unusable = 1;
	contains(answer(rig, "info segments"),
		 "  cs   0x0008  code, 64 bits, readable, accessed, dpl 0, flat\n");
	contains(rig->text, "base\n               0xffff888000000000 limit 0xffffffff\n");
	contains(rig->text, "  es   0x0010  unusable\n");
	cpu_state_reset(cpu(rig), true);
	contains(answer(rig, "info seg"),
		 "  cs   0xf000  code, 16 bits, readable, accessed, dpl 0, "
		 "base 0xffff0000 limit\n               0xffff\n");
}

static void set_word(struct rig *rig, const char *name, uint64_t value)
{
	char line[64];

	snprintf(line, sizeof(line), "set $%s = 0x%llx", name, (unsigned long long)value);
	answer(rig, line);
}

static void set_bytes(struct rig *rig, const char *name, const void *bytes)
{
	assert_int_equal(debug_reg_set(rig->debug, 0, (unsigned)register_find(name), bytes), 0);
}

static void test_fpu(void **state)
{
	struct rig *rig = *state;
	uint8_t bytes[REGISTER_MAX_BYTES] = {0};
	long double number = -2.5L;

	set_word(rig, "fctrl", 0x037f);
	set_word(rig, "fstat", 7 << 11 | 4);
	set_word(rig, "ftag", 0x3fff); /* physical register 7 is the top, and valid */
	memcpy(bytes, &number, 10);
	set_bytes(rig, "st0", bytes);
	contains(answer(rig, "info fpu"),
		 "fctrl 0x037f  rounds to nearest to 64 bits, masked: IM DM ZM OM UM PM\n");
	contains(rig->text, "fstat 0x3804  top 7, exceptions: ZE, conditions: none\n");
	contains(rig->text, "  st0  -2.5                     0xc000a000000000000000\n");
	contains(rig->text, "  st1  empty\n");
	contains(answer(rig, "json info float"), "\"st\":[{\"bits\":\"0xc000a000000000000000\","
						 "\"empty\":false,\"value\":\"-2.5\"},");
}

static void test_sse(void **state)
{
	struct rig *rig = *state;
	double numbers[2] = {1.5, -3};
	uint8_t bytes[REGISTER_MAX_BYTES] = {0};

	memcpy(bytes, numbers, sizeof(numbers));
	set_bytes(rig, "xmm2", bytes);
	contains(answer(rig, "info sse"),
		 "  xmm2   0xc008000000000000_3ff8000000000000  1.5  -3\n");
	contains(rig->text, "  0: xmm0 xmm1 xmm3 ");
	contains(rig->text, "mxcsr 0x1f80 [IM DM ZM OM UM PM]  rounds to nearest\n");
}

static void test_msrs(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "rdmsr efer"), "MSR_EFER (0xc0000080) = 0x500 [LME LMA]\n");
	contains(answer(rig, "rdmsr MSR_EFER"), "= 0x500 ");
	contains(answer(rig, "rdmsr ia32_efer"), "= 0x500 ");
	contains(answer(rig, "rdmsr 0xc0000080"), "= 0x500 ");
	answer(rig, "wrmsr lstar add_one+1");
	contains(answer(rig, "rdmsr lstar"), " <add_one+0x1>\n");
	contains(refusal(rig, "rdmsr 0x1234", -ENXIO), "MSR 0x1234 cannot be read");
	contains(refusal(rig, "wrmsr 0x1234 5", -ENXIO), "refuses the value");
	contains(refusal(rig, "wrmsr tsc 5", -EPERM), "MSR_TSC (0x10) cannot be changed");
	contains(refusal(rig, "wrmsr efer 5", -EINVAL), "no processor takes 0x5 for MSR_EFER");
	refusal(rig, "rdmsr 0x100000000", -EINVAL);
	refusal(rig, "rdmsr no_such_msr", -ENOENT);
	refusal(rig, "wrmsr lstar", -EINVAL);
}

static void test_cpuid(void **state)
{
	struct rig *rig = *state;

	answer(rig, "info cpuid");
	assert_string_equal(rig->text, "GenuineIntel, family 6, model 158, stepping 10\n"
				       "features: avx tsc avx-vnni\n");
	contains(answer(rig, "info cpuid -a"), "  00000007     1  00000010 00000000");
	contains(answer(rig, "info cpuid 1"), "  00000001        000906ea 00000000 10000000");
	contains(answer(rig, "info cpuid 0x40"), "there is no leaf 0x40\n");
	contains(answer(rig, "json info cpuid"),
		 "\"vendor\":\"GenuineIntel\",\"family\":6,\"model\":158,\"stepping\":10,"
		 "\"features\":[\"avx\",\"tsc\",\"avx-vnni\"]}");
}

static void test_facts_of_registers(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "json info registers"),
		 "\"result\":{\"vcpu\":0,\"registers\":{\"rax\":\"0x0\",");
	contains(rig->text, "\"cr3\":\"0x1000\"");
	lacks(rig->text, "_value");
	contains(answer(rig, "json info registers eax"), "\"registers\":{\"eax\":\"0x0\"}");
	contains(answer(rig, "json info r xmm0"),
		 "\"xmm0\":\"0x00000000000000000000000000000000\"");
}

static void test_completion(void **state)
{
	struct rig *rig = *state;
	char **matches = monitor_complete(rig->monitor, "rdmsr kernel_", 6);

	assert_non_null(matches);
	assert_string_equal(matches[0], "kernel_gs_base");
	for (unsigned i = 0; matches[i]; i++)
		free(matches[i]);
	free(matches);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const struct CMUnitTest tests[] = {
	ROW(test_bits),	      ROW(test_every_bit), ROW(test_debug_registers),
	ROW(test_segments),   ROW(test_fpu),	   ROW(test_sse),
	ROW(test_msrs),	      ROW(test_cpuid),	   ROW(test_facts_of_registers),
	ROW(test_completion),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
