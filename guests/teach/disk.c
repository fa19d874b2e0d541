// SPDX-License-Identifier: GPL-3.0-or-later
/* The first IDE disk: one sector at a time, by port I/O, with an interrupt when it is there. One process reads. */
#include "kernel.h"
#include "port.h"

enum { DATA = 0x1f0, COUNT = 0x1f2, LOW, MID, HIGH, DEVICE, STATUS, COMMAND = STATUS };
enum { STATUS_ERROR = 0x01, STATUS_DATA = 0x08, READ = 0x20, LBA = 0xe0 };

#define WORDS 256

static uint16_t buffer[WORDS];
static uint32_t reading;
static enum { IDLE, BUSY, DONE, FAILED } state;
static bool there;

/* Where nothing is plugged in, all ones are read, or nothing. */
void disk_init(void)
{
	uint8_t status;

	outb(DEVICE, LBA);
	status = inb(STATUS);
	there = status != 0 && status != 0xff;
}

static void start(uint32_t sector)
{
	state = BUSY;
	reading = sector;
	outb(DEVICE, (uint8_t)(LBA | (sector >> 24 & 0xf)));
	outb(COUNT, 1);
	outb(LOW, (uint8_t)sector);
	outb(MID, (uint8_t)(sector >> 8));
	outb(HIGH, (uint8_t)(sector >> 16));
	outb(COMMAND, READ);
}

void disk_interrupt(void)
{
	uint8_t status = inb(STATUS); /* and the line falls */

	if (state != BUSY)
		return;
	state = status & STATUS_ERROR ? FAILED : DONE;
	for (unsigned i = 0; state == DONE && i < WORDS; i++)
		buffer[i] = inw(DATA);
	wake_up(WAITS_FOR_DISK);
}

int disk_read(uint32_t sector, void *to)
{
	bool done;

	if (!there)
		return -1;
	if (state == BUSY)
		return 0;
	if (state == IDLE || reading != sector) {
		start(sector);
		return 0;
	}
	for (unsigned i = 0; i < WORDS; i++)
		((uint16_t *)to)[i] = buffer[i];
	done = state == DONE;
	state = IDLE;
	return done ? 1 : -1;
}
