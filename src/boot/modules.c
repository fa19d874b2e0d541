// SPDX-License-Identifier: GPL-3.0-or-later
/* -initrd for multiboot: "FILE [ARGS][,FILE...]", as QEMU has it. */
#include "boot/boot_private.h"

#include "comma_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

static int place(struct loader *loader, struct boot_modules *modules, const char *path)
{
	unsigned number = modules->count;
	struct boot_module *module = &modules->module[number];
	struct boot_segment segment = {0};
	const uint8_t *bytes;
	int rc = boot_read_file(loader->image, path, &bytes, &segment.data_size, loader->err);

	if (rc == 0)
		rc = boot_find_high(loader, segment.data_size, PAGE, "module", &segment.gpa);
	if (rc < 0) {
		error_prefix(loader->err, "module %s (-initrd)", path);
		return rc;
	}
	segment.size = segment.data_size;
	segment.data = bytes;
	snprintf(segment.what, sizeof(segment.what), "module %u", number);
	module->start = (uint32_t)segment.gpa;
	module->end = (uint32_t)(segment.gpa + segment.size);
	modules->count++;
	if (number == 0)
		loader->image->initrd = segment;
	return boot_add(loader, &segment);
}

static int add(struct loader *loader, struct boot_modules *modules, char *text)
{
	size_t length = strcspn(text, " ");
	char *path;
	int rc;

	if (length == 0)
		return error_set(loader->err, -EINVAL,
				 "-initrd names an empty file; write FILE [ARGS][,FILE...]");
	if (modules->count == BOOT_MODULES_MAX)
		return error_set(loader->err, -E2BIG, "-initrd names more than %d modules",
				 BOOT_MODULES_MAX);
	path = strndup(text, length);
	if (!path)
		return error_set(loader->err, -ENOMEM, "no memory for the modules");
	modules->module[modules->count].text = text;
	rc = place(loader, modules, path);
	free(path);
	return rc;
}

int boot_place_modules(struct loader *loader, struct boot_modules *modules)
{
	const char *initrd = loader->request->initrd;
	size_t size;
	char *text;
	int rc = 0;

	modules->count = 0;
	if (!initrd)
		return 0;
	size = strlen(initrd) + 1;
	text = boot_allocate(loader->image, size);
	if (!text)
		return error_set(loader->err, -ENOMEM, "no memory for the modules");
	memcpy(text, initrd, size);
	while (text && rc == 0) {
		char *next = comma_list_split(text);

		rc = add(loader, modules, text);
		text = next;
	}
	return rc;
}
