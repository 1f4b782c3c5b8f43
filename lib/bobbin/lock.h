/* bobbin/lock.h - mutual exclusion, after Python's threading.Lock.
 *
 *     static const struct bob_lock_class accounts = {"accounts", 10};
 *     struct bob_lock lock = BOB_LOCK_INIT(&accounts);    // or bob_lock_init
 *     bob_lock_hold(&lock);                               // waits as long as it takes
 *     balance += 1;
 *     bob_lock_release(&lock);
 *     bob_lock_fini(&lock);
 *
 * A class has a name and a rank; a thread may take a lock only while every ranked lock it holds has a lower
 * rank, and a wrong order aborts the process with both names: a bug found, not a deadlock next week.  Always on: a
 * hold and a release cost about what they cost on a bare pthread mutex.  Rank 0, or no class, is not checked.  Ranks
 * from 1000 on are the library's own.
 *
 * A thread that finds it taken looks again twice, about a microsecond apart, and then sleeps until it is let go.
 *
 * Differs from Python: only the thread that holds a lock may release it, so that a release too many is an error and
 *          not a lock broken into; and release of a free one gives an error where Python raises.
 *
 * Order:   no order among waiting threads is promised.
 * Threads: every function may be called from any thread at once, but for init and fini.  None calls back.
 * Locks:   this is one; ranks say what it may be taken under.  At most 32 ranked ones are held by a thread.
 * Memory:  embedded in its owner's struct; allocates nothing.  Do not copy or move it after init.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_LOCK_H
#define BOBBIN_LOCK_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>
#include <stdbool.h>

BOB_BEGIN_DECLS

struct bob_lock_class {
    const char *name; /* static storage */
    int rank;         /* 1 or more; 0: not checked */
};

struct bob_lock {
    /* private */
    const struct bob_lock_class *class_;
    unsigned word_; /* atomic: who holds it, and whether somebody sleeps; 0 when free */
};

#define BOB_LOCK_INIT(cls)                                                                         \
    {                                                                                              \
        (cls), 0                                                                                   \
    }

/* Makes @l ready and free; @cls may be NULL and must outlive @l.  Cannot fail. */
void bob_lock_init(struct bob_lock *l, const struct bob_lock_class *cls);

/* Ends @l, which nobody waits for.  Aborts when somebody holds it. */
void bob_lock_fini(struct bob_lock *l);

/* Acquires @l, however long that takes.  Aborts on a wrong order of ranks, or when this thread holds @l. */
void bob_lock_hold(struct bob_lock *l);

/* Acquires @l, waiting until @deadline.  One that has passed still gets a lock that is free.  Aborts on a wrong
 * order of ranks, even if it need not wait, and when a thread waits for itself with BOB_FOREVER.
 *   BOB_ERR_TIMEOUT  another thread, or this one, still holds it at the deadline */
BOB_MUST_USE enum bob_err bob_lock_acquire(struct bob_lock *l, bob_time deadline);

/* Releases @l; the order of releases is free.
 *   BOB_ERR_NOT_OWNER  this thread does not hold it; nothing is changed */
enum bob_err bob_lock_release(struct bob_lock *l);

/* Whether any thread holds @l just now: for assertions and displays. */
bool bob_lock_locked(const struct bob_lock *l);

/* Whether this thread holds @l. */
bool bob_lock_is_mine(const struct bob_lock *l);

BOB_END_DECLS

#endif
