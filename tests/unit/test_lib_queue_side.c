/* test_lib_queue_side.c - lib/queue_side.c: who sleeps, who is woken, and that nobody is left asleep.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/thread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue_side.h"

static struct bob_side getters, putters;

static void
begin(size_t maxsize)
{
    bob_side_init_(&getters, 0);
    bob_side_init_(&putters, maxsize);
}

static void
end(void)
{
    assert_true(bob_list_is_empty_(&getters.sleepers));
    assert_true(bob_list_is_empty_(&putters.sleepers));
    assert_false(getters.calls || getters.is_told || putters.calls || putters.is_told);
    bob_side_fini_(&getters);
    bob_side_fini_(&putters);
}

/* One step of @s, if it may be had by @deadline. */
static bool
step(struct bob_side *s, struct bob_side *other, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    bool stepped;

    bob_side_lock_(s);
    while (!bob_side_may_step_(s, other) && !err && deadline > BOB_AT_ONCE)
        err = bob_side_sleep_(s, other, deadline);
    stepped = bob_side_may_step_(s, other);
    if (stepped)
        bob_side_step_(s, 1);
    bob_side_leave_(s, other, stepped);
    return stepped;
}

static size_t
asleep_on(struct bob_side *s)
{
    size_t n = 0;

    bob_side_lock_(s);
    for (struct bob_list *i = s->sleepers.next; i != &s->sleepers; i = i->next)
        n++;
    bob_side_unlock_(s);
    return n;
}

static void *
get(void *stepped)
{
    __atomic_store_n((int *)stepped, step(&getters, &putters, bob_in_seconds(20)) ? 1 : -1,
                     __ATOMIC_SEQ_CST);
    return NULL;
}

static void *
put(void *stepped)
{
    *(int *)stepped = step(&putters, &getters, bob_in_seconds(20)) ? 1 : -1;
    return NULL;
}

/* Starts @n, and returns once all of them sleep. */
static void
put_to_sleep(struct bob_thread **t, int n, void *(*fn)(void *), int *stepped, struct bob_side *s)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(bob_thread_start(&t[i], "sleeper", fn, &stepped[i], NULL), BOB_OK);
    while (asleep_on(s) < (size_t)n)
        sched_yield();
}

static void
wake_up(struct bob_thread **t, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), NULL), BOB_OK);
        bob_thread_free(t[i]);
    }
}

static void
a_side_is_ahead_by_its_credit_at_most(void **state)
{
    (void)state;
    begin(2);
    assert_false(step(&getters, &putters, BOB_AT_ONCE));
    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    assert_false(step(&putters, &getters, BOB_AT_ONCE));
    assert_true(step(&getters, &putters, BOB_AT_ONCE));
    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    assert_true(step(&getters, &putters, BOB_AT_ONCE));
    assert_true(step(&getters, &putters, BOB_AT_ONCE));
    assert_false(step(&getters, &putters, BOB_AT_ONCE));
    end();
}

static void
counts_may_go_round(void **state)
{
    (void)state;
    begin(3);
    putters.count = putters.seen = getters.count = getters.seen = SIZE_MAX - 1;
    for (int i = 0; i < 3; i++)
        assert_true(step(&putters, &getters, BOB_AT_ONCE));
    assert_int_equal(putters.count, 1);
    assert_false(step(&putters, &getters, BOB_AT_ONCE));
    for (int i = 0; i < 3; i++)
        assert_true(step(&getters, &putters, BOB_AT_ONCE));
    assert_false(step(&getters, &putters, BOB_AT_ONCE));
    end();
}

static void
one_that_sleeps_is_woken_by_the_step_it_waits_for(void **state)
{
    struct bob_thread *t[1];
    int stepped[1] = {0};

    (void)state;
    begin(1);
    put_to_sleep(t, 1, get, stepped, &getters);
    assert_true(getters.calls);
    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    wake_up(t, 1);
    assert_int_equal(stepped[0], 1);

    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    put_to_sleep(t, 1, put, stepped, &putters);
    assert_true(step(&getters, &putters, BOB_AT_ONCE));
    wake_up(t, 1);
    assert_int_equal(stepped[0], 1);
    end();
}

/* Steps counted before anybody is told: each that wakes has to wake the next. */
static void
one_wake_is_passed_on_while_there_is_more(void **state)
{
    struct bob_thread *t[4];
    int stepped[4] = {0};

    (void)state;
    begin(8);
    put_to_sleep(t, 4, get, stepped, &getters);
    bob_side_lock_(&putters);
    bob_side_step_(&putters, 4);
    bob_side_leave_(&putters, &getters, true);
    wake_up(t, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(stepped[i], 1);
    end();
}

static void
one_step_wakes_one(void **state)
{
    struct bob_thread *t[3];
    int stepped[3] = {0};

    (void)state;
    begin(8);
    put_to_sleep(t, 3, get, stepped, &getters);
    for (int n = 1; n <= 3; n++) {
        int sum = 0;

        assert_true(step(&putters, &getters, BOB_AT_ONCE));
        while (sum < n) {
            sched_yield();
            sum = 0;
            for (int i = 0; i < 3; i++)
                sum += __atomic_load_n(&stepped[i], __ATOMIC_SEQ_CST);
        }
        assert_int_equal(sum, n);
        assert_int_equal(asleep_on(&getters), 3 - n);
    }
    wake_up(t, 3);
    end();
}

/* What the one that was told would have taken is gone when it looks: it must call again, or sleep for ever. */
static void
one_that_is_woken_for_nothing_sleeps_on(void **state)
{
    struct bob_thread *t[2];
    int stepped[2] = {0};

    (void)state;
    begin(8);
    put_to_sleep(t, 2, get, stepped, &getters);
    for (int i = 0; i < 1000; i++) {
        bob_side_wake_(&getters);
        if (i % 2)
            while (asleep_on(&getters) < 2)
                sched_yield();
    }
    assert_int_equal(stepped[0] + stepped[1], 0);
    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    assert_true(step(&putters, &getters, BOB_AT_ONCE));
    wake_up(t, 2);
    assert_int_equal(stepped[0] + stepped[1], 2);
    end();
}

static void
a_deadline_that_passes_leaves_nobody_behind(void **state)
{
    bob_time until = bob_in_ms(3);

    (void)state;
    begin(1);
    assert_false(step(&getters, &putters, until));
    assert_true(bob_now() >= until);
    assert_false(step(&getters, &putters, until)); /* has passed */
    assert_true(step(&putters, &getters, until));
    end();
}

static void
wake_all_wakes_all(void **state)
{
    struct bob_thread *t[3];
    int stepped[3] = {0};

    (void)state;
    begin(1);
    put_to_sleep(t, 3, get, stepped, &getters);
    bob_side_wake_all_(&putters); /* nobody */
    bob_side_wake_all_(&getters); /* all look, and sleep again */
    while (asleep_on(&getters) < 3)
        sched_yield();
    for (int i = 0; i < 3; i++)
        assert_true(step(&putters, &getters, bob_in_seconds(20)));
    wake_up(t, 3);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_side_is_ahead_by_its_credit_at_most),
        cmocka_unit_test(counts_may_go_round),
        cmocka_unit_test(one_that_sleeps_is_woken_by_the_step_it_waits_for),
        cmocka_unit_test(one_wake_is_passed_on_while_there_is_more),
        cmocka_unit_test(one_step_wakes_one),
        cmocka_unit_test(one_that_is_woken_for_nothing_sleeps_on),
        cmocka_unit_test(a_deadline_that_passes_leaves_nobody_behind),
        cmocka_unit_test(wake_all_wakes_all),
    };

    return cmocka_run_group_tests_name("lib_queue_side", tests, NULL, NULL);
}
