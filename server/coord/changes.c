/* changes.c - what changed since a reader last looked.
 *
 * Each visible change gives its object a stamp, and a ring holds, for each of the last 65,536 stamps, the object that has it or
 * the name of one that was removed.  A stamp that no reader has seen yet serves for later changes too: an object that changes
 * a thousand times between two looks takes one slot, and a change costs one comparison.
 *
 * A reader that starts (cursor 0) is given every object, bucket by bucket, and then what changed since its start.  Its cursor
 * says both meanwhile: bit 63, the low 35 bits of the stamp of its start, 28 bits of bucket.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RING_LEN = 1 << 16, SLOTS_A_STEP = 4096, BUCKET_BITS = 28, START_BITS = 35 };
#define WALKING (UINT64_C(1) << 63)

struct gone {
    enum topic topic;
    uint64_t rev;
    char name[];
};
struct slot {
    struct object *object; /* that has this stamp, */
    struct gone *gone;     /* or that was removed; both NULL: it has a later stamp */
};
struct changes {
    struct slot ring[RING_LEN];
    uint64_t forgotten; /* stamp of a removal that could not be remembered */
};

enum why
changes_new(struct coord *c) BOB_UNSHARED
{
    c->changes = calloc(1, sizeof(*c->changes));
    return c->changes ? WHY_OK : WHY_NO_MEMORY;
}

void
changes_free(struct coord *c) BOB_UNSHARED
{
    for (int i = 0; c->changes && i < RING_LEN; i++)
        free(c->changes->ring[i].gone);
    free(c->changes);
    c->changes = NULL;
}

static struct slot *
slot_of(struct coord *c, uint64_t stamp) BOB_HOLDS(L_STATE)
{
    return &c->changes->ring[stamp % RING_LEN];
}

/* The next stamp, with an empty slot; @o's former slot is emptied. */
static uint64_t
next_stamp(struct coord *c, struct object *o, struct slot **ret) BOB_HOLDS(L_STATE)
{
    uint64_t stamp =
        atomic_load_explicit(&c->stamp, memory_order_relaxed) + 1; /* written under this lock */
    struct slot *former = slot_of(c, o->stamp);

    if (former->object == o)
        former->object = NULL;
    *ret = slot_of(c, stamp);
    free((*ret)->gone);
    **ret = (struct slot){0};
    return stamp;
}

void
state_touch(struct coord *c, struct object *o)
{
    /* Whoever was given a stamp noted it in seen before; one who reads it right now is before this change. */
    if (o->stamp > atomic_load(&c->seen))
        return;

    struct slot *slot;
    uint64_t stamp = next_stamp(c, o, &slot);

    slot->object = o;
    o->stamp = stamp;
    atomic_store(&c->stamp, stamp);
}

void
changes_gone(struct coord *c, struct object *o)
{
    struct slot *slot;
    uint64_t stamp = next_stamp(c, o, &slot);
    size_t size = strlen(o->name) + 1;

    slot->gone = malloc(sizeof(*slot->gone) + size);
    if (slot->gone) {
        slot->gone->topic = o->topic;
        slot->gone->rev = o->rev;
        memcpy(slot->gone->name, o->name, size);
    } else {
        c->changes->forgotten = stamp;
    }
    atomic_store(&c->stamp, stamp);
}

uint64_t
coord_stamp(struct coord *c)
{
    uint64_t stamp = atomic_load(&c->stamp), seen = atomic_load(&c->seen);

    while (seen < stamp && !atomic_compare_exchange_weak(&c->seen, &seen, stamp)) {
    }
    return stamp;
}

struct collected { /* what one call gathers */
    struct changed *rows;
    size_t cap, n;
    uint64_t rev; /* the highest of what was gathered */
};

static void
collect(struct collected *to, enum topic t, bool gone, const char *name, uint64_t rev)
{
    struct changed *row = &to->rows[to->n++];

    row->topic = t;
    row->gone = gone;
    strcpy(row->name, name);
    if (to->rev < rev)
        to->rev = rev;
}

/* The changes after stamp @at; returns the stamp up to which they were gathered. */
static uint64_t
gather_since(struct coord *c, uint64_t at, uint64_t now, struct collected *to) BOB_HOLDS(L_STATE)
{
    for (int i = 0; i < SLOTS_A_STEP && at < now && to->n < to->cap; i++) {
        const struct slot *slot = slot_of(c, ++at);

        if (slot->gone)
            collect(to, slot->gone->topic, true, slot->gone->name, slot->gone->rev);
        else if (slot->object)
            collect(to, slot->object->topic, false, slot->object->name, slot->object->rev);
    }
    return at;
}

/* Objects from bucket *bucket on, whole buckets only; false: that was the last. */
static bool
gather_all(struct coord *c, size_t *bucket, struct collected *to) BOB_HOLDS(L_STATE)
{
    struct table_node *first;

    for (int i = 0; i < SLOTS_A_STEP; i++) {
        size_t here = *bucket, len = 0;

        if (!names_walk(c, bucket, &first))
            return false;
        for (const struct table_node *n = first; n; n = n->next)
            len++;
        assert(len <= to->cap); /* chains are short: see coord_changes */
        if (to->n + len > to->cap) {
            *bucket = here;
            break;
        }
        for (struct table_node *n = first; n; n = n->next) {
            struct object *o = (struct object *)n;

            collect(to, o->topic, false, o->name, o->rev);
        }
    }
    return true;
}

static uint64_t
walk(struct coord *c, uint64_t at, uint64_t now, struct collected *to) BOB_HOLDS(L_STATE)
{
    const uint64_t start_mask = (UINT64_C(1) << START_BITS) - 1;
    size_t bucket = at & ((UINT64_C(1) << BUCKET_BITS) - 1);
    uint64_t start = at ? at >> BUCKET_BITS & start_mask : now & start_mask;

    bool more = gather_all(c, &bucket, to);
    if (to->rev < c->removed_rev) /* what is not there was removed */
        to->rev = c->removed_rev;
    if (more)
        return WALKING | start << BUCKET_BITS | bucket;
    start |= now & ~start_mask;
    return start <= now ? start : start - start_mask - 1;
}

enum why
coord_changes(struct coord *c, uint64_t *at, struct changed *rows, size_t cap, size_t *ret_n,
              bool *ret_more, struct ask *a)
{
    struct collected to = {.rows = rows, .cap = cap < STEP_OBJECTS_MAX ? cap : STEP_OBJECTS_MAX};
    enum why why;

    state_lock(c);
    uint64_t now = coord_stamp(c); /* seen, from here on */
    bool walking = *at == 0 || *at & WALKING;
    a->outcome.why = WHY_OK;
    if (walking)
        *at = walk(c, *at, now, &to);
    else if (*at > now || now - *at > RING_LEN || *at < c->changes->forgotten)
        a->outcome.why = WHY_CONFLICT;
    else
        *at = gather_since(c, *at, now, &to);
    *ret_n = to.n;
    *ret_more = a->outcome.why == WHY_OK && *at != now;
    a->outcome.seq = to.rev;
    why = state_settle(c, a);
    state_unlock(c);
    return why;
}
