/* recover.c - store_recover: the live records, counted and logged.  That they are those that were written was verified when the
 * store was opened.
 *
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "store/parts.h"

#include <inttypes.h>

struct recovery {
    store_load_fn *load;
    void *arg;
    int64_t n;
};

static enum why
load_one(void *arg, const struct change *c, uint64_t check, struct fault *f)
{
    struct recovery *r = arg;
    enum why why = r->load(r->arg, c->kind, c->name, c->seq, c->record, c->len, f);

    (void)check;
    /* The first fault wins, so this is recorded only where the loader had nothing to say. */
    if (!why) {
        r->n++;
        return WHY_OK;
    }
    (void)fault_set(f, why, "the record of %s %s is not one that can be read", c->kind, c->name);
    if (f->why == WHY_INTERNAL) /* the next start would read the same */
        f->why = WHY_INVALID;
    return f->why;
}

/* A thing's last change stands for it, whatever the folded row says; a temporary table tells which change that is. */
static const char LATEST[] =
    "CREATE TEMP TABLE latest(kind, name, seq, PRIMARY KEY(kind, name)) WITHOUT ROWID;"
    "INSERT INTO latest SELECT kind, name, max(seq) FROM change GROUP BY kind, name;";
/* Every folded row is older than every change that is left. */
static const char *const LIVE[] = {
    "SELECT seq, kind, name, record, checksum FROM object AS o WHERE NOT EXISTS"
    " (SELECT 1 FROM latest AS l WHERE l.kind = o.kind AND l.name = o.name) ORDER BY seq",
    "SELECT c.seq, c.kind, c.name, c.record, c.checksum FROM change AS c CROSS JOIN latest AS l"
    " ON l.kind = c.kind AND l.name = c.name"
    " WHERE l.seq = c.seq AND c.record IS NOT NULL ORDER BY c.seq",
};

static enum why
each_live(struct sqlite *db, struct recovery *r, struct fault *f)
{
    enum why why = sqlite_fault(db, sqlite_exec(db, LATEST), "read the store", f);
    enum stored got;

    if (why)
        return why;
    for (size_t i = 0; i < sizeof LIVE / sizeof LIVE[0] && !why; i++)
        why = sqlite_each(db, LIVE[i], load_one, r, f);
    got = sqlite_exec(db, "DROP TABLE latest");
    return why ? why : sqlite_fault(db, got, "read the store", f);
}

enum why
store_recover(struct store *s, store_load_fn *load, void *arg, struct fault *f)
{
    struct recovery r = {.load = load, .arg = arg};
    moment start = clock_now();
    enum why why = each_live(s->db, &r, f);

    if (!why)
        log_line(LOG_LEVEL_INFO, "recovered", "records=%" PRId64 " ms=%" PRId64, r.n,
                 (clock_now() - start) / NS_PER_MS);
    return why;
}
