/* task_end.c - how runs go and end, and who is told.
 *
 * An end cannot be refused: the run is over.  When the journal will not take its record just now, the end is kept in the task,
 * which still counts as running, and is tried again; the same list holds tasks with more waiters than a step may tell.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "coord/task.h"

/* ---- what a step leaves over ---- */

static void
leave(struct queues *q, struct task *t, moment again_at) BOB_HOLDS(L_STATE)
{
    queues_again(q, again_at);
    if (t->left)
        return;
    t->left = true;
    t->left_next = NULL;
    *(q->left_last ? &q->left_last->left_next : &q->left_first) = t;
    q->left_last = t;
}

void
task_tell_waiters(struct coord *c, struct task *t, moment now)
{
    struct ask *a;

    for (int n = 0; (a = t->object.line.first); n++) {
        if (n == TOLD_PER_STEP || !state_spend(c)) {
            leave(c->queues, t, now);
            return;
        }
        line_leave(c, a);
        task_fill_whole(t, a->ret_);
        a->outcome.why = WHY_OK;
        a->outcome.seq = t->object.rev;
        state_tell(c, a);
    }
}

/* ---- the end ---- */

struct blob *
task_error(const char *code, const char *message)
{
    size_t code_len = strnlen(code, CODE_MAX_LEN);
    size_t message_len = strnlen(message, MESSAGE_MAX_LEN);
    char text[CODE_MAX_LEN + 1 + MESSAGE_MAX_LEN];

    memcpy(text, code, code_len);
    text[code_len] = '\0';
    memcpy(text + code_len + 1, message, message_len);
    return blob_new(text, code_len + 1 + message_len);
}

/* Doubled with every failure; longer, if the run was told to come later (a server's Retry-After).
 * To either up to a quarter of the former is added, spread by the task's number, so that those that
 * failed together do not come back together; the same task at the same failure waits the same. */
static int64_t
backoff_ns(const struct task *t)
{
    uint64_t spread = (t->number + (uint64_t)t->failures) * UINT64_C(0x9E3779B97F4A7C15) >> 54;
    int64_t own = t->failures < 10 ? RETRY_FIRST << (t->failures - 1) : RETRY_MOST;
    int64_t more = own / 4 / 1024 * (int64_t)spread;
    int64_t asked = t->end_retry_after_ns;

    own = own + more < RETRY_MOST ? own + more : RETRY_MOST;
    asked = (asked < RETRY_ASKED_MOST ? asked : RETRY_ASKED_MOST) + more;
    return own > asked ? own : asked;
}

static enum task_event
event_of_end(const struct task *t) BOB_HOLDS(L_STATE)
{
    if (t->end_state == TASK_SUCCEEDED)
        return EVENT_SUCCEED; /* although it may have been cancelled: it was too late for that */
    if (t->cancelling || t->end_state == TASK_CANCELLED)
        return EVENT_STOPPED;
    if (t->end_state == TASK_READY)
        return EVENT_PUT_BACK;
    return t->end_retry && t->failures <= t->executor->terms.retries ? EVENT_RETRY : EVENT_GIVE_UP;
}

static void
settle_end(struct coord *c, struct task *t, moment now) BOB_HOLDS(L_STATE)
{
    enum task_event event;

    if (state_begin(c, GIVES_BACK, task_record_bound(t))) {
        queues_refused(c->queues, now);
        leave(c->queues, t, c->queues->not_before);
        return;
    }
    t->ended = false;
    t->failures += t->end_state == TASK_FAILED;
    event = event_of_end(t);
    if (event == EVENT_RETRY) {
        t->delay_ns = backoff_ns(t);
        t->run_at = now + t->delay_ns;
        t->run_at_ms = clock_to_wall_ms(t->run_at);
    } else if (event == EVENT_SUCCEED) {
        blob_unref(t->error);
        t->error = NULL;
    }
    task_move(c, t, event, now);
    if (!task_is_over(t->state))
        return;
    metric_add(event == EVENT_SUCCEED   ? M_TASKS_SUCCEEDED
               : event == EVENT_GIVE_UP ? M_TASKS_FAILED
                                        : M_TASKS_CANCELLED,
               1);
    task_tell_waiters(c, t, now);
}

/* True: @end's result and @error are the task's now. */
static bool
end_run(struct coord *c, moment now, uint64_t number, int64_t attempt, const struct task_end *end,
        struct blob *error) BOB_HOLDS(L_STATE)
{
    struct task *t = tasks_find(c, number);

    if (!t || t->state != TASK_RUNNING || t->attempts != attempt || t->ended)
        return false;
    t->ended = true;
    t->end_state = end->state;
    t->end_retry = end->retry;
    t->end_retry_after_ns = end->retry_after_ns;
    t->result = end->result;
    if (end->state == TASK_FAILED) {
        blob_unref(t->error);
        t->error = error;
    }
    settle_end(c, t, now);
    tasks_assign(c, now);
    queues_wake(c);
    return true;
}

void
task_finish(struct coord *c, moment now, uint64_t number, int64_t attempt,
            const struct task_end *end)
{
    struct blob *error = NULL;
    bool taken;

    assert(end->state != TASK_DELAYED && end->state != TASK_RUNNING);
    assert(!end->result || (end->state == TASK_SUCCEEDED && end->result->len <= RESULT_MAX));
    if (end->state == TASK_FAILED)
        error = task_error(end->code, end->message); /* NULL: shown as out of memory */
    state_lock_at(c, now);
    taken = end_run(c, now, number, attempt, end, error);
    state_unlock(c);
    if (!taken) {
        blob_unref(error);
        blob_unref(end->result);
    }
}

void
task_go_on(struct coord *c, moment now)
{
    struct queues *q = c->queues;
    struct task *t = q->left_first;

    if (!t)
        return;
    if (!state_spend(c)) {
        queues_again(q, now);
        return;
    }
    q->left_first = t->left_next;
    if (!q->left_first)
        q->left_last = NULL;
    t->left = false;
    if (q->left_first)
        queues_again(q, now);
    if (t->ended)
        settle_end(c, t, now);
    else
        task_tell_waiters(c, t, now);
}

/* ---- progress ---- */

static void
set_text(char *to, size_t cap, const char *from)
{
    size_t len = strnlen(from, cap - 1);

    memcpy(to, from, len);
    to[len] = '\0';
}

void
task_progress(struct coord *c, uint64_t number, int64_t attempt, int64_t done, int64_t total,
              const char *unit, const char *message, const char *worker)
{
    struct blob *fresh = NULL, *old;
    struct task *t;

    if (message[0])
        fresh = blob_new(message, strnlen(message, MESSAGE_MAX_LEN));
    old = fresh;
    state_lock(c);
    t = tasks_find(c, number);
    if (t && t->state == TASK_RUNNING && t->attempts == attempt && !t->ended) {
        t->done = done;
        t->total = total;
        set_text(t->unit, sizeof t->unit, unit);
        set_text(t->worker, sizeof t->worker, worker);
        old = t->message;
        t->message = fresh;
        state_touch(c, &t->object);
    }
    state_unlock(c);
    blob_unref(old);
}
