// SPDX-License-Identifier: GPL-3.0-or-later
/* From a line's first words to a row of the command table. */
#include "monitor/command.h"
#include "near_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 32

struct word {
	char text[WORD_MAX];
	size_t size; /* of what was typed, even when it did not fit */
};

static bool ends_word(char c)
{
	return !c || isspace((unsigned char)c) || c == '/';
}

/* Takes a word; returns what follows it. */
static const char *take_word(const char *line, struct word *word)
{
	word->size = 0;
	while (isspace((unsigned char)*line))
		line++;
	for (; !ends_word(*line); line++, word->size++)
		if (word->size < WORD_MAX - 1)
			word->text[word->size] = *line;
	word->text[word->size < WORD_MAX ? word->size : WORD_MAX - 1] = 0;
	return line;
}

static bool has_alias(const struct command *command, const struct word *word)
{
	const char *alias = command->aliases;

	while (alias) {
		size_t length = strcspn(alias, " ");

		if (length == word->size && !strncmp(alias, word->text, length))
			return true;
		alias = alias[length] ? alias + length + 1 : NULL;
	}
	return false;
}

/* The part of a name that word number n (0, 1) stands for; "" when there is none. */
static size_t name_part(const char *name, unsigned n, const char **part)
{
	*part = name;
	if (n) {
		*part += strcspn(name, " ");
		*part += **part == ' ';
	}
	return strcspn(*part, " ");
}

static bool part_is(const char *name, unsigned n, const struct word *word, bool exactly)
{
	const char *part;
	size_t size = name_part(name, n, &part);

	return word->size && word->size <= size && (!exactly || word->size == size) &&
	       !strncmp(part, word->text, word->size);
}

/* Which rows are still possible after one or two words. */
struct choice {
	const struct command *found;
	unsigned count;
	char names[160]; /* of all of them, for the ambiguous case */
};

static void choice_add(struct choice *choice, const struct command *command, const char *part,
		       size_t size)
{
	size_t used = strlen(choice->names);

	choice->found = command;
	choice->count++;
	snprintf(choice->names + used, sizeof(choice->names) - used, "%s%.*s", used ? ", " : "",
		 (int)size, part);
}

static bool same_first(const struct command *a, const struct command *b)
{
	size_t size = strcspn(a->name, " ");

	return size == strcspn(b->name, " ") && !strncmp(a->name, b->name, size);
}

/* Rows of one group count once. */
static void choose_first(const struct word *word, bool exactly, struct choice *choice)
{
	const char *part;

	*choice = (struct choice){0};
	for (unsigned i = 0; i < command_count; i++) {
		if (choice->found && same_first(choice->found, &commands[i]))
			continue;
		if (part_is(commands[i].name, 0, word, exactly))
			choice_add(choice, &commands[i], commands[i].name,
				   name_part(commands[i].name, 0, &part));
	}
}

static void choose_second(const struct command *group, const struct word *word, bool exactly,
			  struct choice *choice)
{
	const char *part;
	size_t size;

	*choice = (struct choice){0};
	for (unsigned i = 0; i < command_count; i++) {
		if (!same_first(group, &commands[i]) ||
		    !part_is(commands[i].name, 1, word, exactly))
			continue;
		size = name_part(commands[i].name, 1, &part);
		choice_add(choice, &commands[i], part, size);
	}
}

/* Aliases stand for the last word of a name: "r" in "info r" for "info registers". */
static const struct command *by_alias(const struct word *word, const struct command *group)
{
	for (unsigned i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];

		if (group ? !same_first(group, command) : strchr(command->name, ' ') != NULL)
			continue;
		if (has_alias(command, word))
			return command;
	}
	return NULL;
}

/* ---- the nearest name ---------------------------------------------------------------------- */

/* The nearest first word, or second word of a group; near->name is NULL when nothing is near. */
static void find_near(const struct word *word, const struct command *group, struct near_name *near)
{
	const char *part;

	near_name_begin(near, word->text, word->size);
	for (unsigned i = 0; i < command_count; i++) {
		size_t length = name_part(commands[i].name, group ? 1 : 0, &part);

		if (!group || same_first(group, &commands[i]))
			near_name_offer(near, part, length);
	}
}

static int refuse(const struct word *word, const struct command *group, const struct choice *choice,
		  struct error *err)
{
	char typed[TEXT_CLEAN_SIZE(WORD_MAX)], prefix[WORD_MAX] = "";
	const char *instead;
	struct near_name near;

	if (group)
		snprintf(prefix, sizeof(prefix), "%.*s ", (int)strcspn(group->name, " "),
			 group->name);
	text_clean(word->text, strlen(word->text), false, typed, sizeof(typed));
	if (choice->count > 1)
		return error_set(err, -EINVAL, "`%s%s` is ambiguous: %s", prefix, typed,
				 choice->names);
	if (group && !strcmp(prefix, "info ") && register_find(word->text) >= 0)
		return error_set(
			err, -EINVAL,
			"there is no command `%s%s`; the register is shown by `info registers %s`",
			prefix, typed, typed);
	instead = what_instead(prefix, word->text);
	if (instead)
		return error_set(err, -EINVAL, "there is no command `%s%s` here; %s", prefix, typed,
				 instead);
	find_near(word, group, &near);
	if (near.name)
		return error_set(err, -EINVAL, "there is no command `%s%s`; did you mean `%s%.*s`?",
				 prefix, typed, prefix, (int)near.size, near.name);
	return error_set(err, -EINVAL, "there is no command `%s%s`; `help` lists what there is",
			 prefix, typed);
}

static const struct command *lookup_second(const struct command *group, const char *line,
					   const char **rest, struct error *err)
{
	const struct command *alias;
	struct choice choice;
	struct word word;

	*rest = take_word(line, &word);
	if (!word.size) {
		size_t size = strcspn(group->name, " ");

		error_set(err, -EINVAL, "`%.*s` wants to know what; `help %.*s` lists it",
			  (int)size, group->name, (int)size, group->name);
		return NULL;
	}
	alias = by_alias(&word, group);
	if (alias)
		return alias;
	choose_second(group, &word, true, &choice);
	if (choice.count != 1)
		choose_second(group, &word, false, &choice);
	if (choice.count == 1)
		return choice.found;
	refuse(&word, group, &choice, err);
	return NULL;
}

/* Everybody's i, whatever else begins with it. */
static void expand_group(struct word *word)
{
	if (!strcmp(word->text, "i"))
		word->size = (size_t)sprintf(word->text, "info");
}

/* "trace follow" beside "trace": the second word must be there as it is. */
static const struct command *with_second(const struct command *first, const char **rest)
{
	struct choice choice;
	struct word word;
	const char *behind = take_word(*rest, &word);

	if (!word.size)
		return first;
	choose_second(first, &word, true, &choice);
	if (choice.count != 1)
		return first;
	*rest = behind;
	return choice.found;
}

const struct command *command_lookup(const char *line, const char **rest, struct error *err)
{
	const struct command *alias;
	struct choice choice;
	struct word word;

	*rest = take_word(line, &word);
	expand_group(&word);
	alias = by_alias(&word, NULL);
	if (alias)
		return alias;
	choose_first(&word, true, &choice);
	if (choice.count != 1 && !what_instead("", word.text))
		choose_first(&word, false, &choice);
	if (choice.count != 1) {
		refuse(&word, NULL, &choice, err);
		return NULL;
	}
	return strchr(choice.found->name, ' ') ? lookup_second(choice.found, *rest, rest, err)
					       : with_second(choice.found, rest);
}
