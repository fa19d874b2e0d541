// SPDX-License-Identifier: GPL-3.0-or-later
/* From linear to physical addresses, and on to vitrine's own. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int run_pt(struct call *call)
{
	return walk_show(call, call->arg[0].value);
}

int run_gva2gpa(struct call *call)
{
	struct paging_walk walk;
	int fault = debug_walk(call->monitor->debug, call->cpu, call->arg[0].value, &walk);

	if (fault < 0)
		return error_set(call->err, fault, "no walk is possible: %s", strerror(-fault));
	if (fault != PAGING_OK)
		return error_set(call->err, -EFAULT,
				 "0x%" PRIx64 " is not mapped: %s; `pt` draws the walk",
				 call->arg[0].value, paging_fault_name(fault));
	out_printf(call->out, "gpa: 0x%" PRIx64 "\n", walk.gpa);
	fact_hex(call->out, "physical", walk.gpa);
	return 0;
}

int run_gpa2hva(struct call *call)
{
	uint64_t address, follow, gpa = call->arg[0].value;
	char size[24];

	address = debug_host_address(call->monitor->debug, gpa, &follow);
	if (!address)
		return error_set(call->err, -EFAULT, "there is no RAM at physical 0x%" PRIx64, gpa);
	out_printf(call->out, "hva: 0x%" PRIx64 " in process %d, and %s from there on\n", address,
		   (int)getpid(), short_size(follow, size));
	fact_hex(call->out, "host", address);
	fact_hex(call->out, "size", follow);
	fact_count(call->out, "process", (uint64_t)getpid());
	return 0;
}
