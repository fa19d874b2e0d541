// SPDX-License-Identifier: GPL-3.0-or-later
/* find: bytes, numbers and texts in memory. */
#include "monitor/bytes.h"
#include "monitor/commands.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATTERN_MAX 1024
#define FOUND_MAX   100

struct search {
	struct call *call;
	const char *at; /* what is still to be read of the line */
	struct memory_search what;
	uint8_t pattern[PATTERN_MAX];
	unsigned unit;	/* bytes of a value; 0: by its size */
	uint64_t count; /* at most so many */
};

/* gdb's: a size letter and a count, in any order. */
static int search_format(struct search *search)
{
	const char *text = search->call->format ? search->call->format : "";
	uint64_t count = 0;

	for (; *text; text++) {
		const char *sizes = "bhwg", *letter = strchr(sizes, *text);

		if (isdigit((unsigned char)*text) && count < 1000000)
			count = count * 10 + (uint64_t)(*text - '0');
		else if (letter)
			search->unit = 1u << (letter - sizes);
		else
			return error_set(search->call->err, -EINVAL,
					 "find/FMT is a size (b h w g) and how many to show");
	}
	search->count = count ? count : FOUND_MAX;
	return 0;
}

static int add_pattern(struct search *search, const void *bytes, size_t size)
{
	if (search->what.size + size > PATTERN_MAX)
		return error_set(search->call->err, -E2BIG,
				 "what is looked for has %d bytes at most", PATTERN_MAX);
	memcpy(search->pattern + search->what.size, bytes, size);
	search->what.size += size;
	return 0;
}

/* "text", with escape sequences; behind any other backslash a character is itself. */
static int add_string(struct search *search)
{
	int ret = 0;

	for (search->at++; !ret && *search->at && *search->at != '"';) {
		char c = *search->at;
		size_t length = text_escape(search->at, &c);

		if (!length && c == '\\' && search->at[1])
			c = *++search->at;
		search->at += length ? length : 1;
		ret = add_pattern(search, &c, 1);
	}
	if (!ret && *search->at++ != '"')
		ret = error_set(search->call->err, -EINVAL, "a closing quote is missing");
	return ret;
}

/* As wide as /b, /h, /w or /g says, or (u16) before it; else four bytes, or eight where it needs them. */
static int add_value(struct search *search)
{
	unsigned size = search->unit;
	uint64_t value;
	int ret = monitor_evaluate(search->call->monitor, search->call->cpu, search->at, &value,
				   &search->at, search->call->err);

	if (!size)
		size = value == (uint32_t)value || value == (uint64_t)(int32_t)value ? 4 : 8;
	return ret ? ret : add_pattern(search, &value, size);
}

static void skip_space(struct search *search)
{
	search->at += strspn(search->at, " \t");
}

static int parse_patterns(struct search *search)
{
	int ret = 0;

	for (skip_space(search); !ret;) {
		ret = *search->at == '"' ? add_string(search) : add_value(search);
		skip_space(search);
		if (ret || *search->at != ',')
			break;
		search->at++;
		skip_space(search);
	}
	if (!ret && *search->at)
		ret = error_set(search->call->err, -EINVAL, "`%.20s` is none of the values",
				search->at);
	return ret;
}

/* "START, END" or "START, +LENGTH"; before a string it may be left out, for everything. */
static int parse_range(struct search *search)
{
	struct monitor *monitor = search->call->monitor;
	struct error *err = search->call->err;
	uint64_t end;
	bool length;
	int ret;

	skip_space(search);
	search->what.to = UINT64_MAX;
	if (*search->at == '"')
		return 0;
	ret = monitor_evaluate(monitor, search->call->cpu, search->at, &search->what.from,
			       &search->at, err);
	if (!ret && *search->at != ',')
		ret = error_set(err, -EINVAL, "write: find START, +LENGTH, VALUE or find \"text\"");
	if (ret)
		return ret;
	search->at++;
	skip_space(search);
	length = *search->at == '+';
	search->at += length;
	ret = monitor_evaluate(monitor, search->call->cpu, search->at, &end, &search->at, err);
	if (!ret && *search->at++ != ',')
		ret = error_set(err, -EINVAL, "what is to be found belongs behind the range");
	search->what.to = length ? search->what.from + end - 1 : end;
	if (!ret && ((length && !end) || search->what.to < search->what.from))
		ret = error_set(err, -EINVAL, "the range is empty");
	return ret;
}

static void show_found(struct search *search)
{
	struct monitor_out *out = search->call->out;
	char suffix[96] = "";

	if (search->what.space == SPACE_LINEAR)
		address_suffix(search->call->monitor, search->what.at, suffix, sizeof(suffix));
	out_printf(out, "0x%" PRIx64 "%s\n", search->what.at, suffix);
	fact_hex(out, NULL, search->what.at);
}

/* 1: there may be more; 0: there is no more. */
static int find_all(struct search *search, uint64_t *found)
{
	int ret = 1;

	for (*found = 0; ret == 1 && *found < search->count; ++*found) {
		ret = check_enough(search->call);
		search->what.at = search->what.from;
		if (!ret)
			ret = debug_search(search->call->monitor->debug, &search->what);
		if (ret != 1)
			break;
		show_found(search);
		if (search->what.at >= search->what.to) {
			++*found;
			return 0;
		}
		search->what.from = search->what.at + 1;
	}
	return ret;
}

static bool is_enough(void *ctx)
{
	return check_enough(ctx) != 0;
}

static int search_error(struct search *search, int ret)
{
	if (ret == -EINTR || ret == -ETIME)
		return error_set(
			search->call->err, ret, "%s; from 0x%" PRIx64 " on nothing was looked at",
			ret == -EINTR ? "interrupted" : "it takes too long", search->what.at);
	return error_set(search->call->err, ret, "the search failed: %s", strerror(-ret));
}

int run_find(struct call *call)
{
	struct search search = {.call = call, .at = call->arg[1].text};
	uint64_t found = 0;
	int ret = search_format(&search);

	if (!ret)
		ret = parse_range(&search);
	if (!ret)
		ret = parse_patterns(&search);
	if (ret)
		return ret;
	search.what.space = bytes_space(call);
	search.what.vcpu = call->cpu;
	search.what.pattern = search.pattern;
	search.what.enough = is_enough;
	search.what.enough_ctx = call;
	fact_list(call->out, "found");
	ret = find_all(&search, &found);
	fact_end(call->out);
	if (ret < 0)
		return search_error(&search, ret);
	if (ret == 1)
		out_printf(call->out, "%" PRIu64 " are shown; there may be more behind\n", found);
	else
		out_printf(call->out, found ? "%" PRIu64 " found\n" : "nothing found\n", found);
	return 0;
}
