// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A page of guest RAM can be lost under us: a memory error that the hardware found, or a backing
 * file that somebody truncated. The kernel then sends SIGBUS to whoever touches it. vitrine's own
 * accesses go through sigbus_copy(), which jumps out of the copy; inside KVM_RUN no signal comes
 * for a truncated file (the ioctl fails with EFAULT), and for a memory error it fails with
 * EHWPOISON.
 */
#include "machine/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

/* Per thread, because the signal comes to the thread that touched the page. */
static _Thread_local struct {
	sigjmp_buf env;
	volatile sig_atomic_t armed;
} guard;

static void on_sigbus(int signo, siginfo_t *info, void *context)
{
	/* The jump skips the return from the handler, which would have restored the signal mask. */
	if (guard.armed) {
		guard.armed = 0;
		pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
		siglongjmp(guard.env, 1);
	}
	/* A warning of an error found in the background harms nobody yet. */
	if (info->si_code == BUS_MCEERR_AO)
		return;
	signal(signo, SIG_DFL);
	raise(signo);
}

int sigbus_install(struct error *err)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGBUS, &action, NULL) < 0)
		return error_set(err, -errno, "cannot watch for lost memory pages: %s",
				 strerror(errno));
	/* Ask to hear of a bad page at once, not when the guest meets it; older kernels refuse. */
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	return 0;
}

/* Page by page, so that what comes before a lost page is still copied. */
size_t sigbus_copy(void *dst, const void *src, size_t len)
{
	volatile size_t done = 0;

	if (sigsetjmp(guard.env, 0))
		return done;
	guard.armed = 1;
	while (done < len) {
		size_t piece = 4096 - (((uintptr_t)src + done) & 4095);

		if (piece > len - done)
			piece = len - done;
		memcpy((uint8_t *)dst + done, (const uint8_t *)src + done, piece);
		done += piece;
	}
	guard.armed = 0;
	return done;
}

/* memcpy may move a byte twice, which another CPU could see; these do not. */
typedef struct {
	volatile uint16_t value;
} __attribute__((packed, may_alias)) word;
typedef struct {
	volatile uint32_t value;
} __attribute__((packed, may_alias)) dword;
typedef struct {
	volatile uint64_t value;
} __attribute__((packed, may_alias)) qword;

bool sigbus_load(const void *src, unsigned size, uint64_t *value)
{
	if (sigsetjmp(guard.env, 0))
		return false;
	guard.armed = 1;
	switch (size) {
	case 1: *value = *(const volatile uint8_t *)src; break;
	case 2: *value = ((const word *)src)->value; break;
	case 4: *value = ((const dword *)src)->value; break;
	case 8: *value = ((const qword *)src)->value; break;
	}
	guard.armed = 0;
	return true;
}

bool sigbus_store(void *dst, unsigned size, uint64_t value)
{
	if (sigsetjmp(guard.env, 0))
		return false;
	guard.armed = 1;
	switch (size) {
	case 1: *(volatile uint8_t *)dst = (uint8_t)value; break;
	case 2: ((word *)dst)->value = (uint16_t)value; break;
	case 4: ((dword *)dst)->value = (uint32_t)value; break;
	case 8: ((qword *)dst)->value = value; break;
	}
	guard.armed = 0;
	return true;
}
