// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/fw_cfg.h"

#include "machine/machine.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum { E820_RAM = 1, E820_RESERVED = 2 };

static unsigned describe_memory(struct machine *machine)
{
	struct boot_range ranges[BOOT_MAP_MAX];
	unsigned count = boot_memory_map(machine->config.ram_size, ranges);

	for (unsigned i = 0; i < count; i++)
		machine->e820[i] = (struct e820_entry){
			.base = htole64(ranges[i].base),
			.size = htole64(ranges[i].size),
			.type = htole32(ranges[i].ram ? E820_RAM : E820_RESERVED),
		};
	return count;
}

int fw_cfg_create(struct machine *machine, struct device **device, struct error *err)
{
	const struct machine_config *from = &machine->config;
	struct fw_cfg_file files[FW_CFG_FILES_MAX] = {{.name = "etc/e820"}};
	struct fw_cfg_config config = {.ram_size = from->ram_size,
				       .vcpus = from->vcpus,
				       .files = files,
				       .file_count = from->fw_cfg_count + 1};

	if (from->fw_cfg_count >= FW_CFG_FILES_MAX)
		return error_set(err, -E2BIG, "more than %d -fw_cfg", FW_CFG_FILES_MAX - 1);
	files[0].bytes = machine->e820;
	files[0].size = describe_memory(machine) * sizeof(machine->e820[0]);
	if (from->fw_cfg_count)
		memcpy(files + 1, from->fw_cfg, from->fw_cfg_count * sizeof(files[0]));
	return fw_cfg_init(&machine->host, &config, device, err);
}

void fw_cfg_tell_boot(struct machine *machine)
{
	const struct boot_image *image = &machine->boot;
	struct fw_cfg_boot boot = {.command_line = image->command_line ? image->command_line : "",
				   .initrd = image->initrd.data,
				   .initrd_size = image->initrd.data_size,
				   .initrd_address = image->initrd.gpa};

	machine_lock_devices(machine);
	fw_cfg_set_boot(machine->fw_cfg, &boot);
	machine_unlock_devices(machine);
}
