// SPDX-License-Identifier: GPL-3.0-or-later
#include "packed_kernel.h"
#include "boot_case.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <gelf.h>
#include <lz4.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

struct made made;

static void put(const void *bytes, size_t size)
{
	assert_true(size <= ROOM - made.size);
	memcpy(made.bytes + made.size, bytes, size);
	made.size += size;
}

void unpack_put32(uint32_t value)
{
	put(&value, sizeof(value));
}

static void put64(uint64_t value)
{
	put(&value, sizeof(value));
}

static void align(void)
{
	made.size = (made.size + 7) & ~(size_t)7;
}

/* Local ones but for each tenth; the first is _text. */
static void name_of(unsigned i, char name[32])
{
	snprintf(name, 32, "%c%s%u", i % 10 ? 't' : 'T', i ? "name" : "_text", i);
	if (i == 0)
		strcpy(name, "T_text");
}

static void put_names(void)
{
	uint32_t markers[NAMES / 256 + 1] = {0};
	char name[32];

	put64(NAMES);
	made.names = made.size;
	for (unsigned i = 0; i < NAMES; i++) {
		uint8_t length;

		name_of(i, name);
		length = (uint8_t)strlen(name);
		if (i % 256 == 0)
			markers[i / 256] = (uint32_t)(made.size - made.names);
		put(&length, 1);
		put(name, length);
	}
	align();
	put(markers, sizeof(markers));
	align();
}

/* A token for each byte; those that are no characters are two of them. */
static void put_tokens(void)
{
	uint16_t index[256];

	made.tokens = made.size;
	for (unsigned i = 0; i < 256; i++) {
		char token[3] = {(char)i};

		if (i <= ' ' || i > '~')
			memcpy(token, "??", 3);
		index[i] = (uint16_t)(made.size - made.tokens);
		put(token, strlen(token) + 1);
	}
	align();
	put(index, sizeof(index));
	align();
}

static void put_offsets(void)
{
	for (uint32_t i = 0; i < NAMES; i++)
		unpack_put32(i * 16);
	align();
}

static void put_tables(enum age age)
{
	if (age == AGE_RELATIVE) {
		put_offsets();
		put64(LINKED);
	}
	for (uint64_t i = 0; age == AGE_ABSOLUTE && i < NAMES; i++)
		put64(LINKED + i * 16);
	put_names();
	put_tokens();
	if (age == AGE_NOW) {
		put_offsets();
		put64(LINKED);
	}
}

static void put_sections(void)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)made.bytes;
	Elf64_Shdr text = {.sh_type = SHT_PROGBITS,
			   .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			   .sh_addr = LINKED,
			   .sh_offset = TEXT_AT,
			   .sh_size = TEXT_SIZE};
	Elf64_Shdr none = {0};

	align();
	h->e_shoff = made.size;
	h->e_shentsize = sizeof(text);
	h->e_shnum = 2;
	put(&none, sizeof(none));
	put(&text, sizeof(text));
	made.elf = made.size;
}

void put_places(bool inverse)
{
	unpack_put32(0);
	unpack_put32((uint32_t)LINKED + 0x100);
	if (inverse) {
		unpack_put32(0);
		unpack_put32((uint32_t)LINKED + 0x200);
	}
	unpack_put32(0);
	unpack_put32((uint32_t)LINKED + 0x300);
}

void unpack_make(enum age age)
{
	const uint64_t wide = LINKED + 0x1234;
	const uint32_t narrow = (uint32_t)LINKED + 0x5678;
	Elf64_Ehdr *h = (Elf64_Ehdr *)made.bytes;
	Elf64_Phdr *p = (Elf64_Phdr *)(made.bytes + sizeof(*h));

	memset(&made, 0, sizeof(made));
	memcpy(h->e_ident, ELFMAG "\x02\x01\x01", 7);
	h->e_type = ET_EXEC;
	h->e_machine = EM_X86_64;
	h->e_version = EV_CURRENT;
	h->e_entry = GPA + 0x40;
	h->e_phoff = sizeof(*h);
	h->e_ehsize = sizeof(*h);
	h->e_phentsize = sizeof(*p);
	h->e_phnum = 1;
	for (unsigned i = 0; i < TEXT_SIZE; i++)
		made.bytes[TEXT_AT + i] = (uint8_t)(i * 7 + i / 256);
	memcpy(made.bytes + TEXT_AT + 0x100, &wide, sizeof(wide));
	memcpy(made.bytes + TEXT_AT + 0x200, &narrow, sizeof(narrow));
	memcpy(made.bytes + TEXT_AT + 0x300, &narrow, sizeof(narrow));
	made.size = TABLES_AT;
	put_tables(age);
	*p = (Elf64_Phdr){.p_type = PT_LOAD,
			  .p_flags = PF_R | PF_X,
			  .p_offset = TEXT_AT,
			  .p_vaddr = LINKED,
			  .p_paddr = GPA,
			  .p_filesz = made.size - TEXT_AT,
			  .p_memsz = 0x100000};
	put_sections();
}

size_t by_zstd(uint8_t *out)
{
	size_t size = ZSTD_compress(out, ROOM, made.bytes, made.size, 3);

	assert_false(ZSTD_isError(size));
	return size;
}

size_t by_lz4(uint8_t *out)
{
	int size = LZ4_compress_default((const char *)made.bytes, (char *)out + 8, (int)made.size,
					ROOM - 8);
	const uint32_t frame[] = {0x184c2102, (uint32_t)size};

	assert_true(size > 0);
	memcpy(out, frame, sizeof(frame));
	return (size_t)size + 8;
}

uint8_t unpack_file[ROOM + SETUP + 16];

struct setup_header *unpack_header(void)
{
	return (struct setup_header *)(unpack_file + 0x1f1);
}

uint8_t *payload(void)
{
	return unpack_file + SETUP + unpack_header()->payload_offset;
}

void pack(pack_fn *by)
{
	static const struct setup_header good = {
		.setup_sects = 1,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb,
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.payload_offset = 0x300,
		.pref_address = GPA,
		.init_size = 0x800000,
	};
	uint32_t unpacked = (uint32_t)made.size;
	size_t size;

	memset(unpack_file, 0, sizeof(unpack_file));
	*unpack_header() = good;
	size = by(payload());
	memcpy(payload() + size, &unpacked, sizeof(unpacked));
	unpack_header()->payload_length = (uint32_t)size + 4;
	unpack_header()->syssize = (uint32_t)(0x300 + size + 4 + 15) / 16;
}

void unpack_load(struct boot_case *c, const char *append)
{
	boot_case_init(c, unpack_file, sizeof(unpack_file));
	c->request.append = append;
	boot_case_loads(c);
}

void check_text(const struct boot_case *c)
{
	uint64_t slide = c->image.slide;

	assert_int_equal(boot_case_u64(&c->image, GPA + 0x100), LINKED + 0x1234 + slide);
	assert_int_equal(boot_case_u32(&c->image, GPA + 0x300),
			 (uint32_t)(LINKED + 0x5678 + slide));
	for (unsigned i = 0x400; i < TEXT_SIZE; i += 4) {
		uint32_t there;

		memcpy(&there, made.bytes + TEXT_AT + i, sizeof(there));
		assert_int_equal(boot_case_u32(&c->image, GPA + i), there);
	}
}
