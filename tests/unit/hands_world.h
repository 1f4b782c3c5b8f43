/* hands_world.h - the hands with the real coord behind them, and a journal that keeps its word at once.
 *
 *     struct shop s;  shop_open(&s, 8);                        // --task-threads
 *     put(&s, "a", 2, 1);                                      // an executor of two workers, one attempt
 *     number = submit(&s, "a", "square", "{\"n\":12}", 0);
 *     assert_int_equal(ended(&s, number), TASK_SUCCEEDED);     // waits for its end
 *     shop_close(&s);
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_HANDS_WORLD_H
#define TESTS_HANDS_WORLD_H

#include "coord_world.h"

#include <bobbin/bobbin.h>
#include <unistd.h>

#include "temp_folder.h"
#include "work/work.h"

struct shop {
    struct world w;
    struct work *work;
    struct config config;
    char folder[64];
};

static inline void
shop_open(struct shop *s, int64_t task_threads)
{
    struct coord_options o = world_options();
    struct fault f = {0};

    memset(s, 0, sizeof *s);
    temp_folder_make(s->folder);
    o.task_threads = task_threads;
    s->config.data = s->folder;
    s->config.task_threads = task_threads;
    world_open_with(&s->w, &o);
    s->w.journal.relaxed = true;
    assert_int_equal(work_start(&s->work, &s->config, s->w.c, &f), WHY_OK);
}

static inline void
shop_close(struct shop *s)
{
    coord_drain(s->w.c);
    work_drain(s->work, BOB_AT_ONCE);
    work_stop(s->work);
    world_close(&s->w);
    temp_folder_remove(s->folder);
}

/* ---- an asking that a thread waits for ---- */

struct asking {
    struct ask ask;
    struct bob_event told;
};

static inline void
tell(struct ask *a)
{
    bob_event_set(&STRUCT_OF(a, struct asking, ask)->told);
}

static inline struct ask *
begin(struct asking *q)
{
    memset(q, 0, sizeof *q);
    bob_event_init(&q->told);
    q->ask.tell = tell;
    return &q->ask;
}

static inline enum why
end(struct asking *q, enum why why)
{
    if (why == WHY_PENDING)
        assert_int_equal(bob_event_wait(&q->told, bob_in_seconds(60)), BOB_OK);
    bob_event_fini(&q->told);
    return q->ask.outcome.why;
}

static inline void
put(struct shop *s, const char *name, int64_t max_workers)
{
    const struct executor_terms t = {.max_workers = max_workers, .max_queue = 100000};
    struct executor_view view;
    struct asking q;

    assert_int_equal(end(&q, executor_put(s->w.c, clock_now(), name, &t, &view, begin(&q))),
                     WHY_OK);
}

static inline struct executor_view
show(struct shop *s, const char *name)
{
    struct executor_view view;
    struct asking q;

    assert_int_equal(end(&q, executor_show(s->w.c, NOW, name, &view, begin(&q))), WHY_OK);
    return view;
}

static inline uint64_t
submit(struct shop *s, const char *executor, const char *kind, const char *args, int64_t timeout_ns)
{
    const struct submission what = {.kind = kind, .args = args, .timeout_ns = timeout_ns};
    struct asking q;

    assert_int_equal(end(&q, task_submit(s->w.c, clock_now(), executor, &what, begin(&q))), WHY_OK);
    return q.ask.outcome.task;
}

/* The task once it is over; its blobs are the caller's. */
static inline struct task_view
outcome(struct shop *s, uint64_t number)
{
    struct task_view view;
    struct asking q;

    assert_int_equal(end(&q, task_wait(s->w.c, clock_now(), number, 60 * SECOND, &view, begin(&q))),
                     WHY_OK);
    return view;
}

static inline struct task_view
look(struct shop *s, uint64_t number)
{
    struct task_view view;
    struct asking q;

    assert_int_equal(end(&q, task_wait(s->w.c, clock_now(), number, 0, &view, begin(&q))), WHY_OK);
    task_view_free(&view);
    return view;
}

static inline enum why
cancel(struct shop *s, uint64_t number)
{
    struct asking q;

    return end(&q, task_cancel(s->w.c, clock_now(), number, begin(&q)));
}

static inline enum task_state
ended(struct shop *s, uint64_t number)
{
    struct task_view view = outcome(s, number);

    task_view_free(&view);
    return view.state;
}

#endif
