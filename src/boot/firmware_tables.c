// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/firmware_tables.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BDA_SIZE 0x100

unsigned firmware_pin(unsigned line)
{
	return line == 0 ? FIRMWARE_TIMER_PIN : line;
}

uint8_t firmware_checksum(const void *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
	return (uint8_t)-sum;
}

/* What kernels look for that start without a BIOS: where the serial ports are, how much memory lies below the
 * extended BIOS data area (which is not there), and the text screen. */
static void fill_bda(uint8_t bda[BDA_SIZE])
{
	static const struct {
		uint8_t offset;
		uint16_t value;
	} words[] = {
		{0x00, 0x3f8},
		{0x02, 0x2f8},		   /* serial ports */
		{0x10, 0x0422},		   /* two of them, 80x25 colour, an FPU */
		{0x13, RAM_LOW_END >> 10}, /* KiB of low memory */
		{0x49, 0x03},
		{0x4a, 80}, /* video mode, columns */
		{0x4c, 4000},
		{0x63, 0x3d4}, /* size of the screen, CRT controller */
		{0x84, 24},
		{0x85, 16}, /* rows less one, height of a character */
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		bda[words[i].offset] |= words[i].value & 0xff;
		bda[words[i].offset + 1] |= words[i].value >> 8;
	}
}

static int place(struct loader *loader, uint64_t gpa, const void *block, size_t size,
		 const char *what)
{
	struct boot_segment segment = {.gpa = gpa, .size = size, .data = block, .data_size = size};

	if (!boot_is_free(loader, gpa, size))
		return 0;
	snprintf(segment.what, sizeof(segment.what), "%s", what);
	return boot_add(loader, &segment);
}

static int no_memory(struct loader *loader)
{
	return error_set(loader->err, -ENOMEM, "no memory for the firmware's tables");
}

static int place_bda(struct loader *loader)
{
	uint8_t *block = boot_allocate(loader->image, BDA_SIZE);

	if (!block)
		return no_memory(loader);
	fill_bda(block);
	return place(loader, FIRMWARE_BDA, block, BDA_SIZE, "BIOS data area");
}

static int place_acpi(struct loader *loader)
{
	const struct boot_request *request = loader->request;
	uint8_t *block = boot_allocate(loader->image, FIRMWARE_ACPI_ROOM);

	if (!block)
		return no_memory(loader);
	return place(loader, FIRMWARE_ACPI, block,
		     firmware_acpi(block, request->vcpus, request->apic), "ACPI tables");
}

static int place_mp(struct loader *loader)
{
	uint8_t *block;

	if (!loader->request->apic)
		return 0;
	block = boot_allocate(loader->image, FIRMWARE_MP_ROOM);
	if (!block)
		return no_memory(loader);
	return place(loader, FIRMWARE_MP, block, firmware_mp(block, loader->request->vcpus),
		     "MP table");
}

int firmware_place(struct loader *loader)
{
	int rc = 0;

	if (!loader->request->vcpus)
		return 0;
	rc = place_acpi(loader);
	if (rc == 0)
		rc = place_mp(loader);
	return rc < 0 ? rc : place_bda(loader);
}

uint64_t firmware_rsdp(const struct loader *loader)
{
	if (!loader->request->vcpus || !boot_is_free(loader, FIRMWARE_ACPI, FIRMWARE_ACPI_ROOM))
		return 0;
	return FIRMWARE_ACPI;
}
