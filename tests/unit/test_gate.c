/* test_gate.c - semaphores: permits, the line in its order, and resizing while they are held.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

static void
a_newcomer_does_not_overtake_a_head_that_wants_more(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, head = {0}, small = {0}, refused = {0}, release = {0};

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 5, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 2});
    world_commit(&w);
    assert_int_equal(a.ask.outcome.why, WHY_OK);

    acquire(&w, &head, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 5, .wait_ns = SECOND});
    acquire(&w, &small, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 1, .wait_ns = SECOND});
    assert_int_equal(acquire(&w, &refused, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 1}),
                     WHY_LOCK_HELD);
    assert_int_equal(refused.ask.outcome.held.free, 3);
    assert_int_equal(refused.ask.outcome.held.position, 3);
    world_commit(&w);
    assert_int_equal(head.told + small.told, 0);

    hold_release(w.c, NOW, HOLD_SEMAPHORE, "gpu", a.ask.outcome.grant.token, ask_of(&w, &release));
    world_commit(&w);
    assert_int_equal(head.told, 1);
    assert_int_equal(head.ask.outcome.why, WHY_OK);
    assert_int_equal(small.told, 0);
    world_close(&w);
}

static void
a_head_that_stops_waiting_lets_those_behind_it_through(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, head = {0}, small = {0}, small2 = {0};

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 5, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 3});
    acquire(&w, &head, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 4, .wait_ns = SECOND});
    acquire(&w, &small, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = 9 * SECOND});
    acquire(&w, &small2, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = 9 * SECOND});
    world_commit(&w);
    (void)deadline_serve(w.c, NOW + SECOND - 1);
    assert_int_equal(head.told, 0);
    (void)deadline_serve(w.c, NOW + SECOND);
    assert_int_equal(head.told, 1); /* what it is told of is durable */
    assert_int_equal(head.ask.outcome.why, WHY_LOCK_HELD);
    assert_int_equal(head.ask.outcome.held.position, 1);
    assert_int_equal(head.ask.outcome.held.waiters, 2);
    world_commit(&w);
    assert_int_equal(small.told, 1);
    assert_int_equal(small2.told, 1);
    assert_int_equal(small.ask.outcome.why, WHY_OK);
    world_close(&w);
}

static void
a_semaphores_token_is_no_good_at_another(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, release = {0};

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "x", 2, true, ask_of(&w, &put));
    world_commit(&w);
    semaphore_put(w.c, NOW, "y", 2, true, ask_of(&w, &put));
    world_commit(&w);
    acquire(&w, &a, HOLD_SEMAPHORE, "x", NOW, (struct want){0});
    world_commit(&w);
    assert_int_equal(hold_release(w.c, NOW, HOLD_SEMAPHORE, "y", a.ask.outcome.grant.token,
                                  ask_of(&w, &release)),
                     WHY_NOT_HOLDER);
    world_close(&w);
}

static void
a_semaphore_comes_to_be_by_put(void **state)
{
    struct world w;
    struct client a = {0}, put = {0};

    (void)state;
    world_open(&w);
    assert_int_equal(acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){0}), WHY_NOT_FOUND);
    assert_int_equal(semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put)), WHY_PENDING);
    world_commit(&w);
    assert_true(put.ask.outcome.semaphore.made);
    assert_int_equal(put.ask.outcome.semaphore.free, 2);
    uint64_t last = w.journal.last;
    assert_int_equal(semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put)), WHY_OK);
    assert_false(put.ask.outcome.semaphore.made);
    assert_int_equal(w.journal.last, last); /* the same again writes nothing */
    assert_int_equal(acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 3}),
                     WHY_INVALID);
    world_close(&w);
}

static void
raising_the_value_serves_the_line(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, b = {0}, c = {0};

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 1, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){0});
    acquire(&w, &b, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = SECOND});
    acquire(&w, &c, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = SECOND});
    world_commit(&w);
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put));
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(c.told, 0);
    assert_int_equal(put.ask.outcome.semaphore.free, 0);
    world_close(&w);
}

static void
lowering_the_value_waits_for_releases_to_catch_up(void **state)
{
    struct world w;
    struct client put = {0}, a[3] = {0}, release = {0}, b = {0}, big = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 3, true, ask_of(&w, &put));
    for (int i = 0; i < 3; i++)
        acquire(&w, &a[i], HOLD_SEMAPHORE, "gpu", NOW, (struct want){0});
    acquire(&w, &big, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 2, .wait_ns = SECOND});
    acquire(&w, &b, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = SECOND});
    world_commit(&w);
    semaphore_put(w.c, NOW, "gpu", 1, true, ask_of(&w, &put));
    world_commit(&w);
    assert_int_equal(big.told, 1); /* at the head, wanting more than there will ever be */
    assert_int_equal(big.ask.outcome.why, WHY_INVALID);
    for (int i = 0; i < 2; i++) {
        hold_release(w.c, NOW, HOLD_SEMAPHORE, "gpu", a[i].ask.outcome.grant.token,
                     ask_of(&w, &release));
        world_commit(&w);
        assert_int_equal(release.ask.outcome.released.free, 0);
        assert_int_equal(b.told, 0);
    }
    assert_int_equal(hold_show(w.c, NOW, HOLD_SEMAPHORE, "gpu", &view, ask_of(&w, &release)),
                     WHY_OK);
    assert_int_equal(view.free, 0);
    assert_int_equal(view.holders, 1);
    hold_release(w.c, NOW, HOLD_SEMAPHORE, "gpu", a[2].ask.outcome.grant.token,
                 ask_of(&w, &release));
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    world_close(&w);
}

/* Wherever in line he stands: he waits for nothing. */
static void
lowering_the_value_tells_everyone_who_wants_more_at_once(void **state)
{
    static const int64_t wants[] = {1, 3, 2, 3, 1};
    struct world w;
    struct client put = {0}, has = {0}, a[5] = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    semaphore_put(w.c, NOW, "gpu", 3, true, ask_of(&w, &put));
    acquire(&w, &has, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 3});
    for (int i = 0; i < 5; i++)
        acquire(&w, &a[i], HOLD_SEMAPHORE, "gpu", NOW,
                (struct want){.permits = wants[i], .wait_ns = SECOND});
    semaphore_put(w.c, NOW, "gpu", 0, true, ask_of(&w, &put)); /* a pause: nobody wants too much */
    assert_int_equal(a[1].told + a[3].told, 0);
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(a[i].told, wants[i] > 2);
        if (a[i].told)
            assert_int_equal(a[i].ask.outcome.why, WHY_INVALID);
    }
    semaphore_put(w.c, NOW, "gpu", 1, true, ask_of(&w, &put));
    assert_int_equal(a[2].told, 1);
    assert_int_equal(a[2].ask.outcome.why, WHY_INVALID);
    world_close(&w);
}

/* In steps; meanwhile some leave, and one of them is who would be looked at next. */
static void
a_thousand_who_want_too_much_are_told_in_steps(void **state)
{
    enum { N = 1000 };
    static struct client a[N];
    struct world w;
    struct client put = {0}, has = {0};
    int told = 0;

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    memset(a, 0, sizeof(a));
    semaphore_put(w.c, NOW, "gpu", 3, true, ask_of(&w, &put));
    acquire(&w, &has, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 3});
    for (int i = 0; i < N; i++)
        acquire(&w, &a[i], HOLD_SEMAPHORE, "gpu", NOW,
                (struct want){.permits = i % 2 ? 3 : 1, .wait_ns = SECOND});
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put));
    assert_int_equal(a[1].told, 1);
    assert_int_equal(a[N - 1].told, 0);
    for (int i = 250; i < 270; i++)
        ask_leave(w.c, &a[i].ask, a[i].ask.ticket);
    (void)deadline_serve(w.c, NOW);
    for (int i = 0; i < N; i++) {
        assert_int_equal(a[i].told, i % 2 || (i >= 250 && i < 270));
        told += a[i].told && a[i].ask.outcome.why == WHY_INVALID;
    }
    assert_true(told >= N / 2 - 10 && told <= N / 2);
    world_close(&w);
}

static void
a_thousand_waiters_are_served_in_steps_and_in_order(void **state)
{
    enum { N = 1000 };
    struct world w;
    struct client put = {0}, a = {0}, late = {0};
    struct client *line = calloc(N, sizeof(*line));

    (void)state;
    assert_non_null(line);
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 1, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.ttl_ns = 900 * SECOND});
    for (int i = 0; i < N; i++)
        acquire(&w, &line[i], HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = 600 * SECOND});
    world_commit(&w);
    uint64_t last = w.journal.last;
    semaphore_put(w.c, NOW, "gpu", N + 1, true, ask_of(&w, &put));
    assert_true(w.journal.last - last <= STEP_OBJECTS_MAX);
    acquire(&w, &late, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = 600 * SECOND});
    (void)deadline_serve(w.c, NOW); /* further steps */
    world_commit(&w);
    for (int i = 0; i < N; i++) {
        assert_int_equal(line[i].told, 1);
        assert_int_equal(line[i].ask.outcome.why, WHY_OK);
        assert_true(i == 0 ||
                    line[i].ask.outcome.grant.token > line[i - 1].ask.outcome.grant.token);
    }
    assert_int_equal(late.told, 0);
    world_close(&w);
    free(line);
}

static void
a_value_of_0_is_a_pause(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, b = {0}, many = {0}, at_once = {0}, release = {0}, left = {0};

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 2});
    acquire(&w, &b, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = SECOND});
    semaphore_put(w.c, NOW, "gpu", 0, true, ask_of(&w, &put));
    world_commit(&w);
    hold_release(w.c, NOW, HOLD_SEMAPHORE, "gpu", a.ask.outcome.grant.token, ask_of(&w, &release));
    world_commit(&w);
    assert_int_equal(release.told, 1);
    assert_int_equal(b.told, 0);

    assert_int_equal(acquire(&w, &at_once, HOLD_SEMAPHORE, "gpu", NOW, (struct want){0}),
                     WHY_LOCK_HELD);
    assert_int_equal(at_once.ask.outcome.held.value, 0);
    assert_int_equal(acquire(&w, &left, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = 1}),
                     WHY_PENDING);
    assert_int_equal(acquire(&w, &many, HOLD_SEMAPHORE, "gpu", NOW,
                             (struct want){.permits = 3, .wait_ns = SECOND}),
                     WHY_PENDING);
    (void)deadline_serve(w.c, NOW + 1);
    world_commit(&w);
    assert_int_equal(left.ask.outcome.why, WHY_LOCK_HELD);

    /* it goes on: whoever wants more than there are now cannot be served, and holds nobody back */
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put));
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    assert_int_equal(many.told, 1);
    assert_int_equal(many.ask.outcome.why, WHY_INVALID);
    world_close(&w);
}

static void
a_semaphore_in_use_is_not_deleted(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, gone = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 1, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){0});
    world_commit(&w);
    assert_int_equal(hold_delete(w.c, NOW, HOLD_SEMAPHORE, "gpu", ask_of(&w, &gone)), WHY_CONFLICT);
    hold_give_back(w.c, NOW, HOLD_SEMAPHORE, "gpu", a.ask.outcome.grant.token);
    assert_int_equal(hold_delete(w.c, NOW, HOLD_SEMAPHORE, "gpu", ask_of(&w, &gone)), WHY_PENDING);
    struct client look = {0};
    assert_int_equal(hold_show(w.c, NOW, HOLD_SEMAPHORE, "gpu", &view, ask_of(&w, &look)),
                     WHY_PENDING);
    assert_int_equal(look.told, 0); /* that it is gone is not durable yet */
    world_commit(&w);
    assert_int_equal(look.told, 1);
    assert_int_equal(look.ask.outcome.why, WHY_NOT_FOUND);
    world_close(&w);
}

static void
holds_of_semaphores_are_bounded_as_objects_are(void **state)
{
    struct coord_options o = world_options();
    struct world w;
    struct client put = {0}, a[4] = {0}, lock = {0}, release = {0};

    (void)state;
    o.max_objects = 3;
    world_open_with(&w, &o);
    semaphore_put(w.c, NOW, "gpu", WHOLE_MAX, true, ask_of(&w, &put));
    for (int i = 0; i < 3; i++)
        assert_int_equal(acquire(&w, &a[i], HOLD_SEMAPHORE, "gpu", NOW, (struct want){0}),
                         WHY_PENDING);
    assert_int_equal(
        acquire(&w, &a[3], HOLD_SEMAPHORE, "gpu", NOW, (struct want){.wait_ns = SECOND}),
        WHY_TOO_MANY);
    assert_int_equal(lock_acquire(&w, &lock, "db", 0), WHY_PENDING);
    world_commit(&w);
    hold_release(w.c, NOW, HOLD_SEMAPHORE, "gpu", a[0].ask.outcome.grant.token,
                 ask_of(&w, &release));
    assert_int_equal(acquire(&w, &a[3], HOLD_SEMAPHORE, "gpu", NOW, (struct want){0}), WHY_PENDING);
    world_close(&w);
}

/* Requests come to the lock in another order than they read the clock. */
static void
nobody_waits_less_than_nothing_and_no_lease_goes_back(void **state)
{
    struct world w;
    struct client a = {0}, b = {0}, release = {0}, first = {0}, second = {0};
    uint64_t token;

    (void)state;
    world_open(&w);
    token = lock_have(&w, "db");
    assert_int_equal(acquire(&w, &b, HOLD_LOCK, "db", NOW + 5, (struct want){.wait_ns = SECOND}),
                     WHY_PENDING);
    hold_release(w.c, NOW + 3, HOLD_LOCK, "db", token, ask_of(&w, &release));
    world_commit(&w);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    assert_int_equal(b.ask.outcome.grant.waited_ns, 0);

    token = b.ask.outcome.grant.token;
    assert_int_equal(hold_renew(w.c, NOW + 9, HOLD_LOCK, "db", token, 0, ask_of(&w, &first)),
                     WHY_OK);
    assert_int_equal(hold_renew(w.c, NOW + 7, HOLD_LOCK, "db", token, 0, ask_of(&w, &second)),
                     WHY_OK);
    assert_int_equal(first.ask.outcome.grant.expires_at, NOW + 9 + TTL_DEFAULT);
    assert_int_equal(second.ask.outcome.grant.expires_at, NOW + 9 + TTL_DEFAULT);
    (void)a;
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newcomer_does_not_overtake_a_head_that_wants_more),
        cmocka_unit_test(a_head_that_stops_waiting_lets_those_behind_it_through),
        cmocka_unit_test(a_semaphores_token_is_no_good_at_another),
        cmocka_unit_test(a_semaphore_comes_to_be_by_put),
        cmocka_unit_test(raising_the_value_serves_the_line),
        cmocka_unit_test(lowering_the_value_waits_for_releases_to_catch_up),
        cmocka_unit_test(lowering_the_value_tells_everyone_who_wants_more_at_once),
        cmocka_unit_test(a_thousand_who_want_too_much_are_told_in_steps),
        cmocka_unit_test(a_thousand_waiters_are_served_in_steps_and_in_order),
        cmocka_unit_test(a_value_of_0_is_a_pause),
        cmocka_unit_test(a_semaphore_in_use_is_not_deleted),
        cmocka_unit_test(holds_of_semaphores_are_bounded_as_objects_are),
        cmocka_unit_test(nobody_waits_less_than_nothing_and_no_lease_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
