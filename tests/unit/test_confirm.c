/* test_confirm.c - a grant with confirm: its lease is short until the first renew, also over a restart.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

#define CONFIRM (2 * SECOND)
#define TTL (30 * SECOND)

static const struct want WANT = {.confirm_ns = CONFIRM, .ttl_ns = TTL, .wait_ns = 600 * SECOND};

static uint64_t
holder(struct world *w, moment *ret_expires_at)
{
    static struct hold_view view;
    struct client look = {0};

    if (hold_show(w->c, NOW, HOLD_LOCK, "db", &view, ask_of(w, &look)) != WHY_OK ||
        view.holders == 0)
        return 0;
    *ret_expires_at = view.holder[0].expires_at;
    return view.holder[0].token;
}

static moment
renew(struct world *w, moment now, uint64_t token, int64_t ttl_ns)
{
    struct client a = {0};
    enum why why = hold_renew(w->c, now, HOLD_LOCK, "db", token, ttl_ns, ask_of(w, &a));

    world_commit(w);
    assert_int_equal(why == WHY_PENDING ? a.ask.outcome.why : why, WHY_OK);
    return a.ask.outcome.grant.expires_at;
}

static uint64_t
have(struct world *w)
{
    struct client a = {0};

    (void)acquire(w, &a, HOLD_LOCK, "db", NOW, WANT);
    world_commit(w);
    assert_int_equal(a.ask.outcome.why, WHY_OK);
    assert_int_equal(a.ask.outcome.grant.expires_at, NOW + CONFIRM);
    return a.ask.outcome.grant.token;
}

static void
a_lease_is_short_until_the_first_renew_and_then_ttl(void **state)
{
    struct world w;
    moment ends;

    (void)state;
    world_open(&w);
    uint64_t token = have(&w), last = w.journal.last;
    assert_int_equal(renew(&w, NOW + SECOND, token, 0), NOW + SECOND + TTL);
    assert_int_equal(w.journal.last, last + 1); /* the store must know that it is confirmed */
    (void)deadline_serve(w.c, NOW + SECOND + TTL - 1);
    assert_int_equal(holder(&w, &ends), token);
    assert_int_equal(renew(&w, NOW + 5 * SECOND, token, 0), NOW + 5 * SECOND + TTL);
    assert_int_equal(w.journal.last, last + 1);
    world_close(&w);
}

static void
one_that_is_not_renewed_ends_and_says_so(void **state)
{
    struct world w;
    struct client late = {0};
    moment ends;

    (void)state;
    world_open(&w);
    uint64_t token = have(&w);
    (void)deadline_serve(w.c, NOW + CONFIRM - 1);
    assert_int_equal(holder(&w, &ends), token);
    (void)deadline_serve(w.c, NOW + CONFIRM);
    assert_int_equal(hold_renew(w.c, NOW + CONFIRM, HOLD_LOCK, "db", token, 0, ask_of(&w, &late)),
                     WHY_PENDING);
    world_commit(&w);
    assert_int_equal(late.ask.outcome.why, WHY_NOT_HOLDER);
    assert_int_equal(late.ask.outcome.ended, ENDED_BY_EXPIRY);
    world_close(&w);
}

static void
a_renew_with_a_ttl_of_its_own_confirms_too(void **state)
{
    struct world w;
    moment ends;

    (void)state;
    world_open(&w);
    uint64_t token = have(&w);
    assert_int_equal(renew(&w, NOW, token, 5 * SECOND), NOW + 5 * SECOND);
    assert_int_equal(renew(&w, NOW + SECOND, token, 0), NOW + 6 * SECOND);
    token = holder(&w, &ends);
    assert_int_equal(ends, NOW + 6 * SECOND);
    assert_true(token > 0);
    world_close(&w);
}

/* The dead stand in line, each is granted in its turn, and none reads it. */
static void
who_waits_behind_the_dead_waits_for_their_confirm_and_not_for_their_ttl(void **state)
{
    enum { DEAD = 3 };
    struct world w;
    struct client dead[DEAD] = {0}, living = {0};
    struct want plain = {.ttl_ns = TTL, .wait_ns = 600 * SECOND};
    moment ends;

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    for (int i = 0; i < DEAD; i++)
        assert_int_equal(acquire(&w, &dead[i], HOLD_LOCK, "db", NOW, WANT), WHY_PENDING);
    assert_int_equal(acquire(&w, &living, HOLD_LOCK, "db", NOW, plain), WHY_PENDING);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    for (int i = 0; i < DEAD; i++) {
        assert_int_equal(dead[i].told, 1);
        assert_int_equal(dead[i].ask.outcome.grant.expires_at, NOW + (i + 1) * CONFIRM);
        assert_int_equal(living.told, 0);
        (void)deadline_serve(w.c, NOW + (i + 1) * CONFIRM);
        world_commit(&w);
    }
    assert_int_equal(living.told, 1);
    assert_int_equal(holder(&w, &ends), living.ask.outcome.grant.token);
    assert_int_equal(ends,
                     NOW + DEAD * CONFIRM + TTL); /* a spare hold is not confirmed by mistake */
    world_close(&w);
}

static void
over_a_restart_it_begins_its_confirm_time_anew(void **state)
{
    struct world w;
    struct fault f = {0};
    moment ends, later = NOW + 100 * SECOND;

    (void)state;
    world_open(&w);
    uint64_t token = have(&w);
    assert_int_equal(world_crash(&w, later, &f), WHY_OK);
    assert_int_equal(holder(&w, &ends), token);
    assert_int_equal(ends, later + CONFIRM);
    assert_int_equal(renew(&w, later, token, 0), later + TTL); /* its ttl is remembered */
    assert_int_equal(world_crash(&w, later + SECOND, &f), WHY_OK);
    assert_int_equal(holder(&w, &ends), token);
    assert_int_equal(ends, later + SECOND + TTL); /* and that it was confirmed */
    world_close(&w);
}

static void
permits_of_a_semaphore_are_confirmed_each_by_its_own_token(void **state)
{
    struct world w;
    struct client put = {0}, a = {0}, b = {0}, again = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    w.journal.relaxed = true;
    semaphore_put(w.c, NOW, "gpu", 2, true, ask_of(&w, &put));
    assert_int_equal(acquire(&w, &a, HOLD_SEMAPHORE, "gpu", NOW, WANT), WHY_OK);
    assert_int_equal(acquire(&w, &b, HOLD_SEMAPHORE, "gpu", NOW, WANT), WHY_OK);
    assert_int_equal(hold_renew(w.c, NOW + SECOND, HOLD_SEMAPHORE, "gpu", b.ask.outcome.grant.token,
                                0, ask_of(&w, &again)),
                     WHY_OK);
    (void)deadline_serve(w.c, NOW + CONFIRM);
    assert_int_equal(hold_show(w.c, NOW, HOLD_SEMAPHORE, "gpu", &view, ask_of(&w, &again)), WHY_OK);
    assert_int_equal(view.free, 1);
    assert_int_equal(view.holder[0].token, b.ask.outcome.grant.token);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_short_until_the_first_renew_and_then_ttl),
        cmocka_unit_test(one_that_is_not_renewed_ends_and_says_so),
        cmocka_unit_test(a_renew_with_a_ttl_of_its_own_confirms_too),
        cmocka_unit_test(who_waits_behind_the_dead_waits_for_their_confirm_and_not_for_their_ttl),
        cmocka_unit_test(over_a_restart_it_begins_its_confirm_time_anew),
        cmocka_unit_test(permits_of_a_semaphore_are_confirmed_each_by_its_own_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
