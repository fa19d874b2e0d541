// SPDX-License-Identifier: GPL-3.0-or-later
#include "system.h"

#include "kernel.h"
#include "port.h"
#include "print.h"

/* A process may pass any address. Its whole range below its stack is its own, or faults as its own. */
static bool is_users(uint32_t at, uint32_t size)
{
	return at >= USER_BASE && at < USER_END && size <= USER_END - at;
}

static void system_write(struct frame *frame)
{
	const char *text = (const char *)frame->ebx;

	if (!is_users(frame->ebx, frame->ecx)) {
		frame->eax = (uint32_t)-1;
		return;
	}
	for (uint32_t i = 0; i < frame->ecx; i++)
		print("%c", text[i]);
	frame->eax = 0;
}

static void system_key(struct frame *frame)
{
	int c = keyboard_get();

	if (c < 0)
		wait_in(frame, WAITS_FOR_KEY);
	else
		frame->eax = (uint32_t)c;
}

static void system_sector(struct frame *frame)
{
	int there = is_users(frame->ecx, 512) ? disk_read(frame->ebx, (void *)frame->ecx) : -1;

	if (there == 0)
		wait_in(frame, WAITS_FOR_DISK);
	else
		frame->eax = there < 0 ? (uint32_t)-1 : 0;
}

static void system_sum(struct frame *frame)
{
	frame->eax = second_sum(frame->ebx);
}

static void system_exit(struct frame *frame)
{
	print("%s ends with %u\n", current->name, frame->ebx);
	debug_exit((uint8_t)frame->ebx);
}

void system_call(struct frame *frame)
{
	static void (*const calls[])(struct frame *) = {
		[SYSTEM_WRITE] = system_write,	 [SYSTEM_KEY] = system_key,
		[SYSTEM_SECTOR] = system_sector, [SYSTEM_SUM] = system_sum,
		[SYSTEM_EXIT] = system_exit,
	};

	if (frame->eax < sizeof(calls) / sizeof(calls[0]))
		calls[frame->eax](frame);
	else
		frame->eax = (uint32_t)-1;
}
