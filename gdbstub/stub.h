/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the stub's files share.
 *
 * gdb believes one of two things of the guest: that it stands still (`waiting` is false), or that
 * it runs and a stop reply is owed (`waiting` is true). The machine really runs or stands still,
 * and since the console acts too, belief and truth may differ:
 *
 *   gdb believes  machine  how it came            what happens
 *   stopped       stopped  a stop reply was sent  every packet works
 *   running       running  vCont                  a stop sends the one reply that is owed
 *   running       stopped  it stopped just now    the event is on its way; as above
 *   stopped       running  the console resumed    what needs a stopped guest gets an error; vCont;c
 *                                                 joins; a later stop is owed to nobody
 *
 * A stop event may be older than the last resume (a pause that was waited for raises one, too). So
 * the event only says "look": the reply is made when the machine really stands still, from its last
 * stop.
 */
#ifndef GDBSTUB_STUB_H
#define GDBSTUB_STUB_H

#include "gdbstub/layout.h"
#include "gdbstub/reply.h"
#include "gdbstub/request.h"
#include "gdbstub/session.h"
#include "gdbstub/text.h"

#define ANNEX_MAX   63 /* bytes behind a document's name, which say which of its kind */
#define GDB_HANDLES 16 /* files that a gdb has open at once */

struct gdb_point {
	int number; /* 0: nothing carries it here, and why_not says why */
	char *why_not;
	enum point_kind kind;
	uint64_t address, length;
	bool persists; /* when gdb detaches */
};

struct gdb_session {
	struct debug *debug;
	struct gdb_config config;
	struct packet_reader reader;
	struct reply reply; /* the one being made */
	size_t last_size;   /* of the framed reply in reply.bytes, for a NAK; 0: none */
	unsigned naks;	    /* in a row */
	/* A packet is being obeyed, and its reply put together. News that ask for a packet of their own wait
	 * until it is sent: the core tells old news before it resumes. */
	bool busy, late_stop, late_exit;
	enum debug_owner late_actor;
	struct error error; /* why the handler that runs now refuses, when it knows a sentence */

	bool no_ack, extended;
	bool waiting; /* gdb is owed a stop reply */
	int stepped;  /* the vCPU that gdb steps, or -1 */
	/* gdb was told of a stop other than a pause, and has not done more since than look or go on: it may be in the
	 * middle of many steps. */
	bool between_steps;
	bool interrupted; /* Ctrl-C met such a stop: who goes on all the same is told of a pause */
	bool ended;	  /* D, k: nothing is read any more */
	bool detached;	  /* D, and nothing attached since */
	bool killed;	  /* vKill in extended mode, and no vRun since */
	bool exited;	  /* the run is over */

	/* What gdb offered in qSupported. */
	bool swbreak, hwbreak, error_message;

	unsigned general;	 /* vCPU that registers and memory are about (Hg) */
	struct thread_id resume; /* Hc; for c and s, which name no thread themselves */
	enum space space;	 /* what m and M address */

	struct layout layout;
	int rip, rsp; /* rows of the register table */
	/* The points that Z made. A `monitor break` belongs to gdb as well, as far as the core is
	 * concerned, but gdb knows nothing of it. */
	struct gdb_point *points;
	size_t point_count, point_capacity;

	bool slid;				    /* gdb was told that the guest has moved */
	const struct gdb_file *handle[GDB_HANDLES]; /* what vFile:open has opened; NULL: free */

	struct gdb_file modules; /* what modules_file() has made; NULL bytes: nothing */

	uint64_t *told;	      /* the low 64 bits of each register as gdb last read it, by number */
	struct text transfer; /* the document that a qXfer reads piece by piece */
	const void *transfer_object;
	char transfer_annex[ANNEX_MAX + 1];

	struct text kept;	     /* for gdb's terminal, when it waits again */
	unsigned long long not_kept; /* texts, for which there was no room */
};

/* What a handler returns: 0 sends what it put into the reply (nothing: "not supported"), SILENT
 * sends nothing now, and a negative errno becomes an error reply. */
enum { SILENT = 1 };
typedef int gdb_command_fn(struct gdb_session *s, struct request *request);

/* The rest of the packet after the command's name, in the one table of commands.c. */
struct gdb_command {
	const char *name;
	/* What follows the name: one of these characters (taken off), nothing when it is "", or
	 * anything when it is NULL. A `\n` in the set stands for the end of the packet. */
	const char *follow;
	gdb_command_fn *run;
};
const struct gdb_command *command_find(struct request *request);
/* The table's rows, and the names of the documents that qXfer reads, from 0 up; NULL behind the last. */
const struct gdb_command *command_at(unsigned index);
const char *document_at(unsigned index);

gdb_command_fn command_acknowledge_off, command_attached, command_current_thread, command_detach,
	command_extended, command_kill, command_supported, command_v_attach, command_v_kill,
	command_restart, command_v_run, command_monitor, command_thread_set, command_thread_alive,
	command_threads_first, command_threads_next, command_thread_text, command_registers_read,
	command_registers_write, command_register_read, command_register_write, command_memory_read,
	command_memory_write, command_memory_write_binary, command_space_get, command_space_set,
	command_point_add, command_point_remove, command_why, command_resume_query, command_resume,
	command_continue, command_continue_signal, command_step, command_step_signal,
	command_transfer, command_file, command_memory_read_binary, command_search, command_crc,
	command_memory_region, command_offsets;

/* Text in one `O` packet; twice as many hex digits travel. */
#define PRINT_PIECE 2048

/* ---- modules.c ------------------------------------------------------------------ */

#define MODULES_PATH "/vitrine/modules"

/* Its bytes, which may have to be made; NULL: it is not there. */
const void *file_bytes(const struct gdb_file *file, size_t *size);
/* The symbols of the guest's modules as they are now, unless gdb has the file open; NULL: it is no Linux, or they
 * cannot be read from here. */
const struct gdb_file *modules_file(struct gdb_session *s);
void modules_file_free(struct gdb_session *s);

/* ---- session.c ------------------------------------------------------------------ */

/* Sends a packet of its own with text for gdb's terminal; the reply in the making is not touched.
 */
void session_print(struct gdb_session *s, const char *text, size_t size);
void session_send(struct gdb_session *s); /* the reply that was put together */
int reply_ok(struct gdb_session *s);
bool vcpu_exists(const struct gdb_session *s, const struct thread_id *id);

/* ---- register_view.c: registers as gdb sees them -------------------------------- */

/* Registers go by gdb's numbers (gdbstub/layout.h), which are below s->layout.count. */

/* Chooses the layout for the current vCPU, and for what it does now. -ENOMEM. */
int view_renew(struct gdb_session *s);
/* Bytes of a register; 0 when this connection's layout does not have it. */
size_t view_size(const struct gdb_session *s, unsigned reg);
/* As debug_reg_get and debug_reg_set, but rip and rsp are linear addresses: gdb knows no segments.
 */
int view_get(struct gdb_session *s, unsigned vcpu, unsigned reg, void *value);
int view_set(struct gdb_session *s, unsigned vcpu, unsigned reg, const void *value);
/* Appends a register's hex digits, or `xx` for each byte when it is not to be had. */
void view_append(struct gdb_session *s, unsigned vcpu, unsigned reg);

/* ---- commands_points.c ---------------------------------------------------------- */

bool point_is_known(const struct gdb_session *s, int number);
/* gdb says goodbye: its points go, but for dprintfs that it wants to go on, which the console has from now on. */
void points_leave(struct gdb_session *s);
/* Points that nothing carries: false, and gdb's user is told of each, when there are some. */
bool points_carried(struct gdb_session *s);
/* The list, without a word to the core. */
void points_free(struct gdb_session *s);

/* ---- output.c ------------------------------------------------------------------- */

/* For gdb's terminal: now while gdb waits for a stop, else when it does. */
void output_text(struct gdb_session *s, const char *text);
void output_kept(struct gdb_session *s); /* gdb waits from now on */

/* ---- stop_reply.c --------------------------------------------------------------- */

/* Puts the reply for the machine's last stop together, and makes that stop's vCPU the current one,
 * as gdb does too when it reads the reply. */
void stop_reply(struct gdb_session *s, const struct stop *stop);
/* The reply to a resumption that nothing came of: the current vCPU stands where it stood. */
enum unmoved { UNMOVED_INTERRUPTED, UNMOVED_REFUSED };
void stop_reply_unmoved(struct gdb_session *s, enum unmoved why);
/* Sends the reply that is owed. What the stop reply cannot say goes ahead of it as text. */
void stop_tell(struct gdb_session *s, enum debug_owner actor);

/* ---- transfer.c, documents.c ----------------------------------------------------- */

/* Fills in text; -ENOENT for an annex that is not there. */
typedef int document_fn(struct gdb_session *s, const char *annex, size_t annex_size,
			struct text *text);
document_fn document_features, document_threads, document_exec_file, document_memory_map,
	document_osdata;

/* ---- target_xml.c --------------------------------------------------------------- */

void target_xml(struct text *text, const struct layout *layout);

#endif
