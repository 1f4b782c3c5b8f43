/* test_time.c - lib/time.c: deadlines saturate and never lie in the past.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/time.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
now_never_goes_back(void **state)
{
    bob_time before = bob_now();

    (void)state;
    assert_true(before > BOB_AT_ONCE);
    for (int i = 0; i < 1000; i++) {
        bob_time now = bob_now();

        assert_true(now >= before);
        before = now;
    }
}

static void
milliseconds_become_a_moment(void **state)
{
    static const struct {
        const char *says;
        int64_t ms;
        int64_t ns;
    } T[] = {
        {"none", 0, 0},
        {"a few", 250, 250000000},
        {"a year", 31536000000, 31536000000000000},
        {"negative is none", -1, 0},
        {"most negative is none", INT64_MIN, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        bob_time before = bob_now();
        bob_time moment = bob_in_ms(T[i].ms);
        bob_time after = bob_now();

        if (moment < before + T[i].ns || moment > after + T[i].ns)
            fail_msg("%s: %ld", T[i].says, (long)(moment - before));
    }
}

static void
seconds_become_a_moment(void **state)
{
    static const struct {
        const char *says;
        double s;
        int64_t ns;
    } T[] = {
        {"none", 0, 0},
        {"a half", 0.5, 500000000},
        {"a minute", 60, 60000000000},
        {"negative is none", -3.5, 0},
        {"minus infinity is none", -INFINITY, 0},
        {"not a number is none", NAN, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        bob_time before = bob_now();
        bob_time moment = bob_in_seconds(T[i].s);
        bob_time after = bob_now();

        if (moment < before + T[i].ns || moment > after + T[i].ns)
            fail_msg("%s: %ld", T[i].says, (long)(moment - before));
    }
}

static void
too_long_is_forever(void **state)
{
    (void)state;
    assert_true(bob_in_ms(INT64_MAX) == BOB_FOREVER);
    assert_true(bob_in_ms(INT64_MAX / 1000000) == BOB_FOREVER);
    assert_true(bob_in_seconds(1e300) == BOB_FOREVER);
    assert_true(bob_in_seconds(9223372036.0) == BOB_FOREVER);
    assert_true(bob_in_seconds(INFINITY) == BOB_FOREVER);
}

static void
what_is_left_is_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(bob_ms_until(BOB_AT_ONCE), 0);
    assert_int_equal(bob_ms_until(-1), 0);
    assert_int_equal(bob_ms_until(bob_now()), 0);
    assert_int_equal(bob_ms_until(bob_now() + 60000000000 - 1), 60000);
    assert_true(bob_ms_until(bob_in_ms(60000)) <= 60000);
    assert_true(bob_ms_until(bob_in_ms(60000)) > 50000);
    assert_true(bob_ms_until(BOB_FOREVER) == INT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(now_never_goes_back),
        cmocka_unit_test(milliseconds_become_a_moment),
        cmocka_unit_test(seconds_become_a_moment),
        cmocka_unit_test(too_long_is_forever),
        cmocka_unit_test(what_is_left_is_rounded_up),
    };

    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
