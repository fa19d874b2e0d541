// SPDX-License-Identifier: GPL-3.0-or-later
/* What KVM answers by itself: the controllers and the timer that KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2 make. */
#include "accel/kvm_private.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* Each APIC's base is the guest's to move; this is where all of them begin. */
static const struct accel_device in_kernel[] = {
	{"pic1", true, 0x20, 2},
	{"pit", true, 0x40, 4},
	{"pit speaker", true, 0x61, 1},
	{"pic2", true, 0xa0, 2},
	{"pic elcr", true, 0x4d0, 2},
	{"ioapic", false, 0xfec00000, 0x100},
	{"lapic", false, 0xfee00000, 0x1000},
};

bool kvm_device(const struct accel_vm *vm, unsigned index, struct accel_device *device)
{
	if (!((const struct kvm_vm *)vm)->irqchip ||
	    index >= sizeof(in_kernel) / sizeof(in_kernel[0]))
		return false;
	*device = in_kernel[index];
	return true;
}

int kvm_lapic_get(struct accel_vcpu *base, struct lapic *lapic)
{
	_Static_assert(sizeof(struct kvm_lapic_state) == sizeof(*lapic), "the same page");
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	struct kvm_lapic_state state;
	int rc;

	if (!kvm_vm_of(vcpu)->irqchip)
		return -ENOTSUP;
	rc = kvm_vcpu_call(vcpu, KVM_GET_LAPIC, &state);
	if (rc == 0)
		memcpy(lapic->bytes, state.regs, sizeof(lapic->bytes));
	return rc;
}

/* ---- chips ------------------------------------------------------------------------------ */

/* KVM counts from the line of highest priority. */
static void neutral_pic(const struct kvm_pic_state *from, struct pc_pic *pic)
{
	*pic = (struct pc_pic){.base = from->irq_base,
			       .irr = from->irr,
			       .imr = from->imr,
			       .isr = from->isr,
			       .lines = from->last_irr,
			       .level = from->elcr,
			       .highest = from->priority_add & 7,
			       .auto_eoi = from->auto_eoi,
			       .special_mask = from->special_mask};
}

static void neutral_ioapic(const struct kvm_ioapic_state *from, struct pc_ioapic *ioapic)
{
	_Static_assert(KVM_IOAPIC_NUM_PINS == IOAPIC_ENTRIES, "an 82093AA");

	ioapic->base = from->base_address;
	ioapic->id = from->id;
	for (unsigned i = 0; i < IOAPIC_ENTRIES; i++)
		ioapic->entry[i] = from->redirtbl[i].bits;
}

/* A counter that nobody has set up has mode 0xff in KVM. */
#define MODE_LAST 5

static void neutral_timers(const struct kvm_pit_state2 *from, struct pc_timer timer[3])
{
	for (unsigned i = 0; i < 3; i++)
		timer[i] = (struct pc_timer){
			.mode = from->channels[i].mode,
			.bcd = from->channels[i].bcd,
			.gate = from->channels[i].gate,
			.count = from->channels[i].mode > MODE_LAST ? 0 : from->channels[i].count};
}

static int get_chip(struct kvm_vm *vm, uint32_t id, struct kvm_irqchip *chip)
{
	*chip = (struct kvm_irqchip){.chip_id = id};
	return ioctl(vm->fd, KVM_GET_IRQCHIP, chip) < 0 ? -errno : 0;
}

int kvm_chips_get(struct accel_vm *base, struct pc_chips *chips)
{
	struct kvm_vm *vm = to_kvm_vm(base);
	struct kvm_pit_state2 pit;
	struct kvm_irqchip chip;
	int rc = 0;

	*chips = (struct pc_chips){0};
	if (!vm->irqchip)
		return 0;
	for (uint32_t i = 0; rc == 0 && i < 2; i++) {
		rc = get_chip(vm, i ? KVM_IRQCHIP_PIC_SLAVE : KVM_IRQCHIP_PIC_MASTER, &chip);
		if (rc == 0)
			neutral_pic(&chip.chip.pic, &chips->pic[i]);
	}
	if (rc == 0)
		rc = get_chip(vm, KVM_IRQCHIP_IOAPIC, &chip);
	if (rc == 0)
		neutral_ioapic(&chip.chip.ioapic, &chips->ioapic);
	if (rc == 0)
		rc = kvm_pit_get(vm, &pit);
	if (rc == 0)
		neutral_timers(&pit, chips->timer);
	chips->has_pics = chips->has_ioapic = chips->has_timers = rc == 0;
	return rc;
}
