/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far a guest has moved away from where its image was linked: kernels put themselves to random addresses, and
 * symbols have to follow. Part of debug/debug.h, the only door.
 */
#ifndef DEBUG_SLIDE_H
#define DEBUG_SLIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug;

struct image_slide {
	uint64_t base;	/* the linked address of the first segment that is loaded */
	uint64_t slide; /* to be added to linked addresses, modulo 2^64; 0 when nothing was found */
	bool found;	/* the image's code has been seen */
};

/*
 * Looks where this vCPU runs, where its exceptions go, and where system calls enter; when the code there is the
 * image's, but for its address, and the rest of that segment is found at the same distance, that is the slide. Of a
 * machine that stands still. -EBUSY; -ENOEXEC: elf is none.
 */
int debug_find_slide(struct debug *debug, int vcpu, const void *elf, size_t size,
		     struct image_slide *found);

#endif
