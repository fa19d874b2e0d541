// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy's instructions that reach outside the CPU: ports and memory. */
#include "accel/dummy_private.h"

#include <string.h>

/* ---- I/O -------------------------------------------------------------------------------- */

void dummy_cpu_complete(struct dummy_vcpu *vcpu)
{
	struct cpu_general *general = &vcpu->state.general;

	dummy_msr_complete(vcpu);
	if (!vcpu->pending)
		return;
	vcpu->pending = false;
	if (!vcpu->pending_write && vcpu->pending_size == 4)
		general->gpr[GPR_RAX] = 0; /* a 32-bit result clears the upper half */
	if (!vcpu->pending_write)
		memcpy(&general->gpr[GPR_RAX], vcpu->data, vcpu->pending_size);
	/* A debugger that moved RIP meanwhile meant it. */
	if (general->rip == vcpu->pending_rip)
		general->rip = vcpu->pending_next;
}

static void exit_io(struct dummy_vcpu *vcpu, uint16_t port, uint8_t size, struct vm_exit *exit)
{
	dummy_exit(exit, EXIT_IO);
	exit->io.port = port;
	exit->io.size = size;
	exit->io.write = vcpu->pending_write;
	exit->io.count = 1;
	exit->io.data = vcpu->data;
}

static enum outcome port_io(struct dummy_vcpu *vcpu, const struct dummy_insn *in, bool write,
			    struct vm_exit *exit)
{
	struct cpu_general *general = &vcpu->state.general;
	uint8_t size = in->bytes[0] & 1 ? 4 : 1;
	struct dummy_write port_write = {.pio = true, .addr = in->bytes[1], .size = size};

	memcpy(port_write.data, &general->gpr[GPR_RAX], size);
	if (write && dummy_coalesced(dummy_vm_of(vcpu), &port_write)) {
		general->rip += 2;
		return DONE;
	}
	memset(vcpu->data, 0, sizeof(vcpu->data));
	if (write)
		memcpy(vcpu->data, &general->gpr[GPR_RAX], size);
	vcpu->pending = true;
	vcpu->pending_write = write;
	vcpu->pending_size = size;
	vcpu->pending_rip = general->rip;
	vcpu->pending_next = general->rip + 2;
	exit_io(vcpu, in->bytes[1], size, exit);
	return EXITED;
}

enum outcome dummy_in(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	return port_io(vcpu, in, false, exit);
}

enum outcome dummy_out(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	return port_io(vcpu, in, true, exit);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void exit_mmio(struct dummy_vcpu *vcpu, uint64_t address, unsigned size, bool write,
		      struct vm_exit *exit)
{
	dummy_exit(exit, EXIT_MMIO);
	exit->mmio.gpa = address;
	exit->mmio.size = (uint8_t)size;
	exit->mmio.write = write;
	exit->mmio.data = vcpu->data;
}

/* To memory, or an MMIO exit with RIP already behind, as in KVM. */
static enum outcome store(struct dummy_vcpu *vcpu, struct dummy_insn *in, uint64_t address,
			  unsigned size, unsigned length, struct vm_exit *exit)
{
	struct dummy_vm *vm = dummy_vm_of(vcpu);
	struct dummy_write write = {.addr = address, .size = size};

	memcpy(write.data, &vcpu->state.general.gpr[GPR_RAX], size);
	vcpu->state.general.rip += length;
	in->touched = address;
	in->touched_size = size;
	if (dummy_memory_write(vm, address, write.data, size) == size ||
	    dummy_coalesced(vm, &write))
		return DONE;
	memcpy(vcpu->data, write.data, sizeof(write.data));
	exit_mmio(vcpu, address, size, true, exit);
	return EXITED;
}

/* mov moffs32 */
enum outcome dummy_store(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	uint32_t address;

	memcpy(&address, in->bytes + 1, sizeof(address));
	return store(vcpu, in, address, in->bytes[0] & 1 ? 4 : 1, 5, exit);
}

#define MODRM_AL_AT_RDI 0x07

/* mov %al,(%rdi) */
enum outcome dummy_store_at(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	if (in->bytes[1] != MODRM_AL_AT_RDI)
		return dummy_emulation_failure(in, exit);
	return store(vcpu, in, vcpu->state.general.gpr[GPR_RDI], 1, 2, exit);
}

/* mov (%rdi),%al; what is not in memory exits, with RIP still there. */
enum outcome dummy_load_at(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	struct cpu_general *general = &vcpu->state.general;
	uint64_t address = general->gpr[GPR_RDI];

	if (in->bytes[1] != MODRM_AL_AT_RDI)
		return dummy_emulation_failure(in, exit);
	in->load = true;
	in->touched = address;
	in->touched_size = 1;
	if (dummy_memory_read(dummy_vm_of(vcpu), address, &general->gpr[GPR_RAX], 1) == 1) {
		general->rip += 2;
		return DONE;
	}
	memset(vcpu->data, 0, sizeof(vcpu->data));
	vcpu->pending = true;
	vcpu->pending_write = false;
	vcpu->pending_size = 1;
	vcpu->pending_rip = general->rip;
	vcpu->pending_next = general->rip + 2;
	exit_mmio(vcpu, address, 1, false, exit);
	return EXITED;
}
