// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/ladder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- conditions on what the host can do -------------------------------------------------- */

static bool int3_traps(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->int3[mode] == INT3_TRAPS;
}

static bool int3_fails(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->int3[mode] == INT3_EMULATION_FAILURE;
}

static bool int3_told(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->int3[mode] != INT3_LOST;
}

static bool slot_fires(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->slot[mode];
}

static bool watch_fires(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->watch_write[mode];
}

static bool access_fires(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->watch_access[mode];
}

static bool page_writes_exit(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->page_write[mode];
}

static bool page_reads_exit(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->page_read[mode] && found->page_write[mode];
}

static bool steps(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->step[mode];
}

static bool steps_somehow(const struct debug_capabilities *found, enum capability_mode mode)
{
	return found->step[mode] || found->slot[mode];
}

/* ---- the table --------------------------------------------------------------------------- */

#define BY_SLOT (NEED_SLOT | NEED_LINEAR)

static const char to_guest[] = "the guest gets it", no_failure[] = "it does not fail there",
		  silent[] = "debug registers do not fire", unseen[] = "never reported",
		  no_exit[] = "a protected page does not exit", leaks[] = "the guest gets the trap",
		  no_steps[] = "KVM cannot step there", mapped[] = "";

/* clang-format off */
const struct ladder_row ladder[] = {
	{WISH_BREAK,  RUNG_INT3,    "int3",      "int3",                      int3_traps,   NEED_MAPPED,            to_guest},
	{WISH_BREAK,  RUNG_INT3,    "emulation", "int3 by emulation failure", int3_fails,   NEED_MAPPED,            no_failure},
	{WISH_BREAK,  RUNG_SLOT,    "slot",      "debug register",            slot_fires,   BY_SLOT,                silent},
	{WISH_BREAK,  RUNG_INT3,    "loaded",    "int3 where the image lies", int3_told,    NEED_UNMAPPED | NEED_LOADED, to_guest},
	{WISH_BREAK,  RUNG_PENDING, "pending",   "pending until mapped",      NULL,         NEED_UNMAPPED,          mapped},
	{WISH_HBREAK, RUNG_SLOT,    "slot",      "debug register",            slot_fires,   BY_SLOT,                silent},
	{WISH_HBREAK, RUNG_INT3,    "int3",      "int3",                      int3_traps,   NEED_MAPPED,            to_guest},
	{WISH_HBREAK, RUNG_INT3,    "emulation", "int3 by emulation failure", int3_fails,   NEED_MAPPED,            no_failure},
	{WISH_HBREAK, RUNG_INT3,    "loaded",    "int3 where the image lies", int3_told,    NEED_UNMAPPED | NEED_LOADED, to_guest},
	{WISH_WATCH,  RUNG_SLOT,    "slot",      "debug register",            watch_fires,  BY_SLOT | NEED_ALIGNED, unseen},
	{WISH_WATCH,  RUNG_PAGE,    "page",      "page protection",           page_writes_exit, NEED_PAGES,         no_exit},
	{WISH_WATCH,  RUNG_COMPARE, "compare",   "step and compare",          steps_somehow, NEED_COMPARE,          no_steps},
	{WISH_ACCESS, RUNG_SLOT,    "slot",      "debug register",            access_fires, BY_SLOT | NEED_ALIGNED, unseen},
	{WISH_ACCESS, RUNG_PAGE,    "page",      "withdrawn page",            page_reads_exit, NEED_PAGES,          no_exit},
	{WISH_ACCESS, RUNG_COMPARE, "compare",   "step and compare",          steps_somehow, NEED_COMPARE,          no_steps},
	{WISH_STEP,   RUNG_TF,      "tf",        "KVM's single step",         steps,        0,                      leaks},
	{WISH_STEP,   RUNG_SLOT,    "slots",     "debug registers ahead",     slot_fires,   0,                      silent},
};
/* clang-format on */
const unsigned ladder_size = sizeof(ladder) / sizeof(ladder[0]);

static const struct {
	const char *name, *title;
} wishes[WISH_COUNT] = {
	[WISH_BREAK] = {"break", "breakpoint"},	 [WISH_HBREAK] = {"hbreak", "hardware breakpoint"},
	[WISH_WATCH] = {"watch", "write watch"}, [WISH_ACCESS] = {"access", "read or access watch"},
	[WISH_STEP] = {"step", "single step"},
};

const char *wish_name(enum wish wish)
{
	return wishes[wish].name;
}

const char *wish_title(enum wish wish)
{
	return wishes[wish].title;
}

/* ---- one row ----------------------------------------------------------------------------- */

bool ladder_allowed(const struct ladder_row *row, enum wish wish,
		    const struct debug_strategy *strategy)
{
	const struct ladder_row *forced = strategy->forced[wish]
						  ? &ladder[strategy->forced[wish] - 1]
						  : NULL;

	if (row->wish != wish)
		return false;
	return !forced || row == forced ||
	       ((row->needs & NEED_UNMAPPED) && (forced->needs & NEED_MAPPED));
}

bool ladder_works(const struct ladder_row *row, const struct debug_capabilities *found,
		  enum capability_mode mode)
{
	return !row->works || row->works(found, mode);
}

/* In the order of what a user can do something about, last first. */
enum obstacle {
	NO_OBSTACLE,
	OBSTACLE_IS_MAPPED,
	OBSTACLE_HOST,
	OBSTACLE_UNMAPPED,
	OBSTACLE_PHYSICAL,
	OBSTACLE_LENGTH,
	OBSTACLE_COMPARE,
	OBSTACLE_PAGES,
	OBSTACLE_FULL,
};

static bool works_in(const struct ladder_row *row, const struct debug_capabilities *found,
		     unsigned modes)
{
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		if ((modes >> mode & 1) && !ladder_works(row, found, mode))
			return false;
	return true;
}

static enum obstacle obstacle(const struct ladder_row *row, const struct debug_capabilities *found,
			      const struct ladder_place *place, unsigned modes)
{
	if ((row->needs & NEED_UNMAPPED) && place->mapped)
		return OBSTACLE_IS_MAPPED;
	if (!works_in(row, found, modes))
		return OBSTACLE_HOST;
	if (((row->needs & NEED_MAPPED) && !place->mapped) ||
	    ((row->needs & NEED_LOADED) && !place->loaded))
		return OBSTACLE_UNMAPPED;
	if ((row->needs & NEED_LINEAR) && place->physical)
		return OBSTACLE_PHYSICAL;
	if ((row->needs & NEED_ALIGNED) && !dr_can_watch(place->address, place->length))
		return OBSTACLE_LENGTH;
	if ((row->needs & NEED_PAGES) && place->no_pages)
		return OBSTACLE_PAGES;
	if ((row->needs & NEED_COMPARE) && place->no_compare)
		return OBSTACLE_COMPARE;
	return (row->needs & NEED_SLOT) && place->slots_full ? OBSTACLE_FULL : NO_OBSTACLE;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static int refuse_for_host(enum wish wish, const struct ladder_place *place, struct error *err)
{
	unsigned long long at = place->address;

	if (wish == WISH_WATCH || wish == WISH_ACCESS)
		return error_set(err, -ENOTSUP,
				 "this host's KVM tells nothing of accesses to 0x%llx: neither its "
				 "debug registers nor protected pages report them here, and it "
				 "cannot step all of the guest's code that may make them",
				 at);
	if (wish == WISH_STEP)
		return error_set(
			err, -ENOTSUP,
			"this host's KVM cannot single-step in %s (the guest would get "
			"the trap); set a breakpoint where the kernel is entered next, and "
			"continue",
			capability_mode_name(__builtin_ctz(place->modes)));
	if (place->modes >> CAP_USER & 1)
		return error_set(err, -ENOTSUP,
				 "0x%llx is ring 3 code, and this host's KVM gives breakpoints "
				 "there to the guest instead of stopping: set it where the kernel "
				 "is entered, or use a host with VT-x or AMD-V",
				 at);
	return error_set(err, -ENOTSUP,
			 "nothing on this host's KVM stops at 0x%llx in the present mode", at);
}

static int refuse(enum wish wish, enum obstacle why, const struct ladder_place *place,
		  struct error *err)
{
	unsigned long long at = place->address;

	switch (why) {
	case OBSTACLE_FULL:
		return error_set(err, -ENOSPC,
				 "0x%llx needs a debug register here, and all four are in use: "
				 "delete another point",
				 at);
	case OBSTACLE_LENGTH:
		return error_set(err, -ENOTSUP,
				 "a debug register watches 1, 2, 4 or 8 aligned bytes, not %llu at "
				 "0x%llx",
				 (unsigned long long)place->length, at);
	case OBSTACLE_PHYSICAL:
		return error_set(err, -ENOTSUP,
				 "a debug register knows linear addresses, not the physical 0x%llx",
				 at);
	case OBSTACLE_PAGES: return error_set(err, -ENOTSUP, "%s", place->no_pages);
	case OBSTACLE_COMPARE: return error_set(err, -ENOTSUP, "%s", place->no_compare);
	case OBSTACLE_UNMAPPED:
		return error_set(err, -ENOTSUP, "0x%llx is not mapped to RAM at present", at);
	default: return refuse_for_host(wish, place, err);
	}
}

/* ---- choosing ---------------------------------------------------------------------------- */

static const struct ladder_row *first(const struct debug_capabilities *found,
				      const struct debug_strategy *strategy, enum wish wish,
				      const struct ladder_place *place, unsigned modes,
				      enum obstacle *worst)
{
	*worst = NO_OBSTACLE;
	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++) {
		enum obstacle here;

		if (!ladder_allowed(row, wish, strategy))
			continue;
		here = obstacle(row, found, place, modes);
		if (here == NO_OBSTACLE)
			return row;
		if (here > *worst)
			*worst = here;
	}
	return NULL;
}

const struct ladder_row *ladder_choose(const struct debug_capabilities *found,
				       const struct debug_strategy *strategy, enum wish wish,
				       const struct ladder_place *place, struct error *err)
{
	enum obstacle worst;
	const struct ladder_row *row = first(found, strategy, wish, place,
					     place->modes | place->soon, &worst);

	if (!row)
		row = first(found, strategy, wish, place, place->modes, &worst);
	if (row)
		return row;
	refuse(wish, worst, place, err);
	if (strategy->forced[wish])
		error_prefix(err, "-debug-strategy %s=%s", wish_name(wish),
			     ladder[strategy->forced[wish] - 1].name);
	return NULL;
}
