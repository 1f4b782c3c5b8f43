/* executor_world.h - an executor, and work for it that gives back its argument: at once, or when it is let go.
 *
 *     x = executor_of(2, 0, BOB_FULL_FAIL);
 *     f = submitted(x, held, &arg);
 *     n_began(1);                                                 // it runs,
 *     assert_int_equal(bob_semaphore_release(go, 1), BOB_OK);     // and ends by a permit
 *     assert_ptr_equal(result_of(f), &arg);
 *     bob_executor_free(x);
 *
 * in a test that is gated(), if it holds work.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EXECUTOR_WORLD_H
#define TESTS_EXECUTOR_WORLD_H

#include <bobbin/executor.h>
#include <bobbin/semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- work ---- */

static struct bob_semaphore *go, *began; /* a permit each: for one that is held; of one */

static inline int
gate_open(void **state)
{
    (void)state;
    go = bob_semaphore_new(0);
    began = bob_semaphore_new(0);
    return go && began ? 0 : -1;
}

static inline int
gate_close(void **state)
{
    (void)state;
    bob_semaphore_free(go);
    bob_semaphore_free(began);
    return 0;
}

#define gated(fn) cmocka_unit_test_setup_teardown(fn, gate_open, gate_close)

static inline enum bob_err
held(void *arg, void **ret_value)
{
    (void)bob_semaphore_release(began, 1);
    *ret_value = arg;
    return bob_semaphore_acquire(go, bob_in_seconds(20));
}

/* Waits until so many more of those that are held have begun. */
static inline void
n_began(int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(bob_semaphore_acquire(began, bob_in_seconds(20)), BOB_OK);
}

static inline enum bob_err
give_back(void *arg, void **ret_value)
{
    *ret_value = arg;
    return BOB_OK;
}

/* ---- its executor ---- */

/* It is called "pool", and the role of its threads "test". */
static inline struct bob_executor *
executor_of(unsigned max_workers, unsigned max_queue, enum bob_on_full on_full)
{
    const struct bob_executor_options options = {
        .role = "test", .max_workers = max_workers, .max_queue = max_queue, .on_full = on_full};
    struct bob_executor *x = bob_executor_new("pool", &options);

    assert_non_null(x);
    return x;
}

static inline struct bob_future *
submitted(struct bob_executor *x, bob_work_fn fn, void *arg)
{
    struct bob_future *f = NULL;

    assert_int_equal(bob_executor_submit(x, fn, arg, &f), BOB_OK);
    return f;
}

/* What it gave, once it is done; takes @f. */
static inline void *
result_of(struct bob_future *f)
{
    void *value = NULL;

    assert_int_equal(bob_future_result(f, bob_in_seconds(20), &value), BOB_OK);
    bob_future_unref(f);
    return value;
}

#endif
