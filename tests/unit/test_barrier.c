/* test_barrier.c - lib/barrier.c: all go on, or all are told that they do not.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/barrier.h>
#include <bobbin/event.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_malloc.h"

#ifndef SANITIZED
static void
without_memory_there_is_none(void **state)
{
    struct bob_barrier *b;

    (void)state;
    left = 0;
    b = bob_barrier_new(2, NULL, NULL);
    left = -1;
    assert_null(b);
}
#endif

enum { PARTIES = 4, NO_INDEX = 99 };

/* What the action does, and what it saw. */
struct scene {
    struct bob_barrier *b;
    int actions;                     /* plain: only one thread at a time is in the action */
    enum bob_err fails_with, nested; /* nested: of a wait in the action */
    void (*meddles)(struct bob_barrier *b);
    struct bob_event in_action, go; /* with waits: the action stops between them */
    bool waits;
};

struct party {
    struct scene *scene;
    bob_time deadline;
    struct bob_thread *thread;
    unsigned index;
    enum bob_err err;
};

static enum bob_err
act(void *arg)
{
    struct scene *s = arg;

    s->actions++;
    s->nested = bob_barrier_wait(s->b, BOB_FOREVER, NULL);
    if (s->meddles)
        s->meddles(s->b);
    if (s->waits) {
        bob_event_set(&s->in_action);
        (void)!bob_event_wait(&s->go, bob_in_seconds(20));
    }
    return s->fails_with;
}

static void
open_scene(struct scene *s, unsigned parties)
{
    *s = (struct scene){.fails_with = BOB_OK};
    bob_event_init(&s->in_action);
    bob_event_init(&s->go);
    s->b = bob_barrier_new(parties, act, s);
    assert_non_null(s->b);
}

static void
close_scene(struct scene *s)
{
    bob_barrier_free(s->b);
    bob_event_fini(&s->go);
    bob_event_fini(&s->in_action);
}

static void *
go_to_barrier(void *arg)
{
    struct party *p = arg;

    p->err = bob_barrier_wait(p->scene->b, p->deadline, &p->index);
    return NULL;
}

static void
send(struct party *p, struct scene *s, bob_time deadline)
{
    *p = (struct party){.scene = s, .deadline = deadline, .index = NO_INDEX};
    assert_int_equal(bob_thread_start(&p->thread, "party", go_to_barrier, p, NULL), BOB_OK);
}

static void
send_and_see(struct party *p, struct scene *s, unsigned n)
{
    send(p, s, bob_in_seconds(20));
    while (bob_barrier_n_waiting(s->b) < n)
        (void)sched_yield();
}

static enum bob_err
come_back(struct party *p)
{
    assert_int_equal(bob_thread_join(p->thread, bob_in_seconds(20), NULL), BOB_OK);
    bob_thread_free(p->thread);
    return p->err;
}

/* All come: all must go on. */
static void
one_good_round(struct scene *s, int n)
{
    struct party p[PARTIES];
    unsigned seen = 0;
    int before = s->actions;

    for (int i = 0; i < n; i++)
        send(&p[i], s, bob_in_seconds(20));
    for (int i = 0; i < n; i++) {
        assert_int_equal(come_back(&p[i]), BOB_OK);
        seen |= 1u << p[i].index;
    }
    assert_int_equal(seen, (1u << n) - 1);
    assert_int_equal(s->actions, before + 1);
}

static void
each_round_has_one_action_and_every_index_once(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, PARTIES);
    assert_int_equal(bob_barrier_parties(s.b), PARTIES);
    for (int i = 0; i < 20; i++)
        one_good_round(&s, PARTIES);
    assert_int_equal(s.nested, BOB_ERR_STATE);
    assert_int_equal(bob_barrier_n_waiting(s.b), 0);
    assert_false(bob_barrier_broken(s.b));
    close_scene(&s);
}

static void
one_party_needs_nobody(void **state)
{
    struct bob_barrier *b = bob_barrier_new(1, NULL, NULL);
    unsigned index = NO_INDEX;

    (void)state;
    assert_int_equal(bob_barrier_wait(b, BOB_AT_ONCE, &index), BOB_OK);
    assert_int_equal(index, 0);
    assert_int_equal(bob_barrier_wait(b, BOB_FOREVER, NULL), BOB_OK);
    bob_barrier_free(b);
    bob_barrier_free(NULL);
    assert_null(bob_barrier_new(0, NULL, NULL));
}

static void
who_is_late_breaks_it_for_all(void **state)
{
    struct scene s;
    struct party p[2], q;

    (void)state;
    open_scene(&s, PARTIES);
    send_and_see(&p[0], &s, 1);
    send_and_see(&p[1], &s, 2);
    send(&q, &s, bob_in_ms(2));
    assert_int_equal(come_back(&q), BOB_ERR_TIMEOUT);
    assert_int_equal(come_back(&p[0]), BOB_ERR_BROKEN);
    assert_int_equal(come_back(&p[1]), BOB_ERR_BROKEN);
    assert_int_equal(p[0].index, NO_INDEX);
    assert_true(bob_barrier_broken(s.b));
    assert_int_equal(bob_barrier_wait(s.b, BOB_FOREVER, NULL), BOB_ERR_BROKEN);
    assert_int_equal(s.actions, 0);
    bob_barrier_reset(s.b);
    assert_false(bob_barrier_broken(s.b));
    assert_int_equal(bob_barrier_wait(s.b, BOB_AT_ONCE, NULL), BOB_ERR_TIMEOUT);
    bob_barrier_reset(s.b);
    one_good_round(&s, PARTIES);
    close_scene(&s);
}

static void
abort_and_reset_fail_those_that_wait(void **state)
{
    struct scene s;
    struct party p[2];

    (void)state;
    open_scene(&s, 3);
    for (int i = 0; i < 2; i++) {
        send_and_see(&p[0], &s, 1);
        send_and_see(&p[1], &s, 2);
        if (i == 0)
            bob_barrier_reset(s.b);
        else
            bob_barrier_abort(s.b);
        assert_int_equal(come_back(&p[0]), BOB_ERR_BROKEN);
        assert_int_equal(come_back(&p[1]), BOB_ERR_BROKEN);
        assert_int_equal(bob_barrier_broken(s.b), i == 1);
        assert_int_equal(bob_barrier_n_waiting(s.b), 0);
        if (i == 0)
            one_good_round(&s, 3);
    }
    close_scene(&s);
}

static void
an_action_that_fails_breaks_it(void **state)
{
    struct scene s;
    struct party p[2];
    enum bob_err err[2];

    (void)state;
    open_scene(&s, 2);
    s.fails_with = BOB_ERR_SYSTEM;
    for (int i = 0; i < 2; i++)
        send(&p[i], &s, bob_in_seconds(20));
    for (int i = 0; i < 2; i++)
        err[i] = come_back(&p[i]);
    assert_true((err[0] == BOB_ERR_SYSTEM && err[1] == BOB_ERR_BROKEN) ||
                (err[1] == BOB_ERR_SYSTEM && err[0] == BOB_ERR_BROKEN));
    assert_int_equal(p[0].index, NO_INDEX);
    assert_int_equal(p[1].index, NO_INDEX);
    assert_true(bob_barrier_broken(s.b));
    s.fails_with = BOB_OK;
    bob_barrier_reset(s.b);
    one_good_round(&s, 2);
    close_scene(&s);
}

static void
the_action_may_abort_or_reset(void **state)
{
    struct scene s;
    struct party p[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        open_scene(&s, 2);
        s.meddles = i ? bob_barrier_abort : bob_barrier_reset;
        for (int n = 0; n < 2; n++)
            send(&p[n], &s, bob_in_seconds(20));
        assert_int_equal(come_back(&p[0]), BOB_ERR_BROKEN);
        assert_int_equal(come_back(&p[1]), BOB_ERR_BROKEN);
        assert_int_equal(bob_barrier_broken(s.b), i);
        close_scene(&s);
    }
}

/* Two parties, the second in the action, which waits for s->go. */
static void
stop_in_action(struct scene *s, struct party p[2], bob_time deadline)
{
    open_scene(s, 2);
    s->waits = true;
    send(&p[0], s, deadline);
    while (bob_barrier_n_waiting(s->b) < 1)
        (void)sched_yield();
    send(&p[1], s, bob_in_seconds(20));
    assert_int_equal(bob_event_wait(&s->in_action, bob_in_seconds(20)), BOB_OK);
}

static void
a_deadline_that_passes_in_the_action_breaks_nothing(void **state)
{
    struct scene s;
    struct party p[2];
    bob_time until = bob_in_seconds(1);

    (void)state;
    stop_in_action(&s, p, until); /* long enough to come, and over before the action is */
    assert_int_equal(bob_barrier_wait(s.b, BOB_AT_ONCE, NULL), BOB_ERR_TIMEOUT); /* no party */
    assert_int_equal(bob_barrier_wait(s.b, until + 1, NULL), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_barrier_n_waiting(s.b), 2);
    bob_event_set(&s.go);
    assert_int_equal(come_back(&p[0]), BOB_OK);
    assert_int_equal(come_back(&p[1]), BOB_OK);
    assert_false(bob_barrier_broken(s.b));
    close_scene(&s);
}

static void
a_reset_in_the_action_fails_its_round_and_no_other(void **state)
{
    struct scene s;
    struct party p[2], q[2];

    (void)state;
    stop_in_action(&s, p, BOB_FOREVER);
    bob_barrier_reset(s.b);
    assert_int_equal(come_back(&p[0]), BOB_ERR_BROKEN);
    for (int i = 0; i < 2; i++)
        send(&q[i], &s, bob_in_seconds(20)); /* the next round: after the action */
    bob_event_set(&s.go);
    assert_int_equal(come_back(&p[1]), BOB_ERR_BROKEN);
    assert_int_equal(come_back(&q[0]), BOB_OK);
    assert_int_equal(come_back(&q[1]), BOB_OK);
    assert_int_equal(s.actions, 2);
    close_scene(&s);
}

static void
an_abort_in_the_action_breaks_it_at_once(void **state)
{
    struct scene s;
    struct party p[2];

    (void)state;
    stop_in_action(&s, p, BOB_FOREVER);
    bob_barrier_abort(s.b);
    assert_int_equal(come_back(&p[0]), BOB_ERR_BROKEN);
    assert_int_equal(bob_barrier_wait(s.b, BOB_FOREVER, NULL), BOB_ERR_BROKEN);
    s.fails_with = BOB_ERR_SYSTEM;
    bob_event_set(&s.go);
    assert_int_equal(come_back(&p[1]), BOB_ERR_SYSTEM);
    assert_true(bob_barrier_broken(s.b));
    close_scene(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_round_has_one_action_and_every_index_once),
        cmocka_unit_test(one_party_needs_nobody),
#ifndef SANITIZED
        cmocka_unit_test(without_memory_there_is_none),
#endif
        cmocka_unit_test(who_is_late_breaks_it_for_all),
        cmocka_unit_test(abort_and_reset_fail_those_that_wait),
        cmocka_unit_test(an_action_that_fails_breaks_it),
        cmocka_unit_test(the_action_may_abort_or_reset),
        cmocka_unit_test(a_deadline_that_passes_in_the_action_breaks_nothing),
        cmocka_unit_test(a_reset_in_the_action_fails_its_round_and_no_other),
        cmocka_unit_test(an_abort_in_the_action_breaks_it_at_once),
    };

    return cmocka_run_group_tests_name("barrier", tests, NULL, NULL);
}
