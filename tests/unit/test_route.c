/* test_route.c - http/route.c: which path reaches which row, and with which names; and how fast.
 *
 * SPDX-License-Identifier: MIT */
#include "http/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "http/exchange.h"

#define FACT(name) static void name(void **state __attribute__((unused)))

static handler_fn *const ANY = NULL; /* a router never calls */

static const struct route ROUTES[] = {
    {GET, "/", ANY, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/{file}", ANY, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/livez", ANY, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/v1/locks", ANY, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/v1/locks/{name}", ANY, NULL, BODY_NONE, SHOWS, ""},
    {DELETE, "/v1/locks/{name}", ANY, NULL, BODY_NONE, SHOWS, ""},
    {POST, "/v1/locks/{name}/acquire", ANY, NULL, BODY_PARAMS, SHOWS, ""},
    {POST, "/v1/locks/{name}/release", ANY, NULL, BODY_PARAMS, SHOWS, ""},
    {POST, "/v1/locks/all/clear", ANY, NULL, BODY_PARAMS, SHOWS, ""},
    {GET, "/v1/{kind}/{name}/line", ANY, NULL, BODY_NONE, SHOWS, ""},
};
enum { NROUTES = sizeof ROUTES / sizeof ROUTES[0], NONE = -1 };

static int
set_routes(void **state)
{
    struct fault f = {0};

    (void)state;
    return routes_set(ROUTES, NROUTES, &f);
}

FACT(finds_the_row_for_a_path)
{
    static const struct {
        const char *says;
        enum method method;
        const char *path;
        int row;
        unsigned allowed;
        const char *names[ROUTE_NAMES_MAX];
    } T[] = {
        {"the root", GET, "/", 0, 1u << GET, {""}},
        {"a literal wins over a part", GET, "/livez", 2, 1u << GET, {""}},
        {"a part takes what no literal has", GET, "/livey", 1, 1u << GET, {"livey"}},
        {"a literal path", GET, "/v1/locks", 3, 1u << GET, {""}},
        {"one name", GET, "/v1/locks/a", 4, 1u << GET | 1u << DELETE, {"a"}},
        {"the method picks the row", DELETE, "/v1/locks/a", 5, 1u << GET | 1u << DELETE, {"a"}},
        {"a tail after a name", POST, "/v1/locks/a.b/acquire", 6, 1u << POST, {"a.b"}},
        {"a name stays encoded", GET, "/v1/locks/a%2Fb", 4, 1u << GET | 1u << DELETE, {"a%2Fb"}},
        {"known path, other method", PUT, "/v1/locks/a", NONE, 1u << GET | 1u << DELETE, {""}},
        {"a name that is a literal elsewhere",
         GET,
         "/v1/locks/all",
         4,
         1u << GET | 1u << DELETE,
         {"all"}},
        {"a literal that leads nowhere is tried as a name",
         POST,
         "/v1/locks/all/acquire",
         6,
         1u << POST,
         {"all"}},
        {"two names", GET, "/v1/semaphores/s/line", 9, 1u << GET, {"semaphores", "s"}},
        {"two names where a literal was tried first",
         GET,
         "/v1/locks/l/line",
         9,
         1u << GET,
         {"locks", "l"}},
        {"an empty name is no match", GET, "/v1/locks/", NONE, 0, {""}},
        {"a name has no slash in it", GET, "/v1/locks/a/b", NONE, 0, {""}},
        {"a slash at the end is another path", GET, "/livez/", NONE, 0, {""}},
        {"two slashes are not one", GET, "//livez", NONE, 0, {""}},
        {"a prefix is no match", POST, "/v1/locks/a/acquir", NONE, 0, {""}},
        {"an extension is no match", POST, "/v1/locks/a/acquire2", NONE, 0, {""}},
        {"the empty path is no match", GET, "", NONE, 0, {""}},
        {"a path without a root is no match", GET, "livez", NONE, 0, {""}},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct route_match m = route_find(T[i].method, T[i].path);
        int row = m.route ? (int)(m.route - ROUTES) : NONE;

        if (row != T[i].row || m.allowed != T[i].allowed)
            fail_msg("%s: row %d, allowed %u", T[i].says, row, m.allowed);
        for (int k = 0; m.route && k < ROUTE_NAMES_MAX && T[i].names[k] && *T[i].names[k]; k++) {
            if (m.name[k].len != strlen(T[i].names[k]) ||
                memcmp(m.name[k].at, T[i].names[k], m.name[k].len) != 0)
                fail_msg("%s: name %d is %.*s", T[i].says, k, (int)m.name[k].len, m.name[k].at);
        }
    }
}

FACT(every_row_is_found_by_its_own_path)
{
    size_t n;
    const struct route *all = routes_all(&n);

    assert_int_equal(n, NROUTES);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(route_find(all[i].method, all[i].path).route, &all[i]);
}

FACT(two_rows_alike_are_refused_whatever_their_parts_are_called)
{
    static const struct route twice[] = {
        {GET, "/v1/x/{name}", ANY, NULL, BODY_NONE, SHOWS, ""},
        {GET, "/v1/x/{id}", ANY, NULL, BODY_NONE, SHOWS, ""},
    };
    struct fault f = {0};

    assert_int_equal(routes_set(twice, 2, &f), WHY_INTERNAL);
    assert_non_null(strstr(f.detail, "/v1/x/{id}"));
    assert_int_equal(set_routes(NULL), 0);
}

FACT(a_name_is_of_the_alphabet)
{
    static const struct {
        const char *name;
        bool good;
    } T[] = {
        {"a", true},  {"A-Z.az_09:~-", true}, {"...", true},   {".a", true},    {"-", true},
        {".", false}, {"..", false},          {"a/b", false},  {"a%2F", false}, {"a b", false},
        {"", false},  {"\xC3\xA9", false},    {"a\tb", false}, {"a?b", false},  {"a@b", false},
        {"[", false}, {"a\x7F", false},
    };
    char text[202];

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};

        if ((name_check(T[i].name, strlen(T[i].name), &f) == WHY_OK) != T[i].good)
            fail_msg("\"%s\": %s", T[i].name, f.detail);
    }
    memset(text, 'n', sizeof text);
    struct fault f = {0};
    assert_int_equal(name_check(text, 200, &f), WHY_OK);
    assert_int_equal(name_check(text, 201, &f), WHY_INVALID);
}

FACT(a_name_may_come_with_escapes_of_its_own_alphabet)
{
    static const struct {
        const char *raw, *name; /* NULL: none */
    } T[] = {
        {"a", "a"},       {"db%3A1", "db:1"}, {"%3a", ":"},     {"%7E%61%5f%2D", "~a_-"},
        {"a%2Fb", NULL},  {"%00", NULL},      {"a%20b", NULL},  {"%25", NULL},
        {"%2541", NULL},  {"%", NULL},        {"%6", NULL},     {"%6g", NULL},
        {"%2e%2e", NULL}, {"%2E", NULL},      {"%c3%a9", NULL}, {"", NULL},
    };
    char name[NAME_ROOM], text[700] = "";
    struct fault f = {0};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        f = (struct fault){0};
        if (name_take(T[i].raw, strlen(T[i].raw), name, &f))
            assert_null(T[i].name);
        else if (!T[i].name || strcmp(name, T[i].name) != 0)
            fail_msg("%s: %s", T[i].raw, name);
    }
    for (int i = 0; i < 200; i++)
        strcat(text, "%3a");
    assert_int_equal(name_take(text, strlen(text), name, &f), WHY_OK);
    assert_int_equal(strlen(name), 200);
    strcat(text, "a");
    assert_int_equal(name_take(text, strlen(text), name, &f), WHY_INVALID);
    strcat(text, "%3a%3a%3a%3a%3a");
    f = (struct fault){0};
    assert_int_equal(name_take(text, strlen(text), name, &f), WHY_INVALID);
}

/* What a method promises, and of POST each verb: a new one needs its row here, and a thought. */
static const struct {
    enum method method;
    const char *verb; /* the last segment; NULL: any */
    enum effect effect;
} EFFECTS[] = {
    {GET, NULL, SHOWS},
    {PUT, NULL, BEGINS},
    {DELETE, NULL, ENDS},
    {POST, "acquire", BEGINS},
    {POST, "add", BEGINS},
    {POST, "set", BEGINS},
    {POST, "compare_and_set", BEGINS},
    {POST, "tasks", BEGINS},
    {POST, "{kind}", BEGINS},
    {POST, "renew", KEEPS},
    {POST, "release", ENDS},
};

FACT(each_row_of_the_interface_says_whether_it_begins_something)
{
    for (size_t i = 0; i < api_routes_len; i++) {
        const struct route *r = &api_routes[i];
        size_t k = 0, len = sizeof EFFECTS / sizeof EFFECTS[0];

        while (k < len &&
               (EFFECTS[k].method != r->method ||
                (EFFECTS[k].verb && strcmp(strrchr(r->path, '/') + 1, EFFECTS[k].verb) != 0)))
            k++;
        if (k == len || r->effect != EFFECTS[k].effect)
            fail_msg("%s %s: effect %d", method_name[r->method], r->path, (int)r->effect);
        assert_int_equal(route_while_draining(r), r->effect != BEGINS);
    }
}

FACT(a_row_that_does_not_say_is_refused_while_draining)
{
    static const struct route silent = {.method = GET, .path = "/x"};

    assert_false(route_while_draining(&silent));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_row_for_a_path),
        cmocka_unit_test(every_row_is_found_by_its_own_path),
        cmocka_unit_test(two_rows_alike_are_refused_whatever_their_parts_are_called),
        cmocka_unit_test(a_name_is_of_the_alphabet),
        cmocka_unit_test(a_name_may_come_with_escapes_of_its_own_alphabet),
        cmocka_unit_test(each_row_of_the_interface_says_whether_it_begins_something),
        cmocka_unit_test(a_row_that_does_not_say_is_refused_while_draining),
    };

    return cmocka_run_group_tests(tests, set_routes, NULL);
}
