/* test_task.c - coord/task.c: submit, show, list, cancel.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

static void
ids_and_numbers_are_the_same(void **state)
{
    static const char *const wrong[] = {"",
                                        "t",
                                        "t0",
                                        "17",
                                        "x17",
                                        "t-1",
                                        "t+1",
                                        "t 1",
                                        "t1x",
                                        "t01",
                                        "T17",
                                        "t99999999999999999999",
                                        "t9007199254740992"};
    char id[TASK_ID_LEN];

    (void)state;
    task_id(id, 17);
    assert_string_equal(id, "t17");
    assert_int_equal(task_number(id), 17);
    assert_int_equal(task_number("t9007199254740991"), WHOLE_MAX);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(task_number(wrong[i]), 0);
}

static void
a_submit_to_nobody_is_not_found(void **state)
{
    struct submission what = {.kind = "sleep", .args = "{}"};
    struct client client = {0};
    struct shop s;

    (void)state;
    shop_open(&s);
    assert_int_equal(
        settled(&s, &client, task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &client))),
        WHY_NOT_FOUND);
    shop_close(&s);
}

static void
the_number_is_the_sequence_of_the_first_change(void **state)
{
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    for (size_t i = 0; i < s.w.journal.changes; i++) {
        const struct change *change = &s.w.journal.change[i];

        if (strcmp(change->kind, "task") == 0) {
            assert_int_equal(change->seq, number);
            break;
        }
    }
    shop_close(&s);
}

static void
ready_and_delayed_tasks_are_cancelled_at_once(void **state)
{
    struct client client = {0};
    struct task_view view;
    struct shop s;
    uint64_t ready, delayed;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_submit(&s, "a", 0);
    ready = shop_submit(&s, "a", 0);
    delayed = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = SECOND});
    assert_int_equal(task_wait(s.w.c, NOW, ready, SECOND, &view, ask_of(&s.w, &client)),
                     WHY_PENDING);
    assert_int_equal(shop_cancel_task(&s, ready), WHY_OK);
    assert_int_equal(client.told, 1);
    assert_int_equal(view.state, TASK_CANCELLED);
    task_view_free(&view);
    assert_int_equal(shop_cancel_task(&s, delayed), WHY_OK);
    assert_int_equal(shop_cancel_task(&s, ready), WHY_CONFLICT);
    assert_int_equal(shop_cancel_task(&s, 1), WHY_NOT_FOUND);
    assert_int_equal(shop_look(&s, delayed).state, TASK_CANCELLED);
    assert_int_equal(shop_show(&s, "a").cancelled, 2);
    (void)deadline_serve(s.w.c, NOW + 2 * SECOND);
    shop_succeed(&s, 0);
    assert_int_equal(s.claims, 1);
    shop_close(&s);
}

static void
a_running_task_is_told_to_stop_and_is_cancelled_when_it_has(void **state)
{
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
    assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
    assert_int_equal(s.cancels, 1);
    assert_int_equal(s.cancelled[0], number);
    assert_int_equal(shop_look(&s, number).state, TASK_RUNNING);
    assert_true(shop_look(&s, number).cancelling);
    shop_finish_at(&s, NOW, 0, (struct task_end){.state = TASK_CANCELLED});
    world_commit(&s.w);
    assert_int_equal(shop_look(&s, number).state, TASK_CANCELLED);
    shop_close(&s);
}

static void
a_claim_on_its_way_is_cancelled_as_soon_as_it_is_delivered(void **state)
{
    struct submission what = {.kind = "sleep", .args = "{}"};
    struct client client = {0}, second = {0};
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    assert_int_equal(task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &client)), WHY_PENDING);
    assert_int_equal(task_cancel(s.w.c, NOW, client.ask.outcome.task, ask_of(&s.w, &second)),
                     WHY_PENDING);
    assert_int_equal(s.cancels, 0);
    world_commit(&s.w);
    assert_int_equal(s.claims, 1);
    assert_int_equal(s.cancels, 1);
    shop_close(&s);
}

static void
a_cancel_that_comes_too_late_changes_nothing(void **state)
{
    static const struct {
        enum task_state end, becomes;
    } T[] = {
        {TASK_SUCCEEDED, TASK_SUCCEEDED},
        {TASK_FAILED, TASK_CANCELLED},
        {TASK_READY, TASK_CANCELLED},
        {TASK_CANCELLED, TASK_CANCELLED},
    };
    struct executor_terms t = terms(1);
    struct shop s;

    (void)state;
    t.retries = 8;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    for (int i = 0; i < (int)(sizeof T / sizeof T[0]); i++) {
        uint64_t number = shop_submit(&s, "a", 0);

        assert_int_equal(shop_cancel_task(&s, number), WHY_OK);
        shop_finish_at(
            &s, NOW, i,
            (struct task_end){.state = T[i].end, .code = "x", .message = "", .retry = true});
        world_commit(&s.w);
        assert_int_equal(shop_look(&s, number).state, T[i].becomes);
    }
    shop_close(&s);
}

static void
lists_go_from_the_newest_by_pages_and_filters(void **state)
{
    struct task_filter all = {.state = -1, .executor = ""}, of_b = {.state = -1, .executor = "b"},
                       running = {.state = TASK_RUNNING, .executor = ""};
    struct task_view rows[10];
    struct shop s;
    uint64_t number[25], next;
    int seen = 0, pages = 0;
    size_t n;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_put(&s, "b", terms(1));
    for (int i = 0; i < 25; i++)
        number[i] = shop_submit(&s, i % 5 ? "a" : "b", 0);
    do {
        struct client client = {0};

        assert_int_equal(
            settled(&s, &client,
                    task_list(s.w.c, NOW, &all, rows, 10, &n, &all.before, ask_of(&s.w, &client))),
            WHY_OK);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(rows[i].number, number[24 - seen++]);
        pages++;
    } while (all.before);
    assert_int_equal(seen, 25);
    assert_int_equal(pages, 3);
    for (int filter = 0; filter < 2; filter++) {
        struct client client = {0};

        assert_int_equal(settled(&s, &client,
                                 task_list(s.w.c, NOW, filter ? &running : &of_b, rows, 10, &n,
                                           &next, ask_of(&s.w, &client))),
                         WHY_OK);
        assert_int_equal(n, filter ? 2 : 5);
        assert_int_equal(next, 0);
    }
    shop_close(&s);
}

static void
a_step_of_a_list_looks_at_no_more_than_a_step_may(void **state)
{
    struct task_filter failed = {.state = TASK_FAILED, .executor = ""};
    struct task_view rows[2];
    struct client client = {0};
    struct shop s;
    uint64_t next;
    size_t n;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    for (int i = 0; i < 300; i++)
        (void)shop_submit(&s, "a", 0);
    assert_int_equal(
        settled(&s, &client,
                task_list(s.w.c, NOW, &failed, rows, 2, &n, &next, ask_of(&s.w, &client))),
        WHY_OK);
    assert_int_equal(n, 0);
    assert_true(next > 0);
    failed.before = next;
    client = (struct client){0};
    assert_int_equal(
        settled(&s, &client,
                task_list(s.w.c, NOW, &failed, rows, 2, &n, &next, ask_of(&s.w, &client))),
        WHY_OK);
    assert_int_equal(next, 0);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_numbers_are_the_same),
        cmocka_unit_test(a_submit_to_nobody_is_not_found),
        cmocka_unit_test(the_number_is_the_sequence_of_the_first_change),
        cmocka_unit_test(ready_and_delayed_tasks_are_cancelled_at_once),
        cmocka_unit_test(a_running_task_is_told_to_stop_and_is_cancelled_when_it_has),
        cmocka_unit_test(a_claim_on_its_way_is_cancelled_as_soon_as_it_is_delivered),
        cmocka_unit_test(a_cancel_that_comes_too_late_changes_nothing),
        cmocka_unit_test(lists_go_from_the_newest_by_pages_and_filters),
        cmocka_unit_test(a_step_of_a_list_looks_at_no_more_than_a_step_may),
    };

    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
