// SPDX-License-Identifier: GPL-3.0-or-later
/* A record of the flight recorder in words, by a table of exit reasons. */
#include "debug/trace_private.h"

#include "cut_text.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *arrow(const struct exit_record *record)
{
	return record->flags & RECORD_WRITE ? "←" : "→";
}

static void put_value(struct cut_text *text, const struct exit_record *record)
{
	cut_text_add(text, " %s 0x%llx", arrow(record), (unsigned long long)record->value);
	if (record->size == 1 && record->value < 0x7f && isprint((int)record->value))
		cut_text_add(text, " '%c'", (int)record->value);
}

/* The first bytes of a string instruction's data, as a string. */
static void put_string(struct cut_text *text, const struct exit_record *record)
{
	uint64_t bytes = (uint64_t)record->count * record->size;

	cut_text_add(text, " %s %u of %u byte%s: \"", arrow(record), record->count, record->size,
		     record->size == 1 ? "" : "s");
	for (uint64_t i = 0; i < bytes && i < sizeof(record->value); i++) {
		unsigned char c = (unsigned char)(record->value >> 8 * i);

		cut_text_add(text, "%c", c < 0x7f && isprint(c) ? c : '.');
	}
	cut_text_add(text, "%s\"", bytes > sizeof(record->value) ? "…" : "");
}

static void io_text(const struct exit_record *record, struct cut_text *text)
{
	cut_text_add(text, "%-3s 0x%llx", record->flags & RECORD_WRITE ? "out" : "in",
		     (unsigned long long)record->address);
	(record->count > 1 ? put_string : put_value)(text, record);
}

static void mmio_text(const struct exit_record *record, struct cut_text *text)
{
	cut_text_add(text, "%-5s 0x%llx", record->flags & RECORD_WRITE ? "write" : "read",
		     (unsigned long long)record->address);
	put_value(text, record);
	cut_text_add(text, ", %u byte%s", record->size, record->size == 1 ? "" : "s");
}

static void put_msr(struct cut_text *text, uint64_t number)
{
	const char *name = msr_name((uint32_t)number);

	if (name)
		cut_text_add(text, "%s", name);
	else
		cut_text_add(text, "0x%llx", (unsigned long long)number);
}

static void msr_text(const struct exit_record *record, struct cut_text *text)
{
	put_msr(text, record->address);
	if (record->flags & RECORD_REFUSED)
		cut_text_add(text, ": #GP");
	else
		put_value(text, record);
}

/* What a debug exit says of itself; whose it was, the core decides. */
static void debug_text(const struct exit_record *record, struct cut_text *text)
{
	cut_text_add(text, "%s", exception_mnemonic(record->vector));
	if (record->vector != VECTOR_DB)
		return;
	if (record->value & DR6_BS)
		cut_text_add(text, ", step");
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if (record->value >> i & 1)
			cut_text_add(text, ", debug register %u", i);
}

static void internal_error_text(const struct exit_record *record, struct cut_text *text)
{
	cut_text_add(text, "sub-error %llu", (unsigned long long)record->value);
	for (unsigned i = 0; i < record->size && i < sizeof(record->address); i++)
		cut_text_add(text, "%s %02x", i ? "" : ":",
			     (unsigned)(record->address >> 8 * i & 0xff));
}

static void host_error_text(const struct exit_record *record, struct cut_text *text)
{
	char message[64];

	cut_text_add(text, "%s: %s", record->name,
		     strerror_r((int)record->value, message, sizeof(message)));
}

static void code_text(const struct exit_record *record, struct cut_text *text)
{
	cut_text_add(text, "%s, code 0x%llx", record->name, (unsigned long long)record->value);
}

static const struct {
	const char *name;
	void (*text)(const struct exit_record *record, struct cut_text *text);
} reasons[EXIT_REASON_COUNT] = {
	[EXIT_INTR] = {"kick", NULL},
	[EXIT_IO] = {"io", io_text},
	[EXIT_MMIO] = {"mmio", mmio_text},
	[EXIT_IRQ_WINDOW] = {"window", NULL},
	[EXIT_HLT] = {"hlt", NULL},
	[EXIT_SHUTDOWN] = {"shutdown", NULL},
	[EXIT_SYSTEM_EVENT] = {"event", code_text},
	[EXIT_DEBUG] = {"debug", debug_text},
	[EXIT_RDMSR] = {"rdmsr", msr_text},
	[EXIT_WRMSR] = {"wrmsr", msr_text},
	[EXIT_INTERNAL_ERROR] = {"error", internal_error_text},
	[EXIT_FAIL_ENTRY] = {"entry", code_text},
	[EXIT_UNKNOWN] = {"unknown", code_text},
	[EXIT_HOST_ERROR] = {"host", host_error_text},
	[EXIT_OTHER] = {"other", code_text},
};

const char *trace_reason_name(unsigned reason)
{
	return reason < EXIT_REASON_COUNT ? reasons[reason].name : NULL;
}

void trace_record_text(const struct exit_record *record, char *buf, size_t size)
{
	struct cut_text text = {.buf = buf, .size = size};

	buf[0] = '\0';
	if (reasons[record->reason].text)
		reasons[record->reason].text(record, &text);
}

void trace_target_text(unsigned reason, uint64_t address, bool write, char *buf, size_t size)
{
	struct cut_text text = {.buf = buf, .size = size};

	if (reason == EXIT_RDMSR || reason == EXIT_WRMSR)
		put_msr(&text, address);
	else
		cut_text_add(&text, "0x%llx %s", (unsigned long long)address,
			     reason == EXIT_IO ? (write ? "out" : "in")
					       : (write ? "write" : "read"));
}
