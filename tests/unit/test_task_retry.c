/* test_task_retry.c - coord/task_end.c: which runs are tried again, when, and what is shown meanwhile.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

static void
retries_back_off_and_then_give_up(void **state)
{
    struct executor_terms t = terms(1);
    struct shop s;
    moment now = NOW;
    uint64_t number;

    (void)state;
    t.retries = 11;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    number = shop_submit(&s, "a", 0);
    for (int i = 0; i < 11; i++) {
        int64_t least = i < 9 ? SECOND << i : RETRY_MOST;

        if (least > RETRY_MOST)
            least = RETRY_MOST;
        assert_int_equal(s.claims, i + 1);
        shop_fail(&s, i, true, now);
        assert_int_equal(shop_look(&s, number).state, TASK_DELAYED);
        assert_string_equal(shop_look(&s, number).error_code, "broken");
        (void)deadline_serve(s.w.c, now + least - 1);
        world_commit(&s.w);
        assert_int_equal(s.claims, i + 1);
        now += least + least / 4;
        (void)deadline_serve(s.w.c, now);
        world_commit(&s.w);
    }
    assert_int_equal(s.claims, 12);
    shop_fail(&s, 11, true, now);
    assert_int_equal(shop_look(&s, number).state, TASK_FAILED);
    assert_int_equal(shop_look(&s, number).attempts, 12);
    shop_close(&s);
}

static void
what_another_attempt_cannot_help_is_not_tried_again(void **state)
{
    struct executor_terms t = terms(1);
    struct shop s;
    uint64_t number;

    (void)state;
    t.retries = 4;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    number = shop_submit(&s, "a", 0);
    shop_fail(&s, 0, false, NOW);
    assert_int_equal(shop_look(&s, number).state, TASK_FAILED);
    shop_close(&s);
}

static void
the_word_of_an_earlier_attempt_is_ignored(void **state)
{
    struct executor_terms t = terms(1);
    struct shop s;
    uint64_t number;

    (void)state;
    t.retries = 1;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    number = shop_submit(&s, "a", 0);
    shop_fail(&s, 0, true, NOW);
    (void)deadline_serve(s.w.c, NOW + 2 * SECOND);
    world_commit(&s.w);
    assert_int_equal(s.claims, 2);
    shop_succeed(&s, 0);
    assert_int_equal(shop_look(&s, number).state, TASK_RUNNING);
    task_progress(s.w.c, number, 1, 5, 10, "bytes", "", "old");
    assert_int_equal(shop_look(&s, number).done, -1);
    shop_succeed(&s, 1);
    assert_int_equal(shop_look(&s, number).state, TASK_SUCCEEDED);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retries_back_off_and_then_give_up),
        cmocka_unit_test(what_another_attempt_cannot_help_is_not_tried_again),
        cmocka_unit_test(the_word_of_an_earlier_attempt_is_ignored),
    };

    return cmocka_run_group_tests_name("task_retry", tests, NULL, NULL);
}
