// SPDX-License-Identifier: GPL-3.0-or-later
/* Every option: its name, and where its value goes. */
#include "option_table.h"

#include "boot/boot.h"
#include "chardev.h"
#include "device_option.h"
#include "fw_cfg_files.h"
#include "option_values.h"

#include <errno.h>
#include <string.h>

#define MIB	  (1ull << 20)
#define RAM_MIN	  MIB
#define RAM_MAX	  (1ull << 40)
#define VCPUS_MAX 4096

/* ---- those that need a look at their value ----------------------------------------------- */

int option_positional(struct options *o, const char *arg, struct error *err)
{
	if (o->kernel)
		return error_set(err, -EINVAL, "two images: '%s' and '%s'; give one", o->kernel,
				 arg);
	o->kernel = arg;
	return 0;
}

static int set_memory(struct options *o, const char *arg, struct error *err)
{
	const char *rest;
	uint64_t n;
	unsigned shift;

	if (strncmp(arg, "size=", 5) == 0)
		arg += 5;
	if (option_number(arg, &n, &rest) < 0 || (shift = option_unit_shift(rest)) == 0)
		return error_set(err, -EINVAL,
				 "-m takes a size such as 128 or 512M or 2G, not '%s'", arg);
	if (n > RAM_MAX >> shift || n << shift < RAM_MIN)
		return error_set(err, -ERANGE, "-m %s is out of range: give between 1M and 1024G",
				 arg);
	o->ram_size = n << shift & ~0xfffull;
	return 0;
}

static int set_smp(struct options *o, const char *arg, struct error *err)
{
	const char *rest;
	uint64_t n;

	if (strncmp(arg, "cpus=", 5) == 0)
		arg += 5;
	if (option_number(arg, &n, &rest) < 0 || *rest || n == 0)
		return error_set(err, -EINVAL,
				 "-smp takes the number of vCPUs, 1 or more, not '%s'", arg);
	if (n > VCPUS_MAX)
		return error_set(err, -ERANGE,
				 "-smp %s is more than any host carries: give %d or less", arg,
				 VCPUS_MAX);
	o->vcpus = (unsigned)n;
	return 0;
}

static int set_accel(struct options *o, const char *arg, struct error *err)
{
	o->accel = accel_find(arg);
	return o->accel ? 0
			: error_set(err, -EINVAL,
				    "there is no accelerator '%s': use kvm (or dummy)", arg);
}

static int set_enable_kvm(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return set_accel(o, "kvm", err);
}

static int set_load(struct options *o, const char *arg, struct error *err)
{
	o->has_load = true;
	return option_whole("load", arg, UINT64_MAX, &o->load, err);
}

static int set_entry(struct options *o, const char *arg, struct error *err)
{
	o->has_entry = true;
	return option_whole("entry", arg, UINT64_MAX, &o->entry, err);
}

static int set_protocol(struct options *o, const char *arg, struct error *err)
{
	o->protocol = arg;
	return boot_check_protocol(arg, err);
}

static int set_gdb(struct options *o, const char *arg, struct error *err)
{
	return net_address_parse(arg, &o->gdb, err);
}

static int set_s(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return net_address_parse(":1234", &o->gdb, err);
}

static int set_debug_strategy(struct options *o, const char *arg, struct error *err)
{
	return debug_strategy_parse(arg, &o->debug.strategy, err);
}

/* The console writes files of the host's: over TCP it would be everybody's. */
static int set_monitor(struct options *o, const char *arg, struct error *err)
{
	bool is_socket = strncmp(arg, "unix:", 5) == 0;
	int rc = is_socket ? net_address_parse(arg, &o->monitor_address, err) : 0;

	if (is_socket)
		o->monitor = MONITOR_SOCKET;
	else if (strcmp(arg, "stdio") == 0)
		o->monitor = MONITOR_STDIO;
	else if (strcmp(arg, "none") == 0)
		o->monitor = MONITOR_NONE;
	else
		rc = error_set(err, -EINVAL, "-monitor takes stdio, unix:PATH or none, not '%s'",
			       arg);
	return rc;
}

static int set_serial(struct options *o, const char *arg, struct error *err)
{
	if (o->serial_count == MAX_SERIALS)
		return error_set(err, -EINVAL,
				 "there are two serial ports: give -serial at most twice");
	o->serial[o->serial_count++] = arg;
	return chardev_check(arg, err);
}

static int set_nographic(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return o->serial_count ? 0 : set_serial(o, "mon:stdio", err);
}

static int set_debug_exit(struct options *o, const char *arg, struct error *err)
{
	uint64_t port = 0;
	int rc = strcmp(arg, "none") == 0 ? 0 : option_whole("debug-exit", arg, 0xffff, &port, err);

	if (rc == 0)
		o->debug_exit_port = (uint16_t)port;
	o->debug_exit_size = 0;
	return rc;
}

static int set_drive(struct options *o, const char *arg, struct error *err)
{
	return drive_option_parse(arg, o->drive, err);
}

static int set_hda(struct options *o, const char *arg, struct error *err)
{
	return drive_option_file(arg, 0, o->drive, err);
}

static int set_hdb(struct options *o, const char *arg, struct error *err)
{
	return drive_option_file(arg, 1, o->drive, err);
}

static int add_fw_cfg(struct options *o, const char *arg, struct error *err)
{
	if (o->fw_cfg_count == MAX_FW_CFG)
		return error_set(err, -EINVAL, "more than %d -fw_cfg", MAX_FW_CFG);
	o->fw_cfg[o->fw_cfg_count++] = arg;
	return fw_cfg_files_check(arg, err);
}

static int set_display(struct options *o, const char *arg, struct error *err)
{
	(void)o;
	return strcmp(arg, "none") == 0
		       ? 0
		       : error_set(err, -EINVAL, "vitrine has no display: use -display none");
}

static int set_command(struct options *o, const char *arg, struct error *err)
{
	if (o->command_count == MAX_COMMANDS)
		return error_set(err, -EINVAL,
				 "more than %d -ex: put the commands into a file for -batch",
				 MAX_COMMANDS);
	o->command[o->command_count++] = arg;
	return 0;
}

/* ---- choices ----------------------------------------------------------------------------- */

static const struct choice irqchips[] = {{"kernel", false}, {"user", true}, {0}};
static const struct choice stopped_clocks[] = {
	{"vm", CLOCK_STANDS}, {"host", CLOCK_FOLLOWS_HOST}, {0}};
static const struct choice disconnects[] = {{"keep", DISCONNECT_KEEP},
					    {"continue", DISCONNECT_CONTINUE},
					    {"kill", DISCONNECT_KILL},
					    {0}};
static const struct choice gdb_archs[] = {{"auto", GDB_ARCH_AUTO},
					  {"i8086", GDB_ARCH_I8086},
					  {"i386", GDB_ARCH_I386},
					  {"x86-64", GDB_ARCH_X86_64},
					  {0}};
static const struct choice triple_faults[] = {{"stop", ON_TRIPLE_FAULT_STOP},
					      {"reset", ON_TRIPLE_FAULT_RESET},
					      {"exit", ON_TRIPLE_FAULT_EXIT},
					      {0}};
static const struct choice log_levels[] = {
	{"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {0}};

/* ---- the table --------------------------------------------------------------------------- */

#define AT(field)	     .offset = offsetof(struct options, field)
#define TEXT(field)	     .kind = OPTION_TEXT, AT(field)
#define FLAG(field)	     .kind = OPTION_FLAG, AT(field)
#define CHOICE(field, list)  .kind = OPTION_CHOICE, AT(field), .choices = (list)
#define CALL(function)	     .kind = OPTION_CALL, .call = (function)
#define CALL_PLAIN(function) .kind = OPTION_CALL_PLAIN, .call = (function)

const struct option_row option_table[] = {
	/* The machine. */
	{"kernel", CALL(option_positional)},
	{"append", TEXT(append)},
	{"initrd", TEXT(initrd)},
	{"protocol", CALL(set_protocol)},
	{"m", CALL(set_memory)},
	{"smp", CALL(set_smp)},
	{"cpu", TEXT(cpu)},
	{"accel", CALL(set_accel)},
	{"enable-kvm", CALL_PLAIN(set_enable_kvm)},
	{"kvm-device", TEXT(kvm_device)},
	{"irqchip", CHOICE(user_irqchip, irqchips)},
	{"clock", CHOICE(stopped_clock, stopped_clocks)},
	{"load", CALL(set_load)},
	{"entry", CALL(set_entry)},
	{"loadvm", TEXT(loadvm)},
	{"drive", CALL(set_drive)},
	{"hda", CALL(set_hda)},
	{"hdb", CALL(set_hdb)},
	{"debug-exit", CALL(set_debug_exit)},
	{"device", CALL(device_option)},
	{"fw_cfg", CALL(add_fw_cfg)},

	/* Debugging. */
	{"gdb", CALL(set_gdb)},
	{"s", CALL_PLAIN(set_s)},
	{"S", FLAG(paused)},
	{"symbols", TEXT(symbols)},
	{"gdb-arch", CHOICE(gdb_arch, gdb_archs)},
	{"on-disconnect", CHOICE(on_disconnect, disconnects)},
	{"on-triple-fault", CHOICE(debug.on_triple_fault, triple_faults)},
	{"no-reboot", FLAG(debug.no_reboot)},
	{"debug-strategy", CALL(set_debug_strategy)},
	{"doctor", FLAG(doctor)},
	{"json", FLAG(json)},

	/* Talking. */
	{"monitor", CALL(set_monitor)},
	{"serial", CALL(set_serial)},
	{"nographic", CALL_PLAIN(set_nographic)},
	{"display", CALL(set_display)},
	{"ex", CALL(set_command)},
	{"batch", TEXT(batch)},
	{"nx", FLAG(no_init)},
	{"log", CHOICE(log_level, log_levels)},
	{"version", .kind = OPTION_VERSION},
	{"help", .kind = OPTION_HELP},
	{"h", .kind = OPTION_HELP},
};

const unsigned option_count = sizeof(option_table) / sizeof(option_table[0]);
_Static_assert(sizeof(option_table) / sizeof(option_table[0]) < OPTION_ROOM,
	       "getopt wants an empty row behind the last");
