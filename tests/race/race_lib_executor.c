/* race_lib_executor.c - executors, futures and maps under several threads at once, bounded by counts; TAP, for
 * ThreadSanitizer.
 *
 * Each part ends with a sum that is right only if nothing was lost, done twice, or torn.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race.h"

enum { THREADS = 4, EACH = 40 };

static int rounds; /* set by main */

static struct bob_executor *x;
static int ran;

static struct bob_executor *
executor_of(unsigned workers, unsigned max_queue, enum bob_on_full on_full)
{
    const struct bob_executor_options options = {
        .max_workers = workers, .max_queue = max_queue, .on_full = on_full};
    struct bob_executor *made = bob_executor_new("pool", &options);

    if (!made)
        abort();
    ran = 0;
    return made;
}

static enum bob_err
count(void *arg, void **ret_value)
{
    add(&ran, 1);
    *ret_value = arg;
    return BOB_OK;
}

static enum bob_err
count_and_fail(void *arg, void **ret_value)
{
    (void)ret_value;
    add(&ran, 1);
    return bob_fail(BOB_ERR_FULL, "number %d", *(int *)arg);
}

/* ---- many submit ---- */

static void *
submit_and_ask(void *arg)
{
    struct bob_future *f[EACH];
    void *value;

    for (int i = 0; i < rounds; i++) {
        for (int j = 0; j < EACH; j++)
            expect(!bob_executor_submit(x, count, &f[j], &f[j]));
        for (int j = EACH - 1; j >= 0; j--) {
            expect(!bob_future_result(f[j], BOB_FOREVER, &value) && value == &f[j]);
            bob_future_unref(f[j]);
        }
        expect(!bob_executor_submit(x, count, arg, NULL));
    }
    return NULL;
}

static bool
many_submit(unsigned max_queue, enum bob_on_full on_full)
{
    x = executor_of(3, max_queue, on_full);
    in_threads(THREADS, submit_and_ask);
    bob_executor_free(x);
    return ran == THREADS * rounds * (EACH + 1);
}

/* ---- resize and failures, all at once ---- */

static void *
resize_or_fail(void *arg)
{
    struct bob_failure failure;
    struct bob_future *f;
    char want[32];

    for (int i = 0; i < rounds; i++) {
        if (*(int *)arg == 0) {
            expect(!bob_executor_resize(x, 1 + (unsigned)i % 4));
            expect(bob_executor_busy(x) <= THREADS);
            continue;
        }
        expect(!bob_executor_submit(x, count_and_fail, arg, &f));
        expect(bob_future_result(f, BOB_FOREVER, NULL) == BOB_ERR_FULL);
        (void)snprintf(want, sizeof want, "number %d", *(int *)arg);
        expect(bob_future_failure(f, &failure) && strcmp(failure.message, want) == 0);
        bob_future_unref(f);
    }
    return NULL;
}

static bool
sizes_change_while_work_fails(void)
{
    x = executor_of(2, 0, BOB_FULL_FAIL);
    in_threads(THREADS, resize_or_fail);
    bob_executor_free(x);
    return ran == (THREADS - 1) * rounds;
}

/* ---- one future, many hands ---- */

static struct bob_future *shared;
static int finished, called, plain; /* plain: written by who finishes, read by the others */

static void
call(struct bob_future *f, void *arg)
{
    expect(bob_future_done(f) && plain == 1);
    add(arg, 1);
}

static void *
finish_or_watch(void *arg)
{
    struct bob_as_completed *it = bob_as_completed_new(&shared, 1);
    struct bob_future *f;
    void *value = NULL;
    enum bob_err err;

    expect(it && !bob_future_add_done_callback(shared, call, &called));
    if (*(int *)arg == 0) {
        plain = 1;
        expect(!bob_future_set_result(shared, &plain));
        expect(bob_future_set_result(shared, NULL) == BOB_ERR_STATE);
    } else if (*(int *)arg == 1) {
        bob_as_completed_free(it); /* before or after it is done */
        it = NULL;
    } else {
        size_t n = 0;

        err = bob_future_wait(&shared, 1, BOB_FIRST_COMPLETED,
                              *(int *)arg == 2 ? BOB_FOREVER : bob_in_ms(1), &n);
        expect(err == BOB_ERR_TIMEOUT || (!err && n == 1 && plain == 1));
    }
    if (it)
        expect(!bob_as_completed_next(it, BOB_FOREVER, &f) && f == shared);
    err = bob_future_result(shared, BOB_FOREVER, &value);
    expect(!err && value == &plain && plain == 1);
    bob_as_completed_free(it);
    return NULL;
}

static bool
one_finishes_and_all_others_see_it(void)
{
    called = 0;
    for (int i = 0; i < rounds; i++) {
        plain = 0;
        shared = bob_future_new();
        in_threads(THREADS, finish_or_watch);
        bob_future_unref(shared);
    }
    return called == THREADS * rounds;
}

static void *
finish_by_any_way(void *arg)
{
    int how = *(int *)arg;

    if (how == 0)
        add(&finished, bob_future_cancel(shared));
    else if (how == 1)
        add(&finished, bob_future_set_error(shared, BOB_ERR_FULL, "full") == BOB_OK);
    else
        add(&finished, bob_future_set_result(shared, arg) == BOB_OK);
    expect(bob_future_done(shared)); /* whoever did it */
    return NULL;
}

static bool
only_one_way_wins(void)
{
    finished = 0;
    for (int i = 0; i < rounds; i++) {
        shared = bob_future_new();
        in_threads(THREADS, finish_by_any_way);
        bob_future_unref(shared);
    }
    return finished == rounds;
}

/* ---- cancel against start, and shut down ---- */

static void *
submit_and_cancel(void *arg)
{
    struct bob_future *f;
    int cancelled = 0;

    for (int i = 0; i < rounds * 4; i++) {
        expect(!bob_executor_submit(x, count, arg, &f));
        if (bob_future_cancel(f)) {
            cancelled++;
            expect(bob_future_result(f, BOB_AT_ONCE, NULL) == BOB_ERR_CANCELLED);
        } else {
            expect(!bob_future_result(f, BOB_FOREVER, NULL));
        }
        bob_future_unref(f);
    }
    add(&ran, cancelled);
    return NULL;
}

static bool
cancelled_or_run_and_not_both(void)
{
    x = executor_of(2, 0, BOB_FULL_FAIL);
    in_threads(THREADS, submit_and_cancel);
    bob_executor_free(x);
    return ran == THREADS * rounds * 4;
}

static void *
submit_until_shut_down(void *arg)
{
    struct bob_future *f;
    enum bob_err err;

    if (*(int *)arg == 0) {
        while (read_of(&ran) < EACH) {
            expect(!bob_executor_submit(x, count, arg, NULL));
            (void)sched_yield(); /* valgrind runs one thread at a time, and would run this one */
        }
        expect(!bob_executor_shut_down(x, true, BOB_FOREVER));
        return NULL;
    }
    while (!(err = bob_executor_submit(x, count, arg, &f))) {
        err = bob_future_result(f, BOB_FOREVER, NULL);
        expect(!err || err == BOB_ERR_CANCELLED);
        bob_future_unref(f);
    }
    expect(err == BOB_ERR_SHUT_DOWN);
    return NULL;
}

static bool
shut_down_leaves_no_future_undone(void)
{
    for (int i = 0; i < rounds / 10; i++) {
        x = executor_of(2, i % 2 ? 1 : 0, BOB_FULL_WAIT);
        in_threads(THREADS, submit_until_shut_down);
        bob_executor_free(x);
    }
    return true;
}

/* ---- maps ---- */

enum { N = 500 };

static enum bob_err
next_of(void *arg, void **ret_value)
{
    *ret_value = (char *)arg + 1;
    return (uintptr_t)arg == N - 7 ? BOB_ERR_FULL : BOB_OK;
}

static void *
map_over_and_over(void *arg)
{
    struct bob_map_failure failure;
    void *args[N], *values[N];

    for (uintptr_t i = 0; i < N; i++)
        args[i] = (void *)i;
    for (int i = 0; i < rounds / 10; i++) {
        struct bob_map_options options = {.chunk = (size_t)i % 9,
                                          .deadline = i % 2 ? bob_in_seconds(60) : 0,
                                          .ret_failure = &failure};
        bool whole = *(int *)arg % 2;
        enum bob_err err = bob_executor_map(x, next_of, args, whole ? N : N - 7, values, &options);

        expect(err == (whole ? BOB_ERR_FULL : BOB_OK));
        expect(!whole || failure.index == N - 7);
        for (uintptr_t j = 0; j < N - 7; j++)
            expect(values[j] == (void *)(j + 1));
        options.deadline = bob_in_ms(0);
        err = bob_executor_map(x, next_of, args, N - 7, values, &options);
        expect(!err || err == BOB_ERR_TIMEOUT);
    }
    return NULL;
}

static bool
maps_share_an_executor(void)
{
    x = executor_of(3, 0, BOB_FULL_FAIL);
    in_threads(THREADS, map_over_and_over);
    bob_executor_free(x);
    return true;
}

static bool
submit_from_many(void)
{
    return many_submit(0, BOB_FULL_FAIL);
}

static bool
submit_with_little_room(void)
{
    return many_submit(2, BOB_FULL_WAIT) && many_submit(2, BOB_FULL_CALLER_RUNS);
}

int
main(void)
{
    static const struct part parts[] = {
        {"what many threads submit is run once each", submit_from_many},
        {"also when there is little room", submit_with_little_room},
        {"sizes change while work fails", sizes_change_while_work_fails},
        {"one finishes a future and all others see it", one_finishes_and_all_others_see_it},
        {"of all that would finish a future one does", only_one_way_wins},
        {"work is cancelled or run", cancelled_or_run_and_not_both},
        {"a shut-down leaves no future undone", shut_down_leaves_no_future_undone},
        {"maps share an executor", maps_share_an_executor},
    };

    rounds = rounds_of(300, 10);
    return run_parts(parts, sizeof parts / sizeof *parts);
}
