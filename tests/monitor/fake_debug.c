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

static void free_parts(struct point *point)
{
	program_free((struct program *)(uintptr_t)point->condition);
	point_action_free((struct point_action *)(uintptr_t)point->action);
}

void fake_debug_free(struct debug *debug)
{
	for (unsigned i = 0; i < debug->point_count; i++)
		free_parts(&debug->points[i]);
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

int debug_reset(struct debug *debug, enum debug_owner actor, struct error *err)
{
	(void)err;
	debug->resets++;
	debug->last_actor = actor;
	return 0;
}

/* ---- registers and memory ------------------------------------------------------------------ */

const struct cpu_state *debug_state(struct debug *debug, int vcpu, unsigned groups)
{
	(void)groups;
	return debug->running ? NULL : &debug->state[vcpu];
}

uint64_t debug_image_slide(struct debug *debug)
{
	return debug->prepared;
}

int debug_find_slide(struct debug *debug, int vcpu, const void *elf, size_t size,
		     struct image_slide *found)
{
	(void)vcpu;
	(void)elf;
	(void)size;
	debug->searches++;
	*found = debug->slide;
	return 0;
}

int debug_reg_get(struct debug *debug, int vcpu, unsigned reg, void *value)
{
	if (debug->running)
		return -EBUSY;
	registers[reg].get(&registers[reg], &debug->state[vcpu], value);
	return 0;
}

int debug_reg_set(struct debug *debug, int vcpu, unsigned reg, const void *value)
{
	if (debug->running)
		return -EBUSY;
	return registers[reg].writable
		       ? registers[reg].set(&registers[reg], &debug->state[vcpu], value)
		       : -EPERM;
}

int debug_msr_get(struct debug *debug, int vcpu, uint32_t index, uint64_t *value)
{
	if (index == 0xc0000080)
		*value = debug->state[vcpu].system.efer;
	else if (index == 0xc0000082)
		*value = debug->msr;
	else
		return -ENXIO;
	return 0;
}

int debug_msr_set(struct debug *debug, int vcpu, uint32_t index, uint64_t value)
{
	(void)vcpu;
	if (index == 0x10)
		return -EPERM;
	if (index == 0xc0000080)
		return -EINVAL;
	if (index != 0xc0000082)
		return -ENXIO;
	debug->msr = value;
	return 0;
}

int debug_cpuid(struct debug *debug, int vcpu, struct cpuid_leaf *leaves, unsigned max)
{
	(void)vcpu;
	if (debug->running)
		return -EBUSY;
	if (max < 3)
		return -E2BIG;
	leaves[0] = (struct cpuid_leaf){.reg = {1, 0x756e6547, 0x6c65746e, 0x49656e69}};
	leaves[1] = (struct cpuid_leaf){.leaf = 1, .reg = {0x000906ea, 0, 1u << 28, 1u << 4}};
	leaves[2] = (struct cpuid_leaf){
		.leaf = 7, .index = 1, .indexed = true, .reg = {1u << 4, 0, 0, 0}};
	return 3;
}

uint64_t debug_pc(struct debug *debug, int vcpu)
{
	return debug->running ? 0 : cpu_linear_pc(&debug->state[vcpu]);
}

static size_t read_physical(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	struct debug *debug = ctx;

	if (gpa >= FAKE_RAM)
		return 0;
	if (len > FAKE_RAM - gpa)
		len = FAKE_RAM - gpa;
	memcpy(buf, debug->ram + gpa, len);
	return len;
}

int debug_walk(struct debug *debug, int vcpu, uint64_t linear, struct paging_walk *walk)
{
	struct paging_regs regs = paging_regs_of(&debug->state[vcpu]);

	if (debug->running)
		return -EBUSY;
	return paging_walk(&regs, linear, read_physical, debug, walk);
}

static ssize_t read_linear(struct debug *debug, int vcpu, uint64_t addr, uint8_t *buf, size_t len)
{
	struct paging_walk walk;
	size_t done = 0;

	while (done < len) {
		size_t piece = 4096 - ((addr + done) & 4095);

		if (debug_walk(debug, vcpu, addr + done, &walk) != PAGING_OK)
			break;
		if (piece > len - done)
			piece = len - done;
		piece = read_physical(debug, walk.gpa, buf + done, piece);
		if (!piece)
			break;
		done += piece;
	}
	return done ? (ssize_t)done : -EFAULT;
}

ssize_t debug_read(struct debug *debug, int vcpu, enum space space, uint64_t addr, void *buf,
		   size_t len)
{
	size_t done;

	if (debug->running)
		return -EBUSY;
	if (space == SPACE_LINEAR)
		return read_linear(debug, vcpu, addr, buf, len);
	done = read_physical(debug, addr, buf, len);
	return done ? (ssize_t)done : -EFAULT;
}

uint64_t debug_host_address(struct debug *debug, uint64_t gpa, uint64_t *follow)
{
	*follow = gpa < FAKE_RAM ? FAKE_RAM - gpa : 0;
	return gpa < FAKE_RAM ? (uintptr_t)debug->ram + gpa : 0;
}

ssize_t debug_write(struct debug *debug, int vcpu, enum space space, uint64_t addr, const void *buf,
		    size_t len)
{
	const uint8_t *bytes = buf;
	size_t done = 0;

	for (struct paging_walk walk; done < len; done++) {
		if (space == SPACE_PHYSICAL)
			walk.gpa = addr + done;
		else if (debug_walk(debug, vcpu, addr + done, &walk) != PAGING_OK)
			break;
		if (walk.gpa >= FAKE_RAM)
			break;
		debug->ram[walk.gpa] = bytes[done];
	}
	return done ? (ssize_t)done : -EFAULT;
}

/* As if all of RAM were mapped at its own addresses. */
int debug_search(struct debug *debug, struct memory_search *search)
{
	uint64_t to = search->to < FAKE_RAM ? search->to : FAKE_RAM - 1;
	uint8_t *found;

	if (debug->search_fails)
		return -ETIME;
	if (search->from + search->size > to + 1)
		return 0;
	found = memmem(debug->ram + search->from, to + 1 - search->from, search->pattern,
		       search->size);
	search->at = found ? (uint64_t)(found - debug->ram) : 0;
	return found != NULL;
}

bool debug_memory_slot(struct debug *debug, unsigned index, struct memory_slot *slot)
{
	(void)debug;
	if (index > 1)
		return false;
	*slot = index ? (struct memory_slot){2, 0x301000, FAKE_RAM - 0x301000, true, false}
		      : (struct memory_slot){0, 0, 0x300000, false, true};
	return true;
}

int debug_page_map(struct debug *debug, int vcpu, uint64_t from, mapped_page_fn *told, void *ctx)
{
	struct paging_regs regs = paging_regs_of(&debug->state[vcpu]);

	return debug->running ? -EBUSY
			      : (int)page_map(&regs, from, read_physical, debug, told, ctx);
}

bool debug_ram_range(struct debug *debug, unsigned index, uint64_t *gpa, uint64_t *size)
{
	(void)debug;
	*gpa = 0;
	*size = FAKE_RAM;
	return index == 0;
}

bool debug_ram_touched(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size)
{
	(void)debug;
	*gpa = from;
	*size = FAKE_RAM - from;
	return from < FAKE_RAM;
}

int debug_track_writes(struct debug *debug, bool on, struct error *err)
{
	if (debug->running)
		return error_set(err, -EBUSY, "the guest is running");
	debug->tracks_writes = on;
	return 0;
}

bool debug_tracks_writes(const struct debug *debug)
{
	return debug->tracks_writes;
}

bool debug_written(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size)
{
	for (unsigned i = 0; i < 4 && debug->written[i][1]; i++) {
		*gpa = debug->written[i][0];
		*size = debug->written[i][1];
		if (*gpa >= from)
			return true;
	}
	return false;
}

/* ---- hardware ------------------------------------------------------------------------------ */

int debug_chips(struct debug *debug, struct pc_chips *chips)
{
	*chips = debug->chips;
	return 0;
}

int debug_lapic(struct debug *debug, int vcpu, struct lapic *lapic)
{
	(void)vcpu;
	*lapic = debug->lapic;
	return debug->no_lapic ? -ENOTSUP : 0;
}

int debug_nmi(struct debug *debug, int vcpu, struct error *err)
{
	(void)err;
	debug->nmis[vcpu]++;
	return 0;
}

int debug_irq(struct debug *debug, unsigned line, struct error *err)
{
	(void)err;
	debug->irqs |= 1u << line;
	return 0;
}

size_t debug_keys(struct debug *debug, const uint8_t *codes, size_t size)
{
	size_t room = sizeof(debug->keys) - debug->key_count, taken = size <= room ? size : 0;

	memcpy(debug->keys + debug->key_count, codes, taken);
	debug->key_count += taken;
	return taken;
}

void debug_screen(struct debug *debug, struct screen_info *screen)
{
	*screen = debug->screen;
}

unsigned debug_device_regions(struct debug *debug,
			      struct device_region_info regions[DEVICE_REGIONS])
{
	(void)debug;
	regions[0] = (struct device_region_info){
		.name = "pit", .port = true, .in_kernel = true, .base = 0x40, .size = 4};
	regions[1] = (struct device_region_info){
		.name = "text", .coalesced = true, .base = 0xfeb80000, .size = 0x8000};
	return 2;
}

/* ---- points -------------------------------------------------------------------------------- */

int debug_point_add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
		    struct error *err)
{
	struct point *point = &debug->points[debug->point_count];

	if (debug->point_count == FAKE_POINTS)
		return error_set(err, -ENOSPC, "no room for a point");
	debug->point_count++;
	*point = (struct point){.number = debug->next_number++,
				.owner = owner,
				.spec = *spec,
				.enabled = !spec->disabled,
				.rung = "fake"};
	return point->number;
}

static struct point *numbered(struct debug *debug, int number, struct error *err)
{
	for (unsigned i = 0; i < debug->point_count; i++)
		if (debug->points[i].number == number)
			return &debug->points[i];
	error_set(err, -ENOENT, "there is no point %d", number);
	return NULL;
}

int debug_point_condition(struct debug *debug, int number, struct program *condition,
			  struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	program_free((struct program *)(uintptr_t)point->condition);
	point->condition = condition;
	return 0;
}

int debug_point_action(struct debug *debug, int number, struct point_action *action,
		       struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point_action_free((struct point_action *)(uintptr_t)point->action);
	point->action = action;
	return 0;
}

int debug_point_ignore(struct debug *debug, int number, uint64_t count, struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point->ignore = count;
	return 0;
}

int debug_point_enable(struct debug *debug, int number, bool enabled, struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point->enabled = enabled;
	return 0;
}

void point_action_free(struct point_action *action)
{
	if (!action)
		return;
	for (unsigned i = 0; i < action->arg_count; i++)
		program_free(action->args[i]);
	free(action->format);
	free(action);
}

int debug_point_remove(struct debug *debug, int number, struct error *err)
{
	for (unsigned i = 0; i < debug->point_count; i++) {
		if (debug->points[i].number != number)
			continue;
		debug->point_count--;
		free_parts(&debug->points[i]);
		memmove(&debug->points[i], &debug->points[i + 1],
			(debug->point_count - i) * sizeof(debug->points[0]));
		return 0;
	}
	return error_set(err, -ENOENT, "there is no point %d", number);
}

const struct point *debug_point_next(struct debug *debug, const struct point *after)
{
	const struct point *next = after ? after + 1 : debug->points;

	return next < debug->points + debug->point_count ? next : NULL;
}

/* ---- words --------------------------------------------------------------------------------- */

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
