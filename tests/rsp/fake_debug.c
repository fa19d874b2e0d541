// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_debug.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLE_START 0x1000
#define HOLE_END   0x2000

/* Every vector register that there is, all switched on. */
static void give_vectors(struct cpu_fpu *fpu)
{
	fpu->component[XSAVE_AVX] = 576;
	fpu->component[XSAVE_OPMASK] = 1088;
	fpu->component[XSAVE_ZMM_HI256] = 1152;
	fpu->component[XSAVE_HI16_ZMM] = 1664;
	fpu->component[XSAVE_PKRU] = 2688;
	fpu->xcr0 = 0x2e7;
}

struct debug *fake_new(unsigned vcpus)
{
	struct debug *debug = calloc(1, sizeof(*debug));

	debug->vcpu_count = vcpus;
	for (unsigned i = 0; i < vcpus; i++) {
		cpu_state_reset(&debug->state[i], i == 0);
		cpu_segment_flat(&debug->state[i].system.seg[SEG_CS], 8, true, 64);
		cpu_segment_flat(&debug->state[i].system.seg[SEG_SS], 16, false, 64);
		debug->state[i].system.cr0 = CR0_PE | CR0_ET | CR0_PG;
		debug->state[i].system.cr4 = CR4_PAE;
		debug->state[i].system.efer = EFER_LME | EFER_LMA;
		give_vectors(&debug->state[i].fpu);
		memset(debug->state[i].msrs.valid, true, sizeof(debug->state[i].msrs.valid));
		debug->state[i].general.rip = 0x100000 * (i + 1);
		debug->state[i].general.gpr[GPR_RSP] = 0x8000 + i;
	}
	debug->last_stop = (struct stop){.reason = STOP_PAUSE, .text = "paused"};
	return debug;
}

void fake_free(struct debug *debug)
{
	for (unsigned owner = 0; owner < OWNER_COUNT; owner++)
		debug_points_forget(debug, owner);
	free(debug);
}

void fake_tell(struct debug *debug, enum debug_event event, enum debug_owner actor)
{
	if (debug->listener)
		debug->listener(debug->listener_ctx, event, actor);
}

void fake_stop_quietly(struct debug *debug, const struct stop *stop)
{
	debug->last_stop = *stop;
	debug->running = false;
}

void fake_stop(struct debug *debug, const struct stop *stop, enum debug_owner actor)
{
	fake_stop_quietly(debug, stop);
	fake_tell(debug, stop->reason == STOP_SHUTDOWN ? DEBUG_EXITED : DEBUG_STOPPED, actor);
}

/* ---- the machine's side of debug.h -------------------------------------------------------- */

int debug_listen(struct debug *debug, debug_listener_fn *fn, void *ctx)
{
	debug->listener = fn;
	debug->listener_ctx = ctx;
	return 0;
}

void debug_unlisten(struct debug *debug, debug_listener_fn *fn, void *ctx)
{
	if (debug->listener == fn && debug->listener_ctx == ctx)
		debug->listener = NULL;
}

unsigned debug_vcpu_count(const struct debug *debug)
{
	return debug->vcpu_count;
}

bool debug_running(struct debug *debug)
{
	return debug->running;
}

const struct stop *debug_last_stop(struct debug *debug)
{
	return &debug->last_stop;
}

void debug_pause(struct debug *debug, enum debug_owner actor)
{
	debug->pauses++;
	debug->last_actor = actor;
}

int debug_pause_wait(struct debug *debug, enum debug_owner actor, int timeout_ms)
{
	(void)timeout_ms;
	debug->pauses++;
	debug->last_actor = actor;
	if (debug->refuse_pause)
		return debug->refuse_pause;
	debug->running = false;
	return 0;
}

int debug_resume(struct debug *debug, const struct plan *plans, enum debug_owner actor,
		 struct error *err)
{
	bool any = false;

	if (debug->running || debug->exited)
		return error_set(err, -EBUSY, "it runs");
	if (debug->refuse_resume)
		return error_set(err, debug->refuse_resume, "no step in ring 3 on this host");
	for (unsigned i = 0; i < debug->vcpu_count; i++)
		any |= plans[i].action != PLAN_HOLD;
	if (!any)
		return error_set(err, -EINVAL, "nothing would run");
	memcpy(debug->plan, plans, debug->vcpu_count * sizeof(*plans));
	debug->resumes++;
	debug->last_actor = actor;
	debug->running = true;
	return 0;
}

int debug_continue(struct debug *debug, enum debug_owner actor, struct error *err)
{
	struct plan plans[FAKE_VCPUS];

	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		plans[i] = (struct plan){.action = PLAN_RUN};
	return debug_resume(debug, plans, actor, err);
}

int debug_reset(struct debug *debug, enum debug_owner actor, struct error *err)
{
	if (debug->refuse_reset)
		return error_set(err, debug->refuse_reset, "the image cannot be placed");
	debug->resets++;
	debug->last_actor = actor;
	return 0;
}

void debug_kill(struct debug *debug, enum debug_owner actor, int status)
{
	debug->kills++;
	debug->kill_status = status;
	debug->last_actor = actor;
}

/* ---- registers and memory ------------------------------------------------------------------ */

const struct cpu_state *debug_state(struct debug *debug, int vcpu, unsigned groups)
{
	return debug->running || (groups & debug->refuse_groups) ? NULL : &debug->state[vcpu];
}

int debug_reg_get(struct debug *debug, int vcpu, unsigned reg, void *value)
{
	if (debug->running)
		return -EBUSY;
	if (registers[reg].state & debug->refuse_groups)
		return -EIO;
	registers[reg].get(&registers[reg], &debug->state[vcpu], value);
	return 0;
}

int debug_reg_set(struct debug *debug, int vcpu, unsigned reg, const void *value)
{
	if (debug->running)
		return -EBUSY;
	if (!registers[reg].writable)
		return -EPERM;
	return registers[reg].set(&registers[reg], &debug->state[vcpu], value);
}

uint64_t debug_pc(struct debug *debug, int vcpu)
{
	return debug->running ? 0 : cpu_linear_pc(&debug->state[vcpu]);
}

/* Bytes of RAM from addr up, at most len. */
static size_t ram_at(uint64_t addr, size_t len)
{
	uint64_t end = addr < HOLE_START ? HOLE_START : FAKE_RAM;

	if (addr >= FAKE_RAM || (addr >= HOLE_START && addr < HOLE_END))
		return 0;
	return end - addr < len ? end - addr : len;
}

ssize_t debug_read(struct debug *debug, int vcpu, enum space space, uint64_t addr, void *buf,
		   size_t len)
{
	size_t size = ram_at(addr, len);

	(void)vcpu;
	debug->memory_space = space;
	if (debug->running)
		return -EBUSY;
	if (!size)
		return -EFAULT;
	memcpy(buf, debug->ram + addr, size);
	return (ssize_t)size;
}

ssize_t debug_write(struct debug *debug, int vcpu, enum space space, uint64_t addr, const void *buf,
		    size_t len)
{
	size_t size = ram_at(addr, len);

	(void)vcpu;
	debug->memory_space = space;
	if (debug->running)
		return -EBUSY;
	if (!size)
		return -EFAULT;
	memcpy(debug->ram + addr, buf, size);
	return (ssize_t)size;
}

bool debug_ram_range(struct debug *debug, unsigned index, uint64_t *gpa, uint64_t *size)
{
	(void)debug;
	*gpa = index ? HOLE_END : 0;
	*size = index ? FAKE_RAM - HOLE_END : HOLE_START;
	return index < 2;
}

bool debug_ram_touched(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size)
{
	uint64_t base, length;

	for (unsigned i = 0; debug_ram_range(debug, i, &base, &length); i++) {
		uint64_t end = base + length;

		*gpa = from > base ? from : base;
		*size = end - *gpa;
		if (*gpa < end)
			return true;
	}
	return false;
}

static size_t read_tables(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	size_t size = ram_at(gpa, len);

	memcpy(buf, ((struct debug *)ctx)->ram + gpa, size);
	return size;
}

/* Linear is physical here, whatever CR0 says; there are page tables to be looked at once CR3 is set. */
int debug_page_map(struct debug *debug, int vcpu, uint64_t from, mapped_page_fn *told, void *ctx)
{
	struct paging_regs regs = paging_regs_of(&debug->state[vcpu]);

	if (debug->running)
		return -EBUSY;
	return regs.cr3 ? (int)page_map(&regs, from, read_tables, debug, told, ctx)
			: PAGE_MAP_UNPAGED;
}

/* ---- tables ------------------------------------------------------------------------------- */

int debug_vcpu_info(struct debug *debug, int vcpu, struct vcpu_info *info)
{
	if (debug->running)
		return -EBUSY;
	*info = (struct vcpu_info){.mode = MODE_LONG,
				   .cpl = (unsigned)vcpu,
				   .interrupts = vcpu == 0,
				   .run_state = vcpu == 1 ? CPU_WAIT_SIPI : CPU_RUNNABLE,
				   .pc = cpu_linear_pc(&debug->state[vcpu]),
				   .cr3 = 0x1000,
				   .exits = 7};
	return 0;
}

/* Reason 0 never happened. */
bool debug_trace_share(struct debug *debug, int vcpu, unsigned reason, struct trace_share *share)
{
	(void)debug;
	(void)vcpu;
	*share = (struct trace_share){.name = reason == 1 ? "<io>" : "hlt",
				      .exits = reason * 10,
				      .guest_ns = 1234567,
				      .vitrine_ns = 1000};
	return reason < 3;
}

unsigned debug_trace_targets(struct debug *debug, int vcpu, unsigned reason,
			     struct trace_target *targets, unsigned max, unsigned *looked_at)
{
	(void)debug;
	(void)vcpu;
	(void)looked_at;
	if (reason != 1 || max < 2)
		return 0;
	targets[0] = (struct trace_target){.count = 8, .text = "0x3f8 out"};
	targets[1] = (struct trace_target){.count = 2, .text = "0x60 in"};
	return 2;
}

bool debug_memory_slot(struct debug *debug, unsigned index, struct memory_slot *slot)
{
	(void)debug;
	*slot = (struct memory_slot){.id = index, .gpa = index * 0x1000, .size = 0x1000};
	slot->read_only = index == 1;
	return index < 2;
}

unsigned debug_device_regions(struct debug *debug,
			      struct device_region_info regions[DEVICE_REGIONS])
{
	(void)debug;
	regions[0] = (struct device_region_info){
		.name = "serial0", .port = true, .base = 0x3f8, .size = 8};
	regions[1] = (struct device_region_info){
		.name = "lapic", .in_kernel = true, .base = 0xfee00000, .size = 0x1000};
	return 2;
}

int debug_lapic(struct debug *debug, int vcpu, struct lapic *lapic)
{
	if (debug->running)
		return -EBUSY;
	if (debug->refuse_lapic)
		return debug->refuse_lapic;
	memset(lapic, 0, sizeof(*lapic));
	lapic->bytes[0x23] = (uint8_t)vcpu;
	lapic->bytes[0xf1] = 1;
	lapic->bytes[0xf0] = 0xff;
	return 0;
}

void debug_vcpu_text(struct debug *debug, int vcpu, char *buf, size_t size)
{
	snprintf(buf, size, debug->running ? "running" : "long mode, <%d> & \"so on\"", vcpu);
}

unsigned debug_fault_chain(struct debug *debug, int vcpu, struct fault_line line[FAULT_CHAIN])
{
	unsigned count = 0;

	(void)vcpu;
	for (; count < FAULT_CHAIN && debug->fault_chain[count]; count++)
		snprintf(line[count].text, sizeof(line[count].text), "%s",
			 debug->fault_chain[count]);
	return count;
}

struct image_file debug_image_file(struct debug *debug)
{
	(void)debug;
	return (struct image_file){0};
}

const void *debug_image(struct debug *debug, size_t *size, struct error *err)
{
	(void)err;
	*size = debug->image_size;
	return debug->image;
}

uint64_t debug_image_slide(struct debug *debug)
{
	return debug->prepared;
}

void debug_output_full(struct debug *debug, enum debug_owner owner, bool full)
{
	assert(owner == OWNER_GDB);
	debug->output_full = full;
}

const char *debug_output(const struct debug *debug)
{
	(void)debug;
	return "rax is 5\n";
}
