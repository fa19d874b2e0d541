/* SPDX-License-Identifier: GPL-3.0-or-later */
/* KVM with nothing around it, to measure against: one vCPU in real mode, one page of code. */
#ifndef TESTS_BENCH_BARE_KVM_H
#define TESTS_BENCH_BARE_KVM_H

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define BARE_CODE   0x2000
#define BARE_MEMORY 0x10000

struct bare_kvm {
	int kvm, vm, vcpu;
	struct kvm_run *run;
};

static inline int bare_memory(struct bare_kvm *bare, const void *code, size_t size)
{
	uint8_t *memory = mmap(NULL, BARE_MEMORY, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {.memory_size = BARE_MEMORY,
						     .userspace_addr = (uintptr_t)memory};

	if (memory == MAP_FAILED)
		return -1;
	memcpy(memory + BARE_CODE, code, size);
	return ioctl(bare->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static inline int bare_registers(struct bare_kvm *bare, uint64_t rdx)
{
	struct kvm_regs regs = {.rip = BARE_CODE, .rdx = rdx, .rflags = 2};
	struct kvm_sregs sregs;

	if (ioctl(bare->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(bare->vcpu, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	return ioctl(bare->vcpu, KVM_SET_REGS, &regs);
}

/* With the kernel's interrupt controllers, as vitrine has them. -1 with errno. */
static inline int bare_create(struct bare_kvm *bare, const void *code, size_t size, uint64_t rdx)
{
	int mapped;

	bare->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	bare->vm = ioctl(bare->kvm, KVM_CREATE_VM, 0);
	if (bare->vm < 0 || ioctl(bare->vm, KVM_SET_TSS_ADDR, 0xfffbd000) < 0 ||
	    ioctl(bare->vm, KVM_CREATE_IRQCHIP, 0) < 0 || bare_memory(bare, code, size) < 0)
		return -1;
	bare->vcpu = ioctl(bare->vm, KVM_CREATE_VCPU, 0);
	mapped = ioctl(bare->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (bare->vcpu < 0 || mapped < 0)
		return -1;
	bare->run = mmap(NULL, (size_t)mapped, PROT_READ | PROT_WRITE, MAP_SHARED, bare->vcpu, 0);
	return bare->run == MAP_FAILED ? -1 : bare_registers(bare, rdx);
}

#endif
