/* admit.c - the gate of the request pool: a semaphore of parked requests, without a name and without a record.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <assert.h>

static void
serve(struct coord *c, struct line *l, moment now) BOB_HOLDS(L_STATE)
{
    (void)now;
    while (l->first && c->admitted < c->admission_permits) {
        struct ask *a = l->first;

        line_leave(c, a);
        c->admitted++;
        a->outcome.why = WHY_OK;
        a->outcome.seq = 0;
        state_tell(c, a);
    }
}

static void
give_up(struct coord *c, struct line *l, struct ask *a, int64_t position, moment now)
{
    (void)c, (void)l, (void)position, (void)now;
    if (a->outcome.why == WHY_OK)
        a->outcome.why = WHY_BUSY;
}

const struct line_rules admission_rules = {.serve = serve, .give_up = give_up};

enum why
admit_enter(struct coord *c, moment now, int64_t wait_ns, struct ask *a)
{
    enum why why;

    state_lock_at(c, now);
    if (c->draining) {
        why = WHY_DRAINING;
    } else if (!c->admission.first && c->admitted < c->admission_permits) {
        c->admitted++;
        why = WHY_OK;
    } else if (wait_ns <= 0) {
        why = WHY_BUSY;
    } else {
        why = line_join(c, &c->admission, a, now, wait_ns);
    }
    if (why != WHY_PENDING)
        state_refuse(a, why);
    state_unlock(c);
    return why;
}

void
admit_leave(struct coord *c)
{
    state_lock(c);
    assert(c->admitted > 0);
    c->admitted--;
    serve(c, &c->admission, 0);
    state_unlock(c);
}

void
admit_resize(struct coord *c, int64_t permits)
{
    state_lock(c);
    c->admission_permits = permits;
    serve(c, &c->admission,
          0); /* before the first enter nobody stands there: never more than a step's worth */
    state_unlock(c);
}
