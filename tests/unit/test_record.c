/* test_record.c - store/record.c: what was written is read; what is damaged is noticed.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/record.h"

static void
a_number_is_read_as_it_was_written(void **state)
{
    static const int64_t numbers[] = {
        0,         1,         -1,        63,        64,
        -64,       -65,       127,       128,       255,
        INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, INT64_C(9007199254740991)};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        unsigned char buf[16];
        const unsigned char *at = NULL;
        struct record r;
        struct field f;
        size_t len;

        record_start(&r, buf, sizeof buf);
        record_int(&r, 'v', numbers[i]);
        len = record_end(&r);
        assert_true(len > 0 && record_sound(buf, len));
        assert_true(record_next(buf, len, &at, &f));
        assert_int_equal(f.tag, 'v');
        assert_false(f.is_text);
        assert_true(f.n == numbers[i]);
        assert_false(record_next(buf, len, &at, &f));
    }
}

static void
fields_come_in_their_order(void **state)
{
    unsigned char buf[64];
    const unsigned char *at = NULL;
    struct record r;
    struct field f;
    size_t len;

    (void)state;
    record_start(&r, buf, sizeof buf);
    record_text(&r, 'o', "bea\0x", 5);
    record_int(&r, 'p', -7);
    record_text(&r, 'e', NULL, 0);
    len = record_end(&r);

    assert_true(record_next(buf, len, &at, &f));
    assert_true(f.is_text && f.tag == 'o' && f.len == 5);
    assert_memory_equal(f.text, "bea\0x", 5);
    assert_true(record_next(buf, len, &at, &f));
    assert_true(!f.is_text && f.tag == 'p' && f.n == -7);
    assert_true(record_next(buf, len, &at, &f));
    assert_true(f.is_text && f.tag == 'e' && f.len == 0);
    assert_false(record_next(buf, len, &at, &f));
    assert_true(record_sound(buf, len));
}

static void
an_empty_record_is_sound_and_not_of_no_bytes(void **state)
{
    unsigned char buf[4];
    const unsigned char *at = NULL;
    struct record r;
    struct field f;
    size_t len;

    (void)state;
    record_start(&r, buf, sizeof buf);
    len = record_end(&r);
    assert_int_equal(len, 1);
    assert_true(record_sound(buf, len));
    assert_false(record_next(buf, len, &at, &f));
    assert_false(record_sound(buf, 0));
}

static void
what_does_not_fit_is_told_at_the_end(void **state)
{
    unsigned char buf[32];

    (void)state;
    for (size_t cap = 0; cap < sizeof buf; cap++) {
        struct record r;
        size_t len;

        memset(buf, 0xee, sizeof buf);
        record_start(&r, buf, cap);
        record_int(&r, 'n', INT64_MIN);         /* 11 bytes */
        record_text(&r, 't', "0123456789", 10); /* 12 bytes */
        len = record_end(&r);
        assert_int_equal(len, cap < 24 ? 0 : 24);
        for (size_t i = cap; i < sizeof buf; i++)
            assert_int_equal(buf[i], 0xee);
    }
}

static void
every_cut_and_every_other_version_is_unsound(void **state)
{
    unsigned char buf[32];
    struct record r;
    size_t len, whole = 0;

    (void)state;
    record_start(&r, buf, sizeof buf);
    record_int(&r, 'n', 300);
    record_text(&r, 't', "abc", 3);
    len = record_end(&r);
    for (size_t cut = 0; cut <= len; cut++)
        whole += record_sound(buf, cut);
    assert_int_equal(whole, 3); /* with no field, one, and both */
    buf[0] = 9;
    assert_false(record_sound(buf, len));
}

static void
damage_ends_the_reading_and_is_unsound(void **state)
{
    static const struct {
        const char *says;
        unsigned char bytes[14];
        size_t len;
    } T[] = {
        {"a tag of no letter", {1, 0, 1}, 3},
        {"a tag of no letter, of a text", {1, 0x80, 1, 'x'}, 4},
        {"a text longer than the record", {1, 'a' | 0x80, 200, 1, 'x'}, 5},
        {"a length of 2^63",
         {1, 'a' | 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1},
         12},
        {"a number of more than 64 bits",
         {1, 'a', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
         12},
        {"a number without an end",
         {1, 'a', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
         14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        const unsigned char *at = NULL;
        struct field f;

        if (record_next(T[i].bytes, T[i].len, &at, &f) || record_sound(T[i].bytes, T[i].len))
            fail_msg("%s: taken for sound", T[i].says);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read_as_it_was_written),
        cmocka_unit_test(fields_come_in_their_order),
        cmocka_unit_test(an_empty_record_is_sound_and_not_of_no_bytes),
        cmocka_unit_test(what_does_not_fit_is_told_at_the_end),
        cmocka_unit_test(every_cut_and_every_other_version_is_unsound),
        cmocka_unit_test(damage_ends_the_reading_and_is_unsound),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
