/* test_params.c - http/params.c and value.c: what a client writes, and what the handler's struct then holds.
 *
 * A query takes the same way as a form.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/params_table.h"

#define FACT(name) static void name(void **state __attribute__((unused)))
#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

/* clang-format off */
static const struct param NEEDED[] = {
    {"token", PARAM_TOKEN,    PARAM_AT(struct args, token), true,  0,         0,                  NULL,     NULL,   ""},
    {0},
};
/* clang-format on */
static const struct route CLOSED = {POST, "/x", NULL, PARAMS, BODY_PARAMS, SHOWS, ""};
static const struct route OPEN = {POST, "/x", NULL, PARAMS, BODY_OPEN, SHOWS, ""};
static const struct route NEEDS = {POST, "/x", NULL, NEEDED, BODY_PARAMS, SHOWS, ""};
static const struct route BARE = {POST, "/x", NULL, NULL, BODY_PARAMS, SHOWS, ""};
static const struct route MUTE = {GET, "/x", NULL, PARAMS, BODY_NONE, SHOWS, ""};

/* A request whose body has come; end() frees it. */
static struct request *
with_body(const struct route *route, const char *type, const char *body)
{
    struct request *req = calloc(1, sizeof *req);

    assert_non_null(req);
    request_begin(req);
    req->route = route;
    req->guard.type = (struct guard_text){type, strlen(type)};
    bytes_adds(&req->body, body);
    return req;
}

/* As exchange.c does. */
static void
give_query(struct request *req, const char *text)
{
    req->query_len = strlen(text);
    req->query = request_keep(req, text, req->query_len);
    assert_non_null(req->query);
}

static void
end(struct request *req)
{
    request_end(req);
    bytes_free(&req->body);
    free(req);
}

FACT(what_is_not_given_has_its_default)
{
    struct request *req = with_body(&CLOSED, "", "");
    struct args a = {0};

    assert_int_equal(request_args(req, &a), WHY_OK);
    assert_string_equal(a.owner, "nobody");
    assert_int_equal(a.n, 1);
    assert_int_equal(a.ttl, 30 * NS_PER_SECOND);
    assert_int_equal(a.token, 0);
    assert_false(a.deep);
    assert_int_equal(a.order, 1);
    end(req);
}

FACT(json_and_form_say_the_same)
{
    static const struct {
        const char *type, *body;
    } T[] = {
        {JSON,
         "{\"owner\":\"a "
         "b\",\"n\":-3,\"ttl\":2.5,\"token\":9007199254740991,\"deep\":true,\"order\":\"fifo\"}"},
        {JSON "; charset=utf-8", "{\"owner\":\"a "
                                 "b\",\"n\":-3,\"ttl\":\"2.5s\",\"token\":9007199254740991,"
                                 "\"deep\":true,\"order\":\"fifo\",\"args\":null}"},
        {FORM, "owner=a+b&n=-3&ttl=2.5&token=9007199254740991&deep=true&order=fifo"},
        {"APPLICATION/X-WWW-FORM-URLENCODED ;x=y",
         "&&o%77ner=a%20b&n=%2d3&ttl=2500ms&token=9007199254740991&deep=1&order=fifo&"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct request *req = with_body(&CLOSED, T[i].type, T[i].body);
        struct args a = {0};

        if (request_args(req, &a))
            fail_msg("%s: %s", T[i].body, req->fault.detail);
        assert_string_equal(a.owner, "a b");
        assert_int_equal(a.n, -3);
        assert_int_equal(a.ttl, 2500 * NS_PER_MS);
        assert_int_equal(a.token, INT64_C(9007199254740991));
        assert_true(a.deep);
        assert_int_equal(a.order, 0);
        end(req);
    }
}

FACT(a_query_says_what_a_form_says)
{
    static const char text[] = "&&o%77ner=a+b&n=%2d3&ttl=2500ms&deep=1&order=fifo&";
    struct request *req = with_body(&CLOSED, FORM, "token=5");
    struct args a = {0};

    give_query(req, text);
    assert_int_equal(request_args(req, &a), WHY_OK);
    assert_string_equal(a.owner, "a b");
    assert_int_equal(a.n, -3);
    assert_int_equal(a.token, 5);
    assert_true(a.deep);
    end(req);
    req = with_body(&CLOSED, "", "");
    give_query(req, "owner=%zz");
    assert_int_equal(request_args(req, &a), WHY_INVALID);
    assert_string_equal(req->fault.detail, "the query is not percent-encoded UTF-8");
    end(req);
}

/* Those that fit lie in the request, the others behind it: all to their last byte, and none in another's place. */
FACT(texts_are_kept_side_by_side)
{
    static const size_t lens[] = {0, 40, TEXTS_ROOM, TEXTS_ROOM - 44, 3000, 1, 0, 0};
    enum { N = sizeof lens / sizeof lens[0], IN_REQUEST = 4 };
    static char long_text[4096];
    struct request *req = with_body(&CLOSED, "", "");
    char *kept[N];
    int inside = 0;

    for (int again = 0; again < 2; again++, inside = 0) {
        for (int i = 0; i < N; i++) {
            memset(long_text, 'a' + i, lens[i]);
            kept[i] = request_keep(req, long_text, lens[i]);
            assert_non_null(kept[i]);
            inside += kept[i] >= req->texts && kept[i] < req->texts + TEXTS_ROOM;
        }
        assert_int_equal(inside, IN_REQUEST);
        for (int i = 0; i < N; i++) {
            assert_int_equal(strlen(kept[i]), lens[i]);
            assert_true(lens[i] == 0 || (kept[i][0] == 'a' + i && kept[i][lens[i] - 1] == 'a' + i));
        }
        request_end(req);
    }
    assert_non_null(request_keep(req, long_text, TEXTS_ROOM - 1));
    assert_null(req->pieces);
    end(req);
}

FACT(a_query_longer_than_the_room_says_what_a_short_one_says)
{
    for (size_t pad = TEXTS_ROOM - 20; pad < TEXTS_ROOM + 4; pad++) {
        struct request *req = with_body(&CLOSED, "", "");
        AUTO_BYTES query = {0};
        struct args a = {0};

        for (size_t i = 0; i < pad; i++)
            bytes_adds(&query, "&");
        bytes_adds(&query, "n=3&owner=%62ob");
        give_query(req, bytes_text(&query));
        assert_int_equal(request_args(req, &a), WHY_OK);
        assert_int_equal(a.n, 3);
        assert_string_equal(a.owner, "bob");
        end(req);
    }
}

FACT(a_wrong_value_is_refused_and_named)
{
    static const struct {
        const char *type, *body, *names;
    } T[] = {
        {FORM, "n=11", "n: must be between -10 and 10"},
        {FORM, "n=-11", "n: must be between"},
        {FORM, "n=-99999999999999999999", "n: must be between"},
        {FORM, "n=-", "n: must be a whole number"},
        {FORM, "n=1.5", "n: must be a whole number"},
        {FORM, "n=", "n:"},
        {FORM, "n", "n:"},
        {FORM, "n=+1", "n:"}, /* the plus is a space */
        {FORM, "n=0x1", "n:"},
        {FORM, "n=99999999999999999999", "n: must be between -10 and 10"},
        {JSON, "{\"n\":1.5}", "n:"},
        {JSON, "{\"n\":\"1\"}", "n:"},
        {JSON, "{\"n\":1e300}", "n: must be between"},
        {JSON, "{\"n\":1.00000000000000000001}", "n: must be a whole number"},
        {JSON, "{\"n\":true}", "n:"},
        {FORM, "owner=123456789", "owner: must be at most 8 bytes long"},
        {JSON, "{\"owner\":5}", "owner: must be a text"},
        {FORM, "ttl=0", "ttl: must be between 1ms and 1m"},
        {FORM, "ttl=61s", "ttl:"},
        {FORM, "ttl=-1s", "ttl: must be between"},
        {JSON, "{\"ttl\":\"-250ms\"}", "ttl: must be between"},
        {FORM, "ttl=--1", "ttl: must be a number of seconds"},
        {FORM, "ttl=soon", "ttl:"},
        {JSON, "{\"ttl\":-1}", "ttl: must be between"},
        {JSON, "{\"ttl\":1e18}", "ttl: must be between"},
        {JSON, "{\"ttl\":[]}", "ttl:"},
        {FORM, "token=0", "token: must be the token that the grant gave"},
        {FORM, "token=-1", "token:"},
        {FORM, "token=9007199254740992", "token:"},
        {JSON, "{\"token\":\"7\"}", "token:"},
        {JSON, "{\"token\":9007199254740990.6}", "token:"},
        {JSON, "{\"token\":9007199254740993}", "token:"},
        {JSON, "{\"deep\":\"true\"}", "deep: must be true or false"},
        {FORM, "deep=", "deep: must be true or false"},
        {FORM, "deep=yes", "deep: must be true or false"},
        {JSON, "{\"deep\":1}", "deep:"},
        {FORM, "order=random", "order: must be one of fifo, lifo"},
        {JSON, "{\"order\":0}", "order:"},
        {FORM, "args={}", "args: must be a JSON object"},
        {JSON, "{\"args\":[]}", "args:"},
        {FORM, "n=1&n=1", "n: given twice"},
        {FORM, "m=1",
         "m: unknown parameter; this call takes owner, n, ttl, token, deep, order, args"},
        {JSON, "{\"nn\":1}", "nn: unknown parameter"},
        {JSON, "[1]", "no JSON object"},
        {JSON, "5", "no JSON object"},
        {FORM, "owner=%zz", "percent"},
        {FORM, "owner=%4", "percent"},
        {FORM, "owner=%00", "percent"},
        {FORM, "owner=%ff", "percent"},
        {FORM, "%ff=1", "percent"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct request *req = with_body(&CLOSED, T[i].type, T[i].body);
        struct args a = {0};

        if (request_args(req, &a) != WHY_INVALID || !strstr(req->fault.detail, T[i].names))
            fail_msg("%s: %d %s", T[i].body, req->fault.why, req->fault.detail);
        end(req);
    }
}

FACT(broken_json_is_refused)
{
    static const char *const T[] = {"{", "{\"n\":1,\"n\":2}", "{\"owner\":\"\xFF\"}", "{} x",
                                    "nonsense"};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct request *req = with_body(&CLOSED, JSON, T[i]);
        struct args a = {0};

        if (request_args(req, &a) == WHY_OK)
            fail_msg("%s", T[i]);
        end(req);
    }
}

FACT(a_body_of_another_type_is_415)
{
    static const char *const T[] = {"", "text/plain", "application/jsonx",
                                    "multipart/form-data; boundary=x"};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct request *req = with_body(&CLOSED, T[i], "{}");
        struct args a = {0};

        if (request_args(req, &a) != WHY_MEDIA_TYPE)
            fail_msg("%s", T[i]);
        end(req);
    }
}

FACT(what_is_needed_is_asked_for)
{
    struct request *req = with_body(&NEEDS, JSON, "{\"token\":null}");
    struct args a = {0};

    assert_int_equal(request_args(req, &a), WHY_INVALID);
    assert_string_equal(req->fault.detail, "token: is needed");
    end(req);
}

FACT(a_call_without_parameters_takes_none)
{
    struct request *req = with_body(&BARE, FORM, "n=1");

    assert_int_equal(params_none(req), WHY_INVALID);
    assert_non_null(strstr(req->fault.detail, "this call takes none"));
    end(req);
    req = with_body(&BARE, JSON, "{}");
    assert_int_equal(params_none(req), WHY_OK);
    end(req);
    req = with_body(&MUTE, JSON, "{}");
    assert_int_equal(params_none(req), WHY_INVALID);
    end(req);
}

FACT(an_open_call_keeps_the_rest)
{
    static const struct {
        const char *type, *body, *rest;
    } T[] = {
        {JSON,
         "{\"n\":2, \"url\" : \"http:\\/\\/x\" ,\"deepest\":\t[1.0,\n{\"a\": 1E2}]\r,\"no\":null}",
         "url:http://x:\"http:\\/\\/x\" deepest::[1.0,\n{\"a\": 1E2}] no::null "},
        {FORM, "url=http%3A%2F%2Fx&n=2&seconds=5", "url:http://x: seconds:5: "},
        {JSON, "{\"n\":2}", ""},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct request *req = with_body(&OPEN, T[i].type, T[i].body);
        struct args a = {0};

        assert_int_equal(request_args(req, &a), WHY_OK);
        assert_int_equal(a.n, 2);
        size_t n;
        const struct named *rest = request_rest(req, &n);
        AUTO_BYTES told = {0};
        for (size_t k = 0; k < n; k++) {
            const struct given *g = &rest[k].value;

            bytes_addf(&told, "%s:%s:%.*s ", rest[k].name, g->text ? g->text : "", (int)g->json.len,
                       g->json.at ? g->json.at : "");
        }
        assert_string_equal(bytes_text(&told), T[i].rest);
        end(req);
    }
}

FACT(the_rest_goes_with_the_request)
{
    struct request *req = with_body(&OPEN, FORM, "url=x&n=11");
    struct args a = {0};

    assert_int_equal(request_args(req, &a), WHY_INVALID);
    assert_non_null(req->rest);
    request_end(req);
    assert_null(req->rest);
    end(req);
}

FACT(an_object_comes_byte_for_byte)
{
    static const char object[] =
        "{ \"a\" :9007199254740993,\r\n\t\"b\":[-0, 1.10, \"\\u00e9\\/\"] }";
    AUTO_BYTES body = {0};

    bytes_addf(&body, " {\"\\u0061rgs\" : %s , \"n\":2}\n", object);
    struct request *req = with_body(&CLOSED, JSON, bytes_text(&body));
    struct args a = {0};

    assert_int_equal(request_args(req, &a), WHY_OK);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.args.len, sizeof object - 1);
    assert_memory_equal(a.args.at, object, sizeof object - 1);
    end(req);
}

FACT(a_null_is_not_given_but_its_name_must_be_known)
{
    static const struct {
        const char *body, *fault;
    } T[] = {
        {"{\"n\":null,\"args\":null}", ""},
        {"{\"nn\":null}", "nn: unknown parameter"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct request *req = with_body(&CLOSED, JSON, T[i].body);
        struct args a = {0};

        assert_int_equal(request_args(req, &a), *T[i].fault ? WHY_INVALID : WHY_OK);
        assert_non_null(strstr(req->fault.detail, T[i].fault));
        if (!*T[i].fault)
            assert_true(a.n == 1 && !a.args.at);
        end(req);
    }
}

FACT(no_more_than_a_hundred_and_twenty_eight)
{
    AUTO_BYTES body = {0};

    for (int i = 0; i < 129; i++)
        bytes_addf(&body, "p%d=&", i);
    struct request *req = with_body(&OPEN, FORM, bytes_text(&body));
    struct args a = {0};

    assert_int_equal(request_args(req, &a), WHY_INVALID);
    assert_non_null(strstr(req->fault.detail, "more than"));
    end(req);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(json_and_form_say_the_same),
        cmocka_unit_test(a_query_says_what_a_form_says),
        cmocka_unit_test(texts_are_kept_side_by_side),
        cmocka_unit_test(a_query_longer_than_the_room_says_what_a_short_one_says),
        cmocka_unit_test(a_wrong_value_is_refused_and_named),
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(a_body_of_another_type_is_415),
        cmocka_unit_test(what_is_needed_is_asked_for),
        cmocka_unit_test(a_call_without_parameters_takes_none),
        cmocka_unit_test(an_open_call_keeps_the_rest),
        cmocka_unit_test(the_rest_goes_with_the_request),
        cmocka_unit_test(an_object_comes_byte_for_byte),
        cmocka_unit_test(a_null_is_not_given_but_its_name_must_be_known),
        cmocka_unit_test(no_more_than_a_hundred_and_twenty_eight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
