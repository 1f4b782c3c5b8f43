/* test_condition.c - lib/condition.c: a wait gives the lock up, and has it again whatever happened.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct bob_lock_class tested = {"tested", 10};

struct shared {
    struct bob_lock lock;
    struct bob_condition changed;
    int waiting, go, gone, asked;
};

static void
shared_init(struct shared *s)
{
    *s = (struct shared){0};
    bob_lock_init(&s->lock, &tested);
    bob_condition_init(&s->changed);
}

static void
shared_fini(struct shared *s)
{
    bob_condition_fini(&s->changed);
    bob_lock_fini(&s->lock);
}

static void *
wait_for_go(void *arg)
{
    struct shared *s = arg;
    enum bob_err err = BOB_OK;

    bob_lock_hold(&s->lock);
    s->waiting++;
    bob_condition_notify_all(&s->changed);
    while (s->go == 0 && !err)
        err = bob_condition_wait(&s->changed, &s->lock, bob_in_seconds(20));
    s->go--;
    s->gone++;
    bob_condition_notify_all(&s->changed);
    (void)bob_lock_release(&s->lock);
    return NULL;
}

static bool
three_wait(void *arg)
{
    return ((struct shared *)arg)->waiting == 3;
}

static bool
one_is_gone(void *arg)
{
    return ((struct shared *)arg)->gone >= 1;
}

static bool
three_are_gone(void *arg)
{
    return ((struct shared *)arg)->gone == 3;
}

static bool
never(void *arg)
{
    ((struct shared *)arg)->asked++;
    return false;
}

static bool
at_once(void *arg)
{
    ((struct shared *)arg)->asked++;
    return true;
}

static void
all_that_wait_are_woken(void **state)
{
    struct shared s;
    struct bob_thread *t[3];

    (void)state;
    shared_init(&s);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_thread_start(&t[i], "waiter", wait_for_go, &s, NULL), BOB_OK);
    bob_lock_hold(&s.lock);
    assert_true(bob_condition_wait_for(&s.changed, &s.lock, three_wait, &s, bob_in_seconds(20)));
    assert_true(bob_lock_is_mine(&s.lock));
    s.go = 3;
    bob_condition_notify_all(&s.changed);
    assert_true(bob_condition_wait_for(&s.changed, &s.lock, three_are_gone, &s, BOB_FOREVER));
    assert_int_equal(s.go, 0);
    (void)bob_lock_release(&s.lock);
    for (int i = 0; i < 3; i++)
        bob_thread_free(t[i]);
    shared_fini(&s);
}

static void
n_that_wait_are_woken(void **state)
{
    struct shared s;
    struct bob_thread *t[3];

    (void)state;
    shared_init(&s);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_thread_start(&t[i], "waiter", wait_for_go, &s, NULL), BOB_OK);
    bob_lock_hold(&s.lock);
    assert_true(bob_condition_wait_for(&s.changed, &s.lock, three_wait, &s, bob_in_seconds(20)));
    s.go = 3;
    bob_condition_notify_n(&s.changed, 0); /* nobody */
    bob_condition_notify_n(&s.changed, 1); /* each that goes wakes the others */
    assert_true(bob_condition_wait_for(&s.changed, &s.lock, one_is_gone, &s, BOB_FOREVER));
    bob_condition_notify_n(&s.changed, 1000000);
    assert_true(bob_condition_wait_for(&s.changed, &s.lock, three_are_gone, &s, BOB_FOREVER));
    (void)bob_lock_release(&s.lock);
    for (int i = 0; i < 3; i++)
        bob_thread_free(t[i]);
    assert_int_equal(bob_thread_join_all(bob_in_seconds(20)), BOB_OK);
    shared_fini(&s);
}

/* A waiter of no predicate: each wake counts. */
static void *
wait_once(void *arg)
{
    struct shared *s = arg;

    bob_lock_hold(&s->lock);
    s->waiting++;
    (void)!bob_condition_wait(&s->changed, &s->lock, bob_in_seconds(20));
    s->gone++;
    (void)bob_lock_release(&s->lock);
    return NULL;
}

static int
read_under_lock(struct shared *s, const int *n)
{
    int value;

    bob_lock_hold(&s->lock);
    value = *n;
    (void)bob_lock_release(&s->lock);
    return value;
}

static void
each_notify_wakes_one_more(void **state)
{
    struct shared s;
    struct bob_thread *t[3];

    (void)state;
    shared_init(&s);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_thread_start(&t[i], "waiter", wait_once, &s, NULL), BOB_OK);
    while (read_under_lock(&s, &s.waiting) < 3)
        (void)sched_yield();
    for (int i = 1; i <= 3; i++) {
        bob_condition_notify(&s.changed);
        while (read_under_lock(&s, &s.gone) < i)
            (void)sched_yield();
    }
    for (int i = 0; i < 3; i++)
        bob_thread_free(t[i]);
    assert_int_equal(bob_thread_join_all(bob_in_seconds(20)), BOB_OK);
    shared_fini(&s);
}

static void
a_wait_ends_at_its_deadline_and_holds_the_lock(void **state)
{
    struct shared s;
    enum bob_err err = BOB_OK;
    bob_time until = bob_in_ms(5);

    (void)state;
    shared_init(&s);
    bob_lock_hold(&s.lock);
    while (!err)
        err = bob_condition_wait(&s.changed, &s.lock, until);
    assert_int_equal(err, BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    assert_true(bob_lock_is_mine(&s.lock));
    assert_int_equal(bob_condition_wait(&s.changed, &s.lock, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_condition_wait(&s.changed, &s.lock, bob_now()), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_lock_release(&s.lock), BOB_OK);
    shared_fini(&s);
}

static void
waiting_needs_the_lock(void **state)
{
    struct shared s;

    (void)state;
    shared_init(&s);
    assert_int_equal(bob_condition_wait(&s.changed, &s.lock, BOB_FOREVER), BOB_ERR_NOT_OWNER);
    assert_false(bob_condition_wait_for(&s.changed, &s.lock, never, &s, BOB_FOREVER));
    shared_fini(&s);
}

static void
the_predicate_is_asked_before_and_after(void **state)
{
    struct shared s;

    (void)state;
    shared_init(&s);
    bob_lock_hold(&s.lock);
    assert_true(bob_condition_wait_for(&s.changed, &s.lock, at_once, &s, BOB_AT_ONCE));
    assert_int_equal(s.asked, 1);
    s.asked = 0;
    assert_false(bob_condition_wait_for(&s.changed, &s.lock, never, &s, BOB_AT_ONCE));
    assert_int_equal(s.asked, 2);
    s.asked = 0;
    assert_false(bob_condition_wait_for(&s.changed, &s.lock, never, &s, bob_in_ms(2)));
    assert_true(s.asked >= 2);
    (void)bob_lock_release(&s.lock);
    shared_fini(&s);
}

static void
notify_without_waiters_is_nothing(void **state)
{
    struct shared s;

    (void)state;
    shared_init(&s);
    bob_condition_notify(&s.changed);
    bob_condition_notify_all(&s.changed);
    bob_lock_hold(&s.lock);
    assert_false(bob_condition_wait_for(&s.changed, &s.lock, never, &s, bob_in_ms(1)));
    (void)bob_lock_release(&s.lock);
    shared_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_wait_are_woken),
        cmocka_unit_test(n_that_wait_are_woken),
        cmocka_unit_test(each_notify_wakes_one_more),
        cmocka_unit_test(a_wait_ends_at_its_deadline_and_holds_the_lock),
        cmocka_unit_test(waiting_needs_the_lock),
        cmocka_unit_test(the_predicate_is_asked_before_and_after),
        cmocka_unit_test(notify_without_waiters_is_nothing),
    };

    return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
