/* fold.c - see fold.h.  A change that a later one still in the log makes void need not become a row: the later one will.  So a
 * counter that is hot, or five thousand locks taken and released, cost a fold no more than the delete of their changes.
 *
 * Which change is void is found out as changes come: a small table that forgets, one slot for each hash, holds the last change of
 * a thing with its whole name, so it never takes one thing for another.  What it forgot (or never knew: changes of an
 * earlier run, names too long for a slot) is written in vain, which does no harm.
 *
 * SPDX-License-Identifier: MIT */
#include "store/fold.h"

#include "base/clock.h"
#include "store/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1 << 16,
    VOID_BITS = 1 << 19,
    SLOT_TEXT = 54,
    STEP_LEAST = 1024, /* fewer are not worth a step */
    STEP_MOST = 4096,
    LOOKS = 32 /* rows between two looks at the clock */
};
#define STEP_NS (3 * NS_PER_MS)

struct latest {
    uint64_t seq; /* 0: none */
    uint8_t kind_len, name_len;
    char text[SLOT_TEXT]; /* kind, then name */
};
_Static_assert(sizeof(struct latest) == 64, "a slot is a cache line");

enum why
fold_open(struct fold *f, struct sqlite *db, int64_t most, struct fault *fault)
{
    enum stored got;

    *f = (struct fold){.most = most};
    got = sqlite_number(db, "SELECT count(*) FROM change", &f->kept);
    if (got)
        return sqlite_fault(db, got, "count the changes", fault);
    f->latest = calloc(SLOTS, sizeof *f->latest);
    f->is_void = calloc(VOID_BITS / 64, sizeof *f->is_void);
    if (f->latest && f->is_void)
        return WHY_OK;
    fold_close(f);
    return fault_set(fault, WHY_NO_MEMORY, "no memory to start the journal");
}

void
fold_close(struct fold *f)
{
    free(f->latest);
    free(f->is_void);
    f->latest = NULL;
    f->is_void = NULL;
}

/* ---- which changes are void ---- */

static uint64_t
slot_of(const struct change *c)
{
    return check_mix(check_mix(CHECK_START, c->kind, c->kind_len), c->name, c->name_len) &
           (SLOTS - 1);
}

static void
mark(struct fold *f, uint64_t seq, bool is_void)
{
    uint64_t bit = seq & (VOID_BITS - 1), one = UINT64_C(1) << bit % 64;

    f->is_void[bit / 64] = is_void ? f->is_void[bit / 64] | one : f->is_void[bit / 64] & ~one;
}

static bool
is_void(const struct fold *f, uint64_t seq)
{
    uint64_t bit = seq & (VOID_BITS - 1);

    if (f->first == 0 || seq < f->first || seq > f->newest || f->newest - seq >= VOID_BITS)
        return false; /* the ring says nothing about it */
    return f->is_void[bit / 64] >> bit % 64 & 1;
}

static bool
same_thing(const struct latest *l, const struct change *c)
{
    return l->kind_len == c->kind_len && l->name_len == c->name_len &&
           memcmp(l->text, c->kind, c->kind_len) == 0 &&
           memcmp(l->text + c->kind_len, c->name, c->name_len) == 0;
}

/* Its own slot, or else the older of the two it may have: with one, a twentieth of five thousand names would drive out another. */
static struct latest *
slot_for(const struct fold *f, const struct change *c)
{
    uint64_t at = slot_of(c);
    struct latest *a = &f->latest[at], *b = &f->latest[at ^ 1];

    if (same_thing(a, c))
        return a;
    return same_thing(b, c) || b->seq < a->seq ? b : a;
}

void
fold_note(struct fold *f, const struct change *c)
{
    struct latest *l;

    if (f->first == 0)
        f->first = c->seq;
    if (c->seq > f->newest)
        f->newest = c->seq;
    mark(f, c->seq, false);
    if (c->kind_len + c->name_len > SLOT_TEXT)
        return;
    l = slot_for(f, c);
    if (l->seq > 0 && l->seq < c->seq && c->seq - l->seq < VOID_BITS && same_thing(l, c))
        mark(f, l->seq, true);
    l->seq = c->seq;
    l->kind_len = (uint8_t)c->kind_len;
    l->name_len = (uint8_t)c->name_len;
    memcpy(l->text, c->kind, c->kind_len);
    memcpy(l->text + c->kind_len, c->name, c->name_len);
}

/* ---- a step ---- */

static enum stored
put_row(struct sqlite *db, struct tally *t, const struct change *c)
{
    uint64_t was, check = check_change(CHECK_START, c);
    bool there = false;
    enum stored got = sqlite_object_check(db, c, &was, &there);

    if (!got)
        got = sqlite_put_object(db, c, check);
    if (!got && there)
        tally_drop(t, was);
    if (!got && c->record)
        tally_put(t, check);
    return got;
}

/* Makes a row of the oldest change from *seq on and moves *seq behind it. */
static enum stored
fold_row(struct sqlite *db, struct tally *t, uint64_t *seq, bool *more)
{
    struct change c;
    uint64_t check, before = t->base;
    bool there;
    enum stored got = sqlite_row_from(db, *seq, &c, &check, more);

    if (!got && *more) {
        got = sqlite_check_before(db, c.seq, &before, &there);
        if (!got && check_change(before, &c) != check)
            got = sqlite_damaged(db, "change %llu is not what was written",
                                 (unsigned long long)c.seq);
        if (!got)
            got = put_row(db, t, &c);
        *seq = c.seq + 1;
    }
    sqlite_row_end(db);
    return got;
}

/* Drops the changes before @seq, all of which are folded. */
static enum stored
trim(struct fold *f, struct sqlite *db, struct tally *t, uint64_t seq)
{
    bool there = false;
    enum stored got = sqlite_check_before(db, seq, &t->base, &there);

    return got ? got : sqlite_trim(db, seq - 1, &f->folding);
}

enum stored
fold_step(struct fold *f, struct sqlite *db, struct tally *t, int64_t inserted)
{
    int64_t over = f->kept - f->most;
    moment until;
    uint64_t seq = 0; /* all before it are folded */
    int rows = 0;
    bool more = true;
    enum stored got = STORED_OK;

    f->folding = 0;
    if (over < STEP_LEAST)
        return STORED_OK;
    if (over > STEP_MOST)
        over = STEP_MOST;

    until = clock_now() + STEP_NS;
    for (int64_t i = 0; i < over && more && !got; i++) {
        if (is_void(f, seq)) {
            seq++;
            continue;
        }
        if (++rows % LOOKS == 0 && i >= inserted && clock_now() >= until)
            break;
        got = fold_row(db, t, &seq, &more);
    }
    return got || seq == 0 ? got : trim(f, db, t, seq);
}

void
fold_undone(struct fold *f)
{
    f->folding = 0;
}

void
fold_committed(struct fold *f, int64_t inserted)
{
    f->kept += inserted - f->folding;
    f->folding = 0;
}
