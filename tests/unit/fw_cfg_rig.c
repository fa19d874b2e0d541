// SPDX-License-Identifier: GPL-3.0-or-later
#include "fw_cfg_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "device_host.h"
#include "fw_cfg_files.h"
#include "rig.h"

#include <endian.h>
#include <string.h>

struct cfg cfg;

int fw_cfg_setup(void **state)
{
	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	test_host_init(&cfg.h);
	test_host_init(&cfg.copy_host);
	assert_int_equal(fw_cfg_init(&cfg.h.host, &fw_cfg_config, &cfg.device, NULL), 0);
	assert_int_equal(fw_cfg_init(&cfg.copy_host.host, &fw_cfg_config, &cfg.copy, NULL), 0);
	return 0;
}

int fw_cfg_teardown(void **state)
{
	(void)state;
	cfg.device->destroy(cfg.device);
	cfg.copy->destroy(cfg.copy);
	return 0;
}

void choose(uint16_t key)
{
	out16(&cfg.h, 0x510, key);
}

void item_is(uint16_t key, const void *bytes, size_t size)
{
	choose(key);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(in8(&cfg.h, 0x511), ((const uint8_t *)bytes)[i]);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(in8(&cfg.h, 0x511), 0);
}

uint32_t dma(uint32_t control, uint32_t size, uint64_t address)
{
	struct request request = {htobe32(control), htobe32(size), htobe64(address)};

	memcpy(cfg.h.memory + 0x100, &request, sizeof(request));
	out32(&cfg.h, 0x514, 0);
	out32(&cfg.h, 0x518, htobe32(0x100));
	memcpy(&request, cfg.h.memory + 0x100, sizeof(request));
	assert_int_equal(be32toh(request.size), size);
	return be32toh(request.control);
}
