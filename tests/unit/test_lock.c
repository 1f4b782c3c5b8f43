/* test_lock.c - lib/lock.c: who holds it, who may release it, and for how long one waits.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/lock.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct bob_lock_class tested = {"tested", 10};

/* A second thread that holds the lock from `held` to `let_go`. */
struct other {
    struct bob_lock *lock;
    struct bob_event held, let_go;
    struct bob_thread *thread;
};

static void *
hold_until_told(void *arg)
{
    struct other *o = arg;

    bob_lock_hold(o->lock);
    bob_event_set(&o->held);
    if (bob_event_wait(&o->let_go, bob_in_seconds(20)))
        return NULL;
    (void)bob_lock_release(o->lock);
    return o;
}

static void
other_holds(struct other *o, struct bob_lock *l)
{
    o->lock = l;
    bob_event_init(&o->held);
    bob_event_init(&o->let_go);
    assert_int_equal(bob_thread_start(&o->thread, "other", hold_until_told, o, NULL), BOB_OK);
    assert_int_equal(bob_event_wait(&o->held, bob_in_seconds(20)), BOB_OK);
}

static void
other_ends(struct other *o)
{
    void *value = NULL;

    bob_event_set(&o->let_go);
    assert_int_equal(bob_thread_join(o->thread, bob_in_seconds(20), &value), BOB_OK);
    assert_ptr_equal(value, o);
    bob_thread_free(o->thread);
    bob_event_fini(&o->let_go);
    bob_event_fini(&o->held);
}

static void
a_lock_knows_its_holder(void **state)
{
    struct bob_lock l;

    (void)state;
    bob_lock_init(&l, &tested);
    assert_false(bob_lock_locked(&l));
    assert_false(bob_lock_is_mine(&l));
    bob_lock_hold(&l);
    assert_true(bob_lock_locked(&l));
    assert_true(bob_lock_is_mine(&l));
    assert_int_equal(bob_lock_release(&l), BOB_OK);
    assert_false(bob_lock_locked(&l));
    bob_lock_fini(&l);
}

static void
a_lock_may_be_born_without_init(void **state)
{
    static struct bob_lock l = BOB_LOCK_INIT(&tested);

    (void)state;
    assert_int_equal(bob_lock_acquire(&l, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_lock_release(&l), BOB_OK);
}

static void
only_the_holder_releases(void **state)
{
    struct bob_lock l = BOB_LOCK_INIT(&tested);
    struct other o;

    (void)state;
    assert_int_equal(bob_lock_release(&l), BOB_ERR_NOT_OWNER); /* nobody holds it */
    other_holds(&o, &l);
    assert_true(bob_lock_locked(&l));
    assert_false(bob_lock_is_mine(&l));
    assert_int_equal(bob_lock_release(&l), BOB_ERR_NOT_OWNER);
    assert_true(bob_lock_locked(&l));
    other_ends(&o);
    assert_false(bob_lock_locked(&l));
}

static void
acquire_gives_up_at_its_deadline(void **state)
{
    struct bob_lock l = BOB_LOCK_INIT(&tested);
    struct other o;
    bob_time until;

    (void)state;
    other_holds(&o, &l);
    assert_int_equal(bob_lock_acquire(&l, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_lock_acquire(&l, -5), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_lock_acquire(&l, bob_now()), BOB_ERR_TIMEOUT);
    until = bob_in_ms(5);
    assert_int_equal(bob_lock_acquire(&l, until), BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    other_ends(&o);
}

static void
acquire_gets_what_is_let_go(void **state)
{
    struct bob_lock l = BOB_LOCK_INIT(&tested);
    struct other o;

    (void)state;
    other_holds(&o, &l);
    bob_event_set(&o.let_go);
    assert_int_equal(bob_lock_acquire(&l, bob_in_seconds(20)), BOB_OK);
    assert_true(bob_lock_is_mine(&l));
    assert_int_equal(bob_lock_release(&l), BOB_OK);
    assert_int_equal(bob_lock_acquire(&l, BOB_FOREVER), BOB_OK);
    assert_int_equal(bob_lock_release(&l), BOB_OK);
    other_ends(&o);
}

static void
a_deadline_that_passed_still_gets_a_free_lock(void **state)
{
    struct bob_lock l = BOB_LOCK_INIT(&tested);

    (void)state;
    assert_int_equal(bob_lock_acquire(&l, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_lock_release(&l), BOB_OK);
    assert_int_equal(bob_lock_acquire(&l, bob_now()), BOB_OK);
    assert_int_equal(bob_lock_release(&l), BOB_OK);
}

static void
the_holder_waits_for_itself_in_vain(void **state)
{
    struct bob_lock l = BOB_LOCK_INIT(&tested);
    bob_time until;

    (void)state;
    bob_lock_hold(&l);
    assert_int_equal(bob_lock_acquire(&l, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    until = bob_in_ms(3);
    assert_int_equal(bob_lock_acquire(&l, until), BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    assert_true(bob_lock_is_mine(&l));
    assert_int_equal(bob_lock_release(&l), BOB_OK);
}

static void
a_lock_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct bob_lock) <= 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_knows_its_holder),
        cmocka_unit_test(a_lock_may_be_born_without_init),
        cmocka_unit_test(only_the_holder_releases),
        cmocka_unit_test(acquire_gives_up_at_its_deadline),
        cmocka_unit_test(acquire_gets_what_is_let_go),
        cmocka_unit_test(a_deadline_that_passed_still_gets_a_free_lock),
        cmocka_unit_test(the_holder_waits_for_itself_in_vain),
        cmocka_unit_test(a_lock_is_small),
    };

    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
