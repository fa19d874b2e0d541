// SPDX-License-Identifier: GPL-3.0-or-later
/* What may stand behind the place of a point: its condition and its limits. */
#include "monitor/points.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A reader takes what belongs to its word, and moves *text behind it. */
typedef int clause_fn(struct call *call, const char **text, struct clauses *clauses);

static int read_number(struct call *call, const char **text, uint64_t *value)
{
	return monitor_evaluate(call->monitor, call->cpu, *text, value, text, call->err);
}

static int read_condition(struct call *call, const char **text, struct clauses *clauses)
{
	if (clauses->condition)
		return error_set(call->err, -EINVAL, "a point has one condition: join them by &&");
	return monitor_compile(call->monitor, *text, &clauses->condition, NULL, text, call->err);
}

static int read_cpu(struct call *call, const char **text, struct clauses *clauses)
{
	unsigned count = debug_vcpu_count(call->monitor->debug);
	uint64_t cpu;
	int ret = read_number(call, text, &cpu);

	if (ret)
		return ret;
	if (cpu >= count)
		return error_set(call->err, -EINVAL, "there is no vCPU %llu; they are 0 to %u",
				 (unsigned long long)cpu, count - 1);
	clauses->limit.by |= LIMIT_VCPU;
	clauses->limit.vcpu = (int)cpu;
	return 0;
}

static int read_cr3(struct call *call, const char **text, struct clauses *clauses)
{
	clauses->limit.by |= LIMIT_CR3;
	return read_number(call, text, &clauses->limit.cr3);
}

static int read_ring(struct call *call, const char **text, struct clauses *clauses)
{
	uint64_t ring;
	int ret = read_number(call, text, &ring);

	if (ret)
		return ret;
	if (ring > 3)
		return error_set(call->err, -EINVAL, "the rings are 0 to 3");
	clauses->limit.by |= LIMIT_RING;
	clauses->limit.ring = (unsigned)ring;
	return 0;
}

/* The rest of the line. */
static int read_commands(struct call *call, const char **text, struct clauses *clauses)
{
	(void)call;
	clauses->commands = *text;
	*text += strlen(*text);
	return 0;
}

static const struct {
	const char *word;
	clause_fn *read;
} kinds[] = {{"if", read_condition},
	     {"cpu", read_cpu},
	     {"cr3", read_cr3},
	     {"ring", read_ring},
	     {"do", read_commands}};
#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

/* The clause whose word stands at *text, which moves behind it; NULL when there is none. */
static clause_fn *clause_at(const char **text)
{
	size_t size = strcspn(*text, " \t(");

	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (strlen(kinds[i].word) != size || memcmp(*text, kinds[i].word, size))
			continue;
		*text += size;
		return kinds[i].read;
	}
	return NULL;
}

bool clauses_begin(const char *text)
{
	return clause_at(&text) != NULL;
}

const char *clause_name(unsigned index)
{
	return index < KIND_COUNT ? kinds[index].word : NULL;
}

static int parse_next(struct call *call, const char **text, struct clauses *clauses)
{
	clause_fn *read = clause_at(text);

	if (!read)
		return error_set(call->err, -EINVAL,
				 "`%.40s` is no part of a point: write if EXPR, cpu N, cr3 VALUE, "
				 "ring N or do COMMANDS",
				 *text);
	return read(call, text, clauses);
}

int clauses_parse(struct call *call, const char *text, struct clauses *clauses)
{
	int ret = 0;

	*clauses = (struct clauses){0};
	while (!ret && *(text += strspn(text, " \t")))
		ret = parse_next(call, &text, clauses);
	if (ret) {
		program_free(clauses->condition);
		clauses->condition = NULL;
	}
	return ret;
}
