/* names.c - topic and name to object: one hash table for all topics, and for each topic a tree in the order of names.
 *
 * The table answers every request, so it is keyed by a hash strangers cannot foresee and grows a bucket at a time.  The
 * trees are there for sorted lists whose cursor is a name, and cost only when something is made or removed.
 *
 * Idle objects stand in a list of their topic, longest idle first, which they leave when they are busy again: two writes to
 * neighbours each time, and in return the one that makes room is found at once, however many are busy.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/metrics.h"

#define IDLE_BEFORE_COLLECTED (600 * NS_PER_SECOND)
enum { TABLE_LEAST = 1 << 24 }; /* the store may hold more than the bounds allow by now */

RB_HEAD(tree, object);

struct idle_list { /* longest idle first, as far as moments are told in the order of the steps */
    struct object *first, *last;
};

struct names {
    struct table table;
    struct tree by_name[TOPIC_COUNT_];
    struct idle_list idle[TOPIC_COUNT_];
    int64_t count[TOPIC_COUNT_];
};

static int
compare(const struct object *a, const struct object *b)
{
    return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(tree, object, by_name, compare, __attribute__((unused)) static)

static uint64_t
hash_of(enum topic t, const char *name, size_t len)
{
    return hash_name(name, len) + (uint64_t)t * UINT64_C(0x9e3779b97f4a7c15);
}

static struct object *
object_of(struct table_node *n)
{
    return (struct object *)n; /* its first member */
}

enum why
names_new(struct coord *c) BOB_UNSHARED
{
    struct names *names = calloc(1, sizeof(*names));
    int64_t most = c->options.max_objects + c->options.max_tasks;

    if (!names)
        return WHY_NO_MEMORY;
    if (!table_init(&names->table, most > TABLE_LEAST ? (size_t)most : TABLE_LEAST)) {
        free(names);
        return WHY_NO_MEMORY;
    }
    for (int t = 0; t < TOPIC_COUNT_; t++)
        RB_INIT(&names->by_name[t]);
    c->names = names;
    return WHY_OK;
}

static void
object_free(struct coord *c, struct object *o)
{
    const struct topic_rules *rules = topic_rules[o->topic];

    if (rules->end)
        rules->end(c, o);
    free(o);
}

void
names_free(struct coord *c) BOB_UNSHARED
{
    struct names *names = c->names;

    if (!names)
        return;
    for (size_t i = 0; i < table_buckets(&names->table); i++) {
        for (struct table_node *n = table_bucket(&names->table, i), *next; n; n = next) {
            next = n->next;
            object_free(c, object_of(n));
        }
    }
    table_fini(&names->table);
    free(names);
    c->names = NULL;
}

struct object *
names_find(struct coord *c, enum topic t, const char *name)
{
    uint64_t hash = hash_of(t, name, strlen(name));

    for (struct table_node *n = table_chain(&c->names->table, hash); n; n = n->next) {
        struct object *o = object_of(n);

        if (n->hash == hash && o->topic == t && strcmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

/* ---- idle ones ---- */

void
names_busy(struct coord *c, struct object *o)
{
    struct idle_list *list = &c->names->idle[o->topic];

    if (!o->idle_since)
        return;
    *(o->idle_prev ? &o->idle_prev->idle_next : &list->first) = o->idle_next;
    *(o->idle_next ? &o->idle_next->idle_prev : &list->last) = o->idle_prev;
    o->idle_prev = o->idle_next = NULL;
    o->idle_since = 0;
}

void
names_idle(struct coord *c, struct object *o, moment now)
{
    struct idle_list *list = &c->names->idle[o->topic];

    assert(now > 0);
    if (!topic_rules[o->topic]->is_default)
        return;
    names_busy(c, o);
    o->idle_since = now;
    o->idle_prev = list->last;
    *(list->last ? &list->last->idle_next : &list->first) = o;
    list->last = o;
}

void
names_remove(struct coord *c, struct object *o)
{
    assert(!o->line.first);
    names_busy(c, o);
    table_remove(&c->names->table, &o->in_table);
    RB_REMOVE(tree, &c->names->by_name[o->topic], o);
    c->names->count[o->topic]--;
    if (o->topic != TOPIC_TASK)
        metric_add(M_OBJECTS, -1);
    if (c->removed_rev < o->rev)
        c->removed_rev = o->rev;
    changes_gone(c, o);
    object_free(c, o);
}

/* Forgets an idle one: the store does not know it. */
static void
retire(struct coord *c, struct object *o) BOB_HOLDS(L_STATE)
{
    assert(topic_rules[o->topic]->is_default(o));
    names_remove(c, o);
}

bool
names_collect(struct coord *c, moment now)
{
    for (int t = 0; t < TOPIC_COUNT_; t++) {
        struct object *o;

        while ((o = c->names->idle[t].first) && now - o->idle_since >= IDLE_BEFORE_COLLECTED) {
            if (!state_spend(c))
                return true;
            retire(c, o);
        }
    }
    return false;
}

/* ---- making ---- */

static bool
is_full(struct coord *c) BOB_HOLDS(L_STATE)
{
    int64_t objects = 0;

    for (int t = 0; t < TOPIC_COUNT_; t++)
        objects += t == TOPIC_TASK ? 0 : c->names->count[t];
    return objects >= c->options.max_objects;
}

/* The longest idle one. */
static struct object *
dispensable(struct coord *c) BOB_HOLDS(L_STATE)
{
    struct object *oldest = NULL;

    for (int t = 0; t < TOPIC_COUNT_; t++) {
        struct object *o = c->names->idle[t].first;

        if (o && (!oldest || o->idle_since < oldest->idle_since))
            oldest = o;
    }
    return oldest;
}

/* A recovery takes what there is, whatever the bound is now.  More than one goes only if the bound was lowered since. */
static bool
make_room(struct coord *c, enum topic t) BOB_HOLDS(L_STATE)
{
    struct object *o;

    if (t == TOPIC_TASK || !c->journal)
        return true;
    while (is_full(c)) {
        if (!(o = dispensable(c)) || !state_spend(c))
            return false;
        retire(c, o);
    }
    return true;
}

struct object *
names_make(struct coord *c, enum topic t, const char *name, enum why *ret_why)
{
    const struct topic_rules *rules = topic_rules[t];
    size_t len = strlen(name);

    assert(rules->size >= sizeof(struct object));
    if (!make_room(c, t)) {
        *ret_why = WHY_TOO_MANY;
        return NULL;
    }
    struct object *o = calloc(1, rules->size + len + 1);
    if (!o || (rules->begin && !rules->begin(c, o))) {
        free(o);
        *ret_why = WHY_NO_MEMORY;
        return NULL;
    }
    o->name = (char *)o + rules->size;
    memcpy(o->name, name, len + 1);
    o->topic = t;
    o->line.rules = rules->line;
    o->in_table.hash = hash_of(t, name, len);
    table_add(&c->names->table, &o->in_table);
    RB_INSERT(tree, &c->names->by_name[t], o);
    c->names->count[t]++;
    if (t != TOPIC_TASK)
        metric_add(M_OBJECTS, 1);
    return o;
}

struct object *
names_after(struct coord *c, enum topic t, const char *name)
{
    struct object key = {.name = (char *)(uintptr_t)name};
    struct object *o = RB_NFIND(tree, &c->names->by_name[t], &key);

    return o && strcmp(o->name, name) == 0 ? names_next(o) : o;
}

struct object *
names_next(struct object *o)
{
    return RB_NEXT(tree, NULL, o);
}

int64_t
names_count(struct coord *c, enum topic t)
{
    return c->names->count[t];
}

bool
names_walk(struct coord *c, size_t *bucket, struct table_node **ret_first)
{
    if (*bucket >= table_buckets(&c->names->table))
        return false;
    *ret_first = table_bucket(&c->names->table, (*bucket)++);
    return true;
}
