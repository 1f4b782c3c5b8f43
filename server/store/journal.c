/* journal.c - see journal.h; the callers' side.  Two buffers: callers append to the open one, the thread (journal_thread.c) writes
 * the other; they change places under the lock, never within a step, and so do the two lists of pledges.  An append is three
 * copies under an uncontended lock: it allocates nothing, wakes nobody but a thread that sleeps, and cannot fail, because
 * journal_reserve saw to the room.
 *
 * SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <bobbin/thread.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/journal_parts.h"
#include "store/parts.h"

enum {
    BACKLOG_GROWS_MAX = BACKLOG_MAX / 4 * 3, /* the last quarter is for what gives back */
    BACKLOG_BYTES_MAX = 256 << 20,
    BACKLOG_BYTES_GROWS_MAX = BACKLOG_BYTES_MAX / 4 * 3,
    STEP_CHANGES_MAX = 256,
    STEP_BYTES = (64 << 10) + STEP_CHANGES_MAX * (BATCH_HEAD + KIND_MAX_LEN),
};

enum why
journal_reserve(struct journal *j, bool grows, size_t bytes)
{
    enum why why = WHY_OK;

    if (bytes > BACKLOG_BYTES_MAX)
        return WHY_NO_MEMORY;
    if (grows && commit_closed(&j->commit))
        return WHY_STORE_FULL;
    journal_lock(j);
    if (j->open.n + j->writing_n >= (grows ? BACKLOG_GROWS_MAX : BACKLOG_MAX) ||
        j->open.len + j->writing_len >= (grows ? BACKLOG_BYTES_GROWS_MAX : BACKLOG_BYTES_MAX))
        why = WHY_BUSY;
    else if (!batch_room(&j->open, STEP_BYTES + bytes))
        why = WHY_NO_MEMORY;
    if (!why)
        atomic_store(&j->in_step, true);
    journal_unlock(j);
    return why;
}

uint64_t
journal_append(struct journal *j, const char *kind, const char *name, const void *record,
               size_t len)
{
    struct change c = {
        .kind = kind,
        .kind_len = strlen(kind),
        .name = name,
        .name_len = strlen(name),
        .record = record,
        .len = len,
    };
    uint64_t seq = ++j->last;

    journal_lock(j);
    assert(seq == j->open.first + (uint64_t)j->open.n);
    if (j->open.n == 0)
        j->open.since = clock_now();
    batch_add(&j->open, &c);
    if (j->wanted > 0 && j->open.n >= j->wanted) {
        j->wanted = 0;
        j->wake = true;
    }
    journal_unlock(j);
    return seq;
}

bool
journal_step_end(struct journal *j)
{
    bool wake = j->wake;

    j->wake = false;
    atomic_store_explicit(&j->in_step, false,
                          memory_order_release); /* only opens the way to what L_JOURNAL guards */
    return wake;
}

void
journal_wake(struct journal *j)
{
    bob_condition_notify(&j->work);
}

bool
journal_await(struct journal *j, struct pledge *p, uint64_t seq)
{
    bool waits;

    if (j->relaxed || seq <= atomic_load(&j->committed))
        return false;
    p->seq_ = seq;
    p->since_ = clock_now();
    journal_lock(j);
    waits = seq > atomic_load(&j->committed);
    if (waits) {
        assert(seq < j->open.first + (uint64_t)j->open.n);
        pledges_add(seq >= j->open.first ? &j->open_pledges : &j->writing_pledges, p);
    }
    journal_unlock(j);
    return waits;
}

uint64_t
journal_committed(const struct journal *j)
{
    return atomic_load(&j->committed);
}

uint64_t
journal_last(struct journal *j)
{
    return j->last;
}

void
journal_health(struct journal *j, struct journal_health *ret)
{
    moment now = clock_now(), since = now;

    journal_lock(j);
    if (j->writing_n > 0)
        since = j->writing_since;
    else if (j->open.n > 0)
        since = j->open.since;
    ret->backlog = j->open.n + j->writing_n;
    journal_unlock(j);
    ret->oldest_ms = now > since ? (now - since) / NS_PER_MS : 0;
    ret->full = commit_closed(&j->commit);
    ret->locked = commit_locked(&j->commit);
}

/* ---- start and stop ---- */

static enum why
start_parts(struct journal *j, struct fault *f) BOB_UNSHARED
{
    static const struct bob_thread_options options = {.role = "journal"};
    uint64_t first;
    enum why why;

    why = commit_open(&j->commit, j->store, &first, f);
    if (why)
        return why;
    j->open.first = first;
    j->last = first - 1;
    atomic_store(&j->committed, first - 1);
    why = checkpoint_start(&j->checkpointer, j->store, &j->commit.shut, f);
    if (!why && bob_thread_start(&j->thread, "journal", journal_run, j, &options))
        why = fault_set(f, WHY_INTERNAL, "cannot start the journal's thread");
    return why;
}

enum why
journal_start(struct journal **ret, struct store *s, struct fault *f)
{
    struct journal *j = calloc(1, sizeof *j);
    enum why why;

    if (!j)
        return fault_set(f, WHY_NO_MEMORY, "no memory to start the journal");
    j->store = s;
    j->relaxed = s->relaxed;
    bob_lock_init(&j->lock, LOCK_CLASS(L_JOURNAL));
    bob_condition_init(&j->work);
    why = start_parts(j, f);
    if (why)
        (void)journal_stop(j);
    else
        *ret = j;
    return why;
}

static void
journal_free(struct journal *j) BOB_UNSHARED
{
    commit_close(&j->commit);
    batch_free(&j->open);
    batch_free(&j->writing);
    bob_condition_fini(&j->work);
    bob_lock_fini(&j->lock);
    free(j);
}

bool
journal_stop(struct journal *j)
{
    bool all_kept;

    journal_lock(j);
    j->stopping = true;
    j->wanted = 0;
    journal_unlock(j);
    bob_condition_notify(&j->work);
    bob_thread_free(j->thread);
    checkpoint_stop(j->checkpointer);
    all_kept = !j->gave_up;
    journal_free(j);
    return all_kept;
}
