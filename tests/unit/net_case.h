/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_NET_CASE_H
#define TESTS_NET_CASE_H

#include "net_address.h"

/* That address; the test fails when it is none. */
struct net_address net_case(const char *text);

#endif
