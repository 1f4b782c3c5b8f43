/* test_map.c - lib/map.c: results in order, the lowest failure, and an end to every wait.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "executor_world.h"

enum { N = 1000 };

static void *args[N], *values[N];

static int
prepare(void **state)
{
    for (size_t i = 0; i < N; i++)
        args[i] = (void *)i;
    memset(values, 0xFF, sizeof values);
    return gate_open(state);
}

static enum bob_err
square(void *arg, void **ret_value)
{
    *ret_value = (void *)((size_t)arg * (size_t)arg);
    return BOB_OK;
}

static bool
are_squares(size_t from, size_t end)
{
    for (size_t i = from; i < end; i++)
        if (values[i] != (void *)(i * i))
            return false;
    return true;
}

static void
results_stand_in_order_whatever_the_chunk(void **state)
{
    static const struct {
        size_t n, chunk;
    } T[] = {{N, 0}, {N, 1}, {N, 7}, {N, N}, {N, SIZE_MAX}, {1, 0}, {1, 5}, {3, 2}, {5, 0}};
    struct bob_executor *x = executor_of(3, 0, BOB_FULL_FAIL);

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof *T; i++)
        for (int timed = 0; timed < 2; timed++) {
            const struct bob_map_options options = {.chunk = T[i].chunk,
                                                    .deadline = timed ? bob_in_seconds(60) : 0};

            memset(values, 0xFF, sizeof values);
            assert_int_equal(bob_executor_map(x, square, args, T[i].n, values, &options), BOB_OK);
            assert_true(are_squares(0, T[i].n));
            if (T[i].n < N)
                assert_ptr_equal(values[T[i].n], (void *)UINTPTR_MAX);
        }
    assert_int_equal(bob_executor_map(x, square, args, 0, values, NULL), BOB_OK);
    assert_int_equal(bob_executor_map(x, square, args, N, NULL, NULL), BOB_OK);
    bob_executor_free(x);
}

static size_t ran[N]; /* atomic */

static enum bob_err
fail_at_300_and_700(void *arg, void **ret_value)
{
    size_t i = (size_t)arg;

    __atomic_add_fetch(&ran[i], 1, __ATOMIC_RELAXED);
    if (i == 300)
        return bob_fail(BOB_ERR_SYSTEM, "item %zu", i);
    if (i == 700)
        return BOB_ERR_FULL;
    return square(arg, ret_value);
}

static void
the_lowest_that_fails_is_the_error(void **state)
{
    struct bob_map_failure failure;
    struct bob_executor *x = executor_of(4, 0, BOB_FULL_FAIL);

    (void)state;
    for (size_t chunk = 1; chunk <= N; chunk = chunk * 3 + 1)
        for (int timed = 0; timed < 2; timed++) {
            const struct bob_map_options options = {.chunk = chunk,
                                                    .deadline = timed ? bob_in_seconds(60) : 0,
                                                    .ret_failure = &failure};

            memset(ran, 0, sizeof ran);
            memset(values, 0, sizeof values);
            assert_int_equal(bob_executor_map(x, fail_at_300_and_700, args, N, values, &options),
                             BOB_ERR_SYSTEM);
            assert_int_equal(failure.index, 300);
            assert_int_equal(failure.code, BOB_ERR_SYSTEM);
            assert_string_equal(failure.message, "item 300");
            assert_non_null(strstr(failure.origin, "test_map.c:"));
            assert_non_null(strstr(failure.origin, " in pool-"));
            assert_true(are_squares(0, 300));
            for (size_t i = 0; i < N; i++)
                assert_true(i <= 300 ? ran[i] == 1 : ran[i] <= 1);
        }
    assert_int_equal(bob_executor_map(x, fail_at_300_and_700, args, 300, values, NULL), BOB_OK);
    bob_executor_free(x);
}

static void
what_has_not_begun_when_one_fails_never_does(void **state)
{
    const struct bob_map_options options = {.chunk = 1};
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);

    (void)state;
    memset(ran, 0, sizeof ran);
    assert_int_equal(bob_executor_map(x, fail_at_300_and_700, args, N, values, &options),
                     BOB_ERR_SYSTEM);
    for (size_t i = 301; i < N; i++)
        assert_int_equal(ran[i], 0);
    bob_executor_free(x);
}

static void
after_the_deadline_nothing_begins(void **state)
{
    static const size_t chunk[] = {1, N / 2}; /* nor the rest of a chunk that was begun */

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct bob_map_options options = {.chunk = chunk[i], .deadline = bob_in_ms(5)};
        struct bob_executor *x = executor_of(2, 0, BOB_FULL_FAIL);

        assert_int_equal(bob_executor_map(x, held, args, N, values, &options), BOB_ERR_TIMEOUT);
        assert_ptr_equal(values[0], (void *)UINTPTR_MAX);
        assert_int_equal(bob_semaphore_release(go, 2),
                         BOB_OK); /* those that run use no array of ours */
        assert_int_equal(bob_executor_shut_down(x, false, bob_in_seconds(20)), BOB_OK);
        assert_true(bob_semaphore_value(began) <= 2 * (i + 1));
        assert_ptr_equal(values[0], (void *)UINTPTR_MAX);
        bob_executor_free(x);
    }
}

/* ---- from inside ---- */

struct nest {
    struct bob_executor *x;
    int depth;
};

static enum bob_err
map_inside(void *arg, void **ret_value)
{
    struct nest *outer = arg;
    struct nest inner = {outer->x, outer->depth - 1};
    void *inners[5] = {&inner, &inner, &inner, &inner, &inner}, *sums[5];
    size_t sum = 0;
    enum bob_err err;

    if (outer->depth == 0) {
        *ret_value = (void *)(size_t)1;
        return BOB_OK;
    }
    err = bob_executor_map(outer->x, map_inside, inners, 5, sums, NULL);
    for (int i = 0; i < 5 && !err; i++)
        sum += (size_t)sums[i];
    *ret_value = (void *)sum;
    return err;
}

static void
work_of_its_own_may_map(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++) {
        struct bob_executor *x = executor_of(workers, 1, BOB_FULL_FAIL);
        struct nest top = {x, 3};
        struct bob_future *f;
        void *sum = NULL;

        assert_int_equal(bob_executor_submit(x, map_inside, &top, &f), BOB_OK);
        assert_int_equal(bob_future_result(f, bob_in_seconds(60), &sum), BOB_OK);
        assert_ptr_equal(sum, (void *)(size_t)(5 * 5 * 5));
        bob_future_unref(f);
        bob_executor_free(x);
    }
}

static enum bob_err
outlast(void *until, void **ret_value)
{
    (void)ret_value;
    __atomic_add_fetch(&ran[0], 1, __ATOMIC_RELAXED);
    while (bob_now() <= *(bob_time *)until)
        sched_yield();
    return BOB_OK;
}

static enum bob_err
map_in_one_chunk(void *x, void **ret_value)
{
    bob_time until = bob_in_ms(20);
    const struct bob_map_options options = {.chunk = 3, .deadline = until};
    void *three[3] = {&until, &until, &until};

    (void)ret_value;
    return bob_executor_map(x, outlast, three, 3, NULL, &options);
}

static enum bob_err
map_too_late(void *x, void **ret_value)
{
    const struct bob_map_options options = {.chunk = 1, .deadline = 1}; /* long past */

    (void)ret_value;
    return bob_executor_map(x, held, args, N, values, &options);
}

static void
work_that_maps_ends_by_its_deadline_too(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f;

    (void)state;
    assert_int_equal(bob_executor_submit(x, map_too_late, x, &f), BOB_OK);
    assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_semaphore_value(began), 0);
    bob_future_unref(f);

    for (ran[0] = 0; ran[0] == 0;) { /* on a busy machine it may be too late for this one, too */
        assert_int_equal(bob_executor_submit(x, map_in_one_chunk, x, &f), BOB_OK);
        assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_TIMEOUT);
        bob_future_unref(f);
    }
    assert_int_equal(ran[0], 1);
    bob_executor_free(x);
}

static enum bob_err
map_a_failure(void *x, void **ret_value)
{
    (void)ret_value;
    return bob_executor_map(x, fail_at_300_and_700, args, N, values, NULL);
}

static void
a_failure_inside_reaches_the_future_of_the_work_around_it(void **state)
{
    struct bob_executor *x = executor_of(2, 0, BOB_FULL_FAIL);
    struct bob_failure failure;
    struct bob_future *f;

    (void)state;
    assert_int_equal(bob_executor_submit(x, map_a_failure, x, &f), BOB_OK);
    assert_int_equal(bob_future_result(f, bob_in_seconds(60), NULL), BOB_ERR_SYSTEM);
    assert_true(bob_future_failure(f, &failure));
    assert_string_equal(failure.message, "item 300");
    assert_non_null(strstr(failure.origin, "test_map.c:"));
    bob_future_unref(f);
    bob_executor_free(x);
}

/* ---- full, shut down, broken ---- */

static void
a_full_executor_does_as_it_was_told(void **state)
{
    static const struct {
        enum bob_on_full on_full;
        enum bob_err err;
    } T[] = {
        {BOB_FULL_FAIL, BOB_ERR_FULL}, {BOB_FULL_CALLER_RUNS, BOB_OK}, {BOB_FULL_WAIT, BOB_OK}};

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct bob_executor *x = executor_of(1, 1, T[i].on_full);
        struct bob_future *f[2];

        for (int j = 0; j < 2; j++)
            assert_int_equal(bob_executor_submit(x, held, NULL, &f[j]), BOB_OK);
        if (T[i].on_full == BOB_FULL_WAIT)
            assert_int_equal(bob_semaphore_release(go, 2), BOB_OK);
        memset(values, 0, sizeof values);
        assert_int_equal(bob_executor_map(x, square, args, N, values, NULL), T[i].err);
        assert_int_equal(are_squares(0, N), T[i].err == BOB_OK);
        if (T[i].on_full != BOB_FULL_WAIT)
            assert_int_equal(bob_semaphore_release(go, 2), BOB_OK);
        bob_executor_free(x);
        bob_future_unref(f[0]);
        bob_future_unref(f[1]);
    }
}

static enum bob_err
map_squares(void *x, void **ret_value)
{
    (void)ret_value;
    return bob_executor_map(x, square, args, N, values, NULL);
}

static void
a_map_ends_when_its_executor_is_shut_down(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_executor *other = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f;

    (void)state;
    assert_int_equal(bob_executor_submit(x, held, NULL, NULL), BOB_OK);
    n_began(1);
    assert_int_equal(bob_executor_submit(other, map_squares, x, &f), BOB_OK);
    /* Before its helper was queued or after that: it ends. */
    assert_int_equal(bob_executor_shut_down(x, true, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_in_range(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_CANCELLED,
                    BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_int_equal(bob_executor_shut_down(x, false, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(bob_executor_map(x, square, args, N, values, NULL), BOB_ERR_SHUT_DOWN);
    bob_future_unref(f);
    bob_executor_free(other);
    bob_executor_free(x);
}

static enum bob_err
fail_to_start(void *arg)
{
    (void)arg;
    return BOB_ERR_SYSTEM;
}

static void
ignore(const struct bob_uncaught *uncaught, void *arg)
{
    (void)uncaught;
    (void)arg;
}

static void
a_map_on_a_broken_executor_is_broken(void **state)
{
    const struct bob_executor_options options = {.max_workers = 2, .initializer = fail_to_start};
    struct bob_executor *x = bob_executor_new("pool", &options);

    (void)state;
    bob_set_excepthook(ignore, NULL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bob_executor_map(x, square, args, N, values, NULL), BOB_ERR_BROKEN);
    bob_executor_free(x);
    bob_set_excepthook(NULL, NULL);
}

int
main(void)
{
#define prepared(fn) cmocka_unit_test_setup_teardown(fn, prepare, gate_close)
    const struct CMUnitTest tests[] = {
        prepared(results_stand_in_order_whatever_the_chunk),
        prepared(the_lowest_that_fails_is_the_error),
        prepared(what_has_not_begun_when_one_fails_never_does),
        prepared(after_the_deadline_nothing_begins),
        prepared(work_of_its_own_may_map),
        prepared(work_that_maps_ends_by_its_deadline_too),
        prepared(a_failure_inside_reaches_the_future_of_the_work_around_it),
        prepared(a_full_executor_does_as_it_was_told),
        prepared(a_map_ends_when_its_executor_is_shut_down),
        prepared(a_map_on_a_broken_executor_is_broken),
    };

    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
