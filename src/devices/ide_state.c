// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A drive in a snapshot: its registers, and which disk they belong to. What stands on the disk is in no snapshot, so
 * a state is loaded only while the disk is what it was: a guest that remembers an older one, in its caches, would
 * write that over the newer. A request that the image had not answered is made again: reading and writing
 * the same twice is like once.
 */
#include "devices/ide_drive.h"
#include "devices/stream.h"

#include <errno.h>
#include <string.h>

/* Which disk, and when. */
struct identity {
	uint64_t sectors, run, changed, writes;
};

static void identity_of(const struct ide_drive *d, struct identity *id)
{
	*id = (struct identity){.sectors = d->backend->sectors, .writes = d->writes};
	if (id->sectors)
		d->backend->version(d->backend->ctx, &id->run, &id->changed);
}

static void get_identity(struct identity *id, struct device_stream *in)
{
	id->sectors = stream_get_u64(in);
	id->run = stream_get_u64(in);
	id->changed = stream_get_u64(in);
	id->writes = stream_get_u64(in);
}

void ide_drive_save(const struct ide_drive *d, struct device_stream *out)
{
	const struct ide_registers *r = &d->r;
	const uint64_t numbers[] = {r->features, r->error, r->status,	r->irq,	  r->write_cache,
				    r->multiple, r->heads, r->track,	r->phase, r->block,
				    r->sector,	 r->left,  r->position, r->size};
	struct identity id;

	identity_of(d, &id);
	stream_put_u64(out, id.sectors);
	stream_put_u64(out, id.run);
	stream_put_u64(out, id.changed);
	stream_put_u64(out, id.writes);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		stream_put_u64(out, numbers[i]);
	stream_put(out, r->file, sizeof(r->file));
	stream_put(out, r->previous, sizeof(r->previous));
	stream_put(out, r->buffer, sizeof(r->buffer));
}

/* ---- whether it is one ----------------------------------------------------------------------- */

static bool is_state(const struct ide_drive *d, const struct ide_registers *r)
{
	bool moves = r->phase == PHASE_DATA_OUT || r->phase == PHASE_READING ||
		     r->phase == PHASE_WRITING;

	if (r->phase > PHASE_FLUSHING || !r->heads || r->heads > 16 || !r->track)
		return false;
	if (r->multiple > DISK_REQUEST_MAX || (r->multiple & (r->multiple - 1)))
		return false;
	if (r->size > sizeof(r->buffer) || r->position > r->size || r->block > DISK_REQUEST_MAX)
		return false;
	if ((r->left || moves) && (!r->block || !r->left || r->sector > d->backend->sectors ||
				   r->left > d->backend->sectors - r->sector))
		return false;
	return d->backend->sectors || r->phase == PHASE_IDLE;
}

static uint32_t get_u32(struct device_stream *in)
{
	uint64_t value = stream_get_u64(in);

	if (value > UINT32_MAX && !in->error)
		in->error = -EINVAL;
	return (uint32_t)value;
}

bool ide_drive_get(const struct ide_drive *d, struct ide_registers *r, struct device_stream *in)
{
	uint8_t *const bytes[] = {&r->features, &r->error, &r->status};
	uint8_t *const more[] = {&r->multiple, &r->heads, &r->track, &r->phase, &r->block};
	struct identity id;

	*r = (struct ide_registers){0};
	get_identity(&id, in);
	for (unsigned i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		*bytes[i] = stream_get_u8(in);
	r->irq = stream_get_u64(in);
	r->write_cache = stream_get_u64(in);
	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		*more[i] = stream_get_u8(in);
	r->sector = stream_get_u64(in);
	r->left = get_u32(in);
	r->position = get_u32(in);
	r->size = get_u32(in);
	stream_get(in, r->file, sizeof(r->file));
	stream_get(in, r->previous, sizeof(r->previous));
	stream_get(in, r->buffer, sizeof(r->buffer));
	return !in->error && id.sectors == d->backend->sectors && is_state(d, r);
}

/* ---- whether the disk is the same ------------------------------------------------------------ */

static bool was_written(const struct identity *then, const struct identity *now)
{
	if (then->run == now->run)
		return then->writes != now->writes;
	return now->writes || then->changed != now->changed;
}

int ide_drive_fits(const struct ide_drive *d, struct device_stream *in, struct error *err)
{
	struct ide_registers r;
	struct identity then, now;
	size_t start = in->position;

	get_identity(&then, in);
	identity_of(d, &now);
	if (!in->error && then.sectors != now.sectors)
		return error_set(
			err, -EINVAL,
			"drive %u had %llu sectors when the snapshot was made, and has %llu "
			"now: start vitrine with the disks of then",
			d->number, (unsigned long long)then.sectors,
			(unsigned long long)now.sectors);
	if (!in->error && was_written(&then, &now))
		return error_set(
			err, -EINVAL,
			"drive %u was written since the snapshot was made, and what is on a "
			"disk is in no snapshot: a guest that remembers the older contents "
			"would damage it. Put the image back and use -loadvm, or work with "
			"-drive ...,readonly",
			d->number);
	in->position = start;
	ide_drive_get(d, &r, in);
	return 0;
}

/* ---- loading --------------------------------------------------------------------------------- */

void ide_drive_take(struct ide_drive *d, const struct ide_registers *r)
{
	d->r = *r;
	d->ticket++;
	if (r->phase >= PHASE_READING)
		ide_ask_again(d);
}
