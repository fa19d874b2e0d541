// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_debug.h"
#include "fake_snapshot.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const void *fixture_image(size_t *size)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 32);
	struct stat status;
	char *slash;
	void *image;
	int fd;

	path[length < 0 ? 0 : length] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	strcpy(slash, "/fixture.elf");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		return NULL;
	image = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	*size = status.st_size;
	return image == MAP_FAILED ? NULL : image;
}

/* ---- making one ---------------------------------------------------------------------------- */

static void load(struct debug *debug, const uint8_t *elf)
{
	const Elf64_Ehdr *header = (const void *)elf;
	const Elf64_Phdr *program = (const void *)(elf + header->e_phoff);

	for (unsigned i = 0; i < header->e_phnum; i++)
		if (program[i].p_type == PT_LOAD)
			memcpy(debug->ram + program[i].p_vaddr, elf + program[i].p_offset,
			       program[i].p_filesz);
	debug->state[0].general.rip = header->e_entry;
}

static void put_entry(struct debug *debug, uint64_t at, uint64_t entry)
{
	memcpy(debug->ram + at, &entry, sizeof(entry));
}

/* Pages 0 to 2 are there, page 3 is not: reading runs into a hole at 6 MiB. */
static void map(struct debug *debug)
{
	put_entry(debug, FAKE_TABLES, (FAKE_TABLES + 0x1000) | 0x27);
	put_entry(debug, FAKE_TABLES + 0x1000, (FAKE_TABLES + 0x2000) | 0x23);
	for (uint64_t i = 0; i < 3; i++)
		put_entry(debug, FAKE_TABLES + 0x2000 + i * 8, i << 21 | 0x1e3);
}

static void long_mode(struct cpu_state *state)
{
	cpu_state_reset(state, true);
	cpu_segment_flat(&state->system.seg[SEG_CS], 8, true, 64);
	for (unsigned i = 0; i < 6; i++)
		if (i != SEG_CS)
			cpu_segment_flat(&state->system.seg[i], 16, false, 64);
	state->system.cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_ET;
	state->system.cr4 = CR4_PAE;
	state->system.cr3 = FAKE_TABLES;
	state->system.efer = EFER_LME | EFER_LMA;
	state->general.rflags = RFLAGS_FIXED | RFLAGS_IF;
	state->general.gpr[GPR_RSP] = FAKE_STACK;
}

struct debug *fake_debug_new(const void *elf)
{
	struct debug *debug = calloc(1, sizeof(*debug));

	fake_snapshots_clear();
	debug->ram = calloc(1, FAKE_RAM);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		long_mode(&debug->state[i]);
	map(debug);
	if (elf)
		load(debug, elf);
	debug->next_number = 1;
	debug->capabilities = (struct debug_capabilities){
		.int3 = {INT3_LOST, INT3_LOST, INT3_EMULATION_FAILURE, INT3_TRAPS},
		.step = {true, true, true, false},
		.slot = {true, true, true, false},
	};
	return debug;
}

void fake_debug_free(struct debug *debug)
{
	for (unsigned i = 0; i < debug->point_count; i++)
		fake_point_clear(&debug->points[i]);
	free(debug->ram);
	free(debug);
}

/* ---- events and run control ---------------------------------------------------------------- */

void fake_debug_tell(struct debug *debug, enum debug_event event, enum debug_owner actor)
{
	if (debug->listener)
		debug->listener(debug->listener_ctx, event, actor);
}

void fake_debug_stop_as(struct debug *debug, const struct stop *stop)
{
	debug->running = false;
	debug->stop = *stop;
	debug->stop.pc = debug_pc(debug, stop->vcpu);
	fake_debug_tell(debug, DEBUG_STOPPED, OWNER_NONE);
}

void fake_debug_stop(struct debug *debug, enum stop_reason reason, int vcpu, const char *text)
{
	struct stop stop = {.reason = reason, .vcpu = vcpu};

	snprintf(stop.text, sizeof(stop.text), "%s", text);
	fake_debug_stop_as(debug, &stop);
}

int debug_listen(struct debug *debug, debug_listener_fn *fn, void *ctx)
{
	debug->listener = fn;
	debug->listener_ctx = ctx;
	return 0;
}

void debug_unlisten(struct debug *debug, debug_listener_fn *fn, void *ctx)
{
	(void)ctx;
	if (debug->listener == fn)
		debug->listener = NULL;
}

const char *stop_reason_name(enum stop_reason reason)
{
	(void)reason;
	return "stopped";
}

unsigned debug_vcpu_count(const struct debug *debug)
{
	(void)debug;
	return FAKE_VCPUS;
}

bool debug_running(struct debug *debug)
{
	return debug->running;
}

const struct stop *debug_last_stop(struct debug *debug)
{
	return &debug->stop;
}

void debug_pause(struct debug *debug, enum debug_owner actor)
{
	debug->pauses++;
	debug->last_actor = actor;
}

static bool is_step(enum plan_action action)
{
	return action == PLAN_STEP || action == PLAN_STEP_OVER;
}

int debug_resume(struct debug *debug, const struct plan *plans, enum debug_owner actor,
		 struct error *err)
{
	bool step = is_step(plans[0].action) || is_step(plans[1].action);

	if (debug->running)
		return error_set(err, -EBUSY, "running already");
	if (step && debug->refuse_step)
		return error_set(err, -ENOTSUP, "this host cannot step here");
	*(step ? &debug->steps : &debug->continues) += 1;
	memcpy(debug->plans, plans, sizeof(debug->plans));
	debug->running = true;
	debug->last_actor = actor;
	fake_debug_tell(debug, DEBUG_RESUMED, actor);
	return 0;
}

void debug_set_step_interrupts(struct debug *debug, bool on)
{
	debug->step_interrupts = on;
}

bool debug_step_interrupts(const struct debug *debug)
{
	return debug->step_interrupts;
}

int debug_reset(struct debug *debug, enum debug_owner actor, struct error *err)
{
	(void)err;
	debug->resets++;
	debug->last_actor = actor;
	return 0;
}

/* ---- words --------------------------------------------------------------------------------- */

int debug_vcpu_info(struct debug *debug, int vcpu, struct vcpu_info *info)
{
	if (debug->running)
		return -EBUSY;
	*info = (struct vcpu_info){.mode = MODE_LONG,
				   .interrupts = true,
				   .run_state = debug->state[vcpu].events.run_state,
				   .pc = cpu_linear_pc(&debug->state[vcpu]),
				   .cr3 = debug->state[vcpu].system.cr3,
				   .held = debug->plans[vcpu].action == PLAN_HOLD};
	return 0;
}

void debug_vcpu_text(struct debug *debug, int vcpu, char *buf, size_t size)
{
	snprintf(buf, size, debug->running ? "running" : "long mode, ring 0, cr3 0x%llx, IF=1",
		 (unsigned long long)debug->state[vcpu].system.cr3);
}

bool debug_trace_share(struct debug *debug, int vcpu, unsigned reason, struct trace_share *share)
{
	static const struct trace_share shares[] = {
		{"io", 41210, 600000000, 150000000}, {"mmio", 0, 0, 0}, {"hlt", 100, 250000, 0}};

	(void)debug;
	(void)vcpu;
	if (reason < sizeof(shares) / sizeof(shares[0]))
		*share = shares[reason];
	return reason < sizeof(shares) / sizeof(shares[0]);
}

unsigned debug_trace_targets(struct debug *debug, int vcpu, unsigned reason,
			     struct trace_target *targets, unsigned max, unsigned *looked_at)
{
	(void)debug;
	(void)vcpu;
	*looked_at = 4095;
	if (reason || !max)
		return 0;
	targets[0] = (struct trace_target){.address = 0x3f8, .count = 4000, .text = "0x3f8 out"};
	return 1;
}

unsigned debug_trace(struct debug *debug, int vcpu, struct trace_record *records, unsigned max)
{
	unsigned count = debug->traced < max ? debug->traced : max;

	for (unsigned i = 0; i < count; i++)
		records[i] = (struct trace_record){.vcpu = vcpu,
						   .number = debug->traced - count + i + 1,
						   .ns = 1204311000 + i * 1000,
						   .name = "io",
						   .has_pc = debug->trace_pc,
						   .pc = debug->state[vcpu].general.rip,
						   .text = "out 0x3f8 ← 0x41 'A'"};
	return count;
}

unsigned debug_trace_all(struct debug *debug, struct trace_record *records, unsigned max)
{
	return debug_trace(debug, 1, records, max);
}

unsigned debug_fault_chain(struct debug *debug, int vcpu, struct fault_line line[FAULT_CHAIN])
{
	(void)debug;
	(void)vcpu;
	strcpy(line[0].text, "1st  #PF  at 0x200000, read of 0x0, error code 0x0");
	strcpy(line[1].text, "2nd  #NP  while delivering it: gate 14 is not present → #DF");
	return 2;
}

void debug_trace_set_pc(struct debug *debug, bool on)
{
	debug->trace_pc = on;
}

bool debug_trace_pc(const struct debug *debug)
{
	return debug->trace_pc;
}

const struct debug_capabilities *debug_capabilities(struct debug *debug)
{
	return &debug->capabilities;
}

const char *capability_mode_name(enum capability_mode mode)
{
	static const char *const names[] = {"real mode", "protected mode", "long mode, ring 0",
					    "long mode, ring 3"};

	return names[mode];
}

struct unclaimed_counts debug_unclaimed(struct debug *debug)
{
	(void)debug;
	return (struct unclaimed_counts){.ports = 3};
}

const char *debug_output(const struct debug *debug)
{
	(void)debug;
	return "";
}

bool debug_doctor(struct debug *debug, bool json, doctor_write_fn *write, void *ctx)
{
	const char *text = json ? "{\"debuggable\": true}\n" : "so on this host\n";

	(void)debug;
	write(ctx, text, strlen(text));
	return true;
}
