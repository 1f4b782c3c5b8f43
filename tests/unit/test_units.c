/* test_units.c - base/units.c: durations and sizes are read exactly, or refused and nothing
 * written.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(durations_are_read_exactly_or_refused)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } T[] = {
        {"0", 0},
        {"30", 30 * NS_PER_SECOND},
        {"2.5", 2500 * NS_PER_MS},
        {"250ms", 250 * NS_PER_MS},
        {"30s", 30 * NS_PER_SECOND},
        {"5m", 300 * NS_PER_SECOND},
        {"1h", 3600 * NS_PER_SECOND},
        {"1d", 86400 * NS_PER_SECOND},
        {"0.1s", 100 * NS_PER_MS},
        {"1.5h", 5400 * NS_PER_SECOND},
        {"0.000000001", 1},
        {"0.0000000019", 1},
        {"1.5ms", 1500000},
        {"0.25d", 21600 * NS_PER_SECOND},
        {"9223372036", 9223372036 * NS_PER_SECOND},
        {"9223372036.854775807", INT64_MAX},
        {"9223372036.854775808", -1},
        {"9223372037", -1},
        {"99999999999999999999", -1},
        {"106752d", -1},
        {"", -1},
        {"s", -1},
        {".5", -1},
        {"5.", -1},
        {"5.s", -1},
        {"-1", -1},
        {"+1", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1 s", -1},
        {"1S", -1},
        {"1sec", -1},
        {"1us", -1},
        {"1e3", -1},
        {"0x10", -1},
        {"1.2.3", -1},
        {"1m30s", -1},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        int64_t got = 4711;
        bool taken = duration_parse(T[i].text, &got);

        if (taken != (T[i].ns >= 0) || got != (taken ? T[i].ns : 4711))
            fail_msg("\"%s\": %s %lld", T[i].text, taken ? "taken as" : "refused,", (long long)got);
    }
}

FACT(sizes_are_read_exactly_or_refused)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } T[] = {
        {"0", 0},
        {"1", 1},
        {"64K", 65536},
        {"16M", 16 << 20},
        {"10G", INT64_C(10) << 30},
        {"1T", INT64_C(1) << 40},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},
        {"8388607T", INT64_C(8388607) << 40},
        {"8388608T", -1},
        {"", -1},
        {"K", -1},
        {"1.5M", -1},
        {"1k", -1},
        {"1KB", -1},
        {"-1", -1},
        {"1 K", -1},
        {"0x1", -1},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        int64_t got = 4711;
        bool taken = bytes_size_parse(T[i].text, &got);

        if (taken != (T[i].bytes >= 0) || got != (taken ? T[i].bytes : 4711))
            fail_msg("\"%s\": %s %lld", T[i].text, taken ? "taken as" : "refused,", (long long)got);
    }
}

FACT(what_units_write_is_read_back)
{
    static const int64_t T[] = {0,  1,    999,  1000,  1024,    1536,    60,
                                90, 3600, 5400, 86400, 1 << 20, 1 << 30, INT64_C(3) << 40};
    char text[UNIT_TEXT_LEN];
    int64_t back;

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        bytes_size_text(text, T[i]);
        assert_true(bytes_size_parse(text, &back) && back == T[i]);
        if (T[i] > 86400)
            continue;
        duration_text(text, T[i] * NS_PER_MS);
        assert_true(duration_parse(text, &back) && back == T[i] * NS_PER_MS);
        duration_text(text, T[i] * NS_PER_SECOND);
        assert_true(duration_parse(text, &back) && back == T[i] * NS_PER_SECOND);
    }
    duration_text(text, 90 * NS_PER_SECOND);
    assert_string_equal(text, "90s");
    duration_text(text, 120 * NS_PER_SECOND);
    assert_string_equal(text, "2m");
    bytes_size_text(text, 1536);
    assert_string_equal(text, "1536");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_exactly_or_refused),
        cmocka_unit_test(sizes_are_read_exactly_or_refused),
        cmocka_unit_test(what_units_write_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
