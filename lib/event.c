/* event.c - a flag under a lock; see <bobbin/event.h>.
 *
 * Sets are counted, so that one who waited when it was set is let go even if it was cleared before he woke.
 * Setting it wakes all while the lock is held, so that a thread which saw the flag may destroy the event as
 * soon as it gets the lock: the setter touches nothing after its release.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>

#include "lockorder.h"

static void
lock(struct bob_event *e) BOB_ACQUIRES(L_EVENT)
{
    bob_lock_hold(&e->lock_);
}

static void
unlock(struct bob_event *e) BOB_RELEASES(L_EVENT)
{
    (void)bob_lock_release(&e->lock_);
}

void
bob_event_init(struct bob_event *e)
{
    bob_lock_init(&e->lock_, LOCK_CLASS(L_EVENT));
    bob_condition_init(&e->changed_);
    e->set_ = false;
    e->sets_ = 0;
}

void
bob_event_fini(struct bob_event *e)
{
    bob_condition_fini(&e->changed_);
    bob_lock_fini(&e->lock_);
}

void
bob_event_set(struct bob_event *e)
{
    lock(e);
    e->set_ = true;
    e->sets_++;
    bob_condition_notify_all(&e->changed_);
    unlock(e);
}

void
bob_event_clear(struct bob_event *e)
{
    lock(e);
    e->set_ = false;
    unlock(e);
}

bool
bob_event_is_set(struct bob_event *e)
{
    bool is_set;

    lock(e);
    is_set = e->set_;
    unlock(e);
    return is_set;
}

enum bob_err
bob_event_wait(struct bob_event *e, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    unsigned sets;

    lock(e);
    sets = e->sets_;
    while (!e->set_ && e->sets_ == sets && !err)
        err = bob_condition_wait(&e->changed_, &e->lock_, deadline);
    if (e->set_ || e->sets_ != sets)
        err = BOB_OK;
    unlock(e);
    return err;
}
