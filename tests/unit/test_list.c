/* test_list.c - api/list.c: which names a glob means, and where a page begins.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/list.h"

static void
a_glob_means_whole_names(void **state)
{
    static const struct {
        const char *glob, *name;
        bool match;
    } T[] = {
        {"db", "db", true},       {"db", "dbx", false},    {"db", "d", false},
        {"*", "anything", true},  {"*", "", true},         {"**", "a", true},
        {"?", "a", true},         {"?", "", false},        {"?", "ab", false},
        {"ci-*", "ci-", true},    {"ci-*", "ci-7", true},  {"ci-*", "ci", false},
        {"*-7", "ci-7", true},    {"*-7", "ci-77", false}, {"*7*", "ci-77-x", true},
        {"a*b*c", "aXbYc", true}, {"a*b*c", "abc", true},  {"a*b*c", "acb", false},
        {"a?c*", "abcd", true},   {"*a?", "aaab", true},   {"*ab", "aab", true},
        {"[ab]", "a", false},     {"[ab]", "[ab]", true},  {"", "", true},
        {"", "a", false},         {"a*", "", false},       {"*.*", "a.b.c", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        if (glob_match(T[i].glob, T[i].name) != T[i].match)
            fail_msg("\"%s\" and \"%s\"", T[i].glob, T[i].name);
    }
}

static void
a_glob_made_to_be_slow_is_not(void **state)
{
    char name[NAME_MAX_LEN + 1], glob[NAME_MAX_LEN + 1];

    (void)state;
    memset(name, 'a', NAME_MAX_LEN);
    name[NAME_MAX_LEN] = '\0';
    for (int i = 0; i + 1 < NAME_MAX_LEN; i += 2)
        memcpy(glob + i, "a*", 2);
    memcpy(glob + NAME_MAX_LEN - 1, "b", 2);
    assert_false(glob_match(glob, name)); /* one that goes back to every star would not end today */
}

static void
start(struct listing *l, const char *glob, const char *cursor)
{
    memset(l, 0, sizeof *l);
    l->args.name = glob;
    l->args.cursor = cursor;
    list_start(l);
}

static void
a_page_begins_behind_its_cursor(void **state)
{
    struct listing l;

    (void)state;
    start(&l, NULL, NULL);
    assert_string_equal(l.after, "");
    start(&l, NULL, "db-7");
    assert_string_equal(l.after, "db-7");
    start(&l, "*7", NULL);
    assert_string_equal(l.after, "");
}

static void
a_glob_that_begins_with_text_begins_there(void **state)
{
    static const char *const below[] = {"", "a", "ch", "ci", "ci,", "ci.~", "ci-", "cz"};
    static const char *const globs[] = {"ci-*", "ci-", "ci-?", "-*", "0", "~*"};
    struct listing l;

    (void)state;
    for (size_t i = 0; i < sizeof globs / sizeof globs[0]; i++) {
        size_t prefix = strcspn(globs[i], "*?");
        char first[NAME_MAX_LEN + 1] = "";

        start(&l, globs[i], NULL);
        memcpy(first, globs[i], prefix);
        assert_true(strcmp(l.after, first) < 0);
        for (size_t k = 0; k < sizeof below / sizeof below[0]; k++) {
            if (strcmp(below[k], first) < 0)
                assert_true(strcmp(below[k], l.after) <= 0); /* it is skipped */
        }
    }
    start(&l, "ci-*", "ci-61");
    assert_string_equal(l.after, "ci-61");
    start(&l, "ci-*", "a"); /* a cursor of another list */
    assert_true(strcmp(l.after, "ci,") > 0);
}

static void
the_longest_glob_fits(void **state)
{
    char glob[NAME_MAX_LEN + 1];
    struct listing l;

    (void)state;
    memset(glob, 'x', NAME_MAX_LEN);
    glob[NAME_MAX_LEN] = '\0';
    start(&l, glob, NULL);
    assert_int_equal(strlen(l.after), NAME_MAX_LEN + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_glob_means_whole_names),
        cmocka_unit_test(a_glob_made_to_be_slow_is_not),
        cmocka_unit_test(a_page_begins_behind_its_cursor),
        cmocka_unit_test(a_glob_that_begins_with_text_begins_there),
        cmocka_unit_test(the_longest_glob_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
