/* test_semaphore.c - lib/semaphore.c: permits are neither lost nor made.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
as_many_as_its_value_get_one(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new(2);
    bob_time until;

    (void)state;
    assert_non_null(s);
    assert_int_equal(bob_semaphore_value(s), 2);
    assert_int_equal(bob_semaphore_acquire(s, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_semaphore_acquire(s, BOB_FOREVER), BOB_OK);
    assert_int_equal(bob_semaphore_acquire(s, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    until = bob_in_ms(3);
    assert_int_equal(bob_semaphore_acquire(s, until), BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
    assert_int_equal(bob_semaphore_acquire(s, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_semaphore_value(s), 0);
    bob_semaphore_free(s);
}

static void
a_bounded_one_takes_back_no_more_than_it_gave(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new_bounded(3);

    (void)state;
    assert_int_equal(bob_semaphore_release(s, 1), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_acquire(s, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_semaphore_release(s, 2), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_release(s, UINT_MAX), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_value(s), 2);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
    assert_int_equal(bob_semaphore_value(s), 3);
    bob_semaphore_free(s);
}

static void
an_unbounded_one_grows_until_the_number_ends(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new(0);

    (void)state;
    assert_int_equal(bob_semaphore_release(s, 0), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_release(s, 7), BOB_OK);
    assert_int_equal(bob_semaphore_release(s, UINT_MAX), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_value(s), 7);
    assert_int_equal(bob_semaphore_release(s, UINT_MAX - 7), BOB_OK);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_ERR_INVALID);
    bob_semaphore_free(s);
    bob_semaphore_free(NULL);
}

static void *
take_one(void *s)
{
    return bob_semaphore_acquire(s, bob_in_seconds(20)) ? NULL : s;
}

static void
n_permits_let_n_waiters_go(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new(0);
    struct bob_thread *t[4];
    void *value;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(bob_thread_start(&t[i], "taker", take_one, s, NULL), BOB_OK);
    assert_int_equal(bob_semaphore_release(s, 3), BOB_OK);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), &value), BOB_OK);
        assert_ptr_equal(value, s);
        bob_thread_free(t[i]);
    }
    assert_int_equal(bob_semaphore_value(s), 0);
    bob_semaphore_free(s);
}

struct taker {
    struct bob_semaphore *s;
    unsigned n;
    bob_time deadline;
    struct bob_thread *thread;
};

static void *
take_n(void *arg)
{
    struct taker *t = arg;

    return bob_semaphore_acquire_n(t->s, t->n, t->deadline) ? NULL : t;
}

static void
begin(struct taker *t, struct bob_semaphore *s, unsigned n, bob_time deadline)
{
    *t = (struct taker){.s = s, .n = n, .deadline = deadline};
    assert_int_equal(bob_thread_start(&t->thread, "taker", take_n, t, NULL), BOB_OK);
}

static bool
had_them(struct taker *t)
{
    void *value = NULL;

    assert_int_equal(bob_thread_join(t->thread, bob_in_seconds(20), &value), BOB_OK);
    bob_thread_free(t->thread);
    return value == t;
}

static void
many_are_taken_at_once_or_not_at_all(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new_bounded(5);

    (void)state;
    assert_int_equal(bob_semaphore_acquire_n(s, 3, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_semaphore_acquire_n(s, 3, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_semaphore_acquire_n(s, 3, bob_in_ms(2)), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_semaphore_value(s), 2);
    assert_int_equal(bob_semaphore_acquire_n(s, 2, BOB_FOREVER), BOB_OK);
    assert_int_equal(bob_semaphore_release(s, 5), BOB_OK);
    assert_int_equal(bob_semaphore_acquire_n(s, 0, BOB_AT_ONCE), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_acquire_n(s, 6, BOB_FOREVER), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_acquire_n(s, 5, BOB_FOREVER), BOB_OK);
    bob_semaphore_free(s);
    s = bob_semaphore_new_bounded(0);
    assert_int_equal(bob_semaphore_acquire(s, BOB_FOREVER), BOB_ERR_INVALID);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_ERR_INVALID);
    bob_semaphore_free(s);
}

/* With a permit free, one who may not wait fails only while others do. */
static void
until_somebody_waits(struct bob_semaphore *s)
{
    while (bob_semaphore_acquire(s, BOB_AT_ONCE) == BOB_OK) {
        assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
        (void)sched_yield();
    }
}

static void
who_wants_many_is_not_passed_by_who_wants_few(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new(2);
    struct taker big, small;

    (void)state;
    begin(&big, s, 4, BOB_FOREVER);
    until_somebody_waits(s);
    begin(&small, s, 1, BOB_FOREVER);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
    assert_int_equal(bob_semaphore_acquire(s, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_semaphore_value(s), 3);
    assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
    assert_true(had_them(&big));
    assert_int_equal(bob_semaphore_release(s, 1), BOB_OK);
    assert_true(had_them(&small));
    assert_int_equal(bob_semaphore_value(s), 0);
    bob_semaphore_free(s);
}

static void
who_gives_up_lets_those_behind_go(void **state)
{
    struct bob_semaphore *s = bob_semaphore_new(1);
    struct taker big, small;

    (void)state;
    begin(&big, s, 4, bob_in_ms(30));
    begin(&small, s, 1, BOB_FOREVER); /* before it, behind it, or after its time */
    assert_true(had_them(&small));
    assert_false(had_them(&big));
    assert_int_equal(bob_semaphore_value(s), 0);
    bob_semaphore_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_its_value_get_one),
        cmocka_unit_test(a_bounded_one_takes_back_no_more_than_it_gave),
        cmocka_unit_test(an_unbounded_one_grows_until_the_number_ends),
        cmocka_unit_test(n_permits_let_n_waiters_go),
        cmocka_unit_test(many_are_taken_at_once_or_not_at_all),
        cmocka_unit_test(who_wants_many_is_not_passed_by_who_wants_few),
        cmocka_unit_test(who_gives_up_lets_those_behind_go),
    };

    return cmocka_run_group_tests_name("semaphore", tests, NULL, NULL);
}
