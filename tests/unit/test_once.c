/* test_once.c - lib/once.c: one success, however many ask.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/once.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct work {
    struct bob_once once;
    struct bob_event begun, go;
    enum bob_err fails_with; /* BOB_OK: it succeeds */
    int runs;                /* plain: the once orders its accesses */
};

static enum bob_err
run(void *arg)
{
    struct work *w = arg;

    w->runs++;
    return w->fails_with;
}

static enum bob_err
run_when_told(void *arg)
{
    struct work *w = arg;

    bob_event_set(&w->begun);
    (void)!bob_event_wait(&w->go, bob_in_seconds(20));
    return run(w);
}

static void *
call_slow(void *arg)
{
    struct work *w = arg;

    return bob_once_call(&w->once, run_when_told, w) == w->fails_with ? arg : NULL;
}

static void *
call_quick(void *arg)
{
    struct work *w = arg;
    bool had = bob_once_call(&w->once, run, w) == BOB_OK && w->runs > 0;

    return had ? arg : NULL;
}

static void
it_runs_until_it_succeeds(void **state)
{
    struct work w = {.once = BOB_ONCE_INIT, .fails_with = BOB_ERR_SYSTEM};

    (void)state;
    assert_int_equal(bob_once_call(&w.once, run, &w), BOB_ERR_SYSTEM);
    assert_false(bob_once_done(&w.once));
    assert_int_equal(bob_once_call(&w.once, run, &w), BOB_ERR_SYSTEM);
    w.fails_with = BOB_OK;
    assert_int_equal(bob_once_call(&w.once, run, &w), BOB_OK);
    assert_true(bob_once_done(&w.once));
    w.fails_with = BOB_ERR_SYSTEM;
    assert_int_equal(bob_once_call(&w.once, run, &w), BOB_OK);
    assert_int_equal(w.runs, 3);
}

static enum bob_err
call_again(void *arg)
{
    struct work *w = arg;

    w->fails_with = bob_once_call(&w->once, run, w);
    return BOB_OK;
}

static void
calling_it_from_inside_is_an_error(void **state)
{
    struct work w = {.once = BOB_ONCE_INIT};

    (void)state;
    assert_int_equal(bob_once_call(&w.once, call_again, &w), BOB_OK);
    assert_int_equal(w.fails_with, BOB_ERR_STATE);
    assert_int_equal(w.runs, 0);
    assert_true(bob_once_done(&w.once));
}

/* One begins, three more ask, and then the first may end. */
static int
race(enum bob_err first_ends_with)
{
    struct work w = {.once = BOB_ONCE_INIT, .fails_with = first_ends_with};
    struct bob_thread *t[4];
    void *value;

    bob_event_init(&w.begun);
    bob_event_init(&w.go);
    assert_int_equal(bob_thread_start(&t[0], "first", call_slow, &w, NULL), BOB_OK);
    assert_int_equal(bob_event_wait(&w.begun, bob_in_seconds(20)), BOB_OK);
    for (int i = 1; i < 4; i++)
        assert_int_equal(bob_thread_start(&t[i], "later", call_quick, &w, NULL), BOB_OK);
    assert_false(bob_once_done(&w.once));
    bob_event_set(&w.go);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), &value), BOB_OK);
        if (!first_ends_with)
            assert_ptr_equal(value, &w);
        bob_thread_free(t[i]);
    }
    bob_event_fini(&w.go);
    bob_event_fini(&w.begun);
    return w.runs;
}

static void
others_wait_for_the_one_that_runs_it(void **state)
{
    (void)state;
    assert_int_equal(race(BOB_OK), 1);
}

static void
when_it_fails_each_that_waited_tries(void **state)
{
    (void)state;
    assert_int_equal(race(BOB_ERR_BROKEN), 4); /* all fail here: none is left out, none hangs */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_until_it_succeeds),
        cmocka_unit_test(calling_it_from_inside_is_an_error),
        cmocka_unit_test(others_wait_for_the_one_that_runs_it),
        cmocka_unit_test(when_it_fails_each_that_waited_tries),
    };

    return cmocka_run_group_tests_name("once", tests, NULL, NULL);
}
