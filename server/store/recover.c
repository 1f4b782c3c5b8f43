/* recover.c - store_recover: the live records, counted and logged; which records are live is SQL, and so in sqlite.c.
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
load_one(void *arg, const char *kind, const char *name, uint64_t seq, const void *record,
         size_t len, struct fault *f)
{
    struct recovery *r = arg;
    enum why why = r->load(r->arg, kind, name, seq, record, len, f);

    /* The first fault wins, so this is recorded only where the loader had nothing to say. */
    if (why)
        return fault_set(f, why, "the record of %s %s is not one that can be read", kind, name);
    r->n++;
    return WHY_OK;
}

enum why
store_recover(struct store *s, store_load_fn *load, void *arg, struct fault *f)
{
    struct recovery r = {.load = load, .arg = arg};
    moment start = clock_now();
    enum why why = sqlite_each_live(s->db, load_one, &r, f);

    if (!why)
        log_line(LOG_LEVEL_INFO, "recovered", "records=%" PRId64 " ms=%" PRId64, r.n,
                 (clock_now() - start) / NS_PER_MS);
    return why;
}
