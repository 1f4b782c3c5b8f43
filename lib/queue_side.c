/* queue_side.c - who sleeps on one side of a queue, and that nobody sleeps through a change; see queue_side.h.
 *
 * calls says: one sleeps, and none that was told is still under way.  A sleeper sets it (1), then reads the other
 * side's count (2), and sleeps only if that left nothing, giving up the lock as it does.  The other side counts (3),
 * then reads calls (4).  All four are seq_cst, so if (2) missed (3), then (4) sees (1), and the wake takes the lock,
 * which it gets once the sleeper sleeps.
 *
 * While one is told, calls is false and steps wake nobody: a burst does not wake all for what the first will take.
 * That one always comes back, even when its deadline passes at that moment; it then sets calls again for the others,
 * and that is a (1), after which it reads the count, a (2): to step, to sleep again, or, as it leaves, to wake the next
 * when there is more.
 *
 * Each sleeper has a condition of its own, so a notify reaches the one it is meant for and no other.  It is on the
 * sleeper's stack: so notified under the lock, without which the sleeper does not return.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_side.h"

#include <bobbin/condition.h>

struct sleeper {
    struct bob_list link;
    struct bob_condition woken; /* signalled when told becomes true */
    bool told;                  /* and no longer in the list */
};

void
bob_side_init_(struct bob_side *s, size_t credit) BOB_UNSHARED
{
    bob_lock_init(&s->lock, LOCK_CLASS(L_QUEUE));
    s->credit = credit;
    s->count = s->seen = 0;
    s->calls = s->is_told = false;
    bob_list_init_(&s->sleepers);
    s->is_watched = bob_is_watched_();
    bob_watch_trusts_(&s->count, sizeof s->count);
    bob_watch_trusts_(&s->calls, sizeof s->calls);
}

void
bob_side_fini_(struct bob_side *s)
{
    bob_lock_fini(&s->lock);
}

static void
set_calls(struct bob_side *s) BOB_HOLDS(L_QUEUE)
{
    bool calls = !s->is_told && !bob_list_is_empty_(&s->sleepers);

    __atomic_store_n(&s->calls, calls, __ATOMIC_SEQ_CST);
}

/* There must be one. */
static void
tell_first(struct bob_side *s) BOB_HOLDS(L_QUEUE)
{
    struct sleeper *first = BOB_OWNER(s->sleepers.next, struct sleeper, link);

    bob_list_remove_(&first->link);
    first->told = s->is_told = true;
    bob_condition_notify(&first->woken);
}

enum bob_err
bob_side_sleep_(struct bob_side *s, const struct bob_side *other, bob_time deadline)
{
    struct sleeper me = {.told = false};
    enum bob_err err = BOB_OK;

    bob_condition_init(&me.woken);
    bob_list_append_(&s->sleepers, &me.link);
    set_calls(s);
    if (!bob_side_may_step_(s, other))
        while (!me.told && !err)
            err = bob_condition_wait(&me.woken, &s->lock, deadline);
    if (me.told)
        s->is_told = false;
    bob_list_remove_(&me.link);
    set_calls(s);
    bob_condition_fini(&me.woken);
    return err;
}

void
bob_side_wake_slow_(struct bob_side *s)
{
    bob_side_lock_(s);
    if (s->calls) {
        tell_first(s);
        set_calls(s);
    }
    bob_side_unlock_(s);
}

void
bob_side_wake_all_(struct bob_side *s)
{
    bob_side_lock_(s);
    while (!bob_list_is_empty_(&s->sleepers))
        tell_first(s);
    set_calls(s);
    bob_side_unlock_(s);
}
