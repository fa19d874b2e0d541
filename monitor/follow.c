// SPDX-License-Identifier: GPL-3.0-or-later
/* trace follow: exits as they come. The recorder tells nobody, so somebody looks now and then. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Lines at once; of more, the newest are shown. */
#define LINES_MAX 200

/* Up to which record each vCPU's were shown. */
struct follow {
	unsigned vcpus;
	uint64_t shown[];
};

bool monitor_following(const struct monitor *monitor)
{
	return monitor->follow != NULL;
}

static int begin(struct monitor *monitor, struct error *err)
{
	unsigned count = debug_vcpu_count(monitor->debug);
	struct trace_record record;
	struct follow *follow = calloc(1, sizeof(*follow) + count * sizeof(follow->shown[0]));

	if (!follow)
		return error_set(err, -ENOMEM, "out of memory");
	follow->vcpus = count;
	for (unsigned i = 0; i < count; i++)
		if (debug_trace(monitor->debug, (int)i, &record, 1) == 1)
			follow->shown[i] = record.number;
	monitor->follow = follow;
	return 0;
}

void monitor_unfollow(struct monitor *monitor)
{
	free(monitor->follow);
	monitor->follow = NULL;
}

/* How many there are that were not shown yet, by their numbers; all are known to be shown then. */
static uint64_t count_new(struct monitor *monitor, uint64_t *before)
{
	struct follow *follow = monitor->follow;
	struct trace_record record;
	uint64_t count = 0;

	for (unsigned i = 0; i < follow->vcpus; i++) {
		before[i] = follow->shown[i];
		if (debug_trace(monitor->debug, (int)i, &record, 1) != 1)
			continue;
		count += record.number - follow->shown[i];
		follow->shown[i] = record.number;
	}
	return count;
}

void monitor_follow(struct monitor *monitor, struct monitor_out *out)
{
	struct follow *follow = monitor->follow;
	struct trace_record *records;
	uint64_t *before, count, shown = 0;
	unsigned got;

	if (!follow)
		return;
	records = calloc(LINES_MAX, sizeof(*records));
	before = calloc(follow->vcpus, sizeof(*before));
	count = records && before ? count_new(monitor, before) : 0;
	got = count ? debug_trace_all(monitor->debug, records, LINES_MAX) : 0;
	for (unsigned i = 0; i < got; i++)
		if (records[i].number > before[records[i].vcpu] &&
		    records[i].number <= follow->shown[records[i].vcpu])
			shown++;
	if (count > shown)
		out_printf(out, "  ... %" PRIu64 " exits ...\n", count - shown);
	for (unsigned i = 0; i < got; i++)
		if (records[i].number > before[records[i].vcpu] &&
		    records[i].number <= follow->shown[records[i].vcpu])
			trace_record_show(monitor, &records[i], follow->vcpus > 1, out);
	free(records);
	free(before);
}

int run_trace_follow(struct call *call)
{
	bool off = call->arg[0].given && !strcmp(call->arg[0].text, "off");

	if (call->arg[0].given && !off && strcmp(call->arg[0].text, "on") != 0)
		return error_set(call->err, -EINVAL, "write: trace follow on, or off");
	if (call->owner == OWNER_GDB)
		return error_set(
			call->err, -EPERM,
			"gdb waits for the end of an answer: trace COUNT shows the last exits");
	fact_flag(call->out, "follows", !off);
	if (off)
		monitor_unfollow(call->monitor);
	else if (!call->monitor->follow)
		return begin(call->monitor, call->err);
	return 0;
}
