// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/facts.h"

#include "monitor/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 8

/* open[0] is the object itself. Deeper than DEPTH nothing is kept, but counted, so that ends match. */
struct facts {
	json_t *open[DEPTH];
	unsigned depth;
};

struct facts *facts_new(void)
{
	struct facts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return NULL;
	facts->open[0] = json_object();
	if (facts->open[0])
		return facts;
	free(facts);
	return NULL;
}

void facts_free(struct facts *facts)
{
	if (!facts)
		return;
	json_decref(facts->open[0]);
	free(facts);
}

char *facts_line(const struct facts *facts)
{
	char *line = json_dumps(facts->open[0], JSON_COMPACT | JSON_ENSURE_ASCII), *whole;

	if (!line || asprintf(&whole, "%s\n", line) < 0)
		whole = NULL;
	free(line);
	return whole;
}

void facts_move(struct facts *to, const char *key, struct facts *from)
{
	if (from && json_object_size(from->open[0]))
		json_object_set(to->open[0], key, from->open[0]);
}

bool facts_wanted(const struct monitor_out *out)
{
	return out->facts != NULL;
}

/* Takes value over. */
static void put(struct monitor_out *out, const char *key, json_t *value)
{
	struct facts *facts = out->facts;
	json_t *at = facts->depth < DEPTH ? facts->open[facts->depth] : NULL;

	if (json_is_array(at))
		json_array_append_new(at, value);
	else if (at)
		json_object_set_new(at, key, value);
	else
		json_decref(value);
}

void fact_text(struct monitor_out *out, const char *key, const char *text)
{
	size_t size = text ? strlen(text) : 0;
	char *clean;

	if (!out->facts || !size)
		return;
	clean = malloc(TEXT_CLEAN_SIZE(size));
	if (!clean)
		return;
	text_clean(text, size, true, clean, TEXT_CLEAN_SIZE(size));
	put(out, key, json_string(clean));
	free(clean);
}

void fact_hex(struct monitor_out *out, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	fact_text(out, key, text);
}

void fact_count(struct monitor_out *out, const char *key, uint64_t value)
{
	if (out->facts)
		put(out, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void fact_flag(struct monitor_out *out, const char *key, bool value)
{
	if (out->facts)
		put(out, key, json_boolean(value));
}

void fact_json(struct monitor_out *out, const char *key, const char *json)
{
	json_t *value = out->facts ? json_loads(json, 0, NULL) : NULL;

	if (value)
		put(out, key, value);
}

static void open_one(struct monitor_out *out, const char *key, json_t *value)
{
	struct facts *facts = out->facts;

	json_incref(value);
	put(out, key, value);
	if (++facts->depth < DEPTH)
		facts->open[facts->depth] = value;
	json_decref(value);
}

void fact_list(struct monitor_out *out, const char *key)
{
	if (out->facts)
		open_one(out, key, json_array());
}

void fact_object(struct monitor_out *out, const char *key)
{
	if (out->facts)
		open_one(out, key, json_object());
}

void fact_end(struct monitor_out *out)
{
	if (out->facts && out->facts->depth)
		out->facts->depth--;
}
