/* test_semantics_queue.c - what users of threading.Thread and Timer and of queue.Queue will try.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/semantics.h"

static int cells[4];

/* ---- Thread and Timer ---- */

static void *
join_myself(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)bob_thread_join(bob_thread_current(), BOB_FOREVER, NULL);
}

static enum bob_err
thread_joins_itself(void)
{
    return (enum bob_err)(intptr_t)in_another_thread(join_myself, NULL);
}

static void *
wait_for_event(void *event)
{
    return bob_event_wait(event, BOB_FOREVER) ? NULL : event;
}

static enum bob_err
thread_join_times_out(void)
{
    struct bob_event end;
    struct bob_thread *t;
    enum bob_err err;

    bob_event_init(&end);
    assert_int_equal(bob_thread_start(&t, "long", wait_for_event, &end, NULL), BOB_OK);
    err = bob_thread_join(t, bob_in_ms(1), NULL);
    assert_true(bob_thread_is_alive(t));
    bob_event_set(&end);
    assert_int_equal(bob_thread_join(t, BOB_FOREVER, NULL), BOB_OK);
    assert_false(bob_thread_is_alive(t));
    assert_int_equal(bob_thread_join(t, BOB_AT_ONCE, NULL), BOB_OK); /* and again */
    bob_thread_free(t);
    bob_event_fini(&end);
    return err;
}

static void
set_event(void *event)
{
    bob_event_set(event);
}

static enum bob_err
timer_cancel_before_and_after(void)
{
    struct bob_timers *ts = bob_timers_new("clock");
    struct bob_event fired;
    struct bob_timer *soon, *late;
    bool cancelled_late, cancelled_soon;

    bob_event_init(&fired);
    late = bob_timer_start(ts, bob_in_seconds(600), 0, set_event, &fired);
    cancelled_late = bob_timer_cancel(late);
    assert_false(bob_event_is_set(&fired));
    soon = bob_timer_start(ts, BOB_AT_ONCE, 0, set_event, &fired);
    assert_int_equal(bob_event_wait(&fired, BOB_FOREVER), BOB_OK);
    assert_int_equal(bob_timer_join(soon, BOB_FOREVER), BOB_OK);
    cancelled_soon = bob_timer_cancel(soon);
    bob_timer_free(late);
    bob_timer_free(soon);
    bob_timers_free(ts);
    bob_event_fini(&fired);
    return holds(cancelled_late && !cancelled_soon);
}

/* ---- Queue ---- */

static enum bob_err
queue_full(void)
{
    struct bob_queue *q = bob_queue_new(1);
    enum bob_err err;

    assert_int_equal(bob_queue_put(q, &cells[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &cells[1], bob_in_ms(1)), BOB_ERR_TIMEOUT);
    err = bob_queue_put(q, &cells[1], BOB_AT_ONCE);
    bob_queue_free(q);
    return err;
}

static enum bob_err
queue_empty(void)
{
    struct bob_queue *q = bob_queue_new(0);
    void *item;
    enum bob_err err;

    assert_int_equal(bob_queue_get(q, &item, bob_in_ms(1)), BOB_ERR_TIMEOUT);
    err = bob_queue_get(q, &item, BOB_AT_ONCE);
    bob_queue_free(q);
    return err;
}

static enum bob_err
queue_task_done_too_often(void)
{
    struct bob_queue *q = bob_queue_new(0);
    void *item;
    enum bob_err err;

    assert_int_equal(bob_queue_put(q, &cells[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_get(q, &item, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_task_done(q), BOB_OK);
    err = bob_queue_task_done(q);
    bob_queue_free(q);
    return err;
}

static enum bob_err
queue_shut_down_lets_drain(void)
{
    struct bob_queue *q = bob_queue_new(0);
    void *item = NULL;
    enum bob_err err;

    assert_int_equal(bob_queue_put(q, &cells[0], BOB_AT_ONCE), BOB_OK);
    bob_queue_shut_down(q);
    assert_int_equal(bob_queue_put(q, &cells[1], BOB_FOREVER), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_queue_get(q, &item, BOB_FOREVER), BOB_OK);
    assert_ptr_equal(item, &cells[0]);
    err = bob_queue_get(q, &item, BOB_FOREVER);
    bob_queue_free(q);
    return err;
}

/* Two put, one of them gotten: what is drained is done with, what is worked on is not. */
static enum bob_err
queue_shut_down_now_lowers_unfinished(void)
{
    struct bob_queue *q = bob_queue_new(0);
    void *item;

    assert_int_equal(bob_queue_put(q, &cells[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &cells[1], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_get(q, &item, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_shut_down_now(q, NULL), 1);
    assert_int_equal(bob_queue_get(q, &item, BOB_FOREVER), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_queue_task_done(q), BOB_OK);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_OK);
    bob_queue_free(q);
    return BOB_OK;
}

static enum bob_err
queue_lifo(void)
{
    struct bob_queue *q = bob_queue_new_lifo(0);
    void *item = NULL;

    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_queue_put(q, &cells[i], BOB_AT_ONCE), BOB_OK);
    for (int i = 2; i >= 0; i--) {
        assert_int_equal(bob_queue_get(q, &item, BOB_AT_ONCE), BOB_OK);
        assert_ptr_equal(item, &cells[i]);
    }
    bob_queue_free(q);
    return BOB_OK;
}

static enum bob_err
queue_priority(void)
{
    static const int64_t priority[] = {5, 1, 5, -2};
    static const int order[] = {3, 1, 0, 2}; /* ties: as they came */
    struct bob_queue *q = bob_queue_new_priority(0);
    void *item = NULL;

    for (int i = 0; i < 4; i++)
        assert_int_equal(bob_queue_put_at(q, &cells[i], priority[i], BOB_AT_ONCE), BOB_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bob_queue_get(q, &item, BOB_AT_ONCE), BOB_OK);
        assert_ptr_equal(item, &cells[order[i]]);
    }
    bob_queue_free(q);
    return BOB_OK;
}

/* clang-format off */
static const struct row rows[] = {
    {"Thread: one that joins itself is told so",                  thread_joins_itself,                   BOB_ERR_INVALID},
    {"Thread: join by a deadline; is_alive tells",                thread_join_times_out,                 BOB_ERR_TIMEOUT},
    {"Timer: cancel works before it fires, not after",            timer_cancel_before_and_after,         BOB_OK},
    {"Queue: put without blocking into a full one",               queue_full,                            BOB_ERR_FULL},
    {"Queue: get without blocking from an empty one",             queue_empty,                           BOB_ERR_EMPTY},
    {"Queue: task_done too often is refused",                     queue_task_done_too_often,             BOB_ERR_INVALID},
    {"Queue: shut down, put fails, get drains and then fails",    queue_shut_down_lets_drain,            BOB_ERR_SHUT_DOWN},
    {"Queue: immediate shutdown lowers unfinished by what it drained", queue_shut_down_now_lowers_unfinished, BOB_OK},
    {"LifoQueue: last in, first out",                             queue_lifo,                            BOB_OK},
    {"PriorityQueue: lowest first, ties in order of arrival",     queue_priority,                        BOB_OK},
};
/* clang-format on */

int
main(void)
{
    return run_rows("semantics of Thread, Timer and queue", rows, sizeof rows / sizeof rows[0]);
}
