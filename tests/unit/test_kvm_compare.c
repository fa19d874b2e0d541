// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches by step and compare on the host's own KVM, beyond what they have in common with page protection
 * (test_kvm_watch.c): strings turn by turn, interrupts that find their way between the steps, whole guests with
 * several vCPUs and through all modes. time limit: 240 s
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"
#include "step_place.h"

#include "kvm_compare_rig.h"

#include <string.h>

#define BY_PAGE "watch=page,access=page"

/* ---- strings, turn by turn ----------------------------------------------------------------- */

struct string_case {
	const char *what;
	uint8_t code[8];
	unsigned length;
	uint64_t rcx, rdi, rsi, rax, rflags;
	enum point_kind kind;
	uint64_t watched, size;
	unsigned hits;
};

/* RDI and RSI point to sixteen bytes each that are alike but for the last two. */
static const struct string_case strings[] = {
	// clang-format off
	{"rep stosb", {0xf3, 0xaa}, 2, 16, DATA, 0, 0x41, 2, POINT_WRITE, DATA + 5, 4, 4},
	{"rep stosl", {0xf3, 0xab}, 2, 4, DATA, 0, 0x44434241, 2, POINT_WRITE, DATA + 3, 6, 3},
	{"rep stosb, down", {0xf3, 0xaa}, 2, 16, DATA + 15, 0, 0x41, 0x402, POINT_WRITE, DATA + 5, 4, 4},
	{"rep stosw, down", {0x66, 0xf3, 0xab}, 3, 8, DATA + 14, 0, 0x4241, 0x402, POINT_WRITE, DATA + 4, 4, 2},
	{"rep stosb, far beside", {0xf3, 0xaa}, 2, 3000, DATA, 0, 0x41, 2, POINT_WRITE, DATA + 2999, 4, 1},
	{"rep stosb, none", {0xf3, 0xaa}, 2, 0, DATA, 0, 0x41, 2, POINT_WRITE, DATA, 4, 0},
	{"rep movsb", {0xf3, 0xa4}, 2, 16, DATA, SOURCE, 0, 2, POINT_WRITE, DATA + 7, 2, 2},
	{"rep movsb, read", {0xf3, 0xa4}, 2, 16, DATA, SOURCE, 0, 2, POINT_READ, SOURCE + 7, 2, 2},
	{"rep movsl, both", {0xf3, 0xa5}, 2, 4, DATA + 4, DATA, 0, 2, POINT_ACCESS, DATA + 4, 4, 2},
	{"rep lodsb", {0xf3, 0xac}, 2, 16, 0, SOURCE, 0, 2, POINT_READ, SOURCE + 3, 2, 2},
	{"repe cmpsb, differs", {0xf3, 0xa6}, 2, 16, DATA, SOURCE, 0, 2, POINT_READ, DATA + 13, 3, 2},
	{"repe cmpsb, ends", {0xf3, 0xa6}, 2, 14, DATA, SOURCE, 0, 2, POINT_READ, DATA + 11, 3, 3},
	{"repne scasb", {0xf2, 0xae}, 2, 16, DATA, 0, 9, 2, POINT_READ, DATA + 8, 4, 2},
	{"repe scasb", {0xf3, 0xae}, 2, 16, DATA, 0, 0, 2, POINT_READ, DATA, 4, 2},
	{"rep stosb, 16-bit addresses", {0x67, 0xf3, 0xaa}, 3, 0xff0010, 0xff0000 + DATA, 0, 0x41, 2, POINT_WRITE, DATA + 5, 4, 4},
	{"stosb", {0xaa}, 1, 16, DATA, 0, 0x41, 2, POINT_WRITE, DATA, 4, 1},
	// clang-format on
};

#define MOST_HITS 24

struct string_hit {
	uint64_t pc, rcx, rdi, rsi, writer, old_value, new_value;
};

struct string_run {
	struct string_hit hit[MOST_HITS];
	unsigned count;
	uint64_t hits, rflags;
	uint8_t data[32];
};

static void fill(struct rig *rig)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	mem_write_phys(rig->machine->memory, SOURCE, bytes, sizeof(bytes));
	bytes[14] = bytes[15] = 0xee;
	mem_write_phys(rig->machine->memory, DATA, bytes, sizeof(bytes));
}

static void load_string(struct rig *rig, const struct string_case *c)
{
	uint8_t code[16];

	memset(code, NOP, sizeof(code));
	memcpy(code, c->code, c->length);
	rig_code(rig, 0, code, sizeof(code));
	rig_set_reg(rig, 0, "rcx", c->rcx);
	rig_set_reg(rig, 0, "rdi", c->rdi);
	rig_set_reg(rig, 0, "rsi", c->rsi);
	rig_set_reg(rig, 0, "rax", c->rax);
	rig_set_reg(rig, 0, "rflags", c->rflags);
}

static struct string_hit hit_of(struct rig *rig, const struct stop *stop)
{
	return (struct string_hit){.pc = debug_pc(rig->debug, 0),
				   .rcx = rig_reg(rig, 0, "rcx"),
				   .rdi = rig_reg(rig, 0, "rdi"),
				   .rsi = rig_reg(rig, 0, "rsi"),
				   .writer = stop->writer,
				   .old_value = stop->old_value,
				   .new_value = stop->new_value};
}

/* Every hit, and what there is at the end. strategy: NULL, nothing is watched. */
static struct string_run run_string(const struct string_case *c, const char *strategy)
{
	struct string_run run = {.count = 0};
	struct rig rig = {.config = {0}};
	int number, end;

	start_flat(&rig, 1, strategy ? strategy : BY_STEPS);
	fill(&rig);
	load_string(&rig, c);
	number = strategy ? rig_watch(&rig, c->kind, c->watched, c->size) : 0;
	end = rig_break(&rig, RIG_CODE + c->length);
	for (const struct stop *stop = NULL; !stop || stop->point != end;) {
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_in_range(run.count, 0, MOST_HITS - 1);
		run.hit[run.count++] = hit_of(&rig, stop);
		if (stop->point != number && stop->point != end)
			fail_msg("%s: '%s'", c->what, stop->text);
	}
	run.hits = strategy ? rig_point(&rig, number)->hits : 0;
	run.rflags = rig_reg(&rig, 0, "rflags") & ~(uint64_t)RFLAGS_RF;
	mem_read_phys(rig.machine->memory, DATA, run.data, sizeof(run.data));
	rig_stop(&rig);
	return run;
}

/* The last of its "hits" is the end. */
static void expect_same_end(const char *what, const struct string_run *plain,
			    const struct string_run *steps)
{
	const struct string_hit *a = &plain->hit[plain->count - 1],
				*b = &steps->hit[steps->count - 1];

	if (a->pc != b->pc || a->rcx != b->rcx || a->rdi != b->rdi || a->rsi != b->rsi ||
	    plain->rflags != steps->rflags ||
	    memcmp(plain->data, steps->data, sizeof(plain->data)) != 0)
		fail_msg("%s: ends otherwise, rcx 0x%llx and 0x%llx", what,
			 (unsigned long long)a->rcx, (unsigned long long)b->rcx);
}

static void expect_same(const char *what, const struct string_run *page,
			const struct string_run *steps)
{
	if (page->count != steps->count || memcmp(page->hit, steps->hit, sizeof(page->hit)) != 0 ||
	    page->hits != steps->hits || page->rflags != steps->rflags ||
	    memcmp(page->data, steps->data, sizeof(page->data)) != 0)
		fail_msg("%s: %u stops by page, %u by steps", what, page->count, steps->count);
}

/* By page, KVM may make one read of several turns. */
static void strings_are_told_turn_by_turn(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		const struct string_case *c = &strings[i];
		const struct string_run plain = run_string(c, NULL);
		const struct string_run steps = run_string(c, BY_STEPS);

		expect_same_end(c->what, &plain, &steps);
		if (steps.hits != c->hits || steps.count != c->hits + 1)
			fail_msg("%s: %u stops, %llu hits", c->what, steps.count,
				 (unsigned long long)steps.hits);
		if (c->kind == POINT_WRITE) {
			const struct string_run page = run_string(c, BY_PAGE);

			expect_same(c->what, &page, &steps);
		}
	}
}

/* ---- whole guests --------------------------------------------------------------------------- */

static void start_guest(struct rig *rig, unsigned vcpus, const char *name, const char *append)
{
	rig_needs_kvm();
	*rig = (struct rig){.patience = 60};
	assert_int_equal(debug_strategy_parse(BY_STEPS, &rig->config.strategy, NULL), 0);
	guest_start(rig, vcpus, name, append);
}

/* The first vCPU starts the others, all add to one counter, and the guest checks the sum by itself. A breakpoint
 * counts along. */
static void a_guest_with_four_vcpus(void **state)
{
	const unsigned rounds = 60;
	struct rig rig;
	int number, here;

	(void)state;
	start_guest(&rig, 4, "smp", "rounds=60");
	number = rig_watch(&rig, POINT_WRITE, guest_symbol(&rig, "shared") + 8, 8);
	here = rig_break(&rig, guest_symbol(&rig, "add_one"));
	count_only(&rig, number);
	count_only(&rig, here);
	rig_continue(&rig);
	if (guest_stops(&rig))
		fail_msg("'%s'", debug_last_stop(rig.debug)->text);
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_int_equal(rig_point(&rig, here)->hits, 4 * rounds);
	assert_int_equal(rig_point(&rig, number)->hits, 4 * rounds);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_told_turn_by_turn),
		cmocka_unit_test(a_guest_with_four_vcpus),
	};

	return cmocka_run_group_tests_name("step and compare, on KVM", tests, NULL, NULL);
}
