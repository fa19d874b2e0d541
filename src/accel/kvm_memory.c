// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory slots, and the ring in which KVM collects writes to devices. */
#include "accel/kvm_private.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* ---- slots ------------------------------------------------------------------------------ */

static const char *slot_remedy(int code)
{
	switch (code) {
	case EEXIST: return "it overlaps another slot";
	case EINVAL:
		return "address, size and memory must be multiples of 4 KiB, and a slot that "
		       "exists "
		       "must be deleted before it changes";
	case ENOMEM: return "free some of the host's memory or use a smaller -m";
	}
	return "see the kernel log (dmesg)";
}

int kvm_slot_set(struct accel_vm *base, const struct accel_slot *slot, struct error *err)
{
	struct kvm_vm *vm = to_kvm_vm(base);
	struct kvm_userspace_memory_region region = {
		.slot = slot->id,
		.flags = (slot->readonly ? KVM_MEM_READONLY : 0) |
			 (slot->log_dirty ? KVM_MEM_LOG_DIRTY_PAGES : 0),
		.guest_phys_addr = slot->gpa,
		.memory_size = slot->size,
		.userspace_addr = (uintptr_t)slot->hva,
	};
	int code;

	if (slot->readonly && !vm->readonly_slots)
		return error_set(err, -ENOTSUP,
				 "this host's KVM has no read-only memory (KVM_CAP_READONLY_MEM)");
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0)
		return 0;
	code = errno;
	return error_set(err, -code,
			 "KVM_SET_USER_MEMORY_REGION failed for slot %u, 0x%llx bytes at 0x%llx: "
			 "%s; %s",
			 slot->id, (unsigned long long)slot->size, (unsigned long long)slot->gpa,
			 strerror(code), slot_remedy(code));
}

/* ---- the coalesced ring (KVM_REGISTER_COALESCED_MMIO) ----------------------------------- */

static int coalesce(struct accel_vm *base, unsigned long request, uint64_t addr, uint64_t size,
		    bool pio)
{
	struct kvm_vm *vm = to_kvm_vm(base);
	struct kvm_coalesced_mmio_zone zone = {.addr = addr, .size = (uint32_t)size, .pio = pio};

	if (!vm->ring_page || (pio && !vm->coalesced_pio))
		return -ENOTSUP;
	if (zone.size != size)
		return -EINVAL;
	return ioctl(vm->fd, request, &zone) < 0 ? -errno : 0;
}

int kvm_coalesce(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio)
{
	return coalesce(vm, KVM_REGISTER_COALESCED_MMIO, addr, size, pio);
}

int kvm_uncoalesce(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio)
{
	return coalesce(vm, KVM_UNREGISTER_COALESCED_MMIO, addr, size, pio);
}

/* The kernel writes entries and then last; it must see first move only once we are done with an
 * entry. */
void kvm_coalesced_drain(struct accel_vm *base, accel_coalesced_fn *fn, void *ctx)
{
	enum {
		HEADER = sizeof(struct kvm_coalesced_mmio_ring),
		ENTRIES = (KVM_PAGE - HEADER) / sizeof(struct kvm_coalesced_mmio)
	};
	struct kvm_coalesced_mmio_ring *ring = atomic_load(&to_kvm_vm(base)->ring);

	if (!ring)
		return;
	while (ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
		struct kvm_coalesced_mmio *entry = &ring->coalesced_mmio[ring->first % ENTRIES];

		fn(ctx, entry->pio == 1, entry->phys_addr, entry->len, entry->data);
		__atomic_store_n(&ring->first, (ring->first + 1) % ENTRIES, __ATOMIC_RELEASE);
	}
}
