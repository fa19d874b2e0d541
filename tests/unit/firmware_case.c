// SPDX-License-Identifier: GPL-3.0-or-later
#include "firmware_case.h"
#include "boot_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

uint8_t low[MIB];
struct boot_case booted;

void tables_load(unsigned vcpus, bool apic)
{
	static const uint8_t image[1024] = {0xf4};

	boot_case_init(&booted, image, sizeof(image));
	booted.request.has_load = true;
	booted.request.load = 0x8000;
	booted.request.vcpus = vcpus;
	booted.request.apic = apic;
	boot_case_loads(&booted);
	memset(low, 0, sizeof(low));
	for (unsigned i = 0; i < booted.image.segment_count; i++) {
		const struct boot_segment *s = &booted.image.segment[i];

		memcpy(low + s->gpa, s->data, s->data_size);
	}
}

int tables_teardown(void **state)
{
	(void)state;
	boot_case_end(&booted);
	return 0;
}

uint8_t u8(uint64_t at)
{
	assert_true(at < MIB);
	return low[at];
}

uint16_t u16(uint64_t at)
{
	return (uint16_t)(u8(at) | u8(at + 1) << 8);
}

uint32_t u32(uint64_t at)
{
	return u16(at) | (uint32_t)u16(at + 2) << 16;
}

void adds_up(uint64_t at, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + u8(at + i));
	assert_int_equal(sum, 0);
}

uint64_t scan(uint64_t from, uint64_t to, const char *signature)
{
	for (; from < to; from += 16)
		if (!memcmp(low + from, signature, strlen(signature)))
			return from;
	return 0;
}
