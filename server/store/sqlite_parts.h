/* sqlite_parts.h - what sqlite.c and sqlite_rows.c share: the connection.
 *
 * Private to store/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SQLITE_PARTS_H
#define BOBBIND_SQLITE_PARTS_H

#include "store/sqlite.h"

#include <sqlite3.h>

enum { STATEMENTS_MAX = 12 };

struct sqlite {
    sqlite3 *handle;
    sqlite3_stmt *statement[STATEMENTS_MAX]; /* sqlite_rows.c knows which */
    char *path;
    int log_pages;
    int64_t page_bytes; /* 0: not asked yet */
    char said[128];     /* by who found damage; "" otherwise */
};

/* What a code of SQLite's means for the store. */
enum stored sqlite_outcome(struct sqlite *db, int code);

static inline void
sqlite_finalize(sqlite3_stmt *const *s)
{
    (void)sqlite3_finalize(*s);
}
#define AUTO_STATEMENT BOB_CLEANUP(sqlite_finalize) sqlite3_stmt

#endif
