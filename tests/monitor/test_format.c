// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/disassembly.h"
#include "monitor/format.h"
#include "monitor/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct format parse(const char *text)
{
	struct format format = {.count = 9, .letter = 'x', .size = 4};
	struct error err = {0};

	if (format_parse(text, &format, &err))
		fail_msg("%s: %s", text, err.text);
	return format;
}

static void check(const char *text, unsigned count, char letter, unsigned size)
{
	struct format format = parse(text);

	assert_int_equal(format.count, count);
	assert_int_equal(format.letter, letter);
	assert_int_equal(format.size, size);
}

static void test_parse(void **state)
{
	(void)state;
	check("16gx", 16, 'x', 8);
	check("16xg", 16, 'x', 8);
	check("", 1, 'x', 4);
	check("3", 3, 'x', 4);
	check("2i", 2, 'i', 1);
	check("s", 1, 's', 1);
	check("c", 1, 'c', 1);
	check("wc", 1, 'c', 4);
	check("a", 1, 'a', 8);
	check("8hd", 8, 'd', 2);
	check("65536b", 65536, 'x', 1);
}

static void test_parse_errors(void **state)
{
	static const char *const bad[] = {"z",	 "0x", "65537b", "99999999999999999999999x",
					  "-1x", "x y"};
	struct format format = {.letter = 'x', .size = 4};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct error err = {0};

		assert_int_equal(format_parse(bad[i], &format, &err), -EINVAL);
		assert_true(strlen(err.text) > 10);
	}
}

static void check_value(char letter, unsigned size, uint64_t value, const char *wanted)
{
	char text[128];

	format_value(letter, size, value, NULL, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void test_values(void **state)
{
	(void)state;
	check_value('x', 8, 0x2a, "0x000000000000002a");
	check_value('x', 1, 0x1ff, "0xff");
	check_value('d', 1, 0xff, "-1");
	check_value('d', 8, UINT64_MAX, "-1");
	check_value('d', 4, 0x7fffffff, "2147483647");
	check_value('u', 2, 0xffff, "65535");
	check_value('o', 1, 8, "010");
	check_value('t', 1, 5, "00000101");
	check_value('t', 2, 0x8001, "1000000000000001");
	check_value('a', 8, 0x1234, "0x1234");
	check_value('c', 1, 'A', "65 'A'");
	check_value('c', 1, 0x1b, "27 '\\e'");
	check_value('c', 1, 0x9b, "-101 '\\x9b'");
}

static void test_strings(void **state)
{
	char text[64];

	(void)state;
	format_string("hi\n\033[31m\"\\", 10, text, sizeof(text));
	assert_string_equal(text, "\"hi\\n\\e[31m\\\"\\\\\"");
	format_string("\xff\x00z", 3, text, sizeof(text));
	assert_string_equal(text, "\"\\xff\\x00z\"");
}

static void clean(const char *text, size_t size, bool newlines, const char *wanted)
{
	char out[128];
	size_t length = text_clean(text, size, newlines, out, sizeof(out));

	assert_string_equal(out, wanted);
	assert_int_equal(length, strlen(wanted));
}

static void test_clean(void **state)
{
	(void)state;
	clean("plain\ttext", 10, false, "plain\ttext");
	clean("a\033[2Jb", 6, false, "a\\x1b[2Jb");
	clean("a\nb", 3, false, "a\\x0ab");
	clean("a\nb", 3, true, "a\nb");
	clean("\x7f", 1, true, "\\x7f");
	clean("\xc2\x9b", 2, true, "\\xc2\\x9b"); /* C1, as UTF-8 */
	clean("\x9b", 1, true, "\\x9b");	  /* C1, as a byte */
	clean("\xe2\x96\xa0 \xc3\xa4", 6, true, "\xe2\x96\xa0 \xc3\xa4");
	clean("\xe2\x96", 2, true, "\\xe2\\x96");	   /* cut off */
	clean("\xc0\x9b", 2, true, "\\xc0\\x9b");	   /* overlong */
	clean("\xed\xa0\x80", 3, true, "\\xed\\xa0\\x80"); /* a surrogate */
	clean("\xf5\x80\x80\x80", 4, true, "\\xf5\\x80\\x80\\x80");
	clean("\0x", 2, true, "\\x00x");
}

static void test_clean_cuts_whole_characters(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(text_clean("abc\xe2\x96\xa0\xe2\x96\xa0", 9, false, out, sizeof(out)), 6);
	assert_string_equal(out, "abc\xe2\x96\xa0");
}

static void gather(void *ctx, const char *text, size_t size)
{
	strncat(ctx, text, size);
}

/* Nothing but text goes out, whoever has forgotten to clean it; ours are the colours, where they are wanted. */
static void test_door(void **state)
{
	char text[256] = "";
	struct monitor_out out = {.ctx = text, .write = gather};

	(void)state;
	out_printf(&out, "%sa\033[31m\033[2J\r\x9b\t\n", color(&out, COLOR_NAME));
	assert_string_equal(text, "a\\x1b[31m\\x1b[2J\\x0d\\x9b\t\n");
	text[0] = 0;
	out.color = true;
	out_printf(&out, "%sa%s\033[2J\033]\033", color(&out, COLOR_NAME), color(&out, COLOR_OFF));
	assert_string_equal(text, "\033[36ma\033[0m\\x1b[2J\\x1b]\\x1b");
}

/* ---- instructions -------------------------------------------------------------------------- */

static void check_insn(unsigned bits, uint64_t base, enum syntax syntax, uint64_t address,
		       const char *bytes, size_t size, const char *wanted, uint64_t target)
{
	struct disassembler dis = {.syntax = syntax, .bits = bits, .base = base};
	struct insn insn;

	disassemble(&dis, address, (const uint8_t *)bytes, size, &insn);
	assert_string_equal(insn.text, wanted);
	assert_int_equal(insn.length, wanted[0] == '.' ? 1 : size);
	assert_int_equal(insn.target, target);
}

static void test_disassemble(void **state)
{
	(void)state;
	check_insn(64, 0, SYNTAX_ATT, 0x200a30, "\x48\xff\xc0", 3, "inc    %rax", 0);
	check_insn(64, 0, SYNTAX_INTEL, 0x200a30, "\x48\xff\xc0", 3, "inc    rax", 0);
	check_insn(64, 0, SYNTAX_ATT, 0x200a34, "\x48\x89\x05\xd5\x25\x00\x00", 7,
		   "mov    %rax, 0x25d5(%rip)  # 0x203010", 0);
	check_insn(64, 0, SYNTAX_ATT, 0x1000, "\xe8\xfb\x0f\x00\x00", 5, "call   0x2000", 0x2000);
	check_insn(64, 0, SYNTAX_ATT, 0x1000, "\x90", 1, "nop", 0);
	check_insn(64, 0, SYNTAX_ATT, 0x1000, "\x06", 1, ".byte  0x06", 0);
	check_insn(64, 0, SYNTAX_ATT, 0x1000, "\x48", 1, ".byte  0x48", 0);
	check_insn(32, 0, SYNTAX_ATT, 0x1000, "\x06", 1, "push   %es", 0);
	check_insn(32, 0, SYNTAX_ATT, 0x1000, "\x40", 1, "inc    %eax", 0);
	check_insn(16, 0, SYNTAX_ATT, 0x7c00, "\xb8\x00\x10", 3, "mov    $0x1000, %ax", 0);
}

/* Jumps wrap at 64 KiB of the offset, not of the linear address. */
static void test_disassemble_real_mode(void **state)
{
	(void)state;
	check_insn(16, 0xf0000, SYNTAX_ATT, 0xffff0, "\xe9\x0d\x01", 3, "jmp    0x100  # 0xf0100",
		   0xf0100);
	check_insn(16, 0xf0000, SYNTAX_ATT, 0xffff0, "\xea\x5b\xe0\x00\xf0", 5,
		   "ljmp   0xf000:0xe05b", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_errors),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_clean_cuts_whole_characters),
		cmocka_unit_test(test_door),
		cmocka_unit_test(test_disassemble),
		cmocka_unit_test(test_disassemble_real_mode),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
