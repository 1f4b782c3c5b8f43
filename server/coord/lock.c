/* lock.c - the steps of locks and semaphores: acquire, renew, release, delete, put.
 *
 * One mechanism: a lock is made by its first acquire and has one permit; a semaphore is made by PUT and has as many as that
 * said.  Nobody overtakes: permits are granted at once only when nobody stands in line.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/hold.h"

#include <assert.h>
#include <string.h>

#include "base/metrics.h"
#include "store/record.h"

enum { SEMAPHORE_RECORD_MAX = 64 };

static struct gate *
find(struct coord *c, enum hold_kind kind, const char *name) BOB_HOLDS(L_STATE)
{
    return (struct gate *)names_find(c, hold_topic(kind), name);
}

/* The hold @token of @g (NULL: none), if its lease lasts.  One that is over, and whose end the
 * journal has refused so far, is ended. */
static struct hold *
holds_still(struct coord *c, moment now, struct gate *g, uint64_t token) BOB_HOLDS(L_STATE)
{
    struct hold *h = g ? hold_find(c, g, token) : NULL;

    if (!h || h->expires_at > now)
        return h;
    hold_expire(c, h, now);
    return NULL;
}

static enum why
settle(struct coord *c, struct ask *a, const struct gate *g, enum why why) BOB_HOLDS(L_STATE)
{
    a->outcome.why = why;
    a->outcome.seq = g ? g->object.rev : c->removed_rev;
    return state_settle(c, a);
}

static enum why
wait_in_line(struct coord *c, struct gate *g, struct hold *h, moment now, int64_t wait_ns,
             struct ask *a) BOB_HOLDS(L_STATE)
{
    a->ret_ = h;
    enum why why = line_join(c, &g->object.line, a, now, wait_ns);
    if (why == WHY_PENDING) {
        state_touch(c, &g->object);
        return why;
    }
    a->ret_ = NULL;
    hold_recycle(c, h);
    return state_refuse(a, why);
}

static enum why
acquire(struct coord *c, moment now, enum hold_kind kind, const char *name, const struct want *want,
        struct ask *a) BOB_HOLDS(L_STATE)
{
    struct gate *g = find(c, kind, name);
    enum why why = WHY_NO_MEMORY;

    if (!g && kind == HOLD_SEMAPHORE)
        return state_settle_missing(c, a);
    if (g && g->oldest && g->oldest->expires_at <= now) /* the journal refused its end */
        hold_expire(c, g->oldest, now);
    if (g ? gate_beyond(g, want->permits) : want->permits > 1)
        return settle(c, a, g, WHY_INVALID);

    bool now_free = !g || (!g->object.line.first && want->permits <= gate_free(g));
    if (!now_free && want->wait_ns <= 0) {
        gate_refusal(g, g->object.line.len + 1, &a->outcome);
        return state_settle(c, a);
    }
    if (kind == HOLD_SEMAPHORE && holds_full(c))
        return state_refuse(a, WHY_TOO_MANY);
    struct hold *h = hold_new(c);
    if (h && !g)
        g = (struct gate *)names_make(c, TOPIC_LOCK, name, &why);
    if (!h || !g) {
        if (h)
            hold_recycle(c, h);
        return state_refuse(a, why);
    }
    h->permits = want->permits;
    h->ttl_ns = want->ttl_ns;
    h->confirm_ns = want->confirm_ns;
    strcpy(h->owner, want->owner);
    if (!now_free)
        return wait_in_line(c, g, h, now, want->wait_ns, a);

    names_busy(c, &g->object);
    hold_grant(c, g, h, now);
    gate_granted(h, 0, &a->outcome);
    return state_settle(c, a);
}

enum why
hold_acquire(struct coord *c, moment now, enum hold_kind kind, const char *name,
             const struct want *want, struct ask *a)
{
    assert(want->permits >= 1 && strlen(want->owner) <= OWNER_MAX_LEN);
    assert(want->confirm_ns >= 0 && want->confirm_ns <= want->ttl_ns);
    state_lock_at(c, now);
    enum why why = state_begin(c, GROWS, 0);
    why = why ? state_refuse(a, why) : acquire(c, now, kind, name, want, a);
    state_unlock(c);
    return why;
}

static enum why
not_holder(struct coord *c, struct ask *a, const struct gate *g, uint64_t token) BOB_HOLDS(L_STATE)
{
    a->outcome.ended = g ? hold_ended_by(c, g, token) : ENDED_UNKNOWN;
    return settle(c, a, g, WHY_NOT_HOLDER);
}

static enum why
renew(struct coord *c, moment now, struct gate *g, struct hold *h, int64_t ttl_ns, struct ask *a)
    BOB_HOLDS(L_STATE)
{
    bool same = ttl_ns == 0 || ttl_ns == h->ttl_ns;
    moment until = now + (same ? h->ttl_ns : ttl_ns);

    if (same && until < h->expires_at) /* one that read the clock later was here before */
        until = h->expires_at;
    if (same && !h->confirm_ns) {
        state_touch(c, &g->object); /* its end, which the store does not know */
    } else {
        h->ttl_ns = same ? h->ttl_ns : ttl_ns;
        h->confirm_ns = 0;
        hold_record(c, h);
    }
    hold_lasts(c, h, until);
    gate_granted(h, 0, &a->outcome);
    return state_settle(c, a);
}

enum why
hold_renew(struct coord *c, moment now, enum hold_kind kind, const char *name, uint64_t token,
           int64_t ttl_ns, struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GIVES_BACK, 0);
    if (why) {
        state_refuse(a, why);
    } else {
        struct gate *g = find(c, kind, name);
        struct hold *h = holds_still(c, now, g, token);

        why = h ? renew(c, now, g, h, ttl_ns, a) : not_holder(c, a, g, token);
    }
    state_unlock(c);
    return why;
}

enum why
hold_release(struct coord *c, moment now, enum hold_kind kind, const char *name, uint64_t token,
             struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GIVES_BACK, 0);
    if (why) {
        state_refuse(a, why);
    } else {
        struct gate *g = find(c, kind, name);
        struct hold *h = holds_still(c, now, g, token);

        if (h) {
            hold_end(c, h, ENDED_BY_RELEASE);
            gate_serve(c, &g->object.line, now);
            a->outcome.released.free = gate_free(g);
        }
        why = h ? settle(c, a, g, WHY_OK) : not_holder(c, a, g, token);
    }
    state_unlock(c);
    return why;
}

void
hold_give_back(struct coord *c, moment now, enum hold_kind kind, const char *name, uint64_t token)
{
    state_lock_at(c, now);
    struct gate *g = find(c, kind, name);
    struct hold *h = g ? hold_find(c, g, token) : NULL;
    if (h && state_begin(c, GIVES_BACK, 0)) {
        hold_lasts(c, h, now); /* the backlog is at its bound: it ends as soon as it can */
    } else if (h) {
        metric_add(M_GRANTS_RETURNED, 1);
        hold_end(c, h, ENDED_BY_RELEASE);
        gate_serve(c, &g->object.line, now);
    }
    state_unlock(c);
}

static enum why
remove_gate(struct coord *c, moment now, struct gate *g, struct ask *a) BOB_HOLDS(L_STATE)
{
    struct object *o = &g->object;

    a->outcome.held = (struct held_view){0};
    if (!state_allows(a, o->rev))
        return settle(c, a, g, WHY_CHANGED);
    if (o->topic == TOPIC_LOCK && g->oldest) {
        gate_refusal(g, 0, &a->outcome); /* whose it was */
        hold_end(c, g->oldest, ENDED_BY_DELETE);
        gate_serve(c, &o->line, now);
        return settle(c, a, g, WHY_OK);
    }
    if (g->oldest || o->line.first)
        return settle(c, a, g, WHY_CONFLICT);
    if (o->topic == TOPIC_SEMAPHORE)
        (void)state_append(c, o, NULL, 0);
    a->outcome.why = WHY_OK;
    a->outcome.seq = o->rev;
    a->outcome.held.value = g->value;
    names_remove(c, o);
    return state_settle(c, a);
}

enum why
hold_delete(struct coord *c, moment now, enum hold_kind kind, const char *name, struct ask *a)
{
    state_lock_at(c, now);
    enum why why = state_begin(c, GIVES_BACK, 0);
    struct gate *g = why ? NULL : find(c, kind, name);
    if (why)
        state_refuse(a, why);
    else
        why = g ? remove_gate(c, now, g, a) : state_settle_missing(c, a);
    state_unlock(c);
    return why;
}

static enum why
put(struct coord *c, moment now, const char *name, int64_t value, bool bounded, struct ask *a)
    BOB_HOLDS(L_STATE)
{
    struct gate *g = find(c, HOLD_SEMAPHORE, name);
    enum why why;
    bool made = !g;

    if (!state_allows(a, g ? g->object.rev : 0))
        return settle(c, a, g, WHY_CHANGED);
    if (made)
        g = (struct gate *)names_make(c, TOPIC_SEMAPHORE, name, &why);
    if (!g)
        return state_refuse(a, why);
    if (made || g->value != value || g->bounded != bounded) {
        unsigned char buf[SEMAPHORE_RECORD_MAX];
        struct record r;

        if (value < g->value || g->value == 0) /* some may want more than there is now */
            g->object.line.look = g->object.line.first;
        g->value = value;
        g->bounded = bounded;
        g->was_put = true;
        record_start(&r, buf, sizeof(buf));
        record_int(&r, 'v', value);
        record_int(&r, 'b', bounded);
        (void)state_append(c, &g->object, buf, record_end(&r));
        gate_serve(c, &g->object.line, now);
    }
    a->outcome.semaphore = (struct semaphore_view){
        .rev = g->object.rev,
        .value = value,
        .free = gate_free(g),
        .bounded = bounded,
        .made = made,
    };
    return settle(c, a, g, WHY_OK);
}

enum why
semaphore_put(struct coord *c, moment now, const char *name, int64_t value, bool bounded,
              struct ask *a)
{
    assert(value >= 0 && value <= WHOLE_MAX);
    state_lock_at(c, now);
    enum why why = state_begin(c, GROWS, 0);
    why = why ? state_refuse(a, why) : put(c, now, name, value, bounded, a);
    state_unlock(c);
    return why;
}
