/* journal_thread.c - the journal's thread: gathers, changes the buffers, commits, tells.  A batch that cannot be written now, for
 * want of room or because another program has the store locked, is kept and tried again; those who wait for it are told after a
 * while that nobody knows.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/thread.h>
#include <inttypes.h>
#include <sched.h>

#include "base/log.h"
#include "store/journal_parts.h"

enum {
    BUFFER_KEPT = 4 << 20, /* a buffer that grew beyond this is not kept */
    RETRY_MS = 100,
    GATHER_MS = 10,
    GATHER_ENOUGH = BACKLOG_MAX / 16,
    GATHER_FRACTION = 2
};
#define GATHER_LEAST (60 * NS_PER_MS / 1000) /* a shorter sleep is longer than it */
#define GATHER_MOST (4 * NS_PER_MS)
#define PLEDGE_PATIENCE (10 * NS_PER_SECOND)

/* The buffer just written becomes the open one, or gives its memory back if that is a lot. */
static void
exchange_buffers(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    struct batch spare = j->writing;

    if (spare.cap > BUFFER_KEPT)
        batch_free(&spare);
    journal_lock(j);
    while (atomic_load(&j->in_step)) { /* for a microsecond or two */
        journal_unlock(j);
        (void)sched_yield();
        journal_lock(j);
    }
    spare.len = 0;
    spare.n = 0;
    spare.first = j->open.first + (uint64_t)j->open.n;
    j->writing = j->open;
    j->open = spare;
    j->writing_pledges = j->open_pledges;
    j->open_pledges = (struct pledges){0};
    j->writing_n = j->writing.n;
    j->writing_len = j->writing.len;
    j->writing_since = j->writing.since;
    journal_unlock(j);
}

/* Between two commits: makes way for the checkpointer, and sees to the gate. */
static void
look_around(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    if (!checkpoint_visit(j->checkpointer, sqlite_log_pages(j->store->db), false))
        commit_shut(&j->commit);
    else
        commit_reopen(&j->commit);
}

/* Waits for changes.  False: there are none and the journal stops. */
static bool
wait_for_work(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    bool there, stopping;

    do {
        enum bob_err err = BOB_OK;
        bob_time until = commit_closed(&j->commit) ? bob_in_ms(1000) : BOB_FOREVER;

        journal_lock(j);
        while (j->open.n == 0 && !j->stopping && !err) {
            j->wanted = 1;
            err = bob_condition_wait(&j->work, &j->lock, until);
        }
        j->wanted = 0;
        there = j->open.n > 0;
        stopping = j->stopping;
        journal_unlock(j);
        if (!there && !stopping)
            look_around(j);
    } while (!there && !stopping);
    return there;
}

/* A commit that began at @began is over: how long the next may wait for company. */
static void
gather_from(struct journal *j, bob_time began)
{
    bob_time now = bob_now();
    bob_time longest = (now - began) / GATHER_FRACTION;

    j->gather_until = now + (longest < GATHER_MOST ? longest : GATHER_MOST);
}

/* Waits a little for more to share the commit.  Those who were just told come back at once: without this, half of all clients
 * would stand in the commit under way and half in the next, and a slow disk would sync twice as often as it must.  So it waits
 * for as many as took part last, for up to half of what that took; where a sync is quick, not at all.  Relaxed: nobody
 * waits for a commit, so commits may be few. */
static void
gather(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    bob_time until = j->relaxed ? bob_in_ms(GATHER_MS) : j->gather_until;
    int64_t enough = j->relaxed ? GATHER_ENOUGH : j->expected;
    enum bob_err err = BOB_OK;

    if (until - bob_now() < GATHER_LEAST)
        return;
    journal_lock(j);
    while (!j->stopping && j->open.n < enough && !err) {
        j->wanted = enough;
        err = bob_condition_wait(&j->work, &j->lock, until);
    }
    j->wanted = 0;
    journal_unlock(j);
}

/* Tells those who have waited too long, and waits a little before the next try. */
static void
wait_to_try_again(struct journal *j, enum stored why_not) BOB_NOT_HOLDING(L_JOURNAL)
{
    bob_time until = bob_in_ms(RETRY_MS);
    moment since = clock_now() - PLEDGE_PATIENCE;
    struct pledges old[2];
    enum bob_err err = BOB_OK;

    bob_thread_note(why_not == STORED_BUSY ? "waiting for who has the store locked"
                                           : "waiting for room on the disk");
    journal_lock(j);
    old[0] = pledges_cut(&j->writing_pledges, since);
    old[1] = pledges_cut(&j->open_pledges, since);
    journal_unlock(j);
    pledges_keep(old[0], WHY_OUTCOME_UNKNOWN);
    pledges_keep(old[1], WHY_OUTCOME_UNKNOWN);
    journal_lock(j);
    while (!err)
        err = bob_condition_wait(&j->work, &j->lock, until);
    journal_unlock(j);
    bob_thread_note(NULL);
}

static bool
is_stopping(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    bool stopping;

    journal_lock(j);
    stopping = j->stopping;
    journal_unlock(j);
    return stopping;
}

/* What is left is lost: it was never acknowledged. */
static void
give_up(struct journal *j, enum stored why_not) BOB_NOT_HOLDING(L_JOURNAL)
{
    struct pledges left[2];
    int64_t n;

    journal_lock(j);
    left[0] = j->writing_pledges;
    left[1] = j->open_pledges;
    j->writing_pledges = j->open_pledges = (struct pledges){0};
    n = j->open.n + j->writing_n;
    journal_unlock(j);
    log_line(LOG_LEVEL_ERROR, "changes lost", "changes=%" PRId64 " why=\"%s\"", n,
             why_not == STORED_BUSY ? "another program has the store locked" : "the disk is full");
    j->gave_up = true;
    pledges_keep(left[0], WHY_OUTCOME_UNKNOWN);
    pledges_keep(left[1], WHY_OUTCOME_UNKNOWN);
}

/* False: the journal stops, and it has been tried long enough. */
static bool
write_out(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    moment give_up_at = 0; /* 0: not stopping */
    enum stored why_not;

    while ((why_not = commit_try(&j->commit, &j->writing, checkpoint_round(j->checkpointer))) !=
           STORED_OK) {
        (void)checkpoint_visit(j->checkpointer, sqlite_log_pages(j->store->db),
                               why_not == STORED_NO_ROOM);
        wait_to_try_again(j, why_not);
        if (give_up_at == 0 && is_stopping(j))
            give_up_at = clock_now() + PLEDGE_PATIENCE;
        if (give_up_at > 0 && clock_now() >= give_up_at) {
            give_up(j, why_not);
            return false;
        }
    }
    return true;
}

/* Publishes what has been written and keeps its pledges. */
static void
publish(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    struct pledges kept;

    journal_lock(j);
    kept = j->writing_pledges;
    j->writing_pledges = (struct pledges){0};
    j->writing_n = 0;
    j->writing_len = 0;
    j->expected = j->writing.n + j->open.n;
    atomic_store(&j->committed, j->writing.first + (uint64_t)j->writing.n - 1);
    journal_unlock(j);
    pledges_keep(kept, WHY_OK);
}

static uint64_t
next_seq(struct journal *j) BOB_NOT_HOLDING(L_JOURNAL)
{
    uint64_t next;

    journal_lock(j);
    next = j->open.first + (uint64_t)j->open.n;
    journal_unlock(j);
    return next;
}

void *
journal_run(void *journal)
{
    struct journal *j = journal;

    while (wait_for_work(j)) {
        bob_time began;

        gather(j);
        exchange_buffers(j);
        began = bob_now();
        if (!write_out(j))
            return NULL;
        publish(j);
        gather_from(j, began);
        look_around(j);
    }
    commit_end(&j->commit, next_seq(j));
    return NULL;
}
