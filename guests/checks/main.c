// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A test kernel in the manner of those written for QEMU and KVM: a multiboot image of 32 bits that switches to long
 * mode by itself, looks at the machine that it is told of, and leaves by debug exit with the number of things that
 * were wrong.
 *
 * Command line: the image's name; then exit=V  the value to end with when all was right (0)
 * Environment (the first module), a KEY=VALUE in each line:
 *   CPUS=N       how many there should be
 *   MPCPUS=N     and how many of them in the MP table: some firmware has only one of a package there
 *   MEMORY=N     MiB of RAM
 *   WORDS=N      on the command line
 *   GREETING=…   what the fw_cfg file opt/checks/greeting should hold
 *   TESTDEV=1    pc-testdev is there
 */
#include "checks.h"

#include "arguments.h"
#include "cpu64.h"
#include "port.h"
#include "print.h"

#define EFER	      0xc0000080
#define EFER_LMA      (1u << 10)
#define CHECKS_FAILED 0x7f /* at most so many are told */

void checks_main(uint32_t magic, const struct boot_info *info);

static unsigned failed;

void check(const char *name, uint64_t got, uint64_t want)
{
	if (got == want) {
		print("ok %s\n", name);
		return;
	}
	print("bad %s: 0x%lx, not 0x%lx\n", name, got, want);
	failed++;
}

bool same(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < size; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

void checks_main(uint32_t magic, const struct boot_info *info)
{
	serial_init();
	descriptors_init((uint64_t)stack_top);
	exceptions_init();
	print("checks: long mode\n");
	check("long mode is active", rdmsr(EFER) & EFER_LMA, EFER_LMA);
	boot_checks(magic, info);
	fwcfg_checks();
	table_checks();
	if (environment_number("TESTDEV", 0))
		testdev_checks();
	print("checks: %u wrong\n", failed);
	if (failed)
		debug_exit((uint8_t)(failed < CHECKS_FAILED ? failed : CHECKS_FAILED));
	debug_exit((uint8_t)argument_number(boot_command_line(info), "exit", 0));
}
