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
#include "work/kinds.h"

struct all {
    const char *text, *url;
    int64_t whole, duration, bytes;
    double number;
    bool yes;
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
        {.name = "yes",      .type = ARG_BOOL,     .offset = offsetof(struct all, yes), .fallback = "yes", .doc = "or no"},
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
    static const char texts[] =
        "{\"text\":\"abc\",\"url\":\"http://a/b\",\"whole\":\"-7\",\"duration\":\"250ms\","
        "\"bytes\":\"1000\",\"number\":\"0.5\",\"yes\":\"no\"}";
    const char *both[] = {json, texts};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fault f = {0};
        struct all all;
        struct cJSON *doc = kind_args_parse(&every_type, both[i], strlen(both[i]), &all, &f);

        assert_non_null(doc);
        assert_string_equal(all.text, "abc");
        assert_string_equal(all.url, "http://a/b");
        assert_int_equal(all.whole, -7);
        assert_int_equal(all.duration, 250 * NS_PER_MS);
        assert_int_equal(all.bytes, 1000);
        assert_true(all.number == 0.5);
        assert_false(all.yes);
        kind_args_free(doc);
    }
}

static void
what_is_not_given_has_its_default_or_is_nothing(void **state)
{
    struct fault f = {0};
    struct all all;
    struct cJSON *doc = kind_args_parse(&every_type, "{\"whole\":1}", 11, &all, &f);

    (void)state;
    assert_non_null(doc);
    assert_null(all.text);
    assert_int_equal(all.duration, 2 * NS_PER_SECOND);
    assert_int_equal(all.bytes, 65536);
    assert_true(all.yes);
    kind_args_free(doc);
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
        {"{\"whole\":1e300}", "whole", "whole number"},
        {"{\"whole\":\"1x\"}", "whole", "whole number"},
        {"{\"whole\":\"\"}", "whole", "whole number"},
        {"{\"whole\":\"-\"}", "whole", "whole number"},
        {"{\"whole\":\" 1\"}", "whole", "whole number"},
        {"{\"whole\":\"99999999999999999999\"}", "whole", "whole number"},
        {"{\"whole\":null}", "whole", "whole number"},
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

        assert_null(kind_args_parse(&every_type, T[i].json, strlen(T[i].json), &all, &f));
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
    struct cJSON *doc = kind_args_parse(k, json, strlen(json), &args, &f);
    bool good;

    assert_non_null(doc);
    run->kind = k;
    run->args = &args;
    run->tell = tell;
    good = k->run(run);
    kind_args_free(doc);
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
        {"{\"n\":\"94906265\"}", "9007199136250225"},
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
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(kinds_are_found_by_name_and_their_tables_are_sound),
        cmocka_unit_test(square_multiplies_a_number_by_itself),
        cmocka_unit_test(sleep_ends_at_once_when_it_is_stopped_or_its_time_is_over),
    };

    return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}
