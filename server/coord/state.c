/* state.c - the one lock, and a step's beginning and end.
 *
 * A step decides and changes under the lock and leaves behind what is slow: setting the timer, calling the hands, telling
 * asks.  state_unlock does these once the lock is free.  An outcome that is not durable yet is not told here at all: its
 * pledge stands with the journal, whose thread tells it.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <stdlib.h>
#include <unistd.h>

#include "coord/task.h"

void
state_lock(struct coord *c)
{
    bob_lock_hold(&c->lock);
    c->budget = STEP_OBJECTS_MAX;
}

void
state_lock_at(struct coord *c, moment now)
{
    state_lock(c);
    while (deadline_step(c, now)) {
        state_unlock(c);
        state_lock(c);
    }
}

void
state_unlock(struct coord *c)
{
    struct after *after = c->after_first;
    struct ask *told = c->told_first;
    bool arm = c->arm;
    bool wake = c->journal && journal_step_end(c->journal);

    c->after_first = c->after_last = NULL;
    c->told_first = c->told_last = NULL;
    c->arm = false;
    (void)bob_lock_release(&c->lock);

    if (wake)
        journal_wake(c->journal);
    if (arm)
        deadline_arm(c);
    while (after) {
        struct after *next = after->next;

        after->call(c, after);
        after = next;
    }
    while (told) {
        struct ask *next = told->next_told_;

        told->tell(told);
        told = next;
    }
}

enum why
state_begin(struct coord *c, bool grows, size_t bytes)
{
    return journal_reserve(c->journal, grows, bytes);
}

void
state_changed(struct coord *c, struct object *o, uint64_t seq)
{
    o->rev = seq;
    state_touch(c, o);
}

uint64_t
state_append(struct coord *c, struct object *o, const void *record, size_t len)
{
    uint64_t seq = journal_append(c->journal, topic_rules[o->topic]->name, o->name, record, len);

    state_changed(c, o, seq);
    return seq;
}

bool
state_allows(const struct ask *a, uint64_t rev)
{
    const struct condition *k = a->condition;
    bool met;

    if (!k || !k->asked)
        return true;
    met = rev && k->any;
    for (int i = 0; i < k->n; i++)
        met = met || (rev && k->rev[i] == rev);
    return met == k->match;
}

static void
kept(struct pledge *p, enum why why)
{
    struct ask *a = STRUCT_OF(p, struct ask, pledge_);

    if (why)
        a->outcome.why = why;
    a->tell(a);
}

/* True: @a is no longer ours. */
static bool
await(struct coord *c, struct ask *a) BOB_HOLDS(L_STATE)
{
    a->pledge_.kept = kept;
    a->outcome.decided = a->outcome.why;
    return a->outcome.seq && journal_await(c->journal, &a->pledge_, a->outcome.seq);
}

enum why
state_settle(struct coord *c, struct ask *a)
{
    enum why why = a->outcome.why;

    a->ticket = ++c->tickets;
    return await(c, a) ? WHY_PENDING : why;
}

enum why
state_settle_missing(struct coord *c, struct ask *a)
{
    a->outcome.why = WHY_NOT_FOUND;
    a->outcome.seq = c->removed_rev;
    return state_settle(c, a);
}

void
state_tell(struct coord *c, struct ask *a)
{
    if (await(c, a))
        return;
    a->next_told_ = NULL;
    *(c->told_last ? &c->told_last->next_told_ : &c->told_first) = a;
    c->told_last = a;
}

void
state_after(struct coord *c, struct after *after)
{
    after->next = NULL;
    *(c->after_last ? &c->after_last->next : &c->after_first) = after;
    c->after_last = after;
}

enum why
coord_new(struct coord **ret, const struct coord_options *o, struct fault *f) BOB_UNSHARED
{
    struct coord *c = calloc(1, sizeof(*c));

    if (!c)
        return fault_set(f, WHY_NO_MEMORY, "no memory for the state");
    bob_lock_init(&c->lock, LOCK_CLASS(L_STATE));
    c->options = *o;
    c->timer_fd = c->wake_fd = -1;
    c->stamp = 1;
    c->admission.rules = &admission_rules;
    if (names_new(c) || heap_new(c) || changes_new(c) || holds_new(c) || queues_new(c)) {
        coord_free(c);
        return fault_set(f, WHY_NO_MEMORY, "no memory for the state");
    }
    *ret = c;
    return WHY_OK;
}

enum why
state_start(struct coord *c, struct journal *j, moment now, struct fault *f)
{
    enum why why;

    state_lock(c);
    c->journal = j;
    c->stamp += journal_last(
        j); /* above those of earlier runs: a stream's old cursor is not taken for a new one */
    why = holds_start(c, now, f);
    if (!why)
        why = queues_start(c, now, f);
    state_unlock(c);
    return why;
}

enum why
coord_start(struct coord *c, struct journal *j, moment now, struct fault *f)
{
    enum why why = state_start(c, j, now, f);

    return why ? why : deadline_start(c, f);
}

/* Sends away a step's worth of those that stand in lines; moves *bucket.  Nobody joins meanwhile: draining is set. */
static bool
drain_some(struct coord *c, size_t *bucket, moment now) BOB_HOLDS(L_STATE)
{
    struct table_node *n;

    if (line_send_away(c, &c->admission, WHY_DRAINING, now))
        return true;
    while (c->waiters > 0) {
        if (!state_spend(c)) /* for the bucket: chains are short */
            return true;
        if (!names_walk(c, bucket, &n))
            break;
        for (; n; n = n->next) {
            struct object *o = (struct object *)n;

            if (line_send_away(c, &o->line, WHY_DRAINING, now)) {
                --*bucket; /* there are more */
                return true;
            }
        }
    }
    return false;
}

void
coord_drain(struct coord *c)
{
    size_t bucket = 0;
    moment now = clock_now();
    bool more;

    do {
        state_lock(c);
        c->draining = true;
        more = drain_some(c, &bucket, now);
        state_unlock(c);
    } while (more);
}

int64_t
coord_working(struct coord *c)
{
    state_lock(c);
    int64_t n = c->queues->running + c->admitted;
    state_unlock(c);
    return n;
}

void
coord_stop(struct coord *c)
{
    deadline_stop(c);
}

void
coord_free(struct coord *c) BOB_UNSHARED
{
    if (!c)
        return;
    queues_free(c);
    names_free(c);
    holds_free(c);
    changes_free(c);
    heap_free(c);
    if (c->timer_fd >= 0)
        (void)close(c->timer_fd);
    if (c->wake_fd >= 0)
        (void)close(c->wake_fd);
    bob_lock_fini(&c->lock);
    free(c);
}

int64_t
coord_deadline_beat(const struct coord *c)
{
    return c->deadline_beats;
}
