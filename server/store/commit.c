/* commit.c - see commit.h.  The gate is closed by the first commit, or checkpoint, that finds no room, or by a database that has grown
 * and cannot have its room anew; from then on what gives back (a release, a DELETE) is written within blocks that the store's files
 * have.  It opens when the room is whole, and a margin can be had beside it: without that it would flap.
 *
 * SPDX-License-Identifier: MIT */
#include "store/commit.h"

#include "base/log.h"
#include "base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOCKED_MS = 500,  /* the checkpointer never has it for so long: whoever has is a stranger */
    MARGIN = 4 << 20, /* what the log grows by until the checkpointer is asked */
    ASK_BYTES = 256 << 10, /* far less than what room_keep has ahead */
    PAGES_BYTES = 16 << 10 /* in which one small change may need new pages */
};

static _Noreturn void
die(struct sqlite *db, const char *doing)
{
    char quoted[256];

    log_line(LOG_LEVEL_ERROR, "store failed", "doing=%s error=%s", doing,
             log_quote(quoted, sizeof quoted, sqlite_error(db)));
    _exit(1);
}

/* ---- sequences ---- */

static enum stored
write_limit(struct commit *c, uint64_t limit)
{
    struct sqlite *db = c->store->db;
    struct tally next = c->tally;
    enum stored got = sqlite_sync_commits(db, true);

    next.limit = limit;
    if (!got)
        got = sqlite_begin(db);
    if (!got)
        got = sqlite_set_tally(db, &next);
    if (!got)
        got = sqlite_used(db, &c->used_bytes);
    if (!got)
        got = sqlite_commit(db);
    if (got)
        sqlite_rollback(db);
    else
        c->tally = next;
    return got;
}

static uint64_t
block_above(uint64_t seq)
{
    return (seq / SEQUENCE_BLOCK + 1) * SEQUENCE_BLOCK;
}

static enum why
reserve_first_block(struct commit *c, uint64_t *ret_first, struct fault *f)
{
    struct sqlite *db = c->store->db;
    uint64_t first = c->tally.limit > 0 ? c->tally.limit : 1;
    enum stored got;

    if (c->tally.last_seq >= first)
        first = block_above(c->tally.last_seq);
    got = write_limit(c, block_above(first));
    if (!got)
        got = sqlite_sync_commits(db, !c->store->relaxed);
    if (got)
        return sqlite_fault(db, got, "start the journal", f);
    *ret_first = first;
    return WHY_OK;
}

void
commit_end(struct commit *c, uint64_t next)
{
    assert(next < c->tally.limit);
    (void)write_limit(c, next + 1);
}

/* ---- the gate ---- */

bool
commit_closed(const struct commit *c)
{
    return atomic_load_explicit(
        &c->shut,
        memory_order_relaxed); /* a moment's delay does no harm: nothing else goes with it */
}

static void
set_gate(struct commit *c, bool closed)
{
    atomic_store(&c->shut, closed);
    metric_set(M_JOURNAL_FULL, closed);
    c->reopen_at = clock_now() + NS_PER_SECOND;
}

void
commit_shut(struct commit *c)
{
    if (commit_closed(c))
        return;
    set_gate(c, true);
    log_line(LOG_LEVEL_ERROR, "disk full",
             "folder=%s effect=\"only what gives back is taken, until there is room\"",
             c->store->folder);
}

void
commit_reopen(struct commit *c)
{
    if (!commit_closed(c) || clock_now() < c->reopen_at)
        return;
    if (room_take(&c->store->room, c->used_bytes, MARGIN)) {
        set_gate(c, false);
        log_line(LOG_LEVEL_INFO, "disk has room again", "folder=%s", c->store->folder);
    } else {
        c->reopen_at = clock_now() + NS_PER_SECOND;
    }
}

enum why
commit_open(struct commit *c, struct store *s, uint64_t *ret_first, struct fault *f)
{
    enum why why;

    *c = (struct commit){.store = s, .tally = s->tally};
    why = fold_open(&c->fold, s->db, s->changes_kept, f);
    if (!why)
        why = reserve_first_block(c, ret_first, f);
    if (why) {
        commit_close(c);
        return why;
    }
    sqlite_be_patient(s->db, LOCKED_MS);
    if (room_take(&s->room, c->used_bytes, MARGIN)) {
        set_gate(c, false);
    } else {
        set_gate(c, true);
        log_line(LOG_LEVEL_ERROR, "disk full",
                 "folder=%s reserve=%" PRId64
                 " effect=\"only what gives back is taken, until there is room\"",
                 s->folder, 2 * s->room.half_bytes);
    }
    return WHY_OK;
}

void
commit_close(struct commit *c)
{
    fold_close(&c->fold);
}

/* ---- a batch ---- */

bool
commit_locked(const struct commit *c)
{
    return atomic_load_explicit(&c->locked, memory_order_relaxed); /* read with nothing else */
}

/* A backup, or somebody with a shell: one line when it begins to be in the way, one when it is over. */
static void
note_locked(struct commit *c, bool locked)
{
    if (commit_locked(c) == locked)
        return;
    atomic_store(&c->locked, locked);
    if (locked)
        log_line(LOG_LEVEL_ERROR, "store locked",
                 "folder=%s by=\"another program\" effect=\"nothing is written until it lets go\"",
                 c->store->folder);
    else
        log_line(LOG_LEVEL_INFO, "store unlocked", "folder=%s", c->store->folder);
}

static enum stored
insert_all(struct commit *c, const struct batch *b, struct tally *t)
{
    struct change change;
    enum stored got = STORED_OK;

    for (size_t at = 0; !got && batch_next(b, &at, &change);) {
        uint64_t check;

        tally_add(t, &change, &check);
        got = sqlite_insert(c->store->db, &change, check);
        fold_note(&c->fold, &change);
    }
    return got;
}

/* The tally is a page more, so not each commit writes it.  What came after the last tally needs none while it is in the log, which has
 * its own checksums; so one is due when the log may have started over since, and when something but the newest change differs. */
static bool
is_tally_due(const struct commit *c, const struct tally *t, unsigned round)
{
    return round % 2 == 1 || round != c->tallied || t->base != c->tally.base ||
           t->limit != c->tally.limit;
}

/* @t becomes what the rows add up to with this batch. */
static enum stored
write_batch(struct commit *c, const struct batch *b, struct tally *t, unsigned round)
{
    struct sqlite *db = c->store->db;
    enum stored got = sqlite_begin(db);

    if (!got)
        got = insert_all(c, b, t);
    if (!got && !commit_closed(c)) /* it needs room for itself, which is for what gives back now */
        got = fold_step(&c->fold, db, t, b->n);
    if (!got && is_tally_due(c, t, round))
        got = sqlite_set_tally(db, t);
    if (!got && c->written_bytes >= ASK_BYTES) {
        c->written_bytes = 0;
        got = sqlite_used(db, &c->used_bytes);
    }
    if (!got)
        got = sqlite_commit(db);
    return got;
}

enum stored
commit_try(struct commit *c, const struct batch *b, unsigned round)
{
    struct sqlite *db = c->store->db;
    uint64_t last = b->first + (uint64_t)b->n - 1;
    /* The backlog is far under half a block, so the next one is on disk before anything in it is given out. */
    bool is_near = last + SEQUENCE_BLOCK / 2 >= c->tally.limit;
    bool sync = c->store->relaxed && is_near;
    struct tally next = c->tally;
    moment start = clock_now();
    enum stored got;

    assert(b->n > 0 && last < c->tally.limit);
    if (is_near)
        next.limit += SEQUENCE_BLOCK;
    if (sync && sqlite_sync_commits(db, true))
        die(db, "sync");
    c->written_bytes += 2 * (int64_t)b->len + PAGES_BYTES;
    got = write_batch(c, b, &next, round);
    if (got == STORED_FAILED)
        die(db, "commit");
    note_locked(c, got == STORED_BUSY);
    if (got) {
        sqlite_rollback(db);
        fold_undone(&c->fold);
    }
    if (got == STORED_NO_ROOM)
        commit_shut(c);
    if (!got) {
        c->tally = next;
        c->tallied = round;
        fold_committed(&c->fold, b->n);
        if (!commit_closed(c) && !room_keep(&c->store->room, c->used_bytes))
            commit_shut(c); /* before anything of the room is used up */
        metric_add(M_JOURNAL_CHANGES, b->n);
        metric_add(M_JOURNAL_COMMITS, 1);
        metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, clock_now() - start);
    }
    if (sync && sqlite_sync_commits(db, false))
        die(db, "sync");
    return got;
}
