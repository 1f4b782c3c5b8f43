/* parking.c - one thread asleep on one futex word; see parking.h.
 *
 * The word goes from EMPTY to LET_GO if nobody sleeps, or from EMPTY to ASLEEP to LET_GO; its owner takes it back to
 * EMPTY.  The exchange in unpark releases, and the one that takes LET_GO acquires.
 *
 * SPDX-License-Identifier: MIT */
#include "parking.h"

#include <stdbool.h>

#include "futex.h"
#include "watch.h"

enum { EMPTY, LET_GO, ASLEEP };

static bool
change(struct bob_parker *p, unsigned from, unsigned to)
{
    return __atomic_compare_exchange_n(&p->word, &from, to, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static bool
take(struct bob_parker *p)
{
    if (!change(p, LET_GO, EMPTY))
        return false;
    bob_watch_sees_(&p->word);
    return true;
}

enum bob_err
bob_park_(struct bob_parker *p, bob_time deadline)
{
    enum bob_err err = BOB_OK;

    bob_watch_trusts_(&p->word, sizeof p->word); /* who lets go steps on it after he published */
    if (take(p))
        return BOB_OK;
    if (deadline <= BOB_AT_ONCE)
        return BOB_ERR_TIMEOUT;
    (void)change(p, EMPTY, ASLEEP);
    while (!take(p)) {
        if (err) {
            if (change(p, ASLEEP, EMPTY))
                return err;
            continue; /* let go just now */
        }
        err = bob_futex_wait_(&p->word, ASLEEP, deadline);
    }
    return BOB_OK;
}

void
bob_unpark_(struct bob_parker *p)
{
    bob_watch_publishes_(&p->word);
    if (__atomic_exchange_n(&p->word, LET_GO, __ATOMIC_RELEASE) == ASLEEP)
        bob_futex_wake_(&p->word, 1);
}
