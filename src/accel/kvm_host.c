// SPDX-License-Identifier: GPL-3.0-or-later
/* The host as KVM presents it: the device, what KVM_CHECK_EXTENSION promises, the processor.
 * Whether any of it is kept is another question, and not asked here. */
#include "accel/kvm_private.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- promises ---------------------------------------------------------------------------- */

/* mask 0: the number itself is the promise. */
static const struct {
	const char *name, *title;
	int capability;
	unsigned mask;
} promises[] = {
	// clang-format off
	{"guest_step",        "step",                     KVM_CAP_SET_GUEST_DEBUG2, KVM_GUESTDBG_SINGLESTEP},
	{"guest_int3",        "int3",                     KVM_CAP_SET_GUEST_DEBUG2, KVM_GUESTDBG_USE_SW_BP},
	{"guest_slots",       "debug registers",          KVM_CAP_SET_GUEST_DEBUG2, KVM_GUESTDBG_USE_HW_BP},
	{"guest_inject_db",   "#DB injection",            KVM_CAP_SET_GUEST_DEBUG2, KVM_GUESTDBG_INJECT_DB},
	{"guest_inject_bp",   "#BP injection",            KVM_CAP_SET_GUEST_DEBUG2, KVM_GUESTDBG_INJECT_BP},
	{"guest_block_irq",   "interrupt blocking",       KVM_CAP_SET_GUEST_DEBUG2, KVM_GUESTDBG_BLOCKIRQ},
	{"readonly_memory",   "read-only memory",         KVM_CAP_READONLY_MEM, 1},
	{"emulation_failure", "emulation failures",       KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1},
	{"triple_fault",      "triple faults",            KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1},
	{"exception_payload", "exception payloads",       KVM_CAP_EXCEPTION_PAYLOAD, 1},
	{"msr_exits",         "MSR exits",                KVM_CAP_X86_USER_SPACE_MSR, ~0u},
	{"msr_filter",        "MSR filter",               KVM_CAP_X86_MSR_FILTER, 1},
	{"sync_regs",         "registers with exits",     KVM_CAP_SYNC_REGS, ~0u},
	{"immediate_exit",    "immediate exit",           KVM_CAP_IMMEDIATE_EXIT, 1},
	{"dirty_ring",        "dirty ring",               KVM_CAP_DIRTY_LOG_RING, ~0u},
	{"irqchip",           "interrupt controllers",    KVM_CAP_IRQCHIP, 1},
	{"pit",               "timer",                    KVM_CAP_PIT2, 1},
	{"memory_slots",      "memory slots",             KVM_CAP_NR_MEMSLOTS, 0},
	{"vcpus",             "vCPUs",                    KVM_CAP_MAX_VCPUS, 0},
	// clang-format on
};

static void ask_promises(int device, struct accel_host *host)
{
	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		int answer = ioctl(device, KVM_CHECK_EXTENSION, promises[i].capability);
		unsigned value = answer < 0 ? 0 : (unsigned)answer;

		host->promise[host->promise_count++] = (struct accel_promise){
			.name = promises[i].name,
			.title = promises[i].title,
			.value = promises[i].mask ? (value & promises[i].mask) != 0 : value};
	}
}

/* ---- the processor ----------------------------------------------------------------------- */

/* CPUID, as SDM vol. 2A and APM vol. 3, appendix E have it. */
enum { LEAF_HYPERVISOR = 0x40000000, LEAF_AMD = (int)0x80000001 };

static void look_at_processor(struct accel_host *host)
{
	unsigned a, b, c = 0, d, vendor[3], family, model;

	__cpuid(0, a, vendor[0], vendor[2], vendor[1]);
	__cpuid(1, a, b, c, d);
	family = (a >> 8 & 0xf) + (a >> 20 & 0xff);
	model = (a >> 4 & 0xf) | (a >> 12 & 0xf0);
	snprintf(host->processor, sizeof(host->processor), "%.12s family %u model %u stepping %u",
		 (const char *)vendor, family, model, a & 0xf);
	host->hardware = c >> 5 & 1;
	if (__get_cpuid(LEAF_AMD, &a, &b, &c, &d))
		host->hardware |= c >> 2 & 1;
}

static const struct {
	const char *signature, *name;
} hypervisors[] = {
	{"KVMKVMKVM", "KVM"},	    {"TCGTCGTCGTCG", "QEMU"}, {"Microsoft Hv", "Hyper-V"},
	{"VMwareVMware", "VMware"}, {"XenVMMXenVMM", "Xen"},  {"VBoxVBoxVBox", "VirtualBox"},
	{"bhyve bhyve ", "bhyve"},  {"ACRNACRNACRN", "ACRN"}, {"BOCHSCPU", "Bochs"},
};

static void look_for_hypervisor(struct accel_host *host)
{
	char signature[13] = "";
	unsigned a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (!(c >> 31 & 1))
		return;
	__cpuid(LEAF_HYPERVISOR, a, b, c, d);
	memcpy(signature, &b, 4);
	memcpy(signature + 4, &c, 4);
	memcpy(signature + 8, &d, 4);
	snprintf(host->hypervisor, sizeof(host->hypervisor), "%s", signature[0] ? signature : "?");
	for (size_t i = 0; i < sizeof(hypervisors) / sizeof(hypervisors[0]); i++)
		if (strcmp(signature, hypervisors[i].signature) == 0)
			snprintf(host->hypervisor, sizeof(host->hypervisor), "%s",
				 hypervisors[i].name);
}

/* ---- the device -------------------------------------------------------------------------- */

static void look_at_device(struct accel_host *host)
{
	struct stat st;
	int fd;

	if (stat(host->device, &st) == 0) {
		host->device_mode = st.st_mode;
		host->device_uid = st.st_uid;
		host->device_gid = st.st_gid;
	}
	fd = open(host->device, O_RDWR | O_CLOEXEC);
	host->device_errno = fd < 0 ? errno : 0;
	if (fd < 0) {
		host->remedy = kvm_open_remedy(host->device_errno);
		return;
	}
	host->api_version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (host->api_version < 0) {
		host->api_version = 0;
		host->device_errno = errno;
		host->remedy = "this is not the KVM device: leave -kvm-device away";
	} else {
		ask_promises(fd, host);
	}
	close(fd);
}

/* Printable, whatever it is that calls itself a hypervisor. */
static void clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void kvm_host(const struct accel_config *config, struct accel_host *host)
{
	*host = (struct accel_host){.device = config->device ? config->device : "/dev/kvm"};
	look_at_device(host);
	look_at_processor(host);
	look_for_hypervisor(host);
	clean(host->processor);
	clean(host->hypervisor);
	kvm_host_module(host);
	host->repeatable = host->module[0] && !host->device_errno;
}
