// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots, as the debugger sees them: the machine is parked without a word, and goes on as it was. */
#include "debug/snapshot.h"

#include "debug/core.h"
#include "machine/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Parks the machine. Then it is the main thread's, and gate.lock is not needed: nobody else starts it. */
static int begin(struct debug *debug, struct error *err)
{
	if (debug->exited)
		return error_set(err, -ESHUTDOWN, "the guest has ended");
	if (!debug->snapshots)
		debug->snapshots = snapshots_new(debug->machine);
	if (!debug->snapshots)
		return error_set(err, -ENOMEM, "out of memory");
	core_lock(debug);
	core_quiesce(debug);
	core_unlock(debug);
	return 0;
}

static void end(struct debug *debug)
{
	core_lock(debug);
	core_go_on(debug);
	core_unlock(debug);
}

/* Who stands on a breakpoint that was told then will go on from it when the machine is restored. Without memory for
 * that it is told once more. */
static void note_told(struct debug *debug, struct snapshot *snapshot)
{
	unsigned count = debug->machine->vcpu_count;

	snapshot->told = calloc(count, sizeof(*snapshot->told));
	for (unsigned i = 0; snapshot->told && i < count; i++)
		snapshot->told[i] = core_was_told(debug, i);
}

int debug_snapshot_save(struct debug *debug, const char *name, struct error *err)
{
	int rc = begin(debug, err);

	if (rc < 0)
		return rc;
	core_mend_all(debug);
	rc = snapshots_save(debug->snapshots, name, err);
	if (rc == 0)
		note_told(debug, snapshots_find(debug->snapshots, name));
	end(debug);
	return rc;
}

/* ---- restoring ------------------------------------------------------------------------------ */

/* A step, or a way to somewhere, was of a time that is no more. */
static bool just_runs(const struct debug *debug)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (debug->vcpu[i].plan.action != PLAN_HOLD &&
		    debug->vcpu[i].plan.action != PLAN_RUN)
			return false;
	return true;
}

static void remember_told(struct debug *debug, const char *name)
{
	const struct snapshot *snapshot = snapshots_find(debug->snapshots, name);

	for (unsigned i = 0; snapshot && snapshot->told && i < debug->machine->vcpu_count; i++)
		if (snapshot->told[i])
			core_had_their_say(debug, &debug->machine->vcpus[i]);
}

/* gate.lock held, all parked; the machine has changed. */
static void come_back(struct debug *debug, const char *name, int rc, enum debug_owner actor)
{
	bool was_running = debug->state == CORE_QUIESCED;
	char text[128];

	debug->request.waiting = false;
	core_forget_history(debug);
	if (rc == 0)
		remember_told(debug, name);
	core_tell(debug, DEBUG_RESTORED, actor);
	if (was_running && rc == 0 && just_runs(debug)) {
		core_go_on(debug);
		return;
	}
	snprintf(text, sizeof(text),
		 rc < 0 ? "restoring snapshot \"%s\" failed half-way"
			: "restored to snapshot \"%s\"",
		 name);
	core_stop_here(debug, was_running ? core_told_at(debug, 0) : 0,
		       rc < 0 ? STOP_HOST_ERROR : STOP_PAUSE, text);
	if (was_running)
		core_tell(debug, DEBUG_STOPPED, actor);
}

int debug_snapshot_restore(struct debug *debug, const char *name, enum debug_owner actor,
			   struct error *err)
{
	int rc = begin(debug, err);

	if (rc < 0)
		return rc;
	rc = snapshots_restore(debug->snapshots, name, err);
	core_lock(debug);
	if (rc == 0 || rc == -EFAULT)
		come_back(debug, name, rc, actor);
	else
		core_go_on(debug);
	core_unlock(debug);
	return rc;
}

/* ---- the list ------------------------------------------------------------------------------- */

/* The last one takes the log of changed pages with it, which only a parked machine may lose. */
int debug_snapshot_delete(struct debug *debug, const char *name, struct error *err)
{
	int rc = begin(debug, err);

	if (rc < 0)
		return rc;
	rc = snapshots_delete(debug->snapshots, name, err);
	end(debug);
	return rc;
}

bool debug_snapshot_next(struct debug *debug, unsigned index, struct snapshot_info *info)
{
	const struct snapshot *s = debug->snapshots ? debug->snapshots->first : NULL;

	while (s && index-- > 0)
		s = s->next;
	if (!s)
		return false;
	*info = (struct snapshot_info){.name = s->name,
				       .guest_time = s->parts.guest_time,
				       .saved_at = s->saved_at,
				       .pages = s->pages,
				       .bytes = s->pages * TREE_PAGE +
						machine_parts_size(&s->parts),
				       .current = s == debug->snapshots->current};
	return true;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* A saved snapshot does not change, so the machine may run on. */
int debug_snapshot_write(struct debug *debug, const char *name, const char *file, struct error *err)
{
	if (!debug->snapshots)
		return error_set(err, -ENOENT, "there is no snapshot \"%s\"", name);
	return snapshots_write(debug->snapshots, name, file, err);
}

int debug_snapshot_read(struct debug *debug, const char *file, const char *name, struct error *err)
{
	int rc = begin(debug, err);

	if (rc < 0)
		return rc;
	rc = snapshots_read(debug->snapshots, file, name, err);
	end(debug);
	return rc;
}
