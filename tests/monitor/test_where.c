// SPDX-License-Identifier: GPL-3.0-or-later
/* Where the guest is: backtraces, the screen at a stop. */
#include "command_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
	contains(answer(rig, "bt -a 40"), "#39 0x200029 add_one+0x15");
	contains(rig->text, "    ... 157 frames ...\n#197 0x");
	contains(rig->text, "#200 0x");
	contains(answer(rig, "bt -a 2"),
		 "#1  0x200029 add_one+0x15 at fixture.c:19\n    ... 195 frames ...\n");
	contains(answer(rig, "bt -a"), "\n#99 0x");
	lacks(rig->text, "...");
}

/* The frame pointers of a stack from 0x2f0000 on whose nth return address is the nth of these. */
static void put_calls(struct rig *rig, const uint64_t *to, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		put_stack(rig, 0x2f0000 + i * 16, i + 1 < count ? 0x2f0000 + i * 16 + 16 : 0);
		put_stack(rig, 0x2f0008 + i * 16, to[i]);
	}
	stand(rig, address_of(rig, "twice") + 7, 0x2efff0, 0x2f0000);
}

static void test_recursions_are_folded(void **state)
{
	struct rig *rig = *state;
	uint64_t a = address_of(rig, "add_one") + 0x15, b = address_of(rig, "bare") + 1;
	uint64_t start = address_of(rig, "_start") + 0x11, to[200];

	for (unsigned i = 0; i < 198; i++)
		to[i] = a;
	to[198] = start;
	to[199] = 0;
	put_calls(rig, to, 200);
	contains(answer(rig, "bt"), "\n#1  0x200029 add_one+0x15 at fixture.c:19\n"
				    "    ... 197 more frames of add_one+0x15 at fixture.c:19\n#199 "
				    "0x200060 _start+0x11");
	contains(answer(rig, "bt 1"), "#0  0x200007 twice+0x7 at fixture.c:12\n#1  0x");
	contains(answer(rig, "json bt"), "\"line\":19,\"interrupted\":false,\"system_call\":false,"
					 "\"user\":false,\"folded\":197,\"period\":1},");
	contains(rig->text, "\"count\":200}");
	contains(rig->text, "{\"number\":199,\"pc\":\"0x200060\"");
	lacks(rig->text, "\"number\":2,");
	contains(answer(rig, "json bt -a 5"), "\"number\":4,");
	lacks(rig->text, "\"folded\"");

	for (unsigned i = 0; i < 99;
	     i++) { /* in turns: the first begins inside, the last ends inside */
		to[2 * i] = b;
		to[2 * i + 1] = a;
	}
	to[197] = start;
	to[198] = 0;
	put_calls(rig, to, 199);
	contains(answer(rig, "bt"),
		 "\n#1  0x200069 bare+0x1 at fixture.c:28\n#2  0x200029 add_one+0x15 at "
		 "fixture.c:19\n"
		 "    ... 194 more frames: #1 to #2 again and again\n"
		 "#197 0x200069 bare+0x1 at fixture.c:28\n#198 0x200060 _start+0x11");
	contains(answer(rig, "json bt"), "\"folded\":194,\"period\":2},{\"number\":197,");

	to[0] = to[1] = to[2] = to[4] = to[5] = a; /* nothing is saved by folding so few */
	to[3] = to[6] = b;
	to[7] = start;
	to[8] = 0;
	put_calls(rig, to, 9);
	lacks(answer(rig, "bt"), "more frames");
	contains(rig->text, "\n#8  0x200060 _start+0x11");
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

static void stands_by(struct rig *rig, const char *words)
{
	contains(answer(rig, "context"), words);
	lacks(rig->text, "■");
	fits_the_screen(rig->text);
}

/* A vCPU that did not stop is not told to have done so. */
static void test_bystanders(void **state)
{
	struct rig *rig = *state;
	enum cpu_run_state *run_state = &rig->debug->state[1].events.run_state;

	rig->debug->state[1].general.rip = address_of(rig, "twice");
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	contains(answer(rig, "context"), "■ vCPU 0: stepped\n");
	lacks(answer(rig, "json context"), "\"doing\"");
	answer(rig, "cpu 1");
	stands_by(rig, "□ vCPU 1: was held when vCPU 0 stopped: stepped\n  twice at fixture.c:");
	rig->debug->plans[1].action = PLAN_RUN;
	fake_debug_stop(rig->debug, STOP_BREAKPOINT, 0, "breakpoint 1");
	answer(rig, "cpu 1");
	stands_by(rig, "□ vCPU 1: was running when vCPU 0 stopped: breakpoint 1\n");
	contains(answer(rig, "json context"), "\"why\":\"breakpoint 1\",\"vcpu\":0,");
	contains(rig->text, "\"here\":{\"vcpu\":1,\"doing\":\"was running\",\"pc\":\"0x200000\"");
	*run_state = CPU_HALTED;
	stands_by(rig, "□ vCPU 1: slept in hlt when vCPU 0 stopped: breakpoint 1\n");
	*run_state = CPU_WAIT_INIT;
	stands_by(rig, "□ vCPU 1: waited for INIT when");
	*run_state = CPU_WAIT_SIPI;
	stands_by(rig, "□ vCPU 1: waited for its startup IPI when");
	*run_state = CPU_RUNNABLE;
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	answer(rig, "cpu 1");
	stands_by(rig, "□ vCPU 1: was running when the guest stopped: paused\n");
	fake_debug_stop(rig->debug, STOP_TRIPLE_FAULT, 0, "triple fault");
	answer(rig, "cpu 1");
	stands_by(rig, "when vCPU 0 stopped: triple fault\n  twice");
	fake_debug_stop(rig->debug, STOP_SHUTDOWN, 0, "the guest has ended");
	contains(answer(rig, "cpu 1"), "vCPU 1");
	stands_by(rig, "□ vCPU 1: was running when the guest stopped: the guest has ended\n");
}

/* Stars are about the stop before, also for a vCPU that nobody has looked at since. */
static void test_stars_of_bystanders(void **state)
{
	struct rig *rig = *state;
	uint64_t *rax = &rig->debug->state[1].general.gpr[GPR_RAX];

	*rax = 5;
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "cpu 1");
	contains(answer(rig, "context"), "rax 5*");
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	*rax = 6;
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "cpu 1");
	lacks(answer(rig, "context"), "rax 6*");
	contains(rig->text, "rax 6 ");
}

/* What comes behind a jump that is taken, or a return, is shown there. */
static void test_stop_screen_follows_jumps(void **state)
{
	struct rig *rig = *state;
	uint64_t start = address_of(rig, "_start"), twice = address_of(rig, "twice");
	uint64_t jump = address_of(rig, "a_function_whose_name_takes_most_of_a_line");
	uint64_t *flags = &rig->debug->state[0].general.rflags;

	stand(rig, jump, 0x2ff000, 0);
	*flags |= 0x40;
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	contains(stop_screen(rig), " <bare>  # taken\n ↳ 0x200068 <bare>");
	contains(rig->text, "\n   0x200069 <bare+0x1>");
	fits_the_screen(rig->text);
	contains(answer(rig, "json context"), "\"current\":true,\"taken\":true}");
	contains(rig->text, "\"address\":\"0x200068\",\"name\":\"bare\",\"text\":\"nop\","
			    "\"current\":false,\"target\":true}");
	*flags &= ~0x40ull;
	contains(answer(rig, "context"), " <bare>  # not taken\n   0x");
	contains(rig->text, "whose_nam…+0x2>  mov    ");
	contains(rig->text, "# <shared>\n");
	lacks(rig->text, "↳");
	fits_the_screen(rig->text);
	contains(answer(rig, "x/2i $pc"), "<a_function_whose_name_takes_most_of_a_line+0x2>  mov");
	stand(rig, start + 0x17, 0x2ff000, 0);
	contains(answer(rig, "context"), "jmp    0x200053 <_start+0x4>\n ↳ 0x200053 <_start+0x4>");
	stand(rig, start + 0xc, 0x2ff000, 0); /* a call comes back */
	lacks(answer(rig, "context"), "↳");
	stand(rig, twice + 0x13, 0x2ff000, 0);
	put_stack(rig, 0x2ff000, start + 0x11);
	contains(answer(rig, "context"), "ret\n ↳ 0x200060 <_start+0x11>");
	put_stack(rig, 0x2ff000, 0x700000);
	contains(answer(rig, "context"), "ret\n  0x700000 is not mapped");
	stand(rig, twice + 0x5, 0x2ff000,
	      0); /* within an instruction: nothing is known of what is before */
	contains(answer(rig, "context"), "\n → 0x200005 <twice+0x5>");
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
	assert_string_equal(rig->text, "■ vCPU 0: paused by gdb at add_one+0x4 at fixture.c:18\n");
	rig->size = 0;
	rig->debug->running = true;
	monitor_show_state(rig->monitor, OWNER_GDB, &rig->out);
	assert_string_equal(rig->text, "running (by gdb)\n");
	rig->debug->running = false;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_backtrace, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_recursions_are_folded, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_stop_screen, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_bystanders, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_stars_of_bystanders, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_stop_screen_follows_jumps, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_stop_screen_is_safe, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_show_state, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("where", tests, NULL, NULL);
}
