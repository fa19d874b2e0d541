// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * why: the longer story of a stop, or of a running vCPU's last exit: what KVM reported, what vitrine did with it,
 * and where one reads on, here, in QEMU, and in the kernel.
 */
#include "monitor/commands.h"
#include "monitor/points.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARGIN 10

static void tell(struct call *call, const char *who, const char *fact, const char *text)
{
	if (!text || !*text)
		return;
	out_printf(call->out, "%s%-*s%s", color(call->out, COLOR_NAME), MARGIN - 1, who,
		   color(call->out, COLOR_OFF));
	out_printf(call->out, " ");
	out_wrapped(call->out, text, MARGIN, MARGIN);
	fact_text(call->out, fact, text);
}

/* ---- exits ---------------------------------------------------------------------------------- */

struct exit_story {
	const char *name; /* as the flight recorder has it */
	const char *meaning, *here, *qemu, *kernel;
};

#define QEMU_LOOP "kvm_cpu_exec() in accel/kvm/kvm-all.c"
#define QEMU_ARCH "kvm_arch_handle_exit() in target/i386/kvm/kvm.c"

// clang-format off
/* QEMU's functions are those of 10.0, the kernel's those of 6.12. */
static const struct exit_story exits[] = {
	{"kick", "KVM_RUN was left for a signal, or because vitrine asked: nothing of the guest's",
	 "exit_intr() in src/machine/exits.c looks at the plan",
	 QEMU_LOOP ", where EINTR leaves the loop",
	 "vcpu_run() in arch/x86/kvm/x86.c, a signal is pending"},
	{"io", "the guest used a port, in, out or a string instruction",
	 "exit_io() in src/machine/exits.c asks the device",
	 "kvm_handle_io() from " QEMU_LOOP,
	 "kvm_fast_pio() in arch/x86/kvm/x86.c, from handle_io() in vmx/vmx.c or io_interception() in svm/svm.c"},
	{"mmio", "the guest touched physical memory that no slot backs, or wrote to a read-only one",
	 "exit_mmio() in src/machine/exits.c: a device, or a page that a watch protects",
	 "address_space_rw() from " QEMU_LOOP,
	 "kvm_mmu_page_fault() in arch/x86/kvm/mmu/mmu.c, then x86_emulate_instruction() in x86.c"},
	{"window", "the guest can take an interrupt now",
	 "exit_irq_window() in src/machine/exits.c gives it one",
	 QEMU_LOOP ", KVM_EXIT_IRQ_WINDOW_OPEN; kvm_arch_pre_run() injects",
	 "handle_interrupt_window() in arch/x86/kvm/vmx/vmx.c"},
	{"hlt", "the guest sleeps until an interrupt",
	 "exit_hlt() in src/machine/exits.c lets the vCPU's thread wait",
	 "kvm_handle_halt() from " QEMU_ARCH,
	 "kvm_emulate_halt() in arch/x86/kvm/x86.c"},
	{"shutdown", "a fault could not be delivered, and neither could the double fault: a triple fault",
	 "on_shutdown() in src/debug/stop.c, by -on-triple-fault",
	 QEMU_LOOP ", KVM_EXIT_SHUTDOWN: the machine is reset",
	 "handle_triple_fault() in arch/x86/kvm/vmx/vmx.c, shutdown_interception() in svm/svm.c"},
	{"event", "the guest asked for a reset or its end by a paravirtual call",
	 "exit_system_event() in src/machine/exits.c",
	 QEMU_LOOP ", KVM_EXIT_SYSTEM_EVENT",
	 "KVM_EXIT_SYSTEM_EVENT in Documentation/virt/kvm/api.rst"},
	{"debug", "a step, an int3 or a debug register, as KVM_SET_GUEST_DEBUG asked",
	 "on_debug() in src/debug/stop.c decides whose it was",
	 "kvm_handle_debug() from " QEMU_ARCH,
	 "handle_exception_nmi() in arch/x86/kvm/vmx/vmx.c, db_interception() and bp_interception() in svm/svm.c"},
	{"rdmsr", "the guest read an MSR that a filter denies, because a catch wants it",
	 "core_msr() in src/debug/catch_msr.c reads it in the guest's stead",
	 "kvm_handle_rdmsr() from " QEMU_ARCH,
	 "kvm_emulate_rdmsr() in arch/x86/kvm/x86.c"},
	{"wrmsr", "the guest wrote an MSR that a filter denies, because a catch wants it",
	 "core_msr() in src/debug/catch_msr.c writes it behind the instruction",
	 "kvm_handle_wrmsr() from " QEMU_ARCH,
	 "kvm_emulate_wrmsr() in arch/x86/kvm/x86.c"},
	{"error", "KVM cannot go on by itself, most often because it cannot emulate an instruction",
	 "on_internal_error() in src/debug/stop.c: an int3 of its own, a page of its own, or a stop",
	 "kvm_handle_internal_error() from " QEMU_LOOP,
	 "handle_emulation_failure() in arch/x86/kvm/x86.c"},
	{"entry", "the processor refused the guest's state",
	 "on_anything_else() in src/debug/stop.c",
	 QEMU_ARCH ", KVM_EXIT_FAIL_ENTRY",
	 "vmx_handle_exit() in arch/x86/kvm/vmx/vmx.c"},
	{"unknown", "the processor left the guest for a reason that KVM does not know",
	 "on_anything_else() in src/debug/stop.c", QEMU_LOOP ", KVM_EXIT_UNKNOWN",
	 "vmx_handle_exit() in arch/x86/kvm/vmx/vmx.c"},
	{"host", "KVM_RUN itself failed",
	 "on_anything_else() in src/debug/stop.c", QEMU_LOOP ", \"error: kvm run failed\"",
	 "kvm_arch_vcpu_ioctl_run() in arch/x86/kvm/x86.c"},
	{"other", "an exit that vitrine has no use for",
	 "on_anything_else() in src/debug/stop.c", QEMU_ARCH, NULL},
};

/* ---- stops ---------------------------------------------------------------------------------- */

/* What vitrine did, where the exit alone does not tell. */
static const char *const stops[STOP_REASON_COUNT] = {
	[STOP_PAUSE] = "somebody asked for it: every vCPU was kicked out of the guest and parked; "
		       "debug_pause() in src/debug/run_control.c",
	[STOP_STEP] = "the plan of this vCPU is done: one instruction, a range, a call, or the way to an "
		      "address; core_step_done() in src/debug/landing.c, goals in src/debug/goals.c",
	[STOP_BREAKPOINT] = "an int3 of vitrine's lies there, or a debug register holds the address; limits "
			    "and condition were judged in the vCPU's own thread (core_judge() in "
			    "src/debug/judge.c), then all were parked and the int3s taken out",
	[STOP_HW_BREAKPOINT] = "a debug register holds the address; on_debug_trap() in src/debug/stop.c, "
			       "core_judge() in src/debug/judge.c",
	[STOP_WATCH_WRITE] = "a debug register reported it, or the page is read-only for the guest and its "
			     "write was made by vitrine: core_page_exit() in src/debug/page_watch.c",
	[STOP_WATCH_READ] = "a debug register reported it, or the page is withdrawn from the guest and the "
			    "access was made by vitrine: core_page_exit() in src/debug/page_watch.c",
	[STOP_WATCH_ACCESS] = "a debug register reported it, or the page is withdrawn from the guest and the "
			      "access was made by vitrine: core_page_exit() in src/debug/page_watch.c",
	[STOP_GUEST_INT3] = "the int3 is the guest's own, and a catch wants to hear of it; guest_int3() in "
			    "src/debug/stop.c",
	[STOP_EXCEPTION] = "a catch has a breakpoint of its own on the handler that the IDT names; "
			   "core_catch_entry() in src/debug/catch_exception.c",
	[STOP_IO] = "the device has answered; then core_take_caught() in src/debug/catch_exit.c let the "
		    "instruction end, and told it",
	[STOP_MMIO] = "the device has answered; then core_take_caught() in src/debug/catch_exit.c let the "
		      "instruction end, and told it",
	[STOP_MSR] = "the access was made in the guest's stead, and core_take_caught() in "
		     "src/debug/catch_exit.c told it",
	[STOP_MODE_SWITCH] = "the vCPU's mode is another one than at the exit before; "
			     "core_catch_settled() in src/debug/catch_exit.c",
	[STOP_TRIPLE_FAULT] = "registers and memory are those of the instruction that began it; the chain of "
			      "faults was worked out from IDT, GDT, TSS and page tables: "
			      "core_fault_chain_text() in src/debug/fault_chain.c",
	[STOP_RESET] = "a device, or the user, asked for a reset: core_serve_request() in "
		       "src/debug/requests.c",
	[STOP_SHUTDOWN] = "the guest ended the run: core_serve_request() in src/debug/requests.c",
	[STOP_EMULATION_FAILURE] = "no int3 and no page of vitrine's is there: the instruction is the "
				   "guest's, and this KVM cannot emulate it; "
				   "core_describe_emulation_failure() in src/debug/emulation.c",
	[STOP_HOST_ERROR] = "nothing can answer that: on_anything_else() in src/debug/stop.c",
	[STOP_HLT] = "the vCPU sleeps, and a catch wants to hear of it; core_caught() in "
		     "src/debug/catch_exit.c",
	[STOP_ONLINE] = "its startup IPI has come, and nothing has run yet; core_started() in "
			"src/debug/catch_exit.c",
};
// clang-format on

/* ---- the story ------------------------------------------------------------------------------ */

static const struct exit_story *story_of(const char *name)
{
	for (unsigned i = 0; i < sizeof(exits) / sizeof(*exits); i++)
		if (!strcmp(exits[i].name, name))
			return &exits[i];
	return NULL;
}

/* "KVM_EXIT_IO, 1.204311 s after the start, exit 38112: out 0x3f8 ← 0x41 'A'. The guest …" */
static void tell_exit(struct call *call, const struct trace_record *record,
		      const struct exit_story *story)
{
	struct string text = {0};

	string_printf(&text,
		      "%s, exit %" PRIu64 " of vCPU %d, %" PRIu64 ".%06" PRIu64
		      " s after the start",
		      record->exit ? record->exit : record->name, record->number, record->vcpu,
		      record->ns / 1000000000, record->ns / 1000 % 1000000);
	if (record->text[0])
		string_printf(&text, ": %s", record->text);
	if (story)
		string_printf(&text, ". That is: %s", story->meaning);
	tell(call, "KVM", "kvm", string_text(&text));
	string_free(&text);
}

static void tell_point(struct call *call, int number)
{
	const struct point *point = number ? point_numbered(call->monitor, number) : NULL;
	char text[200];

	if (!point)
		return;
	snprintf(text, sizeof(text),
		 "%s %d is made through: %s. It has been hit %" PRIu64 " time%s",
		 point_kind_name(point->spec.kind), number, point->rung, point->hits,
		 point->hits == 1 ? "" : "s");
	tell(call, "point", "point", text);
}

static void tell_stop(struct call *call, const struct stop *stop)
{
	char where[160], clean[TEXT_CLEAN_SIZE(sizeof(stop->text))];
	struct string text = {0};

	text_clean(stop->text, strnlen(stop->text, sizeof(stop->text)), false, clean,
		   sizeof(clean));
	string_printf(&text, "vCPU %d: %s, at %s", stop->vcpu, clean,
		      address_text(call->monitor, stop->pc, where, sizeof(where)));
	tell(call, "stop", "stop", string_text(&text));
	string_free(&text);
}

/* Where a step, a kick or a pending hit ends no exit is to be told of. */
static bool last_exit(struct call *call, int cpu, struct trace_record *record)
{
	return debug_trace(call->monitor->debug, cpu, record, 1) == 1;
}

int run_why(struct call *call)
{
	bool running = debug_running(call->monitor->debug);
	const struct stop *stop = running ? NULL : debug_last_stop(call->monitor->debug);
	int cpu = stop && stop->vcpu >= 0 ? stop->vcpu : call->cpu;
	const struct exit_story *story = NULL;
	struct trace_record record;

	if (stop)
		tell_stop(call, stop);
	if (last_exit(call, cpu, &record)) {
		story = story_of(record.name);
		tell_exit(call, &record, story);
	} else {
		out_printf(call->out, "vCPU %d has not left the guest yet\n", cpu);
	}
	if (story)
		tell(call, "vitrine", "vitrine", story->here);
	if (stop && stop->reason < STOP_REASON_COUNT && (story || stop->reason != STOP_PAUSE))
		tell(call, story ? "" : "vitrine", "then", stops[stop->reason]);
	if (stop)
		tell_point(call, stop->point);
	if (story) {
		tell(call, "QEMU", "qemu", story->qemu);
		tell(call, "Linux", "linux", story->kernel);
	}
	out_printf(call->out, "More: `context`, `trace`, `info exits`%s\n",
		   stop && stop->point ? ", `info breakpoints`" : "");
	return 0;
}
