/* schema.c - see schema.h.  A step's version is written in the same transaction as what it does, so a crash leaves a whole
 * version, and the next start goes on from there.  Steps are never edited once released: new ones go to the end.
 *
 * SPDX-License-Identifier: MIT */
#include "store/schema.h"

#include <inttypes.h>
#include <stdio.h>

#define APPLICATION_ID 0x424f4242 /* "BOBB", at byte 68 of the file: file(1) shows it */

/* clang-format off */
/* Step i brings version i to i + 1. */
static const char *const STEPS[] = {
    "CREATE TABLE change(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, record BLOB);"
    "CREATE TABLE object(kind TEXT NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL,"
    "                    PRIMARY KEY(kind, name)) WITHOUT ROWID;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;",
};
/* clang-format on */
enum { VERSION = sizeof STEPS / sizeof STEPS[0] };

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
            f, WHY_INTERNAL,
            "the database there is another program's: give another folder with --data: %s", path);
    if (version < 0 || version > VERSION)
        return fault_set(f, WHY_INTERNAL,
                         "the store was written by a newer bobbind (layout %" PRId64
                         ", this one knows %d): "
                         "start that version, or give another folder with --data: %s",
                         version, VERSION, path);
    return WHY_OK;
}

static enum stored
take_step(struct sqlite *db, int64_t version)
{
    char after[128];
    enum stored got = sqlite_exec(db, "BEGIN IMMEDIATE");

    (void)snprintf(after, sizeof after,
                   "PRAGMA application_id = %d; PRAGMA user_version = %" PRId64 "; COMMIT",
                   APPLICATION_ID, version + 1);
    if (!got)
        got = sqlite_exec(db, STEPS[version]);
    if (!got)
        got = sqlite_exec(db, after);
    return got;
}

enum why
schema_migrate(struct sqlite *db, struct fault *f)
{
    int64_t version = 0;
    enum stored got = sqlite_number(db, "PRAGMA user_version", &version);

    for (; !got && version < VERSION; version++)
        got = take_step(db, version);
    if (got) {
        enum why why = sqlite_fault(db, got, "make the store's tables", f);

        (void)sqlite_exec(db, "ROLLBACK");
        return why;
    }
    return WHY_OK;
}
