// SPDX-License-Identifier: GPL-3.0-or-later
/* Registers and memory of a machine that stands still. */
#include "debug/core.h"

#include <errno.h>
#include <string.h>

static bool readable(struct debug *debug, int vcpu)
{
	return vcpu >= 0 && (unsigned)vcpu < debug->machine->vcpu_count && !debug_running(debug);
}

const struct cpu_state *debug_state(struct debug *debug, int vcpu, unsigned groups)
{
	return readable(debug, vcpu) ? vcpu_state(&debug->machine->vcpus[vcpu], groups) : NULL;
}

uint64_t debug_pc(struct debug *debug, int vcpu)
{
	const struct cpu_state *state = debug_state(debug, vcpu, CPU_GENERAL | CPU_SYSTEM);

	return state ? cpu_linear_pc(state) : 0;
}

int debug_reg_get(struct debug *debug, int vcpu, unsigned reg, void *value)
{
	const struct cpu_state *state;

	if (reg >= register_count)
		return -EINVAL;
	state = debug_state(debug, vcpu, registers[reg].state);
	if (!state)
		return -EBUSY;
	registers[reg].get(&registers[reg], state, value);
	return 0;
}

/* Put at once, so that a value which the processor refuses is refused here and not at the next
 * resume. What was to be put already goes first, so that it is not refused together with it. */
static int set_now(struct vcpu *vcpu, const struct register_desc *reg, const void *value)
{
	struct cpu_state *state = vcpu_state(vcpu, reg->state | CPU_GENERAL | CPU_SYSTEM);
	int rc;

	if (!state || vcpu_flush(vcpu) < 0)
		return -EIO;
	rc = reg->set(reg, state, value);
	if (rc < 0)
		return rc;
	vcpu_dirty(vcpu, reg->state);
	return vcpu_flush(vcpu) < 0 ? -EINVAL : 0;
}

int debug_reg_set(struct debug *debug, int vcpu, unsigned reg, const void *value)
{
	int rc;

	if (reg >= register_count)
		return -EINVAL;
	if (!registers[reg].writable)
		return -EPERM;
	if (!readable(debug, vcpu))
		return -EBUSY;
	rc = set_now(&debug->machine->vcpus[vcpu], &registers[reg], value);
	if (rc == 0)
		debug->dead = debug->vcpu[vcpu].comes_back.expected = false;
	return rc;
}

int debug_walk(struct debug *debug, int vcpu, uint64_t linear, struct paging_walk *walk)
{
	if (!readable(debug, vcpu))
		return -EBUSY;
	return (int)core_walk(debug, &debug->machine->vcpus[vcpu], linear, walk);
}

/* Physical address of addr and how many bytes from there on lie on the same page. */
static bool locate(struct debug *debug, int vcpu, enum space space, uint64_t addr, uint64_t *gpa,
		   size_t *room)
{
	struct paging_walk walk;

	*room = 4096 - (addr & 4095);
	*gpa = addr;
	if (space == SPACE_PHYSICAL)
		return true;
	if (core_walk(debug, &debug->machine->vcpus[vcpu], addr, &walk) != PAGING_OK)
		return false;
	*gpa = walk.gpa;
	return true;
}

typedef size_t transfer_fn(struct debug *debug, uint64_t gpa, void *buf, size_t len);

static size_t read_bytes(struct debug *debug, uint64_t gpa, void *buf, size_t len)
{
	size_t done = mem_read_phys(debug->machine->memory, gpa, buf, len);

	core_mend(debug, gpa, buf, done);
	return done;
}

static size_t write_bytes(struct debug *debug, uint64_t gpa, void *buf, size_t len)
{
	return mem_write_phys(debug->machine->memory, gpa, buf, len);
}

/* Page by page: linear neighbours need not be physical ones. The last address has none behind it.
 */
static ssize_t transfer(struct debug *debug, int vcpu, enum space space, uint64_t addr,
			uint8_t *buf, size_t len, transfer_fn *move)
{
	size_t done = 0;

	if (!readable(debug, vcpu))
		return -EBUSY;
	while (done < len) {
		uint64_t gpa;
		size_t room, piece, moved;

		if (addr + done < addr || !locate(debug, vcpu, space, addr + done, &gpa, &room))
			break;
		piece = len - done < room ? len - done : room;
		moved = move(debug, gpa, buf + done, piece);
		done += moved;
		if (moved < piece)
			break;
	}
	return done > 0 || len == 0 ? (ssize_t)done : -EFAULT;
}

ssize_t debug_read(struct debug *debug, int vcpu, enum space space, uint64_t addr, void *buf,
		   size_t len)
{
	return transfer(debug, vcpu, space, addr, buf, len, read_bytes);
}

ssize_t debug_write(struct debug *debug, int vcpu, enum space space, uint64_t addr, const void *buf,
		    size_t len)
{
	return transfer(debug, vcpu, space, addr, (void *)buf, len, write_bytes);
}

static size_t read_phys(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	return mem_read_phys(ctx, gpa, buf, len);
}

int debug_page_map(struct debug *debug, int vcpu, uint64_t from, mapped_page_fn *told, void *ctx)
{
	const struct cpu_state *state = debug_state(debug, vcpu, CPU_SYSTEM);
	struct paging_regs regs;

	if (!state)
		return -EBUSY;
	regs = core_paging(&debug->machine->vcpus[vcpu], state);
	return (int)page_map(&regs, from, read_phys, debug->machine->memory, told, ctx);
}

bool debug_memory_slot(struct debug *debug, unsigned index, struct memory_slot *slot)
{
	struct accel_slot shown;
	bool there;

	core_lock(debug);
	there = memory_slot_at(debug->machine->memory, index, &shown);
	core_unlock(debug);
	if (there)
		*slot = (struct memory_slot){.id = shown.id,
					     .gpa = shown.gpa,
					     .size = shown.size,
					     .read_only = shown.readonly,
					     .log_dirty = shown.log_dirty};
	return there;
}

bool debug_ram_range(struct debug *debug, unsigned index, uint64_t *gpa, uint64_t *size)
{
	return memory_range(debug->machine->memory, index, gpa, size);
}

bool debug_ram_touched(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size)
{
	return memory_touched(debug->machine->memory, from, gpa, size);
}

uint64_t debug_host_address(struct debug *debug, uint64_t gpa, uint64_t *follow)
{
	return (uintptr_t)mem_hva(debug->machine->memory, gpa, follow);
}

struct image_file debug_image_file(struct debug *debug)
{
	const struct boot_image *image = &debug->machine->boot;

	return (struct image_file){.path = image->path, .made = image->packed.payload != NULL};
}

const void *debug_image(struct debug *debug, size_t *size, struct error *err)
{
	return boot_symbols(&debug->machine->boot, size, err);
}

uint64_t debug_image_slide(struct debug *debug)
{
	return debug->machine->boot.slide;
}
