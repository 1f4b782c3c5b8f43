/* test_hands.c - work/hands.c: what becomes of a task that is claimed; its threads are test_crew.c's.
 *
 * SPDX-License-Identifier: MIT */
#include "hands_world.h"

#include "work/stint.h"

static void
a_task_runs_and_its_result_is_kept(void **state)
{
    struct task_view view;
    struct shop s;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2);
    view = outcome(&s, submit(&s, "a", "square", "{\"n\":12}", 0));
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_string_equal(view.result->text, "144");
    assert_string_equal(view.worker, "a-0");
    task_view_free(&view);
    view = outcome(&s, submit(&s, "a", "sleep", "{\"seconds\":0.001}", 0));
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_true(view.done == 1 && view.total == 1);
    assert_string_equal(view.unit, "ms");
    task_view_free(&view);
    shop_close(&s);
}

static void
what_cannot_run_fails_as_data(void **state)
{
    static const struct {
        const char *kind, *args, *code, *says;
        int64_t timeout_ns;
    } T[] = {
        {"nonsense", "{}", "unknown_kind", "nonsense", 0},
        {"square", "{}", "bad_arguments", "n: ", 0},
        {"square", "{\"n\":", "bad_arguments", "", 0},
        {"sleep", "{\"seconds\":3600}", "timeout", "0.01 seconds", 10 * NS_PER_MS},
    };
    struct shop s;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2);
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct task_view view = outcome(&s, submit(&s, "a", T[i].kind, T[i].args, T[i].timeout_ns));

        assert_int_equal(view.state, TASK_FAILED);
        assert_string_equal(view.error_code, T[i].code);
        assert_non_null(strstr(view.error_message, T[i].says));
        assert_int_equal(view.attempts, 1);
        task_view_free(&view);
    }
    shop_close(&s);
}

static void
a_running_task_is_cancelled_and_its_hand_is_free_again(void **state)
{
    struct shop s;
    uint64_t running, next;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 1);
    running = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0);
    next = submit(&s, "a", "square", "{\"n\":2}", 0);
    assert_int_equal(look(&s, running).state, TASK_RUNNING);
    assert_int_equal(cancel(&s, running), WHY_OK);
    assert_int_equal(ended(&s, running), TASK_CANCELLED);
    assert_int_equal(ended(&s, next), TASK_SUCCEEDED);
    shop_close(&s);
}

static void
drain_waits_for_what_runs(void **state)
{
    struct shop s;
    uint64_t quick;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2);
    quick = submit(&s, "a", "sleep", "{\"seconds\":0.02}", 0);
    coord_drain(s.w.c);
    work_drain(s.work, BOB_FOREVER);
    assert_int_equal(look(&s, quick).state, TASK_SUCCEEDED);
    shop_close(&s);
}

static void
drain_puts_back_what_is_not_over_in_time(void **state)
{
    struct shop s;
    uint64_t slow;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2);
    slow = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0);
    coord_drain(s.w.c);
    work_drain(s.work, BOB_AT_ONCE);
    assert_int_equal(look(&s, slow).state, TASK_READY);
    assert_int_equal(look(&s, slow).attempts, 1);
    shop_close(&s);
}

static void
a_claim_that_comes_after_the_hands_have_stopped_goes_back(void **state)
{
    const struct submission what = {.kind = "sleep", .args = "{\"seconds\":3600}"};
    struct asking q;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 1);
    s.w.journal.relaxed = false;
    assert_int_equal(task_submit(s.w.c, clock_now(), "a", &what, begin(&q)), WHY_PENDING);
    coord_drain(s.w.c);
    work_drain(s.work, BOB_AT_ONCE);
    work_stop(s.work);
    world_commit(&s.w);
    assert_int_equal(end(&q, WHY_PENDING), WHY_OK);
    number = q.ask.outcome.task;
    world_commit(&s.w);
    assert_int_equal(look(&s, number).state, TASK_READY);
    s.work = NULL;
    world_close(&s.w);
    temp_folder_remove(s.folder);
}

/* ---- all at once ---- */

enum { SUBMITTERS = 6, EACH = 150 };

struct submitter {
    struct shop *s;
    int number;
    int succeeded, cancelled;
    struct bob_thread *thread;
};

static void *
submit_many(void *arg)
{
    struct submitter *me = arg;
    static const char *const executors[] = {"a", "b", "c"};
    char args[64];

    for (int i = 0; i < EACH; i++) {
        bool sleeps = i % 3 == 0;
        enum task_state state;
        uint64_t number;

        (void)snprintf(args, sizeof args, sleeps ? "{\"seconds\":%d}" : "{\"n\":%d}",
                       sleeps ? 3600 : me->number * 1000 + i);
        number = submit(me->s, executors[i % 3], sleeps ? "sleep" : "square", args, 0);
        if (sleeps)
            (void)cancel(me->s, number);
        state = ended(me->s, number);
        me->succeeded += state == TASK_SUCCEEDED;
        me->cancelled += state == TASK_CANCELLED;
    }
    return NULL;
}

static void
many_submit_and_cancel_and_every_task_ends_as_it_should(void **state)
{
    struct submitter crowd[SUBMITTERS];
    struct shop s;
    int succeeded = 0, cancelled = 0;

    (void)state;
    shop_open(&s, 5);
    put(&s, "a", 2);
    put(&s, "b", 3);
    put(&s, "c", 1);
    for (int i = 0; i < SUBMITTERS; i++) {
        crowd[i] = (struct submitter){.s = &s, .number = i};
        assert_int_equal(
            bob_thread_start(&crowd[i].thread, "submitter", submit_many, &crowd[i], NULL), BOB_OK);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        bob_thread_free(crowd[i].thread);
        succeeded += crowd[i].succeeded;
        cancelled += crowd[i].cancelled;
    }
    assert_int_equal(cancelled, SUBMITTERS * EACH / 3);
    assert_int_equal(succeeded, SUBMITTERS * EACH - cancelled);
    assert_int_equal(show(&s, "b").running + show(&s, "a").running + show(&s, "c").running, 0);
    shop_close(&s);
}

static void
a_run_that_failed_by_itself_has_failed_also_when_it_was_to_stop(void **state)
{
    static const struct {
        bool cut_short;
        enum stop_reason reason;
        enum task_state becomes;
        const char *code;
    } T[] = {
        {false, NOT_STOPPED, TASK_FAILED, "http_404"}, {false, PUT_BACK, TASK_FAILED, "http_404"},
        {false, CANCELLED, TASK_FAILED, "http_404"}, /* coord makes that cancelled */
        {true, NOT_STOPPED, TASK_FAILED, "timeout"},   {true, PUT_BACK, TASK_READY, NULL},
        {true, CANCELLED, TASK_CANCELLED, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct stint *s = stint_new(NULL, calloc(1, sizeof(struct claim)));
        struct task_end end = {0};

        s->run.until = BOB_AT_ONCE + 1; /* long over */
        if (T[i].reason != NOT_STOPPED)
            bob_event_set(&s->stop);
        if (T[i].cut_short)
            assert_false(run_cut_short(&s->run));
        else
            assert_false(run_fail(&s->run, false, "http_404", "the server answered 404"));
        stint_judge(s, false, T[i].reason, &end);
        assert_int_equal(end.state, T[i].becomes);
        if (T[i].code)
            assert_string_equal(end.code, T[i].code);
        stint_free(s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_and_its_result_is_kept),
        cmocka_unit_test(what_cannot_run_fails_as_data),
        cmocka_unit_test(a_running_task_is_cancelled_and_its_hand_is_free_again),
        cmocka_unit_test(drain_waits_for_what_runs),
        cmocka_unit_test(drain_puts_back_what_is_not_over_in_time),
        cmocka_unit_test(a_claim_that_comes_after_the_hands_have_stopped_goes_back),
        cmocka_unit_test(a_run_that_failed_by_itself_has_failed_also_when_it_was_to_stop),
        cmocka_unit_test(many_submit_and_cancel_and_every_task_ends_as_it_should),
    };

    return cmocka_run_group_tests_name("hands", tests, NULL, NULL);
}
