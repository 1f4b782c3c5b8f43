/* test_rlock.c - lib/rlock.c: as many releases as holds, and all of them given up while waiting for a condition.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/event.h>
#include <bobbin/rlock.h>
#include <bobbin/thread.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct bob_lock_class tested = {"tested", 10}, inner = {"inner", 20};

static void *
try_at_once(void *l)
{
    static int had;

    if (bob_rlock_acquire(l, BOB_AT_ONCE))
        return NULL;
    (void)bob_rlock_release(l);
    return &had;
}

static void *
release_it(void *l)
{
    static int was_refused;

    return bob_rlock_release(l) == BOB_ERR_NOT_OWNER ? &was_refused : NULL;
}

/* What @fn says in a second thread: not NULL. */
static bool
another_thread(void *(*fn)(void *), void *arg)
{
    struct bob_thread *t;
    void *value = NULL;

    assert_int_equal(bob_thread_start(&t, "other", fn, arg, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &value), BOB_OK);
    bob_thread_free(t);
    return value != NULL;
}

static void
it_is_free_after_as_many_releases_as_holds(void **state)
{
    struct bob_rlock l;

    (void)state;
    bob_rlock_init(&l, &tested);
    assert_false(bob_rlock_locked(&l));
    bob_rlock_hold(&l);
    bob_rlock_hold(&l);
    assert_int_equal(bob_rlock_acquire(&l, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_rlock_acquire(&l, BOB_FOREVER), BOB_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(bob_rlock_is_mine(&l));
        assert_false(another_thread(try_at_once, &l));
        assert_int_equal(bob_rlock_release(&l), BOB_OK);
    }
    assert_false(bob_rlock_locked(&l));
    assert_false(bob_rlock_is_mine(&l));
    assert_true(another_thread(try_at_once, &l));
    bob_rlock_fini(&l);
}

static void
only_the_holder_releases(void **state)
{
    struct bob_rlock l = BOB_RLOCK_INIT(&tested);

    (void)state;
    assert_int_equal(bob_rlock_release(&l), BOB_ERR_NOT_OWNER);
    bob_rlock_hold(&l);
    assert_true(another_thread(release_it, &l));
    assert_int_equal(bob_rlock_release(&l), BOB_OK);
    assert_int_equal(bob_rlock_release(&l), BOB_ERR_NOT_OWNER);
    assert_true(another_thread(try_at_once, &l));
}

static void
too_many_holds_are_an_error(void **state)
{
    struct bob_rlock l = BOB_RLOCK_INIT(&tested);

    (void)state;
    bob_rlock_hold(&l);
    l.depth_ = UINT_MAX;
    assert_int_equal(bob_rlock_acquire(&l, BOB_FOREVER), BOB_ERR_FULL);
    assert_int_equal(bob_rlock_release(&l), BOB_OK);
    assert_int_equal(bob_rlock_acquire(&l, BOB_FOREVER), BOB_OK);
    l.depth_ = 1;
    assert_int_equal(bob_rlock_release(&l), BOB_OK);
    assert_false(bob_rlock_locked(&l));
}

static void
ranks_apply_to_the_first_level_only(void **state)
{
    struct bob_rlock l = BOB_RLOCK_INIT(&tested);
    struct bob_lock below = BOB_LOCK_INIT(&inner);

    (void)state;
    bob_rlock_hold(&l);
    bob_lock_hold(&below);
    bob_rlock_hold(&l); /* would abort if it were checked */
    assert_int_equal(bob_rlock_release(&l), BOB_OK);
    assert_int_equal(bob_lock_release(&below), BOB_OK);
    assert_int_equal(bob_rlock_release(&l), BOB_OK);
}

struct shared {
    struct bob_rlock lock;
    struct bob_condition changed;
    bool ready;
};

static void *
make_ready(void *arg)
{
    struct shared *s = arg;

    bob_rlock_hold(&s->lock); /* had only if the waiter gave up all three */
    s->ready = true;
    bob_condition_notify(&s->changed);
    (void)bob_rlock_release(&s->lock);
    return arg;
}

static bool
is_ready(void *arg)
{
    return ((struct shared *)arg)->ready;
}

static void
a_wait_gives_up_every_hold_and_has_them_again(void **state)
{
    struct shared s = {.lock = BOB_RLOCK_INIT(&tested), .changed = BOB_CONDITION_INIT};
    struct bob_thread *t;
    enum bob_err err = BOB_OK;

    (void)state;
    for (int i = 0; i < 2; i++) {
        s.ready = false;
        for (int n = 0; n < 3; n++)
            bob_rlock_hold(&s.lock);
        assert_int_equal(bob_thread_start(&t, "maker", make_ready, &s, NULL), BOB_OK);
        while (i == 0 && !s.ready && !err)
            err = bob_condition_wait_rlock(&s.changed, &s.lock, bob_in_seconds(20));
        if (i == 1)
            assert_true(bob_condition_wait_for_rlock(&s.changed, &s.lock, is_ready, &s,
                                                     bob_in_seconds(20)));
        assert_int_equal(err, BOB_OK);
        assert_true(s.ready);
        for (int n = 0; n < 3; n++)
            assert_int_equal(bob_rlock_release(&s.lock), BOB_OK);
        assert_int_equal(bob_rlock_release(&s.lock), BOB_ERR_NOT_OWNER);
        bob_thread_free(t);
    }
}

static void
a_wait_that_fails_keeps_every_hold(void **state)
{
    struct shared s = {.lock = BOB_RLOCK_INIT(&tested), .changed = BOB_CONDITION_INIT};

    (void)state;
    assert_int_equal(bob_condition_wait_rlock(&s.changed, &s.lock, BOB_FOREVER), BOB_ERR_NOT_OWNER);
    assert_false(bob_condition_wait_for_rlock(&s.changed, &s.lock, is_ready, &s, BOB_FOREVER));
    bob_rlock_hold(&s.lock);
    bob_rlock_hold(&s.lock);
    assert_int_equal(bob_condition_wait_rlock(&s.changed, &s.lock, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_false(bob_condition_wait_for_rlock(&s.changed, &s.lock, is_ready, &s, bob_in_ms(2)));
    assert_int_equal(bob_rlock_release(&s.lock), BOB_OK);
    assert_int_equal(bob_rlock_release(&s.lock), BOB_OK);
    assert_false(bob_rlock_locked(&s.lock));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_free_after_as_many_releases_as_holds),
        cmocka_unit_test(only_the_holder_releases),
        cmocka_unit_test(too_many_holds_are_an_error),
        cmocka_unit_test(ranks_apply_to_the_first_level_only),
        cmocka_unit_test(a_wait_gives_up_every_hold_and_has_them_again),
        cmocka_unit_test(a_wait_that_fails_keeps_every_hold),
    };

    return cmocka_run_group_tests_name("rlock", tests, NULL, NULL);
}
