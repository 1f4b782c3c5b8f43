/* place.c - where tasks stand: each in the one place of its state; see task.h.
 *
 * Ready and delayed tasks stand in trees, for they leave from anywhere when cancelled; those that are over stand in a list by age,
 * from whose old end they are forgotten.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "coord/task.h"

static int
less_or_more(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int
compare_numbers(const struct task *a, const struct task *b)
{
    return less_or_more(a->number, b->number);
}

static int
compare_due(const struct task *a, const struct task *b)
{
    if (a->run_at != b->run_at)
        return a->run_at < b->run_at ? -1 : 1;
    return compare_numbers(a, b);
}

static int
compare_ranks(const struct task *a, const struct task *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return compare_due(a, b);
}

RB_GENERATE_INTERNAL(by_number, task, in_all, compare_numbers, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(by_due, task, in_place, compare_due, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(by_rank, task, in_place, compare_ranks, __attribute__((unused)) static)

struct home *
home_new(const char *name)
{
    size_t len = strlen(name) + 1;
    struct home *h = calloc(1, sizeof *h + len);

    if (h) {
        h->refs = 1;
        memcpy(h->name, name, len);
    }
    return h;
}

void
home_unref(struct home *h)
{
    if (h && --h->refs == 0)
        free(h);
}

void
tasks_add(struct queues *q, struct task *t)
{
    struct task *other = RB_INSERT(by_number, &q->all, t);

    assert(!other);
    (void)other;
}

struct task *
tasks_below(struct queues *q, uint64_t number)
{
    struct task key = {.number = number};
    struct task *above;

    if (number == 0)
        return RB_MAX(by_number, &q->all);
    above = RB_NFIND(by_number, &q->all, &key);
    return above ? RB_PREV(by_number, &q->all, above) : RB_MAX(by_number, &q->all);
}

struct task *
tasks_older(struct task *t)
{
    return RB_PREV(by_number, NULL, t);
}

struct task *
tasks_lowest(struct queues *q)
{
    return RB_MIN(by_number, &q->all);
}

struct task *
tasks_newer(struct task *t)
{
    return RB_NEXT(by_number, NULL, t);
}

struct task *
tasks_find(struct coord *c, uint64_t number)
{
    char id[TASK_ID_LEN];

    task_id(id, number);
    return task_of(names_find(c, TOPIC_TASK, id));
}

struct task *
ready_first(struct executor *x)
{
    return RB_MIN(by_rank, &x->ready);
}

struct task *
delayed_first(struct queues *q)
{
    return RB_MIN(by_due, &q->delayed);
}

/* To the young end of a list by age, and out of it. */
static void
list_append(struct task **oldest, struct task **youngest, struct task *t)
{
    t->older = *youngest;
    t->younger = NULL;
    if (*youngest)
        (*youngest)->younger = t;
    else
        *oldest = t;
    *youngest = t;
}

static void
list_remove(struct task **oldest, struct task **youngest, struct task *t)
{
    if (t->older)
        t->older->younger = t->younger;
    else
        *oldest = t->younger;
    if (t->younger)
        t->younger->older = t->older;
    else
        *youngest = t->older;
    t->older = t->younger = NULL;
}

static size_t
blob_bytes(const struct blob *b)
{
    return b ? sizeof *b + b->len : 0;
}

static void
count_bytes(struct queues *q, const struct task *t, int64_t bytes)
{
    q->bytes += bytes;
    if (task_is_over(t->state))
        q->bytes_over += bytes;
    metric_add(M_TASK_BYTES, bytes);
}

bool
tasks_too_big(struct coord *c, size_t more)
{
    return c->queues->bytes - c->queues->bytes_over + (int64_t)more >
           c->options.max_task_memory / 4 * 3;
}

bool
tasks_overflow(struct coord *c)
{
    return c->queues->oldest && c->queues->bytes > c->options.max_task_memory;
}

void
task_enter(struct coord *c, struct task *t, moment now)
{
    struct queues *q = c->queues;
    struct task *other = NULL;

    t->home->count[t->state]++;
    t->bytes = (int64_t)(blob_bytes(t->args) + blob_bytes(t->result) + blob_bytes(t->error));
    count_bytes(q, t, t->bytes);
    if (task_is_over(t->state)) {
        t->since = now;
        t->executor = NULL;
        list_append(&q->oldest, &q->youngest, t);
    } else if (t->state == TASK_RUNNING) {
        q->running++;
        metric_add(M_TASKS_RUNNING, 1);
    } else if (t->state == TASK_READY) {
        t->since = now;
        other = RB_INSERT(by_rank, &t->executor->ready, t);
        list_append(&t->executor->oldest, &t->executor->youngest, t);
    } else {
        other = RB_INSERT(by_due, &q->delayed, t);
    }
    assert(!other);
    (void)other;
}

void
task_exit(struct coord *c, struct task *t)
{
    struct queues *q = c->queues;

    t->home->count[t->state]--;
    count_bytes(q, t, -t->bytes);
    if (task_is_over(t->state)) {
        list_remove(&q->oldest, &q->youngest, t);
    } else if (t->state == TASK_RUNNING) {
        q->running--;
        metric_add(M_TASKS_RUNNING, -1);
    } else if (t->state == TASK_READY) {
        RB_REMOVE(by_rank, &t->executor->ready, t);
        list_remove(&t->executor->oldest, &t->executor->youngest, t);
    } else {
        RB_REMOVE(by_due, &q->delayed, t);
    }
}

void
task_move(struct coord *c, struct task *t, enum task_event event, moment now)
{
    struct executor *x = t->executor;
    bool possible;

    task_exit(c, t);
    possible = task_step(&t->state, event);
    assert(possible);
    (void)possible;
    if (t->state == TASK_RUNNING)
        t->started_ms = clock_to_wall_ms(now);
    if (task_is_over(t->state))
        t->finished_ms = clock_to_wall_ms(now);
    task_append(c, t); /* before it enters: one that is over leaves its executor there */
    task_enter(c, t, now);
    turn_update(c->queues, x);
}

void
task_forget(struct coord *c, struct task *t)
{
    struct by_number *all = &c->queues->all;

    assert(task_is_over(t->state) && !t->object.line.first && !t->left);
    home_changed(c, t->home, state_append(c, &t->object, NULL, 0));
    task_exit(c, t);
    RB_REMOVE(by_number, all, t);
    names_remove(c, &t->object);
}
