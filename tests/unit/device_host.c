// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void host_irq(void *ctx, unsigned line, bool level)
{
	struct test_host *h = ctx;

	assert_in_range(line, 0, 23);
	h->calls[line]++;
	if (level && !h->level[line])
		h->edges[line]++;
	h->level[line] = level;
}

static uint64_t host_now(void *ctx)
{
	return ((struct test_host *)ctx)->now;
}

static void host_timer_arm(void *ctx, struct device_timer *timer, uint64_t deadline)
{
	struct test_host *h = ctx;
	struct device_timer **link = &h->timers;

	while (*link && *link != timer)
		link = &(*link)->next;
	if (*link)
		*link = timer->next;
	timer->deadline = deadline;
	if (deadline == UINT64_MAX)
		return;
	timer->next = h->timers;
	h->timers = timer;
}

static void host_request(void *ctx, enum host_request request, int status, const char *why)
{
	struct test_host *h = ctx;

	h->requests++;
	h->request = request;
	h->status = status;
	snprintf(h->why, sizeof(h->why), "%s", why);
}

static void host_debug_output(void *ctx, const void *bytes, size_t size)
{
	struct test_host *h = ctx;
	size_t used = strlen(h->output);

	assert_true(used + size < sizeof(h->output));
	memcpy(h->output + used, bytes, size);
}

static size_t room(const struct test_host *h, uint64_t gpa, size_t size)
{
	if (gpa >= sizeof(h->memory))
		return 0;
	return size < sizeof(h->memory) - gpa ? size : sizeof(h->memory) - gpa;
}

static size_t host_memory_read(void *ctx, uint64_t gpa, void *to, size_t size)
{
	struct test_host *h = ctx;
	size_t n = room(h, gpa, size);

	if (n)
		memcpy(to, h->memory + gpa, n);
	return n;
}

static size_t host_memory_write(void *ctx, uint64_t gpa, const void *from, size_t size)
{
	struct test_host *h = ctx;
	size_t n = room(h, gpa, size);

	if (n)
		memcpy(h->memory + gpa, from, n);
	return n;
}

void test_host_init(struct test_host *h)
{
	memset(h, 0, sizeof(*h));
	h->ports.name = "port";
	h->mmio.name = "MMIO";
	h->host = (struct device_host){.ctx = h,
				       .ports = &h->ports,
				       .mmio = &h->mmio,
				       .irq = host_irq,
				       .now = host_now,
				       .timer_arm = host_timer_arm,
				       .request = host_request,
				       .debug_output = host_debug_output,
				       .memory_read = host_memory_read,
				       .memory_write = host_memory_write};
}

static struct device_timer *earliest(struct test_host *h)
{
	struct device_timer *best = h->timers;

	for (struct device_timer *t = h->timers; t; t = t->next)
		if (t->deadline < best->deadline)
			best = t;
	return best;
}

void test_host_pass(struct test_host *h, uint64_t ns)
{
	uint64_t end = h->now + ns;
	struct device_timer *t;

	while ((t = earliest(h)) && t->deadline <= end) {
		if (t->deadline > h->now)
			h->now = t->deadline;
		host_timer_arm(h, t, UINT64_MAX);
		t->fn(t->arg);
	}
	h->now = end;
}

uint8_t in8(struct test_host *h, uint16_t port)
{
	uint8_t value = 0;

	bus_access(&h->ports, port, 1, false, &value);
	return value;
}

uint16_t in16(struct test_host *h, uint16_t port)
{
	uint16_t value = 0;

	bus_access(&h->ports, port, 2, false, &value);
	return value;
}

uint32_t in32(struct test_host *h, uint16_t port)
{
	uint32_t value = 0;

	bus_access(&h->ports, port, 4, false, &value);
	return value;
}

void out8(struct test_host *h, uint16_t port, uint8_t value)
{
	bus_access(&h->ports, port, 1, true, &value);
}

void out16(struct test_host *h, uint16_t port, uint16_t value)
{
	bus_access(&h->ports, port, 2, true, &value);
}

void out32(struct test_host *h, uint16_t port, uint32_t value)
{
	bus_access(&h->ports, port, 4, true, &value);
}

static void check_same(const struct device *device, const struct device_stream *want)
{
	struct device_stream got = {0};

	device->save(device, &got);
	assert_int_equal(got.error, 0);
	assert_int_equal(got.size, want->size);
	if (want->size)
		assert_memory_equal(got.bytes, want->bytes, want->size);
	stream_free(&got);
}

static void check_short_streams(struct device *device, const struct device_stream *saved)
{
	struct device_stream before = {0}, cut = *saved;
	size_t step = saved->size > 4096 ? 997 : 1;

	device->save(device, &before);
	for (size_t size = 0; size < saved->size; size += step) {
		cut.size = size;
		cut.position = 0;
		cut.error = 0;
		assert_int_equal(device->load(device, &cut), -EINVAL);
		check_same(device, &before);
	}
	stream_free(&before);
}

void check_save_load(const struct device *from, struct device *to)
{
	struct device_stream saved = {0};

	from->save(from, &saved);
	assert_int_equal(saved.error, 0);
	check_short_streams(to, &saved);
	assert_int_equal(to->load(to, &saved), 0);
	assert_int_equal(saved.position, saved.size);
	check_same(to, &saved);
	stream_free(&saved);
}
