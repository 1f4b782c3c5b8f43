/* test_executor_memory.c - executor, map and future_wait when memory is out: an error, and everything as it was.
 * Not under a sanitizer: see failing_malloc.h.
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
#include <stdio.h>

#include <cmocka.h>

#include "executor_world.h"
#include "failing_malloc.h"
#include "staff.h"

#ifndef SANITIZED

enum { N = 40, TRIES = 30, BURST = 3000 };

static bool
is_memory(enum bob_err err)
{
    return err == BOB_ERR_NO_MEMORY || err == BOB_ERR_SYSTEM; /* a thread's stack is memory too */
}

static void
an_executor_is_whole_or_none(void **state)
{
    struct bob_executor *x = NULL;
    int tries;

    (void)state;
    for (tries = 0; !x && tries < TRIES; tries++) {
        left = tries;
        x = bob_executor_new("x", NULL);
        left = -1;
    }
    assert_in_range(tries, 2, TRIES - 1);
    bob_executor_free(x);
}

static void
a_map_runs_all_or_says_why_not(void **state)
{
    void *args[N], *values[N];

    (void)state;
    for (size_t i = 0; i < N; i++)
        args[i] = (void *)i;
    for (int timed = 0; timed < 2; timed++) {
        const struct bob_map_options options = {.deadline = timed ? bob_in_seconds(60) : 0};
        enum bob_err err = BOB_ERR_NO_MEMORY;
        int tries;

        for (tries = 0; err && tries < TRIES; tries++) {
            struct bob_executor *x = bob_executor_new("x", NULL);

            left = tries;
            err = bob_executor_map(x, give_back, args, N, values, &options);
            left = -1;
            assert_true(!err || is_memory(err));
            for (size_t i = 0; i < N && !err; i++)
                assert_ptr_equal(values[i], args[i]);
            bob_executor_free(x);
        }
        assert_in_range(tries, 4, TRIES - 1);
    }
}

static void
a_burst_is_queued_or_refused_one_by_one(void **state)
{
    const struct bob_executor_options options = {.max_workers = 1};
    struct bob_executor *x = bob_executor_new("x", &options);
    static struct bob_future *f[BURST];
    struct bob_future *runs;
    int refused = 0, n = 0;
    void *value;

    (void)state;
    assert_int_equal(bob_executor_submit(x, held, NULL, &runs), BOB_OK);
    n_began(1);
    for (int i = 0; n < BURST; i++) {
        enum bob_err err;

        left = i % 3;
        err = bob_executor_submit(x, give_back, &f[n], &f[n]);
        left = -1;
        assert_true(err == BOB_OK || err == BOB_ERR_NO_MEMORY);
        n += !err;
        refused += err != BOB_OK;
    }
    assert_true(refused > 10);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    for (int i = 0; i < BURST; i++) {
        assert_int_equal(bob_future_result(f[i], bob_in_seconds(20), &value), BOB_OK);
        assert_ptr_equal(value, &f[i]);
        bob_future_unref(f[i]);
    }
    bob_future_unref(runs);
    bob_executor_free(x);
}

struct submitter {
    struct bob_executor *x;
    bool has_memory;
    enum bob_err err;
};

static void *
submit_as(void *arg)
{
    struct submitter *s = arg;

    left = s->has_memory ? -1 : 1; /* enough for the work, but not for its place */
    s->err = bob_executor_submit(s->x, give_back, NULL, NULL);
    left = -1;
    return NULL;
}

/* Two works end and wake two who wait for room; they have no memory to use it, so it is the third's. */
static void
room_that_is_refused_for_want_of_memory_goes_to_the_next(void **state)
{
    enum { SUBMITTERS = 3 };
    struct bob_executor *x = executor_of(1, 1, BOB_FULL_WAIT);
    struct submitter s[SUBMITTERS];
    struct bob_thread *t[SUBMITTERS];
    struct bob_future *runs, *waits;

    (void)state;
    for (int i = 0; i < BOB_RING_PIECE - 2; i++)
        assert_null(result_of(submitted(x, give_back, NULL)));
    runs = submitted(x, held, NULL);
    n_began(1);
    waits = submitted(x, held, NULL); /* the last place of the piece */
    for (int i = 0; i < SUBMITTERS; i++) {
        s[i] = (struct submitter){x, i == SUBMITTERS - 1, BOB_ERR_INVALID};
        assert_int_equal(bob_thread_start(&t[i], "s", submit_as, &s[i], NULL), BOB_OK);
        while (__atomic_load_n(&x->room_wants, __ATOMIC_SEQ_CST) <= (size_t)i)
            (void)sched_yield();
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    for (int i = 0; i < SUBMITTERS; i++) {
        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), NULL), BOB_OK);
        if (s[i].err) /* one of the two may come after the third, and find a place */
            assert_true(!s[i].has_memory && s[i].err == BOB_ERR_NO_MEMORY);
        bob_thread_free(t[i]);
    }
    assert_null(result_of(runs));
    assert_null(result_of(waits));
    bob_executor_free(x);
}

static enum bob_err
fail_without_memory(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    left = 0; /* until the next work */
    return bob_fail(BOB_ERR_FULL, "a sentence there is no memory for");
}

static void
a_failure_without_memory_keeps_its_code(void **state)
{
    const struct bob_executor_options options = {.max_workers = 1};
    struct bob_executor *x = bob_executor_new("x", &options);
    struct bob_failure failure;
    struct bob_future *f;

    (void)state;
    assert_int_equal(bob_executor_submit(x, fail_without_memory, NULL, &f), BOB_OK);
    assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_FULL);
    assert_true(bob_future_failure(f, &failure));
    assert_int_equal(failure.code, BOB_ERR_FULL);
    assert_string_equal(failure.message, "");
    assert_string_equal(failure.origin, "");
    bob_future_unref(f);
    bob_executor_free(x);
}

static void
a_wait_for_many_needs_memory_and_says_so(void **state)
{
    struct bob_future *fs[N];
    struct bob_as_completed *it;
    size_t n_done = 99;

    (void)state;
    for (int i = 0; i < N; i++)
        fs[i] = bob_future_new();
    assert_int_equal(bob_future_set_result(fs[0], NULL), BOB_OK);
    left = 0;
    assert_int_equal(bob_future_wait(fs, N, BOB_FIRST_COMPLETED, BOB_FOREVER, &n_done),
                     BOB_ERR_NO_MEMORY);
    assert_int_equal(n_done, 99);
    assert_int_equal(bob_future_wait(fs, N, BOB_ALL_COMPLETED, BOB_AT_ONCE, &n_done),
                     BOB_ERR_TIMEOUT);
    assert_int_equal(bob_future_wait(fs, 16, BOB_FIRST_COMPLETED, BOB_FOREVER, &n_done), BOB_OK);
    it = bob_as_completed_new(fs, N);
    left = -1;
    assert_int_equal(n_done, 1);
    assert_null(it);
    for (int i = 0; i < N; i++)
        bob_future_unref(fs[i]); /* the last reference: none was kept */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        gated(an_executor_is_whole_or_none),
        gated(a_map_runs_all_or_says_why_not),
        gated(a_burst_is_queued_or_refused_one_by_one),
        gated(room_that_is_refused_for_want_of_memory_goes_to_the_next),
        gated(a_failure_without_memory_keeps_its_code),
        gated(a_wait_for_many_needs_memory_and_says_so),
    };

    return cmocka_run_group_tests_name("executor_memory", tests, NULL, NULL);
}

#else

int
main(void)
{
    (void)printf("1..0 # SKIP a sanitizer has its own malloc\n");
    return 0;
}

#endif
