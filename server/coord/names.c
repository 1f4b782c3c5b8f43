/* names.c - topic and name to object: one hash table for all topics, and for each topic a tree in the order of names.
 *
 * The table answers every request, so it is keyed by a hash strangers cannot foresee and grows a bucket at a time.  The
 * trees are there for sorted lists whose cursor is a name, and cost only when something is made or removed.
 *
 * Idle objects stand in a list in the order they entered it.  One that is busy again stays there until its turn comes: then
 * it is looked at, and leaves or enters anew.  So the quick path of a lock or counter never relinks anything.
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

struct names {
    struct table table;
    struct tree by_name[TOPIC_COUNT_];
    int64_t count[TOPIC_COUNT_];
    struct object *idle_first, *idle_last; /* rising idle_listed */
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

/* A recovery takes what there is, whatever the bound is now. */
static bool
has_room(struct coord *c, enum topic t) BOB_HOLDS(L_STATE)
{
    int64_t objects = 0;

    if (t == TOPIC_TASK || !c->journal)
        return true;
    for (int i = 0; i < TOPIC_COUNT_; i++)
        objects += i == TOPIC_TASK ? 0 : c->names->count[i];
    return objects < c->options.max_objects;
}

struct object *
names_make(struct coord *c, enum topic t, const char *name, enum why *ret_why)
{
    const struct topic_rules *rules = topic_rules[t];
    size_t len = strlen(name);

    assert(rules->size >= sizeof(struct object));
    if (!has_room(c, t)) {
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

static void
idle_unlink(struct coord *c, struct object *o) BOB_HOLDS(L_STATE)
{
    struct names *names = c->names;

    *(o->idle_prev ? &o->idle_prev->idle_next : &names->idle_first) = o->idle_next;
    *(o->idle_next ? &o->idle_next->idle_prev : &names->idle_last) = o->idle_prev;
    o->idle_prev = o->idle_next = NULL;
    o->idle_listed = 0;
}

static void
idle_link(struct coord *c, struct object *o, moment now) BOB_HOLDS(L_STATE)
{
    struct names *names = c->names;

    o->idle_listed = now;
    o->idle_prev = names->idle_last;
    *(names->idle_last ? &names->idle_last->idle_next : &names->idle_first) = o;
    names->idle_last = o;
}

void
names_remove(struct coord *c, struct object *o)
{
    assert(!o->line.first);
    if (o->idle_listed)
        idle_unlink(c, o);
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

void
names_idle(struct coord *c, struct object *o, moment now)
{
    assert(now > 0);
    o->idle_since = now;
    if (!o->idle_listed && topic_rules[o->topic]->is_default)
        idle_link(c, o, now);
}

bool
names_collect(struct coord *c, moment now)
{
    struct object *o;
    bool first = true;

    while ((o = c->names->idle_first) && now - o->idle_listed >= IDLE_BEFORE_COLLECTED) {
        /* 256 ends with names of 200 bytes are less than what the journal always has room for */
        if (first && state_begin(c, GIVES_BACK, 0))
            return false;
        first = false;
        if (!state_spend(c))
            return true;
        idle_unlink(c, o);
        if (!o->idle_since)
            continue;
        const struct topic_rules *rules = topic_rules[o->topic];
        if (now - o->idle_since < IDLE_BEFORE_COLLECTED || o->line.first || !rules->is_default(o)) {
            idle_link(c, o, now);
            continue;
        }
        if (rules->recorded)
            state_append(c, o, NULL, 0);
        names_remove(c, o);
    }
    return false;
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
