/* checkpoint.h - a thread that moves the log into the database, beside the journal and not inside its commits.
 *
 *     checkpoint_start(&c, s, &gate, f)
 *     (journal, after each commit, no transaction open)  if (!checkpoint_visit(c, pages, false)) commit_shut(...)
 *     checkpoint_stop(c)
 *
 * It runs at each 1,000 pages or each second, without being in the way; above 64 MB of log it asks the journal to stand still for
 * a moment, so that the log can start over from its beginning.
 *
 * Threads: visit from the journal's only.
 * Locks:   L_JOURNAL, inside (its own lock of that row).
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_CHECKPOINT_H
#define BOBBIND_CHECKPOINT_H

#include "base/fault.h"
#include "base/lockorder.h"
#include "store/parts.h"

#include <stdatomic.h>
#include <stdbool.h>

struct checkpointer;

/* While *@closed (the journal's gate, no room on the disk) the log starts over at each round, and a round is due when half of what
 * it has blocks for is written. */
enum why checkpoint_start(struct checkpointer **ret, struct store *s, const atomic_bool *closed,
                          struct fault *f);
void checkpoint_stop(struct checkpointer *c); /* NULL is allowed */

/* Odd while the log is being moved, another number each time.  Only after that may a commit make it start over. */
unsigned checkpoint_round(const struct checkpointer *c);

/* Says that the log has @pages now, and whether a commit just found it @full: then a round is due.  Stands still while the
 * checkpointer needs that.  False: the database has no room to grow. */
bool checkpoint_visit(struct checkpointer *c, int pages, bool full) BOB_NOT_HOLDING(L_JOURNAL);

#endif
