/* test_future.c - lib/future.c: a state only goes forward, and each callback is called once.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/future.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static int answer = 42;

enum how { PENDING, RUNNING, CANCELLED, DONE, FAILED };

static struct bob_future *
future_in(enum how how)
{
    struct bob_future *f = bob_future_new();

    assert_non_null(f);
    if (how == RUNNING)
        assert_true(bob_future_start(f));
    else if (how == CANCELLED)
        assert_true(bob_future_cancel(f));
    else if (how == DONE)
        assert_int_equal(bob_future_set_result(f, &answer), BOB_OK);
    else if (how == FAILED)
        assert_int_equal(bob_future_set_error(f, BOB_ERR_BROKEN, "snapped"), BOB_OK);
    return f;
}

static void
each_state_answers_for_itself(void **state)
{
    static const struct {
        bool cancelled, running, done;
        enum bob_err result;
        const char *message;
    } T[] = {
        [PENDING] = {false, false, false, BOB_ERR_TIMEOUT, ""},
        [RUNNING] = {false, true, false, BOB_ERR_TIMEOUT, ""},
        [CANCELLED] = {true, false, true, BOB_ERR_CANCELLED, ""},
        [DONE] = {false, false, true, BOB_OK, ""},
        [FAILED] = {false, false, true, BOB_ERR_BROKEN, "snapped"},
    };

    (void)state;
    for (enum how how = PENDING; how <= FAILED; how++) {
        struct bob_future *f = future_in(how);
        void *value = f;

        assert_int_equal(bob_future_cancelled(f), T[how].cancelled);
        assert_int_equal(bob_future_running(f), T[how].running);
        assert_int_equal(bob_future_done(f), T[how].done);
        assert_int_equal(bob_future_result(f, BOB_AT_ONCE, &value), T[how].result);
        assert_ptr_equal(value, how == DONE ? (void *)&answer : (void *)f);
        assert_int_equal(bob_future_result(f, bob_in_ms(1), NULL), T[how].result);
        assert_string_equal(bob_future_message(f), T[how].message);
        bob_future_unref(f);
    }
}

static void
a_step_is_taken_only_from_the_right_state(void **state)
{
    static const struct {
        bool start, cancel;
        enum bob_err set;
    } T[] = {
        [PENDING] = {true, true, BOB_OK},           [RUNNING] = {false, false, BOB_OK},
        [CANCELLED] = {false, true, BOB_ERR_STATE}, [DONE] = {false, false, BOB_ERR_STATE},
        [FAILED] = {false, false, BOB_ERR_STATE},
    };

    (void)state;
    for (enum how how = PENDING; how <= FAILED; how++) {
        struct bob_future *a = future_in(how), *b = future_in(how), *c = future_in(how);
        struct bob_future *d = future_in(how);

        assert_int_equal(bob_future_start(a), T[how].start);
        assert_int_equal(bob_future_cancel(b), T[how].cancel);
        assert_int_equal(bob_future_set_result(c, NULL), T[how].set);
        assert_int_equal(bob_future_set_error(d, BOB_ERR_SYSTEM, NULL), T[how].set);
        if (how == FAILED) {
            assert_string_equal(bob_future_message(d), "snapped");
            assert_int_equal(bob_future_result(c, BOB_AT_ONCE, NULL), BOB_ERR_BROKEN);
        }
        bob_future_unref(a);
        bob_future_unref(b);
        bob_future_unref(c);
        bob_future_unref(d);
    }
}

static void
an_error_needs_a_code_and_no_message(void **state)
{
    struct bob_future *f = bob_future_new();

    (void)state;
    assert_int_equal(bob_future_set_error(f, BOB_OK, "fine"), BOB_ERR_INVALID);
    assert_int_equal(bob_future_set_error(f, BOB_ERR_COUNT_, "what"), BOB_ERR_INVALID);
    assert_false(bob_future_done(f));
    assert_int_equal(bob_future_set_error(f, BOB_ERR_FULL, NULL), BOB_OK);
    assert_string_equal(bob_future_message(f), "");
    assert_int_equal(bob_future_result(f, BOB_FOREVER, NULL), BOB_ERR_FULL);
    bob_future_unref(f);
}

static void
a_failure_is_told_whole(void **state)
{
    static const struct {
        bool failed;
        enum bob_err code;
        const char *message, *origin;
    } T[] = {
        [PENDING] = {.failed = false},
        [RUNNING] = {.failed = false},
        [CANCELLED] = {true, BOB_ERR_CANCELLED, "", ""},
        [DONE] = {.failed = false},
        [FAILED] = {true, BOB_ERR_BROKEN, "snapped", "in tester"},
    };

    (void)state;
    bob_thread_adopt("tester", NULL);
    for (enum how how = PENDING; how <= FAILED; how++) {
        struct bob_future *f = future_in(how);
        struct bob_failure failure = {BOB_ERR_COUNT_, NULL, NULL};

        assert_int_equal(bob_future_failure(f, &failure), T[how].failed);
        if (T[how].failed) {
            assert_int_equal(failure.code, T[how].code);
            assert_string_equal(failure.message, T[how].message);
            assert_string_equal(failure.origin, T[how].origin);
        } else {
            assert_null(failure.message);
        }
        bob_future_unref(f);
    }
}

/* ---- callbacks ---- */

static char calls[16];

/* A one-letter argument for write_down. */
#define LETTER(c) ((void *)(intptr_t)(c))

static void
append(intptr_t letter)
{
    size_t len = strlen(calls);

    assert_true(len + 1 < sizeof calls);
    calls[len] = (char)letter;
}

static void
write_down(struct bob_future *f, void *arg)
{
    assert_true(bob_future_done(f)); /* callable inside: no lock is held */
    append((intptr_t)arg);
}

static void
write_down_and_unref(struct bob_future *f, void *arg)
{
    write_down(f, arg);
    bob_future_unref(f);
}

static void
write_down_and_add(struct bob_future *f, void *arg)
{
    write_down(f, arg);
    assert_int_equal(bob_future_add_done_callback(f, write_down, LETTER('+')), BOB_OK);
}

static void
callbacks_run_once_in_order_when_done(void **state)
{
    (void)state;
    for (enum how how = CANCELLED; how <= FAILED; how++) {
        struct bob_future *f = bob_future_new();

        memset(calls, 0, sizeof calls);
        assert_int_equal(bob_future_add_done_callback(f, write_down, LETTER('a')), BOB_OK);
        assert_int_equal(bob_future_add_done_callback(f, write_down_and_add, LETTER('b')), BOB_OK);
        assert_int_equal(bob_future_add_done_callback(f, write_down, LETTER('c')), BOB_OK);
        assert_string_equal(calls, "");
        if (how == CANCELLED)
            assert_true(bob_future_cancel(f));
        else if (how == DONE)
            assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
        else
            assert_int_equal(bob_future_set_error(f, BOB_ERR_FULL, "m"), BOB_OK);
        assert_string_equal(calls, "ab+c");
        (void)bob_future_cancel(f);
        (void)bob_future_set_result(f, NULL);
        assert_int_equal(bob_future_add_done_callback(f, write_down, LETTER('d')), BOB_OK);
        assert_string_equal(calls, "ab+cd");
        bob_future_unref(f);
    }
}

static void
a_callback_may_drop_the_last_reference(void **state)
{
    struct bob_future *f = bob_future_new();

    (void)state;
    memset(calls, 0, sizeof calls);
    assert_int_equal(bob_future_add_done_callback(f, write_down_and_unref, LETTER('u')), BOB_OK);
    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK); /* f is gone now */
    assert_string_equal(calls, "u");
}

static void
callbacks_of_a_future_never_done_are_forgotten(void **state)
{
    struct bob_future *f = bob_future_new();

    (void)state;
    memset(calls, 0, sizeof calls);
    assert_int_equal(bob_future_add_done_callback(f, write_down, LETTER('x')), BOB_OK);
    assert_ptr_equal(bob_future_ref(f), f);
    bob_future_unref(f);
    bob_future_unref(f);
    bob_future_unref(NULL);
    assert_string_equal(calls, "");
}

static void *
wait_for_it(void *f)
{
    void *value = NULL;

    return bob_future_result(f, bob_in_seconds(20), &value) ? NULL : value;
}

static void
all_that_wait_get_the_result(void **state)
{
    struct bob_future *f = bob_future_new();
    struct bob_thread *t[3];
    void *value;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_thread_start(&t[i], "waiter", wait_for_it, f, NULL), BOB_OK);
    assert_true(bob_future_start(f));
    assert_int_equal(bob_future_set_result(f, &answer), BOB_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), &value), BOB_OK);
        assert_ptr_equal(value, &answer);
        bob_thread_free(t[i]);
    }
    bob_future_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_answers_for_itself),
        cmocka_unit_test(a_step_is_taken_only_from_the_right_state),
        cmocka_unit_test(an_error_needs_a_code_and_no_message),
        cmocka_unit_test(a_failure_is_told_whole),
        cmocka_unit_test(callbacks_run_once_in_order_when_done),
        cmocka_unit_test(a_callback_may_drop_the_last_reference),
        cmocka_unit_test(callbacks_of_a_future_never_done_are_forgotten),
        cmocka_unit_test(all_that_wait_get_the_result),
    };

    return cmocka_run_group_tests_name("future", tests, NULL, NULL);
}
