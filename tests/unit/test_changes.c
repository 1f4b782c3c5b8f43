/* test_changes.c - what an event stream is told of: everything there is, then each change, none missed.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

enum { CAP = 64 };

/* Asks for changes after *at until there are no more; returns how many, and the names in @names one after another. */
static int
changes(struct world *w, uint64_t *at, char *names, size_t cap)
{
    static struct changed row[CAP];
    int all = 0;
    bool more = true;

    *names = '\0';
    while (more) {
        struct client look = {0};
        size_t n;
        enum why why = coord_changes(w->c, at, row, CAP, &n, &more, ask_of(w, &look));

        if (why == WHY_PENDING) {
            assert_int_equal(look.told, 0);
            world_commit(w);
            assert_int_equal(look.told, 1);
            why = look.ask.outcome.why;
        }
        assert_int_equal(why, WHY_OK);
        for (size_t i = 0; i < n; i++, all++) {
            size_t len = strlen(names);

            (void)snprintf(names + len, cap - len, "%s%s ", row[i].gone ? "-" : "", row[i].name);
        }
    }
    return all;
}

static void
add(struct world *w, const char *name)
{
    struct client a = {0};

    assert_int_equal(counter_add(w->c, NOW, name, 1, ask_of(w, &a)), WHY_PENDING);
    world_commit(w);
}

static void
a_new_reader_is_told_of_all_and_then_of_what_changes(void **state)
{
    struct world w;
    uint64_t at = 0;
    char names[256];

    (void)state;
    world_open(&w);
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 0);
    assert_true(at != 0);
    add(&w, "a");
    add(&w, "b");
    uint64_t other = 0;
    assert_int_equal(changes(&w, &other, names, sizeof(names)), 2);
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 2);
    assert_string_equal(names, "a b ");
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 0);
    add(&w, "b");
    add(&w, "a");
    add(&w, "b");
    add(&w, "b");
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 2); /* each once */
    assert_int_equal(changes(&w, &other, names, sizeof(names)), 2);
    add(&w, "a");
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 1);
    assert_string_equal(names, "a ");
    world_close(&w);
}

static void
the_stamp_grows_when_there_is_news_for_whoever_saw_it(void **state)
{
    struct world w;
    uint64_t seen;

    (void)state;
    world_open(&w);
    seen = coord_stamp(w.c);
    assert_int_equal(coord_stamp(w.c), seen);
    for (int i = 0; i < 10; i++) {
        add(&w, "a");
        assert_true(coord_stamp(w.c) > seen);
        seen = coord_stamp(w.c);
    }
    for (int i = 0; i < 1000; i++)
        add(&w, "a");
    assert_int_equal(coord_stamp(w.c), seen + 1); /* unseen changes share a stamp */
    world_close(&w);
}

static void
a_removed_object_is_told_as_gone(void **state)
{
    struct world w;
    struct client gone = {0};
    uint64_t at = 0;
    char names[256];

    (void)state;
    world_open(&w);
    add(&w, "a");
    add(&w, "b");
    changes(&w, &at, names, sizeof(names));
    counter_delete(w.c, NOW, "a", ask_of(&w, &gone));
    assert_int_equal(changes(&w, &at, names, sizeof(names)),
                     1); /* told once that is durable: see changes() */
    assert_string_equal(names, "-a ");
    add(&w, "a");
    changes(&w, &at, names, sizeof(names));
    assert_string_equal(names, "a ");
    world_close(&w);
}

static void
a_reader_that_fell_behind_starts_again(void **state)
{
    struct world w;
    struct client look = {0}, c = {0};
    struct changed row[CAP];
    uint64_t at = 0;
    char names[256];
    size_t n;
    bool more;

    (void)state;
    world_open(&w);
    changes(&w, &at, names, sizeof(names));
    for (int i = 0; i < (1 << 16) + 1; i++) {
        counter_set(w.c, NOW, "a", 1, ask_of(&w, &c));
        world_commit(&w);
        (void)coord_stamp(w.c); /* somebody sees each */
    }
    assert_int_equal(coord_changes(w.c, &at, row, CAP, &n, &more, ask_of(&w, &look)), WHY_CONFLICT);
    at = 0;
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 1);
    at += 5; /* of another run */
    assert_int_equal(coord_changes(w.c, &at, row, CAP, &n, &more, ask_of(&w, &look)), WHY_CONFLICT);
    world_close(&w);
}

static void
a_long_walk_misses_nothing_that_changes_meanwhile(void **state)
{
    enum { N = 5000 };
    struct world w;
    struct client a = {0};
    static struct changed row[CAP];
    static bool met[2 * N];
    static int met_late[N];
    uint64_t at = 0;
    char name[16];
    bool more = true;

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "%d", i);
        counter_set(w.c, NOW, name, 1, ask_of(&w, &a));
    }
    for (int step = 0; more; step++) {
        size_t n;

        assert_int_equal(coord_changes(w.c, &at, row, CAP, &n, &more, ask_of(&w, &a)), WHY_OK);
        for (size_t i = 0; i < n; i++) {
            int number = atoi(row[i].name);

            met[number] = true;
            met_late[number % N] = step;
        }
        if (step < 60) { /* one new, one changed */
            (void)snprintf(name, sizeof(name), "%d", N + step);
            counter_set(w.c, NOW, name, 1, ask_of(&w, &a));
            (void)snprintf(name, sizeof(name), "%d", 7);
            counter_set(w.c, NOW, name, 2 + step, ask_of(&w, &a));
        }
    }
    for (int i = 0; i < N + 60; i++)
        assert_true(met[i]);
    assert_true(met_late[7] >= 60); /* its last change came after the last step that changed it */
    world_close(&w);
}

static void
a_change_of_the_line_is_visible(void **state)
{
    struct world w;
    struct client b = {0};
    uint64_t at = 0;
    char names[256];

    (void)state;
    world_open(&w);
    (void)lock_have(&w, "db");
    changes(&w, &at, names, sizeof(names));
    lock_acquire(&w, &b, "db", SECOND);
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 1);
    ask_leave(w.c, &b.ask, b.ask.ticket);
    assert_int_equal(changes(&w, &at, names, sizeof(names)), 1);
    assert_string_equal(names, "db ");
    world_close(&w);
}

/* The bounds were lowered since: what the store holds is taken all the same. */
static void
a_store_with_more_than_the_bounds_allow_is_walked_too(void **state)
{
    enum { COUNTERS = 300000 };
    struct coord_options o = world_options();
    static struct changed rows[256];
    struct coord *c;
    struct journal j = {.first = 1 << 20, .last = 1 << 20, .committed = 1 << 20};
    struct fault f = {0};
    struct client client = {0};
    uint64_t at = 0;
    int64_t seen = 0;
    bool more = true;

    (void)state;
    o.max_objects = o.max_tasks = 1;
    assert_int_equal(coord_new(&c, &o, &f), WHY_OK);
    for (int i = 0; i < COUNTERS; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(coord_load(c, "counter", name, (uint64_t)i + 1, "\1v\2", 3, &f), WHY_OK);
    }
    assert_int_equal(state_start(c, &j, NOW, &f), WHY_OK);
    client.ask.tell = client_told;
    while (more) {
        size_t n;

        assert_int_equal(coord_changes(c, &at, rows, 64, &n, &more, &client.ask), WHY_OK);
        seen += (int64_t)n;
    }
    assert_int_equal(seen, COUNTERS);
    coord_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_reader_is_told_of_all_and_then_of_what_changes),
        cmocka_unit_test(the_stamp_grows_when_there_is_news_for_whoever_saw_it),
        cmocka_unit_test(a_removed_object_is_told_as_gone),
        cmocka_unit_test(a_reader_that_fell_behind_starts_again),
        cmocka_unit_test(a_long_walk_misses_nothing_that_changes_meanwhile),
        cmocka_unit_test(a_change_of_the_line_is_visible),
        cmocka_unit_test(a_store_with_more_than_the_bounds_allow_is_walked_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
