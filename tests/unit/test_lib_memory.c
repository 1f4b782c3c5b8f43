/* test_lib_memory.c - the library when memory is out: an error, and everything as it was.
 *
 * Queues, executors and processes have a test of this kind of their own.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sched.h>

#include "failing_malloc.h"

#ifndef SANITIZED

static int cell;

static enum bob_err
give_back(void *arg, void **ret_value)
{
    *ret_value = arg;
    return BOB_OK;
}

static enum bob_err
once_done(void *arg)
{
    (void)arg;
    return BOB_OK;
}

static void *
nothing(void *arg)
{
    return arg;
}

static void
mark(void *arg)
{
    *(int *)arg = 1;
}

static void
mark_done(struct bob_future *f, void *arg)
{
    (void)f;
    mark(arg);
}

static void *
make_semaphore(void)
{
    return bob_semaphore_new(1);
}

static void *
make_bounded_semaphore(void)
{
    return bob_semaphore_new_bounded(1);
}

static void *
make_barrier(void)
{
    return bob_barrier_new(2, NULL, NULL);
}

static void *
make_future(void)
{
    return bob_future_new();
}

static void *
make_iterator(void)
{
    struct bob_future *f[2] = {bob_future_new(), bob_future_new()};
    struct bob_as_completed *it = f[0] && f[1] ? bob_as_completed_new(f, 2) : NULL;

    bob_future_unref(f[0]);
    bob_future_unref(f[1]);
    return it;
}

static void *
make_local(void)
{
    return bob_local_new(NULL);
}

static void *
make_executor(void)
{
    return bob_executor_new("x", NULL);
}

static void
free_semaphore(void *made)
{
    bob_semaphore_free(made);
}

static void
free_barrier(void *made)
{
    bob_barrier_free(made);
}

static void
free_future(void *made)
{
    bob_future_unref(made);
}

static void
free_iterator(void *made)
{
    bob_as_completed_free(made);
}

static void
free_local(void *made)
{
    bob_local_free(made);
}

static void
free_executor(void *made)
{
    bob_executor_free(made);
}

static void
what_cannot_be_made_is_null_and_leaves_nothing(void **state)
{
    static const struct {
        void *(*make)(void);
        void (*end)(void *);
        int blocks;
    } kinds[] = {
        {make_semaphore, free_semaphore, 1}, {make_bounded_semaphore, free_semaphore, 1},
        {make_barrier, free_barrier, 1},     {make_future, free_future, 1},
        {make_iterator, free_iterator, 3},   {make_local, free_local, 1},
        {make_executor, free_executor, 4},
    };

    (void)state;
    bob_local_free(bob_local_new(NULL)); /* the table of all locals, which stays */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int before = held_blocks, tries = 0;
        void *made = NULL;

        for (; !made && tries < 20; tries++) {
            assert_int_equal(held_blocks, before);
            left = tries;
            made = kinds[i].make();
            left = -1;
        }
        assert_int_equal(tries, kinds[i].blocks + 1); /* each of them failed once */
        kinds[i].end(made);
        assert_int_equal(held_blocks, before);
    }
}

/* One more local than its table has room for. */
static void
a_local_for_which_the_table_must_grow_is_whole_or_none(void **state)
{
    enum { MANY = 100 };
    struct bob_local *l[MANY] = {NULL};
    int failures = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        left = 1;
        l[i] = bob_local_new(NULL);
        left = -1;
        if (l[i])
            continue;
        failures++;
        l[i] = bob_local_new(NULL);
        assert_non_null(l[i]);
    }
    assert_in_range(failures, 2, 10);
    for (int i = 0; i < MANY; i++)
        bob_local_free(l[i]);
}

static void *
set_in_turn(void *arg)
{
    struct bob_local *l = arg;
    enum bob_err err = BOB_ERR_NO_MEMORY;
    int tries;

    for (tries = 0; err && tries < 20; tries++) {
        left = tries > 0; /* what a failed set made of this is there for the next */
        err = bob_local_set(l, &cell);
        left = -1;
        if (err != (bob_local_get(l) ? BOB_OK : BOB_ERR_NO_MEMORY))
            return NULL;
    }
    left = 0; /* it is there, and needs no more */
    err = bob_local_set(l, l);
    left = -1;
    return err || bob_local_get(l) != l || tries != 4 ? NULL : l; /* room, its table, the value */
}

static void
a_value_is_set_or_not(void **state)
{
    struct bob_local *l = bob_local_new(NULL);
    struct bob_thread *t;
    void *value;

    (void)state;
    assert_int_equal(bob_thread_start(&t, "setter", set_in_turn, l, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &value), BOB_OK);
    assert_ptr_equal(value, l);
    bob_thread_free(t);
    bob_local_free(l);
}

static void *
fail_without_memory(void *arg)
{
    left = 0;
    return bob_thread_fail(BOB_ERR_FULL, "no memory is needed to say %s", (const char *)arg);
}

static void
keep_quiet(const struct bob_uncaught *uncaught, void *arg)
{
    (void)uncaught;
    (void)arg;
}

static void
a_thread_says_why_it_failed_all_the_same(void **state)
{
    static char so[] = "so";
    struct bob_failure failure;
    struct bob_thread *t;

    (void)state;
    bob_set_excepthook(keep_quiet, NULL);
    assert_int_equal(bob_thread_start(&t, "failing", fail_without_memory, so, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), NULL), BOB_OK);
    bob_set_excepthook(NULL, NULL);
    assert_true(bob_thread_failure(t, &failure));
    assert_int_equal(failure.code, BOB_ERR_FULL);
    assert_string_equal(failure.message, "no memory is needed to say so");
    bob_thread_free(t);
}

/* What a program does between new and free, or init and fini, needs none. */
static void
the_other_calls_need_no_memory(void **state)
{
    static struct bob_rwlock rwlock = BOB_RWLOCK_INIT(NULL);
    static struct bob_rlock rlock = BOB_RLOCK_INIT(NULL);
    static struct bob_once once;
    struct bob_semaphore *s = bob_semaphore_new(1);
    struct bob_barrier *b = bob_barrier_new(1, NULL, NULL);
    struct bob_future *f[20], *first = NULL;
    struct bob_as_completed *it;
    struct bob_event event;
    enum bob_err err[8];
    size_t n_done = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        f[i] = bob_future_new();
    it = bob_as_completed_new(f, 20);
    left = 0;
    bob_event_init(&event);
    err[0] = bob_event_wait(&event, bob_now() + 1);
    bob_event_set(&event);
    bob_event_fini(&event);
    err[1] = bob_semaphore_acquire(s, BOB_AT_ONCE);
    err[2] = bob_semaphore_acquire(s, bob_now() + 1);
    err[3] = bob_barrier_wait(b, BOB_FOREVER, NULL);
    bob_rwlock_read_hold(&rwlock);
    (void)bob_rwlock_read_release(&rwlock);
    bob_rlock_hold(&rlock);
    (void)bob_rlock_release(&rlock);
    err[4] = bob_once_call(&once, once_done, &cell);
    for (int i = 0; i < 20; i++)
        (void)bob_future_set_result(f[i], &cell);
    err[5] = bob_future_wait(f, 20, BOB_ALL_COMPLETED, BOB_FOREVER, &n_done);
    err[6] = bob_future_wait(f, 16, BOB_FIRST_COMPLETED, BOB_FOREVER, NULL);
    err[7] = bob_as_completed_next(it, BOB_FOREVER, &first);
    left = -1;
    for (int i = 0; i < 8; i++)
        assert_int_equal(err[i], i == 0 || i == 2 ? BOB_ERR_TIMEOUT : BOB_OK);
    assert_int_equal(n_done, 20);
    assert_ptr_equal(first, f[0]);
    bob_as_completed_free(it);
    for (int i = 0; i < 20; i++)
        bob_future_unref(f[i]);
    bob_barrier_free(b);
    bob_semaphore_free(s);
}

static void
timers_are_whole_or_not_at_all(void **state)
{
    struct bob_timers *ts = NULL;
    struct bob_timer *t = NULL;
    size_t before = bob_thread_active_count();
    int tries, fired = 0;

    (void)state;
    for (tries = 0; !ts && tries < 20; tries++) {
        left = tries;
        ts = bob_timers_new("clockwork");
        left = -1;
        assert_int_equal(bob_thread_active_count(), before + (ts ? 1 : 0));
    }
    assert_in_range(tries, 3, 19); /* some did fail */
    for (tries = 0; !t && tries < 20; tries++) {
        int before_try = held_blocks;

        left = tries;
        t = bob_timer_start(ts, BOB_FOREVER, 0, mark, &fired);
        left = -1;
        assert_true(t || held_blocks == before_try);
    }
    assert_int_equal(tries, 3); /* the timer, and its place in the heap */
    assert_true(bob_timer_cancel(t));
    bob_timer_free(t);
    bob_timers_free(ts);
}

static void
a_thread_is_started_or_not_listed(void **state)
{
    struct bob_thread *t = NULL;
    size_t before = bob_thread_active_count();
    enum bob_err err = BOB_ERR_NO_MEMORY;
    int tries;

    (void)state;
    for (tries = 0; err && tries < 20; tries++) {
        left = tries;
        err = bob_thread_start(&t, "thread", nothing, NULL, NULL);
        left = -1;
        assert_true(err == BOB_OK || err == BOB_ERR_NO_MEMORY || err == BOB_ERR_SYSTEM);
        assert_true(!t == (err != BOB_OK));
    }
    assert_true(tries > 1);
    bob_thread_free(t);
    assert_int_equal(bob_thread_active_count(), before);
}

static void
a_submit_is_queued_or_refused(void **state)
{
    struct bob_executor *x = bob_executor_new("x", NULL);
    struct bob_future *f = NULL;
    enum bob_err err = BOB_ERR_NO_MEMORY;
    void *value = NULL;
    int tries;

    (void)state;
    for (tries = 0; err && tries < 20; tries++) {
        left = tries;
        err = bob_executor_submit(x, give_back, &cell, &f);
        left = -1;
        assert_true(err == BOB_OK || err == BOB_ERR_NO_MEMORY || err == BOB_ERR_SYSTEM);
        assert_true(!f == (err != BOB_OK));
    }
    assert_in_range(tries, 4, 19); /* work, future, worker, thread */
    assert_int_equal(bob_future_result(f, bob_in_seconds(20), &value), BOB_OK);
    assert_ptr_equal(value, &cell);
    bob_future_unref(f);
    bob_executor_free(x);
}

static void
without_a_future_a_submit_allocates_once(void **state)
{
    struct bob_executor *x = bob_executor_new("x", NULL);
    enum bob_err err;

    (void)state;
    assert_int_equal(bob_executor_submit(x, give_back, &cell, NULL), BOB_OK); /* starts a thread */
    while (bob_executor_busy(x) > 0)
        sched_yield();
    left = 0;
    err = bob_executor_submit(x, give_back, &cell, NULL);
    left = -1;
    assert_int_equal(err, BOB_ERR_NO_MEMORY);
    assert_int_equal(bob_executor_resize(x, 1), BOB_OK);
    left = 1;
    err = bob_executor_submit(x, give_back, &cell, NULL);
    left = -1;
    assert_int_equal(err, BOB_OK);
    bob_executor_free(x);
}

static void
a_future_is_finished_all_the_same(void **state)
{
    struct bob_future *f = bob_future_new();
    int told = 0;
    enum bob_err err;

    (void)state;
    left = 0;
    err = bob_future_add_done_callback(f, mark_done, &told);
    left = -1;
    assert_int_equal(err, BOB_ERR_NO_MEMORY);
    left = 0;
    err = bob_future_set_error(f, BOB_ERR_BROKEN, "a message there is no memory for");
    left = -1;
    assert_int_equal(err, BOB_OK);
    assert_int_equal(told, 0);
    assert_int_equal(bob_future_result(f, BOB_AT_ONCE, NULL), BOB_ERR_BROKEN);
    assert_string_equal(bob_future_message(f), "");
    left = 0;
    err = bob_future_add_done_callback(f, mark_done, &told); /* done: needs none */
    left = -1;
    assert_int_equal(err, BOB_OK);
    assert_int_equal(told, 1);
    bob_future_unref(f);
}

static void
the_calling_thread_stays_unlisted(void **state)
{
    size_t before = bob_thread_active_count();
    struct bob_thread *me;

    (void)state;
    left = 0;
    me = bob_thread_current();
    bob_thread_note("no matter");
    bob_thread_adopt("main", "main");
    left = -1;
    assert_null(me);
    assert_int_equal(bob_thread_active_count(), before);
    assert_non_null(bob_thread_current());
    assert_int_equal(bob_thread_active_count(), before + 1);
}

#endif

int
main(void)
{
#ifdef SANITIZED
    (void)puts("1..0 # SKIP a sanitizer has a malloc of its own");
    return 0;
#else
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calling_thread_stays_unlisted), /* first: nobody has asked for it */
        cmocka_unit_test(what_cannot_be_made_is_null_and_leaves_nothing),
        cmocka_unit_test(a_local_for_which_the_table_must_grow_is_whole_or_none),
        cmocka_unit_test(a_value_is_set_or_not),
        cmocka_unit_test(a_thread_says_why_it_failed_all_the_same),
        cmocka_unit_test(the_other_calls_need_no_memory),
        cmocka_unit_test(timers_are_whole_or_not_at_all),
        cmocka_unit_test(a_thread_is_started_or_not_listed),
        cmocka_unit_test(a_submit_is_queued_or_refused),
        cmocka_unit_test(without_a_future_a_submit_allocates_once),
        cmocka_unit_test(a_future_is_finished_all_the_same),
    };

    return cmocka_run_group_tests_name("lib_memory", tests, NULL, NULL);
#endif
}
