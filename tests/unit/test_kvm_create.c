// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Creating a machine under KVM: each way to fail ends in one sentence that says what to do, and leaves
 * nothing behind. And -cpu's feature list.
 */
#include "accel/kvm_private.h"
#include "bare_vm.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void expect_failure(const struct accel_config *config, int code, const char *words)
{
	unsigned before = open_files();
	struct accel_vm *vm = (void *)1;
	struct error err = {0};

	assert_int_equal(accel_kvm.vm_create(config, &vm, &err), code);
	assert_null(vm);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_int_equal(open_files(), before);
}

static void need_kvm(void)
{
	if (!bare_available(&accel_kvm))
		skip();
}

/* ---- the device ------------------------------------------------------------------------- */

static void says_how_to_get_a_missing_device(void **unused)
{
	struct accel_config config = {.vcpus = 1, .device = "/dev/no-such-kvm"};

	(void)unused;
	expect_failure(&config, -ENOENT, "/dev/no-such-kvm");
	expect_failure(&config, -ENOENT, "modprobe kvm_intel");
	expect_failure(&config, -ENOENT, "firmware");
}

static void notices_that_the_device_is_another(void **unused)
{
	struct accel_config config = {.vcpus = 1, .device = "/dev/null"};

	(void)unused;
	expect_failure(&config, -ENOTTY, "KVM_GET_API_VERSION failed");
	expect_failure(&config, -ENOTTY, "/dev/null is not the KVM device");
}

static void checks_the_api_version(void **unused)
{
	struct error err = {0};

	(void)unused;
	assert_int_equal(kvm_check_api_version(12, &err), 0);
	assert_int_equal(kvm_check_api_version(10, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "version 10"));
	assert_non_null(strstr(err.text, "version 12"));
	assert_int_equal(kvm_check_api_version(13, &err), -ENOTSUP);
}

/* In a child, because it gives up being root. */
static int try_without_permission(const char *path)
{
	struct accel_config config = {.vcpus = 1, .device = path};
	struct accel_vm *vm;
	struct error err = {0};

	if (geteuid() == 0 && setuid(65534) < 0)
		return 2;
	if (accel_kvm.vm_create(&config, &vm, &err) != -EACCES)
		return 3;
	return strstr(err.text, "add yourself to the group kvm") ? 0 : 4;
}

static void says_how_to_get_permission(void **unused)
{
	char path[] = "/tmp/vitrine-test-XXXXXX";
	int file = mkstemp(path), status = 0;
	pid_t child;

	(void)unused;
	assert_true(file >= 0);
	assert_int_equal(fchmod(file, 0), 0);
	child = fork();
	if (child == 0)
		_exit(try_without_permission(path));
	waitpid(child, &status, 0);
	close(file);
	unlink(path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void refuses_too_many_vcpus(void **unused)
{
	struct accel_config config = {.vcpus = 999999, .irqchip = true};

	(void)unused;
	need_kvm();
	expect_failure(&config, -EINVAL, "at most");
	expect_failure(&config, -EINVAL, "not 999999; use -smp");
}

static void refuses_many_vcpus_without_controllers(void **unused)
{
	struct accel_config config = {.vcpus = 2};

	(void)unused;
	need_kvm();
	expect_failure(&config, -EINVAL, "leave -irqchip=user away");
}

static void refuses_bad_features(void **unused)
{
	struct accel_config config = {.vcpus = 1, .cpu_features = "max,-flying"};

	(void)unused;
	need_kvm();
	expect_failure(&config, -EINVAL, "no feature flying");
	config.cpu_features = "pentium";
	expect_failure(&config, -EINVAL, "no model pentium");
}

static void creates_and_destroys(void **unused)
{
	unsigned before = open_files();
	struct accel_config config = {.vcpus = 2, .irqchip = true, .cpu_features = "host,-avx2"};
	struct accel_vm *vm;
	struct accel_vcpu *vcpu[2], *again;
	struct error err = {0};

	(void)unused;
	need_kvm();
	assert_int_equal(accel_kvm.vm_create(&config, &vm, &err), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(accel_kvm.vcpu_create(vm, i, &vcpu[i], &err), 0);
	/* A number that is taken. */
	assert_int_equal(accel_kvm.vcpu_create(vm, 1, &again, &err), -EEXIST);
	assert_null(again);
	assert_non_null(strstr(err.text, "KVM_CREATE_VCPU failed"));
	for (int i = 0; i < 2; i++)
		accel_kvm.vcpu_destroy(vcpu[i]);
	accel_kvm.vm_destroy(vm);
	assert_int_equal(open_files(), before);
}

/* ---- what the CPUs claim ---------------------------------------------------------------- */

union full_table {
	struct kvm_cpuid2 cpuid;
	uint8_t room[sizeof(struct kvm_cpuid2) + 256 * sizeof(struct kvm_cpuid_entry2)];
};

static void read_cpuid(struct accel_vcpu *vcpu, union full_table *table)
{
	table->cpuid.nent = 256;
	assert_int_equal(kvm_vcpu_call(to_kvm_vcpu(vcpu), KVM_GET_CPUID2, table), 0);
}

static struct kvm_cpuid_entry2 *leaf(union full_table *table, uint32_t function)
{
	for (uint32_t i = 0; i < table->cpuid.nent; i++)
		if (table->cpuid.entries[i].function == function)
			return &table->cpuid.entries[i];
	return NULL;
}

static void processors_know_their_numbers(void **unused)
{
	struct accel_config config = {.vcpus = 3, .irqchip = true};
	struct error err = {0};
	struct accel_vm *vm;

	(void)unused;
	need_kvm();
	assert_int_equal(accel_kvm.vm_create(&config, &vm, &err), 0);
	for (int i = 0; i < 3; i++) {
		static union full_table table;
		struct accel_vcpu *vcpu;

		assert_int_equal(accel_kvm.vcpu_create(vm, i, &vcpu, &err), 0);
		read_cpuid(vcpu, &table);
		assert_int_equal(leaf(&table, 1)->ebx >> 24, i);
		assert_int_equal(leaf(&table, 1)->ebx >> 16 & 0xff, 1);
		assert_true(leaf(&table, 1)->edx & 1u << 9);
		if (leaf(&table, 0xb))
			assert_int_equal(leaf(&table, 0xb)->edx, i);
		if (leaf(&table, 0x8000001e))
			assert_int_equal(leaf(&table, 0x8000001e)->eax, i);
		accel_kvm.vcpu_destroy(vcpu);
	}
	accel_kvm.vm_destroy(vm);
}

static void no_apic_without_controllers(void **unused)
{
	struct accel_config config = {.vcpus = 1};
	static union full_table table;
	struct error err = {0};
	struct accel_vm *vm;
	struct accel_vcpu *vcpu;

	(void)unused;
	need_kvm();
	assert_int_equal(accel_kvm.vm_create(&config, &vm, &err), 0);
	assert_int_equal(accel_kvm.vcpu_create(vm, 0, &vcpu, &err), 0);
	read_cpuid(vcpu, &table);
	assert_false(leaf(&table, 1)->edx & 1u << 9);
	assert_false(leaf(&table, 1)->ecx & (1u << 21 | 1u << 24));
	assert_true(leaf(&table, 1)->ecx & 1u << 31); /* a hypervisor it is */
	accel_kvm.vcpu_destroy(vcpu);
	accel_kvm.vm_destroy(vm);
}

/* ---- -cpu ------------------------------------------------------------------------------- */

enum { LEAVES = 3 };

union table {
	struct kvm_cpuid2 cpuid;
	uint8_t room[sizeof(struct kvm_cpuid2) + LEAVES * sizeof(struct kvm_cpuid_entry2)];
};

static int apply(union table *table, const char *features, struct error *err)
{
	static const struct kvm_cpuid_entry2 entries[LEAVES] = {
		{.function = 1, .ecx = 1u << 28 | 1u << 26 | 1u << 19, .edx = 1u << 25},
		{.function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = 1u << 5},
		{.function = 7,
		 .index = 1,
		 .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		 .eax = 1 << 4},
	};

	table->cpuid.nent = LEAVES;
	memcpy(table->cpuid.entries, entries, sizeof(entries));
	return kvm_cpuid_features(&table->cpuid, features, err);
}

static void takes_features_away(void **unused)
{
	union table table;
	struct kvm_cpuid_entry2 *entries = table.cpuid.entries;
	struct error err = {0};

	(void)unused;
	assert_int_equal(apply(&table, "max", &err), 0);
	assert_int_equal(entries[1].ebx, 1u << 5);
	assert_int_equal(apply(&table, "max,-avx2,-sse4.1", &err), 0);
	assert_int_equal(entries[0].ecx, 1u << 28 | 1u << 26);
	assert_int_equal(entries[0].edx, 1u << 25);
	assert_int_equal(entries[1].ebx, 0);
	assert_int_equal(entries[2].eax, 1u << 4);
	assert_int_equal(apply(&table, "host,-avx-vnni,-sse", &err), 0);
	assert_int_equal(entries[0].edx, 0);
	assert_int_equal(entries[1].ebx, 1u << 5);
	assert_int_equal(entries[2].eax, 0);
	assert_int_equal(apply(&table, "max,-clzero", &err), 0); /* not there anyway */
}

static void insists_on_features(void **unused)
{
	union table table;
	struct error err = {0};

	(void)unused;
	assert_int_equal(apply(&table, "max,+avx2,avx", &err), 0);
	assert_int_equal(apply(&table, "max,+aes", &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "no CPU feature aes"));
	assert_int_equal(apply(&table, "max,+clzero", &err), -ENOTSUP);
	assert_int_equal(apply(&table, "max,-avx2,+avx2", &err), -ENOTSUP);
}

static void refuses_malformed_lists(void **unused)
{
	static const char *const lists[] = {"",	     "ma",    "maxi",	 "hostess",   "max,",
					    "max,,", "max,-", "max,+",	 "max,avx22", "max,-av",
					    ",max",  "-avx",  "max -avx"};
	union table table;
	struct error err = {0};

	(void)unused;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (apply(&table, lists[i], &err) != -EINVAL)
			fail_msg("\"%s\" was accepted", lists[i]);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(says_how_to_get_a_missing_device),
		T(notices_that_the_device_is_another),
		T(checks_the_api_version),
		T(says_how_to_get_permission),
		T(refuses_too_many_vcpus),
		T(refuses_many_vcpus_without_controllers),
		T(refuses_bad_features),
		T(creates_and_destroys),
		T(processors_know_their_numbers),
		T(no_apic_without_controllers),
		T(takes_features_away),
		T(insists_on_features),
		T(refuses_malformed_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
