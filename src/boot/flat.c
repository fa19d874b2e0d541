// SPDX-License-Identifier: GPL-3.0-or-later
/* Raw bytes: a boot sector, or whatever -load and -entry say. */
#include "boot/boot_private.h"

#include <errno.h>
#include <stdio.h>

#define SIGNATURE_OFFSET 510
#define REAL_MODE_END	 0x100000ull

bool boot_wants_raw(const struct boot_request *request)
{
	return request->has_load || request->has_entry;
}

bool boot_is_sector(const uint8_t *bytes, size_t size)
{
	return size >= SIGNATURE_OFFSET + 2 && bytes[SIGNATURE_OFFSET] == 0x55 &&
	       bytes[SIGNATURE_OFFSET + 1] == 0xaa;
}

/* What people have at hand that looks like a kernel: the kernel's Documentation/arch/arm64/booting.rst and
 * riscv/boot-image-header.rst, arch/arm/boot/compressed/head.S. */
static const struct {
	unsigned offset;
	uint32_t mask, magic;
	const char *what;
} strangers[] = {
	{0, 0x0000ffff, 0x00008b1f, "is compressed by gzip; unpack it first"},
	{0, 0xffffffff, 0xfd2fb528, "is compressed by zstd; unpack it first"},
	{0, 0xffffffff, 0x587a37fd, "is compressed by xz; unpack it first"},
	{0x38, 0xffffffff, 0x644d5241, "is a Linux kernel for ARM64; vitrine runs x86"},
	{0x38, 0xffffffff, 0x05435352, "is a Linux kernel for RISC-V; vitrine runs x86"},
	{0x24, 0xffffffff, 0x016f2818, "is a Linux kernel for ARM; vitrine runs x86"},
	{0, 0x0000ffff, 0x00005a4d,
	 "is a program for EFI or Windows; vitrine has no such firmware: give the kernel itself"},
};

static int refuse_unknown(struct loader *loader)
{
	for (unsigned i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		if ((boot_u32(loader, strangers[i].offset) & strangers[i].mask) ==
		    strangers[i].magic)
			return error_set(loader->err, -EOPNOTSUPP, "%s", strangers[i].what);
	return error_set(loader->err, -EOPNOTSUPP,
			 "is neither ELF nor multiboot, nor a boot sector (no 0xaa55 at byte 510); "
			 "for a raw image say where it goes: -load ADDR [-entry ADDR]");
}

static int choose_addresses(struct loader *loader, uint64_t *load, uint64_t *entry)
{
	const struct boot_request *request = loader->request;
	struct boot_image *image = loader->image;

	if (!boot_wants_raw(request) && !boot_is_sector(loader->file, loader->size))
		return refuse_unknown(loader);
	*load = request->has_load    ? request->load
		: request->has_entry ? request->entry
				     : BOOT_SECTOR;
	*entry = request->has_entry ? request->entry : *load;
	if (*entry < *load || *entry - *load >= loader->size)
		return error_set(loader->err, -EINVAL,
				 "-entry 0x%llx is outside the image, which -load 0x%llx puts at "
				 "0x%llx-0x%llx",
				 (unsigned long long)*entry, (unsigned long long)*load,
				 (unsigned long long)*load,
				 (unsigned long long)*load + loader->size);
	snprintf(image->why, sizeof(image->why), "%s: %s at 0x%llx",
		 boot_wants_raw(request) ? "is raw, by -load or -entry"
					 : "has a boot sector's 0xaa55 at byte 510",
		 *entry < REAL_MODE_END ? "real mode" : "protected mode",
		 (unsigned long long)*entry);
	return 0;
}

static int enter(struct loader *loader, uint64_t entry)
{
	if (entry > UINT32_MAX)
		return error_set(loader->err, -EINVAL,
				 "-entry 0x%llx is not below 4 GiB, where protected mode ends",
				 (unsigned long long)entry);
	if (entry >= REAL_MODE_END)
		return entry_protected(loader, entry);
	return entry_real(loader, entry);
}

int flat_load(struct loader *loader)
{
	struct boot_segment segment = {
		.size = loader->size,
		.data = loader->file,
		.data_size = loader->size,
		.what = "image",
	};
	uint64_t entry = 0;
	int rc;

	rc = choose_addresses(loader, &segment.gpa, &entry);
	if (rc == 0)
		rc = boot_add(loader, &segment);
	if (rc < 0)
		return rc;
	loader->image->protocol = "flat";
	return enter(loader, entry);
}
