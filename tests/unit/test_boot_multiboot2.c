// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 2: finding the header, its tags, and what the guest is told. */
#include "boot_case.h"
#include "x86/mode.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAGIC	   0xe85250d6u
#define LOAD	   0x100000u
#define HEADER_AT  64
#define IMAGE_SIZE 1024
#define OPTIONAL   0x10000u /* with the type, in a tag's first word */

enum { REQUEST = 1, ADDRESSES, ENTRY, CONSOLE, SCREEN, ALIGN, BOOT_SERVICES, EFI32, EFI64, RANGE };

static uint8_t image[40000];

/* A header that grows by tags. */
struct header {
	uint32_t word[64];
	unsigned count;
};

static struct header begin(void)
{
	return (struct header){.word = {MAGIC}, .count = 4};
}

static void tag(struct header *h, uint32_t type, unsigned count, const uint32_t *words)
{
	h->word[h->count] = type;
	h->word[h->count + 1] = 8 + 4 * count;
	for (unsigned i = 0; i < count; i++)
		h->word[h->count + 2 + i] = words[i];
	h->count += (2 + count + 1) & ~1u;
}

/* Length and checksum. */
static void end(struct header *h)
{
	tag(h, 0, 0, NULL);
	h->word[2] = 4 * h->count;
	h->word[3] = -(h->word[0] + h->word[1] + h->word[2]);
}

static void make(struct boot_case *c, const struct header *h, size_t at, size_t size)
{
	memset(image, 0xf4, sizeof(image));
	memcpy(image + at, h->word, 4 * h->count);
	boot_case_init(c, image, size);
}

static struct header with_addresses(void)
{
	struct header h = begin();

	tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, LOAD, 0, 0});
	tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	return h;
}

static void make_good(struct boot_case *c)
{
	struct header h = with_addresses();

	end(&h);
	make(c, &h, HEADER_AT, IMAGE_SIZE);
}

/* Where the information has a tag of this type; the test ends where there is none. *size: without its head. */
static uint64_t told(const struct boot_image *loaded, uint32_t type, uint32_t *size)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX], at = info + 8;
	uint64_t last = info + boot_case_u32(loaded, info);

	for (; at < last; at += (boot_case_u32(loaded, at + 4) + 7) & ~7u) {
		assert_int_equal(at % 8, 0);
		*size = boot_case_u32(loaded, at + 4) - 8;
		if (boot_case_u32(loaded, at) == type)
			return at + 8;
		assert_int_not_equal(boot_case_u32(loaded, at), 0);
	}
	fail_msg("no tag of type %u", type);
	return 0;
}

static bool is_told(const struct boot_image *loaded, uint32_t type)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX], at = info + 8;

	while (boot_case_u32(loaded, at) && boot_case_u32(loaded, at) != type)
		at += (boot_case_u32(loaded, at + 4) + 7) & ~7u;
	return boot_case_u32(loaded, at) == type;
}

/* ---- the header --------------------------------------------------------------------------------- */

static void a_kernel_is_entered_in_protected_mode(void **unused)
{
	const struct boot_segment *s;
	const struct cpu_state *state;
	struct boot_case c;

	(void)unused;
	make_good(&c);
	boot_case_loads(&c);
	state = &c.image.start;
	assert_string_equal(c.image.protocol, "multiboot 2");
	assert_non_null(strstr(c.image.why, "header at 0x40"));
	assert_int_equal(cpu_mode(state), MODE_PROT32);
	assert_false(state->system.cr0 & CR0_PG);
	assert_false(state->general.rflags & RFLAGS_IF);
	assert_int_equal(state->general.rip, LOAD + 0x200);
	assert_int_equal(state->general.gpr[GPR_RAX], 0x36d76289);
	assert_int_equal(state->general.gpr[GPR_RBX] % 8, 0);
	assert_int_equal(state->general.gpr[GPR_RBX],
			 boot_case_segment(&c.image, "multiboot information")->gpa);
	s = boot_case_segment(&c.image, "multiboot image");
	assert_int_equal(s->gpa, LOAD);
	assert_memory_equal(s->data, image, IMAGE_SIZE);
	boot_case_end(&c);
}

static void the_address_tag_cuts_the_file(void **unused)
{
	struct header h = begin();
	const struct boot_segment *s;
	struct boot_case c;

	(void)unused;
	tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, LOAD + 16, LOAD + 768, LOAD + 0x2000});
	tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	s = boot_case_segment(&c.image, "multiboot image");
	assert_int_equal(s->gpa, LOAD + 16);
	assert_int_equal(s->data_size, 752);
	assert_int_equal(s->size, 0x2000 - 16);
	assert_memory_equal(s->data, image + 16, 752);
	boot_case_end(&c);
}

static void minus_one_loads_from_the_start_of_the_file(void **unused)
{
	struct header h = begin();
	struct boot_case c;

	(void)unused;
	tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, UINT32_MAX, 0, 0});
	tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	assert_int_equal(boot_case_segment(&c.image, "multiboot image")->gpa, LOAD);
	boot_case_end(&c);
}

static void the_header_is_searched_in_32_kib(void **unused)
{
	struct header h = begin();
	struct boot_case c;
	uint32_t at;

	(void)unused;
	tag(&h, ADDRESSES, 4, (uint32_t[]){0, UINT32_MAX, 0, 0});
	tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	end(&h);
	at = 32768 - 4 * h.count;
	h.word[6] = LOAD + at;
	make(&c, &h, at, sizeof(image));
	boot_case_loads(&c);
	boot_case_end(&c);
	make(&c, &h, at + 8, sizeof(image));
	boot_case_refuses(&c, -EINVAL, "do not fit into the file's first 32 KiB");
	boot_case_end(&c);
	make(&c, &h, 32768, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
	make(&c, &h, HEADER_AT + 4, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
	h.word[3]++;
	make(&c, &h, HEADER_AT, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
}

/* One more tag than the good header has. */
static void loads_with(uint32_t type, unsigned count, const uint32_t *words)
{
	struct header h = with_addresses();
	struct boot_case c;

	tag(&h, type, count, words);
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void refused_with(uint32_t type, unsigned count, const uint32_t *words, int code,
			 const char *why)
{
	struct header h = with_addresses();
	struct boot_case c;

	tag(&h, type, count, words);
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, code, why);
	boot_case_end(&c);
}

static void tags_that_are_understood(void **unused)
{
	static const uint32_t all[22] = {0,  1,	 2,  3,	 4,  5,	 6,  7,	 8,  9,	 10,
					 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};

	(void)unused;
	loads_with(REQUEST, 22, all);
	loads_with(REQUEST, 0, NULL);
	loads_with(CONSOLE, 1, (uint32_t[]){3});
	loads_with(SCREEN, 3, (uint32_t[]){1024, 768, 32});
	loads_with(ALIGN, 0, NULL);
	loads_with(BOOT_SERVICES, 0, NULL);
	loads_with(EFI32, 1, (uint32_t[]){1});
	loads_with(EFI64, 1, (uint32_t[]){1});
	loads_with(RANGE, 4, (uint32_t[]){LOAD, LOAD + IMAGE_SIZE - 1, 4096, 1});
}

static void tags_that_are_not(void **unused)
{
	(void)unused;
	refused_with(11, 1, (uint32_t[]){0}, -EOPNOTSUPP, "tag of type 11 is required");
	refused_with(0xffff, 0, NULL, -EOPNOTSUPP, "tag of type 65535 is required");
	loads_with(11 | OPTIONAL, 1, (uint32_t[]){0});
	loads_with(0xffff | OPTIONAL, 0, NULL);
	refused_with(REQUEST, 2, (uint32_t[]){6, 22}, -EOPNOTSUPP,
		     "information of type 22 is required");
	loads_with(REQUEST | OPTIONAL, 2, (uint32_t[]){6, 22});
	refused_with(SCREEN, 2, (uint32_t[]){1, 2}, -EINVAL, "type 5 has 16 bytes; it needs 20");
	refused_with(RANGE, 4, (uint32_t[]){LOAD + 1, UINT32_MAX, 1, 0}, -EINVAL,
		     "multiboot image is linked to 0x100000-0x100400, and the image must be moved "
		     "to 0x100001-");
	refused_with(RANGE, 4, (uint32_t[]){0, LOAD + IMAGE_SIZE - 2, 1, 0}, -EINVAL,
		     "must be moved");
}

static void damaged_tags(void **unused)
{
	struct header h = with_addresses();
	struct boot_case c;

	(void)unused;
	end(&h);
	h.word[h.count - 2] = ALIGN; /* the end tag: nothing follows */
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "do not end with an end tag");
	boot_case_end(&c);
	h.word[h.count - 1] = 7;
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "tag of type 6 at 0x78 has 7 bytes");
	boot_case_end(&c);
	h.word[h.count - 1] = UINT32_MAX;
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "has 4294967295 bytes, and the header ends at 0x80");
	boot_case_end(&c);
}

static void other_headers(void **unused)
{
	struct header h = begin();
	struct boot_case c;

	(void)unused;
	h.word[1] = 4;
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EOPNOTSUPP, "for architecture 4; x86 is 0");
	boot_case_end(&c);
	h = begin();
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "the file is not ELF, and there is no address tag");
	boot_case_end(&c);
	h = begin();
	tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, LOAD, 0, 0});
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "it needs an entry address tag");
	boot_case_end(&c);
	h = with_addresses();
	end(&h);
	make(&c, &h, HEADER_AT, HEADER_AT + 4 * h.count - 1);
	boot_case_refuses(&c, -EINVAL, "do not fit");
	boot_case_end(&c);
}

static void multiboot_1_comes_first(void **unused)
{
	const uint32_t one[8] = {0x1badb002, 0x10000, -(0x1badb002u + 0x10000), LOAD, LOAD, 0,
				 0,	     LOAD};
	struct header h = with_addresses();
	struct boot_case c;

	(void)unused;
	end(&h);
	make(&c, &h, HEADER_AT, IMAGE_SIZE);
	memcpy(image, one, sizeof(one));
	boot_case_end(&c);
	boot_case_init(&c, image, IMAGE_SIZE);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "multiboot 1");
	boot_free(&c.image);
	c.request.protocol = "multiboot2";
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "multiboot 2");
	boot_case_end(&c);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* Whatever the tags are: an image that is sound, or a sentence. */
static void damaged_headers_do_no_harm(void **unused)
{
	uint32_t random = 11;

	(void)unused;
	for (int round = 0; round < 4000; round++) {
		struct header h = with_addresses();
		struct boot_case c;
		int rc;

		tag(&h, RANGE, 4, (uint32_t[]){0, UINT32_MAX, 1, 0});
		end(&h);
		h.word[4 + next_random(&random) % (h.count - 4)] += next_random(&random) % 64 - 32;
		h.word[4 + next_random(&random) % (h.count - 4)] ^= 1u << next_random(&random) % 32;
		make(&c, &h, HEADER_AT, IMAGE_SIZE);
		rc = boot_load(&c.request, &c.image, &c.err);
		if (rc == 0)
			boot_case_check_image(&c.image, c.request.ram_size);
		else
			assert_true(c.err.text[strlen(c.path)] == ':' && c.err.code == rc);
		boot_case_end(&c);
	}
}

/* ---- what the guest is told --------------------------------------------------------------------- */

static void memory_and_words(void **unused)
{
	struct boot_case c;
	uint64_t at;
	uint32_t size;
	char text[256];

	(void)unused;
	make_good(&c);
	c.request.append = "root=here quiet";
	boot_case_loads(&c);
	at = told(&c.image, 1, &size);
	assert_string_equal(boot_case_text(&c.image, at, text), "root=here quiet");
	assert_int_equal(size, 16);
	assert_string_equal(boot_case_text(&c.image, told(&c.image, 2, &size), text), "vitrine");
	at = told(&c.image, 4, &size);
	assert_int_equal(size, 8);
	assert_int_equal(boot_case_u32(&c.image, at), 640);
	assert_int_equal(boot_case_u32(&c.image, at + 4), 63 * 1024);
	at = told(&c.image, 21, &size);
	assert_int_equal(boot_case_u32(&c.image, at), LOAD);
	assert_false(is_told(&c.image, 3));
	assert_false(is_told(&c.image, 9));
	assert_false(is_told(&c.image, 14)); /* no vCPUs were asked for, so there are no tables */
	boot_case_end(&c);
}

static void the_memory_map(void **unused)
{
	static const struct {
		uint64_t base, length;
		uint32_t type;
	} want[] = {
		{0, 0xa0000, 1},
		{0xa0000, 0x60000, 2},
		{0x100000, 3071 * MIB, 1},
		{0xfec00000, 0x1400000, 2},
		{0x100000000, 2048 * MIB, 1},
	};
	struct boot_case c;
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	c.request.ram_size = 5120 * MIB;
	boot_case_loads(&c);
	at = told(&c.image, 6, &size);
	assert_int_equal(size, 8 + 5 * 24);
	assert_int_equal(boot_case_u32(&c.image, at), 24);
	assert_int_equal(boot_case_u32(&c.image, at + 4), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(boot_case_u64(&c.image, at + 8 + 24 * i), want[i].base);
		assert_int_equal(boot_case_u64(&c.image, at + 16 + 24 * i), want[i].length);
		assert_int_equal(boot_case_u64(&c.image, at + 24 + 24 * i), want[i].type);
	}
	boot_case_end(&c);
	make_good(&c);
	boot_case_loads(&c);
	told(&c.image, 6, &size);
	assert_int_equal(size, 8 + 4 * 24);
	boot_case_end(&c);
}

static void the_text_screen(void **unused)
{
	struct boot_case c;
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	boot_case_loads(&c);
	at = told(&c.image, 8, &size);
	assert_int_equal(size, 24);
	assert_int_equal(boot_case_u64(&c.image, at), 0xb8000);
	assert_int_equal(boot_case_u32(&c.image, at + 8), 160);
	assert_int_equal(boot_case_u32(&c.image, at + 12), 80);
	assert_int_equal(boot_case_u32(&c.image, at + 16), 25);
	assert_int_equal(boot_case_u32(&c.image, at + 20), 2 << 8 | 16);
	boot_case_end(&c);
}

static void the_rsdp(void **unused)
{
	struct boot_case c;
	uint8_t one[20], two[36], there[36];
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	c.request.vcpus = 2;
	c.request.apic = true;
	boot_case_loads(&c);
	boot_case_read(&c.image, 0xe0000, there, sizeof(there));
	assert_memory_equal(there, "RSD PTR ", 8);
	at = told(&c.image, 14, &size);
	assert_int_equal(size, 20);
	boot_case_read(&c.image, at, one, sizeof(one));
	assert_memory_equal(one, there, sizeof(one));
	at = told(&c.image, 15, &size);
	assert_int_equal(size, 36);
	boot_case_read(&c.image, at, two, sizeof(two));
	assert_memory_equal(two, there, sizeof(two));
	boot_case_end(&c);
}

static void modules(void **unused)
{
	struct boot_case c;
	char first[64], second[64], initrd[256], text[256], found[16] = "";
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	boot_case_file(first, "first module", 12);
	boot_case_file(second, "2nd", 3);
	snprintf(initrd, sizeof(initrd), "%s a=1,,2 b,%s", first, second);
	c.request.initrd = initrd;
	boot_case_loads(&c);
	at = told(&c.image, 3, &size);
	assert_int_equal(boot_case_u32(&c.image, at) % 4096, 0);
	assert_int_equal(boot_case_u32(&c.image, at + 4) - boot_case_u32(&c.image, at), 12);
	boot_case_read(&c.image, boot_case_u32(&c.image, at), found, 12);
	assert_string_equal(found, "first module");
	snprintf(initrd, sizeof(initrd), "%s a=1,2 b", first);
	assert_string_equal(boot_case_text(&c.image, at + 8, text), initrd);
	assert_int_equal(size, 8 + strlen(initrd) + 1);
	at += (size + 7) & ~7u; /* the next one follows */
	assert_int_equal(boot_case_u32(&c.image, at), 3);
	assert_string_equal(boot_case_text(&c.image, at + 16, text), second);
	boot_case_end(&c);
	unlink(first);
	unlink(second);
}

/* ---- ELF ---------------------------------------------------------------------------------------- */

/* Sections: none, the code, its names, and a symbol table's bytes. */
enum { SECTION_CODE = 1, SECTION_NAMES, SECTION_SYMBOLS, SECTIONS };

#define ELF_FILE(name, bits)                                                                       \
	struct name {                                                                              \
		Elf##bits##_Ehdr header;                                                           \
		Elf##bits##_Phdr segment;                                                          \
		Elf##bits##_Shdr section[SECTIONS];                                                \
		char names[24], symbols[40];                                                       \
		uint64_t aligned;                                                                  \
		uint32_t multiboot[32];                                                            \
		uint8_t code[64];                                                                  \
	};                                                                                         \
	static struct name name(void)                                                              \
	{                                                                                          \
		struct name f = {.names = "names", .symbols = "symbols"};                          \
                                                                                                   \
		memcpy(f.header.e_ident, ELFMAG, SELFMAG);                                         \
		f.header.e_ident[EI_CLASS] = ELFCLASS##bits;                                       \
		f.header.e_ident[EI_DATA] = ELFDATA2LSB;                                           \
		f.header.e_ident[EI_VERSION] = f.header.e_version = EV_CURRENT;                    \
		f.header.e_type = ET_EXEC;                                                         \
		f.header.e_machine = bits == 64 ? EM_X86_64 : EM_386;                              \
		f.header.e_entry = LOAD + 0x10;                                                    \
		f.header.e_phoff = offsetof(struct name, segment);                                 \
		f.header.e_phentsize = sizeof(f.segment);                                          \
		f.header.e_phnum = 1;                                                              \
		f.header.e_shoff = offsetof(struct name, section);                                 \
		f.header.e_shentsize = sizeof(f.section[0]);                                       \
		f.header.e_shnum = SECTIONS;                                                       \
		f.header.e_shstrndx = SECTION_NAMES;                                               \
		f.segment.p_type = PT_LOAD;                                                        \
		f.segment.p_offset = offsetof(struct name, code);                                  \
		f.segment.p_vaddr = f.segment.p_paddr = LOAD;                                      \
		f.segment.p_filesz = sizeof(f.code);                                               \
		f.segment.p_memsz = 0x1000;                                                        \
		f.section[SECTION_CODE].sh_type = SHT_PROGBITS;                                    \
		f.section[SECTION_CODE].sh_addr = LOAD;                                            \
		f.section[SECTION_CODE].sh_offset = offsetof(struct name, code);                   \
		f.section[SECTION_CODE].sh_size = sizeof(f.code);                                  \
		f.section[SECTION_NAMES].sh_type = SHT_STRTAB;                                     \
		f.section[SECTION_NAMES].sh_offset = offsetof(struct name, names);                 \
		f.section[SECTION_NAMES].sh_size = sizeof(f.names);                                \
		f.section[SECTION_SYMBOLS].sh_type = SHT_SYMTAB;                                   \
		f.section[SECTION_SYMBOLS].sh_offset = offsetof(struct name, symbols);             \
		f.section[SECTION_SYMBOLS].sh_size = sizeof(f.symbols);                            \
		return f;                                                                          \
	}

ELF_FILE(narrow, 32)
ELF_FILE(wide, 64)

static void put_header(uint32_t to[32], const struct header *h)
{
	assert_true(h->count <= 32);
	memcpy(to, h->word, 4 * h->count);
}

static void plain(uint32_t to[32])
{
	struct header h = begin();

	end(&h);
	put_header(to, &h);
}

/* Both classes: what stands where. */
static void check_sections(struct boot_case *c, unsigned entry, unsigned address, unsigned width)
{
	uint32_t size;
	uint64_t at = told(&c->image, 9, &size), first = at + 12;
	char text[256];

	assert_int_equal(size, 12 + SECTIONS * entry);
	assert_int_equal(boot_case_u32(&c->image, at), SECTIONS);
	assert_int_equal(boot_case_u32(&c->image, at + 4), entry);
	assert_int_equal(boot_case_u32(&c->image, at + 8), SECTION_NAMES);
	at = first + SECTION_CODE * entry + address;
	assert_int_equal(boot_case_u32(&c->image, at), LOAD);
	at = boot_case_u32(&c->image, first + SECTION_NAMES * entry + address);
	assert_true(at > LOAD);
	assert_string_equal(boot_case_text(&c->image, at, text), "names");
	at = boot_case_u32(&c->image, first + SECTION_SYMBOLS * entry + address);
	assert_string_equal(boot_case_text(&c->image, at, text), "symbols");
	assert_int_equal(at % 16, 0);
	for (unsigned i = 4; i < width; i += 4)
		assert_int_equal(
			boot_case_u32(&c->image, first + SECTION_NAMES * entry + address + i), 0);
}

static void elf_kernels_of_both_classes(void **unused)
{
	struct narrow n = narrow();
	struct wide w = wide();
	struct boot_case c;

	(void)unused;
	plain(n.multiboot);
	boot_case_init(&c, &n, sizeof(n));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "multiboot 2");
	assert_int_equal(c.image.start.general.rip, LOAD + 0x10);
	check_sections(&c, sizeof(Elf32_Shdr), offsetof(Elf32_Shdr, sh_addr), 4);
	boot_case_end(&c);
	plain(w.multiboot);
	boot_case_init(&c, &w, sizeof(w));
	boot_case_loads(&c);
	assert_int_equal(cpu_mode(&c.image.start), MODE_PROT32);
	check_sections(&c, sizeof(Elf64_Shdr), offsetof(Elf64_Shdr, sh_addr), 8);
	boot_case_end(&c);
}

static void an_entry_tag_wins_over_elf(void **unused)
{
	struct wide w = wide();
	struct header h = begin();
	struct boot_case c;

	(void)unused;
	tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x20});
	end(&h);
	put_header(w.multiboot, &h);
	w.header.e_entry = 0xffffffff80000000;
	boot_case_init(&c, &w, sizeof(w));
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.rip, LOAD + 0x20);
	boot_case_end(&c);
	h = begin();
	tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 64}); /* behind the bytes, in zeros */
	end(&h);
	put_header(w.multiboot, &h);
	boot_case_init(&c, &w, sizeof(w));
	boot_case_refuses(&c, -EINVAL, "entry address 0x100040 is in no segment");
	boot_case_end(&c);
}

static void section_headers_that_are_not_there(void **unused)
{
	struct wide w = wide();
	struct boot_case c;

	(void)unused;
	plain(w.multiboot);
	for (int i = 0; i < 3; i++) {
		struct wide bad = w;

		if (i == 0)
			bad.header.e_shoff = sizeof(w) - 1;
		else if (i == 1)
			bad.header.e_shentsize = 40;
		else
			bad.header.e_shnum = 0;
		boot_case_init(&c, &bad, sizeof(bad));
		boot_case_loads(&c);
		assert_false(is_told(&c.image, 9));
		boot_case_end(&c);
	}
}

/* A section that says that it is elsewhere in the file is left out; many that say they are all of it are refused. */
static void sections_that_lie(void **unused)
{
	struct wide w = wide();
	struct boot_case c;
	uint32_t size;
	uint64_t at;

	(void)unused;
	plain(w.multiboot);
	w.section[SECTION_SYMBOLS].sh_size = sizeof(w);
	boot_case_init(&c, &w, sizeof(w));
	boot_case_loads(&c);
	at = told(&c.image, 9, &size) + 12 + SECTION_SYMBOLS * sizeof(Elf64_Shdr);
	assert_int_equal(boot_case_u64(&c.image, at + offsetof(Elf64_Shdr, sh_addr)), 0);
	boot_case_end(&c);
	for (int i = SECTION_NAMES; i <= SECTION_SYMBOLS; i++) {
		w.section[i].sh_offset = 0;
		w.section[i].sh_size = sizeof(w);
	}
	boot_case_init(&c, &w, sizeof(w));
	boot_case_refuses(&c, -EINVAL, "more than the file");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_entered_in_protected_mode),
		cmocka_unit_test(the_address_tag_cuts_the_file),
		cmocka_unit_test(minus_one_loads_from_the_start_of_the_file),
		cmocka_unit_test(the_header_is_searched_in_32_kib),
		cmocka_unit_test(tags_that_are_understood),
		cmocka_unit_test(tags_that_are_not),
		cmocka_unit_test(damaged_tags),
		cmocka_unit_test(other_headers),
		cmocka_unit_test(multiboot_1_comes_first),
		cmocka_unit_test(damaged_headers_do_no_harm),
		cmocka_unit_test(memory_and_words),
		cmocka_unit_test(the_memory_map),
		cmocka_unit_test(the_text_screen),
		cmocka_unit_test(the_rsdp),
		cmocka_unit_test(modules),
		cmocka_unit_test(elf_kernels_of_both_classes),
		cmocka_unit_test(an_entry_tag_wins_over_elf),
		cmocka_unit_test(section_headers_that_are_not_there),
		cmocka_unit_test(sections_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
