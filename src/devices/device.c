// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/device.h"

int device_attach(struct device *device, const struct device_region *regions, unsigned count,
		  struct device **out, struct error *err)
{
	for (unsigned i = 0; i < count; i++) {
		int rc = bus_add(regions[i].bus, regions[i].region, err);

		if (rc == 0)
			continue;
		while (i-- > 0)
			bus_remove(regions[i].bus, regions[i].region);
		device->destroy(device);
		return rc;
	}
	device->reset(device);
	*out = device;
	return 0;
}
