// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/lapic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LVT_PENDING	(1u << 12)
#define LVT_LOW		(1u << 13)
#define LVT_REMOTE_IRR	(1u << 14)
#define LVT_LEVEL	(1u << 15)
#define LVT_MASKED	(1u << 16)
#define BASE_BOOTSTRAP	(1ull << 8)
#define BASE_X2APIC	(1ull << 10)
#define BASE_ENABLED	(1ull << 11)
#define ICR_ASSERT	(1u << 14)
#define ICR_LEVEL	(1u << 15)
#define ICR_LOGICAL	(1u << 11)
#define SVR_ENABLED	(1u << 8)
#define SVR_NO_EOI_CAST (1u << 12)

struct words {
	char *buf;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3))) say(struct words *words, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(words->buf + words->used, words->size - words->used, fmt, args);
	va_end(args);
	if (n > 0)
		words->used += (size_t)n < words->size - words->used
				       ? (size_t)n
				       : words->size - words->used - 1;
}

/* ---- one word ---------------------------------------------------------------------------- */

typedef void say_fn(struct words *words, uint32_t value);

static void say_id(struct words *words, uint32_t value)
{
	say(words, "APIC %u", value >> 24);
}

static void say_version(struct words *words, uint32_t value)
{
	say(words, "version 0x%x, %u LVT entries", value & 0xff, (value >> 16 & 0xff) + 1);
}

static void say_priority(struct words *words, uint32_t value)
{
	say(words, "class %u: vectors from 0x%x on come", value >> 4 & 15, (value & 0xf0) + 0x10);
}

static void say_logical(struct words *words, uint32_t value)
{
	say(words, "logical destination 0x%x", value >> 24);
}

static void say_format(struct words *words, uint32_t value)
{
	say(words, value >> 28 == 15  ? "flat model"
		   : value >> 28 == 0 ? "cluster model"
				      : "model?");
}

static void say_spurious(struct words *words, uint32_t value)
{
	say(words, "%s, spurious vector 0x%x%s", value & SVR_ENABLED ? "enabled" : "DISABLED",
	    value & 0xff, value & SVR_NO_EOI_CAST ? ", no EOI broadcast" : "");
}

static void say_errors(struct words *words, uint32_t value)
{
	static const char *const names[8] = {"send checksum",	"receive checksum", "send accept",
					     "receive accept",	"redirected IPI",   "sent vector",
					     "received vector", "register address"};

	if (!(value & 0xff))
		say(words, "none");
	for (unsigned i = 0; i < 8; i++)
		if (value >> i & 1)
			say(words, "%s%s", words->used ? ", " : "", names[i]);
}

static const char *delivery(uint32_t value)
{
	static const char *const modes[8] = {"",     "lowest priority", "SMI",	 "reserved", "NMI",
					     "INIT", "startup",		"ExtINT"};

	return modes[value >> 8 & 7];
}

/* A vector, where the way of delivery has one. */
static void say_delivery(struct words *words, uint32_t value)
{
	unsigned mode = value >> 8 & 7;

	if (mode == 0 || mode == 1 || mode == 6)
		say(words, "vector 0x%x%s%s", value & 0xff, mode ? ", " : "", delivery(value));
	else
		say(words, "%s", delivery(value));
}

static void say_lvt_end(struct words *words, uint32_t value)
{
	say(words, "%s%s", value & LVT_PENDING ? ", pending" : "",
	    value & LVT_MASKED ? ", masked" : "");
}

static void say_lvt(struct words *words, uint32_t value)
{
	say_delivery(words, value);
	say_lvt_end(words, value);
}

static void say_lvt_pin(struct words *words, uint32_t value)
{
	say_delivery(words, value);
	say(words, ", %s, active %s%s", value & LVT_LEVEL ? "level" : "edge",
	    value & LVT_LOW ? "low" : "high", value & LVT_REMOTE_IRR ? ", remote IRR" : "");
	say_lvt_end(words, value);
}

static void say_lvt_timer(struct words *words, uint32_t value)
{
	static const char *const modes[4] = {"one-shot", "periodic", "TSC deadline", "reserved"};

	say(words, "vector 0x%x, %s", value & 0xff, modes[value >> 17 & 3]);
	say_lvt_end(words, value);
}

static void say_command(struct words *words, uint32_t value)
{
	static const char *const whom[4] = {"", ", to itself", ", to all", ", to all others"};

	say_delivery(words, value);
	if (!(value >> 18 & 3))
		say(words, ", %s destination", value & ICR_LOGICAL ? "logical" : "physical");
	say(words, "%s%s%s", whom[value >> 18 & 3],
	    value & ICR_LEVEL ? value & ICR_ASSERT ? ", level assert" : ", level de-assert" : "",
	    value & LVT_PENDING ? ", pending" : "");
}

static void say_destination(struct words *words, uint32_t value)
{
	say(words, "destination 0x%x", value >> 24);
}

static void say_divisor(struct words *words, uint32_t value)
{
	unsigned code = (value & 3) | (value >> 1 & 4);

	say(words, "divide by %u", code == 7 ? 1 : 2u << code);
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct row {
	struct lapic_register reg;
	say_fn *say;
} rows[] = {
	/* clang-format off */
	{{"ID",            0x020, 1}, say_id},
	{{"version",       0x030, 1}, say_version},
	{{"TPR",           0x080, 1}, say_priority},
	{{"APR",           0x090, 1}, NULL},
	{{"PPR",           0x0a0, 1}, say_priority},
	{{"LDR",           0x0d0, 1}, say_logical},
	{{"DFR",           0x0e0, 1}, say_format},
	{{"SVR",           0x0f0, 1}, say_spurious},
	{{"ISR",           0x100, 8}, NULL},
	{{"TMR",           0x180, 8}, NULL},
	{{"IRR",           0x200, 8}, NULL},
	{{"ESR",           0x280, 1}, say_errors},
	{{"LVT CMCI",      0x2f0, 1}, say_lvt},
	{{"ICR",           0x300, 1}, say_command},
	{{"ICR2",          0x310, 1}, say_destination},
	{{"LVT timer",     0x320, 1}, say_lvt_timer},
	{{"LVT therm",     0x330, 1}, say_lvt},
	{{"LVT PMC",       0x340, 1}, say_lvt},
	{{"LVT LINT0",     0x350, 1}, say_lvt_pin},
	{{"LVT LINT1",     0x360, 1}, say_lvt_pin},
	{{"LVT error",     0x370, 1}, say_lvt},
	{{"init count",    0x380, 1}, NULL},
	{{"cur count",     0x390, 1}, NULL},
	{{"divide",        0x3e0, 1}, say_divisor},
	/* clang-format on */
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lapic_register *lapic_register(unsigned index)
{
	return index < ROW_COUNT ? &rows[index].reg : NULL;
}

uint32_t lapic_word(const struct lapic *lapic, unsigned offset)
{
	uint32_t value = 0;

	if (offset <= LAPIC_BYTES - sizeof(value))
		memcpy(&value, lapic->bytes + offset, sizeof(value));
	return value;
}

/* A bit for each vector, 32 in a word. */
static void say_vectors(struct words *words, const struct lapic *lapic, unsigned offset)
{
	for (unsigned vector = 0; vector < 256; vector++)
		if (lapic_word(lapic, offset + vector / 32 * 16) >> vector % 32 & 1)
			say(words, "%s0x%x", words->used ? " " : "", vector);
	if (!words->used)
		say(words, "none");
}

char *lapic_text(const struct lapic *lapic, const struct lapic_register *reg, char *buf,
		 size_t size)
{
	struct words words = {buf, size, 0};

	buf[0] = '\0';
	for (unsigned i = 0; i < ROW_COUNT; i++) {
		if (reg->offset != rows[i].reg.offset)
			continue;
		if (rows[i].reg.words > 1)
			say_vectors(&words, lapic, reg->offset);
		else if (rows[i].say)
			rows[i].say(&words, lapic_word(lapic, reg->offset));
	}
	return buf;
}

char *lapic_base_text(uint64_t apic_base, char *buf, size_t size)
{
	const char *mode = apic_base & BASE_X2APIC ? "x2APIC" : "xAPIC";

	if (apic_base & BASE_ENABLED)
		snprintf(buf, size, "%s at 0x%llx%s", mode,
			 (unsigned long long)(apic_base & 0xffffffffff000),
			 apic_base & BASE_BOOTSTRAP ? ", bootstrap processor" : "");
	else
		snprintf(buf, size, "off%s",
			 apic_base & BASE_BOOTSTRAP ? ", bootstrap processor" : "");
	return buf;
}
