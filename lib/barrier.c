/* barrier.c - the parties of a round, under a lock; see <bobbin/barrier.h>.
 *
 * Each party stands on its own stack and in the list `here` until its round is settled: then it is taken off the list
 * with its result, whatever the barrier does next.  So no round waits for slow leavers of the one before.
 *
 * While the action runs the list is left as it is, and nobody joins it; reset and abort settle it as at any time, and
 * the one that runs the action finds itself settled.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/barrier.h>
#include <bobbin/condition.h>
#include <stdlib.h>

#include "list.h"
#include "lockorder.h"
#include "self.h"

struct party {
    struct bob_list in_here; /* while it is not settled */
    bool settled;
    enum bob_err result; /* when settled */
};

struct bob_barrier {
    struct bob_lock lock;         /* class L_BARRIER */
    struct bob_condition changed; /* signalled when parties are settled, and when an action ends */
    unsigned parties;
    enum bob_err (*action)(void *); /* or NULL */
    void *arg;

    struct bob_list here BOB_GUARDED_BY(L_BARRIER); /* the parties of the round */
    unsigned n_here BOB_GUARDED_BY(L_BARRIER);
    bool broken BOB_GUARDED_BY(L_BARRIER);
    int actor BOB_GUARDED_BY(L_BARRIER); /* thread id of the one in the action, or 0 */
};

static void
lock(struct bob_barrier *b) BOB_ACQUIRES(L_BARRIER)
{
    bob_lock_hold(&b->lock);
}

static void
unlock(struct bob_barrier *b) BOB_RELEASES(L_BARRIER)
{
    (void)bob_lock_release(&b->lock);
}

struct bob_barrier *
bob_barrier_new(unsigned parties, enum bob_err (*action)(void *), void *arg) BOB_UNSHARED
{
    struct bob_barrier *b = parties > 0 ? calloc(1, sizeof *b) : NULL;

    if (!b)
        return NULL;
    bob_lock_init(&b->lock, LOCK_CLASS(L_BARRIER));
    bob_condition_init(&b->changed);
    bob_list_init_(&b->here);
    b->parties = parties;
    b->action = action;
    b->arg = arg;
    return b;
}

void
bob_barrier_free(struct bob_barrier *b)
{
    if (!b)
        return;
    bob_condition_fini(&b->changed);
    bob_lock_fini(&b->lock);
    free(b);
}

static void
settle_locked(struct bob_barrier *b, enum bob_err result) BOB_HOLDS(L_BARRIER)
{
    struct bob_list *link;

    while ((link = bob_list_pop_(&b->here))) {
        struct party *p = BOB_OWNER(link, struct party, in_here);

        p->settled = true;
        p->result = result;
    }
    b->n_here = 0;
    bob_condition_notify_all(&b->changed);
}

/* All are here: runs the action, outside the lock, and settles the round unless somebody did meanwhile. */
static void
act_locked(struct bob_barrier *b, struct party *me) BOB_HOLDS(L_BARRIER)
{
    enum bob_err err = BOB_OK;

    if (b->action) {
        b->actor = bob_self_();
        unlock(b);
        err = b->action(b->arg);
        lock(b);
        b->actor = 0;
        bob_condition_notify_all(&b->changed);
    }
    if (!me->settled) {
        b->broken = err != BOB_OK;
        settle_locked(b, err ? BOB_ERR_BROKEN : BOB_OK);
    }
    if (err)
        me->result = err;
}

/* Waits as one of the parties, while not all are here or the action runs. */
static void
wait_locked(struct bob_barrier *b, struct party *me, bob_time deadline) BOB_HOLDS(L_BARRIER)
{
    enum bob_err err = BOB_OK;

    while (!me->settled && (!err || b->actor))
        err = bob_condition_wait(&b->changed, &b->lock, b->actor ? BOB_FOREVER : deadline);
    if (me->settled)
        return;
    b->broken = true;
    settle_locked(b, BOB_ERR_BROKEN);
    me->result = BOB_ERR_TIMEOUT;
}

enum bob_err
bob_barrier_wait(struct bob_barrier *b, bob_time deadline, unsigned *ret_index)
{
    struct party me = {.settled = false};
    enum bob_err err = BOB_OK;
    unsigned index = 0;

    lock(b);
    if (b->actor == bob_self_())
        err = BOB_ERR_STATE;
    while (b->actor && !b->broken && !err)
        err = bob_condition_wait(&b->changed, &b->lock, deadline);
    if (b->broken && err != BOB_ERR_STATE)
        err = BOB_ERR_BROKEN;
    else if (err == BOB_ERR_TIMEOUT && !b->actor)
        err = BOB_OK;
    if (!err) {
        bob_list_append_(&b->here, &me.in_here);
        index = b->n_here++;
        if (b->n_here == b->parties)
            act_locked(b, &me);
        else
            wait_locked(b, &me, deadline);
        err = me.result;
    }
    unlock(b);
    if (!err && ret_index)
        *ret_index = index;
    return err;
}

void
bob_barrier_reset(struct bob_barrier *b)
{
    lock(b);
    b->broken = false;
    settle_locked(b, BOB_ERR_BROKEN);
    unlock(b);
}

void
bob_barrier_abort(struct bob_barrier *b)
{
    lock(b);
    b->broken = true;
    settle_locked(b, BOB_ERR_BROKEN);
    unlock(b);
}

unsigned
bob_barrier_parties(const struct bob_barrier *b)
{
    return b->parties;
}

unsigned
bob_barrier_n_waiting(struct bob_barrier *b)
{
    unsigned n;

    lock(b);
    n = b->n_here;
    unlock(b);
    return n;
}

bool
bob_barrier_broken(struct bob_barrier *b)
{
    bool broken;

    lock(b);
    broken = b->broken;
    unlock(b);
    return broken;
}
