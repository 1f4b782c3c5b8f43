/* semantics.h - a table of what users of Python expect, one row for each rule, run as tests of their own.
 *
 * A row does one thing and says what came of it; what must come of it stands beside it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_SEMANTICS_H
#define TEST_SEMANTICS_H

#include <bobbin/bobbin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct row {
    const char *rule;           /* "Lock: release of an unlocked lock" */
    enum bob_err (*does)(void); /* asserts what leads there, and returns the last call's error */
    enum bob_err comes_of_it;
};

/* Where a fact is all that matters. */
static inline enum bob_err
holds(bool fact)
{
    return fact ? BOB_OK : BOB_ERR_STATE;
}

static inline void
row_test(void **state)
{
    const struct row *row = *state;

    assert_string_equal(bob_strerror(row->does()), bob_strerror(row->comes_of_it));
}

static inline int
run_rows(const char *name, const struct row *rows, size_t n)
{
    struct CMUnitTest *tests = calloc(n, sizeof *tests);
    int failed;

    if (!tests)
        return 1;
    for (size_t i = 0; i < n; i++)
        tests[i] =
            (struct CMUnitTest){rows[i].rule, row_test, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
    free(tests);
    return failed;
}

/* A thread for one call, joined. */
static inline void *
in_another_thread(void *(*fn)(void *), void *arg)
{
    struct bob_thread *t;
    void *value = NULL;

    assert_int_equal(bob_thread_start(&t, "another", fn, arg, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, BOB_FOREVER, &value), BOB_OK);
    bob_thread_free(t);
    return value;
}

#endif
