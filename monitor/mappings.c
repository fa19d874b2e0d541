// SPDX-License-Identifier: GPL-3.0-or-later
/* What the page tables map: ranges with the same rights (`info mem`), and runs of pages that are alike in
 * everything (`info tlb`). A guest chooses how many there are; what is shown at once is bounded. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define SHOWN 1000 /* lines */

/* Of the last level's entry. */
#define ENTRY_PWT      (1ull << 3)
#define ENTRY_PCD      (1ull << 4)
#define ENTRY_ACCESSED (1ull << 5)
#define ENTRY_DIRTY    (1ull << 6)
#define ENTRY_TOLD     (ENTRY_PWT | ENTRY_PCD | ENTRY_ACCESSED | ENTRY_DIRTY)

/* Pages that are told together; first.size is that of one page, size that of all. */
struct run {
	struct mapped_page first;
	uint64_t size;
};

struct lister {
	struct call *call;
	int digits; /* of a linear address */
	bool (*joins)(const struct run *run, const struct mapped_page *page);
	void (*show)(struct lister *lister, const struct run *run);
	struct run run; /* size 0: none yet */
	unsigned shown;
	uint64_t total;
};

static bool same_rights(const struct mapped_page *a, const struct mapped_page *b)
{
	return a->write == b->write && a->user == b->user && a->exec == b->exec;
}

static bool continues_range(const struct run *run, const struct mapped_page *page)
{
	return page->linear == run->first.linear + run->size && same_rights(&run->first, page);
}

static bool continues_pages(const struct run *run, const struct mapped_page *page)
{
	return continues_range(run, page) && page->gpa == run->first.gpa + run->size &&
	       page->size == run->first.size && page->global == run->first.global &&
	       (page->entry & ENTRY_TOLD) == (run->first.entry & ENTRY_TOLD);
}

static void flush(struct lister *lister)
{
	if (!lister->run.size)
		return;
	lister->show(lister, &lister->run);
	lister->shown++;
	lister->total += lister->run.size;
	lister->run.size = 0;
}

static bool take_page(void *ctx, const struct mapped_page *page)
{
	struct lister *lister = ctx;
	struct run *run = &lister->run;

	if (run->size && lister->joins(run, page)) {
		run->size += page->size;
		return true;
	}
	flush(lister);
	*run = (struct run){*page, page->size};
	return lister->shown < SHOWN;
}

/* ---- how they look -------------------------------------------------------------------------- */

/* Exact where that is short. */
char *short_size(uint64_t size, char buf[24])
{
	static const char units[] = "KMGTPE";
	double value = (double)size;
	unsigned unit = 0;

	if (size < 1024) {
		snprintf(buf, 24, "%" PRIu64, size);
		return buf;
	}
	for (value /= 1024; value >= 10000 || (value >= 1024 && !(size >> 10 * (unit + 1) & 1023));
	     unit++)
		value /= 1024;
	snprintf(buf, 24, "%.*f%c", value == (double)(uint64_t)value ? 0 : 1, value, units[unit]);
	return buf;
}

static void tell_rights(struct monitor_out *out, const struct mapped_page *page)
{
	out_printf(out, "r%c%c %s", page->write ? 'w' : '-', page->exec ? 'x' : '-',
		   page->user ? "user" : "kernel");
	fact_flag(out, "write", page->write);
	fact_flag(out, "execute", page->exec);
	fact_flag(out, "user", page->user);
}

static void show_range(struct lister *lister, const struct run *run)
{
	struct monitor_out *out = lister->call->out;
	uint64_t last = run->first.linear + (run->size - 1);
	char size[24];

	fact_object(out, NULL);
	fact_hex(out, "linear", run->first.linear);
	fact_hex(out, "size", run->size);
	out_printf(out, "  0x%0*" PRIx64 "-0x%0*" PRIx64 " %8s  ", lister->digits,
		   run->first.linear, lister->digits, last, short_size(run->size, size));
	tell_rights(out, &run->first);
	out_printf(out, "\n");
	fact_end(out);
}

static const struct {
	uint64_t mask;
	const char *text, *fact;
} attributes[] = {
	{ENTRY_ACCESSED, " accessed", "accessed"},
	{ENTRY_DIRTY, " dirty", "dirty"},
	{ENTRY_PWT, " write-through", "write_through"},
	{ENTRY_PCD, " uncached", "uncached"},
};

static void show_pages(struct lister *lister, const struct run *run)
{
	struct monitor_out *out = lister->call->out;
	const struct mapped_page *first = &run->first;
	char size[24];

	fact_object(out, NULL);
	fact_hex(out, "linear", first->linear);
	fact_hex(out, "physical", first->gpa);
	fact_hex(out, "page_size", first->size);
	fact_count(out, "pages", run->size / first->size);
	out_printf(out, "  0x%0*" PRIx64 " → 0x%-10" PRIx64 " %4" PRIu64 " × %-3s ", lister->digits,
		   first->linear, first->gpa, run->size / first->size,
		   short_size(first->size, size));
	tell_rights(out, first);
	for (unsigned i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		if (first->entry & attributes[i].mask)
			out_printf(out, "%s", attributes[i].text);
		fact_flag(out, attributes[i].fact, first->entry & attributes[i].mask);
	}
	if (first->global)
		out_printf(out, " global");
	fact_flag(out, "global", first->global);
	out_printf(out, "\n");
	fact_end(out);
}

/* ---- the commands --------------------------------------------------------------------------- */

static void show_end(struct lister *lister, enum page_map_end end)
{
	struct monitor_out *out = lister->call->out;
	char size[24];

	if (end == PAGE_MAP_STOPPED) {
		out_printf(out, "  and more: %s 0x%" PRIx64 " goes on\n",
			   lister->call->command->name, lister->run.first.linear);
		fact_hex(out, "more", lister->run.first.linear);
		return;
	}
	flush(lister);
	if (end == PAGE_MAP_TOO_MANY)
		out_printf(out,
			   "  %u page tables were read, and there are more: do they contain "
			   "themselves?\n",
			   PAGE_MAP_TABLES);
	else
		out_printf(out, "%s mapped%s\n",
			   lister->total ? short_size(lister->total, size) : "nothing is",
			   lister->call->arg[0].given ? " from there on" : "");
}

static int list(struct call *call, struct lister *lister, const char *fact)
{
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu, CPU_SYSTEM);
	int end;

	if (!state)
		return error_set(call->err, -EIO, "the registers of vCPU %d cannot be read",
				 call->cpu);
	lister->call = call;
	lister->digits = state->system.efer & EFER_LMA ? 16 : 8;
	fact_list(call->out, fact);
	end = debug_page_map(call->monitor->debug, call->cpu, call->arg[0].value, take_page,
			     lister);
	if (end == PAGE_MAP_UNPAGED)
		out_printf(call->out,
			   "paging is off: linear addresses are physical ones, with all rights\n");
	else if (end != PAGE_MAP_STOPPED)
		flush(lister);
	fact_end(call->out);
	if (end != PAGE_MAP_UNPAGED)
		show_end(lister, (enum page_map_end)end);
	return 0;
}

int run_info_mem(struct call *call)
{
	struct lister lister = {.joins = continues_range, .show = show_range};

	return list(call, &lister, "ranges");
}

int run_info_tlb(struct call *call)
{
	struct lister lister = {.joins = continues_pages, .show = show_pages};

	return list(call, &lister, "pages");
}
