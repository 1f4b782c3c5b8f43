/* sqlite.c - a connection: opened, set up, its log moved; what it says when something fails.  See sqlite.h; sqlite_rows.c has the
 * statements.
 *
 * Measured, and left alone: pages of 4 KiB (2 and 8 are no faster), no memory map, a small cache (64 MB is no faster).
 * Debian builds SQLite with secure_delete, which would write out every page a fold empties: switched off.
 *
 * SPDX-License-Identifier: MIT */
#include "store/sqlite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "store/sqlite_parts.h"

enum { BUSY_MS = 5000, LOG_KEPT_BYTES = 64 << 20 };

/* ---- outcomes ---- */

static bool
is_no_room(struct sqlite *db)
{
    int reason = sqlite3_system_errno(db->handle);

    return reason == ENOSPC || reason == EDQUOT;
}

enum stored
sqlite_outcome(struct sqlite *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STORED_OK;
    case SQLITE_FULL:
        return STORED_NO_ROOM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STORED_BUSY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return is_no_room(db) ? STORED_NO_ROOM : STORED_FAILED;
    default:
        return STORED_FAILED;
    }
}

enum stored
sqlite_damaged(struct sqlite *db, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)sqlite3_vsnprintf(sizeof db->said, db->said, fmt, args);
    va_end(args);
    for (char *at = db->said; *at; at++)
        if (*at == '\n')
            *at = ' ';
    utf8_clean(db->said, strlen(db->said));
    return STORED_FAILED;
}

const char *
sqlite_error(struct sqlite *db)
{
    return db->said[0] ? db->said : sqlite3_errmsg(db->handle);
}

enum why
sqlite_fault(struct sqlite *db, enum stored got, const char *doing, struct fault *f)
{
    switch (got) {
    case STORED_OK:
        return WHY_OK;
    case STORED_NO_ROOM:
        return fault_set(f, WHY_STORE_FULL,
                         "cannot %s: the disk is full; make room on it and start again: %s", doing,
                         db->path);
    case STORED_BUSY:
        return fault_set(
            f, WHY_INTERNAL,
            "cannot %s: another program has the store locked; end it and start again: %s", doing,
            db->path);
    case STORED_FAILED:
        break;
    }
    /* SQLite may quote a whole table's text, and the path has to fit behind it. */
    switch (db->said[0] ? SQLITE_CORRUPT : sqlite3_errcode(db->handle)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fault_set(
            f, WHY_INVALID,
            "the store is damaged (%.100s): put a backup in its place, or give another "
            "folder with --data: %s",
            sqlite_error(db), db->path);
    default:
        return fault_set(f, WHY_INTERNAL, "cannot %s (%.100s): %s", doing, sqlite_error(db),
                         db->path);
    }
}

/* ---- opening ---- */

/* Memory statistics take a global lock at every allocation, and nobody asks for them. */
static void
configure(void)
{
    static bool done;

    if (!done)
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    done = true;
}

/* SQLite cuts the file to its pages after each whole checkpoint, and the room at its end would be anybody's.  (Its own remedy, a
 * chunk size, cuts to a multiple: then there may be next to none.) */
static int
keep_size(sqlite3_file *file, sqlite3_int64 bytes)
{
    (void)file, (void)bytes;
    return SQLITE_OK;
}

static void
never_cut(sqlite3 *handle)
{
    static sqlite3_io_methods methods; /* the same for all files of a kind, and there is one kind */
    sqlite3_file *file = NULL;

    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file || !file->pMethods || file->pMethods == &methods)
        return;
    if (!methods.xTruncate) {
        methods = *file->pMethods;
        methods.xTruncate = keep_size;
    }
    file->pMethods = &methods;
}

enum stored
sqlite_open(struct sqlite **ret, const char *path, struct fault *f)
{
    struct sqlite *db = calloc(1, sizeof *db);
    enum stored got;
    int code;

    if (db)
        db->path = strdup(path);
    if (!db || !db->path) {
        free(db);
        (void)fault_set(f, WHY_NO_MEMORY, "no memory to open the store");
        return STORED_FAILED;
    }
    configure();
    code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    got = sqlite_outcome(db, code);
    if (!got)
        got = sqlite_outcome(db, sqlite3_busy_timeout(db->handle, BUSY_MS));
    if (got) {
        (void)sqlite_fault(db, got, "open the store", f);
        sqlite_close(db);
        return got;
    }
    (void)sqlite3_extended_result_codes(db->handle, 0);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    never_cut(db->handle);
    *ret = db;
    return STORED_OK;
}

void
sqlite_close(struct sqlite *db)
{
    if (!db)
        return;
    for (int i = 0; i < STATEMENTS_MAX; i++)
        (void)sqlite3_finalize(db->statement[i]);
    (void)sqlite3_close_v2(db->handle);
    free(db->path);
    free(db);
}

void
sqlite_be_patient(struct sqlite *db, int ms)
{
    (void)sqlite3_busy_timeout(db->handle, ms);
}

static int
committed(void *arg, sqlite3 *handle, const char *schema, int pages)
{
    struct sqlite *db = arg;

    (void)handle, (void)schema;
    db->log_pages = pages;
    return SQLITE_OK;
}

enum stored
sqlite_keep_log(struct sqlite *db, int64_t bytes)
{
    char limit[64];

    (void)sqlite3_snprintf(sizeof limit, limit, "PRAGMA journal_size_limit = %lld",
                           (long long)(bytes > LOG_KEPT_BYTES ? bytes : LOG_KEPT_BYTES));
    return sqlite_exec(db, limit);
}

enum stored
sqlite_settle(struct sqlite *db, struct fault *f)
{
    static const char sql[] = "PRAGMA synchronous = FULL;"
                              "PRAGMA wal_autocheckpoint = 0;"
                              "PRAGMA secure_delete = OFF;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA trusted_schema = OFF;"
                              "PRAGMA cache_size = -8192;"
                              "PRAGMA journal_mode = WAL;";
    enum stored got = sqlite_exec(db, sql);
    int64_t is_wal = 0;

    if (!got)
        got = sqlite_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal);
    if (!got && !is_wal) {
        (void)fault_set(f, WHY_INTERNAL,
                        "the file system cannot hold the store's log (no shared memory there): "
                        "give another folder with --data: %s",
                        db->path);
        return STORED_FAILED;
    }
    if (got)
        (void)sqlite_fault(db, got, "open the store", f);
    (void)sqlite3_wal_hook(db->handle, committed,
                           db); /* after wal_autocheckpoint, which takes it away */
    return got;
}

/* ---- what is rare ---- */

enum stored
sqlite_exec(struct sqlite *db, const char *sql)
{
    return sqlite_outcome(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

enum stored
sqlite_number(struct sqlite *db, const char *sql, int64_t *ret)
{
    AUTO_STATEMENT *s = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        *ret = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    return sqlite_outcome(db, code);
}

enum stored
sqlite_examine(struct sqlite *db)
{
    AUTO_STATEMENT *s = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &s, NULL);
    const char *text;

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? STORED_FAILED : sqlite_outcome(db, code);
    text = (const char *)sqlite3_column_text(s, 0);
    if (text && strcmp(text, "ok") == 0)
        return STORED_OK;
    return sqlite_damaged(db, "%s", text ? text : "no memory to examine it");
}

enum stored
sqlite_sync_commits(struct sqlite *db, bool each)
{
    return sqlite_exec(db, each ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

/* ---- the log ---- */

int
sqlite_log_pages(const struct sqlite *db)
{
    return db->log_pages;
}

enum stored
sqlite_checkpoint(struct sqlite *db, enum checkpoint_how how, int *ret_left)
{
    static const int modes[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART};
    int pages = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, modes[how], &pages, &moved);

    *ret_left = pages - moved;
    return sqlite_outcome(db, code);
}
