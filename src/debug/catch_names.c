// SPDX-License-Identifier: GPL-3.0-or-later
/* What catches are called, and what they are given. No machine is needed to know that. */
#include "debug/catch.h"

#include "x86/exceptions.h"
#include "x86/msr.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool ranged, directed;
} kinds[POINT_KIND_COUNT] = {
	[POINT_CATCH_EXCEPTION] = {"exception", true, false},
	[POINT_CATCH_IO] = {"io", true, true},
	[POINT_CATCH_MMIO] = {"mmio", true, true},
	[POINT_CATCH_MSR] = {"msr", true, true},
	[POINT_CATCH_MODE] = {"mode", false, false},
	[POINT_CATCH_HLT] = {"hlt", false, false},
	[POINT_CATCH_INT3] = {"int3", false, false},
	[POINT_CATCH_RESET] = {"reset", false, false},
	[POINT_CATCH_SHUTDOWN] = {"shutdown", false, false},
	[POINT_CATCH_ONLINE] = {"online", false, false},
	[POINT_CATCH_TRIPLE_FAULT] = {"triple-fault", false, false},
	[POINT_CATCH_EMULATION] = {"emulation", false, false},
};

const char *debug_catch_name(enum point_kind kind)
{
	return (unsigned)kind < POINT_KIND_COUNT ? kinds[kind].name : NULL;
}

enum point_kind debug_catch_kind(const char *name)
{
	for (unsigned i = 0; i < POINT_KIND_COUNT; i++)
		if (kinds[i].name && !strcmp(kinds[i].name, name))
			return (enum point_kind)i;
	return POINT_KIND_COUNT;
}

bool debug_catch_ranged(enum point_kind kind)
{
	return (unsigned)kind < POINT_KIND_COUNT && kinds[kind].ranged;
}

bool debug_catch_directed(enum point_kind kind)
{
	return (unsigned)kind < POINT_KIND_COUNT && kinds[kind].directed;
}

static const char *what_is_there(const struct point_spec *spec)
{
	const char *name = NULL;

	if (spec->kind == POINT_CATCH_EXCEPTION)
		name = exception_mnemonic((unsigned)spec->address);
	if (spec->kind == POINT_CATCH_MSR && spec->length == 1)
		name = msr_name((uint32_t)spec->address);
	return name;
}

void debug_catch_place(const struct point_spec *spec, char *buf, size_t size)
{
	static const char *const directions[] = {"", " r", " w", ""};
	const char *note = what_is_there(spec);
	char first[24] = "", last[24] = "";

	if (debug_catch_ranged(spec->kind) && spec->kind == POINT_CATCH_EXCEPTION)
		snprintf(first, sizeof(first), "%llu", (unsigned long long)spec->address);
	else if (debug_catch_ranged(spec->kind))
		snprintf(first, sizeof(first), "0x%llx", (unsigned long long)spec->address);
	if (debug_catch_ranged(spec->kind) && spec->length > 1)
		snprintf(last, sizeof(last), "-0x%llx",
			 (unsigned long long)(spec->address + spec->length - 1));
	snprintf(buf, size, "%s%s%s%s%s", first, last, directions[spec->direction & 3],
		 note ? " " : "", note ? note : "");
}

void debug_catch_text(const struct point_spec *spec, char *buf, size_t size)
{
	const char *name = debug_catch_name(spec->kind);
	char place[80];

	debug_catch_place(spec, place, sizeof(place));
	snprintf(buf, size, "%s%s%s", name ? name : "", place[0] ? " " : "", place);
}
