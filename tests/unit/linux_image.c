// SPDX-License-Identifier: GPL-3.0-or-later
#include "linux_image.h"
#include "boot_case.h"

#include <asm/bootparam.h>
#include <stdint.h>
#include <string.h>

uint8_t file[KERNEL + KERNEL_SIZE + 100];

struct setup_header *header(void)
{
	return (struct setup_header *)(file + 0x1f1);
}

void linux_make(void)
{
	static const struct setup_header good = {
		.setup_sects = SETUP_SECTORS,
		.syssize = KERNEL_SIZE / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb, /* jmp behind the header */
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.code32_start = 0x100000,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.payload_offset = 0x100,
		.payload_length = KERNEL_SIZE - 0x100,
		.pref_address = BASE,
		.init_size = INIT_SIZE,
	};

	memset(file, 0, sizeof(file));
	memcpy(file + 0x1f1, &good, sizeof(good));
	memset(file + KERNEL, 0x90, KERNEL_SIZE);
	memset(file + KERNEL + KERNEL_SIZE, 0xee, 100); /* a signature */
	file[0x1ef] = 0xff; /* the sentinel, which a careless loader would copy */
}

void linux_prepare(struct boot_case *c)
{
	boot_case_init(c, file, sizeof(file));
	c->request.vcpus = 1;
	c->request.apic = true;
}

void linux_start(struct boot_case *c)
{
	linux_make();
	linux_prepare(c);
}

void params_of(struct boot_case *c, struct boot_params *params)
{
	boot_case_read(&c->image, c->image.start.general.gpr[GPR_RSI], params, sizeof(*params));
}
