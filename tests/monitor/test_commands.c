// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* Another debugger's word is no short form of what does something else. */
static void test_words_of_others(void **state)
{
	struct rig *rig = *state;

	answer(rig, "snapshot save");
	answer(rig, "set *(u32 *)0x2f0000 = 5");
	contains(refusal(rig, "load", -EINVAL), "here; the image was loaded at the start");
	contains(answer(rig, "x/1wd 0x2f0000"), ": 5\n");
	answer(rig, "loadv");

	answer(rig, "set var shared = 7");
	contains(answer(rig, "print *shared"), "= 7");
	answer(rig, "set variable *(u16 *)0x2f0000 = 8");
	contains(answer(rig, "x/1hd 0x2f0000"), ": 8\n");
	answer(rig, "set var $rbx = 9");
	contains(answer(rig, "print $rbx"), "= 9");
	refusal(rig, "set var", -EINVAL);
	refusal(rig, "set vari shared = 7", -EINVAL);
	rig->debug->running = true;
	refusal(rig, "set var shared = 8", -EBUSY);
	rig->debug->running = false;

	answer(rig, "break add_one");
	contains(answer(rig, "del"), "1 deleted");
}

static void test_unknown_names_the_nearest(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "contniue", -EINVAL), "did you mean `continue`");
	contains(refusal(rig, "brek main", -EINVAL), "did you mean `break`");
	contains(refusal(rig, "hlep", -EINVAL), "did you mean `help`");
	contains(refusal(rig, "snapshot", -EINVAL), "`help snapshot` lists it");
	contains(refusal(rig, "info cr2", -EINVAL), "is shown by `info registers cr2`");
	contains(refusal(rig, "rdmsr nonsense", -ENOENT), "there is no MSR `nonsense`");
	contains(answer(rig, "break *0x500000"), " at 0x500000 (");
	contains(answer(rig, "info breakpoints"), " 0x500000\n");
	contains(refusal(rig, "info regsters", -EINVAL), "did you mean `info registers`");
	contains(refusal(rig, "frobnicate", -EINVAL), "`help` lists");
	contains(refusal(rig, "info", -EINVAL), "help info");
	contains(refusal(rig, "info locals", -EINVAL), "`info locals` here; local variables");
	contains(refusal(rig, "i frame", -EINVAL), "`info frame` here; `bt` shows");
	contains(refusal(rig, "run", -EINVAL), "`run` here; the guest is there");
	contains(refusal(rig, "down", -EINVAL), "`down` here; `bt` shows all frames");
	contains(refusal(rig, "pmemsave 0 16 x", -EINVAL), "`dump -p` physical memory");
	contains(refusal(rig, "info qtree", -EINVAL), "here; `info mtree` lists");
	contains(refusal(rig, "bp add_one", -EINVAL), "here; `break LOCATION` does that");
	contains(refusal(rig, "system_powerdown", -EINVAL), "here; there is no power button");
	contains(refusal(rig, "p shared.counter", -ENOENT), "here it is &shared + OFFSET");
	contains(refusal(rig, "p nothing.counter", -ENOENT), "in the guest's image");
	contains(refusal(rig, "\033[31m", -EINVAL), "\\x1b");
	lacks(rig->text, "\033");
	/* A sentence is one line, but on a terminal. */
	assert_string_equal(
		refusal(rig, "info cr2", -EINVAL),
		"there is no command `info cr2`; the register is shown by `info registers cr2`\n");
	rig->out.columns = 41;
	assert_string_equal(refusal(rig, "info cr2", -EINVAL),
			    "there is no command `info cr2`; the\n"
			    "register is shown by `info registers\n"
			    "cr2`\n");
	rig->out.color = true;
	contains(refusal(rig, "info cr2", -EINVAL), "\033[31mthere is");
	contains(rig->text, "\ncr2`\033[0m\n");
}

static void test_ambiguous(void **state)
{
	contains(refusal(*state, "st", -EINVAL), "ambiguous: step, stop");
	contains(refusal(*state, "info s", -EINVAL),
		 "ambiguous: segments, sse, settings, symbol, status");
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
	contains(answer(rig, "p/a add_one+4"), "<add_one+0x4>\n");
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
	cmocka_unit_test_setup_teardown(test_words_of_others, rig_setup, rig_teardown),
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
	cmocka_unit_test_setup_teardown(test_abbreviations, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_noise, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
