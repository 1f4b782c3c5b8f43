/* test_lib_queue_memory.c - lib/queue.c when memory is out, and that it gives back what it took.
 * Not under a sanitizer: see failing_malloc.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "failing_malloc.h"

#ifndef SANITIZED

static int cell;
static struct bob_queue *(*const make[])(size_t) = {bob_queue_new, bob_queue_new_lifo,
                                                    bob_queue_new_priority};

static void
a_queue_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        for (size_t maxsize = 0; maxsize < 10; maxsize += 5) {
            struct bob_queue *q = NULL;
            size_t before = held_bytes;
            int tries;

            for (tries = 0; !q && tries < 9; tries++) {
                assert_int_equal(held_bytes, before);
                left = tries;
                q = make[kind](maxsize);
                left = -1;
            }
            assert_int_equal(tries, 3); /* itself, and the first slots */
            bob_queue_free(q);
            assert_int_equal(held_bytes, before);
        }
    }
}

static void
with_a_maxsize_nothing_is_allocated_later(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct bob_queue *q = make[kind](200);
        size_t before = held_bytes;
        void *got;

        left = 0;
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 200; i++)
                if (bob_queue_put(q, &cell, BOB_AT_ONCE))
                    fail();
            for (int i = 0; i < 200; i++)
                if (bob_queue_get(q, &got, BOB_AT_ONCE))
                    fail();
        }
        left = -1;
        assert_int_equal(held_bytes, before);
        bob_queue_free(q);
    }
}

static void
a_put_without_memory_changes_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct bob_queue *q = make[kind](0);
        enum bob_err err = BOB_OK;
        size_t n = 0;
        void *got = NULL;

        left = 0;
        while (!err && n < 1000)
            n += !(err = bob_queue_put(q, (void *)(n + 1), BOB_AT_ONCE));
        left = -1;
        assert_int_equal(err, BOB_ERR_NO_MEMORY);
        assert_in_range(n, 2, 999);
        assert_int_equal(bob_queue_size(q), n);
        assert_int_equal(bob_queue_put(q, (void *)(n + 1), BOB_AT_ONCE), BOB_OK); /* now it can */
        for (size_t i = 1; i <= n + 1; i++) {
            assert_int_equal(bob_queue_get(q, &got, BOB_AT_ONCE), BOB_OK);
            assert_int_equal((size_t)got, kind == 1 ? n + 2 - i : i);
            assert_int_equal(bob_queue_task_done(q), BOB_OK);
        }
        assert_int_equal(bob_queue_task_done(q), BOB_ERR_INVALID);
        bob_queue_free(q);
    }
}

static void
after_a_burst_memory_is_given_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct bob_queue *q = make[kind](0);
        size_t before = held_bytes;
        void *got = NULL;

        for (size_t i = 0; i < 100000; i++)
            if (bob_queue_put(q, &cell, BOB_AT_ONCE))
                fail();
        assert_true(held_bytes - before >= 100000 * sizeof(void *));
        for (size_t i = 0; i < 100000; i++) {
            left = i < 50000 ? 0 : -1; /* a get needs none, also to shrink */
            if (bob_queue_get(q, &got, BOB_AT_ONCE))
                fail();
        }
        assert_true(held_bytes - before <= 4096); /* a page, as it was mapped */
        bob_queue_free(q);
    }
}

static void
all_is_freed_with_items_in_it(void **state)
{
    size_t before = held_bytes;

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        for (int way = 0; way < 4; way++) {
            struct bob_queue *q = make[kind](way % 2 ? 1000 : 0);

            for (int i = 0; i < 1000; i++)
                assert_int_equal(bob_queue_put(q, &cell, BOB_AT_ONCE), BOB_OK);
            if (way < 2)
                assert_int_equal(bob_queue_shut_down_now(q, NULL), 1000);
            bob_queue_free(q);
            assert_int_equal(held_bytes, before);
        }
    }
}

#endif

int
main(void)
{
#ifdef SANITIZED
    (void)puts("1..0 # SKIP a sanitizer has a malloc of its own");
    return 0;
#else
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_is_made_whole_or_not_at_all),
        cmocka_unit_test(with_a_maxsize_nothing_is_allocated_later),
        cmocka_unit_test(a_put_without_memory_changes_nothing),
        cmocka_unit_test(after_a_burst_memory_is_given_back),
        cmocka_unit_test(all_is_freed_with_items_in_it),
    };

    return cmocka_run_group_tests_name("lib_queue_memory", tests, NULL, NULL);
#endif
}
