// SPDX-License-Identifier: GPL-3.0-or-later
/* The ladder for points: which way of realising one works on this host, for this address, now. */
#include "debug/compare.h"
#include "debug/ladder.h"
#include "log.h"

bool core_is_watch(enum point_kind kind)
{
	return kind == POINT_WRITE || kind == POINT_READ || kind == POINT_ACCESS;
}

bool core_is_breakpoint(enum point_kind kind)
{
	return kind == POINT_SOFTWARE || kind == POINT_HARDWARE;
}

/* What is known of an address for a breakpoint there. */
struct setting {
	bool mapped;	/* to RAM, for one vCPU at least */
	bool loaded;	/* not mapped, but the image says where its bytes lie */
	bool user;	/* ring 3 may execute it */
	unsigned modes; /* bit mask of capability_mode: where vCPUs are that may meet it */
	unsigned soon;	/* where others will be, when they are started */
};

/* A supervisor page is never executed in ring 3, so a vCPU that is in ring 3 now will meet the
 * point in ring 0 of the same mode. */
enum capability_mode core_kernel_mode_of(const struct cpu_state *state)
{
	enum capability_mode mode = core_mode_of(state);

	return mode == CAP_USER ? (state->system.efer & EFER_LMA ? CAP_LONG : CAP_PROT) : mode;
}

static bool waits_for_start(const struct cpu_state *state)
{
	return state->events.run_state == CPU_WAIT_INIT || state->events.run_state == CPU_WAIT_SIPI;
}

#define STARTUP_END                                                                                \
	0x100000 /* a startup IPI names a page below, and the vCPU begins there in real mode */

static void look_from(struct debug *debug, struct vcpu *vcpu, const struct point_spec *spec,
		      struct setting *setting)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	struct paging_walk walk;

	if (state && waits_for_start(state) && spec->address < STARTUP_END)
		setting->soon |= 1u << CAP_REAL;
	if (!state || waits_for_start(state))
		return;
	setting->modes |= 1u << core_kernel_mode_of(state);
	if (core_point_walk(debug, spec, vcpu, spec->address, &walk) != PAGING_OK)
		return;
	setting->mapped |= mem_hva(debug->machine->memory, walk.gpa, NULL) != NULL;
	setting->user |= walk.levels > 0 && walk.user;
}

static struct setting look_at(struct debug *debug, const struct point_spec *spec)
{
	struct setting setting = {0};
	uint64_t gpa;
	bool is_64;

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		look_from(debug, &debug->machine->vcpus[i], spec, &setting);
	if (!setting.mapped && core_image_place(debug, spec->address, &gpa, &is_64)) {
		/* It will be met with paging on, whatever is on now. */
		setting.loaded = true;
		setting.modes = 1u << (is_64 ? CAP_LONG : CAP_PROT);
	}
	return setting;
}

/* A guest that boots goes from real mode to protected mode and on to long mode. */
static unsigned modes_to_come(unsigned modes)
{
	if (modes >> CAP_REAL & 1)
		return 1u << CAP_PROT | 1u << CAP_LONG;
	return modes >> CAP_PROT & 1 ? 1u << CAP_LONG : 0;
}

enum wish core_wish_of(enum point_kind kind)
{
	if (core_is_watch(kind))
		return kind == POINT_WRITE ? WISH_WATCH : WISH_ACCESS;
	return kind == POINT_SOFTWARE ? WISH_BREAK : WISH_HBREAK;
}

/* A page that carries a watch goes on to, whatever it is used for by now. */
static const char *why_no_pages(struct debug *debug, const struct core_point *point,
				struct error *why)
{
	if (!core_is_watch(point->point.spec.kind) || point->rung == RUNG_PAGE ||
	    core_pages_carry(debug, point, why))
		return NULL;
	return why->text;
}

static const char *why_no_compare(struct debug *debug, const struct core_point *point,
				  struct error *why)
{
	if (!core_is_watch(point->point.spec.kind) || point->rung == RUNG_COMPARE ||
	    core_compare_carries(debug, point, why))
		return NULL;
	return why->text;
}

static const struct ladder_row *choose(struct debug *debug, const struct core_point *point,
				       bool slots_full, struct error *err)
{
	const struct point_spec *spec = &point->point.spec;
	struct setting setting = look_at(debug, spec);
	struct error no_pages = {0}, no_compare = {0};
	struct ladder_place place = {.modes = setting.modes | (setting.user ? 1u << CAP_USER : 0),
				     .soon = setting.soon | modes_to_come(setting.modes),
				     .mapped = setting.mapped,
				     .loaded = setting.loaded,
				     .physical = spec->physical,
				     .slots_full = slots_full,
				     .address = spec->address,
				     .length = spec->length,
				     .no_pages = why_no_pages(debug, point, &no_pages),
				     .no_compare = why_no_compare(debug, point, &no_compare)};

	return ladder_choose(&debug->capabilities, &debug->config.strategy,
			     core_wish_of(spec->kind), &place, err);
}

#define ALL_TAKEN ((1u << DR_SLOTS) - 1)

/* Step and compare costs so much that a debug register is not given up for it. */
static bool carries_well(const struct ladder_row *row)
{
	return row && row->rung != RUNG_COMPARE;
}

/* Whether a debug register is all that carries it well. */
static bool needs_slot(struct debug *debug, const struct core_point *point)
{
	enum point_kind kind = point->point.spec.kind;
	const struct ladder_row *row;

	if (!point->enabled || !(core_is_watch(kind) || core_is_breakpoint(kind)))
		return false;
	row = choose(debug, point, false, NULL);
	return row && row->rung == RUNG_SLOT && !carries_well(choose(debug, point, true, NULL));
}

static unsigned count_needing_slots(struct debug *debug, const struct core_point *from)
{
	unsigned count = 0;

	for (const struct core_point *p = from; p; p = p->next)
		count += needs_slot(debug, p);
	return count;
}

static bool is_listed(const struct debug *debug, const struct core_point *point)
{
	for (const struct core_point *p = debug->points; p; p = p->next)
		if (p == point)
			return true;
	return false;
}

/* Points are given debug registers in the order of the list. One that has another rung leaves the
 * last to those behind it that have none. */
static bool leaves_slot(struct debug *debug, const struct core_point *point, unsigned taken)
{
	unsigned in_use = (unsigned)__builtin_popcount(taken & ALL_TAKEN);

	if (!point->next || !carries_well(choose(debug, point, true, NULL)))
		return false;
	return in_use + count_needing_slots(debug, point->next) >= DR_SLOTS;
}

/* All are taken, but the point is new: some of them will be left to it. */
static bool gets_slot(struct debug *debug, const struct core_point *point)
{
	const struct ladder_row *row;

	if (is_listed(debug, point) || count_needing_slots(debug, debug->points) >= DR_SLOTS)
		return false;
	row = choose(debug, point, false, NULL);
	return row && row->rung == RUNG_SLOT;
}

enum rung core_choose_rung(struct debug *debug, const struct core_point *point, unsigned taken,
			   struct error *err)
{
	enum point_kind kind = point->point.spec.kind;
	const struct ladder_row *row;

	if (!core_is_watch(kind) && !core_is_breakpoint(kind))
		return core_catch_rung(debug, point, err);
	row = choose(debug, point, taken == ALL_TAKEN, err);
	if (row && row->rung == RUNG_SLOT && leaves_slot(debug, point, taken))
		row = choose(debug, point, true, err);
	if (!carries_well(row) && taken == ALL_TAKEN && gets_slot(debug, point))
		return RUNG_SLOT;
	return row ? row->rung : RUNG_NONE;
}

enum rung core_step_rung(const struct debug *debug, enum capability_mode mode, struct error *err)
{
	struct ladder_place place = {.modes = 1u << mode};
	const struct ladder_row *row = ladder_choose(&debug->capabilities, &debug->config.strategy,
						     WISH_STEP, &place, err);

	return row ? row->rung : RUNG_NONE;
}

#define DR7_ENABLES 0xffu

void core_note_sharing(struct debug *debug, struct core_point *point)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count && !point->shares; i++) {
		struct cpu_state *state = vcpu_state(&debug->machine->vcpus[i], CPU_DEBUG);

		if (!state || !(state->debug.dr7 & DR7_ENABLES))
			continue;
		point->shares = true;
		log_warn("debug",
			 "point %d takes the debug registers, which the guest uses too (vCPU %u, "
			 "DR7 0x%llx): its own may not fire as long as the point is there",
			 point->point.number, i, (unsigned long long)state->debug.dr7);
	}
}

const char *core_rung_text(const struct debug *debug, const struct core_point *point)
{
	static const char *const slots[DR_SLOTS] = {"debug register 0", "debug register 1",
						    "debug register 2", "debug register 3"};

	switch (point->rung) {
	case RUNG_SLOT: return point->slot < DR_SLOTS ? slots[point->slot] : "debug register";
	case RUNG_INT3:
		return debug->capabilities.int3[CAP_LONG] == INT3_TRAPS
			       ? "int3"
			       : "int3 by emulation failure";
	case RUNG_PENDING: return "pending: armed when the guest maps its page";
	case RUNG_PAGE: return "page protection";
	case RUNG_COMPARE: return "step and compare: slow";
	case RUNG_ALWAYS: return core_catch_how(point);
	default: return "not armed";
	}
}
