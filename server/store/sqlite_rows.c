/* sqlite_rows.c - the statements: those of the journal's transactions, and rows read one after the other; see sqlite.h.
 *
 * The journal's inserts are the hot path: prepared once, bound without copies, stepped and reset; about a microsecond each.
 * Tried: eight rows in a statement, or a virtual table over the batch, are slower than one by one.
 *
 * SPDX-License-Identifier: MIT */
#include "store/sqlite_parts.h"

/* clang-format off */
/*    name      SQL; ?1 seq or what is set, ?2 kind, ?3 name, ?4 record, ?5 checksum */
#define STATEMENTS(X)                                                                                                  \
    X(BEGIN,    "BEGIN IMMEDIATE")                                                                                     \
    X(COMMIT,   "COMMIT")                                                                                              \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(INSERT,   "INSERT INTO change(seq, kind, name, record, checksum) VALUES (?1, ?2, ?3, ?4, ?5)")                   \
    X(TALLY,    "REPLACE INTO meta(key, value) VALUES ('tally', ?1)")                                                  \
    X(ROW,      "SELECT seq, kind, name, record, checksum FROM change WHERE seq >= ?1 ORDER BY seq LIMIT 1")           \
    X(BEFORE,   "SELECT checksum FROM change WHERE seq < ?1 ORDER BY seq DESC LIMIT 1")                                \
    X(OBJECT,   "SELECT checksum FROM object WHERE kind = ?2 AND name = ?3")                                           \
    X(PUT,      "REPLACE INTO object(kind, name, seq, record, checksum) VALUES (?2, ?3, ?1, ?4, ?5)")                  \
    X(DROP,     "DELETE FROM object WHERE kind = ?2 AND name = ?3")                                                    \
    X(TRIM,     "DELETE FROM change WHERE seq <= ?1")                                                                 \
    X(PAGES,    "PRAGMA page_count")
/* clang-format on */

enum statement {
#define X(name, sql) S_##name,
    STATEMENTS(X)
#undef X
        S_COUNT
};
_Static_assert((int)S_COUNT <= (int)STATEMENTS_MAX, "a connection has room for them");
static const char *const SQL[] = {
#define X(name, sql) sql,
    STATEMENTS(X)
#undef X
};

enum stored
sqlite_prepare(struct sqlite *db)
{
    for (int i = 0; i < S_COUNT; i++) {
        int code = SQLITE_OK;

        if (!db->statement[i])
            code = sqlite3_prepare_v3(db->handle, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->statement[i], NULL);
        if (code != SQLITE_OK)
            return sqlite_outcome(db, code);
    }
    return STORED_OK;
}

/* Runs a statement that gives no row back. */
static enum stored
run(struct sqlite *db, enum statement which)
{
    sqlite3_stmt *s = db->statement[which];
    int code = sqlite3_step(s);
    enum stored got = code == SQLITE_DONE ? STORED_OK : sqlite_outcome(db, code);

    (void)sqlite3_reset(s);
    return got;
}

/* Runs a statement that gives back one number, or nothing. */
static enum stored
run_number(struct sqlite *db, enum statement which, uint64_t *ret, bool *there)
{
    sqlite3_stmt *s = db->statement[which];
    int code = sqlite3_step(s);
    enum stored got = sqlite_outcome(db, code);

    *there = code == SQLITE_ROW;
    if (*there)
        *ret = (uint64_t)sqlite3_column_int64(s, 0);
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
bind_row(sqlite3_stmt *s, const struct change *c, uint64_t check)
{
    int code = sqlite3_bind_int64(s, 1, (sqlite3_int64)c->seq);

    if (code == SQLITE_OK)
        code = bind_thing(s, c);
    if (code == SQLITE_OK)
        code = c->record ? sqlite3_bind_blob(s, 4, c->record, (int)c->len, SQLITE_STATIC)
                         : sqlite3_bind_null(s, 4);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(s, 5, (sqlite3_int64)check);
    return code;
}

enum stored
sqlite_begin(struct sqlite *db)
{
    return run(db, S_BEGIN);
}

enum stored
sqlite_insert(struct sqlite *db, const struct change *c, uint64_t check)
{
    int code = bind_row(db->statement[S_INSERT], c, check);

    return code == SQLITE_OK ? run(db, S_INSERT) : sqlite_outcome(db, code);
}

enum stored
sqlite_set_tally(struct sqlite *db, const struct tally *t)
{
    unsigned char bytes[TALLY_LEN];
    int code;

    tally_write(t, bytes);
    code = sqlite3_bind_blob(db->statement[S_TALLY], 1, bytes, sizeof bytes, SQLITE_STATIC);
    return code == SQLITE_OK ? run(db, S_TALLY) : sqlite_outcome(db, code);
}

enum stored
sqlite_used(struct sqlite *db, int64_t *ret_bytes)
{
    uint64_t pages = 0;
    bool there;
    enum stored got = run_number(db, S_PAGES, &pages, &there);

    if (!got && db->page_bytes == 0)
        got = sqlite_number(db, "PRAGMA page_size", &db->page_bytes);
    if (!got)
        *ret_bytes = (int64_t)pages * db->page_bytes;
    return got;
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

/* What stands in the row of a change or an object.  A byte that decayed may have made a text of a number: those are told apart
 * here, for SQLite would turn one into the other without a word. */
static enum stored
read_row(struct sqlite *db, sqlite3_stmt *s, struct change *ret, uint64_t *ret_check)
{
    int type = sqlite3_column_type(s, 3);

    if (sqlite3_column_type(s, 0) != SQLITE_INTEGER || sqlite3_column_type(s, 1) != SQLITE_TEXT ||
        sqlite3_column_type(s, 2) != SQLITE_TEXT || (type != SQLITE_BLOB && type != SQLITE_NULL) ||
        sqlite3_column_type(s, 4) != SQLITE_INTEGER)
        return sqlite_damaged(db, "the row of sequence %lld is not one that was written",
                              (long long)sqlite3_column_int64(s, 0));
    ret->seq = (uint64_t)sqlite3_column_int64(s, 0);
    ret->kind = (const char *)sqlite3_column_text(s, 1);
    ret->kind_len = (size_t)sqlite3_column_bytes(s, 1);
    ret->name = (const char *)sqlite3_column_text(s, 2);
    ret->name_len = (size_t)sqlite3_column_bytes(s, 2);
    ret->record = sqlite3_column_blob(s, 3);
    ret->len = (size_t)sqlite3_column_bytes(s, 3);
    if (!ret->record && type == SQLITE_BLOB)
        ret->record = ""; /* of no bytes: SQLite shows NULL for it */
    *ret_check = (uint64_t)sqlite3_column_int64(s, 4);
    return ret->kind && ret->name ? STORED_OK : STORED_FAILED;
}

enum stored
sqlite_row_from(struct sqlite *db, uint64_t seq, struct change *ret, uint64_t *ret_check,
                bool *more)
{
    sqlite3_stmt *s = db->statement[S_ROW];
    int code = sqlite3_bind_int64(s, 1, (sqlite3_int64)seq);

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    *more = code == SQLITE_ROW;
    return *more ? read_row(db, s, ret, ret_check) : sqlite_outcome(db, code);
}

void
sqlite_row_end(struct sqlite *db)
{
    (void)sqlite3_reset(db->statement[S_ROW]);
}

enum stored
sqlite_check_before(struct sqlite *db, uint64_t seq, uint64_t *ret_check, bool *there)
{
    int code = sqlite3_bind_int64(db->statement[S_BEFORE], 1, (sqlite3_int64)seq);

    return code == SQLITE_OK ? run_number(db, S_BEFORE, ret_check, there)
                             : sqlite_outcome(db, code);
}

enum stored
sqlite_object_check(struct sqlite *db, const struct change *c, uint64_t *ret_check, bool *there)
{
    int code = bind_thing(db->statement[S_OBJECT], c);

    return code == SQLITE_OK ? run_number(db, S_OBJECT, ret_check, there)
                             : sqlite_outcome(db, code);
}

enum stored
sqlite_put_object(struct sqlite *db, const struct change *c, uint64_t check)
{
    enum statement which = c->record ? S_PUT : S_DROP;
    sqlite3_stmt *s = db->statement[which];
    int code = c->record ? bind_row(s, c, check) : bind_thing(s, c);

    return code == SQLITE_OK ? run(db, which) : sqlite_outcome(db, code);
}

enum stored
sqlite_trim(struct sqlite *db, uint64_t last, int64_t *ret_n)
{
    int code = sqlite3_bind_int64(db->statement[S_TRIM], 1, (sqlite3_int64)last);
    enum stored got = code == SQLITE_OK ? run(db, S_TRIM) : sqlite_outcome(db, code);

    if (!got)
        *ret_n = sqlite3_changes(db->handle);
    return got;
}

/* ---- every row ---- */

enum why
sqlite_each(struct sqlite *db, const char *sql, sqlite_row_fn *fn, void *arg, struct fault *f)
{
    AUTO_STATEMENT *s = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);
    enum why why = WHY_OK;

    while (!why && (code == SQLITE_OK || code == SQLITE_ROW)) {
        struct change c;
        uint64_t check = 0;

        code = sqlite3_step(s);
        if (code != SQLITE_ROW)
            break;
        why = sqlite_fault(db, read_row(db, s, &c, &check), "read the store", f);
        if (!why)
            why = fn(arg, &c, check, f);
    }
    return why || code == SQLITE_DONE
               ? why
               : sqlite_fault(db, sqlite_outcome(db, code), "read the store", f);
}

enum why
sqlite_tally(struct sqlite *db, struct tally *ret, struct fault *f)
{
    AUTO_STATEMENT *s = NULL;
    int code =
        sqlite3_prepare_v2(db->handle, "SELECT value FROM meta WHERE key = 'tally'", -1, &s, NULL);
    enum stored got = STORED_OK;

    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        got = sqlite_outcome(db, code);
    else if (code == SQLITE_DONE || sqlite3_column_type(s, 0) != SQLITE_BLOB ||
             !tally_read(ret, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0)))
        got = sqlite_damaged(db, "the row \"tally\" of table meta is not what was written");
    return sqlite_fault(db, got, "read the store", f);
}
