/* counter.c - named whole numbers that every JSON reader holds exactly.
 *
 * One that was never touched counts as 0 for add, set and compare_and_set, which make it; get and delete say that it is not
 * there.  Once made it stays until it is deleted, at 0 too.  Its record is its value.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <assert.h>
#include <string.h>

#include "store/record.h"

struct counter {
    struct object object;
    int64_t value;
};

enum { RECORD_MAX = 32 };

static struct counter *
find(struct coord *c, const char *name) BOB_HOLDS(L_STATE)
{
    return (struct counter *)names_find(c, TOPIC_COUNTER, name);
}

static enum why
settle(struct coord *c, struct ask *a, const struct counter *n, enum why why) BOB_HOLDS(L_STATE)
{
    a->outcome.why = why;
    a->outcome.seq = n ? n->object.rev : c->removed_rev;
    a->outcome.counter.rev = n ? n->object.rev : 0;
    a->outcome.counter.value = n ? n->value : 0;
    return state_settle(c, a);
}

/* Makes @value the value of @n, or of a new counter @name. */
static enum why
change(struct coord *c, struct counter *n, const char *name, int64_t value, struct ask *a)
    BOB_HOLDS(L_STATE)
{
    unsigned char buf[RECORD_MAX];
    struct record r;
    enum why why;

    if (!n)
        n = (struct counter *)names_make(c, TOPIC_COUNTER, name, &why);
    if (!n)
        return state_refuse(a, why);
    n->value = value;
    record_start(&r, buf, sizeof(buf));
    record_int(&r, 'v', value);
    (void)state_append(c, &n->object, buf, record_end(&r));
    return settle(c, a, n, WHY_OK);
}

enum why
counter_add(struct coord *c, moment now, const char *name, int64_t n, struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GROWS, 0);
    if (why) {
        state_refuse(a, why);
    } else {
        struct counter *counter = find(c, name);
        int64_t sum = 0;

        if (__builtin_add_overflow(counter ? counter->value : 0, n, &sum) || sum > WHOLE_MAX ||
            sum < -WHOLE_MAX)
            why = settle(c, a, counter, WHY_OUT_OF_RANGE);
        else
            why = change(c, counter, name, sum, a);
    }
    state_unlock(c);
    return why;
}

enum why
counter_set(struct coord *c, moment now, const char *name, int64_t value, struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GROWS, 0);
    if (why)
        state_refuse(a, why);
    else if (value > WHOLE_MAX || value < -WHOLE_MAX)
        why = settle(c, a, find(c, name), WHY_OUT_OF_RANGE);
    else
        why = change(c, find(c, name), name, value, a);
    state_unlock(c);
    return why;
}

enum why
counter_compare_and_set(struct coord *c, moment now, const char *name, int64_t expected,
                        int64_t value, struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GROWS, 0);
    if (why) {
        state_refuse(a, why);
    } else {
        struct counter *n = find(c, name);

        if (value > WHOLE_MAX || value < -WHOLE_MAX)
            why = settle(c, a, n, WHY_OUT_OF_RANGE);
        else if ((n ? n->value : 0) != expected)
            why = settle(c, a, n, WHY_CONFLICT);
        else
            why = change(c, n, name, value, a);
    }
    state_unlock(c);
    return why;
}

enum why
counter_get(struct coord *c, const char *name, struct ask *a)
{
    state_lock(c);
    struct counter *n = find(c, name);
    enum why why = settle(c, a, n, n ? WHY_OK : WHY_NOT_FOUND);
    state_unlock(c);
    return why;
}

enum why
counter_delete(struct coord *c, moment now, const char *name, struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GIVES_BACK, 0);
    struct counter *n = why ? NULL : find(c, name);
    if (why) {
        state_refuse(a, why);
    } else if (!n) {
        why = state_settle_missing(c, a);
    } else if (!state_allows(a, n->object.rev)) {
        why = settle(c, a, n, WHY_CHANGED);
    } else {
        (void)state_append(c, &n->object, NULL, 0);
        a->outcome.why = WHY_OK;
        a->outcome.seq = a->outcome.counter.rev = n->object.rev;
        a->outcome.counter.value = n->value;
        names_remove(c, &n->object);
        why = state_settle(c, a);
    }
    state_unlock(c);
    return why;
}

enum why
counter_list(struct coord *c, const char *after, struct counter_row *rows, size_t cap,
             size_t *ret_n, struct ask *a)
{
    size_t n = 0;

    assert(cap <= STEP_OBJECTS_MAX);
    state_lock(c);
    a->outcome.seq = c->removed_rev;
    for (struct object *o = names_after(c, TOPIC_COUNTER, after); o && n < cap; o = names_next(o)) {
        struct counter_row *row = &rows[n++];

        strcpy(row->name, o->name);
        row->rev = o->rev;
        row->value = ((struct counter *)o)->value;
        if (a->outcome.seq < o->rev)
            a->outcome.seq = o->rev;
    }
    *ret_n = n;
    a->outcome.why = WHY_OK;
    enum why why = state_settle(c, a);
    state_unlock(c);
    return why;
}

static enum why
load(struct coord *c, struct object *o, const void *record, size_t len, struct fault *f)
{
    struct counter *n = (struct counter *)o;
    const unsigned char *at = NULL;
    struct field field;
    bool has_value = false;

    (void)c;
    while (record_next(record, len, &at, &field)) {
        enum why why = WHY_OK;

        if (field.tag == 'v' && !field.is_text) {
            n->value = field.n;
            has_value = true;
        } else {
            why = topic_unknown_tag(field.tag, "counter", o->name, f);
        }
        if (why)
            return why;
    }
    if (!has_value)
        return fault_set(f, WHY_INTERNAL,
                         "the counter %.64s in the store has no value" PUT_A_BACKUP, o->name);
    return WHY_OK;
}

const struct topic_rules counter_rules = {
    .name = "counter",
    .size = sizeof(struct counter),
    .load = load,
};
