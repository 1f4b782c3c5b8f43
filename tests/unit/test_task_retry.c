/* test_task_retry.c - coord/task_end.c: which runs are tried again, when, and what is shown
 * meanwhile.
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
a_run_that_was_told_when_is_not_tried_sooner(void **state)
{
    static const struct {
        int64_t after, least, most;
    } T[] = {
        {0, SECOND, 5 * SECOND / 4},
        {SECOND / 2, SECOND, 5 * SECOND / 4},
        {4 * SECOND, 4 * SECOND, 17 * SECOND / 4},
        {1000 * SECOND, 1000 * SECOND, 1001 * SECOND}, /* longer than any backoff */
        {INT64_MAX, 3600 * SECOND, 3601 * SECOND},
    };
    struct executor_terms t = terms(1);
    struct shop s;

    (void)state;
    t.retries = 1;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        uint64_t number = shop_submit(&s, "a", 0);

        shop_finish_at(&s, NOW, s.claims - 1,
                       (struct task_end){.state = TASK_FAILED,
                                         .code = "http_503",
                                         .message = "",
                                         .retry = true,
                                         .retry_after_ns = T[i].after});
        world_commit(&s.w);
        assert_in_range(shop_look(&s, number).run_at_ms - clock_to_wall_ms(NOW),
                        T[i].least / NS_PER_MS, T[i].most / NS_PER_MS);
        shop_crash(&s, NOW); /* no sooner after a restart */
        (void)deadline_serve(s.w.c, NOW + T[i].least - 1);
        world_commit(&s.w);
        assert_int_equal(shop_look(&s, number).state, TASK_DELAYED);
        assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
    }
    shop_close(&s);
}

static void
the_last_error_is_kept_until_a_run_succeeds(void **state)
{
    struct task_filter all = {.state = -1, .executor = ""};
    struct executor_terms t = terms(1);
    struct client client = {0};
    struct task_view row;
    struct shop s;
    uint64_t number, next;
    size_t n;

    (void)state;
    t.retries = 9;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    number = shop_submit(&s, "a", 0);
    assert_string_equal(shop_look(&s, number).error_code, "");
    shop_fail(&s, 0, true, NOW);
    assert_string_equal(shop_look(&s, number).error_message, "it broke");
    (void)deadline_serve(s.w.c, NOW + 2 * SECOND);
    world_commit(&s.w);
    assert_int_equal(shop_look(&s, number).state, TASK_RUNNING);
    assert_string_equal(shop_look(&s, number).error_code, "broken");
    coord_drain(s.w.c); /* what a drain gives back keeps it, and so does what a crash ended */
    shop_finish_at(&s, NOW, 1, (struct task_end){.state = TASK_READY});
    assert_string_equal(shop_look(&s, number).error_code, "broken");
    for (int i = 0; i < 2; i++) {
        shop_crash(&s, NOW);
        world_commit(&s.w);
        assert_int_equal(s.claims, 3 + i);
        assert_string_equal(shop_look(&s, number).error_code, "broken");
    }
    assert_int_equal(
        settled(&s, &client,
                task_list(s.w.c, NOW, &all, &row, 1, &n, &next, ask_of(&s.w, &client))),
        WHY_OK);
    assert_string_equal(row.error_code, "broken");
    shop_succeed(&s, 3);
    assert_int_equal(shop_look(&s, number).failures, 1);
    assert_string_equal(shop_look(&s, number).error_code, "");
    shop_close(&s);
}

static void
a_task_that_is_cancelled_keeps_its_last_error(void **state)
{
    struct executor_terms t = terms(1);
    struct shop s;

    (void)state;
    t.retries = 9;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    for (int i = 0; i < 2; i++) { /* between two runs, and during the second */
        uint64_t number = shop_submit(&s, "a", 0);

        shop_fail(&s, s.claims - 1, true, NOW);
        if (i == 1)
            (void)deadline_serve(s.w.c, NOW + 2 * SECOND);
        world_commit(&s.w);
        assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
        if (i == 1)
            shop_finish_at(&s, NOW, s.claims - 1, (struct task_end){.state = TASK_CANCELLED});
        assert_int_equal(shop_look(&s, number).state, TASK_CANCELLED);
        assert_string_equal(shop_look(&s, number).error_code, "broken");
    }
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
        cmocka_unit_test(a_run_that_was_told_when_is_not_tried_sooner),
        cmocka_unit_test(the_last_error_is_kept_until_a_run_succeeds),
        cmocka_unit_test(a_task_that_is_cancelled_keeps_its_last_error),
        cmocka_unit_test(what_another_attempt_cannot_help_is_not_tried_again),
        cmocka_unit_test(the_word_of_an_earlier_attempt_is_ignored),
    };

    return cmocka_run_group_tests_name("task_retry", tests, NULL, NULL);
}
