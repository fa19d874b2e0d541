// SPDX-License-Identifier: GPL-3.0-or-later
/* "write to 0x203010 (watch 2, 8 bytes): 41 → 42 by 0x200a34" */
#include "debug/pages.h"

#include <stdio.h>

/* Small numbers as people count, others as machines do. */
static void value_text(uint64_t value, char *buf, size_t size)
{
	const uint64_t small = 10000;

	snprintf(buf, size, value < small ? "%llu" : "0x%llx", (unsigned long long)value);
}

static void values_text(const struct page_hit *hit, char *buf, size_t size)
{
	char before[24], after[24];

	value_text(hit->old_value, before, sizeof(before));
	value_text(hit->new_value, after, sizeof(after));
	if (hit->write)
		snprintf(buf, size, "%s → %s", before, after);
	else
		snprintf(buf, size, "%s", before);
}

static void watch_text(const struct page_hit *hit, char *buf, size_t size)
{
	const struct point *point = &hit->point->point;
	unsigned long long length = point->spec.length, start = point->spec.address;

	if (length <= sizeof(hit->old_value))
		snprintf(buf, size, "watch %d, %llu byte%s", point->number, length,
			 length == 1 ? "" : "s");
	else
		snprintf(buf, size, "watch %d, %u of %llu bytes at 0x%llx", point->number,
			 hit->size, length, start);
}

static void writer_text(const struct stop *stop, bool by_event, char *buf, size_t size)
{
	unsigned long long at = stop->writer ? stop->writer : stop->pc;

	snprintf(buf, size, "%s 0x%llx",
		 by_event	? "by the processor, on its way to the handler at"
		 : stop->writer ? "by"
				: "by what came before",
		 at);
}

void page_describe(struct stop *stop, const struct page_hit *hit, const char *writer)
{
	char values[56], watch[80];

	values_text(hit, values, sizeof(values));
	watch_text(hit, watch, sizeof(watch));
	snprintf(stop->text, sizeof(stop->text), "%s 0x%llx (%s): %s %s",
		 hit->write ? "write to" : "read of", (unsigned long long)hit->address, watch,
		 values, writer);
}

struct stop page_stop(int vcpu, const struct page_hit *hit)
{
	static const enum stop_reason reasons[] = {[POINT_WRITE] = STOP_WATCH_WRITE,
						   [POINT_READ] = STOP_WATCH_READ,
						   [POINT_ACCESS] = STOP_WATCH_ACCESS};

	return (struct stop){.reason = reasons[hit->point->point.spec.kind],
			     .vcpu = vcpu,
			     .address = hit->address,
			     .old_value = hit->old_value,
			     .new_value = hit->new_value,
			     .size = hit->size};
}

struct stop page_stop_of(const struct vcpu *vcpu, const struct page_hit *hit, uint64_t pc,
			 uint64_t writer, bool by_event)
{
	struct stop stop = page_stop(vcpu->index, hit);
	char text[80];

	stop.pc = pc;
	stop.writer = writer;
	writer_text(&stop, by_event, text, sizeof(text));
	page_describe(&stop, hit, text);
	return stop;
}
