// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * vmlinux, the kernel as it was linked. There is no setup header in it, so one is made up; what the kernel
 * reads of it is what a loader writes. It is entered at e_entry as at the end of its own unpacker: long mode,
 * RSI = the zero page.
 */
#include "boot/linux.h"

#include <stdio.h>

#define HEADER_MAGIC   0x53726448 /* "HdrS" */
#define HEADER_VERSION 0x20f
#define BOOT_FLAG      0xaa55
#define COMMAND_LINE   2047 /* COMMAND_LINE_SIZE of x86, less the zero byte */
#define INITRD_MAX     0x7fffffff

bool vmlinux_recognised(const struct loader *loader)
{
	struct elf_note note;

	return elf_is64(loader) && elf_find_note(loader, "Linux", ELF_NOTE_ANY, &note);
}

int vmlinux_load(struct loader *loader)
{
	static const struct setup_header header = {
		.boot_flag = BOOT_FLAG,
		.header = HEADER_MAGIC,
		.version = HEADER_VERSION,
		.loadflags = LOADED_HIGH,
		.cmdline_size = COMMAND_LINE,
		.initrd_addr_max = INITRD_MAX,
	};
	struct boot_image *image = loader->image;
	uint64_t entry = 0;
	bool is64;
	int rc = elf_load_segments(loader, &entry, &is64);

	if (rc == 0)
		rc = entry_long_bare(loader, entry, LINUX_CODE);
	if (rc == 0)
		rc = linux_place_params(loader, &header, &image->start.general.gpr[GPR_RSI]);
	image->protocol = "Linux, 64-bit";
	snprintf(image->why, sizeof(image->why), "is a Linux vmlinux: long mode at 0x%llx",
		 (unsigned long long)entry);
	return rc;
}
