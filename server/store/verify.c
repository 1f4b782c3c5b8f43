/* verify.c - see verify.h.  The changes are a chain, each check taken over the one before, of which the tally knows two; the
 * objects are counted, and their checks added up.  Changes that are newer than the tally go on from there.
 *
 * SPDX-License-Identifier: MIT */
#include "store/verify.h"

#include <inttypes.h>

#include "store/check.h"

struct verification {
    struct sqlite *db;
    struct tally found, written;
    bool met; /* the two, at the change that was the newest when the tally was written */
};

/* The first fault wins, so that a row's own is not overwritten by what lacks then. */
#define DAMAGED(v, f, ...)                                                                         \
    sqlite_fault((v)->db, sqlite_damaged((v)->db, __VA_ARGS__), "read the store", f)

static enum why
verify_change(void *arg, const struct change *c, uint64_t check, struct fault *f)
{
    struct verification *v = arg;
    uint64_t before = v->found.last_seq, expected;

    tally_add(&v->found, c, &expected);
    v->met |= c->seq == v->written.last_seq && check == v->written.last_check;
    if (check == expected)
        return WHY_OK;
    return DAMAGED(v, f,
                   "change %" PRIu64 ", or what came after %" PRIu64 ", is not what was written",
                   c->seq, before);
}

static enum why
verify_object(void *arg, const struct change *c, uint64_t check, struct fault *f)
{
    struct verification *v = arg;

    tally_put(&v->found, check);
    if (check == check_change(CHECK_START, c))
        return WHY_OK;
    return DAMAGED(v, f, "object %.20s %.60s is not what was written", c->kind, c->name);
}

enum why
verify_rows(struct sqlite *db, struct tally *ret, struct fault *f)
{
    struct verification v = {.db = db};
    enum why why = sqlite_tally(db, &v.written, f);
    struct tally t = v.written;

    if (why)
        return why;
    v.found = (struct tally){.base = t.base, .last_check = t.base};
    v.met = t.last_seq == 0;
    why = sqlite_each(db, "SELECT seq, kind, name, record, checksum FROM change ORDER BY seq",
                      verify_change, &v, f);
    if (!why && !v.met)
        why = DAMAGED(&v, f, "changes from %" PRIu64 " to %" PRIu64 " are not there",
                      v.found.last_seq, t.last_seq);
    if (!why)
        why = sqlite_each(db, "SELECT seq, kind, name, record, checksum FROM object", verify_object,
                          &v, f);
    if (!why && (v.found.objects != t.objects || v.found.objects_sum != t.objects_sum))
        why = DAMAGED(&v, f, "table object has %" PRIu64 " rows, %" PRIu64 " were written",
                      v.found.objects, t.objects);
    v.found.limit = t.limit;
    if (!why)
        *ret = v.found;
    return why;
}
