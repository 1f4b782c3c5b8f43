/* gate.c - what locks and semaphores are to their line: permits, granted from the head on.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/hold.h"

#include <assert.h>
#include <string.h>

#include "store/record.h"

#define TRY_AGAIN (10 * NS_PER_MS)

void
gate_granted(const struct hold *h, int64_t waited_ns, struct outcome *ret)
{
    ret->why = WHY_OK;
    ret->seq = h->gate->object.rev;
    ret->grant = (struct grant_view){
        .token = h->token,
        .permits = h->permits,
        .expires_at = h->expires_at,
        .waited_ns = waited_ns,
    };
    strcpy(ret->grant.owner, h->owner);
}

void
gate_refusal(const struct gate *g, int64_t position, struct outcome *ret)
{
    const struct hold *h = g->oldest;
    struct held_view *held = &ret->held;

    ret->why = WHY_LOCK_HELD;
    ret->seq = g->object.rev;
    held->token = h ? h->token : 0;
    held->since_ms = h ? h->since_ms : 0;
    held->expires_at = h ? h->expires_at : 0;
    strcpy(held->owner, h ? h->owner : "");
    held->free = gate_free(g);
    held->value = g->value;
    held->position = position;
    held->waiters = g->object.line.len;
}

/* Takes @a out of the line, with what was kept for it. */
static struct hold *
take_out(struct coord *c, struct ask *a) BOB_HOLDS(L_STATE)
{
    struct hold *h = a->ret_;

    a->ret_ = NULL;
    line_leave(c, a);
    return h;
}

static void
grant_head(struct coord *c, struct gate *g, moment now) BOB_HOLDS(L_STATE)
{
    struct ask *a = g->object.line.first;
    struct hold *h = take_out(c, a);

    hold_grant(c, g, h, now);
    gate_granted(h, now > a->since_ ? now - a->since_ : 0, &a->outcome);
    state_tell(c, a);
}

/* Refuses those, from line->look on, who want more than there is since the value was lowered.
 * False: some are left to look at. */
static bool
refuse_beyond(struct coord *c, struct gate *g) BOB_HOLDS(L_STATE)
{
    struct line *l = &g->object.line;

    while (l->look) {
        struct ask *a = l->look;

        if (!state_spend(c))
            return false;
        l->look = a->next_;
        if (!gate_beyond(g, waiting_hold(a)->permits))
            continue;
        hold_recycle(c, take_out(c, a));
        a->outcome.why = WHY_INVALID;
        a->outcome.seq = g->object.rev;
        state_touch(c, &g->object);
        state_tell(c, a);
    }
    return true;
}

void
gate_serve(struct coord *c, struct line *l, moment now)
{
    struct gate *g = gate_of_line(l);
    int served = 0;

    if (!refuse_beyond(c, g)) {
        deadline_set(c, &g->more, now);
        return;
    }
    while (l->first && waiting_hold(l->first)->permits <= gate_free(g)) {
        if (served == 0 && state_begin(c, GIVES_BACK, 0)) { /* the backlog is at its bound: soon */
            deadline_set(c, &g->more, now + TRY_AGAIN);
            return;
        }
        if (served++ == SERVE_MOST || !state_spend(c)) {
            deadline_set(c, &g->more, now);
            return;
        }
        grant_head(c, g, now);
    }
    if (g->taken == 0 && !l->first)
        names_idle(c, &g->object, now);
}

static void
serve_more(struct coord *c, struct deadline *d, moment now) BOB_HOLDS(L_STATE)
{
    struct gate *g = STRUCT_OF(d, struct gate, more);

    gate_serve(c, &g->object.line, now);
}

static void
give_up(struct coord *c, struct line *l, struct ask *a, int64_t position, moment now)
    BOB_HOLDS(L_STATE)
{
    (void)now;
    hold_recycle(c, a->ret_);
    a->ret_ = NULL;
    state_touch(c, &gate_of_line(l)->object);
    if (a->outcome.why == WHY_OK)
        gate_refusal(gate_of_line(l), position, &a->outcome);
}

static bool
begin(struct coord *c, struct object *o) BOB_HOLDS(L_STATE)
{
    struct gate *g = (struct gate *)o;

    g->value = 1;
    g->more.due = serve_more;
    return deadline_room(c) == WHY_OK;
}

static void
end(struct coord *c, struct object *o) BOB_HOLDS(L_STATE)
{
    struct gate *g = (struct gate *)o;

    for (struct hold *h = g->oldest, *next; h; h = next) { /* only when the server ends */
        next = h->newer;
        deadline_clear(c, &h->until);
        hold_recycle(c, h);
    }
    deadline_clear(c, &g->more);
    deadline_room_back(c);
}

static bool
is_free(const struct object *o)
{
    return ((const struct gate *)o)->taken == 0;
}

static enum why
load(struct coord *c, struct object *o, const void *record, size_t len, struct fault *f)
{
    struct gate *g = (struct gate *)o;
    const unsigned char *at = NULL;
    struct field field;

    (void)c;
    g->value = -1;
    g->was_put = true;
    while (record_next(record, len, &at, &field)) {
        enum why why = WHY_OK;

        if (field.tag == 'v' && !field.is_text)
            g->value = field.n;
        else if (field.tag == 'b' && !field.is_text)
            g->bounded = field.n;
        else
            why = topic_unknown_tag(field.tag, "semaphore", o->name, f);
        if (why)
            return why;
    }
    if (g->value < 0 || g->value > WHOLE_MAX)
        return fault_set(f, WHY_INTERNAL,
                         "the semaphore %.64s in the store has no value" PUT_A_BACKUP, o->name);
    return WHY_OK;
}

static const struct line_rules gate_line = {.serve = gate_serve, .give_up = give_up};

/* A lock has no record: the record of its hold is all there is to know. */
const struct topic_rules lock_rules = {
    .name = "lock",
    .size = sizeof(struct gate),
    .line = &gate_line,
    .is_default = is_free,
    .begin = begin,
    .end = end,
};

/* One that was PUT stays until it is deleted. */
const struct topic_rules semaphore_rules = {
    .name = "semaphore",
    .size = sizeof(struct gate),
    .line = &gate_line,
    .begin = begin,
    .end = end,
    .load = load,
};
