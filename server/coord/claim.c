/* claim.c - who runs what: task threads are given to executors in turn, and each gives one to the first of its ready tasks.
 *
 * A claim is a change like any other, and its run starts when it is durable: what delivers it is an ask of its own.  A run that is
 * to be cancelled may not have been delivered yet, or be on its way; so hands->cancel is called by whoever comes second,
 * the cancelling step or the delivery.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "coord/task.h"

#define WORKER "bobbind"

void
claim_free(struct claim *claim)
{
    if (!claim)
        return;
    blob_unref(claim->args);
    free(claim);
}

/* ---- to the hands ---- */

struct cancel_call {
    struct after after; /* first */
    uint64_t number;
};

struct cancel_call *
cancel_call_new(void)
{
    return calloc(1, sizeof(struct cancel_call));
}

void
cancel_call_free(struct cancel_call *call)
{
    free(call);
}

static void
call_cancel(struct coord *c, struct after *after)
{
    struct cancel_call *call = (struct cancel_call *)(void *)after;

    c->hands.cancel(c->hands.arg, call->number);
    free(call);
}

void
cancel_call_leave(struct coord *c, struct cancel_call *call, uint64_t number)
{
    call->number = number;
    call->after.call = call_cancel;
    state_after(c, &call->after);
}

struct delivery {
    struct ask ask; /* first */
    struct coord *coord;
    struct claim *claim; /* NULL once the hands have it */
    uint64_t number;
    int64_t attempt;
};

/* The disk is full, and the claim is not durable yet: it may become so.  When the server stops, the
 * run that never began goes back, so that the next start does not take it for one that a crash
 * ended. */
static void
wait_on(struct delivery *d)
{
    struct coord *c = d->coord;
    bool over;

    state_lock(c);
    over = c->draining;
    d->ask.outcome.why = WHY_OK;
    if (!over)
        state_tell(c, &d->ask);
    state_unlock(c);
    if (over) {
        task_finish(c, clock_now(), d->number, d->attempt, &(struct task_end){.state = TASK_READY});
        claim_free(d->claim);
        free(d);
    }
}

static void
deliver(struct ask *a)
{
    struct delivery *d = (struct delivery *)(void *)a;
    struct coord *c = d->coord;
    struct task *t;
    bool cancel = false;

    if (a->outcome.why != WHY_OK) {
        wait_on(d);
        return;
    }
    c->hands.run(c->hands.arg, d->claim);

    state_lock(c);
    t = tasks_find(c, d->number);
    if (t && t->state == TASK_RUNNING && t->attempts == d->attempt) {
        t->delivered = true;
        cancel = t->cancelling;
    }
    state_unlock(c);
    if (cancel)
        c->hands.cancel(c->hands.arg, d->number);
    free(d);
}

static struct delivery *
delivery_new(struct coord *c, const struct executor *x, const struct task *t) BOB_HOLDS(L_STATE)
{
    struct delivery *d = calloc(1, sizeof *d);
    struct claim *claim = calloc(1, sizeof *claim);

    if (!d || !claim) {
        free(d);
        free(claim);
        return NULL;
    }
    claim->number = d->number = t->number;
    claim->attempt = d->attempt = t->attempts + 1;
    claim->timeout_ns = t->timeout_ns ? t->timeout_ns : x->terms.timeout_ns;
    claim->max_workers = x->terms.max_workers;
    memcpy(claim->executor, x->object.name, strlen(x->object.name) + 1);
    memcpy(claim->kind, t->kind, sizeof claim->kind);
    claim->args = blob_ref(t->args);
    d->ask.tell = deliver;
    d->coord = c;
    d->claim = claim;
    return d;
}

/* ---- the turn ---- */

static void
turn_join(struct queues *q, struct executor *x) BOB_HOLDS(L_STATE)
{
    x->in_turn = true;
    x->turn_prev = q->turn_last;
    x->turn_next = NULL;
    if (q->turn_last)
        q->turn_last->turn_next = x;
    else
        q->turn_first = x;
    q->turn_last = x;
}

static void
turn_leave(struct queues *q, struct executor *x) BOB_HOLDS(L_STATE)
{
    x->in_turn = false;
    if (x->turn_prev)
        x->turn_prev->turn_next = x->turn_next;
    else
        q->turn_first = x->turn_next;
    if (x->turn_next)
        x->turn_next->turn_prev = x->turn_prev;
    else
        q->turn_last = x->turn_prev;
}

void
turn_update(struct queues *q, struct executor *x)
{
    bool wants = x->oldest && x->home->count[TASK_RUNNING] < x->terms.max_workers;

    if (wants && !x->in_turn)
        turn_join(q, x);
    else if (!wants && x->in_turn)
        turn_leave(q, x);
}

static enum why
claim_first(struct coord *c, struct executor *x, moment now) BOB_HOLDS(L_STATE)
{
    struct task *t = ready_first(x);
    struct delivery *d;
    enum why why;

    if ((why = state_begin(c, GROWS, task_record_bound(t))))
        return why;
    if (!(d = delivery_new(c, x, t)))
        return WHY_NO_MEMORY;

    t->attempts++;
    t->delivered = false;
    t->done = t->total = -1;
    t->unit[0] = '\0';
    memcpy(t->worker, WORKER, sizeof WORKER); /* until its hand says who it is */
    blob_unref(t->message);
    t->message = NULL;
    task_move(c, t, EVENT_CLAIM, now);
    if (x->in_turn) { /* it had its turn: to the end */
        turn_leave(c->queues, x);
        turn_join(c->queues, x);
    }
    d->ask.outcome.why = WHY_OK;
    d->ask.outcome.seq = t->object.rev;
    state_tell(c, &d->ask);
    return WHY_OK;
}

void
tasks_assign(struct coord *c, moment now)
{
    struct queues *q = c->queues;

    if (c->draining || !c->hands.run)
        return;
    for (int n = 0; q->turn_first && q->running < c->options.task_threads; n++) {
        if (n == CLAIMS_PER_STEP || !state_spend(c)) {
            queues_again(q, now);
            return;
        }
        if (claim_first(c, q->turn_first, now)) {
            queues_refused(q, now);
            return;
        }
    }
}
