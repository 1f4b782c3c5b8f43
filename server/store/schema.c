/* schema.c - see schema.h.  A step's version is written in the same transaction as what it does, so a crash leaves a whole
 * version, and the next start goes on from there.  Steps are never edited once released: new ones go to the end.
 *
 * SPDX-License-Identifier: MIT */
#include "store/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/check.h"

#define APPLICATION_ID 0x424f4242 /* "BOBB", at byte 68 of the file: file(1) shows it */

enum { VERSION = 2, TABLES = 3 };

/* The tables of each version, in the words that SQLite keeps of them. */
struct table {
    const char *name, *sql;
};
/* clang-format off */
static const struct table TABLE[VERSION][TABLES] = {
    {{"change",
      "CREATE TABLE change(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, record BLOB)"},
     {"object",
      "CREATE TABLE object(kind TEXT NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL,"
      "                    PRIMARY KEY(kind, name)) WITHOUT ROWID"},
     {"meta",
      "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID"}},
    {{"change",
      "CREATE TABLE change(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, record BLOB,"
      " checksum INTEGER NOT NULL)"},
     {"object",
      "CREATE TABLE object(kind TEXT NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL,"
      " checksum INTEGER NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID"},
     {"meta",
      "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID"}},
};
/* clang-format on */

/* A name or a word in there may have decayed, and then the rows are read as what they are not. */
static enum stored
check_tables(struct sqlite *db, int64_t version)
{
    for (int i = 0; i < TABLES; i++) {
        const struct table *t = &TABLE[version - 1][i];
        char sql[512];
        int64_t same = 0;
        enum stored got;

        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '%s'"
                       " AND tbl_name = name AND sql = '%s'",
                       t->name, t->sql);
        got = sqlite_number(db, sql, &same);
        if (got)
            return got;
        if (same != 1)
            return sqlite_damaged(db, "table %s is not the one of layout %" PRId64, t->name,
                                  version);
    }
    return STORED_OK;
}

enum why
schema_check(struct sqlite *db, const char *path, struct fault *f)
{
    int64_t id = 0, version = 0, tables = 0;
    enum stored got = sqlite_number(db, "PRAGMA application_id", &id);

    if (!got)
        got = sqlite_number(db, "PRAGMA user_version", &version);
    if (!got)
        got = sqlite_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (got)
        return sqlite_fault(db, got, "read the store", f);

    if (id != APPLICATION_ID && (id != 0 || version != 0 || tables != 0))
        return fault_set(
            f, WHY_INVALID,
            "the database there is another program's: give another folder with --data: %s", path);
    if (version < 0 || version > VERSION)
        return fault_set(f, WHY_INVALID,
                         "the store was written by a newer bobbind (layout %" PRId64
                         ", this one knows %d): "
                         "start that version, or give another folder with --data: %s",
                         version, VERSION, path);
    if (version == 0 && tables > 0)
        got = sqlite_damaged(db, "there are tables, and no layout is named");
    if (version > 0)
        got = check_tables(db, version);
    return sqlite_fault(db, got, "read the store", f);
}

/* ---- migrations ---- */

static enum stored
make_tables(struct sqlite *db, int64_t version)
{
    enum stored got = STORED_OK;

    for (int i = 0; !got && i < TABLES; i++)
        got = sqlite_exec(db, TABLE[version - 1][i].sql);
    return got;
}

static enum why
to_1(struct sqlite *db, struct fault *f)
{
    return sqlite_fault(db, make_tables(db, 1), "make the store's tables", f);
}

struct sealing {
    struct sqlite *db;
    struct tally tally;
};

static enum why
seal_change(void *arg, const struct change *c, uint64_t none, struct fault *f)
{
    struct sealing *s = arg;
    uint64_t check;

    (void)none;
    tally_add(&s->tally, c, &check);
    return sqlite_fault(s->db, sqlite_insert(s->db, c, check), "migrate the store", f);
}

static enum why
seal_object(void *arg, const struct change *c, uint64_t none, struct fault *f)
{
    struct sealing *s = arg;
    uint64_t check = check_change(CHECK_START, c);

    (void)none;
    tally_put(&s->tally, check);
    return sqlite_fault(s->db, sqlite_put_object(s->db, c, check), "migrate the store", f);
}

/* Rows get their checks, and the store its tally. */
static enum why
to_2(struct sqlite *db, struct fault *f)
{
    struct sealing s = {.db = db};
    int64_t limit = 0;
    enum why why;
    enum stored got = sqlite_exec(db, "ALTER TABLE change RENAME TO change_1;"
                                      "ALTER TABLE object RENAME TO object_1;"
                                      "ALTER TABLE meta RENAME TO meta_1;");

    tally_start(&s.tally);
    if (!got)
        got = make_tables(db, 2);
    if (!got)
        got = sqlite_number(db, "SELECT value FROM meta_1 WHERE key = 'sequence_limit'", &limit);
    if (!got)
        got = sqlite_prepare(db);
    why = sqlite_fault(db, got, "migrate the store", f);
    s.tally.limit = (uint64_t)limit;
    if (!why)
        why = sqlite_each(db, "SELECT seq, kind, name, record, 0 FROM change_1 ORDER BY seq",
                          seal_change, &s, f);
    if (!why)
        why =
            sqlite_each(db, "SELECT seq, kind, name, record, 0 FROM object_1", seal_object, &s, f);
    if (why)
        return why;
    got = sqlite_set_tally(db, &s.tally);
    if (!got)
        got = sqlite_exec(db, "DROP TABLE change_1; DROP TABLE object_1; DROP TABLE meta_1");
    return sqlite_fault(db, got, "migrate the store", f);
}

/* Step i brings version i to i + 1. */
static enum why (*const STEP[VERSION])(struct sqlite *db, struct fault *f) = {to_1, to_2};

static enum why
take_step(struct sqlite *db, int64_t version, struct fault *f)
{
    char after[128];
    enum why why =
        sqlite_fault(db, sqlite_exec(db, "BEGIN IMMEDIATE"), "make the store's tables", f);

    (void)snprintf(after, sizeof after,
                   "PRAGMA application_id = %d; PRAGMA user_version = %" PRId64 "; COMMIT",
                   APPLICATION_ID, version + 1);
    if (!why)
        why = STEP[version](db, f);
    if (!why)
        why = sqlite_fault(db, sqlite_exec(db, after), "make the store's tables", f);
    if (why)
        (void)sqlite_exec(db, "ROLLBACK");
    return why;
}

enum why
schema_migrate(struct sqlite *db, struct fault *f)
{
    int64_t version = 0;
    enum why why =
        sqlite_fault(db, sqlite_number(db, "PRAGMA user_version", &version), "read the store", f);

    for (; !why && version < VERSION; version++)
        why = take_step(db, version, f);
    return why;
}
