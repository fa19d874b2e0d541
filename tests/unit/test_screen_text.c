// SPDX-License-Identifier: GPL-3.0-or-later
/* What is new on a text screen since the last look. */
#include "screen_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROW (SCREEN_TEXT_COLUMNS * 2)

static uint8_t cells[SCREEN_TEXT_ROWS * ROW];
static struct screen_text screen;
static char told[8192];

static void text(void *ctx, const uint8_t *characters, size_t count)
{
	(void)ctx;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%.*s", (int)count,
		 (const char *)characters);
}

static void newline(void *ctx)
{
	(void)ctx;
	strcat(told, "|");
}

static const struct screen_text_out out = {.text = text, .newline = newline};

static int setup(void **state)
{
	(void)state;
	memset(cells, 0, sizeof(cells));
	memset(&screen, 0, sizeof(screen));
	told[0] = 0;
	return 0;
}

static void write_row(unsigned row, const char *words)
{
	memset(cells + (size_t)row * ROW, 0, ROW);
	for (size_t i = 0; words[i]; i++)
		cells[row * ROW + 2 * i] = (uint8_t)words[i];
}

static void scroll(void)
{
	memmove(cells, cells + ROW, sizeof(cells) - ROW);
	memset(cells + sizeof(cells) - ROW, 0, ROW);
}

static void expect_growth(const char *words)
{
	told[0] = 0;
	assert_true(screen_text_grow(&screen, cells, &out));
	assert_string_equal(told, words);
}

static void expect_change(const char *words)
{
	told[0] = 0;
	assert_false(screen_text_grow(&screen, cells, &out));
	assert_string_equal(told, "");
	screen_text_change(&screen, cells, &out);
	assert_string_equal(told, words);
}

static void test_lines_below(void **state)
{
	(void)state;
	expect_growth("");
	write_row(3, "one");
	expect_growth("one");
	expect_growth("");
	write_row(3, "one, and");
	write_row(5, "three");
	expect_growth(", and||three");
	cells[1] = 0x70; /* a colour is none of it */
	cells[6] = ' ';
	expect_growth("");
}

static void test_scrolling(void **state)
{
	char line[16];

	(void)state;
	for (unsigned i = 0; i < SCREEN_TEXT_ROWS; i++) {
		snprintf(line, sizeof(line), "line %u", i);
		write_row(i, line);
	}
	screen_text_grow(&screen, cells, &out);
	for (unsigned i = 0; i < 24; i++)
		scroll();
	write_row(1, "more");
	expect_growth("|more");
	scroll();
	write_row(2, "and more");
	expect_growth("||and more");
}

static void test_another_screen(void **state)
{
	(void)state;
	write_row(0, "menu");
	write_row(1, "> first");
	write_row(2, "  second");
	expect_growth("menu|> first|  second");
	write_row(1, "  first");
	write_row(2, "> second");
	expect_change("|  first|> second");
	write_row(0, "MENU");
	expect_change("|MENU");
	write_row(2, "> second!");
	expect_growth("|!"); /* the row's beginning was told elsewhere */
	memset(cells, 0, sizeof(cells));
	expect_change("");
	write_row(0, "anew");
	expect_growth("|anew");
}

/* In the middle of being scrolled it is neither the one nor the other. */
static void test_half_a_scroll(void **state)
{
	char line[16];

	(void)state;
	for (unsigned i = 0; i < SCREEN_TEXT_ROWS; i++) {
		snprintf(line, sizeof(line), "line %u", i);
		write_row(i, line);
	}
	screen_text_grow(&screen, cells, &out);
	memmove(cells, cells + ROW, (size_t)10 * ROW + 6);
	expect_change("");
	write_row(24, "line 24");
	for (unsigned i = 0; i < SCREEN_TEXT_ROWS - 1; i++) {
		snprintf(line, sizeof(line), "line %u", i + 1);
		write_row(i, line);
	}
	write_row(24, "line 25");
	expect_growth("|line 25");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines_below, setup),
		cmocka_unit_test_setup(test_scrolling, setup),
		cmocka_unit_test_setup(test_another_screen, setup),
		cmocka_unit_test_setup(test_half_a_scroll, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
