/* test_executor_ends.c - lib/executor.c, lib/staff.c: a full queue, a broken initializer, bursts.
 *
 * SPDX-License-Identifier: MIT */
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
#include "failure_seen.h"

static char door[] = "door.txt";

static enum bob_err
fail_with_a_sentence(void *arg, void **ret_value)
{
    (void)ret_value;
    return bob_fail(BOB_ERR_SYSTEM, "cannot open %s", (const char *)arg);
}

static void
only_its_work_finishes_what_runs(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f = submitted(x, held, &go);

    (void)state;
    n_began(1);
    assert_true(bob_future_running(f));
    assert_false(bob_future_start(f));
    assert_int_equal(bob_future_set_result(f, NULL), BOB_ERR_STATE);
    assert_int_equal(bob_future_set_error(f, BOB_ERR_FULL, "no"), BOB_ERR_STATE);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_ptr_equal(result_of(f), &go);
    bob_executor_free(x);
}

/* ---- full ---- */

static enum bob_err
submit_to(void *x, void **ret_value)
{
    (void)ret_value;
    return bob_executor_submit(x, give_back, NULL, NULL);
}

static enum bob_err
submit_to_my_own_when_full(void *x, void **ret_value)
{
    (void)bob_semaphore_release(began, 1);
    if (bob_semaphore_acquire(go, bob_in_seconds(20)))
        return BOB_ERR_TIMEOUT;
    return submit_to(x, ret_value);
}

/* One worker, held, and one work that waits. */
static struct bob_executor *
full(enum bob_on_full on_full, struct bob_future **ret_runs, struct bob_future **ret_waits)
{
    struct bob_executor *x = executor_of(1, 1, on_full);

    *ret_runs = submitted(x, held, &go);
    n_began(1);
    *ret_waits = submitted(x, give_back, &began);
    return x;
}

static void
a_submit_may_wait_for_room(void **state)
{
    struct bob_future *runs, *waits, *f[3];
    struct bob_executor *x = full(BOB_FULL_WAIT, &runs, &waits);
    struct bob_executor *others = executor_of(3, 0, BOB_FULL_FAIL);

    (void)state;
    for (int i = 0; i < 3; i++)
        f[i] = submitted(others, submit_to, x);
    assert_int_equal(bob_future_result(f[0], bob_in_ms(5), NULL), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    for (int i = 0; i < 3; i++)
        assert_null(result_of(f[i]));
    assert_ptr_equal(result_of(runs), &go);
    assert_ptr_equal(result_of(waits), &began);
    bob_executor_free(others);
    bob_executor_free(x);
}

static void
shut_down_ends_the_wait_for_room(void **state)
{
    struct bob_future *runs, *waits, *f[3];
    struct bob_executor *x = full(BOB_FULL_WAIT, &runs, &waits);
    struct bob_executor *others = executor_of(3, 0, BOB_FULL_FAIL);

    (void)state;
    for (int i = 0; i < 3; i++)
        f[i] = submitted(others, submit_to, x);
    assert_int_equal(bob_executor_shut_down(x, false, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bob_future_result(f[i], bob_in_seconds(20), NULL), BOB_ERR_SHUT_DOWN);
        bob_future_unref(f[i]);
    }
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_ptr_equal(result_of(runs), &go);
    assert_ptr_equal(result_of(waits), &began);
    bob_executor_free(others);
    bob_executor_free(x);
}

static void
work_does_not_wait_for_room_in_its_own_executor(void **state)
{
    struct bob_executor *x = executor_of(1, 1, BOB_FULL_WAIT);
    struct bob_future *f = submitted(x, submit_to_my_own_when_full, x), *waits;

    (void)state;
    n_began(1);
    waits = submitted(x, give_back, &began);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), BOB_ERR_FULL);
    assert_ptr_equal(result_of(waits), &began);
    bob_future_unref(f);
    bob_executor_free(x);
}

static enum bob_err
who_am_i(void *arg, void **ret_value)
{
    (void)arg;
    *ret_value = bob_thread_current();
    return BOB_OK;
}

static void
the_caller_may_run_what_finds_no_room(void **state)
{
    struct bob_future *runs, *waits, *f;
    struct bob_executor *x = full(BOB_FULL_CALLER_RUNS, &runs, &waits);

    (void)state;
    hook_set();
    bob_thread_note("kept");
    f = submitted(x, who_am_i, NULL);
    assert_true(bob_future_done(f));
    assert_ptr_equal(result_of(f), bob_thread_current());
    assert_int_equal(bob_executor_submit(x, fail_with_a_sentence, door, NULL), BOB_OK);
    assert_int_equal(told.calls, 1);
    bob_thread_note(NULL);
    assert_int_equal(bob_executor_shut_down(x, false, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_executor_submit(x, who_am_i, NULL, NULL), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_ptr_equal(result_of(runs), &go);
    assert_ptr_equal(result_of(waits), &began);
    bob_executor_free(x);
    bob_set_excepthook(NULL, NULL);
}

/* ---- broken ---- */

static int cleanups; /* atomic */

static enum bob_err
second_thread_fails(void *arg)
{
    if (__atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST) < 2)
        return BOB_OK;
    if (bob_semaphore_acquire(began, bob_in_seconds(20))) /* until all is queued */
        return BOB_ERR_TIMEOUT;
    return bob_fail(BOB_ERR_SYSTEM, "no device");
}

static void
count_cleanup(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&cleanups, 1, __ATOMIC_SEQ_CST);
}

static enum bob_err
just_wait(void *arg, void **ret_value)
{
    *ret_value = arg;
    return bob_semaphore_acquire(go, bob_in_seconds(20));
}

static void
a_failed_initializer_breaks_all_that_waits(void **state)
{
    int inits = 0;
    const struct bob_executor_options options = {.max_workers = 2,
                                                 .initializer = second_thread_fails,
                                                 .cleanup = count_cleanup,
                                                 .arg = &inits};
    struct bob_executor *x = bob_executor_new("pool", &options);
    struct bob_future *runs, *pending[3];
    struct bob_failure failure;

    (void)state;
    hook_set();
    runs = submitted(x, just_wait, &go);
    while (!bob_future_running(runs))
        sched_yield();
    for (int i = 0; i < 3; i++)
        pending[i] = submitted(x, give_back, NULL);
    assert_int_equal(bob_executor_submit(x, give_back, NULL, NULL), BOB_OK);
    assert_true(bob_future_cancel(pending[2]));
    assert_int_equal(bob_semaphore_release(began, 1), BOB_OK);
    for (int i = 0; i < 2; i++) {
        failure = failure_of(pending[i], BOB_ERR_BROKEN);
        assert_string_equal(failure.message, "an initializer failed: no device");
        assert_non_null(strstr(failure.origin, "test_executor_ends.c:"));
    }
    assert_int_equal(failure_of(pending[2], BOB_ERR_CANCELLED).code, BOB_ERR_CANCELLED);
    assert_int_equal(bob_executor_submit(x, give_back, NULL, NULL), BOB_ERR_BROKEN);
    assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
    assert_ptr_equal(result_of(runs), &go); /* goes on */
    for (int i = 0; i < 3; i++)
        bob_future_unref(pending[i]);
    bob_executor_free(x);
    assert_int_equal(cleanups, 1);
    assert_int_equal(told.calls, 1);
    assert_string_equal(told.message, "no device");
    bob_set_excepthook(NULL, NULL);
}

/* ---- bursts ---- */

enum { BURST = 20000 };

static size_t next_number;

static enum bob_err
in_order(void *arg, void **ret_value)
{
    *ret_value = (void *)(uintptr_t)((size_t)arg == next_number++);
    return BOB_OK;
}

static void
a_burst_is_run_in_order_and_gives_its_memory_back(void **state)
{
    static struct bob_future *f[BURST];
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);

    (void)state;
    for (int round = 0; round < 3; round++) {
        struct bob_future *runs = submitted(x, held, &go);

        next_number = 0;
        for (size_t i = 0; i < BURST; i++)
            f[i] = submitted(x, in_order, (void *)i);
        assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);
        for (size_t i = 0; i < BURST; i++)
            assert_non_null(result_of(f[(i * 7) % BURST]));
        assert_ptr_equal(result_of(runs), &go);
    }
    for (size_t i = 0; i < 40; i++) /* the last of a slab outlive their executor */
        f[i] = submitted(x, give_back, &go);
    bob_executor_free(x);
    for (size_t i = 0; i < 40; i++)
        assert_ptr_equal(result_of(f[i]), &go);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        gated(only_its_work_finishes_what_runs),
        gated(a_submit_may_wait_for_room),
        gated(shut_down_ends_the_wait_for_room),
        gated(work_does_not_wait_for_room_in_its_own_executor),
        gated(the_caller_may_run_what_finds_no_room),
        gated(a_failed_initializer_breaks_all_that_waits),
        gated(a_burst_is_run_in_order_and_gives_its_memory_back),
    };

    return cmocka_run_group_tests_name("executor_ends", tests, NULL, NULL);
}
