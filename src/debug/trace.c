// SPDX-License-Identifier: GPL-3.0-or-later
/* What the flight recorders hold, for whoever asks, while they go on recording. */
#include "debug/core.h"
#include "debug/trace_private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TARGETS 64 /* different ones that are told apart; more are as good as noise */

static const struct recorder *recorder_of(struct debug *debug, int vcpu)
{
	if (vcpu < 0 || (unsigned)vcpu >= debug->machine->vcpu_count)
		return NULL;
	return &debug->machine->vcpus[vcpu].recorder;
}

/* One beginning for all, so that their times can be compared. */
static const struct recorder_clock *beginning(const struct debug *debug)
{
	return &debug->machine->vcpus[0].recorder.since;
}

/* ---- records ----------------------------------------------------------------------------- */

static void fill(const struct exit_record *from, uint64_t since, double rate,
		 struct trace_record *record)
{
	uint64_t cycles = from->tsc > since ? from->tsc - since : 0;

	*record = (struct trace_record){.ns = (uint64_t)((double)cycles * rate),
					.reason = from->reason,
					.name = trace_reason_name(from->reason),
					.exit = from->name,
					.has_pc = from->flags & RECORD_PC,
					.pc = from->pc};
	trace_record_text(from, record->text, sizeof(record->text));
}

static uint64_t oldest(const struct recorder *recorder, uint64_t max)
{
	uint64_t head = recorder_head(recorder);

	if (max > RECORDER_SIZE - 1)
		max = RECORDER_SIZE - 1;
	return head > max ? head - max : 0;
}

/* The oldest ones of a running vCPU may be gone before it is their turn. */
static unsigned read_records(struct debug *debug, int vcpu, double rate,
			     struct trace_record *records, unsigned max)
{
	const struct recorder *recorder = recorder_of(debug, vcpu);
	unsigned count = 0;

	if (!recorder)
		return 0;
	for (uint64_t i = oldest(recorder, max); count < max && i < recorder_head(recorder); i++) {
		struct exit_record record;

		if (!recorder_read(recorder, i, &record))
			continue;
		fill(&record, beginning(debug)->tsc, rate, &records[count]);
		records[count].vcpu = vcpu;
		records[count++].number = i + 1;
	}
	return count;
}

unsigned debug_trace(struct debug *debug, int vcpu, struct trace_record *records, unsigned max)
{
	return read_records(debug, vcpu, recorder_rate(beginning(debug)), records, max);
}

static int by_time(const void *a, const void *b)
{
	const struct trace_record *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->vcpu != y->vcpu ? x->vcpu - y->vcpu : (x->number > y->number) - 1;
}

unsigned debug_trace_all(struct debug *debug, struct trace_record *records, unsigned max)
{
	unsigned vcpus = debug->machine->vcpu_count, count = 0, first;
	double rate = recorder_rate(beginning(debug));
	struct trace_record *all;

	if (max > RECORDER_SIZE)
		max = RECORDER_SIZE;
	all = calloc((size_t)vcpus * max, sizeof(*all));
	if (!all)
		return 0;
	for (unsigned i = 0; i < vcpus; i++)
		count += read_records(debug, (int)i, rate, all + count, max);
	qsort(all, count, sizeof(*all), by_time);
	first = count > max ? count - max : 0;
	memcpy(records, all + first, (count - first) * sizeof(*all));
	free(all);
	return count - first;
}

/* ---- sums -------------------------------------------------------------------------------- */

static uint64_t now(const _Atomic uint64_t *sum)
{
	return atomic_load_explicit(sum, memory_order_relaxed);
}

bool debug_trace_share(struct debug *debug, int vcpu, unsigned reason, struct trace_share *share)
{
	const struct recorder *recorder = recorder_of(debug, vcpu);
	double rate = recorder_rate(beginning(debug));
	const struct recorder_share *from;

	if (!recorder || reason >= EXIT_REASON_COUNT)
		return false;
	from = &recorder->share[reason];
	*share = (struct trace_share){.name = trace_reason_name(reason),
				      .exits = now(&from->exits),
				      .guest_ns = (uint64_t)((double)now(&from->guest) * rate),
				      .vitrine_ns = (uint64_t)((double)now(&from->vitrine) * rate)};
	return true;
}

static bool has_target(unsigned reason)
{
	return reason == EXIT_IO || reason == EXIT_MMIO || reason == EXIT_RDMSR ||
	       reason == EXIT_WRMSR;
}

static void count_target(struct trace_target *found, unsigned *count,
			 const struct exit_record *record)
{
	bool write = record->flags & RECORD_WRITE;
	unsigned i = 0;

	while (i < *count && (found[i].address != record->address || found[i].write != write))
		i++;
	if (i == MAX_TARGETS)
		return;
	if (i == *count)
		found[(*count)++] = (struct trace_target){.address = record->address,
							  .write = write};
	found[i].count++;
}

static int by_count(const void *a, const void *b)
{
	const struct trace_target *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->address < y->address ? -1 : x->address > y->address;
}

unsigned debug_trace_targets(struct debug *debug, int vcpu, unsigned reason,
			     struct trace_target *targets, unsigned max, unsigned *looked_at)
{
	const struct recorder *recorder = recorder_of(debug, vcpu);
	struct trace_target found[MAX_TARGETS] = {0};
	unsigned count = 0, seen = 0;
	struct exit_record record;

	for (uint64_t i = recorder ? oldest(recorder, RECORDER_SIZE) : 0;
	     recorder && i < recorder_head(recorder); i++) {
		if (!recorder_read(recorder, i, &record))
			continue;
		seen++;
		if (record.reason == reason && has_target(reason))
			count_target(found, &count, &record);
	}
	if (looked_at)
		*looked_at = seen;
	qsort(found, count, sizeof(found[0]), by_count);
	for (unsigned i = 0; i < count && i < max; i++) {
		targets[i] = found[i];
		trace_target_text(reason, found[i].address, found[i].write, targets[i].text,
				  sizeof(targets[i].text));
	}
	return count < max ? count : max;
}

void debug_trace_set_pc(struct debug *debug, bool on)
{
	core_lock(debug);
	debug->trace_pc = on;
	core_unlock(debug);
}

bool debug_trace_pc(const struct debug *debug)
{
	return debug->trace_pc;
}
