// SPDX-License-Identifier: GPL-3.0-or-later
/* info dirty: the pages that the guest wrote while it ran last, with where they are mapped. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS_MAX 256

struct written_run {
	uint64_t gpa, size;
	bool mapped;
	uint64_t linear; /* of its first byte that is mapped */
};

struct written {
	struct written_run run[RUNS_MAX];
	unsigned count;
	uint64_t total;
	bool more;
};

static void gather(struct debug *debug, struct written *written)
{
	uint64_t gpa, size;

	for (uint64_t from = 0; debug_written(debug, from, &gpa, &size); from = gpa + size) {
		written->total += size;
		if (written->count < RUNS_MAX)
			written->run[written->count++] = (struct written_run){.gpa = gpa,
									      .size = size};
		else
			written->more = true;
	}
}

/* Where the runs are mapped for this vCPU: one look at all of its page tables, since they lead the other
 * way. */
static bool take_page(void *ctx, const struct mapped_page *page)
{
	struct written *written = ctx;

	for (unsigned i = 0; i < written->count; i++) {
		struct written_run *run = &written->run[i];
		uint64_t first = run->gpa > page->gpa ? run->gpa : page->gpa;

		if (run->mapped || first - page->gpa >= page->size || first - run->gpa >= run->size)
			continue;
		run->mapped = true;
		run->linear = page->linear + (first - page->gpa);
	}
	return true;
}

static void show_run(struct call *call, const struct written_run *run, bool paged)
{
	char size[24], suffix[96] = "";

	out_printf(call->out, "  0x%010" PRIx64 "-0x%010" PRIx64 " %6s", run->gpa,
		   run->gpa + run->size - 1, short_size(run->size, size));
	fact_object(call->out, NULL);
	fact_hex(call->out, "physical", run->gpa);
	fact_hex(call->out, "size", run->size);
	if (run->mapped) {
		out_printf(call->out, "  at 0x%" PRIx64 "%s", run->linear,
			   address_suffix(call->monitor, run->linear, suffix, sizeof(suffix)));
		fact_hex(call->out, "linear", run->linear);
	}
	out_printf(call->out, run->mapped || !paged ? "\n" : "  not mapped here\n");
	fact_end(call->out);
}

static void show_written(struct call *call, struct written *written)
{
	struct debug *debug = call->monitor->debug;
	bool paged = debug_page_map(debug, call->cpu, 0, take_page, written) != PAGE_MAP_UNPAGED;
	char size[24];

	fact_list(call->out, "pages");
	for (unsigned i = 0; i < written->count; i++)
		show_run(call, &written->run[i], paged);
	fact_end(call->out);
	if (written->more)
		out_printf(call->out, "  and more\n");
	if (written->total)
		out_printf(call->out, "%s in pages that were", short_size(written->total, size));
	else
		out_printf(call->out, "nothing was");
	out_printf(call->out, " written since the guest was last let run\n");
}

int run_info_dirty(struct call *call)
{
	struct debug *debug = call->monitor->debug;
	struct written *written;
	int ret;

	if (!debug_tracks_writes(debug)) {
		ret = debug_track_writes(debug, true, call->err);
		if (!ret)
			out_printf(call->out, "from now on the guest's writes are noted: ask again "
					      "when it has run\n"
					      "(`set track-writes off` ends that)\n");
		return ret;
	}
	written = calloc(1, sizeof(*written));
	if (!written)
		return error_set(call->err, -ENOMEM, "no memory for the list of pages");
	gather(debug, written);
	show_written(call, written);
	free(written);
	return 0;
}
