/* commit.h - one batch into the store, and the gate: what happens when there is no room for it.
 *
 *     while (commit_try(&c, &batch, round)) ...                // no room, or locked: try again a little later
 *     if (commit_closed(&c)) commit_reopen(&c);         // now and then, when all is in
 *
 * Any failure but these two is logged and ends the process at once, with status 1: memory is ahead of the disk then, and nobody may be
 * answered out of it.
 *
 * Threads: the journal's only, but for commit_closed and commit_locked.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_COMMIT_H
#define BOBBIND_COMMIT_H

#include "store/batch.h"
#include "store/fold.h"
#include "store/parts.h"
#include "store/tally.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SEQUENCE_BLOCK = 1 << 20 };

struct commit {
    struct store *store;
    struct fold fold;
    /* As of the last commit; its limit, below which sequences may be given out, is a multiple of SEQUENCE_BLOCK while it runs. */
    struct tally tally;
    atomic_bool shut;      /* the gate */
    atomic_bool locked;    /* by another program */
    moment reopen_at;      /* the gate, not before */
    unsigned tallied;      /* the round in which the tally was written last */
    int64_t used_bytes;    /* by the database, when it was last asked */
    int64_t written_bytes; /* since then, at the most */
};

/* Reserves a block of sequences above every one ever used, of which *ret_first is the first, and takes the room.
 * WHY_STORE_FULL: there is no room even for that.  WHY_NO_MEMORY, WHY_INTERNAL. */
enum why commit_open(struct commit *c, struct store *s, uint64_t *ret_first, struct fault *f);
void commit_close(struct commit *c);

/* All is in, and @next is the first sequence that was not given out.  It is the stop's own, so that what the next start makes without
 * a record (a running task is ready again) is later than all before; the rest of the block is left for that start.  If that
 * cannot be written it is lost, as in a crash: then sequences leap, which does no harm. */
void commit_end(struct commit *c, uint64_t next);

/* Writes @b whole and durable, or nothing of it:
 * @round is checkpoint_round's.
 *   STORED_NO_ROOM  the gate is closed    STORED_BUSY  another program has the store locked, for half a second now */
BOB_MUST_USE enum stored commit_try(struct commit *c, const struct batch *b, unsigned round);
bool commit_locked(const struct commit *c); /* the last try ended with STORED_BUSY */

bool commit_closed(const struct commit *c);
void commit_shut(struct commit *c); /* closes the gate; does nothing when it is closed */
/* Opens the gate if the room is whole and some megabytes beside it can be had; tries once a second at the most. */
void commit_reopen(struct commit *c);

#endif
