/* timers_world.h - timers of a test's own, and the moment from which what they say is settled; for a test that is timed().
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_TIMERS_WORLD_H
#define TESTS_TIMERS_WORLD_H

#include <bobbin/event.h>
#include <bobbin/timer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct bob_timers *timers;

static inline int
timers_start(void **state)
{
    (void)state;
    timers = bob_timers_new("clockwork");
    return timers ? 0 : -1;
}

static inline int
timers_end(void **state)
{
    (void)state;
    bob_timers_free(timers);
    return 0;
}

#define timed(fn) cmocka_unit_test_setup_teardown(fn, timers_start, timers_end)

static inline void
set_event(void *e)
{
    bob_event_set(e);
}

static inline void
nothing(void *arg)
{
    (void)arg;
}

/* Waits until the timers' thread has done all that was due: then what it says of a timer is settled. */
static inline void
settle(void)
{
    struct bob_timer *last = bob_timer_start(timers, BOB_AT_ONCE, 0, nothing, NULL);

    assert_int_equal(bob_timer_join(last, bob_in_seconds(20)), BOB_OK);
    bob_timer_free(last);
}

#endif
