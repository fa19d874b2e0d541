// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * x87 and vector registers (KVM_GET_XSAVE, KVM_GET_XSAVE2) and XCR0, which says which of them are on.
 *
 * The area is in the standard format, with its components where CPUID's leaf 0xd has them. It may be
 * larger than struct cpu_fpu keeps (tiles, where the process may use them): the rest stays KVM's.
 */
#include "accel/kvm_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(((struct kvm_xsave *)0)->region) == CPU_XSAVE_SIZE, "KVM's XSAVE area");

/* ---- where things are -------------------------------------------------------------------- */

/* AVX-512's registers are the other halves of AVX's. */
static const struct {
	enum xsave_component component;
	const char *features[3];
} components[] = {
	// clang-format off
	{XSAVE_AVX,       {"xsave", "avx"}},
	{XSAVE_OPMASK,    {"xsave", "avx", "avx512f"}},
	{XSAVE_ZMM_HI256, {"xsave", "avx", "avx512f"}},
	{XSAVE_HI16_ZMM,  {"xsave", "avx", "avx512f"}},
	{XSAVE_PKRU,      {"xsave", "pku"}},
	// clang-format on
};

static bool has_features(const struct kvm_cpuid2 *cpuid, const char *const features[3])
{
	for (unsigned i = 0; i < 3 && features[i]; i++)
		if (!kvm_cpuid_has(cpuid, features[i]))
			return false;
	return true;
}

/* EAX: its size, EBX: where it begins, ECX bit 0: it is no part of XCR0 (SDM vol. 2A, CPUID). */
static uint16_t place(const struct kvm_cpuid2 *cpuid, enum xsave_component component)
{
	const struct kvm_cpuid_entry2 *entry = kvm_cpuid_entry(cpuid, 0xd, component);
	unsigned size = xsave_component_size(component);

	if (!entry || entry->eax < size || entry->ecx & 1 || entry->ebx > CPU_XSAVE_SIZE - size)
		return 0;
	return (uint16_t)entry->ebx;
}

void kvm_xsave_layout(const struct kvm_cpuid2 *cpuid, uint16_t layout[XSAVE_COMPONENTS])
{
	memset(layout, 0, XSAVE_COMPONENTS * sizeof(*layout));
	for (size_t i = 0; i < sizeof(components) / sizeof(components[0]); i++)
		if (has_features(cpuid, components[i].features))
			layout[components[i].component] = place(cpuid, components[i].component);
}

int kvm_xsave_prepare(struct kvm_vcpu *vcpu, struct error *err)
{
	vcpu->xsave = calloc(1, kvm_vm_of(vcpu)->xsave_size);
	return vcpu->xsave ? 0 : error_set(err, -ENOMEM, "no memory for a vCPU's registers");
}

/* ---- the area ---------------------------------------------------------------------------- */

static int get_area(struct kvm_vcpu *vcpu)
{
	unsigned long request = kvm_vm_of(vcpu)->xsave2 ? KVM_GET_XSAVE2 : KVM_GET_XSAVE;

	return kvm_vcpu_call(vcpu, request, vcpu->xsave);
}

static int put_area(struct kvm_vcpu *vcpu, const uint8_t *area)
{
	int code = kvm_vm_of(vcpu)->xsave_size > CPU_XSAVE_SIZE ? get_area(vcpu) : 0;

	memcpy(vcpu->xsave, area, CPU_XSAVE_SIZE);
	return code ? code : kvm_vcpu_call(vcpu, KVM_SET_XSAVE, vcpu->xsave);
}

/* ---- XCR0 -------------------------------------------------------------------------------- */

static int get_xcr0(struct kvm_vcpu *vcpu, uint64_t *xcr0)
{
	struct kvm_xcrs xcrs = {0};
	int code;

	*xcr0 = 1; /* what a CPU without XSAVE behaves like: x87, and SSE by CR4 */
	if (!kvm_vm_of(vcpu)->xcrs)
		return 0;
	code = kvm_vcpu_call(vcpu, KVM_GET_XCRS, &xcrs);
	for (uint32_t i = 0; !code && i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++)
		if (xcrs.xcrs[i].xcr == 0)
			*xcr0 = xcrs.xcrs[i].value;
	return code;
}

static int put_xcr0(struct kvm_vcpu *vcpu, uint64_t xcr0)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = xcr0}}};

	return kvm_vm_of(vcpu)->xcrs ? kvm_vcpu_call(vcpu, KVM_SET_XCRS, &xcrs) : 0;
}

/* ---- both -------------------------------------------------------------------------------- */

int kvm_get_fpu(struct kvm_vcpu *vcpu, struct cpu_state *state)
{
	int code = get_area(vcpu);

	if (code)
		return code;
	memcpy(state->fpu.xsave, vcpu->xsave, CPU_XSAVE_SIZE);
	memcpy(state->fpu.component, kvm_vm_of(vcpu)->xsave_layout, sizeof(state->fpu.component));
	return get_xcr0(vcpu, &state->fpu.xcr0);
}

int kvm_put_fpu(struct kvm_vcpu *vcpu, const struct cpu_state *state)
{
	int code = put_area(vcpu, state->fpu.xsave);

	return code ? code : put_xcr0(vcpu, state->fpu.xcr0);
}
