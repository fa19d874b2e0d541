// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/prologue.h"

#include <gelf.h>
#include <string.h>

/* Bytes of the image at a virtual address; how many of len. */
static size_t image_bytes(Elf *elf, uint64_t address, void *buf, size_t len)
{
	size_t file_size, count = 0;
	const char *file = elf_rawfile(elf, &file_size);
	GElf_Phdr header;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; file && i < count; i++) {
		uint64_t skip;

		if (!gelf_getphdr(elf, i, &header) || header.p_type != PT_LOAD)
			continue;
		skip = address - header.p_vaddr;
		if (address < header.p_vaddr || skip >= header.p_filesz ||
		    header.p_offset > file_size || skip >= file_size - header.p_offset)
			continue;
		if (len > header.p_filesz - skip)
			len = header.p_filesz - skip;
		if (len > file_size - header.p_offset - skip)
			len = file_size - header.p_offset - skip;
		memcpy(buf, file + header.p_offset + skip, len);
		return len;
	}
	return 0;
}

/* What compilers set a frame up with; each may be absent except push and mov. */
struct pattern {
	unsigned char size, bytes[4];
};

static size_t match(const unsigned char *code, size_t size, const struct pattern *patterns,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (patterns[i].size <= size && !memcmp(code, patterns[i].bytes, patterns[i].size))
			return patterns[i].size;
	return 0;
}

/* Length of `[endbr] push %rbp; mov %rsp,%rbp` at code, or 0. */
static size_t frame_setup(const unsigned char *code, size_t size)
{
	static const struct pattern endbr[] = {{4, {0xf3, 0x0f, 0x1e, 0xfa}},
					       {4, {0xf3, 0x0f, 0x1e, 0xfb}}};
	static const struct pattern push[] = {{1, {0x55}}, {2, {0x40, 0x55}}};
	static const struct pattern move[] = {{3, {0x48, 0x89, 0xe5}},
					      {3, {0x48, 0x8b, 0xec}},
					      {2, {0x89, 0xe5}},
					      {2, {0x8b, 0xec}}};
	size_t at = match(code, size, endbr, 2), length;

	length = match(code + at, size - at, push, 2);
	if (!length)
		return 0;
	at += length;
	length = match(code + at, size - at, move, 4);
	return length ? at + length : 0;
}

size_t prologue_length(Elf *elf, uint64_t function)
{
	unsigned char code[16];

	return frame_setup(code, image_bytes(elf, function, code, sizeof(code)));
}
