// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "machine/snapshot_file.h"
#include "snapshot_file_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rig snapshot_file_rig;
char folder[64], path[96];

int snapshot_file_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%.40s/vitrine-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s", folder);
	snapshot_file_rig = (struct rig){0};
	rig_start(&snapshot_file_rig, 1, IRQCHIP_USER);
	rig_code(&snapshot_file_rig, 0, snapshot_file_spin, sizeof(snapshot_file_spin));
	return 0;
}

int snapshot_file_teardown(void **state)
{
	(void)state;
	rig_stop(&snapshot_file_rig);
	unlink(path);
	return rmdir(folder); /* nothing is left behind */
}

void save_and_write(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_save(snapshot_file_rig.debug, name, &err) < 0 ||
	    debug_snapshot_write(snapshot_file_rig.debug, name, path, &err) < 0)
		fail_msg("%s", err.text);
}

void read_as(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_read(snapshot_file_rig.debug, path, name, &err) < 0)
		fail_msg("%s", err.text);
}

const char *snapshot_file_refused(int code)
{
	static struct error err;
	unsigned before = snapshot_file_rig.debug->snapshots
				  ? snapshot_file_rig.debug->snapshots->count
				  : 0;
	int rc;

	err = (struct error){0};
	rc = debug_snapshot_read(snapshot_file_rig.debug, path, "refused", &err);
	if (rc != code)
		fail_msg("%d, not %d: %s", rc, code, err.text);
	assert_true(strlen(err.text) > strlen(path) + 5);
	assert_int_equal(snapshot_file_rig.debug->snapshots->count, before);
	return err.text;
}

void snapshot_file_says(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("`%s' is not in: %s", wanted, text);
}

struct bytes snapshot_file_load(void)
{
	struct bytes b = {0};
	struct stat st;
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	b.size = (size_t)st.st_size;
	b.at = malloc(b.size + 4096);
	assert_int_equal(fread(b.at, 1, b.size, file), b.size);
	fclose(file);
	return b;
}

void store(const uint8_t *at, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(at, 1, size, file), size);
	fclose(file);
}
