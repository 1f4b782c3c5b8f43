/* test_life.c - coord/life.c: which events move a task, and which do not.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coord/life.h"

enum { STAYS = -1 };

/* What each event makes of each state. */
/* clang-format off */
static const int LIFE[TASK_STATES_][EVENT_COUNT_] = {
    /*                  due         claim         succeed         retry         give up      put back    cancel          stopped */
    [TASK_DELAYED]   = {TASK_READY, STAYS,        STAYS,          STAYS,        STAYS,       STAYS,      TASK_CANCELLED, STAYS},
    [TASK_READY]     = {STAYS,      TASK_RUNNING, STAYS,          STAYS,        STAYS,       STAYS,      TASK_CANCELLED, STAYS},
    [TASK_RUNNING]   = {STAYS,      STAYS,        TASK_SUCCEEDED, TASK_DELAYED, TASK_FAILED, TASK_READY, STAYS,          TASK_CANCELLED},
    [TASK_SUCCEEDED] = {STAYS,      STAYS,        STAYS,          STAYS,        STAYS,       STAYS,      STAYS,          STAYS},
    [TASK_FAILED]    = {STAYS,      STAYS,        STAYS,          STAYS,        STAYS,       STAYS,      STAYS,          STAYS},
    [TASK_CANCELLED] = {STAYS,      STAYS,        STAYS,          STAYS,        STAYS,       STAYS,      STAYS,          STAYS},
};
/* clang-format on */

static void
every_event_in_every_state_does_what_the_table_says(void **state)
{
    (void)state;
    for (int from = 0; from < TASK_STATES_; from++) {
        for (int event = 0; event < EVENT_COUNT_; event++) {
            enum task_state now = (enum task_state)from;
            bool moved = task_step(&now, (enum task_event)event);

            assert_int_equal(moved, LIFE[from][event] != STAYS);
            assert_int_equal(now, moved ? LIFE[from][event] : from);
        }
    }
}

static void
what_is_over_is_succeeded_failed_or_cancelled(void **state)
{
    (void)state;
    for (int s = 0; s < TASK_STATES_; s++)
        assert_int_equal(task_is_over((enum task_state)s),
                         s == TASK_SUCCEEDED || s == TASK_FAILED || s == TASK_CANCELLED);
}

static void
every_state_has_a_name(void **state)
{
    (void)state;
    for (int s = 0; s < TASK_STATES_; s++)
        assert_non_null(task_state_name[s]);
    assert_string_equal(task_state_name[TASK_RUNNING], "running");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state_does_what_the_table_says),
        cmocka_unit_test(what_is_over_is_succeeded_failed_or_cancelled),
        cmocka_unit_test(every_state_has_a_name),
    };

    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
