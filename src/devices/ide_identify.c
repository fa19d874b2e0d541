// SPDX-License-Identifier: GPL-3.0-or-later
/* What IDENTIFY DEVICE tells: ATA/ATAPI-6 8.15, 256 words, little-endian. */
#include "devices/ide_drive.h"

#include <stdio.h>
#include <string.h>

#define CYLINDERS_MAX 16383
#define LBA28_MAX     0x0fffffffull
#define SIGNATURE     0xa5

enum { COMMANDS_POWER = 0x0008, COMMANDS_CACHE = 0x0020 };
enum { COMMANDS_48 = 0x0400, COMMANDS_FLUSH = 0x1000, COMMANDS_FLUSH_48 = 0x2000, VALID = 0x4000 };

struct word {
	uint8_t index;
	uint16_t value;
};

/* What hangs on nothing. */
static const struct word words[] = {
	{0, 0x0040}, /* not removable */
	{3, DISK_HEADS},
	{6, DISK_TRACK},
	{47, 0x8000 | DISK_REQUEST_MAX},
	{48, 0x0001}, /* 32 bits at the data port */
	{49, 0x0a00}, /* LBA, IORDY; no DMA */
	{50, VALID},
	{51, 0x0200},
	{53, 0x0003}, /* 54-58 and 64-70 are valid */
	{64, 0x0003}, /* PIO modes 3 and 4 */
	{67, 120},
	{68, 120},
	{80, 0x007e}, /* ATA-1 to ATA/ATAPI-6 */
	{82, COMMANDS_POWER | COMMANDS_CACHE},
	{83, VALID | COMMANDS_48 | COMMANDS_FLUSH | COMMANDS_FLUSH_48},
	{84, VALID},
	{86, COMMANDS_48 | COMMANDS_FLUSH | COMMANDS_FLUSH_48},
	{87, VALID},
};

static void put(uint8_t *bytes, unsigned index, uint64_t value)
{
	bytes[2 * index] = (uint8_t)value;
	bytes[2 * index + 1] = (uint8_t)(value >> 8);
}

/* Two characters in a word, the first one in its high byte; filled up with blanks. */
static void put_text(uint8_t *bytes, unsigned index, const char *text, unsigned words_)
{
	size_t size = strlen(text);

	for (unsigned i = 0; i < 2 * words_; i++)
		bytes[2 * index + (i ^ 1)] = (uint8_t)(i < size ? text[i] : ' ');
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

uint16_t ide_cylinders(uint64_t sectors)
{
	uint64_t cylinders = at_most(sectors / (DISK_HEADS * DISK_TRACK), CYLINDERS_MAX);

	return cylinders ? (uint16_t)cylinders : 1;
}

static void put_sizes(const struct ide_drive *d, uint8_t *bytes)
{
	uint64_t sectors = d->backend->sectors, lba28 = at_most(sectors, LBA28_MAX);
	unsigned cylinder = d->r.heads * d->r.track;
	uint64_t current = at_most(sectors / cylinder, UINT16_MAX);

	put(bytes, 1, ide_cylinders(sectors));
	put(bytes, 54, current);
	put(bytes, 55, d->r.heads);
	put(bytes, 56, d->r.track);
	put(bytes, 57, current * cylinder);
	put(bytes, 58, current * cylinder >> 16);
	put(bytes, 60, lba28);
	put(bytes, 61, lba28 >> 16);
	for (unsigned i = 0; i < 4; i++)
		put(bytes, 100 + i, sectors >> (16 * i));
}

static void put_sum(uint8_t *bytes)
{
	uint8_t sum = SIGNATURE;

	for (unsigned i = 0; i < DISK_SECTOR - 2; i++)
		sum += bytes[i];
	bytes[DISK_SECTOR - 2] = SIGNATURE;
	bytes[DISK_SECTOR - 1] = (uint8_t)-sum;
}

void ide_identify(const struct ide_drive *d, uint8_t bytes[DISK_SECTOR])
{
	char serial[21];

	memset(bytes, 0, DISK_SECTOR);
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		put(bytes, words[i].index, words[i].value);
	snprintf(serial, sizeof(serial), "VT%05u", d->number + 1);
	put_text(bytes, 10, serial, 10);
	put_text(bytes, 23, "1", 4);
	put_text(bytes, 27, "VITRINE DISK", 20);
	put(bytes, 59, d->r.multiple ? 0x0100 | d->r.multiple : 0);
	put(bytes, 85, COMMANDS_POWER | (d->r.write_cache ? COMMANDS_CACHE : 0));
	put_sizes(d, bytes);
	put_sum(bytes);
}
