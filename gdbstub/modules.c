// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * add-symbol-file target:/vitrine/modules: the names of a Linux guest's modules, as a file that is made when gdb opens
 * it. gdb reads it through vFile like the guest's image.
 */
#include "gdbstub/stub.h"

#include <stdlib.h>

static bool is_open(const struct gdb_session *s)
{
	for (unsigned i = 0; i < GDB_HANDLES; i++)
		if (s->handle[i] == &s->modules)
			return true;
	return false;
}

/* Where the kernel runs: where it is seen from here, or else where it was put. */
static uint64_t slide_of(struct gdb_session *s, const void *kernel, size_t size)
{
	struct image_slide found;

	if (!debug_find_slide(s->debug, (int)s->general, kernel, size, &found) && found.found)
		return found.slide;
	return debug_image_slide(s->debug);
}

static bool make(struct gdb_session *s, const struct gdb_file *kernel)
{
	struct guest_modules *modules;
	size_t kernel_size, size;
	const void *elf = file_bytes(kernel, &kernel_size);
	void *bytes = NULL;

	if (!elf || guest_modules_new(elf, kernel_size, &modules, NULL))
		return false;
	if (guest_modules_read(modules, s->debug, (int)s->general, slide_of(s, elf, kernel_size)) >=
	    0)
		bytes = guest_modules_file(modules, s->debug, (int)s->general, &size);
	guest_modules_free(modules);
	if (bytes)
		s->modules = (struct gdb_file){.path = MODULES_PATH, .bytes = bytes, .size = size};
	return bytes != NULL;
}

void modules_file_free(struct gdb_session *s)
{
	free((void *)s->modules.bytes);
	s->modules = (struct gdb_file){0};
}

const struct gdb_file *modules_file(struct gdb_session *s)
{
	if (is_open(s))
		return &s->modules;
	modules_file_free(s);
	for (unsigned i = 0; i < s->config.file_count; i++)
		if (make(s, &s->config.files[i]))
			return &s->modules;
	return NULL;
}
