/* condition.c - waiting under a lock; see <bobbin/condition.h>.
 *
 * Each waiter sleeps on a word of its own and stands, on its own stack, in the ring of those who
 * wait, which it joined while it held the caller's lock.  A notify takes as many as it should out
 * of the ring, from the front, and then lets each of them go: so none but those comes back,
 * wherever between its unlock and its sleep it was.  That the ring has a lock of its own lets a
 * notify do without the caller's, and a waiter whose deadline passed leave at once.
 *
 * Who is let go does not touch the condition any more, and a notify does not once it has unlocked
 * the ring: so the woken may destroy it, if no other is still in a wait.  One whose deadline passes
 * when a notify has just taken him out looks at the ring, and then waits to be let go, for that is
 * about to write to his stack.
 *
 * While it waits, the thread does not hold the lock, and its rank is off the list.  What the list holds then must lie
 * below it, since the lock is taken again under that.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <limits.h>

#include "cond.h"
#include "list.h"
#include "parking.h"
#include "rank.h"
#include "retake.h"
#include "watch.h"

struct bob_waiter_ {
    struct bob_list link; /* in the ring, or with those that one notify lets go */
    struct bob_parker parker;
    bool is_told; /* out of the ring, by a notify; under the ring's lock */
};

#define WAITER(in_ring) BOB_OWNER(in_ring, struct bob_waiter_, link)

void
bob_condition_init(struct bob_condition *c)
{
    *c = (struct bob_condition)BOB_CONDITION_INIT;
    bob_lock_init(&c->ring_lock_, NULL);
}

void
bob_condition_fini(struct bob_condition *c)
{
    if (c->first_)
        bob_die_("a condition is destroyed while threads wait for it");
    bob_lock_fini(&c->ring_lock_);
}

/* Under the ring's lock, but read by a notify without it. */
static void
set_first(struct bob_condition *c, struct bob_waiter_ *w)
{
    __atomic_store_n(&c->first_, w, __ATOMIC_RELAXED);
}

static void
join(struct bob_condition *c, struct bob_waiter_ *me)
{
    bob_list_init_(&me->link);
    bob_lock_hold(&c->ring_lock_);
    if (c->first_)
        bob_list_append_(&c->first_->link, &me->link); /* before the first: at the end */
    else
        set_first(c, me);
    (void)bob_lock_release(&c->ring_lock_);
}

/* Under the ring's lock: takes @w, which is in it, out. */
static void
take_out(struct bob_condition *c, struct bob_waiter_ *w)
{
    if (c->first_ == w)
        set_first(c, bob_list_is_empty_(&w->link) ? NULL : WAITER(w->link.next));
    bob_list_remove_(&w->link);
}

/* False: it was told just now. */
static bool
leave(struct bob_condition *c, struct bob_waiter_ *me)
{
    bool is_told;

    bob_lock_hold(&c->ring_lock_);
    is_told = me->is_told;
    if (!is_told)
        take_out(c, me);
    (void)bob_lock_release(&c->ring_lock_);
    return !is_told;
}

enum bob_err
bob_condition_wait(struct bob_condition *c, struct bob_lock *l, bob_time deadline)
{
    struct bob_waiter_ me = {.parker = BOB_PARKER_INIT};
    enum bob_err err;

    if (!bob_lock_is_mine(l))
        return BOB_ERR_NOT_OWNER;
    if (deadline <= BOB_AT_ONCE)
        return BOB_ERR_TIMEOUT;
    bob_rank_check_top_(&l->class_);
    join(c, &me);
    (void)bob_lock_release(l);

    err = bob_park_(&me.parker, deadline);
    if (err && !leave(c, &me))
        err = bob_park_(&me.parker, BOB_FOREVER);

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

/* The look without the ring's lock may be relaxed: who must be woken joined under the caller's
 * lock, before the change, made under that lock too, that the notify is about.  Sanitizers do not
 * know that. */
void
bob_condition_notify_n(struct bob_condition *c, unsigned n)
{
    struct bob_list told, *link;

    if (!bob_is_watched_() && !__atomic_load_n(&c->first_, __ATOMIC_RELAXED))
        return;
    bob_list_init_(&told);
    bob_lock_hold(&c->ring_lock_);
    for (; c->first_ && n > 0; n--) {
        struct bob_waiter_ *w = c->first_;

        take_out(c, w);
        w->is_told = true;
        bob_list_append_(&told, &w->link);
    }
    (void)bob_lock_release(&c->ring_lock_);
    while ((link = bob_list_pop_(&told)))
        bob_unpark_(&WAITER(link)->parker); /* and it may be gone */
}

void
bob_condition_notify(struct bob_condition *c)
{
    bob_condition_notify_n(c, 1);
}

void
bob_condition_notify_all(struct bob_condition *c)
{
    bob_condition_notify_n(c, UINT_MAX);
}
