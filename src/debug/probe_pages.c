// SPDX-License-Identifier: GPL-3.0-or-later
/* What the micro-probes about protected pages prepare, and how they judge. */
#include "debug/probe.h"

#include <string.h>

#define AL_BEFORE  0x33
#define AL_FROM_US 0x5a

static bool is_access(const struct asking *asking, bool write)
{
	const struct vm_exit *exit = &asking->exit;

	return exit->reason == EXIT_MMIO && exit->mmio.gpa == asking->probe->data &&
	       exit->mmio.size == 1 && exit->mmio.write == write;
}

static bool completed(struct asking *asking)
{
	struct vm_exit exit = scratch_complete(asking->scratch);

	return exit.reason == EXIT_INTR && scratch_get(asking->scratch, CPU_GENERAL) &&
	       asking->scratch->state.general.rip == asking_behind(asking);
}

uint8_t judge_page_write(struct asking *asking)
{
	const uint8_t *there = asking->scratch->ram + asking->probe->data;
	uint8_t before = *there;

	return is_access(asking, true) && *asking->exit.mmio.data == AL_BEFORE &&
	       completed(asking) && *there == before;
}

uint8_t judge_page_read(struct asking *asking)
{
	if (!is_access(asking, false))
		return false;
	*asking->exit.mmio.data = AL_FROM_US;
	return completed(asking) &&
	       (uint8_t)asking->scratch->state.general.gpr[GPR_RAX] == AL_FROM_US;
}

static uint8_t page_answer(bool works)
{
	return works ? PAGE_WORKS : PAGE_FAILS;
}

/* The first table is the guarded page, and its entry was not accessed yet. */
void prepare_table(struct asking *asking)
{
	const uint64_t accessed = 1 << 5;
	uint8_t *ram = asking->scratch->ram;
	uint64_t entry;

	memcpy(&entry, ram + AT_PML4, sizeof(entry));
	entry &= ~accessed;
	memset(ram + AT_GUARDED, 0, SCRATCH_PAGE);
	memcpy(ram + AT_GUARDED, &entry, sizeof(entry));
	ram[AT_DATA] = AL_FROM_US;
	asking->scratch->state.system.cr3 = AT_GUARDED;
}

uint8_t judge_page_table(struct asking *asking)
{
	return page_answer(asking->exit.reason == EXIT_HLT &&
			   scratch_get(asking->scratch, CPU_GENERAL) &&
			   (uint8_t)asking->scratch->state.general.gpr[GPR_RAX] == AL_FROM_US);
}

void prepare_frame(struct asking *asking)
{
	asking->scratch->state.general.gpr[GPR_RSP] = AT_GUARDED + STACK_TOP;
}

/* As a write like others, as a shutdown, or as KVM's admission that it cannot; the vCPU stands
 * where it stood, so the event can be given back once the page is open. */
uint8_t judge_page_frame(struct asking *asking)
{
	const struct vm_exit *exit = &asking->exit;
	bool told = exit->reason == EXIT_SHUTDOWN || (exit->reason == EXIT_INTERNAL_ERROR &&
						      exit->internal.suberror == INTERNAL_DELIVERY);

	if (exit->reason == EXIT_MMIO && exit->mmio.write)
		return page_answer(exit->mmio.gpa - AT_GUARDED < SCRATCH_PAGE);
	return page_answer(told && scratch_get(asking->scratch, CPU_GENERAL) &&
			   asking->scratch->state.general.rip == AT_CODE);
}

void prepare_store(struct asking *asking)
{
	asking->scratch->state.general.gpr[GPR_RAX] = AL_BEFORE;
	asking->scratch->ram[asking->probe->data] = (uint8_t)~AL_BEFORE;
}
