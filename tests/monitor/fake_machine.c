// SPDX-License-Identifier: GPL-3.0-or-later
/* What the fake debugger core shows of its machine: registers, memory, hardware. */
#include "fake_debug.h"

#include <errno.h>
#include <string.h>

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
