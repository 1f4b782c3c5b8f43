/* test_failure.c - lib/error.c, lib/staff.c: what work says of its failure reaches who asks, or the hook.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "executor_world.h"
#include "failure_seen.h"

/* ---- failures as data ---- */

static char door[] = "door.txt", nothing[] = "";

enum { LINE_OF_FAIL = __LINE__ + 6 }; /* in fail_with_a_sentence */

static enum bob_err
fail_with_a_sentence(void *arg, void **ret_value)
{
    (void)ret_value;
    return bob_fail(BOB_ERR_SYSTEM, "cannot open %s", (const char *)arg);
}

static enum bob_err
note_one_and_return_another(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    (void)bob_fail(BOB_ERR_SYSTEM, "got over it");
    return BOB_ERR_FULL;
}

static enum bob_err
note_and_succeed(void *arg, void **ret_value)
{
    *ret_value = arg;
    (void)bob_fail(BOB_ERR_FULL, "got over it");
    return BOB_OK;
}

static enum bob_err
return_full(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    return BOB_ERR_FULL;
}

static enum bob_err
return_nonsense(void *arg, void **ret_value)
{
    (void)ret_value;
    return (enum bob_err)(intptr_t)arg;
}

static enum bob_err
fail_at_length(void *arg, void **ret_value)
{
    char euros[3 * 100 + 1] = "";

    (void)ret_value;
    for (int i = 0; i < 100; i++)
        memcpy(euros + 3 * (size_t)i, "\xE2\x82\xAC", 4);
    return bob_fail(BOB_ERR_INVALID, "%.*s%s", (int)(intptr_t)arg, "ab", euros);
}

static void
a_failure_comes_with_sentence_and_origin(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);
    struct bob_future *f = submitted(x, fail_with_a_sentence, door);
    struct bob_failure failure = failure_of(f, BOB_ERR_SYSTEM);
    char origin[64];

    (void)state;
    (void)snprintf(origin, sizeof origin, "test_failure.c:%d in pool-0", LINE_OF_FAIL);
    assert_string_equal(failure.message, "cannot open door.txt");
    assert_string_equal(failure.origin, origin);
    assert_string_equal(bob_future_message(f), "cannot open door.txt");
    bob_future_unref(f);
    bob_executor_free(x);
}

static void
only_a_note_of_this_work_and_this_code_counts(void **state)
{
    static const struct {
        bob_work_fn first, then;
    } T[] = {{fail_with_a_sentence, return_full},
             {note_and_succeed, return_full},
             {give_back, note_one_and_return_another},
             {note_one_and_return_another, return_full}};
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct bob_future *first = submitted(x, T[i].first, nothing);
        struct bob_future *then = submitted(x, T[i].then, nothing);
        struct bob_failure failure = failure_of(then, BOB_ERR_FULL);

        assert_string_equal(failure.message, "");
        assert_string_equal(failure.origin, "in pool-0");
        bob_future_unref(first);
        bob_future_unref(then);
    }
    bob_executor_free(x);
}

static void
a_long_sentence_is_cut_between_characters(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);

    (void)state;
    for (intptr_t lead = 0; lead < 3; lead++) {
        struct bob_future *f = submitted(x, fail_at_length, (void *)lead);
        struct bob_failure failure = failure_of(f, BOB_ERR_INVALID);
        size_t len = strlen(failure.message);

        assert_in_range(len, BOB_FAILURE_MESSAGE_MAX - 2, BOB_FAILURE_MESSAGE_MAX);
        assert_int_equal((len - (size_t)lead) % 3, 0);
        bob_future_unref(f);
    }
    bob_executor_free(x);
}

static void
what_is_no_error_is_made_one(void **state)
{
    static const intptr_t numbers[] = {-1, BOB_ERR_COUNT_, 256, 1 << 20};
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct bob_future *f = submitted(x, return_nonsense, (void *)numbers[i]);

        assert_string_not_equal(failure_of(f, BOB_ERR_INVALID).message, "");
        bob_future_unref(f);
    }
    bob_executor_free(x);
}

static void
a_failure_nobody_asks_for_is_told_to_the_hook(void **state)
{
    struct bob_executor *x = executor_of(1, 0, BOB_FULL_FAIL);

    (void)state;
    hook_set();
    bob_future_unref(submitted(x, fail_with_a_sentence, nothing));
    assert_int_equal(bob_executor_submit(x, give_back, NULL, NULL), BOB_OK);
    assert_int_equal(bob_executor_submit(x, fail_with_a_sentence, door, NULL), BOB_OK);
    bob_executor_free(x);
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.code, BOB_ERR_SYSTEM);
    assert_string_equal(told.message, "cannot open door.txt");
    assert_string_equal(told.thread, "pool-0");
    bob_set_excepthook(NULL, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_comes_with_sentence_and_origin),
        cmocka_unit_test(only_a_note_of_this_work_and_this_code_counts),
        cmocka_unit_test(a_long_sentence_is_cut_between_characters),
        cmocka_unit_test(what_is_no_error_is_made_one),
        cmocka_unit_test(a_failure_nobody_asks_for_is_told_to_the_hook),
    };

    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
