// SPDX-License-Identifier: GPL-3.0-or-later
/* The doctor finds out: the host, its promises, what the probe says, and what would help. */
#include "debug/diagnosis.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void report_printf(struct report *report, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n > 0)
		report->write(report->ctx, text,
			      (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* ---- what follows for a wish ------------------------------------------------------------- */

bool diagnosis_considers(const struct diagnosis *d, const struct ladder_row *row, enum wish wish)
{
	return ladder_allowed(row, wish, d->strategy) && !(row->needs & NEED_UNMAPPED);
}

const struct ladder_row *diagnosis_rung(const struct diagnosis *d, enum wish wish,
					enum capability_mode mode)
{
	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++)
		if (diagnosis_considers(d, row, wish) && ladder_works(row, &d->found, mode))
			return row;
	return NULL;
}

static bool is_debuggable(const struct diagnosis *d)
{
	for (enum capability_mode mode = 0; d->asked && mode < CAP_MODE_COUNT; mode++)
		if (diagnosis_rung(d, WISH_BREAK, mode) || diagnosis_rung(d, WISH_STEP, mode))
			return true;
	return false;
}

/* ---- promises that are not kept ---------------------------------------------------------- */

static unsigned promised(const struct diagnosis *d, const char *name)
{
	for (unsigned i = 0; i < d->host.promise_count; i++)
		if (strcmp(d->host.promise[i].name, name) == 0)
			return d->host.promise[i].value;
	return 0;
}

static unsigned modes_without(const struct diagnosis *d, size_t offset)
{
	const uint8_t *answer = (const uint8_t *)&d->found + offset;
	unsigned modes = 0;

	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		modes |= answer[mode] ? 0 : 1u << mode;
	return modes;
}

/* An answer of 0 is a no in all of these. */
const char *diagnosis_broken(const struct diagnosis *d, unsigned i, unsigned *modes)
{
	static const struct {
		const char *promise, *title;
		size_t offset;
		bool once; /* one answer for all modes */
	} kept_by[] = {
		{"guest_step", "single step", offsetof(struct debug_capabilities, step), false},
		{"guest_int3", "int3", offsetof(struct debug_capabilities, int3), false},
		{"guest_slots", "execution slot", offsetof(struct debug_capabilities, slot), false},
		{"guest_slots", "watch", offsetof(struct debug_capabilities, watch_write), false},
		{"readonly_memory", "read-only memory",
		 offsetof(struct debug_capabilities, page_write), false},
		{"guest_block_irq", "interrupt blocking",
		 offsetof(struct debug_capabilities, block_irq), true},
	};
	const uint8_t *answers = (const uint8_t *)&d->found;

	*modes = 0;
	for (size_t n = 0; d->asked && n < sizeof(kept_by) / sizeof(kept_by[0]); n++) {
		unsigned without = kept_by[n].once ? 0 : modes_without(d, kept_by[n].offset);
		bool broken = kept_by[n].once ? !answers[kept_by[n].offset] : without != 0;

		if (!broken || !promised(d, kept_by[n].promise) || i-- > 0)
			continue;
		*modes = without;
		return kept_by[n].title;
	}
	return NULL;
}

/* ---- what would help --------------------------------------------------------------------- */

static void advise(struct diagnosis *d, const char *remedy)
{
	if (d->remedy_count < MAX_REMEDIES)
		d->remedy[d->remedy_count++] = remedy;
}

static bool is_incomplete(const struct diagnosis *d)
{
	for (enum wish wish = 0; wish < WISH_COUNT; wish++)
		for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
			if (!diagnosis_rung(d, wish, mode))
				return true;
	return false;
}

static bool is_forced(const struct diagnosis *d)
{
	for (enum wish wish = 0; wish < WISH_COUNT; wish++)
		if (d->strategy->forced[wish])
			return true;
	return false;
}

static void prescribe(struct diagnosis *d)
{
	unsigned modes;

	if (d->host.device_errno)
		advise(d, d->host.remedy);
	if (d->host.device && !d->host.hardware && d->host.hypervisor[0])
		advise(d,
		       "this machine is virtual, and the hypervisor under it hands no VT-x or "
		       "AMD-V "
		       "on: switch nested virtualisation on there (QEMU: -cpu host, and nested=1 "
		       "for kvm_intel or kvm_amd; clouds: an instance type that offers it, or "
		       "bare metal)");
	else if (d->host.device && !d->host.hardware)
		advise(d, "the processor shows no VT-x or AMD-V: switch it on in the firmware's "
			  "setup");
	if (diagnosis_broken(d, 0, &modes))
		advise(d,
		       "this KVM does not keep what it promises; vitrine goes round it where the "
		       "ladder has another rung");
	if (d->asked && is_incomplete(d) && is_forced(d))
		advise(d, "some of what is refused may work without -debug-strategy");
	if (d->asked && is_incomplete(d))
		advise(d, "what is refused works on a host with complete VT-x or AMD-V, or in an "
			  "emulated one: QEMU 10 or later with -accel tcg -cpu max carries a KVM");
}

/* ---- the examination --------------------------------------------------------------------- */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void look_at_host(struct diagnosis *d, const struct accel_ops *accel,
			 const struct accel_config *config)
{
	d->accelerator = accel->name;
	accel->host(config, &d->host);
	uname(&d->kernel);
}

static void ask_host(struct diagnosis *d, const struct doctor_request *request)
{
	struct machine_config config = {.accel = request->accel,
					.kvm_device = request->kvm_device,
					.dummy = request->dummy};
	uint64_t before = now_us();

	d->asked = core_know_host(&config, request->cache, true, &d->found, &d->trouble) == 0;
	d->probe_us = now_us() - before;
}

static bool tell(struct diagnosis *d, bool json, doctor_write_fn *write, void *ctx)
{
	struct report report = {.write = write, .ctx = ctx};

	d->debuggable = is_debuggable(d);
	prescribe(d);
	(json ? doctor_tell_json : doctor_tell_text)(d, &report);
	return d->debuggable;
}

bool doctor_examine(const struct doctor_request *request, bool json, doctor_write_fn *write,
		    void *ctx)
{
	struct accel_config config = {.device = request->kvm_device, .dummy = request->dummy};
	struct diagnosis d = {.strategy = request->strategy};

	look_at_host(&d, request->accel, &config);
	ask_host(&d, request);
	return tell(&d, json, write, ctx);
}

bool debug_doctor(struct debug *debug, bool json, doctor_write_fn *write, void *ctx)
{
	const struct machine_config *machine = &debug->machine->config;
	struct accel_config config = {.device = machine->kvm_device, .dummy = machine->dummy};
	struct diagnosis d = {
		.strategy = &debug->config.strategy, .asked = true, .found = debug->capabilities};

	look_at_host(&d, machine->accel, &config);
	return tell(&d, json, write, ctx);
}
