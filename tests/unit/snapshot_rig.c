// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "snapshot_rig.h"

#include <string.h>

void snapshot_save(struct rig *rig, const char *name)
{
	struct error err = {0};

	if (debug_snapshot_save(rig->debug, name, &err) < 0)
		fail_msg("%s", err.text);
}

void snapshot_restore(struct rig *rig, const char *name)
{
	struct error err = {0};

	if (debug_snapshot_restore(rig->debug, name, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

struct snapshot_info info_of(struct rig *rig, const char *name)
{
	struct snapshot_info info;

	for (unsigned i = 0; debug_snapshot_next(rig->debug, i, &info); i++)
		if (!strcmp(info.name, name))
			return info;
	fail_msg("there is no %s", name);
	return info;
}

void snapshot_steps(struct rig *rig, unsigned count)
{
	while (count-- > 0) {
		rig_step(rig, 0);
		assert_int_equal(rig_wait_stop(rig)->reason, STOP_STEP);
	}
}

void run_a_little(struct rig *rig)
{
	rig_continue(rig);
	while (rig_byte(rig, 0x20001) < 4)
		;
	rig_pause(rig);
	debug_dispatch(rig->debug);
}

void port_out(struct machine *machine, uint16_t port, uint8_t value)
{
	machine_lock_devices(machine);
	bus_access(&machine->ports, port, 1, true, &value);
	machine_unlock_devices(machine);
}
