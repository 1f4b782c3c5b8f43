/* queue_side.h - one side of a queue: its lock, its count of steps, and those of its threads that sleep.
 *
 *     bob_side_lock_(side);
 *     while (!bob_side_may_step_(side, other) && !err)
 *         err = bob_side_sleep_(side, other, deadline);
 *     if ((stepped = bob_side_may_step_(side, other))) {
 *         ... move the item ...
 *         bob_side_step_(side, 1);
 *     }
 *     bob_side_leave_(side, other, stepped);           // unlocks, and wakes whom that concerns
 *
 * A getter's step is to take an item, a putter's to put one.  A side may step while it is ahead of the other by less
 * than its credit: there are puts - gets items to get, and gets + maxsize - puts slots to put one in.
 *
 * Locks: class L_QUEUE.  No thread holds those of both sides.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_QUEUE_SIDE_H
#define BOB_QUEUE_SIDE_H

#include <bobbin/lock.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "lockorder.h"
#include "queue_chain.h"
#include "watch.h"

enum { BOB_CACHE_LINE = 64 };

/* Lines of the cache: the lock; what each step writes; what each step of the other side reads. */
struct bob_side {
    alignas(BOB_CACHE_LINE) struct bob_lock lock; /* class L_QUEUE */

    alignas(BOB_CACHE_LINE) size_t count; /* steps ever; atomic, written under the lock */
    size_t seen BOB_GUARDED_BY(L_QUEUE);  /* the other's count as last read */
    bool is_watched;                      /* by who is told of the counts; never changes */
    size_t credit;                        /* never changes */
    struct bob_chain_end end BOB_GUARDED_BY(L_QUEUE); /* where it steps next; not in a pile */

    alignas(BOB_CACHE_LINE) bool calls;   /* atomic, written under the lock: wake one, it sleeps */
    bool is_told BOB_GUARDED_BY(L_QUEUE); /* one was told to wake, and has not looked yet */
    struct bob_list sleepers BOB_GUARDED_BY(L_QUEUE); /* not told; longest asleep first */
};

void bob_side_init_(struct bob_side *s, size_t credit);
void bob_side_fini_(struct bob_side *s);

static inline void
bob_side_lock_(struct bob_side *s) BOB_ACQUIRES(L_QUEUE)
{
    bob_lock_hold(&s->lock);
}

static inline void
bob_side_unlock_(struct bob_side *s) BOB_RELEASES(L_QUEUE)
{
    (void)bob_lock_release(&s->lock);
}

/* Needs no lock. */
static inline size_t
bob_side_count_(const struct bob_side *s)
{
    return __atomic_load_n(&s->count, __ATOMIC_SEQ_CST);
}

/* How many steps @s may take just now. */
static inline size_t
bob_side_steps_free_(struct bob_side *s, const struct bob_side *other) BOB_HOLDS(L_QUEUE)
{
    s->seen = bob_side_count_(other);
    if (s->is_watched)
        bob_watch_sees_((void *)(uintptr_t)&other->count);
    return s->seen + s->credit - s->count;
}

/* Whether @s may step.  What it may do it may do until it does: the other side only adds to it. */
static inline bool
bob_side_may_step_(struct bob_side *s, const struct bob_side *other) BOB_HOLDS(L_QUEUE)
{
    return s->count - s->seen != s->credit || bob_side_steps_free_(s, other) > 0;
}

/* Counts @n steps, no more than are free, which shows them to the other side. */
static inline void
bob_side_step_(struct bob_side *s, size_t n) BOB_HOLDS(L_QUEUE)
{
    if (s->is_watched)
        bob_watch_publishes_(&s->count);
    __atomic_store_n(&s->count, s->count + n, __ATOMIC_SEQ_CST);
}

/* Gives the lock up until the other side may have stepped, all were woken, or @deadline.
 *   BOB_ERR_TIMEOUT  the deadline passed first */
enum bob_err bob_side_sleep_(struct bob_side *s, const struct bob_side *other, bob_time deadline)
    BOB_HOLDS(L_QUEUE);

void bob_side_wake_slow_(struct bob_side *s);

/* Wakes one that sleeps on @s, unless one was told and has not looked yet. */
static inline void
bob_side_wake_(struct bob_side *s)
{
    if (__atomic_load_n(&s->calls, __ATOMIC_SEQ_CST))
        bob_side_wake_slow_(s);
}

/* Unlocks, and then wakes one of the other side, if @s has stepped, and one of @s, if there is a step for it too. */
static inline void
bob_side_leave_(struct bob_side *s, struct bob_side *other, bool stepped) BOB_RELEASES(L_QUEUE)
{
    bool has_next = s->calls && bob_side_may_step_(s, other);

    bob_side_unlock_(s);
    if (stepped)
        bob_side_wake_(other);
    if (has_next)
        bob_side_wake_(s);
}

/* Wakes all that sleep on @s: what they wait for will not come. */
void bob_side_wake_all_(struct bob_side *s);

#endif
