// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout_case.h"
#include "peer.h"

#include <stdlib.h>
#include <string.h>

void enter_mode(struct cpu_state *cpu, enum cpu_mode mode)
{
	unsigned bits = cpu_mode_bits(mode);

	if (mode == MODE_LONG)
		return; /* fake_new() makes it so */
	cpu->system.cr0 = mode == MODE_REAL ? CR0_ET : CR0_ET | CR0_PE;
	cpu->system.efer = 0;
	cpu_segment_flat(&cpu->system.seg[SEG_CS], 8, true, bits);
	cpu_segment_flat(&cpu->system.seg[SEG_SS], 16, false, bits);
	if (mode == MODE_COMPAT32) {
		cpu->system.efer = EFER_LME | EFER_LMA;
		cpu->system.cr0 |= CR0_PG;
	}
	if (mode == MODE_REAL || mode == MODE_V86) {
		cpu_segment_real(&cpu->system.seg[SEG_CS], 0x1000);
		cpu_segment_real(&cpu->system.seg[SEG_SS], 0x2000);
	}
	if (mode == MODE_V86)
		cpu->general.rflags |= RFLAGS_VM;
	cpu->general.rip = 0x20;
	cpu->general.gpr[GPR_RSP] = 0x40;
}

struct peer *peer_in(enum cpu_mode mode, enum gdb_arch wish, const struct gdb_file *file)
{
	struct debug *debug = fake_new(2);
	struct peer *peer;

	enter_mode(&debug->state[0], mode);
	assert_int_equal(cpu_mode(&debug->state[0]), mode);
	peer = peer_new_with(debug, wish, file, file ? 1 : 0);
	peer_send(peer, "QStartNoAckMode");
	peer_take(peer, NULL);
	return peer;
}

char *description(struct peer *peer)
{
	return peer_document(peer, "features:read:target.xml", 0x1fff0);
}

unsigned narrow(const char *name)
{
	static const char *const names[] = {"eax", "ebx", "ecx", "edx", "esi",
					    "edi", "ebp", "esp", "eip"};
	unsigned i = 0;

	while (strcmp(names[i], name))
		i++;
	return register_count + i;
}

bool has_register(const char *xml, const char *name)
{
	return text_count(xml, text("<reg name=\"%s\" ", name));
}

void expect_description(const char *xml, const char *arch, bool names_64, bool names_32)
{
	bool both = names_64 && names_32;

	assert_int_equal(text_count(xml, text("<architecture>%s</architecture>", arch)), 1);
	assert_int_equal(text_count(xml, "<compatible>i386</compatible>"), names_64 && !both);
	assert_int_equal(text_count(xml, "<compatible>i386:x86-64</compatible>"),
			 names_32 && !both);
	assert_int_equal(has_register(xml, "rax"), names_64);
	assert_int_equal(has_register(xml, "rip"), names_64);
	assert_int_equal(has_register(xml, "r15"), names_64);
	assert_int_equal(has_register(xml, "xmm15"), names_64);
	assert_int_equal(has_register(xml, "zmm31h"), names_64);
	assert_int_equal(has_register(xml, "eax"), names_32);
	assert_int_equal(has_register(xml, "eip"), names_32);
	assert_true(has_register(xml, "xmm7") && has_register(xml, "cr0_value"));
	assert_int_equal(text_count(xml, "\"org.gnu.gdb.i386.segments\""), !names_32);
	/* Pointers are as wide as gdb's idea of the processor. */
	assert_int_equal(text_count(xml, "code_ptr") + text_count(xml, "data_ptr"), both ? 0 : 3);
}
