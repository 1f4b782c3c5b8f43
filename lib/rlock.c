/* rlock.c - a lock and how often its holder has it; see <bobbin/rlock.h>.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/rlock.h>
#include <limits.h>

#include "cond.h"

void
bob_rlock_init(struct bob_rlock *l, const struct bob_lock_class *cls)
{
    bob_lock_init(&l->lock_, cls);
    l->depth_ = 0;
}

void
bob_rlock_fini(struct bob_rlock *l)
{
    bob_lock_fini(&l->lock_);
}

enum bob_err
bob_rlock_acquire(struct bob_rlock *l, bob_time deadline)
{
    enum bob_err err;

    if (bob_lock_is_mine(&l->lock_)) {
        if (l->depth_ == UINT_MAX)
            return BOB_ERR_FULL;
        l->depth_++;
        return BOB_OK;
    }
    err = bob_lock_acquire(&l->lock_, deadline);
    if (!err)
        l->depth_ = 1;
    return err;
}

void
bob_rlock_hold(struct bob_rlock *l)
{
    if (bob_rlock_acquire(l, BOB_FOREVER))
        bob_die_("%s is taken %u times by one thread",
                 l->lock_.class_ ? l->lock_.class_->name : "an rlock", UINT_MAX);
}

enum bob_err
bob_rlock_release(struct bob_rlock *l)
{
    if (!bob_lock_is_mine(&l->lock_))
        return BOB_ERR_NOT_OWNER;
    l->depth_--;
    return l->depth_ > 0 ? BOB_OK : bob_lock_release(&l->lock_);
}

bool
bob_rlock_locked(const struct bob_rlock *l)
{
    return bob_lock_locked(&l->lock_);
}

bool
bob_rlock_is_mine(const struct bob_rlock *l)
{
    return bob_lock_is_mine(&l->lock_);
}
