/* journal.h - group commit: changes in the order they were decided, many waiting for the same sync.
 *
 *     (under the state lock)
 *     why = journal_reserve(j, grows, bytes)             // before anything is decided
 *     seq = journal_append(j, "counter", name, rec, len) // cannot fail within what was reserved
 *     if (!journal_await(j, &ask->pledge, seq)) ...      // already durable: answer now
 *     wake = journal_step_end(j)                         // its changes go to the disk together, or not at all
 *     (after the unlock) if (wake) journal_wake(j)
 *
 * One thread writes everything appended so far in one SQLite transaction, publishes the committed sequence, and then keeps
 * the pledges of that batch.  While it syncs, the next batch gathers.  A checkpointer thread with its own connection
 * moves the log into the database.
 *
 * No room on the disk: the gate closes (journal_reserve says WHY_STORE_FULL to what grows), what does not is written where the store's
 * files have blocks (room.h), the batch is kept and tried again every 100 ms, and a pledge older than 10 s is told
 * WHY_OUTCOME_UNKNOWN.  So is one whose batch has to wait because another program has the store locked; the gate stays open then.
 * Any other failure: log, _exit(1); nobody who waits is answered.
 *
 * Threads: reserve, append and step_end only under L_STATE; the others from any thread.
 * Locks:   L_JOURNAL, inside.  Pledges are kept on the journal's thread with no lock held.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_JOURNAL_H
#define BOBBIND_JOURNAL_H

#include "base/fault.h"
#include "base/lockorder.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* A promise to tell somebody that a change is durable.  Embedded in what waits; untouched by the journal once kept. */
struct pledge {
    void (*kept)(struct pledge *p, enum why why); /* WHY_OK, or WHY_OUTCOME_UNKNOWN */
    /* private */
    struct pledge *next_;
    uint64_t seq_;
    int64_t since_;
};

/* Starts the journal's and the checkpointer's thread.  Sequences start above every one ever used: one above the stop's own
 * after a journal_stop, else at a new block of 2^20; the block is on disk before this returns.
 *   WHY_STORE_FULL  not even that had room    WHY_NO_MEMORY    WHY_INTERNAL
 * Without room for the reserve it starts, with the gate closed. */
enum why journal_start(struct journal **ret, struct store *s, struct fault *f);

/* Commits what is there, ends both threads.  All pledges have been kept when it returns.  False: for 10 s the disk had no room or
 * another program had the store locked, and the changes that nobody was told of are lost; a line in the log says how many. */
bool journal_stop(struct journal *j);

/* Asks leave for one step of at most 256 changes and @bytes of records and names.  @grows: the step may add to what is stored
 * (a new object, a grant, a submit); one that only gives back passes when the disk is full.
 *   WHY_STORE_FULL  the disk has no room    WHY_NO_MEMORY    WHY_BUSY  the backlog is at its bound (2^18 changes, or
 * 256 MiB; for what grows three quarters of either, so that there is always room to give back) */
enum why journal_reserve(struct journal *j, bool grows, size_t bytes) BOB_HOLDS(L_STATE);

/* Appends a change and returns its sequence: larger than every one before.  @record NULL: the thing is gone. */
uint64_t journal_append(struct journal *j, const char *kind, const char *name, const void *record,
                        size_t len) BOB_HOLDS(L_STATE);

/* Ends a step: a batch is never cut between journal_reserve and this, so that after a crash a step's changes are there together or
 * not at all.  Every journal_reserve must be followed by it.  True: the journal's thread sleeps; journal_wake it once the state lock is
 * free (waking a thread is a system call, and has no place under that lock). */
BOB_MUST_USE bool journal_step_end(struct journal *j) BOB_HOLDS(L_STATE);
void journal_wake(struct journal *j) BOB_NOT_HOLDING(L_STATE);

/* False when @seq is durable already (or durability is relaxed): nothing is kept.  True: @p will be kept once it is. */
bool journal_await(struct journal *j, struct pledge *p, uint64_t seq);

uint64_t journal_committed(const struct journal *j); /* the highest durable sequence */
uint64_t journal_last(struct journal *j)
    BOB_HOLDS(L_STATE); /* the highest sequence given out; the first block's start - 1 before any */

struct journal_health {
    bool full;         /* the gate is closed */
    bool locked;       /* another program has the store locked, and a batch waits for it */
    int64_t backlog;   /* changes appended and not committed */
    int64_t oldest_ms; /* age of the oldest of these, 0: none */
};
void journal_health(struct journal *j, struct journal_health *ret);

#endif
