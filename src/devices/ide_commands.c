// SPDX-License-Identifier: GPL-3.0-or-later
/* The commands that a drive knows, ATA/ATAPI-6 chapter 8; the obsolete ones are ATA-1's. It aborts all others. */
#include "devices/ide_drive.h"

enum {
	FEATURE_CACHE_ON = 0x02,
	FEATURE_MODE = 0x03,
	FEATURE_LOOK_AHEAD_OFF = 0x55,
	FEATURE_KEEP = 0x66,
	FEATURE_CACHE_OFF = 0x82,
	FEATURE_LOOK_AHEAD_ON = 0xaa,
	FEATURE_FORGET = 0xcc
};
enum { EXT_READ = 0x24, EXT_READ_MULTIPLE = 0x29, EXT_WRITE = 0x34, EXT_WRITE_MULTIPLE = 0x39 };
enum { EXT_VERIFY = 0x42, EXT_NATIVE_MAX = 0x27 };
enum { MODES_FLOW = 0x08, MODES_MASK = 0xf8 };

#define CHECK_POWER  0xe5
#define ACTIVE	     0xff
#define LBA28_LIMIT  (1ull << 28)
#define PIO_MODE_MAX 4

static void read_sectors(struct ide_drive *d, uint8_t command)
{
	ide_transfer(d, DISK_READ, command == EXT_READ, 1);
}

static void write_sectors(struct ide_drive *d, uint8_t command)
{
	ide_transfer(d, DISK_WRITE, command == EXT_WRITE, 1);
}

static void read_multiple(struct ide_drive *d, uint8_t command)
{
	if (d->r.multiple)
		ide_transfer(d, DISK_READ, command == EXT_READ_MULTIPLE, d->r.multiple);
	else
		ide_fail(d, ERROR_ABORT);
}

static void write_multiple(struct ide_drive *d, uint8_t command)
{
	if (d->r.multiple)
		ide_transfer(d, DISK_WRITE, command == EXT_WRITE_MULTIPLE, d->r.multiple);
	else
		ide_fail(d, ERROR_ABORT);
}

/* That the sectors exist is all that is verified. */
static void verify(struct ide_drive *d, uint8_t command)
{
	uint64_t sector;
	uint32_t count;

	if (ide_address(d, command == EXT_VERIFY, &sector, &count))
		ide_finish(d);
	else
		ide_fail(d, ERROR_NO_SECTOR);
}

static void set_multiple(struct ide_drive *d, uint8_t command)
{
	uint8_t count = d->r.file[IDE_COUNT];

	(void)command;
	if (count > DISK_REQUEST_MAX || (count & (count - 1))) {
		ide_fail(d, ERROR_ABORT);
		return;
	}
	d->r.multiple = count;
	ide_finish(d);
}

static void set_geometry(struct ide_drive *d, uint8_t command)
{
	(void)command;
	if (!d->r.file[IDE_COUNT]) {
		ide_fail(d, ERROR_ABORT);
		return;
	}
	d->r.heads = (d->r.file[IDE_DEVICE] & 0xf) + 1;
	d->r.track = d->r.file[IDE_COUNT];
	ide_finish(d);
}

static void identify(struct ide_drive *d, uint8_t command)
{
	(void)command;
	d->r.left = 0;
	ide_identify(d, d->r.buffer);
	ide_offer(d);
}

static void flush(struct ide_drive *d, uint8_t command)
{
	(void)command;
	ide_flush(d);
}

/* Any PIO mode does: a port knows no speed. */
static bool set_mode(const struct ide_drive *d)
{
	uint8_t mode = d->r.file[IDE_COUNT];

	return mode <= 1 || ((mode & MODES_MASK) == MODES_FLOW && (mode & 7) <= PIO_MODE_MAX);
}

static void set_features(struct ide_drive *d, uint8_t command)
{
	uint8_t feature = d->r.features;
	bool known = feature == FEATURE_LOOK_AHEAD_OFF || feature == FEATURE_LOOK_AHEAD_ON ||
		     feature == FEATURE_KEEP || feature == FEATURE_FORGET;

	(void)command;
	if (feature == FEATURE_CACHE_ON) {
		d->r.write_cache = true;
		ide_finish(d);
	} else if (feature == FEATURE_CACHE_OFF) {
		d->r.write_cache = false;
		ide_flush(d);
	} else if (known || (feature == FEATURE_MODE && set_mode(d))) {
		ide_finish(d);
	} else {
		ide_fail(d, ERROR_ABORT);
	}
}

static void native_max(struct ide_drive *d, uint8_t command)
{
	bool lba48 = command == EXT_NATIVE_MAX;
	uint64_t last = d->backend->sectors - 1;

	if (!lba48 && last >= LBA28_LIMIT)
		last = LBA28_LIMIT - 1;
	ide_set_address(d, lba48, last);
	ide_finish(d);
}

/* Nothing turns, and the heads are there already. */
static void nothing(struct ide_drive *d, uint8_t command)
{
	if (command == CHECK_POWER)
		d->r.file[IDE_COUNT] = ACTIVE;
	ide_finish(d);
}

static const struct {
	uint8_t first, last;
	ide_command_fn *run;
} commands[] = {
	{0x10, 0x1f, nothing}, /* RECALIBRATE */
	{0x20, 0x21, read_sectors},   {0x24, 0x24, read_sectors},
	{0x27, 0x27, native_max},     {0x29, 0x29, read_multiple},
	{0x30, 0x31, write_sectors},  {0x34, 0x34, write_sectors},
	{0x39, 0x39, write_multiple}, {0x40, 0x42, verify},
	{0x70, 0x7f, nothing},	    /* SEEK */
	{0x91, 0x91, set_geometry}, /* INITIALIZE DEVICE PARAMETERS */
	{0xc4, 0xc4, read_multiple},  {0xc5, 0xc5, write_multiple},
	{0xc6, 0xc6, set_multiple},   {0xe0, 0xe3, nothing}, /* STANDBY, IDLE */
	{CHECK_POWER, 0xe6, nothing},			     /* and SLEEP */
	{0xe7, 0xe7, flush},	      {0xea, 0xea, flush},
	{0xec, 0xec, identify},	      {0xef, 0xef, set_features},
	{0xf8, 0xf8, native_max},
};

ide_command_fn *ide_find_command(uint8_t command)
{
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].first <= command && command <= commands[i].last)
			return commands[i].run;
	return NULL;
}
