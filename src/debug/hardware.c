// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/core.h"

#include <errno.h>
#include <stdlib.h>

struct region_list {
	struct device_region_info *region;
	unsigned count;
};

static void add(struct region_list *list, const struct device_region_info *region)
{
	if (list->count < DEVICE_REGIONS)
		list->region[list->count++] = *region;
}

static void add_bus(struct region_list *list, const struct bus *bus, bool port)
{
	for (const struct bus_region *region = bus->regions; region; region = region->next)
		add(list, &(struct device_region_info){.name = region->name,
						       .port = port,
						       .coalesced = region->coalesced,
						       .base = region->base,
						       .size = region->size});
}

static void add_accelerators(struct region_list *list, const struct accel_vm *vm)
{
	struct accel_device device;

	for (unsigned i = 0; vm->ops->device(vm, i, &device); i++)
		add(list, &(struct device_region_info){.name = device.name,
						       .port = device.port,
						       .in_kernel = true,
						       .base = device.base,
						       .size = device.size});
}

static int by_place(const void *a, const void *b)
{
	const struct device_region_info *x = a, *y = b;

	if (x->port != y->port)
		return x->port ? -1 : 1;
	return x->base < y->base ? -1 : x->base > y->base;
}

unsigned debug_device_regions(struct debug *debug,
			      struct device_region_info regions[DEVICE_REGIONS])
{
	struct region_list list = {.region = regions};

	machine_lock_devices(debug->machine);
	add_bus(&list, &debug->machine->ports, true);
	add_bus(&list, &debug->machine->mmio, false);
	machine_unlock_devices(debug->machine);
	add_accelerators(&list, debug->machine->vm);
	qsort(regions, list.count, sizeof(*regions), by_place);
	return list.count;
}

int debug_lapic(struct debug *debug, int vcpu, struct lapic *lapic)
{
	struct accel_vcpu *accel;

	if (vcpu < 0 || (unsigned)vcpu >= debug->machine->vcpu_count || debug_running(debug))
		return -EBUSY;
	accel = debug->machine->vcpus[vcpu].accel;
	return accel->ops->lapic_get(accel, lapic);
}

/* ---- chips ------------------------------------------------------------------------------- */

static void look_at_pics(const struct device *device, struct pc_chips *chips)
{
	for (unsigned i = 0; i < 2; i++)
		pic_look(device, i, &chips->pic[i]);
	chips->has_pics = true;
}

static void look_at_timers(const struct device *device, struct pc_chips *chips)
{
	for (unsigned i = 0; i < 3; i++)
		pit_look(device, i, &chips->timer[i]);
	chips->has_timers = true;
}

int debug_chips(struct debug *debug, struct pc_chips *chips)
{
	struct machine *machine = debug->machine;
	int rc = machine->vm->ops->chips_get(machine->vm, chips);

	machine_lock_devices(machine);
	if (rc == 0 && machine->pic)
		look_at_pics(machine->pic, chips);
	if (rc == 0 && machine->pit)
		look_at_timers(machine->pit, chips);
	machine_unlock_devices(machine);
	return rc;
}
