// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The dummy accelerator: everything but the instructions. It keeps KVM's manners where callers
 * could come to depend on them: registers are in between while an I/O exit is not completed, a kick
 * stays until it is answered, a slot must be deleted before it changes, a vCPU that waits for INIT
 * blocks.
 */
#include "accel/dummy_private.h"

#include "x86/mode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const exit_names[EXIT_REASON_COUNT] = {
	[EXIT_INTR] = "DUMMY_EXIT_INTR",
	[EXIT_IO] = "DUMMY_EXIT_IO",
	[EXIT_MMIO] = "DUMMY_EXIT_MMIO",
	[EXIT_IRQ_WINDOW] = "DUMMY_EXIT_IRQ_WINDOW",
	[EXIT_HLT] = "DUMMY_EXIT_HLT",
	[EXIT_SHUTDOWN] = "DUMMY_EXIT_SHUTDOWN",
	[EXIT_SYSTEM_EVENT] = "DUMMY_EXIT_SYSTEM_EVENT",
	[EXIT_DEBUG] = "DUMMY_EXIT_DEBUG",
	[EXIT_RDMSR] = "DUMMY_EXIT_RDMSR",
	[EXIT_WRMSR] = "DUMMY_EXIT_WRMSR",
	[EXIT_INTERNAL_ERROR] = "DUMMY_EXIT_INTERNAL_ERROR",
	[EXIT_FAIL_ENTRY] = "DUMMY_EXIT_FAIL_ENTRY",
	[EXIT_UNKNOWN] = "DUMMY_EXIT_UNKNOWN",
	[EXIT_HOST_ERROR] = "DUMMY_RUN",
	[EXIT_OTHER] = "DUMMY_EXIT_OTHER",
};

void dummy_exit(struct vm_exit *exit, enum exit_reason reason)
{
	exit->reason = reason;
	exit->name = exit_names[reason];
}

/* ---- the VM ----------------------------------------------------------------------------- */

/* It does what a test tells it, and so nothing is to be remembered. */
static void dummy_host(const struct accel_config *config, struct accel_host *host)
{
	const struct dummy_config *wishes = config->dummy;

	*host = (struct accel_host){.device_errno = wishes ? wishes->fail_vm_create : 0};
	host->remedy = host->device_errno ? "tell the dummy accelerator something else" : NULL;
}

static int dummy_vm_create(const struct accel_config *config, struct accel_vm **result,
			   struct error *err)
{
	const struct dummy_config *wishes = config->dummy;
	struct dummy_vm *vm;

	*result = NULL;
	if (wishes && wishes->fail_vm_create)
		return error_set(err, -wishes->fail_vm_create,
				 "the dummy accelerator was told to fail: %s",
				 strerror(wishes->fail_vm_create));
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return error_set(err, -ENOMEM, "no memory for a virtual machine");
	vm->base.ops = &accel_dummy;
	vm->base.slots = DUMMY_SLOTS;
	if (wishes)
		vm->config = *wishes;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->kick, NULL);
	*result = &vm->base;
	return 0;
}

static void dummy_vm_destroy(struct accel_vm *base)
{
	struct dummy_vm *vm = to_dummy_vm(base);

	if (!vm)
		return;
	for (unsigned i = 0; i < DUMMY_SLOTS; i++)
		free(vm->dirty[i]);
	pthread_cond_destroy(&vm->kick);
	pthread_mutex_destroy(&vm->lock);
	free(vm);
}

static int dummy_irq_line(struct accel_vm *vm, unsigned gsi, bool level)
{
	(void)vm;
	(void)gsi;
	(void)level;
	return 0;
}

static int dummy_vm_reset(struct accel_vm *vm)
{
	(void)vm;
	return 0;
}

static int dummy_chips_get(struct accel_vm *vm, struct pc_chips *chips)
{
	(void)vm;
	*chips = (struct pc_chips){0};
	return 0;
}

/* It has no devices of its own. */
static bool dummy_device(const struct accel_vm *vm, unsigned index, struct accel_device *device)
{
	(void)vm;
	(void)index;
	(void)device;
	return false;
}

static int dummy_lapic_get(struct accel_vcpu *vcpu, struct lapic *lapic)
{
	(void)vcpu;
	(void)lapic;
	return -ENOTSUP;
}

/* ---- the vCPU --------------------------------------------------------------------------- */

void dummy_play(struct accel_vcpu *base, const struct vm_exit *script, unsigned length)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->script = script;
	vcpu->script_length = length;
	vcpu->script_next = 0;
}

static int dummy_vcpu_create(struct accel_vm *vm, int index, struct accel_vcpu **result,
			     struct error *err)
{
	struct dummy_vcpu *vcpu;

	*result = NULL;
	if (to_dummy_vm(vm)->config.fail_vcpu_create == index + 1)
		return error_set(err, -ENOMEM, "the dummy accelerator was told to fail at vCPU %d",
				 index);
	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return error_set(err, -ENOMEM, "no memory for vCPU %d", index);
	vcpu->base = (struct accel_vcpu){.ops = &accel_dummy, .vm = vm, .index = index};
	vcpu->debug.inject = -1;
	cpu_state_reset(&vcpu->state, index == 0);
	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		vcpu->state.msrs.valid[i] = true;
	dummy_describe_xsave(&vcpu->state.fpu);
	if (index == 0)
		dummy_play(&vcpu->base, to_dummy_vm(vm)->config.script,
			   to_dummy_vm(vm)->config.script_length);
	*result = &vcpu->base;
	return 0;
}

static void dummy_vcpu_destroy(struct accel_vcpu *base)
{
	free(base ? to_dummy_vcpu(base) : NULL);
}

static bool waits(const struct dummy_vcpu *vcpu)
{
	const struct cpu_events *events = &vcpu->state.events;

	return events->run_state == CPU_WAIT_INIT || events->run_state == CPU_WAIT_SIPI ||
	       (events->run_state == CPU_HALTED && !events->interrupt.injected);
}

/* Nobody sends INIT or interrupts here, so only a kick ends the wait. */
static void wait_for_kick(struct dummy_vcpu *vcpu)
{
	struct dummy_vm *vm = dummy_vm_of(vcpu);

	pthread_mutex_lock(&vm->lock);
	while (!atomic_load(&vcpu->kicked))
		pthread_cond_wait(&vm->kick, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

/* Scripted exits point to the vCPU's own buffers where the script leaves a pointer open. */
static bool play_script(struct dummy_vcpu *vcpu, struct vm_exit *exit)
{
	if (vcpu->script_next >= vcpu->script_length)
		return false;
	*exit = vcpu->script[vcpu->script_next++];
	if (!exit->name)
		exit->name = exit_names[exit->reason];
	if (exit->reason == EXIT_IO && !exit->io.data)
		exit->io.data = vcpu->data;
	if (exit->reason == EXIT_MMIO && !exit->mmio.data)
		exit->mmio.data = vcpu->data;
	if (exit->reason != EXIT_RDMSR && exit->reason != EXIT_WRMSR)
		return true;
	if (!exit->msr.value)
		exit->msr.value = &vcpu->msr_value;
	if (!exit->msr.fault)
		exit->msr.fault = &vcpu->msr_fault;
	return true;
}

static void run_vcpu(struct dummy_vcpu *vcpu, struct vm_exit *exit)
{
	dummy_cpu_complete(vcpu);
	if (!atomic_load(&vcpu->kicked) && play_script(vcpu, exit))
		return;
	if (waits(vcpu))
		wait_for_kick(vcpu);
	dummy_cpu_run(vcpu, exit);
}

static void dummy_vcpu_run(struct accel_vcpu *base, struct vm_exit *exit)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->counts.runs++;
	exit->has_pc = false;
	run_vcpu(vcpu, exit);
	if (!vcpu->synced || exit->has_pc)
		return;
	exit->has_pc = true;
	exit->pc = cpu_linear_pc(&vcpu->state);
}

static void dummy_vcpu_complete(struct accel_vcpu *base, struct vm_exit *exit)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->counts.completions++;
	dummy_cpu_complete(vcpu);
	dummy_exit(exit, EXIT_INTR);
}

/* The lock makes sure that a vCPU on its way to sleep hears the broadcast. */
static void dummy_vcpu_kick(struct accel_vcpu *base, unsigned long thread)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);
	struct dummy_vm *vm = dummy_vm_of(vcpu);

	(void)thread;
	pthread_mutex_lock(&vm->lock);
	atomic_store(&vcpu->kicked, true);
	pthread_cond_broadcast(&vm->kick);
	pthread_mutex_unlock(&vm->lock);
}

static void dummy_vcpu_kick_done(struct accel_vcpu *base)
{
	atomic_store(&to_dummy_vcpu(base)->kicked, false);
}

const struct dummy_counts *dummy_counts(const struct accel_vcpu *vcpu)
{
	return &((const struct dummy_vcpu *)vcpu)->counts;
}

const struct accel_ops accel_dummy = {
	.name = "dummy",
	.host = dummy_host,
	.vm_create = dummy_vm_create,
	.vm_destroy = dummy_vm_destroy,
	.slot_set = dummy_slot_set,
	.coalesce = dummy_coalesce,
	.uncoalesce = dummy_uncoalesce,
	.msr_trap = dummy_msr_trap,
	.coalesced_drain = dummy_coalesced_drain,
	.irq_line = dummy_irq_line,
	.vm_reset = dummy_vm_reset,
	.chips_get = dummy_chips_get,
	.device = dummy_device,
	.vcpu_create = dummy_vcpu_create,
	.vcpu_destroy = dummy_vcpu_destroy,
	.vcpu_run = dummy_vcpu_run,
	.vcpu_complete = dummy_vcpu_complete,
	.vcpu_kick = dummy_vcpu_kick,
	.vcpu_kick_done = dummy_vcpu_kick_done,
	.state_get = dummy_state_get,
	.state_put = dummy_state_put,
	.msr_get = dummy_msr_get,
	.msr_set = dummy_msr_set,
	.cpuid = dummy_cpuid,
	.lapic_get = dummy_lapic_get,
	.debug_set = dummy_debug_set,
	.accept_interrupt = dummy_accept_interrupt,
	.sync_state = dummy_sync_state,
	.vcpu_reset = dummy_vcpu_reset,
	.interrupt_ready = dummy_interrupt_ready,
	.interrupt = dummy_interrupt,
	.interrupt_window = dummy_interrupt_window,
	.nmi = dummy_nmi,
	.vm_save = dummy_vm_save,
	.vm_fits = dummy_vm_fits,
	.vm_load = dummy_vm_load,
	.vm_load_clocks = dummy_vm_load,
	.vcpu_save = dummy_vcpu_save,
	.vcpu_fits = dummy_vcpu_fits,
	.vcpu_load = dummy_vcpu_load,
	.dirty_log = dummy_dirty_log,
};
