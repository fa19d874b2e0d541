// SPDX-License-Identifier: GPL-3.0-or-later
/* What can be asked of a host, in one table: the probe answers it, the cache keeps the answers, and
 * all that show them read their words here. */
#include "debug/doctor.h"

/* ---- the words of answers ---------------------------------------------------------------- */

static const struct capability_word yes_no[] = {{"no", "NO", "NO"}, {"yes", "yes", "yes"}};

static const struct capability_word int3_words[] = {
	[INT3_LOST] = {"lost", "NO: goes to the guest", "NO"},
	[INT3_TRAPS] = {"traps", "yes", "yes"},
	[INT3_EMULATION_FAILURE] = {"emulation-failure", "by emulation failure", "by failure"},
};

static const struct capability_word over_words[] = {
	[OVER_UNASKED] = {NULL, "-", "-"},
	[OVER_LOST] = {"lost", "NO", "NO"},
	[OVER_EXACT] = {"exact", "yes", "yes"},
	[OVER_NEXT] = {"next", "two at once", "two at once"},
	[OVER_PART] = {"part", "in parts", "in parts"},
	[OVER_LEAKS] = {"leaks", "TF shows", "TF shows"},
	[OVER_EXIT] = {"exit", "by its exit", "by its exit"},
};

static const struct capability_word event_words[] = {
	[EVENT_UNASKED] = {NULL, "-", "-"},
	[EVENT_LOST] = {"lost", "NO", "NO"},
	[EVENT_DELIVERED] = {"delivered", "yes", "yes"},
	[EVENT_EMULATION_FAILURE] = {"emulation-failure", "by vitrine", "by vitrine"},
};

static const struct capability_word page_words[] = {
	[PAGE_UNASKED] = {NULL, "-", "-"},
	[PAGE_FAILS] = {"no", "NO", "NO"},
	[PAGE_WORKS] = {"yes", "yes", "yes"},
};

static const struct capability_word rf_words[] = {{"honoured", "honoured", "honoured"},
						  {"ignored", "ignored", "ignored"}};

static const struct capability_word frame_words[] = {{"clear", "clear", "clear"},
						     {"set", "SET", "SET"}};

/* ---- the questions ----------------------------------------------------------------------- */

#define ALL	    (1u << CAP_REAL | 1u << CAP_PROT | 1u << CAP_LONG | 1u << CAP_USER)
#define RING_0	    (ALL & ~(1u << CAP_USER))
#define RING_3	    (1u << CAP_USER)
#define LONG	    (1u << CAP_LONG)
#define ONCE	    0u
#define WORDS(list) list, sizeof(list) / sizeof((list)[0])
#define ANSWER(id)  offsetof(struct debug_capabilities, id)

/* clang-format off */
static const struct capability_question questions[] = {
	{"single_step",      "single step",              ALL,    ANSWER(step),            WORDS(yes_no)},
	{"int3",             "int3",                     ALL,    ANSWER(int3),            WORDS(int3_words)},
	{"execution_slot",   "execution slot",           ALL,    ANSWER(slot),            WORDS(yes_no)},
	{"watch_write_slot", "write watch, slot",        ALL,    ANSWER(watch_write),     WORDS(yes_no)},
	{"watch_access_slot","access watch, slot",       ALL,    ANSWER(watch_access),    WORDS(yes_no)},
	{"watch_write_page", "write watch, page",        ALL,    ANSWER(page_write),      WORDS(yes_no)},
	{"watch_read_page",  "read watch, page",         ALL,    ANSWER(page_read),       WORDS(yes_no)},
	{"table_page",       "page table, page",         LONG,   ANSWER(page_table),      WORDS(page_words)},
	{"frame_page",       "event frame, page",        RING_0, ANSWER(page_frame),      WORDS(page_words)},
	{"guest_int3",       "the guest's own int3",     ALL,    ANSWER(guest_int3),      WORDS(event_words)},
	{"guest_slot",       "the guest's own slot",     ALL,    ANSWER(guest_slot),      WORDS(event_words)},
	{"reinjected_int3",  "int3 given back",          ALL,    ANSWER(reinject),        WORDS(event_words)},
	{"injection",        "exception injected",       ALL,    ANSWER(inject),          WORDS(event_words)},
	{"step_over_io",     "step over port I/O",       ALL,    ANSWER(over_io),         WORDS(over_words)},
	{"step_over_mmio",   "step over MMIO",           ALL,    ANSWER(over_mmio),       WORDS(over_words)},
	{"step_over_rep",    "step over rep stos",       ALL,    ANSWER(over_rep),        WORDS(over_words)},
	{"step_over_pushf",  "step over pushf",          ALL,    ANSWER(over_pushf),      WORDS(over_words)},
	{"step_over_mov_ss", "step over mov ss",         ALL,    ANSWER(over_movss),      WORDS(over_words)},
	{"step_over_sti",    "step over sti",            ALL,    ANSWER(over_sti),        WORDS(over_words)},
	{"step_over_hlt",    "step over hlt",            RING_0, ANSWER(over_hlt),        WORDS(over_words)},
	{"step_over_iret",   "step over iret",           RING_0, ANSWER(over_iret),       WORDS(over_words)},
	{"step_over_syscall","step over syscall",        RING_3, ANSWER(over_syscall),    WORDS(over_words)},
	{"slot_rf",          "RFLAGS.RF at a slot",      ONCE,   ANSWER(slot_ignores_rf), WORDS(rf_words)},
	{"interrupt_rf",     "RF that interrupts push",  ONCE,   ANSWER(interrupt_rf),    WORDS(frame_words)},
	{"block_irq",        "interrupts wait for steps",ONCE,   ANSWER(block_irq),       WORDS(yes_no)},
};
/* clang-format on */

const struct capability_question *capability_question(unsigned index)
{
	return index < sizeof(questions) / sizeof(questions[0]) ? &questions[index] : NULL;
}

const struct capability_word *capability_answer(const struct debug_capabilities *found,
						const struct capability_question *question,
						enum capability_mode mode)
{
	const uint8_t *answer = (const uint8_t *)found + question->offset;

	if (question->modes)
		answer += mode;
	return &question->words[*answer < question->word_count ? *answer : 0];
}

const char *capability_mode_id(enum capability_mode mode)
{
	static const char *const ids[CAP_MODE_COUNT] = {[CAP_REAL] = "real",
							[CAP_PROT] = "protected",
							[CAP_LONG] = "long",
							[CAP_USER] = "ring3"};

	return ids[mode];
}
