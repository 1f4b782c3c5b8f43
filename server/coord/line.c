/* line.c - those who wait at an object, first come, first served.
 *
 * A waiter is an ask that stands in an intrusive list: no thread, no allocation, and it leaves from anywhere at once.  Whoever
 * takes one out of the line (a grant, the end of its wait, its client's hang-up) sees to it that it is told, once.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <assert.h>

#include "base/metrics.h"

enum { COUNTED_MOST = LINE_SHOWN_MAX }; /* exact as far as it is shown */

static struct ask *
ask_of_deadline(struct deadline *d)
{
    return STRUCT_OF(d, struct ask, until_);
}

/* Ends @a's wait for a.outcome.why; the line is served by the caller. */
static void
give_up(struct coord *c, struct ask *a, moment now) BOB_HOLDS(L_STATE)
{
    struct line *l = a->line_;
    int64_t position = a->outcome.why == WHY_OK ? line_position(a) : 0;

    line_leave(c, a);
    l->rules->give_up(c, l, a, position, now);
    state_tell(c, a);
}

static void
wait_is_over(struct coord *c, struct deadline *d, moment now) BOB_HOLDS(L_STATE)
{
    struct ask *a = ask_of_deadline(d);
    struct line *l = a->line_;

    a->outcome.why = WHY_OK;
    a->outcome.seq = 0;
    give_up(c, a, now);
    l->rules->serve(c, l, now);
}

enum why
line_join(struct coord *c, struct line *l, struct ask *a, moment now, int64_t wait_ns)
{
    assert(!a->line_);
    if (c->draining)
        return WHY_DRAINING;
    if (c->waiters >= c->options.max_waiters || l->len >= c->options.max_waiters_per_object)
        return WHY_TOO_MANY;
    if (deadline_room(c))
        return WHY_NO_MEMORY;

    a->coord_ = c;
    a->ticket = ++c->tickets;
    a->lined_up = true;
    a->since_ = now;
    a->arrival_ = ++l->arrivals;
    a->line_ = l;
    a->prev_ = l->last;
    a->next_ = NULL;
    *(l->last ? &l->last->next_ : &l->first) = a;
    l->last = a;
    l->len++;
    c->waiters++;
    metric_add(M_WAITERS, 1);
    a->until_.due = wait_is_over;
    deadline_set(c, &a->until_, now + (wait_ns < WAIT_MOST ? wait_ns : WAIT_MOST));
    return WHY_PENDING;
}

void
line_leave(struct coord *c, struct ask *a)
{
    struct line *l = a->line_;

    assert(l && l->len > 0);
    *(a->prev_ ? &a->prev_->next_ : &l->first) = a->next_;
    *(a->next_ ? &a->next_->prev_ : &l->last) = a->prev_;
    if (l->look == a)
        l->look = a->next_;
    a->prev_ = a->next_ = NULL;
    a->line_ = NULL;
    l->len--;
    c->waiters--;
    metric_add(M_WAITERS, -1);
    deadline_clear(c, &a->until_);
    deadline_room_back(c);
}

int64_t
line_position(const struct ask *a)
{
    const struct line *l = a->line_;
    int64_t position = 1;

    for (const struct ask *before = a->prev_; before; before = before->prev_) {
        if (++position > COUNTED_MOST) {
            int64_t places = (int64_t)(a->arrival_ - l->first->arrival_) + 1;

            return places < l->len ? places : l->len;
        }
    }
    return position;
}

bool
line_send_away(struct coord *c, struct line *l, enum why why, moment now)
{
    while (l->first && state_spend(c)) {
        struct ask *a = l->first;

        a->outcome.why = why;
        a->outcome.seq = 0;
        give_up(c, a, now);
    }
    return l->first;
}

void
ask_leave(struct coord *c, struct ask *a, uint64_t ticket)
{
    state_lock(c);
    if (a->line_ && a->ticket == ticket) {
        struct line *l = a->line_;
        moment now = clock_now();

        metric_add(M_WAITERS_LEFT, 1);
        a->outcome.why = WHY_GONE;
        a->outcome.seq = 0;
        give_up(c, a, now);
        l->rules->serve(c, l, now);
    }
    state_unlock(c);
}
