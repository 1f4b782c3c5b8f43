/* test_event.c - lib/event.c: set lets go, clear holds back, and a pulse is not missed.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
a_set_event_makes_nobody_wait(void **state)
{
    struct bob_event e;
    bob_time until;

    (void)state;
    bob_event_init(&e);
    assert_false(bob_event_is_set(&e));
    assert_int_equal(bob_event_wait(&e, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    until = bob_in_ms(3);
    assert_int_equal(bob_event_wait(&e, until), BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    bob_event_set(&e);
    bob_event_set(&e);
    assert_true(bob_event_is_set(&e));
    assert_int_equal(bob_event_wait(&e, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_event_wait(&e, BOB_FOREVER), BOB_OK);
    bob_event_clear(&e);
    assert_false(bob_event_is_set(&e));
    assert_int_equal(bob_event_wait(&e, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    bob_event_fini(&e);
}

static struct bob_event there_at_the_start = BOB_EVENT_INIT;

static void
an_event_may_be_static(void **state)
{
    (void)state;
    assert_int_equal(bob_event_wait(&there_at_the_start, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    bob_event_set(&there_at_the_start);
    assert_int_equal(bob_event_wait(&there_at_the_start, BOB_AT_ONCE), BOB_OK);
    bob_event_fini(&there_at_the_start);
}

static void *
wait_long(void *arg)
{
    bob_thread_note("waiting");
    return bob_event_wait(arg, bob_in_seconds(20)) ? NULL : arg;
}

static void
a_pulse_lets_go_those_that_waited(void **state)
{
    struct bob_event e;
    struct bob_thread *t;
    void *value;

    (void)state;
    bob_event_init(&e);
    assert_int_equal(bob_thread_start(&t, "waiter", wait_long, &e, NULL), BOB_OK);
    while (bob_thread_join(t, BOB_AT_ONCE, &value)) { /* until it was there for one of them */
        bob_event_set(&e);
        bob_event_clear(&e);
        sched_yield();
    }
    assert_ptr_equal(value, &e);
    bob_thread_free(t);
    bob_event_fini(&e);
}

static void *
set_it(void *e)
{
    bob_event_set(e);
    return NULL;
}

/* Under AddressSanitizer or ThreadSanitizer this says more. */
static void
who_saw_it_set_may_destroy_it(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct bob_event *e = malloc(sizeof *e);
        struct bob_thread *t;

        assert_non_null(e);
        bob_event_init(e);
        assert_int_equal(bob_thread_start(&t, "setter", set_it, e, NULL), BOB_OK);
        assert_int_equal(bob_event_wait(e, bob_in_seconds(20)), BOB_OK);
        bob_event_fini(e);
        free(e);
        bob_thread_free(t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_event_makes_nobody_wait),
        cmocka_unit_test(an_event_may_be_static),
        cmocka_unit_test(a_pulse_lets_go_those_that_waited),
        cmocka_unit_test(who_saw_it_set_may_destroy_it),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
