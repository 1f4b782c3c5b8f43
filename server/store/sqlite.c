/* sqlite.c - the only file that talks to SQLite; see sqlite.h.
 *
 * The journal's inserts are the hot path: prepared once, bound without copies, stepped and reset; about a microsecond
 * each.  Measured, and left alone: pages of 4 KiB (2 and 8 are no faster), no memory map, a small cache (64 MB is no faster),
 * inserts one by one (eight rows in a statement, or a virtual table over the batch, are slower).
 * Debian builds SQLite with secure_delete, which would write out every page a fold empties: switched off.
 *
 * SPDX-License-Identifier: MIT */
#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
/*    name      SQL; ?1 seq or a number, ?2 kind, ?3 name, ?4 record */
#define STATEMENTS(X)                                                                                                  \
    X(BEGIN,    "BEGIN IMMEDIATE")                                                                                     \
    X(COMMIT,   "COMMIT")                                                                                              \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(INSERT,   "INSERT INTO change(seq, kind, name, record) VALUES (?1, ?2, ?3, ?4)")                                 \
    X(LIMIT,    "REPLACE INTO meta(key, value) VALUES ('sequence_limit', ?1)")                                         \
    X(ROW,      "SELECT seq, kind, name, record FROM change WHERE seq >= ?1 ORDER BY seq LIMIT 1")                     \
    X(PUT,      "REPLACE INTO object(kind, name, seq, record) VALUES (?2, ?3, ?1, ?4)")                                \
    X(DROP,     "DELETE FROM object WHERE kind = ?2 AND name = ?3")                                                    \
    X(TRIM,     "DELETE FROM change WHERE seq <= ?1")
/* clang-format on */

enum statement {
#define X(name, sql) S_##name,
    STATEMENTS(X)
#undef X
        S_COUNT
};
static const char *const SQL[] = {
#define X(name, sql) sql,
    STATEMENTS(X)
#undef X
};

enum { BUSY_MS = 5000, LOG_KEPT_BYTES = 64 << 20 };

struct sqlite {
    sqlite3 *handle;
    sqlite3_stmt *statement[S_COUNT];
    char *path;
    int log_pages;
    char said[128]; /* by an examination that found damage; "" otherwise */
};

/* ---- outcomes ---- */

static bool
is_no_room(struct sqlite *db)
{
    int reason = sqlite3_system_errno(db->handle);

    return reason == ENOSPC || reason == EDQUOT;
}

static enum stored
outcome(struct sqlite *db, int code)
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
    switch (db->said[0] ? SQLITE_CORRUPT : sqlite3_errcode(db->handle)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fault_set(f, WHY_INTERNAL,
                         "the store is damaged (%s): put a backup in its place, or give another "
                         "folder with --data: %s",
                         sqlite_error(db), db->path);
    default:
        return fault_set(f, WHY_INTERNAL, "cannot %s (%s): %s", doing, sqlite_error(db), db->path);
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
    got = outcome(db, code);
    if (!got)
        got = outcome(db, sqlite3_busy_timeout(db->handle, BUSY_MS));
    if (got) {
        (void)sqlite_fault(db, got, "open the store", f);
        sqlite_close(db);
        return got;
    }
    (void)sqlite3_extended_result_codes(db->handle, 0);
    *ret = db;
    return STORED_OK;
}

void
sqlite_close(struct sqlite *db)
{
    if (!db)
        return;
    for (int i = 0; i < S_COUNT; i++)
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
    char limit[64];

    if (!got)
        got = sqlite_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal);
    if (!got && !is_wal) {
        (void)fault_set(f, WHY_INTERNAL,
                        "the file system cannot hold the store's log (no shared memory there): "
                        "give another folder with --data: %s",
                        db->path);
        return STORED_FAILED;
    }
    (void)sqlite3_snprintf(sizeof limit, limit, "PRAGMA journal_size_limit = %d", LOG_KEPT_BYTES);
    if (!got)
        got = sqlite_exec(db, limit);
    if (got)
        (void)sqlite_fault(db, got, "open the store", f);
    (void)sqlite3_wal_hook(db->handle, committed,
                           db); /* after wal_autocheckpoint, which takes it away */
    return got;
}

enum stored
sqlite_prepare(struct sqlite *db)
{
    for (int i = 0; i < S_COUNT; i++) {
        int code = sqlite3_prepare_v3(db->handle, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->statement[i], NULL);

        if (code != SQLITE_OK)
            return outcome(db, code);
    }
    return STORED_OK;
}

/* ---- what is rare ---- */

enum stored
sqlite_exec(struct sqlite *db, const char *sql)
{
    return outcome(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static void
finalize(sqlite3_stmt *const *s)
{
    (void)sqlite3_finalize(*s);
}
#define AUTO_STATEMENT BOB_CLEANUP(finalize) sqlite3_stmt

enum stored
sqlite_number(struct sqlite *db, const char *sql, int64_t *ret)
{
    AUTO_STATEMENT *s = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        *ret = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    return outcome(db, code);
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
        return code == SQLITE_DONE ? STORED_FAILED : outcome(db, code);
    text = (const char *)sqlite3_column_text(s, 0);
    if (text && strcmp(text, "ok") == 0)
        return STORED_OK;
    (void)sqlite3_snprintf(sizeof db->said, db->said, "%s",
                           text ? text : "no memory to examine it");
    for (char *at = db->said; *at; at++)
        if (*at == '\n')
            *at = ' ';
    return STORED_FAILED;
}

enum stored
sqlite_sync_commits(struct sqlite *db, bool each)
{
    return sqlite_exec(db, each ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

/* ---- statements ---- */

/* Runs a statement that gives no row back. */
static enum stored
run(struct sqlite *db, enum statement which)
{
    sqlite3_stmt *s = db->statement[which];
    int code = sqlite3_step(s);
    enum stored got = code == SQLITE_DONE ? STORED_OK : outcome(db, code);

    (void)sqlite3_reset(s);
    return got;
}

static int
bind_thing(sqlite3_stmt *s, const struct change *c)
{
    int code = sqlite3_bind_text(s, 2, c->kind, (int)c->kind_len, SQLITE_STATIC);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(s, 3, c->name, (int)c->name_len, SQLITE_STATIC);
    return code;
}

static int
bind_change(sqlite3_stmt *s, const struct change *c)
{
    int code = sqlite3_bind_int64(s, 1, (sqlite3_int64)c->seq);

    if (code == SQLITE_OK)
        code = bind_thing(s, c);
    if (code == SQLITE_OK)
        code = c->record ? sqlite3_bind_blob(s, 4, c->record, (int)c->len, SQLITE_STATIC)
                         : sqlite3_bind_null(s, 4);
    return code;
}

enum stored
sqlite_begin(struct sqlite *db)
{
    return run(db, S_BEGIN);
}

enum stored
sqlite_insert(struct sqlite *db, const struct change *c)
{
    int code = bind_change(db->statement[S_INSERT], c);

    return code == SQLITE_OK ? run(db, S_INSERT) : outcome(db, code);
}

enum stored
sqlite_set_limit(struct sqlite *db, uint64_t limit)
{
    int code = sqlite3_bind_int64(db->statement[S_LIMIT], 1, (sqlite3_int64)limit);

    return code == SQLITE_OK ? run(db, S_LIMIT) : outcome(db, code);
}

enum stored
sqlite_commit(struct sqlite *db)
{
    return run(db, S_COMMIT);
}

void
sqlite_rollback(struct sqlite *db)
{
    sqlite_row_end(db);
    if (!sqlite3_get_autocommit(db->handle))
        (void)run(db, S_ROLLBACK);
}

enum stored
sqlite_row_from(struct sqlite *db, uint64_t seq, struct change *ret, bool *more)
{
    sqlite3_stmt *s = db->statement[S_ROW];
    int code = sqlite3_bind_int64(s, 1, (sqlite3_int64)seq);

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    *more = code == SQLITE_ROW;
    if (code != SQLITE_ROW)
        return outcome(db, code);
    ret->seq = (uint64_t)sqlite3_column_int64(s, 0);
    ret->kind = (const char *)sqlite3_column_text(s, 1);
    ret->kind_len = (size_t)sqlite3_column_bytes(s, 1);
    ret->name = (const char *)sqlite3_column_text(s, 2);
    ret->name_len = (size_t)sqlite3_column_bytes(s, 2);
    ret->record = sqlite3_column_blob(s, 3);
    ret->len = (size_t)sqlite3_column_bytes(s, 3);
    if (!ret->record && sqlite3_column_type(s, 3) != SQLITE_NULL)
        ret->record = ""; /* of no bytes: SQLite shows NULL for it */
    return ret->kind && ret->name ? STORED_OK : STORED_FAILED;
}

void
sqlite_row_end(struct sqlite *db)
{
    (void)sqlite3_reset(db->statement[S_ROW]);
}

enum stored
sqlite_put_object(struct sqlite *db, const struct change *c)
{
    enum statement which = c->record ? S_PUT : S_DROP;
    sqlite3_stmt *s = db->statement[which];
    int code = c->record ? bind_change(s, c) : bind_thing(s, c);

    return code == SQLITE_OK ? run(db, which) : outcome(db, code);
}

enum stored
sqlite_trim(struct sqlite *db, uint64_t last, int64_t *ret_n)
{
    int code = sqlite3_bind_int64(db->statement[S_TRIM], 1, (sqlite3_int64)last);
    enum stored got = code == SQLITE_OK ? run(db, S_TRIM) : outcome(db, code);

    if (!got)
        *ret_n = sqlite3_changes(db->handle);
    return got;
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
    static const int modes[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART,
                                SQLITE_CHECKPOINT_TRUNCATE};
    int pages = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, modes[how], &pages, &moved);

    *ret_left = pages - moved;
    return outcome(db, code);
}

/* ---- recovery ---- */

/* A thing's last change stands for it, whatever the folded row says; a temporary table tells which change that is. */
static const char LATEST[] =
    "CREATE TEMP TABLE latest(kind, name, seq, PRIMARY KEY(kind, name)) WITHOUT ROWID;"
    "INSERT INTO latest SELECT kind, name, max(seq) FROM change GROUP BY kind, name;";
/* Every folded row is older than every change that is left. */
static const char *const LIVE[] = {
    "SELECT seq, kind, name, record FROM object AS o WHERE NOT EXISTS"
    " (SELECT 1 FROM latest AS l WHERE l.kind = o.kind AND l.name = o.name) ORDER BY seq",
    "SELECT c.seq, c.kind, c.name, c.record FROM change AS c CROSS JOIN latest AS l"
    " ON l.kind = c.kind AND l.name = c.name"
    " WHERE l.seq = c.seq AND c.record IS NOT NULL ORDER BY c.seq",
};

static enum why
each_row(struct sqlite *db, const char *sql, store_load_fn *load, void *arg, struct fault *f)
{
    AUTO_STATEMENT *s = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(s);
        if (code == SQLITE_ROW) {
            const char *kind = (const char *)sqlite3_column_text(s, 1);
            const char *name = (const char *)sqlite3_column_text(s, 2);
            const void *record = sqlite3_column_blob(s, 3);
            enum why why;

            if (!kind || !name)
                return fault_set(f, WHY_NO_MEMORY, "no memory to read the store");
            why = load(arg, kind, name, (uint64_t)sqlite3_column_int64(s, 0), record ? record : "",
                       (size_t)sqlite3_column_bytes(s, 3), f);
            if (why)
                return why;
        }
    }
    return code == SQLITE_DONE ? WHY_OK : sqlite_fault(db, outcome(db, code), "read the store", f);
}

enum why
sqlite_each_live(struct sqlite *db, store_load_fn *load, void *arg, struct fault *f)
{
    enum stored got = sqlite_exec(db, LATEST);
    enum why why = WHY_OK;

    if (got)
        return sqlite_fault(db, got, "read the store", f);
    for (size_t i = 0; i < sizeof LIVE / sizeof LIVE[0] && !why; i++)
        why = each_row(db, LIVE[i], load, arg, f);
    got = sqlite_exec(db, "DROP TABLE latest");
    return why ? why : sqlite_fault(db, got, "read the store", f);
}
