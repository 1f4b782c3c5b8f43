/* test_given.c - base/given.c: its table, a row for each value, once as it comes by a form and once as JSON.
 *
 * SPDX-License-Identifier: MIT */
#include "base/given.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

#define FACT(name) static void name(void **state __attribute__((unused)))
#define BILLION INT64_C(1000000000)

/* The member of an object, as json_next gives it: texts of its own are the tree's, so it is read before the tree goes. */
typedef void reader(const struct given *g, const char *what);
static void
as_json(const char *json, reader *read)
{
    AUTO_BYTES b = {0};
    struct fault f = {0};
    struct json_walk w;
    struct given g;
    const char *name;

    bytes_addf(&b, "{\"x\":%s}", json);
    struct cJSON *tree = json_parse(b.at, b.len, &f);
    if (!tree)
        fail_msg("%s: %s", json, f.detail);
    assert_true(json_members(&w, tree, b.at, b.len) && json_next(&w, &name, &g));
    read(&g, json);
    json_free(tree);
}

static void
as_text(const char *text, reader *read)
{
    read(&(struct given){.text = text}, text);
}

static int64_t got;
static bool taken;

static void
read_whole(const struct given *g, const char *what)
{
    (void)what;
    got = 12321;
    taken = given_whole(g, &got);
    assert_true(taken || got == 12321);
}

FACT(a_whole_number_is_read_exactly_however_it_is_written)
{
    static const struct {
        const char *number;
        int64_t n;
    } T[] = {
        {"0", 0},
        {"-0", 0},
        {"0.0e5", 0},
        {"0e-400", 0},
        {"5", 5},
        {"-5", -5},
        {"5.0", 5},
        {"5.000000000000000000000000000000", 5},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"1000e-3", 1},
        {"0.001e3", 1},
        {"12.50e1", 125},
        {"9007199254740991", INT64_C(9007199254740991)},
        {"-9007199254740991", -INT64_C(9007199254740991)},
        {"9007199254740992", INT64_C(9007199254740992)},
        {"9007199254740993", INT64_C(9007199254740993)},
        {"9.007199254740993e15", INT64_C(9007199254740993)},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"12345678901234567890", INT64_MAX},
        {"12345678901234567890e-1", INT64_C(1234567890123456789)},
        {"-99999999999999999999", INT64_MIN},
        {"1e19", INT64_MAX},
        {"-1e300", INT64_MIN},
        {"0e99999999999999999999", 0},
        {"1.7976931348623157e308", INT64_MAX},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        as_json(T[i].number, read_whole);
        if (!taken || got != T[i].n)
            fail_msg("%s: %d %" PRId64, T[i].number, taken, got);
        as_text(T[i].number, read_whole);
        if (taken != !strpbrk(T[i].number, ".eE") || (taken && got != T[i].n))
            fail_msg("%s as a text: %d %" PRId64, T[i].number, taken, got);
    }
    as_text("007", read_whole);
    assert_true(taken && got == 7);
}

FACT(what_is_not_whole_is_not_read_as_whole)
{
    static const char *const both[] = {"1.5",
                                       "0.1",
                                       "1e-1",
                                       "9007199254740990.6",
                                       "1e-400",
                                       "1.00000000000000000000000000001",
                                       "12345678901234567890.5",
                                       "-2.5e0"};
    static const char *const json[] = {"\"5\"", "\"\"", "true", "null", "[5]", "{\"a\":5}"};
    static const char *const text[] = {"",    "-",    "+1",    " 1",  "1 ", "0x1", "1e",
                                       "1e+", "1.",   ".5",    "--1", "1-", "e5",  "five",
                                       "1,0", "1e5x", "1.2.3", "5.0", "1e3"};

    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        as_json(both[i], read_whole);
        assert_false(taken);
        as_text(both[i], read_whole);
        assert_false(taken);
    }
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++) {
        as_json(json[i], read_whole);
        assert_false(taken);
    }
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        as_text(text[i], read_whole);
        if (taken)
            fail_msg("\"%s\" is taken for a whole number", text[i]);
    }
}

/* As if json_parse had taken it, which asks what a double holds. */
static void
read_slice(const struct bytes *b)
{
    read_whole(&(struct given){.json = {b->at, b->len}}, "");
}

FACT(a_number_of_ten_thousand_digits_costs_no_more_than_its_digits)
{
    AUTO_BYTES one = {0}, zeros = {0};

    bytes_adds(&one, "1");
    for (int i = 0; i < 10000; i++)
        bytes_adds(&one, "0");
    as_text(bytes_text(&one), read_whole);
    assert_true(taken && got == INT64_MAX);
    bytes_adds(&one, "e-10000");
    read_slice(&one);
    assert_true(taken && got == 1);
    bytes_adds(&zeros, "0.");
    for (int i = 0; i < 9999; i++)
        bytes_adds(&zeros, "0");
    bytes_adds(&zeros, "7e10000");
    read_slice(&zeros);
    assert_true(taken && got == 7);
}

static void
read_duration(const struct given *g, const char *what)
{
    (void)what;
    taken = given_duration(g, &got);
}

static void
read_size(const struct given *g, const char *what)
{
    (void)what;
    taken = given_size(g, &got);
}

static void
read_bool(const struct given *g, const char *what)
{
    bool yes = false;

    (void)what;
    taken = given_bool(g, &yes);
    got = yes;
}

static void
read_number(const struct given *g, const char *what)
{
    double n = NAN;

    taken = given_number(g, &n);
    got = taken && n == strtod(what, NULL);
}

FACT(each_type_takes_what_the_table_says)
{
    static const struct {
        reader *read;
        const char *value;
        int64_t text, json; /* what comes of it by a form, and as JSON; -1: it is refused */
    } T[] = {
        {read_duration, "2.5", 5 * BILLION / 2, 5 * BILLION / 2},
        {read_duration, "0", 0, 0},
        {read_duration, "1e1", -1, 10 * BILLION},
        {read_duration, "\"250ms\"", -1, BILLION / 4},
        {read_duration, "\"5\"", -1, 5 * BILLION},
        {read_duration, "\"soon\"", -1, -1},
        {read_duration, "1e300", -1, INT64_MAX},
        {read_duration, "true", -1, -1},
        {read_duration, "[1]", -1, -1},
        {read_size, "65536", 65536, 65536},
        {read_size, "\"64K\"", -1, 65536},
        {read_size, "6.5e1", -1, 65},
        {read_size, "1.5", -1, -1},
        {read_size, "null", -1, -1},
        {read_bool, "true", 1, 1},
        {read_bool, "false", 0, 0},
        {read_bool, "1", 1, -1},
        {read_bool, "0", 0, -1},
        {read_bool, "\"true\"", -1, -1},
        {read_bool, "\"1\"", -1, -1},
        {read_number, "0.1", 1, 1},
        {read_number, "-0", 1, 1},
        {read_number, "1.7976931348623157e308", 1, 1},
        {read_number, "\"0.1\"", -1, -1},
        {read_number, "null", -1, -1},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        as_text(T[i].value, T[i].read);
        if ((taken ? got : -1) != T[i].text)
            fail_msg("row %zu, %s as a text: %d %" PRId64, i, T[i].value, taken, got);
        as_json(T[i].value, T[i].read);
        if ((taken ? got : -1) != T[i].json)
            fail_msg("row %zu, %s as JSON: %d %" PRId64, i, T[i].value, taken, got);
    }
    as_text("64K", read_size);
    assert_true(taken && got == 65536);
    as_text("-250ms", read_duration);
    assert_true(taken && got == -BILLION / 4);
    as_json("-1e300", read_duration);
    assert_true(taken && got == INT64_MIN);
    as_text("1e400", read_number);
    assert_false(taken);
}

static void
read_sort(const struct given *g, const char *what)
{
    got = given_null(g) ? 'n' : given_object(g) ? '{' : ' ';
    assert_int_equal(g->text != NULL, !g->json.at || *what == '"');
}

FACT(only_json_is_null_or_an_object)
{
    static const char *const T[] = {"null", "{}", "{\"a\":null}", "[]", "\"null\"", "5", "true"};
    static const char sort[] = "n{{    ";

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        as_json(T[i], read_sort);
        assert_int_equal(got, sort[i]);
        as_text(T[i], read_sort);
        assert_int_equal(got, ' ');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_number_is_read_exactly_however_it_is_written),
        cmocka_unit_test(what_is_not_whole_is_not_read_as_whole),
        cmocka_unit_test(a_number_of_ten_thousand_digits_costs_no_more_than_its_digits),
        cmocka_unit_test(each_type_takes_what_the_table_says),
        cmocka_unit_test(only_json_is_null_or_an_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
