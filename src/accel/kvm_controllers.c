// SPDX-License-Identifier: GPL-3.0-or-later
/* The interrupt controllers and the timer in the kernel: made, wired, and as they were at power-on. */
#include "accel/kvm_private.h"

#include <errno.h>
#include <sys/ioctl.h>

static int create_controllers(struct kvm_vm *vm, struct error *err)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY}; /* port 0x61 comes with it */

	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return kvm_error(err, "KVM_CREATE_IRQCHIP", "use -irqchip=user");
	if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
		return kvm_error(err, "KVM_CREATE_PIT2", "use -irqchip=user");
	return 0;
}

/* As a PC is wired: ISA line n is pin n of the 8259s and of the IOAPIC, but for the timer, whose pin there is 2,
 * and for line 2, by which one 8259 is connected to the other. KVM's own choice for the timer is pin 0. */
static int route_interrupts(struct kvm_vm *vm, struct error *err)
{
	enum { LINES = 16, PINS = 24, TIMER_PIN = 2, CASCADE = 2, PINS_8259 = 8 };
	union {
		struct kvm_irq_routing table;
		uint8_t room[sizeof(struct kvm_irq_routing) +
			     (LINES + PINS) * sizeof(struct kvm_irq_routing_entry)];
	} routing = {0};
	struct kvm_irq_routing_entry *entry = routing.table.entries;

	for (uint32_t line = 0; line < PINS; line++) {
		uint32_t pin = line == 0 ? TIMER_PIN : line;

		if (line == CASCADE)
			continue;
		if (line < LINES)
			*entry++ = (struct kvm_irq_routing_entry){
				.gsi = line,
				.type = KVM_IRQ_ROUTING_IRQCHIP,
				.u.irqchip = {.irqchip = line / PINS_8259,
					      .pin = line % PINS_8259}};
		*entry++ = (struct kvm_irq_routing_entry){
			.gsi = line,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = {.irqchip = KVM_IRQCHIP_IOAPIC, .pin = pin}};
	}
	routing.table.nr = (uint32_t)(entry - routing.table.entries);
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routing) < 0)
		return kvm_error(err, "KVM_SET_GSI_ROUTING", "use -irqchip=user");
	return 0;
}

static int keep_power_on_state(struct kvm_vm *vm, struct error *err)
{
	for (uint32_t i = 0; i < KVM_NR_IRQCHIPS; i++) {
		vm->power_on_chips[i].chip_id = i;
		if (ioctl(vm->fd, KVM_GET_IRQCHIP, &vm->power_on_chips[i]) < 0)
			return kvm_error(err, "KVM_GET_IRQCHIP", "use -irqchip=user");
	}
	if (ioctl(vm->fd, KVM_GET_PIT2, &vm->power_on_pit) < 0)
		return kvm_error(err, "KVM_GET_PIT2", "use -irqchip=user");
	return 0;
}

int kvm_vm_complete(struct kvm_vm *vm, struct error *err)
{
	static int (*const steps[])(struct kvm_vm * vm, struct error * err) = {
		create_controllers, route_interrupts, keep_power_on_state};
	int code = 0;

	for (size_t i = 0; i < 3 && code == 0 && vm->irqchip && !vm->complete; i++)
		code = steps[i](vm, err);
	vm->complete = code == 0;
	return code;
}

int kvm_irq_line(struct accel_vm *base, unsigned gsi, bool level)
{
	struct kvm_irq_level line = {.irq = gsi, .level = level};

	return ioctl(to_kvm_vm(base)->fd, KVM_IRQ_LINE, &line) < 0 ? -errno : 0;
}

int kvm_vm_reset(struct accel_vm *base)
{
	struct kvm_vm *vm = to_kvm_vm(base);

	if (!vm->irqchip)
		return 0;
	for (uint32_t i = 0; i < KVM_NR_IRQCHIPS; i++)
		if (ioctl(vm->fd, KVM_SET_IRQCHIP, &vm->power_on_chips[i]) < 0)
			return -errno;
	return kvm_pit_set(vm, &vm->power_on_pit);
}
