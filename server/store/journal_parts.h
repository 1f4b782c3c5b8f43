/* journal_parts.h - what the two halves of the journal share: journal.c is the callers' side, journal_thread.c its thread's.
 *
 * Private to store/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_JOURNAL_PARTS_H
#define BOBBIND_JOURNAL_PARTS_H

#include "base/clock.h"
#include "store/batch.h"
#include "store/checkpoint.h"
#include "store/commit.h"
#include "store/journal.h"
#include "store/pledges.h"

#include <bobbin/condition.h>
#include <bobbin/lock.h>
#include <bobbin/time.h>
#include <stdatomic.h>

enum { BACKLOG_MAX = 1 << 18 }; /* changes */

struct journal {
    struct store *store;
    struct checkpointer *checkpointer;
    struct bob_thread *thread;
    bool relaxed;
    _Atomic uint64_t committed; /* written under the lock, read by anyone */
    struct commit commit;
    struct batch writing;  /* being written, or written last */
    int64_t expected;      /* changes: of the last batch, and open when it was done */
    bob_time gather_until; /* how long to wait for them */
    bool gave_up;          /* at the stop; read once the thread is joined */
    atomic_bool in_step; /* set under both locks, cleared under L_STATE; true: no batch ends here */
    struct bob_lock lock; /* class L_JOURNAL */

    struct bob_condition work; /* signalled when as many are open as wanted, or when stopping */
    uint64_t last BOB_GUARDED_BY(L_STATE);
    bool wake BOB_GUARDED_BY(L_STATE); /* the step at hand found the thread asleep */
    struct batch open BOB_GUARDED_BY(L_JOURNAL);
    struct pledges open_pledges BOB_GUARDED_BY(L_JOURNAL);
    struct pledges writing_pledges BOB_GUARDED_BY(L_JOURNAL);
    int64_t writing_n BOB_GUARDED_BY(L_JOURNAL);
    size_t writing_len BOB_GUARDED_BY(L_JOURNAL);
    moment writing_since BOB_GUARDED_BY(L_JOURNAL);
    int64_t wanted
        BOB_GUARDED_BY(L_JOURNAL); /* the thread sleeps until that many are open; 0: it does not */
    bool stopping BOB_GUARDED_BY(L_JOURNAL);
};

static inline void
journal_lock(struct journal *j) BOB_ACQUIRES(L_JOURNAL)
{
    bob_lock_hold(&j->lock);
}

static inline void
journal_unlock(struct journal *j) BOB_RELEASES(L_JOURNAL)
{
    (void)bob_lock_release(&j->lock);
}

/* Writes what is appended until the journal stops; @journal is a struct journal. */
void *journal_run(void *journal);

#endif
