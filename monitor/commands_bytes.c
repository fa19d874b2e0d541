// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory in bulk: find, compare, dump, restore, and what `set *ADDR = VALUE` writes. */
#include "monitor/command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

static enum space space_of(const struct call *call)
{
	return call->arg[0].given ? SPACE_PHYSICAL : SPACE_LINEAR;
}

static int write_bytes(struct call *call, enum space space, uint64_t address, const void *bytes,
		       size_t size)
{
	struct debug *debug = call->monitor->debug;
	ssize_t done = debug_write(debug, call->cpu, space, address, bytes, size);

	if (done == (ssize_t)size)
		return 0;
	return error_set(call->err, -EFAULT, "nothing is mapped at %s0x%" PRIx64,
			 space == SPACE_PHYSICAL ? "physical " : "",
			 address + (done > 0 ? (uint64_t)done : 0));
}

/* ---- set *ADDR = VALUE ---------------------------------------------------------------------- */

/* What behind the star says where, and how much. *end: the equals sign. */
static int find_place(struct call *call, const char *text, uint64_t *address, uint64_t *size,
		      const char **end)
{
	struct program *program;
	int ret = monitor_compile(call->monitor, text, &program, size, end, call->err);

	if (ret)
		return ret;
	ret = monitor_run(call->monitor, call->cpu, program, address, call->err);
	program_free(program);
	if (!ret && **end != '=')
		ret = error_set(call->err, -EINVAL, "write: set *(u32 *)ADDR = VALUE");
	if (!ret && !*size)
		*size = 8;
	if (!ret && *size != 1 && *size != 2 && *size != 4 && *size != 8)
		ret = error_set(call->err, -EINVAL,
				"there are %" PRIu64
				" bytes: say which, as in set *(u32 *)ADDR = 5",
				*size);
	return ret;
}

int memory_set(struct call *call, const char *text)
{
	uint64_t address, size, value, high;
	const char *end;
	int ret = find_place(call, text, &address, &size, &end);

	if (!ret)
		ret = monitor_evaluate(call->monitor, call->cpu, end + 1, &value, NULL, call->err);
	if (ret)
		return ret;
	high = size < 8 ? value & ~0ull << 8 * size : 0;
	if (high && high != ~0ull << 8 * size)
		return error_set(call->err, -ERANGE,
				 "0x%" PRIx64 " does not fit into %" PRIu64 " bytes", value, size);
	return write_bytes(call, SPACE_LINEAR, address, &value, size);
}

/* ---- find ----------------------------------------------------------------------------------- */

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

/* "text", with \\ \" \n \t \r \0 and \xNN. */
static int add_string(struct search *search)
{
	static const char from[] = "ntr0\\\"", to[] = "\n\t\r\0\\\"";
	int ret = 0;

	for (search->at++; !ret && *search->at && *search->at != '"'; search->at++) {
		const char *known;
		unsigned code;
		char c = *search->at;

		if (c == '\\' && search->at[1] == 'x' &&
		    sscanf(search->at + 2, "%2x", &code) == 1) {
			c = (char)code;
			search->at += 1 + (isxdigit((unsigned char)search->at[3]) ? 2 : 1);
		} else if (c == '\\' && search->at[1]) {
			known = strchr(from, *++search->at);
			c = known ? to[known - from] : *search->at;
		}
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

static int search_error(struct search *search, int ret)
{
	if (ret == -ETIME)
		return error_set(search->call->err, ret,
				 "it takes too long; from 0x%" PRIx64 " on nothing was looked at",
				 search->what.at);
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
	search.what.space = space_of(call);
	search.what.vcpu = call->cpu;
	search.what.pattern = search.pattern;
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

/* ---- compare -------------------------------------------------------------------------------- */

#define DIFFERENCES_SHOWN 20

struct comparison {
	struct call *call;
	uint64_t a, b, length;
	uint64_t differ; /* bytes */
	unsigned shown;	 /* runs of them */
};

static void show_difference(struct comparison *c, uint64_t at, const uint8_t *a, const uint8_t *b,
			    size_t size)
{
	struct monitor_out *out = c->call->out;
	size_t show = size < 8 ? size : 8;

	c->differ += size;
	if (c->shown++ >= DIFFERENCES_SHOWN)
		return;
	out_printf(out, "  0x%" PRIx64 " / 0x%" PRIx64 "  %5zu  ", c->a + at, c->b + at, size);
	for (size_t i = 0; i < show; i++)
		out_printf(out, "%02x ", a[i]);
	out_printf(out, "%s/ ", show < size ? ".. " : "");
	for (size_t i = 0; i < show; i++)
		out_printf(out, "%02x ", b[i]);
	out_printf(out, "%s\n", show < size ? ".." : "");
	fact_object(out, NULL);
	fact_hex(out, "offset", at);
	fact_count(out, "size", size);
	fact_end(out);
}

static void compare_piece(struct comparison *c, uint64_t at, const uint8_t *a, const uint8_t *b,
			  size_t size)
{
	for (size_t i = 0, end; i < size; i = end) {
		for (end = i; end < size && a[end] != b[end]; end++)
			;
		if (end > i)
			show_difference(c, at + i, a + i, b + i, end - i);
		else
			end++;
	}
}

/* Runs that reach from one piece into the next are told in two. */
static int compare_all(struct comparison *c)
{
	static const size_t piece = 4096;
	uint8_t a[4096], b[4096];
	bool physical = c->call->arg[0].given;
	int cpu = c->call->cpu;

	for (uint64_t at = 0; at < c->length;) {
		size_t want = c->length - at < piece ? (size_t)(c->length - at) : piece;
		ssize_t got_a = monitor_read(c->call->monitor, cpu, physical, c->a + at, a, want,
					     c->call->err);
		ssize_t got_b = got_a < 0 ? got_a
					  : monitor_read(c->call->monitor, cpu, physical, c->b + at,
							 b, (size_t)got_a, c->call->err);

		if (got_b < 0)
			return (int)got_b;
		compare_piece(c, at, a, b, (size_t)got_b);
		at += (uint64_t)got_b;
	}
	return 0;
}

int run_compare(struct call *call)
{
	struct comparison c = {.call = call,
			       .a = call->arg[1].value,
			       .b = call->arg[2].value,
			       .length = call->arg[3].value};
	int ret;

	fact_list(call->out, "differences");
	ret = compare_all(&c);
	fact_end(call->out);
	if (ret)
		return ret;
	if (c.shown > DIFFERENCES_SHOWN)
		out_printf(call->out, "  and %u more places\n", c.shown - DIFFERENCES_SHOWN);
	if (c.differ)
		out_printf(call->out, "%" PRIu64 " of %" PRIu64 " bytes differ\n", c.differ,
			   c.length);
	else
		out_printf(call->out, "all %" PRIu64 " bytes are the same\n", c.length);
	fact_count(call->out, "differ", c.differ);
	return 0;
}

/* ---- dump and restore ----------------------------------------------------------------------- */

static int file_error(struct call *call, int code, const char *what, const char *path)
{
	return error_set(call->err, code, "cannot %s %.200s: %s", what, path, strerror(-code));
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			size -= (size_t)done;
		}
	}
	return 0;
}

static int dump_to(struct call *call, int fd, const char *path, uint64_t address, uint64_t length)
{
	static const size_t piece = PIECE;
	uint8_t bytes[PIECE];

	for (uint64_t done = 0; done < length;) {
		size_t want = length - done < piece ? (size_t)(length - done) : piece;
		ssize_t got = monitor_read(call->monitor, call->cpu, call->arg[0].given,
					   address + done, bytes, want, call->err);
		int ret = got < 0 ? 0 : write_all(fd, bytes, (size_t)got);

		if (got < 0)
			return (int)got;
		if (ret)
			return file_error(call, ret, "write to", path);
		done += (uint64_t)got;
	}
	return 0;
}

int file_check_replaceable(const char *path, struct error *err)
{
	struct stat status;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(err, -EEXIST, "%.200s is there, and no plain file", path);
	return 0;
}

/* A dump that fails half way leaves what was there before. */
static int dump_beside(struct call *call, const char *path, char *beside)
{
	int fd = mkostemp(beside, O_CLOEXEC), ret;

	if (fd < 0)
		return file_error(call, -errno, "write to", path);
	ret = dump_to(call, fd, path, call->arg[2].value, call->arg[3].value);
	if (!ret && fchmod(fd, 0644) < 0)
		ret = file_error(call, -errno, "write to", path);
	if (close(fd) < 0 && !ret)
		ret = file_error(call, -errno, "write to", path);
	if (!ret && rename(beside, path) < 0)
		ret = file_error(call, -errno, "write to", path);
	if (ret)
		unlink(beside);
	return ret;
}

int run_dump(struct call *call)
{
	const char *path = call->arg[1].text;
	char beside[PATH_MAX], size[24];
	int ret = file_check_replaceable(path, call->err);

	if (!ret && snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		ret = file_error(call, -ENAMETOOLONG, "write to", path);
	if (!ret)
		ret = dump_beside(call, path, beside);
	if (ret)
		return ret;
	out_printf(call->out, "%s bytes from 0x%" PRIx64 " on are in the file\n",
		   short_size(call->arg[3].value, size), call->arg[2].value);
	fact_count(call->out, "size", call->arg[3].value);
	return 0;
}

static int restore_from(struct call *call, int fd, const char *path, uint64_t *total)
{
	uint8_t bytes[PIECE];
	ssize_t got;
	int ret = 0;

	*total = 0;
	while (!ret && (got = read(fd, bytes, sizeof(bytes)))) {
		if (got < 0)
			return file_error(call, -errno, "read", path);
		ret = write_bytes(call, space_of(call), call->arg[2].value + *total, bytes,
				  (size_t)got);
		*total += ret ? 0 : (uint64_t)got;
	}
	return ret;
}

/* Only what ends: a pipe or a terminal would hold the console up. */
static int open_file(struct call *call, const char *path, int *fd)
{
	struct stat status;
	int ret;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0)
		return file_error(call, -errno, "read", path);
	ret = fstat(*fd, &status) < 0 ? -errno : 0;
	if (!ret && !S_ISREG(status.st_mode))
		ret = -EINVAL;
	if (!ret)
		return 0;
	close(*fd);
	return file_error(call, ret, "read", path);
}

int run_restore(struct call *call)
{
	const char *path = call->arg[1].text;
	uint64_t total;
	char size[24];
	int fd, ret = open_file(call, path, &fd);

	if (ret)
		return ret;
	ret = restore_from(call, fd, path, &total);
	close(fd);
	if (ret)
		return ret;
	out_printf(call->out, "%s bytes of the file are at 0x%" PRIx64 "\n",
		   short_size(total, size), call->arg[2].value);
	fact_count(call->out, "size", total);
	return 0;
}

/* ---- slots ---------------------------------------------------------------------------------- */

int run_info_memory_slots(struct call *call)
{
	struct memory_slot slot;
	char size[24];

	fact_list(call->out, "slots");
	for (unsigned i = 0; debug_memory_slot(call->monitor->debug, i, &slot); i++) {
		uint64_t follow, host = debug_host_address(call->monitor->debug, slot.gpa, &follow);

		out_printf(call->out,
			   "  %3u  0x%010" PRIx64 "-0x%010" PRIx64 " %6s  hva 0x%" PRIx64 "%s%s\n",
			   slot.id, slot.gpa, slot.gpa + slot.size - 1, short_size(slot.size, size),
			   host, slot.read_only ? "  read-only" : "",
			   slot.log_dirty ? "  writes are logged" : "");
		fact_object(call->out, NULL);
		fact_count(call->out, "id", slot.id);
		fact_hex(call->out, "physical", slot.gpa);
		fact_hex(call->out, "size", slot.size);
		fact_hex(call->out, "host", host);
		fact_flag(call->out, "read_only", slot.read_only);
		fact_flag(call->out, "log_dirty", slot.log_dirty);
		fact_end(call->out);
	}
	fact_end(call->out);
	return 0;
}
