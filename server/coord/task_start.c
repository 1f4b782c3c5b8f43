/* task_start.c - what becomes of the tasks in the store when the server starts.
 *
 * Delayed and ready ones go on where they were.  A drain gives back what still runs; so one that is
 * running here has lost its run to a crash, and is ready again.  One that has seen too many crashes
 * may be their cause, and has failed.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "coord/task.h"

static int64_t
clamp(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* @ms of wall clock as nanoseconds, of 0 ... @most_ns. */
static int64_t
wall_span(int64_t ms, int64_t most_ns)
{
    return clamp(ms, 0, most_ns / NS_PER_MS) * NS_PER_MS;
}

/* Its executor, unless it belongs to an earlier one of that name. */
static void
bind_executor(struct coord *c, struct task *t) BOB_HOLDS(L_STATE)
{
    struct executor *x = executor_of(names_find(c, TOPIC_EXECUTOR, t->home->name));

    if (!x || t->number < x->birth)
        return;
    if (task_is_over(t->state)) {
        t->home->count[t->state]--;
        x->home->count[t->state]++;
    } else {
        t->executor = x;
    }
    home_unref(t->home);
    t->home = x->home;
    x->home->refs++;
}

/* When it was to run, or has been waiting since: its place among others. */
static moment
run_at_of(const struct task *t, moment now)
{
    return now - wall_span(clock_to_wall_ms(now) - t->run_at_ms, now - 1);
}

/* NULL: no memory. */
static struct blob *
interrupted(void)
{
    char message[MESSAGE_MAX_LEN + 1];

    (void)snprintf(message, sizeof message, "the server crashed during %d of its runs",
                   INTERRUPTED_MAX);
    return task_error("interrupted", message);
}

static enum why
put_back(struct coord *c, struct task *t, moment now) BOB_HOLDS(L_STATE)
{
    enum why why = state_begin(c, GIVES_BACK, task_record_bound(t));

    if (why)
        return why;
    t->run_at = run_at_of(t, now);
    task_enter(c, t, now);
    if (t->cancelling) {
        task_move(c, t, EVENT_STOPPED, now);
        metric_add(M_TASKS_CANCELLED, 1);
    } else if (++t->interrupted >= INTERRUPTED_MAX) {
        blob_unref(t->error);
        t->error = interrupted();
        task_move(c, t, EVENT_GIVE_UP, now);
        metric_add(M_TASKS_FAILED, 1);
    } else {
        task_move(c, t, EVENT_PUT_BACK, now);
    }
    return WHY_OK;
}

static enum why
go_on(struct coord *c, struct task *t, moment now) BOB_HOLDS(L_STATE)
{
    int64_t wall_ms = clock_to_wall_ms(now);

    switch (t->state) {
    case TASK_RUNNING:
        return put_back(c, t, now);
    case TASK_DELAYED:
        t->run_at = now + wall_span(t->run_at_ms - wall_ms, t->delay_ns);
        task_enter(c, t, now);
        return WHY_OK;
    case TASK_READY:
        t->run_at = run_at_of(t, now);
        task_enter(c, t, now);
        t->since = t->run_at;
        turn_update(c->queues, t->executor);
        return WHY_OK;
    case TASK_SUCCEEDED:
    case TASK_FAILED:
    case TASK_CANCELLED: /* in its place since it was loaded */
        t->since = now - wall_span(wall_ms - t->finished_ms, c->options.result_ttl_ns);
        return WHY_OK;
    case TASK_STATES_:
    default:
        abort();
    }
}

/* In the order of arrival: those that are @running, or the others. */
static enum why
go_on_all(struct coord *c, bool running, moment now, struct fault *f) BOB_HOLDS(L_STATE)
{
    enum why why;

    for (struct task *t = tasks_lowest(c->queues); t; t = tasks_newer(t)) {
        if ((t->state == TASK_RUNNING) != running)
            continue;
        if (!t->executor && !task_is_over(t->state))
            return fault_set(
                f, WHY_INTERNAL,
                "task %s belongs to the executor %.64s, which is not there" PUT_A_BACKUP,
                t->object.name, t->home->name);
        if ((why = go_on(c, t, now)))
            return fault_set(f, why, "the journal takes no changes at start");
    }
    return WHY_OK;
}

enum why
queues_start(struct coord *c, moment now, struct fault *f)
{
    struct queues *q = c->queues;
    enum why why;

    for (struct task *t = tasks_below(q, 0); t; t = tasks_older(t))
        bind_executor(c, t);
    for (struct object *o = names_after(c, TOPIC_EXECUTOR, ""); o; o = names_next(o))
        executor_of(o)->seen = journal_last(c->journal); /* what was forgotten left no trace */
    homes_drop(q);
    why = go_on_all(c, false, now, f);
    if (!why)
        why = go_on_all(c, true, now, f); /* ready from now on, after those that were */
    if (why)
        return why;
    tasks_assign(c, now);
    queues_wake(c);
    return WHY_OK;
}
