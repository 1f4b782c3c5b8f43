/* snapshot.c - see snapshot.h.
 *
 * Each object is shown by its own step, and an outcome may hang on the next commit.  So a handful of asks is under way at
 * once: they wait for one commit together, where one after the other each would wait for its own.
 *
 * SPDX-License-Identifier: MIT */
#include "api/snapshot.h"

#include <bobbin/semaphore.h>
#include <stdlib.h>

#include "api/shapes.h"
#include "api/sse.h"
#include "base/json.h"
#include "coord/queue.h"

enum { ASKS = 16, ARGS_SHOWN = 512 };

struct look {
    struct ask ask; /* first: told by its address */
    struct bob_semaphore *told;
    union {
        struct hold_view hold;
        struct executor_view executor;
        struct task_view task;
    };
};
struct snapshot {
    struct coord *coord;
    struct bob_semaphore *told;
    struct bytes json;
    struct look look[ASKS];
};

const char *const topic_name[TOPIC_COUNT_ + 1] = {
    [TOPIC_LOCK] = "lock",         [TOPIC_SEMAPHORE] = "semaphore", [TOPIC_COUNTER] = "counter",
    [TOPIC_EXECUTOR] = "executor", [TOPIC_TASK] = "task",
};

static void
tell(struct ask *a)
{
    bob_semaphore_release(((struct look *)(void *)a)->told, 1);
}

struct snapshot *
snapshot_new(struct coord *c)
{
    struct snapshot *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->coord = c;
    s->told = bob_semaphore_new(0);
    if (!s->told) {
        free(s);
        return NULL;
    }
    for (int i = 0; i < ASKS; i++) {
        s->look[i].ask.tell = tell;
        s->look[i].told = s->told;
    }
    return s;
}

void
snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    bob_semaphore_free(s->told);
    bytes_free(&s->json);
    free(s);
}

static void
await(struct snapshot *s, int n)
{
    while (n > 0) {
        if (!bob_semaphore_acquire(s->told, BOB_FOREVER))
            n--;
    }
}

enum why
snapshot_changes(struct snapshot *s, uint64_t *at, struct changed *rows, size_t cap, size_t *ret_n,
                 bool *ret_more)
{
    struct ask *a = &s->look[0].ask;
    enum why why = coord_changes(s->coord, at, rows, cap, ret_n, ret_more, a);

    if (why != WHY_PENDING)
        return why;
    await(s, 1);
    return a->outcome.why;
}

static enum why
ask(struct snapshot *s, struct look *l, const struct changed *row)
{
    switch (row->topic) {
    case TOPIC_LOCK:
        return hold_show(s->coord, clock_now(), HOLD_LOCK, row->name, &l->hold, &l->ask);
    case TOPIC_SEMAPHORE:
        return hold_show(s->coord, clock_now(), HOLD_SEMAPHORE, row->name, &l->hold, &l->ask);
    case TOPIC_COUNTER:
        return counter_get(s->coord, row->name, &l->ask);
    case TOPIC_EXECUTOR:
        return executor_show(s->coord, clock_now(), row->name, &l->executor, &l->ask);
    case TOPIC_TASK:
        return task_wait(s->coord, clock_now(), task_number(row->name), 0, &l->task, &l->ask);
    case TOPIC_COUNT_:
        break;
    }
    abort();
}

static void
gone(struct bytes *b, const struct changed *row)
{
    json_open(b, '{');
    json_text(b, row->topic == TOPIC_TASK ? "id" : "name", row->name);
    json_bool(b, "gone", true);
    json_close(b, '}');
}

/* Without what may be long: the result, and arguments that are. */
static void
shape_news_of_task(struct bytes *b, struct task_view *v)
{
    struct task_view shown = *v;

    if (v->args && v->args->len > ARGS_SHOWN)
        shown.args = NULL;
    shape_task(b, &shown);
    task_view_free(v);
}

static void
shape(struct bytes *b, const struct changed *row, struct look *l)
{
    switch (row->topic) {
    case TOPIC_LOCK:
        shape_hold(b, HOLD_LOCK, &l->hold, clock_now());
        break;
    case TOPIC_SEMAPHORE:
        shape_hold(b, HOLD_SEMAPHORE, &l->hold, clock_now());
        break;
    case TOPIC_COUNTER:
        shape_counter(b, row->name, l->ask.outcome.counter.rev, l->ask.outcome.counter.value);
        break;
    case TOPIC_EXECUTOR:
        shape_executor(b, &l->executor);
        break;
    case TOPIC_TASK:
        shape_news_of_task(b, &l->task);
        break;
    case TOPIC_COUNT_:
        abort();
    }
}

static void
event(struct snapshot *s, const struct changed *row, struct look *l, struct bytes *events)
{
    bytes_clear(&s->json);
    if (row->gone || l->ask.outcome.why == WHY_NOT_FOUND)
        gone(&s->json, row);
    else if (l->ask.outcome.why == WHY_OK)
        shape(&s->json, row, l);
    else
        return;
    if (s->json.failed)
        events->failed = true;
    else
        sse_event(events, topic_name[row->topic], s->json.at, s->json.len);
}

void
snapshot_take(struct snapshot *s, const struct changed *rows, size_t n, unsigned topics,
              struct bytes ret_events[TOPIC_COUNT_])
{
    const struct changed *asked[ASKS];

    for (size_t at = 0; at < n;) {
        int len = 0, pending = 0;

        for (; at < n && len < ASKS; at++) {
            if (!(topics & 1u << rows[at].topic))
                continue;
            struct look *l = &s->look[len];
            enum why why = rows[at].gone ? WHY_OK : ask(s, l, &rows[at]);

            if (why == WHY_PENDING)
                pending++;
            else
                l->ask.outcome.why = why;
            asked[len++] = &rows[at];
        }
        await(s, pending);
        for (int i = 0; i < len; i++)
            event(s, asked[i], &s->look[i], &ret_events[asked[i]->topic]);
    }
}
