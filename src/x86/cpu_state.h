/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The architectural state of one x86-64 CPU, in neutral form. No KVM type appears here, so that the
 * register table, the page walk, the loaders and the tests work on any accelerator.
 *
 * State is cut into groups, because fetching a group from an accelerator costs a system call: ask
 * for the groups you need, and no others.
 */
#ifndef X86_CPU_STATE_H
#define X86_CPU_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum cpu_group {
	CPU_GENERAL = 1 << 0, /* general registers, RIP, RFLAGS */
	CPU_SYSTEM = 1 << 1,  /* segments, descriptor tables, control registers, EFER */
	CPU_FPU = 1 << 2,     /* the XSAVE area and XCR0 */
	CPU_DEBUG = 1 << 3,   /* the guest's own DR0-DR3, DR6, DR7 */
	CPU_MSRS = 1 << 4,    /* the MSRs of x86/msr.h */
	CPU_EVENTS = 1 << 5,  /* pending and injected exceptions, interrupts, NMIs; run state */
	CPU_ALL = (1 << 6) - 1,
};

/* In the order in which instructions encode them (SDM vol. 2A, table 2-2). */
enum cpu_gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R9,
	GPR_R10,
	GPR_R11,
	GPR_R12,
	GPR_R13,
	GPR_R14,
	GPR_R15,
	GPR_COUNT
};

struct cpu_general {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip; /* an offset into CS, not a linear address */
	uint64_t rflags;
};

/* A segment register with its hidden part (SDM vol. 3A, 3.4.3). */
struct cpu_segment {
	uint64_t base;
	uint32_t limit; /* in bytes, already scaled by G */
	uint16_t selector;
	uint8_t type, present, dpl, db, s, l, g, avl;
	uint8_t unusable;
};

struct cpu_table {
	uint64_t base;
	uint16_t limit;
};

/* The order of the first six is the instructions' (SDM vol. 2A, table "sreg"). */
enum cpu_segment_name {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_TR,
	SEG_LDTR,
	SEG_COUNT
};

struct cpu_system {
	struct cpu_segment seg[SEG_COUNT];
	struct cpu_table gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, cr8;
	uint64_t efer;
	uint64_t apic_base;
};

/* State components, by their bits in XCR0 and XSTATE_BV (SDM vol. 1, 13.1). */
enum xsave_component {
	XSAVE_X87,
	XSAVE_SSE,
	XSAVE_AVX,
	XSAVE_OPMASK = 5,
	XSAVE_ZMM_HI256,
	XSAVE_HI16_ZMM,
	XSAVE_PKRU = 9,
	XSAVE_COMPONENTS
};

#define CPU_XSAVE_SIZE 4096

struct cpu_fpu {
	/* In the standard format (SDM vol. 1, 13.4). What does not fit, the accelerator keeps. */
	uint8_t xsave[CPU_XSAVE_SIZE] __attribute__((aligned(64)));
	uint64_t xcr0;
	/* Where a component lies in the area, as CPUID's leaf 0xd has it; 0: this CPU lacks it, or it is
	 * x87 or SSE, which all have at the beginning. As msrs.valid this describes the CPU: it is read
	 * and never written. */
	uint16_t component[XSAVE_COMPONENTS];
};

/* How many bytes of the area it is; 0 for a number that is none. */
unsigned xsave_component_size(enum xsave_component component);

struct cpu_debug {
	uint64_t dr[4];
	uint64_t dr6, dr7;
};

/* Rows of the MSR table in x86/msr.c. */
enum cpu_msr {
	MSR_SLOT_STAR,
	MSR_SLOT_LSTAR,
	MSR_SLOT_CSTAR,
	MSR_SLOT_FMASK,
	MSR_SLOT_KERNEL_GS_BASE,
	MSR_SLOT_SYSENTER_CS,
	MSR_SLOT_SYSENTER_ESP,
	MSR_SLOT_SYSENTER_EIP,
	MSR_SLOT_PAT,
	MSR_SLOT_TSC,
	MSR_SLOT_TSC_AUX,
	MSR_SLOT_MISC_ENABLE,
	MSR_SLOT_MTRR_DEF_TYPE,
	MSR_SLOT_TSC_DEADLINE,
	MSR_SLOT_COUNT
};

struct cpu_msrs {
	uint64_t value[MSR_SLOT_COUNT];
	bool valid[MSR_SLOT_COUNT]; /* false: this host's accelerator does not know the MSR */
};

enum cpu_run_state { CPU_RUNNABLE, CPU_HALTED, CPU_WAIT_INIT, CPU_WAIT_SIPI };

/* What the CPU was about to deliver (KVM API, KVM_GET_VCPU_EVENTS). */
struct cpu_events {
	struct {
		bool injected, pending, has_error_code, has_payload;
		uint8_t vector;
		uint32_t error_code;
		uint64_t payload;
	} exception;
	struct {
		bool injected, soft;
		uint8_t vector, shadow; /* shadow: bit 0 after mov ss, bit 1 after sti */
	} interrupt;
	struct {
		bool injected, pending, masked;
	} nmi;
	struct {
		bool smm, pending, inside_nmi, latched_init;
	} smi;
	uint32_t sipi_vector;
	bool triple_fault_pending;
	enum cpu_run_state run_state;
};

struct cpu_state {
	struct cpu_general general;
	struct cpu_system system;
	struct cpu_fpu fpu;
	struct cpu_debug debug;
	struct cpu_msrs msrs;
	struct cpu_events events;
};

/* Bits that code outside the tables needs by name. */
#define RFLAGS_CF    (1u << 0)
#define RFLAGS_ZF    (1u << 6)
#define RFLAGS_FIXED (1u << 1)
#define RFLAGS_TF    (1u << 8)
#define RFLAGS_IF    (1u << 9)
#define RFLAGS_DF    (1u << 10)
#define RFLAGS_RF    (1u << 16)
#define RFLAGS_VM    (1u << 17)
#define CR0_PE	     (1ull << 0)
#define CR0_MP	     (1ull << 1)
#define CR0_ET	     (1ull << 4)
#define CR0_NE	     (1ull << 5)
#define CR0_WP	     (1ull << 16)
#define CR0_NW	     (1ull << 29)
#define CR0_CD	     (1ull << 30)
#define CR0_PG	     (1ull << 31)
#define CR4_PSE	     (1ull << 4)
#define CR4_PAE	     (1ull << 5)
#define CR4_PGE	     (1ull << 7)
#define CR4_OSFXSR   (1ull << 9)
#define CR4_LA57     (1ull << 12)
#define CR4_PCIDE    (1ull << 17)
#define CR4_CET	     (1ull << 23)
#define EFER_SCE     (1ull << 0)
#define EFER_LME     (1ull << 8)
#define EFER_LMA     (1ull << 10)
#define EFER_NXE     (1ull << 11)

/* The state after power-up (SDM vol. 3A, table 10-1): real mode, CS:IP = f000:fff0.
 * bsp: the bootstrap processor is runnable; the others wait for INIT, and then for a startup IPI.
 * msrs.valid and fpu.component are kept, since they describe the CPU: zero a state that was never filled. */
void cpu_state_reset(struct cpu_state *state, bool bsp);

#endif
