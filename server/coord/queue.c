/* queue.c - executors, and the one deadline of all queues.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/queue.h"

#include <stdlib.h>
#include <string.h>

#include "coord/task.h"

enum { DUE_PER_STEP = 64 };

void
coord_set_hands(struct coord *c, const struct hands *h)
{
    c->hands = *h;
}

enum why
queue_settle(struct coord *c, struct ask *a, enum why why, uint64_t seq)
{
    a->outcome.why = why;
    a->outcome.seq = seq;
    return state_settle(c, a);
}

/* ---- executors ---- */

int64_t
executor_unfinished(const struct executor *x)
{
    const int64_t *count = x->home->count;

    return count[TASK_DELAYED] + count[TASK_READY] + count[TASK_RUNNING];
}

static void
executor_fill(const struct executor *x, struct executor_view *v) BOB_HOLDS(L_STATE)
{
    const int64_t *count = x->home->count;

    memset(v, 0, sizeof *v);
    memcpy(v->name, x->object.name, strlen(x->object.name) + 1);
    v->rev = x->seen;
    v->terms = x->terms;
    v->delayed = count[TASK_DELAYED];
    v->ready = count[TASK_READY];
    v->running = count[TASK_RUNNING];
    v->succeeded = count[TASK_SUCCEEDED];
    v->failed = count[TASK_FAILED];
    v->cancelled = count[TASK_CANCELLED];
    v->oldest = x->oldest ? x->oldest->since : 0;
}

static struct executor *
executor_make(struct coord *c, const char *name, enum why *ret_why) BOB_HOLDS(L_STATE)
{
    struct home *home = home_new(name);
    struct executor *x;

    if (!home) {
        *ret_why = WHY_NO_MEMORY;
        return NULL;
    }
    x = executor_of(names_make(c, TOPIC_EXECUTOR, name, ret_why));
    if (!x) {
        home_unref(home);
        return NULL;
    }
    x->home = home;
    home->executor = x;
    x->birth = journal_last(c->journal) + 1;
    return x;
}

static bool
same_terms(const struct executor_terms *a, const struct executor_terms *b)
{
    return a->max_workers == b->max_workers && a->max_queue == b->max_queue &&
           a->timeout_ns == b->timeout_ns && a->retries == b->retries;
}

static enum why
put(struct coord *c, moment now, const char *name, const struct executor_terms *t,
    struct executor_view *ret, struct ask *a) BOB_HOLDS(L_STATE)
{
    struct executor *x;
    enum why why = WHY_OK;
    bool made;

    if (t->max_workers < 1 || t->max_workers > c->options.task_threads || t->max_queue < 1 ||
        t->retries < 0 || t->timeout_ns < 0)
        return queue_settle(c, a, WHY_INVALID, 0);
    x = executor_of(names_find(c, TOPIC_EXECUTOR, name));
    if (!state_allows(a, x ? x->seen : 0))
        return queue_settle(c, a, WHY_CHANGED, x ? x->seen : c->removed_rev);
    if (x && same_terms(&x->terms, t)) {
        executor_fill(x, ret);
        return queue_settle(c, a, WHY_OK, x->seen);
    }
    if ((why = state_begin(c, GROWS, 0)))
        return queue_settle(c, a, why, 0);

    made = !x;
    if (made && !(x = executor_make(c, name, &why)))
        return queue_settle(c, a, why, 0);
    x->terms = *t;
    executor_append(c, x);
    turn_update(c->queues, x);
    tasks_assign(c, now);
    queues_wake(c);
    executor_fill(x, ret);
    ret->made = made;
    return queue_settle(c, a, WHY_OK, x->seen);
}

enum why
executor_put(struct coord *c, moment now, const char *name, const struct executor_terms *t,
             struct executor_view *ret, struct ask *a)
{
    enum why why;

    state_lock_at(c, now);
    why = put(c, now, name, t, ret, a);
    state_unlock(c);
    return why;
}

enum why
executor_show(struct coord *c, moment now, const char *name, struct executor_view *ret,
              struct ask *a)
{
    struct executor *x;
    enum why why;

    state_lock_at(c, now);
    if ((x = executor_of(names_find(c, TOPIC_EXECUTOR, name)))) {
        executor_fill(x, ret);
        why = queue_settle(c, a, WHY_OK, x->seen);
    } else {
        why = state_settle_missing(c, a);
    }
    state_unlock(c);
    return why;
}

bool
executor_exists(struct coord *c, const char *name)
{
    bool there;

    state_lock(c);
    there = names_find(c, TOPIC_EXECUTOR, name) != NULL;
    state_unlock(c);
    return there;
}

enum why
executor_list(struct coord *c, moment now, const char *after, struct executor_view *rows,
              size_t cap, size_t *ret_n, struct ask *a)
{
    struct object *o;
    enum why why;
    uint64_t seq;
    size_t n = 0;

    if (cap > STEP_OBJECTS_MAX)
        cap = STEP_OBJECTS_MAX;
    state_lock_at(c, now);
    seq = c->removed_rev;
    for (o = names_after(c, TOPIC_EXECUTOR, after); o && n < cap; o = names_next(o)) {
        executor_fill(executor_of(o), &rows[n++]);
        if (executor_of(o)->seen > seq)
            seq = executor_of(o)->seen;
    }
    *ret_n = n;
    why = queue_settle(c, a, WHY_OK, seq);
    state_unlock(c);
    return why;
}

static enum why
remove_executor(struct coord *c, const char *name, struct ask *a) BOB_HOLDS(L_STATE)
{
    struct executor *x = executor_of(names_find(c, TOPIC_EXECUTOR, name));
    enum why why;
    uint64_t seq;

    if (!x)
        return state_settle_missing(c, a);
    if (!state_allows(a, x->seen))
        return queue_settle(c, a, WHY_CHANGED, x->seen);
    if (executor_unfinished(x) > 0)
        return queue_settle(c, a, WHY_CONFLICT, x->seen);
    if ((why = state_begin(c, GIVES_BACK, 0)))
        return queue_settle(c, a, why, 0);
    seq = state_append(c, &x->object, NULL, 0);
    names_remove(c, &x->object); /* nothing ready: it is not in the turn */
    return queue_settle(c, a, WHY_OK, seq);
}

enum why
executor_delete(struct coord *c, moment now, const char *name, struct ask *a)
{
    enum why why;

    state_lock_at(c, now);
    why = remove_executor(c, name, a);
    state_unlock(c);
    return why;
}

/* ---- the one deadline ---- */

void
queues_again(struct queues *q, moment at)
{
    if (q->again_at == 0 || q->again_at > at)
        q->again_at = at;
}

void
queues_refused(struct queues *q, moment now)
{
    q->not_before = now + AGAIN_SOON;
    queues_again(q, q->not_before);
}

void
queues_wake(struct coord *c)
{
    struct queues *q = c->queues;
    moment at = q->again_at;
    const struct task *t;

    if ((t = delayed_first(q)) && (at == 0 || t->run_at < at))
        at = t->run_at;
    if (q->oldest && (at == 0 || q->oldest->since + c->options.result_ttl_ns < at))
        at = q->oldest->since + c->options.result_ttl_ns;
    if (tasks_overflow(c))
        at = 1; /* now */
    if (at != 0 && at < q->not_before)
        at = q->not_before;
    if (at == 0)
        deadline_clear(c, &q->wake);
    else if (q->wake.index == 0 || q->wake.at != at)
        deadline_set(c, &q->wake, at);
}

static void
serve_delayed(struct coord *c, moment now) BOB_HOLDS(L_STATE)
{
    struct queues *q = c->queues;
    struct task *t;

    for (int n = 0; (t = delayed_first(q)) && t->run_at <= now; n++) {
        if (n == DUE_PER_STEP || !state_spend(c)) {
            queues_again(q, now);
            return;
        }
        if (state_begin(c, GROWS, task_record_bound(t))) {
            queues_refused(q, now);
            return;
        }
        task_move(c, t, EVENT_DUE, now);
    }
}

static void
forget_old(struct coord *c, moment now) BOB_HOLDS(L_STATE)
{
    struct queues *q = c->queues;

    for (int n = 0;
         q->oldest && (q->oldest->since + c->options.result_ttl_ns <= now || tasks_overflow(c));
         n++) {
        if (n == FORGOTTEN_PER_STEP || !state_spend(c)) {
            queues_again(q, now);
            return;
        }
        if (q->oldest->object.line.first || q->oldest->left)
            return; /* it is among those that are left, and its turn comes */
        if (state_begin(c, GIVES_BACK, 0)) {
            queues_refused(q, now);
            return;
        }
        task_forget(c, q->oldest);
    }
}

static void
wake_due(struct coord *c, struct deadline *d, moment now) BOB_HOLDS(L_STATE)
{
    (void)d;
    c->queues->again_at = 0;
    task_go_on(c, now);
    serve_delayed(c, now);
    forget_old(c, now);
    tasks_assign(c, now);
    queues_wake(c);
}

enum why
queues_new(struct coord *c) BOB_UNSHARED
{
    struct queues *q = calloc(1, sizeof *q);

    if (q)
        q->record = malloc(RECORD_MAX);
    if (!q || !q->record || deadline_room(c)) {
        if (q)
            free(q->record);
        free(q);
        return WHY_NO_MEMORY;
    }
    q->wake.due = wake_due;
    c->queues = q;
    return WHY_OK;
}

void
queues_free(struct coord *c) BOB_UNSHARED
{
    struct queues *q = c->queues;

    if (!q)
        return;
    homes_drop(q);
    deadline_clear(c, &q->wake);
    deadline_room_back(c);
    free(q->record);
    free(q);
    c->queues = NULL;
}
