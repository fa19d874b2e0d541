/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the command table: snapshots, also by the names that they have in QEMU's monitor. */
#ifndef MONITOR_COMMANDS_SNAPSHOT_H
#define MONITOR_COMMANDS_SNAPSHOT_H

#include "monitor/command.h"

int run_snapshot_save(struct call *call);
int run_snapshot_restore(struct call *call);
int run_snapshot_delete(struct call *call);
int run_snapshot_list(struct call *call);
int run_snapshot_write(struct call *call);
int run_snapshot_read(struct call *call);

/* clang-format off */
#define SNAPSHOT_COMMANDS                                                                          \
	{"snapshot save", NULL, CLASS_MACHINE, 0, {{ARG_SNAPSHOT, "NAME", true}},                  \
	 "keep the whole machine as it is now, in memory",                                         \
	 "CPUs, controllers, clocks, devices and RAM. Without a NAME it gets a number. A\n" \
	 "snapshot of the same name is replaced. The guest may be running. Only what\n" \
	 "changed since the last one is copied.", \
	 run_snapshot_save},                                                                       \
	{"snapshot restore", NULL, CLASS_MACHINE, 0, {{ARG_SNAPSHOT, "NAME", true}},               \
	 "make the machine what it was",                                                           \
	 "Without a NAME: the one that was saved or restored last. The guest goes on as\n" \
	 "it is, running or stopped. Breakpoints stay.", run_snapshot_restore},                           \
	{"snapshot delete", NULL, CLASS_MACHINE, 0, {{ARG_SNAPSHOT, "NAME", false}},               \
	 "forget a snapshot", NULL, run_snapshot_delete},                                          \
	{"snapshot list", NULL, CLASS_MACHINE, 0, {{0}},                                           \
	 "the snapshots in memory: guest time, when, pages that had changed, size",                \
	 "A star marks the one that the machine was last saved as or restored from.",              \
	 run_snapshot_list},                                                                       \
	{"snapshot write", NULL, CLASS_MACHINE, COMMAND_FILES, {{ARG_SNAPSHOT, "NAME", false}, {ARG_FILE, "FILE", false}},           \
	 "write a snapshot to a file",                                                             \
	 "A file that is there is replaced when all is written. -loadvm FILE starts from\n" \
	 "it.",     \
	 run_snapshot_write},                                                                      \
	{"snapshot read", NULL, CLASS_MACHINE, COMMAND_FILES, {{ARG_FILE, "FILE", false}, {ARG_SNAPSHOT, "NAME", true}},              \
	 "read a snapshot from a file into memory",                                                \
	 "Without a NAME it gets the file's. `snapshot restore` brings the machine\n" \
	 "there, as in snapshot read boot.snap, snapshot read \"my files/boot.snap\" boot", run_snapshot_read},   \
	{"info snapshots", NULL, CLASS_MACHINE, 0, {{0}},                                          \
	 "the same as snapshot list", NULL, run_snapshot_list},                                    \
	{"savevm", NULL, CLASS_MACHINE, 0, {{ARG_SNAPSHOT, "NAME", true}},                         \
	 "the same as snapshot save", NULL, run_snapshot_save},                                    \
	{"loadvm", NULL, CLASS_MACHINE, 0, {{ARG_SNAPSHOT, "NAME", true}},                         \
	 "the same as snapshot restore", NULL, run_snapshot_restore},                              \
	{"delvm", NULL, CLASS_MACHINE, 0, {{ARG_SNAPSHOT, "NAME", false}},                         \
	 "the same as snapshot delete", NULL, run_snapshot_delete}
/* clang-format on */

#endif
