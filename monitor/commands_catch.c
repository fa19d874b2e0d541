// SPDX-License-Identifier: GPL-3.0-or-later
/* catch, tcatch: points without an instruction address. */
#include "monitor/commands.h"
#include "monitor/points.h"

#include "x86/exceptions.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_SIZE 128

const char *catch_name(unsigned index)
{
	for (unsigned kind = 0; kind < POINT_KIND_COUNT; kind++)
		if (debug_catch_name((enum point_kind)kind) && !index--)
			return debug_catch_name((enum point_kind)kind);
	return NULL;
}

/* The next word of *text, which moves behind it and the blanks there; false at the end. */
static bool take_word(const char **text, char word[WORD_SIZE])
{
	size_t length = strcspn(*text, " \t");

	if (!length || length >= WORD_SIZE)
		return false;
	memcpy(word, *text, length);
	word[length] = '\0';
	*text += length;
	*text += strspn(*text, " \t");
	return true;
}

/* ---- where --------------------------------------------------------------------------------- */

static int read_number(struct call *call, const char *text, uint64_t *value)
{
	const char *end;
	int ret = monitor_evaluate(call->monitor, call->cpu, text, value, &end, call->err);

	if (!ret && *end)
		return error_set(call->err, -EINVAL, "'%s' is left over behind a number", end);
	return ret;
}

/* "pf", "#PF" */
static bool read_mnemonic(const char *word, uint64_t *vector)
{
	word += *word == '#';
	for (unsigned i = 0; i < 32; i++)
		if (!strcasecmp(exception_mnemonic(i) + (*exception_mnemonic(i) == '#'), word)) {
			*vector = i;
			return true;
		}
	return false;
}

/* "0x60", "0x60-0x64": a dash parts two ends here, it does not subtract. */
static int read_range(struct call *call, char *word, struct point_spec *spec)
{
	char *dash = strchr(word, '-');
	uint64_t last;
	int ret;

	spec->length = 1;
	if (spec->kind == POINT_CATCH_EXCEPTION && read_mnemonic(word, &spec->address))
		return 0;
	if (dash)
		*dash++ = '\0';
	ret = read_number(call, word, &spec->address);
	if (ret || !dash)
		return ret;
	ret = read_number(call, dash, &last);
	if (!ret && last < spec->address)
		return error_set(call->err, -EINVAL, "a range goes from its lower end up");
	spec->length = last - spec->address + 1;
	return ret;
}

static void read_direction(const char **text, struct point_spec *spec)
{
	const char letter = **text, *end = *text + 1;

	if ((letter != 'r' && letter != 'w') || (*end && !isspace((unsigned char)*end)))
		return;
	spec->direction = letter == 'r' ? ON_READ : ON_WRITE;
	*text = end + strspn(end, " \t");
}

static int read_spec(struct call *call, const char **text, struct point_spec *spec)
{
	const char *usage = "catch wants one of: exception io mmio msr mode hlt int3 reset "
			    "shutdown online triple-fault emulation";
	char word[WORD_SIZE];
	int ret;

	if (!take_word(text, word))
		return error_set(call->err, -EINVAL, "%s", usage);
	spec->kind = debug_catch_kind(word);
	if (spec->kind == POINT_KIND_COUNT)
		return error_set(call->err, -EINVAL, "'%s' cannot be caught; %s", word, usage);
	if (!debug_catch_ranged(spec->kind))
		return 0;
	if (!take_word(text, word))
		return error_set(call->err, -EINVAL, "catch %s wants to know which one",
				 debug_catch_name(spec->kind));
	ret = read_range(call, word, spec);
	if (!ret && debug_catch_directed(spec->kind))
		read_direction(text, spec);
	return ret;
}

/* ---- the commands -------------------------------------------------------------------------- */

/* Prints what is caught, and goes on. */
static struct point_action *logging(void)
{
	struct point_action *action = calloc(1, sizeof(*action));

	if (!action)
		return NULL;
	action->format = strdup("");
	action->go_on = true;
	if (action->format)
		return action;
	free(action);
	return NULL;
}

/* args: -l, what to catch and clauses */
static int add_catch(struct call *call, bool temporary)
{
	struct point_spec spec = {.temporary = temporary};
	const char *text = call->arg[1].text;
	struct point_action *action = NULL;
	struct clauses clauses;
	int ret = read_spec(call, &text, &spec);

	if (!ret)
		ret = clauses_parse(call, text, &clauses);
	if (ret)
		return ret;
	if (call->arg[0].given && !(action = logging())) {
		program_free(clauses.condition);
		return error_set(call->err, -ENOMEM, "out of memory");
	}
	spec.limit = clauses.limit;
	ret = point_create(call, &spec, clauses.condition, action);
	if (ret > 0 && clauses.commands)
		return point_commands_split(call->monitor, ret, clauses.commands, call->err);
	return ret < 0 ? ret : 0;
}

int run_catch(struct call *call)
{
	return add_catch(call, false);
}

int run_tcatch(struct call *call)
{
	return add_catch(call, true);
}
