/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line, in QEMU's spelling where QEMU has the thing. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "accel/accel.h"
#include "debug/debug.h"
#include "drives.h"
#include "error.h"
#include "fw_cfg_files.h"
#include "gdbstub/server.h"
#include "log.h"
#include "machine/machine.h"
#include "net_address.h"

#include <stdbool.h>
#include <stdint.h>

#define MAX_COMMANDS 32
#define MAX_SERIALS  2
#define MAX_FW_CFG   FW_CFG_USER_FILES_MAX

struct options {
	const char *kernel, *append, *initrd, *protocol, *symbols;
	const char *loadvm; /* a snapshot's file to start from */
	uint64_t ram_size;
	unsigned vcpus;
	const char *cpu;
	const struct accel_ops *accel;
	const char *kvm_device;
	int user_irqchip; /* a choice: false or true */
	enum stopped_clock stopped_clock;
	uint16_t debug_exit_port;
	uint8_t debug_exit_size; /* 0: as many ports as it can have */
	bool pc_testdev;
	const char *fw_cfg[MAX_FW_CFG]; /* as given, and well spelled */
	unsigned fw_cfg_count;
	struct drive_option drive[MAX_DRIVES];
	bool has_load, has_entry;
	uint64_t load, entry;

	struct net_address gdb;
	enum on_disconnect on_disconnect;
	enum gdb_arch gdb_arch;
	bool paused; /* -S */
	bool doctor; /* tell about the host, and end */
	bool json;   /* ... and the console: for programs */
	struct debug_config debug;

	const char *serial[MAX_SERIALS]; /* as given; NULL: the default */
	unsigned serial_count;
	enum { MONITOR_DEFAULT, MONITOR_STDIO, MONITOR_SOCKET, MONITOR_NONE } monitor;
	struct net_address monitor_address; /* MONITOR_SOCKET: a unix socket's */
	bool no_init;	   /* of the console: the user's file of commands is not run */
	const char *batch; /* a file of console commands; the run ends behind them */
	const char *command[MAX_COMMANDS]; /* -ex, in order */
	unsigned command_count;
	enum log_level log_level;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE /* -help, -version: printed */,
	OPTIONS_USAGE /* err says why */
};

/* Strings point into argv. */
enum options_result options_parse(int argc, char **argv, struct options *options,
				  struct error *err);

#endif
