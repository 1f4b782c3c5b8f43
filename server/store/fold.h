/* fold.h - keeps the log of changes short: the oldest become rows of `object`, the last 100,000 stay.
 *
 *     fold_open(&f, db, CHANGES_KEPT, fault)           // counts what is there
 *     (in a transaction)  fold_note(f, &change) for each inserted; fold_step(f, db, &tally, n)
 *     (after its commit)  fold_committed(f, n)
 *
 * A step takes a few milliseconds at the most, so that no commit waits long for it; under load there is one in every few dozen
 * commits.
 *
 * Threads: the journal's only.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_FOLD_H
#define BOBBIND_FOLD_H

#include "store/batch.h"
#include "store/sqlite.h"

#include <stdint.h>

struct latest;
struct fold {
    int64_t most;           /* changes that stay */
    int64_t kept;           /* changes in the log, as of the last commit */
    int64_t folding;        /* of these, taken out by the transaction at hand */
    uint64_t first, newest; /* noted; 0: none yet */
    struct latest *latest;  /* by hash: the last change noted of some thing with that hash */
    uint64_t
        *is_void; /* a ring of bits by sequence: a later change of the same thing has been noted */
};

enum { CHANGES_KEPT = 100000 };

/* WHY_NO_MEMORY, or what reading the store gave. */
enum why fold_open(struct fold *f, struct sqlite *db, int64_t most, struct fault *fault);
void fold_close(struct fold *f);

/* Says that @c has been inserted.  Noting the same change again (a transaction tried anew) does no harm. */
void fold_note(struct fold *f, const struct change *c);
/* Folds what is too many: as many as were @inserted by this transaction, and more for as long as it may take; at most some thousand.
 * @t goes along.  FAILED also when a change it reads is not the one that was written. */
enum stored fold_step(struct fold *f, struct sqlite *db, struct tally *t, int64_t inserted);
void fold_committed(struct fold *f, int64_t inserted);
void fold_undone(struct fold *f); /* the transaction was rolled back */

#endif
