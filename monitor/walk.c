// SPDX-License-Identifier: GPL-3.0-or-later
/* The picture of a page walk: SDM vol. 3A, 4.5, tables 4-14 to 4-20. */
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
#define ENTRY_GLOBAL   (1ull << 8)
#define ENTRY_NX       (1ull << 63)
#define CR4_SMEP       (1ull << 20)
#define CR4_SMAP       (1ull << 21)

struct flag {
	uint64_t mask;
	const char *set, *clear; /* clear: "" says nothing */
	bool leaf_only;
};

static const struct flag flags[] = {
	{ENTRY_WRITE, " write", " read-only", false}, {ENTRY_USER, " user", " kernel", false},
	{ENTRY_PWT, " write-through", "", false},     {ENTRY_PCD, " uncached", "", false},
	{ENTRY_ACCESSED, " accessed", "", false},     {ENTRY_DIRTY, " dirty", "", true},
	{ENTRY_GLOBAL, " global", "", true},	      {ENTRY_NX, " no-execute", "", false},
};

static const char *size_text(uint64_t size)
{
	switch (size) {
	case 1ull << 21: return " 2M";
	case 1ull << 22: return " 4M";
	case 1ull << 30: return " 1G";
	default: return "";
	}
}

static void entry_text(const struct paging_walk *walk, unsigned index, char *buf, size_t size)
{
	const struct paging_level *level = &walk->level[index];
	bool leaf = index == walk->levels - 1 && walk->fault == PAGING_OK;
	size_t used;

	if (!(level->entry & ENTRY_PRESENT)) {
		snprintf(buf, size, "NOT PRESENT");
		return;
	}
	used = snprintf(buf, size, "present");
	for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags) && used < size; i++)
		if (!flags[i].leaf_only || leaf)
			used += snprintf(buf + used, size - used, "%s",
					 level->entry & flags[i].mask ? flags[i].set
								      : flags[i].clear);
	if (leaf && used < size)
		snprintf(buf + used, size - used, "%s", size_text(walk->page_size));
}

static void show_level(const struct paging_walk *walk, unsigned index, struct monitor_out *out)
{
	const struct paging_level *level = &walk->level[index];
	char text[160];

	if (walk->fault == PAGING_NO_TABLE && index == walk->levels - 1)
		snprintf(text, sizeof(text), "this table lies outside RAM");
	else
		entry_text(walk, index, text, sizeof(text));
	out_printf(out, "  %-4s[%3u] at 0x%" PRIx64 " = 0x%0*" PRIx64 "   %s\n", level->name,
		   level->index, level->entry_gpa, (int)level->entry_bytes * 2, level->entry, text);
}

static unsigned level_count(const struct paging_regs *regs)
{
	if (!(regs->cr4 & CR4_PAE))
		return 2;
	if (!(regs->efer & EFER_LMA))
		return 3;
	return regs->cr4 & CR4_LA57 ? 5 : 4;
}

static const char *on(uint64_t bits)
{
	return bits ? "on" : "off";
}

static void show_header(const struct paging_regs *regs, struct monitor_out *out)
{
	out_printf(out, "%u levels, cr3 0x%" PRIx64 " (NX %s, WP %s, SMEP %s, SMAP %s)\n",
		   level_count(regs), regs->cr3, on(regs->efer & EFER_NXE), on(regs->cr0 & CR0_WP),
		   on(regs->cr4 & CR4_SMEP), on(regs->cr4 & CR4_SMAP));
}

static void show_translation(const struct paging_walk *walk, struct monitor_out *out)
{
	out_printf(out, "→ physical 0x%" PRIx64 " · may read%s%s · %s\n", walk->gpa,
		   walk->write ? ", write" : "", walk->exec ? ", execute" : "",
		   walk->user ? "user and kernel" : "kernel only");
}

/* SDM vol. 3A, 4.7: bit 0 of the error code says "not a missing page", bit 2 user, bit 3 reserved.
 */
static void show_fault(const struct paging_walk *walk, struct monitor_out *out)
{
	switch (walk->fault) {
	case PAGING_NOT_CANONICAL:
		out_printf(out, "→ no such linear address exists here: an access raises #GP (#SS "
				"on the stack)\n");
		break;
	case PAGING_RESERVED:
		out_printf(out, "→ a reserved bit is set: #PF, error code 9 for a kernel read, 13 "
				"for a user read\n");
		break;
	case PAGING_NO_TABLE:
		out_printf(out, "→ the walk ends outside RAM: what an access does there is up to "
				"the hardware\n");
		break;
	default:
		out_printf(out, "→ an access faults here: #PF, error code 0 for a kernel read, 4 "
				"for a user read\n");
	}
}

int walk_show(struct monitor *monitor, int cpu, uint64_t linear, struct monitor_out *out,
	      struct error *err)
{
	const struct cpu_state *state = debug_state(monitor->debug, cpu, CPU_SYSTEM);
	struct paging_walk walk;
	struct paging_regs regs;
	int fault = debug_walk(monitor->debug, cpu, linear, &walk);

	if (fault < 0 || !state)
		return error_set(err, fault < 0 ? fault : -EIO,
				 "the page tables of vCPU %d cannot be walked", cpu);
	regs = paging_regs_of(state);
	if (regs.cr0 & CR0_PG)
		show_header(&regs, out);
	else
		out_printf(out, "paging is off: linear addresses are physical ones\n");
	for (unsigned i = 0; i < walk.levels; i++)
		show_level(&walk, i, out);
	if (walk.fault == PAGING_OK)
		show_translation(&walk, out);
	else
		show_fault(&walk, out);
	return 0;
}
