// SPDX-License-Identifier: GPL-3.0-or-later
/* The ladder for points: which way of realising one works on this host, for this address, now. */
#include "debug/core.h"

#include <errno.h>
#include <stdio.h>

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

static void look_from(struct debug *debug, struct vcpu *vcpu, const struct point_spec *spec,
		      struct setting *setting)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	struct paging_walk walk;

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

static bool int3_works(const struct debug *debug, const struct setting *setting)
{
	const struct debug_capabilities *cap = &debug->capabilities;

	if (!(setting->mapped || setting->loaded) ||
	    (setting->user && cap->int3[CAP_USER] == INT3_LOST))
		return false;
	for (int mode = 0; mode < CAP_MODE_COUNT; mode++)
		if ((setting->modes >> mode & 1) && cap->int3[mode] == INT3_LOST)
			return false;
	return true;
}

static bool slot_works(const struct debug *debug, const struct setting *setting)
{
	const struct debug_capabilities *cap = &debug->capabilities;

	if (setting->user && !cap->slot[CAP_USER])
		return false;
	for (int mode = 0; mode < CAP_MODE_COUNT; mode++)
		if ((setting->modes >> mode & 1) && !cap->slot[mode])
			return false;
	return true;
}

static enum rung refuse(const struct setting *setting, bool slots_full, uint64_t address,
			struct error *err)
{
	unsigned long long at = address;

	if (slots_full)
		error_set(err, -ENOSPC,
			  "0x%llx needs a debug register here, and all four are in use: delete "
			  "another point",
			  at);
	else if (setting->user)
		error_set(err, -ENOTSUP,
			  "0x%llx is ring 3 code, and this host's KVM gives breakpoints there to "
			  "the guest instead of "
			  "stopping: set it where the kernel is entered, or use a host with VT-x "
			  "or AMD-V",
			  at);
	else
		error_set(err, -ENOTSUP,
			  "nothing on this host's KVM stops at 0x%llx in the present mode", at);
	return RUNG_NONE;
}

static enum rung watch_rung(const struct debug *debug, const struct point_spec *spec,
			    unsigned taken, struct error *err)
{
	if (!debug->capabilities.watch)
		error_set(err, -ENOTSUP, "this host's KVM never reports watches by debug register");
	else if (!dr_can_watch(spec->address, spec->length))
		error_set(err, -ENOTSUP,
			  "a debug register watches 1, 2, 4 or 8 aligned bytes, not %llu at 0x%llx",
			  (unsigned long long)spec->length, (unsigned long long)spec->address);
	else if (taken == (1u << DR_SLOTS) - 1)
		error_set(err, -ENOSPC,
			  "all four debug registers are in use: delete another point");
	else
		return RUNG_SLOT;
	return RUNG_NONE;
}

enum rung core_choose_rung(struct debug *debug, const struct core_point *point, unsigned taken,
			   struct error *err)
{
	const struct point_spec *spec = &point->point.spec;
	enum point_kind kind = spec->kind;
	bool full = taken == (1u << DR_SLOTS) - 1;
	struct setting setting;
	bool slot, int3;

	if (core_is_watch(spec->kind))
		return watch_rung(debug, spec, taken, err);
	if (!core_is_breakpoint(spec->kind))
		return RUNG_ALWAYS;
	setting = look_at(debug, spec);
	int3 = int3_works(debug, &setting);
	if (!setting.mapped)
		kind = POINT_HARDWARE; /* a debug register matches whatever will be mapped */
	slot = !spec->physical && slot_works(debug, &setting);
	if (int3 && (kind == POINT_SOFTWARE || !slot || full))
		return RUNG_INT3;
	if (slot && !full)
		return RUNG_SLOT;
	if (!setting.mapped && spec->kind == POINT_SOFTWARE)
		return RUNG_PENDING;
	return refuse(&setting, slot && full, spec->address, err);
}

const char *core_rung_text(const struct debug *debug, const struct core_point *point)
{
	static const char *const slots[DR_SLOTS] = {"debug register 0", "debug register 1",
						    "debug register 2", "debug register 3"};

	switch (point->rung) {
	case RUNG_SLOT: return slots[point->slot];
	case RUNG_INT3:
		return debug->capabilities.int3[CAP_LONG] == INT3_TRAPS
			       ? "int3"
			       : "int3 by emulation failure";
	case RUNG_PENDING: return "pending: armed when the guest maps its page";
	case RUNG_ALWAYS: return "what exits anyway";
	default: return "not armed";
	}
}
