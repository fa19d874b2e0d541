// SPDX-License-Identifier: GPL-3.0-or-later
/* -debug-strategy, read against the ladder: what the ladder has can be forced, and nothing else. */
#include "debug/ladder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_word(const char *word, const char *text, size_t length)
{
	return strlen(word) == length && memcmp(word, text, length) == 0;
}

static void add_word(char *buf, size_t size, const char *word)
{
	size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%s%s", used ? ", " : "", word);
}

static int unknown_rung(enum wish wish, const char *text, size_t length, struct error *err)
{
	char known[200] = "";

	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++)
		if (row->wish == wish)
			add_word(known, sizeof(known), row->name);
	return error_set(err, -EINVAL, "-debug-strategy %s takes one of %s, not '%.*s'",
			 wish_name(wish), known, (int)length, text);
}

static int unknown_wish(const char *text, size_t length, struct error *err)
{
	char known[200] = "";

	for (enum wish wish = 0; wish < WISH_COUNT; wish++)
		add_word(known, sizeof(known), wish_name(wish));
	return error_set(err, -EINVAL,
			 "-debug-strategy takes WISH=RUNG[,...], where WISH is one of %s, or the "
			 "word probe; not '%.*s'",
			 known, (int)length, text);
}

static int force(enum wish wish, const char *text, size_t length, struct debug_strategy *strategy,
		 struct error *err)
{
	for (unsigned i = 0; i < ladder_size; i++) {
		if (ladder[i].wish != wish || !is_word(ladder[i].name, text, length))
			continue;
		strategy->forced[wish] = (uint8_t)(i + 1);
		return 0;
	}
	return unknown_rung(wish, text, length, err);
}

static int parse_word(const char *text, size_t length, struct debug_strategy *strategy,
		      struct error *err)
{
	const char *equals = memchr(text, '=', length);
	size_t name = equals ? (size_t)(equals - text) : length;

	if (is_word("probe", text, length)) {
		strategy->probe = true;
		return 0;
	}
	for (enum wish wish = 0; equals && wish < WISH_COUNT; wish++)
		if (is_word(wish_name(wish), text, name))
			return force(wish, equals + 1, length - name - 1, strategy, err);
	return unknown_wish(text, length, err);
}

int debug_strategy_parse(const char *text, struct debug_strategy *strategy, struct error *err)
{
	struct debug_strategy parsed = *strategy;

	for (;;) {
		size_t length = strcspn(text, ",");
		int rc = parse_word(text, length, &parsed, err);

		if (rc < 0)
			return rc;
		if (!text[length])
			break;
		text += length + 1;
	}
	*strategy = parsed;
	return 0;
}
