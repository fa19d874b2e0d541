/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One drive on an IDE cable: its registers, and what it does with a command. From the ATA/ATAPI-6 draft
 * (T13/1410D), chapters 7 (registers), 8 (commands), 9 (protocols). The cable is ide.c's.
 */
#ifndef DEVICES_IDE_DRIVE_H
#define DEVICES_IDE_DRIVE_H

#include "devices/devices.h"

struct device_stream;

enum ide_register { /* offsets from the first port; IDE_ERROR is FEATURES and IDE_STATUS COMMAND to a write */
		    IDE_DATA,
		    IDE_ERROR,
		    IDE_COUNT,
		    IDE_LOW,
		    IDE_MID,
		    IDE_HIGH,
		    IDE_DEVICE,
		    IDE_STATUS
};
enum {
	STATUS_ERR = 0x01,
	STATUS_DRQ = 0x08,
	STATUS_SEEK = 0x10,
	STATUS_FAULT = 0x20,
	STATUS_READY = 0x40,
	STATUS_BUSY = 0x80
};
enum { ERROR_ABORT = 0x04, ERROR_NO_SECTOR = 0x10, ERROR_UNREADABLE = 0x40 };
enum { DEVICE_SECOND = 0x10, DEVICE_LBA = 0x40, DEVICE_ONES = 0xa0 };

/* What a command waits for: the guest to take or give a block, or the image. */
enum ide_phase {
	PHASE_IDLE,
	PHASE_DATA_IN,
	PHASE_DATA_OUT,
	PHASE_READING,
	PHASE_WRITING,
	PHASE_FLUSHING
};

struct ide_registers {
	uint8_t file[IDE_STATUS];     /* IDE_COUNT to IDE_DEVICE, as written last */
	uint8_t previous[IDE_STATUS]; /* what was there before: the high halves of LBA48 */
	uint8_t features, error, status;
	bool irq;
	bool write_cache;
	uint8_t multiple; /* sectors in a block of READ MULTIPLE and WRITE MULTIPLE; 0: refused */
	uint8_t heads, track;	 /* the geometry of CHS addresses */
	uint8_t phase;		 /* enum ide_phase */
	uint8_t block;		 /* sectors in a block of this command */
	uint64_t sector;	 /* the block's first */
	uint32_t left;		 /* sectors to go, with this block */
	uint32_t position, size; /* bytes of the block that have passed, of all */
	uint8_t buffer[DISK_REQUEST_MAX * DISK_SECTOR];
};

struct ide_drive {
	const struct disk_backend *backend; /* of 0 sectors: no drive is there */
	unsigned number;
	uint64_t ticket; /* of the last request */
	uint64_t writes; /* that the guest has made */
	struct ide_registers r;
};

void ide_drive_power_on(struct ide_drive *d);
/* SRST, and EXECUTE DEVICE DIAGNOSTIC: the signature of a disk; what was under way is forgotten. */
void ide_drive_reset(struct ide_drive *d);
void ide_drive_write(struct ide_drive *d, enum ide_register reg,
		     uint8_t value); /* not the command */
uint8_t ide_drive_read(const struct ide_drive *d, enum ide_register reg, bool previous);
void ide_drive_command(struct ide_drive *d, uint8_t command);
void ide_drive_data(struct ide_drive *d, struct bus_access *access);
void ide_drive_done(struct ide_drive *d, uint64_t ticket, int rc, const uint8_t *bytes);

/* ---- for the commands (ide_commands.c) ------------------------------------------------------- */

void ide_finish(struct ide_drive *d); /* well */
void ide_fail(struct ide_drive *d, uint8_t error);
void ide_flush(struct ide_drive *d);
void ide_ask_again(struct ide_drive *d); /* what the phase waits for */
/* Moves the sectors that the address registers name; block: how many between two interrupts. */
void ide_transfer(struct ide_drive *d, enum disk_op op, bool lba48, uint8_t block);
/* The first sector and the count that the address registers name; false: the disk has no such ones. */
bool ide_address(const struct ide_drive *d, bool lba48, uint64_t *sector, uint32_t *count);
void ide_set_address(struct ide_drive *d, bool lba48, uint64_t sector);
/* The guest may take the first 512 bytes of the buffer. */
void ide_offer(struct ide_drive *d);
void ide_identify(const struct ide_drive *d, uint8_t bytes[DISK_SECTOR]);
/* The command's function, or NULL. */
typedef void ide_command_fn(struct ide_drive *d, uint8_t command);
ide_command_fn *ide_find_command(uint8_t command);

/* ---- snapshots (ide_state.c) ------------------------------------------------------------------ */

void ide_drive_save(const struct ide_drive *d, struct device_stream *out);
/* Reads all of it into a register set; false: no drive like this can be in that state. */
bool ide_drive_get(const struct ide_drive *d, struct ide_registers *r, struct device_stream *in);
/* Takes what ide_drive_get() has read; what the image had not answered it is asked again. */
void ide_drive_take(struct ide_drive *d, const struct ide_registers *r);
int ide_drive_fits(const struct ide_drive *d, struct device_stream *in, struct error *err);

#endif
