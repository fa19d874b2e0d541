// SPDX-License-Identifier: GPL-3.0-or-later
/* What TAB finds for an argument, by its kind. */
#include "home_path.h"
#include "log.h"
#include "monitor/keys.h"
#include "monitor/matches.h"
#include "monitor/points.h"
#include "x86/msr.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_registers(struct monitor *monitor, struct matches *matches)
{
	bool dollar = matches->word[0] == '$';

	(void)monitor;
	for (unsigned i = 0; i < register_count; i++)
		match_add(matches, registers[i].name, strlen(registers[i].name), dollar ? "$" : "",
			  "");
	for (unsigned i = 0; !dollar && i < REG_GROUP_COUNT; i++)
		match_text(matches, register_group_name(i));
}

static void add_symbols(struct monitor *monitor, struct matches *matches)
{
	size_t cursor = 0;
	const char *name;

	if (matches->word[0] == '$') {
		add_registers(monitor, matches);
		return;
	}
	while ((name = symbols_next(monitor->symbols, matches->word, &cursor)))
		match_text(matches, name);
}

static void add_setting_names(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = setting_name(i)); i++)
		match_text(matches, name);
}

static void add_settings(struct monitor *monitor, struct matches *matches)
{
	if (matches->word[0] == '$')
		add_registers(monitor, matches);
	add_setting_names(monitor, matches);
}

static void add_points(struct monitor *monitor, struct matches *matches)
{
	const struct point *point = NULL;
	char number[16];

	while ((point = debug_point_next(monitor->debug, point))) {
		snprintf(number, sizeof(number), "%d", point->number);
		match_text(matches, number);
	}
}

static void add_cpus(struct monitor *monitor, struct matches *matches)
{
	char number[16];

	for (unsigned i = 0; i < debug_vcpu_count(monitor->debug); i++) {
		snprintf(number, sizeof(number), "%u", i);
		match_text(matches, number);
	}
}

void match_files(const char *before, struct matches *matches)
{
	const char *slash = strrchr(before, '/'), *name = slash ? slash + 1 : before;
	size_t typed = strlen(name);
	char typed_folder[PATH_MAX], folder[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!slash && !typed && !strcmp(matches->word, "~")) {
		match_text(matches, "~/");
		return;
	}
	snprintf(typed_folder, sizeof(typed_folder), "%.*s", (int)(name - before), before);
	if (home_path(typed_folder, folder, sizeof(folder), NULL))
		return;
	dir = opendir(slash ? folder : ".");
	while (dir && (entry = readdir(dir))) {
		const char *found = entry->d_name;

		if (strncmp(found, name, typed) || strchr(found, ' ') ||
		    (found[0] == '.' && name[0] != '.' && matches->word[0] != '.'))
			continue;
		match_add(matches, found + typed, strlen(found + typed), "",
			  entry->d_type == DT_DIR ? "/" : "");
	}
	if (dir)
		closedir(dir);
}

/* As people type them. */
static void add_msrs(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = msr_name_at(i)); i++) {
		char lower[64];
		size_t size = 0;

		for (name += 4; size < sizeof(lower) - 1 && name[size]; size++)
			lower[size] = (char)tolower((unsigned char)name[size]);
		match_add(matches, lower, size, "", "");
	}
}

void match_commands(struct matches *matches)
{
	for (unsigned i = 0; i < command_count; i++)
		match_add(matches, commands[i].name, strcspn(commands[i].name, " "), "", "");
}

static void add_snapshots(struct monitor *monitor, struct matches *matches)
{
	struct snapshot_info info;

	for (unsigned i = 0; debug_snapshot_next(monitor->debug, i, &info); i++)
		match_text(matches, info.name);
}

static void add_keys(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = key_name(i)); i++)
		match_text(matches, name);
}

static void add_log(struct monitor *monitor, struct matches *matches)
{
	const char *name;
	enum log_level level;

	(void)monitor;
	for (unsigned i = 0; log_area(i, &name, &level); i++)
		match_text(matches, name);
	for (unsigned i = 0; (name = log_level_word(i)); i++)
		match_text(matches, name);
}

static void add_switch(struct monitor *monitor, struct matches *matches)
{
	(void)monitor;
	match_text(matches, "on");
	match_text(matches, "off");
}

static void add_addresses(struct monitor *monitor, struct matches *matches)
{
	(void)monitor;
	match_text(matches, "off");
	match_text(matches, "unix:");
}

/* What a condition or a limit begins with, and what they are made of. */
static void add_clauses(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	for (unsigned i = 0; (name = clause_name(i)); i++)
		match_text(matches, name);
	add_symbols(monitor, matches);
}

static void add_on_cpu(struct monitor *monitor, struct matches *matches)
{
	(void)monitor;
	match_text(matches, "cpu");
}

static void add_catches(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = catch_name(i)); i++)
		match_text(matches, name);
}

static void (*const by_kind[ARG_KIND_COUNT])(struct monitor *monitor, struct matches *matches) = {
	[ARG_EXPRESSION] = add_symbols,
	[ARG_LOCATION] = add_symbols,
	[ARG_REGISTERS] = add_registers,
	[ARG_SNAPSHOT] = add_snapshots,
	[ARG_SETTING] = add_settings,
	[ARG_SHOWN] = add_setting_names,
	[ARG_POINTS] = add_points,
	[ARG_POINT] = add_points,
	[ARG_PLACE] = add_symbols,
	[ARG_CLAUSES] = add_clauses,
	[ARG_CPU] = add_cpus,
	[ARG_ON_CPU] = add_on_cpu,
	[ARG_CATCH] = add_catches,
	[ARG_MSR] = add_msrs,
	[ARG_SWITCH] = add_switch,
	[ARG_KEYS] = add_keys,
	[ARG_LOG] = add_log,
	[ARG_ADDRESS] = add_addresses,
};

bool match_kind(struct monitor *monitor, enum arg_kind kind, struct matches *matches)
{
	if (!by_kind[kind])
		return false;
	by_kind[kind](monitor, matches);
	return true;
}
