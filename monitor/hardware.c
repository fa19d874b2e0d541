// SPDX-License-Identifier: GPL-3.0-or-later
/* The machine around the CPUs: interrupt controllers, the timer, and who answers which address. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int get_chips(struct call *call, struct pc_chips *chips)
{
	int ret = debug_chips(call->monitor->debug, chips);

	return ret ? error_set(call->err, ret, "the controllers' state cannot be read: %s",
			       strerror(-ret))
		   : 0;
}

/* ---- the local APIC ------------------------------------------------------------------------- */

/* Vectors whose bit is set in eight words of 32. */
static void show_vectors(struct call *call, const struct lapic *lapic,
			 const struct lapic_register *reg)
{
	struct string vectors = {0};

	fact_list(call->out, reg->name);
	for (unsigned vector = 0; vector < 256; vector++) {
		uint32_t word = lapic_word(lapic, reg->offset + vector / 32 * 16);

		if (!(word >> vector % 32 & 1))
			continue;
		string_printf(&vectors, " 0x%02x", vector);
		fact_count(call->out, NULL, vector);
	}
	fact_end(call->out);
	out_printf(call->out, "  %-13s", reg->name);
	out_wrapped(call->out, vectors.size ? vectors.text : " no vector", 15, 16);
	string_free(&vectors);
}

static void show_lapic_register(struct call *call, const struct lapic *lapic,
				const struct lapic_register *reg)
{
	char text[160];

	if (reg->words > 1) {
		show_vectors(call, lapic, reg);
		return;
	}
	out_printf(call->out, "  %-13s 0x%08x", reg->name, lapic_word(lapic, reg->offset));
	lapic_text(lapic, reg, text, sizeof(text));
	out_printf(call->out, text[0] ? "  %s\n" : "%s\n", text);
	fact_hex(call->out, reg->name, lapic_word(lapic, reg->offset));
}

int run_info_lapic(struct call *call)
{
	const struct lapic_register *reg;
	struct lapic lapic;
	uint64_t base;
	char text[96];
	int ret = debug_lapic(call->monitor->debug, call->cpu, &lapic);

	if (ret == -ENOTSUP)
		return error_set(call->err, ret,
				 "there is no local APIC: it comes with -irqchip kernel");
	if (ret)
		return error_set(call->err, ret, "the local APIC of vCPU %d cannot be read: %s",
				 call->cpu, strerror(-ret));
	if (!monitor_register_get(call->monitor, call->cpu, "apic_base", &base, NULL))
		out_printf(call->out, "vCPU %d: %s\n", call->cpu,
			   lapic_base_text(base, text, sizeof(text)));
	for (unsigned i = 0; (reg = lapic_register(i)); i++)
		show_lapic_register(call, &lapic, reg);
	return 0;
}

/* ---- the IOAPIC ----------------------------------------------------------------------------- */

static void show_pin(struct call *call, unsigned pin, uint64_t entry)
{
	char text[160];

	ioapic_entry_text(entry, text, sizeof(text));
	out_printf(call->out, "  %2u  %s\n", pin, text);
	fact_object(call->out, NULL);
	fact_count(call->out, "pin", pin);
	fact_hex(call->out, "entry", entry);
	fact_text(call->out, "text", text);
	fact_end(call->out);
}

#define ENTRY_MASKED 0x10000u

/* As at power-on, but for the destination. */
static bool is_idle(uint64_t entry)
{
	return (entry & 0xffffff) == ENTRY_MASKED;
}

int run_info_ioapic(struct call *call)
{
	struct pc_chips chips;
	unsigned idle = 0;
	int ret = get_chips(call, &chips);

	if (!ret && !chips.has_ioapic)
		ret = error_set(call->err, -ENOTSUP,
				"there is no IOAPIC: it comes with -irqchip kernel");
	if (ret)
		return ret;
	out_printf(call->out, "ioapic at 0x%" PRIx64 ", ID %u\n", chips.ioapic.base,
		   chips.ioapic.id);
	fact_hex(call->out, "base", chips.ioapic.base);
	fact_list(call->out, "pins");
	for (unsigned pin = 0; pin < IOAPIC_ENTRIES; pin++) {
		if (is_idle(chips.ioapic.entry[pin]))
			idle++;
		else
			show_pin(call, pin, chips.ioapic.entry[pin]);
	}
	fact_end(call->out);
	out_printf(call->out, "%u of %u pins are masked, and were never set\n", idle,
		   IOAPIC_ENTRIES);
	return 0;
}

/* ---- the PICs ------------------------------------------------------------------------------- */

/* What sits on a PC's lines. */
static const char *const line_names[16] = {
	"timer", "keyboard", "second PIC", "COM2", "COM1",  "LPT2", "floppy", "LPT1",
	"clock", "",	     "",	   "",	   "mouse", "FPU",  "disk",   "disk",
};

static void show_line(struct call *call, const struct pc_pic *pic, unsigned line, const char *name)
{
	static const struct {
		const char *text, *fact;
		size_t offset;
	} states[] = {
		{" requested", "requested", offsetof(struct pc_pic, irr)},
		{" in-service", "in_service", offsetof(struct pc_pic, isr)},
		{" masked", "masked", offsetof(struct pc_pic, imr)},
		{" high", "high", offsetof(struct pc_pic, lines)},
		{" level-triggered", "level", offsetof(struct pc_pic, level)},
	};
	struct string text = {0};

	fact_object(call->out, NULL);
	fact_count(call->out, "line", line);
	fact_count(call->out, "vector", pic->base + line % 8u);
	string_printf(&text, "  %2u  0x%02x  %-10s", line, pic->base + line % 8u, name);
	for (unsigned i = 0; i < sizeof(states) / sizeof(*states); i++) {
		bool on = ((const uint8_t *)pic)[states[i].offset] >> line % 8 & 1;

		string_printf(&text, "%s", on ? states[i].text : "");
		fact_flag(call->out, states[i].fact, on);
	}
	while (text.size && text.text[text.size - 1] == ' ')
		text.text[--text.size] = 0;
	out_wrapped(call->out, string_text(&text), 0, 8);
	string_free(&text);
	fact_end(call->out);
}

static void show_pic(struct call *call, const struct pc_pic *pic, unsigned first)
{
	out_printf(call->out, "PIC %u: vectors 0x%02x-0x%02x, line %u is highest%s%s\n",
		   first / 8 + 1, pic->base, pic->base + 7, first + pic->highest,
		   pic->auto_eoi ? ", auto EOI" : "", pic->special_mask ? ", special mask" : "");
	for (unsigned line = first; line < first + 8; line++)
		show_line(call, pic, line, line_names[line]);
}

int run_info_pic(struct call *call)
{
	struct pc_chips chips;
	int ret = get_chips(call, &chips);

	if (!ret && !chips.has_pics)
		ret = error_set(call->err, -ENOTSUP, "this machine has no PICs");
	if (ret)
		return ret;
	fact_list(call->out, "lines");
	show_pic(call, &chips.pic[0], 0);
	show_pic(call, &chips.pic[1], 8);
	fact_end(call->out);
	return 0;
}

/* ---- the PIT -------------------------------------------------------------------------------- */

static void show_timer(struct call *call, unsigned i, const struct pc_timer *timer)
{
	static const char *const uses[] = {"IRQ 0", "refresh", "speaker"};

	fact_object(call->out, NULL);
	fact_count(call->out, "mode", timer->mode);
	fact_count(call->out, "count", timer->count);
	fact_flag(call->out, "gate", timer->gate);
	fact_end(call->out);
	out_printf(call->out, "  counter %u (%s): ", i, uses[i]);
	if (timer->count)
		out_printf(call->out, "mode %u, %s%s, count %u: %.3f Hz", timer->mode,
			   pc_timer_mode(timer->mode), timer->bcd ? ", BCD" : "", timer->count,
			   (double)PC_TIMER_HZ / timer->count);
	else
		out_printf(call->out, "no count was loaded");
	out_printf(call->out, "%s\n", timer->gate ? "" : ", gate closed");
}

int run_info_pit(struct call *call)
{
	struct pc_chips chips;
	int ret = get_chips(call, &chips);

	if (!ret && !chips.has_timers)
		ret = error_set(call->err, -ENOTSUP, "this machine has no PIT");
	if (ret)
		return ret;
	fact_list(call->out, "counters");
	for (unsigned i = 0; i < 3; i++)
		show_timer(call, i, &chips.timer[i]);
	fact_end(call->out);
	return 0;
}

/* ---- who answers what ----------------------------------------------------------------------- */

static void show_region(struct call *call, const struct device_region_info *region)
{
	char size[24];
	int digits = region->port ? 4 : 10;

	out_printf(call->out, "  0x%0*" PRIx64 "-0x%0*" PRIx64 " %6s  %s%s%s\n", digits,
		   region->base, digits, region->base + region->size - 1,
		   short_size(region->size, size), region->name,
		   region->in_kernel ? ", in KVM" : "",
		   region->coalesced ? ", writes are collected" : "");
	fact_object(call->out, NULL);
	fact_text(call->out, "name", region->name);
	fact_hex(call->out, "base", region->base);
	fact_hex(call->out, "size", region->size);
	fact_flag(call->out, "in_kernel", region->in_kernel);
	fact_end(call->out);
}

static int by_base(const void *a, const void *b)
{
	const struct device_region_info *x = a, *y = b;

	return x->base < y->base ? -1 : x->base > y->base;
}

/* RAM is a region among others here. */
static unsigned add_ram(struct debug *debug, struct device_region_info *region, unsigned room)
{
	unsigned count = 0;

	while (count < room &&
	       debug_ram_range(debug, count, &region[count].base, &region[count].size)) {
		region[count].name = "RAM";
		region[count].port = region[count].in_kernel = region[count].coalesced = false;
		count++;
	}
	return count;
}

static void show_regions(struct call *call, const char *head, const char *fact, bool port,
			 const struct device_region_info *region, unsigned count)
{
	out_printf(call->out, "%s\n", head);
	fact_list(call->out, fact);
	for (unsigned i = 0; i < count; i++)
		if (region[i].port == port)
			show_region(call, &region[i]);
	fact_end(call->out);
}

int run_info_mtree(struct call *call)
{
	struct device_region_info region[2 * DEVICE_REGIONS];
	unsigned count = debug_device_regions(call->monitor->debug, region);

	count += add_ram(call->monitor->debug, region + count, DEVICE_REGIONS);
	qsort(region, count, sizeof(*region), by_base);
	show_regions(call, "physical memory", "memory", false, region, count);
	show_regions(call, "ports", "ports", true, region, count);
	return 0;
}

/* ---- slots --------------------------------------------------------------------------------------- */

int run_info_memory_slots(struct call *call)
{
	struct memory_slot slot;
	char size[24];

	fact_list(call->out, "slots");
	for (unsigned i = 0; debug_memory_slot(call->monitor->debug, i, &slot); i++) {
		uint64_t follow, host = debug_host_address(call->monitor->debug, slot.gpa, &follow);

		out_printf(call->out,
			   "  %3u  0x%010" PRIx64 "-0x%010" PRIx64 " %6s  hva 0x%" PRIx64 "%s%s\n",
			   slot.id, slot.gpa, slot.gpa + slot.size - 1, short_size(slot.size, size),
			   host, slot.read_only ? "  read-only" : "",
			   slot.log_dirty ? "  writes are logged" : "");
		fact_object(call->out, NULL);
		fact_count(call->out, "id", slot.id);
		fact_hex(call->out, "physical", slot.gpa);
		fact_hex(call->out, "size", slot.size);
		fact_hex(call->out, "host", host);
		fact_flag(call->out, "read_only", slot.read_only);
		fact_flag(call->out, "log_dirty", slot.log_dirty);
		fact_end(call->out);
	}
	fact_end(call->out);
	return 0;
}
