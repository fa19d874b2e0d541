// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "points_rig.h"

#include <stdio.h>

/* loop: inc %eax; nop; jmp loop */
static const uint8_t counting_loop[] = {0x40, 0x90, 0xeb, 0xfc};
struct rig points_rig;
char points_lines[4][128];
unsigned points_line_count;

static void heard_line(void *ctx, enum debug_event event, enum debug_owner actor)
{
	(void)ctx;
	if (event != DEBUG_OUTPUT)
		return;
	assert_int_equal(actor, OWNER_CONSOLE);
	snprintf(points_lines[points_line_count % 4], sizeof(points_lines[0]), "%s",
		 debug_output(points_rig.debug));
	points_line_count++;
}

int points_start(void **state)
{
	(void)state;
	points_rig = (struct rig){0};
	points_line_count = 0;
	rig_start(&points_rig, 2, IRQCHIP_KERNEL);
	rig_code(&points_rig, 0, counting_loop, sizeof(counting_loop));
	rig_code(&points_rig, 1, counting_loop, sizeof(counting_loop));
	debug_listen(points_rig.debug, heard_line, NULL);
	return 0;
}

int points_stop(void **state)
{
	(void)state;
	rig_stop(&points_rig);
	return 0;
}

const struct point *points_find(int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(points_rig.debug, p)))
		if (p->number == number)
			return p;
	return NULL;
}

void run_first(void)
{
	const struct plan plans[2] = {{.action = PLAN_RUN}, {.action = PLAN_HOLD}};

	assert_int_equal(debug_resume(points_rig.debug, plans, OWNER_CONSOLE, NULL), 0);
}
