// SPDX-License-Identifier: GPL-3.0-or-later
/* What points print waits here until the main thread tells it; in order, and nothing is lost. */
#include "debug/core.h"

#include <stdlib.h>
#include <string.h>

/* So many may wait; a vCPU that prints more waits until they are taken. */
#define MAX_LINES 4096

static void append(struct debug *debug, struct line *line)
{
	if (!debug->lines)
		debug->lines_tail = &debug->lines;
	*debug->lines_tail = line;
	debug->lines_tail = &line->next;
	debug->lines_put++;
	core_wake(debug);
}

static bool has_room(const struct debug *debug, enum debug_owner owner)
{
	return debug->lines_put - debug->lines_taken < MAX_LINES && !debug->full[owner];
}

/* Nobody who is wanted elsewhere is kept waiting for a reader. */
static void wait_for_room(struct debug *debug, struct vcpu *vcpu, enum debug_owner owner)
{
	while (!has_room(debug, owner) && !atomic_load(&vcpu->attention) &&
	       !debug->machine->gate.quit)
		pthread_cond_wait(&vcpu->work, &debug->machine->gate.lock);
}

static void end_waiting(struct debug *debug)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		pthread_cond_signal(&debug->machine->vcpus[i].work);
}

void core_print(struct debug *debug, struct vcpu *vcpu, enum debug_owner owner, const char *text)
{
	size_t size = strlen(text) + 1;
	struct line *line = malloc(sizeof(*line) + size);

	if (!line)
		return;
	line->next = NULL;
	line->owner = owner;
	memcpy(line->text, text, size);
	core_lock(debug);
	wait_for_room(debug, vcpu, owner);
	append(debug, line);
	core_unlock(debug);
}

struct line *core_take_line(struct debug *debug)
{
	struct line *line = debug->lines;

	if (!line)
		return NULL;
	debug->lines = line->next;
	if (debug->lines_put - debug->lines_taken++ == MAX_LINES)
		end_waiting(debug);
	return line;
}

const char *debug_output(const struct debug *debug)
{
	return debug->line ? debug->line->text : "";
}

void debug_output_full(struct debug *debug, enum debug_owner owner, bool full)
{
	core_lock(debug);
	debug->full[owner] = full;
	if (!full)
		end_waiting(debug);
	core_unlock(debug);
}
