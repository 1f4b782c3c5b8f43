/* test_deadline.c - the heap of moments: order, moving, clearing, and the thread on its timer.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

#include <bobbin/condition.h>

enum { N = 3000 };

static moment last_due;
static int n_due;

static void
is_due(struct coord *c, struct deadline *d, moment now)
{
    (void)c;
    assert_int_equal(d->index, 0);
    assert_true(d->at <= now);
    assert_true(d->at >= last_due);
    last_due = d->at;
    n_due++;
}

/* Numbers that look drawn, the same each time. */
static uint32_t
next_number(uint32_t *n)
{
    *n ^= *n << 13;
    *n ^= *n >> 17;
    *n ^= *n << 5;
    return *n;
}

static void
serves_in_order_whatever_was_moved_and_cleared(void **state)
{
    static struct deadline d[N];
    struct world w;
    uint32_t number = 17;
    int set = 0;

    (void)state;
    world_open(&w);
    last_due = n_due = 0;
    memset(d, 0, sizeof(d));
    state_lock(w.c);
    for (int i = 0; i < N; i++) {
        d[i].due = is_due;
        assert_int_equal(deadline_room(w.c), WHY_OK);
        deadline_set(w.c, &d[i], NOW + next_number(&number) % 1000);
    }
    for (int i = 0; i < 10 * N; i++) {
        struct deadline *one = &d[next_number(&number) % N];

        if (next_number(&number) % 3)
            deadline_set(w.c, one, NOW + next_number(&number) % 1000);
        else
            deadline_clear(w.c, one);
    }
    for (int i = 0; i < N; i++)
        set += d[i].index != 0;
    state_unlock(w.c);

    for (moment now = NOW, next; now; now = next) {
        next = deadline_serve(w.c, now);
        assert_true(next == 0 || next > now);
        for (int i = 0; i < N; i++)
            assert_true(d[i].index == 0 || d[i].at >= next);
    }
    assert_int_equal(n_due, set);
    state_lock(w.c);
    for (int i = 0; i < N; i++)
        deadline_room_back(w.c);
    state_unlock(w.c);
    world_close(&w);
}

static void
says_when_the_next_is_due(void **state)
{
    struct world w;
    struct client a = {0}, b = {0};

    (void)state;
    world_open(&w);
    assert_int_equal(deadline_serve(w.c, NOW), 0);
    lock_acquire(&w, &a, "db", 0);
    lock_acquire(&w, &b, "db", 5 * SECOND);
    assert_int_equal(deadline_serve(w.c, NOW), NOW + 5 * SECOND);
    world_commit(&w);
    assert_int_equal(deadline_serve(w.c, NOW + 5 * SECOND), NOW + TTL_DEFAULT);
    assert_int_equal(b.told, 1);
    world_close(&w);
}

struct waking { /* a meeting of the test and the thread that serves deadlines */
    struct client client;
    struct bob_lock lock;
    struct bob_condition told;
    bool is_told;
};

static void
wake(struct ask *a)
{
    struct waking *waking = STRUCT_OF(a, struct waking, client.ask);

    bob_lock_hold(&waking->lock);
    waking->is_told = true;
    bob_condition_notify(&waking->told);
    (void)bob_lock_release(&waking->lock);
}

static bool
is_told(void *arg)
{
    return ((struct waking *)arg)->is_told;
}

static void
the_thread_wakes_for_an_earlier_moment_than_it_slept_for(void **state)
{
    struct world w;
    struct fault f = {0};
    struct client a = {0};
    struct waking b = {0};
    struct want want = {
        .owner = "", .permits = 1, .ttl_ns = TTL_DEFAULT, .wait_ns = 20 * NS_PER_MS};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    bob_lock_init(&b.lock, NULL);
    bob_condition_init(&b.told);
    assert_int_equal(deadline_start(w.c, &f), WHY_OK);
    moment now = clock_now();
    assert_int_equal(acquire(&w, &a, HOLD_LOCK, "db", now, (struct want){0}), WHY_OK);
    b.client.ask.tell = wake;
    assert_int_equal(hold_acquire(w.c, now, HOLD_LOCK, "db", &want, &b.client.ask), WHY_PENDING);
    bob_lock_hold(&b.lock);
    assert_true(bob_condition_wait_for(&b.told, &b.lock, is_told, &b, bob_in_ms(10000)));
    (void)bob_lock_release(&b.lock);
    moment told_at = clock_now();
    assert_true(told_at >= now + want.wait_ns);
    assert_int_equal(b.client.ask.outcome.why, WHY_LOCK_HELD);
    assert_true(coord_deadline_beat(w.c) > 0);
    coord_stop(w.c);
    bob_condition_fini(&b.told);
    bob_lock_fini(&b.lock);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_in_order_whatever_was_moved_and_cleared),
        cmocka_unit_test(says_when_the_next_is_due),
        cmocka_unit_test(the_thread_wakes_for_an_earlier_moment_than_it_slept_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
