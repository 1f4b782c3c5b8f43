/* test_clock.c - base/clock.c: moments as text, and one clock in terms of the other.
 *
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(moments_are_written_as_rfc_3339_in_utc)
{
    static const struct {
        int64_t ms;
        const char *text;
    } T[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868799999, "2000-02-29T23:59:59.999Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {978220800000, "2000-12-31T00:00:00.000Z"},
        {1230681600000, "2008-12-31T00:00:00.000Z"},
        {1230768000000, "2009-01-01T00:00:00.000Z"},
        {1795341630120, "2026-11-22T10:00:30.120Z"},
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0001-01-01T00:00:00.000Z"},
    };
    char text[CLOCK_TEXT_LEN];

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        clock_text(text, T[i].ms);
        assert_string_equal(text, T[i].text);
    }
}

FACT(every_day_of_eight_centuries_is_what_the_c_library_says)
{
    for (int64_t day = -180000; day < 120000; day++) {
        time_t at = (time_t)(day * 86400 + 86399);
        char got[CLOCK_TEXT_LEN], want[64];
        struct tm tm;

        assert_non_null(gmtime_r(&at, &tm));
        assert_true(strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0);
        clock_text(got, (int64_t)at * 1000);
        assert_string_equal(got, want);
    }
}

FACT(now_never_goes_back)
{
    moment before = clock_now();

    for (int i = 0; i < 1000; i++) {
        moment now = clock_now();

        assert_true(now >= before);
        before = now;
    }
}

FACT(a_moment_to_come_is_as_far_off_on_the_wall)
{
    int64_t wall = clock_wall_ms();
    int64_t shown = clock_to_wall_ms(clock_now() + 3600 * NS_PER_SECOND);

    assert_in_range(shown - wall, 3599000, 3660000);
    shown = clock_to_wall_ms(clock_now() - 3600 * NS_PER_SECOND);
    assert_in_range(clock_wall_ms() - shown, 3540000, 3601000);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written_as_rfc_3339_in_utc),
        cmocka_unit_test(every_day_of_eight_centuries_is_what_the_c_library_says),
        cmocka_unit_test(now_never_goes_back),
        cmocka_unit_test(a_moment_to_come_is_as_far_off_on_the_wall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
