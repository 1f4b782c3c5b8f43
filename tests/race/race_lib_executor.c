/* race_lib_executor.c - executors, futures and maps under several threads at once, bounded by counts; TAP, for
 * ThreadSanitizer.
 *
 * Each part ends with a sum that is right only if nothing was lost, done twice, or torn.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"

enum { THREADS = 4, EACH = 40 };

static int rounds; /* set by main */

static int broken; /* promises, by any part */

static int
add(int *counter, int n)
{
    return __atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static void
must(bool kept)
{
    add(&broken, !kept);
}

static void
in_threads(int n, void *(*fn)(void *))
{
    static int numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct bob_thread *t[8];

    for (int i = 0; i < n; i++)
        if (bob_thread_start(&t[i], "racer", fn, &numbers[i], NULL))
            abort();
    for (int i = 0; i < n; i++)
        bob_thread_free(t[i]);
}

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
            must(!bob_executor_submit(x, count, &f[j], &f[j]));
        for (int j = EACH - 1; j >= 0; j--) {
            must(!bob_future_result(f[j], BOB_FOREVER, &value) && value == &f[j]);
            bob_future_unref(f[j]);
        }
        must(!bob_executor_submit(x, count, arg, NULL));
    }
    return NULL;
}

static void
many_submit(unsigned max_queue, enum bob_on_full on_full)
{
    x = executor_of(3, max_queue, on_full);
    in_threads(THREADS, submit_and_ask);
    bob_executor_free(x);
    must(ran == THREADS * rounds * (EACH + 1));
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
            must(!bob_executor_resize(x, 1 + (unsigned)i % 4));
            must(bob_executor_busy(x) <= THREADS);
            continue;
        }
        must(!bob_executor_submit(x, count_and_fail, arg, &f));
        must(bob_future_result(f, BOB_FOREVER, NULL) == BOB_ERR_FULL);
        (void)snprintf(want, sizeof want, "number %d", *(int *)arg);
        must(bob_future_failure(f, &failure) && strcmp(failure.message, want) == 0);
        bob_future_unref(f);
    }
    return NULL;
}

static void
sizes_change_while_work_fails(void)
{
    x = executor_of(2, 0, BOB_FULL_FAIL);
    in_threads(THREADS, resize_or_fail);
    bob_executor_free(x);
    must(ran == (THREADS - 1) * rounds);
}

/* ---- one future, many hands ---- */

static struct bob_future *shared;
static int finished, called, plain; /* plain: written by who finishes, read by the others */

static void
call(struct bob_future *f, void *arg)
{
    must(bob_future_done(f) && plain == 1);
    add(arg, 1);
}

static void *
finish_or_watch(void *arg)
{
    struct bob_as_completed *it = bob_as_completed_new(&shared, 1);
    struct bob_future *f;
    void *value = NULL;
    enum bob_err err;

    must(it && !bob_future_add_done_callback(shared, call, &called));
    if (*(int *)arg == 0) {
        plain = 1;
        must(!bob_future_set_result(shared, &plain));
        must(bob_future_set_result(shared, NULL) == BOB_ERR_STATE);
    } else if (*(int *)arg == 1) {
        bob_as_completed_free(it); /* before or after it is done */
        it = NULL;
    } else {
        size_t n = 0;

        err = bob_future_wait(&shared, 1, BOB_FIRST_COMPLETED,
                              *(int *)arg == 2 ? BOB_FOREVER : bob_in_ms(1), &n);
        must(err == BOB_ERR_TIMEOUT || (!err && n == 1 && plain == 1));
    }
    if (it)
        must(!bob_as_completed_next(it, BOB_FOREVER, &f) && f == shared);
    err = bob_future_result(shared, BOB_FOREVER, &value);
    must(!err && value == &plain && plain == 1);
    bob_as_completed_free(it);
    return NULL;
}

static void
one_finishes_and_all_others_see_it(void)
{
    called = 0;
    for (int i = 0; i < rounds; i++) {
        plain = 0;
        shared = bob_future_new();
        in_threads(THREADS, finish_or_watch);
        bob_future_unref(shared);
    }
    must(called == THREADS * rounds);
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
    must(bob_future_done(shared)); /* whoever did it */
    return NULL;
}

static void
only_one_way_wins(void)
{
    finished = 0;
    for (int i = 0; i < rounds; i++) {
        shared = bob_future_new();
        in_threads(THREADS, finish_by_any_way);
        bob_future_unref(shared);
    }
    must(finished == rounds);
}

/* ---- cancel against start, and shut down ---- */

static void *
submit_and_cancel(void *arg)
{
    struct bob_future *f;
    int cancelled = 0;

    for (int i = 0; i < rounds * 4; i++) {
        must(!bob_executor_submit(x, count, arg, &f));
        if (bob_future_cancel(f)) {
            cancelled++;
            must(bob_future_result(f, BOB_AT_ONCE, NULL) == BOB_ERR_CANCELLED);
        } else {
            must(!bob_future_result(f, BOB_FOREVER, NULL));
        }
        bob_future_unref(f);
    }
    add(&ran, cancelled);
    return NULL;
}

static void
cancelled_or_run_and_not_both(void)
{
    x = executor_of(2, 0, BOB_FULL_FAIL);
    in_threads(THREADS, submit_and_cancel);
    bob_executor_free(x);
    must(ran == THREADS * rounds * 4);
}

static void *
submit_until_shut_down(void *arg)
{
    struct bob_future *f;
    enum bob_err err;

    if (*(int *)arg == 0) {
        while (__atomic_load_n(&ran, __ATOMIC_SEQ_CST) < EACH)
            must(!bob_executor_submit(x, count, arg, NULL));
        must(!bob_executor_shut_down(x, true, BOB_FOREVER));
        return NULL;
    }
    while (!(err = bob_executor_submit(x, count, arg, &f))) {
        err = bob_future_result(f, BOB_FOREVER, NULL);
        must(!err || err == BOB_ERR_CANCELLED);
        bob_future_unref(f);
    }
    must(err == BOB_ERR_SHUT_DOWN);
    return NULL;
}

static void
shut_down_leaves_no_future_undone(void)
{
    for (int i = 0; i < rounds / 10; i++) {
        x = executor_of(2, i % 2 ? 1 : 0, BOB_FULL_WAIT);
        in_threads(THREADS, submit_until_shut_down);
        bob_executor_free(x);
    }
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

        must(err == (whole ? BOB_ERR_FULL : BOB_OK));
        must(!whole || failure.index == N - 7);
        for (uintptr_t j = 0; j < N - 7; j++)
            must(values[j] == (void *)(j + 1));
        options.deadline = bob_in_ms(0);
        err = bob_executor_map(x, next_of, args, N - 7, values, &options);
        must(!err || err == BOB_ERR_TIMEOUT);
    }
    return NULL;
}

static void
maps_share_an_executor(void)
{
    x = executor_of(3, 0, BOB_FULL_FAIL);
    in_threads(THREADS, map_over_and_over);
    bob_executor_free(x);
}

static void
submit_from_many(void)
{
    many_submit(0, BOB_FULL_FAIL);
}

static void
submit_with_little_room(void)
{
    many_submit(2, BOB_FULL_WAIT);
    many_submit(2, BOB_FULL_CALLER_RUNS);
}

int
main(void)
{
    static const struct {
        const char *says;
        void (*run)(void);
    } parts[] = {
        {"what many threads submit is run once each", submit_from_many},
        {"also when there is little room", submit_with_little_room},
        {"sizes change while work fails", sizes_change_while_work_fails},
        {"one finishes a future and all others see it", one_finishes_and_all_others_see_it},
        {"of all that would finish a future one does", only_one_way_wins},
        {"work is cancelled or run", cancelled_or_run_and_not_both},
        {"a shut-down leaves no future undone", shut_down_leaves_no_future_undone},
        {"maps share an executor", maps_share_an_executor},
    };
    enum { PARTS = sizeof parts / sizeof *parts };
    int failed = 0;

    rounds = rounds_of(300, 10);
    (void)printf("1..%d\n", PARTS);
    for (int i = 0; i < PARTS; i++) {
        broken = 0;
        parts[i].run();
        failed += broken > 0;
        (void)printf("%sok %d - %s\n", broken ? "not " : "", i + 1, parts[i].says);
        (void)fflush(stdout);
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
