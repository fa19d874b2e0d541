// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory in bulk: compare, and what `set *ADDR = VALUE` writes. */
#include "monitor/bytes.h"
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>

enum space bytes_space(const struct call *call)
{
	return call->arg[0].given ? SPACE_PHYSICAL : SPACE_LINEAR;
}

int bytes_write(struct call *call, enum space space, uint64_t address, const void *bytes,
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

/* ---- set *ADDR = VALUE --------------------------------------------------------------------------- */

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
	ret = bytes_write(call, SPACE_LINEAR, address, &value, size);
	if (ret)
		return ret;
	fact_hex(call->out, "address", address);
	fact_count(call->out, "size", size);
	fact_hex(call->out, "value", high ? value & ~high : value);
	return 0;
}

/* ---- compare ------------------------------------------------------------------------------------- */

#define DIFFERENCES_SHOWN 20

struct comparison {
	struct call *call;
	uint64_t a, b, length;
	uint64_t differ; /* bytes */
	unsigned shown;	 /* runs of them */
};

/* Of each side, behind so many columns: three for a byte, three for the dots, and the slash between. */
static size_t bytes_that_fit(size_t column, size_t size)
{
	size_t most = column + 14 < TEXT_COLUMNS ? (TEXT_COLUMNS - column - 8) / 6 : 1;

	if (most > 8)
		most = 8;
	return size < most ? size : most;
}

static void show_difference(struct comparison *c, uint64_t at, const uint8_t *a, const uint8_t *b,
			    size_t size)
{
	struct monitor_out *out = c->call->out;
	struct string line = {0};
	size_t show;

	c->differ += size;
	if (c->shown++ >= DIFFERENCES_SHOWN)
		return;
	string_printf(&line, "  0x%" PRIx64 " / 0x%" PRIx64 "  %5zu ", c->a + at, c->b + at, size);
	show = bytes_that_fit(line.size, size);
	for (size_t i = 0; i < show; i++)
		string_printf(&line, " %02x", a[i]);
	string_printf(&line, "%s /", show < size ? " .." : "");
	for (size_t i = 0; i < show; i++)
		string_printf(&line, " %02x", b[i]);
	out_printf(out, "%s%s\n", string_text(&line), show < size ? " .." : "");
	string_free(&line);
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
		if (check_enough(c->call))
			return -EINTR;
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
