/* test_admit.c - the gate of the request pool.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

static void
admits_as_many_as_there_are_permits(void **state)
{
    struct world w;
    struct client a[3] = {0};

    (void)state;
    world_open(&w);
    admit_resize(w.c, 2);
    assert_int_equal(admit_enter(w.c, NOW, 0, ask_of(&w, &a[0])), WHY_OK);
    assert_int_equal(admit_enter(w.c, NOW, 0, ask_of(&w, &a[1])), WHY_OK);
    assert_int_equal(admit_enter(w.c, NOW, 0, ask_of(&w, &a[2])), WHY_BUSY);
    assert_int_equal(a[2].ask.outcome.why, WHY_BUSY);
    admit_leave(w.c);
    assert_int_equal(admit_enter(w.c, NOW, 0, ask_of(&w, &a[2])), WHY_OK);
    world_close(&w);
}

static void
the_first_in_line_is_next(void **state)
{
    struct world w;
    struct client in = {0}, a = {0}, b = {0}, late = {0};

    (void)state;
    world_open(&w);
    admit_resize(w.c, 1);
    admit_enter(w.c, NOW, 0, ask_of(&w, &in));
    assert_int_equal(admit_enter(w.c, NOW, SECOND, ask_of(&w, &a)), WHY_PENDING);
    assert_int_equal(admit_enter(w.c, NOW, 2 * SECOND, ask_of(&w, &b)), WHY_PENDING);
    admit_leave(w.c);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.ask.outcome.why, WHY_OK);
    assert_int_equal(b.told, 0);
    assert_int_equal(admit_enter(w.c, NOW, 0, ask_of(&w, &late)), WHY_BUSY);
    (void)deadline_serve(w.c, NOW + 2 * SECOND);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_BUSY);
    world_close(&w);
}

static void
one_that_hung_up_is_not_admitted(void **state)
{
    struct world w;
    struct client in = {0}, a = {0}, b = {0};

    (void)state;
    world_open(&w);
    admit_resize(w.c, 1);
    admit_enter(w.c, NOW, 0, ask_of(&w, &in));
    admit_enter(w.c, NOW, SECOND, ask_of(&w, &a));
    admit_enter(w.c, NOW, SECOND, ask_of(&w, &b));
    ask_leave(w.c, &a.ask, a.ask.ticket);
    assert_int_equal(a.ask.outcome.why, WHY_GONE);
    admit_leave(w.c);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    assert_int_equal(a.told + b.told, 2);
    world_close(&w);
}

static void
nobody_enters_while_draining(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    admit_resize(w.c, 1);
    coord_drain(w.c);
    assert_int_equal(admit_enter(w.c, NOW, SECOND, ask_of(&w, &a)), WHY_DRAINING);
    world_close(&w);
}

/* More than one sweep over the table of names sends away. */
static void
draining_tells_everybody_who_stands_at_the_gate(void **state)
{
    enum { CROWD = 5000 };
    static struct client crowd[CROWD];
    struct world w;
    struct client in = {0};

    (void)state;
    memset(crowd, 0, sizeof crowd);
    world_open(&w);
    admit_resize(w.c, 1);
    admit_enter(w.c, NOW, 0, ask_of(&w, &in));
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(admit_enter(w.c, NOW, SECOND, ask_of(&w, &crowd[i])), WHY_PENDING);
    coord_drain(w.c);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].told, 1);
        assert_int_equal(crowd[i].ask.outcome.why, WHY_DRAINING);
    }
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admits_as_many_as_there_are_permits),
        cmocka_unit_test(the_first_in_line_is_next),
        cmocka_unit_test(one_that_hung_up_is_not_admitted),
        cmocka_unit_test(nobody_enters_while_draining),
        cmocka_unit_test(draining_tells_everybody_who_stands_at_the_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
