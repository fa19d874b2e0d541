// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One table, indexed by exit reason. Devices answer I/O and MMIO here; whatever a machine cannot
 * answer by itself goes to its observer, the debugger core.
 */
#include "machine/exits.h"

#include "machine/machine.h"

typedef bool exit_fn(struct vcpu *vcpu, const struct vm_exit *exit);

/* A kick or a signal: the loop looks whether something is asked. */
static bool exit_intr(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return true;
}

/* A string instruction arrives as one exit with its elements in a row. */
static bool exit_io(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct machine *machine = vcpu->machine;
	uint8_t *data = exit->io.data;

	machine_lock_devices(machine);
	for (uint32_t i = 0; i < exit->io.count; i++, data += exit->io.size)
		bus_access(&machine->ports, exit->io.port, exit->io.size, exit->io.write, data);
	machine_unlock_devices(machine);
	return true;
}

static bool exit_to_observer(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct machine_observer *observer = &vcpu->machine->observer;

	return observer->exit(observer->ctx, vcpu, exit);
}

/* RAM has slots and does not exit, unless the host has lost the page. */
static bool exit_mmio(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct machine *machine = vcpu->machine;

	if (mem_hva(machine->memory, exit->mmio.gpa, NULL))
		return exit_to_observer(vcpu, exit);
	machine_lock_devices(machine);
	bus_access(&machine->mmio, exit->mmio.gpa, exit->mmio.size, exit->mmio.write,
		   exit->mmio.data);
	machine_unlock_devices(machine);
	return true;
}

/* The next vcpu_prepare() finds that the guest can take its interrupt. */
static bool exit_irq_window(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return true;
}

/* Comes only where no controller in the kernel waits for us; the loop sleeps until an interrupt. */
static bool exit_hlt(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	vcpu->halted = true;
	return true;
}

static bool exit_system_event(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct machine *machine = vcpu->machine;
	bool reset = exit->system.event == SYSTEM_RESET;

	if (!reset && exit->system.event != SYSTEM_SHUTDOWN)
		return exit_to_observer(vcpu, exit);
	machine_lock_devices(machine);
	machine->observer.request(machine->observer.ctx, reset ? HOST_RESET : HOST_POWER_OFF, 0,
				  exit->name);
	machine_unlock_devices(machine);
	return true;
}

static exit_fn *const exit_table[EXIT_REASON_COUNT] = {
	[EXIT_INTR] = exit_intr,
	[EXIT_IO] = exit_io,
	[EXIT_MMIO] = exit_mmio,
	[EXIT_IRQ_WINDOW] = exit_irq_window,
	[EXIT_HLT] = exit_hlt,
	[EXIT_SHUTDOWN] = exit_to_observer,
	[EXIT_SYSTEM_EVENT] = exit_system_event,
	[EXIT_DEBUG] = exit_to_observer,
	[EXIT_RDMSR] = exit_to_observer,
	[EXIT_WRMSR] = exit_to_observer,
	[EXIT_INTERNAL_ERROR] = exit_to_observer,
	[EXIT_FAIL_ENTRY] = exit_to_observer,
	[EXIT_UNKNOWN] = exit_to_observer,
	[EXIT_HOST_ERROR] = exit_to_observer,
	[EXIT_OTHER] = exit_to_observer,
};

bool exit_dispatch(struct vcpu *vcpu, const struct vm_exit *exit)
{
	return exit_table[exit->reason](vcpu, exit);
}

/* ---- a machine that nobody debugs -------------------------------------------------------- */

static void hold(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->gate.lock);
	gate_hold_all(vcpu->machine);
	pthread_mutex_unlock(&vcpu->machine->gate.lock);
}

static bool hold_on_exit(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)ctx;
	(void)exit;
	hold(vcpu);
	return false;
}

static bool hold_on_step(void *ctx, struct vcpu *vcpu)
{
	(void)ctx;
	hold(vcpu);
	return false;
}

static void ignore_exit(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)ctx;
	(void)vcpu;
	(void)exit;
}

static bool go_on(void *ctx, struct vcpu *vcpu)
{
	(void)ctx;
	(void)vcpu;
	return true;
}

static enum step_go step_by_itself(void *ctx, struct vcpu *vcpu)
{
	(void)ctx;
	(void)vcpu;
	return STEP_ARMED;
}

static void ignore_request(void *ctx, enum host_request request, int status, const char *why)
{
	(void)ctx;
	(void)request;
	(void)status;
	(void)why;
}

static size_t just_write(void *ctx, struct machine *machine, uint64_t gpa, const void *buf,
			 size_t len)
{
	(void)ctx;
	return mem_write_phys(machine->memory, gpa, buf, len);
}

static void ignore_parked(void *ctx)
{
	(void)ctx;
}

static void ignore_output(void *ctx, const void *bytes, size_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size;
}

const struct machine_observer no_observer = {
	.exit = hold_on_exit,
	.stepping = step_by_itself,
	.stepped = hold_on_step,
	.saw = ignore_exit,
	.settled = go_on,
	.started = go_on,
	.request = ignore_request,
	.device_write = just_write,
	.parked = ignore_parked,
	.debug_output = ignore_output,
};
