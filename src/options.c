// SPDX-License-Identifier: GPL-3.0-or-later
#include "options.h"

#include "chardev.h"
#include "option_values.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VITRINE_VERSION
#define VITRINE_VERSION "0.1"
#endif

#define MIB		(1ull << 20)
#define DEFAULT_RAM	(128 * MIB)
#define RAM_MIN		MIB
#define RAM_MAX		(1ull << 40)
#define VCPUS_MAX	4096
#define DEBUG_EXIT_PORT 0xf4

static const char help[] =
	"usage: vitrine [options] [IMAGE]    runs an x86-64 guest under KVM and debugs it\n"
	"  -kernel FILE  same as IMAGE (none: a demo guest)  -append TEXT  command line\n"
	"  -initrd FILE[ ARGS][,...]  multiboot modules    -m SIZE[K|M|G]  memory (128M)\n"
	"  -load ADDR, -entry ADDR    where a raw image goes and starts (0x7c00)\n"
	"  -smp N      vCPUs (1)          -cpu max[,+|-FEATURE...]   -accel kvm|dummy\n"
	"  -irqchip kernel|user           interrupt controllers in KVM or in vitrine\n"
	"  -loadvm FILE                   start from a snapshot in a file\n"
	"debugging\n"
	"  -s          same as -gdb :1234                -S  do not start the guest\n"
	"  -gdb ADDR   :PORT, HOST:PORT, tcp::PORT, unix:PATH, /dev/DEVICE, none\n"
	"  -on-disconnect keep|continue|kill             when gdb's connection is lost\n"
	"  -on-triple-fault stop|reset|exit              -no-reboot  a reset ends the run\n"
	"  -symbols FILE   ELF file with the guest's symbols, for the console\n"
	"  -doctor [-json]                what this host's KVM can do, and what helps\n"
	"  -debug-strategy break|hbreak|watch|access|step=RUNG[,...][,probe]\n"
	"talking\n"
	"  -monitor stdio|none            the console (default: stdio on a terminal)\n"
	"  -serial stdio|mon:stdio|pty|file:PATH|unix:PATH|none   COM1, then COM2\n"
	"  -nographic  same as -serial mon:stdio (Ctrl-A c: console, Ctrl-A x: quit)\n"
	"  -ex CMD, -batch FILE           console commands to run; -batch quits then\n"
	"  -debug-exit PORT|none          exit port (0xf4)\n"
	"  -log error|warn|info|debug     -kvm-device PATH   -version   -help\n"
	"Options take one dash or two. In gdb: target remote :1234\n";

typedef int option_fn(struct options *o, const char *arg, struct error *err);

/* ---- options ----------------------------------------------------------------------------- */

static int set_kernel(struct options *o, const char *arg, struct error *err)
{
	if (o->kernel)
		return error_set(err, -EINVAL, "two images: '%s' and '%s'; give one", o->kernel,
				 arg);
	o->kernel = arg;
	return 0;
}

static int set_append(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->append = arg;
	return 0;
}

static int set_initrd(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->initrd = arg;
	return 0;
}

static int set_symbols(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->symbols = arg;
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

static int set_cpu(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->cpu = arg;
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

static int set_kvm_device(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->kvm_device = arg;
	return 0;
}

static int set_irqchip(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {{"kernel", 0}, {"user", 1}, {0}};
	int value;
	int rc = option_choice("irqchip", arg, choices, &value, err);

	if (rc == 0)
		o->user_irqchip = value;
	return rc;
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

static int set_gdb(struct options *o, const char *arg, struct error *err)
{
	return net_address_parse(arg, &o->gdb, err);
}

static int set_s(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return net_address_parse(":1234", &o->gdb, err);
}

static int set_loadvm(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->loadvm = arg;
	return 0;
}

static int set_paused(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->paused = true;
	return 0;
}

static int set_on_disconnect(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {{"keep", DISCONNECT_KEEP},
						{"continue", DISCONNECT_CONTINUE},
						{"kill", DISCONNECT_KILL},
						{0}};
	int value;
	int rc = option_choice("on-disconnect", arg, choices, &value, err);

	if (rc == 0)
		o->on_disconnect = (enum on_disconnect)value;
	return rc;
}

static int set_on_triple_fault(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {{"stop", ON_TRIPLE_FAULT_STOP},
						{"reset", ON_TRIPLE_FAULT_RESET},
						{"exit", ON_TRIPLE_FAULT_EXIT},
						{0}};
	int value;
	int rc = option_choice("on-triple-fault", arg, choices, &value, err);

	if (rc == 0)
		o->debug.on_triple_fault = value;
	return rc;
}

static int set_no_reboot(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->debug.no_reboot = true;
	return 0;
}

static int set_debug_strategy(struct options *o, const char *arg, struct error *err)
{
	return debug_strategy_parse(arg, &o->debug.strategy, err);
}

static int set_doctor(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->doctor = true;
	return 0;
}

static int set_json(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->json = true;
	return 0;
}

static int set_monitor(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {
		{"stdio", MONITOR_STDIO}, {"none", MONITOR_NONE}, {0}};
	int value;
	int rc = option_choice("monitor", arg, choices, &value, err);

	if (rc == 0)
		o->monitor = value;
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
	return rc;
}

/* The one -device that scripts written for QEMU pass to a test kernel. */
static int set_device(struct options *o, const char *arg, struct error *err)
{
	const char *iobase = strstr(arg, "iobase=");
	char number[20];

	if (strncmp(arg, "isa-debug-exit", 14) != 0)
		return error_set(
			err, -EINVAL,
			"vitrine knows -device isa-debug-exit alone; its devices are always there");
	if (!iobase)
		return 0;
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(iobase + 7, ","), iobase + 7);
	return set_debug_exit(o, number, err);
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

static int set_batch(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->batch = arg;
	return 0;
}

static int set_log(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {{"error", LOG_ERROR},
						{"warn", LOG_WARN},
						{"info", LOG_INFO},
						{"debug", LOG_DEBUG},
						{0}};
	int value;
	int rc = option_choice("log", arg, choices, &value, err);

	if (rc == 0)
		o->log_level = (enum log_level)value;
	return rc;
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int has_arg;
	option_fn *set; /* NULL: prints and ends */
} table[] = {
	{"kernel", 1, set_kernel},
	{"append", 1, set_append},
	{"initrd", 1, set_initrd},
	{"symbols", 1, set_symbols},
	{"m", 1, set_memory},
	{"smp", 1, set_smp},
	{"cpu", 1, set_cpu},
	{"accel", 1, set_accel},
	{"enable-kvm", 0, set_enable_kvm},
	{"kvm-device", 1, set_kvm_device},
	{"irqchip", 1, set_irqchip},
	{"load", 1, set_load},
	{"entry", 1, set_entry},
	{"loadvm", 1, set_loadvm},
	{"gdb", 1, set_gdb},
	{"s", 0, set_s},
	{"S", 0, set_paused},
	{"on-disconnect", 1, set_on_disconnect},
	{"on-triple-fault", 1, set_on_triple_fault},
	{"no-reboot", 0, set_no_reboot},
	{"debug-strategy", 1, set_debug_strategy},
	{"doctor", 0, set_doctor},
	{"json", 0, set_json},
	{"monitor", 1, set_monitor},
	{"serial", 1, set_serial},
	{"nographic", 0, set_nographic},
	{"debug-exit", 1, set_debug_exit},
	{"device", 1, set_device},
	{"display", 1, set_display},
	{"ex", 1, set_command},
	{"batch", 1, set_batch},
	{"log", 1, set_log},
	{"version", 0, NULL},
	{"help", 0, NULL},
	{"h", 0, NULL},
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

static enum options_result print_and_end(unsigned index)
{
	if (strcmp(table[index].name, "version") == 0)
		printf("vitrine %s\n", VITRINE_VERSION);
	else
		fputs(help, stdout);
	return OPTIONS_DONE;
}

static void set_defaults(struct options *o)
{
	*o = (struct options){.ram_size = DEFAULT_RAM,
			      .vcpus = 1,
			      .accel = &accel_kvm,
			      .debug_exit_port = DEBUG_EXIT_PORT,
			      .gdb = {.kind = NET_NONE},
			      .log_level = LOG_WARN};
}

static enum options_result usage(struct error *err, int c, char **argv)
{
	const char *what = argv[optind - 1];

	error_set(err, -EINVAL,
		  c == ':' ? "%s needs a value; see vitrine -help"
			   : "unknown option %s; see vitrine -help",
		  what);
	return OPTIONS_USAGE;
}

static enum options_result positional(int argc, char **argv, struct options *o, struct error *err)
{
	for (int i = optind; i < argc; i++)
		if (set_kernel(o, argv[i], err) < 0)
			return OPTIONS_USAGE;
	return OPTIONS_RUN;
}

enum options_result options_parse(int argc, char **argv, struct options *options, struct error *err)
{
	struct option longs[OPTION_COUNT + 1] = {0};
	int c, index = -1;

	set_defaults(options);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		longs[i] = (struct option){table[i].name, table[i].has_arg, NULL, 1};
	opterr = 0;
	optind = 1;
	while ((c = getopt_long_only(argc, argv, ":", longs, &index)) != -1) {
		if (c != 1)
			return usage(err, c, argv);
		if (!table[index].set)
			return print_and_end((unsigned)index);
		if (table[index].set(options, optarg, err) < 0)
			return OPTIONS_USAGE;
	}
	return positional(argc, argv, options, err);
}
