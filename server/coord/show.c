/* show.c - locks and semaphores as they are: one whole, or a page of a list.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/hold.h"

#include <assert.h>
#include <string.h>

static void
show_holder(const struct hold *h, struct holder_view *ret)
{
    ret->token = h->token;
    ret->permits = h->permits;
    ret->since_ms = h->since_ms;
    ret->expires_at = h->expires_at;
    strcpy(ret->owner, h->owner);
}

static void
show(const struct gate *g, struct hold_view *ret)
{
    strcpy(ret->name, g->object.name);
    ret->rev = g->object.rev;
    ret->bounded = g->bounded;
    ret->value = g->value;
    ret->free = gate_free(g);
    ret->holders = g->holders;
    ret->waiters = g->object.line.len;
    ret->holders_shown = ret->waiters_shown = 0;
    for (const struct hold *h = g->oldest; h && ret->holders_shown < LINE_SHOWN_MAX; h = h->newer)
        show_holder(h, &ret->holder[ret->holders_shown++]);
    for (const struct ask *a = g->object.line.first; a && ret->waiters_shown < LINE_SHOWN_MAX;
         a = a->next_) {
        struct waiter_view *w = &ret->waiter[ret->waiters_shown++];

        w->position = ret->waiters_shown;
        w->permits = waiting_hold(a)->permits;
        w->since = a->since_;
        strcpy(w->owner, waiting_hold(a)->owner);
    }
}

enum why
hold_show(struct coord *c, moment now, enum hold_kind kind, const char *name, struct hold_view *ret,
          struct ask *a)
{
    enum why why;

    state_lock_at(c, now);
    struct gate *g = (struct gate *)names_find(c, hold_topic(kind), name);
    if (g) {
        show(g, ret);
        a->outcome.why = WHY_OK;
        a->outcome.seq = g->object.rev;
        why = state_settle(c, a);
    } else {
        why = state_settle_missing(c, a);
    }
    state_unlock(c);
    return why;
}

enum why
hold_list(struct coord *c, moment now, enum hold_kind kind, const char *after,
          struct hold_row *rows, size_t cap, size_t *ret_n, struct ask *a)
{
    size_t n = 0;

    assert(cap <= STEP_OBJECTS_MAX);
    state_lock_at(c, now);
    a->outcome.seq = c->removed_rev;
    for (struct object *o = names_after(c, hold_topic(kind), after); o && n < cap;
         o = names_next(o)) {
        const struct gate *g = (struct gate *)o;
        struct hold_row *row = &rows[n++];

        strcpy(row->name, o->name);
        row->rev = o->rev;
        row->value = g->value;
        row->free = gate_free(g);
        row->waiters = o->line.len;
        row->holder = (struct holder_view){0};
        if (g->oldest)
            show_holder(g->oldest, &row->holder);
        if (a->outcome.seq < o->rev)
            a->outcome.seq = o->rev;
    }
    *ret_n = n;
    a->outcome.why = WHY_OK;
    enum why why = state_settle(c, a);
    state_unlock(c);
    return why;
}
