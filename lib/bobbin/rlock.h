/* bobbin/rlock.h - a lock its holder may take again, after Python's threading.RLock.
 *
 *     static const struct bob_lock_class tree = {"tree", 20};
 *     struct bob_rlock lock = BOB_RLOCK_INIT(&tree);    // or bob_rlock_init
 *     bob_rlock_hold(&lock);
 *     bob_rlock_hold(&lock);                            // does not wait for itself
 *     bob_rlock_release(&lock);                         // still held
 *     bob_rlock_release(&lock);                         // free
 *     bob_rlock_fini(&lock);
 *
 * Each hold or successful acquire wants one release.  bob_condition_wait_rlock gives all of them up and has them
 * again.  As clang's analysis knows no recursion, annotate only the outermost function that takes one.
 *
 * Order:   no order among waiting threads is promised.
 * Threads: every function may be called from any thread at once, but for init and fini.  None calls back.
 * Locks:   this is one, of the class given: the rank is checked when a thread takes it first, not again.
 * Memory:  embedded in its owner's struct; allocates nothing.  Do not copy or move it after init.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_RLOCK_H
#define BOBBIN_RLOCK_H

#include <bobbin/lock.h>

BOB_BEGIN_DECLS

struct bob_rlock {
    /* private */
    struct bob_lock lock_;
    unsigned depth_; /* how often its holder has it; only he reads and writes it */
};

#define BOB_RLOCK_INIT(cls)                                                                        \
    {                                                                                              \
        BOB_LOCK_INIT(cls), 0                                                                      \
    }

/* Makes @l ready and free; @cls may be NULL and must outlive @l.  Cannot fail. */
void bob_rlock_init(struct bob_rlock *l, const struct bob_lock_class *cls);

/* Ends @l, which nobody waits for.  Aborts when somebody holds it. */
void bob_rlock_fini(struct bob_rlock *l);

/* Acquires @l, however long that takes; at once if this thread holds it.  Aborts on a wrong order of ranks, and when
 * this thread has it UINT_MAX times. */
void bob_rlock_hold(struct bob_rlock *l);

/* Acquires @l, waiting until @deadline; at once if this thread holds it.  A deadline that has passed still gets a
 * lock that is free.  Aborts on a wrong order of ranks, even if it need not wait.
 *   BOB_ERR_TIMEOUT  another thread still holds it at the deadline
 *   BOB_ERR_FULL     this thread has it UINT_MAX times */
BOB_MUST_USE enum bob_err bob_rlock_acquire(struct bob_rlock *l, bob_time deadline);

/* Undoes one hold or acquire; the last one frees @l.
 *   BOB_ERR_NOT_OWNER  this thread does not hold it; nothing is changed */
enum bob_err bob_rlock_release(struct bob_rlock *l);

/* Whether any thread holds @l just now: for assertions and displays. */
bool bob_rlock_locked(const struct bob_rlock *l);

/* Whether this thread holds @l. */
bool bob_rlock_is_mine(const struct bob_rlock *l);

BOB_END_DECLS

#endif
