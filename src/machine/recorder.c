// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Words are stored with release and loaded with acquire, which costs nothing on x86. A reader that
 * saw any word of a newer record therefore also sees the head that the writer had reached before
 * it began with that record, and knows that what it copied is mixed.
 */
#include "machine/recorder.h"

#include <string.h>
#include <time.h>

static uint64_t cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* Only the writer adds, so no locked instruction is needed. */
static void add(_Atomic uint64_t *sum, uint64_t more)
{
	uint64_t now = atomic_load_explicit(sum, memory_order_relaxed);

	atomic_store_explicit(sum, now + more, memory_order_relaxed);
}

/* ---- time ---------------------------------------------------------------------------------- */

void recorder_enter(struct recorder *recorder)
{
	recorder->entered = cycles();
	if (recorder->left)
		add(&recorder->share[recorder->reason].vitrine, recorder->entered - recorder->left);
	recorder->left = 0;
}

void recorder_leave(struct recorder *recorder, const struct vm_exit *exit)
{
	struct recorder_share *share = &recorder->share[exit->reason];

	uint64_t now = cycles();

	if (recorder->left)
		add(&recorder->share[recorder->reason].vitrine, now - recorder->left);
	else
		add(&share->guest, now - recorder->entered);
	recorder->left = now;
	recorder->reason = exit->reason;
	add(&share->exits, 1);
}

void recorder_rest(struct recorder *recorder)
{
	if (recorder->left)
		add(&recorder->share[recorder->reason].vitrine, cycles() - recorder->left);
	recorder->left = 0;
}

/* ---- what an exit was about ---------------------------------------------------------------- */

static uint64_t first_bytes(const void *data, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, data, size < sizeof(value) ? size : sizeof(value));
	return value;
}

static void of_io(const struct vm_exit *exit, struct exit_record *record)
{
	record->flags |= (exit->io.write ? RECORD_WRITE : 0) | RECORD_VALUE;
	record->address = exit->io.port;
	record->size = exit->io.size;
	record->count = exit->io.count;
	record->value = first_bytes(exit->io.data, (size_t)exit->io.size * exit->io.count);
}

static void of_mmio(const struct vm_exit *exit, struct exit_record *record)
{
	record->flags |= (exit->mmio.write ? RECORD_WRITE : 0) | RECORD_VALUE;
	record->address = exit->mmio.gpa;
	record->size = exit->mmio.size;
	record->value = first_bytes(exit->mmio.data, exit->mmio.size);
}

static void of_msr(const struct vm_exit *exit, struct exit_record *record)
{
	record->flags |= exit->reason == EXIT_WRMSR ? RECORD_WRITE : 0;
	record->flags |= *exit->msr.fault ? RECORD_REFUSED : RECORD_VALUE;
	record->address = exit->msr.index;
	record->size = 8;
	record->value = *exit->msr.value;
}

static void of_debug(const struct vm_exit *exit, struct exit_record *record)
{
	record->flags |= RECORD_PC;
	record->pc = exit->debug.pc;
	record->vector = exit->debug.vector;
	record->value = exit->debug.dr6;
}

static void of_system_event(const struct vm_exit *exit, struct exit_record *record)
{
	record->value = exit->system.type;
}

static void of_internal_error(const struct vm_exit *exit, struct exit_record *record)
{
	record->value = exit->internal.suberror;
	record->size = exit->internal.insn_length;
	record->address = first_bytes(exit->internal.insn, exit->internal.insn_length);
}

static void of_fail_entry(const struct vm_exit *exit, struct exit_record *record)
{
	record->value = exit->fail_entry.reason;
}

static void of_unknown(const struct vm_exit *exit, struct exit_record *record)
{
	record->value = exit->hardware_reason;
}

static void of_host_error(const struct vm_exit *exit, struct exit_record *record)
{
	record->value = (uint64_t)exit->host_errno;
}

static void of_other(const struct vm_exit *exit, struct exit_record *record)
{
	record->value = exit->number;
}

static void (*const details[EXIT_REASON_COUNT])(const struct vm_exit *exit,
						struct exit_record *record) = {
	[EXIT_IO] = of_io,
	[EXIT_MMIO] = of_mmio,
	[EXIT_RDMSR] = of_msr,
	[EXIT_WRMSR] = of_msr,
	[EXIT_DEBUG] = of_debug,
	[EXIT_SYSTEM_EVENT] = of_system_event,
	[EXIT_INTERNAL_ERROR] = of_internal_error,
	[EXIT_FAIL_ENTRY] = of_fail_entry,
	[EXIT_UNKNOWN] = of_unknown,
	[EXIT_HOST_ERROR] = of_host_error,
	[EXIT_OTHER] = of_other,
};

/* ---- the ring ------------------------------------------------------------------------------ */

static uint64_t mix(const struct exit_record *record)
{
	return (uint64_t)record->count << 32 | (uint64_t)record->vector << 24 |
	       (uint64_t)record->size << 16 | (uint64_t)record->flags << 8 |
	       (uint64_t)record->reason;
}

static void unmix(uint64_t word, struct exit_record *record)
{
	record->reason = (enum exit_reason)(word & 0xff);
	record->flags = (uint8_t)(word >> 8);
	record->size = (uint8_t)(word >> 16);
	record->vector = (uint8_t)(word >> 24);
	record->count = (uint32_t)(word >> 32);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

void recorder_keep(struct recorder *recorder, const struct vm_exit *exit)
{
	uint64_t head = atomic_load_explicit(&recorder->head, memory_order_relaxed);
	_Atomic uint64_t *word = recorder->ring[head % RECORDER_SIZE];
	struct exit_record record = {.reason = exit->reason,
				     .pc = exit->pc,
				     .flags = exit->has_pc ? RECORD_PC : 0,
				     .count = 1};

	if (details[exit->reason])
		details[exit->reason](exit, &record);
	store(&word[RECORD_TSC], recorder->left);
	store(&word[RECORD_LINEAR_PC], record.pc);
	store(&word[RECORD_ADDRESS], record.address);
	store(&word[RECORD_DATA], record.value);
	store(&word[RECORD_NAME], (uintptr_t)exit->name);
	store(&word[RECORD_MIX], mix(&record));
	store(&recorder->head, head + 1);
}

uint64_t recorder_head(const struct recorder *recorder)
{
	return atomic_load_explicit(&recorder->head, memory_order_acquire);
}

bool recorder_read(const struct recorder *recorder, uint64_t number, struct exit_record *record)
{
	const _Atomic uint64_t *from = recorder->ring[number % RECORDER_SIZE];
	uint64_t word[RECORD_WORDS];

	if (number >= recorder_head(recorder))
		return false;
	for (int i = 0; i < RECORD_WORDS; i++)
		word[i] = atomic_load_explicit(&from[i], memory_order_acquire);
	*record = (struct exit_record){.tsc = word[RECORD_TSC],
				       .pc = word[RECORD_LINEAR_PC],
				       .address = word[RECORD_ADDRESS],
				       .value = word[RECORD_DATA],
				       .name = (const char *)(uintptr_t)word[RECORD_NAME]};
	unmix(word[RECORD_MIX], record);
	return recorder_head(recorder) - number < RECORDER_SIZE;
}

/* ---- clocks -------------------------------------------------------------------------------- */

struct recorder_clock recorder_clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct recorder_clock){
		.tsc = cycles(), .ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
}

double recorder_rate(const struct recorder_clock *since)
{
	struct recorder_clock now = recorder_clock_now();

	if (now.tsc <= since->tsc || now.ns <= since->ns)
		return 0;
	return (double)(now.ns - since->ns) / (double)(now.tsc - since->tsc);
}
