/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel as a course would write one: 32 bits, paging, two processes, one more CPU. */
#ifndef TEACH_KERNEL_H
#define TEACH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_CODE = 0x1b, USER_DATA = 0x23, TASK = 0x28 };
enum {
	VECTOR_PAGE_FAULT = 14,
	VECTOR_IRQ = 32,
	VECTOR_TIMER = VECTOR_IRQ + 0,
	VECTOR_KEYBOARD = VECTOR_IRQ + 1,
	VECTOR_DISK = VECTOR_IRQ + 14,
	VECTOR_JOB = 48, /* from the first CPU to the second */
	VECTOR_SYSTEM = 0x80
};

#define PAGE 4096u

/* What entries.S pushes, and above it the CPU. */
struct frame {
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
	uint32_t esp, ss; /* from ring 3 alone */
};

/* memory.c */
#define USER_PAGES 16 /* of data, and the stack behind them */
#define USER_BASE  0x400000u
#define USER_END   0x800000u

struct space {
	uint32_t directory[1024] __attribute__((aligned(4096)));
	uint32_t table[1024] __attribute__((aligned(4096)));
	uint8_t data[USER_PAGES][PAGE] __attribute__((aligned(4096)));
	uint8_t stack[PAGE] __attribute__((aligned(4096)));
};

void paging_init(void);
void paging_on(void); /* for the CPU that calls */
void space_init(struct space *space);
void space_enter(const struct space *space); /* NULL: the kernel alone */

/* traps.c */
void traps_init(void);
void traps_load(void); /* for the CPU that calls */
void set_kernel_stack(void *top);
struct frame *trap(struct frame *frame);

/* process.c */
enum state { READY, WAITS_FOR_KEY, WAITS_FOR_DISK, ENDED };

struct process {
	const char *name;
	enum state state;
	struct frame *frame; /* while it does not run */
	unsigned turns;	     /* how often it was given the CPU */
	struct space *space;
	uint8_t stack[4096] __attribute__((aligned(16)));
};

extern struct process *current;
extern unsigned ticks;

void processes_init(void);
void processes_run(void);
void wake_up(enum state waiting);
/* Whose turn it is. */
struct frame *next_process(void);
/* The process asks again when it is woken up. */
void wait_in(struct frame *frame, enum state state);

/* system.c */
void system_call(struct frame *frame);

/* keyboard.c */
void keyboard_interrupt(void);
int keyboard_get(void); /* -1: nothing was typed */

/* disk.c */
void disk_init(void);
void disk_interrupt(void);
/* 1: it is in the buffer. 0: it will be. -1: there is no such sector. */
int disk_read(uint32_t sector, void *buffer);

/* smp.c */
void second_cpu_start(void);
void second_main(void);
void second_job(void);
/* 1 + 2 + ... + n, by the second CPU; 0 where there is none. */
uint32_t second_sum(uint32_t n);

#endif
