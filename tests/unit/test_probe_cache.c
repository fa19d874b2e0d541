// SPDX-License-Identifier: GPL-3.0-or-later
/* What is kept of a host, and when it is not trusted. */
#include "probe_case.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "accel/dummy.h"
#include "debug/probe.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct accel_ops known; /* the dummy, as a host that can be recognised */

static unsigned vms; /* that were made */

static struct accel_host known_host = {.device = "/dev/kvm",
				       .module = "kvm_some",
				       .parameters = "kvm.a=1 kvm_some.nested=Y",
				       .processor = "GenuineIntel family 6",
				       .repeatable = true};

static void tell_known_host(const struct accel_config *config, struct accel_host *host)
{
	(void)config;
	*host = known_host;
}

static int count_vm(const struct accel_config *config, struct accel_vm **vm, struct error *err)
{
	vms++;
	return accel_dummy.vm_create(config, vm, err);
}

struct kept_at {
	char folder[PATH_MAX / 2], path[PATH_MAX];
};

static struct kept_at new_kept_at(void)
{
	const char *tmp = getenv("TMPDIR");
	struct kept_at place;

	snprintf(place.folder, sizeof(place.folder), "%s/probe-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place.folder));
	snprintf(place.path, sizeof(place.path), "%s/cache/vitrine/capabilities", place.folder);
	return place;
}

static void remove_place(const struct kept_at *place)
{
	char command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	assert_int_equal(system(command), 0);
}

static size_t read_all(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t n;

	assert_non_null(file);
	n = fread(buf, 1, size, file);
	fclose(file);
	return n;
}

static void write_all(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

/* How many VMs were made to answer. */
static unsigned know(const struct kept_at *place, bool afresh, struct dummy_config *dummy,
		     struct debug_capabilities *found)
{
	struct machine_config config = {.accel = &known, .dummy = dummy};
	struct error err = {0};

	known = accel_dummy;
	known.host = tell_known_host;
	known.vm_create = count_vm;
	vms = 0;
	if (core_know_host(&config, place->path, afresh, found, &err) != 0)
		fail_msg("%s", err.text);
	return vms;
}

static void test_answers_are_kept(void **state)
{
	struct dummy_config dummy = {.int3 = DUMMY_INT3_EMULATION_FAILURE, .no_watches = true};
	struct debug_capabilities asked, recalled;
	struct kept_at place = new_kept_at();
	struct stat st;

	(void)state;
	assert_true(know(&place, false, &dummy, &asked) > 0);
	assert_int_equal(know(&place, false, NULL, &recalled), 0);
	assert_memory_equal(&asked, &recalled, sizeof(asked));
	assert_int_equal(stat(place.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(know(&place, true, NULL, &recalled) > 0);
	assert_true(recalled.watch_write[CAP_LONG]);
	assert_int_equal(know(&place, false, &dummy, &recalled), 0);
	assert_true(recalled.watch_write[CAP_LONG]);
	remove_place(&place);
}

static unsigned count_files(const struct kept_at *place)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s", place->path);
	*strrchr(folder, '/') = '\0';
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void test_one_file_and_no_rubbish(void **state)
{
	struct debug_capabilities found;
	struct kept_at place = new_kept_at();

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		know(&place, true, NULL, &found);
	assert_int_equal(count_files(&place), 1);
	remove_place(&place);
}

static void test_damage(void **state)
{
	static char good[16384], bad[2 * 16384];
	struct debug_capabilities found;
	struct kept_at place = new_kept_at();
	size_t size;

	(void)state;
	know(&place, false, NULL, &found);
	size = read_all(place.path, good, sizeof(good));
	assert_true(size > 500 && size < 4096);
	for (size_t i = 0; i < size; i++) {
		memcpy(bad, good, size);
		bad[i] ^= 1 << i % 8;
		write_all(place.path, bad, size);
		if (cache_load(place.path, &known_host, &found))
			fail_msg("byte %zu was changed, and nobody minded", i);
		write_all(place.path, good, i);
		if (cache_load(place.path, &known_host, &found))
			fail_msg("cut behind byte %zu, and nobody minded", i);
	}
	memcpy(bad, good, size);
	memset(bad + size, '\n', sizeof(bad) - size);
	write_all(place.path, bad, size + 1);
	assert_false(cache_load(place.path, &known_host, &found));
	write_all(place.path, bad, sizeof(bad));
	assert_false(cache_load(place.path, &known_host, &found));
	assert_true(know(&place, false, NULL, &found) > 0);
	assert_int_equal(know(&place, false, NULL, &found), 0);
	remove_place(&place);
}

/* The sum is right, the words are not. */
static void test_another_version_with_a_right_sum(void **state)
{
	static char text[16384];
	struct debug_capabilities found;
	struct kept_at place = new_kept_at();
	uint64_t sum = 0xcbf29ce484222325;
	size_t size;
	char *line;

	(void)state;
	know(&place, false, NULL, &found);
	size = read_all(place.path, text, sizeof(text) - 1);
	line = strstr(text, "single_step yes");
	assert_non_null(line);
	for (unsigned round = 0; round < 2; round++) {
		text[size] = '\0';
		sum = 0xcbf29ce484222325;
		for (char *c = text; c < strstr(text, "sum "); c++)
			sum = (sum ^ (uint8_t)*c) * 0x100000001b3;
		snprintf(strstr(text, "sum "), 32, "sum %016llx\n", (unsigned long long)sum);
		write_all(place.path, text, size);
		assert_int_equal(cache_load(place.path, &known_host, &found), round == 0);
		line[0] = 'S';
	}
	remove_place(&place);
}

static void test_other_hosts(void **state)
{
	static const char *const modules[] = {"kvm_som", "kvm_somf", "kvm_some2", ""};
	struct debug_capabilities found;
	struct kept_at place = new_kept_at();
	struct accel_host other;

	(void)state;
	know(&place, false, NULL, &found);
	assert_true(cache_load(place.path, &known_host, &found));
	for (unsigned i = 0; i < 4; i++) {
		other = known_host;
		strcpy(other.module, modules[i]);
		assert_false(cache_load(place.path, &other, &found));
	}
	other = known_host;
	strcpy(other.parameters, "kvm.a=1 kvm_some.nested=N");
	assert_false(cache_load(place.path, &other, &found));
	other = known_host;
	strcpy(other.processor, "GenuineIntel family 7");
	assert_false(cache_load(place.path, &other, &found));
	other = known_host;
	strcpy(other.hypervisor, "KVM");
	assert_false(cache_load(place.path, &other, &found));
	other = known_host;
	other.device = "/dev/kvm2";
	assert_false(cache_load(place.path, &other, &found));
	other = known_host;
	other.repeatable = false;
	assert_false(cache_load(place.path, &other, &found));
	assert_int_equal(cache_save(place.path, &other, &found), -EINVAL);
	remove_place(&place);
}

/* Files that may be somebody else's, and things that are no files. None of them may hang. */
static void test_what_is_not_trusted(void **state)
{
	struct debug_capabilities found;
	struct kept_at place = new_kept_at();
	char aside[PATH_MAX + 8];

	(void)state;
	know(&place, false, NULL, &found);
	assert_int_equal(chmod(place.path, 0666), 0);
	assert_false(cache_load(place.path, &known_host, &found));
	assert_int_equal(chmod(place.path, 0620), 0);
	assert_false(cache_load(place.path, &known_host, &found));
	assert_int_equal(chmod(place.path, 0644), 0);
	assert_true(cache_load(place.path, &known_host, &found));
	snprintf(aside, sizeof(aside), "%s.aside", place.path);
	assert_int_equal(rename(place.path, aside), 0);
	assert_int_equal(symlink(aside, place.path), 0);
	assert_false(cache_load(place.path, &known_host, &found));
	assert_int_equal(unlink(place.path), 0);
	assert_int_equal(mkfifo(place.path, 0600), 0);
	assert_false(cache_load(place.path, &known_host, &found));
	assert_int_equal(unlink(place.path), 0);
	assert_int_equal(mkdir(place.path, 0700), 0);
	assert_false(cache_load(place.path, &known_host, &found));
	assert_true(know(&place, false, NULL, &found) > 0);
	assert_true(cache_save(place.path, &known_host, &found) < 0);
	assert_int_equal(count_files(&place), 2);
	remove_place(&place);
}

static void test_no_place_to_keep_them(void **state)
{
	struct debug_capabilities found;
	struct kept_at place = new_kept_at(), file = place;

	(void)state;
	snprintf(file.path, sizeof(file.path), "%s/file/vitrine/capabilities", place.folder);
	snprintf(place.path, sizeof(place.path), "%s/file", place.folder);
	write_all(place.path, "x", 1);
	assert_true(know(&file, false, NULL, &found) > 0);
	assert_true(know(&file, false, NULL, &found) > 0);
	EXPECT(found, step, true);
	remove_place(&place);
}

/* What the dummy says is what a test told it. */
static void test_the_dummy_is_never_kept(void **state)
{
	struct machine_config config = {.accel = &accel_dummy};
	struct debug_capabilities found;
	struct kept_at place = new_kept_at();
	struct error err = {0};

	(void)state;
	assert_int_equal(core_know_host(&config, place.path, true, &found, &err), 0);
	assert_int_equal(access(place.path, F_OK), -1);
	remove_place(&place);
}

static void test_where_they_are_kept(void **state)
{
	char path[128], small[10];

	(void)state;
	setenv("HOME", "/home/somebody", 1);
	setenv("XDG_CACHE_HOME", "/var/tmp/cache", 1);
	assert_true(debug_cache_path(path, sizeof(path)));
	assert_string_equal(path, "/var/tmp/cache/vitrine/capabilities");
	assert_false(debug_cache_path(small, sizeof(small)));
	setenv("XDG_CACHE_HOME", "relative", 1);
	assert_true(debug_cache_path(path, sizeof(path)));
	assert_string_equal(path, "/home/somebody/.cache/vitrine/capabilities");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	assert_false(debug_cache_path(path, sizeof(path)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_kept),
		cmocka_unit_test(test_one_file_and_no_rubbish),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_another_version_with_a_right_sum),
		cmocka_unit_test(test_other_hosts),
		cmocka_unit_test(test_what_is_not_trusted),
		cmocka_unit_test(test_no_place_to_keep_them),
		cmocka_unit_test(test_the_dummy_is_never_kept),
		cmocka_unit_test(test_where_they_are_kept),
	};

	return cmocka_run_group_tests_name("probe cache", tests, NULL, NULL);
}
