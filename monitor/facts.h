/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers as data. A command writes its answer for people with out_printf(), and tells the same facts
 * under stable names here; for whoever reads text, these calls do nothing. docs/console.md lists the names,
 * and every command's `more` in the table those of its own.
 *
 * Addresses, registers and memory are hexadecimal strings, since JSON's numbers lose bits in many
 * readers; what is counted is a number. Text is cleaned (text.h).
 */
#ifndef MONITOR_FACTS_H
#define MONITOR_FACTS_H

#include "monitor/monitor.h"

/* The reader of out wants facts; for answers that cost something to work out. */
bool facts_wanted(const struct monitor_out *out);

/* Into the innermost list or object that is open; key is ignored in a list. NULL and "" are left
 * out of objects. */
void fact_text(struct monitor_out *out, const char *key, const char *text);
void fact_hex(struct monitor_out *out, const char *key, uint64_t value);
void fact_count(struct monitor_out *out, const char *key, uint64_t value);
/* Whatever this JSON says; what is none is left out. */
void fact_json(struct monitor_out *out, const char *key, const char *json);
void fact_flag(struct monitor_out *out, const char *key, bool value);

/* What follows goes into it until fact_end(). Eight deep at most; deeper ones are not kept. */
void fact_list(struct monitor_out *out, const char *key);
void fact_object(struct monitor_out *out, const char *key);
void fact_end(struct monitor_out *out);

/* ---- for monitor.c and the console ---------------------------------------------------------- */

struct facts;

struct facts *facts_new(void); /* one object, open; NULL when out of memory */
void facts_free(struct facts *facts);
/* The object as one line of ASCII with its newline, malloc'd; NULL when out of memory. */
char *facts_line(const struct facts *facts);
/* Moves what is in `from` below a key; nothing when it is empty. */
void facts_move(struct facts *to, const char *key, struct facts *from);

#endif
