/* wal.h - SQLite's write-ahead log, read before SQLite does: what a start would drop of it without a word.
 *
 *     wal_scan("/folder/store.db", &cut, f)
 *     if (cut.commits >= WAL_COMMITS_DAMAGE) ...           // the disk has lost something
 *
 * SQLite takes a log up to the first frame that does not check, which is right after a power cut: what was being written then
 * was not synced, and so promised to nobody.  It does the same when a byte has decayed in the middle, and drops what was promised.
 *
 * Threads: any; nobody may have the database open.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_WAL_H
#define BOBBIND_WAL_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

/* A transaction is written after the sync of the one before.  So a power cut leaves at most one commit behind a frame that was not
 * written whole; two are there because that frame was whole once. */
enum { WAL_COMMITS_DAMAGE = 2 };

struct wal_cut {
    int64_t at;      /* the byte where what checks ends */
    int64_t commits; /* of the same log, behind the frame there */
};

/* Says in the log @fd that all of it is in the database; durable when it returns.  SQLite takes such a log for an empty one, and writes it
 * anew.  False: not written. */
bool wal_mark_empty(int fd);

/* Reads the log beside the database @path; none is as good as an empty one.  WHY_INTERNAL: it cannot be read.  WHY_NO_MEMORY. */
enum why wal_scan(const char *path, struct wal_cut *ret, struct fault *f);

#endif
