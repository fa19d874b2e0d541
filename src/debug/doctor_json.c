// SPDX-License-Identifier: GPL-3.0-or-later
/* The doctor tells programs: one JSON object (RFC 8259). docs/doctor.md lists the fields, which
 * stay. */
#include "debug/diagnosis.h"

#include <stdio.h>
#include <string.h>

#define FORMAT 1

/* ---- values ------------------------------------------------------------------------------ */

/* Where a member or an element goes: the first has no comma before it. */
struct list {
	struct report *report;
	bool more;
};

/* Bytes that are not ASCII become '?': nothing here is text that a person wrote. */
static void put_string(struct report *report, const char *text)
{
	report_printf(report, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			report_printf(report, "\\%c", c);
		else
			report_printf(report, "%c", c < ' ' || c > '~' ? '?' : c);
	}
	report_printf(report, "\"");
}

static void put_string_or_null(struct report *report, const char *text)
{
	if (text && *text)
		put_string(report, text);
	else
		report_printf(report, "null");
}

static void next(struct list *list)
{
	report_printf(list->report, list->more ? ", " : "");
	list->more = true;
}

static struct report *member(struct list *list, const char *name)
{
	next(list);
	put_string(list->report, name);
	report_printf(list->report, ": ");
	return list->report;
}

static void put_bool(struct report *report, bool value)
{
	report_printf(report, value ? "true" : "false");
}

static struct list open_object(struct report *report)
{
	report_printf(report, "{");
	return (struct list){.report = report};
}

static void close_object(struct list *list)
{
	report_printf(list->report, "}");
}

/* ---- the host ---------------------------------------------------------------------------- */

static void put_host(const struct diagnosis *d, struct report *report)
{
	struct list host = open_object(report);

	put_string(member(&host, "kernel"), d->kernel.release);
	put_string(member(&host, "machine"), d->kernel.machine);
	put_string_or_null(member(&host, "processor"), d->host.processor);
	put_bool(member(&host, "hardware_virtualisation"), d->host.hardware);
	put_string_or_null(member(&host, "hypervisor"), d->host.hypervisor);
	close_object(&host);
}

static void put_device(const struct diagnosis *d, struct report *report)
{
	const struct accel_host *host = &d->host;
	struct list device = open_object(report);

	put_string_or_null(member(&device, "path"), host->device);
	put_bool(member(&device, "ok"), host->device_errno == 0);
	put_string_or_null(member(&device, "error"),
			   host->device_errno ? strerror(host->device_errno) : NULL);
	report_printf(member(&device, "mode"), "%u", host->device_mode & 07777);
	report_printf(member(&device, "uid"), "%u", host->device_uid);
	report_printf(member(&device, "gid"), "%u", host->device_gid);
	report_printf(member(&device, "api_version"), "%d", host->api_version);
	close_object(&device);
}

/* "NAME=VALUE NAME=VALUE" */
static void put_parameters(const char *text, struct report *report)
{
	struct list object = open_object(report);

	while (*text) {
		size_t length = strcspn(text, " ");
		char name[256], *value;

		snprintf(name, sizeof(name), "%.*s", (int)length, text);
		value = strchr(name, '=');
		if (value) {
			*value = '\0';
			put_string(member(&object, name), value + 1);
		}
		text += length + (text[length] == ' ');
	}
	close_object(&object);
}

static void put_module(const struct diagnosis *d, struct report *report)
{
	struct list module = open_object(report);

	put_string_or_null(member(&module, "name"), d->host.module);
	put_parameters(d->host.parameters, member(&module, "parameters"));
	close_object(&module);
}

static void put_promises(const struct diagnosis *d, struct report *report)
{
	struct list promised = open_object(report);

	for (unsigned i = 0; i < d->host.promise_count; i++)
		report_printf(member(&promised, d->host.promise[i].name), "%u",
			      d->host.promise[i].value);
	close_object(&promised);
}

/* ---- what was found ---------------------------------------------------------------------- */

static void put_answers(const struct diagnosis *d, const struct capability_question *question,
			struct report *report)
{
	struct list modes;

	if (!question->modes) {
		put_string_or_null(report, capability_answer(&d->found, question, 0)->name);
		return;
	}
	modes = open_object(report);
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		put_string_or_null(member(&modes, capability_mode_id(mode)),
				   capability_answer(&d->found, question, mode)->name);
	close_object(&modes);
}

static void put_found(const struct diagnosis *d, struct report *report)
{
	const struct capability_question *question;
	struct list found;

	if (!d->asked) {
		report_printf(report, "null");
		return;
	}
	found = open_object(report);
	for (unsigned i = 0; (question = capability_question(i)); i++)
		put_answers(d, question, member(&found, question->name));
	close_object(&found);
}

/* ---- the ladder -------------------------------------------------------------------------- */

static void put_chosen(const struct diagnosis *d, enum wish wish, struct report *report)
{
	struct list modes = open_object(report);

	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++) {
		const struct ladder_row *row = diagnosis_rung(d, wish, mode);

		put_string_or_null(member(&modes, capability_mode_id(mode)),
				   row ? row->name : NULL);
	}
	close_object(&modes);
}

static void put_rung(const struct diagnosis *d, const struct ladder_row *row, struct report *report)
{
	struct list rung = open_object(report), works;

	put_string(member(&rung, "name"), row->name);
	put_string(member(&rung, "title"), row->title);
	works = open_object(member(&rung, "works"));
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		put_bool(member(&works, capability_mode_id(mode)),
			 ladder_works(row, &d->found, mode));
	close_object(&works);
	put_string_or_null(member(&rung, "why_not"), row->why_not);
	close_object(&rung);
}

static void put_wish(const struct diagnosis *d, enum wish wish, struct report *report)
{
	unsigned forced = d->strategy->forced[wish];
	struct list object = open_object(report), rungs = {.report = report};

	put_chosen(d, wish, member(&object, "chosen"));
	put_string_or_null(member(&object, "forced"), forced ? ladder[forced - 1].name : NULL);
	report_printf(member(&object, "rungs"), "[");
	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++) {
		if (row->wish != wish)
			continue;
		next(&rungs);
		put_rung(d, row, report);
	}
	report_printf(report, "]");
	close_object(&object);
}

static void put_ladder(const struct diagnosis *d, struct report *report)
{
	struct list wishes;

	if (!d->asked) {
		report_printf(report, "null");
		return;
	}
	wishes = open_object(report);
	for (enum wish wish = 0; wish < WISH_COUNT; wish++)
		put_wish(d, wish, member(&wishes, wish_name(wish)));
	close_object(&wishes);
}

/* ---- the object -------------------------------------------------------------------------- */

static void put_broken(const struct diagnosis *d, struct report *report)
{
	struct list broken = {.report = report};
	const char *title;
	unsigned modes;

	report_printf(report, "[");
	for (unsigned i = 0; (title = diagnosis_broken(d, i, &modes)); i++) {
		next(&broken);
		put_string(report, title);
	}
	report_printf(report, "]");
}

static void put_remedies(const struct diagnosis *d, struct report *report)
{
	struct list remedies = {.report = report};

	report_printf(report, "[");
	for (unsigned i = 0; i < d->remedy_count; i++) {
		next(&remedies);
		put_string(report, d->remedy[i]);
	}
	report_printf(report, "]");
}

void doctor_tell_json(const struct diagnosis *d, struct report *report)
{
	struct list object = open_object(report);

	report_printf(member(&object, "format"), "%d", FORMAT);
	put_bool(member(&object, "debuggable"), d->debuggable);
	put_string_or_null(member(&object, "trouble"), d->trouble.code ? d->trouble.text : NULL);
	put_string(member(&object, "accelerator"), d->accelerator);
	put_host(d, member(&object, "host"));
	put_device(d, member(&object, "device"));
	put_module(d, member(&object, "module"));
	put_promises(d, member(&object, "promised"));
	put_found(d, member(&object, "found"));
	report_printf(member(&object, "probe_us"), "%llu", (unsigned long long)d->probe_us);
	put_broken(d, member(&object, "not_kept"));
	put_ladder(d, member(&object, "ladder"));
	put_remedies(d, member(&object, "remedies"));
	close_object(&object);
	report_printf(report, "\n");
}
