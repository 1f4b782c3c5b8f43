/* task.c - tasks as clients see them: submit, show, wait, list, cancel.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/task.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"

void
task_id(char ret_id[TASK_ID_LEN], uint64_t number)
{
    (void)snprintf(ret_id, TASK_ID_LEN, "t%" PRIu64, number);
}

uint64_t
task_number(const char *id)
{
    uint64_t number = 0;

    if (id[0] != 't' || id[1] == '0' || id[1] == '\0')
        return 0;
    for (const char *at = id + 1; *at; at++) {
        if (*at < '0' || *at > '9' || number > (uint64_t)WHOLE_MAX / 10)
            return 0;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    return number <= (uint64_t)WHOLE_MAX ? number : 0;
}

/* ---- views ---- */

static void
copy_text(char *to, size_t cap, const char *from)
{
    size_t len = strnlen(from, cap - 1);

    memcpy(to, from, len);
    to[len] = '\0';
}

static void
fill_error(const struct task *t, struct task_view *v) BOB_HOLDS(L_STATE)
{
    const char *code = t->error ? t->error->text : "out_of_memory";
    size_t code_len = strlen(code);

    copy_text(v->error_code, sizeof v->error_code, code);
    if (t->error && t->error->len > code_len)
        copy_text(v->error_message, sizeof v->error_message, code + code_len + 1);
}

void
task_fill(const struct task *t, struct task_view *v)
{
    memset(v, 0, sizeof *v);
    v->number = t->number;
    v->rev = t->object.rev;
    copy_text(v->executor, sizeof v->executor, t->home->name);
    memcpy(v->kind, t->kind, sizeof v->kind);
    v->state = t->state;
    v->cancelling = t->cancelling && t->state == TASK_RUNNING;
    v->attempts = t->attempts;
    v->failures = t->failures;
    v->interrupted = t->interrupted;
    v->priority = t->priority;
    v->created_ms = t->created_ms;
    v->run_at_ms = t->run_at_ms;
    v->started_ms = t->started_ms;
    v->finished_ms = t->finished_ms;
    memcpy(v->worker, t->worker, sizeof v->worker);
    v->done = t->done;
    v->total = t->total;
    memcpy(v->unit, t->unit, sizeof v->unit);
    if (t->message)
        copy_text(v->message, sizeof v->message, t->message->text);
    if (t->state == TASK_FAILED || (t->failures > 0 && t->state != TASK_SUCCEEDED))
        fill_error(t, v);
}

void
task_fill_whole(const struct task *t, struct task_view *v)
{
    task_fill(t, v);
    v->args = blob_ref(t->args);
    v->result = blob_ref(t->result);
}

void
task_view_free(struct task_view *v)
{
    blob_unref(v->args);
    blob_unref(v->result);
    v->args = v->result = NULL;
}

/* ---- submit ---- */

/* Room for one more among all tasks: the one that is over longest goes, if nobody is still to be told of it. */
static enum why
make_room(struct coord *c) BOB_HOLDS(L_STATE)
{
    struct task *t = c->queues->oldest;

    if (names_count(c, TOPIC_TASK) < c->options.max_tasks)
        return WHY_OK;
    if (!t || t->object.line.first || t->left)
        return WHY_TOO_MANY;
    task_forget(c, t);
    return WHY_OK;
}

static struct task *
make(struct coord *c, struct executor *x, const struct submission *s, struct blob *args,
     enum why *ret_why) BOB_HOLDS(L_STATE)
{
    uint64_t number = journal_last(c->journal) + 1; /* of its first change, which is the next one */
    char id[TASK_ID_LEN];
    struct task *t;

    task_id(id, number);
    t = task_of(names_make(c, TOPIC_TASK, id, ret_why));
    if (!t)
        return NULL;
    t->number = number;
    t->executor = x;
    t->home = x->home;
    t->home->refs++;
    t->args = blob_ref(args);
    t->priority = s->priority;
    t->delay_ns = s->delay_ns;
    t->timeout_ns = s->timeout_ns;
    t->done = t->total = -1;
    copy_text(t->kind, sizeof t->kind, s->kind);
    return t;
}

static enum why
submit(struct coord *c, moment now, const char *executor, const struct submission *s,
       struct blob *args, struct ask *a) BOB_HOLDS(L_STATE)
{
    struct executor *x = executor_of(names_find(c, TOPIC_EXECUTOR, executor));
    struct task *t;
    enum why why;

    if (!x)
        return state_settle_missing(c, a);
    if (executor_unfinished(x) >= x->terms.max_queue)
        return queue_settle(c, a, WHY_TOO_MANY, x->seen);
    if (tasks_too_big(c, args->len))
        return queue_settle(c, a, WHY_NO_MEMORY, x->seen);
    if ((why = state_begin(c, GROWS, args->len)) || (why = make_room(c)))
        return queue_settle(c, a, why, 0);
    if (!(t = make(c, x, s, args, &why)))
        return queue_settle(c, a, why, 0);

    t->state = s->delay_ns > 0 ? TASK_DELAYED : TASK_READY;
    t->run_at = now + s->delay_ns;
    t->created_ms = clock_to_wall_ms(now);
    t->run_at_ms = t->created_ms + s->delay_ns / NS_PER_MS;
    tasks_add(c->queues, t);
    task_append(c, t);
    task_enter(c, t, now);
    turn_update(c->queues, x);
    metric_add(M_TASKS_SUBMITTED, 1);
    tasks_assign(c, now);
    queues_wake(c);
    a->outcome.task = t->number;
    return queue_settle(c, a, WHY_OK, t->object.rev);
}

enum why
task_submit(struct coord *c, moment now, const char *executor, const struct submission *s,
            struct ask *a)
{
    size_t len = strlen(s->args);
    struct blob *args;
    enum why why;

    assert(len <= ARGS_MAX && s->delay_ns >= 0 && s->timeout_ns >= 0);
    if (!(args = blob_new(s->args, len)))
        return state_refuse(a, WHY_NO_MEMORY);
    state_lock_at(c, now);
    why = submit(c, now, executor, s, args, a);
    state_unlock(c);
    blob_unref(args);
    return why;
}

/* ---- show ---- */

static struct task *
task_of_line(struct line *l)
{
    return task_of((struct object *)(void *)((char *)l - offsetof(struct object, line)));
}

static void
serve_line(struct coord *c, struct line *l, moment now) BOB_HOLDS(L_STATE)
{
    struct task *t = task_of_line(l);

    if (task_is_over(t->state))
        task_tell_waiters(c, t, now);
}

static void
give_up(struct coord *c, struct line *l, struct ask *a, int64_t position, moment now)
    BOB_HOLDS(L_STATE)
{
    const struct task *t = task_of_line(l);

    (void)c;
    (void)position;
    (void)now;
    if (a->outcome.why == WHY_OK) { /* its wait ended: the task as it is */
        task_fill_whole(t, a->ret_);
        a->outcome.seq = t->object.rev;
    }
}

const struct line_rules task_line_rules = {.serve = serve_line, .give_up = give_up};

enum why
task_wait(struct coord *c, moment now, uint64_t number, int64_t wait_ns, struct task_view *ret,
          struct ask *a)
{
    struct task *t;
    enum why why;

    memset(ret, 0, sizeof *ret);
    state_lock_at(c, now);
    t = tasks_find(c, number);
    if (!t) {
        why = state_settle_missing(c, a);
    } else if (wait_ns > 0 && !task_is_over(t->state)) {
        a->ret_ = ret;
        why = line_join(c, &t->object.line, a, now, wait_ns);
        if (why != WHY_PENDING)
            why = queue_settle(c, a, why, 0);
    } else {
        task_fill_whole(t, ret);
        why = queue_settle(c, a, WHY_OK, t->object.rev);
    }
    state_unlock(c);
    return why;
}

/* ---- list ---- */

static bool
matches(const struct task *t, const struct task_filter *filter) BOB_HOLDS(L_STATE)
{
    return (filter->state < 0 || (int)t->state == filter->state) &&
           (filter->executor[0] == '\0' || strcmp(filter->executor, t->home->name) == 0);
}

enum why
task_list(struct coord *c, moment now, const struct task_filter *filter, struct task_view *rows,
          size_t cap, size_t *ret_n, uint64_t *ret_next, struct ask *a)
{
    uint64_t seq, last = 0;
    struct task *t;
    enum why why;
    size_t n = 0;
    int looked;

    state_lock_at(c, now);
    seq = c->removed_rev;
    t = tasks_below(c->queues, filter->before);
    for (looked = 0; t && n < cap && looked < STEP_OBJECTS_MAX; looked++) {
        if (matches(t, filter))
            task_fill(t, &rows[n++]);
        if (t->object.rev > seq)
            seq = t->object.rev;
        last = t->number;
        t = tasks_older(t);
    }
    *ret_n = n;
    *ret_next = t ? last : 0;
    why = queue_settle(c, a, WHY_OK, seq);
    state_unlock(c);
    return why;
}

/* ---- cancel ---- */

/* Takes *@call over if the hands are to be told. */
static enum why
cancel(struct coord *c, moment now, uint64_t number, struct cancel_call **call, struct ask *a)
    BOB_HOLDS(L_STATE)
{
    struct task *t = tasks_find(c, number);
    enum why why;

    if (!t)
        return state_settle_missing(c, a);
    if (!state_allows(a, t->object.rev))
        return queue_settle(c, a, WHY_CHANGED, t->object.rev);
    if (task_is_over(t->state))
        return queue_settle(c, a, WHY_CONFLICT, t->object.rev);
    if ((why = state_begin(c, GIVES_BACK, task_record_bound(t))))
        return queue_settle(c, a, why, 0);

    if (t->state != TASK_RUNNING) {
        task_move(c, t, EVENT_CANCEL, now);
        metric_add(M_TASKS_CANCELLED, 1);
        task_tell_waiters(c, t, now);
        queues_wake(c);
    } else if (!t->cancelling) {
        t->cancelling = true;
        task_append(c, t);
        if (t->delivered && !t->ended) {
            cancel_call_leave(c, *call, number);
            *call = NULL;
        }
    }
    a->outcome.task = number;
    return queue_settle(c, a, WHY_OK, t->object.rev);
}

enum why
task_cancel(struct coord *c, moment now, uint64_t number, struct ask *a)
{
    struct cancel_call *call = cancel_call_new();
    enum why why;

    if (!call)
        return state_refuse(a, WHY_NO_MEMORY);
    state_lock_at(c, now);
    why = cancel(c, now, number, &call, a);
    state_unlock(c);
    cancel_call_free(call);
    return why;
}
