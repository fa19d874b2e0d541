// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void collect(void *ctx, const char *text, size_t size)
{
	struct rig *rig = ctx;

	assert_true(rig->size + size < sizeof(rig->text));
	memcpy(rig->text + rig->size, text, size);
	rig->size += size;
	rig->text[rig->size] = 0;
}

static void count_quit(void *ctx)
{
	((struct rig *)ctx)->quits++;
}

static void count_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct rig *rig = ctx;

	(void)actor;
	rig->events++;
	rig->last_event = event;
}

int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	size_t size;
	const void *image = fixture_image(&size);

	if (!rig || !image || symbols_load(image, size, &rig->symbols, NULL))
		return -1;
	rig->debug = fake_debug_new(image);
	rig->monitor = monitor_new(rig->debug, rig->symbols, count_quit, rig);
	monitor_listen(rig->monitor, count_event, rig);
	rig->out = (struct monitor_out){.ctx = rig, .write = collect};
	*state = rig;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	monitor_free(rig->monitor);
	fake_debug_free(rig->debug);
	symbols_free(rig->symbols);
	free(rig);
	return 0;
}

int run_as(struct rig *rig, enum debug_owner owner, const char *line)
{
	rig->size = 0;
	rig->text[0] = 0;
	return monitor_execute(rig->monitor, line, owner, &rig->out);
}

/* What a command that must succeed answers. */
const char *answer(struct rig *rig, const char *line)
{
	if (run_as(rig, OWNER_CONSOLE, line))
		fail_msg("%s: %s", line, rig->text);
	return rig->text;
}

/* The sentence of a command that must fail. */
const char *refusal(struct rig *rig, const char *line, int code)
{
	int ret = run_as(rig, OWNER_CONSOLE, line);

	if (ret != code)
		fail_msg("%s: %d, not %d: %s", line, ret, code, rig->text);
	assert_true(strlen(rig->text) > 10);
	return rig->text;
}

void contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("`%s' is not in: %s", wanted, text);
}

void lacks(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("`%s' is in: %s", unwanted, text);
}

uint64_t address_of(struct rig *rig, const char *name)
{
	uint64_t address = 0;

	assert_int_equal(symbols_find(rig->symbols, name, &address, NULL), 0);
	return address;
}
