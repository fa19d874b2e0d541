// SPDX-License-Identifier: GPL-3.0-or-later
/* The chooser: which loader a file belongs to is read from its bytes. */
#include "boot/firmware_tables.h"
#include "boot/linux.h"
#include "boot/multiboot2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern const uint8_t boot_embedded_image[];
extern const uint64_t boot_embedded_size;

const void *boot_embedded(size_t *size)
{
	*size = boot_embedded_size;
	return boot_embedded_image;
}

/* ---- protocols --------------------------------------------------------------------------------- */

static bool multiboot_recognised(const struct loader *loader)
{
	return multiboot_find(loader) >= 0;
}

static int multiboot_start(struct loader *loader)
{
	return multiboot_load(loader, (uint32_t)multiboot_find(loader));
}

static bool multiboot2_recognised(const struct loader *loader)
{
	return multiboot2_find(loader) >= 0;
}

static bool always(const struct loader *loader)
{
	(void)loader;
	return true;
}

static bool bzimage_or_elf64(const struct loader *loader)
{
	return bzimage_has_entry64(loader) || elf_is64(loader);
}

static bool bzimage_or_any_elf64(const struct loader *loader)
{
	return bzimage_recognised(loader) || elf_is64(loader);
}

static bool linux_recognised(const struct loader *loader)
{
	return bzimage_recognised(loader) || vmlinux_recognised(loader);
}

static int linux_load(struct loader *loader)
{
	return bzimage_recognised(loader) ? bzimage_load(loader) : vmlinux_load(loader);
}

static int linux64_load(struct loader *loader)
{
	return bzimage_recognised(loader) ? bzimage_load64(loader) : vmlinux_load(loader);
}

/* In the order in which they are tried. */
static const struct protocol {
	const char *name; /* as -protocol takes it */
	bool (*recognised)(const struct loader *loader);
	bool (*possible)(const struct loader *loader); /* where the user asks for it */
	int (*load)(struct loader *loader);
	bool takes_initrd;
} protocols[] = {
	{"multiboot", multiboot_recognised, multiboot_recognised, multiboot_start, true},
	{"multiboot2", multiboot2_recognised, multiboot2_recognised, multiboot2_load, true},
	{"pvh", pvh_recognised, pvh_recognised, pvh_load, true},
	{"linux", linux_recognised, bzimage_or_any_elf64, linux_load, true},
	{"linux64", bzimage_has_entry64, bzimage_or_elf64, linux64_load, true},
	{"linux32", bzimage_recognised, bzimage_recognised, bzimage_load32, true},
	{"elf", elf_recognised, elf_recognised, elf_load, false},
	{"flat", always, always, flat_load, false},
};

static const char protocol_names[] =
	"auto, multiboot, multiboot2, pvh, linux, linux64, linux32, elf or flat";

static const struct protocol *protocol_named(const char *name)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (!strcmp(protocols[i].name, name))
			return &protocols[i];
	return NULL;
}

int boot_check_protocol(const char *name, struct error *err)
{
	if (!strcmp(name, "auto") || protocol_named(name))
		return 0;
	return error_set(err, -EINVAL, "-protocol takes %s, not '%s'", protocol_names, name);
}

/* Raw bytes that happen to contain a header are still raw when the user says so. */
static const struct protocol *recognise(const struct loader *loader)
{
	const struct protocol *p = protocols;

	if (boot_wants_raw(loader->request))
		return protocol_named("flat");
	while (!p->recognised(loader))
		p++;
	return p;
}

static int choose(struct loader *loader, const struct protocol **chosen)
{
	const char *name = loader->request->protocol;

	if (!name || !strcmp(name, "auto")) {
		*chosen = recognise(loader);
		return 0;
	}
	*chosen = protocol_named(name);
	if (!*chosen)
		return boot_check_protocol(name, loader->err);
	if (!(*chosen)->possible(loader))
		return error_set(loader->err, -EINVAL,
				 "is nothing that -protocol %s can start; leave that out", name);
	return 0;
}

/* What only some protocols understand is refused for the others, never dropped in silence. */
static int check_options(struct loader *loader, const struct protocol *protocol)
{
	const struct boot_request *request = loader->request;

	if (boot_wants_raw(request) && elf_recognised(loader))
		return error_set(
			loader->err, -EINVAL,
			"says by itself where it goes; -load and -entry are for raw images");
	if (boot_wants_raw(request) && protocol->load != flat_load)
		return error_set(loader->err, -EINVAL,
				 "is no raw image for -protocol %s, and -load and -entry are for "
				 "raw images",
				 protocol->name);
	if (!protocol->takes_initrd && request->initrd)
		return error_set(loader->err, -EINVAL,
				 "takes no -initrd: that is for Linux, PVH and multiboot guests");
	return 0;
}

static int load(struct loader *loader)
{
	const struct protocol *protocol;
	int rc = choose(loader, &protocol);

	if (rc == 0)
		rc = check_options(loader, protocol);
	if (rc == 0)
		rc = protocol->load(loader);
	return rc < 0 ? rc : firmware_place(loader);
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

static int keep_command_line(struct loader *loader)
{
	const char *line = loader->request->append ? loader->request->append : "";
	size_t size = strlen(line) + 1;
	char *copy = boot_allocate(loader->image, size);

	if (!copy)
		return error_set(loader->err, -ENOMEM, "no memory for the command line");
	loader->image->command_line = memcpy(copy, line, size);
	return 0;
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
		rc = keep_command_line(&loader);
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

const void *boot_symbols(struct boot_image *image, size_t *size, struct error *err)
{
	struct boot_packed *p = &image->packed;

	if (!p->payload) {
		*size = image->elf_size;
		return image->elf;
	}
	if (!p->sought) {
		p->sought = true;
		bzimage_make_symbols(image, err);
	}
	*size = p->symbols_size;
	return p->symbols;
}

void boot_free(struct boot_image *image)
{
	boot_pages_free(image->packed.moved, image->packed.moved_size);
	free(image->packed.symbols);
	for (unsigned i = 0; i < image->allocation_count; i++)
		free(image->allocations[i]);
	free(image->path);
	memset(image, 0, sizeof(*image));
}
