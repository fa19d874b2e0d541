/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -device NAME[,KEY=VALUE...]: what scripts written for QEMU pass to a test kernel. */
#ifndef DEVICE_OPTION_H
#define DEVICE_OPTION_H

#include "options.h"

/* -EINVAL, with a sentence: there is no such device or property, or its value makes no sense. */
int device_option(struct options *o, const char *text, struct error *err);

#endif
