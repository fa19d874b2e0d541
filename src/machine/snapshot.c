// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/snapshot.h"

#include "log.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- life ---------------------------------------------------------------------------------- */

static int check_name(const char *name, struct error *err)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < size; i++)
		if (!isgraph((unsigned char)name[i]) || name[i] == '/')
			return error_set(err, -EINVAL,
					 "a snapshot's name is made of letters, digits and signs, "
					 "without blanks and slashes");
	if (size == 0 || size >= SNAPSHOT_NAME_SIZE)
		return error_set(err, -EINVAL, "a snapshot's name has from 1 to %d characters",
				 SNAPSHOT_NAME_SIZE - 1);
	return 0;
}

int snapshot_new(struct snapshots *s, const char *name, struct snapshot **out, struct error *err)
{
	struct snapshot *snapshot;
	int rc = check_name(name, err);

	*out = NULL;
	if (rc < 0)
		return rc;
	if (s->count >= SNAPSHOTS_MAX)
		return error_set(err, -ENOSPC, "there are %u snapshots already: delete some",
				 s->count);
	snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(snapshot->name, name, strlen(name));
	snapshot->ram = page_tree_new(memory_size(s->machine->memory) / TREE_PAGE);
	*out = snapshot;
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	machine_parts_free(&snapshot->parts);
	page_tree_free(&snapshot->ram);
	free(snapshot->told);
	free(snapshot);
}

struct snapshots *snapshots_new(struct machine *machine)
{
	struct snapshots *s = calloc(1, sizeof(*s));

	if (s)
		s->machine = machine;
	return s;
}

void snapshots_free(struct snapshots *s)
{
	if (!s)
		return;
	while (s->first) {
		struct snapshot *snapshot = s->first;

		s->first = snapshot->next;
		snapshot_free(snapshot);
	}
	snapshot_ram_forget(s);
	free(s);
}

/* ---- the list ------------------------------------------------------------------------------- */

struct snapshot *snapshots_find(const struct snapshots *s, const char *name)
{
	struct snapshot *snapshot = s->first;

	while (snapshot && strcmp(snapshot->name, name))
		snapshot = snapshot->next;
	return snapshot;
}

static struct snapshot *need(const struct snapshots *s, const char *name, struct error *err)
{
	struct snapshot *snapshot = snapshots_find(s, name);

	if (!snapshot)
		error_set(err, -ENOENT, "there is no snapshot \"%.*s\"", SNAPSHOT_NAME_SIZE, name);
	return snapshot;
}

static void take_out(struct snapshots *s, struct snapshot *snapshot)
{
	struct snapshot **link = &s->first;

	while (*link != snapshot)
		link = &(*link)->next;
	*link = snapshot->next;
	s->count--;
	if (s->current == snapshot)
		s->current = NULL;
	snapshot_free(snapshot);
}

void snapshots_add(struct snapshots *s, struct snapshot *snapshot)
{
	struct snapshot *old = snapshots_find(s, snapshot->name), **tail = &s->first;

	if (old)
		take_out(s, old);
	while (*tail)
		tail = &(*tail)->next;
	*tail = snapshot;
	s->count++;
}

int snapshots_delete(struct snapshots *s, const char *name, struct error *err)
{
	struct snapshot *snapshot = need(s, name, err);

	if (!snapshot)
		return -ENOENT;
	take_out(s, snapshot);
	if (!s->first)
		snapshot_ram_forget(s);
	return 0;
}

/* ---- saving ---------------------------------------------------------------------------------- */

static int fill(struct snapshots *s, struct snapshot *snapshot, struct error *err)
{
	int rc = machine_parts_save(s->machine, &snapshot->parts, err);

	if (rc == 0)
		rc = snapshot_ram_save(s, &snapshot->pages, err);
	if (rc < 0)
		return rc;
	snapshot->ram = page_tree_copy(&s->base);
	snapshot->saved_at = (uint64_t)time(NULL);
	return 0;
}

int snapshots_save(struct snapshots *s, const char *name, struct error *err)
{
	struct snapshot *snapshot;
	int rc = snapshot_new(s, name, &snapshot, err);

	if (!snapshot)
		return rc;
	rc = fill(s, snapshot, err);
	if (rc == 0) {
		snapshots_add(s, snapshot);
		s->current = snapshot;
		return 0;
	}
	snapshot_free(snapshot);
	if (!s->first)
		snapshot_ram_forget(s);
	return rc;
}

/* ---- restoring -------------------------------------------------------------------------------- */

/* With 32-bit PAE paging the processor keeps four entries of the page tables in itself. An older KVM reads
 * them from memory whenever control registers are set: memory that only now is the right one. */
static void reload_page_pointers(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];
		const struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);

		if (state && (state->system.cr0 & CR0_PG) && (state->system.cr4 & CR4_PAE) &&
		    !(state->system.efer & EFER_LMA))
			vcpu_dirty(vcpu, CPU_SYSTEM);
	}
}

/* What was loaded before the failure is overwritten by what there was. */
static void go_back(struct machine *machine, const struct machine_parts *before)
{
	struct error err = {0};

	if (machine_parts_load(machine, before, &err) < 0)
		log_error("snapshot", "cannot undo a failed restore: %s", err.text);
}

/* The parts come before RAM: they can be refused, and then RAM has not been touched. */
static int apply(struct snapshots *s, const struct snapshot *snapshot, struct error *err)
{
	struct machine_parts before;
	int rc = machine_parts_save(s->machine, &before, err);

	if (rc < 0)
		return rc;
	rc = machine_parts_load(s->machine, &snapshot->parts, err);
	if (rc < 0)
		go_back(s->machine, &before);
	else
		rc = snapshot_ram_restore(s, &snapshot->ram, err);
	machine_parts_free(&before);
	return rc;
}

int snapshots_restore(struct snapshots *s, const char *name, struct error *err)
{
	struct snapshot *snapshot = need(s, name, err);
	int rc = snapshot ? apply(s, snapshot, err) : -ENOENT;

	if (rc < 0)
		return rc;
	reload_page_pointers(s->machine);
	s->current = snapshot;
	return 0;
}
