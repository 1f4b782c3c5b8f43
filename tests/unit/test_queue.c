/* test_queue.c - coord/queue.c and claim.c: executors, and who runs what.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

static void
an_executor_is_made_shown_changed_and_deleted(void **state)
{
    struct shop s;
    struct executor_view view;
    struct client client = {0}, again = {0}, gone = {0};
    struct executor_terms t = terms(4);

    (void)state;
    shop_open(&s);
    assert_int_equal(executor_put(s.w.c, NOW, "a", &t, &view, ask_of(&s.w, &client)), WHY_PENDING);
    assert_true(view.made);
    assert_int_equal(settled(&s, &client, WHY_PENDING), WHY_OK);
    t.max_workers = 2;
    assert_int_equal(
        settled(&s, &again, executor_put(s.w.c, NOW, "a", &t, &view, ask_of(&s.w, &again))),
        WHY_OK);
    assert_false(view.made);
    view = shop_show(&s, "a");
    assert_int_equal(view.terms.max_workers, 2);
    assert_string_equal(view.name, "a");
    assert_int_equal(settled(&s, &gone, executor_delete(s.w.c, NOW, "a", ask_of(&s.w, &gone))),
                     WHY_OK);
    gone.told = 0;
    assert_int_equal(settled(&s, &gone, executor_show(s.w.c, NOW, "a", &view, ask_of(&s.w, &gone))),
                     WHY_NOT_FOUND);
    shop_close(&s);
}

static void
terms_that_cannot_be_are_refused(void **state)
{
    struct shop s;
    struct executor_terms wrong[] = {terms(0), terms(65), terms(1), terms(1), terms(1)};

    (void)state;
    wrong[2].max_queue = 0;
    wrong[3].retries = -1;
    wrong[4].timeout_ns = -1;
    shop_open(&s);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(shop_put(&s, "a", wrong[i]), WHY_INVALID);
    assert_int_equal(shop_put(&s, "a", terms(64)), WHY_OK);
    shop_close(&s);
}

static void
a_run_starts_only_when_its_claim_is_durable(void **state)
{
    struct shop s;
    struct client client = {0};
    struct submission what = {.kind = "sleep", .args = "{\"seconds\":1}", .timeout_ns = 7};

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    assert_int_equal(task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &client)), WHY_PENDING);
    assert_int_equal(s.claims, 0);
    world_commit_to(&s.w, client.ask.outcome.task); /* the submit alone */
    assert_int_equal(s.claims, 0);
    world_commit(&s.w);
    assert_int_equal(client.told, 1);
    assert_int_equal(s.claims, 1);
    assert_int_equal(s.claim[0]->number, client.ask.outcome.task);
    assert_int_equal(s.claim[0]->attempt, 1);
    assert_int_equal(s.claim[0]->timeout_ns, 7);
    assert_string_equal(s.claim[0]->args->text, "{\"seconds\":1}");
    shop_close(&s);
}

static void
a_relaxed_journal_starts_runs_at_once_and_outside_the_lock(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s);
    s.w.journal.relaxed = true;
    (void)shop_put(&s, "a", terms(1));
    (void)shop_submit(&s, "a", 0);
    assert_int_equal(s.claims, 1);
    shop_close(&s);
}

static void
as_many_run_as_there_are_hands(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(3));
    for (int i = 0; i < 9; i++)
        (void)shop_submit(&s, "a", 0);
    assert_int_equal(s.claims, 3);
    assert_int_equal(shop_show(&s, "a").running, 3);
    assert_int_equal(shop_show(&s, "a").ready, 6);
    for (int i = 0; i < 9; i++) {
        shop_succeed(&s, i); /* the same step claims the next */
        assert_int_equal(s.claims, i + 4 < 9 ? i + 4 : 9);
    }
    assert_int_equal(shop_show(&s, "a").succeeded, 9);
    assert_int_equal(shop_show(&s, "a").running, 0);
    shop_close(&s);
}

static void
more_workers_are_felt_at_once_and_fewer_stop_nobody(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    for (int i = 0; i < 6; i++)
        (void)shop_submit(&s, "a", 0);
    assert_int_equal(s.claims, 1);
    (void)shop_put(&s, "a", terms(4));
    assert_int_equal(s.claims, 4);
    (void)shop_put(&s, "a", terms(1));
    shop_succeed(&s, 0);
    shop_succeed(&s, 1);
    shop_succeed(&s, 2);
    assert_int_equal(s.claims, 4);
    shop_succeed(&s, 3);
    assert_int_equal(s.claims, 5);
    assert_int_equal(s.claim[4]->max_workers, 1);
    shop_close(&s);
}

static void
the_order_is_priority_then_run_at_then_arrival(void **state)
{
    struct shop s;
    uint64_t number[6];

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_submit(&s, "a", 0); /* runs */
    number[2] = shop_submit(&s, "a", 0);
    number[5] = shop_submit(&s, "a", 5);
    number[0] = shop_submit(&s, "a", -5);
    number[3] = shop_submit(&s, "a", 0);
    number[4] = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = SECOND});
    number[1] = shop_submit_at(&s, NOW - 1, "a", (struct submission){0});
    (void)deadline_serve(s.w.c, NOW + SECOND); /* the delayed one is ready, too */
    for (int i = 0; i < 6; i++) {
        shop_succeed(&s, i);
        assert_int_equal(s.claim[i + 1]->number, number[i]);
    }
    shop_close(&s);
}

static void
task_threads_are_given_to_executors_in_turn(void **state)
{
    struct coord_options o = world_options();
    static const char expected[] = "abcabcabcaaa";
    struct shop s;

    (void)state;
    o.task_threads = 1;
    shop_open_with(&s, &o);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_put(&s, "b", terms(1));
    (void)shop_put(&s, "c", terms(1));
    for (int i = 0; i < 6; i++)
        (void)shop_submit(&s, "a", 0);
    for (int i = 0; i < 3; i++)
        (void)shop_submit(&s, "b", 0);
    for (int i = 0; i < 3; i++)
        (void)shop_submit(&s, "c", 0);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(s.claims, i + 1);
        assert_int_equal(s.claim[i]->executor[0], expected[i]);
        shop_succeed(&s, i);
    }
    shop_close(&s);
}

static void
all_hands_together_are_bounded(void **state)
{
    struct coord_options o = world_options();
    struct shop s;

    (void)state;
    o.task_threads = 3;
    shop_open_with(&s, &o);
    (void)shop_put(&s, "a", terms(3));
    (void)shop_put(&s, "b", terms(3));
    for (int i = 0; i < 6; i++)
        (void)shop_submit(&s, i % 2 ? "a" : "b", 0);
    assert_int_equal(s.claims, 3);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(shop_show(&s, "a").running + shop_show(&s, "b").running,
                         i < 4 ? 3 : 6 - i);
        shop_succeed(&s, i);
    }
    shop_close(&s);
}

static void
many_claims_are_made_in_steps(void **state)
{
    struct coord_options o = world_options();
    struct shop s;

    (void)state;
    o.task_threads = 1000;
    shop_open_with(&s, &o);
    (void)shop_put(&s, "a", terms(1));
    for (int i = 0; i < 300; i++)
        (void)shop_submit(&s, "a", 0);
    (void)shop_put(&s, "a", terms(1000));
    assert_int_equal(s.claims, 1 + CLAIMS_PER_STEP);
    (void)deadline_serve(s.w.c, NOW);
    world_commit(&s.w);
    assert_int_equal(s.claims, 300);
    shop_close(&s);
}

static void
limits_are_met_with_too_many(void **state)
{
    struct coord_options o = world_options();
    struct executor_terms t = terms(1);
    struct submission what = {.kind = "sleep", .args = "{}"};
    struct client client = {0}, other = {0}, third = {0};
    struct shop s;

    (void)state;
    o.max_tasks = 5;
    t.max_queue = 3;
    shop_open_with(&s, &o);
    (void)shop_put(&s, "a", t);
    (void)shop_put(&s, "b", terms(1));
    for (int i = 0; i < 3; i++)
        (void)shop_submit(&s, "a", 0);
    assert_int_equal(
        settled(&s, &client, task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &client))),
        WHY_TOO_MANY);
    (void)shop_submit(&s, "b", 0);
    (void)shop_submit(&s, "b", 0);
    assert_int_equal(settled(&s, &other, task_submit(s.w.c, NOW, "b", &what, ask_of(&s.w, &other))),
                     WHY_TOO_MANY);
    shop_succeed(&s, 0);
    (void)shop_submit(&s, "b", 0); /* the finished one makes room */
    assert_int_equal(settled(&s, &third,
                             task_wait(s.w.c, NOW, s.claim[0]->number, 0, &(struct task_view){0},
                                       ask_of(&s.w, &third))),
                     WHY_NOT_FOUND);
    shop_close(&s);
}

static void
the_same_terms_again_write_nothing(void **state)
{
    struct executor_terms t = terms(3);
    struct client client = {0};
    struct executor_view view;
    struct shop s;
    uint64_t last, rev;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", t);
    rev = shop_show(&s, "a").rev;
    last = s.w.journal.last;
    s.w.journal.full = true; /* nothing is written: not even a full disk minds */
    assert_int_equal(executor_put(s.w.c, NOW, "a", &t, &view, ask_of(&s.w, &client)), WHY_OK);
    assert_int_equal(view.rev, rev);
    assert_false(view.made);
    assert_int_equal(s.w.journal.last, last);
    s.w.journal.full = false;
    t.timeout_ns = 1;
    (void)shop_put(&s, "a", t);
    assert_true(shop_show(&s, "a").rev > rev);
    shop_close(&s);
}

static void
an_executor_with_unfinished_tasks_is_not_deleted(void **state)
{
    struct client busy = {0}, free_now = {0};
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_int_equal(settled(&s, &busy, executor_delete(s.w.c, NOW, "a", ask_of(&s.w, &busy))),
                     WHY_CONFLICT);
    shop_succeed(&s, 0);
    assert_int_equal(
        settled(&s, &free_now, executor_delete(s.w.c, NOW, "a", ask_of(&s.w, &free_now))), WHY_OK);
    assert_string_equal(shop_look(&s, number).executor, "a");
    (void)shop_put(&s, "a", terms(1)); /* another of that name begins at nothing */
    assert_int_equal(shop_show(&s, "a").succeeded, 0);
    shop_crash(&s, NOW);
    assert_int_equal(shop_show(&s, "a").succeeded, 0);
    assert_int_equal(shop_look(&s, number).state, TASK_SUCCEEDED);
    shop_close(&s);
}

static void
lists_of_executors_go_by_name(void **state)
{
    struct executor_view rows[3];
    struct client client = {0}, next = {0};
    struct shop s;
    size_t n;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "c", terms(1));
    (void)shop_put(&s, "a", terms(1));
    (void)shop_put(&s, "b", terms(1));
    assert_int_equal(
        settled(&s, &client, executor_list(s.w.c, NOW, "", rows, 2, &n, ask_of(&s.w, &client))),
        WHY_OK);
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].name, "a");
    assert_string_equal(rows[1].name, "b");
    assert_int_equal(
        settled(&s, &next, executor_list(s.w.c, NOW, "b", rows, 2, &n, ask_of(&s.w, &next))),
        WHY_OK);
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].name, "c");
    shop_close(&s);
}

static void
while_the_disk_is_full_nothing_is_started_and_what_ends_is_kept(void **state)
{
    struct submission what = {.kind = "sleep", .args = "{}"};
    struct client refused = {0};
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_submit(&s, "a", 0);
    (void)shop_submit(&s, "a", 0);
    s.w.journal.full = true;
    assert_int_equal(
        settled(&s, &refused, task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &refused))),
        WHY_STORE_FULL);
    shop_succeed(&s, 0);
    assert_int_equal(shop_show(&s, "a").succeeded, 1);
    assert_int_equal(s.claims, 1);
    s.w.journal.full = false;
    (void)deadline_serve(s.w.c, NOW + AGAIN_SOON);
    world_commit(&s.w);
    assert_int_equal(s.claims, 2);
    shop_close(&s);
}

static void
an_end_that_the_journal_refuses_is_kept_and_tried_again(void **state)
{
    struct client waiting = {0};
    struct task_view view;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    number = shop_submit(&s, "a", 0);
    assert_int_equal(task_wait(s.w.c, NOW, number, SECOND, &view, ask_of(&s.w, &waiting)),
                     WHY_PENDING);
    s.w.journal.busy = true;
    shop_succeed(&s, 0);
    shop_succeed(&s, 0); /* a second word on the same run is ignored */
    assert_int_equal(shop_look(&s, number).state, TASK_RUNNING);
    (void)deadline_serve(s.w.c, NOW + AGAIN_SOON);
    assert_int_equal(waiting.told, 0);
    s.w.journal.busy = false;
    (void)deadline_serve(s.w.c, NOW + 2 * AGAIN_SOON);
    world_commit(&s.w);
    assert_int_equal(waiting.told, 1);
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_string_equal(view.result->text, "42");
    task_view_free(&view);
    shop_close(&s);
}

/* After 10 s without room each is told so. */
static void
tell_that_the_outcome_is_unknown(struct shop *s)
{
    struct pledge *p = s->w.journal.pledge_first;

    s->w.journal.pledge_first = s->w.journal.pledge_last = NULL;
    while (p) {
        struct pledge *next = p->next_;

        p->kept(p, WHY_OUTCOME_UNKNOWN);
        p = next;
    }
}

static void
a_claim_whose_fate_is_unknown_waits_on(void **state)
{
    struct client client = {0};
    struct submission what = {.kind = "sleep", .args = "{}"};
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    assert_int_equal(task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &client)), WHY_PENDING);
    tell_that_the_outcome_is_unknown(&s);
    assert_int_equal(client.ask.outcome.why, WHY_OUTCOME_UNKNOWN);
    assert_int_equal(s.claims, 0);
    world_commit(&s.w);
    assert_int_equal(s.claims, 1);
    shop_close(&s);
}

static void
a_claim_whose_fate_is_unknown_goes_back_when_the_server_stops(void **state)
{
    struct client client = {0};
    struct submission what = {.kind = "sleep", .args = "{}"};
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    assert_int_equal(task_submit(s.w.c, NOW, "a", &what, ask_of(&s.w, &client)), WHY_PENDING);
    coord_drain(s.w.c);
    tell_that_the_outcome_is_unknown(&s);
    world_commit(&s.w);
    shop_crash(&s, NOW);
    world_commit(&s.w);
    assert_int_equal(s.claims, 1); /* by the next start, which saw no crash */
    assert_int_equal(shop_look(&s, s.claim[0]->number).interrupted, 0);
    shop_close(&s);
}

static void
while_draining_nothing_is_claimed(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s);
    (void)shop_put(&s, "a", terms(1));
    (void)shop_submit(&s, "a", 0);
    coord_drain(s.w.c);
    (void)shop_submit(&s, "a", 0);
    shop_finish_at(&s, NOW, 0, (struct task_end){.state = TASK_READY});
    world_commit(&s.w);
    assert_int_equal(s.claims, 1);
    assert_int_equal(shop_show(&s, "a").ready, 2);
    shop_crash(&s, NOW);
    world_commit(&s.w);
    assert_int_equal(s.claims, 2);
    assert_int_equal(s.claim[1]->number, s.claim[0]->number);
    assert_int_equal(s.claim[1]->attempt, 2);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_executor_is_made_shown_changed_and_deleted),
        cmocka_unit_test(terms_that_cannot_be_are_refused),
        cmocka_unit_test(a_run_starts_only_when_its_claim_is_durable),
        cmocka_unit_test(a_relaxed_journal_starts_runs_at_once_and_outside_the_lock),
        cmocka_unit_test(as_many_run_as_there_are_hands),
        cmocka_unit_test(more_workers_are_felt_at_once_and_fewer_stop_nobody),
        cmocka_unit_test(the_order_is_priority_then_run_at_then_arrival),
        cmocka_unit_test(task_threads_are_given_to_executors_in_turn),
        cmocka_unit_test(all_hands_together_are_bounded),
        cmocka_unit_test(many_claims_are_made_in_steps),
        cmocka_unit_test(limits_are_met_with_too_many),
        cmocka_unit_test(the_same_terms_again_write_nothing),
        cmocka_unit_test(an_executor_with_unfinished_tasks_is_not_deleted),
        cmocka_unit_test(lists_of_executors_go_by_name),
        cmocka_unit_test(while_the_disk_is_full_nothing_is_started_and_what_ends_is_kept),
        cmocka_unit_test(an_end_that_the_journal_refuses_is_kept_and_tried_again),
        cmocka_unit_test(a_claim_whose_fate_is_unknown_waits_on),
        cmocka_unit_test(a_claim_whose_fate_is_unknown_goes_back_when_the_server_stops),
        cmocka_unit_test(while_draining_nothing_is_claimed),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
