// SPDX-License-Identifier: GPL-3.0-or-later
#include "net_case.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct net_address net_case(const char *text)
{
	struct net_address a;
	struct error err;

	if (net_address_parse(text, &a, &err) < 0)
		fail_msg("%s", err.text);
	return a;
}
