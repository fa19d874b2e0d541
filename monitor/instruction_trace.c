// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/instruction_trace.h"

#include "log.h"
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct instruction_trace {
	FILE *file;
	char *path;
	int cpu;
	struct cpu_general before;
	bool open; /* a line waits for what its instruction changes */
};

int instruction_trace_begin(struct monitor *monitor, int cpu, const char *path, struct error *err)
{
	struct instruction_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return error_set(err, -ENOMEM, "no memory for a trace");
	trace->path = strdup(path);
	trace->file = trace->path ? fopen(path, "we") : NULL;
	trace->cpu = cpu;
	if (!trace->file) {
		free(trace->path);
		free(trace);
		return error_set(err, -errno, "cannot write %.200s: %s", path, strerror(errno));
	}
	instruction_trace_end(monitor);
	monitor->instruction_trace = trace;
	return 0;
}

static void instruction_text(struct monitor *monitor, int cpu, uint64_t pc, char *buf, size_t size)
{
	uint8_t bytes[INSN_MAX_BYTES];
	struct disassembler dis;
	struct insn insn;
	ssize_t got = monitor_read(monitor, cpu, false, pc, bytes, sizeof(bytes), NULL);

	if (got <= 0) {
		snprintf(buf, size, "(nothing is mapped there)");
		return;
	}
	monitor_disassembler(monitor, cpu, &dis);
	disassemble(&dis, pc, bytes, (size_t)got, &insn);
	snprintf(buf, size, "%s", insn.text);
}

void instruction_trace_next(struct monitor *monitor)
{
	struct instruction_trace *trace = monitor->instruction_trace;
	const struct cpu_state *state;
	char name[96], text[160];
	uint64_t pc;

	if (!trace)
		return;
	state = debug_state(monitor->debug, trace->cpu, CPU_GENERAL | CPU_SYSTEM);
	if (!state)
		return;
	trace->before = state->general;
	pc = cpu_linear_pc(state);
	instruction_text(monitor, trace->cpu, pc, text, sizeof(text));
	fprintf(trace->file, "0x%" PRIx64 " %-24s %s", pc,
		address_name(monitor, pc, name, sizeof(name)), text);
	trace->open = true;
}

/* The registers that an instruction most often changes speak for it; RIP shows in the next line. */
void instruction_trace_done(struct monitor *monitor)
{
	static const char names[GPR_COUNT][4] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
						 "rsi", "rdi", "r8",  "r9",  "r10", "r11",
						 "r12", "r13", "r14", "r15"};
	struct instruction_trace *trace = monitor->instruction_trace;
	const struct cpu_state *state;

	if (!trace || !trace->open)
		return;
	trace->open = false;
	state = debug_state(monitor->debug, trace->cpu, CPU_GENERAL);
	for (unsigned i = 0; state && i < GPR_COUNT; i++)
		if (state->general.gpr[i] != trace->before.gpr[i])
			fprintf(trace->file, "  %s=%" PRIx64, names[i], state->general.gpr[i]);
	if (state && state->general.rflags != trace->before.rflags)
		fprintf(trace->file, "  eflags=%" PRIx64, state->general.rflags);
	fputc('\n', trace->file);
}

void instruction_trace_end(struct monitor *monitor)
{
	struct instruction_trace *trace = monitor->instruction_trace;
	bool lost;

	if (!trace)
		return;
	if (trace->open)
		fputc('\n', trace->file);
	lost = ferror(trace->file);
	if (fclose(trace->file) || lost)
		log_error("monitor", "%.200s is not whole: the disk took no more", trace->path);
	free(trace->path);
	free(trace);
	monitor->instruction_trace = NULL;
}

/* COUNT FILE */
int run_trace_instructions(struct call *call)
{
	int ret = monitor_check_steps(call->arg[0].value, call->err);

	if (!ret)
		ret = file_check_replaceable(call->arg[1].text, call->err);
	if (!ret)
		ret = instruction_trace_begin(call->monitor, call->cpu, call->arg[1].text,
					      call->err);
	if (ret)
		return ret;
	instruction_trace_next(call->monitor);
	ret = monitor_step(call, PLAN_STEP, call->arg[0].value);
	if (ret)
		instruction_trace_end(call->monitor);
	fact_count(call->out, "count", call->arg[0].value);
	fact_text(call->out, "file", call->arg[1].text);
	return ret;
}
