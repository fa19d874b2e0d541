// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/registers.h"

#include "x86/register_access.h"

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* How a row says where its value lies. */
#define AT(field)                                                                                  \
	.offset = offsetof(struct cpu_state, field),                                               \
	.size = sizeof(((const struct cpu_state *)NULL)->field)
#define AT_XSAVE(at, bytes) .offset = offsetof(struct cpu_state, fpu.xsave) + (at), .size = (bytes)

#define READ(how)	    .get = register_get_##how
#define WRITE(how)	    .writable = true, .set = register_set_##how
#define READ_ONLY	    .writable = false, .set = register_set_refused
#define WORD		    READ(word), WRITE(word)

#define ROW(id, in, width, type, lives, ...)                                                       \
	{                                                                                          \
		.name = (id), .group = (in), .bits = (width), .gdb_type = (type),                  \
		.state = (lives), __VA_ARGS__                                                      \
	}

#define GENERAL(id, type, gpr_name)                                                                \
	ROW(id, REG_CORE, 64, type, CPU_GENERAL, WORD, AT(general.gpr[gpr_name]))
#define SELECTOR(id, segment)                                                                      \
	ROW(id, REG_CORE, 32, "int32", CPU_SYSTEM, READ(word), WRITE(selector),                    \
	    AT(system.seg[segment].selector))

/* The legacy region of the XSAVE area: where things lie is SDM vol. 1, figure 10-2. */
#define X87(id, how, at, bytes)                                                                    \
	ROW(id, REG_CORE, 32, "int", CPU_FPU, READ(fpu), WRITE(how), AT_XSAVE(at, bytes))
#define ST(n)                                                                                      \
	ROW("st" #n, REG_CORE, 80, "i387_ext", CPU_FPU, READ(fpu), WRITE(fpu),                     \
	    AT_XSAVE(32 + 16 * (n), 10))
#define XMM(n)                                                                                     \
	ROW("xmm" #n, REG_SSE, 128, "vec128", CPU_FPU, READ(fpu), WRITE(fpu),                      \
	    AT_XSAVE(160 + 16 * (n), 16))

/* A row for a part of a vector register behind SSE (SDM vol. 1, 13.5). */
#define VECTOR(id, in, width, type, which, at)                                                     \
	ROW(id, in, width, type, CPU_FPU, READ(component), WRITE(component), .component = (which), \
	    .offset = (at), .size = (width) / 8)
#define YMMH(n) VECTOR("ymm" #n "h", REG_AVX, 128, "uint128", XSAVE_AVX, 16 * (n))
#define MASK(n) VECTOR("k" #n, REG_AVX512, 64, "uint64", XSAVE_OPMASK, 8 * (n))
#define ZMMH(n) VECTOR("zmm" #n "h", REG_AVX512, 256, "v2ui128", XSAVE_ZMM_HI256, 32 * (n))
#define HIGH(id, width, type, n, at)                                                               \
	VECTOR(id, REG_AVX512, width, type, XSAVE_HI16_ZMM, 64 * ((n)-16) + (at))
#define HIGH_XMM(n)  HIGH("xmm" #n, 128, "vec128", n, 0)
#define HIGH_YMMH(n) HIGH("ymm" #n "h", 128, "uint128", n, 16)
#define HIGH_ZMMH(n) HIGH("zmm" #n "h", 256, "v2ui128", n, 32)
#define FROM_0(ROW_OF)                                                                             \
	ROW_OF(0), ROW_OF(1), ROW_OF(2), ROW_OF(3), ROW_OF(4), ROW_OF(5), ROW_OF(6), ROW_OF(7)
#define FROM_8(ROW_OF)                                                                             \
	ROW_OF(8), ROW_OF(9), ROW_OF(10), ROW_OF(11), ROW_OF(12), ROW_OF(13), ROW_OF(14), ROW_OF(15)
#define FROM_16(ROW_OF)                                                                            \
	ROW_OF(16), ROW_OF(17), ROW_OF(18), ROW_OF(19), ROW_OF(20), ROW_OF(21), ROW_OF(22),        \
		ROW_OF(23), ROW_OF(24), ROW_OF(25), ROW_OF(26), ROW_OF(27), ROW_OF(28),            \
		ROW_OF(29), ROW_OF(30), ROW_OF(31)

/* A register with named bits, and its twin: a flags-typed register cannot stand in an expression
 * that gdb compiles for the stub, a number can. */
#define TWINS(in, id, width, type, lives, ...)                                                     \
	ROW(id, in, width, type, lives, __VA_ARGS__),                                              \
		ROW(id "_value", in, width, "uint" #width, lives, __VA_ARGS__)
#define CONTROL(reg) READ(word), WRITE(reg), AT(system.reg)

#define BASE(id, in, segment)                                                                      \
	ROW(id, in, 64, "uint64", CPU_SYSTEM, READ(word), WRITE(base), AT(system.seg[segment].base))
#define LIMIT(id, segment)                                                                         \
	ROW(id, REG_DESCRIPTOR, 32, "uint32", CPU_SYSTEM, READ(word), WRITE(limit),                \
	    AT(system.seg[segment].limit))
#define ATTRIBUTES(id, segment)                                                                    \
	TWINS(REG_DESCRIPTOR, id, 32, "vitrine_segment", CPU_SYSTEM, READ(attributes), READ_ONLY,  \
	      AT(system.seg[segment]))
#define SEGMENT(id, segment)                                                                       \
	BASE(id "_base", REG_DESCRIPTOR, segment), LIMIT(id "_limit", segment),                    \
		ATTRIBUTES(id "_attr", segment)
#define SYSTEM_SEGMENT(id, segment)                                                                \
	ROW(id, REG_DESCRIPTOR, 16, "uint16", CPU_SYSTEM, READ(word), READ_ONLY,                   \
	    AT(system.seg[segment].selector)),                                                     \
		SEGMENT(id, segment)
#define TABLE(id, table)                                                                           \
	ROW(id "_base", REG_DESCRIPTOR, 64, "uint64", CPU_SYSTEM, READ(word), WRITE(canonical),    \
	    AT(system.table.base)),                                                                \
		ROW(id "_limit", REG_DESCRIPTOR, 16, "uint16", CPU_SYSTEM, WORD,                   \
		    AT(system.table.limit))

#define DEBUG(id, type, how, field)                                                                \
	ROW(id, REG_DEBUG, 64, type, CPU_DEBUG, READ(word), WRITE(how), AT(debug.field))

#define MSR_IN(in, id, slot)                                                                       \
	ROW(id, in, 64, "uint64", CPU_MSRS, READ(msr), WRITE(msr), AT(msrs.value[MSR_SLOT_##slot]))
#define MSR(id, slot) MSR_IN(REG_MSR, id, slot)
#define MSR_CLOCK(id, slot)                                                                        \
	ROW(id, REG_MSR, 64, "uint64", CPU_MSRS, READ(msr), READ_ONLY,                             \
	    AT(msrs.value[MSR_SLOT_##slot]))

/* Up to gs_base the order is gdb's (gdb's amd64 target description). New registers go to the end of
 * their group; a group's rows stay together. */
// clang-format off
const struct register_desc registers[] = {
	GENERAL("rax", "int64", GPR_RAX),
	GENERAL("rbx", "int64", GPR_RBX),
	GENERAL("rcx", "int64", GPR_RCX),
	GENERAL("rdx", "int64", GPR_RDX),
	GENERAL("rsi", "int64", GPR_RSI),
	GENERAL("rdi", "int64", GPR_RDI),
	GENERAL("rbp", "data_ptr", GPR_RBP),
	GENERAL("rsp", "data_ptr", GPR_RSP),
	GENERAL("r8",  "int64", GPR_R8),
	GENERAL("r9",  "int64", GPR_R9),
	GENERAL("r10", "int64", GPR_R10),
	GENERAL("r11", "int64", GPR_R11),
	GENERAL("r12", "int64", GPR_R12),
	GENERAL("r13", "int64", GPR_R13),
	GENERAL("r14", "int64", GPR_R14),
	GENERAL("r15", "int64", GPR_R15),
	ROW("rip", REG_CORE, 64, "code_ptr", CPU_GENERAL,
	    READ(word), WRITE(rip), AT(general.rip)),
	ROW("eflags", REG_CORE, 32, "i386_eflags", CPU_GENERAL,
	    READ(word), WRITE(rflags), AT(general.rflags)),
	SELECTOR("cs", SEG_CS),
	SELECTOR("ss", SEG_SS),
	SELECTOR("ds", SEG_DS),
	SELECTOR("es", SEG_ES),
	SELECTOR("fs", SEG_FS),
	SELECTOR("gs", SEG_GS),
	FROM_0(ST),
	X87("fctrl", fctrl, 0, 2),
	X87("fstat", fpu, 2, 2),
	ROW("ftag", REG_CORE, 32, "int", CPU_FPU, READ(ftag), WRITE(ftag), AT_XSAVE(4, 1)),
	/* With a 64-bit XSAVE the selectors' places hold bits 32-47 of the offsets instead. */
	X87("fiseg", fpu, 12, 2),
	X87("fioff", fpu, 8, 4),
	X87("foseg", fpu, 20, 2),
	X87("fooff", fpu, 16, 4),
	X87("fop", fop, 6, 2),

	FROM_0(XMM), FROM_8(XMM),
	ROW("mxcsr", REG_SSE, 32, "i386_mxcsr", CPU_FPU, READ(word), WRITE(mxcsr), AT_XSAVE(24, 4)),

	BASE("fs_base", REG_SEGMENTS, SEG_FS),
	BASE("gs_base", REG_SEGMENTS, SEG_GS),

	FROM_0(YMMH), FROM_8(YMMH),

	FROM_0(MASK),
	FROM_0(ZMMH), FROM_8(ZMMH), FROM_16(HIGH_ZMMH),
	FROM_16(HIGH_XMM), FROM_16(HIGH_YMMH),

	VECTOR("pkru", REG_PKEYS, 32, "uint32", XSAVE_PKRU, 0),

	TWINS(REG_CONTROL, "cr0", 64, "vitrine_cr0", CPU_SYSTEM, CONTROL(cr0)),
	ROW("cr2", REG_CONTROL, 64, "uint64", CPU_SYSTEM, WORD, AT(system.cr2)),
	TWINS(REG_CONTROL, "cr3", 64, "vitrine_cr3", CPU_SYSTEM, CONTROL(cr3)),
	TWINS(REG_CONTROL, "cr4", 64, "vitrine_cr4", CPU_SYSTEM, CONTROL(cr4)),
	ROW("cr8", REG_CONTROL, 64, "uint64", CPU_SYSTEM, CONTROL(cr8)),
	TWINS(REG_CONTROL, "efer", 64, "vitrine_efer", CPU_SYSTEM, CONTROL(efer)),
	TWINS(REG_CONTROL, "xcr0", 64, "vitrine_xcr0", CPU_FPU, READ(word), WRITE(xcr0), AT(fpu.xcr0)),
	TWINS(REG_CONTROL, "apic_base", 64, "vitrine_apic_base", CPU_SYSTEM, CONTROL(apic_base)),
	MSR_IN(REG_CONTROL, "k_gs_base", KERNEL_GS_BASE),
	ROW("eflags_value", REG_CONTROL, 32, "uint32", CPU_GENERAL,
	    READ(word), WRITE(rflags), AT(general.rflags)),
	ROW("mxcsr_value", REG_CONTROL, 32, "uint32", CPU_FPU,
	    READ(word), WRITE(mxcsr), AT_XSAVE(24, 4)),

	SEGMENT("es", SEG_ES),
	SEGMENT("cs", SEG_CS),
	SEGMENT("ss", SEG_SS),
	SEGMENT("ds", SEG_DS),
	LIMIT("fs_limit", SEG_FS),
	ATTRIBUTES("fs_attr", SEG_FS),
	LIMIT("gs_limit", SEG_GS),
	ATTRIBUTES("gs_attr", SEG_GS),
	SYSTEM_SEGMENT("tr", SEG_TR),
	SYSTEM_SEGMENT("ldtr", SEG_LDTR),
	TABLE("gdtr", gdt),
	TABLE("idtr", idt),

	DEBUG("dr0", "uint64", word, dr[0]),
	DEBUG("dr1", "uint64", word, dr[1]),
	DEBUG("dr2", "uint64", word, dr[2]),
	DEBUG("dr3", "uint64", word, dr[3]),
	TWINS(REG_DEBUG, "dr6", 64, "vitrine_dr6", CPU_DEBUG, READ(word), WRITE(dr6), AT(debug.dr6)),
	TWINS(REG_DEBUG, "dr7", 64, "vitrine_dr7", CPU_DEBUG, READ(word), WRITE(dr7), AT(debug.dr7)),

	MSR("star", STAR),
	MSR("lstar", LSTAR),
	MSR("cstar", CSTAR),
	MSR("fmask", FMASK),
	MSR("kernel_gs_base", KERNEL_GS_BASE),
	MSR("sysenter_cs", SYSENTER_CS),
	MSR("sysenter_esp", SYSENTER_ESP),
	MSR("sysenter_eip", SYSENTER_EIP),
	MSR("pat", PAT),
	MSR_CLOCK("tsc", TSC),
	MSR("tsc_aux", TSC_AUX),
	MSR("misc_enable", MISC_ENABLE),
	MSR("mtrr_def_type", MTRR_DEF_TYPE),
	MSR_CLOCK("tsc_deadline", TSC_DEADLINE),
};
// clang-format on

const unsigned register_count = ARRAY_SIZE(registers);

static const struct {
	const char *alias, *name;
} aliases[] = {
	{"pc", "rip"}, {"sp", "rsp"}, {"fp", "rbp"}, {"flags", "eflags"}, {"rflags", "eflags"},
};

int register_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (!strcmp(name, aliases[i].alias))
			name = aliases[i].name;
	}
	for (unsigned i = 0; i < register_count; i++) {
		if (!strcmp(name, registers[i].name))
			return (int)i;
	}
	return -1;
}

// clang-format off
static const struct {
	const char *name, *feature;
} groups[REG_GROUP_COUNT] = {
	[REG_CORE]       = {"core", "org.gnu.gdb.i386.core"},
	[REG_SSE]        = {"sse", "org.gnu.gdb.i386.sse"},
	[REG_SEGMENTS]   = {"segments", "org.gnu.gdb.i386.segments"},
	[REG_AVX]        = {"avx", "org.gnu.gdb.i386.avx"},
	[REG_AVX512]     = {"avx512", "org.gnu.gdb.i386.avx512"},
	[REG_PKEYS]      = {"pkeys", "org.gnu.gdb.i386.pkeys"},
	[REG_CONTROL]    = {"control", "org.vitrine.x86.control"},
	[REG_DESCRIPTOR] = {"descriptors", "org.vitrine.x86.descriptors"},
	[REG_DEBUG]      = {"debug", "org.vitrine.x86.debug"},
	[REG_MSR]        = {"msr", "org.vitrine.x86.msr"},
};
// clang-format on

const char *register_group_name(enum register_group group)
{
	return groups[group].name;
}

const char *register_group_gdb_feature(enum register_group group)
{
	return groups[group].feature;
}
