/* test_task_end.c - coord/task_end.c: how runs end, who is told, and what is forgotten;
 * test_task_retry.c: what is tried again.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

static void
those_who_wait_are_told_when_it_is_over_and_durable(void **state)
{
    struct client client = {0}, late = {0};
    struct task_view view, late_view;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_int_equal(task_wait(s.w.c, NOW, number, SECOND, &view, ask_of(&s.w, &client)),
                     WHY_PENDING);
    shop_finish_at(&s, NOW, 0,
                   (struct task_end){.state = TASK_SUCCEEDED, .result = blob_new("[1]", 3)});
    assert_int_equal(client.told, 0);
    assert_int_equal(task_wait(s.w.c, NOW, number, 0, &late_view, ask_of(&s.w, &late)),
                     WHY_PENDING);
    world_commit(&s.w);
    assert_int_equal(client.told, 1);
    assert_int_equal(late.told, 1);
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_string_equal(view.result->text, "[1]");
    assert_ptr_equal(view.result, late_view.result); /* shared, not copied */
    task_view_free(&view);
    task_view_free(&late_view);
    shop_close(&s);
}

static void
a_wait_that_ends_shows_the_task_as_it_is(void **state)
{
    struct client client = {0}, gone = {0};
    struct task_view view, gone_view;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_int_equal(task_wait(s.w.c, NOW, number, SECOND, &view, ask_of(&s.w, &client)),
                     WHY_PENDING);
    assert_int_equal(task_wait(s.w.c, NOW, number, SECOND, &gone_view, ask_of(&s.w, &gone)),
                     WHY_PENDING);
    ask_leave(s.w.c, &gone.ask, gone.ask.ticket);
    assert_int_equal(gone.told, 1);
    assert_int_equal(gone.ask.outcome.why, WHY_GONE);
    task_view_free(&gone_view); /* nothing in it */
    (void)deadline_serve(s.w.c, NOW + SECOND);
    assert_int_equal(client.told, 1);
    assert_int_equal(client.ask.outcome.why, WHY_OK);
    assert_int_equal(view.state, TASK_RUNNING);
    task_view_free(&view);
    shop_close(&s);
}

static void
a_crowd_is_told_in_steps(void **state)
{
    enum { CROWD = 1000 };
    static struct client crowd[CROWD];
    static struct task_view views[CROWD];
    struct shop s;
    uint64_t number;
    int told = 0;

    (void)state;
    memset(crowd, 0, sizeof crowd);
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(task_wait(s.w.c, NOW, number, SECOND, &views[i], ask_of(&s.w, &crowd[i])),
                         WHY_PENDING);
    shop_succeed(&s, 0);
    for (int i = 0; i < CROWD; i++)
        told += crowd[i].told;
    assert_int_equal(told, TOLD_PER_STEP);
    (void)deadline_serve(s.w.c, NOW);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].told, 1);
        assert_int_equal(views[i].state, TASK_SUCCEEDED);
        task_view_free(&views[i]);
    }
    shop_close(&s);
}

static void
a_failure_is_data(void **state)
{
    struct task_view view;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    shop_fail(&s, 0, true, NOW); /* another attempt might help, but there is none */
    view = shop_look(&s, number);
    assert_int_equal(view.state, TASK_FAILED);
    assert_string_equal(view.error_code, "broken");
    assert_string_equal(view.error_message, "it broke");
    assert_int_equal(view.attempts, 1);
    assert_true(view.finished_ms > 0 && view.started_ms > 0);
    shop_crash(&s, NOW);
    view = shop_look(&s, number);
    assert_int_equal(view.state, TASK_FAILED);
    assert_string_equal(view.error_message, "it broke");
    shop_close(&s);
}

static void
progress_is_not_written_to_the_store(void **state)
{
    struct shop s;
    uint64_t number, last, stamp;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    last = s.w.journal.last;
    for (int i = 0; i < 100; i++) {
        stamp = coord_stamp(s.w.c);
        task_progress(s.w.c, number, 1, i, 100, "bytes", "going", "a-0");
        assert_true(coord_stamp(s.w.c) != stamp); /* streams show it */
    }
    assert_int_equal(s.w.journal.last, last);
    assert_int_equal(shop_look(&s, number).done, 99);
    shop_close(&s);
}

static void
progress_is_seen_and_outlives_the_run(void **state)
{
    struct task_view view;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_true(shop_look(&s, number).worker[0] != '\0');
    task_progress(s.w.c, number, 1, 5, 10, "bytes", "half", "a-0");
    view = shop_look(&s, number);
    assert_int_equal(view.done, 5);
    assert_int_equal(view.total, 10);
    assert_string_equal(view.unit, "bytes");
    assert_string_equal(view.message, "half");
    assert_string_equal(view.worker, "a-0");
    shop_succeed(&s, 0);
    task_progress(s.w.c, number, 1, 7, 10, "bytes", "late", "a-0");
    shop_crash(&s, NOW);
    view = shop_look(&s, number);
    assert_int_equal(view.done, 5);
    assert_int_equal(view.total, 10);
    assert_string_equal(view.unit, "bytes");
    shop_close(&s);
}

static void
finished_tasks_are_forgotten_after_their_time(void **state)
{
    struct coord_options o = world_options();
    struct client client = {0};
    struct task_view view;
    struct shop s;
    uint64_t number[200];

    (void)state;
    o.result_ttl_ns = 10 * SECOND;
    shop_open_with(&s, &o);
    (void)shop_put(&s, "a", terms(1));
    for (int i = 0; i < 200; i++) {
        number[i] = shop_submit(&s, "a", 0);
        shop_succeed(&s, i);
    }
    (void)deadline_serve(s.w.c, NOW + 10 * SECOND - 1);
    assert_int_equal(shop_show(&s, "a").succeeded, 200);
    (void)deadline_serve(s.w.c, NOW + 10 * SECOND);
    world_commit(&s.w);
    assert_int_equal(shop_show(&s, "a").succeeded, 0);
    assert_int_equal(
        settled(&s, &client, task_wait(s.w.c, NOW, number[7], 0, &view, ask_of(&s.w, &client))),
        WHY_NOT_FOUND);
    shop_crash(&s, NOW);
    assert_int_equal(shop_show(&s, "a").succeeded, 0);
    shop_close(&s);
}

/* The machine slept: everything is due at once, in the order of its moments. */
static void
crowds_that_are_still_to_be_told_keep_their_tasks(void **state)
{
    enum { TASKS = 4, CROWD = TOLD_PER_STEP + 10 };
    static struct client crowd[TASKS][CROWD];
    static struct task_view views[TASKS][CROWD];
    uint64_t number[TASKS];
    struct shop s;

    (void)state;
    memset(crowd, 0, sizeof crowd);
    shop_open(&s);
    (void)shop_put(&s, "a", terms(TASKS));
    for (int t = 0; t < TASKS; t++) {
        number[t] = shop_submit(&s, "a", 0);
        for (int i = 0; i < CROWD; i++)
            assert_int_equal(
                task_wait(s.w.c, NOW, number[t], SECOND, &views[t][i], ask_of(&s.w, &crowd[t][i])),
                WHY_PENDING);
    }
    for (int t = 0; t < TASKS; t++)
        shop_succeed(&s, t);
    (void)deadline_serve(s.w.c, NOW + 3600 * SECOND);
    for (int t = 0; t < TASKS; t++) {
        for (int i = 0; i < CROWD; i++) {
            assert_int_equal(crowd[t][i].told, 1);
            task_view_free(&views[t][i]);
        }
    }
    shop_close(&s);
}

static void
all_that_is_due_at_once_shares_one_steps_budget(void **state)
{
    enum { CROWD = 3 * TOLD_PER_STEP, OTHERS = 100 };
    static struct client crowd[CROWD];
    static struct task_view views[CROWD];
    struct coord_options o = world_options();
    moment due = NOW + 10 * SECOND;
    int64_t told = 0;
    struct shop s;

    (void)state;
    memset(crowd, 0, sizeof crowd);
    o.result_ttl_ns = 10 * SECOND;
    o.task_threads = 1000;
    shop_open_with(&s, &o);
    (void)shop_put(&s, "a", terms(1000));
    for (int i = 0; i < OTHERS; i++) { /* to be forgotten, and to be claimed, when it is due */
        uint64_t number = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = SECOND});

        assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
        (void)shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = 10 * SECOND});
    }
    uint64_t popular = shop_submit(&s, "a", 0);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(
            task_wait(s.w.c, NOW, popular, 60 * SECOND, &views[i], ask_of(&s.w, &crowd[i])),
            WHY_PENDING);
    shop_succeed(&s, 0); /* the first of the crowd are told */

    uint64_t last = s.w.journal.last;
    state_lock(s.w.c);
    s.w.c->queues->wake.due(s.w.c, &s.w.c->queues->wake, due);
    state_unlock(s.w.c);
    int64_t touched = (int64_t)(s.w.journal.last - last);
    world_commit(&s.w);
    for (int i = 0; i < CROWD; i++)
        told += crowd[i].told;
    assert_in_range(touched + told - TOLD_PER_STEP, 1, STEP_OBJECTS_MAX);

    (void)deadline_serve(s.w.c, due);
    world_commit(&s.w);
    assert_int_equal(s.claims, 1 + OTHERS);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].told, 1);
        task_view_free(&views[i]);
    }
    assert_int_equal(shop_show(&s, "a").cancelled, 0);
    shop_close(&s);
}

static void
counts_are_shown_once_the_forgetting_is_durable(void **state)
{
    struct client client = {0};
    struct executor_view view;
    struct shop s;
    uint64_t stamp;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_submit(&s, "a", 0);
    shop_succeed(&s, 0);
    assert_int_equal(shop_show(&s, "a").succeeded, 1);
    stamp = coord_stamp(s.w.c);
    (void)deadline_serve(s.w.c, NOW + 3600 * SECOND);
    assert_int_equal(executor_show(s.w.c, NOW, "a", &view, ask_of(&s.w, &client)), WHY_PENDING);
    world_commit(&s.w);
    assert_int_equal(client.told, 1);
    assert_int_equal(view.succeeded, 0);
    assert_true(coord_stamp(s.w.c) > stamp + 1); /* the task is gone, the executor changed */
    shop_close(&s);
}

/* Nothing spins: what the journal refuses is tried again later, also when it has long been due. */
static void
what_is_refused_is_tried_again_later_and_not_at_once(void **state)
{
    struct shop s;
    uint64_t delayed, a, b;
    moment now = NOW + SECOND;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(2));
    a = shop_submit(&s, "a", 0);
    b = shop_submit(&s, "a", 0);
    delayed = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = SECOND});
    s.w.journal.full = true;
    assert_int_equal(deadline_serve(s.w.c, now), now + AGAIN_SOON);
    s.w.journal.busy = true;
    shop_finish_at(&s, now, 0, (struct task_end){.state = TASK_CANCELLED});
    shop_finish_at(&s, now, 1, (struct task_end){.state = TASK_CANCELLED});
    now += AGAIN_SOON;
    assert_int_equal(deadline_serve(s.w.c, now), now + AGAIN_SOON);
    assert_int_equal(shop_look(&s, a).state, TASK_RUNNING);
    s.w.journal.full = s.w.journal.busy = false;
    now += AGAIN_SOON;
    (void)deadline_serve(s.w.c, now);
    assert_int_equal(shop_look(&s, a).state, TASK_CANCELLED);
    assert_int_equal(shop_look(&s, b).state, TASK_CANCELLED);
    assert_int_equal(shop_look(&s, delayed).state, TASK_RUNNING);
    s.w.journal.busy = true; /* results too old to keep */
    now += 3600 * SECOND;
    assert_int_equal(deadline_serve(s.w.c, now), now + AGAIN_SOON);
    s.w.journal.busy = false;
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_who_wait_are_told_when_it_is_over_and_durable),
        cmocka_unit_test(a_wait_that_ends_shows_the_task_as_it_is),
        cmocka_unit_test(a_crowd_is_told_in_steps),
        cmocka_unit_test(a_failure_is_data),
        cmocka_unit_test(progress_is_not_written_to_the_store),
        cmocka_unit_test(progress_is_seen_and_outlives_the_run),
        cmocka_unit_test(finished_tasks_are_forgotten_after_their_time),
        cmocka_unit_test(crowds_that_are_still_to_be_told_keep_their_tasks),
        cmocka_unit_test(all_that_is_due_at_once_shares_one_steps_budget),
        cmocka_unit_test(counts_are_shown_once_the_forgetting_is_durable),
        cmocka_unit_test(what_is_refused_is_tried_again_later_and_not_at_once),
    };

    return cmocka_run_group_tests_name("task_end", tests, NULL, NULL);
}
