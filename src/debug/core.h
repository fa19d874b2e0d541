/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of the debugger core; only src/debug includes this.
 *
 * One state machine, guarded by gate.lock:
 *
 *            launch()                      a stop, a pause, a request
 *   STOPPED ─────────> STEPPING_OFF ──┐  ┌───────────────> STOPPING
 *      ^   (vCPUs that stand on a     │  │                     │
 *      │    breakpoint step off it,   v  │                     │ the last vCPU parks:
 *      │    the others held) ─────> RUNNING ── quiesce() ──> QUIESCED      points are lifted, the
 *      └──────────────────────────────────────────────────────┘            news is told
 *
 * Points are planted when the machine starts to run and lifted when the last vCPU has parked, so
 * that memory is the guest's own whenever anybody can look at it.
 */
#ifndef DEBUG_CORE_H
#define DEBUG_CORE_H

#include "debug/debug.h"
#include "debug/step.h"
#include "machine/machine.h"
#include "x86/debug_registers.h"

enum core_state { CORE_STOPPED, CORE_STEPPING_OFF, CORE_RUNNING, CORE_STOPPING, CORE_QUIESCED };

enum rung {
	RUNG_NONE,
	RUNG_INT3,
	RUNG_SLOT,
	RUNG_PENDING, /* the address is not mapped yet: looked at again whenever points are planted */
	RUNG_PAGE,    /* page protection */
	RUNG_COMPARE, /* each instruction is stepped, and what it touches compared */
	RUNG_ALWAYS,  /* seen without planting anything: what exits to us anyway */
	RUNG_TF,      /* of steps: by KVM's own */
	RUNG_COUNT
};

struct core_point {
	struct point point; /* the main thread's; what changes is copied when it asks */
	struct core_point *next;
	uint64_t hits, evaluations, ignore;
	/* Of the main thread, which changes them only while all are parked. */
	bool enabled;
	struct program *condition;
	struct point_action *action;
	uint64_t above_sp; /* of a goal: see struct plan */
	uint64_t leads_to; /* of a goal that watches a frame: where its iret goes; else 0 */
	bool arrives;	/* a goal that somebody named, not the end of a call that is stepped over */
	bool aside;	/* a goal at which an aside or a sprint ends; it stops nobody */
	enum rung rung; /* as last chosen */
	unsigned slot;	/* RUNG_SLOT: 0-3 */
	bool warned;	/* the user knows that no rung carries it at present */
	bool shares;	/* the user knows that it takes debug registers from the guest */
	char how[120];	/* of a catch: by what it is seen, where that is no constant */
	/* The core's own breakpoint on the handler of an exception that this catch is about; else 0. */
	int catch;
	bool wanted;	  /* such a breakpoint still is */
	uint64_t refused; /* a handler on which a catch could put none */
};

/* What an exit brought that catches want to hear of, until its instruction is complete. */
struct caught {
	unsigned kinds; /* a bit for each enum point_kind; 0: nothing */
	uint64_t pc;	/* linear, at the exit */
	uint64_t address, value;
	unsigned size, count; /* of one element; elements */
	bool write, refused;
	struct {
		bool due;
		uint32_t index;
		uint64_t value, rip; /* of the instruction */
	} wrmsr;
};

/* Where an int3 was written, and what was there. A point has several places when vCPUs map its
 * address to different pages. */
#define PLACE_AROUND 32
struct place {
	uint64_t gpa;
	struct core_point *point;
	uint8_t original;
	uint8_t around[PLACE_AROUND]; /* the stretch of the page that it is in, without int3s */
};

/* int3s that were in force a while ago: what the guest copied of them is known by these. */
#define STRAYS_KEPT 64
struct strays {
	struct place place[STRAYS_KEPT]; /* point is NULL */
	unsigned count, next;		 /* next: the one that a newcomer replaces */
};

/* What a watch by debug register had there when it was last looked at. */
struct slot_value {
	bool known;
	uint64_t gpa, value;
};

/* What is in force while the machine runs. */
struct planted {
	struct place *place; /* in the order of planting */
	unsigned place_count, place_room;
	struct core_point *slot[DR_SLOTS];
	uint64_t dr[DR_SLOTS], dr7;
	struct slot_value value[DR_SLOTS]; /* of watches; under the lock while vCPUs run */
	unsigned pending;		   /* points that wait for a page */
};

struct core_vcpu {
	struct plan plan;
	bool seen; /* the points at seen_pc had their say for this vCPU: resuming must not ask
		      them again */
	uint64_t seen_pc; /* linear */
	bool judged;	  /* its step came upon points, whatever they said */
	bool begins; /* a run by steps: points at its first instruction are still to be asked */
	struct step step;
	struct step_return comes_back;
	struct aside aside;
	struct sprint sprint;
	bool stepping_off; /* STEPPING_OFF concerns this one */
	bool pending;	   /* it hit something while another stop was being reported */
	struct stop pending_stop;
	struct caught caught; /* its own thread's */
	enum cpu_mode mode;   /* as last seen, for catches of mode switches */
	bool mode_known;
	bool waited; /* for its startup IPI, when the machine was last launched */
};

struct news {
	enum debug_event event;
	enum debug_owner actor;
	int point;	/* of the stop, or 0 */
	uint64_t after; /* so many lines, which come first */
};

struct listener {
	debug_listener_fn *fn;
	void *ctx;
};

/* What actions print, until the main thread takes it. */
struct line {
	struct line *next;
	enum debug_owner owner;
	char text[];
};

#define MAX_NEWS      16
#define MAX_LISTENERS 8

struct debug {
	struct machine *machine;
	struct debug_config config;
	struct debug_capabilities capabilities;

	/* Guarded by gate.lock. */
	enum core_state state;
	bool have_stop; /* stop is the reason of STOPPING or STOPPED */
	struct stop stop;
	enum debug_owner stop_actor; /* who asked for the pause */
	bool quiesce;		     /* park, lift, and tell nobody */
	bool passing; /* the same, and go on at once: somebody must step off a point */
	bool dead;    /* triple fault: running on makes no sense until something is changed */
	struct {
		bool waiting;
		enum host_request what;
		int status;
		char why[96];
	} request;
	struct core_vcpu *vcpu;
	struct core_point *points; /* by number, ascending */
	struct planted planted;
	struct strays strays; /* changes while all are parked */
	struct pages *pages;  /* watches by page protection (pages.h) */
	unsigned
		catches; /* a bit for each enum point_kind of enabled ones; changed while all are parked */
	uint64_t *written;   /* a bit for each page of RAM: see debug_written(); NULL: off */
	uint64_t msr_filter; /* a sum of what is in force; 0: nothing */
	bool ports_exit, mmio_exits; /* writes to coalesced regions are not collected */
	struct news news[MAX_NEWS];
	unsigned news_count;
	bool step_interrupts;
	bool slowness_told; /* the user knows what step and compare costs */
	bool sprints;	    /* somebody runs through a range; changes while all are parked */
	bool comparing;	    /* a watch is by step and compare, so who runs is stepped (compare.h) */
	bool trace_pc;	    /* exits bring their pc along, whether or not it is free */
	struct line *lines, **lines_tail;
	uint64_t lines_put, lines_taken; /* since the beginning */
	bool full[OWNER_COUNT];		 /* debug_output_full() */

	atomic_bool woken; /* the main thread, since the last resume */

	/* The main thread's. */
	int event_fd;
	bool lingers;		     /* there is a second CPU, on which a vCPU can run meanwhile */
	struct snapshots *snapshots; /* machine/snapshot.h; NULL before the first */
	struct plan *scratch;	     /* one per vCPU */
	int next_number;
	bool exited;
	struct listener listener[MAX_LISTENERS];
	unsigned listener_count;
	struct line *line; /* being told */
	bool telling;	   /* debug_dispatch() is at work */
};

static inline void core_lock(struct debug *debug)
{
	pthread_mutex_lock(&debug->machine->gate.lock);
}

static inline void core_unlock(struct debug *debug)
{
	bool opened = gate_take_opened(&debug->machine->gate);

	pthread_mutex_unlock(&debug->machine->gate.lock);
	gate_wake(debug->machine, opened);
}

/* All below: gate.lock held. */

/* events.c */
void core_tell(struct debug *debug, enum debug_event event, enum debug_owner actor);
/* Tells DEBUG_RESUMED. The main thread, without the lock. */
void core_tell_resumed(struct debug *debug);
void core_wake(struct debug *debug); /* the main thread has a request to serve */
/* A step has begun. Waits for its end, but not for long. The main thread, without the lock. */
void core_await_step(struct debug *debug);

/* launch.c */
void core_launch(struct debug *debug); /* all parked; the plans are set */

/* What is to run is stepped, since a watch needs it. */
static inline bool core_runs_by_steps(const struct debug *debug, const struct core_vcpu *v)
{
	return debug->comparing && !v->stepping_off &&
	       (v->plan.action == PLAN_RUN || v->aside.stepping);
}

/* run_control.c */
void core_finish_stop(struct debug *debug); /* all parked, points lifted, and a reason to tell */
void core_parked(void *ctx);		    /* machine_observer.parked */
void core_stop(struct debug *debug, const struct stop *); /* from a vCPU thread, lock NOT held */
/* Parks a running machine without telling anybody, points lifted; false when it was not running.
 * core_go_on() undoes it unless a stop came in between. */
bool core_quiesce(struct debug *debug);
void core_go_on(struct debug *debug);
/* At whom is told what is no vCPU's own: at that one, or the next that was not held. gdb knows of nothing that could
 * happen to a thread which it holds (gdb 13 ends itself over such a stop). */
unsigned core_told_at(const struct debug *debug, unsigned vcpu);
int core_can_step(struct debug *debug, int vcpu, struct error *err);
bool core_stopped(struct debug *debug);
/* In a vCPU's thread, lock NOT held: it stands on points that let it pass. Steps it off them, with
 * everybody parked for a moment. */
void core_pass_slowly(struct debug *debug, struct vcpu *vcpu);
/* The same without a point: all park, and are launched again. core_park_all(): the lock is held. */
void core_park_briefly(struct debug *debug);
void core_park_all(struct debug *debug);

/* goals.c: plans that run to a place, by points of the core's own (OWNER_NONE), which nobody lists. */
int core_set_goal(struct debug *debug, unsigned vcpu, struct error *err); /* by its plan */
void core_clear_goals(struct debug *debug);
/* For each vCPU that handles an interrupt aside, where it will be back; true when there is one. */
bool core_set_asides(struct debug *debug);
void core_forget_asides(struct debug *debug);

/* judge.c: in the vCPU's thread, lock NOT held. */
/* One point was come upon; stop says how. Applies limits, condition, ignore count and action, and
 * counts. False: the vCPU goes on at once. True: the stop is to be told; it has the point's number. */
bool core_judge(struct debug *debug, struct vcpu *vcpu, struct core_point *point,
		struct stop *stop);
/* The same for all breakpoints that the vCPU stands on. *any: whether there are some. */
bool core_judge_here(struct debug *debug, struct vcpu *vcpu, struct stop *stop, bool *any);

/* slot_watch.c: watches by debug register */
/* What is there now; point->slot is known. All parked. */
void core_slot_remember(struct debug *debug, const struct core_point *point);
/* It was told in another way: its page is protected, too. */
void core_slot_seen(struct debug *debug, struct vcpu *vcpu, const struct core_point *point);
/* The access has happened. True when the vCPU may go on, false when a stop was recorded and it parks. */
bool core_slot_hit(struct debug *debug, struct vcpu *vcpu, struct core_point *point,
		   struct stop *stop);

/* catch.c; lock held, all parked */
void core_catch_prepare(struct debug *debug); /* before points are planted, and before steps */
bool core_catches_int3(const struct debug *debug);
enum rung core_catch_rung(struct debug *debug, const struct core_point *point, struct error *err);
const char *core_catch_how(const struct core_point *point);

/* catch_exit.c: machine_observer.saw and .started, and a part of .settled; lock not held */
void core_saw(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit);
bool core_catch_settled(struct debug *debug, struct vcpu *vcpu);
bool core_started(void *ctx, struct vcpu *vcpu);
/* The rest in the vCPU's thread. What its last instruction did is complete: true when a catch wants
 * that told; stop says what. Asks once. */
bool core_take_caught(struct debug *debug, struct vcpu *vcpu, struct stop *stop);
/* An event that stop describes: true when a catch of this kind wants it told. */
bool core_caught(struct debug *debug, struct vcpu *vcpu, enum point_kind kind, struct stop *stop);
/* The line of a catch that only logs. */
void core_log_stop(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
		   const struct stop *stop);
void core_catch_request(struct debug *debug, enum host_request request);

/* catch_msr.c: EXIT_RDMSR and EXIT_WRMSR, in the vCPU's thread. */
bool core_msr(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit);

/* catch_exception.c: the vCPU stands on a core_point with catch set. As core_judge(). */
bool core_catch_entry(struct debug *debug, struct vcpu *vcpu, const struct core_point *entry,
		      struct stop *stop);

/* fault_chain.c: "#PF at 0x200a30, write to 0x0 → …" of a vCPU in shutdown; "" when that cannot be known. */
void core_fault_chain_text(struct debug *debug, struct vcpu *vcpu, char *buf, size_t size);

/* action.c: the lines that an action prints; lock NOT held. */
void core_act(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
	      const struct stop *stop);

/* lines.c: the way of a line from a vCPU's thread, lock NOT held, to the main thread. */
void core_print(struct debug *debug, struct vcpu *vcpu, enum debug_owner owner, const char *text);
struct line *core_take_line(struct debug *debug); /* lock held; the caller frees it */

/* hits.c: all parked */
uint64_t core_linear_pc(struct debug *debug, unsigned vcpu);
void core_mark_seen(struct debug *debug); /* debug->stop is being told */
/* In the vCPU's thread, lock not needed: the points where it stands have had their say; it has left them. */
void core_had_their_say(struct debug *debug, struct vcpu *vcpu);
void core_moved_on(struct debug *debug, struct vcpu *vcpu);
/* What it stands on. */
bool core_was_told(struct debug *debug, unsigned vcpu);
bool core_must_step_off(struct debug *debug, unsigned vcpu); /* before its plan begins */
bool core_point_under(struct debug *debug, unsigned vcpu);   /* a breakpoint, by whatever address */
/* Makes the next pending stop that still matters debug->stop; false when there is none. */
bool core_take_pending(struct debug *debug);
/* Number, address and text of the point that a stop is about; its reason is set. */
void core_describe_hit(struct stop *stop, const struct core_point *point);

/* stop.c: machine_observer.exit; lock not held */
bool core_exit(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit);

/* landing.c: machine_observer.stepped and .settled; lock not held */
bool core_stepped(void *ctx, struct vcpu *vcpu);
bool core_settled(void *ctx, struct vcpu *vcpu);
/* A step is over, and what it did has been looked at. True: the next one; false: the vCPU parks. */
bool core_step_done(struct debug *debug, struct vcpu *vcpu);
/* A run by steps begins: asks the points there. False: a stop was recorded. */
bool core_begin_on_points(struct debug *debug, struct vcpu *vcpu);

/* emulation.c: one line about an EXIT_INTERNAL_ERROR by the emulator, for whoever wrote the guest */
void core_describe_emulation_failure(struct debug *debug, struct vcpu *vcpu,
				     const struct vm_exit *exit, char *text, size_t size);

/* requests.c */
void core_request(void *ctx, enum host_request request, int status, const char *why);
void core_serve_request(struct debug *debug); /* main thread, lock not held */
void core_forget_history(
	struct debug *debug); /* the machine is another one: nothing was seen or hit */
/* The machine, all parked, is stopped at that vCPU; text is copied. Nobody is told. */
void core_stop_here(struct debug *debug, unsigned at, enum stop_reason reason, const char *text);
bool core_serve_before_resume(struct debug *debug); /* lock held; stopped */

/* probe.c: asks the host; some milliseconds. 1: it did not come back from some questions, whose answers
 * count as no. */
int core_probe(const struct machine_config *config, struct debug_capabilities *found,
	       struct error *err);

/* probe_cache.c: the same, or what the file cache (NULL: none) kept of it; afresh: asks, and keeps it. */
int core_know_host(const struct machine_config *config, const char *cache, bool afresh,
		   struct debug_capabilities *found, struct error *err);

/* capabilities.c */
enum capability_mode core_mode_of(const struct cpu_state *state);

/* pass.c: in the thread of a vCPU that stands on points which let it pass, or when it is parked; lock not needed.
 * Executes the instruction there on the vCPU's registers, nothing lifted and nobody held. False: nothing has changed,
 * and it takes a step. */
bool core_pass(struct debug *debug, struct vcpu *vcpu);

/* delivery.c: a linear_read_fn for a parked vCPU, or for the calling one */
struct core_place {
	struct debug *debug;
	struct vcpu *vcpu;
};
bool core_read_linear(void *place, uint64_t linear, void *buf, size_t len);
/* For programs that look at a place, which outlives the context. */
struct program_context core_program_context(struct core_place *place);

/* written.c; all parked */
void core_forget_written(struct debug *debug); /* the guest is about to run */
void core_note_written(struct debug *debug);   /* it has stopped */
void core_written_free(struct debug *debug);

/* By what a vCPU's addresses are translated; state is its own, with CPU_SYSTEM in it. */
struct paging_regs core_paging(const struct vcpu *vcpu, const struct cpu_state *state);
/* linear memory of a parked vCPU, for the core's own use */
enum paging_fault core_walk(struct debug *debug, struct vcpu *vcpu, uint64_t linear,
			    struct paging_walk *walk);

#include "debug/core_points.h"

#endif
