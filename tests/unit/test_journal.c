/* test_journal.c - store/journal.c: order, group commit, pledges, bounds and the gate, over a real store.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/store_world.h"

#include <bobbin/thread.h>

#include "store/sqlite.h"

static void
a_pledge_is_kept_once_its_change_is_durable(void **state)
{
    struct world w = {0};
    struct promise p;
    uint64_t seq;

    (void)state;
    world_open(&w);
    world_start(&w);
    seq = change_one(&w, "counter", "a", "1");
    promise_make(&w, &p, seq);
    assert_int_equal(promise_wait(&p), WHY_OK);
    assert_true(journal_committed(w.journal) >= seq);
    assert_false(journal_await(w.journal, &p.pledge, seq));
    world_end(&w);
}

enum { BLOCK = 1 << 20 };

/* Starts a run, whose sequences come after @before, and makes @changes; while it runs, a block is reserved on disk. */
static void
run_of(struct world *w, uint64_t before, uint64_t changes)
{
    struct sqlite *db;
    struct tally tally;
    struct fault f = {0};
    uint64_t last;

    world_open(w);
    world_start(w);
    world_lock(w);
    last = journal_last(w->journal);
    world_unlock(w);
    assert_int_equal(last, before);
    assert_int_equal(journal_committed(w->journal), before);
    for (uint64_t i = 1; i <= changes; i++)
        assert_int_equal(change_one(w, "counter", "a", "1"), before + i);
    db = world_database(w);
    assert_int_equal(sqlite_tally(db, &tally, &f), WHY_OK);
    assert_int_equal(tally.limit % BLOCK, 0);
    assert_true(tally.limit > before + changes);
    sqlite_close(db);
    world_close(w);
}

static void
sequences_rise_by_one_over_a_stop_too(void **state)
{
    struct world w = {0};

    (void)state;
    run_of(&w, 0, 5);
    run_of(&w, 6, 5); /* each stop takes one */
    run_of(&w, 12, 0);
    run_of(&w, 13, 1);
    world_end(&w);
}

static void
a_start_after_a_crash_takes_a_new_block(void **state)
{
    struct world w = {0};

    (void)state;
    run_of(&w, 0, 5);
    for (uint64_t crash = 1; crash < 3; crash++) {
        struct sqlite *db = world_database(&w);
        struct tally left;
        struct fault f = {0};

        assert_int_equal(sqlite_tally(db, &left, &f), WHY_OK);
        left.limit = crash * BLOCK; /* as a run leaves it that does not stop */
        assert_int_equal(sqlite_prepare(db), STORED_OK);
        assert_int_equal(sqlite_set_tally(db, &left), STORED_OK);
        sqlite_close(db);
        run_of(&w, crash * BLOCK - 1, 5);
    }
    world_end(&w);
}

/* Somebody else holds the database, so what is appended stays in flight. */
static struct sqlite *
hold_up(struct world *w)
{
    struct sqlite *db = world_database(w);

    assert_int_equal(sqlite_exec(db, "BEGIN IMMEDIATE"), STORED_OK);
    return db;
}

static void
let_go(struct sqlite *db)
{
    assert_int_equal(sqlite_exec(db, "ROLLBACK"), STORED_OK);
    sqlite_close(db);
}

static struct promise *order_next;

static void
kept_in_order(struct pledge *p, enum why why)
{
    assert_int_equal(why, WHY_OK);
    assert_ptr_equal(p, &order_next->pledge);
    order_next++;
}

static void
pledges_are_kept_in_the_order_of_their_changes(void **state)
{
    enum { N = 300 };
    static struct promise p[N];
    struct world w = {0};
    struct sqlite *other;

    (void)state;
    order_next = p;
    world_open(&w);
    world_start(&w);
    other = hold_up(&w);
    for (int i = 0; i < N; i++) {
        p[i].pledge.kept = kept_in_order;
        assert_true(journal_await(w.journal, &p[i].pledge, change_one(&w, "counter", "a", "1")));
    }
    let_go(other);
    world_end(&w);
    assert_ptr_equal(order_next, p + N);
}

static void
one_who_only_reads_waits_for_what_is_in_flight(void **state)
{
    struct world w = {0};
    struct promise writer, reader, later;
    struct sqlite *other;
    uint64_t seq;

    (void)state;
    world_open(&w);
    world_start(&w);
    other = hold_up(&w);
    seq = change_one(&w, "counter", "a", "1");
    promise_make(&w, &writer, seq);
    promise_make(&w, &later, change_one(&w, "counter", "b", "1"));
    promise_make(&w, &reader, seq);
    assert_false(bob_event_is_set(&reader.told));
    let_go(other);
    assert_int_equal(promise_wait(&reader), WHY_OK);
    assert_int_equal(promise_wait(&writer), WHY_OK);
    assert_int_equal(promise_wait(&later), WHY_OK);
    world_end(&w);
}

static void
stop_commits_everything_and_keeps_every_pledge(void **state)
{
    enum { N = 5000 };
    static struct promise p[N];
    struct world w = {0};
    struct recovered r;

    (void)state;
    world_open(&w);
    world_start(&w);
    for (int i = 0; i < N; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "c%d", i);
        promise_make(&w, &p[i], change_one(&w, "counter", name, "1"));
    }
    world_close(&w);
    for (int i = 0; i < N; i++)
        assert_int_equal(promise_wait(&p[i]), WHY_OK);
    world_open(&w);
    r = world_recover(&w);
    assert_int_equal(r.n, N);
    free(r.text);
    world_end(&w);
}

static void
the_backlog_is_bounded_and_its_last_quarter_is_for_what_gives_back(void **state)
{
    static const int limit[] = {(1 << 18) / 4 * 3, 1 << 18};
    struct world w = {0};
    struct journal_health health;
    struct sqlite *other;
    int n = 0;

    (void)state;
    world_open(&w);
    world_start(&w);
    journal_health(w.journal, &health);
    assert_int_equal(health.backlog, 0);
    assert_int_equal(health.oldest_ms, 0);
    other = hold_up(&w);
    for (int grows = 1; grows >= 0; grows--) {
        enum why why;

        do {
            world_lock(&w);
            why = journal_reserve(w.journal, grows, 0);
            for (int i = 0; !why && i < 256; i++, n++)
                (void)journal_append(w.journal, "c", "a", "1", 1);
            world_unlock(&w);
        } while (!why);
        assert_int_equal(why, WHY_BUSY);
        assert_int_equal(n, limit[!grows]);
    }
    journal_health(w.journal, &health);
    assert_int_equal(health.backlog, n);
    assert_false(health.full);
    let_go(other);
    world_end(&w);
}

static void
what_was_reserved_always_fits(void **state)
{
    static char record[3 << 20];
    struct world w = {0};
    struct recovered r;
    char names[256][8];

    (void)state;
    memset(record, 'x', sizeof record);
    for (int i = 0; i < 256; i++)
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
    world_open(&w);
    world_start(&w);
    for (size_t round = 0; round < 60; round++) {
        size_t large = round % 3 == 0 ? sizeof record / (round + 1) : 0;

        world_lock(&w);
        assert_int_equal(journal_reserve(w.journal, true, large), WHY_OK);
        for (int i = 0; i < 255; i++)
            (void)journal_append(w.journal, "a-kind-of-thirty-one-characters", names[i], record,
                                 200);
        (void)journal_append(w.journal, "large", names[255], record, large);
        world_unlock(&w);
    }
    world_close(&w);
    world_open(&w);
    r = world_recover(&w);
    assert_int_equal(r.n, 256);
    free(r.text);
    world_end(&w);
}

static void
relaxed_waits_for_nothing_and_is_stored_all_the_same(void **state)
{
    struct world w = {.durability = DURABILITY_RELAXED};
    struct promise p;
    struct recovered r;

    (void)state;
    world_open(&w);
    world_start(&w);
    assert_false(journal_await(w.journal, &p.pledge, change_one(&w, "counter", "a", "1")));
    world_close(&w);
    world_open(&w);
    r = world_recover(&w);
    assert_string_equal(r.text, "counter a=1\n");
    free(r.text);
    world_end(&w);
}

static void
without_the_reserve_the_gate_is_closed_from_the_start(void **state)
{
    struct world w = {.reserve_bytes = INT64_C(1) << 60};
    struct journal_health health;
    struct promise p;
    uint64_t seq;

    (void)state;
    world_open(&w);
    world_start(&w);
    journal_health(w.journal, &health);
    assert_true(health.full);
    world_lock(&w);
    assert_int_equal(journal_reserve(w.journal, true, 0), WHY_STORE_FULL);
    assert_int_equal(journal_reserve(w.journal, false, 0), WHY_OK);
    seq = journal_append(w.journal, "lock", "a", NULL, 0);
    world_unlock(&w);
    promise_make(&w, &p, seq);
    assert_int_equal(promise_wait(&p), WHY_OK);
    world_end(&w);
}

/* Many at once: each thread's changes are in its own order, and each pledge, its own or somebody else's, is kept once. */
enum { THREADS = 4, EACH = 2000 };

struct actor {
    struct world *w;
    char name[8];
    int failed;
};

static void *
act(void *arg)
{
    struct actor *a = arg;

    for (int i = 1; i <= EACH; i++) {
        char record[16];
        struct promise own, last;
        uint64_t seq;

        (void)snprintf(record, sizeof record, "%d", i);
        seq = change_one(a->w, "counter", a->name, record);
        promise_make(a->w, &own, seq);
        world_lock(a->w);
        seq = journal_last(a->w->journal);
        world_unlock(a->w);
        promise_make(a->w, &last, seq);
        a->failed += promise_wait(&own) != WHY_OK || promise_wait(&last) != WHY_OK;
        a->failed += journal_committed(a->w->journal) < seq;
    }
    return NULL;
}

static void
many_threads_share_commits(void **state)
{
    struct world w = {0};
    struct actor actor[THREADS];
    struct bob_thread *thread[THREADS];
    struct recovered r;

    (void)state;
    world_open(&w);
    world_start(&w);
    for (int i = 0; i < THREADS; i++) {
        actor[i] = (struct actor){.w = &w};
        (void)snprintf(actor[i].name, sizeof actor[i].name, "t%d", i);
        assert_int_equal(bob_thread_start(&thread[i], actor[i].name, act, &actor[i], NULL), BOB_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        bob_thread_free(thread[i]);
        assert_int_equal(actor[i].failed, 0);
    }
    world_close(&w);
    world_open(&w);
    r = world_recover(&w);
    assert_int_equal(r.n, THREADS);
    for (int i = 0; i < THREADS; i++) {
        char line[32];

        (void)snprintf(line, sizeof line, "counter t%d=%d\n", i, EACH);
        assert_non_null(strstr(r.text, line));
    }
    free(r.text);
    world_end(&w);
}

static uint64_t
give_one_back(struct world *w)
{
    uint64_t seq;

    world_lock(w);
    assert_int_equal(journal_reserve(w->journal, false, 0), WHY_OK);
    seq = journal_append(w->journal, "lock", "a", NULL, 0);
    world_unlock(w);
    return seq;
}

/* A fold needs room of its own, and would take what the reserve left for a release. */
static void
nothing_is_folded_while_the_gate_is_closed(void **state)
{
    struct world w = {.reserve_bytes = INT64_C(1) << 60};
    struct promise p;
    struct sqlite *db;
    int64_t folded = -1;
    uint64_t seq = 0;

    (void)state;
    world_open(&w);
    world_start(&w);
    for (int step = 0; step < 420; step++) {
        world_lock(&w);
        assert_int_equal(journal_reserve(w.journal, false, 0), WHY_OK);
        for (int i = 0; i < 256; i++) {
            char name[16];

            (void)snprintf(name, sizeof name, "n%d", step * 256 + i);
            seq = journal_append(w.journal, "c", name, "1", 1);
        }
        world_unlock(&w);
    }
    promise_make(&w, &p, seq);
    assert_int_equal(promise_wait(&p), WHY_OK);
    for (int i = 0; i < 3; i++) { /* commits of their own */
        promise_make(&w, &p, seq = give_one_back(&w));
        assert_int_equal(promise_wait(&p), WHY_OK);
    }
    db = world_database(&w);
    assert_int_equal(sqlite_number(db, "SELECT count(*) FROM object", &folded), STORED_OK);
    assert_int_equal(folded, 0);
    sqlite_close(db);
    world_end(&w);
}

/* What submits have filled up with their arguments does not keep a release out. */
static void
the_last_quarter_of_the_bytes_is_for_what_gives_back_too(void **state)
{
    enum { LARGE = 8 << 20 };
    struct world w = {0};
    struct sqlite *other;
    char *record = calloc(1, LARGE);
    size_t taken = 0;
    enum why why;

    (void)state;
    assert_non_null(record);
    world_open(&w);
    world_start(&w);
    other = hold_up(&w);
    do {
        world_lock(&w);
        why = journal_reserve(w.journal, true, LARGE);
        if (!why) {
            (void)journal_append(w.journal, "c", "a", record, LARGE);
            taken += LARGE;
        }
        world_unlock(&w);
    } while (!why);
    assert_int_equal(why, WHY_BUSY);
    assert_true(taken >= 192 << 20 && taken <= (192 << 20) + LARGE);
    (void)give_one_back(&w);
    let_go(other);
    world_end(&w);
    free(record);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pledge_is_kept_once_its_change_is_durable),
        cmocka_unit_test(sequences_rise_by_one_over_a_stop_too),
        cmocka_unit_test(a_start_after_a_crash_takes_a_new_block),
        cmocka_unit_test(pledges_are_kept_in_the_order_of_their_changes),
        cmocka_unit_test(one_who_only_reads_waits_for_what_is_in_flight),
        cmocka_unit_test(stop_commits_everything_and_keeps_every_pledge),
        cmocka_unit_test(the_backlog_is_bounded_and_its_last_quarter_is_for_what_gives_back),
        cmocka_unit_test(what_was_reserved_always_fits),
        cmocka_unit_test(relaxed_waits_for_nothing_and_is_stored_all_the_same),
        cmocka_unit_test(without_the_reserve_the_gate_is_closed_from_the_start),
        cmocka_unit_test(many_threads_share_commits),
        cmocka_unit_test(nothing_is_folded_while_the_gate_is_closed),
        cmocka_unit_test(the_last_quarter_of_the_bytes_is_for_what_gives_back_too),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
