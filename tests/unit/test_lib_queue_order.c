/* test_lib_queue_order.c - lib/queue.c and where it keeps its items: each kind's order, against a plain array.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static int item[8];

static void *
get(struct bob_queue *q)
{
    void *got = NULL;

    assert_int_equal(bob_queue_get(q, &got, BOB_AT_ONCE), BOB_OK);
    return got;
}

static void
the_lowest_comes_first_and_equals_in_order(void **state)
{
    static const int64_t priority[] = {5, INT64_MIN, 5, INT64_MAX, 0, 5, -3, INT64_MIN};
    static const int order[] = {1, 7, 6, 4, 0, 2, 5, 3};

    (void)state;
    for (size_t maxsize = 0; maxsize <= 8; maxsize += 8) {
        struct bob_queue *q = bob_queue_new_priority(maxsize);

        for (int i = 0; i < 8; i++)
            assert_int_equal(bob_queue_put_at(q, &item[i], priority[i], BOB_AT_ONCE), BOB_OK);
        for (int i = 0; i < 8; i++)
            assert_ptr_equal(get(q), &item[order[i]]);
        assert_true(bob_queue_empty(q));
        bob_queue_free(q);
    }
}

static void
without_one_a_priority_is_0(void **state)
{
    struct bob_queue *q = bob_queue_new_priority(0);

    (void)state;
    assert_int_equal(bob_queue_put_at(q, &item[0], 1, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &item[1], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put_at(q, &item[2], 0, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put_at(q, &item[3], -1, BOB_AT_ONCE), BOB_OK);
    assert_ptr_equal(get(q), &item[3]);
    assert_ptr_equal(get(q), &item[1]);
    assert_ptr_equal(get(q), &item[2]);
    assert_ptr_equal(get(q), &item[0]);
    bob_queue_free(q);
}

static void
the_other_kinds_take_no_priority(void **state)
{
    struct bob_queue *fifo = bob_queue_new(2), *lifo = bob_queue_new_lifo(0);

    (void)state;
    assert_int_equal(bob_queue_put_at(fifo, item, 0, BOB_AT_ONCE), BOB_ERR_INVALID);
    assert_int_equal(bob_queue_put_at(lifo, item, 1, BOB_FOREVER), BOB_ERR_INVALID);
    assert_int_equal(bob_queue_size(fifo) + bob_queue_size(lifo), 0);
    assert_int_equal(bob_queue_join(lifo, BOB_AT_ONCE), BOB_OK);
    bob_queue_free(fifo);
    bob_queue_free(lifo);
}

static void
the_last_comes_first_from_a_stack(void **state)
{
    struct bob_queue *q = bob_queue_new_lifo(3);

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_queue_put(q, &item[i], BOB_AT_ONCE), BOB_OK);
    assert_ptr_equal(get(q), &item[2]);
    assert_int_equal(bob_queue_put(q, &item[3], BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_queue_put(q, &item[4], BOB_AT_ONCE), BOB_ERR_FULL);
    assert_ptr_equal(get(q), &item[3]);
    assert_ptr_equal(get(q), &item[1]);
    assert_ptr_equal(get(q), &item[0]);
    bob_queue_free(q);
}

/* ---- against an array that is searched ---- */

enum { FIFO, LIFO, PRIORITY, STEPS = 30000, MODEL_MAX = 2000 };

struct entry {
    int64_t priority;
    intptr_t number; /* grows from put to put */
};

static struct entry model[MODEL_MAX];
static size_t model_len;

static bool
is_before(int kind, const struct entry *a, const struct entry *b)
{
    if (kind == PRIORITY && a->priority != b->priority)
        return a->priority < b->priority;
    return kind == LIFO ? a->number > b->number : a->number < b->number;
}

static intptr_t
model_get(int kind)
{
    size_t best = 0;
    intptr_t number;

    for (size_t i = 1; i < model_len; i++)
        if (is_before(kind, &model[i], &model[best]))
            best = i;
    number = model[best].number;
    model[best] = model[--model_len];
    return number;
}

static void
put_step(struct bob_queue *q, int kind, size_t maxsize, intptr_t number)
{
    struct entry e = {rand() % 20 - 10, number};
    enum bob_err err = kind == PRIORITY
                           ? bob_queue_put_at(q, (void *)number, e.priority, BOB_AT_ONCE)
                           : bob_queue_put(q, (void *)number, BOB_AT_ONCE);

    if (maxsize > 0 && model_len == maxsize) {
        assert_int_equal(err, BOB_ERR_FULL);
        return;
    }
    assert_int_equal(err, BOB_OK);
    model[model_len++] = e;
}

static void
get_step(struct bob_queue *q, int kind)
{
    void *got = NULL;
    enum bob_err err = bob_queue_get(q, &got, BOB_AT_ONCE);

    assert_int_equal(err, model_len > 0 ? BOB_OK : BOB_ERR_EMPTY);
    if (!err)
        assert_int_equal((intptr_t)got, model_get(kind));
}

/* Tides: mostly puts, then mostly gets, so that a store grows, turns, shrinks and runs dry. */
static void
walk(struct bob_queue *q, int kind, size_t maxsize)
{
    model_len = 0;
    for (intptr_t i = 1; i <= STEPS; i++) {
        bool is_flood = i / 3000 % 2 == 0;

        if ((rand() % 10 < (is_flood ? 7 : 3)) && model_len < MODEL_MAX)
            put_step(q, kind, maxsize, i);
        else
            get_step(q, kind);
        assert_int_equal(bob_queue_size(q), model_len);
    }
    while (model_len > 0)
        get_step(q, kind);
    get_step(q, kind);
}

static void
any_walk_comes_out_in_order(void **state)
{
    static struct bob_queue *(*const make[])(size_t) = {bob_queue_new, bob_queue_new_lifo,
                                                        bob_queue_new_priority};
    static const size_t maxsizes[] = {0, 1, 7, 500};

    (void)state;
    srand(7);
    for (int kind = FIFO; kind <= PRIORITY; kind++) {
        for (int i = 0; i < 4; i++) {
            struct bob_queue *q = make[kind](maxsizes[i]);

            walk(q, kind, maxsizes[i]);
            bob_queue_free(q);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_comes_first_and_equals_in_order),
        cmocka_unit_test(without_one_a_priority_is_0),
        cmocka_unit_test(the_other_kinds_take_no_priority),
        cmocka_unit_test(the_last_comes_first_from_a_stack),
        cmocka_unit_test(any_walk_comes_out_in_order),
    };

    return cmocka_run_group_tests_name("lib_queue_order", tests, NULL, NULL);
}
