/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -fw_cfg [name=]NAME,file=PATH or ,string=TEXT: files that a guest finds in fw_cfg. */
#ifndef FW_CFG_FILES_H
#define FW_CFG_FILES_H

#include "devices/devices.h"
#include "error.h"

/* How often -fw_cfg can be given; the machine adds files of its own. */
#define FW_CFG_USER_FILES_MAX 32
_Static_assert(FW_CFG_USER_FILES_MAX < FW_CFG_FILES_MAX, "there is room for the machine's own");

struct fw_cfg_files {
	struct fw_cfg_file file[FW_CFG_USER_FILES_MAX];
	unsigned count;
};

/* Whether this is well spelled: 0, or -EINVAL with a sentence. Opens nothing. */
int fw_cfg_files_check(const char *option, struct error *err);
/* Reads one; what is in the file later does not show. -EFBIG beyond 256 MiB. */
int fw_cfg_files_add(struct fw_cfg_files *files, const char *option, struct error *err);
void fw_cfg_files_free(struct fw_cfg_files *files);

#endif
