// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/keys.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PRESSED_AT_ONCE 4
#define RELEASED	0x80
#define EXTENDED	0xe0

// clang-format off
/* IBM's PS/2 hardware interface reference, "keyboard scan codes", set 1; 0xe0.. is what follows that prefix. */
static const struct {
	const char *name;
	uint16_t code;
} keys[] = {
	{"esc", 0x01}, {"1", 0x02}, {"2", 0x03}, {"3", 0x04}, {"4", 0x05}, {"5", 0x06}, {"6", 0x07},
	{"7", 0x08}, {"8", 0x09}, {"9", 0x0a}, {"0", 0x0b}, {"minus", 0x0c}, {"equal", 0x0d},
	{"backspace", 0x0e}, {"tab", 0x0f}, {"q", 0x10}, {"w", 0x11}, {"e", 0x12}, {"r", 0x13},
	{"t", 0x14}, {"y", 0x15}, {"u", 0x16}, {"i", 0x17}, {"o", 0x18}, {"p", 0x19},
	{"bracket_left", 0x1a}, {"bracket_right", 0x1b}, {"ret", 0x1c}, {"ctrl", 0x1d}, {"a", 0x1e},
	{"s", 0x1f}, {"d", 0x20}, {"f", 0x21}, {"g", 0x22}, {"h", 0x23}, {"j", 0x24}, {"k", 0x25},
	{"l", 0x26}, {"semicolon", 0x27}, {"apostrophe", 0x28}, {"grave_accent", 0x29},
	{"shift", 0x2a}, {"backslash", 0x2b}, {"z", 0x2c}, {"x", 0x2d}, {"c", 0x2e}, {"v", 0x2f},
	{"b", 0x30}, {"n", 0x31}, {"m", 0x32}, {"comma", 0x33}, {"dot", 0x34}, {"slash", 0x35},
	{"shift_r", 0x36}, {"alt", 0x38}, {"spc", 0x39}, {"caps_lock", 0x3a}, {"f1", 0x3b},
	{"f2", 0x3c}, {"f3", 0x3d}, {"f4", 0x3e}, {"f5", 0x3f}, {"f6", 0x40}, {"f7", 0x41},
	{"f8", 0x42}, {"f9", 0x43}, {"f10", 0x44}, {"num_lock", 0x45}, {"scroll_lock", 0x46},
	{"f11", 0x57}, {"f12", 0x58}, {"ctrl_r", 0xe01d}, {"alt_r", 0xe038}, {"home", 0xe047},
	{"up", 0xe048}, {"pgup", 0xe049}, {"left", 0xe04b}, {"right", 0xe04d}, {"end", 0xe04f},
	{"down", 0xe050}, {"pgdn", 0xe051}, {"insert", 0xe052}, {"delete", 0xe053},
};
// clang-format on

const char *key_name(unsigned index)
{
	return index < sizeof(keys) / sizeof(*keys) ? keys[index].name : NULL;
}

static uint16_t find(const char *name, size_t size)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i].name) == size && !strncmp(keys[i].name, name, size))
			return keys[i].code;
	return 0;
}

static unsigned put(uint8_t *codes, uint16_t code, bool released)
{
	unsigned used = 0;

	if (code >> 8)
		codes[used++] = EXTENDED;
	codes[used++] = (uint8_t)(code | (released ? RELEASED : 0));
	return used;
}

int keys_parse(const char *text, uint8_t codes[KEYS_MAX], struct error *err)
{
	uint16_t pressed[PRESSED_AT_ONCE];
	unsigned count = 0, used = 0;

	for (;; text++) {
		size_t size = strcspn(text, "-");

		if (count == PRESSED_AT_ONCE)
			return error_set(err, -EINVAL, "at most %d keys at once", PRESSED_AT_ONCE);
		pressed[count] = find(text, size);
		if (!pressed[count])
			return error_set(
				err, -EINVAL,
				"there is no key `%.*s`; they are a to z, 0 to 9, ret, spc, "
				"ctrl, f1 and so on: TAB lists them",
				size < 20 ? (int)size : 20, text);
		used += put(codes + used, pressed[count++], false);
		text += size;
		if (!*text)
			break;
	}
	while (count)
		used += put(codes + used, pressed[--count], true);
	return (int)used;
}

/* ---- text ----------------------------------------------------------------------------------- */

#define SHIFT 0x2a
#define CTRL  0x1d

/* Keys that lie side by side have codes in a row. */
static const struct {
	uint8_t first;
	const char *plain, *shifted;
} rows[] = {
	{0x02, "1234567890-=\b\tqwertyuiop[]\n", "!@#$%^&*()_+\b\tQWERTYUIOP{}\n"},
	{0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
	{0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
	{0x39, " ", " "},
	{0x01, "\x1b", "\x1b"},
};

/* The key for a character, and in *with what is held meanwhile; 0: none. */
static uint8_t key_for(char c, uint8_t *with)
{
	for (unsigned i = 0; c && i < sizeof(rows) / sizeof(*rows); i++) {
		const char *plain = strchr(rows[i].plain, c), *shifted = strchr(rows[i].shifted, c);

		*with = plain ? 0 : SHIFT;
		if (plain)
			return (uint8_t)(rows[i].first + (plain - rows[i].plain));
		if (shifted)
			return (uint8_t)(rows[i].first + (shifted - rows[i].shifted));
	}
	return 0;
}

static uint8_t key_or_control(char c, uint8_t *with)
{
	uint8_t key = key_for(c, with);

	if (key || c < 1 || c > 26)
		return key;
	key = key_for((char)(c - 1 + 'a'), with);
	*with = CTRL;
	return key;
}

int keys_text(const char *text, size_t size, uint8_t *codes, size_t room, struct error *err)
{
	unsigned used = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t with, key = key_or_control(text[i], &with);

		if (!key)
			return error_set(err, -EINVAL, "the keyboard has no key for \\x%02x",
					 (uint8_t)text[i]);
		if (used + 4 > room)
			return error_set(err, -ENOSPC, "that is too long for one line");
		if (with)
			used += put(codes + used, with, false);
		used += put(codes + used, key, false);
		used += put(codes + used, key, true);
		if (with)
			used += put(codes + used, with, true);
	}
	return (int)used;
}
