/* once.c - one word: nobody, who runs it, or done; see <bobbin/once.h>.
 *
 * DONE is stored with release and never taken back; who reads it with acquire sees all that was done.  That one load
 * is the whole fast path.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/once.h>

#include "futex.h"
#include "self.h"
#include "watch.h"

#define WAITED 0x80000000u /* somebody may sleep on the word */
#define DONE 0x40000000u   /* thread ids are below */

bool
bob_once_done(const struct bob_once *o)
{
    if (__atomic_load_n(&o->word_, __ATOMIC_ACQUIRE) != DONE)
        return false;
    bob_watch_sees_(&o->word_);
    return true;
}

static bool
change(struct bob_once *o, unsigned from, unsigned to)
{
    return __atomic_compare_exchange_n(&o->word_, &from, to, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* BOB_OK: @self is to run it, or *ret_done. */
static enum bob_err
wait_for_turn(struct bob_once *o, unsigned self, bool *ret_done)
{
    *ret_done = false;
    for (;;) {
        unsigned seen = __atomic_load_n(&o->word_, __ATOMIC_RELAXED);

        if ((*ret_done = bob_once_done(o)))
            return BOB_OK;
        if (seen == DONE)
            continue;
        if (seen == 0) {
            if (change(o, 0, self))
                return BOB_OK;
            continue;
        }
        if ((seen & ~WAITED) == self)
            return BOB_ERR_STATE;
        if ((seen & WAITED) || change(o, seen, seen | WAITED))
            (void)!bob_futex_wait_(&o->word_, seen | WAITED, BOB_FOREVER);
    }
}

enum bob_err
bob_once_call(struct bob_once *o, enum bob_err (*fn)(void *), void *arg)
{
    enum bob_err err;
    bool done;

    if (!fn)
        return BOB_ERR_INVALID;
    if (bob_once_done(o))
        return BOB_OK;
    err = wait_for_turn(o, (unsigned)bob_self_(), &done);
    if (err || done)
        return err;
    bob_watch_sees_(&o->word_);
    err = fn(arg);
    bob_watch_publishes_(&o->word_);
    if (__atomic_exchange_n(&o->word_, err ? 0 : DONE, __ATOMIC_RELEASE) & WAITED)
        bob_futex_wake_(&o->word_, BOB_FUTEX_ALL);
    return err;
}
