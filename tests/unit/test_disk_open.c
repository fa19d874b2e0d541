// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks' images: which can be opened, and options. */
#include "disk_image.h"
#include "disk_rig.h"
#include "drives.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- opening ------------------------------------------------------------------------------------- */

static void is_refused(int rc, const char *why)
{
	struct disk_image *image = NULL;
	struct error err;

	assert_int_equal(try_open(false, false, &image, &err), rc);
	assert_null(image);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
}

static void test_what_is_no_disk(void **state)
{
	char name[sizeof(disk.path)];

	(void)state;
	make_file(0);
	is_refused(-EINVAL, "is empty: make one");
	make_file(1000);
	is_refused(-EINVAL, "1000 bytes, which are no whole sectors");
	unlink(disk.path);
	is_refused(-ENOENT, "cannot open the disk");
	assert_int_equal(mkfifo(disk.path, 0600), 0);
	is_refused(-EINVAL, "neither a file nor a block device");
	unlink(disk.path);
	snprintf(name, sizeof(name), "%s", disk.path);
	snprintf(disk.path, sizeof(disk.path), "/dev/null");
	is_refused(-EINVAL, "neither a file nor a block device");
	memcpy(disk.path, name, sizeof(name));
}

static void test_other_formats(void **state)
{
	struct disk_image *image;
	struct error err;
	FILE *file = fopen(disk.path, "r+b");

	(void)state;
	fwrite("QFI\xfb\0\0\0\3", 8, 1, file);
	fclose(file);
	is_refused(-EINVAL, "is a qcow2 image, and vitrine takes raw ones");
	assert_int_equal(try_open(false, true, &image, &err), 0);
	disk_image_close(image);
}

static void test_who_may_have_it(void **state)
{
	struct disk_image *one, *two;
	struct error err;

	(void)state;
	assert_int_equal(try_open(false, false, &one, &err), 0);
	is_refused(-EBUSY, "is in use");
	assert_int_equal(try_open(true, false, &two, &err), -EBUSY);
	disk_image_close(one);
	assert_int_equal(try_open(true, false, &one, &err), 0);
	assert_int_equal(try_open(true, false, &two, &err), 0);
	is_refused(-EBUSY, "is in use");
	disk_image_close(one);
	disk_image_close(two);
}

/* ---- options ------------------------------------------------------------------------------------- */

static struct drive_option drives[MAX_DRIVES];

static void parses(const char *text, unsigned index, const char *path, bool readonly, bool raw)
{
	assert_int_equal(drive_option_parse(text, drives, NULL), 0);
	assert_string_equal(drives[index].path, path);
	assert_int_equal(drives[index].readonly, readonly);
	assert_int_equal(drives[index].raw, raw);
}

static void test_options(void **state)
{
	(void)state;
	memset(drives, 0, sizeof(drives));
	parses("a.img", 0, "a.img", false, false);
	parses("b,,c.img,readonly", 1, "b,c.img", true, false);
	memset(drives, 0, sizeof(drives));
	parses("file=a=b,format=raw,if=ide", 0, "a=b", false, true);
	parses("index=1,media=disk,read-only=on,file=x", 1, "x", true, false);
	memset(drives, 0, sizeof(drives));
	parses("x,index=1,readonly=off", 1, "x", false, false);
	parses("y,,", 0, "y,", false, false);
	memset(drives, 0, sizeof(drives));
	assert_int_equal(drive_option_file("a,b=c", 1, drives, NULL), 0);
	assert_string_equal(drives[1].path, "a,b=c");
	assert_string_equal(drives[0].path, "");
}

static void test_bad_options(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "one image"},
		{"readonly=on", "names no image"},
		{"a,b", "not 'b'"},
		{"a,file=b", "one image"},
		{"file=", "one image"},
		{"a,format=qcow2", "raw images"},
		{"a,if=virtio", "IDE"},
		{"a,media=cdrom", "disks alone"},
		{"a,index=2", "index"},
		{"a,index=-1", "index"},
		{"a,readonly=maybe", "readonly"},
		{"a,cache=none", "not 'cache=none'"},
	};
	char longest[2 * PATH_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		int rc;

		memset(drives, 0, sizeof(drives));
		rc = drive_option_parse(rows[i].text, drives, &err);
		assert_int_equal(rc, -EINVAL);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: '%s' is not in '%s'", rows[i].text, rows[i].why, err.text);
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(drives, 0, sizeof(drives));
	assert_int_equal(drive_option_parse(longest, drives, NULL), -EINVAL);
	assert_int_equal(drive_option_file(longest, 0, drives, NULL), -EINVAL);
	assert_int_equal(drive_option_parse("a", drives, NULL), 0);
	assert_int_equal(drive_option_file("b", 0, drives, NULL), -EINVAL);
	assert_int_equal(drive_option_parse("b", drives, NULL), 0);
	assert_int_equal(drive_option_parse("c", drives, NULL), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_no_disk),	    TEST(test_other_formats),
		TEST(test_who_may_have_it),	    cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
