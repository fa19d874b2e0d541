// SPDX-License-Identifier: GPL-3.0-or-later
/* The one table of packets. What is not here gets the empty reply, which says "not supported". */
#include "gdbstub/stub.h"

#include <string.h>

static const struct gdb_command table[] = {
	/* The session. */
	{"!", "", command_extended},
	{"?", "", command_why},
	{"D", ";\n", command_detach},
	{"k", "", command_kill},
	{"qAttached", ":\n", command_attached},
	{"qOffsets", "", command_offsets},
	{"qRcmd", ",", command_monitor},
	{"qSupported", ":\n", command_supported},
	{"QStartNoAckMode", "", command_acknowledge_off},
	{"R", NULL, command_restart},
	{"vAttach", ";", command_v_attach},
	{"vKill", ";\n", command_v_kill},
	{"vRun", ";\n", command_v_run},

	/* Threads. */
	{"H", NULL, command_thread_set},
	{"qC", "", command_current_thread},
	{"qfThreadInfo", "", command_threads_first},
	{"qsThreadInfo", "", command_threads_next},
	{"qThreadExtraInfo", ",", command_thread_text},
	{"T", NULL, command_thread_alive},

	/* Registers. */
	{"g", "", command_registers_read},
	{"G", NULL, command_registers_write},
	{"p", NULL, command_register_read},
	{"P", NULL, command_register_write},

	/* Memory. */
	{"m", NULL, command_memory_read},
	{"M", NULL, command_memory_write},
	{"x", NULL, command_memory_read_binary},
	{"X", NULL, command_memory_write_binary},
	{"qCRC", ":", command_crc},
	{"qMemoryRegionInfo", ":", command_memory_region},
	{"qSearch:memory", ":", command_search},
	{"qqemu.PhyMemMode", "", command_space_get},
	{"Qqemu.PhyMemMode", ":", command_space_set},

	/* Run control. */
	{"c", NULL, command_continue},
	{"C", NULL, command_continue_signal},
	{"s", NULL, command_step},
	{"S", NULL, command_step_signal},
	{"vCont?", "", command_resume_query},
	{"vCont", NULL, command_resume},

	/* Points. */
	{"Z", NULL, command_point_add},
	{"z", NULL, command_point_remove},

	/* Documents and files. */
	{"qXfer", ":", command_transfer},
	{"vFile", ":", command_file},
};

/* Whether what follows a name is what the command wants; takes a separator off. */
static bool follows(struct request *rest, const char *follow)
{
	if (!follow)
		return true;
	if (take_end(rest))
		return !*follow || strchr(follow, '\n');
	return *rest->at && strchr(follow, *rest->at) && take_char(rest, *rest->at);
}

const struct gdb_command *command_at(unsigned index)
{
	return index < sizeof(table) / sizeof(table[0]) ? &table[index] : NULL;
}

const struct gdb_command *command_find(struct request *request)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct request rest = *request;
		size_t size = strlen(table[i].name);

		if (request_left(request) < size || memcmp(request->at, table[i].name, size) != 0)
			continue;
		rest.at += size;
		if (!follows(&rest, table[i].follow))
			continue;
		*request = rest;
		return &table[i];
	}
	return NULL;
}
