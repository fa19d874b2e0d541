// SPDX-License-Identifier: GPL-3.0-or-later
/* bzImages that are unpacked by vitrine: every compression, the slide, the names that the kernel carries, and what
 * can be wrong with each. */
#include "boot_case.h"
#include "packed_kernel.h"
#include "x86/mode.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

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

/* ---- unpacking ----------------------------------------------------------------------------- */

static void every_compression_is_known(void **unused)
{
	static pack_fn *const all[] = {by_gzip, by_zstd, by_lz4, by_xz, by_lzma};

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(false);
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct boot_case c;

		pack(all[i]);
		unpack_load(&c, "quiet nokaslr");
		assert_string_equal(c.image.protocol, "Linux, unpacked");
		assert_int_equal(c.image.slide, 0);
		assert_int_equal(c.image.start.general.rip, GPA + 0x40);
		assert_int_equal(cpu_mode(&c.image.start), MODE_LONG);
		check_text(&c);
		boot_case_end(&c);
	}
}

/* Linux 2.6.26 to 2.6.31: the header says what is packed, and ends before it says how much that becomes. */
static void a_header_without_a_size_is_believed(void **unused)
{
	struct boot_case c;
	const void *elf;
	size_t size;

	(void)unused;
	unpack_make(AGE_NOW);
	pack(by_gzip);
	*unpack_header() = (struct setup_header){
		.setup_sects = 1,
		.syssize = unpack_header()->syssize,
		.boot_flag = 0xaa55,
		.jump = 0x56eb,
		.header = 0x53726448,
		.version = 0x209,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x37ffffff,
		.kernel_alignment = 0x200000,
		.cmdline_size = 2047,
		.payload_offset = unpack_header()->payload_offset,
		.payload_length = unpack_header()->payload_length,
	};
	unpack_load(&c, NULL);
	assert_string_equal(c.image.protocol, "Linux, unpacked");
	assert_int_equal(c.image.start.general.rip, GPA + 0x40);
	assert_int_equal(c.image.slide, 0);
	check_text(&c);
	elf = boot_symbols(&c.image, &size, &c.err);
	assert_non_null(elf);
	assert_true(size > made.elf);
	boot_case_end(&c);
}

static void what_is_not_known_is_left_to_the_kernel(void **unused)
{
	struct boot_case c;
	size_t size;

	(void)unused;
	unpack_make(AGE_NOW);
	pack(by_nothing_known);
	unpack_load(&c, NULL);
	assert_string_equal(c.image.protocol, "Linux, 64-bit");
	assert_int_equal(c.image.start.general.rip, GPA + 0x200);
	assert_null(c.image.elf);
	assert_null(boot_symbols(&c.image, &size, &c.err));
	assert_int_equal(c.err.code, 0);
	boot_case_end(&c);
}

/* By its own unpacker; what was packed is not looked at. */
static void load_packed(struct boot_case *c)
{
	boot_case_init(c, unpack_file, sizeof(unpack_file));
	c->request.protocol = "linux64";
	boot_case_loads(c);
	assert_string_equal(c->image.protocol, "Linux, 64-bit");
	assert_int_equal(c->image.slide, 0);
	assert_null(c->image.elf);
	assert_null(c->image.packed.moved);
	assert_false(c->image.packed.sought);
}

static void its_own_unpacker_can_be_asked_for_and_the_names_are_there(void **unused)
{
	struct boot_case c;
	const void *elf;
	size_t size, again;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(false);
	pack(by_zstd);
	load_packed(&c);
	elf = boot_symbols(&c.image, &size, &c.err);
	assert_non_null(elf);
	assert_memory_equal(elf, ELFMAG, SELFMAG);
	assert_true(size > made.elf);
	assert_ptr_equal(boot_symbols(&c.image, &again, &c.err), elf);
	assert_int_equal(again, size);
	assert_int_equal(c.err.code, 0);
	boot_case_end(&c);
}

/* Whoever asks first is told, and nobody else. */
static void damage_is_told_once_when_its_own_unpacker_is_asked_for(void **unused)
{
	struct boot_case c;
	struct error again = {0};
	size_t size;

	(void)unused;
	unpack_make(AGE_NOW);
	pack(by_zstd);
	payload()[unpack_header()->payload_length / 2] ^= 0x55;
	memset(payload() + 16, 0, 64);
	load_packed(&c);
	assert_null(boot_symbols(&c.image, &size, &c.err));
	assert_int_equal(c.err.code, -EINVAL);
	assert_non_null(strstr(c.err.text, "corrupted bzImage"));
	assert_null(boot_symbols(&c.image, &size, &again));
	assert_int_equal(again.code, 0);
	boot_case_end(&c);
}

static void what_is_no_elf_file_has_no_symbols(void **unused)
{
	struct boot_case c;
	size_t size;

	(void)unused;
	unpack_make(AGE_NOW);
	made.bytes[0] ^= 1;
	pack(by_lz4);
	load_packed(&c);
	assert_null(boot_symbols(&c.image, &size, &c.err));
	assert_int_equal(c.err.code, -ENOEXEC);
	boot_case_end(&c);
}

static void damage_is_refused(void **unused)
{
	static pack_fn *const all[] = {by_gzip, by_zstd, by_lz4, by_xz, by_lzma};

	(void)unused;
	unpack_make(AGE_NOW);
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct boot_case c;

		pack(all[i]);
		/* Less than there is, and more. */
		for (int less = -1; less <= 1; less += 2) {
			uint8_t *size = payload() + unpack_header()->payload_length - 4;
			uint32_t wrong = (uint32_t)((int)made.size - less);

			memcpy(size, &wrong, sizeof(wrong));
			if (less > 0 && all[i] != by_gzip && all[i] != by_zstd)
				continue; /* their streams do not need to end there */
			boot_case_init(&c, unpack_file, sizeof(unpack_file));
			boot_case_refuses(&c, -EINVAL, "cannot be unpacked");
			boot_case_end(&c);
		}
		pack(all[i]);
		unpack_header()->payload_length /= 2;
		boot_case_init(&c, unpack_file, sizeof(unpack_file));
		boot_case_refuses(&c, -EINVAL, "cannot be unpacked");
		boot_case_end(&c);
	}
}

static void more_than_the_header_speaks_of_is_refused(void **unused)
{
	struct boot_case c;

	(void)unused;
	unpack_make(AGE_NOW);
	pack(by_zstd);
	unpack_header()->init_size = (uint32_t)made.size - 1;
	boot_case_init(&c, unpack_file, sizeof(unpack_file));
	boot_case_refuses(&c, -EINVAL, "cannot be unpacked");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_compression_is_known),
		cmocka_unit_test(a_header_without_a_size_is_believed),
		cmocka_unit_test(what_is_not_known_is_left_to_the_kernel),
		cmocka_unit_test(its_own_unpacker_can_be_asked_for_and_the_names_are_there),
		cmocka_unit_test(damage_is_told_once_when_its_own_unpacker_is_asked_for),
		cmocka_unit_test(what_is_no_elf_file_has_no_symbols),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(more_than_the_header_speaks_of_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
