/* test_due.c - a step first ends what is due by its moment: no deadline thread came round here,
 * as after a machine's sleep.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

enum { MANY = 1000 }; /* more than a step may touch */

/* The holder of "db", whose ttl is a second, and one who waits for a minute. */
struct scene {
    struct world w;
    struct client holds, waits;
    uint64_t token;
};

static struct scene *
scene_open(void)
{
    static struct scene s;

    memset(&s, 0, sizeof(s));
    world_open(&s.w);
    s.w.journal.relaxed = true;
    assert_int_equal(acquire(&s.w, &s.holds, HOLD_LOCK, "db", NOW, (struct want){.ttl_ns = SECOND}),
                     WHY_OK);
    s.token = s.holds.ask.outcome.grant.token;
    assert_int_equal(
        acquire(&s.w, &s.waits, HOLD_LOCK, "db", NOW, (struct want){.wait_ns = 60 * SECOND}),
        WHY_PENDING);
    return &s;
}

static void
is_served(const struct scene *s, moment now)
{
    assert_int_equal(s->waits.told, 1);
    assert_int_equal(s->waits.ask.outcome.why, WHY_OK);
    assert_int_equal(s->waits.ask.outcome.grant.expires_at, now + TTL_DEFAULT);
}

static void
a_renew_or_release_after_the_lease_is_refused_and_the_next_has_it(void **state)
{
    (void)state;
    for (int renews = 0; renews < 2; renews++) {
        struct scene *s = scene_open();
        struct client a = {0};
        moment now = NOW + SECOND + renews;
        enum why why =
            renews ? hold_renew(s->w.c, now, HOLD_LOCK, "db", s->token, 0, ask_of(&s->w, &a))
                   : hold_release(s->w.c, now, HOLD_LOCK, "db", s->token, ask_of(&s->w, &a));

        assert_int_equal(why, WHY_NOT_HOLDER);
        assert_int_equal(a.ask.outcome.ended, ENDED_BY_EXPIRY);
        is_served(s, now);
        world_close(&s->w);
    }
}

static void
a_refusal_names_the_holder_of_now(void **state)
{
    struct scene *s = scene_open();
    struct client a = {0};
    moment now = NOW + 2 * SECOND;

    (void)state;
    assert_int_equal(acquire(&s->w, &a, HOLD_LOCK, "db", now, (struct want){0}), WHY_LOCK_HELD);
    is_served(s, now);
    assert_int_equal(a.ask.outcome.held.token, s->waits.ask.outcome.grant.token);
    assert_int_equal(a.ask.outcome.held.expires_at, now + TTL_DEFAULT);
    world_close(&s->w);
}

static void
an_acquire_has_what_a_lease_that_is_over_leaves(void **state)
{
    struct world w;
    struct client a = {0}, b = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    acquire(&w, &a, HOLD_LOCK, "db", NOW, (struct want){.ttl_ns = SECOND});
    assert_int_equal(acquire(&w, &b, HOLD_LOCK, "db", NOW + SECOND - 1, (struct want){0}),
                     WHY_LOCK_HELD);
    assert_int_equal(acquire(&w, &b, HOLD_LOCK, "db", NOW + SECOND, (struct want){0}), WHY_OK);
    world_close(&w);
}

static void
a_look_shows_the_holder_of_now(void **state)
{
    static struct hold_view view;
    struct hold_row row;
    struct scene *s = scene_open();
    struct client a = {0};
    size_t n;

    (void)state;
    assert_int_equal(hold_show(s->w.c, NOW + SECOND, HOLD_LOCK, "db", &view, ask_of(&s->w, &a)),
                     WHY_OK);
    assert_int_equal(view.holder[0].token, s->waits.ask.outcome.grant.token);
    assert_int_equal(view.waiters, 0);
    is_served(s, NOW + SECOND);
    assert_int_equal(hold_list(s->w.c, NOW + SECOND + TTL_DEFAULT, HOLD_LOCK, "", &row, 1, &n,
                               ask_of(&s->w, &a)),
                     WHY_OK);
    assert_int_equal(n, 1);
    assert_int_equal(row.holder.token, 0);
    world_close(&s->w);
}

/* What was due first comes first: who had left the line before the lease ended is not granted. */
static void
a_wait_that_was_over_before_the_lease_is_refused(void **state)
{
    struct world w;
    struct client a = {0}, first = {0}, second = {0}, late = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    acquire(&w, &a, HOLD_LOCK, "db", NOW, (struct want){.ttl_ns = 2 * SECOND});
    acquire(&w, &first, HOLD_LOCK, "db", NOW, (struct want){.wait_ns = SECOND});
    acquire(&w, &second, HOLD_LOCK, "db", NOW, (struct want){.wait_ns = 3 * SECOND});
    assert_int_equal(hold_release(w.c, NOW + 9 * SECOND, HOLD_LOCK, "db", a.ask.outcome.grant.token,
                                  ask_of(&w, &late)),
                     WHY_NOT_HOLDER);
    assert_int_equal(first.ask.outcome.why, WHY_LOCK_HELD);
    assert_int_equal(second.ask.outcome.why, WHY_OK);
    world_close(&w);
}

/* More leases than a step may touch: whichever a call names, it is over. */
static void
no_token_outlives_its_lease_however_many_ended(void **state)
{
    static uint64_t token[MANY];
    struct world w;
    char name[16];

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    for (int i = 0; i < MANY; i++) {
        struct client a = {0};

        (void)snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(acquire(&w, &a, HOLD_LOCK, name, NOW, (struct want){.ttl_ns = SECOND}),
                         WHY_OK);
        token[i] = a.ask.outcome.grant.token;
    }
    for (int i = MANY - 1; i >= 0; i--) {
        struct client a = {0}, b = {0};

        (void)snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(
            hold_renew(w.c, NOW + SECOND, HOLD_LOCK, name, token[i], 0, ask_of(&w, &a)),
            WHY_NOT_HOLDER);
        assert_int_equal(a.ask.outcome.ended, ENDED_BY_EXPIRY);
        assert_int_equal(acquire(&w, &b, HOLD_LOCK, name, NOW + SECOND, (struct want){0}), WHY_OK);
    }
    world_close(&w);
}

/* The journal refuses the end of a lease for a moment: the lease is over all the same. */
static void
a_lease_whose_end_could_not_be_written_is_over(void **state)
{
    struct scene *s = scene_open();
    struct client a = {0};
    moment now = NOW + SECOND;

    (void)state;
    s->w.journal.busy = true;
    assert_true(deadline_serve(s->w.c, now) > now);
    s->w.journal.busy = false;
    assert_int_equal(hold_renew(s->w.c, now, HOLD_LOCK, "db", s->token, 0, ask_of(&s->w, &a)),
                     WHY_NOT_HOLDER);
    assert_int_equal(a.ask.outcome.ended, ENDED_BY_EXPIRY);
    is_served(s, now);
    world_close(&s->w);
}

static void
a_refusal_names_no_lease_whose_end_could_not_be_written(void **state)
{
    struct scene *s = scene_open();
    struct client a = {0};
    moment now = NOW + SECOND;

    (void)state;
    s->w.journal.busy = true;
    assert_true(deadline_serve(s->w.c, now) > now);
    s->w.journal.busy = false;
    assert_int_equal(acquire(&s->w, &a, HOLD_LOCK, "db", now, (struct want){0}), WHY_LOCK_HELD);
    is_served(s, now);
    assert_int_equal(a.ask.outcome.held.token, s->waits.ask.outcome.grant.token);
    world_close(&s->w);
}

/* More of them than a step may touch. */
static void
permits_of_leases_that_are_over_are_free(void **state)
{
    struct world w;
    struct client put = {0}, late = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    semaphore_put(w.c, NOW, "gpu", MANY, true, ask_of(&w, &put));
    for (int i = 0; i < MANY; i++) {
        struct client a = {0};

        assert_int_equal(
            acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW + i, (struct want){.ttl_ns = SECOND}),
            WHY_OK);
    }
    assert_int_equal(acquire(&w, &late, HOLD_SEMAPHORE, "gpu", NOW + SECOND + MANY,
                             (struct want){.permits = MANY}),
                     WHY_OK);
    world_close(&w);
}

static void
a_look_shows_no_lease_that_is_over_however_many_ended(void **state)
{
    static struct hold_row rows[STEP_OBJECTS_MAX];
    struct world w;
    struct client a = {0};
    char name[16];
    size_t n;

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    for (int i = 0; i < MANY; i++) {
        struct client b = {0};

        (void)snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(acquire(&w, &b, HOLD_LOCK, name, NOW, (struct want){.ttl_ns = SECOND}),
                         WHY_OK);
    }
    assert_int_equal(
        hold_list(w.c, NOW + SECOND, HOLD_LOCK, "", rows, STEP_OBJECTS_MAX, &n, ask_of(&w, &a)),
        WHY_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows[i].holder.token, 0);
    world_close(&w);
}

static void
a_look_shows_tasks_as_they_are_by_now(void **state)
{
    struct executor_view executor;
    struct task_filter delayed = {.state = TASK_DELAYED, .executor = ""};
    struct task_view view;
    struct client a = {0};
    struct shop s;
    uint64_t next;
    size_t n;
    moment now = NOW + SECOND, later = now + world_options().result_ttl_ns;

    (void)state;
    shop_open(&s);
    s.w.journal.relaxed = true;
    (void)shop_put(&s, "a", terms(1));
    uint64_t number = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = SECOND});
    assert_int_equal(task_list(s.w.c, now - 1, &delayed, &view, 1, &n, &next, ask_of(&s.w, &a)),
                     WHY_OK);
    assert_int_equal(n, 1);
    assert_int_equal(executor_show(s.w.c, now, "a", &executor, ask_of(&s.w, &a)), WHY_OK);
    assert_int_equal(executor.delayed, 0);
    assert_int_equal(executor.running, 1);
    task_finish(s.w.c, now, number, 1, &(struct task_end){.state = TASK_SUCCEEDED});
    assert_int_equal(task_wait(s.w.c, later - 1, number, 0, &view, ask_of(&s.w, &a)), WHY_OK);
    task_view_free(&view);
    assert_int_equal(task_wait(s.w.c, later, number, 0, &view, ask_of(&s.w, &a)), WHY_NOT_FOUND);
    shop_close(&s);
}

static void
a_cancel_finds_the_run_that_has_begun_by_now(void **state)
{
    struct client a = {0};
    struct shop s;

    (void)state;
    shop_open(&s);
    s.w.journal.relaxed = true;
    (void)shop_put(&s, "a", terms(1));
    uint64_t number = shop_submit_at(&s, NOW, "a", (struct submission){.delay_ns = SECOND});
    assert_int_equal(task_cancel(s.w.c, NOW + SECOND, number, ask_of(&s.w, &a)), WHY_OK);
    assert_int_equal(s.claims, 1);
    assert_true(shop_look(&s, number).cancelling);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renew_or_release_after_the_lease_is_refused_and_the_next_has_it),
        cmocka_unit_test(a_refusal_names_the_holder_of_now),
        cmocka_unit_test(an_acquire_has_what_a_lease_that_is_over_leaves),
        cmocka_unit_test(a_look_shows_the_holder_of_now),
        cmocka_unit_test(a_wait_that_was_over_before_the_lease_is_refused),
        cmocka_unit_test(no_token_outlives_its_lease_however_many_ended),
        cmocka_unit_test(a_lease_whose_end_could_not_be_written_is_over),
        cmocka_unit_test(a_refusal_names_no_lease_whose_end_could_not_be_written),
        cmocka_unit_test(permits_of_leases_that_are_over_are_free),
        cmocka_unit_test(a_look_shows_no_lease_that_is_over_however_many_ended),
        cmocka_unit_test(a_look_shows_tasks_as_they_are_by_now),
        cmocka_unit_test(a_cancel_finds_the_run_that_has_begun_by_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
