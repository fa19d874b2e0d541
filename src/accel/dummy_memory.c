// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy's memory: slots, and the ring that collects writes. */
#include "accel/dummy_private.h"

#include <errno.h>

/* ---- memory ----------------------------------------------------------------------------- */

static bool slots_overlap(const struct accel_slot *a, const struct accel_slot *b)
{
	return a->size && b->size && a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size;
}

static int slot_check(const struct dummy_vm *vm, const struct accel_slot *slot, struct error *err)
{
	const struct accel_slot *old;

	if (slot->id >= DUMMY_SLOTS || (slot->gpa | slot->size | (uintptr_t)slot->hva) & 0xfff)
		return error_set(err, -EINVAL, "slot %u is out of range or not page-aligned",
				 slot->id);
	old = &vm->slots[slot->id];
	if (slot->size && old->size &&
	    (old->hva != slot->hva || old->size != slot->size || old->readonly != slot->readonly))
		return error_set(err, -EINVAL, "slot %u must be deleted before it changes",
				 slot->id);
	for (unsigned i = 0; i < DUMMY_SLOTS; i++)
		if (i != slot->id && slots_overlap(slot, &vm->slots[i]))
			return error_set(err, -EEXIST, "slot %u overlaps slot %u", slot->id, i);
	return 0;
}

int dummy_slot_set(struct accel_vm *base, const struct accel_slot *slot, struct error *err)
{
	struct dummy_vm *vm = to_dummy_vm(base);
	int code;

	pthread_mutex_lock(&vm->lock);
	code = slot_check(vm, slot, err);
	if (!code && dummy_dirty_resize(vm, slot) < 0)
		code = error_set(err, -ENOMEM, "no memory for the log of slot %u", slot->id);
	if (!code)
		vm->slots[slot->id] = *slot;
	pthread_mutex_unlock(&vm->lock);
	return code;
}

static struct accel_slot *slot_at(struct dummy_vm *vm, uint64_t gpa)
{
	for (unsigned i = 0; i < DUMMY_SLOTS; i++)
		if (gpa - vm->slots[i].gpa < vm->slots[i].size)
			return &vm->slots[i];
	return NULL;
}

/* A guest's own accesses to its memory race with whom they like; that is no fault of vitrine's. */
__attribute__((no_sanitize("thread"), noinline)) static void
guest_copy(volatile uint8_t *to, const volatile uint8_t *from, size_t n)
{
	while (n--)
		*to++ = *from++;
}

size_t dummy_memory_read(struct dummy_vm *vm, uint64_t gpa, void *buf, size_t length)
{
	size_t done;

	for (done = 0; done < length; done++) {
		struct accel_slot *slot = slot_at(vm, gpa + done);

		if (!slot)
			break;
		guest_copy((uint8_t *)buf + done, (uint8_t *)slot->hva + (gpa + done - slot->gpa),
			   1);
	}
	return done;
}

size_t dummy_memory_write(struct dummy_vm *vm, uint64_t gpa, const void *buf, size_t length)
{
	size_t done;

	for (done = 0; done < length; done++) {
		struct accel_slot *slot = slot_at(vm, gpa + done);

		if (!slot || slot->readonly)
			break;
		dummy_dirty_mark(vm, slot, gpa + done);
		guest_copy((uint8_t *)slot->hva + (gpa + done - slot->gpa), (uint8_t *)buf + done,
			   1);
	}
	return done;
}

/* ---- the coalesced ring ----------------------------------------------------------------- */

int dummy_coalesce(struct accel_vm *base, uint64_t addr, uint64_t size, bool pio)
{
	struct dummy_vm *vm = to_dummy_vm(base);
	int code = -ENOTSUP;

	pthread_mutex_lock(&vm->lock);
	if (vm->zone_count < DUMMY_ZONES) {
		vm->zones[vm->zone_count].addr = addr;
		vm->zones[vm->zone_count].size = size;
		vm->zones[vm->zone_count++].pio = pio;
		code = 0;
	}
	pthread_mutex_unlock(&vm->lock);
	return code;
}

int dummy_uncoalesce(struct accel_vm *base, uint64_t addr, uint64_t size, bool pio)
{
	struct dummy_vm *vm = to_dummy_vm(base);
	unsigned kept = 0;

	(void)size;
	pthread_mutex_lock(&vm->lock);
	for (unsigned i = 0; i < vm->zone_count; i++)
		if (vm->zones[i].addr != addr || vm->zones[i].pio != pio)
			vm->zones[kept++] = vm->zones[i];
	vm->zone_count = kept;
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

static bool zone_has(const struct dummy_vm *vm, const struct dummy_write *write)
{
	for (unsigned i = 0; i < vm->zone_count; i++)
		if (vm->zones[i].pio == write->pio &&
		    write->addr - vm->zones[i].addr < vm->zones[i].size)
			return true;
	return false;
}

/* A full ring refuses, and the write exits: as in KVM. */
bool dummy_coalesced(struct dummy_vm *vm, const struct dummy_write *write)
{
	bool taken;

	pthread_mutex_lock(&vm->lock);
	taken = zone_has(vm, write) && vm->ring_last - vm->ring_first < DUMMY_RING;
	if (taken)
		vm->ring[vm->ring_last++ % DUMMY_RING] = *write;
	pthread_mutex_unlock(&vm->lock);
	return taken;
}

static bool ring_take(struct dummy_vm *vm, struct dummy_write *write)
{
	bool taken;

	pthread_mutex_lock(&vm->lock);
	taken = vm->ring_first != vm->ring_last;
	if (taken)
		*write = vm->ring[vm->ring_first++ % DUMMY_RING];
	pthread_mutex_unlock(&vm->lock);
	return taken;
}

void dummy_coalesced_drain(struct accel_vm *base, accel_coalesced_fn *fn, void *ctx)
{
	struct dummy_write write;

	while (ring_take(to_dummy_vm(base), &write))
		fn(ctx, write.pio, write.addr, write.size, write.data);
}
