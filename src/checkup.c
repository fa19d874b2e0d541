// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkup.h"

#include <stdio.h>

static void print(void *ctx, const char *text, size_t size)
{
	fwrite(text, 1, size, ctx);
}

int checkup(const struct options *options)
{
	char cache[4096];
	struct doctor_request request = {.accel = options->accel,
					 .kvm_device = options->kvm_device,
					 .strategy = &options->debug.strategy};

	log_set_level(options->log_level);
	if (debug_cache_path(cache, sizeof(cache)))
		request.cache = cache;
	return doctor_examine(&request, options->json, print, stdout) ? 0 : 1;
}
