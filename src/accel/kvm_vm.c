// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A virtual machine under KVM, before it has a CPU. Creation is a list of steps; each fails with
 * one sentence, and whatever the steps before it made is taken back.
 */
#include "accel/kvm_snapshot.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int kvm_error(struct error *err, const char *ioctl_name, const char *remedy)
{
	int code = errno;

	return error_set(err, -code, "%s failed: %s; %s", ioctl_name, strerror(code), remedy);
}

static int has(const struct kvm_vm *vm, int capability)
{
	int n = ioctl(vm->fd, KVM_CHECK_EXTENSION, capability);

	return n < 0 ? 0 : n;
}

/* ---- the steps -------------------------------------------------------------------------- */

const char *kvm_open_remedy(int code)
{
	switch (code) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "load the module (modprobe kvm_intel, or kvm_amd), and if that fails enable "
		       "virtualisation (VT-x or AMD-V) in the firmware";
	case EACCES:
	case EPERM:
		return "add yourself to the group kvm (sudo usermod -aG kvm $USER) and log in "
		       "again";
	}
	return "see the kernel log (dmesg) for what KVM says";
}

static int open_device(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	const char *path = config->device ? config->device : "/dev/kvm";
	int code;

	vm->device = open(path, O_RDWR | O_CLOEXEC);
	if (vm->device >= 0)
		return 0;
	code = errno;
	return error_set(err, -code, "cannot open %s: %s; %s", path, strerror(code),
			 kvm_open_remedy(code));
}

int kvm_check_api_version(int version, struct error *err)
{
	if (version == KVM_API_VERSION)
		return 0;
	return error_set(
		err, -ENOTSUP,
		"the KVM API has version %d, vitrine needs version %d; use a kernel from 2007 "
		"or later",
		version, KVM_API_VERSION);
}

static int check_version(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	int version = ioctl(vm->device, KVM_GET_API_VERSION, 0);

	if (version >= 0)
		return kvm_check_api_version(version, err);
	return error_set(err, -errno, "KVM_GET_API_VERSION failed: %s; %s is not the KVM device",
			 strerror(errno), config->device ? config->device : "/dev/kvm");
}

static int create_vm(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	(void)config;
	do
		vm->fd = ioctl(vm->device, KVM_CREATE_VM, 0);
	while (vm->fd < 0 && errno == EINTR);
	if (vm->fd >= 0)
		return 0;
	return kvm_error(err, "KVM_CREATE_VM",
			 "is another hypervisor (VirtualBox, VMware) holding the processor's "
			 "virtualisation?");
}

/* What vitrine cannot do without. */
static int check_capabilities(struct kvm_vm *vm, const struct accel_config *config,
			      struct error *err)
{
	static const struct {
		int capability;
		bool controllers; /* needed for -irqchip=kernel alone */
		const char *name;
	} needed[] = {
		// clang-format off
		{KVM_CAP_USER_MEMORY,     false, "KVM_CAP_USER_MEMORY"},
		{KVM_CAP_SET_TSS_ADDR,    false, "KVM_CAP_SET_TSS_ADDR"},
		{KVM_CAP_EXT_CPUID,       false, "KVM_CAP_EXT_CPUID"},
		{KVM_CAP_MP_STATE,        false, "KVM_CAP_MP_STATE"},
		{KVM_CAP_SET_GUEST_DEBUG, false, "KVM_CAP_SET_GUEST_DEBUG"},
		{KVM_CAP_VCPU_EVENTS,     false, "KVM_CAP_VCPU_EVENTS"},
		{KVM_CAP_DEBUGREGS,       false, "KVM_CAP_DEBUGREGS"},
		{KVM_CAP_XSAVE,           false, "KVM_CAP_XSAVE"},
		{KVM_CAP_IMMEDIATE_EXIT,  false, "KVM_CAP_IMMEDIATE_EXIT"},
		{KVM_CAP_IRQCHIP,         true,  "KVM_CAP_IRQCHIP"},
		{KVM_CAP_PIT2,            true,  "KVM_CAP_PIT2"},
		{KVM_CAP_PIT_STATE2,      true,  "KVM_CAP_PIT_STATE2"},
		{KVM_CAP_IRQ_ROUTING,     true,  "KVM_CAP_IRQ_ROUTING"},
		// clang-format on
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (has(vm, needed[i].capability) || (needed[i].controllers && !config->irqchip))
			continue;
		return error_set(err, -ENOTSUP, "this host's KVM lacks %s; %s", needed[i].name,
				 needed[i].controllers ? "use -irqchip=user"
						       : "use Linux 4.11 or later");
	}
	return 0;
}

static int learn_capabilities(struct kvm_vm *vm, const struct accel_config *config,
			      struct error *err)
{
	int size = ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);

	(void)config;
	if (size < (int)sizeof(struct kvm_run)) {
		errno = size < 0 ? errno : EPROTO;
		return kvm_error(err, "KVM_GET_VCPU_MMAP_SIZE", "use Linux 4.11 or later");
	}
	vm->run_size = (size_t)size;
	vm->ring_page = has(vm, KVM_CAP_COALESCED_MMIO);
	if (vm->run_size < (size_t)(vm->ring_page + 1) * KVM_PAGE)
		vm->ring_page = 0;
	vm->coalesced_pio = vm->ring_page && has(vm, KVM_CAP_COALESCED_PIO);
	vm->readonly_slots = has(vm, KVM_CAP_READONLY_MEM);
	vm->base.slots = (unsigned)has(vm, KVM_CAP_NR_MEMSLOTS);
	if (vm->base.slots == 0)
		vm->base.slots = 32; /* what there always was (KVM API, 4.35) */
	vm->xcrs = has(vm, KVM_CAP_XCRS);
	vm->sregs2 = has(vm, KVM_CAP_SREGS2);
	vm->xsave2 = has(vm, KVM_CAP_XSAVE2) >= (int)sizeof(struct kvm_xsave);
	vm->xsave_size = vm->xsave2 ? (size_t)has(vm, KVM_CAP_XSAVE2) : sizeof(struct kvm_xsave);
	vm->nested_size = (size_t)has(vm, KVM_CAP_NESTED_STATE);
	vm->adjust_clock = has(vm, KVM_CAP_ADJUST_CLOCK);
	vm->guest_debug = (uint32_t)has(vm, KVM_CAP_SET_GUEST_DEBUG2);
	vm->sync_regs = (uint64_t)has(vm, KVM_CAP_SYNC_REGS) & KVM_SYNC_X86_VALID_FIELDS;
	return 0;
}

static int check_vcpus(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	int limit = has(vm, KVM_CAP_MAX_VCPUS);

	vm->single = config->vcpus == 1;
	if (limit <= 0)
		limit = 4; /* what the API promises where the capability is missing */
	if (config->vcpus > (unsigned)limit)
		return error_set(err, -EINVAL,
				 "this host's KVM runs at most %d vCPUs in a machine, not %u; use "
				 "-smp %d or less",
				 limit, config->vcpus, limit);
	/* The others are started by INIT and SIPI, which local APICs send. */
	if (config->vcpus > 1 && !config->irqchip)
		return error_set(err, -EINVAL,
				 "%u vCPUs need the interrupt controllers in the kernel; leave "
				 "-irqchip=user away or use -smp 1",
				 config->vcpus);
	return 0;
}

/* Things that improve what KVM tells, and that it leaves off for VMMs older than they are. */
static int enable_extras(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	static const struct {
		uint32_t capability;
		const char *name;
	} extras[] = {
		// clang-format off
		{KVM_CAP_EXIT_ON_EMULATION_FAILURE, "KVM_CAP_EXIT_ON_EMULATION_FAILURE"},
		{KVM_CAP_EXCEPTION_PAYLOAD,         "KVM_CAP_EXCEPTION_PAYLOAD"},
		{KVM_CAP_X86_TRIPLE_FAULT_EVENT,    "KVM_CAP_X86_TRIPLE_FAULT_EVENT"},
		// clang-format on
	};

	(void)config;
	(void)err;
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
		struct kvm_enable_cap enable = {.cap = extras[i].capability, .args = {1}};

		if (has(vm, (int)enable.cap) && ioctl(vm->fd, KVM_ENABLE_CAP, &enable) < 0)
			log_info("accel", "%s is promised but refused: %s", extras[i].name,
				 strerror(errno));
	}
	return 0;
}

static int place_pages(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	uint64_t identity_map = KVM_IDENTITY_MAP;

	(void)config;
	if (has(vm, KVM_CAP_SET_IDENTITY_MAP_ADDR) &&
	    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
		return kvm_error(err, "KVM_SET_IDENTITY_MAP_ADDR", "see the kernel log (dmesg)");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, KVM_TSS) < 0)
		return kvm_error(err, "KVM_SET_TSS_ADDR", "see the kernel log (dmesg)");
	return 0;
}

/* ---- creation and its opposite ---------------------------------------------------------- */

typedef int create_step(struct kvm_vm *vm, const struct accel_config *config, struct error *err);

static create_step *const create_steps[] = {
	open_device, check_version,	create_vm,   check_capabilities, learn_capabilities,
	check_vcpus, kvm_cpuid_prepare, place_pages, enable_extras,
};

int kvm_vm_create(const struct accel_config *config, struct accel_vm **result, struct error *err)
{
	struct kvm_vm *vm = calloc(1, sizeof(*vm));

	*result = NULL;
	if (!vm)
		return error_set(err, -ENOMEM, "no memory for a virtual machine");
	vm->base.ops = &accel_kvm;
	vm->device = vm->fd = -1;
	vm->irqchip = config->irqchip;
	for (size_t i = 0; i < sizeof(create_steps) / sizeof(create_steps[0]); i++) {
		int code = create_steps[i](vm, config, err);

		if (code < 0) {
			kvm_vm_destroy(&vm->base);
			return code;
		}
	}
	*result = &vm->base;
	return 0;
}

void kvm_vm_destroy(struct accel_vm *base)
{
	struct kvm_vm *vm = to_kvm_vm(base);

	if (!vm)
		return;
	if (atomic_load(&vm->ring))
		munmap(atomic_load(&vm->ring), KVM_PAGE);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->device >= 0)
		close(vm->device);
	free(vm->cpuid);
	free(vm->msrs);
	free(vm);
}

/* ---- all that it can do ----------------------------------------------------------------- */

const struct accel_ops accel_kvm = {
	.name = "kvm",
	.host = kvm_host,
	.vm_create = kvm_vm_create,
	.vm_destroy = kvm_vm_destroy,
	.slot_set = kvm_slot_set,
	.coalesce = kvm_coalesce,
	.uncoalesce = kvm_uncoalesce,
	.coalesced_drain = kvm_coalesced_drain,
	.msr_trap = kvm_msr_trap,
	.irq_line = kvm_irq_line,
	.vm_reset = kvm_vm_reset,
	.chips_get = kvm_chips_get,
	.device = kvm_device,
	.vcpu_create = kvm_vcpu_create,
	.vcpu_destroy = kvm_vcpu_destroy,
	.vcpu_run = kvm_vcpu_run,
	.vcpu_complete = kvm_vcpu_complete,
	.vcpu_kick = kvm_vcpu_kick,
	.vcpu_kick_done = kvm_vcpu_kick_done,
	.state_get = kvm_state_get,
	.state_put = kvm_state_put,
	.msr_get = kvm_msr_get,
	.msr_set = kvm_msr_set,
	.cpuid = kvm_cpuid_get,
	.lapic_get = kvm_lapic_get,
	.debug_set = kvm_debug_set,
	.sync_state = kvm_sync_state,
	.vcpu_reset = kvm_vcpu_reset,
	.interrupt_ready = kvm_interrupt_ready,
	.interrupt = kvm_interrupt,
	.interrupt_window = kvm_interrupt_window,
	.accept_interrupt = kvm_accept_interrupt,
	.nmi = kvm_nmi,
	.time_stops = kvm_time_stops,
	.time_starts = kvm_time_starts,
	.vcpu_skip = kvm_vcpu_skip,
	.skip = kvm_skip,
	.vcpu_tell_pause = kvm_vcpu_tell_pause,
	.vm_save = kvm_vm_save,
	.vm_fits = kvm_vm_fits,
	.vm_load = kvm_vm_load,
	.vm_load_clocks = kvm_vm_load_clocks,
	.vcpu_save = kvm_vcpu_save,
	.vcpu_fits = kvm_vcpu_fits,
	.vcpu_load = kvm_vcpu_load,
	.dirty_log = kvm_dirty_log,
};
