// SPDX-License-Identifier: GPL-3.0-or-later
#include "vcpu_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

void scripted_io(const struct vm_exit *exit)
{
	struct rig rig = {0};

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, exit, 1);
	rig_code(&rig, 0, vcpu_spin, sizeof(vcpu_spin));
	rig_continue(&rig);
	rig_pause(&rig);
	/* A kick can come before the first run: go until the script was played. */
	while (recorder_exits(&rig.machine->vcpus[0].recorder, exit->reason) == 0) {
		rig_continue(&rig);
		rig_pause(&rig);
	}
	rig_stop(&rig);
}

static void *nothing(void *arg)
{
	return arg;
}

int first_thread(void **state)
{
	pthread_t thread;

	(void)state;
	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}
