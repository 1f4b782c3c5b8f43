/* rwlock.c - who reads, who writes and who waits, under a lock; see <bobbin/rwlock.h>.
 *
 * Waiting readers are let in as a batch by whoever makes that possible: the writer that releases, or the last waiting
 * writer that gives up.  They are counted as holders there and then, so that no writer comes between.  A writer takes
 * the lock itself when it finds it free.
 *
 * A plain lock and two conditions rather than a pthread_rwlock_t: that one has no timed calls that ThreadSanitizer
 * knows, and may starve writers.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/rwlock.h>

#include "cond.h"
#include "rank.h"
#include "self.h"

static const char *
name_of(const struct bob_rwlock *l)
{
    return l->class_ ? l->class_->name : "an rwlock";
}

void
bob_rwlock_init(struct bob_rwlock *l, const struct bob_lock_class *cls)
{
    *l = (struct bob_rwlock)BOB_RWLOCK_INIT(cls);
    bob_lock_init(&l->lock_, NULL);
}

void
bob_rwlock_fini(struct bob_rwlock *l)
{
    bool held;

    bob_lock_hold(&l->lock_);
    held = l->readers_ > 0 || l->writer_ != 0;
    (void)bob_lock_release(&l->lock_);
    if (held)
        bob_die_("%s is destroyed while it is held", name_of(l));
    bob_condition_fini(&l->readers_may_);
    bob_condition_fini(&l->writer_may_);
    bob_lock_fini(&l->lock_);
}

bool
bob_rwlock_write_is_mine(const struct bob_rwlock *l)
{
    return __atomic_load_n(&l->writer_, __ATOMIC_RELAXED) == bob_self_();
}

/* Under lock_.  A swap, because helgrind takes a plain store for one that races with the load above. */
static void
set_writer(struct bob_rwlock *l, int writer)
{
    (void)__atomic_exchange_n(&l->writer_, writer, __ATOMIC_RELAXED);
}

/* Under lock_: lets all waiting readers in. */
static void
admit_readers(struct bob_rwlock *l)
{
    l->readers_ += l->readers_wait_;
    l->readers_wait_ = 0;
    l->batch_++;
    bob_condition_notify_all(&l->readers_may_);
}

static void
check(struct bob_rwlock *l, bob_time deadline)
{
    bob_rank_check_(&l->class_);
    if (deadline == BOB_FOREVER && bob_rwlock_write_is_mine(l))
        bob_die_("%s is waited for, forever, by the thread that holds it", name_of(l));
}

enum bob_err
bob_rwlock_read_acquire(struct bob_rwlock *l, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    unsigned batch;

    check(l, deadline);
    bob_lock_hold(&l->lock_);
    if (l->writer_ == 0 && l->writers_wait_ == 0) {
        l->readers_++;
    } else {
        l->readers_wait_++;
        batch = l->batch_;
        while (l->batch_ == batch && !err)
            err = bob_condition_wait(&l->readers_may_, &l->lock_, deadline);
        if (l->batch_ != batch)
            err = BOB_OK;
        else
            l->readers_wait_--;
    }
    (void)bob_lock_release(&l->lock_);
    if (!err)
        bob_rank_push_(&l->class_);
    return err;
}

enum bob_err
bob_rwlock_write_acquire(struct bob_rwlock *l, bob_time deadline)
{
    enum bob_err err = BOB_OK;

    check(l, deadline);
    bob_lock_hold(&l->lock_);
    l->writers_wait_++;
    while ((l->readers_ > 0 || l->writer_ != 0) && !err)
        err = bob_condition_wait(&l->writer_may_, &l->lock_, deadline);
    l->writers_wait_--;
    if (l->readers_ == 0 && l->writer_ == 0) {
        set_writer(l, bob_self_());
        err = BOB_OK;
    } else if (l->writer_ == 0 && l->writers_wait_ == 0 && l->readers_wait_ > 0) {
        admit_readers(l); /* they stood behind this one */
    }
    (void)bob_lock_release(&l->lock_);
    if (!err)
        bob_rank_push_(&l->class_);
    return err;
}

void
bob_rwlock_read_hold(struct bob_rwlock *l)
{
    (void)!bob_rwlock_read_acquire(l, BOB_FOREVER);
}

void
bob_rwlock_write_hold(struct bob_rwlock *l)
{
    (void)!bob_rwlock_write_acquire(l, BOB_FOREVER);
}

enum bob_err
bob_rwlock_read_release(struct bob_rwlock *l)
{
    enum bob_err err = BOB_OK;

    if (bob_rwlock_write_is_mine(l) || (bob_is_ranked_(l->class_) && !bob_rank_lists_(&l->class_)))
        return BOB_ERR_NOT_OWNER;
    bob_lock_hold(&l->lock_);
    if (l->readers_ == 0)
        err = BOB_ERR_NOT_OWNER;
    else if (--l->readers_ == 0 && l->writers_wait_ > 0)
        bob_condition_notify(&l->writer_may_);
    if (!err)
        bob_rank_pop_(&l->class_);
    (void)bob_lock_release(&l->lock_);
    return err;
}

enum bob_err
bob_rwlock_write_release(struct bob_rwlock *l)
{
    if (!bob_rwlock_write_is_mine(l))
        return BOB_ERR_NOT_OWNER;
    bob_rank_pop_(&l->class_);
    bob_lock_hold(&l->lock_);
    set_writer(l, 0);
    if (l->readers_wait_ > 0)
        admit_readers(l);
    else if (l->writers_wait_ > 0)
        bob_condition_notify(&l->writer_may_);
    (void)bob_lock_release(&l->lock_);
    return BOB_OK;
}
