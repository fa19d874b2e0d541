// SPDX-License-Identifier: GPL-3.0-or-later
/* The power-up state, SDM vol. 3A, table 10-1. What the table calls undefined is zero here. */
#include "x86/cpu_state.h"

#include <string.h>

#define APIC_BASE_DEFAULT 0xfee00000ull
#define APIC_BASE_BSP	  (1ull << 8)
#define APIC_BASE_ENABLE  (1ull << 11)

/* Family 6, model and stepping 0: what RDX tells about the processor. */
#define RDX_SIGNATURE 0x600

/* Offsets into the XSAVE area (SDM vol. 1, 13.4). */
#define XSAVE_FCW	0
#define XSAVE_FTW	4
#define XSAVE_MXCSR	24
#define XSAVE_XSTATE_BV 512

static struct cpu_segment segment_at_reset(uint8_t type, bool s)
{
	return (struct cpu_segment){.limit = 0xffff, .type = type, .s = s, .present = 1};
}

static void reset_segments(struct cpu_system *system)
{
	for (int i = SEG_ES; i <= SEG_GS; i++)
		system->seg[i] = segment_at_reset(0x3, true);
	system->seg[SEG_CS] = segment_at_reset(0xb, true);
	system->seg[SEG_CS].selector = 0xf000;
	system->seg[SEG_CS].base = 0xffff0000;
	/* The processor demands a busy TSS in TR, whether or not anybody loaded one. */
	system->seg[SEG_TR] = segment_at_reset(0xb, false);
	system->seg[SEG_LDTR] = segment_at_reset(0x2, false);
	system->gdt.limit = system->idt.limit = 0xffff;
}

/* FCW is not what FNINIT loads, so the x87 component must be marked as present. All eight registers
 * hold +0.0: none is empty. */
static void reset_fpu(struct cpu_fpu *fpu)
{
	static const uint16_t fcw = 0x40;
	static const uint32_t mxcsr = 0x1f80;
	static const uint64_t xstate_bv = 3;

	memcpy(fpu->xsave + XSAVE_FCW, &fcw, sizeof(fcw));
	fpu->xsave[XSAVE_FTW] = 0xff;
	memcpy(fpu->xsave + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(fpu->xsave + XSAVE_XSTATE_BV, &xstate_bv, sizeof(xstate_bv));
	fpu->xcr0 = 1;
}

static void reset_msrs(struct cpu_msrs *msrs)
{
	msrs->value[MSR_SLOT_PAT] = 0x0007040600070406;
	/* Fast strings are on; neither branch trace store nor precise event sampling is there. */
	msrs->value[MSR_SLOT_MISC_ENABLE] = 1 << 0 | 1 << 11 | 1 << 12;
}

void cpu_state_reset(struct cpu_state *state, bool bsp)
{
	struct cpu_state fresh = {.general.rip = 0xfff0,
				  .general.rflags = RFLAGS_FIXED,
				  .general.gpr[GPR_RDX] = RDX_SIGNATURE,
				  .system.cr0 = CR0_CD | CR0_NW | CR0_ET,
				  .system.apic_base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE,
				  .debug.dr6 = 0xffff0ff0,
				  .debug.dr7 = 0x400,
				  .events.run_state = bsp ? CPU_RUNNABLE : CPU_WAIT_INIT};

	if (bsp)
		fresh.system.apic_base |= APIC_BASE_BSP;
	reset_segments(&fresh.system);
	reset_fpu(&fresh.fpu);
	reset_msrs(&fresh.msrs);
	memcpy(fresh.msrs.valid, state->msrs.valid, sizeof(fresh.msrs.valid));
	memcpy(fresh.fpu.component, state->fpu.component, sizeof(fresh.fpu.component));
	*state = fresh;
}
