/* test_task_start.c - coord/task_record.c and task_start.c: what a restart makes of tasks.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

#include "store/record.h"

static void
a_restart_goes_on_where_it_was(void **state)
{
    struct executor_terms t = terms(2);
    struct task_view view;
    struct shop s;
    uint64_t done, running, ready, delayed;

    (void)state;
    t.timeout_ns = 5 * SECOND;
    t.max_queue = 77;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    done = shop_submit_at(&s, NOW, "a",
                          (struct submission){.kind = "k", .args = "{\"x\":1}", .priority = -3});
    running = shop_submit(&s, "a", 0);
    shop_succeed(&s, 0);
    t.max_workers = 1; /* the executor's record is younger than its tasks' */
    (void)shop_put(&s, "a", t);
    ready = shop_submit(&s, "a", 0);
    delayed = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = 100 * SECOND});
    shop_crash(&s, NOW);
    world_commit(&s.w);

    assert_int_equal(shop_show(&s, "a").terms.max_queue, 77);
    assert_int_equal(shop_show(&s, "a").terms.timeout_ns, 5 * SECOND);
    view = shop_look(&s, done);
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_string_equal(view.kind, "k");
    assert_int_equal(view.priority, -3);
    assert_int_equal(shop_show(&s, "a").succeeded, 1);
    assert_int_equal(s.claims, 3); /* the first two, and now the one that was interrupted */
    assert_int_equal(s.claim[2]->number, running);
    assert_int_equal(s.claim[2]->attempt, 2);
    assert_int_equal(s.claim[2]->timeout_ns, 5 * SECOND);
    assert_int_equal(shop_look(&s, ready).state, TASK_READY);
    assert_int_equal(shop_look(&s, delayed).state, TASK_DELAYED);
    shop_succeed(&s, 2);
    assert_int_equal(s.claim[3]->number, ready);
    shop_succeed(&s, 3);
    (void)deadline_serve(s.w.c, NOW + 100 * SECOND); /* never longer than the whole delay anew */
    world_commit(&s.w);
    assert_int_equal(s.claims, 5);
    assert_int_equal(s.claim[4]->number, delayed);
    shop_close(&s);
}

static void
a_task_that_was_being_cancelled_is_cancelled_by_a_restart(void **state)
{
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
    shop_crash(&s, NOW);
    assert_int_equal(shop_look(&s, number).state, TASK_CANCELLED);
    assert_int_equal(s.claims, 1);
    shop_close(&s);
}

static void
a_task_that_sees_too_many_crashes_has_failed(void **state)
{
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    for (int i = 1; i < INTERRUPTED_MAX; i++) {
        shop_crash(&s, NOW);
        world_commit(&s.w);
        assert_int_equal(s.claims, i + 1);
    }
    shop_crash(&s, NOW);
    world_commit(&s.w);
    assert_int_equal(s.claims, INTERRUPTED_MAX);
    assert_int_equal(shop_look(&s, number).state, TASK_FAILED);
    assert_string_equal(shop_look(&s, number).error_code, "interrupted");
    assert_int_equal(shop_look(&s, number).interrupted, INTERRUPTED_MAX);
    assert_int_equal(shop_look(&s, number).failures, 0);
    shop_close(&s);
}

/* As a server that stops leaves it, and the next finds it. */
static void
drain_and_restart(struct shop *s)
{
    coord_drain(s->w.c);
    shop_finish_at(s, NOW, s->claims - 1, (struct task_end){.state = TASK_READY});
    world_commit(&s->w);
    shop_crash(s, NOW);
    world_commit(&s->w);
}

static void
a_run_that_a_crash_or_a_drain_ended_is_no_failure(void **state)
{
    struct executor_terms t = terms(1);
    struct task_view view;
    struct shop s;
    uint64_t number;

    (void)state;
    t.retries = 3;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    number = shop_submit(&s, "a", 0);
    for (int i = 0; i < 4; i++) {
        if (i % 2)
            shop_crash(&s, NOW);
        else
            drain_and_restart(&s);
        world_commit(&s.w);
    }
    view = shop_look(&s, number);
    assert_int_equal(view.state, TASK_RUNNING);
    assert_int_equal(view.failures, 0);
    assert_int_equal(view.interrupted, 2);
    for (int failures = 1; failures <= 4; failures++) {
        shop_fail(&s, s.claims - 1, true, NOW);
        view = shop_look(&s, number);
        assert_int_equal(view.state, failures <= 3 ? TASK_DELAYED : TASK_FAILED);
        assert_int_equal(view.failures, failures);
        if (failures == 1) { /* and the first backoff is the first */
            assert_int_equal(view.attempts, s.claims);
            assert_in_range(view.run_at_ms - clock_to_wall_ms(NOW), 1000, 1250);
        }
        (void)deadline_serve(s.w.c, NOW + 100 * SECOND);
        world_commit(&s.w);
    }
    shop_close(&s);
}

static void
any_number_of_drains_is_no_failure(void **state)
{
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    for (int i = 0; i < 3 * INTERRUPTED_MAX; i++)
        drain_and_restart(&s);
    assert_int_equal(shop_look(&s, number).attempts, 3 * INTERRUPTED_MAX + 1);
    assert_int_equal(shop_look(&s, number).state, TASK_RUNNING);
    shop_succeed(&s, s.claims - 1);
    assert_int_equal(shop_look(&s, number).state, TASK_SUCCEEDED);
    shop_close(&s);
}

/* They have no number of failures. */
static void
records_of_before_are_read(void **state)
{
    static const struct {
        enum task_state state;
        int64_t attempts, interrupted;
        const char *error;
        int64_t failures;
    } T[] = {
        {TASK_READY, 0, 0, NULL, 0},
        {TASK_READY, 8, 0, NULL, 0}, /* drains, as far as anybody knows */
        {TASK_DELAYED, 3, 1, "http_503", 2},
        {TASK_RUNNING, 3, 1, "http_503", 1},
        {TASK_FAILED, 4, 0, "http_503", 4},
        {TASK_FAILED, 5, 5, "interrupted", 0},
        {TASK_SUCCEEDED, 2, 0, NULL, 0},
    };
    struct coord_options o = world_options();

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};
        struct coord *c;
        struct record r;
        char buf[200];

        record_start(&r, buf, sizeof buf);
        record_int(&r, 's', T[i].state);
        record_text(&r, 'x', "a", 1);
        record_text(&r, 'k', "k", 1);
        record_text(&r, 'a', "{}", 2);
        record_int(&r, 'n', T[i].attempts);
        record_int(&r, 'i', T[i].interrupted);
        if (T[i].error)
            record_text(&r, 'e', T[i].error, strlen(T[i].error));
        assert_int_equal(coord_new(&c, &o, &f), WHY_OK);
        assert_int_equal(coord_load(c, "task", "t5", 9, buf, record_end(&r), &f), WHY_OK);
        state_lock(c);
        int64_t failures = tasks_find(c, 5)->failures;
        state_unlock(c);
        assert_int_equal(failures, T[i].failures);
        coord_free(c);
    }
}

static void
damaged_records_stop_the_start(void **state)
{
    static const struct {
        const char *kind, *name, *record;
        size_t len;
    } T[] = {
        {"task", "t5", "garbage", 7},
        {"task", "x5", "", 0},
        {"task", "t5", "", 0},
        {"executor", "a", "\377", 1},
    };
    struct coord_options o = world_options();

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct fault f = {0};
        struct coord *c;

        assert_int_equal(coord_new(&c, &o, &f), WHY_OK);
        assert_int_equal(coord_load(c, T[i].kind, T[i].name, 9, T[i].record, T[i].len, &f),
                         WHY_INTERNAL);
        assert_non_null(strstr(f.detail, T[i].name));
        assert_non_null(strstr(f.detail, "put a backup"));
        coord_free(c);
    }
}

static void
a_restart_keeps_the_order_and_knows_how_long_the_oldest_has_waited(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    uint64_t running = shop_submit(&s, "a", 0);
    (void)shop_submit_at(&s, NOW + 2 * SECOND, "a", (struct submission){0});
    (void)shop_submit_at(&s, NOW + 7 * SECOND, "a", (struct submission){0});
    assert_int_equal(shop_show(&s, "a").oldest, NOW + 2 * SECOND);
    shop_crash(&s, NOW + 9 * SECOND);
    world_commit(&s.w);
    assert_int_equal(s.claims, 2);
    assert_int_equal(s.claim[1]->number, running);
    assert_in_range(shop_show(&s, "a").oldest, NOW + SECOND, NOW + 3 * SECOND);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_goes_on_where_it_was),
        cmocka_unit_test(a_task_that_was_being_cancelled_is_cancelled_by_a_restart),
        cmocka_unit_test(a_task_that_sees_too_many_crashes_has_failed),
        cmocka_unit_test(a_run_that_a_crash_or_a_drain_ended_is_no_failure),
        cmocka_unit_test(any_number_of_drains_is_no_failure),
        cmocka_unit_test(records_of_before_are_read),
        cmocka_unit_test(damaged_records_stop_the_start),
        cmocka_unit_test(a_restart_keeps_the_order_and_knows_how_long_the_oldest_has_waited),
    };

    return cmocka_run_group_tests_name("task_start", tests, NULL, NULL);
}
