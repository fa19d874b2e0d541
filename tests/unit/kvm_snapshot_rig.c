// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "bare_vm.h"
#include "guest.h"
#include "picture.h"

#include "debug/core.h"
#include "kvm_snapshot_rig.h"

struct rig rig;

void kvm_snapshot_setup(unsigned vcpus, enum irqchip irqchip)
{
	rig_needs_kvm();
	rig = (struct rig){.accel = &accel_kvm};
	rig_start(&rig, vcpus, irqchip);
}

void kvm_snapshot_save(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_save(rig.debug, name, &err) < 0)
		fail_msg("%s", err.text);
}

void kvm_snapshot_restore(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_restore(rig.debug, name, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

void run_ms(unsigned ms)
{
	rig_continue(&rig);
	sleep_ms(ms);
	rig_pause(&rig);
	debug_dispatch(rig.debug);
}

void comes_back(void (*change)(void))
{
	struct picture before, changed, after;

	kvm_snapshot_save("here");
	picture_take_saved(&before, rig.machine, snapshots_find(rig.debug->snapshots, "here"));
	change();
	picture_take(&changed, rig.machine);
	assert_true(picture_differs(&before, &changed));
	for (unsigned tries = 0; tries < 5; tries++) {
		kvm_snapshot_restore("here");
		picture_take(&after, rig.machine);
		/* On a busy host a timer in the kernel may have gone off again already. */
		if (tries == 4 || !picture_differs(&before, &after))
			break;
		picture_free(&after);
	}
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&changed);
	picture_free(&after);
}
