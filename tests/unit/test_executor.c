/* test_executor.c - lib/executor.c: bounded, lazy, in order, resized while it runs, and shut down.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <string.h>

#include "executor_world.h"

static enum bob_err
fail_with_full(void *arg, void **ret_value)
{
    *ret_value = arg;
    return BOB_ERR_FULL;
}

static int
threads_named(const char *prefix)
{
    struct bob_thread_info list[64];
    size_t n = bob_thread_enumerate(list, 64);
    int found = 0;

    for (size_t i = 0; i < n && i < 64; i++)
        if (strncmp(list[i].name, prefix, strlen(prefix)) == 0) {
            assert_string_equal(list[i].role, "test");
            found++;
        }
    return found;
}

static void
work_gives_its_value_or_its_error(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f;
    int arg;

    (void)state;
    assert_ptr_equal(result_of(submitted(x, give_back, &arg)), &arg);
    f = submitted(x, fail_with_full, &arg);
    assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_FULL);
    bob_future_unref(f);
    bob_executor_free(x);
    bob_executor_free(NULL);
}

static int running, most; /* atomic */

static enum bob_err
held_and_counted(void *arg, void **ret_value)
{
    int now = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    int seen = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
    enum bob_err err;

    while (now > seen && !__atomic_compare_exchange_n(&most, &seen, now, false, __ATOMIC_SEQ_CST,
                                                      __ATOMIC_SEQ_CST))
        ;
    err = held(arg, ret_value);
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    return err;
}

static void
at_most_max_workers_run(void **state)
{
    struct bob_executor *x = executor_of(3, 0, BOB_FULL_FAIL);
    struct bob_future *f[10];
    int arg;

    (void)state;
    for (int i = 0; i < 10; i++)
        f[i] = submitted(x, held_and_counted, &arg);
    n_began(3);
    assert_int_equal(threads_named("pool-"), 3);
    assert_int_equal(threads_named("pool-2"), 1);
    assert_int_equal(bob_executor_busy(x), 3);
    assert_int_equal(bob_semaphore_release(go, 10), BOB_OK);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(result_of(f[i]), &arg);
    assert_int_equal(most, 3);
    bob_executor_free(x);
    assert_int_equal(threads_named("pool-"), 0);
}

static void
a_thread_starts_only_if_no_other_is_idle(void **state)
{
    struct bob_executor *x = executor_of(8, 0, BOB_FULL_FAIL);
    int arg;

    (void)state;
    assert_int_equal(threads_named("pool-"), 0);
    for (int i = 0; i < 20; i++) {
        assert_ptr_equal(result_of(submitted(x, give_back, &arg)), &arg);
        while (bob_executor_busy(x) > 0)
            sched_yield();
        assert_int_equal(threads_named("pool-"), 1);
    }
    bob_executor_free(x);
}

static void
more_than_may_wait_is_refused(void **state)
{
    struct bob_executor *x = executor_of(2, 1, BOB_FULL_FAIL);
    struct bob_future *f[3], *none = NULL;
    int arg;

    (void)state;
    for (int i = 0; i < 3; i++) /* two run, one waits, also if none has begun yet */
        f[i] = submitted(x, held, &arg);
    assert_int_equal(bob_executor_submit(x, held, &arg, &none), BOB_ERR_FULL);
    assert_null(none);
    n_began(2);
    assert_int_equal(bob_executor_submit(x, held, &arg, NULL), BOB_ERR_FULL);
    assert_int_equal(bob_semaphore_release(go, 3), BOB_OK);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(result_of(f[i]), &arg);
    bob_executor_free(x);
}

/* ---- order, cancel, no future ---- */

static char order[32];

/* A one-letter argument for write_down. */
#define LETTER(c) ((void *)(intptr_t)(c))

static void
append(intptr_t letter)
{
    size_t len = strlen(order);

    assert_true(len + 1 < sizeof order);
    order[len] = (char)letter;
}

static enum bob_err
write_down(void *arg, void **ret_value)
{
    (void)ret_value;
    append((intptr_t)arg);
    return BOB_OK;
}

static void
work_begins_in_order_and_what_was_cancelled_not_at_all(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *first, *b;
    int arg;

    (void)state;
    memset(order, 0, sizeof order);
    first = submitted(x, held, &arg);
    assert_int_equal(bob_executor_submit(x, write_down, LETTER('a'), NULL), BOB_OK);
    b = submitted(x, write_down, LETTER('b'));
    assert_int_equal(bob_executor_submit(x, write_down, LETTER('c'), NULL), BOB_OK);
    n_began(1);
    assert_true(bob_future_cancel(b));
    assert_false(bob_future_cancel(first)); /* it runs */
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_int_equal(bob_executor_shut_down(x, false, bob_in_seconds(20)), BOB_OK);
    assert_string_equal(order, "ac");
    bob_future_unref(b);
    bob_future_unref(first);
    bob_executor_free(x);
}

static void
what_was_cancelled_keeps_its_place_until_a_worker_meets_it(void **state)
{
    struct bob_executor *x = executor_of(1, 1, BOB_FULL_FAIL);
    struct bob_future *first, *next;
    int arg;

    (void)state;
    first = submitted(x, held, &arg);
    n_began(1);
    next = submitted(x, held, &arg);
    assert_true(bob_future_cancel(next));
    assert_int_equal(bob_executor_submit(x, held, &arg, NULL), BOB_ERR_FULL);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_ptr_equal(result_of(first), &arg);
    while (bob_executor_submit(x, give_back, &arg, NULL) == BOB_ERR_FULL)
        sched_yield();
    bob_future_unref(next);
    bob_executor_free(x);
}

static void
its_threads_are_waited_for_until_it_is_shut_down(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    int arg;

    (void)state;
    assert_ptr_equal(result_of(submitted(x, give_back, &arg)), &arg);
    /* It has nothing to do, but is there. */
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    bob_executor_free(x);
    assert_int_equal(bob_thread_join_all(bob_in_seconds(20)), BOB_OK);
}

struct tree {
    struct bob_executor *x;
    int depth;
    int *leaves; /* atomic */
};

static struct tree branch[4];

static enum bob_err
grow(void *arg, void **ret_value)
{
    struct tree *t = arg;
    enum bob_err err = BOB_OK;

    *ret_value = NULL;
    if (t->depth == 3) {
        __atomic_add_fetch(t->leaves, 1, __ATOMIC_SEQ_CST);
        return BOB_OK;
    }
    for (int i = 0; i < 2 && !err; i++)
        err = bob_executor_submit(t->x, grow, &branch[t->depth + 1], NULL);
    return err;
}

static void
work_may_submit_more(void **state)
{
    struct bob_executor *x = executor_of(2, 0, BOB_FULL_FAIL);
    int leaves = 0;

    (void)state;
    for (int i = 0; i < 4; i++)
        branch[i] = (struct tree){x, i, &leaves};
    assert_int_equal(bob_executor_submit(x, grow, &branch[0], NULL), BOB_OK);
    while (__atomic_load_n(&leaves, __ATOMIC_SEQ_CST) < 8)
        sched_yield();
    bob_executor_free(x);
    assert_int_equal(leaves, 8);
}

/* ---- shut down ---- */

static void
shut_down_runs_what_is_queued(void **state)
{
    struct bob_executor *x = executor_of(2, 0, BOB_FULL_FAIL);
    struct bob_future *f[6];
    int arg;

    (void)state;
    for (int i = 0; i < 6; i++)
        f[i] = submitted(x, held, &arg);
    n_began(2);
    assert_int_equal(bob_executor_shut_down(x, false, bob_in_ms(2)), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_executor_submit(x, held, &arg, NULL), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_semaphore_release(go, 6), BOB_OK);
    assert_int_equal(bob_executor_shut_down(x, false, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(bob_executor_shut_down(x, true, BOB_AT_ONCE), BOB_OK); /* again */
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(result_of(f[i]), &arg);
    assert_int_equal(threads_named("pool-"), 0);
    bob_executor_free(x);
}

static void
shut_down_may_cancel_what_is_queued(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *runs, *waits;
    int arg;

    (void)state;
    runs = submitted(x, held, &arg);
    waits = submitted(x, held, &arg);
    assert_int_equal(bob_executor_submit(x, held, &arg, NULL), BOB_OK);
    n_began(1);
    assert_int_equal(bob_executor_shut_down(x, false, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_false(bob_future_done(waits));
    assert_int_equal(bob_executor_shut_down(x, true, BOB_AT_ONCE), BOB_ERR_TIMEOUT); /* after all */
    assert_int_equal(bob_future_result(waits, BOB_AT_ONCE, NULL), BOB_ERR_CANCELLED);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_int_equal(bob_executor_shut_down(x, false, bob_in_seconds(20)), BOB_OK);
    assert_ptr_equal(result_of(runs), &arg);
    bob_future_unref(waits);
    bob_executor_free(x);
}

static enum bob_err
shut_down_my_own(void *x, void **ret_value)
{
    *ret_value = NULL;
    return bob_executor_shut_down(x, false, BOB_FOREVER);
}

static void
work_cannot_wait_for_its_own_end(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f = submitted(x, shut_down_my_own, x);
    int arg;

    (void)state;
    assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_INVALID);
    assert_int_equal(bob_executor_submit(x, give_back, &arg, NULL), BOB_ERR_SHUT_DOWN);
    bob_future_unref(f);
    bob_executor_free(x);
}

/* ---- resize, initializer ---- */

static void
resize_up_starts_threads_for_what_waits(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f[4];
    int arg;

    (void)state;
    for (int i = 0; i < 4; i++)
        f[i] = submitted(x, held, &arg);
    n_began(1);
    assert_int_equal(threads_named("pool-"), 1);
    assert_int_equal(bob_executor_resize(x, 0), BOB_ERR_INVALID);
    assert_int_equal(bob_executor_resize(x, 3), BOB_OK);
    n_began(2);
    assert_int_equal(threads_named("pool-"), 3);
    assert_int_equal(bob_semaphore_release(go, 4), BOB_OK);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(result_of(f[i]), &arg);
    bob_executor_free(x);
}

static void
resize_down_ends_the_surplus_and_loses_no_work(void **state)
{
    struct bob_executor *x = executor_of(4, 0, BOB_FULL_FAIL);
    struct bob_future *f[8];
    int arg;

    (void)state;
    for (int i = 0; i < 8; i++)
        f[i] = submitted(x, held, &arg);
    n_began(4);
    assert_int_equal(bob_executor_resize(x, 1), BOB_OK);
    assert_int_equal(bob_semaphore_release(go, 4), BOB_OK);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(result_of(f[i]), &arg);
    while (threads_named("pool-") > 1)
        sched_yield();
    n_began(1);
    assert_int_equal(bob_semaphore_acquire(began, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_semaphore_release(go, 4), BOB_OK);
    for (int i = 4; i < 8; i++)
        assert_ptr_equal(result_of(f[i]), &arg);
    assert_int_equal(bob_executor_resize(x, 2), BOB_OK);
    assert_ptr_equal(result_of(submitted(x, give_back, &arg)), &arg);
    bob_executor_free(x);
}

static int inits, cleanups; /* atomic */
static __thread bool is_ready;

static enum bob_err
get_ready(void *arg)
{
    is_ready = true;
    __atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST);
    return BOB_OK;
}

static void
clean_up(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&cleanups, is_ready, __ATOMIC_SEQ_CST);
}

static enum bob_err
ask_if_ready(void *arg, void **ret_value)
{
    *ret_value = is_ready ? arg : NULL;
    bob_thread_note("left behind");
    return BOB_OK;
}

static void
each_thread_is_made_ready_and_cleaned_up(void **state)
{
    const struct bob_executor_options options = {.role = "test",
                                                 .max_workers = 2,
                                                 .stack_bytes = 65536,
                                                 .initializer = get_ready,
                                                 .cleanup = clean_up,
                                                 .arg = &inits};
    struct bob_executor *x = bob_executor_new("a-name-that-is-longer-than-it-may-be", &options);
    struct bob_thread_info list[64];
    size_t n;
    int arg;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(result_of(submitted(x, ask_if_ready, &arg)), &arg);
    while (bob_executor_busy(x) > 0)
        sched_yield();
    assert_true(threads_named("a-name-that-is-longer-than-it-") >= 0);
    n = bob_thread_enumerate(list, 64);
    for (size_t i = 0; i < n; i++)
        assert_string_not_equal(list[i].note, "left behind");
    assert_true(threads_named("a-name-that-is-longer-than-it") >= 1);
    bob_executor_free(x);
    assert_true(inits >= 1 && inits <= 2);
    assert_int_equal(inits, cleanups);
}

static void
defaults_are_pythons(void **state)
{
    struct bob_executor *x = bob_executor_new("plain", NULL);
    int arg;

    (void)state;
    assert_ptr_equal(result_of(submitted(x, give_back, &arg)), &arg);
    bob_executor_free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        gated(work_gives_its_value_or_its_error),
        gated(at_most_max_workers_run),
        gated(a_thread_starts_only_if_no_other_is_idle),
        gated(more_than_may_wait_is_refused),
        gated(work_begins_in_order_and_what_was_cancelled_not_at_all),
        gated(what_was_cancelled_keeps_its_place_until_a_worker_meets_it),
        gated(its_threads_are_waited_for_until_it_is_shut_down),
        gated(work_may_submit_more),
        gated(shut_down_runs_what_is_queued),
        gated(shut_down_may_cancel_what_is_queued),
        gated(work_cannot_wait_for_its_own_end),
        gated(resize_up_starts_threads_for_what_waits),
        gated(resize_down_ends_the_surplus_and_loses_no_work),
        gated(each_thread_is_made_ready_and_cleaned_up),
        gated(defaults_are_pythons),
    };

    return cmocka_run_group_tests_name("executor", tests, NULL, NULL);
}
