// SPDX-License-Identifier: GPL-3.0-or-later
#include "arguments.h"

static bool ends(char c)
{
	return c == '\0' || c == ' ' || c == '\t' || c == ',';
}

/* Behind prefix when text starts with it, otherwise NULL. */
static const char *behind(const char *text, const char *prefix)
{
	while (*prefix && *text == *prefix) {
		text++;
		prefix++;
	}
	return *prefix ? 0 : text;
}

/* The end of the word called name; NULL when no word begins so. */
static const char *find(const char *line, const char *name, char last)
{
	while (*line) {
		const char *rest = behind(line, name);

		if (rest && (*rest == last || (last == '\0' && ends(*rest))))
			return rest;
		while (!ends(*line))
			line++;
		while (*line && ends(*line))
			line++;
	}
	return 0;
}

bool argument_given(const char *line, const char *name)
{
	return find(line, name, '\0') != 0;
}

const char *argument_text(const char *line, const char *name)
{
	const char *rest = find(line, name, '=');

	return rest ? rest + 1 : 0;
}

bool argument_is(const char *text, const char *word)
{
	const char *rest = behind(text, word);

	return rest && ends(*rest);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

unsigned long argument_number(const char *line, const char *name, unsigned long otherwise)
{
	const char *text = argument_text(line, name);
	unsigned long value = 0;
	int base = 10;

	if (!text)
		return otherwise;
	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	}
	for (; digit(*text) < base; text++)
		value = value * (unsigned long)base + (unsigned long)digit(*text);
	return value;
}
