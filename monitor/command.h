/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of the monitor: the command table, and what a command is given when it runs. A command
 * is one row of the table; its arguments are read by kind before run is called, and completed by
 * kind.
 */
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include "monitor/disassembly.h"
#include "monitor/expression.h"
#include "monitor/facts.h"
#include "monitor/format.h"
#include "monitor/monitor.h"
#include "monitor/text.h"

/* ---- the table ----------------------------------------------------------------------------- */

/* What an argument is; how it is read, what completes it. */
enum arg_kind {
	ARG_END,	/* no more arguments */
	ARG_EXPRESSION, /* value */
	ARG_LOCATION,	/* value: an address; FUNCTION, FILE:LINE, LINE, *EXPR, EXPR */
	ARG_REGISTERS,	/* text: a register with or without $, or a group */
	ARG_COMMAND,	/* text: the rest of the line, the name of a command */
	ARG_SETTING,	/* text: the rest of the line, what `set` takes */
	ARG_SHOWN,	/* text: the name of a setting */
	ARG_POINTS,	/* text: the rest of the line, numbers of points */
	ARG_POINT,	/* value: the number of one */
	ARG_PLACE,	/* text: the rest of the line, which begins with an expression */
	ARG_CLAUSES,	/* text: the rest of the line, what points.h calls clauses */
	ARG_CPU,	/* value: the number of a vCPU */
	ARG_ON_CPU,	/* "cpu N": the command is about this vCPU; value: its number */
	ARG_SWITCH,	/* text: on or off */
	ARG_OFFSET,	/* value: behind "-o"; given only when typed */
	ARG_KEYS,	/* text: the rest of the line, names of keys */
	ARG_LOG,	/* text: the rest of the line, an area and a level */
	ARG_ADDRESS,	/* text: the rest of the line, where gdb is taken, or "off" */
	ARG_MSR,	/* value: an MSR, by name or number */
	ARG_CATCH,	/* text: the rest of the line, which begins with a kind of catch */
	ARG_OPTION,   /* text, with its dash; may stand before the others; given only when typed */
	ARG_FILE,     /* text: a path, with $HOME in place of ~; in quotes when it has blanks */
	ARG_SNAPSHOT, /* text: the name of one */
	ARG_TEXT,     /* text: the rest of the line, as it is */
	ARG_LINE,     /* text: the rest of the line, a command with its arguments */
	ARG_KIND_COUNT
};

struct arg_desc {
	enum arg_kind kind;
	const char *name; /* as help shows it: "ADDR"; for ARG_OPTION what must be typed: "-a" */
	bool optional;
};

struct arg {
	bool given;
	uint64_t value;
	const char *text;
};

enum command_class { CLASS_RUN, CLASS_POINTS, CLASS_STATE, CLASS_CODE, CLASS_MACHINE, CLASS_COUNT };

enum command_flags {
	COMMAND_STOPPED = 1 << 0,     /* wants a stopped guest */
	COMMAND_RUNS = 1 << 1,	      /* lets the guest run: not while gdb holds it */
	COMMAND_FORMAT = 1 << 2,      /* takes /FMT */
	COMMAND_REPEAT = 1 << 3,      /* an empty line runs the same line again */
	COMMAND_REPEAT_NEXT = 1 << 4, /* ... runs it without arguments: it goes on where it was */
	COMMAND_COMMON = 1 << 5,      /* "info ...": `help` has it among those of its class, too */
	COMMAND_FILES = 1 << 6,	      /* opens a file of the host's that it is told */
};

#define COMMAND_MAX_ARGS 4

struct call;

struct command {
	/* One word, or two: "info registers". */
	const char *name;
	/* With blanks between, exact ones, of the last word of name; or NULL. */
	const char *aliases;
	enum command_class class;
	unsigned flags;
	struct arg_desc args[COMMAND_MAX_ARGS + 1];
	const char *help; /* one line, no full stop */
	const char *more; /* further lines for `help COMMAND`, or NULL */
	int (*run)(struct call *call);
};

extern const struct command commands[];
extern const unsigned command_count;

/* One command being run. */
#define CALL_PATH_SIZE 4096
struct call {
	struct monitor *monitor;
	enum debug_owner owner;
	struct monitor_out *out;
	const struct command *command;
	const char *format;		  /* what followed the slash, or NULL */
	struct arg arg[COMMAND_MAX_ARGS]; /* in the order of command->args */
	bool repeated;			  /* by an empty line */
	int cpu;			  /* the caller's current vCPU */
	char path[CALL_PATH_SIZE];	  /* where the text of an ARG_FILE is; no command has two */
	struct error *err;
};

/* ---- the monitor --------------------------------------------------------------------------- */

#define LINE_MAX_SIZE 4096

/* What one owner looks at; gdb's `monitor` and the console do not disturb each other. */
struct view {
	int cpu;
	struct format format;
	bool physical;
	bool data_known, code_known;
	uint64_t data, code; /* where `x` and `disassemble` go on */
	const char *file;    /* of the symbols; where `list` goes on, or NULL */
	int line;
	char last_line[LINE_MAX_SIZE]; /* for the empty line; "" when there is nothing to repeat */
	int collecting;		       /* the point whose commands the next lines are; or 0 */
	struct string collected;
	bool asking; /* whether to quit all the same: the next line is the answer */
};

/* General registers at the last two stops that were shown, to mark what changed. */
struct seen {
	bool before_valid, now_valid;
	struct cpu_general before, now;
	unsigned stop; /* number of the stop that `now` belongs to */
};

struct monitor {
	struct debug *debug;
	struct symbols *symbols;	 /* may be NULL */
	struct symbol_file *symbol_file; /* whose these are, when symbol-file was used; or NULL */
	bool placed;			 /* ... and the user has said where they are */
	uint64_t
		searched; /* the IDT that the guest had when its kernel was looked for; 0: was not */
	struct modules *modules; /* of a Linux guest; NULL until somebody asks */
	struct monitor_host host;
	monitor_event_fn *listener;
	void *listener_ctx;
	bool gdb_attached;
	bool expects_stop;
	enum syntax syntax;
	unsigned stop_number; /* counts stops */
	/* Whether `monitor` in gdb opens files of the host's: if gdb comes by a way that is the user's own;
	 * never; always. */
	enum { GDB_FILES_AUTO, GDB_FILES_OFF, GDB_FILES_ON } gdb_files;
	/* What becomes of other vCPUs, by gdb's names: they run; they are held; they are held
	 * while one steps. */
	enum { LOCKING_OFF, LOCKING_ON, LOCKING_STEP } locking;
	struct plan *plans;  /* one per vCPU, to be filled at each resume */
	unsigned steps_left; /* of `step N`, after the one that runs */
	struct plan step_plan;
	int step_cpu;
	bool stepping_on; /* the next DEBUG_RESUMED is a further step's: nobody is told */
	struct view view[OWNER_COUNT];
	struct seen *seen; /* one per vCPU */
	struct point_commands *point_commands;
	monitor_feed_fn *feed; /* takes lines for the console; or NULL */
	void *feed_ctx;
	monitor_enough_fn *enough; /* or NULL */
	void *enough_ctx;
	unsigned source_depth;
	bool no_pager;
	struct instruction_trace *instruction_trace; /* NULL: none is made */
	struct follow *follow;			     /* NULL: nobody does */
};

/* ---- lookup.c ------------------------------------------------------------------------------ */

/* The command that a line begins with: exact name or alias, or an unambiguous beginning of each
 * word. *rest: what follows. NULL with a sentence: unknown (names the nearest), ambiguous (names
 * them). */
const struct command *command_lookup(const char *line, const char **rest, struct error *err);

/* ---- elsewhere.c --------------------------------------------------------------------------- */

/* What does here for a command of gdb's or QEMU's that is not here: prefix is "" or "info ". NULL: nothing is known.
 * Such a word is no shortened name: gdb's `load` shall not become `loadvm`. */
const char *what_instead(const char *prefix, const char *word);

/* ---- arguments.c --------------------------------------------------------------------------- */

/* Reads what follows a command's name into call->format and call->arg. text is cut into pieces. */
int arguments_parse(struct call *call, char *text);
/* -EINTR, with a sentence, when the user has pressed Ctrl-C while the command works. */
int check_enough(struct call *call);
/* Runs a line; what is asked for goes to call->out, and the sentence of a failure to call->err. */
int call_execute(struct call *call, const char *line);
/* "x[/FMT] [ADDR]" */
void command_usage(const struct command *command, char *buf, size_t size);

/* ---- evaluate.c ---------------------------------------------------------------------------- */

/* As expression_compile(), with the guest's symbols. */
int monitor_compile(struct monitor *monitor, const char *text, struct program **program,
		    uint64_t *size, const char **end, struct error *err);
/* Its value for this vCPU. -EBUSY, -EFAULT, -EDOM, -ENXIO with a sentence. */
int monitor_run(struct monitor *monitor, int cpu, const struct program *program, uint64_t *value,
		struct error *err);
/* Both at once. */
int monitor_evaluate(struct monitor *monitor, int cpu, const char *text, uint64_t *value,
		     const char **end, struct error *err);

/* ---- commands_kaslr.c ---------------------------------------------------------------------- */

/* The guest is at its start: the symbols are where the loader has prepared it to be. */
void kaslr_begin(struct monitor *monitor);
/* A stop: in a kernel that has moved by itself, symbols follow. */
void kaslr_follow(struct monitor *monitor, const struct stop *stop);

/* ---- modules.c ----------------------------------------------------------------------------- */

/* From now on these symbols know those of the guest's modules, too. */
void modules_attach(struct monitor *monitor);
/* The image is another one, or the guest begins anew: what is known of modules is not. */
void modules_forget(struct monitor *monitor);
/* The module that an address lies in, as it was when the guest's list was read last; NULL: in none. */
const struct guest_module *modules_at(struct monitor *monitor, uint64_t address);

/* ---- location.c ---------------------------------------------------------------------------- */

/* A location as break and list take it: FUNCTION (behind its prologue), FILE:LINE, LINE of the file
 * where the vCPU stands, *EXPR, or any other expression. *end as expression_compile()'s. */
int location_parse(struct monitor *monitor, int cpu, const char *text, uint64_t *address,
		   const char **end, struct error *err);

/* "add_one+0x14", or "0x200a34" where no name covers it. Returns buf. */
char *address_name(struct monitor *monitor, uint64_t address, char *buf, size_t size);
bool has_name(struct monitor *monitor, uint64_t address);
/* " <add_one+0x14>" or "". */
char *address_suffix(struct monitor *monitor, uint64_t address, char *buf, size_t size);
/* "add_one+0x14 at smp.c:57". */
char *address_text(struct monitor *monitor, uint64_t address, char *buf, size_t size);
/* The last part of a path. */
const char *file_part(const char *path);

/* ---- others -------------------------------------------------------------------------------- */

/* registers by name: rip, pc (linear), sp (linear), flags, eax, ax, al, ah. -ENOENT for no
 * register. */
int monitor_register_get(struct monitor *monitor, int cpu, const char *name, uint64_t *value,
			 struct error *err);
int monitor_register_set(struct monitor *monitor, int cpu, const char *name, uint64_t value,
			 struct error *err);

/* Appends what puts a register's value on the stack: of those names, and of $_cpu, the vCPU's number. */
int register_compile(const char *name, struct program_builder *builder, struct error *err);

/* Reads at least one byte: bytes done; -EFAULT with a sentence that says why there is nothing. */
ssize_t monitor_read(struct monitor *monitor, int cpu, bool physical, uint64_t address, void *buf,
		     size_t size, struct error *err);

/* linear_read_fn for a vCPU: ctx is a struct guest_view. */
struct guest_view {
	struct monitor *monitor;
	int cpu;
};
bool guest_view_read(void *ctx, uint64_t linear, void *buf, size_t len);

/* Set up for the mode that this vCPU is in. */
void monitor_disassembler(struct monitor *monitor, int cpu, struct disassembler *dis);
/* count instructions from *address on, with their symbols in one column; the one at the vCPU's pc
 * is marked. *address moves behind what was shown. -errno with a sentence when memory ends
 * before. */
int code_show(struct monitor *monitor, int cpu, uint64_t *address, unsigned count,
	      struct monitor_out *out, struct error *err);

/* A few instructions around the one at the vCPU's pc, and where that leads. */
void stop_code_show(struct monitor *monitor, int cpu, struct monitor_out *out);

/* Lines first … last of a source file, numbered, the current one marked. How many were there;
 * -errno (with a sentence) when the file cannot be read. */
int source_show(const char *path, int first, int last, int current, struct monitor_out *out,
		struct error *err);

/* The plan for a vCPU to run until the function that it is in has returned. -errno with a sentence when nobody
 * called it. */
int plan_to_caller(struct monitor *monitor, int cpu, struct plan *plan, struct error *err);

/* Lets a vCPU go on by this plan, and the others as `set scheduler-locking` says. */
int monitor_resume(struct monitor *monitor, int cpu, const struct plan *plan,
		   enum debug_owner owner, struct error *err);

/* "4K", "2M", "5000". Returns buf. */
char *short_size(uint64_t size, char buf[24]);

/* What is no plain file must not be replaced by one: -EEXIST. */
int file_check_replaceable(const char *path, struct error *err);

/* COUNT steps of the call's vCPU. */
int monitor_check_steps(uint64_t count, struct error *err);
int monitor_step(struct call *call, enum plan_action action, uint64_t count);

/* A line of `trace`; all: with the vCPU's number. */
void trace_record_show(struct monitor *monitor, const struct trace_record *record, bool all,
		       struct monitor_out *out);
void monitor_unfollow(struct monitor *monitor);

/* What `pt` draws. */
int walk_show(struct call *call, uint64_t linear);

/* Which stop it was, as facts, into the object that is open. */
void stop_facts(const struct stop *stop, struct monitor_out *out);

/* The screen of a stop for any vCPU; reason: with the line that says why. */
void context_show(struct monitor *monitor, int cpu, bool reason, struct monitor_out *out);

/* General registers, several on a line, with rip and the flags; mark: a star behind those that
 * changed since the stop before. */
void registers_show(struct monitor *monitor, int cpu, bool mark, struct monitor_out *out);

/* Remembers how they are now, for the marks of the next stop. */
void registers_note(struct monitor *monitor, int cpu);

/* "*(u32 *)ADDR = VALUE", without the star. */
int memory_set(struct call *call, const char *text);

void symbol_file_free(struct symbol_file *file); /* NULL is fine */

/* docs/console.md's part that is made from the table. */
void reference_show(struct monitor_out *out);
const char *class_name(enum command_class class);
/* The names of what a command tells as JSON (facts.h), as the reference has them; NULL: nothing. */
const char *command_facts(const struct command *command);
/* A line that shows how it is written, or NULL. */
const char *command_example(const struct command *command);

/* The words that `set` takes besides $register, for completion: NULL behind the last. */
const char *setting_name(unsigned index);
const char *log_level_word(unsigned index);
const char *setting_value(const char *setting, unsigned index);

#endif
