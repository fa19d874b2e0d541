// SPDX-License-Identifier: GPL-3.0-or-later
/* A machine with a disk in an image: snapshots go back as long as the disk is the one that they knew. */
#include "rig.h"

#include "disk_image.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { DATA = 0x1f0, COUNT = 0x1f2, LOW, MID, HIGH, DEVICE, STATUS, COMMAND = STATUS };
enum { READ = 0x20, WRITE = 0x30, FLUSH = 0xe7 };

static struct {
	char folder[200], image_path[220], snapshot_path[220];
	struct disk_image *image;
	struct rig rig;
} the;

static int setup(void **state)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	(void)state;
	memset(&the, 0, sizeof(the));
	snprintf(the.folder, sizeof(the.folder), "%s/disk-XXXXXX", folder ? folder : "/tmp");
	assert_non_null(mkdtemp(the.folder));
	snprintf(the.image_path, sizeof(the.image_path), "%s/image", the.folder);
	snprintf(the.snapshot_path, sizeof(the.snapshot_path), "%s/snapshot", the.folder);
	fd = open(the.image_path, O_CREAT | O_RDWR, 0600);
	assert_int_equal(ftruncate(fd, 100 * DISK_SECTOR), 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(the.image_path);
	unlink(the.snapshot_path);
	rmdir(the.folder);
	return 0;
}

static void disk_done(void *ctx, uint64_t ticket, int rc, const uint8_t *bytes)
{
	(void)ctx;
	machine_disk_done(the.rig.machine, 0, ticket, rc, bytes);
}

static void start(bool readonly)
{
	struct disk_image_config config = {.path = the.image_path, .readonly = readonly};

	assert_int_equal(disk_image_open(&config, &the.image, NULL), 0);
	the.rig = (struct rig){.disk[0] = disk_image_backend(the.image)};
	rig_start(&the.rig, 1, IRQCHIP_USER);
	disk_image_connect(the.image, disk_done, NULL);
}

static void stop(void)
{
	disk_image_disconnect(the.image);
	rig_stop(&the.rig);
	disk_image_close(the.image);
}

/* ---- the guest's side ------------------------------------------------------------------------------- */

static uint32_t port(uint16_t address, unsigned size, bool write, uint32_t value)
{
	machine_lock_devices(the.rig.machine);
	bus_access(&the.rig.machine->ports, address, size, write, &value);
	machine_unlock_devices(the.rig.machine);
	return value;
}

static void out(uint16_t address, uint8_t value)
{
	port(address, 1, true, value);
}

static uint8_t wait_status(void)
{
	uint8_t status;

	do
		status = (uint8_t)port(STATUS, 1, false, 0);
	while (status & 0x80);
	return status;
}

static void command(uint8_t what, uint8_t sector)
{
	out(DEVICE, 0xe0);
	out(COUNT, 1);
	out(LOW, sector);
	out(MID, 0);
	out(HIGH, 0);
	out(COMMAND, what);
}

static void write_sector(uint8_t sector, uint32_t value)
{
	command(WRITE, sector);
	for (unsigned i = 0; i < 128; i++)
		port(DATA, 4, true, value);
	assert_int_equal(wait_status(), 0x50);
}

static uint32_t read_sector(uint8_t sector)
{
	uint32_t value = 0;

	command(READ, sector);
	assert_int_equal(wait_status(), 0x58);
	for (unsigned i = 0; i < 128; i++)
		value = port(DATA, 4, false, 0);
	return value;
}

/* ---- snapshots --------------------------------------------------------------------------------------- */

static void save(void)
{
	assert_int_equal(debug_snapshot_save(the.rig.debug, "a", NULL), 0);
}

static int restore(struct error *err)
{
	*err = (struct error){0};
	return debug_snapshot_restore(the.rig.debug, "a", OWNER_CONSOLE, err);
}

static void is_refused(const char *why)
{
	struct error err;
	uint64_t rax = rig_reg(&the.rig, 0, "rax");

	assert_int_equal(restore(&err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
	assert_int_equal(rig_reg(&the.rig, 0, "rax"), rax);
}

static void goes_back(void)
{
	struct error err;

	if (restore(&err) < 0)
		fail_msg("%s", err.text);
}

static void test_reading_is_no_change(void **state)
{
	(void)state;
	start(false);
	write_sector(7, 0x11223344);
	command(READ, 7);
	assert_int_equal(wait_status(), 0x58);
	save();
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 128; i++)
			assert_int_equal(port(DATA, 4, false, 0), 0x11223344);
		assert_int_equal(read_sector(8), 0);
		goes_back();
		assert_int_equal(port(STATUS, 1, false, 0), 0x58);
	}
	stop();
}

static void test_writing_is(void **state)
{
	(void)state;
	start(false);
	save();
	rig_set_reg(&the.rig, 0, "rax", 55);
	write_sector(7, 1);
	is_refused("drive 0 was written since the snapshot");
	assert_int_equal(read_sector(7), 1);
	save();
	goes_back();
	stop();
}

static void test_in_another_run(void **state)
{
	struct timespec then[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 7}};

	(void)state;
	start(false);
	write_sector(7, 1);
	command(FLUSH, 0);
	assert_int_equal(wait_status(), 0x50);
	assert_int_equal(utimensat(AT_FDCWD, the.image_path, then, 0), 0);
	save();
	assert_int_equal(debug_snapshot_write(the.rig.debug, "a", the.snapshot_path, NULL), 0);
	stop();

	start(true);
	assert_int_equal(debug_snapshot_read(the.rig.debug, the.snapshot_path, "a", NULL), 0);
	goes_back();
	assert_int_equal(read_sector(7), 1);
	stop();

	start(false);
	write_sector(9, 1);
	assert_int_equal(utimensat(AT_FDCWD, the.image_path, then, 0), 0);
	assert_int_equal(debug_snapshot_read(the.rig.debug, the.snapshot_path, "a", NULL), 0);
	is_refused("drive 0 was written since the snapshot");
	stop();

	then[1].tv_nsec = 8;
	assert_int_equal(utimensat(AT_FDCWD, the.image_path, then, 0), 0);
	start(false);
	assert_int_equal(debug_snapshot_read(the.rig.debug, the.snapshot_path, "a", NULL), 0);
	is_refused("drive 0 was written since the snapshot");
	stop();
}

static void test_without_the_disk(void **state)
{
	struct error err = {0};

	(void)state;
	start(false);
	save();
	assert_int_equal(debug_snapshot_write(the.rig.debug, "a", the.snapshot_path, NULL), 0);
	stop();
	the.rig = (struct rig){0};
	rig_start(&the.rig, 1, IRQCHIP_USER);
	assert_int_equal(debug_snapshot_read(the.rig.debug, the.snapshot_path, "a", &err), -EINVAL);
	assert_non_null(strstr(err.text, "has a device \"ide\""));
	rig_stop(&the.rig);
}

/* A reset forgets the command; the disk keeps what it has. */
static void test_reset(void **state)
{
	static const uint8_t code[] = {0xf4};

	(void)state;
	start(false);
	rig_boot(&the.rig, code, sizeof(code));
	write_sector(3, 0xabcdef01);
	command(WRITE, 3);
	port(DATA, 4, true, 0);
	assert_int_equal(machine_reset(the.rig.machine, NULL), 0);
	assert_int_equal(port(STATUS, 1, false, 0), 0x50);
	assert_int_equal(read_sector(3), 0xabcdef01);
	stop();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reading_is_no_change), TEST(test_writing_is), TEST(test_in_another_run),
		TEST(test_without_the_disk),	 TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
