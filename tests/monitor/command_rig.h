/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A monitor over the fake machine, and what its commands answer. */
#ifndef TESTS_MONITOR_COMMAND_RIG_H
#define TESTS_MONITOR_COMMAND_RIG_H

#include "fake_debug.h"
#include "monitor/command.h"

struct rig {
	struct debug *debug;
	struct symbols *symbols;
	struct monitor *monitor;
	struct monitor_out out;
	char text[1 << 20];
	size_t size;
	unsigned quits, events;
	enum debug_event last_event;
};

int rig_setup(void **state);
int rig_teardown(void **state);

int run_as(struct rig *rig, enum debug_owner owner, const char *line);
/* What a command that must succeed answers. */
const char *answer(struct rig *rig, const char *line);
/* The sentence of a command that must fail. */
const char *refusal(struct rig *rig, const char *line, int code);
void contains(const char *text, const char *wanted);
void lacks(const char *text, const char *unwanted);
uint64_t address_of(struct rig *rig, const char *name);

#endif
