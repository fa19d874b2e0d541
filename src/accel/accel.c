// SPDX-License-Identifier: GPL-3.0-or-later
/* What every accelerator shares: how one is found, and how its exits are told to a person. */
#include "accel/accel.h"

#include "cut_text.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct accel_ops *const accelerators[] = {&accel_kvm, &accel_dummy};

const struct accel_ops *accel_find(const char *name)
{
	for (size_t i = 0; i < sizeof(accelerators) / sizeof(accelerators[0]); i++)
		if (!strcmp(accelerators[i]->name, name))
			return accelerators[i];
	return NULL;
}

/* ---- describing an exit ----------------------------------------------------------------- */

/* Data is shown as the number it is for one item, as bytes for a string instruction's many. */
#define SHOWN_BYTES 16

static void text_add_bytes(struct cut_text *text, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length && i < SHOWN_BYTES; i++)
		cut_text_add(text, " %02x", data[i]);
	if (length > SHOWN_BYTES)
		cut_text_add(text, " …");
}

static void text_add_number(struct cut_text *text, const uint8_t *data, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, data, size <= sizeof(value) ? size : sizeof(value));
	cut_text_add(text, " 0x%" PRIx64, value);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void describe_nothing(const struct vm_exit *exit, struct cut_text *text)
{
	(void)exit;
	(void)text;
}

static void describe_io(const struct vm_exit *exit, struct cut_text *text)
{
	unsigned size = exit->io.size;

	cut_text_add(text, ": %s 0x%x, ", exit->io.write ? "out" : "in", exit->io.port);
	if (exit->io.count > 1)
		cut_text_add(text, "%" PRIu32 " times ", exit->io.count);
	cut_text_add(text, "%u byte%s", size, plural(size));
	if (!exit->io.write || !exit->io.data)
		return;
	cut_text_add(text, ":");
	if (exit->io.count > 1)
		text_add_bytes(text, exit->io.data, (size_t)exit->io.count * size);
	else
		text_add_number(text, exit->io.data, size);
}

static void describe_mmio(const struct vm_exit *exit, struct cut_text *text)
{
	unsigned size = exit->mmio.size;

	cut_text_add(text, ": %s 0x%" PRIx64 ", %u byte%s", exit->mmio.write ? "write" : "read",
		     exit->mmio.gpa, size, plural(size));
	if (!exit->mmio.write || !exit->mmio.data)
		return;
	cut_text_add(text, ":");
	text_add_number(text, exit->mmio.data, size);
}

static void describe_debug(const struct vm_exit *exit, struct cut_text *text)
{
	cut_text_add(text, ": %s at 0x%" PRIx64 ", dr6 0x%" PRIx64,
		     exception_mnemonic(exit->debug.vector), exit->debug.pc, exit->debug.dr6);
}

static void describe_msr(const struct vm_exit *exit, struct cut_text *text)
{
	const char *name = msr_name(exit->msr.index);

	cut_text_add(text, ": MSR 0x%" PRIx32, exit->msr.index);
	if (name)
		cut_text_add(text, " (%s)", name);
	if (exit->reason == EXIT_WRMSR && exit->msr.value)
		cut_text_add(text, " = 0x%" PRIx64, *exit->msr.value);
}

static void describe_system(const struct vm_exit *exit, struct cut_text *text)
{
	static const char *const names[] = {
		[SYSTEM_SHUTDOWN] = "shutdown",
		[SYSTEM_RESET] = "reset",
		[SYSTEM_CRASH] = "crash",
		[SYSTEM_OTHER] = "another event",
	};

	cut_text_add(text, ": %s (type %" PRIu32 ")", names[exit->system.event], exit->system.type);
}

static const char *internal_error_name(uint32_t suberror)
{
	static const char *const names[] = {
		[INTERNAL_EMULATION] = "an instruction that KVM cannot emulate",
		[INTERNAL_SIMUL_EX] = "two exceptions at once",
		[INTERNAL_DELIVERY] = "an exit while an event was delivered",
		[INTERNAL_UNEXPECTED] = "an exit that KVM did not expect",
	};
	bool known = suberror < sizeof(names) / sizeof(names[0]) && names[suberror];

	return known ? names[suberror] : "an unknown sub-error";
}

static void describe_internal(const struct vm_exit *exit, struct cut_text *text)
{
	cut_text_add(text, ": sub-error %" PRIu32 ", %s", exit->internal.suberror,
		     internal_error_name(exit->internal.suberror));
	if (exit->internal.insn_length) {
		cut_text_add(text, ":");
		text_add_bytes(text, exit->internal.insn, exit->internal.insn_length);
		return;
	}
	for (unsigned i = 0; i < exit->internal.data_count; i++)
		cut_text_add(text, "%s 0x%" PRIx64, i ? "" : "; data", exit->internal.data[i]);
}

static void describe_fail_entry(const struct vm_exit *exit, struct cut_text *text)
{
	cut_text_add(text, ": hardware reason 0x%" PRIx64 " on host CPU %" PRIu32,
		     exit->fail_entry.reason, exit->fail_entry.cpu);
}

static void describe_unknown(const struct vm_exit *exit, struct cut_text *text)
{
	cut_text_add(text, ": hardware exit reason 0x%" PRIx64, exit->hardware_reason);
}

static void describe_host_error(const struct vm_exit *exit, struct cut_text *text)
{
	char message[64];

	cut_text_add(text, ": %s", strerror_r(exit->host_errno, message, sizeof(message)));
}

static void describe_other(const struct vm_exit *exit, struct cut_text *text)
{
	cut_text_add(text, ": exit reason %" PRIu32, exit->number);
}

static const struct {
	const char *name;
	void (*describe)(const struct vm_exit *exit, struct cut_text *text);
} reasons[EXIT_REASON_COUNT] = {
	[EXIT_INTR] = {"interruption", describe_nothing},
	[EXIT_IO] = {"port I/O", describe_io},
	[EXIT_MMIO] = {"MMIO", describe_mmio},
	[EXIT_IRQ_WINDOW] = {"interrupt window", describe_nothing},
	[EXIT_HLT] = {"hlt", describe_nothing},
	[EXIT_SHUTDOWN] = {"triple fault", describe_nothing},
	[EXIT_SYSTEM_EVENT] = {"system event", describe_system},
	[EXIT_DEBUG] = {"debug", describe_debug},
	[EXIT_RDMSR] = {"rdmsr", describe_msr},
	[EXIT_WRMSR] = {"wrmsr", describe_msr},
	[EXIT_INTERNAL_ERROR] = {"internal error", describe_internal},
	[EXIT_FAIL_ENTRY] = {"failed entry", describe_fail_entry},
	[EXIT_UNKNOWN] = {"unknown hardware exit", describe_unknown},
	[EXIT_HOST_ERROR] = {"host error", describe_host_error},
	[EXIT_OTHER] = {"unhandled exit", describe_other},
};

const char *exit_reason_name(enum exit_reason reason)
{
	return (unsigned)reason < EXIT_REASON_COUNT ? reasons[reason].name : "no such exit";
}

void vm_exit_describe(const struct vm_exit *exit, char *buf, size_t size)
{
	struct cut_text text = {.buf = buf, .size = size};

	if (!size)
		return;
	cut_text_add(&text, "%s", exit->name ? exit->name : exit_reason_name(exit->reason));
	if ((unsigned)exit->reason < EXIT_REASON_COUNT)
		reasons[exit->reason].describe(exit, &text);
}
