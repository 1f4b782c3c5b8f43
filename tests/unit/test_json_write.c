/* test_json_write.c - base/json_write.c: what the writer writes is JSON, and says what it was given.
 *
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(an_object_has_commas_where_they_belong)
{
    AUTO_BYTES b = {0};

    json_open(&b, '{');
    json_text(&b, "name", "x");
    json_int(&b, "value", -42);
    json_open_in(&b, "list", '[');
    json_int(&b, NULL, 1);
    json_text(&b, NULL, "two");
    json_open(&b, '{');
    json_close(&b, '}');
    json_open(&b, '[');
    json_close(&b, ']');
    json_null(&b, NULL);
    json_bool(&b, NULL, true);
    json_bool(&b, NULL, false);
    json_number(&b, NULL, 1e300);
    json_int(&b, NULL, 3);
    json_close(&b, ']');
    json_uint(&b, "big", UINT64_MAX);
    json_raw(&b, "raw", "{\"a\":[1]}", 9);
    json_null(&b, "none");
    json_close(&b, '}');
    assert_string_equal(
        bytes_text(&b),
        "{\"name\":\"x\",\"value\":-42,\"list\":[1,\"two\",{},[],null,true,false,1e+300,3],"
        "\"big\":18446744073709551615,\"raw\":{\"a\":[1]},\"none\":null}");
}

FACT(members_may_begin_an_empty_buffer_and_documents_may_follow_text)
{
    AUTO_BYTES b = {0};

    json_int(&b, "position", 2);
    json_text(&b, "code", "lock_held");
    assert_string_equal(bytes_text(&b), "\"position\":2,\"code\":\"lock_held\"");
    bytes_clear(&b);
    bytes_adds(&b, "data: ");
    json_open(&b, '{');
    json_close(&b, '}');
    bytes_adds(&b, "\n");
    json_open(&b, '[');
    json_close(&b, ']');
    assert_string_equal(bytes_text(&b), "data: {}\n[]");
}

FACT(texts_are_escaped_and_made_utf_8)
{
    static const struct {
        const char *text, *json;
    } T[] = {
        {"", "\"\""},
        {"plain text", "\"plain text\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
         "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"a\xff"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
        {"cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {NULL, "null"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        AUTO_BYTES b = {0};

        json_text(&b, NULL, T[i].text);
        assert_string_equal(bytes_text(&b), T[i].json);
    }
}

FACT(every_byte_in_a_text_or_a_key_is_read_back_or_replaced)
{
    for (int c = 0; c < 256; c++) {
        AUTO_BYTES b = {0};
        struct fault f = {0};
        char text[4] = {'a', (char)c, 'b', '\0'};

        if (c == 0)
            continue; /* the writer can write it, the reader refuses it */
        json_open(&b, '{');
        json_textn(&b, text, text, 3);
        json_close(&b, '}');
        cJSON *got = json_parse(b.at, b.len, &f);

        if (!got)
            fail_msg("byte %d: %s", c, f.detail);
        assert_string_equal(got->child->valuestring, c < 0x80 ? text
                                                              : "a\xef\xbf\xbd"
                                                                "b");
        assert_string_equal(got->child->string, got->child->valuestring);
        cJSON_Delete(got);
    }
}

FACT(seconds_have_three_places_and_are_rounded)
{
    static const struct {
        int64_t ns;
        const char *json;
    } T[] = {
        {0, "0.000"},
        {1250000000, "1.250"},
        {1, "0.000"},
        {499999, "0.000"},
        {500000, "0.001"},
        {999999999, "1.000"},
        {-1500000000, "-1.500"},
        {-1, "0.000"},
        {60000000000, "60.000"},
        {INT64_MAX, "9223372036.855"},
        {INT64_MIN, "-9223372036.855"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        AUTO_BYTES b = {0};

        json_seconds(&b, NULL, T[i].ns);
        assert_string_equal(bytes_text(&b), T[i].json);
    }
}

FACT(numbers_are_read_back_exactly)
{
    static const double T[] = {
        0, 1, -1, 0.1, 1.0 / 3, 1e15, 123456789012345678.0, 5e-324, 1.7976931348623157e308, 2.5};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        AUTO_BYTES b = {0};

        json_number(&b, NULL, T[i]);
        assert_true(strtod(bytes_text(&b), NULL) == T[i]);
    }
    AUTO_BYTES b = {0};

    json_open(&b, '[');
    json_number(&b, NULL, 0.1);
    json_number(&b, NULL, (double)NAN);
    json_number(&b, NULL, (double)INFINITY);
    json_close(&b, ']');
    assert_string_equal(bytes_text(&b), "[0.1,null,null]");
}

FACT(moments_are_texts_and_none_is_null)
{
    AUTO_BYTES b = {0};

    json_open(&b, '{');
    json_moment(&b, "at", 1795341630120);
    json_moment(&b, "none", 0);
    json_close(&b, '}');
    assert_string_equal(bytes_text(&b), "{\"at\":\"2026-11-22T10:00:30.120Z\",\"none\":null}");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_has_commas_where_they_belong),
        cmocka_unit_test(members_may_begin_an_empty_buffer_and_documents_may_follow_text),
        cmocka_unit_test(texts_are_escaped_and_made_utf_8),
        cmocka_unit_test(every_byte_in_a_text_or_a_key_is_read_back_or_replaced),
        cmocka_unit_test(seconds_have_three_places_and_are_rounded),
        cmocka_unit_test(numbers_are_read_back_exactly),
        cmocka_unit_test(moments_are_texts_and_none_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
