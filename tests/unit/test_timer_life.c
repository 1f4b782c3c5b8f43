/* test_timer_life.c - lib/timer.c: what a timer says of itself, and when it is over: joined, cancelled, freed.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/thread.h>
#include <bobbin/timer.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timers_world.h"

/* ---- what it says of itself ---- */

struct own_call {
    struct bob_timer *timer, *other;
    struct bob_event ready;
    bool was_alive, was_cancelled;
    bob_time due;
    enum bob_err join_self, join_other;
    struct bob_thread_info thread;
};

static void
ask_and_cancel(void *arg)
{
    struct own_call *c = arg;

    if (bob_event_wait(&c->ready, bob_in_seconds(20)))
        return;
    bob_thread_describe(bob_thread_current(), &c->thread);
    c->join_self = bob_timer_join(c->timer, BOB_FOREVER);
    c->join_other = bob_timer_join(c->other, BOB_FOREVER);
    c->due = bob_timer_due(c->timer);
    c->was_alive = bob_timer_is_alive(c->timer);
    c->was_cancelled = bob_timer_cancel(c->timer);
}

static void
its_own_call_may_ask_and_cancel_it(void **state)
{
    struct own_call c = {.other = NULL};
    struct bob_thread_info thread;

    (void)state;
    bob_event_init(&c.ready);
    c.other = bob_timer_start(timers, BOB_FOREVER, 0, nothing, NULL);
    c.timer = bob_timer_start_named(timers, "a name of thirty-one bytes, and \xc3\xa9", BOB_AT_ONCE,
                                    1000, ask_and_cancel, &c);
    bob_event_set(&c.ready);
    assert_int_equal(bob_timer_join(c.timer, bob_in_seconds(20)), BOB_OK);
    assert_true(c.was_alive);
    assert_false(c.was_cancelled); /* it was firing, for the last time */
    assert_true(c.due == BOB_FOREVER);
    assert_int_equal(c.join_self, BOB_ERR_INVALID);
    assert_int_equal(c.join_other, BOB_ERR_INVALID);
    assert_false(bob_timer_is_alive(c.timer));
    assert_string_equal(bob_timer_name(c.timer), "a name of thirty-one bytes, and");
    assert_string_equal(bob_timer_name(c.other), "");
    assert_string_equal(c.thread.name, "clockwork");
    assert_string_equal(c.thread.note, bob_timer_name(c.timer));
    assert_true(c.thread.is_daemon);
    settle();
    assert_true(bob_thread_enumerate(&thread, 1) > 0);
    assert_string_equal(thread.note, "");
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_OK); /* does not wait for timers */
    bob_timer_free(c.timer);
    bob_timer_free(c.other);
    bob_event_fini(&c.ready);
}

static void *
join_it(void *t)
{
    return bob_timer_join(t, bob_in_seconds(20)) ? NULL : t;
}

static void
a_join_ends_when_it_is_cancelled_or_all_are(void **state)
{
    struct bob_timers *ts = bob_timers_new("short-lived");
    struct bob_timer *t[2];
    struct bob_thread *joiner;
    void *value;

    (void)state;
    t[0] = bob_timer_start(ts, BOB_FOREVER, 1, nothing, NULL);
    t[1] = bob_timer_start(ts, bob_in_seconds(1000), 0, nothing, NULL);
    assert_true(bob_timer_due(t[1]) > bob_in_seconds(900));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bob_timer_join(t[i], BOB_AT_ONCE), BOB_ERR_TIMEOUT);
        assert_int_equal(bob_timer_join(t[i], bob_in_ms(1)), BOB_ERR_TIMEOUT);
        assert_true(bob_timer_is_alive(t[i]));
        assert_int_equal(bob_thread_start(&joiner, "joiner", join_it, t[i], NULL), BOB_OK);
        if (i == 0)
            assert_true(bob_timer_cancel(t[i]));
        else
            bob_timers_free(ts);
        assert_int_equal(bob_thread_join(joiner, bob_in_seconds(20), &value), BOB_OK);
        assert_ptr_equal(value, t[i]);
        bob_thread_free(joiner);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bob_timer_join(t[i], BOB_AT_ONCE), BOB_OK);
        assert_true(bob_timer_due(t[i]) == BOB_FOREVER);
        bob_timer_free(t[i]);
    }
}

static void
no_function_is_no_timer(void **state)
{
    (void)state;
    assert_null(bob_timer_start(timers, BOB_AT_ONCE, 0, NULL, NULL));
}

/* ---- free ---- */

struct slow_call {
    struct bob_event began, go;
    int over; /* atomic */
};

static void
be_slow(void *arg)
{
    struct slow_call *s = arg;

    bob_event_set(&s->began);
    if (bob_event_wait(&s->go, bob_in_seconds(20)))
        return;
    __atomic_store_n(&s->over, 1, __ATOMIC_SEQ_CST);
}

static void *
let_it_go(void *arg)
{
    sched_yield();
    bob_event_set(&((struct slow_call *)arg)->go);
    return NULL;
}

static void
free_waits_for_a_call_that_runs(void **state)
{
    struct slow_call s = {.over = 0};
    struct bob_timer *t;
    struct bob_thread *helper;

    (void)state;
    bob_event_init(&s.began);
    bob_event_init(&s.go);
    t = bob_timer_start(timers, BOB_AT_ONCE, 1000, be_slow, &s);
    assert_int_equal(bob_event_wait(&s.began, bob_in_seconds(20)), BOB_OK);
    assert_false(bob_timer_cancel(t));
    assert_int_equal(bob_thread_start(&helper, "helper", let_it_go, &s, NULL), BOB_OK);
    bob_timer_free(t);
    assert_int_equal(__atomic_load_n(&s.over, __ATOMIC_SEQ_CST), 1);
    bob_thread_free(helper);
    bob_event_fini(&s.go);
    bob_event_fini(&s.began);
}

static void
the_end_waits_for_a_call_that_runs(void **state)
{
    struct bob_timers *ts = bob_timers_new("short-lived");
    struct slow_call s = {.over = 0};
    struct bob_timer *t;
    struct bob_thread *helper;

    (void)state;
    bob_event_init(&s.began);
    bob_event_init(&s.go);
    t = bob_timer_start(ts, BOB_AT_ONCE, 1, be_slow, &s);
    assert_int_equal(bob_event_wait(&s.began, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(bob_thread_start(&helper, "helper", let_it_go, &s, NULL), BOB_OK);
    bob_timers_free(ts);
    assert_int_equal(s.over, 1);
    assert_false(bob_timer_cancel(t)); /* it is not put back */
    bob_timer_free(t);
    bob_thread_free(helper);
    bob_event_fini(&s.go);
    bob_event_fini(&s.began);
}

struct late_start {
    struct bob_timers *ts;
    struct bob_timer *late;
    struct bob_event began;
};

/* Starts one when its timers are being freed: that is when the first of them is no longer alive. */
static void
start_late(void *arg)
{
    struct late_start *s = arg;
    struct bob_timer *sentinel = bob_timer_start(s->ts, BOB_FOREVER - 1, 0, nothing, NULL);

    bob_event_set(&s->began);
    while (bob_timer_is_alive(sentinel))
        sched_yield();
    s->late = bob_timer_start(s->ts, bob_in_seconds(1000), 0, nothing, NULL);
    bob_timer_free(sentinel);
}

static void
one_that_is_started_while_all_are_freed_is_cancelled(void **state)
{
    struct late_start s = {.ts = bob_timers_new("short-lived")};
    struct bob_timer *t;

    (void)state;
    bob_event_init(&s.began);
    t = bob_timer_start(s.ts, BOB_AT_ONCE, 0, start_late, &s);
    assert_int_equal(bob_event_wait(&s.began, bob_in_seconds(20)), BOB_OK);
    bob_timers_free(s.ts);
    assert_non_null(s.late);
    assert_false(bob_timer_is_alive(s.late));
    assert_int_equal(bob_timer_join(s.late, bob_in_seconds(20)), BOB_OK);
    assert_true(bob_timer_due(s.late) == BOB_FOREVER);
    bob_timer_free(s.late);
    bob_timer_free(t);
    bob_event_fini(&s.began);
}

struct self_free {
    struct bob_timer *mine, *other;
    struct bob_event ready, over;
};

static void
free_both(void *arg)
{
    struct self_free *s = arg;

    if (bob_event_wait(&s->ready, bob_in_seconds(20)))
        return;
    bob_timer_free(s->other);
    bob_timer_free(s->mine);
    s->mine = bob_timer_start(timers, BOB_AT_ONCE, 0, set_event, &s->over);
}

static void
a_call_may_free_its_own_timer_and_start_another(void **state)
{
    struct self_free s;

    (void)state;
    bob_event_init(&s.ready);
    bob_event_init(&s.over);
    s.other = bob_timer_start(timers, BOB_FOREVER, 0, set_event, &s.over);
    s.mine = bob_timer_start(timers, BOB_AT_ONCE, 1, free_both, &s);
    bob_event_set(&s.ready);
    assert_int_equal(bob_event_wait(&s.over, bob_in_seconds(20)), BOB_OK);
    bob_timer_free(s.mine);
    bob_event_fini(&s.over);
    bob_event_fini(&s.ready);
}

static void
timers_may_end_before_their_timers_are_freed(void **state)
{
    struct bob_timers *ts = bob_timers_new("short-lived");
    struct bob_event never;
    struct bob_timer *t[50];

    (void)state;
    bob_event_init(&never);
    for (int i = 0; i < 50; i++)
        t[i] = bob_timer_start(ts, bob_in_seconds(1000 - i), i % 2, set_event, &never);
    bob_timers_free(ts);
    assert_false(bob_timer_cancel(t[0]));
    for (int i = 0; i < 50; i++)
        bob_timer_free(t[i]);
    assert_false(bob_event_is_set(&never));
    bob_event_fini(&never);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        timed(its_own_call_may_ask_and_cancel_it),
        timed(a_join_ends_when_it_is_cancelled_or_all_are),
        timed(no_function_is_no_timer),
        timed(free_waits_for_a_call_that_runs),
        timed(the_end_waits_for_a_call_that_runs),
        timed(one_that_is_started_while_all_are_freed_is_cancelled),
        timed(a_call_may_free_its_own_timer_and_start_another),
        timed(timers_may_end_before_their_timers_are_freed),
    };

    return cmocka_run_group_tests_name("timer_life", tests, NULL, NULL);
}
