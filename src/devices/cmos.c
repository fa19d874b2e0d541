// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What PC firmware keeps in the clock's memory, for kernels that read it there instead of asking a BIOS: IBM PC AT
 * Technical Reference, "CMOS RAM"; the sizes from 0x34 on as QEMU's firmware has them. There are no floppy disks:
 * their types, 0x10, are zero. Hard disks are of type 47, whose geometry stands behind it.
 */
#include "devices/devices.h"
#include "devices/rtc_registers.h"

/* RAM below 4 GiB ends here; what is more lies above 4 GiB. */
#define RAM_LOW_END 0xc0000000ull

enum {
	DISK_TYPES = 0x12, /* drive 0 in the high nibble */
	EQUIPMENT = 0x14,
	BASE_KIB = 0x15,
	EXTENDED_KIB = 0x17,
	DISK_TYPE_0 = 0x19, /* when its nibble is 15 */
	DISK_GEOMETRY_0 = 0x1b,
	SUM_HIGH = 0x2e, /* of the bytes from 0x10 to here */
	SUM_LOW,
	EXTENDED_KIB_2 = 0x30,
	ABOVE_16M = 0x34,
	ABOVE_4G = 0x5b,
	VCPUS = 0x5f
};
enum { GEOMETRY_SIZE = 9, TYPE_ELSEWHERE = 0xf, TYPE_OWN = 47, MANY_HEADS = 0x08 };
enum { EQUIPMENT_FPU = 0x02 }; /* and a display with a BIOS of its own: 0 in bits 4 and 5 */

static void put_u16(uint8_t *low, uint64_t value)
{
	if (value > UINT16_MAX)
		value = UINT16_MAX;
	low[0] = (uint8_t)value;
	low[1] = (uint8_t)(value >> 8);
}

static uint64_t units_above(uint64_t size, uint64_t start, uint64_t unit)
{
	return size > start ? (size - start) / unit : 0;
}

static void put_sizes(uint8_t *cmos, uint64_t ram_size)
{
	uint64_t low = ram_size < RAM_LOW_END ? ram_size : RAM_LOW_END;
	uint64_t high = units_above(ram_size, RAM_LOW_END, 65536);
	uint64_t base = low / 1024;

	put_u16(cmos + BASE_KIB, base < 640 ? base : 640);
	put_u16(cmos + EXTENDED_KIB, units_above(low, 1 << 20, 1024));
	put_u16(cmos + EXTENDED_KIB_2, units_above(low, 1 << 20, 1024));
	put_u16(cmos + ABOVE_16M, units_above(low, 16 << 20, 65536));
	cmos[ABOVE_4G] = (uint8_t)high;
	cmos[ABOVE_4G + 1] = (uint8_t)(high >> 8);
	cmos[ABOVE_4G + 2] = (uint8_t)(high >> 16);
}

/* Cylinders, heads, no precompensation, control byte, landing zone, sectors. */
static void put_disk(uint8_t *cmos, unsigned drive, uint64_t sectors)
{
	uint8_t *geometry = cmos + DISK_GEOMETRY_0 + drive * GEOMETRY_SIZE;
	uint16_t cylinders = ide_cylinders(sectors);

	if (sectors == 0)
		return;
	cmos[DISK_TYPES] |= (uint8_t)(drive ? TYPE_ELSEWHERE : TYPE_ELSEWHERE << 4);
	cmos[DISK_TYPE_0 + drive] = TYPE_OWN;
	put_u16(geometry, cylinders);
	geometry[2] = DISK_HEADS;
	put_u16(geometry + 3, UINT16_MAX);
	geometry[5] = MANY_HEADS;
	put_u16(geometry + 6, cylinders);
	geometry[8] = DISK_TRACK;
}

static void put_sum(uint8_t *cmos)
{
	unsigned sum = 0;

	for (unsigned i = 0x10; i < SUM_HIGH; i++)
		sum += cmos[i];
	cmos[SUM_HIGH] = (uint8_t)(sum >> 8);
	cmos[SUM_LOW] = (uint8_t)sum;
}

void cmos_fill(uint8_t cmos[CMOS_SIZE], const struct rtc_config *config)
{
	cmos[EQUIPMENT] = EQUIPMENT_FPU;
	cmos[VCPUS] = (uint8_t)(config->vcpus > 256 ? 255 : config->vcpus - 1);
	put_sizes(cmos, config->ram_size);
	for (unsigned i = 0; i < 2; i++)
		put_disk(cmos, i, config->disk_sectors[i]);
	put_sum(cmos);
}
