// SPDX-License-Identifier: GPL-3.0-or-later
/* rdmsr, wrmsr and info cpuid: a processor's numbers by their names. */
#include "monitor/commands.h"
#include "x86/msr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- MSRs ----------------------------------------------------------------------------------- */

/* "MSR_EFER (0xc0000080)", or the number alone. */
static const char *msr_text(uint32_t index, char buf[64])
{
	const char *name = msr_name(index);

	snprintf(buf, 64, name ? "%s (0x%x)" : "%sMSR 0x%x", name ? name : "", index);
	return buf;
}

/* Its bits by name, or the symbol that its address is. */
static void note_text(struct call *call, uint32_t index, uint64_t value, char *buf, size_t size)
{
	const char *name = msr_name(index);
	char lower[64] = "";

	for (unsigned i = 0; name && name[i] && i < sizeof(lower) - 1; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	register_flags_text(lower[0] ? lower + 4 : "", value, buf, size);
	if (!buf[0])
		address_suffix(call->monitor, value, buf, size);
}

static int check_index(struct call *call)
{
	if (call->arg[0].value > UINT32_MAX)
		return error_set(call->err, -EINVAL, "an MSR's number has 32 bits");
	return 0;
}

static int msr_error(struct call *call, int ret, const char *what)
{
	char name[64];

	msr_text((uint32_t)call->arg[0].value, name);
	if (ret == -EPERM)
		return error_set(call->err, ret,
				 "%s cannot be changed: it is a clock of the machine's", name);
	if (ret == -EINVAL)
		return error_set(call->err, ret, "no processor takes 0x%" PRIx64 " for %s",
				 call->arg[1].value, name);
	return error_set(call->err, ret, "%s cannot be %s: this host's KVM does not know it%s",
			 name, what, *what == 'w' ? ", or refuses the value" : "");
}

int run_rdmsr(struct call *call)
{
	uint32_t index = (uint32_t)call->arg[0].value;
	char note[128], name[64];
	uint64_t value;
	int ret = check_index(call);

	if (ret)
		return ret;
	ret = debug_msr_get(call->monitor->debug, call->cpu, index, &value);
	if (ret)
		return msr_error(call, ret, "read");
	note_text(call, index, value, note, sizeof(note));
	out_printf(call->out,
		   note[0] && note[0] != ' ' ? "%s = 0x%" PRIx64 " [%s]\n"
					     : "%s = 0x%" PRIx64 "%s\n",
		   msr_text(index, name), value, note);
	fact_hex(call->out, "msr", index);
	fact_text(call->out, "name", msr_name(index));
	fact_hex(call->out, "value", value);
	return 0;
}

int run_wrmsr(struct call *call)
{
	int ret = check_index(call);

	if (ret)
		return ret;
	ret = debug_msr_set(call->monitor->debug, call->cpu, (uint32_t)call->arg[0].value,
			    call->arg[1].value);
	if (ret)
		return msr_error(call, ret, "written");
	fact_hex(call->out, "msr", call->arg[0].value);
	fact_hex(call->out, "value", call->arg[1].value);
	return 0;
}

/* ---- CPUID ---------------------------------------------------------------------------------- */

#define LEAVES_MAX 512

struct cpuid {
	struct cpuid_leaf leaf[LEAVES_MAX];
	unsigned count;
};

static const uint32_t *answer(const struct cpuid *cpuid, uint32_t leaf)
{
	static const uint32_t nothing[4];
	const struct cpuid_leaf *found = cpuid_find(cpuid->leaf, cpuid->count, leaf, 0);

	return found ? found->reg : nothing;
}

/* SDM vol. 2A, CPUID, leaf 1, EAX. */
static void show_model(struct call *call, const struct cpuid *cpuid)
{
	const uint32_t *vendor = answer(cpuid, 0);
	uint32_t eax = answer(cpuid, 1)[EAX], base = eax >> 8 & 15;
	unsigned family = base == 15 ? base + (eax >> 20 & 255) : base;
	unsigned model = (eax >> 4 & 15) | (base == 6 || base == 15 ? eax >> 12 & 0xf0 : 0);
	char raw[48] = "", text[TEXT_CLEAN_SIZE(48)];

	memcpy(raw, &vendor[EBX], 4);
	memcpy(raw + 4, &vendor[EDX], 4);
	memcpy(raw + 8, &vendor[ECX], 4);
	text_clean(raw, strnlen(raw, 12), false, text, sizeof(text));
	out_printf(call->out, "%s, family %u, model %u, stepping %u", text, family, model,
		   eax & 15);
	fact_text(call->out, "vendor", text);
	fact_count(call->out, "family", family);
	fact_count(call->out, "model", model);
	fact_count(call->out, "stepping", eax & 15);
	for (uint32_t i = 0; i < 3; i++)
		memcpy(raw + 16 * (size_t)i, answer(cpuid, 0x80000002 + i), 16);
	text_clean(raw, strnlen(raw, sizeof(raw)), false, text, sizeof(text));
	out_printf(call->out, text[0] ? ": %s\n" : "%s\n", text + strspn(text, " "));
	fact_text(call->out, "brand", text + strspn(text, " "));
}

static void show_features(struct call *call, const struct cpuid *cpuid)
{
	const struct cpuid_feature *feature;
	struct string names = {0};

	fact_list(call->out, "features");
	for (size_t i = 0; (feature = cpuid_feature(i)); i++) {
		const struct cpuid_leaf *leaf = cpuid_find(cpuid->leaf, cpuid->count, feature->leaf,
							   feature->index);

		if (!leaf || !(leaf->reg[feature->reg] >> feature->bit & 1))
			continue;
		string_printf(&names, " %s", feature->name);
		fact_text(call->out, NULL, feature->name);
	}
	fact_end(call->out);
	out_printf(call->out, "features:");
	out_wrapped(call->out, string_text(&names), 9, 9);
	string_free(&names);
}

static void show_leaf(struct call *call, const struct cpuid_leaf *leaf)
{
	static const char *const names[] = {"eax", "ebx", "ecx", "edx"};
	char index[12] = "";

	if (leaf->indexed)
		snprintf(index, sizeof(index), "%x", leaf->index);
	out_printf(call->out, "  %08x %5s  %08x %08x %08x %08x\n", leaf->leaf, index,
		   leaf->reg[EAX], leaf->reg[EBX], leaf->reg[ECX], leaf->reg[EDX]);
	fact_object(call->out, NULL);
	fact_hex(call->out, "leaf", leaf->leaf);
	fact_hex(call->out, "index", leaf->index);
	for (unsigned i = 0; i < 4; i++)
		fact_hex(call->out, names[i], leaf->reg[i]);
	fact_end(call->out);
}

static bool is_zero(const struct cpuid_leaf *leaf)
{
	return !(leaf->reg[EAX] | leaf->reg[EBX] | leaf->reg[ECX] | leaf->reg[EDX]);
}

/* All leaves that say something, or all indexes of one. */
static unsigned show_leaves(struct call *call, const struct cpuid *cpuid, bool one, uint64_t which)
{
	unsigned shown = 0;

	fact_list(call->out, "leaves");
	for (unsigned i = 0; i < cpuid->count; i++) {
		if (one ? cpuid->leaf[i].leaf != which : is_zero(&cpuid->leaf[i]))
			continue;
		if (!shown++)
			out_printf(call->out, "  leaf     index  eax      ebx      ecx      edx\n");
		show_leaf(call, &cpuid->leaf[i]);
	}
	fact_end(call->out);
	return shown;
}

static void show_cpuid(struct call *call, const struct cpuid *cpuid)
{
	if (call->arg[1].given) {
		if (!show_leaves(call, cpuid, true, call->arg[1].value))
			out_printf(call->out, "there is no leaf 0x%" PRIx64 "\n",
				   call->arg[1].value);
		return;
	}
	show_model(call, cpuid);
	show_features(call, cpuid);
	if (call->arg[0].given)
		show_leaves(call, cpuid, false, 0);
}

int run_info_cpuid(struct call *call)
{
	struct cpuid *cpuid = malloc(sizeof(*cpuid));
	int count;

	if (!cpuid)
		return error_set(call->err, -ENOMEM, "no memory for the CPUID leaves");
	count = debug_cpuid(call->monitor->debug, call->cpu, cpuid->leaf, LEAVES_MAX);
	cpuid->count = count < 0 ? 0 : (unsigned)count;
	if (count < 0)
		error_set(call->err, count, "CPUID of vCPU %d cannot be read: %s", call->cpu,
			  strerror(-count));
	else
		show_cpuid(call, cpuid);
	free(cpuid);
	return count < 0 ? count : 0;
}
