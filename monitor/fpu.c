// SPDX-License-Identifier: GPL-3.0-or-later
/* The x87's registers and the vectors, as the numbers that they are. SDM vol. 1, 8.1 and 10.2. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ST_COUNT 8

static int read_bytes(struct call *call, const char *name, uint8_t bytes[REGISTER_MAX_BYTES])
{
	int index = register_find(name);
	int ret = index < 0
			  ? -1
			  : debug_reg_get(call->monitor->debug, call->cpu, (unsigned)index, bytes);

	return ret ? error_set(call->err, ret, "$%s cannot be read", name) : 0;
}

static int read_word(struct call *call, const char *name, uint64_t *value)
{
	return monitor_register_get(call->monitor, call->cpu, name, value, call->err);
}

/* "IE ZE" of the bits from `first` on; "none". */
static const char *bit_names(uint64_t bits, const char *const names[], unsigned count, char buf[80])
{
	size_t used = 0;

	buf[0] = 0;
	for (unsigned i = 0; i < count; i++)
		if (bits >> i & 1)
			used += (size_t)snprintf(buf + used, 80 - used, "%s%s", used ? " " : "",
						 names[i]);
	return used ? buf : "none";
}

/* ---- x87 ------------------------------------------------------------------------------------ */

static const char *const masks[] = {"IM", "DM", "ZM", "OM", "UM", "PM"};
static const char *const exceptions[] = {"IE", "DE", "ZE", "OE", "UE", "PE", "SF", "ES"};
static const char *const conditions[] = {"C0", "C1", "C2"};

static void show_control(struct call *call, uint64_t fctrl)
{
	static const char *const precision[] = {"24 bits", "reserved", "53 bits", "64 bits"};
	static const char *const rounding[] = {"to nearest", "down", "up", "towards 0"};
	char names[80];

	out_printf(call->out, "fctrl 0x%04" PRIx64 "  rounds %s to %s, masked: %s\n", fctrl,
		   rounding[fctrl >> 10 & 3], precision[fctrl >> 8 & 3],
		   bit_names(fctrl, masks, 6, names));
	fact_hex(call->out, "fctrl", fctrl);
}

static void show_status(struct call *call, uint64_t fstat)
{
	char names[80], codes[80];

	out_printf(call->out, "fstat 0x%04" PRIx64 "  top %u, exceptions: %s, conditions: %s%s\n",
		   fstat, (unsigned)(fstat >> 11 & 7), bit_names(fstat, exceptions, 8, names),
		   bit_names(fstat >> 8, conditions, 3, codes), fstat >> 14 & 1 ? " C3" : "");
	fact_hex(call->out, "fstat", fstat);
}

/* tag: 0 valid, 1 zero, 2 special, 3 empty. An x87 number is what a long double is here. */
static void show_st(struct call *call, unsigned n, unsigned tag, const uint8_t *bytes)
{
	static const char *const tags[] = {"", "", "special", "empty"};
	long double number;
	char hex[2 * 10 + 3] = "0x", text[48];

	memcpy(&number, bytes, 10);
	for (unsigned i = 0; i < 10; i++)
		snprintf(hex + 2 + 2 * i, 3, "%02x", bytes[9 - i]);
	snprintf(text, sizeof(text), "%.18Lg", number);
	fact_object(call->out, NULL);
	fact_text(call->out, "bits", hex);
	fact_flag(call->out, "empty", tag == 3);
	if (tag != 3)
		fact_text(call->out, "value", text);
	fact_end(call->out);
	if (tag == 3)
		out_printf(call->out, "  st%u  empty\n", n);
	else
		out_printf(call->out, "  st%u  %-24s %s%s%s\n", n, text, hex, *tags[tag] ? " " : "",
			   tags[tag]);
}

static int show_stack(struct call *call, uint64_t fstat, uint64_t ftag)
{
	int ret = 0;

	fact_list(call->out, "st");
	for (unsigned n = 0; !ret && n < ST_COUNT; n++) {
		unsigned physical = (n + (unsigned)(fstat >> 11)) % ST_COUNT;
		uint8_t bytes[REGISTER_MAX_BYTES] = {0};
		char name[8];

		snprintf(name, sizeof(name), "st%u", n);
		ret = read_bytes(call, name, bytes);
		if (!ret)
			show_st(call, n, ftag >> 2 * physical & 3, bytes);
	}
	fact_end(call->out);
	return ret;
}

int run_info_fpu(struct call *call)
{
	uint64_t fctrl, fstat, ftag, fop, at, operand;
	char where[96];

	if (read_word(call, "fctrl", &fctrl) || read_word(call, "fstat", &fstat) ||
	    read_word(call, "ftag", &ftag) || read_word(call, "fop", &fop) ||
	    read_word(call, "fioff", &at) || read_word(call, "fooff", &operand))
		return call->err->code;
	show_control(call, fctrl);
	show_status(call, fstat);
	out_printf(call->out,
		   "last instruction 0x%" PRIx64 "%s, opcode 0x%" PRIx64 ", operand 0x%" PRIx64
		   "\n",
		   at, address_suffix(call->monitor, at, where, sizeof(where)), fop, operand);
	return show_stack(call, fstat, ftag);
}

/* ---- vectors -------------------------------------------------------------------------------- */

/* Most significant byte first. */
static void hex_text(const uint8_t *bytes, unsigned size, char *buf)
{
	for (unsigned i = size; i--; buf += 2 + (i % 8 == 0 && i))
		sprintf(buf, i % 8 == 0 && i ? "%02x_" : "%02x", bytes[i]);
}

/* "1.5 2": its doubles, where they look like some that a program would calculate with. */
static void doubles_text(const uint8_t *bytes, unsigned size, char *buf, size_t room)
{
	size_t used = 0;

	buf[0] = 0;
	for (unsigned i = 0; i < size / 8 && used < room; i++) {
		double number;

		memcpy(&number, bytes + 8 * (size_t)i, 8);
		used += (size_t)snprintf(buf + used, room - used, "%s%.9g", i ? "  " : "", number);
	}
}

static void show_vector(struct call *call, const char *name, const uint8_t *bytes, unsigned size)
{
	char hex[2 * REGISTER_MAX_BYTES + REGISTER_MAX_BYTES / 8 + 1], numbers[160];

	hex_text(bytes, size, hex);
	doubles_text(bytes, size, numbers, sizeof(numbers));
	out_printf(call->out, "  %-6s 0x%s%s%s\n", name, hex, size > 16 ? "\n         " : "  ",
		   numbers);
	fact_text(call->out, name, hex);
}

/* Of "xmm3", or of "ymm3" with its upper half. */
static int read_vector(struct call *call, unsigned n, unsigned size, uint8_t *bytes)
{
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "xmm%u", n);
	ret = read_bytes(call, name, bytes);
	snprintf(name, sizeof(name), "ymm%uh", n);
	return ret || size == 16 ? ret : read_bytes(call, name, bytes + 16);
}

/* Those that are 0 share a line. */
static int show_vectors(struct call *call, char letter, unsigned size)
{
	static const uint8_t zero[2 * REGISTER_MAX_BYTES];
	struct string zeroes = {0};
	int ret = 0;

	for (unsigned n = 0; !ret && n < 16; n++) {
		uint8_t bytes[2 * REGISTER_MAX_BYTES] = {0};
		char name[8];

		snprintf(name, sizeof(name), "%cmm%u", letter, n);
		ret = read_vector(call, n, size, bytes);
		if (!ret && memcmp(bytes, zero, size))
			show_vector(call, name, bytes, size);
		else if (!ret)
			string_printf(&zeroes, " %s", name);
	}
	if (!ret && zeroes.size) {
		out_printf(call->out, "  0:");
		out_wrapped(call->out, zeroes.text, 4, 5);
	}
	string_free(&zeroes);
	return ret;
}

static int show_registers(struct call *call, char letter, unsigned size)
{
	int ret;

	fact_object(call->out, "registers");
	ret = show_vectors(call, letter, size);
	fact_end(call->out);
	return ret;
}

int run_info_sse(struct call *call)
{
	static const char *const rounding[] = {"to nearest", "down", "up", "towards 0"};
	uint64_t mxcsr;
	char names[128];
	int ret = read_word(call, "mxcsr", &mxcsr);

	if (ret)
		return ret;
	register_flags_text("mxcsr", mxcsr, names, sizeof(names));
	out_printf(call->out, "mxcsr 0x%" PRIx64 " [%s]  rounds %s\n", mxcsr, names,
		   rounding[mxcsr >> 13 & 3]);
	fact_hex(call->out, "mxcsr", mxcsr);
	return show_registers(call, 'x', 16);
}

int run_info_avx(struct call *call)
{
	const struct register_desc *half = &registers[register_find("ymm0h")];
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu, half->state);

	if (state && !register_available(half, state))
		return error_set(call->err, -ENOTSUP, "the guest's processor has no AVX here");
	return show_registers(call, 'y', 32);
}
