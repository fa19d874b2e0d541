// SPDX-License-Identifier: GPL-3.0-or-later
/* What catches say, by a table of kinds. */
#include "debug/catch_private.h"

#include "x86/msr.h"

#include <ctype.h>
#include <stdio.h>

static void value_text(const struct caught *caught, char *buf, size_t size)
{
	int n;

	if (caught->count > 1) {
		snprintf(buf, size, "%u times %u byte%s, the first are 0x%llx", caught->count,
			 caught->size, caught->size == 1 ? "" : "s",
			 (unsigned long long)caught->value);
		return;
	}
	n = snprintf(buf, size, "0x%llx", (unsigned long long)caught->value);
	if (caught->size == 1 && caught->value < 0x7f && isprint((int)caught->value))
		snprintf(buf + n, size - (size_t)n, " '%c'", (int)caught->value);
}

static void io_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		    struct stop *stop)
{
	char value[80];

	(void)debug;
	(void)vcpu;
	value_text(caught, value, sizeof(value));
	snprintf(stop->text, sizeof(stop->text), "%s 0x%llx %s %s, %u byte%s",
		 caught->write ? "out" : "in", (unsigned long long)caught->address,
		 caught->write ? "←" : "→", value, caught->size, caught->size == 1 ? "" : "s");
}

static void mmio_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		      struct stop *stop)
{
	char value[80];

	(void)debug;
	(void)vcpu;
	value_text(caught, value, sizeof(value));
	snprintf(stop->text, sizeof(stop->text), "MMIO %s 0x%llx %s %s, %u byte%s",
		 caught->write ? "write" : "read", (unsigned long long)caught->address,
		 caught->write ? "←" : "→", value, caught->size, caught->size == 1 ? "" : "s");
}

static void msr_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		     struct stop *stop)
{
	const char *name = msr_name((uint32_t)caught->address);
	char value[40] = ": refused, the guest gets #GP";

	(void)debug;
	(void)vcpu;
	if (!caught->refused)
		snprintf(value, sizeof(value), " %s 0x%llx", caught->write ? "←" : "→",
			 (unsigned long long)caught->value);
	snprintf(stop->text, sizeof(stop->text), "%s 0x%llx%s%s%s%s",
		 caught->write ? "wrmsr" : "rdmsr", (unsigned long long)caught->address,
		 name ? " (" : "", name ? name : "", name ? ")" : "", value);
}

static void mode_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		      struct stop *stop)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	const struct core_vcpu *v = &debug->vcpu[vcpu->index];

	(void)caught;
	snprintf(stop->text, sizeof(stop->text), "mode switch: from %s to %s%s",
		 cpu_mode_name(v->mode), state ? cpu_mode_name(cpu_mode(state)) : "?",
		 vcpu->stepping ? "" : ", some instructions ago");
}

static void hlt_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		     struct stop *stop)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL);

	(void)debug;
	(void)caught;
	snprintf(stop->text, sizeof(stop->text), "hlt with interrupts %s",
		 state && (state->general.rflags & RFLAGS_IF)
			 ? "on"
			 : "off: nothing but an NMI or a reset ends it");
}

static void request_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
			 struct stop *stop)
{
	(void)vcpu;
	(void)caught;
	core_lock(debug);
	snprintf(stop->text, sizeof(stop->text),
		 "the guest asks for %s (%s); it comes when you continue",
		 debug->request.what == HOST_RESET ? "a reset" : "the end", debug->request.why);
	core_unlock(debug);
}

void catch_describe(struct debug *debug, struct vcpu *vcpu, enum point_kind kind,
		    const struct caught *caught, struct stop *stop)
{
	static void (*const texts[POINT_KIND_COUNT])(struct debug * debug, struct vcpu * vcpu,
						     const struct caught *caught,
						     struct stop *stop) = {
		[POINT_CATCH_IO] = io_text,	    [POINT_CATCH_MMIO] = mmio_text,
		[POINT_CATCH_MSR] = msr_text,	    [POINT_CATCH_HLT] = hlt_text,
		[POINT_CATCH_RESET] = request_text, [POINT_CATCH_SHUTDOWN] = request_text,
		[POINT_CATCH_MODE] = mode_text,
	};

	texts[kind](debug, vcpu, caught, stop);
}
