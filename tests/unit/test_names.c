/* test_names.c - the table of names: growth a bucket at a time, order, removal, and collection of what is idle.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

enum { N = 20000 };

static void
name_of(char *name, int i)
{
    (void)snprintf(name, 16, "n%05d", i * 7919 % N);
}

static void
finds_what_was_made_while_it_grows(void **state)
{
    struct world w;
    char name[16];
    enum why why;

    (void)state;
    world_open(&w);
    state_lock(w.c);
    for (int i = 0; i < N; i++) {
        name_of(name, i);
        assert_null(names_find(w.c, TOPIC_COUNTER, name));
        struct object *o = names_make(w.c, TOPIC_COUNTER, name, &why);
        assert_non_null(o);
        assert_ptr_equal(names_find(w.c, TOPIC_COUNTER, name), o);
        assert_null(names_find(w.c, TOPIC_LOCK, name));
    }
    assert_int_equal(names_count(w.c, TOPIC_COUNTER), N);
    for (int i = 0; i < N; i++) {
        name_of(name, i);
        struct object *o = names_find(w.c, TOPIC_COUNTER, name);
        assert_non_null(o);
        assert_string_equal(o->name, name);
    }
    state_unlock(w.c);
    world_close(&w);
}

static void
a_table_grows_by_one_bucket_for_an_entry(void **state)
{
    static struct table_node node[5000];
    struct table t;

    (void)state;
    assert_true(table_init(&t, 4096));
    for (size_t i = 0; i < 5000; i++) {
        size_t buckets = table_buckets(&t);

        node[i].hash = i * UINT64_C(0x9e3779b97f4a7c15);
        table_add(&t, &node[i]);
        assert_true(table_buckets(&t) <= buckets + 1);
    }
    assert_true(table_buckets(&t) >= 4096); /* the bound it was given, and a segment more at most */
    assert_true(table_buckets(&t) <= 4096 + 1024);
    for (size_t i = 0; i < 5000;
         i++) { /* each stands in the chain of its hash, and once in all buckets */
        const struct table_node *n = table_chain(&t, node[i].hash);

        while (n && n != &node[i])
            n = n->next;
        assert_ptr_equal(n, &node[i]);
    }
    size_t met = 0;
    for (size_t b = 0; b < table_buckets(&t); b++) {
        for (const struct table_node *n = table_bucket(&t, b); n; n = n->next)
            met++;
    }
    assert_int_equal(met, 5000);
    for (size_t i = 0; i < 5000; i++)
        table_remove(&t, &node[i]);
    assert_int_equal(table_len(&t), 0);
    table_fini(&t);
}

static void
walks_in_the_order_of_names(void **state)
{
    struct world w;
    char name[16];
    enum why why;

    (void)state;
    world_open(&w);
    state_lock(w.c);
    for (int i = 0; i < 1000; i++) {
        name_of(name, i);
        assert_non_null(names_make(w.c, TOPIC_LOCK, name, &why));
    }
    int n = 0;
    const char *last = "";
    for (struct object *o = names_after(w.c, TOPIC_LOCK, ""); o; o = names_next(o)) {
        assert_true(strcmp(o->name, last) > 0);
        last = o->name;
        n++;
    }
    assert_int_equal(n, 1000);
    assert_null(names_after(w.c, TOPIC_LOCK, last));
    assert_null(names_after(w.c, TOPIC_COUNTER, ""));
    state_unlock(w.c);
    world_close(&w);
}

static void
a_walk_misses_none_while_the_table_grows(void **state)
{
    struct world w;
    struct table_node *n;
    char name[16];
    enum why why;
    static bool met[N];

    (void)state;
    world_open(&w);
    state_lock(w.c);
    for (int i = 0; i < N / 2; i++) {
        (void)snprintf(name, sizeof(name), "%d", i);
        assert_non_null(names_make(w.c, TOPIC_LOCK, name, &why));
    }
    int made = N / 2;
    for (size_t bucket = 0; names_walk(w.c, &bucket, &n);) {
        for (; n; n = n->next)
            met[atoi(((struct object *)n)->name)] = true;
        if (made < N) {
            (void)snprintf(name, sizeof(name), "%d", made++);
            assert_non_null(names_make(w.c, TOPIC_LOCK, name, &why));
        }
    }
    for (int i = 0; i < N / 2; i++)
        assert_true(met[i]);
    state_unlock(w.c);
    world_close(&w);
}

static void
a_counter_at_zero_is_collected_after_ten_minutes(void **state)
{
    struct world w;
    struct client a = {0};
    moment since = NOW + 60 * SECOND;

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    counter_add(w.c, NOW, "zero", 1, ask_of(&w, &a));
    counter_add(w.c, since, "zero", -1, ask_of(&w, &a));
    counter_add(w.c, since, "one", 1, ask_of(&w, &a));
    uint64_t last = w.journal.last;
    (void)deadline_serve(w.c, since + 600 * SECOND - 1);
    assert_int_equal(counter_get(w.c, "zero", ask_of(&w, &a)), WHY_OK);
    (void)deadline_serve(w.c, since + 600 * SECOND);
    assert_int_equal(counter_get(w.c, "zero", ask_of(&w, &a)), WHY_NOT_FOUND);
    assert_int_equal(counter_get(w.c, "one", ask_of(&w, &a)), WHY_OK);
    assert_int_equal(w.journal.last, last + 1); /* the store knows, too */
    assert_null(w.journal.change[w.journal.changes - 1].record);
    world_close(&w);
}

static void
what_is_used_again_is_not_collected(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    counter_set(w.c, NOW, "x", 0, ask_of(&w, &a));
    counter_set(w.c, NOW, "y", 0, ask_of(&w, &a));
    counter_set(w.c, NOW + 300 * SECOND, "x", 0, ask_of(&w, &a)); /* idle anew since then */
    counter_set(w.c, NOW + 300 * SECOND, "y", 1, ask_of(&w, &a));
    (void)deadline_serve(w.c, NOW + 601 * SECOND);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &a)), WHY_OK);
    (void)deadline_serve(w.c, NOW + 1202 * SECOND);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &a)), WHY_NOT_FOUND);
    assert_int_equal(counter_get(w.c, "y", ask_of(&w, &a)), WHY_OK);
    world_close(&w);
}

static void
a_free_lock_is_collected_and_a_held_one_is_not(void **state)
{
    struct world w;
    struct client a = {0}, held = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    acquire(&w, &held, HOLD_LOCK, "held", NOW, (struct want){.ttl_ns = TTL_MOST});
    acquire(&w, &a, HOLD_LOCK, "free", NOW, (struct want){0});
    lock_release(&w, "free", a.ask.outcome.grant.token);
    semaphore_put(w.c, NOW, "gpu", 3, true, ask_of(&w, &a));
    uint64_t last = w.journal.last;
    (void)deadline_serve(w.c, NOW + 600 * SECOND);
    assert_int_equal(hold_show(w.c, HOLD_LOCK, "free", &view, ask_of(&w, &a)), WHY_NOT_FOUND);
    assert_int_equal(hold_show(w.c, HOLD_LOCK, "held", &view, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(hold_show(w.c, HOLD_SEMAPHORE, "gpu", &view, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(w.journal.last, last); /* a free lock has no record to end */
    world_close(&w);
}

static void
a_thousand_idle_objects_are_collected_in_steps(void **state)
{
    struct world w;
    struct client a = {0};
    char name[16];

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "%d", i);
        counter_set(w.c, NOW, name, 0, ask_of(&w, &a));
    }
    state_lock(w.c);
    assert_true(names_collect(w.c, NOW + 600 * SECOND));
    assert_int_equal(names_count(w.c, TOPIC_COUNTER), 1000 - STEP_OBJECTS_MAX);
    state_unlock(w.c);
    (void)deadline_serve(w.c, NOW + 600 * SECOND);
    state_lock(w.c);
    assert_int_equal(names_count(w.c, TOPIC_COUNTER), 0);
    state_unlock(w.c);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_made_while_it_grows),
        cmocka_unit_test(a_table_grows_by_one_bucket_for_an_entry),
        cmocka_unit_test(walks_in_the_order_of_names),
        cmocka_unit_test(a_walk_misses_none_while_the_table_grows),
        cmocka_unit_test(a_counter_at_zero_is_collected_after_ten_minutes),
        cmocka_unit_test(what_is_used_again_is_not_collected),
        cmocka_unit_test(a_free_lock_is_collected_and_a_held_one_is_not),
        cmocka_unit_test(a_thousand_idle_objects_are_collected_in_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
