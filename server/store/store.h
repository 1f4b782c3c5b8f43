/* store.h - what survives: an ordered log of changes, folded into objects; SQLite behind it.
 *
 * A change says: the thing of this kind and name now has this record, or (no record) is gone.  The store knows neither
 * kinds nor records.  It keeps `change(seq, kind, name, record, checksum)`, append-only, and folds the oldest
 * into `object(kind, name, seq, record, checksum)` in small steps; the last 100,000 changes are always kept.
 *
 *     store_open(&s, &options, fault)                       // locks the folder, migrates, verifies, checkpoints
 *     store_recover(s, load, arg, fault)                    // every live record, oldest change first
 *     j = journal_start(s, ...)                             // journal.h: from here on, appends
 *     journal_stop(j); store_close(s);
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_STORE_H
#define BOBBIND_STORE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

struct store_options {
    const char *folder; /* made with mode 0700 if missing */
    int durability;     /* enum durability */
    int64_t
        reserve_bytes; /* room in the store's own files, for what gives back when the disk is full */
    int64_t changes_kept; /* 0: 100,000 */
    bool accept_cut_log;  /* a log that is damaged before its end is taken up to there */
};

/* Opens and locks the store in @o->folder (flock on the file "lock" there).  A folder of a newer
 * version, of another program or damaged, its log too: WHY_INVALID, with a sentence that says
 * what to do; so will the next start.  In use: WHY_INTERNAL. */
enum why store_open(struct store **ret, const struct store_options *o, struct fault *f);
void store_close(struct store *s); /* NULL is allowed */

/* One live record; texts and bytes live only during the call.  Not WHY_OK: recovery stops with
 * that fault. WHY_INTERNAL: the record is damaged or of a newer version, and the store is
 * refused as store_open does. */
typedef enum why store_load_fn(void *arg, const char *kind, const char *name, uint64_t seq,
                               const void *record, size_t len, struct fault *f);

/* Hands every live record to @load, in the order of their sequences. */
enum why store_recover(struct store *s, store_load_fn *load, void *arg, struct fault *f);

/* The folder, as given: downloads live in "files" below it. */
const char *store_folder(const struct store *s);

#endif
