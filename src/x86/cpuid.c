// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/cpuid.h"

#include <string.h>

static const struct cpuid_feature features[] = {
	// clang-format off
	{"sse3",           1,          0, ECX, 0},
	{"pclmulqdq",      1,          0, ECX, 1},
	{"monitor",        1,          0, ECX, 3},
	{"vmx",            1,          0, ECX, 5},
	{"ssse3",          1,          0, ECX, 9},
	{"fma",            1,          0, ECX, 12},
	{"cx16",           1,          0, ECX, 13},
	{"pcid",           1,          0, ECX, 17},
	{"sse4.1",         1,          0, ECX, 19},
	{"sse4.2",         1,          0, ECX, 20},
	{"x2apic",         1,          0, ECX, 21},
	{"movbe",          1,          0, ECX, 22},
	{"popcnt",         1,          0, ECX, 23},
	{"tsc-deadline",   1,          0, ECX, 24},
	{"aes",            1,          0, ECX, 25},
	{"xsave",          1,          0, ECX, 26},
	{"avx",            1,          0, ECX, 28},
	{"f16c",           1,          0, ECX, 29},
	{"rdrand",         1,          0, ECX, 30},
	{"hypervisor",     1,          0, ECX, 31},
	{"fpu",            1,          0, EDX, 0},
	{"vme",            1,          0, EDX, 1},
	{"de",             1,          0, EDX, 2},
	{"pse",            1,          0, EDX, 3},
	{"tsc",            1,          0, EDX, 4},
	{"msr",            1,          0, EDX, 5},
	{"pae",            1,          0, EDX, 6},
	{"mce",            1,          0, EDX, 7},
	{"cx8",            1,          0, EDX, 8},
	{"apic",           1,          0, EDX, 9},
	{"sep",            1,          0, EDX, 11},
	{"mtrr",           1,          0, EDX, 12},
	{"pge",            1,          0, EDX, 13},
	{"mca",            1,          0, EDX, 14},
	{"cmov",           1,          0, EDX, 15},
	{"pat",            1,          0, EDX, 16},
	{"pse36",          1,          0, EDX, 17},
	{"clflush",        1,          0, EDX, 19},
	{"mmx",            1,          0, EDX, 23},
	{"fxsr",           1,          0, EDX, 24},
	{"sse",            1,          0, EDX, 25},
	{"sse2",           1,          0, EDX, 26},
	{"ht",             1,          0, EDX, 28},
	{"arat",           6,          0, EAX, 2},
	{"fsgsbase",       7,          0, EBX, 0},
	{"bmi1",           7,          0, EBX, 3},
	{"avx2",           7,          0, EBX, 5},
	{"smep",           7,          0, EBX, 7},
	{"bmi2",           7,          0, EBX, 8},
	{"erms",           7,          0, EBX, 9},
	{"invpcid",        7,          0, EBX, 10},
	{"rtm",            7,          0, EBX, 11},
	{"mpx",            7,          0, EBX, 14},
	{"avx512f",        7,          0, EBX, 16},
	{"avx512dq",       7,          0, EBX, 17},
	{"rdseed",         7,          0, EBX, 18},
	{"adx",            7,          0, EBX, 19},
	{"smap",           7,          0, EBX, 20},
	{"clflushopt",     7,          0, EBX, 23},
	{"clwb",           7,          0, EBX, 24},
	{"avx512cd",       7,          0, EBX, 28},
	{"sha-ni",         7,          0, EBX, 29},
	{"avx512bw",       7,          0, EBX, 30},
	{"avx512vl",       7,          0, EBX, 31},
	{"avx512vbmi",     7,          0, ECX, 1},
	{"umip",           7,          0, ECX, 2},
	{"pku",            7,          0, ECX, 3},
	{"gfni",           7,          0, ECX, 8},
	{"vaes",           7,          0, ECX, 9},
	{"vpclmulqdq",     7,          0, ECX, 10},
	{"la57",           7,          0, ECX, 16},
	{"rdpid",          7,          0, ECX, 22},
	{"fsrm",           7,          0, EDX, 4},
	{"spec-ctrl",      7,          0, EDX, 26},
	{"arch-caps",      7,          0, EDX, 29},
	{"ssbd",           7,          0, EDX, 31},
	{"avx-vnni",       7,          1, EAX, 4},
	{"xsaveopt",       0xd,        1, EAX, 0},
	{"xsavec",         0xd,        1, EAX, 1},
	{"xgetbv1",        0xd,        1, EAX, 2},
	{"xsaves",         0xd,        1, EAX, 3},
	{"lahf-lm",        0x80000001, 0, ECX, 0},
	{"svm",            0x80000001, 0, ECX, 2},
	{"abm",            0x80000001, 0, ECX, 5},
	{"sse4a",          0x80000001, 0, ECX, 6},
	{"misalignsse",    0x80000001, 0, ECX, 7},
	{"3dnowprefetch",  0x80000001, 0, ECX, 8},
	{"osvw",           0x80000001, 0, ECX, 9},
	{"xop",            0x80000001, 0, ECX, 11},
	{"fma4",           0x80000001, 0, ECX, 16},
	{"topoext",        0x80000001, 0, ECX, 22},
	{"perfctr-core",   0x80000001, 0, ECX, 23},
	{"syscall",        0x80000001, 0, EDX, 11},
	{"nx",             0x80000001, 0, EDX, 20},
	{"mmxext",         0x80000001, 0, EDX, 22},
	{"fxsr-opt",       0x80000001, 0, EDX, 25},
	{"pdpe1gb",        0x80000001, 0, EDX, 26},
	{"rdtscp",         0x80000001, 0, EDX, 27},
	{"lm",             0x80000001, 0, EDX, 29},
	{"invtsc",         0x80000007, 0, EDX, 8},
	{"clzero",         0x80000008, 0, EBX, 0},
	{"xsaveerptr",     0x80000008, 0, EBX, 2},
	{"wbnoinvd",       0x80000008, 0, EBX, 9},
	{"ibpb",           0x80000008, 0, EBX, 12},
	{"kvmclock",       0x40000001, 0, EAX, 3},
	{"kvm-asyncpf",    0x40000001, 0, EAX, 4},
	{"kvm-steal-time", 0x40000001, 0, EAX, 5},
	{"kvm-pv-eoi",     0x40000001, 0, EAX, 6},
	{"kvm-pv-unhalt",  0x40000001, 0, EAX, 7},
	// clang-format on
};

#define FEATURE_COUNT (sizeof(features) / sizeof(features[0]))

const struct cpuid_feature *cpuid_feature_named(const char *name, size_t length)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (strlen(features[i].name) == length && !strncmp(features[i].name, name, length))
			return &features[i];
	return NULL;
}

const char *cpuid_feature_name(uint32_t leaf, uint32_t index, enum cpuid_register reg, unsigned bit)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct cpuid_feature *feature = &features[i];

		if (feature->leaf == leaf && feature->index == index && feature->reg == reg &&
		    feature->bit == bit)
			return feature->name;
	}
	return NULL;
}

const struct cpuid_feature *cpuid_feature(size_t index)
{
	return index < FEATURE_COUNT ? &features[index] : NULL;
}

const struct cpuid_leaf *cpuid_find(const struct cpuid_leaf *leaves, size_t count, uint32_t leaf,
				    uint32_t index)
{
	for (size_t i = 0; i < count; i++)
		if (leaves[i].leaf == leaf && (!leaves[i].indexed || leaves[i].index == index))
			return &leaves[i];
	return NULL;
}
