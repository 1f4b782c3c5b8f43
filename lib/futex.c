/* futex.c - Linux's futex, with moments of CLOCK_MONOTONIC; see futex.h.
 *
 * errno stays as it was, as nothing in the library's interface sets it.
 *
 * SPDX-License-Identifier: MIT */
#include "futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cond.h"

enum { NS_PER_S = 1000000000 };

enum bob_err
bob_futex_wait_(unsigned *word, unsigned seen, bob_time deadline)
{
    /* What SYS_futex reads, also where time_t is longer than long. */
    struct {
        long s, ns;
    } until = {0, 0};
    int errno_before = errno, failed = 0;

    if (deadline > 0) {
        until.s = (long)(deadline / NS_PER_S);
        until.ns = (long)(deadline % NS_PER_S);
    }
    if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, seen,
                deadline == BOB_FOREVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY) < 0)
        failed = errno;
    errno = errno_before;
    if (failed == ETIMEDOUT)
        return BOB_ERR_TIMEOUT;
    if (failed != 0 && failed != EAGAIN && failed != EINTR)
        bob_must_failed_("futex", __FILE__, __LINE__, failed);
    return BOB_OK;
}

void
bob_futex_wake_(unsigned *word, int n)
{
    int errno_before = errno;

    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
    errno = errno_before;
}
