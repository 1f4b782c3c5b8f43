/* test_bytes.c - base/bytes.c: grows, writes numbers, and remembers that memory ran out.
 *
 * SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(an_empty_one_is_an_empty_text)
{
    AUTO_BYTES b = {0};

    assert_string_equal(bytes_text(&b), "");
    assert_int_equal(b.len, 0);
    assert_false(b.failed);
}

FACT(what_is_added_stands_there_in_order)
{
    AUTO_BYTES b = {0};

    bytes_add(&b, "ab", 2);
    bytes_add(&b, "", 0);
    bytes_adds(&b, "cd");
    bytes_addf(&b, "-%d-%s", 17, "x");
    assert_string_equal(bytes_text(&b), "abcd-17-x");
    assert_int_equal(b.len, 9);
}

FACT(a_nul_is_a_byte_like_any_other)
{
    AUTO_BYTES b = {0};

    bytes_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.at, "a\0b", 3);
}

FACT(it_grows_and_keeps_what_was_there)
{
    AUTO_BYTES b = {0};

    for (int i = 0; i < 100000; i++)
        bytes_add(&b, "0123456789", 10);
    assert_int_equal(b.len, 1000000);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.at[i], '0' + i % 10);
}

FACT(a_long_format_is_not_cut)
{
    AUTO_BYTES b = {0};
    char *text = calloc(1, 5001);

    assert_non_null(text);
    memset(text, 'x', 5000);
    bytes_addf(&b, "<%s>", text);
    assert_int_equal(b.len, 5002);
    assert_int_equal(b.at[0], '<');
    assert_int_equal(b.at[5001], '>');
    free(text);
}

FACT(a_format_of_just_the_room_left_is_whole)
{
    for (size_t before = 240; before <= 260; before++) {
        AUTO_BYTES b = {0};
        char fill[300];

        memset(fill, 'f', sizeof fill);
        bytes_add(&b, fill, before);
        bytes_addf(&b, "%s", "0123456789");
        assert_int_equal(b.len, before + 10);
        assert_memory_equal(b.at + before, "0123456789", 10);
    }
}

FACT(whole_numbers_are_written_as_printf_would)
{
    static const uint64_t T[] = {0,
                                 1,
                                 9,
                                 10,
                                 11,
                                 99,
                                 100,
                                 101,
                                 999,
                                 1000,
                                 1001,
                                 9999,
                                 10000,
                                 4294967295U,
                                 123456789,
                                 1000000000,
                                 INT64_MAX,
                                 UINT64_MAX,
                                 UINT64_MAX - 1,
                                 10000000000000000000U};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        AUTO_BYTES b = {0};
        char want[80];

        bytes_add_u64(&b, T[i]);
        bytes_add(&b, " ", 1);
        bytes_add_i64(&b, (int64_t)T[i]);
        bytes_add(&b, " ", 1);
        bytes_add_i64(&b, (int64_t)(0 - T[i]));
        snprintf(want, sizeof want, "%llu %lld %lld", (unsigned long long)T[i], (long long)T[i],
                 (long long)(0 - T[i]));
        assert_string_equal(bytes_text(&b), want);
    }
}

FACT(more_than_memory_holds_fails_and_what_follows_is_ignored)
{
    AUTO_BYTES b = {0};

    bytes_adds(&b, "kept");
    assert_false(bytes_room(&b, SIZE_MAX / 2));
    assert_true(b.failed);
    bytes_adds(&b, "lost");
    bytes_add_u64(&b, 1);
    bytes_addf(&b, "%d", 1);
    assert_int_equal(b.len, 4);
    assert_string_equal(bytes_text(&b), "");
    bytes_clear(&b);
    assert_false(b.failed);
    bytes_adds(&b, "new");
    assert_string_equal(bytes_text(&b), "new");
}

FACT(clear_keeps_the_memory_and_free_gives_it_back)
{
    struct bytes b = {0};

    bytes_adds(&b, "something");
    char *at = b.at;
    bytes_clear(&b);
    bytes_adds(&b, "else");
    assert_ptr_equal(b.at, at);
    bytes_free(&b);
    assert_null(b.at);
    assert_int_equal(b.cap, 0);
    bytes_free(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_is_an_empty_text),
        cmocka_unit_test(what_is_added_stands_there_in_order),
        cmocka_unit_test(a_nul_is_a_byte_like_any_other),
        cmocka_unit_test(it_grows_and_keeps_what_was_there),
        cmocka_unit_test(a_long_format_is_not_cut),
        cmocka_unit_test(a_format_of_just_the_room_left_is_whole),
        cmocka_unit_test(whole_numbers_are_written_as_printf_would),
        cmocka_unit_test(more_than_memory_holds_fails_and_what_follows_is_ignored),
        cmocka_unit_test(clear_keeps_the_memory_and_free_gives_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
