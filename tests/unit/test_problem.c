/* test_problem.c - http/problem.c: every why that can be told has a row that holds together.
 *
 * SPDX-License-Identifier: MIT */
#include "http/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json.h"

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(every_why_but_three_is_told)
{
    for (int why = 0; why < WHY_COUNT_; why++) {
        bool silent = why == WHY_OK || why == WHY_PENDING || why == WHY_GONE;

        assert_int_equal(problem_of((enum why)why) == NULL, silent);
    }
    assert_null(problem_of(WHY_COUNT_));
}

FACT(each_row_has_a_slug_of_its_own_and_a_code_that_is_the_same)
{
    for (int a = 0; a < WHY_COUNT_; a++) {
        const struct problem *p = problem_of((enum why)a);

        if (!p)
            continue;
        assert_true(p->status >= 400 && p->status < 600);
        assert_int_equal(strlen(p->slug), strlen(p->code));
        for (size_t i = 0; p->slug[i]; i++)
            assert_true(p->slug[i] == p->code[i] || (p->slug[i] == '-' && p->code[i] == '_'));
        assert_true(*p->title && *p->doc);
        for (int b = 0; b < a; b++)
            assert_true(!problem_of((enum why)b) ||
                        strcmp(p->slug, problem_of((enum why)b)->slug) != 0);
    }
}

FACT(who_may_ask_again_is_told_when)
{
    for (int why = 0; why < WHY_COUNT_; why++) {
        const struct problem *p = problem_of((enum why)why);

        if (p && (p->status == 423 || p->status == 429 || p->status == 503))
            assert_true(p->retry_after >= 1);
    }
}

static struct cJSON *
parsed(const struct fault *f, const struct bytes *extra)
{
    AUTO_BYTES b = {0};
    struct fault bad = {0};

    problem_json(&b, f, extra);
    struct cJSON *json = json_parse(b.at, b.len, &bad);
    if (!json)
        fail_msg("%s: %.*s", bad.detail, (int)b.len, b.at);
    return json;
}

FACT(a_problem_says_type_title_status_code_and_detail)
{
    struct fault f = {0};

    fault_set(&f, WHY_LOCK_HELD, "the lock \"db\" is held");
    struct cJSON *json = parsed(&f, NULL);
    assert_string_equal(cJSON_GetObjectItem(json, "type")->valuestring, "/problems/lock-held");
    assert_string_equal(cJSON_GetObjectItem(json, "code")->valuestring, "lock_held");
    assert_int_equal(cJSON_GetObjectItem(json, "status")->valueint, 423);
    assert_string_equal(cJSON_GetObjectItem(json, "detail")->valuestring,
                        "the lock \"db\" is held");
    assert_non_null(cJSON_GetObjectItem(json, "title"));
    cJSON_Delete(json);
}

FACT(further_members_stand_beside_them)
{
    struct fault f = {0};
    AUTO_BYTES extra = {0};

    json_open_in(&extra, "holder", '{');
    json_int(&extra, "token", 7);
    json_close(&extra, '}');
    json_int(&extra, "position", 2);
    fault_set(&f, WHY_LOCK_HELD, "%s", "");
    struct cJSON *json = parsed(&f, &extra);
    assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "holder"), "token")->valueint,
                     7);
    assert_int_equal(cJSON_GetObjectItem(json, "position")->valueint, 2);
    assert_null(cJSON_GetObjectItem(json, "detail"));
    cJSON_Delete(json);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_why_but_three_is_told),
        cmocka_unit_test(each_row_has_a_slug_of_its_own_and_a_code_that_is_the_same),
        cmocka_unit_test(who_may_ask_again_is_told_when),
        cmocka_unit_test(a_problem_says_type_title_status_code_and_detail),
        cmocka_unit_test(further_members_stand_beside_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
