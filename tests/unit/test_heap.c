/* test_heap.c - lib/heap.c and lib/list.h: order, and removal from anywhere, against a plain array.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "heap.h"
#include "list.h"

enum { ITEMS = 300, ROUNDS = 20000 };

static void
the_earliest_comes_first_and_equals_in_order(void **state)
{
    struct bob_heap h = {0};
    struct bob_heap_item item[6] = {{.at = 5}, {.at = 3}, {.at = 5},
                                    {.at = 1}, {.at = 3}, {.at = 5}};
    static const int order[] = {3, 1, 4, 0, 2, 5};

    (void)state;
    assert_null(bob_heap_first_(&h));
    assert_true(bob_heap_reserve_(&h, 6));
    for (int i = 0; i < 6; i++)
        bob_heap_push_(&h, &item[i]);
    for (int i = 0; i < 6; i++) {
        assert_ptr_equal(bob_heap_first_(&h), &item[order[i]]);
        bob_heap_remove_(&h, &item[order[i]]);
        bob_heap_remove_(&h, &item[order[i]]); /* not in it: nothing happens */
    }
    assert_int_equal(h.len, 0);
    bob_heap_fini_(&h);
}

/* Pushes, removes and pops at random; first must always be the least by (at, serial). */
static void
it_agrees_with_a_search_of_all(void **state)
{
    static struct bob_heap_item item[ITEMS];
    struct bob_heap h = {0};
    unsigned seed = 7;

    (void)state;
    assert_true(bob_heap_reserve_(&h, ITEMS));
    for (int round = 0; round < ROUNDS; round++) {
        struct bob_heap_item *one = &item[rand_r(&seed) % ITEMS];
        struct bob_heap_item *least = NULL;

        if (one->place) {
            bob_heap_remove_(&h, one);
        } else {
            one->at = rand_r(&seed) % 50;
            bob_heap_push_(&h, one);
        }
        for (int i = 0; i < ITEMS; i++)
            if (item[i].place && (!least || item[i].at < least->at ||
                                  (item[i].at == least->at && item[i].serial < least->serial)))
                least = &item[i];
        assert_ptr_equal(bob_heap_first_(&h), least);
    }
    bob_heap_fini_(&h);
}

static void
room_that_cannot_be_had_changes_nothing(void **state)
{
    struct bob_heap h = {0};

    (void)state;
    assert_true(bob_heap_reserve_(&h, 3));
    assert_false(bob_heap_reserve_(&h, SIZE_MAX / sizeof(void *)));
    assert_false(bob_heap_reserve_(&h, SIZE_MAX));
    assert_true(h.room >= 3 && h.room < 1000);
    assert_non_null(h.slot);
    bob_heap_fini_(&h);
}

static void
a_list_keeps_its_order(void **state)
{
    struct bob_list a, b, link[4];

    (void)state;
    bob_list_init_(&a);
    bob_list_init_(&b);
    assert_true(bob_list_is_empty_(&a));
    assert_null(bob_list_pop_(&a));
    for (int i = 0; i < 4; i++)
        bob_list_append_(i < 2 ? &a : &b, &link[i]);
    bob_list_splice_(&a, &b);
    assert_true(bob_list_is_empty_(&b));
    bob_list_splice_(&a, &b); /* nothing in it */
    bob_list_remove_(&link[1]);
    bob_list_remove_(&link[1]); /* in none: nothing happens */
    assert_ptr_equal(bob_list_pop_(&a), &link[0]);
    assert_ptr_equal(bob_list_pop_(&a), &link[2]);
    assert_ptr_equal(bob_list_pop_(&a), &link[3]);
    assert_true(bob_list_is_empty_(&a));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_comes_first_and_equals_in_order),
        cmocka_unit_test(it_agrees_with_a_search_of_all),
        cmocka_unit_test(room_that_cannot_be_had_changes_nothing),
        cmocka_unit_test(a_list_keeps_its_order),
    };

    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
