/* test_recovery_coord.c - what is there again after a crash: values, semaphores, holds with their tokens, and no more.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

#include "store/record.h"

static void
what_was_durable_is_there_again(void **state)
{
    struct world w;
    struct client a = {0}, lost = {0}, look = {0};
    struct fault f = {0};
    moment later = NOW + 100 * SECOND;
    static struct hold_view view;

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "x", 41, ask_of(&w, &a));
    world_commit(&w);
    uint64_t token = lock_have(&w, "db"), free_again = lock_have(&w, "free");
    assert_int_equal(lock_release(&w, "free", free_again), WHY_OK);
    counter_add(w.c, NOW, "x", 1, ask_of(&w, &lost)); /* never durable, never told */

    assert_int_equal(world_crash(&w, later, &f), WHY_OK);
    assert_int_equal(lost.told, 0);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_OK);
    assert_int_equal(look.ask.outcome.counter.value, 41);
    assert_int_equal(hold_show(w.c, NOW, HOLD_LOCK, "db", &view, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(view.holder[0].token, token);
    assert_int_equal(view.holder[0].expires_at, later + TTL_DEFAULT); /* in full, anew */
    assert_int_equal(view.holder[0].since_ms, clock_to_wall_ms(NOW)); /* that of the grant */
    assert_int_equal(hold_show(w.c, NOW, HOLD_LOCK, "free", &view, ask_of(&w, &look)),
                     WHY_NOT_FOUND);
    (void)deadline_serve(w.c, later + TTL_DEFAULT - 1);
    assert_int_equal(hold_renew(w.c, later, HOLD_LOCK, "db", token, 0, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    world_close(&w);
}

static void
tokens_go_on_rising(void **state)
{
    struct world w;
    struct fault f = {0};

    (void)state;
    world_open(&w);
    uint64_t before = lock_have(&w, "a");
    assert_int_equal(world_crash(&w, NOW, &f), WHY_OK);
    assert_true(lock_have(&w, "b") > before);
    world_close(&w);
}

static void
a_semaphore_resized_after_its_grants_keeps_them(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, b = {0}, look = {0};
    struct fault f = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 3, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 2, .owner = "ci"});
    world_commit(&w);
    semaphore_put(w.c, NOW, "gpu", 5, false,
                  ask_of(&w, &put)); /* its record is newer than its hold's */
    world_commit(&w);
    assert_int_equal(world_crash(&w, NOW, &f), WHY_OK);
    assert_int_equal(hold_show(w.c, NOW, HOLD_SEMAPHORE, "gpu", &view, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(view.value, 5);
    assert_int_equal(view.free, 3);
    assert_false(view.bounded);
    assert_string_equal(view.holder[0].owner, "ci");
    assert_int_equal(view.holder[0].permits, 2);
    assert_int_equal(acquire(&w, &b, HOLD_SEMAPHORE, "gpu", NOW, (struct want){.permits = 4}),
                     WHY_LOCK_HELD);
    world_close(&w);
}

static void
a_hold_whose_ttl_was_changed_keeps_its_token(void **state)
{
    struct world w;
    struct client renew = {0}, look = {0};
    struct fault f = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    hold_renew(w.c, NOW, HOLD_LOCK, "db", token, 5 * SECOND, ask_of(&w, &renew));
    world_commit(&w);
    assert_int_equal(world_crash(&w, NOW, &f), WHY_OK);
    assert_int_equal(hold_show(w.c, NOW, HOLD_LOCK, "db", &view, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(view.holder[0].token, token);
    assert_int_equal(view.holder[0].expires_at, NOW + 5 * SECOND);
    world_close(&w);
}

static void
a_deleted_counter_stays_deleted(void **state)
{
    struct world w;
    struct client a = {0}, gone = {0}, look = {0};
    struct fault f = {0};

    (void)state;
    world_open(&w);
    counter_add(w.c, NOW, "x", 1, ask_of(&w, &a));
    counter_delete(w.c, NOW, "x", ask_of(&w, &gone));
    world_commit(&w);
    assert_int_equal(world_crash(&w, NOW, &f), WHY_OK);
    assert_int_equal(counter_get(w.c, "x", ask_of(&w, &look)), WHY_NOT_FOUND);
    world_close(&w);
}

static void
what_it_does_not_understand_stops_it_with_a_sentence(void **state)
{
    unsigned char value[64], newer[64], later[64], nothing[64];
    char long_name[NAME_MAX_LEN + 2];
    struct record r;
    size_t value_len, newer_len, later_len, nothing_len;

    (void)state;
    record_start(&r, value, sizeof(value));
    record_int(&r, 'v', 1);
    value_len = record_end(&r);
    record_start(&r, newer, sizeof(newer));
    record_int(&r, 'v', 1);
    record_int(&r, 'Z', 1);
    newer_len = record_end(&r);
    record_start(&r, later, sizeof(later));
    record_int(&r, 'v', 1);
    record_int(&r, 'z', 1);
    later_len = record_end(&r);
    record_start(&r, nothing, sizeof(nothing));
    record_int(&r, 'z', 1);
    nothing_len = record_end(&r);
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';

    const struct {
        const char *says, *kind, *name;
        const void *record;
        size_t len;
        enum why why;
        const char *words;
    } T[] = {
        {"a counter", "counter", "x", value, value_len, WHY_OK, ""},
        {"a field that may be skipped", "counter", "x", later, later_len, WHY_OK, ""},
        {"a field that may not be", "counter", "x", newer, newer_len, WHY_INTERNAL,
         "newer version"},
        {"an unknown kind", "barrier", "x", value, value_len, WHY_INTERNAL, "newer version"},
        {"a kind without records", "lock", "x", value, value_len, WHY_INTERNAL,
         "unknown kind lock"},
        {"a counter without a value", "counter", "x", nothing, nothing_len, WHY_INTERNAL,
         "no value: put a backup"},
        {"a semaphore without a value", "semaphore", "x", nothing, nothing_len, WHY_INTERNAL,
         "no value: put a backup"},
        {"a hold of nothing", "hold", "17", value, value_len, WHY_INTERNAL,
         "damaged: put a backup"},
        {"half a record", "counter", "x", value, value_len - 1, WHY_INTERNAL,
         "damaged: put a backup"},
        {"a name that is too long", "counter", long_name, value, value_len, WHY_INTERNAL,
         "nothing is lost"},
    };
    for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
        struct coord_options o = world_options();
        struct coord *c;
        struct fault f = {0};

        print_message("# %s\n", T[i].says);
        assert_int_equal(coord_new(&c, &o, &f), WHY_OK);
        assert_int_equal(coord_load(c, T[i].kind, T[i].name, 5, T[i].record, T[i].len, &f),
                         T[i].why);
        assert_int_equal(f.why, T[i].why);
        assert_non_null(strstr(f.detail, T[i].words));
        coord_free(c);
    }
}

static void
a_hold_without_its_semaphore_stops_it(void **state)
{
    struct world w;
    struct client put = {0}, a = {0};
    struct fault f = {0};

    (void)state;
    world_open(&w);
    semaphore_put(w.c, NOW, "gpu", 3, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, (struct want){0});
    world_commit(&w);
    free(w.journal.change[0].record);
    w.journal.change[0].record = NULL;
    assert_int_equal(world_crash(&w, NOW, &f), WHY_INTERNAL);
    assert_non_null(strstr(f.detail, "gpu"));
    assert_non_null(strstr(f.detail, "put a backup"));
    coord_free(w.c);
    fake_journal_fini(&w.journal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_durable_is_there_again),
        cmocka_unit_test(tokens_go_on_rising),
        cmocka_unit_test(a_semaphore_resized_after_its_grants_keeps_them),
        cmocka_unit_test(a_hold_whose_ttl_was_changed_keeps_its_token),
        cmocka_unit_test(a_deleted_counter_stays_deleted),
        cmocka_unit_test(what_it_does_not_understand_stops_it_with_a_sentence),
        cmocka_unit_test(a_hold_without_its_semaphore_stops_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
