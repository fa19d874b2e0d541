// SPDX-License-Identifier: GPL-3.0-or-later
/* The doctor tells people: 80 columns, what it means before the details. */
#include "debug/diagnosis.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COLUMNS	      80
#define MARGIN	      16 /* where values begin */
#define LADDER_MARGIN 26
#define TITLE_WIDTH   25
#define ANSWER_WIDTH  12

/* ---- paragraphs -------------------------------------------------------------------------- */

/* Words that flow from margin to the last column. */
struct paragraph {
	struct report *report;
	unsigned margin, column;
};

static struct paragraph begin(struct report *report, const char *title, unsigned margin)
{
	report_printf(report, "%-*s", (int)margin, title);
	return (struct paragraph){.report = report, .margin = margin, .column = margin};
}

static void add_word(struct paragraph *p, const char *word, size_t length)
{
	bool first = p->column == p->margin;

	if (!first && p->column + 1 + length > COLUMNS) {
		report_printf(p->report, "\n%*s", (int)p->margin, "");
		p->column = p->margin;
		first = true;
	}
	report_printf(p->report, "%s%.*s", first ? "" : " ", (int)length, word);
	p->column += (unsigned)(length + !first);
}

static void add_words(struct paragraph *p, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");

		if (length)
			add_word(p, text, length);
		text += length + (text[length] == ' ');
	}
}

static void end(struct paragraph *p)
{
	report_printf(p->report, "\n");
}

static void tell_paragraph(struct report *report, const char *title, const char *text)
{
	struct paragraph p = begin(report, title, MARGIN);

	add_words(&p, text);
	end(&p);
}

static void tell_indented(struct report *report, const char *text)
{
	struct paragraph p = begin(report, "", LADDER_MARGIN + 2);

	add_words(&p, text);
	end(&p);
}

/* "real mode, long mode" */
static const char *mode_list(unsigned modes, char *buf, size_t size)
{
	buf[0] = '\0';
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++) {
		size_t used = strlen(buf);

		if (modes >> mode & 1)
			snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
				 capability_mode_name(mode));
	}
	return buf;
}

/* ---- the host ---------------------------------------------------------------------------- */

static void tell_host(const struct diagnosis *d, struct report *report)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s %s, %s", d->kernel.sysname, d->kernel.release,
		 d->kernel.machine);
	tell_paragraph(report, "host", text);
	if (!d->host.processor[0])
		return;
	snprintf(text, sizeof(text), "%s, %s %s", d->host.processor,
		 d->host.hypervisor[0] ? "a virtual machine under" : "bare metal",
		 d->host.hypervisor);
	tell_paragraph(report, "processor", text);
}

static void permissions(const struct accel_host *host, char *buf, size_t size)
{
	const struct passwd *user = getpwuid(host->device_uid);
	const struct group *group = getgrgid(host->device_gid);

	snprintf(buf, size, "mode %04o, owner %s, group %s", host->device_mode & 07777,
		 user ? user->pw_name : "?", group ? group->gr_name : "?");
}

static void tell_device(const struct diagnosis *d, struct report *report)
{
	const struct accel_host *host = &d->host;
	char text[512], rights[200];

	if (!host->device) {
		tell_paragraph(report, "accelerator", d->accelerator);
		return;
	}
	permissions(host, rights, sizeof(rights));
	if (host->device_errno && !host->device_mode)
		snprintf(text, sizeof(text), "NO: %s", strerror(host->device_errno));
	else if (host->device_errno)
		snprintf(text, sizeof(text), "NO: %s (%s)", strerror(host->device_errno), rights);
	else
		snprintf(text, sizeof(text), "ok (API %d, module %s: %s; %s)", host->api_version,
			 host->module[0] ? host->module : "unknown",
			 host->hardware ? host->hypervisor[0] ? "nested hardware virtualisation"
							      : "hardware virtualisation"
					: "no hardware virtualisation under it",
			 rights);
	tell_paragraph(report, host->device, text);
}

static void tell_promises(const struct diagnosis *d, struct report *report)
{
	struct paragraph p = begin(report, "promised", MARGIN);

	for (unsigned i = 0; i < d->host.promise_count; i++) {
		const struct accel_promise *promise = &d->host.promise[i];
		const char *comma = i + 1 < d->host.promise_count ? "," : "";
		char text[80];

		if (promise->value > 1)
			snprintf(text, sizeof(text), "%u %s%s", promise->value, promise->title,
				 comma);
		else
			snprintf(text, sizeof(text), "%s%s%s", promise->value ? "" : "NO ",
				 promise->title, comma);
		add_words(&p, text);
	}
	if (d->host.promise_count == 0)
		add_words(&p, "nothing that could be asked");
	end(&p);
}

/* ---- what was found ---------------------------------------------------------------------- */

/* The last column of a line has no blanks behind it. */
static void tell_cell(struct report *report, const char *text, bool last)
{
	if (last)
		report_printf(report, "%s\n", text);
	else
		report_printf(report, "%-*s ", ANSWER_WIDTH, text);
}

static void tell_question(const struct diagnosis *d, struct report *report,
			  const struct capability_question *question)
{
	unsigned columns = question->modes ? CAP_MODE_COUNT : 1;

	report_printf(report, "  %-*s ", TITLE_WIDTH, question->title);
	for (unsigned mode = 0; mode < columns; mode++)
		tell_cell(report, capability_answer(&d->found, question, mode)->brief,
			  mode + 1 == columns);
}

static void tell_found(const struct diagnosis *d, struct report *report)
{
	const struct capability_question *question;

	if (!d->asked) {
		tell_paragraph(report, "found", d->trouble.text);
		return;
	}
	report_printf(report, "%-*s ", TITLE_WIDTH + 2, "found");
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		tell_cell(report, capability_mode_id(mode), mode + 1 == CAP_MODE_COUNT);
	for (unsigned i = 0; (question = capability_question(i)); i++)
		tell_question(d, report, question);
	if (d->probe_us)
		report_printf(report, "  (asking took %u.%u ms)\n", (unsigned)(d->probe_us / 1000),
			      (unsigned)(d->probe_us / 100 % 10));
}

static void tell_broken(const struct diagnosis *d, struct report *report)
{
	struct paragraph p;
	const char *title;
	unsigned modes;

	if (!diagnosis_broken(d, 0, &modes))
		return;
	p = begin(report, "not kept", MARGIN);
	for (unsigned i = 0; (title = diagnosis_broken(d, i, &modes)); i++) {
		char text[160], list[100];

		snprintf(text, sizeof(text), "%s%s%s%s", i ? "· " : "", title, modes ? " in " : "",
			 mode_list(modes, list, sizeof(list)));
		add_words(&p, text);
	}
	end(&p);
}

/* ---- the ladder -------------------------------------------------------------------------- */

#define ALL_MODES ((1u << CAP_MODE_COUNT) - 1)

/* The modes in which a wish takes row; NULL: in which it is refused. */
static unsigned modes_on(const struct diagnosis *d, enum wish wish, const struct ladder_row *row)
{
	unsigned modes = 0;

	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		modes |= diagnosis_rung(d, wish, mode) == row ? 1u << mode : 0;
	return modes;
}

static void tell_rung(struct report *report, const char *title, const char *rung, unsigned modes)
{
	char text[200], list[100];

	if (modes == ALL_MODES)
		snprintf(text, sizeof(text), "everywhere: %s", rung);
	else
		snprintf(text, sizeof(text), "%s: %s", mode_list(modes, list, sizeof(list)), rung);
	if (modes) {
		struct paragraph p = begin(report, title, LADDER_MARGIN);

		add_words(&p, text);
		end(&p);
	}
}

/* Why a row is not taken where a worse one is, or none. told: bit masks of modes by rung, whose
 * reasons were given for an earlier row of the same kind. */
static void tell_passed_over(const struct diagnosis *d, struct report *report, enum wish wish,
			     const struct ladder_row *row, unsigned *told)
{
	unsigned modes = 0;
	char text[200], list[100];

	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++) {
		const struct ladder_row *taken = diagnosis_rung(d, wish, mode);

		if ((!taken || taken > row) && !ladder_works(row, &d->found, mode))
			modes |= 1u << mode;
	}
	modes &= ~told[row->rung];
	told[row->rung] |= modes;
	if (!modes)
		return;
	snprintf(text, sizeof(text), "not %s%s%s: %s", row->title, modes == ALL_MODES ? "" : " in ",
		 modes == ALL_MODES ? "" : mode_list(modes, list, sizeof(list)), row->why_not);
	tell_indented(report, text);
}

static unsigned modes_of(const struct diagnosis *d, const struct ladder_row *row)
{
	unsigned modes = 0;

	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		modes |= ladder_works(row, &d->found, mode) ? 1u << mode : 0;
	return modes;
}

/* It is there for addresses that the better rungs cannot have, whatever the mode; and what it costs must be known. */
static void tell_last_resort(const struct diagnosis *d, struct report *report,
			     const struct ladder_row *row)
{
	unsigned modes = modes_of(d, row);
	char text[200], list[100];

	if (!modes)
		return;
	snprintf(text, sizeof(text), "where that cannot be%s%s: %s",
		 modes == ALL_MODES ? "" : ", in ",
		 modes == ALL_MODES ? "" : mode_list(modes, list, sizeof(list)), row->title);
	if (!modes_on(d, row->wish, row))
		tell_indented(report, text);
	tell_indented(report, "slow: each instruction of the guest is stepped, and compared with "
			      "the watches");
}

static void tell_wish(const struct diagnosis *d, struct report *report, enum wish wish)
{
	unsigned told[RUNG_COUNT] = {0};
	char title[40];

	snprintf(title, sizeof(title), "  %s", wish_title(wish));
	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++) {
		unsigned modes = row->wish == wish ? modes_on(d, wish, row) : 0;

		tell_rung(report, title, row->title, modes);
		if (modes)
			title[0] = '\0';
	}
	tell_rung(report, title, "REFUSED", modes_on(d, wish, NULL));
	if (d->strategy->forced[wish])
		tell_indented(report, "by -debug-strategy");
	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++)
		if (diagnosis_considers(d, row, wish))
			tell_passed_over(d, report, wish, row, told);
	for (const struct ladder_row *row = ladder; row < ladder + ladder_size; row++)
		if (diagnosis_considers(d, row, wish) && row->rung == RUNG_COMPARE)
			tell_last_resort(d, report, row);
}

static void tell_ladder(const struct diagnosis *d, struct report *report)
{
	if (!d->asked)
		return;
	report_printf(report, "so on this host\n");
	for (enum wish wish = 0; wish < WISH_COUNT; wish++)
		tell_wish(d, report, wish);
}

static void tell_remedies(const struct diagnosis *d, struct report *report)
{
	for (unsigned i = 0; i < d->remedy_count; i++)
		tell_paragraph(report, i ? "" : "what helps", d->remedy[i]);
	if (!d->debuggable)
		report_printf(report, "guests cannot be debugged on this host\n");
	else if (!d->remedy_count)
		report_printf(report, "nothing to mend\n");
}

void doctor_tell_text(const struct diagnosis *d, struct report *report)
{
	tell_host(d, report);
	tell_device(d, report);
	tell_promises(d, report);
	tell_found(d, report);
	tell_broken(d, report);
	tell_ladder(d, report);
	tell_remedies(d, report);
}
