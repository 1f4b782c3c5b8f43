/* test_error.c - lib/error.c: every error has a phrase, and so has what is no error.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
every_error_has_its_own_phrase(void **state)
{
    (void)state;
    for (int i = 0; i < BOB_ERR_COUNT_; i++) {
        const char *phrase = bob_strerror((enum bob_err)i);

        assert_non_null(phrase);
        assert_true(strlen(phrase) > 1);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(phrase, bob_strerror((enum bob_err)j));
    }
}

static void
numbers_of_a_release_stay(void **state)
{
    (void)state;
    assert_int_equal(BOB_OK, 0);
    assert_int_equal(BOB_ERR_TIMEOUT, 1);
    assert_int_equal(BOB_ERR_CANCELLED, 2);
    assert_int_equal(BOB_ERR_SHUT_DOWN, 3);
    assert_int_equal(BOB_ERR_FULL, 4);
    assert_int_equal(BOB_ERR_BROKEN, 5);
    assert_int_equal(BOB_ERR_NOT_OWNER, 6);
    assert_int_equal(BOB_ERR_STATE, 7);
    assert_int_equal(BOB_ERR_INVALID, 8);
    assert_int_equal(BOB_ERR_SYSTEM, 9);
    assert_int_equal(BOB_ERR_NO_MEMORY, 10);
    assert_int_equal(BOB_ERR_EMPTY, 11);
}

static void
a_number_that_is_no_error_has_a_phrase_too(void **state)
{
    (void)state;
    assert_string_equal(bob_strerror(BOB_ERR_COUNT_), "unknown error");
    assert_string_equal(bob_strerror((enum bob_err) - 1), "unknown error");
    assert_string_equal(bob_strerror((enum bob_err)100000), "unknown error");
}

/* What it notes is read from a future: tests/unit/test_executor_ends.c. */
static void
fail_returns_its_code(void **state)
{
    (void)state;
    assert_int_equal(bob_fail(BOB_ERR_FULL, "%d of %d", 4, 4), BOB_ERR_FULL);
    assert_int_equal(bob_fail_at(BOB_ERR_EMPTY, "", 0, "%s", ""), BOB_ERR_EMPTY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_own_phrase),
        cmocka_unit_test(numbers_of_a_release_stay),
        cmocka_unit_test(fail_returns_its_code),
        cmocka_unit_test(a_number_that_is_no_error_has_a_phrase_too),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
