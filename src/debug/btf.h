/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types that a Linux kernel describes in its image (Linux, Documentation/bpf/btf.rst): where the members of its
 * structures are. */
#ifndef DEBUG_BTF_H
#define DEBUG_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf {
	const uint8_t *types,
		*strings; /* the section's own; everything is checked against their sizes */
	size_t types_size, strings_size;
	uint32_t *at; /* where each type is, by its number less 1 */
	uint32_t count;
};

/* From the bytes of a .BTF section, which must outlive it. False: it is none, is damaged, or there is no memory. */
bool btf_read(const void *bytes, size_t size, struct btf *btf);
void btf_free(struct btf *btf);

/* The number of the structure with this name; 0: there is none. */
uint32_t btf_struct(const struct btf *btf, const char *name);
/* Bytes of a structure, or of what else has a size; 0: unknown. */
uint32_t btf_size(const struct btf *btf, uint32_t type);

struct btf_member {
	uint32_t offset; /* in bytes */
	uint32_t type;	 /* of one element, when it is an array */
	uint32_t count;	 /* of elements; 1: it is none */
};
/* A member of a structure, or of a nameless one within it. False: there is none, or it is a field of bits. */
bool btf_member(const struct btf *btf, uint32_t type, const char *name, struct btf_member *member);

#endif
