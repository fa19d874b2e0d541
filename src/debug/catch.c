// SPDX-License-Identifier: GPL-3.0-or-later
/* The kinds of catches, and what the machine must be told before it runs so that they are seen. */
#include "debug/catch_private.h"

#include <errno.h>
#include <string.h>

#define MAX_EXCEPTION 31
#define MAX_MSRS      0x10000u /* in one catch */
#define APIC_MSRS     0x800u   /* to 0x8ff: x2APIC */
#define MSR_RANGES    64

/* What KVM's own controllers answer does not exit. */
struct taken {
	uint64_t first, last;
	const char *by;
};

static const struct taken kernel_ports[] = {
	{0x20, 0x21, "interrupt controller"},
	{0xa0, 0xa1, "interrupt controller"},
	{0x4d0, 0x4d1, "interrupt controller"},
	{0x40, 0x43, "timer"},
	{0x61, 0x61, "timer"},
};
static const struct taken kernel_mmio[] = {
	{0xfec00000, 0xfec00fff, "I/O APIC"},
	{0xfee00000, 0xfee00fff, "local APIC"},
};

static int check_taken(struct debug *debug, const struct point_spec *spec,
		       const struct taken *taken, size_t count, struct error *err)
{
	uint64_t last = spec->address + spec->length - 1;

	if (debug->machine->pic)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (spec->address >= taken[i].first && last <= taken[i].last)
			return error_set(err, -ENOTSUP,
					 "0x%llx is answered inside KVM (its %s) and is never seen "
					 "here; -irqchip=user brings the 8259 and 8254 out",
					 (unsigned long long)spec->address, taken[i].by);
	return 0;
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int check_io(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	return check_taken(debug, spec, kernel_ports, COUNT(kernel_ports), err);
}

static int check_mmio(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	uint64_t gpa, size;

	for (unsigned i = 0; memory_range(debug->machine->memory, i, &gpa, &size); i++)
		if (spec->address < gpa + size && gpa < spec->address + spec->length)
			return error_set(err, -EINVAL,
					 "0x%llx-0x%llx reaches into RAM (0x%llx-0x%llx), whose "
					 "accesses are no MMIO: use a watch there",
					 (unsigned long long)spec->address,
					 (unsigned long long)(spec->address + spec->length - 1),
					 (unsigned long long)gpa,
					 (unsigned long long)(gpa + size - 1));
	return check_taken(debug, spec, kernel_mmio, COUNT(kernel_mmio), err);
}

static int check_exception(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	(void)debug;
	if (spec->address <= MAX_EXCEPTION && spec->length == 1)
		return 0;
	return error_set(err, -EINVAL,
			 "exceptions are the vectors 0 to %d, one for each catch; for an "
			 "interrupt set a breakpoint on its handler",
			 MAX_EXCEPTION);
}

static int check_hlt(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	(void)spec;
	if (debug->machine->pic)
		return 0;
	return error_set(err, -ENOTSUP,
			 "with the interrupt controllers in the kernel a hlt does not leave it; "
			 "start with -irqchip=user, or set a breakpoint on the instruction");
}

static int check_int3(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	(void)spec;
	for (int mode = 0; mode < CAP_MODE_COUNT; mode++)
		if (debug->capabilities.int3[mode] != INT3_LOST)
			return 0;
	return error_set(err, -ENOTSUP,
			 "this host's KVM gives every int3 to the guest unseen; catch exception 3 "
			 "stops in its handler");
}

static int check_online(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	(void)spec;
	if (debug->machine->vcpu_count > 1)
		return 0;
	return error_set(err, -EINVAL, "there is one vCPU, and it is online; use -smp 2 or more");
}

/* ---- MSR filters ------------------------------------------------------------------------- */

struct msr_ranges {
	struct accel_msr_range range[MSR_RANGES];
	unsigned count;
};

static bool add_msrs(struct msr_ranges *ranges, const struct point_spec *spec)
{
	if (ranges->count == MSR_RANGES)
		return false;
	ranges->range[ranges->count++] = (struct accel_msr_range){
		.first = (uint32_t)spec->address,
		.count = (uint32_t)spec->length,
		.read = spec->direction != ON_WRITE,
		.write = spec->direction != ON_READ,
	};
	return true;
}

/* FNV-1a: so that a filter which is in force already is not set again, which takes the kernel long. */
static uint64_t sum_of(const struct msr_ranges *ranges)
{
	const uint8_t *bytes = (const uint8_t *)ranges->range;
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < ranges->count * sizeof(ranges->range[0]); i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3;
	return ranges->count ? sum | 1 : 0;
}

/* What is caught now, and more (may be NULL). */
static int filter_msrs(struct debug *debug, const struct point_spec *more, struct error *err)
{
	const struct accel_ops *ops = debug->machine->vm->ops;
	struct msr_ranges ranges;
	bool fits;
	int rc;

	memset(&ranges, 0, sizeof(ranges));
	fits = !more || add_msrs(&ranges, more);

	for (struct core_point *p = catch_next(debug->points, POINT_CATCH_MSR); p;
	     p = catch_next(p->next, POINT_CATCH_MSR))
		fits = fits && add_msrs(&ranges, &p->point.spec);
	if (!fits)
		return error_set(err, -ENOSPC, "too many catches of MSRs: delete one");
	if (sum_of(&ranges) == debug->msr_filter)
		return 0;
	rc = ops->msr_trap(debug->machine->vm, ranges.range, ranges.count, err);
	if (rc == 0)
		debug->msr_filter = sum_of(&ranges);
	return rc;
}

static int check_msr(struct debug *debug, const struct point_spec *spec, struct error *err)
{
	if (spec->length > MAX_MSRS)
		return error_set(err, -EINVAL, "at most %u MSRs in one catch", MAX_MSRS);
	if (spec->address + spec->length > APIC_MSRS && spec->address <= APIC_MSRS + 0xff)
		return error_set(err, -ENOTSUP,
				 "MSRs 0x800-0x8ff are the local APIC's, which is inside KVM: "
				 "their accesses are never seen here");
	return filter_msrs(debug, spec, err);
}

/* ---- the kinds --------------------------------------------------------------------------- */

static const struct catch_kind kinds[POINT_KIND_COUNT] = {
	[POINT_CATCH_EXCEPTION] = {STOP_EXCEPTION, 255, check_exception,
				   "a breakpoint on the handler of its IDT gate"},
	[POINT_CATCH_IO] = {STOP_IO, 0xffff, check_io, "exits of port I/O"},
	[POINT_CATCH_MMIO] = {STOP_MMIO, UINT64_MAX, check_mmio,
			      "exits of accesses to what is no RAM"},
	[POINT_CATCH_MSR] = {STOP_MSR, UINT32_MAX, check_msr, "KVM's MSR filter"},
	[POINT_CATCH_MODE] = {STOP_MODE_SWITCH, 0, NULL,
			      "comparing at each exit, and at each step"},
	[POINT_CATCH_HLT] = {STOP_HLT, 0, check_hlt, "exits of hlt"},
	[POINT_CATCH_INT3] = {STOP_GUEST_INT3, 0, check_int3,
			      "the way by which breakpoints are hit"},
	[POINT_CATCH_RESET] = {STOP_RESET, 0, NULL, "the devices that reset"},
	[POINT_CATCH_SHUTDOWN] = {STOP_SHUTDOWN, 0, NULL, "the devices that end the run"},
	[POINT_CATCH_ONLINE] = {STOP_ONLINE, 0, check_online,
				"asking a waiting vCPU a thousand times a second"},
	[POINT_CATCH_TRIPLE_FAULT] = {STOP_TRIPLE_FAULT, 0, NULL, "the exit of a shutdown"},
	[POINT_CATCH_EMULATION] = {STOP_EMULATION_FAILURE, 0, NULL, "KVM's report"},
};

const struct catch_kind *catch_kind_of(enum point_kind kind)
{
	return (unsigned)kind < POINT_KIND_COUNT && kinds[kind].how ? &kinds[kind] : NULL;
}

/* ---- the list ---------------------------------------------------------------------------- */

struct core_point *catch_next(struct core_point *p, enum point_kind kind)
{
	while (p && (!p->enabled || p->point.spec.kind != kind))
		p = p->next;
	return p;
}

enum rung core_catch_rung(struct debug *debug, const struct core_point *point, struct error *err)
{
	const struct point_spec *spec = &point->point.spec;
	const struct catch_kind *catch = catch_kind_of(spec->kind);

	if (!catch) {
		error_set(err, -EINVAL, "there is no such kind of point");
		return RUNG_NONE;
	}
	if (debug_catch_ranged(spec->kind) && (!spec->length || spec->address > catch->last ||
					       spec->length - 1 > catch->last - spec->address)) {
		error_set(err, -EINVAL, "%s goes from 0 to 0x%llx", debug_catch_name(spec->kind),
			  (unsigned long long)catch->last);
		return RUNG_NONE;
	}
	return catch->check && catch->check(debug, spec, err) < 0 ? RUNG_NONE : RUNG_ALWAYS;
}

const char *core_catch_how(const struct core_point *point)
{
	const struct catch_kind *catch = catch_kind_of(point->point.spec.kind);

	if (point->how[0])
		return point->how;
	return catch ? catch->how : "not armed";
}

bool core_catches_int3(const struct debug *debug)
{
	return debug->catches & KIND_BIT(POINT_CATCH_INT3);
}

bool catch_event(struct debug *debug, struct vcpu *vcpu, enum point_kind kind, struct stop *stop)
{
	const struct stop blank = *stop;
	bool tell = false;

	for (struct core_point *p = catch_next(debug->points, kind); p;
	     p = catch_next(p->next, kind)) {
		struct stop its = blank;

		if (!core_judge(debug, vcpu, p, &its))
			continue;
		if (!tell)
			*stop = its;
		tell = true;
	}
	return tell;
}

/* ---- before a launch --------------------------------------------------------------------- */

static unsigned kinds_wanted(const struct debug *debug)
{
	unsigned wanted = 0;

	for (const struct core_point *p = debug->points; p; p = p->next)
		if (p->enabled && catch_kind_of(p->point.spec.kind))
			wanted |= KIND_BIT(p->point.spec.kind);
	return wanted;
}

static bool overlaps_coalesced(const struct bus *bus, const struct point_spec *spec)
{
	for (const struct bus_region *r = bus->regions; r; r = r->next)
		if (r->coalesced && spec->address < r->base + r->size &&
		    r->base < spec->address + spec->length)
			return true;
	return false;
}

/* A write that is collected is not seen when it is made. */
static void set_coalescing(struct debug *debug, const struct bus *bus, enum point_kind kind,
			   bool *off)
{
	bool wanted_off = false;

	for (struct core_point *p = catch_next(debug->points, kind); p;
	     p = catch_next(p->next, kind))
		wanted_off |= overlaps_coalesced(bus, &p->point.spec);
	if (wanted_off != *off)
		machine_coalesce(debug->machine, bus, !wanted_off);
	*off = wanted_off;
}

static bool waits_for_start(struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	return state && (state->events.run_state == CPU_WAIT_INIT ||
			 state->events.run_state == CPU_WAIT_SIPI);
}

static void prepare_vcpu(struct debug *debug, unsigned i, unsigned wanted)
{
	struct vcpu *vcpu = &debug->machine->vcpus[i];
	struct core_vcpu *v = &debug->vcpu[i];
	const struct cpu_state *state;
	bool waits;

	/* It may have been started while it was held. */
	waits = waits_for_start(vcpu);
	vcpu->await_start = (wanted & KIND_BIT(POINT_CATCH_ONLINE)) && (waits || v->waited);
	v->waited = waits && (wanted & KIND_BIT(POINT_CATCH_ONLINE));
	if (!(wanted & KIND_BIT(POINT_CATCH_MODE)))
		return;
	state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	v->mode_known = state != NULL;
	if (state)
		v->mode = cpu_mode(state);
}

void core_catch_prepare(struct debug *debug)
{
	unsigned wanted = kinds_wanted(debug), before = debug->catches;

	debug->catches = wanted;
	atomic_store(&debug->machine->attentive, wanted != 0);
	filter_msrs(debug, NULL, NULL);
	if (!wanted && !before)
		return;
	set_coalescing(debug, &debug->machine->ports, POINT_CATCH_IO, &debug->ports_exit);
	set_coalescing(debug, &debug->machine->mmio, POINT_CATCH_MMIO, &debug->mmio_exits);
	if ((wanted | before) & KIND_BIT(POINT_CATCH_EXCEPTION))
		catch_follow_gates(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		prepare_vcpu(debug, i, wanted);
}
