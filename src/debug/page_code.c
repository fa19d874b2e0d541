// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Breakpoints on code that is not there yet. A guest copies its kernel to where it belongs, or the code that its
 * other processors start with, and over the int3 that was planted there. So as long as a guest is on its
 * way, the pages that hold int3s are read-only: what it writes goes beside and under the int3s (page_watch.c), and
 * they stay.
 *
 * In long mode, code that the image brought to its place is there, and this ends. It ends earlier for a page that
 * is written to more often than a copy of it would: that one holds data, and every write of it costs an exit. A
 * page that the processor itself writes to is left alone from the start.
 */
#include "debug/pages.h"

#define PAGE   4096ull
#define ENOUGH (3 * PAGE / 2) /* writes; a copy byte by byte takes PAGE */

/* The others are started when it has come further. */
static bool is_booting(struct debug *debug)
{
	const struct cpu_state *state = vcpu_state(&debug->machine->vcpus[0], CPU_SYSTEM);

	return state && !(state->system.efer & EFER_LMA);
}

static bool is_in_place(struct debug *debug, uint64_t page)
{
	const struct planted *planted = &debug->planted;

	for (unsigned i = 0; i < planted->place_count; i++)
		if (planted->place[i].gpa - page < PAGE &&
		    !core_image_holds(debug, planted->place[i].gpa))
			return false;
	return true;
}

static struct page_code *code_page(struct pages *pages, uint64_t page)
{
	for (unsigned i = 0; i < pages->code_count; i++)
		if (pages->code[i].gpa == page)
			return &pages->code[i];
	return NULL;
}

struct stack_on {
	struct debug *debug;
	uint64_t page;
	bool found;
};

static void look_for_stack(void *ctx, struct vcpu *vcpu, uint64_t top)
{
	struct stack_on *s = ctx;
	struct paging_walk walk;

	s->found |= core_walk(s->debug, vcpu, top - 1, &walk) == PAGING_OK &&
		    (walk.gpa & ~(PAGE - 1)) == s->page;
}

static bool processor_writes(struct debug *debug, uint64_t page)
{
	struct stack_on s = {debug, page, false};

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		page_each_stack(debug, &debug->machine->vcpus[i], look_for_stack, &s);
	return s.found || page_holds_table(debug, page, PAGE);
}

static void add_page(struct debug *debug, uint64_t page)
{
	struct pages *pages = debug->pages;

	if (code_page(pages, page) || pages->code_count == PAGE_CODES)
		return;
	pages->code[pages->code_count++] = (struct page_code){.gpa = page};
}

/* Pages of which nothing is left are forgotten, with what was known of them; the others stay. */
static void forget_unused(struct debug *debug)
{
	struct pages *pages = debug->pages;
	unsigned kept = 0;

	for (unsigned i = 0; i < pages->code_count; i++) {
		bool used = false;

		for (unsigned n = 0; !used && n < debug->planted.place_count; n++)
			used = debug->planted.place[n].gpa - pages->code[i].gpa < PAGE;
		if (used)
			pages->code[kept++] = pages->code[i];
	}
	pages->code_count = kept;
}

void core_pages_cover(struct debug *debug)
{
	forget_unused(debug);
	for (unsigned i = 0; i < debug->planted.place_count; i++)
		add_page(debug, debug->planted.place[i].gpa & ~(PAGE - 1));
}

bool page_is_covered(struct debug *debug, unsigned i)
{
	const struct page_code *code = &debug->pages->code[i];

	return code->writes < ENOUGH && (is_booting(debug) || !is_in_place(debug, code->gpa)) &&
	       !processor_writes(debug, code->gpa);
}

bool page_code_written(struct debug *debug, uint64_t gpa)
{
	struct page_code *code = code_page(debug->pages, gpa & ~(PAGE - 1));

	return code && ++code->writes == ENOUGH;
}
