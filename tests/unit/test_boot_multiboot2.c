// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 2: finding the header, and its tags. */
#include "multiboot2_case.h"
#include "x86/mode.h"

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

static uint8_t image[IMAGE_MAX];

static void make_good(struct boot_case *c)
{
	struct header h = header_with_addresses();

	header_end(&h);
	multiboot2_case(c, image, &h, HEADER_AT, IMAGE_SIZE);
}

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
	struct header h = header_begin();
	const struct boot_segment *s;
	struct boot_case c;

	(void)unused;
	header_tag(&h, ADDRESSES, 4,
		   (uint32_t[]){LOAD + HEADER_AT, LOAD + 16, LOAD + 768, LOAD + 0x2000});
	header_tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
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
	struct header h = header_begin();
	struct boot_case c;

	(void)unused;
	header_tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, UINT32_MAX, 0, 0});
	header_tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	assert_int_equal(boot_case_segment(&c.image, "multiboot image")->gpa, LOAD);
	boot_case_end(&c);
}

static void the_header_is_searched_in_32_kib(void **unused)
{
	struct header h = header_begin();
	struct boot_case c;
	uint32_t at;

	(void)unused;
	header_tag(&h, ADDRESSES, 4, (uint32_t[]){0, UINT32_MAX, 0, 0});
	header_tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	header_end(&h);
	at = 32768 - 4 * h.count;
	h.word[6] = LOAD + at;
	multiboot2_case(&c, image, &h, at, sizeof(image));
	boot_case_loads(&c);
	boot_case_end(&c);
	multiboot2_case(&c, image, &h, at + 8, sizeof(image));
	boot_case_refuses(&c, -EINVAL, "do not fit into the file's first 32 KiB");
	boot_case_end(&c);
	multiboot2_case(&c, image, &h, 32768, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
	multiboot2_case(&c, image, &h, HEADER_AT + 4, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
	h.word[3]++;
	multiboot2_case(&c, image, &h, HEADER_AT, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
}

/* One more tag than the good header has. */
static void loads_with(uint32_t type, unsigned count, const uint32_t *words)
{
	struct header h = header_with_addresses();
	struct boot_case c;

	header_tag(&h, type, count, words);
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void refused_with(uint32_t type, unsigned count, const uint32_t *words, int code,
			 const char *why)
{
	struct header h = header_with_addresses();
	struct boot_case c;

	header_tag(&h, type, count, words);
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
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
	struct header h = header_with_addresses();
	struct boot_case c;

	(void)unused;
	header_end(&h);
	h.word[h.count - 2] = ALIGN; /* the end tag: nothing follows */
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "do not end with an end tag");
	boot_case_end(&c);
	h.word[h.count - 1] = 7;
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "tag of type 6 at 0x78 has 7 bytes");
	boot_case_end(&c);
	h.word[h.count - 1] = UINT32_MAX;
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "has 4294967295 bytes, and the header ends at 0x80");
	boot_case_end(&c);
}

static void other_headers(void **unused)
{
	struct header h = header_begin();
	struct boot_case c;

	(void)unused;
	h.word[1] = 4;
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EOPNOTSUPP, "for architecture 4; x86 is 0");
	boot_case_end(&c);
	h = header_begin();
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "the file is not ELF, and there is no address tag");
	boot_case_end(&c);
	h = header_begin();
	header_tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, LOAD, 0, 0});
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "it needs an entry address tag");
	boot_case_end(&c);
	h = header_with_addresses();
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, HEADER_AT + 4 * h.count - 1);
	boot_case_refuses(&c, -EINVAL, "do not fit");
	boot_case_end(&c);
}

static void multiboot_1_comes_first(void **unused)
{
	const uint32_t one[8] = {0x1badb002, 0x10000, -(0x1badb002u + 0x10000), LOAD, LOAD, 0,
				 0,	     LOAD};
	struct header h = header_with_addresses();
	struct boot_case c;

	(void)unused;
	header_end(&h);
	multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
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
		struct header h = header_with_addresses();
		struct boot_case c;
		int rc;

		header_tag(&h, RANGE, 4, (uint32_t[]){0, UINT32_MAX, 1, 0});
		header_end(&h);
		h.word[4 + next_random(&random) % (h.count - 4)] += next_random(&random) % 64 - 32;
		h.word[4 + next_random(&random) % (h.count - 4)] ^= 1u << next_random(&random) % 32;
		multiboot2_case(&c, image, &h, HEADER_AT, IMAGE_SIZE);
		rc = boot_load(&c.request, &c.image, &c.err);
		if (rc == 0)
			boot_case_check_image(&c.image, c.request.ram_size);
		else
			assert_true(c.err.text[strlen(c.path)] == ':' && c.err.code == rc);
		boot_case_end(&c);
	}
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
