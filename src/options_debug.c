// SPDX-License-Identifier: GPL-3.0-or-later
/* Options about debugging, and about who talks to vitrine. */
#include "option_values.h"
#include "options_private.h"

#include <errno.h>
#include <string.h>

int set_symbols(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->symbols = arg;
	return 0;
}

int set_gdb(struct options *o, const char *arg, struct error *err)
{
	return net_address_parse(arg, &o->gdb, err);
}

int set_s(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	return net_address_parse(":1234", &o->gdb, err);
}

int set_paused(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->paused = true;
	return 0;
}

int set_on_disconnect(struct options *o, const char *arg, struct error *err)
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

int set_on_triple_fault(struct options *o, const char *arg, struct error *err)
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

int set_no_reboot(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->debug.no_reboot = true;
	return 0;
}

int set_debug_strategy(struct options *o, const char *arg, struct error *err)
{
	return debug_strategy_parse(arg, &o->debug.strategy, err);
}

int set_doctor(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->doctor = true;
	return 0;
}

int set_json(struct options *o, const char *arg, struct error *err)
{
	(void)arg;
	(void)err;
	o->json = true;
	return 0;
}

int set_monitor(struct options *o, const char *arg, struct error *err)
{
	static const struct choice choices[] = {
		{"stdio", MONITOR_STDIO}, {"none", MONITOR_NONE}, {0}};
	int value;
	int rc = option_choice("monitor", arg, choices, &value, err);

	if (rc == 0)
		o->monitor = value;
	return rc;
}

int set_command(struct options *o, const char *arg, struct error *err)
{
	if (o->command_count == MAX_COMMANDS)
		return error_set(err, -EINVAL,
				 "more than %d -ex: put the commands into a file for -batch",
				 MAX_COMMANDS);
	o->command[o->command_count++] = arg;
	return 0;
}

int set_batch(struct options *o, const char *arg, struct error *err)
{
	(void)err;
	o->batch = arg;
	return 0;
}

int set_log(struct options *o, const char *arg, struct error *err)
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
