/* test_json.c - base/json.c and json_scan.c: what the reader takes and refuses, and what it gives.
 *
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(takes_what_is_json)
{
    static const char *const T[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "17",
        "-17",
        "1.5",
        "0.5e3",
        "1E+2",
        "1e-2",
        "\"\"",
        "\"a\"",
        " \t\r\n[ \n1 ,\t2 ] \r",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "\"\x7f\"",
        "{\"a\":1,\"A\":2,\"\":3}",
        "[{\"a\":1},{\"a\":2}]",
        "9007199254740993",
        "1e308",
        "-1e-400",
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};
        cJSON *got = json_parse(T[i], strlen(T[i]), &f);

        if (!got)
            fail_msg("%s: refused: %s", T[i], f.detail);
        assert_int_equal(f.why, WHY_OK);
        cJSON_Delete(got);
    }
}

FACT(refuses_what_is_not_and_says_where)
{
    static const struct {
        const char *text, *detail;
    } T[] = {
        {"", "JSON, byte 1: a value expected, the text is over"},
        {"  ", "JSON, byte 3: a value expected, the text is over"},
        {"nul", "JSON, byte 1: a value expected"},
        {"nan", "JSON, byte 1: a value expected"},
        {"Infinity", "JSON, byte 1: a value expected"},
        {"+1", "JSON, byte 1: a value expected"},
        {".5", "JSON, byte 1: a value expected"},
        {"01", "JSON, byte 2: a number with a leading zero"},
        {"-01", "JSON, byte 3: a number with a leading zero"},
        {"-", "JSON, byte 2: a digit expected"},
        {"1.", "JSON, byte 3: a digit expected"},
        {"1.e5", "JSON, byte 3: a digit expected"},
        {"1e", "JSON, byte 3: a digit expected"},
        {"1e+", "JSON, byte 4: a digit expected"},
        {"0x10", "JSON, byte 2: something after the end of the document"},
        {"1 2", "JSON, byte 3: something after the end of the document"},
        {"{}x", "JSON, byte 3: something after the end of the document"},
        {"truefalse", "JSON, byte 5: something after the end of the document"},
        {"[1,]", "JSON, byte 4: a value expected"},
        {"[,1]", "JSON, byte 2: a value expected"},
        {"[1", "JSON, byte 3: a ',' or ']' expected"},
        {"[1}", "JSON, byte 3: a ',' or ']' expected"},
        {"[1 2]", "JSON, byte 4: a ',' or ']' expected"},
        {"{", "JSON, byte 2: a text in double quotes expected"},
        {"{a:1}", "JSON, byte 2: a text in double quotes expected"},
        {"{'a':1}", "JSON, byte 2: a text in double quotes expected"},
        {"{1:1}", "JSON, byte 2: a text in double quotes expected"},
        {"{\"a\" 1}", "JSON, byte 6: a ':' expected"},
        {"{\"a\":}", "JSON, byte 6: a value expected"},
        {"{\"a\":1,}", "JSON, byte 8: a text in double quotes expected"},
        {"{\"a\":1", "JSON, byte 7: a ',' or '}' expected"},
        {"{\"a\":1]", "JSON, byte 7: a ',' or '}' expected"},
        {"// note\n1", "JSON, byte 1: a value expected"},
        {"\xef\xbb\xbf{}", "JSON, byte 1: a value expected"},
        {"\v1", "JSON, byte 1: a value expected"},
        {"\"a", "JSON, byte 3: a text without its end"},
        {"\"a\nb\"", "JSON, byte 3: a control byte in a text"},
        {"\"\t\"", "JSON, byte 2: a control byte in a text"},
        {"\"\\", "JSON, byte 3: no such escape"},
        {"\"\\x41\"", "JSON, byte 3: no such escape"},
        {"\"\\'\"", "JSON, byte 3: no such escape"},
        {"\"\\u12g4\"", "JSON, byte 6: \\u wants four hexadecimal digits"},
        {"\"\\u12\"", "JSON, byte 6: \\u wants four hexadecimal digits"},
        {"\"\\u0000\"", "JSON, byte 8: a text with a NUL in it"},
        {"{\"\\u0000\":1}", "JSON, byte 9: a text with a NUL in it"},
        {"\"\\ud83d\"", "JSON, byte 8: half of a surrogate pair"},
        {"\"\\ud83dx\"", "JSON, byte 8: half of a surrogate pair"},
        {"\"\\ud83d\\n\"", "JSON, byte 9: half of a surrogate pair"},
        {"\"\\ud83d\\u0041\"", "JSON, byte 14: half of a surrogate pair"},
        {"\"\\ude00\"", "JSON, byte 8: half of a surrogate pair"},
        {"\"\xff\"", "JSON, byte 2: not UTF-8"},
        {"\"ab\xc3\"", "JSON, byte 4: not UTF-8"},
        {"\"\xed\xa0\x80\"", "JSON, byte 2: not UTF-8"},
        {"\"\xc0\xaf\"", "JSON, byte 2: not UTF-8"},
        {"{\"\xff\":1}", "JSON, byte 3: not UTF-8"},
        {"1e999", "JSON: a number beyond the range of a double"},
        {"[{\"a\":-1e999}]", "JSON: a number beyond the range of a double"},
        {"{\"a\":1,\"a\":2}", "JSON: the key \"a\" stands twice in an object"},
        {"[{\"b\":1,\"a\":{},\"b\":[]}]", "JSON: the key \"b\" stands twice in an object"},
        {"{\"a\":1,\"\\u0061\":2}", "JSON: the key \"a\" stands twice in an object"},
        {"{\"\":1,\"\":2}", "JSON: the key \"\" stands twice in an object"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};
        cJSON *got = json_parse(T[i].text, strlen(T[i].text), &f);

        if (got)
            fail_msg("%s: taken", T[i].text);
        if (strcmp(f.detail, T[i].detail) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", T[i].text, f.detail, T[i].detail);
        assert_int_equal(f.why, WHY_INVALID);
    }
}

FACT(every_beginning_of_a_document_is_refused_without_harm)
{
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\\n\xc3\xa9\",true,false,null],\"b\":{}}";

    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct fault f = {0};
        char *exact = malloc(len + 1); /* so that the address sanitizer sees a step too far */

        assert_non_null(exact);
        memcpy(exact, text, len);
        char *cut = realloc(exact, len ? len : 1);
        assert_non_null(cut);
        assert_null(json_parse(cut, len, &f));
        assert_int_equal(f.why, WHY_INVALID);
        free(cut);
    }
}

/* The bytes of each member are those between its colon and what ends it, without the white space around. */
FACT(members_come_in_order_with_their_bytes)
{
    static const struct {
        const char *name, *bytes, *text;
    } T[] = {
        {"", "1.0", NULL},
        {"a", "\"\\u00e9\\/\\\"}\"", "\xc3\xa9/\"}"},
        {"\"{", "{ \"x\" : [ ] }", NULL},
        {"b", "[{\"b\":1},\r\n 2]", NULL},
        {"n", "null", NULL},
        {"z", "-12345678901234567890E-2", NULL},
    };
    static const char text[] =
        "\t{ \"\":1.0,\"\\u0061\" :\"\\u00e9\\/\\\"}\"\n,\n\"\\\"{\":{ \"x\" : [ ] }, "
        "\"b\":\t[{\"b\":1},\r\n 2] ,\"n\":null , \"z\":-12345678901234567890E-2}\n";
    struct fault f = {0};
    cJSON *doc = json_parse(text, sizeof text - 1, &f);
    struct json_walk w;
    const char *name;
    struct given value;

    assert_non_null(doc);
    assert_true(json_members(&w, doc, text, sizeof text - 1));
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        assert_true(json_next(&w, &name, &value));
        assert_string_equal(name, T[i].name);
        assert_int_equal(value.json.len, strlen(T[i].bytes));
        assert_memory_equal(value.json.at, T[i].bytes, value.json.len);
        assert_int_equal(value.text != NULL, T[i].text != NULL);
        if (T[i].text)
            assert_string_equal(value.text, T[i].text);
    }
    assert_false(json_next(&w, &name, &value));
    json_free(doc);
}

FACT(only_objects_have_members)
{
    static const char *const T[] = {"{}", " { \n} ", "[{\"a\":1}]", "5", "\"{\"", "null"};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};
        cJSON *doc = json_parse(T[i], strlen(T[i]), &f);
        struct json_walk w;
        const char *name;
        struct given value;

        assert_int_equal(json_members(&w, doc, T[i], strlen(T[i])), i < 2);
        assert_false(i < 2 && json_next(&w, &name, &value));
        json_free(doc);
    }
}

FACT(a_number_is_one_from_its_first_byte_to_its_last)
{
    static const char *const yes[] = {"0", "-0", "10", "1.50", "1e5", "-1.2E-3", "1e999"};
    static const char *const no[] = {"",   "-",  "01", "+1",  ".5",  "1.",
                                     "1 ", " 1", "1e", "0x1", "nan", "\"1\""};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(json_is_number(yes[i], strlen(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(json_is_number(no[i], strlen(no[i])));
}

FACT(a_nul_byte_is_no_end)
{
    struct fault f = {0};

    assert_null(json_parse("1\0", 2, &f));
    assert_string_equal(f.detail, "JSON, byte 2: something after the end of the document");
    f = (struct fault){0};
    assert_null(json_parse("\"a\0b\"", 5, &f));
    assert_string_equal(f.detail, "JSON, byte 3: a control byte in a text");
}

static cJSON *
nested(int depth, struct fault *f)
{
    AUTO_BYTES b = {0};

    for (int i = 0; i < depth; i++)
        bytes_adds(&b, i % 2 ? "{\"a\":" : "[");
    bytes_adds(&b, "1");
    for (int i = depth - 1; i >= 0; i--)
        bytes_adds(&b, i % 2 ? "}" : "]");
    return json_parse(b.at, b.len, f);
}

FACT(sixty_four_levels_are_taken_and_one_more_is_not)
{
    struct fault f = {0};
    cJSON *got = nested(JSON_DEPTH_MAX, &f);

    assert_non_null(got);
    cJSON_Delete(got);
    assert_null(nested(JSON_DEPTH_MAX + 1, &f));
    assert_non_null(strstr(f.detail, "deeper than 64 levels"));
    f = (struct fault){0};
    assert_null(nested(100000, &f));
    assert_non_null(strstr(f.detail, "deeper than 64 levels"));
}

static cJSON *
wide(int elements, struct fault *f)
{
    AUTO_BYTES b = {0};

    bytes_adds(&b, "[");
    for (int i = 0; i < elements; i++)
        bytes_adds(&b, i ? ",1" : "1");
    bytes_adds(&b, "]");
    return json_parse(b.at, b.len, f);
}

FACT(ten_thousand_values_are_taken_and_one_more_is_not)
{
    struct fault f = {0};
    cJSON *got = wide(JSON_NODES_MAX - 1, &f); /* the array is one */

    assert_non_null(got);
    assert_int_equal(cJSON_GetArraySize(got), JSON_NODES_MAX - 1);
    cJSON_Delete(got);
    assert_null(wide(JSON_NODES_MAX, &f));
    assert_non_null(strstr(f.detail, "more than 10000 values"));
}

static cJSON *
keyed(int keys, int last, struct fault *f)
{
    AUTO_BYTES b = {0};

    bytes_adds(&b, "{");
    for (int i = 0; i < keys; i++)
        bytes_addf(&b, "%s\"k%d\":%d", i ? "," : "", i == keys - 1 ? last : i, i);
    bytes_adds(&b, "}");
    return json_parse(b.at, b.len, f);
}

FACT(a_duplicate_is_found_among_many_keys)
{
    struct fault f = {0};
    cJSON *got = keyed(9000, 8999, &f);

    assert_non_null(got);
    cJSON_Delete(got);
    assert_null(keyed(9000, 4711, &f));
    assert_string_equal(f.detail, "JSON: the key \"k4711\" stands twice in an object");
}

FACT(escapes_mean_what_they_say)
{
    struct fault f = {0};
    static const char text[] = "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\"]";
    cJSON *got = json_parse(text, sizeof text - 1, &f);

    assert_non_null(got);
    assert_string_equal(cJSON_GetArrayItem(got, 0)->valuestring,
                        "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    cJSON_Delete(got);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_json),
        cmocka_unit_test(refuses_what_is_not_and_says_where),
        cmocka_unit_test(every_beginning_of_a_document_is_refused_without_harm),
        cmocka_unit_test(members_come_in_order_with_their_bytes),
        cmocka_unit_test(only_objects_have_members),
        cmocka_unit_test(a_number_is_one_from_its_first_byte_to_its_last),
        cmocka_unit_test(a_nul_byte_is_no_end),
        cmocka_unit_test(sixty_four_levels_are_taken_and_one_more_is_not),
        cmocka_unit_test(ten_thousand_values_are_taken_and_one_more_is_not),
        cmocka_unit_test(a_duplicate_is_found_among_many_keys),
        cmocka_unit_test(escapes_mean_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
