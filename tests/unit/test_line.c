/* test_line.c - those who wait: order, places, bounds, and the ways out.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

static void
the_bound_of_one_line_is_kept(void **state)
{
    struct world w;
    struct client a = {0}, b = {0}, c = {0};
    struct coord_options o = world_options();

    (void)state;
    o.max_waiters_per_object = 1;
    world_open_with(&w, &o);
    (void)lock_have(&w, "db");
    (void)lock_have(&w, "other");
    assert_int_equal(lock_acquire(&w, &a, "db", SECOND), WHY_PENDING);
    assert_int_equal(lock_acquire(&w, &b, "db", SECOND), WHY_TOO_MANY);
    assert_int_equal(b.ask.outcome.why, WHY_TOO_MANY);
    assert_int_equal(lock_acquire(&w, &c, "other", SECOND), WHY_PENDING);
    world_close(&w);
    assert_int_equal(b.told, 0);
}

static void
the_bound_of_all_lines_is_kept(void **state)
{
    struct world w;
    struct client a = {0}, b = {0};
    struct coord_options o = world_options();

    (void)state;
    o.max_waiters = 1;
    world_open_with(&w, &o);
    (void)lock_have(&w, "db");
    (void)lock_have(&w, "other");
    assert_int_equal(lock_acquire(&w, &a, "db", SECOND), WHY_PENDING);
    assert_int_equal(lock_acquire(&w, &b, "other", SECOND), WHY_TOO_MANY);
    ask_leave(w.c, &a.ask, a.ask.ticket);
    assert_int_equal(lock_acquire(&w, &b, "other", SECOND), WHY_PENDING);
    world_close(&w);
}

static void
a_wait_is_at_most_ten_minutes(void **state)
{
    struct world w;
    struct client a = {0}, b = {0};

    (void)state;
    world_open(&w);
    acquire(&w, &a, HOLD_LOCK, "db", NOW, (struct want){.ttl_ns = TTL_MOST});
    lock_acquire(&w, &b, "db", INT64_MAX);
    world_commit(&w);
    (void)deadline_serve(w.c, NOW + WAIT_MOST - 1);
    assert_int_equal(b.told, 0);
    (void)deadline_serve(w.c, NOW + WAIT_MOST);
    assert_int_equal(b.told, 1);
    world_close(&w);
}

static void
draining_tells_every_waiter_and_every_later_one(void **state)
{
    enum { N = 1000 };
    struct world w;
    struct client *line = calloc(N, sizeof(*line)), late = {0}, quick = {0}, gate = {0};
    char name[16];

    (void)state;
    assert_non_null(line);
    world_open(&w);
    (void)lock_have(&w, "db");
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof(name), "l%d", i);
        (void)lock_have(&w, name);
    }
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "l%d", i % 10);
        assert_int_equal(lock_acquire(&w, &line[i], i < 600 ? "db" : name, SECOND), WHY_PENDING);
    }
    assert_int_equal(admit_enter(w.c, NOW, SECOND, ask_of(&w, &gate)), WHY_PENDING);
    coord_drain(w.c);
    for (int i = 0; i < N; i++) {
        assert_int_equal(line[i].told, 1);
        assert_int_equal(line[i].ask.outcome.why, WHY_DRAINING);
    }
    assert_int_equal(gate.told, 1);
    assert_int_equal(gate.ask.outcome.why, WHY_DRAINING);
    assert_int_equal(lock_acquire(&w, &late, "db", SECOND), WHY_DRAINING);
    assert_int_equal(lock_acquire(&w, &quick, "free", 0),
                     WHY_PENDING); /* what need not wait still passes */
    world_close(&w);
    free(line);
}

static int most_told;

/* Those told by one step are chained one behind the other. */
static void
told_with_others(struct ask *a)
{
    int n = 0;

    for (const struct ask *other = a; other; other = other->next_told_)
        n++;
    if (most_told < n)
        most_told = n;
    client_told(a);
}

static void
draining_takes_no_step_that_is_longer_than_others(void **state)
{
    enum { LOCKS = 64, EACH = 40, GATE = 300, N = LOCKS * EACH };
    struct world w;
    struct client *line = calloc(N + GATE, sizeof(*line));
    char name[16];

    (void)state;
    assert_non_null(line);
    world_open(&w);
    for (int i = 0; i < LOCKS; i++) {
        (void)snprintf(name, sizeof(name), "l%d", i);
        (void)lock_have(&w, name);
        for (int k = i * EACH; k < (i + 1) * EACH; k++)
            assert_int_equal(lock_acquire(&w, &line[k], name, SECOND), WHY_PENDING);
    }
    for (int i = N; i < N + GATE; i++)
        assert_int_equal(admit_enter(w.c, NOW, SECOND, ask_of(&w, &line[i])), WHY_PENDING);
    for (int i = 0; i < N + GATE; i++)
        line[i].ask.tell = told_with_others;
    most_told = 0;
    coord_drain(w.c);
    for (int i = 0; i < N + GATE; i++)
        assert_int_equal(line[i].told, 1);
    assert_in_range(most_told, 1, STEP_OBJECTS_MAX);
    world_close(&w);
    free(line);
}

static void
places_are_exact_near_the_head_and_never_too_low_behind(void **state)
{
    enum { N = 1000 };
    struct world w;
    struct client *line = calloc(N, sizeof(*line));

    (void)state;
    assert_non_null(line);
    world_open(&w);
    (void)lock_have(&w, "db");
    for (int i = 0; i < N; i++)
        (void)lock_acquire(&w, &line[i], "db", (10 + i) * SECOND);
    for (int i = 100; i < 200; i++)
        ask_leave(w.c, &line[i].ask, line[i].ask.ticket);
    state_lock(w.c);
    assert_int_equal(line_position(&line[0].ask), 1);
    assert_int_equal(line_position(&line[99].ask), 100);
    assert_in_range(line_position(&line[200].ask), 101, 201);
    assert_in_range(line_position(&line[600].ask), 501, 601);
    assert_in_range(line_position(&line[N - 1].ask), 900, 900); /* never more than there are */
    state_unlock(w.c);
    world_close(&w);
    free(line);
}

static void
each_is_told_once_whatever_way_out_it_takes(void **state)
{
    enum { N = 300 };
    struct world w;
    struct client *line = calloc(N, sizeof(*line));

    (void)state;
    assert_non_null(line);
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    for (int i = 0; i < N; i++)
        (void)lock_acquire(&w, &line[i], "db", (i % 3 + 1) * SECOND);
    for (int i = 0; i < N; i += 2)
        ask_leave(w.c, &line[i].ask, line[i].ask.ticket);
    (void)deadline_serve(w.c, NOW + 2 * SECOND);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    for (int i = 0; i < N; i++)
        ask_leave(w.c, &line[i].ask, line[i].ask.ticket);
    world_close(&w);
    int granted = 0;
    for (int i = 0; i < N; i++) {
        assert_int_equal(line[i].told, 1);
        granted += line[i].ask.outcome.why == WHY_OK;
    }
    assert_int_equal(granted, 1);
    free(line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_of_one_line_is_kept),
        cmocka_unit_test(the_bound_of_all_lines_is_kept),
        cmocka_unit_test(a_wait_is_at_most_ten_minutes),
        cmocka_unit_test(draining_tells_every_waiter_and_every_later_one),
        cmocka_unit_test(draining_takes_no_step_that_is_longer_than_others),
        cmocka_unit_test(places_are_exact_near_the_head_and_never_too_low_behind),
        cmocka_unit_test(each_is_told_once_whatever_way_out_it_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
