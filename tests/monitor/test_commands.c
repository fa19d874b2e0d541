// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct cpu_state *fake_state(void *ctx, unsigned groups)
{
	return debug_state(ctx, 0, groups);
}

/* ---- names --------------------------------------------------------------------------------- */

static void test_abbreviations(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "i r rip"), "rip            0x");
	contains(answer(rig, "info reg rip"), "rip            0x");
	contains(answer(rig, "inf registers rip"), "rip            0x");
	contains(answer(rig, "  print 1"), "0x1 = 1");
	contains(answer(rig, "p 1"), "0x1 = 1");
	contains(answer(rig, "i b"), "no breakpoints");
	contains(answer(rig, "info threads"), "vCPU 1");
	contains(answer(rig, "where"), "#0");
	contains(answer(rig, "c"), "running");
	assert_int_equal(rig->debug->continues, 1);
}

static void test_unknown_names_the_nearest(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "contniue", -EINVAL), "did you mean `continue`");
	contains(refusal(rig, "brek main", -EINVAL), "did you mean `break`");
	contains(refusal(rig, "info regsters", -EINVAL), "did you mean `info registers`");
	contains(refusal(rig, "frobnicate", -EINVAL), "`help` lists");
	contains(refusal(rig, "info", -EINVAL), "help info");
	contains(refusal(rig, "\033[31m", -EINVAL), "\\x1b");
	lacks(rig->text, "\033");
}

static void test_ambiguous(void **state)
{
	contains(refusal(*state, "st", -EINVAL), "ambiguous: step, stop");
	contains(refusal(*state, "info s", -EINVAL), "ambiguous: segments, sse, symbol, status");
}

static void test_too_long(void **state)
{
	struct rig *rig = *state;
	char line[10000];

	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = 0;
	refusal(rig, line, -E2BIG);
	line[4000] = 0;
	refusal(rig, line, -EINVAL);
	memcpy(line, "echo ", 5);
	contains(answer(rig, line), "aaaa");
	memcpy(line, "p    ", 5);
	refusal(rig, line, -EINVAL);
	memcpy(line, "break ", 6);
	refusal(rig, line, -EINVAL);
}

static void test_help(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "help"), "breakpoints");
	contains(rig->text, "continue");
	contains(answer(rig, "help x"), "x[/FMT] [ADDR]");
	contains(answer(rig, "help info registers"), "Groups:");
	contains(answer(rig, "help all"), "gva2gpa");
	contains(answer(rig, "help info"), "info cpus");
	lacks(rig->text, "gva2gpa");
	refusal(rig, "help nothing", -EINVAL);
}

/* Every row: short enough for its place, and found by its own name. */
static void test_table_fits(void **state)
{
	struct rig *rig = *state;
	const char *line;

	for (line = answer(rig, "help all"); *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 100);
	for (line = answer(rig, "help"); *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
}

static void test_arguments(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "print", -EINVAL), "print[/FMT] EXPR");
	contains(refusal(rig, "stop now", -EINVAL), "too much");
	contains(refusal(rig, "break/x 1", -EINVAL), "/FMT");
	contains(refusal(rig, "cpu 2", -EINVAL), "0 to 1");
	contains(refusal(rig, "cpu -1", -EINVAL), "0 to 1");
	contains(answer(rig, "# a comment"), "");
	contains(answer(rig, "echo  hello   world"), "hello   world\n");
	contains(answer(rig, "x /2xb 0x200000"), "0x200000 <twice>: 0x55 0x48\n");
}

/* ---- registers ----------------------------------------------------------------------------- */

static void test_set_register(void **state)
{
	struct rig *rig = *state;
	struct cpu_general *general = &rig->debug->state[0].general;

	answer(rig, "set $rax = 0x1122334455667788");
	assert_true(general->gpr[GPR_RAX] == 0x1122334455667788);
	answer(rig, "set $ax = 0xaaaa");
	assert_true(general->gpr[GPR_RAX] == 0x112233445566aaaa);
	answer(rig, "set $ah=0xbb");
	assert_true(general->gpr[GPR_RAX] == 0x112233445566bbaa);
	answer(rig, "set $al = -1");
	assert_true(general->gpr[GPR_RAX] == 0x112233445566bbff);
	answer(rig, "set $eax = 1");
	assert_int_equal(general->gpr[GPR_RAX], 1);
	answer(rig, "set $r8w = 7");
	answer(rig, "set $sil = 9");
	answer(rig, "set $edi = 10");
	assert_int_equal(general->gpr[GPR_R8], 7);
	assert_int_equal(general->gpr[GPR_RSI], 9);
	assert_int_equal(general->gpr[GPR_RDI], 10);
	contains(answer(rig, "p $ah + $al"), "0x1 = 1");
	answer(rig, "set $pc = add_one");
	assert_int_equal(general->rip, address_of(rig, "add_one"));
	refusal(rig, "set $al = 256", -ERANGE);
	refusal(rig, "set $nothing = 1", -ENOENT);
	refusal(rig, "set $xmm0 = 1", -EINVAL);
	refusal(rig, "set $rax", -EINVAL);
	refusal(rig, "set $rax = ", -EINVAL);
	refusal(rig, "set rax = 5", -EINVAL);
	assert_int_equal(general->gpr[GPR_RAX], 1);
}

static void test_linear_pc(void **state)
{
	struct rig *rig = *state;
	struct cpu_state *cpu = &rig->debug->state[1];

	cpu_state_reset(cpu, true);
	answer(rig, "cpu 1");
	contains(answer(rig, "p $rip"), "0xfff0 ");
	rig->debug->ram[0] = 0;
	cpu_segment_real(&cpu->system.seg[SEG_CS], 0x1000);
	cpu->general.rip = 0x20;
	contains(answer(rig, "p $pc"), "0x10020 ");
	answer(rig, "set $pc = 0x10100");
	assert_int_equal(cpu->general.rip, 0x100);
	memcpy(rig->debug->ram + 0x10100, "\xb8\x34\x12\xeb\xfe", 5);
	contains(answer(rig, "x/2i $pc"), "mov    $0x1234, %ax");
	contains(rig->text, "# 0x10103");
	answer(rig, "cpu 0");
}

static void test_info_registers(void **state)
{
	struct rig *rig = *state;

	rig->debug->state[0].general.gpr[GPR_RBX] = 0xdeadbeef;
	contains(answer(rig, "info registers"), "rbx deadbeef");
	contains(rig->text, "cr3            0x1000");
	contains(answer(rig, "info registers $rbx"), "0xdeadbeef");
	contains(answer(rig, "info registers bx"), "0xbeef");
	contains(answer(rig, "info registers cr0"), "PE");
	contains(answer(rig, "info registers debug"), "dr7");
	lacks(rig->text, "rbx");
	contains(answer(rig, "info registers -a"), "xmm15");
	contains(rig->text, "lstar");
	refusal(rig, "info registers xyz", -ENOENT);
	lacks(answer(rig, "info registers"), "*");
}

/* What CPUID has not is not mentioned; what XCR0 has off has no value. */
static void test_info_vector_registers(void **state)
{
	struct rig *rig = *state;
	struct cpu_fpu *fpu = &rig->debug->state[0].fpu;

	lacks(answer(rig, "info registers -a"), "ymm0h");
	lacks(rig->text, "pkeys");
	contains(refusal(rig, "info registers avx512", -ENOENT),
		 "this CPU has no avx512 registers");
	contains(answer(rig, "info registers ymm3h"), "unavailable: this CPU lacks it");
	fpu->component[XSAVE_AVX] = 576;
	contains(answer(rig, "info registers avx"), "ymm15h         unavailable: XCR0");
	fpu->xcr0 = 7;
	fpu->xsave[512] |= 4;
	for (unsigned i = 0; i < 16; i++)
		fpu->xsave[576 + 3 * 16 + i] = (uint8_t)(i + 1);
	contains(answer(rig, "info registers avx"),
		 "ymm3h          0x100f0e0d0c0b0a09_0807060504030201");
	lacks(rig->text, "unavailable");
	contains(answer(rig, "info registers -a"), "ymm3h          0x100f0e0d");
	rig->debug->state[0].msrs.valid[MSR_SLOT_LSTAR] = false;
	contains(answer(rig, "info registers lstar"),
		 "unavailable: this host's KVM does not know it");
	contains(refusal(rig, "print $lstar", -ENXIO), "this host's KVM does not know it");
}

/* ---- memory -------------------------------------------------------------------------------- */

static void test_x(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < 64; i++)
		rig->debug->ram[0x210000 + i] = i;
	contains(answer(rig, "x/2gx 0x210000"),
		 "0x210000: 0x0706050403020100 0x0f0e0d0c0b0a0908\n");
	contains(answer(rig, ""), "0x210010: 0x1716151413121110 0x1f1e1d1c1b1a1918\n");
	contains(answer(rig, "x"), "0x210020: 0x2726252423222120\n");
	contains(answer(rig, "x/5hx 0x210000"), "0x210000: 0x0100 0x0302 0x0504 0x0706 0x0908\n");
	contains(answer(rig, "x/9db 0x210001"), "0x210001: 1 2 3 4 5 6 7 8\n0x210009: 9\n");
	contains(answer(rig, "x/1wt 0x210000"), "00000011000000100000000100000000\n");
	contains(answer(rig, "xp/1wx 0x210004"), "0x210004: 0x07060504\n");
	contains(answer(rig, "x/2i add_one"), "0x200014 <add_one>      push   %rbp\n");
	strcpy((char *)rig->debug->ram + 0x210100, "one\033[0m");
	strcpy((char *)rig->debug->ram + 0x210108, "two");
	contains(answer(rig, "x/2s 0x210100"), "0x210100: \"one\\e[0m\"\n0x210108: \"two\"\n");
	contains(answer(rig, "x/wd &counter"), "<counter>: 42\n");
	contains(answer(rig, "x/c &letter"), "118 'v'\n");
}

/* What is there is shown, then a sentence says why there is no more. */
static void test_x_into_a_hole(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "x/4gx 0x5ffff0", -EFAULT),
		 "0x5ffff0: 0x0000000000000000 0x0000000000000000\n");
	contains(rig->text, "0x600000 is not mapped");
	contains(rig->text, "pt 0x600000");
	refusal(rig, "x/gx 0x5ffffc", -EFAULT);
	refusal(rig, "x/s 0x600000", -EFAULT);
	refusal(rig, "x/i 0x600000", -EFAULT);
	refusal(rig, "x/x 0x8000000000000000", -EFAULT);
	contains(refusal(rig, "xp/gx 0x10000000", -EFAULT), "no RAM at physical");
	refusal(rig, "x/999999x 0", -EINVAL);
	refusal(rig, "x/q 0", -EINVAL);
	refusal(rig, "xp/i 0", -EINVAL);
	contains(answer(rig, "x/65536xb 0x200000"), "0x20fff8");
}

static void test_print(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "p counter"), "<counter>, holds 0x2a = 42\n");
	contains(answer(rig, "p add_one+4"), "<add_one+0x4>\n");
	contains(answer(rig, "p -2"), "0xfffffffffffffffe = 18446744073709551614 = -2\n");
	contains(answer(rig, "p/d -2"), "-2\n");
	contains(answer(rig, "p/x 42"), "0x2a\n");
	contains(answer(rig, "p/t 5"), "101\n");
	contains(answer(rig, "p/c 65"), "65 'A'\n");
	contains(answer(rig, "p/a add_one+4"), "<add_one+4>\n");
	contains(answer(rig, "p *&counter & 0xffffffff"), "0x2a = 42");
	refusal(rig, "p nothing", -ENOENT);
	contains(refusal(rig, "p rax", -ENOENT), "$rax");
	refusal(rig, "p 1/0", -EDOM);
	refusal(rig, "p/s 1", -EINVAL);
	refusal(rig, "p *0x600000", -EFAULT);
}

static void test_pt(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "pt 0x200014"), "4 levels, cr3 0x1000");
	contains(rig->text,
		 "  PML4[  0] at 0x1000 = 0x0000000000002027   present write user accessed\n");
	contains(rig->text,
		 "  PD  [  1] at 0x3008 = 0x00000000002001e3   present write kernel "
		 "accessed\n                                             dirty global 2M\n");
	contains(rig->text, "→ physical 0x200014 · may read, write, execute · kernel only");
	contains(answer(rig, "pt 0x600000"),
		 "PD  [  3] at 0x3018 = 0x0000000000000000   NOT PRESENT");
	contains(rig->text, "error code 0 for a kernel read, 4 for a user read");
	contains(answer(rig, "pt 0x800000000000"), "#GP");
	contains(answer(rig, "gva2gpa 0x200014"), "gpa: 0x200014");
	refusal(rig, "gva2gpa 0x600000", -EFAULT);
}

/* ---- points -------------------------------------------------------------------------------- */

static void test_break(void **state)
{
	struct rig *rig = *state;
	uint64_t body = symbols_breakpoint_address(rig->symbols, address_of(rig, "add_one"));

	rig->debug->next_number = 1;
	contains(answer(rig, "break add_one"), "breakpoint 1 at 0x");
	contains(rig->text, "fixture.c:19");
	contains(rig->text, "(fake)");
	assert_int_equal(rig->debug->points[0].spec.address, body);
	answer(rig, "tbreak fixture.c:21");
	assert_true(rig->debug->points[1].spec.temporary);
	answer(rig, "hbreak *0x1234");
	assert_int_equal(rig->debug->points[2].spec.kind, POINT_HARDWARE);
	assert_int_equal(rig->debug->points[2].spec.address, 0x1234);
	answer(rig, "b add_one+1");
	assert_int_equal(rig->debug->points[3].spec.address, address_of(rig, "add_one") + 1);
	answer(rig, "b 12");
	contains(rig->text, "fixture.c:12");
	answer(rig, "b 18"); /* a function's first line */
	assert_int_equal(rig->debug->points[5].spec.address, body);
	answer(rig, "b");
	assert_int_equal(rig->debug->points[6].spec.address, rig->debug->state[0].general.rip);
	refusal(rig, "b nowhere", -ENOENT);
	refusal(rig, "b nowhere.c:5", -ENOENT);
	contains(answer(rig, "info breakpoints"), "hardware breakpoint");
	contains(rig->text, "deleted when hit");
	answer(rig, "delete 1 3");
	assert_int_equal(rig->debug->point_count, 5);
	refusal(rig, "delete 1", -ENOENT);
	refusal(rig, "delete x", -EINVAL);
	refusal(rig, "delete 99999999999", -EINVAL);
	run_as(rig, OWNER_GDB, "break twice");
	assert_int_equal(rig->debug->points[5].owner, OWNER_GDB);
	contains(refusal(rig, "delete 8", -EPERM), "gdb");
	contains(answer(rig, "delete"), "5 deleted");
	assert_int_equal(rig->debug->point_count, 1);
	assert_int_equal(run_as(rig, OWNER_GDB, "delete"), 0);
	assert_int_equal(rig->debug->point_count, 0);
}

static const struct point *last_point(struct rig *rig)
{
	assert_true(rig->debug->point_count > 0);
	return &rig->debug->points[rig->debug->point_count - 1];
}

/* What the last point's condition says of vCPU 0. */
static int64_t condition_value(struct rig *rig)
{
	struct program_fault fault = {0};
	struct program_context context = {rig->debug, 0, fake_state, NULL, NULL};
	int64_t result;

	assert_non_null(last_point(rig)->condition);
	assert_int_equal(program_run(last_point(rig)->condition, &context, &result, &fault), 0);
	return result;
}

static void test_break_clauses(void **state)
{
	struct rig *rig = *state;
	const struct point_limit *limit;

	answer(rig, "break add_one if $edi > 5 && $_cpu == 0 cpu 1 ring 3 cr3 $cr3+0x1000");
	limit = &last_point(rig)->spec.limit;
	assert_int_equal(limit->by, LIMIT_VCPU | LIMIT_CR3 | LIMIT_RING);
	assert_int_equal(limit->vcpu, 1);
	assert_int_equal(limit->ring, 3);
	assert_int_equal(limit->cr3, FAKE_TABLES + 0x1000);
	assert_true(last_point(rig)->enabled);
	assert_true(last_point(rig)->spec.disabled); /* when it was made */
	rig->debug->state[0].general.gpr[GPR_RDI] = 6;
	assert_int_equal(condition_value(rig), 1);
	rig->debug->state[0].general.gpr[GPR_RDI] = 5;
	assert_int_equal(condition_value(rig), 0);
	contains(answer(rig, "info breakpoints"),
		 "only on vCPU 1, in ring 3, where cr3 is 0x2000\n");
	contains(rig->text, "only if $edi > 5 && $_cpu == 0: come upon 0 times\n");
	answer(rig, "break if($edi)");
	assert_int_equal(last_point(rig)->spec.address, rig->debug->state[0].general.rip);
	assert_string_equal(program_text(last_point(rig)->condition), "($edi)");
	answer(rig, "hbreak -p 0x7c00 ring 0");
	assert_true(last_point(rig)->spec.physical);
	contains(rig->text, "hardware breakpoint 3 at physical 0x7c00 (fake)\n");
	answer(rig, "break twice ring 0");
	assert_false(last_point(rig)->spec.disabled);
	assert_null(last_point(rig)->condition);
}

static void test_clauses_that_are_wrong(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "break twice when 5", -EINVAL), "if EXPR, cpu N");
	contains(refusal(rig, "break twice if", -EINVAL), "missing");
	contains(refusal(rig, "break twice if nowhere", -ENOENT), "nowhere");
	contains(refusal(rig, "break twice if 1 if 2", -EINVAL), "&&");
	contains(refusal(rig, "break twice if 1 2", -EINVAL), "`2`");
	contains(refusal(rig, "break twice if 1 cpu 2", -EINVAL), "0 to 1");
	contains(refusal(rig, "break twice ring 4", -EINVAL), "0 to 3");
	contains(refusal(rig, "break twice cr3 *0x600000", -EFAULT), "not mapped");
	refusal(rig, "break -p", -EINVAL);
	assert_int_equal(rig->debug->point_count, 0);
	for (unsigned i = 0; i < FAKE_POINTS; i++)
		answer(rig, "break twice if 1");
	contains(refusal(rig, "break twice if 1", -ENOSPC), "no room");
}

/* What is read would be watched, and so is what an address stands for. */
static void test_watch(void **state)
{
	static const struct {
		const char *line;
		enum point_kind kind;
		uint64_t address, length;
	} cases[] = {
		{"watch counter", POINT_WRITE, 0, 4},
		{"watch *counter", POINT_WRITE, 0, 4},
		{"watch *&counter if 1", POINT_WRITE, 0, 4},
		{"rwatch 0x1000", POINT_READ, 0x1000, 8},
		{"awatch *(u16 *)0x1000 cpu 1", POINT_ACCESS, 0x1000, 2},
		{"watch (u8 *)0x1000 + 5", POINT_WRITE, 0x1005, 1},
		{"watch -p 0x1000,4096", POINT_WRITE, 0x1000, 4096},
		{"watch 0x1000, $edx + 3 if $rax", POINT_WRITE, 0x1000, 3},
	};
	struct rig *rig = *state;

	rig->debug->state[0].general.gpr[GPR_RDX] = 0;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		answer(rig, cases[i].line);
		assert_int_equal(last_point(rig)->spec.kind, cases[i].kind);
		assert_int_equal(last_point(rig)->spec.address,
				 cases[i].address ? cases[i].address : address_of(rig, "counter"));
		assert_int_equal(last_point(rig)->spec.length, cases[i].length);
	}
	contains(rig->text, "write watch 8 at 0x1000, 3 bytes: 0x1000 (fake)\n");
	contains(answer(rig, "info breakpoints"), "4 bytes counter");
	contains(rig->text, "physical 0x1000, 4096 bytes\n");
	refusal(rig, "watch", -EINVAL);
	refusal(rig, "watch 0x1000,0", -EINVAL);
	refusal(rig, "watch 0x1000,", -EINVAL);
	refusal(rig, "watch 0x1000 4", -EINVAL);
	refusal(rig, "watch nowhere", -ENOENT);
}

/* Who wrote is named, in place of where the vCPU stands behind it. */
static void test_watch_screen(void **state)
{
	struct rig *rig = *state;
	struct stop stop = {.reason = STOP_WATCH_WRITE, .point = 1, .text = "a write"};

	stop.address = address_of(rig, "counter");
	stop.writer = address_of(rig, "twice") + 9;
	fake_debug_stop_as(rig->debug, &stop);
	contains(answer(rig, "context"),
		 "■ vCPU 0: a write\n  counter · by twice+0x9 at fixture.c:");
	stop.writer = 0;
	fake_debug_stop_as(rig->debug, &stop);
	contains(answer(rig, "context"), "a write\n  counter · ");
	lacks(rig->text, "by ");
}

static void test_changing_points(void **state)
{
	struct rig *rig = *state;

	answer(rig, "break twice");
	answer(rig, "break add_one");
	answer(rig, "condition 2 $rax == 5");
	rig->debug->state[0].general.gpr[GPR_RAX] = 5;
	assert_int_equal(condition_value(rig), 1);
	assert_null(rig->debug->points[0].condition);
	contains(answer(rig, "cond 2"), "unconditional");
	assert_null(last_point(rig)->condition);
	contains(answer(rig, "ignore 2 3"), "the next 3 hits of 2 pass\n");
	assert_int_equal(last_point(rig)->ignore, 3);
	contains(answer(rig, "info breakpoints"), "the next 3 hits pass\n");
	contains(answer(rig, "ignore 2 0"), "next hit");
	answer(rig, "disable 2");
	assert_true(rig->debug->points[0].enabled && !last_point(rig)->enabled);
	contains(answer(rig, "info breakpoints"), ", disabled");
	contains(answer(rig, "disable"), "2 disabled");
	assert_false(rig->debug->points[0].enabled);
	contains(answer(rig, "enable"), "2 enabled");
	assert_true(rig->debug->points[0].enabled && last_point(rig)->enabled);
	refusal(rig, "condition", -EINVAL);
	contains(refusal(rig, "condition x 1", -EINVAL), "number");
	refusal(rig, "condition 9 1", -ENOENT);
	refusal(rig, "condition 2 nowhere", -ENOENT);
	refusal(rig, "ignore 2", -EINVAL);
	refusal(rig, "ignore 2 -1", -EINVAL);
	refusal(rig, "ignore 9 1", -ENOENT);
	refusal(rig, "enable 1 9", -ENOENT);
	run_as(rig, OWNER_GDB, "break twice");
	for (unsigned i = 0; i < 4; i++) {
		static const char *const lines[] = {"condition 3 1", "ignore 3 1", "disable 3",
						    "enable 3"};

		contains(refusal(rig, lines[i], -EPERM), "gdb");
	}
}

static void test_dprintf(void **state)
{
	struct rig *rig = *state;
	const struct point_action *action;

	answer(rig, "dprintf add_one,\"a \\\"%d\\\"\\t%#lx 100%% %s\\n\", $edi ,$rdi + 1, $rsi if "
		    "$edi > 1 cpu 1");
	action = last_point(rig)->action;
	assert_int_equal(last_point(rig)->spec.address,
			 symbols_breakpoint_address(rig->symbols, address_of(rig, "add_one")));
	assert_string_equal(action->format, "a \"%d\"\t%#lx 100%% %s\n");
	assert_int_equal(action->arg_count, 3);
	assert_true(action->go_on);
	assert_string_equal(program_text(action->args[1]), "$rdi + 1");
	assert_string_equal(program_text(last_point(rig)->condition), "$edi > 1");
	assert_true(last_point(rig)->enabled);
	contains(answer(rig, "info breakpoints"),
		 "prints \"a \\\"%d\\\"\\t%#lx 100%% %s\\n\", $edi, $rdi + 1, $rsi and goes on\n");
	answer(rig, "dprintf fixture.c:21,\"hello, world\"");
	assert_int_equal(last_point(rig)->action->arg_count, 0);
	answer(rig, "dprintf *((u8 *)0x1000 + 1),\"%c\",'x'");
	assert_int_equal(last_point(rig)->spec.address, 0x1001);
}

static void test_dprintf_that_is_wrong(void **state)
{
	static const struct {
		const char *line, *words;
		int code;
	} cases[] = {
		{"dprintf", "missing", -EINVAL},
		{"dprintf add_one", "comma", -EINVAL},
		{"dprintf nowhere,\"x\"", "nowhere", -ENOENT},
		{"dprintf add_one,x", "quotes", -EINVAL},
		{"dprintf add_one twice,\"x\"", "does not belong to a location", -EINVAL},
		{"dprintf add_one,\"x", "closing quote", -EINVAL},
		{"dprintf add_one,\"x\\\"", "closing quote", -EINVAL},
		{"dprintf add_one,\"%d\"", "1 value, and 0 follow it", -EINVAL},
		{"dprintf add_one,\"x\",1,2", "0 values, and 2 follow it", -EINVAL},
		{"dprintf add_one,\"%n\",1", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"%*d\",1,2", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"%00000000000001d\",1", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"100%\"", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"%d\",nowhere", "nowhere", -ENOENT},
		{"dprintf add_one,\"%d\",", "missing", -EINVAL},
		{"dprintf add_one,\"%d\",1 2", "`2`", -EINVAL},
		{"dprintf "
		 "add_one,\"\",1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
		 "26,27,28,29,30,31,32,33",
		 "32 values", -E2BIG},
	};
	struct rig *rig = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		contains(refusal(rig, cases[i].line, cases[i].code), cases[i].words);
	assert_int_equal(rig->debug->point_count, 0);
}

/* Points can be set while the guest runs; what needs its registers cannot be said then. */
static void test_points_of_a_running_guest(void **state)
{
	struct rig *rig = *state;

	answer(rig, "continue");
	answer(rig, "break add_one if $rdi == 1");
	answer(rig, "watch counter");
	answer(rig, "info breakpoints");
	answer(rig, "disable 1");
	contains(refusal(rig, "break", -EBUSY), "running");
	contains(refusal(rig, "break if 1", -EBUSY), "running");
	contains(refusal(rig, "break *$rax", -EBUSY), "running");
	contains(refusal(rig, "watch $rsp", -EBUSY), "running");
	answer(rig, "delete 1 2");
}

/* ---- running ------------------------------------------------------------------------------- */

static void test_running_refuses(void **state)
{
	static const char *const lines[] = {
		"info registers", "x 0",      "step",	 "next", "finish",
		"advance twice",  "continue", "bt",	 "pt 0", "list",
		"set $rax = 1",	  "p $rax",   "context", "u"};
	struct rig *rig = *state;

	answer(rig, "continue");
	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		contains(refusal(rig, lines[i], -EBUSY), "running");
	contains(answer(rig, "info cpus"), "running");
	contains(answer(rig, "info status"), "VM status: running");
	contains(answer(rig, "p 1+1"), "2");
	contains(answer(rig, "info symbol 0x200014"), "add_one");
	answer(rig, "stop");
	assert_int_equal(rig->debug->pauses, 1);
	assert_true(monitor_expects_stop(rig->monitor));
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	assert_false(monitor_expects_stop(rig->monitor));
	contains(answer(rig, "stop"), "already");
	contains(answer(rig, "info status"), "VM status: paused");
}

static void test_step_count(void **state)
{
	struct rig *rig = *state;
	unsigned before = rig->events;

	answer(rig, "s 3");
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(rig->debug->steps, i);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	}
	assert_int_equal(rig->debug->steps, 3);
	assert_int_equal(rig->events, before + 2); /* one resume, one stop */
	assert_int_equal(rig->last_event, DEBUG_STOPPED);
	answer(rig, ""); /* three again */
	fake_debug_stop(rig->debug, STOP_BREAKPOINT, 0, "breakpoint 1");
	assert_int_equal(rig->debug->steps, 4);
	assert_false(rig->debug->running);
	refusal(rig, "s 0", -EINVAL);
	refusal(rig, "s 1000001", -EINVAL);
}

/* A breakpoint on the way is worth a look. */
static void test_breakpoint_ends_steps(void **state)
{
	struct rig *rig = *state;

	answer(rig, "s 3");
	fake_debug_stop_as(rig->debug, &(struct stop){.reason = STOP_STEP, .point = 1});
	assert_int_equal(rig->debug->steps, 1);
	assert_false(rig->debug->running);
}

static void test_next(void **state)
{
	struct rig *rig = *state;

	answer(rig, "n 2");
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(rig->debug->steps, i);
		assert_int_equal(rig->debug->plans[0].action, PLAN_STEP_OVER);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	}
	assert_false(rig->debug->running);
	answer(rig, "nexti");
	assert_int_equal(rig->debug->plans[0].action, PLAN_STEP_OVER);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "");
	assert_int_equal(rig->debug->steps, 4);
}

static void test_advance(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "advance *0x1234"), "running until 0x1234");
	assert_int_equal(rig->debug->plans[0].action, PLAN_UNTIL);
	assert_int_equal(rig->debug->plans[0].address, 0x1234);
	assert_int_equal(rig->debug->plans[0].above_sp, 0);
	assert_true(monitor_expects_stop(rig->monitor));
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	contains(answer(rig, "until twice"), "twice");
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	refusal(rig, "advance", -EINVAL);
	refusal(rig, "until nowhere", -ENOENT);
}

/* At its first instruction a function's return address is on top of the stack, later above rbp. */
static void test_finish(void **state)
{
	struct rig *rig = *state;
	uint64_t back = address_of(rig, "twice") + 9, top = FAKE_STACK - 64;
	struct cpu_general *cpu = &rig->debug->state[0].general;

	memcpy(rig->debug->ram + top, &back, 8);
	cpu->rip = address_of(rig, "add_one");
	cpu->gpr[GPR_RSP] = top;
	contains(answer(rig, "finish"), "twice+0x9");
	assert_int_equal(rig->debug->plans[0].action, PLAN_UNTIL);
	assert_int_equal(rig->debug->plans[0].address, back);
	assert_int_equal(rig->debug->plans[0].above_sp, top);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	cpu->rip = symbols_breakpoint_address(rig->symbols, cpu->rip);
	cpu->gpr[GPR_RBP] = top - 8;
	cpu->gpr[GPR_RSP] = top - 40;
	answer(rig, "fin");
	assert_int_equal(rig->debug->plans[0].above_sp, top);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	memset(rig->debug->ram + top, 0, 8);
	contains(refusal(rig, "finish", -ENOENT), "nobody called");
	cpu->gpr[GPR_RBP] = 0x600000;
	contains(refusal(rig, "finish", -ENOENT), "at 0x600008, where nothing is mapped");
	cpu->gpr[GPR_RBP] = 0;
	contains(refusal(rig, "finish", -ENOENT), "the return address is 0");
}

/* What the other vCPU does meanwhile, by gdb's names. */
static void test_scheduler_locking(void **state)
{
	static const struct {
		const char *mode;
		enum plan_action at_step, at_continue;
	} cases[] = {{"off", PLAN_RUN, PLAN_RUN},
		     {"on", PLAN_HOLD, PLAN_HOLD},
		     {"step", PLAN_HOLD, PLAN_RUN}};
	struct rig *rig = *state;
	char line[64];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "set scheduler-locking %s", cases[i].mode);
		answer(rig, line);
		answer(rig, "next");
		assert_int_equal(rig->debug->plans[1].action, cases[i].at_step);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
		answer(rig, "advance twice");
		assert_int_equal(rig->debug->plans[1].action, cases[i].at_continue);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
		answer(rig, "continue");
		assert_int_equal(rig->debug->plans[0].action, PLAN_RUN);
		assert_int_equal(rig->debug->plans[1].action, cases[i].at_continue);
		fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	}
	contains(refusal(rig, "set scheduler-locking maybe", -EINVAL), "off, on or step");
}

/* Nobody has to say so: one vCPU steps, all run. */
static void test_locking_at_first(void **state)
{
	struct rig *rig = *state;

	answer(rig, "step");
	assert_int_equal(rig->debug->plans[1].action, PLAN_HOLD);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "continue");
	assert_int_equal(rig->debug->plans[1].action, PLAN_RUN);
}

static void test_interrupt_ends_steps(void **state)
{
	struct rig *rig = *state;
	unsigned steps = rig->debug->steps;

	answer(rig, "s 1000");
	monitor_interrupt(rig->monitor);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	assert_int_equal(rig->debug->steps, steps + 1);
	assert_false(rig->debug->running);
}

static void test_refused_step_ends_the_count(void **state)
{
	struct rig *rig = *state;
	unsigned steps = rig->debug->steps;

	answer(rig, "s 5");
	rig->debug->refuse_step = true;
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	assert_int_equal(rig->debug->steps, steps + 1);
	contains(refusal(rig, "s", -ENOTSUP), "cannot step");
	rig->debug->refuse_step = false;
}

static void test_gdb_holds(void **state)
{
	struct rig *rig = *state;
	unsigned continues = rig->debug->continues;

	assert_int_equal(run_as(rig, OWNER_GDB, "continue"), -EPERM);
	contains(rig->text, "gdb's own `continue`");
	assert_int_equal(run_as(rig, OWNER_GDB, "s"), -EPERM);
	assert_int_equal(run_as(rig, OWNER_GDB, "info cpus"), 0);
	monitor_set_gdb_attached(rig->monitor, true);
	contains(refusal(rig, "c", -EPERM), "`detach`");
	refusal(rig, "step", -EPERM);
	contains(answer(rig, "info status"), "held by gdb");
	contains(answer(rig, "set $rbx = 1"), "flush register-cache");
	rig->debug->running = true;
	answer(rig, "stop");
	rig->debug->running = false;
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	monitor_set_gdb_attached(rig->monitor, false);
	assert_int_equal(rig->debug->continues, continues);
	answer(rig, "c");
	assert_int_equal(rig->debug->continues, continues + 1);
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
}

static void test_the_rest(void **state)
{
	struct rig *rig = *state;
	unsigned quits = rig->quits, resets = rig->debug->resets;

	answer(rig, "system_reset");
	assert_int_equal(rig->debug->resets, resets + 1);
	answer(rig, "q");
	assert_int_equal(rig->quits, quits + 1);
	answer(rig, "set step-interrupts on");
	assert_true(rig->debug->step_interrupts);
	refusal(rig, "set step-interrupts maybe", -EINVAL);
	refusal(rig, "set nothing on", -EINVAL);
	answer(rig, "set disassembly-flavor intel");
	contains(answer(rig, "u add_one 1"), "push   rbp");
	answer(rig, "set disassembly-flavor att");
	contains(answer(rig, "u add_one 2"), "mov    %rsp, %rbp");
	contains(answer(rig, ""), "0x200018 <add_one+0x4>");
	contains(answer(rig, "info capabilities"), "by emulation failure");
	contains(answer(rig, "doctor"), "so on this host");
	contains(answer(rig, "doctor -j"), "\"debuggable\": true");
	contains(answer(rig, "info line add_one"), "line 19 of ");
	contains(answer(rig, "list twice"), "\n12   → ");
	contains(rig->text, "int result = value * 2;");
	contains(answer(rig, ""), "shared.counter++");
	refusal(rig, "u add_one 0", -EINVAL);
	refusal(rig, "list 0x300000", -ENOENT);
}

static const struct point_spec *caught(struct rig *rig, const char *line)
{
	answer(rig, line);
	return &rig->debug->points[rig->debug->point_count - 1].spec;
}

static void test_catches(void **state)
{
	struct rig *rig = *state;
	const struct point_spec *spec = caught(rig, "catch io 0x60-0x64 r");

	contains(rig->text, "catch 1: io 0x60-0x64 r (");
	assert_int_equal(spec->kind, POINT_CATCH_IO);
	assert_int_equal(spec->address, 0x60);
	assert_int_equal(spec->length, 5);
	assert_int_equal(spec->direction, ON_READ);
	spec = caught(rig, "tcatch msr 0xc0000080 w cpu 1");
	assert_int_equal(spec->length, 1);
	assert_int_equal(spec->direction, ON_WRITE);
	assert_int_equal(spec->limit.vcpu, 1);
	assert_true(spec->temporary);
	spec = caught(rig, "catch exception pf");
	assert_int_equal(spec->address, 14);
	assert_int_equal(caught(rig, "catch exception 6")->address, 6);
	assert_int_equal(caught(rig, "catch -l triple-fault")->kind, POINT_CATCH_TRIPLE_FAULT);
	contains(answer(rig, "info breakpoints"),
		 "catch msr           0     0xc0000080 w MSR_EFER");
	contains(rig->text, "catch exception     0     14 #PF");
	contains(rig->text, "prints what it catches and goes on");
	refusal(rig, "catch io", -EINVAL);
	refusal(rig, "catch nonsense", -EINVAL);
	refusal(rig, "catch io 5-4", -EINVAL);
	refusal(rig, "catch io 1 x", -EINVAL);
	refusal(rig, "catch hlt 5", -EINVAL);
	fake_debug_stop(rig->debug, STOP_TRIPLE_FAULT, 0, "triple fault");
	contains(answer(rig, "context"),
		 "\n  2nd  #NP  while delivering it: gate 14 is not present");
}

static void test_the_flight_recorder(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info exits"), "vCPU 0: 750 ms running, 41 310 exits\n");
	contains(rig->text, "  io            41 210    600 ms    150 ms   100.0 %  ██████████████");
	contains(rig->text, "\n           0x3f8 out (4 000) of the last 4 095 exits\n");
	contains(rig->text, "  hlt              100    250 µs      0 µs     0.0 %  ▏\n");
	assert_null(strstr(rig->text, "mmio"));
	contains(answer(rig, "trace"), "no exits yet\n");
	rig->debug->traced = 30;
	contains(answer(rig, "trace 2"), "  +1.204311  io       out 0x3f8 ← 0x41 'A'\n"
					 "  +1.204312  io       out 0x3f8 ← 0x41 'A'\n"
					 "where each happened: `set trace-pc on`");
	answer(rig, "set trace-pc on");
	assert_true(rig->debug->trace_pc);
	answer(rig, "set $rip = add_one");
	contains(answer(rig, "trace -a 1"),
		 "  +1.204311  vCPU 1  io       out 0x3f8 ← 0x41 'A'           ");
	contains(answer(rig, "trace 1"), "out 0x3f8 ← 0x41 'A'           add_one\n");
	refusal(rig, "trace 0", -EINVAL);
	refusal(rig, "trace 5000", -EINVAL);
}

/* ---- where am I ---------------------------------------------------------------------------- */

static void put_stack(struct rig *rig, uint64_t at, uint64_t value)
{
	memcpy(rig->debug->ram + at, &value, sizeof(value));
}

static void stand(struct rig *rig, uint64_t pc, uint64_t sp, uint64_t frame)
{
	struct cpu_general *general = &rig->debug->state[0].general;

	general->rip = pc;
	general->gpr[GPR_RSP] = sp;
	general->gpr[GPR_RBP] = frame;
}

static void test_backtrace(void **state)
{
	struct rig *rig = *state;
	uint64_t twice = address_of(rig, "twice"), add_one = address_of(rig, "add_one");
	uint64_t start = address_of(rig, "_start");

	answer(rig, "cpu 0");
	put_stack(rig, 0x2ff000, 0x2ff100);
	put_stack(rig, 0x2ff008, add_one + 0x15);
	put_stack(rig, 0x2ff100, 0);
	put_stack(rig, 0x2ff108, start + 0x11);
	stand(rig, twice + 7, 0x2fefe0, 0x2ff000);
	contains(answer(rig, "bt"), "#0  0x200007 twice+0x7 at fixture.c:12\n");
	contains(rig->text, " add_one+0x15 at fixture.c:19\n");
	contains(rig->text, " _start+0x11 at fixture.c:");
	contains(rig->text, "ends here: the return address is 0: nobody called\n");
	stand(rig, twice, 0x2ff008, 0x2ff100); /* before push */
	contains(answer(rig, "bt"), "#1  0x200029 add_one+0x15");
	contains(rig->text, "#2 ");
	stand(rig, twice + 1, 0x2ff000, 0x2ff100); /* before mov */
	contains(answer(rig, "bt"), "#1  0x200029 add_one+0x15");
	contains(rig->text, "#2 ");
	stand(rig, twice + 7, 0x2fefe0, 0x700000);
	contains(answer(rig, "bt"), "return address at 0x700008, where\n    nothing is mapped\n");
	put_stack(rig, 0x2ff000, 0x2ff000); /* a ring */
	stand(rig, twice + 7, 0x2fefe0, 0x2ff000);
	contains(answer(rig, "bt"), "should lie above 0x2ff010, and\n    does not\n");
	for (unsigned i = 0; i < 200; i++) {
		put_stack(rig, 0x2f0000 + i * 16, 0x2f0000 + i * 16 + 16);
		put_stack(rig, 0x2f0008 + i * 16, add_one + 0x15);
	}
	stand(rig, twice + 7, 0x2efff0, 0x2f0000);
	contains(answer(rig, "bt"), "#39 0x200029 add_one+0x15");
	contains(rig->text, "    ... 157 frames ...\n#197 0x");
	contains(rig->text, "#200 0x");
	contains(answer(rig, "bt 2"),
		 "#1  0x200029 add_one+0x15 at fixture.c:19\n    ... 195 frames ...\n");
}

static unsigned line_count(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void fits_the_screen(const char *text)
{
	assert_true(line_count(text) <= 23);
	while (*text) {
		size_t size = strcspn(text, "\n"), width = 0;

		for (size_t i = 0; i < size; i++)
			width += (text[i] & 0xc0) != 0x80;
		if (width > 80)
			fail_msg("%zu columns: %.*s", width, (int)size, text);
		text += size + (text[size] == '\n');
	}
}

static const char *stop_screen(struct rig *rig)
{
	rig->size = 0;
	monitor_show_stop(rig->monitor, &rig->out);
	return rig->text;
}

static void test_stop_screen(void **state)
{
	struct rig *rig = *state;
	uint64_t add_one = address_of(rig, "add_one");

	stand(rig, add_one + 0x24, 0x2ff000, 0x2ff010);
	fake_debug_stop(rig->debug, STOP_BREAKPOINT, 0, "breakpoint 1");
	contains(stop_screen(rig), "■ vCPU 0: breakpoint 1\n");
	contains(rig->text,
		 "\n  add_one+0x24 at fixture.c:21 · long mode, ring 0, cr3 0x1000, IF=1\n");
	contains(rig->text, "  1 other held\n");
	lacks(rig->text, " \n");
	contains(rig->text, "\n21             shared.counter++;\n");
	contains(rig->text, "→ 0x200038 <add_one+0x24>  mov");
	contains(rig->text, "<shared>");
	contains(rig->text, "  0x200035 <add_one+0x21>  mov"); /* what lies before */
	fits_the_screen(rig->text);
	rig->debug->state[0].general.gpr[GPR_RAX] += 1;
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	contains(stop_screen(rig), "rax 1*");
	contains(answer(rig, "context"), "rax 1*"); /* looking again changes nothing */
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	lacks(stop_screen(rig), "*");
}

static void test_stop_screen_is_safe(void **state)
{
	struct rig *rig = *state;
	char text[240];

	memset(text, 'x', sizeof(text) - 1);
	text[239] = 0;
	for (unsigned i = 5; i < 230; i += 9)
		text[i] = ' ';
	memcpy(text + 20, "\033[2J\007", 5);
	for (unsigned i = 0; i < GPR_COUNT; i++)
		rig->debug->state[0].general.gpr[i] = UINT64_MAX - i;
	stand(rig, 0xffffffff80101a34, UINT64_MAX, 0);
	fake_debug_stop(rig->debug, STOP_TRIPLE_FAULT, 0, text);
	contains(stop_screen(rig), "\\x1b[2J\\x07");
	lacks(rig->text, "\033");
	contains(rig->text, "is not mapped");
	fits_the_screen(rig->text);
	rig->out.color = true;
	contains(stop_screen(rig), "\033[");
	rig->out.color = false;
}

static void test_show_state(void **state)
{
	struct rig *rig = *state;

	stand(rig, address_of(rig, "add_one") + 4, 0x2ff000, 0);
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused by gdb");
	rig->size = 0;
	monitor_show_state(rig->monitor, OWNER_GDB, &rig->out);
	assert_string_equal(rig->text, "■ vCPU 0: stopped by gdb at add_one+0x4 at fixture.c:18\n");
	rig->size = 0;
	rig->debug->running = true;
	monitor_show_state(rig->monitor, OWNER_GDB, &rig->out);
	assert_string_equal(rig->text, "running (by gdb)\n");
	rig->debug->running = false;
}

/* ---- completion ---------------------------------------------------------------------------- */

static void check_completion(struct rig *rig, const char *line, const char *wanted)
{
	const char *word = strrchr(line, ' ');
	size_t start = word ? (size_t)(word + 1 - line) : 0;
	char **matches = monitor_complete(rig->monitor, line, start), text[4096] = "";

	for (char **match = matches; match && *match; match++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "", *match);
		free(*match);
	}
	free(matches);
	if (strcmp(text, wanted))
		fail_msg("%s: `%s', not `%s'", line, text, wanted);
}

static void test_complete(void **state)
{
	struct rig *rig = *state;

	check_completion(rig, "conti", "continue continue");
	check_completion(rig, "info ca", "capabilities capabilities");
	check_completion(rig, "i reg", "registers registers");
	check_completion(rig, "break add", "add_one add_one");
	check_completion(rig, "b ba", "bare bare bare_inside");
	check_completion(rig, "p $r1", "$r1 $r10 $r11 $r12 $r13 $r14 $r15");
	check_completion(rig, "info registers deb", "debug debug");
	check_completion(rig, "set disas", "disassembly-flavor disassembly-flavor");
	check_completion(rig, "set disassembly-flavor i", "intel intel");
	check_completion(rig, "set $rsi", "$rsi $rsi");
	check_completion(rig, "cpu ", "0 1");
	check_completion(rig, "x/4gx add", "add_one add_one");
	check_completion(rig, "help conte", "context context");
	check_completion(rig, "nothing ", "");
	check_completion(rig, "zzz", "");
	check_completion(rig, "break add_one i", "if if");
	check_completion(rig, "break add_one if $edi == 1 rin", "ring ring");
	check_completion(rig, "watch coun", "counter counter");
	check_completion(rig, "dprintf add", "add_one add_one");
	answer(rig, "break twice");
	check_completion(rig, "condition ", "1 1");
	check_completion(rig, "condition 1 add", "add_one add_one");
	check_completion(rig, "enable ", "1 1");
	check_completion(rig, "set scheduler-locking o", "o off on");
	check_completion(rig, "quit ", "");
}

/* Whatever the table says, it is shown in 80 columns. */
static void test_help_fits(void **state)
{
	struct rig *rig = *state;
	char line[64];

	for (int i = -1; i < (int)command_count; i++) {
		snprintf(line, sizeof(line), "help %s", i < 0 ? "all" : commands[i].name);
		answer(rig, line);
		for (char *end, *at = rig->text; (end = strchr(at, '\n')); at = end + 1) {
			*end = 0;
			if (text_width(at) > 79)
				fail_msg("%s: %s", line, at);
		}
	}
}

/* ---- noise --------------------------------------------------------------------------------- */

static void one_random_line(struct rig *rig, unsigned *seed)
{
	static const char alphabet[] = "xpibscdltuh0159 \t/$*&()+-<>=.:#_agrmnoe\"'\\\033\n\xff";
	char line[120];
	size_t size = rand_r(seed) % (sizeof(line) - 1);

	for (size_t i = 0; i < size; i++)
		line[i] = alphabet[rand_r(seed) % (sizeof(alphabet) - 1)];
	line[size] = 0;
	run_as(rig, rand_r(seed) % 2 ? OWNER_CONSOLE : OWNER_GDB, line);
	lacks(rig->text, "\033");
	if (rig->debug->running)
		fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
}

static void test_noise(void **state)
{
	struct rig *rig = *state;
	unsigned seed = 7;

	for (unsigned i = 0; i < 20000; i++)
		one_random_line(rig, &seed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_unknown_names_the_nearest, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_ambiguous, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_too_long, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_help, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_table_fits, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_arguments, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_set_register, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_linear_pc, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_info_registers, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_info_vector_registers, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_x, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_x_into_a_hole, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_print, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_pt, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_break, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_running_refuses, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_step_count, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_break_clauses, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_clauses_that_are_wrong, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_watch, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_watch_screen, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_changing_points, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_dprintf, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_dprintf_that_is_wrong, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_points_of_a_running_guest, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_breakpoint_ends_steps, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_next, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_advance, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_finish, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_scheduler_locking, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_locking_at_first, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_interrupt_ends_steps, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_refused_step_ends_the_count, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_gdb_holds, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_the_rest, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_catches, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_the_flight_recorder, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_backtrace, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_stop_screen, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_stop_screen_is_safe, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_show_state, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_complete, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_help_fits, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_abbreviations, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_noise, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
