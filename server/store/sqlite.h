/* sqlite.h - one connection to the database file, and every statement the store makes.
 *
 *     sqlite_open(&db, path, f); schema_check(db, ..); sqlite_settle(db, f); schema_migrate(db, ..); sqlite_prepare(db);
 *     if (!(got = sqlite_begin(db)) && !(got = sqlite_insert(db, &change, check)) && ...)
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
#include "store/tally.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite;

enum stored {
    STORED_OK,
    STORED_NO_ROOM, /* the disk, or the quota, is full: later it may pass */
    STORED_BUSY,    /* somebody else has the database locked: later it may pass */
    STORED_FAILED,  /* anything else: sqlite_error says what */
};

/* Opens the file, which must exist (empty is new), without writing to it.  It is never cut: what it has beyond its pages is room.  The caller's own calls wait up to five seconds
 * for others who have it locked. */
enum stored sqlite_open(struct sqlite **ret, const char *path, struct fault *f);
void sqlite_close(struct sqlite *db); /* NULL is allowed; the log stays as it is */

/* The log may be so large without being cut when it starts over; 64 MB at least. */
enum stored sqlite_keep_log(struct sqlite *db, int64_t bytes);
/* What the database needs, in bytes; its file may be larger.  Within a transaction, with what that adds. */
enum stored sqlite_used(struct sqlite *db, int64_t *ret_bytes);

/* Sets what the store relies on: write-ahead log, full sync, no checkpoint of SQLite's own. */
enum stored sqlite_settle(struct sqlite *db, struct fault *f);
enum stored sqlite_prepare(struct sqlite *db); /* the statements below; the tables must be there */

void sqlite_be_patient(struct sqlite *db, int ms); /* waits so long for others from now on */

/* Says that the rows are not those that were written, and where; returns STORED_FAILED.  sqlite_error and sqlite_fault then say so. */
enum stored sqlite_damaged(struct sqlite *db, const char *fmt, ...) BOB_PRINTF(2, 3);

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
enum stored sqlite_insert(struct sqlite *db, const struct change *c, uint64_t check);
enum stored sqlite_set_tally(struct sqlite *db, const struct tally *t);
enum stored sqlite_commit(struct sqlite *db);
void sqlite_rollback(struct sqlite *db); /* does nothing outside a transaction */

/* ---- folding, within a transaction ---- */
/* The oldest change from @seq on; *more false: there is none.  What *ret shows lives until sqlite_row_end. */
enum stored sqlite_row_from(struct sqlite *db, uint64_t seq, struct change *ret,
                            uint64_t *ret_check, bool *more);
void sqlite_row_end(struct sqlite *db);
/* The check of the newest change before @seq; of the object that @c names.  *there false: none, and *ret_check is untouched. */
enum stored sqlite_check_before(struct sqlite *db, uint64_t seq, uint64_t *ret_check, bool *there);
enum stored sqlite_object_check(struct sqlite *db, const struct change *c, uint64_t *ret_check,
                                bool *there);
/* No record: takes it out, and @check counts for nothing. */
enum stored sqlite_put_object(struct sqlite *db, const struct change *c, uint64_t check);
/* Drops the changes up to @last; *ret_n: how many that were. */
enum stored sqlite_trim(struct sqlite *db, uint64_t last, int64_t *ret_n);

/* ---- the log ---- */
int sqlite_log_pages(const struct sqlite *db); /* in it after the last commit of this connection */
enum checkpoint_how { CHECKPOINT_PASSIVE, CHECKPOINT_RESTART };
/* Moves pages from the log into the database; *ret_left: pages that stayed. BUSY: others were in the way. */
enum stored sqlite_checkpoint(struct sqlite *db, enum checkpoint_how how, int *ret_left);

/* ---- every row ---- */
/* A row of changes or objects; texts and bytes live only during the call.  Not WHY_OK: that is the end of it. */
typedef enum why sqlite_row_fn(void *arg, const struct change *c, uint64_t check, struct fault *f);
/* Hands each row of @sql, whose columns are seq, kind, name, record and checksum, to @fn. */
enum why sqlite_each(struct sqlite *db, const char *sql, sqlite_row_fn *fn, void *arg,
                     struct fault *f);
/* What sqlite_set_tally wrote last. */
enum why sqlite_tally(struct sqlite *db, struct tally *ret, struct fault *f);

#endif
