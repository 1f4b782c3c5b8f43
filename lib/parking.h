/* parking.h - where one thread sleeps until another lets it go on: the smallest thing that can be waited for.
 *
 *     struct bob_parker p = BOB_PARKER_INIT;   // on the stack of the one who will wait
 *     ... put &p where the other finds it, under a lock ...
 *     err = bob_park_(&p, deadline);
 *
 * One futex word.  A word that is let go before its owner sleeps costs no call of the kernel on either side.  The
 * owner may leave, and its stack be used again, while bob_unpark_ still wakes the address: that wakes nobody, or one
 * more sleeper for nothing, which every futex allows.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PARKING_H
#define BOB_PARKING_H

#include <bobbin/error.h>
#include <bobbin/time.h>

struct bob_parker {
    unsigned word; /* atomic: enum in parking.c; 0 at first */
};

#define BOB_PARKER_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

/* Waits until it is let go: at once if it was already.  After BOB_OK it can be waited for again.
 *   BOB_ERR_TIMEOUT  not by the deadline: it may still come */
BOB_MUST_USE enum bob_err bob_park_(struct bob_parker *p, bob_time deadline);

/* Lets its owner go on, who sees all that was done before.  Twice before he wakes is once. */
void bob_unpark_(struct bob_parker *p);

#endif
