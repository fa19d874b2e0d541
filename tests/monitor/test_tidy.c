// SPDX-License-Identifier: GPL-3.0-or-later
/* How answers look, whatever they say: they fit a terminal with 80 columns, but for a word that is longer, as a file's
 * whole name may be; and no line ends in blanks. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check_line(const char *command, const char *line, size_t size, size_t columns)
{
	char text[512];

	assert_true(size < sizeof(text));
	memcpy(text, line, size);
	text[size] = 0;
	if (size && strchr(" \t", text[size - 1]))
		fail_msg("%s: a blank ends `%s`", command, text);
	if (text_width(text) > columns && strchr(text + strspn(text, " "), ' '))
		fail_msg("%s: %zu columns: %s", command, text_width(text), text);
}

static void check(struct rig *rig, const char *command)
{
	run_as(rig, OWNER_CONSOLE, command);
	for (const char *line = rig->text, *end; (end = strchr(line, '\n')); line = end + 1)
		check_line(command, line, (size_t)(end - line), rig->out.columns - 1);
}

// clang-format off
static const char *const lines[] = {
	"context", "bt", "bt -a", "disassemble", "list", "why", "info registers",
	"info registers -a", "info segments", "info eflags", "info cr0", "info cr4",
	"info efer", "info fpu", "info sse", "info avx", "info gdt", "info ldt", "info idt",
	"info ivt", "info tss", "info mem", "info mem 0xffff800000000000", "info tlb",
	"info mtree", "info memory-slots", "info lapic", "info ioapic", "info pic", "info pit",
	"info exits", "info cpus", "info status", "info capabilities", "info line add_one",
	"info symbol add_one + 1", "info cpuid", "trace 20", "timeline 10", "screen", "log",
	"help", "help all", "pt $rsp", "pt 0x500000", "x/20gx $rsp", "x/20xb $rsp",
	"x/4c $rsp", "x/20hd $rsp", "x/4tw $rsp", "x/3a $rsp", "x/20i add_one", "xp/3gx 0",
	"compare 0x200000 0x200100 0x100", "find \"\\0\"", "print add_one", "p/t -1",
	"dprintf add_one,\"a line of some length %d %lx\",$rdi,*counter",
	"break a_function_whose_name_takes_most_of_a_line if $rdi == 5 cpu 1 ring 0",
	"tbreak *a_function_whose_name_takes_most_of_a_line + 2", "hbreak twice",
	"watch counter", "catch io 0x3f8-0x3ff w", "catch exception 14", "ignore 1 1000000",
	"info breakpoints", "snapshot save a", "snapshot save", "snapshot save before_paging",
	"snapshot list", "info snapshots", "snapshot restore a", "set scheduler-locking",
	"set nonsense on", "cpu 7", "cpu", "doctor", "gdbserver", "info modules", "info kaslr",
	"info dirty", "step 1 2 3", "restore / 0", "source /", "symbol-file /",
};
// clang-format on

static void test_answers(void **state)
{
	struct rig *rig = *state;

	rig->out.columns = 80;
	fake_debug_stop(rig->debug, STOP_BREAKPOINT, 0, "breakpoint 1");
	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		check(rig, lines[i]);
}

/* What is put together of words is so on narrower terminals, too; tables and code are not. */
static void test_narrow(void **state)
{
	static const char *const narrow[] = {"info gdt",      "info segments",	  "info idt 14",
					     "help continue", "info breakpoints", "why",
					     "cpu 7",	      "set nonsense on",  "help"};
	struct rig *rig = *state;

	fake_debug_stop(rig->debug, STOP_BREAKPOINT, 0, "breakpoint 1");
	answer(rig, "break add_one if $rdi == 5 cpu 1 ring 0");
	for (rig->out.columns = 50; rig->out.columns < 80; rig->out.columns += 10)
		for (unsigned i = 0; i < sizeof(narrow) / sizeof(*narrow); i++)
			check(rig, narrow[i]);
	rig->out.columns = 60;
	contains(answer(rig, "context"), "\n  rax 0  rbx 0       rcx 0  rdx 600  rsi 0  rdi 0\n"
					 "  rbp 0  rsp 300000  r8  0  ");
	rig->out.columns = 10; /* it is not folded to nothing */
	contains(answer(rig, "help"), "  running            continue  step\n");
}

/* The numbers and words in them. */
static void test_words(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info segments"), "  gdt          base 0x0 limit 0xffff\n");
	contains(answer(rig, "info mem 0xffff800000000000"), "nothing is mapped from there on\n");
	contains(answer(rig, "x/3a $rsp"), "0x300000: 0x0\n");
	contains(answer(rig, "p/a add_one"), " <add_one>\n");
	contains(refusal(rig, "set scheduler-locking", -EINVAL),
		 "scheduler-locking may be off, on or step; it is step\n");
	contains(refusal(rig, "set nonsense on", -EINVAL), "there is no setting `nonsense`; ");
	contains(refusal(rig, "restore / 0x2f0000", -EINVAL),
		 "cannot read /: it is no plain file\n");
	contains(answer(rig, "break add_one if $rdi"), "breakpoint 1 at 0x");
	rig->debug->points[0].evaluations = 1;
	contains(answer(rig, "info breakpoints"), "come upon 1 time\n");
	rig->out.columns = 40;
	contains(answer(rig, "break a_function_whose_name_takes_most_of_a_line"),
		 ":\na_function_whose_name_takes_most_of_a_line\nat fixture.c:28 (");
	contains(answer(rig, "info line add_one"), "line 19 of\n/");
	contains(rig->text, "/tests/monitor/fixture/fixture.c:\n0x");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_answers, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_narrow, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_words, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
