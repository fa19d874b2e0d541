// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "catch_rig.h"

#include <string.h>

static void counter_io(void *device, struct bus_access *access)
{
	struct counter *counter = device;

	counter->writes += access->write;
	counter->reads += !access->write;
	if (!access->write)
		access->value = 0x5a;
	if (counter->then)
		counter->then(counter->rig);
}

void catch_start(struct rig *rig, struct counter *counter, const void *code, size_t size)
{
	struct error err = {0};

	rig_start(rig, 1, rig->dummy.int3 ? IRQCHIP_KERNEL : IRQCHIP_USER);
	rig_code(rig, 0, code, size);
	*counter = (struct counter){.rig = rig,
				    .port = {.name = "counter",
					     .base = PORT,
					     .size = 4,
					     .max_size = 4,
					     .io = counter_io,
					     .device = counter},
				    .mmio = {.name = "counter",
					     .base = MMIO,
					     .size = 0x1000,
					     .max_size = 4,
					     .io = counter_io,
					     .device = counter}};
	assert_int_equal(bus_add(&rig->machine->ports, &counter->port, &err), 0);
	assert_int_equal(bus_add(&rig->machine->mmio, &counter->mmio, &err), 0);
}

static int catch_spec(struct rig *rig, struct point_spec spec)
{
	struct error err = {0};
	int number = debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

int catch (struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length,
	   enum point_direction direction)
{
	return catch_spec(rig, (struct point_spec){.kind = kind,
						   .address = address,
						   .length = length,
						   .direction = direction});
}

void refused(struct rig *rig, struct point_spec spec, int code, const char *says)
{
	struct error err = {0};

	assert_int_equal(debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err), code);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
}

void says(const struct stop *stop, const char *text)
{
	if (!strstr(stop->text, text))
		fail_msg("'%s' does not say '%s'", stop->text, text);
}
