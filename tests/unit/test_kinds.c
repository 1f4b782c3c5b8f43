/* test_kinds.c - work/kinds.c and playground.c: reading arguments by their table, and the kinds that do nothing of use.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "work/kinds.h"

struct all {
    const char *text, *url;
    int64_t whole, duration, bytes;
    double number;
    bool yes;
    struct json_slice any;
};

static const char *
no_shouting(const char *text)
{
    return strchr(text, '!') ? "must not shout" : NULL;
}

/* clang-format off */
static const struct kind every_type = {
    .name = "every",
    .args_size = sizeof(struct all),
    .args = (const struct arg[]){
        {.name = "text",     .type = ARG_TEXT,     .offset = offsetof(struct all, text), .least = 1, .most = 5, .wrong = no_shouting, .doc = "a text"},
        {.name = "url",      .type = ARG_URL,      .offset = offsetof(struct all, url), .least = 1, .most = 40, .doc = "a url"},
        {.name = "whole",    .type = ARG_INT,      .offset = offsetof(struct all, whole), .required = true, .least = -9, .most = 9, .doc = "a whole"},
        {.name = "duration", .type = ARG_DURATION, .offset = offsetof(struct all, duration), .least = 0, .most = 60, .fallback = "2s", .doc = "a time"},
        {.name = "bytes",    .type = ARG_BYTES,    .offset = offsetof(struct all, bytes), .least = 1, .most = 1 << 20, .fallback = "64K", .doc = "a size"},
        {.name = "number",   .type = ARG_NUMBER,   .offset = offsetof(struct all, number), .least = -1, .most = 1, .doc = "a number"},
        {.name = "yes",      .type = ARG_BOOL,     .offset = offsetof(struct all, yes), .fallback = "true", .doc = "or no"},
        {.name = "any",      .type = ARG_JSON,     .offset = offsetof(struct all, any), .doc = "a value"},
        {0},
    },
};
/* clang-format on */

static void
arguments_are_read_as_their_types(void **state)
{
    static const char json[] =
        "{\"text\":\"abc\",\"url\":\"http://a/b\",\"whole\":-7,\"duration\":0.25,"
        "\"bytes\":1000,\"number\":0.5,\"yes\":false}";
    static const char otherwise[] =
        "{\"text\":\"\\u0061bc\",\"url\":\"http:\\/\\/a/"
        "b\",\"whole\":-70.0e-1,\"duration\":\"250ms\","
        "\"bytes\":\"1000\",\"number\":5e-1,\"yes\":false,\"any\":null}";
    const char *both[] = {json, otherwise};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fault f = {0};
        struct all all;
        struct cJSON *doc = kind_args(&every_type, both[i], strlen(both[i]), &all, &f);

        assert_non_null(doc);
        assert_string_equal(all.text, "abc");
        assert_string_equal(all.url, "http://a/b");
        assert_int_equal(all.whole, -7);
        assert_int_equal(all.duration, 250 * NS_PER_MS);
        assert_int_equal(all.bytes, 1000);
        assert_true(all.number == 0.5);
        assert_false(all.yes);
        json_free(doc);
    }
}

static void
what_is_not_given_has_its_default_or_is_nothing(void **state)
{
    struct fault f = {0};
    struct all all;
    struct cJSON *doc = kind_args(&every_type, "{\"whole\":1}", 11, &all, &f);

    (void)state;
    assert_non_null(doc);
    assert_null(all.text);
    assert_int_equal(all.duration, 2 * NS_PER_SECOND);
    assert_int_equal(all.bytes, 65536);
    assert_true(all.yes);
    json_free(doc);
}

static void
any_value_is_passed_on_byte_for_byte(void **state)
{
    static const char *const T[] = {
        "9007199254740993",
        "-0",
        "1.7976931348623157e308",
        "0.10",
        "\"5\"",
        "\"\\u00e9\\/\"",
        "[ 1 ,\n{\"a\" :\t2} ]",
        "null",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        AUTO_BYTES text = {0};
        struct fault f = {0};
        struct all all;

        bytes_addf(&text, "{ \"any\" : %s , \"whole\":1}", T[i]);
        struct cJSON *doc = kind_args(&every_type, text.at, text.len, &all, &f);
        assert_non_null(doc);
        assert_int_equal(all.any.len, strlen(T[i]));
        assert_memory_equal(all.any.at, T[i], strlen(T[i]));
        json_free(doc);
    }
}

/* What a query or form gives, as it is kept; and what is said of it where it is nothing of the kind. */
static void
a_text_of_a_form_becomes_what_its_argument_is(void **state)
{
    static const struct {
        const char *name, *text, *json, *refused;
    } T[] = {
        {"text", "5", "\"5\"", NULL},
        {"text", "null", "\"null\"", NULL},
        {"url", "http://a/", "\"http://a/\"", NULL},
        {"whole", "5", "5", NULL},
        {"whole", "-007", "-7", NULL},
        {"whole", "5.0", "\"5.0\"", "a whole number"},
        {"whole", "x", "\"x\"", "a whole number"},
        {"whole", "", "\"\"", "a whole number"},
        {"whole", " 5", "\" 5\"", "a whole number"},
        {"whole", "1000", "1000", "-9 to 9"},
        {"whole", "1e0", "\"1e0\"", "a whole number"},
        {"number", "-0.50", "-0.50", NULL},
        {"number", ".5", "\".5\"", "a number"},
        {"number", "0x0", "\"0x0\"", "a number"},
        {"number", "nan", "\"nan\"", "a number"},
        {"duration", "2.50", "2.50", NULL},
        {"duration", "007", "\"007\"", NULL},
        {"duration", "250ms", "\"250ms\"", NULL},
        {"duration", "soon", "\"soon\"", "a duration"},
        {"bytes", "65536", "65536", NULL},
        {"bytes", "64K", "\"64K\"", NULL},
        {"bytes", "1.5", "1.5", "a number of bytes"},
        {"yes", "1", "true", NULL},
        {"yes", "false", "false", NULL},
        {"yes", "yes", "\"yes\"", "true or false"},
        {"any", "5", "5", NULL},
        {"any", " [1, 2.0]\n", "[1, 2.0]", NULL},
        {"any", "\"5\"", "\"5\"", NULL},
        {"any", "null", "null", NULL},
        {"any", "hello \"you\"", "\"hello \\\"you\\\"\"", NULL},
        {"any", "", "\"\"", NULL},
        {"any", "nul", "\"nul\"", NULL},
        {"any", "01", "\"01\"", NULL},
        {"any", "{\"a\":1", NULL, "any: JSON, byte 7"},
        {"any", "[1,]", NULL, "any: JSON, byte 4"},
        {"any", "\"a", NULL, "any: JSON, byte 3"},
        {"any", "1e400", NULL, "beyond the range"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        const struct arg *a = kind_arg(&every_type, T[i].name);
        struct fault f = {0};
        AUTO_BYTES b = {0};
        struct all all;

        json_open(&b, '{');
        if (a->type != ARG_INT)
            json_raw(&b, "whole", "1", 1);
        size_t before = b.len;
        enum why why = arg_add(a, &(struct given){.text = T[i].text}, &b, &f);
        assert_int_equal(why != WHY_OK, T[i].json == NULL);
        if (!why) {
            const char *added = strchr(bytes_text(&b) + before, ':') + 1;

            assert_string_equal(added, T[i].json);
            json_close(&b, '}');
            struct cJSON *doc = kind_args(&every_type, b.at, b.len, &all, &f);
            assert_int_equal(doc == NULL, T[i].refused != NULL);
            json_free(doc);
        }
        if (T[i].refused && !strstr(f.detail, T[i].refused))
            fail_msg("%s=%s: %s", T[i].name, T[i].text, f.detail);
    }
}

static void
what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *json, *names, *says;
    } T[] = {
        {"{}", "whole", "needs it"},
        {"[]", "args", "object"},
        {"{\"whole\":1,\"wole\":2}", "wole", "text, url, whole"},
        {"{\"whole\":10}", "whole", "-9 to 9"},
        {"{\"whole\":1.5}", "whole", "whole number"},
        {"{\"whole\":1e300}", "whole", "-9 to 9"},
        {"{\"whole\":\"1\"}", "whole", "whole number"},
        {"{\"whole\":1.0000000000000000000001}", "whole", "whole number"},
        {"{\"whole\":1,\"number\":\"0.5\"}", "number", "a number"},
        {"{\"whole\":1,\"number\":null,\"yes\":\"true\"}", "yes", "true or false"},
        {"{\"whole\":\"1x\"}", "whole", "whole number"},
        {"{\"whole\":\"\"}", "whole", "whole number"},
        {"{\"whole\":\"-\"}", "whole", "whole number"},
        {"{\"whole\":\" 1\"}", "whole", "whole number"},
        {"{\"whole\":\"99999999999999999999\"}", "whole", "whole number"},
        {"{\"whole\":null}", "whole", "needs it"},
        {"{\"whole\":true}", "whole", "whole number"},
        {"{\"whole\":1,\"whole\":2}", "whole", "whole"},
        {"{\"whole\":1,\"text\":\"\"}", "text", "1 to 5 bytes"},
        {"{\"whole\":1,\"text\":\"abcdef\"}", "text", "1 to 5 bytes"},
        {"{\"whole\":1,\"text\":\"a!\"}", "text", "shout"},
        {"{\"whole\":1,\"text\":5}", "text", "a text"},
        {"{\"whole\":1,\"duration\":-1}", "duration", "0 to 60 seconds"},
        {"{\"whole\":1,\"duration\":1e300}", "duration", "0 to 60 seconds"},
        {"{\"whole\":1,\"duration\":\"2m\"}", "duration", "0 to 60 seconds"},
        {"{\"whole\":1,\"duration\":\"soon\"}", "duration", "a duration"},
        {"{\"whole\":1,\"bytes\":0}", "bytes", "1 to"},
        {"{\"whole\":1,\"bytes\":\"2M\"}", "bytes", "1 to"},
        {"{\"whole\":1,\"bytes\":\"x\"}", "bytes", "number of bytes"},
        {"{\"whole\":1,\"number\":2}", "number", "-1 to 1"},
        {"{\"whole\":1,\"number\":\"nan\"}", "number", "a number"},
        {"{\"whole\":1,\"number\":\"\"}", "number", "a number"},
        {"{\"whole\":1,\"yes\":\"maybe\"}", "yes", "true or false"},
        {"{\"whole\":1,\"yes\":1}", "yes", "true or false"},
        {"{\"whole\":1,\"url\":\"ftp://a/\"}", "url", "http"},
        {"{\"whole\":1,\"url\":\"file:///etc/passwd\"}", "url", "http"},
        {"{\"whole\":1,\"url\":\"http://\"}", "url", "http"},
        {"{\"whole\":1,\"url\":\"http:///x\"}", "url", "http"},
        {"{\"whole\":1,\"url\":\"http://a b/\"}", "url", "spaces"},
        {"{\"whole\":1,\"url\":\"http://a/b c\"}", "url", "--data-urlencode"},
        {"{\"whole\":1,\"url\":\"http://a/\\r\\nX: y\"}", "url", "spaces"},
        {"{\"whole\":1,\"url\":\"http://me:word@a/\"}", "url", "password"},
        {"{\"whole\":1,\"url\":\"http://me@a?x\"}", "url", "name"},
        {"{\"whole\":1,\"url\":\"no url\"}", "url", "http"},
        {"{\"whole\":1,\"url\":\"\"}", "url", "http"},
        {"{\"whole\":1,\"url\":7}", "url", "http"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};
        struct all all;

        assert_null(kind_args(&every_type, T[i].json, strlen(T[i].json), &all, &f));
        if (!strstr(f.detail, T[i].names) || !strstr(f.detail, T[i].says))
            fail_msg("%s: %s", T[i].json, f.detail);
    }
}

static void
kinds_are_found_by_name_and_their_tables_are_sound(void **state)
{
    const struct kind *const *all;
    size_t n;

    (void)state;
    all = kinds_all(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(kind_find(all[i]->name), all[i]);
        assert_true(strlen(all[i]->name) <= KIND_MAX_LEN && all[i]->doc && all[i]->run);
        for (const struct arg *a = all[i]->args; a->name; a++) {
            assert_non_null(a->doc);
            assert_true(a->offset < all[i]->args_size);
            assert_false(a->required && a->fallback);
            assert_false(a->type == ARG_JSON && a->fallback); /* it would have no bytes */
            assert_true(a - all[i]->args < 64);               /* a bit for each, in read_given */
        }
    }
    assert_null(kind_find("nonsense"));
    assert_null(kind_find(""));
}

/* ---- running ---- */

struct told {
    int times;
    int64_t done, total;
};

static void
tell(struct run *run, int64_t done, int64_t total, const char *unit)
{
    struct told *told = run->teller;

    (void)unit;
    assert_true(done >= told->done && done <= total);
    *told = (struct told){told->times + 1, done, total};
}

static bool
run_kind(const char *name, const char *json, struct run *run)
{
    const struct kind *k = kind_find(name);
    union {
        max_align_t align;
        char bytes[64];
    } args;
    struct fault f = {0};
    struct cJSON *doc = kind_args(k, json, strlen(json), &args, &f);
    bool good;

    assert_non_null(doc);
    run->kind = k;
    run->args = &args;
    run->tell = tell;
    good = k->run(run);
    json_free(doc);
    run->args = NULL;
    return good;
}

static void
square_multiplies_a_number_by_itself(void **state)
{
    static const struct {
        const char *json, *result;
    } T[] = {
        {"{\"n\":0}", "0"},
        {"{\"n\":-12}", "144"},
        {"{\"n\":9.4906265e7}", "9007199136250225"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct run run = {0};

        assert_true(run_kind("square", T[i].json, &run));
        assert_string_equal(bytes_text(&run.result), T[i].result);
        bytes_free(&run.result);
    }
}

static void
sleep_ends_at_once_when_it_is_stopped_or_its_time_is_over(void **state)
{
    static const struct {
        const char *json, *code;
        bool stop;
        int64_t until_ms;
    } T[] = {
        {"{\"seconds\":3600}", "stopped", true, 100000},
        {"{\"seconds\":3600}", "timeout", false, 1},
        {"{\"seconds\":0.001}", NULL, false, 100000},
        {"{\"seconds\":0}", NULL, true, 100000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct bob_event stop;
        struct told told = {0};
        struct run run = {.stop = &stop, .until = bob_in_ms(T[i].until_ms), .teller = &told};
        bool good;

        bob_event_init(&stop);
        if (T[i].stop)
            bob_event_set(&stop);
        good = run_kind("sleep", T[i].json, &run);
        assert_int_equal(good, T[i].code == NULL);
        if (T[i].code)
            assert_string_equal(run.code, T[i].code);
        else
            assert_int_equal(told.done, told.total);
        bytes_free(&run.result);
        bob_event_fini(&stop);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read_as_their_types),
        cmocka_unit_test(what_is_not_given_has_its_default_or_is_nothing),
        cmocka_unit_test(any_value_is_passed_on_byte_for_byte),
        cmocka_unit_test(a_text_of_a_form_becomes_what_its_argument_is),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(kinds_are_found_by_name_and_their_tables_are_sound),
        cmocka_unit_test(square_multiplies_a_number_by_itself),
        cmocka_unit_test(sleep_ends_at_once_when_it_is_stopped_or_its_time_is_over),
    };

    return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}
