// SPDX-License-Identifier: GPL-3.0-or-later
#include "options.h"

#include "near_name.h"
#include "option_table.h"
#include "option_values.h"
#include "qemu_options.h"

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
#define DEBUG_EXIT_PORT 0xf4

static const char help[] =
	"usage: vitrine [options] [IMAGE]    runs an x86-64 guest under KVM and debugs it\n"
	"  -kernel FILE  same as IMAGE (none: a demo guest)  -append TEXT  command line\n"
	"  -initrd FILE[ ARGS][,...]  RAM disk, modules    -m SIZE[K|M|G]  memory (128M)\n"
	"  -load ADDR, -entry ADDR    of a raw image       -protocol NAME  how it starts\n"
	"  -smp N      vCPUs (1)          -cpu max[,+|-FEATURE...]   -accel kvm|dummy\n"
	"  -irqchip kernel|user           -clock vm|host   time while stopped\n"
	"  -drive FILE[,readonly][,index=0|1]   an IDE disk, raw; -hda FILE, -hdb FILE\n"
	"  -loadvm FILE  from a snapshot  -fw_cfg name=NAME,file=FILE|string=TEXT\n"
	"debugging\n"
	"  -s          same as -gdb :1234                -S  do not start the guest\n"
	"  -gdb ADDR   :PORT, HOST:PORT, tcp::PORT, unix:PATH, /dev/DEVICE, stdio, none\n"
	"  -gdb-arch auto|i8086|i386|x86-64   -on-disconnect keep|continue|kill\n"
	"  -on-triple-fault stop|reset|exit              -no-reboot  a reset ends the run\n"
	"  -symbols FILE   ELF file with the guest's symbols, for the console and gdb\n"
	"  -doctor     what this host's KVM can do       -json  doctor, console in JSON\n"
	"  -debug-strategy break|hbreak|watch|access|step=RUNG[,...][,probe]\n"
	"talking\n"
	"  -monitor stdio|unix:PATH|none  the console (default: stdio on a terminal)\n"
	"  -serial stdio|mon:stdio|stderr|pty|file:PATH|unix:PATH|none   COM1, then COM2\n"
	"  -nographic  same as -serial mon:stdio (Ctrl-A c: console, Ctrl-A x: quit)\n"
	"  -ex CMD, -batch FILE  console commands; -batch quits then     -nx no init file\n"
	"  -debug-exit PORT|none  exit port (0xf4)     -device isa-debug-exit|pc-testdev\n"
	"  -log error|warn|info|debug     -kvm-device PATH   -version   -help\n"
	"Options take one dash or two. In gdb: target remote :1234\n";

static bool takes_argument(const struct option_row *row)
{
	return row->kind == OPTION_TEXT || row->kind == OPTION_CHOICE || row->kind == OPTION_CALL;
}

static int apply(const struct option_row *row, struct options *o, const char *arg,
		 struct error *err)
{
	void *field = (char *)o + row->offset;

	switch (row->kind) {
	case OPTION_TEXT: *(const char **)field = arg; return 0;
	case OPTION_FLAG: *(bool *)field = true; return 0;
	case OPTION_CHOICE: return option_choice(row->name, arg, row->choices, field, err);
	default: return row->call(o, arg, err);
	}
}

static bool only_prints(const struct option_row *row)
{
	if (row->kind == OPTION_VERSION)
		printf("vitrine %s\n", VITRINE_VERSION);
	else if (row->kind == OPTION_HELP)
		fputs(help, stdout);
	return row->kind == OPTION_VERSION || row->kind == OPTION_HELP;
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

static const char *nearest_option(const char *name)
{
	struct near_name near;

	near_name_begin(&near, name, strlen(name));
	for (unsigned i = 0; i < option_count; i++)
		near_name_offer(&near, option_table[i].name, strlen(option_table[i].name));
	return near.name;
}

static void unknown_option(struct error *err, const char *typed)
{
	const char *name = typed + strspn(typed, "-"), *instead, *near;
	char word[NEAR_NAME_SIZE];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "="), name);
	instead = qemu_option_instead(word);
	near = nearest_option(word);
	if (instead)
		error_set(err, -EINVAL, "there is no -%s here; %s", word, instead);
	else if (near)
		error_set(err, -EINVAL, "unknown option %s: did you mean -%s? see vitrine -help",
			  typed, near);
	else
		error_set(err, -EINVAL, "unknown option %s; see vitrine -help", typed);
}

static enum options_result usage(struct error *err, int c, char **argv)
{
	const char *typed = argv[optind - 1];

	if (c == ':')
		error_set(err, -EINVAL, "%s needs a value; see vitrine -help", typed);
	else
		unknown_option(err, typed);
	return OPTIONS_USAGE;
}

static enum options_result positional(int argc, char **argv, struct options *o, struct error *err)
{
	for (int i = optind; i < argc; i++)
		if (option_positional(o, argv[i], err) < 0)
			return OPTIONS_USAGE;
	return OPTIONS_RUN;
}

/* Commands want a console that runs them. */
static enum options_result check_monitor(const struct options *o, struct error *err)
{
	if (o->monitor == MONITOR_NONE && (o->batch || o->command_count)) {
		error_set(err, -EINVAL,
			  "-ex and -batch are for the console: leave out -monitor none");
		return OPTIONS_USAGE;
	}
	if (o->monitor != MONITOR_SOCKET || !o->batch)
		return OPTIONS_RUN;
	error_set(err, -EINVAL,
		  "-batch answers on standard output, and ends: leave out -monitor unix:PATH");
	return OPTIONS_USAGE;
}

/* gdb's packets and anything else on standard output would be of no use to either. */
static enum options_result check_stdio(const struct options *o, struct error *err)
{
	bool used = o->monitor == MONITOR_STDIO || o->batch ||
		    (o->command_count && o->monitor != MONITOR_SOCKET);

	for (unsigned i = 0; i < o->serial_count; i++)
		used |= strcmp(o->serial[i], "stdio") == 0 ||
			strcmp(o->serial[i], "mon:stdio") == 0;
	if (o->gdb.kind != NET_STDIO || !used)
		return OPTIONS_RUN;
	error_set(err, -EINVAL,
		  "-gdb stdio takes standard input and output for gdb: leave out -monitor stdio, "
		  "-serial stdio, -nographic, -ex and -batch");
	return OPTIONS_USAGE;
}

enum options_result options_parse(int argc, char **argv, struct options *options, struct error *err)
{
	struct option longs[OPTION_ROOM] = {0};
	int c, index = -1;

	set_defaults(options);
	for (unsigned i = 0; i < option_count; i++)
		longs[i] = (struct option){option_table[i].name, takes_argument(&option_table[i]),
					   NULL, 1};
	opterr = 0;
	optind = 1;
	while ((c = getopt_long_only(argc, argv, ":", longs, &index)) != -1) {
		if (c != 1)
			return usage(err, c, argv);
		if (only_prints(&option_table[index]))
			return OPTIONS_DONE;
		if (apply(&option_table[index], options, optarg, err) < 0)
			return OPTIONS_USAGE;
	}
	if (positional(argc, argv, options, err) != OPTIONS_RUN)
		return OPTIONS_USAGE;
	if (check_monitor(options, err) != OPTIONS_RUN)
		return OPTIONS_USAGE;
	return check_stdio(options, err);
}
