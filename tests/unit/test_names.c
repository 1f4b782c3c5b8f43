/* test_names.c - the table of names: growth a bucket at a time, order, removal, and what becomes of the idle.
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

/* Somebody counts down to it, and reads on. */
static void
a_counter_at_zero_stays_until_it_is_deleted(void **state)
{
    struct world w;
    struct client a = {0};
    struct fault f = {0};

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    counter_set(w.c, NOW, "x", 3, ask_of(&w, &a));
    for (int i = 0; i < 3; i++)
        counter_add(w.c, NOW, "x", -1, ask_of(&w, &a));
    counter_set(w.c, NOW, "set", 0, ask_of(&w, &a));
    counter_compare_and_set(w.c, NOW, "compared", 0, 0, ask_of(&w, &a));
    (void)deadline_serve(w.c, NOW + 24 * 3600 * SECOND);
    for (int start = 0; start < 2; start++) {
        for (int i = 0; i < 3; i++) {
            const char *name = (const char *[]){"x", "set", "compared"}[i];

            assert_int_equal(counter_get(w.c, name, ask_of(&w, &a)), WHY_OK);
            assert_int_equal(a.ask.outcome.counter.value, 0);
        }
        world_commit(&w);
        assert_int_equal(world_crash(&w, NOW, &f), WHY_OK);
        (void)deadline_serve(w.c, NOW + 48 * 3600 * SECOND);
    }
    assert_int_equal(counter_delete(w.c, NOW, "x", ask_of(&w, &a)), WHY_OK);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &a)), WHY_NOT_FOUND);
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
    assert_int_equal(hold_show(w.c, NOW, HOLD_LOCK, "free", &view, ask_of(&w, &a)), WHY_NOT_FOUND);
    assert_int_equal(hold_show(w.c, NOW, HOLD_LOCK, "held", &view, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(hold_show(w.c, NOW, HOLD_SEMAPHORE, "gpu", &view, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(w.journal.last, last); /* a free lock has no record to end */
    world_close(&w);
}

/* ---- room ---- */

static void
world_of(struct world *w, int64_t max_objects)
{
    struct coord_options o = world_options();

    o.max_objects = max_objects;
    world_open_with(w, &o);
    w->journal.relaxed = true;
}

static enum why
take(struct world *w, const char *name, moment now, uint64_t *ret_token)
{
    struct client a = {0};
    enum why why = acquire(w, &a, HOLD_LOCK, name, now, (struct want){.ttl_ns = TTL_MOST});

    if (!why)
        *ret_token = a.ask.outcome.grant.token;
    return why;
}

/* Takes and releases it: idle since @now.  Returns its rev. */
static uint64_t
use(struct world *w, const char *name, moment now)
{
    struct client a = {0};
    uint64_t token = 0;

    assert_int_equal(take(w, name, now, &token), WHY_OK);
    assert_int_equal(hold_release(w->c, now, HOLD_LOCK, name, token, ask_of(w, &a)), WHY_OK);
    return a.ask.outcome.seq;
}

static bool
is_there(struct world *w, const char *name)
{
    static struct hold_view view;
    struct client a = {0};

    return hold_show(w->c, NOW, HOLD_LOCK, name, &view, ask_of(w, &a)) == WHY_OK;
}

static void
a_thousand_idle_objects_are_collected_in_steps(void **state)
{
    struct world w;
    char name[16];

    (void)state;
    world_of(&w, 1000);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "%d", i);
        use(&w, name, NOW);
    }
    uint64_t last = w.journal.last;
    state_lock(w.c);
    assert_true(names_collect(w.c, NOW + 600 * SECOND));
    assert_int_equal(names_count(w.c, TOPIC_LOCK), 1000 - STEP_OBJECTS_MAX);
    state_unlock(w.c);
    (void)deadline_serve(w.c, NOW + 600 * SECOND);
    state_lock(w.c);
    assert_int_equal(names_count(w.c, TOPIC_LOCK), 0);
    state_unlock(w.c);
    assert_int_equal(w.journal.last, last); /* a free lock has no record to end */
    world_close(&w);
}

static void
what_is_used_again_is_not_collected(void **state)
{
    struct world w;

    (void)state;
    world_of(&w, 10);
    use(&w, "x", NOW);
    use(&w, "y", NOW);
    use(&w, "x", NOW + 300 * SECOND); /* idle anew since then */
    (void)deadline_serve(w.c, NOW + 601 * SECOND);
    assert_true(is_there(&w, "x") && !is_there(&w, "y"));
    (void)deadline_serve(w.c, NOW + 900 * SECOND);
    assert_false(is_there(&w, "x"));
    world_close(&w);
}

static void
the_longest_idle_lock_makes_room_for_a_new_name(void **state)
{
    struct world w;
    uint64_t token;

    (void)state;
    world_of(&w, 3);
    use(&w, "a", NOW);
    use(&w, "b", NOW + 1);
    use(&w, "c", NOW + 2);
    use(&w, "a", NOW + 3);
    assert_int_equal(take(&w, "b", NOW + 4, &token), WHY_OK); /* held: c is the oldest now */
    uint64_t last = w.journal.last;
    assert_int_equal(take(&w, "d", NOW + 5, &token), WHY_OK);
    assert_true(is_there(&w, "a") && is_there(&w, "b") && !is_there(&w, "c"));
    assert_int_equal(w.journal.last, last + 1); /* the grant: a free lock has no record to end */
    assert_int_equal(take(&w, "e", NOW + 6, &token), WHY_OK);
    assert_true(!is_there(&w, "a") && is_there(&w, "b") && is_there(&w, "d"));
    assert_int_equal(take(&w, "f", NOW + 7, &token), WHY_TOO_MANY); /* all are held */
    assert_int_equal(lock_release(&w, "e", token), WHY_OK);
    assert_int_equal(take(&w, "f", NOW + 8, &token), WHY_OK);
    world_close(&w);
}

static void
what_was_made_on_purpose_makes_none(void **state)
{
    struct world w;
    struct client a = {0};
    uint64_t token;

    (void)state;
    world_of(&w, 3);
    counter_add(w.c, NOW, "n", 1, ask_of(&w, &a));
    counter_set(w.c, NOW, "zero", 0, ask_of(&w, &a));
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &a));
    assert_int_equal(take(&w, "l", NOW, &token), WHY_TOO_MANY);
    assert_int_equal(counter_get(w.c, "zero", ask_of(&w, &a)), WHY_OK);
    assert_int_equal(counter_delete(w.c, NOW, "zero", ask_of(&w, &a)), WHY_OK);
    use(&w, "l", NOW);
    assert_int_equal(semaphore_put(w.c, NOW, "cpu", 2, true, ask_of(&w, &a)), WHY_OK);
    assert_false(is_there(&w, "l")); /* a lock goes for any of them */
    world_close(&w);
}

static void
a_lock_that_others_wait_for_is_not_idle(void **state)
{
    struct world w;
    struct client waits = {0}, a = {0};
    uint64_t token, other;

    (void)state;
    world_of(&w, 1);
    assert_int_equal(take(&w, "l", NOW, &token), WHY_OK);
    assert_int_equal(acquire(&w, &waits, HOLD_LOCK, "l", NOW,
                             (struct want){.wait_ns = SECOND, .ttl_ns = SECOND}),
                     WHY_PENDING);
    assert_int_equal(hold_release(w.c, NOW, HOLD_LOCK, "l", token, ask_of(&w, &a)), WHY_OK);
    assert_int_equal(waits.told, 1);
    assert_int_equal(take(&w, "m", NOW, &other), WHY_TOO_MANY);
    (void)deadline_serve(w.c, NOW + SECOND); /* its lease ends: idle without a release */
    assert_int_equal(take(&w, "m", NOW + SECOND, &other), WHY_OK);
    world_close(&w);
}

static void
a_name_that_comes_back_has_a_higher_rev(void **state)
{
    static struct hold_view view;
    struct world w;
    struct client a = {0};
    uint64_t seen = 0;

    (void)state;
    world_of(&w, 1);
    for (int i = 0; i < 10; i++) {
        uint64_t rev = use(&w, i % 2 ? "odd" : "even", NOW + i);

        assert_true(rev > seen);
        assert_int_equal(
            hold_show(w.c, NOW, HOLD_LOCK, i % 2 ? "even" : "odd", &view, ask_of(&w, &a)),
            WHY_NOT_FOUND);
        assert_int_equal(a.ask.outcome.seq, seen); /* "there is none" depends on its last change */
        seen = rev;
    }
    world_close(&w);
}

static void
sixty_thousand_names_in_a_room_for_fifty(void **state)
{
    enum { NAMES = 60000, ROOM = 50000 };
    struct world w;
    char name[16];

    (void)state;
    world_of(&w, ROOM);
    for (int i = 0; i < NAMES; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        use(&w, name, NOW + i);
    }
    state_lock(w.c);
    assert_int_equal(names_count(w.c, TOPIC_LOCK), ROOM);
    state_unlock(w.c);
    assert_false(is_there(&w, "9999"));
    assert_true(is_there(&w, "10000"));
    world_close(&w);
}

/* The server was started with a lower bound than before. */
static void
many_go_in_steps_when_the_bound_was_lowered(void **state)
{
    struct world w;
    uint64_t token;
    char name[16];

    (void)state;
    world_of(&w, 1000);
    for (int i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        use(&w, name, NOW + i);
    }
    w.c->options.max_objects = 100;
    assert_int_equal(take(&w, "x", NOW, &token), WHY_TOO_MANY); /* a step's worth is gone */
    assert_int_equal(take(&w, "x", NOW, &token), WHY_OK);
    state_lock(w.c);
    assert_int_equal(names_count(w.c, TOPIC_LOCK), 100);
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
        cmocka_unit_test(a_counter_at_zero_stays_until_it_is_deleted),
        cmocka_unit_test(what_is_used_again_is_not_collected),
        cmocka_unit_test(a_free_lock_is_collected_and_a_held_one_is_not),
        cmocka_unit_test(a_thousand_idle_objects_are_collected_in_steps),
        cmocka_unit_test(the_longest_idle_lock_makes_room_for_a_new_name),
        cmocka_unit_test(what_was_made_on_purpose_makes_none),
        cmocka_unit_test(a_lock_that_others_wait_for_is_not_idle),
        cmocka_unit_test(a_name_that_comes_back_has_a_higher_rev),
        cmocka_unit_test(sixty_thousand_names_in_a_room_for_fifty),
        cmocka_unit_test(many_go_in_steps_when_the_bound_was_lowered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
