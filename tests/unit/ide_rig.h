/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An IDE controller, and disks that may be slow or fail. */
#ifndef TESTS_IDE_RIG_H
#define TESTS_IDE_RIG_H

#include "device_host.h"

enum { DATA = 0x1f0, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS, CONTROL = 0x3f6 };

#define COMMAND STATUS

enum { ERR = 0x01, DRQ = 0x08, FAULT = 0x20, READY = 0x50, BUSY = 0x80 };

enum { READ = 0x20, WRITE = 0x30, FLUSH = 0xe7, IDENTIFY = 0xec, SET_FEATURES = 0xef };

#define SECTORS 200

/* A disk in memory. */
struct disk {
	uint8_t bytes[SECTORS * DISK_SECTOR];
	uint64_t run, changed;
	bool slow; /* requests wait in held, the last one's write in bytes_held */
	int fail;
	struct disk_request held;
	uint8_t held_bytes[DISK_REQUEST_MAX * DISK_SECTOR];
	unsigned requests, flushes, unflushed;
};

struct controller {
	struct test_host h;
	struct device *ide;
	struct disk disk[2];
};

extern struct controller ata;

/* The slow disk answers. */
void ide_answer(unsigned drive, int rc);
void start_ide(struct test_host *h, struct device **ide, uint64_t second, bool readonly);
int ide_setup(void **state);
int ide_teardown(void **state);
/* ide_setup() made one drive that can be written. */
void another(uint64_t second, bool readonly);
void ide_out(uint16_t port, uint8_t value);
uint8_t ide_in(uint16_t port);
bool ide_irq(void);
void command28(uint8_t command, uint32_t sector, uint8_t count);
/* The interrupt's handler: reading the status takes the line down. */
uint8_t handle(void);
void take_sectors(unsigned sectors, uint8_t first);
void give_sectors(unsigned sectors, uint8_t value);
void ide_refused(uint8_t error);
bool disk_has(unsigned drive, unsigned sector, uint8_t value);

extern uint16_t the_words[256];

void identify(void);

#endif
