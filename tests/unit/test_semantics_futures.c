/* test_semantics_futures.c - what users of concurrent.futures will try.
 *
 * SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>

#include "unit/semantics.h"

static int cells[4];

/* ---- Executor ---- */

static enum bob_err
give_back(void *arg, void **ret_value)
{
    *ret_value = arg;
    return BOB_OK;
}

static enum bob_err
fail_for_want(void *arg, void **ret_value)
{
    (void)ret_value;
    return bob_fail(BOB_ERR_SYSTEM, "no %s", (const char *)arg);
}

static enum bob_err
wait_for_gate(void *gate, void **ret_value)
{
    (void)ret_value;
    return bob_event_wait(gate, BOB_FOREVER);
}

static struct bob_future *
submit(struct bob_executor *x, bob_work_fn fn, void *arg)
{
    struct bob_future *f = NULL;

    assert_int_equal(bob_executor_submit(x, fn, arg, &f), BOB_OK);
    return f;
}

static enum bob_err
executor_submit_after_shut_down(void)
{
    struct bob_executor *x = bob_executor_new("x", NULL);
    struct bob_future *f;
    enum bob_err err;

    assert_int_equal(bob_executor_shut_down(x, false, BOB_FOREVER), BOB_OK);
    err = bob_executor_submit(x, give_back, NULL, &f);
    bob_executor_free(x);
    return err;
}

static enum bob_err
executor_default_workers(void)
{
    struct bob_executor *x = bob_executor_new("x", NULL);
    struct bob_event gate;
    struct bob_future *f[40];
    size_t before = bob_thread_active_count(), most;
    cpu_set_t processors;
    int want;

    bob_event_init(&gate);
    assert_int_equal(sched_getaffinity(0, sizeof processors, &processors), 0);
    want = CPU_COUNT(&processors) + 4;
    want = want < 32 ? want : 32;
    for (int i = 0; i < 40; i++)
        f[i] = submit(x, wait_for_gate, &gate);
    most = bob_thread_active_count() - before;
    bob_event_set(&gate);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(bob_future_result(f[i], BOB_FOREVER, NULL), BOB_OK);
        bob_future_unref(f[i]);
    }
    bob_executor_free(x);
    bob_event_fini(&gate);
    return holds(most == (size_t)want);
}

static enum bob_err
executor_starts_threads_lazily(void)
{
    const struct bob_executor_options options = {.max_workers = 4};
    struct bob_executor *x = bob_executor_new("x", &options);
    size_t before = bob_thread_active_count(), without_work = before, after_one;
    struct bob_future *f;

    without_work = bob_thread_active_count();
    f = submit(x, give_back, NULL);
    assert_int_equal(bob_future_result(f, BOB_FOREVER, NULL), BOB_OK);
    after_one = bob_thread_active_count();
    bob_future_unref(f);
    bob_executor_free(x);
    return holds(without_work == before && after_one == before + 1);
}

static enum bob_err
not_today(void *arg)
{
    (void)arg;
    return bob_fail(BOB_ERR_SYSTEM, "not today");
}

static enum bob_err
executor_initializer_fails(void)
{
    const struct bob_executor_options options = {.max_workers = 1, .initializer = not_today};
    struct bob_executor *x = bob_executor_new("x", &options);
    struct bob_future *f = submit(x, give_back, NULL);
    enum bob_err err;

    assert_int_equal(bob_future_result(f, BOB_FOREVER, NULL), BOB_ERR_BROKEN);
    bob_future_unref(f);
    err = bob_executor_submit(x, give_back, NULL, &f);
    bob_executor_free(x);
    return err;
}

static enum bob_err
executor_map_keeps_the_order(void)
{
    struct bob_executor *x = bob_executor_new("x", NULL);
    void *args[] = {&cells[0], &cells[1], &cells[2], &cells[3]};
    void *values[4] = {NULL};

    assert_int_equal(bob_executor_map(x, give_back, args, 4, values, NULL), BOB_OK);
    assert_memory_equal(values, args, sizeof args);
    bob_executor_free(x);
    return BOB_OK;
}

/* ---- Future ---- */

static enum bob_err
future_cancel_when_running_or_done(void)
{
    struct bob_future *f = bob_future_new();
    bool while_running, when_done;

    assert_true(bob_future_start(f));
    while_running = bob_future_cancel(f);
    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
    when_done = bob_future_cancel(f);
    bob_future_unref(f);
    return holds(!while_running && !when_done);
}

static enum bob_err
future_set_twice(void)
{
    struct bob_future *f = bob_future_new();
    enum bob_err err;

    assert_int_equal(bob_future_set_result(f, &cells[0]), BOB_OK);
    err = bob_future_set_error(f, BOB_ERR_SYSTEM, "late");
    bob_future_unref(f);
    return err;
}

static enum bob_err
future_of_the_cancelled(void)
{
    struct bob_future *f = bob_future_new();
    enum bob_err err;

    assert_true(bob_future_cancel(f));
    assert_true(bob_future_cancel(f)); /* still */
    assert_false(bob_future_start(f));
    err = bob_future_result(f, BOB_FOREVER, NULL);
    bob_future_unref(f);
    return err;
}

static enum bob_err
future_result_of_failed_work(void)
{
    struct bob_executor *x = bob_executor_new("x", NULL);
    char word[] = "wool";
    struct bob_future *f = submit(x, fail_for_want, word);
    struct bob_failure failure;
    enum bob_err err = bob_future_result(f, BOB_FOREVER, NULL);

    assert_true(bob_future_failure(f, &failure));
    assert_string_equal(failure.message, "no wool");
    assert_non_null(strstr(failure.origin, "test_semantics_futures.c:"));
    assert_non_null(strstr(failure.origin, "x-0"));
    bob_future_unref(f);
    bob_executor_free(x);
    return err;
}

static void
note_thread(struct bob_future *f, void *ret_thread)
{
    (void)f;
    *(struct bob_thread **)ret_thread = bob_thread_current();
}

static enum bob_err
future_late_callback_runs_at_once(void)
{
    struct bob_future *f = bob_future_new();
    struct bob_thread *in = NULL;

    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
    assert_int_equal(bob_future_add_done_callback(f, note_thread, &in), BOB_OK);
    bob_future_unref(f);
    return holds(in == bob_thread_current());
}

/* ---- wait and as_completed ---- */

/* Three futures: one that waits for the gate, and two that end by themselves. */
struct three {
    struct bob_executor *executor;
    struct bob_event gate;
    struct bob_future *f[3];
};

static void
three_begin(struct three *t, bob_work_fn second)
{
    const struct bob_executor_options options = {.max_workers = 3};
    static char word[] = "thread";

    bob_event_init(&t->gate);
    t->executor = bob_executor_new("x", &options);
    t->f[0] = submit(t->executor, wait_for_gate, &t->gate);
    t->f[1] = submit(t->executor, second, word);
    t->f[2] = submit(t->executor, give_back, NULL);
}

static void
three_end(struct three *t)
{
    bob_event_set(&t->gate);
    for (int i = 0; i < 3; i++) {
        (void)!bob_future_result(t->f[i], BOB_FOREVER, NULL);
        bob_future_unref(t->f[i]);
    }
    bob_executor_free(t->executor);
    bob_event_fini(&t->gate);
}

static enum bob_err
wait_first_completed(void)
{
    struct three t;
    size_t n = 0;
    enum bob_err err;

    three_begin(&t, give_back);
    err = bob_future_wait(t.f, 3, BOB_FIRST_COMPLETED, BOB_FOREVER, &n);
    assert_in_range(n, 1, 2);
    assert_false(bob_future_done(t.f[0]));
    three_end(&t);
    return err;
}

static enum bob_err
wait_first_exception(void)
{
    struct three t;
    enum bob_err err;

    three_begin(&t, fail_for_want);
    err = bob_future_wait(t.f, 3, BOB_FIRST_EXCEPTION, BOB_FOREVER, NULL);
    assert_true(bob_future_done(t.f[1]));
    assert_false(bob_future_done(t.f[0]));
    three_end(&t);
    return err;
}

static enum bob_err
wait_first_exception_when_none_fails(void)
{
    struct three t;
    enum bob_err early, err;
    size_t n = 0;

    three_begin(&t, give_back);
    early = bob_future_wait(t.f, 3, BOB_FIRST_EXCEPTION, bob_in_ms(1), NULL);
    assert_int_equal(early, BOB_ERR_TIMEOUT);
    bob_event_set(&t.gate);
    err = bob_future_wait(t.f, 3, BOB_FIRST_EXCEPTION, BOB_FOREVER, &n);
    assert_int_equal(n, 3);
    three_end(&t);
    return err;
}

static enum bob_err
as_completed_gives_each_once(void)
{
    struct three t;
    struct bob_as_completed *it;
    struct bob_future *f = NULL;
    bob_time until = bob_in_ms(1); /* one deadline for all, from the call */
    enum bob_err err;

    three_begin(&t, give_back);
    it = bob_as_completed_new(t.f, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bob_as_completed_next(it, BOB_FOREVER, &f), BOB_OK);
        assert_ptr_not_equal(f, t.f[0]);
    }
    assert_int_equal(bob_as_completed_next(it, until, &f), BOB_ERR_TIMEOUT);
    bob_event_set(&t.gate);
    assert_int_equal(bob_as_completed_next(it, BOB_FOREVER, &f), BOB_OK);
    assert_ptr_equal(f, t.f[0]);
    err = bob_as_completed_next(it, BOB_FOREVER, &f);
    bob_as_completed_free(it);
    three_end(&t);
    return err;
}

/* clang-format off */
static const struct row rows[] = {
    {"Executor: submit after shutdown is refused",                executor_submit_after_shut_down,       BOB_ERR_SHUT_DOWN},
    {"Executor: default workers are min(32, processors + 4)",     executor_default_workers,              BOB_OK},
    {"Executor: threads start when there is work",                executor_starts_threads_lazily,        BOB_OK},
    {"Executor: an initializer that fails breaks it",             executor_initializer_fails,            BOB_ERR_BROKEN},
    {"Executor: map gives results in order",                      executor_map_keeps_the_order,          BOB_OK},
    {"Future: cancel is refused when running or done",            future_cancel_when_running_or_done,    BOB_OK},
    {"Future: a second result is refused",                        future_set_twice,                      BOB_ERR_STATE},
    {"Future: result of a cancelled one",                         future_of_the_cancelled,               BOB_ERR_CANCELLED},
    {"Future: result of failed work is its error, with message and origin", future_result_of_failed_work, BOB_ERR_SYSTEM},
    {"Future: a callback added when done runs at once, here",     future_late_callback_runs_at_once,     BOB_OK},
    {"wait: FIRST_COMPLETED",                                     wait_first_completed,                  BOB_OK},
    {"wait: FIRST_EXCEPTION returns when one fails",              wait_first_exception,                  BOB_OK},
    {"wait: FIRST_EXCEPTION is ALL_COMPLETED when none fails",    wait_first_exception_when_none_fails,  BOB_OK},
    {"as_completed: each once, as it finishes, with a timeout",   as_completed_gives_each_once,          BOB_ERR_EMPTY},
};
/* clang-format on */

int
main(void)
{
    return run_rows("semantics of concurrent.futures", rows, sizeof rows / sizeof rows[0]);
}
