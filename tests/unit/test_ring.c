/* test_ring.c - lib/ring.c: the order of works, over laps and lengthenings, with memory out, and with many takers.
 *
 * A work is a number here, made a pointer that is never followed.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "failing_malloc.h"
#include "ring.h"

enum { PIECES = 8, LAP = PIECES * BOB_RING_PIECE, TAKERS = 4, MANY = 200000 };

/* Prefetching any address is harmless, but let it be one of ours. */
static char works[MANY + 1][16];

static struct bob_future *
work(uint64_t n)
{
    return (struct bob_future *)(void *)works[n % (MANY + 1)];
}

/* Less than @n. */
static int
any(unsigned *seed, int n)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (int)((*seed >> 8) % (unsigned)n);
}

static uint64_t seen; /* of tail, by the one taker of the simple tests */

static int
start(void **state)
{
    static struct bob_ring ring;

    *state = &ring;
    seen = 0;
    return bob_ring_init_(&ring) ? 0 : -1;
}

static int
end(void **state)
{
    bob_ring_fini_(*state);
    return 0;
}

static void
put(struct bob_ring *r, uint64_t n)
{
    assert_true(bob_ring_reserve_(r));
    bob_ring_put_(r, work(n));
}

static void
an_empty_one_has_none(void **state)
{
    struct bob_ring *r = *state;

    assert_null(bob_ring_take_(r, &seen));
    put(r, 1);
    assert_ptr_equal(bob_ring_take_(r, &seen), work(1));
    assert_null(bob_ring_take_(r, &seen));
    assert_int_equal(bob_ring_len_(r), 0);
}

/* After a lap each slot holds a work that was taken already; it must not come again. */
static void
what_was_taken_never_comes_again(void **state)
{
    struct bob_ring *r = *state;

    for (uint64_t n = 0; n < 5 * LAP; n++) {
        assert_null(bob_ring_take_(r, &seen));
        put(r, n);
        assert_ptr_equal(bob_ring_take_(r, &seen), work(n));
    }
    assert_null(bob_ring_take_(r, &seen));
    assert_int_equal(r->table->mask, PIECES - 1); /* it never grew */
}

/* Wherever head is in its lap, and however long the ring has to become. */
static void
they_come_in_order_however_many_wait(void **state)
{
    struct bob_ring *r = *state;
    uint64_t tail = 0, head = 0;
    unsigned seed = 11;

    for (int round = 0; round < 100; round++) {
        int puts = any(&seed, round % 10 == 0 ? 6 * LAP : LAP);
        int takes = any(&seed, round % 10 == 9 ? 8 * LAP : LAP);

        while (puts-- > 0)
            put(r, tail++);
        assert_int_equal(bob_ring_len_(r), tail - head);
        while (takes-- > 0 && head < tail)
            assert_ptr_equal(bob_ring_take_(r, &seen), work(head++));
        if (head == tail) {
            assert_null(bob_ring_take_(r, &seen));
            bob_ring_trim_(r);
            assert_int_equal(r->table->mask, PIECES - 1);
        }
    }
    while (head < tail)
        assert_ptr_equal(bob_ring_take_(r, &seen), work(head++));
    assert_null(bob_ring_take_(r, &seen));
}

/* A reserve without a put, at every place of a piece, and a trim after it. */
static void
a_room_that_is_not_used_does_no_harm(void **state)
{
    struct bob_ring *r = *state;

    for (uint64_t n = 0; n < 3 * LAP; n++) {
        assert_true(bob_ring_reserve_(r));
        assert_true(bob_ring_reserve_(r));
        assert_null(bob_ring_take_(r, &seen));
        if (n % 3 == 0)
            bob_ring_trim_(r);
        put(r, n);
        assert_ptr_equal(bob_ring_take_(r, &seen), work(n));
    }
}

#ifndef SANITIZED
static void
without_memory_it_refuses_and_stays_as_it_was(void **state)
{
    struct bob_ring *r = *state;
    uint64_t refused = 0;

    for (uint64_t n = 0; n < 4 * LAP; n++) {
        bool has_room;

        left = 0;
        has_room = bob_ring_reserve_(r);
        left = -1;
        refused += !has_room;
        put(r, n);
    }
    assert_in_range(refused, 4 * PIECES - 1, 4 * PIECES + 2);
    for (uint64_t n = 0; n < 4 * LAP; n++)
        assert_ptr_equal(bob_ring_take_(r, &seen), work(n));
    assert_null(bob_ring_take_(r, &seen));

    left = 0;
    bob_ring_trim_(r); /* the long table stays */
    left = -1;
    put(r, 1);
    assert_ptr_equal(bob_ring_take_(r, &seen), work(1));
    left = 0;
    assert_false(bob_ring_init_(&(struct bob_ring){0}));
    left = 1;
    assert_false(bob_ring_init_(&(struct bob_ring){0}));
    left = 2;
    assert_false(bob_ring_init_(&(struct bob_ring){0}));
    left = -1;
}
#endif

/* ---- many takers ---- */

static struct bob_ring *shared;
static bool all_put;           /* atomic */
static int times[MANY + 1];    /* each was taken */
static int disorders, n_takes; /* atomic */

static void *
take_until_the_end(void *unused)
{
    uint64_t last = 0, tail_seen = 0;
    bool ends = false;

    while (!ends) {
        struct bob_future *f;

        ends = __atomic_load_n(&all_put, __ATOMIC_ACQUIRE); /* before the last look */
        while ((f = bob_ring_take_(shared, &tail_seen))) {
            uint64_t n = (uint64_t)((char *)f - works[0]) / sizeof works[0];

            if (n <= last)
                __atomic_add_fetch(&disorders, 1, __ATOMIC_RELAXED);
            last = n;
            __atomic_add_fetch(&times[n], 1, __ATOMIC_RELAXED);
            __atomic_add_fetch(&n_takes, 1, __ATOMIC_RELAXED);
        }
    }
    return unused;
}

/* Bursts of all lengths, so that takers are behind, abreast, and find nothing. */
static void
each_goes_to_one_of_many_takers(void **state)
{
    pthread_t taker[TAKERS];
    unsigned seed = 5;
    uint64_t n = 1;

    shared = *state;
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&taker[i], NULL, take_until_the_end, NULL), 0);
    while (n <= MANY) {
        int burst = any(&seed, any(&seed, 50) == 0 ? 3 * LAP : 20);

        for (; burst > 0 && n <= MANY; burst--)
            put(shared, n++);
        if (any(&seed, 4) == 0)
            (void)sched_yield(); /* they may catch up */
    }
    __atomic_store_n(&all_put, true, __ATOMIC_RELEASE);
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_join(taker[i], NULL), 0);
    assert_int_equal(n_takes, MANY);
    assert_int_equal(disorders, 0);
    for (n = 1; n <= MANY; n++)
        assert_int_equal(times[n], 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_one_has_none, start, end),
        cmocka_unit_test_setup_teardown(what_was_taken_never_comes_again, start, end),
        cmocka_unit_test_setup_teardown(they_come_in_order_however_many_wait, start, end),
        cmocka_unit_test_setup_teardown(a_room_that_is_not_used_does_no_harm, start, end),
#ifndef SANITIZED
        cmocka_unit_test_setup_teardown(without_memory_it_refuses_and_stays_as_it_was, start, end),
#endif
        cmocka_unit_test_setup_teardown(each_goes_to_one_of_many_takers, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
