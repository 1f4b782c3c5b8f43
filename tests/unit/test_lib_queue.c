/* test_lib_queue.c - lib/queue.c: bounded, in order, joined, and shut down; whichever of two threads comes first.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int item[8];

static void *
get(struct bob_queue *q)
{
    void *got = NULL;

    assert_int_equal(bob_queue_get(q, &got, BOB_AT_ONCE), BOB_OK);
    return got;
}

static void
items_come_out_as_they_went_in(void **state)
{
    struct bob_queue *q = bob_queue_new(3);

    (void)state;
    for (int round = 0; round < 5; round++) { /* the ring turns */
        for (int i = 0; i < 2; i++)
            assert_int_equal(bob_queue_put(q, &item[i], BOB_AT_ONCE), BOB_OK);
        assert_int_equal(bob_queue_size(q), 2);
        assert_ptr_equal(get(q), &item[0]);
        assert_ptr_equal(get(q), &item[1]);
    }
    assert_int_equal(bob_queue_put(q, NULL, BOB_FOREVER), BOB_OK); /* NULL is an item like any */
    assert_null(get(q));
    assert_int_equal(bob_queue_size(q), 0);
    bob_queue_free(q);
    bob_queue_free(NULL);
}

static void
a_full_queue_takes_nothing(void **state)
{
    struct bob_queue *q = bob_queue_new(1);
    bob_time until;

    (void)state;
    assert_int_equal(bob_queue_put(q, &item[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_AT_ONCE), BOB_ERR_FULL);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_AT_ONCE - 1), BOB_ERR_FULL);
    until = bob_in_ms(3);
    assert_int_equal(bob_queue_put(q, &item[1], until), BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    assert_int_equal(bob_queue_size(q), 1);
    bob_queue_free(q);
}

static void
an_empty_queue_gives_nothing(void **state)
{
    struct bob_queue *q = bob_queue_new(1);
    void *got = item;
    bob_time until = bob_in_ms(3);

    (void)state;
    assert_int_equal(bob_queue_get(q, &got, BOB_AT_ONCE), BOB_ERR_EMPTY);
    assert_int_equal(bob_queue_get(q, &got, BOB_AT_ONCE - 1), BOB_ERR_EMPTY);
    assert_int_equal(bob_queue_get(q, &got, until), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_queue_get(q, &got, until), BOB_ERR_TIMEOUT); /* has passed */
    assert_true(bob_now() >= until);
    assert_ptr_equal(got, item); /* as it was */
    bob_queue_free(q);
}

static void *
put_one(void *q)
{
    return (void *)(intptr_t)bob_queue_put(q, &item[1], bob_in_seconds(20));
}

static void *
get_one(void *q)
{
    void *got = NULL;
    enum bob_err err = bob_queue_get(q, &got, bob_in_seconds(20));

    return err ? (void *)(intptr_t)err : got;
}

static void *
join_all_done(void *q)
{
    return (void *)(intptr_t)bob_queue_join(q, bob_in_seconds(20));
}

static void *
joined(struct bob_thread *t)
{
    void *value = NULL;

    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &value), BOB_OK);
    bob_thread_free(t);
    return value;
}

static void
a_putter_waits_for_a_slot_and_a_getter_for_an_item(void **state)
{
    struct bob_queue *q = bob_queue_new(1);
    struct bob_thread *putter, *getter;

    (void)state;
    assert_int_equal(bob_queue_put(q, &item[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_thread_start(&putter, "putter", put_one, q, NULL), BOB_OK);
    assert_ptr_equal(get(q), &item[0]);
    assert_int_equal((intptr_t)joined(putter), BOB_OK);
    assert_ptr_equal(get(q), &item[1]);

    assert_int_equal(bob_thread_start(&getter, "getter", get_one, q, NULL), BOB_OK);
    assert_int_equal(bob_queue_put(q, &item[2], BOB_AT_ONCE), BOB_OK);
    assert_ptr_equal(joined(getter), &item[2]);
    bob_queue_free(q);
}

static void
shut_down_refuses_putters_and_drains_getters(void **state)
{
    struct bob_queue *q = bob_queue_new(2);
    void *got = NULL;

    (void)state;
    assert_int_equal(bob_queue_put(q, &item[0], BOB_AT_ONCE), BOB_OK);
    bob_queue_shut_down(q);
    bob_queue_shut_down(q);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_AT_ONCE), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_FOREVER), BOB_ERR_SHUT_DOWN);
    assert_ptr_equal(get(q), &item[0]);
    assert_int_equal(bob_queue_get(q, &got, BOB_AT_ONCE), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_queue_get(q, &got, BOB_FOREVER), BOB_ERR_SHUT_DOWN);
    bob_queue_free(q);
}

static void
shut_down_wakes_all_that_wait(void **state)
{
    struct bob_queue *empty = bob_queue_new(1), *full = bob_queue_new(1);
    struct bob_thread *getter[3], *putter[3];

    (void)state;
    assert_int_equal(bob_queue_put(full, &item[0], BOB_AT_ONCE), BOB_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bob_thread_start(&getter[i], "getter", get_one, empty, NULL), BOB_OK);
        assert_int_equal(bob_thread_start(&putter[i], "putter", put_one, full, NULL), BOB_OK);
    }
    bob_queue_shut_down(empty);
    bob_queue_shut_down(full);
    for (int i = 0; i < 3; i++) {
        assert_int_equal((intptr_t)joined(getter[i]), BOB_ERR_SHUT_DOWN);
        assert_int_equal((intptr_t)joined(putter[i]), BOB_ERR_SHUT_DOWN);
    }
    bob_queue_free(empty);
    bob_queue_free(full);
}

static void
join_waits_until_every_item_is_done(void **state)
{
    struct bob_queue *q = bob_queue_new(4);
    struct bob_thread *joiner;

    (void)state;
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_OK); /* nothing was put */
    assert_int_equal(bob_queue_task_done(q), BOB_ERR_INVALID);
    assert_int_equal(bob_queue_put(q, &item[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_AT_ONCE), BOB_OK);
    assert_ptr_equal(get(q), &item[0]);
    assert_int_equal(bob_queue_task_done(q), BOB_OK);
    assert_ptr_equal(get(q), &item[1]);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_queue_join(q, bob_in_ms(2)), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_thread_start(&joiner, "joiner", join_all_done, q, NULL), BOB_OK);
    assert_int_equal(bob_queue_task_done(q), BOB_OK);
    assert_int_equal((intptr_t)joined(joiner), BOB_OK);
    bob_queue_free(q);
}

static void
done_is_said_once_for_each_put_and_not_more(void **state)
{
    struct bob_queue *q = bob_queue_new(0);

    (void)state;
    assert_int_equal(bob_queue_task_done(q), BOB_ERR_INVALID);
    assert_int_equal(bob_queue_put(q, &item[0], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_task_done(q), BOB_OK); /* before the get: as in Python */
    assert_int_equal(bob_queue_task_done(q), BOB_ERR_INVALID);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_queue_shut_down_now(q, NULL), 2); /* one more than is unfinished */
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_task_done(q), BOB_ERR_INVALID);
    bob_queue_free(q);
}

static int dropped[8], ndropped; /* which items, in order */
static struct bob_queue *dropping;

static void
note_drop(void *p)
{
    dropped[ndropped++] = (int)((int *)p - item);
    if (dropping) {
        assert_int_equal(bob_queue_size(dropping), 0);
        assert_int_equal(bob_queue_put(dropping, p, BOB_FOREVER), BOB_ERR_SHUT_DOWN);
        assert_int_equal(bob_queue_join(dropping, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
        bob_queue_shut_down(dropping);
        assert_int_equal(bob_queue_shut_down_now(dropping, note_drop), 0);
    }
}

static struct bob_queue *(*const make[])(size_t) = {bob_queue_new, bob_queue_new_lifo,
                                                    bob_queue_new_priority};

static void
shut_down_now_drops_in_the_order_of_get(void **state)
{
    static const int order[3][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        for (size_t maxsize = 0; maxsize < 8; maxsize += 4) {
            struct bob_queue *q = make[kind](maxsize);

            for (int i = 0; i < 3; i++)
                assert_int_equal(kind < 2 ? bob_queue_put(q, &item[i], BOB_AT_ONCE)
                                          : bob_queue_put_at(q, &item[i], i == 1 ? -1 : 0, 0),
                                 BOB_OK);
            ndropped = 0;
            dropping = q;
            assert_int_equal(bob_queue_shut_down_now(q, note_drop), 3);
            dropping = NULL;
            assert_int_equal(ndropped, 3);
            assert_memory_equal(dropped, order[kind], sizeof order[kind]);
            assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_OK);
            assert_int_equal(bob_queue_task_done(q), BOB_ERR_INVALID);
            bob_queue_free(q);
        }
    }
}

static void
shut_down_now_leaves_what_was_gotten_unfinished(void **state)
{
    struct bob_queue *q = bob_queue_new(4);
    struct bob_thread *joiner;
    void *got = NULL;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(bob_queue_put(q, &item[i], BOB_AT_ONCE), BOB_OK);
    assert_ptr_equal(get(q), &item[0]);
    assert_int_equal(bob_thread_start(&joiner, "joiner", join_all_done, q, NULL), BOB_OK);
    bob_queue_shut_down(q);
    assert_ptr_equal(get(q), &item[1]); /* drained, until now */
    assert_int_equal(bob_queue_shut_down_now(q, NULL), 2);
    assert_int_equal(bob_queue_shut_down_now(q, NULL), 0);
    assert_int_equal(bob_queue_get(q, &got, BOB_FOREVER), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_queue_put(q, &item[0], BOB_AT_ONCE), BOB_ERR_SHUT_DOWN);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_queue_task_done(q), BOB_OK);
    assert_int_equal(bob_queue_join(q, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_true(bob_thread_is_alive(joiner));
    assert_int_equal(bob_queue_task_done(q), BOB_OK);
    assert_int_equal((intptr_t)joined(joiner), BOB_OK);
    bob_queue_free(q);
}

static void
shut_down_now_wakes_all_that_wait_and_joiners_too(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct bob_queue *empty = make[kind](0), *full = make[kind](1);
        struct bob_thread *getter[3], *putter[3], *joiner[3];

        assert_int_equal(bob_queue_put(full, &item[0], BOB_AT_ONCE), BOB_OK);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(bob_thread_start(&getter[i], "getter", get_one, empty, NULL), BOB_OK);
            assert_int_equal(bob_thread_start(&putter[i], "putter", put_one, full, NULL), BOB_OK);
            assert_int_equal(bob_thread_start(&joiner[i], "joiner", join_all_done, full, NULL),
                             BOB_OK);
        }
        assert_int_equal(bob_queue_shut_down_now(empty, note_drop), 0);
        ndropped = 0;
        assert_int_equal(bob_queue_shut_down_now(full, note_drop), 1);
        assert_int_equal(ndropped, 1);
        for (int i = 0; i < 3; i++) {
            assert_int_equal((intptr_t)joined(getter[i]), BOB_ERR_SHUT_DOWN);
            assert_int_equal((intptr_t)joined(putter[i]), BOB_ERR_SHUT_DOWN);
            assert_int_equal((intptr_t)joined(joiner[i]), BOB_OK);
        }
        bob_queue_free(empty);
        bob_queue_free(full);
    }
}

static void
its_size_is_shown(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct bob_queue *q = make[kind](2), *endless = make[kind](0);

        assert_int_equal(bob_queue_maxsize(q), 2);
        assert_int_equal(bob_queue_maxsize(endless), 0);
        assert_true(bob_queue_empty(q) && !bob_queue_full(q));
        assert_true(bob_queue_empty(endless) && !bob_queue_full(endless));
        for (int i = 0; i < 2; i++) {
            assert_int_equal(bob_queue_put(q, &item[i], BOB_AT_ONCE), BOB_OK);
            assert_int_equal(bob_queue_put(endless, &item[i], BOB_AT_ONCE), BOB_OK);
        }
        assert_true(!bob_queue_empty(q) && bob_queue_full(q));
        assert_true(!bob_queue_empty(endless) && !bob_queue_full(endless));
        assert_int_equal(bob_queue_size(endless), 2);
        assert_int_equal(bob_queue_put(q, &item[2], BOB_AT_ONCE), BOB_ERR_FULL);
        bob_queue_shut_down(q);
        assert_int_equal(bob_queue_size(q), 2);
        bob_queue_free(q);
        bob_queue_free(endless);
    }
}

static void
a_maxsize_has_limits(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        assert_null(make[kind](SIZE_MAX));
        assert_null(make[kind](SIZE_MAX / sizeof(void *) - 2));
        assert_null(make[kind](SIZE_MAX / sizeof(void *) + 2));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_as_they_went_in),
        cmocka_unit_test(a_full_queue_takes_nothing),
        cmocka_unit_test(an_empty_queue_gives_nothing),
        cmocka_unit_test(a_putter_waits_for_a_slot_and_a_getter_for_an_item),
        cmocka_unit_test(shut_down_refuses_putters_and_drains_getters),
        cmocka_unit_test(shut_down_wakes_all_that_wait),
        cmocka_unit_test(join_waits_until_every_item_is_done),
        cmocka_unit_test(done_is_said_once_for_each_put_and_not_more),
        cmocka_unit_test(shut_down_now_drops_in_the_order_of_get),
        cmocka_unit_test(shut_down_now_leaves_what_was_gotten_unfinished),
        cmocka_unit_test(shut_down_now_wakes_all_that_wait_and_joiners_too),
        cmocka_unit_test(its_size_is_shown),
        cmocka_unit_test(a_maxsize_has_limits),
    };

    return cmocka_run_group_tests_name("lib_queue", tests, NULL, NULL);
}
