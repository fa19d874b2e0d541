// SPDX-License-Identifier: GPL-3.0-or-later
/* What a user sends into the machine, NMIs, interrupts, keys; and what it shows. */
#include "debug/core.h"

#include <errno.h>
#include <string.h>

/* A vCPU takes an NMI while it does not run; under -irqchip user one that sleeps is not woken by KVM. */
static int give_nmi(struct vcpu *vcpu)
{
	int rc = vcpu_flush(vcpu);

	if (rc == 0)
		rc = vcpu->accel->ops->nmi(vcpu->accel);
	vcpu->valid &= ~(unsigned)CPU_EVENTS;
	if (rc == 0)
		vcpu->halted = false;
	return rc;
}

int debug_nmi(struct debug *debug, int vcpu, struct error *err)
{
	int rc;

	core_lock(debug);
	core_quiesce(debug);
	rc = debug->exited ? -ESHUTDOWN : give_nmi(&debug->machine->vcpus[vcpu]);
	core_go_on(debug);
	core_unlock(debug);
	return rc < 0 ? error_set(err, rc, "vCPU %d takes no NMI: %s", vcpu, strerror(-rc)) : 0;
}

/* A line that is high already falls first, and ends as it was. */
int debug_irq(struct debug *debug, unsigned line, struct error *err)
{
	struct pc_chips chips;
	int rc = debug_chips(debug, &chips);
	bool high;

	if (line > 15)
		return error_set(err, -EINVAL, "interrupt lines are 0 to 15");
	if (rc < 0)
		return error_set(err, rc, "the controllers' state cannot be read: %s",
				 strerror(-rc));
	high = chips.has_pics && chips.pic[line / 8].lines >> line % 8 & 1;
	if (high)
		machine_irq(debug->machine, line, false);
	machine_irq(debug->machine, line, true);
	if (!high)
		machine_irq(debug->machine, line, false);
	return 0;
}

size_t debug_keys(struct debug *debug, const uint8_t *codes, size_t size)
{
	return machine_keys(debug->machine, codes, size);
}

void debug_screen(struct debug *debug, struct screen_info *screen)
{
	struct machine *machine = debug->machine;

	machine_lock_devices(machine);
	memcpy(screen->cells, text_screen_memory(machine->text_screen), sizeof(screen->cells));
	screen->cursor = text_screen_cursor(machine->text_screen);
	machine_unlock_devices(machine);
}
