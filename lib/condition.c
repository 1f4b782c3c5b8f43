/* condition.c - waiting under a lock; see <bobbin/condition.h>.
 *
 * A waiter notes notes_ while it holds the lock and sleeps until it is another.  A notify changes notes_ and wakes as
 * many sleepers; so one who has noted and does not sleep yet will not.
 *
 * waits_ spares the kernel: it counts the waiting, and those among them that are notified.  A notify counts up, at
 * most to all; if all are notified it does nothing.  It counts first and changes notes_ then, so that whom it counted
 * has noted what was before: for each notified one there is a waiter awake, or a wake on its way.  The other way round, one
 * that came between the two could be counted, and sleep after the wake: every later notify would find all notified.
 * Whoever leaves, for whatever reason, is awake, and takes one notified with it if there is one: that may only
 * count too few, and then a later notify wakes nobody.
 *
 * While it waits, the thread does not hold the lock, and its rank is off the list.  What the list holds then must lie
 * below it, since the lock is taken again under that.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>

#include "cond.h"
#include "futex.h"
#include "rank.h"
#include "retake.h"

/* waits_ = waiting + NOTIFIED * notified; neither reaches 2^32, as thread ids do not. */
#define NOTIFIED ((uint64_t)1 << 32)
#define WAITING_OF(waits) ((unsigned)((waits)&UINT32_MAX))
#define NOTIFIED_OF(waits) ((unsigned)((waits) >> 32))

void
bob_condition_init(struct bob_condition *c)
{
    c->waits_ = 0;
    c->notes_ = 0;
}

void
bob_condition_fini(struct bob_condition *c)
{
    if (WAITING_OF(__atomic_load_n(&c->waits_, __ATOMIC_RELAXED)) > 0)
        bob_die_("a condition is destroyed while threads wait for it");
}

static void
leave(struct bob_condition *c)
{
    uint64_t waits = __atomic_load_n(&c->waits_, __ATOMIC_RELAXED);

    while (!__atomic_compare_exchange_n(&c->waits_, &waits,
                                        waits - 1 - (NOTIFIED_OF(waits) > 0 ? NOTIFIED : 0), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* Release, and acquire in the notify: whom it counts has noted what was before it changes notes_.  The others may be
 * relaxed: who must be woken made waits_ known under the lock, before the change, made under the lock too, that the
 * notify is about; and what the sleeper is to see it sees by taking the lock. */
enum bob_err
bob_condition_wait(struct bob_condition *c, struct bob_lock *l, bob_time deadline)
{
    enum bob_err err;
    unsigned notes;

    if (!bob_lock_is_mine(l))
        return BOB_ERR_NOT_OWNER;
    if (deadline <= BOB_AT_ONCE)
        return BOB_ERR_TIMEOUT;
    bob_rank_check_top_(&l->class_);
    notes = __atomic_load_n(&c->notes_, __ATOMIC_RELAXED);
    (void)__atomic_fetch_add(&c->waits_, 1, __ATOMIC_RELEASE);
    (void)bob_lock_release(l);

    err = bob_futex_wait_(&c->notes_, notes, deadline);

    leave(c);
    bob_lock_retake_(l);
    return err;
}

enum bob_err
bob_condition_wait_rlock(struct bob_condition *c, struct bob_rlock *l, bob_time deadline)
{
    enum bob_err err;
    unsigned depth;

    if (!bob_lock_is_mine(&l->lock_))
        return BOB_ERR_NOT_OWNER;
    depth = l->depth_;
    l->depth_ = 0;
    err = bob_condition_wait(c, &l->lock_, deadline);
    l->depth_ = depth;
    return err;
}

bool
bob_condition_wait_for(struct bob_condition *c, struct bob_lock *l, bool (*predicate)(void *),
                       void *arg, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    bool is_true = false;

    while (predicate && !(is_true = predicate(arg)) && !err)
        err = bob_condition_wait(c, l, deadline);
    return is_true;
}

bool
bob_condition_wait_for_rlock(struct bob_condition *c, struct bob_rlock *l,
                             bool (*predicate)(void *), void *arg, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    bool is_true = false;

    while (predicate && !(is_true = predicate(arg)) && !err)
        err = bob_condition_wait_rlock(c, l, deadline);
    return is_true;
}

/* One that comes between the two sleeps behind those who wait since before, or not at all. */
void
bob_condition_notify_n(struct bob_condition *c, unsigned n)
{
    uint64_t waits = __atomic_load_n(&c->waits_, __ATOMIC_RELAXED);
    unsigned wakes;

    do {
        wakes = WAITING_OF(waits) - NOTIFIED_OF(waits);
        if (wakes > n)
            wakes = n;
        if (wakes == 0)
            return;
    } while (!__atomic_compare_exchange_n(&c->waits_, &waits, waits + wakes * NOTIFIED, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    (void)__atomic_fetch_add(&c->notes_, 1, __ATOMIC_RELEASE);
    bob_futex_wake_(&c->notes_, n == BOB_FUTEX_ALL ? BOB_FUTEX_ALL : (int)wakes);
}

void
bob_condition_notify(struct bob_condition *c)
{
    bob_condition_notify_n(c, 1);
}

void
bob_condition_notify_all(struct bob_condition *c)
{
    bob_condition_notify_n(c, BOB_FUTEX_ALL);
}
