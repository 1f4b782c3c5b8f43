/* test_counter.c - named whole numbers: their range, their records, and that nothing is told before it is durable.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

static int64_t
value_of(struct world *w, const char *name)
{
    struct client look = {0};
    enum why why = counter_get(w->c, name, ask_of(w, &look));

    if (why == WHY_PENDING)
        world_commit(w);
    assert_int_equal(look.ask.outcome.why, WHY_OK);
    return look.ask.outcome.counter.value;
}

static void
an_add_makes_the_counter_and_is_told_when_durable(void **state)
{
    struct world w;
    struct client a = {0}, look = {0};

    (void)state;
    world_open(&w);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_NOT_FOUND);
    assert_int_equal(counter_add(w.c, NOW, "x", 5, ask_of(&w, &a)), WHY_PENDING);
    assert_int_equal(a.told, 0);
    world_commit(&w);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.ask.outcome.counter.value, 5);
    assert_int_equal(a.ask.outcome.counter.rev, w.journal.last);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_OK);
    assert_int_equal(look.ask.outcome.counter.value, 5);
    world_close(&w);
}

static void
a_read_waits_for_the_add_it_saw(void **state)
{
    struct world w;
    struct client a = {0}, b = {0}, look = {0};

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "x", 1, ask_of(&w, &a));
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_PENDING);
    counter_add(w.c, NOW, "x", 1, ask_of(&w, &b));
    world_commit_to(&w, w.journal.last - 1);
    assert_int_equal(look.told, 1);
    assert_int_equal(look.ask.outcome.counter.value, 1);
    assert_int_equal(b.told, 0);
    world_close(&w);
    assert_int_equal(b.told, 1);
}

static void
a_relaxed_journal_answers_at_once(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    assert_int_equal(counter_add(w.c, NOW, "x", 1, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(a.told, 0);
    assert_int_equal(a.ask.outcome.counter.value, 1);
    world_close(&w);
}

static void
the_value_stays_within_what_json_holds(void **state)
{
    static const struct {
        const char *says;
        int64_t from, add, result;
        enum why why;
    } T[] = {
        {"up to the most", WHOLE_MAX - 1, 1, WHOLE_MAX, WHY_OK},
        {"one beyond", WHOLE_MAX, 1, WHOLE_MAX, WHY_OUT_OF_RANGE},
        {"down to the least", 1 - WHOLE_MAX, -1, -WHOLE_MAX, WHY_OK},
        {"one below", -WHOLE_MAX, -1, -WHOLE_MAX, WHY_OUT_OF_RANGE},
        {"over what 64 bits hold", WHOLE_MAX, INT64_MAX, WHOLE_MAX, WHY_OUT_OF_RANGE},
        {"under what 64 bits hold", -WHOLE_MAX, INT64_MIN, -WHOLE_MAX, WHY_OUT_OF_RANGE},
        {"from end to end", -WHOLE_MAX, 2 * WHOLE_MAX, WHOLE_MAX, WHY_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
        struct world w;
        struct client a = {0};

        print_message("# %s\n", T[i].says);
        world_open(&w);
        w.journal.relaxed = true;
        assert_int_equal(counter_set(w.c, NOW, "x", T[i].from, ask_of(&w, &a)), WHY_OK);
        uint64_t last = w.journal.last;
        assert_int_equal(counter_add(w.c, NOW, "x", T[i].add, ask_of(&w, &a)), T[i].why);
        assert_int_equal(a.ask.outcome.counter.value, T[i].result);
        assert_int_equal(value_of(&w, "x"), T[i].result);
        assert_int_equal(w.journal.last, last + (T[i].why == WHY_OK));
        world_close(&w);
    }
}

static void
a_number_out_of_range_makes_no_counter(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    assert_int_equal(counter_add(w.c, NOW, "x", WHOLE_MAX + 1, ask_of(&w, &a)), WHY_OUT_OF_RANGE);
    assert_int_equal(counter_set(w.c, NOW, "x", -WHOLE_MAX - 1, ask_of(&w, &a)), WHY_OUT_OF_RANGE);
    assert_int_equal(counter_compare_and_set(w.c, NOW, "x", 0, WHOLE_MAX + 1, ask_of(&w, &a)),
                     WHY_OUT_OF_RANGE);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &a)), WHY_NOT_FOUND);
    world_close(&w);
}

static void
compare_and_set_changes_only_what_is_expected(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    assert_int_equal(counter_compare_and_set(w.c, NOW, "x", 1, 7, ask_of(&w, &a)), WHY_CONFLICT);
    assert_int_equal(a.ask.outcome.counter.value, 0);
    assert_int_equal(counter_compare_and_set(w.c, NOW, "x", 0, 7, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(counter_compare_and_set(w.c, NOW, "x", 0, 8, ask_of(&w, &a)), WHY_CONFLICT);
    assert_int_equal(a.ask.outcome.counter.value, 7);
    assert_int_equal(value_of(&w, "x"), 7);
    world_close(&w);
}

static void
a_delete_is_durable_before_anybody_hears_of_it(void **state)
{
    struct world w;
    struct client a = {0}, gone = {0}, look = {0}, other = {0};

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "x", 3, ask_of(&w, &a));
    world_commit(&w);
    assert_int_equal(counter_delete(w.c, NOW, "x", ask_of(&w, &gone)), WHY_PENDING);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_PENDING);
    assert_int_equal(counter_delete(w.c, NOW, "x", ask_of(&w, &other)), WHY_PENDING);
    world_commit(&w);
    assert_int_equal(gone.ask.outcome.why, WHY_OK);
    assert_int_equal(look.ask.outcome.why, WHY_NOT_FOUND);
    assert_int_equal(other.ask.outcome.why, WHY_NOT_FOUND);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_NOT_FOUND);
    world_close(&w);
}

static void
a_full_disk_refuses_adds_and_passes_deletes(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "x", 3, ask_of(&w, &a));
    world_commit(&w);
    w.journal.full = true;
    assert_int_equal(counter_add(w.c, NOW, "x", 1, ask_of(&w, &a)), WHY_STORE_FULL);
    assert_int_equal(a.ask.outcome.why, WHY_STORE_FULL);
    assert_int_equal(value_of(&w, "x"), 3);
    assert_int_equal(counter_delete(w.c, NOW, "x", ask_of(&w, &a)), WHY_PENDING);
    world_close(&w);
}

static void
too_many_objects_are_refused(void **state)
{
    struct world w;
    struct client a = {0};
    struct coord_options o = world_options();

    (void)state;
    o.max_objects = 2;
    world_open_with(&w, &o);
    w.journal.relaxed = true;
    assert_int_equal(counter_add(w.c, NOW, "x", 1, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(counter_add(w.c, NOW, "y", 1, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(counter_add(w.c, NOW, "z", 1, ask_of(&w, &a)), WHY_TOO_MANY);
    assert_int_equal(counter_delete(w.c, NOW, "x", ask_of(&w, &a)), WHY_OK);
    assert_int_equal(counter_add(w.c, NOW, "z", 1, ask_of(&w, &a)), WHY_OK);
    world_close(&w);
}

static void
lists_in_the_order_of_names(void **state)
{
    struct world w;
    struct client a = {0};
    struct counter_row row[8];
    size_t n;

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "b", 2, ask_of(&w, &a));
    world_commit(&w);
    counter_add(w.c, NOW, "a", 1, ask_of(&w, &a));
    struct client list = {0};
    assert_int_equal(counter_list(w.c, "", row, 8, &n, ask_of(&w, &list)), WHY_PENDING);
    assert_int_equal(n, 2);
    assert_string_equal(row[0].name, "a");
    assert_int_equal(row[1].value, 2);
    world_commit(&w);
    assert_int_equal(list.told, 1);
    world_close(&w);
}

static void
an_outcome_nobody_can_know_is_said_to_be_so(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "x", 1, ask_of(&w, &a));
    struct pledge *p = w.journal.pledge_first;
    w.journal.pledge_first = w.journal.pledge_last = NULL;
    p->kept(p, WHY_OUTCOME_UNKNOWN);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.ask.outcome.why, WHY_OUTCOME_UNKNOWN);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_add_makes_the_counter_and_is_told_when_durable),
        cmocka_unit_test(a_read_waits_for_the_add_it_saw),
        cmocka_unit_test(a_relaxed_journal_answers_at_once),
        cmocka_unit_test(the_value_stays_within_what_json_holds),
        cmocka_unit_test(a_number_out_of_range_makes_no_counter),
        cmocka_unit_test(compare_and_set_changes_only_what_is_expected),
        cmocka_unit_test(a_delete_is_durable_before_anybody_hears_of_it),
        cmocka_unit_test(a_full_disk_refuses_adds_and_passes_deletes),
        cmocka_unit_test(too_many_objects_are_refused),
        cmocka_unit_test(lists_in_the_order_of_names),
        cmocka_unit_test(an_outcome_nobody_can_know_is_said_to_be_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
