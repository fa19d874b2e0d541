// SPDX-License-Identifier: GPL-3.0-or-later
/* The flight recorder: whole records while it records, times, and words. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "debug/trace_private.h"
#include "rig.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void keep_io(struct recorder *recorder, uint16_t port, uint64_t value)
{
	struct vm_exit exit = {.reason = EXIT_IO,
			       .name = "IO",
			       .has_pc = true,
			       .pc = value * 3,
			       .io = {.port = port,
				      .size = 4,
				      .write = true,
				      .count = 1,
				      .data = (uint8_t *)&value}};

	recorder_enter(recorder);
	recorder_leave(recorder, &exit);
	recorder_keep(recorder, &exit);
}

/* ---- the ring ------------------------------------------------------------------------------ */

static void test_the_ring_keeps_the_newest(void **state)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	const uint64_t written = 3 * RECORDER_SIZE + 7;
	struct exit_record record;

	(void)state;
	assert_non_null(recorder);
	assert_false(recorder_read(recorder, 0, &record));
	for (uint64_t i = 0; i < written; i++)
		keep_io(recorder, (uint16_t)i, i & 0xffffffff);
	assert_int_equal(recorder_head(recorder), written);
	assert_int_equal(recorder_exits(recorder, EXIT_IO), written);
	assert_false(recorder_read(recorder, written, &record));
	assert_false(recorder_read(recorder, written - RECORDER_SIZE, &record));
	for (uint64_t i = written - RECORDER_SIZE + 1; i < written; i++) {
		assert_true(recorder_read(recorder, i, &record));
		assert_int_equal(record.reason, EXIT_IO);
		assert_int_equal(record.flags, RECORD_WRITE | RECORD_PC | RECORD_VALUE);
		assert_int_equal(record.value, i);
		assert_int_equal(record.pc, i * 3);
		assert_int_equal(record.address, i & 0xffff);
		assert_string_equal(record.name, "IO");
		assert_int_equal(record.size, 4);
		assert_int_equal(record.count, 1);
	}
	free(recorder);
}

static void *write_many(void *recorder)
{
	for (uint64_t i = 0; i < 2000000; i++)
		keep_io(recorder, (uint16_t)i, i & 0xffffffff);
	return NULL;
}

/* Every word of a record comes from one exit, however fast the writer goes round. */
static void test_readers_see_whole_records(void **state)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	uint64_t head, read = 0, torn = 0;
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_many, recorder), 0);
	do {
		struct exit_record record;
		uint64_t oldest, number;

		head = recorder_head(recorder);
		oldest = head > RECORDER_SIZE - 1 ? head - (RECORDER_SIZE - 1) : 0;
		/* The oldest one is the next to be overwritten: where tearing would show. */
		for (number = oldest; number < head && number < oldest + 8; number++) {
			if (!recorder_read(recorder, number, &record))
				continue;
			read++;
			torn += record.value != number || record.pc != number * 3 ||
				record.address != (number & 0xffff);
		}
	} while (head < 2000000);
	pthread_join(writer, NULL);
	assert_int_equal(torn, 0);
	assert_true(read > 1000);
	free(recorder);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void spin_ms(unsigned ms)
{
	struct recorder_clock from = recorder_clock_now();

	while (recorder_clock_now().ns - from.ns < ms * 1000000ull)
		;
}

static double share_ms(const struct recorder *recorder, const _Atomic uint64_t *sum)
{
	return recorder_rate(&recorder->since) * (double)atomic_load(sum) / 1e6;
}

static void test_time_goes_to_its_reason(void **state)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	struct vm_exit hlt = {.reason = EXIT_HLT, .name = "HLT"};
	struct vm_exit debug = {.reason = EXIT_DEBUG, .name = "DEBUG"};
	const struct recorder_share *share = recorder->share;
	double total;

	(void)state;
	recorder->since = recorder_clock_now();
	recorder_enter(recorder);
	spin_ms(20);
	recorder_leave(recorder, &hlt);
	recorder_keep(recorder, &hlt);
	spin_ms(40);
	/* The completion of the exit leads to another one: its time so far is the first one's. */
	recorder_leave(recorder, &debug);
	recorder_keep(recorder, &debug);
	spin_ms(10);
	recorder_rest(recorder);
	spin_ms(30);
	recorder_enter(recorder);
	recorder_leave(recorder, &hlt);
	recorder_keep(recorder, &hlt);
	/* Whatever the host did in between: nobody has what belongs to others. */
	total = (double)(recorder_clock_now().ns - recorder->since.ns) / 1e6;
	assert_true(share_ms(recorder, &share[EXIT_HLT].guest) >= 19);
	assert_true(share_ms(recorder, &share[EXIT_HLT].guest) < total - 39 - 9 - 29);
	assert_true(share_ms(recorder, &share[EXIT_HLT].vitrine) >= 39);
	assert_int_equal(atomic_load(&share[EXIT_DEBUG].guest), 0);
	assert_true(share_ms(recorder, &share[EXIT_DEBUG].vitrine) >= 9);
	assert_true(share_ms(recorder, &share[EXIT_DEBUG].vitrine) < total - 19 - 39 - 29);
	assert_int_equal(atomic_load(&share[EXIT_HLT].exits), 2);
	free(recorder);
}

/* ---- a machine's exits --------------------------------------------------------------------- */

static const uint8_t spin[] = {0xeb, 0xfe};

/* Kicks are exits too, and none of the script's. */
static uint64_t played(struct rig *rig)
{
	const struct recorder *recorder = &rig->machine->vcpus[0].recorder;
	uint64_t exits = 0;

	for (unsigned reason = 0; reason < EXIT_REASON_COUNT; reason++)
		if (reason != EXIT_INTR)
			exits += recorder_exits(recorder, (enum exit_reason)reason);
	return exits;
}

static void play(struct rig *rig, const struct vm_exit *exits, unsigned count)
{
	rig_start(rig, 1, IRQCHIP_KERNEL);
	dummy_play(rig->machine->vcpus[0].accel, exits, count);
	rig_code(rig, 0, spin, sizeof(spin));
	do {
		rig_continue(rig);
		rig_pause(rig);
		debug_dispatch(rig->debug);
	} while (played(rig) < count);
}

static void says(struct debug *debug, unsigned reason, const char *name, const char *text)
{
	struct trace_record records[16];
	unsigned count = debug_trace(debug, 0, records, LEN(records));

	for (unsigned i = 0; i < count; i++)
		if (records[i].reason == reason && !strcmp(records[i].text, text)) {
			assert_string_equal(records[i].name, name);
			return;
		}
	fail_msg("no record of %s says '%s'; the first says '%s'", name, text, records[0].text);
}

static void test_words_for_each_reason(void **state)
{
	uint8_t a[] = "A", in[4] = {0}, words[] = "Hello, world";
	uint8_t mmio[4] = {0x78, 0x56, 0x34, 0x12};
	const struct vm_exit exits[] = {
		{.reason = EXIT_IO, .io = {0x3f8, 1, true, 1, a}},
		{.reason = EXIT_IO, .io = {0x9999, 2, false, 1, in}},
		{.reason = EXIT_IO, .io = {0x9998, 1, true, 12, words}},
		{.reason = EXIT_MMIO, .mmio = {0xfe000000, 4, true, mmio}},
		{.reason = EXIT_MMIO, .mmio = {0xfe000004, 4, false, in}},
		{.reason = EXIT_SYSTEM_EVENT, .name = "EVENT", .system = {SYSTEM_OTHER, 77}},
	};
	const struct vm_exit died[] = {
		{.reason = EXIT_INTERNAL_ERROR,
		 .internal = {.suberror = 1, .insn_length = 3, .insn = {0x0f, 0xae, 0x2f}}},
	};
	struct exit_record record = {
		.reason = EXIT_RDMSR, .flags = RECORD_REFUSED, .address = 0x1234};
	struct rig rig = {0}, dead = {0};
	char text[80];

	(void)state;
	play(&rig, exits, LEN(exits));
	says(rig.debug, EXIT_IO, "io", "out 0x3f8 ← 0x41 'A'");
	says(rig.debug, EXIT_IO, "io", "in  0x9999 → 0xffff");
	says(rig.debug, EXIT_IO, "io", "out 0x9998 ← 12 of 1 byte: \"Hello, w…\"");
	says(rig.debug, EXIT_MMIO, "mmio", "write 0xfe000000 ← 0x12345678, 4 bytes");
	says(rig.debug, EXIT_MMIO, "mmio", "read  0xfe000004 → 0xffffffff, 4 bytes");
	says(rig.debug, EXIT_SYSTEM_EVENT, "event", "EVENT, code 0x4d");
	rig_stop(&rig);

	play(&dead, died, 1);
	says(dead.debug, EXIT_INTERNAL_ERROR, "error", "sub-error 1: 0f ae 2f");
	rig_stop(&dead);

	trace_record_text(&record, text, sizeof(text));
	assert_string_equal(text, "0x1234: #GP");
	record = (struct exit_record){.reason = EXIT_WRMSR,
				      .flags = RECORD_WRITE | RECORD_VALUE,
				      .address = 0xc0000080,
				      .value = 0x500};
	trace_record_text(&record, text, sizeof(text));
	assert_string_equal(text, "MSR_EFER ← 0x500");
	record = (struct exit_record){.reason = EXIT_DEBUG, .vector = 1, .value = 1u << 14 | 2};
	trace_record_text(&record, text, sizeof(text));
	assert_string_equal(text, "#DB, step, debug register 1");
	record = (struct exit_record){.reason = EXIT_HOST_ERROR, .name = "KVM_RUN", .value = 14};
	trace_record_text(&record, text, sizeof(text));
	assert_string_equal(text, "KVM_RUN: Bad address");
}

/* 1: out 0x10, al; in al, 0x11; jmp 1b */
static const uint8_t talk[] = {0xe6, 0x10, 0xe4, 0x11, 0xeb, 0xfa};

static void test_a_running_machine_is_read(void **state)
{
	struct trace_record *records = calloc(RECORDER_SIZE, sizeof(*records));
	struct trace_target targets[4];
	struct trace_share share;
	struct rig rig = {0};
	unsigned count, seen;

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, talk, sizeof(talk));
	rig_code(&rig, 1, talk, sizeof(talk));
	debug_trace_set_pc(rig.debug, true);
	rig_continue(&rig);
	do
		assert_true(debug_trace_share(rig.debug, 1, EXIT_IO, &share));
	while (share.exits < 3 * RECORDER_SIZE);
	assert_true(debug_running(rig.debug));
	count = debug_trace(rig.debug, 1, records, RECORDER_SIZE);
	assert_true(count > RECORDER_SIZE / 4);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(records[i].vcpu, 1);
		assert_true(!i || records[i].number > records[i - 1].number);
		assert_true(!i || records[i].ns >= records[i - 1].ns);
		assert_true(records[i].has_pc);
	}
	count = debug_trace_all(rig.debug, records, 100);
	assert_int_equal(count, 100);
	for (unsigned i = 1; i < count; i++)
		assert_true(records[i].ns >= records[i - 1].ns);
	rig_pause(&rig);
	debug_dispatch(rig.debug);

	count = debug_trace_targets(rig.debug, 1, EXIT_IO, targets, LEN(targets), &seen);
	assert_int_equal(count, 2);
	assert_int_equal(seen, RECORDER_SIZE - 1);
	assert_true(targets[0].count >= targets[1].count);
	assert_in_range(targets[0].count + targets[1].count, seen - 2, seen);
	assert_string_equal(targets[targets[0].write ? 0 : 1].text, "0x10 out");
	assert_string_equal(targets[targets[0].write ? 1 : 0].text, "0x11 in");
	debug_trace_share(rig.debug, 1, EXIT_IO, &share);
	assert_string_equal(share.name, "io");
	assert_true(share.guest_ns > 0 && share.vitrine_ns > 0);
	assert_false(debug_trace_share(rig.debug, 1, EXIT_REASON_COUNT, &share));
	assert_false(debug_trace_share(rig.debug, 2, 0, &share));
	assert_int_equal(debug_trace(rig.debug, 2, records, 10), 0);
	free(records);
	rig_stop(&rig);
}

/* Without synchronised registers nobody asks for a pc; with points, it comes along. */
static void test_a_pc_only_where_it_is_free(void **state)
{
	struct trace_record records[8];
	struct rig rig = {0};
	unsigned count;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, talk, sizeof(talk));
	rig_continue(&rig);
	while (recorder_head(&rig.machine->vcpus[0].recorder) < 8)
		;
	rig_pause(&rig);
	debug_dispatch(rig.debug);
	count = debug_trace(rig.debug, 0, records, LEN(records));
	assert_int_equal(count, LEN(records));
	for (unsigned i = 0; i < count; i++)
		assert_false(records[i].has_pc);
	rig_break(&rig, RIG_CODE + 4);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	count = debug_trace(rig.debug, 0, records, LEN(records));
	assert_true(records[count - 1].has_pc);
	assert_int_equal(records[count - 1].pc, RIG_CODE + 4);
	assert_string_equal(records[count - 1].name, "debug");
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_ring_keeps_the_newest),
		cmocka_unit_test(test_readers_see_whole_records),
		cmocka_unit_test(test_time_goes_to_its_reason),
		cmocka_unit_test(test_words_for_each_reason),
		cmocka_unit_test(test_a_running_machine_is_read),
		cmocka_unit_test(test_a_pc_only_where_it_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
