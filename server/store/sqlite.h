/* sqlite.h - one connection to the database file, and every statement the store makes.
 *
 *     sqlite_open(&db, path, f); schema_check(db, ..); sqlite_settle(db, f); schema_migrate(db, ..); sqlite_prepare(db);
 *     if (!(got = sqlite_begin(db)) && !(got = sqlite_insert(db, &change)) && ...)
 *         got = sqlite_commit(db);
 *     if (got)
 *         sqlite_rollback(db);
 *
 * Threads: one at a time on a connection; connections to one file know each other through SQLite's own locks.
 * Memory:  texts and records given in are not copied: they live until the call returns.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SQLITE_H
#define BOBBIND_SQLITE_H

#include "base/fault.h"
#include "store/batch.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite;

enum stored {
    STORED_OK,
    STORED_NO_ROOM, /* the disk, or the quota, is full: later it may pass */
    STORED_BUSY,    /* somebody else has the database locked: later it may pass */
    STORED_FAILED,  /* anything else: sqlite_error says what */
};

/* Opens the file, which must exist (empty is new), without writing to it.  The caller's own calls wait up to five seconds
 * for others who have it locked. */
enum stored sqlite_open(struct sqlite **ret, const char *path, struct fault *f);
void
sqlite_close(struct sqlite *db); /* NULL is allowed; the last one moves the log into the database */

/* Sets what the store relies on: write-ahead log, full sync, no checkpoint of SQLite's own. */
enum stored sqlite_settle(struct sqlite *db, struct fault *f);
enum stored sqlite_prepare(struct sqlite *db); /* the statements below; the tables must be there */

void sqlite_be_patient(struct sqlite *db, int ms); /* waits so long for others from now on */

/* What went wrong last; lives until the next call. */
const char *sqlite_error(struct sqlite *db);
/* Records the fault for @got, naming the file and what to do about it. */
enum why sqlite_fault(struct sqlite *db, enum stored got, const char *doing, struct fault *f);

/* For what is rare: any statements; one number (0 where the answer is null or none). */
enum stored sqlite_exec(struct sqlite *db, const char *sql);
enum stored sqlite_number(struct sqlite *db, const char *sql, int64_t *ret);
/* Whether the database is whole; FAILED, with the sentence in sqlite_error, if not. */
enum stored sqlite_examine(struct sqlite *db);

/* How commits are synced from the next transaction on: each, or only by checkpoints. */
enum stored sqlite_sync_commits(struct sqlite *db, bool each);

/* ---- a transaction of the journal ---- */
enum stored sqlite_begin(struct sqlite *db);
enum stored sqlite_insert(struct sqlite *db, const struct change *c);
enum stored sqlite_set_limit(struct sqlite *db,
                             uint64_t limit); /* sequences below it may have been used */
enum stored sqlite_commit(struct sqlite *db);
void sqlite_rollback(struct sqlite *db); /* does nothing outside a transaction */

/* ---- folding, within a transaction ---- */
/* The oldest change from @seq on; *more false: there is none.  What *ret shows lives until sqlite_row_end. */
enum stored sqlite_row_from(struct sqlite *db, uint64_t seq, struct change *ret, bool *more);
void sqlite_row_end(struct sqlite *db);
enum stored sqlite_put_object(struct sqlite *db,
                              const struct change *c); /* no record: takes it out */
/* Drops the changes up to @last; *ret_n: how many that were. */
enum stored sqlite_trim(struct sqlite *db, uint64_t last, int64_t *ret_n);

/* ---- the log ---- */
int sqlite_log_pages(const struct sqlite *db); /* in it after the last commit of this connection */
enum checkpoint_how { CHECKPOINT_PASSIVE, CHECKPOINT_RESTART, CHECKPOINT_TRUNCATE };
/* Moves pages from the log into the database; *ret_left: pages that stayed. BUSY: others were in the way. */
enum stored sqlite_checkpoint(struct sqlite *db, enum checkpoint_how how, int *ret_left);

/* ---- recovery ---- */
/* Hands every live record to @load, oldest first. */
enum why sqlite_each_live(struct sqlite *db, store_load_fn *load, void *arg, struct fault *f);

#endif
