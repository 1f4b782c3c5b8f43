/* bobbin/rwlock.h - many readers or one writer.
 *
 *     static const struct bob_lock_class table = {"table", 30};
 *     struct bob_rwlock lock = BOB_RWLOCK_INIT(&table);    // or bob_rwlock_init
 *     bob_rwlock_read_hold(&lock);                         // together with other readers
 *     found = look_up(key);
 *     bob_rwlock_read_release(&lock);
 *     bob_rwlock_write_hold(&lock);                        // alone
 *     enter(key, value);
 *     bob_rwlock_write_release(&lock);
 *     bob_rwlock_fini(&lock);
 *
 * A thread holds it once: neither again as a reader, nor as a writer what it reads.  Of a ranked class the rank check
 * aborts that; without a rank a reader that reads again waits for itself when a writer came between.  It costs about
 * two bob_locks; where a hold is short, a bob_lock is the better choice.
 *
 * Order:   readers that come while a writer waits stand behind it; when a writer releases, all readers that wait by
 *          then go before the next writer.  So neither side starves the other.
 * Threads: every function may be called from any thread at once, but for init and fini.  None calls back.
 * Locks:   this is one, of the class given, whichever way it is held.
 * Memory:  embedded in its owner's struct; allocates nothing.  Do not copy or move it after init.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_RWLOCK_H
#define BOBBIN_RWLOCK_H

#include <bobbin/condition.h>
#include <bobbin/lock.h>

BOB_BEGIN_DECLS

struct bob_rwlock {
    /* private */
    const struct bob_lock_class *class_;
    struct bob_lock lock_;             /* of no class: nothing is taken under it */
    struct bob_condition readers_may_; /* signalled when a batch of readers is let in */
    struct bob_condition writer_may_;  /* signalled when nobody holds it */
    unsigned readers_;                 /* how many hold it */
    unsigned readers_wait_, writers_wait_;
    unsigned batch_; /* grows when the waiting readers are let in */
    int writer_;     /* atomic: thread id of the writer, or 0 */
};

#define BOB_RWLOCK_INIT(cls)                                                                       \
    {                                                                                              \
        (cls), BOB_LOCK_INIT(0), BOB_CONDITION_INIT, BOB_CONDITION_INIT, 0, 0, 0, 0, 0             \
    }

/* Makes @l ready and free; @cls may be NULL and must outlive @l.  Cannot fail. */
void bob_rwlock_init(struct bob_rwlock *l, const struct bob_lock_class *cls);

/* Ends @l, which nobody waits for.  Aborts when somebody holds it. */
void bob_rwlock_fini(struct bob_rwlock *l);

/* Acquire @l, however long that takes.  Abort on a wrong order of ranks, or when this thread holds @l to write. */
void bob_rwlock_read_hold(struct bob_rwlock *l);
void bob_rwlock_write_hold(struct bob_rwlock *l);

/* Acquire @l, waiting until @deadline.  One that has passed still gets what is free.  Abort on a wrong order of
 * ranks, even if they need not wait, and when a writer waits for itself with BOB_FOREVER.
 *   BOB_ERR_TIMEOUT  not had by the deadline */
BOB_MUST_USE enum bob_err bob_rwlock_read_acquire(struct bob_rwlock *l, bob_time deadline);
BOB_MUST_USE enum bob_err bob_rwlock_write_acquire(struct bob_rwlock *l, bob_time deadline);

/* Release what was held to read.
 *   BOB_ERR_NOT_OWNER  of a ranked class: this thread does not hold it to read; of no class or rank 0, where readers
 *                      are counted and not named: nobody does.  Nothing is changed */
enum bob_err bob_rwlock_read_release(struct bob_rwlock *l);

/* Release what was held to write.
 *   BOB_ERR_NOT_OWNER  this thread does not hold it to write; nothing is changed */
enum bob_err bob_rwlock_write_release(struct bob_rwlock *l);

/* Whether this thread holds @l to write. */
bool bob_rwlock_write_is_mine(const struct bob_rwlock *l);

BOB_END_DECLS

#endif
