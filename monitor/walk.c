// SPDX-License-Identifier: GPL-3.0-or-later
/* The picture of a page walk: SDM vol. 3A, 4.5, tables 4-14 to 4-20, and what faults where it ends: 4.6
 * and 4.7. */
#include "monitor/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ENTRY_PRESENT  (1ull << 0)
#define ENTRY_WRITE    (1ull << 1)
#define ENTRY_USER     (1ull << 2)
#define ENTRY_PWT      (1ull << 3)
#define ENTRY_PCD      (1ull << 4)
#define ENTRY_ACCESSED (1ull << 5)
#define ENTRY_DIRTY    (1ull << 6)
#define ENTRY_PAT_4K   (1ull << 7)
#define ENTRY_GLOBAL   (1ull << 8)
#define ENTRY_PAT_HUGE (1ull << 12)
#define ENTRY_NX       (1ull << 63)
#define ENTRY_SOFTWARE (7ull << 9 | 0x7full << 52) /* left to the guest */
#define CR4_SMEP       (1ull << 20)
#define CR4_SMAP       (1ull << 21)
#define CR4_PKE	       (1ull << 22)
#define CR4_PKS	       (1ull << 24)
#define RFLAGS_AC      (1ull << 18)

struct picture {
	struct call *call;
	uint64_t linear;
	struct paging_walk walk;
	struct paging_regs regs;
	uint64_t rflags;
};

/* ---- entries -------------------------------------------------------------------------------- */

enum where { ANYWHERE, NOT_PDPTE, LEAF };

struct flag {
	uint64_t mask;
	const char *set, *clear; /* clear: "" says nothing */
	enum where where;	 /* PAE's PDPT entries have no rights */
};

static const struct flag flags[] = {
	{ENTRY_WRITE, " write", " read-only", NOT_PDPTE},
	{ENTRY_USER, " user", " kernel", NOT_PDPTE},
	{ENTRY_PWT, " write-through", "", ANYWHERE},
	{ENTRY_PCD, " uncached", "", ANYWHERE},
	{ENTRY_ACCESSED, " accessed", "", NOT_PDPTE},
	{ENTRY_DIRTY, " dirty", "", LEAF},
	{ENTRY_GLOBAL, " global", "", LEAF},
	{ENTRY_NX, " no-execute", "", NOT_PDPTE},
};

static bool is_pae(const struct picture *picture)
{
	return picture->regs.cr4 & CR4_PAE && !(picture->regs.efer & EFER_LMA);
}

static bool has_place(const struct picture *picture, unsigned index, enum where where, bool leaf)
{
	return where == ANYWHERE || leaf ||
	       (where == NOT_PDPTE && !(is_pae(picture) && index == 0));
}

static void leaf_text(const struct picture *picture, uint64_t entry, struct string *text)
{
	const struct paging_walk *walk = &picture->walk;
	uint64_t pat = walk->page_size == 4096 ? ENTRY_PAT_4K : ENTRY_PAT_HUGE;
	char size[24];

	if (entry & pat)
		string_printf(text, " PAT");
	if (picture->regs.cr4 & (CR4_PKE | CR4_PKS) && picture->regs.efer & EFER_LMA)
		string_printf(text, " key-%u", (unsigned)(entry >> 59 & 0xf));
	if (walk->page_size != 4096)
		string_printf(text, " %s", short_size(walk->page_size, size));
}

static void entry_text(const struct picture *picture, unsigned index, struct string *text)
{
	const struct paging_level *level = &picture->walk.level[index];
	bool last = index == picture->walk.levels - 1, leaf = last && !picture->walk.fault;

	if (last && picture->walk.fault == PAGING_NO_TABLE) {
		string_printf(text, "this table lies outside RAM");
		return;
	}
	if (!(level->entry & ENTRY_PRESENT)) {
		string_printf(text, "NOT PRESENT");
		return;
	}
	string_printf(text, "present");
	for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (has_place(picture, index, flags[i].where, leaf))
			string_printf(text, "%s",
				      level->entry & flags[i].mask ? flags[i].set : flags[i].clear);
	if (leaf)
		leaf_text(picture, level->entry, text);
	if (level->entry & ENTRY_SOFTWARE && level->entry_bytes == 8)
		string_printf(text, " software-%#llx", level->entry & ENTRY_SOFTWARE);
	if (last && picture->walk.fault == PAGING_RESERVED)
		string_printf(text, " RESERVED BIT");
}

static void show_level(const struct picture *picture, unsigned index)
{
	const struct paging_level *level = &picture->walk.level[index];
	struct monitor_out *out = picture->call->out;
	struct string line = {0}, text = {0};
	size_t indent;

	entry_text(picture, index, &text);
	string_printf(&line, "  %-4s[%3u] at 0x%" PRIx64 " = 0x%0*" PRIx64 "   ", level->name,
		      level->index, level->entry_gpa, (int)level->entry_bytes * 2, level->entry);
	indent = line.size;
	string_printf(&line, "%s", string_text(&text));
	out_wrapped(out, string_text(&line), 0, indent < 56 ? indent : 8);
	fact_object(out, NULL);
	fact_text(out, "name", level->name);
	fact_count(out, "index", level->index);
	fact_hex(out, "at", level->entry_gpa);
	fact_hex(out, "entry", level->entry);
	fact_text(out, "flags", string_text(&text));
	fact_end(out);
	string_free(&line);
	string_free(&text);
}

/* ---- the head ------------------------------------------------------------------------------- */

static unsigned level_count(const struct paging_regs *regs)
{
	if (!(regs->cr4 & CR4_PAE))
		return 2;
	if (!(regs->efer & EFER_LMA))
		return 3;
	return regs->cr4 & CR4_LA57 ? 5 : 4;
}

static void show_setting(struct monitor_out *out, const char *name, const char *fact, bool on)
{
	out_printf(out, "%s %s", name, on ? "on" : "off");
	fact_flag(out, fact, on);
}

static void show_header(const struct picture *picture)
{
	const struct paging_regs *regs = &picture->regs;
	struct monitor_out *out = picture->call->out;

	fact_flag(out, "paging", regs->cr0 & CR0_PG);
	if (!(regs->cr0 & CR0_PG)) {
		out_printf(out, "paging is off: linear addresses are physical ones\n");
		return;
	}
	out_printf(out, "%u levels, cr3 0x%" PRIx64 " (", level_count(regs), regs->cr3);
	fact_count(out, "levels", level_count(regs));
	fact_hex(out, "cr3", regs->cr3);
	show_setting(out, "NX", "nx", regs->efer & EFER_NXE);
	show_setting(out, ", WP", "wp", regs->cr0 & CR0_WP);
	show_setting(out, ", SMEP", "smep", regs->cr4 & CR4_SMEP);
	show_setting(out, ", SMAP", "smap", regs->cr4 & CR4_SMAP);
	out_printf(out, ")\n");
}

/* ---- what comes of it ----------------------------------------------------------------------- */

enum access { READ, WRITE, EXECUTE, ACCESS_COUNT };

/* Whether an access to a page that is there goes through. */
static bool allowed(const struct picture *picture, bool user, enum access access)
{
	const struct paging_walk *walk = &picture->walk;
	uint64_t cr4 = picture->regs.cr4;

	if (user)
		return walk->user && (access != WRITE || walk->write) &&
		       (access != EXECUTE || walk->exec);
	if (access == EXECUTE)
		return walk->exec && !(walk->user && cr4 & CR4_SMEP);
	if (walk->user && cr4 & CR4_SMAP && !(picture->rflags & RFLAGS_AC))
		return false;
	return access == READ || walk->write || !(picture->regs.cr0 & CR0_WP);
}

/* SDM vol. 3A, figure 4-12. */
static unsigned error_code(const struct picture *picture, bool user, enum access access)
{
	bool fetches_show = picture->regs.efer & EFER_NXE || picture->regs.cr4 & CR4_SMEP;
	unsigned code = user ? 4 : 0;

	if (picture->walk.fault == PAGING_OK || picture->walk.fault == PAGING_RESERVED)
		code |= 1;
	if (picture->walk.fault == PAGING_RESERVED)
		code |= 8;
	if (access == WRITE)
		code |= 2;
	return access == EXECUTE && fetches_show ? code | 0x10 : code;
}

/* "kernel execute 0x11", "user read 0x5, write 0x7" */
static void ring_faults(const struct picture *picture, bool user, struct string *line)
{
	static const char *const names[ACCESS_COUNT] = {"read", "write", "execute"};
	const char *before = user ? "user" : "kernel";

	for (enum access access = READ; access < ACCESS_COUNT; access++) {
		if (allowed(picture, user, access))
			continue;
		if (user && line->size && before[0] == 'u')
			string_printf(line, " · ");
		string_printf(line, "%s %s %#x", before, names[access],
			      error_code(picture, user, access));
		before = ",";
	}
}

static void show_faults(const struct picture *picture)
{
	struct string line = {0};

	ring_faults(picture, false, &line);
	ring_faults(picture, true, &line);
	if (line.size)
		out_printf(picture->call->out, "  else #PF: %s\n", line.text);
	string_free(&line);
}

static const char *write_text(const struct picture *picture)
{
	if (picture->walk.write)
		return ", write";
	return allowed(picture, false, WRITE) ? ", write in ring 0 (WP is off)" : "";
}

static void show_translation(const struct picture *picture)
{
	const struct paging_walk *walk = &picture->walk;
	struct monitor_out *out = picture->call->out;
	uint64_t follow;
	bool ram = debug_host_address(picture->call->monitor->debug, walk->gpa, &follow);

	out_printf(out, "→ physical 0x%" PRIx64 "%s · may read%s%s · %s\n", walk->gpa,
		   ram ? "" : " (no RAM)", write_text(picture), walk->exec ? ", execute" : "",
		   walk->user ? "user and kernel" : "kernel only");
	fact_hex(out, "physical", walk->gpa);
	fact_hex(out, "page_size", walk->page_size);
	fact_flag(out, "ram", ram);
	fact_flag(out, "write", walk->write);
	fact_flag(out, "execute", walk->exec);
	fact_flag(out, "user", walk->user);
	show_faults(picture);
}

static void show_fault(const struct picture *picture)
{
	struct monitor_out *out = picture->call->out;

	fact_text(out, "fault", paging_fault_name(picture->walk.fault));
	switch (picture->walk.fault) {
	case PAGING_NOT_CANONICAL:
		out_printf(out, "→ no such linear address exists here: an access raises #GP (#SS "
				"on the stack)\n");
		break;
	case PAGING_NO_TABLE:
		out_printf(out, "→ the walk ends outside RAM: what an access does there is up to "
				"the hardware\n");
		break;
	default:
		out_printf(out,
			   "→ %s: #PF, error code %u for a kernel read, %u for a user "
			   "read\n",
			   picture->walk.fault == PAGING_RESERVED ? "a reserved bit is set"
								  : "an access faults here",
			   error_code(picture, false, READ), error_code(picture, true, READ));
	}
}

int walk_show(struct call *call, uint64_t linear)
{
	struct debug *debug = call->monitor->debug;
	const struct cpu_state *state = debug_state(debug, call->cpu, CPU_GENERAL | CPU_SYSTEM);
	struct picture picture = {.call = call, .linear = linear};
	int fault = debug_walk(debug, call->cpu, linear, &picture.walk);

	if (fault < 0 || !state)
		return error_set(call->err, fault < 0 ? fault : -EIO,
				 "the page tables of vCPU %d cannot be walked", call->cpu);
	picture.regs = paging_regs_of(state);
	picture.rflags = state->general.rflags;
	fact_hex(call->out, "linear", linear);
	show_header(&picture);
	fact_list(call->out, "walk");
	for (unsigned i = 0; i < picture.walk.levels; i++)
		show_level(&picture, i);
	fact_end(call->out);
	if (picture.walk.fault == PAGING_OK)
		show_translation(&picture);
	else
		show_fault(&picture);
	return 0;
}
