// SPDX-License-Identifier: GPL-3.0-or-later
/* bzImages that are unpacked by vitrine: every compression, the slide, the names that the kernel carries, and what
 * can be wrong with each. */
#include "boot/kallsyms.h"
#include "boot/linux_kaslr.h"
#include "boot_case.h"
#include "x86/mode.h"

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
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define KERNEL_BASE 0xffffffff80000000ull
#define GPA	    0x1000000ull
#define LINKED	    (KERNEL_BASE + GPA)
#define NAMES	    1200
#define TEXT_SIZE   0x10000u /* the names' addresses are 16 apart */
#define ROOM	    0x40000u
#define SETUP	    (2 * 512)

/* ---- a kernel ------------------------------------------------------------------------------ */

/* vmlinux: headers, 64 KiB of text, tables of names, section headers; and behind it the list of places. */
static struct {
	uint8_t bytes[ROOM];
	size_t size, elf, names, tokens;
} made;

enum age { AGE_NOW, AGE_RELATIVE, AGE_ABSOLUTE, AGE_COUNT };

#define TEXT_AT	  0x1000u
#define TABLES_AT (TEXT_AT + TEXT_SIZE)

static void put(const void *bytes, size_t size)
{
	assert_true(size <= ROOM - made.size);
	memcpy(made.bytes + made.size, bytes, size);
	made.size += size;
}

static void put32(uint32_t value)
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
		put32(i * 16);
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

/* Where the text holds addresses: 64 bits at 0x100, 32 bits that go the other way at 0x200, 32 bits at 0x300. */
static void put_places(bool inverse)
{
	put32(0);
	put32((uint32_t)LINKED + 0x100);
	if (inverse) {
		put32(0);
		put32((uint32_t)LINKED + 0x200);
	}
	put32(0);
	put32((uint32_t)LINKED + 0x300);
}

static void make(enum age age)
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

/* ---- its bzImage --------------------------------------------------------------------------- */

static size_t by_gzip(uint8_t *out)
{
	z_stream stream = {.next_in = made.bytes,
			   .avail_in = (uInt)made.size,
			   .next_out = out,
			   .avail_out = ROOM};

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static size_t by_zstd(uint8_t *out)
{
	size_t size = ZSTD_compress(out, ROOM, made.bytes, made.size, 3);

	assert_false(ZSTD_isError(size));
	return size;
}

static size_t by_lz4(uint8_t *out)
{
	int size = LZ4_compress_default((const char *)made.bytes, (char *)out + 8, (int)made.size,
					ROOM - 8);
	const uint32_t frame[] = {0x184c2102, (uint32_t)size};

	assert_true(size > 0);
	memcpy(out, frame, sizeof(frame));
	return (size_t)size + 8;
}

static size_t by_xz(uint8_t *out)
{
	size_t size = 0;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, made.bytes, made.size,
						 out, &size, ROOM),
			 LZMA_OK);
	return size;
}

static size_t by_lzma(uint8_t *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	assert_false(lzma_lzma_preset(&options, 1));
	assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
	stream.next_in = made.bytes;
	stream.avail_in = made.size;
	stream.next_out = out;
	stream.avail_out = ROOM;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&stream);
	return stream.total_out;
}

static size_t by_nothing_known(uint8_t *out)
{
	memset(out, 0x77, 1000);
	return 1000;
}

typedef size_t pack_fn(uint8_t *out);

static uint8_t file[ROOM + SETUP + 16];

static struct setup_header *header(void)
{
	return (struct setup_header *)(file + 0x1f1);
}

static uint8_t *payload(void)
{
	return file + SETUP + header()->payload_offset;
}

static void pack(pack_fn *by)
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

	memset(file, 0, sizeof(file));
	*header() = good;
	size = by(payload());
	memcpy(payload() + size, &unpacked, sizeof(unpacked));
	header()->payload_length = (uint32_t)size + 4;
	header()->syssize = (uint32_t)(0x300 + size + 4 + 15) / 16;
}

static void load(struct boot_case *c, const char *append)
{
	boot_case_init(c, file, sizeof(file));
	c->request.append = append;
	boot_case_loads(c);
}

/* ---- unpacking ----------------------------------------------------------------------------- */

static void check_text(const struct boot_case *c)
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

static void every_compression_is_known(void **unused)
{
	static pack_fn *const all[] = {by_gzip, by_zstd, by_lz4, by_xz, by_lzma};

	(void)unused;
	make(AGE_NOW);
	put_places(false);
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct boot_case c;

		pack(all[i]);
		load(&c, "quiet nokaslr");
		assert_string_equal(c.image.protocol, "Linux, unpacked");
		assert_int_equal(c.image.slide, 0);
		assert_int_equal(c.image.start.general.rip, GPA + 0x40);
		assert_int_equal(cpu_mode(&c.image.start), MODE_LONG);
		check_text(&c);
		boot_case_end(&c);
	}
}

static void what_is_not_known_is_left_to_the_kernel(void **unused)
{
	struct boot_case c;

	(void)unused;
	make(AGE_NOW);
	pack(by_nothing_known);
	load(&c, NULL);
	assert_string_equal(c.image.protocol, "Linux, 64-bit");
	assert_int_equal(c.image.start.general.rip, GPA + 0x200);
	assert_null(c.image.elf);
	boot_case_end(&c);
}

static void its_own_unpacker_can_be_asked_for_and_the_names_are_there(void **unused)
{
	struct boot_case c;

	(void)unused;
	make(AGE_NOW);
	put_places(false);
	pack(by_zstd);
	boot_case_init(&c, file, sizeof(file));
	c.request.protocol = "linux64";
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 64-bit");
	assert_int_equal(c.image.slide, 0);
	assert_memory_equal(c.image.elf, ELFMAG, SELFMAG);
	assert_true(c.image.elf_size > made.elf);
	boot_case_end(&c);
}

static void damage_is_refused(void **unused)
{
	static pack_fn *const all[] = {by_gzip, by_zstd, by_lz4, by_xz, by_lzma};

	(void)unused;
	make(AGE_NOW);
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct boot_case c;

		pack(all[i]);
		/* Less than there is, and more. */
		for (int less = -1; less <= 1; less += 2) {
			uint8_t *size = payload() + header()->payload_length - 4;
			uint32_t wrong = (uint32_t)((int)made.size - less);

			memcpy(size, &wrong, sizeof(wrong));
			if (less > 0 && all[i] != by_gzip && all[i] != by_zstd)
				continue; /* their streams do not need to end there */
			boot_case_init(&c, file, sizeof(file));
			boot_case_refuses(&c, -EINVAL, "cannot be unpacked");
			boot_case_end(&c);
		}
		pack(all[i]);
		header()->payload_length /= 2;
		boot_case_init(&c, file, sizeof(file));
		boot_case_refuses(&c, -EINVAL, "cannot be unpacked");
		boot_case_end(&c);
	}
}

static void more_than_the_header_speaks_of_is_refused(void **unused)
{
	struct boot_case c;

	(void)unused;
	make(AGE_NOW);
	pack(by_zstd);
	header()->init_size = (uint32_t)made.size - 1;
	boot_case_init(&c, file, sizeof(file));
	boot_case_refuses(&c, -EINVAL, "cannot be unpacked");
	boot_case_end(&c);
}

/* ---- moving -------------------------------------------------------------------------------- */

static void it_is_moved_by_chance(void **unused)
{
	uint64_t first = 0;
	bool differ = false;

	(void)unused;
	make(AGE_NOW);
	put_places(false);
	pack(by_zstd);
	for (unsigned i = 0; i < 20; i++) {
		struct boot_case c;
		struct boot_params params;

		load(&c, "quiet nokaslrx");
		check_text(&c);
		assert_int_equal(c.image.slide % 0x200000, 0);
		assert_true(GPA + c.image.slide + 0x800000 <= 0x40000000);
		boot_case_read(&c.image, c.image.start.general.gpr[GPR_RSI], &params,
			       sizeof(params));
		assert_int_equal(!!(params.hdr.loadflags & KASLR_FLAG), c.image.slide != 0);
		differ |= i && c.image.slide != first;
		first = c.image.slide;
		boot_case_end(&c);
	}
	assert_true(differ);
}

static uint32_t narrow_at(unsigned at)
{
	uint32_t value;

	memcpy(&value, made.bytes + TEXT_AT + at, sizeof(value));
	return value;
}

static void places_of_32_bits_may_go_the_other_way(void **unused)
{
	const uint32_t before = (uint32_t)LINKED + 0x5678;
	uint64_t wide;

	(void)unused;
	make(AGE_NOW);
	put_places(true);
	assert_int_equal(kaslr_relocate(made.bytes, made.size, made.elf, 0x600000), 0);
	assert_int_equal(narrow_at(0x200), before - 0x600000);
	assert_int_equal(narrow_at(0x300), before + 0x600000);
	memcpy(&wide, made.bytes + TEXT_AT + 0x100, sizeof(wide));
	assert_int_equal(wide, LINKED + 0x1234 + 0x600000);
}

static void refuses_places(const uint32_t *words, unsigned count)
{
	static uint8_t before[ROOM];

	make(AGE_NOW);
	for (unsigned i = 0; i < count; i++)
		put32(words[i]);
	memcpy(before, made.bytes, ROOM);
	assert_int_equal(kaslr_relocate(made.bytes, made.size, made.elf, 0x600000), -ENOTSUP);
	assert_memory_equal(before, made.bytes, ROOM);
}

/* A list that points out of the kernel, or is none, moves nothing. */
static void wrong_places_move_nothing(void **unused)
{
	const uint32_t low = (uint32_t)LINKED;

	(void)unused;
	refuses_places(NULL, 0);
	refuses_places((const uint32_t[]){0, low + 0x100}, 2);
	refuses_places((const uint32_t[]){low + 0x100, 0, 0}, 3);
	refuses_places((const uint32_t[]){0, low - 1, 0}, 3);
	refuses_places((const uint32_t[]){0, low + 0x100000, 0}, 3);
	refuses_places((const uint32_t[]){0, 0, low + 0x100, low + ROOM - 2}, 4);
	refuses_places((const uint32_t[]){0, 0, 0, 0}, 4);
}

/* ---- names --------------------------------------------------------------------------------- */

static void check_symbol(Elf *elf, size_t strings, const GElf_Sym *sym, bool *text)
{
	const char *name = elf_strptr(elf, strings, sym->st_name);
	unsigned i = 0;

	assert_non_null(name);
	if (!strncmp(name, "name", 4))
		i = (unsigned)strtoul(name + 4, NULL, 10);
	else
		*text = !strcmp(name, "_text");
	assert_int_equal(sym->st_value, LINKED + i * 16);
	assert_int_equal(sym->st_size, i == NAMES - 1 ? TEXT_SIZE - i * 16 : 16);
	assert_int_equal(GELF_ST_TYPE(sym->st_info), STT_FUNC);
	assert_int_equal(GELF_ST_BIND(sym->st_info), i % 10 ? STB_LOCAL : STB_GLOBAL);
	assert_int_equal(sym->st_shndx, 1);
}

/* As libelf reads it. */
static void check_file(const void *bytes, size_t size)
{
	Elf *elf;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Sym sym;
	bool text = false;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)bytes, size);
	do {
		section = elf_nextscn(elf, section);
		assert_non_null(section);
		assert_non_null(gelf_getshdr(section, &header));
	} while (header.sh_type != SHT_SYMTAB);
	assert_int_equal(header.sh_size / header.sh_entsize, 1 + NAMES);
	assert_int_equal(header.sh_info, 1 + NAMES - NAMES / 10);
	for (int i = 1; i <= NAMES; i++) {
		assert_non_null(gelf_getsym(elf_getdata(section, NULL), i, &sym));
		check_symbol(elf, header.sh_link, &sym, &text);
	}
	assert_true(text);
	elf_end(elf);
}

/* The file is as linked, whatever the guest was moved by. */
static void the_names_become_symbols(void **unused)
{
	(void)unused;
	for (enum age age = 0; age < AGE_COUNT; age++) {
		struct boot_case c;
		uint64_t wide;

		make(age);
		put_places(false);
		pack(by_lz4);
		load(&c, NULL);
		check_file(c.image.elf, c.image.elf_size);
		memcpy(&wide, (const uint8_t *)c.image.elf + TEXT_AT + 0x100, sizeof(wide));
		assert_int_equal(wide, LINKED + 0x1234);
		boot_case_end(&c);
	}
}

static bool finds_names(void)
{
	struct kallsyms k;

	return kallsyms_find(made.bytes, made.elf, LINKED, &k);
}

static void wrong_tables_are_none(void **unused)
{
	struct kallsyms k;

	(void)unused;
	make(AGE_NOW);
	assert_true(finds_names());
	assert_false(kallsyms_find(made.bytes, made.elf, LINKED + 16, &k));
	made.bytes[made.names - 8] ^= 1; /* how many */
	assert_false(finds_names());
	make(AGE_NOW);
	made.bytes[made.names] ^= 1; /* how long the first one is */
	assert_false(finds_names());
	make(AGE_NOW);
	made.bytes[made.tokens + 4] = 0;
	assert_false(finds_names());
	make(AGE_NOW);
	for (size_t size = TABLES_AT; size < made.elf - sizeof(Elf64_Shdr) * 2 - 16; size += 97)
		assert_false(kallsyms_find(made.bytes, size, LINKED, &k));
}

/* What was found may be wrong further on: it ends early, or is nonsense, and nothing else is touched. */
static void nonsense_in_the_tables_is_bounded(void **unused)
{
	(void)unused;
	srand(1);
	for (unsigned round = 0; round < 300; round++) {
		size_t at;
		uint8_t *copy;
		struct kallsyms k;

		make((enum age)(round % AGE_COUNT));
		for (unsigned i = 0; i < 3; i++) {
			at = TABLES_AT + (size_t)rand() % (made.elf - TABLES_AT);
			made.bytes[at] = (uint8_t)rand();
		}
		/* On the heap, where a sanitizer sees its end. */
		copy = malloc(made.elf);
		assert_non_null(copy);
		memcpy(copy, made.bytes, made.elf);
		if (kallsyms_find(copy, made.elf, LINKED, &k)) {
			struct kallsyms_cursor cursor = {0};
			struct kallsyms_name name;
			unsigned count = 0;

			while (kallsyms_next(&k, &cursor, &name))
				count++;
			assert_true(count <= NAMES);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_compression_is_known),
		cmocka_unit_test(what_is_not_known_is_left_to_the_kernel),
		cmocka_unit_test(its_own_unpacker_can_be_asked_for_and_the_names_are_there),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(more_than_the_header_speaks_of_is_refused),
		cmocka_unit_test(it_is_moved_by_chance),
		cmocka_unit_test(places_of_32_bits_may_go_the_other_way),
		cmocka_unit_test(wrong_places_move_nothing),
		cmocka_unit_test(the_names_become_symbols),
		cmocka_unit_test(wrong_tables_are_none),
		cmocka_unit_test(nonsense_in_the_tables_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
