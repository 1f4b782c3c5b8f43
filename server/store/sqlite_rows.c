/* sqlite_rows.c - the statements: those of the journal's transactions, and rows read one after the other; see sqlite.h.
 *
 * The journal's inserts are the hot path: prepared once, bound without copies, stepped and reset; about a microsecond each.
 * Tried: eight rows in a statement, or a virtual table over the batch, are slower than one by one.
 *
 * SPDX-License-Identifier: MIT */
#include "store/sqlite_parts.h"

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
        int code = sqlite3_prepare_v3(db->handle, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
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

    return code == SQLITE_OK ? run(db, S_INSERT) : sqlite_outcome(db, code);
}

enum stored
sqlite_set_limit(struct sqlite *db, uint64_t limit)
{
    int code = sqlite3_bind_int64(db->statement[S_LIMIT], 1, (sqlite3_int64)limit);

    return code == SQLITE_OK ? run(db, S_LIMIT) : sqlite_outcome(db, code);
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
        return sqlite_outcome(db, code);
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
    return code == SQLITE_DONE ? WHY_OK
                               : sqlite_fault(db, sqlite_outcome(db, code), "read the store", f);
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
