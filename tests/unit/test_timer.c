/* test_timer.c - lib/timer.c: called when due and not before, in order, never after cancel, and by its beat.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/semaphore.h>
#include <bobbin/timer.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "timers_world.h"

static void
set_to_now(void *moment)
{
    __atomic_store_n((bob_time *)moment, bob_now(), __ATOMIC_SEQ_CST);
}

static bob_time
waited_for(bob_time *moment)
{
    bob_time at;

    while ((at = __atomic_load_n(moment, __ATOMIC_SEQ_CST)) == 0)
        sched_yield();
    return at;
}

static void
a_timer_fires_when_due_and_not_before(void **state)
{
    bob_time when = bob_in_ms(5), at = 0, past = 0;
    struct bob_timer *t = bob_timer_start(timers, when, 0, set_to_now, &at);
    struct bob_timer *late = bob_timer_start(timers, BOB_AT_ONCE, -7, set_to_now, &past);

    (void)state;
    assert_true(waited_for(&past) > 0);
    assert_true(waited_for(&at) >= when);
    bob_timer_free(t);
    bob_timer_free(late);
    bob_timer_free(NULL);
    bob_timers_free(NULL);
}

/* ---- order ---- */

static char order[16];
static struct bob_event all_over;

/* A one-letter argument for write_down. */
#define LETTER(c) ((void *)(intptr_t)(c))

static void
append(intptr_t letter)
{
    size_t len = strlen(order);

    assert_true(len + 1 < sizeof order);
    order[len] = (char)letter;
}

static void
write_down(void *arg)
{
    append((intptr_t)arg);
    if (arg == LETTER('.'))
        bob_event_set(&all_over);
}

static void
hold_up(void *all_there)
{
    (void)!bob_event_wait(all_there, bob_in_seconds(20));
}

static void
they_fire_by_moment_then_as_started(void **state)
{
    bob_time soon = bob_now();
    struct bob_event all_there;
    struct bob_timer *t[6], *first;

    (void)state;
    memset(order, 0, sizeof order);
    bob_event_init(&all_over);
    bob_event_init(&all_there);
    /* None fires before all are there. */
    first = bob_timer_start(timers, soon - 1, 0, hold_up, &all_there);
    t[0] = bob_timer_start(timers, soon + 2, 0, write_down, LETTER('.'));
    t[1] = bob_timer_start(timers, soon, 0, write_down, LETTER('a'));
    t[2] = bob_timer_start(timers, soon + 1, 0, write_down, LETTER('d'));
    t[3] = bob_timer_start(timers, soon, 0, write_down, LETTER('b'));
    t[4] = bob_timer_start(timers, soon, 0, write_down, LETTER('x'));
    t[5] = bob_timer_start(timers, soon, 0, write_down, LETTER('c'));
    assert_true(bob_timer_cancel(t[4]));
    bob_event_set(&all_there);
    assert_int_equal(bob_event_wait(&all_over, bob_in_seconds(20)), BOB_OK);
    for (int i = 0; i < 6; i++)
        bob_timer_free(t[i]);
    bob_timer_free(first);
    assert_string_equal(order, "abcd.");
    bob_event_fini(&all_over);
    bob_event_fini(&all_there);
}

static void
cancel_says_whether_it_was_in_time(void **state)
{
    struct bob_event fired;
    struct bob_timer *soon, *never;

    (void)state;
    bob_event_init(&fired);
    soon = bob_timer_start(timers, BOB_AT_ONCE, 0, set_event, &fired);
    never = bob_timer_start(timers, BOB_FOREVER, 0, set_event, &fired);
    assert_int_equal(bob_event_wait(&fired, bob_in_seconds(20)), BOB_OK);
    assert_false(bob_timer_cancel(soon));
    assert_true(bob_timer_cancel(never));
    assert_false(bob_timer_cancel(never));
    bob_timer_free(soon);
    bob_timer_free(never);
    bob_event_fini(&fired);
}

/* ---- periods ---- */

static struct bob_semaphore *beats;

static void
beat(void *arg)
{
    (void)arg;
    (void)bob_semaphore_release(beats, 1);
}

static void
a_periodic_timer_fires_until_cancelled(void **state)
{
    bob_time before = bob_now();
    struct bob_timer *t;
    unsigned n;

    (void)state;
    beats = bob_semaphore_new(0);
    t = bob_timer_start(timers, bob_in_ms(1), 1, beat, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(bob_semaphore_acquire(beats, bob_in_seconds(20)), BOB_OK);
    assert_true(bob_now() - before >= 5000000);
    bob_timer_free(t); /* waits for a call that runs: afterwards none comes */
    n = bob_semaphore_value(beats);
    assert_int_equal(bob_semaphore_value(beats), n);
    bob_semaphore_free(beats);
}

static void
missed_beats_are_left_out_and_the_beat_is_kept(void **state)
{
    static const struct {
        const char *says;
        int64_t late_ms, period_ms, next_ms; /* after the first moment */
    } T[] = {
        /* No first moment is before the machine's start, from which moments count. */
        {"none is missed", 0, 1000000, 1000000},
        {"two are", 50000, 20000, 60000},
        {"a thousand are", 10005, 10, 10010},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        bob_time first = bob_now() - T[i].late_ms * 1000000;
        struct bob_event fired;
        struct bob_timer *t;
        bob_time due;

        bob_event_init(&fired);
        t = bob_timer_start(timers, first, T[i].period_ms, set_event, &fired);
        assert_int_equal(bob_event_wait(&fired, bob_in_seconds(20)), BOB_OK);
        settle();
        due = bob_timer_due(t);
        if ((due - first) % (T[i].period_ms * 1000000) != 0 || due < first + T[i].next_ms * 1000000)
            fail_msg("%s: %ld ns after the first", T[i].says, (long)(due - first));
        if (T[i].period_ms > 1000) /* of those no other comes within ten seconds */
            assert_true(due == first + T[i].next_ms * 1000000);
        bob_timer_free(t);
        bob_event_fini(&fired);
    }
}

static void
absurd_periods_do_not_wrap(void **state)
{
    static const int64_t absurd[] = {INT64_MAX, INT64_MAX / 1000000, INT64_MAX / 1000000 + 1};

    (void)state;
    for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        struct bob_event fired;
        struct bob_timer *t;

        bob_event_init(&fired);
        t = bob_timer_start(timers, bob_now(), absurd[i], set_event, &fired);
        assert_int_equal(bob_event_wait(&fired, bob_in_seconds(20)), BOB_OK);
        settle();
        assert_true(bob_timer_due(t) == BOB_FOREVER);
        assert_true(bob_timer_is_alive(t));
        assert_true(bob_timer_cancel(t));
        bob_timer_free(t);
        bob_event_fini(&fired);
    }
}

static void
a_negative_period_is_none(void **state)
{
    static const int64_t none[] = {0, -1, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        bob_time at = 0;
        struct bob_timer *t = bob_timer_start(timers, -7, none[i], set_to_now, &at);

        assert_int_equal(bob_timer_join(t, bob_in_seconds(20)), BOB_OK);
        assert_true(at > 0);
        assert_false(bob_timer_is_alive(t));
        assert_true(bob_timer_due(t) == BOB_FOREVER);
        bob_timer_free(t);
    }
}

static void
a_beat_from_at_once_counts_from_now(void **state)
{
    bob_time before = bob_now(), due;
    struct bob_event fired;
    struct bob_timer *t;

    (void)state;
    bob_event_init(&fired);
    t = bob_timer_start(timers, INT64_MIN, 1000000, set_event, &fired);
    assert_int_equal(bob_event_wait(&fired, bob_in_seconds(20)), BOB_OK);
    settle();
    due = bob_timer_due(t);
    assert_true(due >= before + 1000000 * (int64_t)1000000);
    assert_true(due <= bob_in_ms(1000000));
    bob_timer_free(t);
    bob_event_fini(&fired);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        timed(a_timer_fires_when_due_and_not_before),
        timed(they_fire_by_moment_then_as_started),
        timed(cancel_says_whether_it_was_in_time),
        timed(a_periodic_timer_fires_until_cancelled),
        timed(missed_beats_are_left_out_and_the_beat_is_kept),
        timed(absurd_periods_do_not_wrap),
        timed(a_negative_period_is_none),
        timed(a_beat_from_at_once_counts_from_now),
    };

    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
