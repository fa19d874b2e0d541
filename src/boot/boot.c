// SPDX-License-Identifier: GPL-3.0-or-later
/* The chooser: which loader a file belongs to is read from its bytes. */
#include "boot/boot_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MULTIBOOT2_MAGIC       0xe85250d6u
#define MULTIBOOT2_SEARCH_SIZE 32768

extern const uint8_t boot_embedded_image[];
extern const uint64_t boot_embedded_size;

const void *boot_embedded(size_t *size)
{
	*size = boot_embedded_size;
	return boot_embedded_image;
}

static bool has_multiboot2(const struct loader *loader)
{
	size_t end = loader->size < MULTIBOOT2_SEARCH_SIZE ? loader->size : MULTIBOOT2_SEARCH_SIZE;

	for (size_t at = 0; at + 16 <= end; at += 8) {
		if (boot_u32(loader, at) == MULTIBOOT2_MAGIC &&
		    boot_u32(loader, at) + boot_u32(loader, at + 4) + boot_u32(loader, at + 8) +
				    boot_u32(loader, at + 12) ==
			    0)
			return true;
	}
	return false;
}

/* What only some protocols understand is refused for the others, never dropped in silence. */
static int check_options(struct loader *loader, bool multiboot)
{
	const struct boot_request *request = loader->request;

	if (elf_recognised(loader) && boot_wants_raw(request))
		return error_set(
			loader->err, -EINVAL,
			"says by itself where it goes; -load and -entry are for raw images");
	if (!multiboot && request->initrd)
		return error_set(loader->err, -EINVAL,
				 "has no multiboot header, and only multiboot guests take -initrd "
				 "modules");
	return 0;
}

static int load(struct loader *loader)
{
	long header = multiboot_find(loader);
	int rc;

	/* Raw bytes that happen to contain a header are still raw when the user says so. */
	if (boot_wants_raw(loader->request))
		header = -ENOENT;
	rc = check_options(loader, header >= 0);
	if (rc < 0)
		return rc;
	if (header >= 0)
		return multiboot_load(loader, (uint32_t)header);
	if (has_multiboot2(loader) && !boot_wants_raw(loader->request))
		return error_set(loader->err, -EOPNOTSUPP,
				 "has a multiboot 2 header; vitrine knows multiboot 1");
	return elf_recognised(loader) ? elf_load(loader) : flat_load(loader);
}

static int read_image(struct loader *loader, const char *path)
{
	int rc;

	if (!path) {
		loader->file = boot_embedded(&loader->size);
		return 0;
	}
	rc = boot_read_file(loader->image, path, &loader->file, &loader->size, loader->err);
	if (rc < 0)
		return rc;
	loader->image->path = realpath(path, NULL);
	return loader->image->path ? 0 : error_set(loader->err, -errno, "%s", strerror(errno));
}

int boot_load(const struct boot_request *request, struct boot_image *image, struct error *err)
{
	struct loader loader = {.request = request, .image = image, .err = err};
	const char *name = request->kernel ? request->kernel : "the embedded guest";
	int rc;

	memset(image, 0, sizeof(*image));
	cpu_state_reset(&image->start, true);
	rc = read_image(&loader, request->kernel);
	if (rc == 0)
		rc = load(&loader);
	if (rc < 0) {
		error_prefix(err, "%s", name);
		boot_free(image);
		return rc;
	}
	if (elf_recognised(&loader)) {
		image->elf = loader.file;
		image->elf_size = loader.size;
	}
	return 0;
}

void boot_free(struct boot_image *image)
{
	for (unsigned i = 0; i < image->allocation_count; i++)
		free(image->allocations[i]);
	free(image->path);
	memset(image, 0, sizeof(*image));
}
