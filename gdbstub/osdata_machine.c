// SPDX-License-Identifier: GPL-3.0-or-later
/* Tables about the machine: what vitrine and KVM know. */
#include "gdbstub/osdata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- vCPUs ---------------------------------------------------------------------- */

int osdata_vcpus(struct osdata *table)
{
	static const char *const states[] = {[CPU_RUNNABLE] = "runs",
					     [CPU_HALTED] = "halted",
					     [CPU_WAIT_INIT] = "waits for INIT",
					     [CPU_WAIT_SIPI] = "waits for startup"};
	struct vcpu_info info;

	for (unsigned i = 0; i < debug_vcpu_count(table->debug); i++) {
		int ret = debug_vcpu_info(table->debug, (int)i, &info);

		if (ret < 0)
			return ret;
		osdata_row(table);
		osdata_column(table, "vCPU", "%u", i);
		osdata_column(table, "Mode", "%s", cpu_mode_name(info.mode));
		osdata_column(table, "Ring", "%u", info.cpl);
		osdata_column(table, "IF", "%d", info.interrupts);
		osdata_column(table, "Exits", "%" PRIu64, info.exits);
		osdata_column(table, "CR3", "0x%" PRIx64, info.cr3);
		osdata_column(table, "PC", "0x%" PRIx64, info.pc);
		osdata_column(table, "State", "%s", states[info.run_state]);
		osdata_row_end(table);
	}
	return 0;
}

/* ---- exits ---------------------------------------------------------------------- */

#define TARGETS 3

static void targets_column(struct osdata *table, int vcpu, unsigned reason)
{
	struct trace_target target[TARGETS];
	char text[TARGETS * 80] = "";
	unsigned count = debug_trace_targets(table->debug, vcpu, reason, target, TARGETS, NULL);

	for (unsigned i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s (%u)",
			 i ? ", " : "", target[i].text, target[i].count);
	osdata_column(table, "Most often", "%s", text);
}

static void exit_row(struct osdata *table, int vcpu, unsigned reason,
		     const struct trace_share *share)
{
	osdata_row(table);
	osdata_column(table, "vCPU", "%d", vcpu);
	osdata_column(table, "Reason", "%s", share->name);
	osdata_column(table, "Exits", "%" PRIu64, share->exits);
	osdata_column(table, "Guest ms", "%.3f", (double)share->guest_ns / 1e6);
	osdata_column(table, "vitrine ms", "%.3f", (double)share->vitrine_ns / 1e6);
	targets_column(table, vcpu, reason);
	osdata_row_end(table);
}

int osdata_exits(struct osdata *table)
{
	struct trace_share share;

	for (unsigned i = 0; i < debug_vcpu_count(table->debug); i++)
		for (unsigned reason = 0; debug_trace_share(table->debug, (int)i, reason, &share);
		     reason++)
			if (share.exits)
				exit_row(table, (int)i, reason, &share);
	return 0;
}

/* ---- points --------------------------------------------------------------------- */

static void kind_columns(struct osdata *table, const struct point_spec *spec)
{
	static const char *const names[] = {[POINT_SOFTWARE] = "breakpoint",
					    [POINT_HARDWARE] = "hardware breakpoint",
					    [POINT_WRITE] = "write watch",
					    [POINT_READ] = "read watch",
					    [POINT_ACCESS] = "access watch"};
	const char *name = debug_catch_name(spec->kind);
	char place[120];

	debug_catch_place(spec, place, sizeof(place));
	if (name) {
		osdata_column(table, "Place", "%s", place);
		osdata_column(table, "Kind", "catch %s", name);
		return;
	}
	snprintf(place, sizeof(place), "%s0x%" PRIx64, spec->physical ? "physical " : "",
		 spec->address);
	if (spec->kind >= POINT_WRITE && spec->kind <= POINT_ACCESS)
		osdata_column(table, "Place", "%s, %" PRIu64 " bytes", place, spec->length);
	else
		osdata_column(table, "Place", "%s", place);
	osdata_column(table, "Kind", "%s", names[spec->kind]);
}

static void limit_column(struct osdata *table, const struct point *point)
{
	const struct point_limit *limit = &point->spec.limit;
	char vcpu[24] = "", ring[24] = "", cr3[32] = "", text[80];

	if (limit->by & LIMIT_VCPU)
		snprintf(vcpu, sizeof(vcpu), " vCPU %d", limit->vcpu);
	if (limit->by & LIMIT_RING)
		snprintf(ring, sizeof(ring), " ring %u", limit->ring);
	if (limit->by & LIMIT_CR3)
		snprintf(cr3, sizeof(cr3), " cr3 0x%" PRIx64, limit->cr3);
	snprintf(text, sizeof(text), "%s%s%s", vcpu, ring, cr3);
	osdata_column(table, "Only", "%s%s", text + (*text == ' '),
		      !point->condition ? ""
		      : *text		? ", if a condition holds"
					: "if a condition holds");
}

int osdata_breakpoints(struct osdata *table)
{
	static const char *const owners[OWNER_COUNT] = {"-", "gdb", "console"};
	const struct point *point = NULL;

	while ((point = debug_point_next(table->debug, point))) {
		osdata_row(table);
		osdata_column(table, "Number", "%d", point->number);
		osdata_column(table, "Owner", "%s", owners[point->owner]);
		osdata_column(table, "Enabled", "%s", point->enabled ? "yes" : "no");
		osdata_column(table, "Hits", "%" PRIu64, point->hits);
		kind_columns(table, &point->spec);
		osdata_column(table, "How", "%s", point->rung ? point->rung : "");
		limit_column(table, point);
		osdata_row_end(table);
	}
	return 0;
}

/* ---- memory and devices --------------------------------------------------------- */

int osdata_memory_slots(struct osdata *table)
{
	struct memory_slot slot;

	for (unsigned i = 0; debug_memory_slot(table->debug, i, &slot); i++) {
		osdata_row(table);
		osdata_column(table, "Slot", "%u", slot.id);
		osdata_column(table, "Start", "0x%" PRIx64, slot.gpa);
		osdata_column(table, "End", "0x%" PRIx64, slot.gpa + slot.size - 1);
		osdata_column(table, "KiB", "%" PRIu64, slot.size >> 10);
		osdata_column(table, "Access", "%s", slot.read_only ? "read" : "read,write");
		osdata_column(table, "Dirty log", "%s", slot.log_dirty ? "on" : "off");
		osdata_row_end(table);
	}
	return 0;
}

int osdata_devices(struct osdata *table)
{
	struct device_region_info list[DEVICE_REGIONS];
	unsigned count = debug_device_regions(table->debug, list);

	for (unsigned i = 0; i < count; i++) {
		const struct device_region_info *region = &list[i];

		osdata_row(table);
		osdata_column(table, "Space", "%s", region->port ? "port" : "memory");
		osdata_column(table, "Start", "0x%" PRIx64, region->base);
		osdata_column(table, "End", "0x%" PRIx64, region->base + region->size - 1);
		osdata_column(table, "By", "%s", region->in_kernel ? "kernel" : "vitrine");
		osdata_column(table, "Writes", "%s", region->coalesced ? "collected" : "at once");
		osdata_column(table, "Device", "%s", region->name);
		osdata_row_end(table);
	}
	return 0;
}

/* ---- the local APIC ------------------------------------------------------------- */

static void lapic_mode_row(struct osdata *table, uint64_t base)
{
	char text[80];

	osdata_row(table);
	osdata_column(table, "vCPU", "%d", table->vcpu);
	osdata_column(table, "Offset", "%s", "");
	osdata_column(table, "Value", "0x%" PRIx64, base);
	osdata_column(table, "Register", "%s", "APIC_BASE");
	osdata_column(table, "Meaning", "%s", lapic_base_text(base, text, sizeof(text)));
	osdata_row_end(table);
}

static void lapic_row(struct osdata *table, const struct lapic *lapic,
		      const struct lapic_register *reg)
{
	char text[240];

	osdata_row(table);
	osdata_column(table, "vCPU", "%d", table->vcpu);
	osdata_column(table, "Offset", "0x%03x", reg->offset);
	if (reg->words == 1)
		osdata_column(table, "Value", "0x%x", lapic_word(lapic, reg->offset));
	else
		osdata_column(table, "Value", "%s", "");
	osdata_column(table, "Register", "%s", reg->name);
	osdata_column(table, "Meaning", "%s", lapic_text(lapic, reg, text, sizeof(text)));
	osdata_row_end(table);
}

int osdata_lapic(struct osdata *table)
{
	const struct cpu_state *state = debug_state(table->debug, table->vcpu, CPU_SYSTEM);
	const struct lapic_register *reg;
	struct lapic lapic;
	int ret = debug_lapic(table->debug, table->vcpu, &lapic);

	if (ret == -ENOTSUP)
		return error_set(&table->s->error, ret,
				 "the vCPUs have no local APIC: it comes with -irqchip kernel");
	if (ret < 0 || !state)
		return ret < 0 ? ret : -EBUSY;
	lapic_mode_row(table, state->system.apic_base);
	for (unsigned i = 0; (reg = lapic_register(i)); i++)
		lapic_row(table, &lapic, reg);
	return 0;
}
