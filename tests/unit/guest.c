// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"

#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* GUESTS says where they are; else this program is BUILD/tests/unit/NAME, and they are in
 * BUILD/guests. */
static void guest_path(const char *name, char *path, size_t size)
{
	const char *guests = getenv("GUESTS");
	char self[PATH_MAX] = "";
	char *slash;

	if (guests) {
		snprintf(path, size, "%s/%s.elf", guests, name);
		return;
	}
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	for (int i = 0; i < 3; i++)
		if ((slash = strrchr(self, '/')))
			*slash = '\0';
	snprintf(path, size, "%s/guests/%s.elf", self, name);
}

static void boot(struct rig *rig, const char *name, const char *append)
{
	char path[PATH_MAX + 32];
	struct boot_request request = {.kernel = path, .append = append, .ram_size = rig->ram_size};
	struct boot_image image;
	struct error err = {0};

	guest_path(name, path, sizeof(path));
	if (boot_load(&request, &image, &err) < 0 || machine_boot(rig->machine, &image, &err) < 0)
		fail_msg("%s", err.text);
}

static void start_machine(struct rig *rig, unsigned vcpus)
{
	rig->accel = &accel_kvm;
	rig->ram_size = 32 << 20;
	rig->as_at_reset = true;
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
}

void guest_start(struct rig *rig, unsigned vcpus, const char *name, const char *append)
{
	start_machine(rig, vcpus);
	boot(rig, name, append);
}

void guest_start_counted(struct rig *rig, unsigned vcpus, unsigned rounds)
{
	const struct debug_capabilities *can;
	char append[32];

	start_machine(rig, vcpus);
	can = debug_capabilities(rig->debug);
	snprintf(append, sizeof(append), "rounds=%u%s", rounds,
		 can->interrupt_rf && can->int3[CAP_LONG] == INT3_LOST ? " quiet" : "");
	boot(rig, "smp", append);
}

static uint64_t find_symbol(Elf *elf, const char *name)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		Elf_Data *data = elf_getdata(section, NULL);
		GElf_Shdr header;
		GElf_Sym symbol;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		for (int i = 0; gelf_getsym(data, i, &symbol); i++)
			if (!strcmp(elf_strptr(elf, header.sh_link, symbol.st_name), name))
				return symbol.st_value;
	}
	return 0;
}

uint64_t guest_symbol(struct rig *rig, const char *name)
{
	size_t size;
	const void *image = debug_image(rig->debug, &size, NULL);
	Elf *elf;
	uint64_t value;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image, size);
	assert_non_null(elf);
	value = find_symbol(elf, name);
	elf_end(elf);
	assert_true(value);
	return value;
}

bool guest_stops(struct rig *rig)
{
	while (debug_running(rig->debug))
		if (!rig_wait(rig))
			fail_msg("nothing happened for a long time");
	debug_dispatch(rig->debug);
	return rig->count[DEBUG_EXITED] == 0;
}
