/* bobbin/condition.h - wait for a change under a lock, after Python's threading.Condition.
 *
 *     bob_lock_hold(&lock);
 *     while (!ready && !err)
 *         err = bob_condition_wait(&became_ready, &lock, until);
 *     if (ready)                                       // ask the predicate, not the error
 *         ...
 *     bob_lock_release(&lock);
 *
 * And who makes it so:  bob_lock_hold(&lock); ready = true; bob_condition_notify_all(&became_ready); release.
 *
 * No wait ends without a notify; but another thread may have the lock first, and undo what it was
 * about: hence the loop.  Everybody who waits for one condition uses the same lock.
 *
 * Differs from Python: the lock is named by each wait, not kept by the condition, and may be a lock or an rlock;
 *          notify needs no lock and so never fails, but a change made without the lock may be
 *          missed; and wait gives BOB_ERR_NOT_OWNER where Python raises RuntimeError.
 *
 * Order:   those that have waited longest are woken first, whatever their priorities: who gave the
 *          lock up first.  Who then gets the lock first is not promised.
 * Threads: every function may be called from any thread at once, but for init and fini.  Only wait_for calls back.
 * Locks:   waits with the caller's, which must be the one of the highest rank that the thread
 *          holds; its own is a leaf: notify may be called under any lock of yours.
 * Memory:  embedded in its owner's struct; allocates nothing.  Do not copy or move it after init.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_CONDITION_H
#define BOBBIN_CONDITION_H

#include <bobbin/lock.h>
#include <bobbin/rlock.h>

BOB_BEGIN_DECLS

struct bob_waiter_; /* private */

struct bob_condition {
    /* private */
    struct bob_lock ring_lock_; /* of no class: nothing is taken under it */
    struct bob_waiter_ *first_; /* atomic: the longest waiting, in a ring with the others */
};

#define BOB_CONDITION_INIT                                                                         \
    {                                                                                              \
        BOB_LOCK_INIT(0), 0                                                                        \
    }

void bob_condition_init(struct bob_condition *c); /* cannot fail */
void bob_condition_fini(struct bob_condition *c); /* nobody waits for it: aborts otherwise */

/* Gives @l up, waits until notified or @deadline, and holds @l again.  With BOB_AT_ONCE it does not give @l up.
 *   BOB_ERR_TIMEOUT    the deadline passed first (@l is held again all the same)
 *   BOB_ERR_NOT_OWNER  this thread does not hold @l */
BOB_MUST_USE enum bob_err bob_condition_wait(struct bob_condition *c, struct bob_lock *l,
                                             bob_time deadline);

/* The same with an rlock: all of this thread's holds of @l are given up, and all are had again. */
BOB_MUST_USE enum bob_err bob_condition_wait_rlock(struct bob_condition *c, struct bob_rlock *l,
                                                   bob_time deadline);

/* Waits until predicate(arg) is true, asked under @l; returns its last value.  It is asked at least
 * once, and once more after the deadline.  A thread that does not hold @l does not wait.  A
 * @predicate that is NULL is false, at once. */
bool bob_condition_wait_for(struct bob_condition *c, struct bob_lock *l, bool (*predicate)(void *),
                            void *arg, bob_time deadline);
bool bob_condition_wait_for_rlock(struct bob_condition *c, struct bob_rlock *l,
                                  bool (*predicate)(void *), void *arg, bob_time deadline);

/* Wake one, @n, or all of those that wait just then, or all if fewer do; no other. */
void bob_condition_notify(struct bob_condition *c);
void bob_condition_notify_n(struct bob_condition *c, unsigned n);
void bob_condition_notify_all(struct bob_condition *c);

BOB_END_DECLS

#endif
