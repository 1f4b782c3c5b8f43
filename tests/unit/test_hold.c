/* test_hold.c - locks and their holds: who is the holder, who is next, and what everybody is told, when.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

static void
a_grant_is_told_once_it_is_durable(void **state)
{
    struct world w;
    struct client a = {0};

    (void)state;
    world_open(&w);
    assert_int_equal(lock_acquire(&w, &a, "db", 0), WHY_PENDING);
    assert_int_equal(a.told, 0);
    world_commit(&w);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.ask.outcome.why, WHY_OK);
    assert_int_equal(a.ask.outcome.grant.token, w.journal.last);
    assert_int_equal(a.ask.outcome.grant.expires_at, NOW + TTL_DEFAULT);
    assert_int_equal(a.ask.outcome.grant.permits, 1);
    world_close(&w);
}

static void
a_refusal_waits_for_the_grant_it_tells_of(void **state)
{
    struct world w;
    struct client a = {0}, b = {0}, again = {0};

    (void)state;
    world_open(&w);
    acquire(&w, &a, HOLD_LOCK, "db", NOW, (struct want){.owner = "ci"});
    assert_int_equal(lock_acquire(&w, &b, "db", 0), WHY_PENDING);
    assert_int_equal(b.told, 0);
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_LOCK_HELD);
    assert_int_equal(b.ask.outcome.held.token, a.ask.outcome.grant.token);
    assert_string_equal(b.ask.outcome.held.owner, "ci");
    assert_int_equal(b.ask.outcome.held.position, 1);
    assert_int_equal(b.ask.outcome.held.waiters, 0);
    assert_int_equal(lock_acquire(&w, &again, "db", 0), WHY_LOCK_HELD); /* durable by now */
    world_close(&w);
}

static void
a_release_makes_the_next_in_line_the_holder(void **state)
{
    struct world w;
    struct client b = {0}, c = {0}, release = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    assert_int_equal(lock_acquire(&w, &b, "db", 60 * SECOND), WHY_PENDING);
    assert_int_equal(lock_acquire(&w, &c, "db", 60 * SECOND), WHY_PENDING);
    world_commit(&w);
    assert_int_equal(b.told + c.told, 0);

    moment later = NOW + 3 * SECOND;
    assert_int_equal(hold_release(w.c, later, HOLD_LOCK, "db", token, ask_of(&w, &release)),
                     WHY_PENDING);
    assert_int_equal(b.told + release.told, 0); /* its grant is not durable yet */
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(c.told, 0);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    assert_true(b.ask.outcome.grant.token > token);
    assert_int_equal(b.ask.outcome.grant.waited_ns, 3 * SECOND);
    assert_int_equal(b.ask.outcome.grant.expires_at, later + TTL_DEFAULT);
    assert_int_equal(release.told, 1);
    assert_int_equal(release.ask.outcome.released.free, 0);
    world_close(&w);
    assert_int_equal(c.told, 1);
    assert_int_equal(c.ask.outcome.why, WHY_DRAINING);
}

static void
a_client_that_hangs_up_leaves_the_line_at_once(void **state)
{
    struct world w;
    struct client b = {0}, c = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    lock_acquire(&w, &b, "db", 60 * SECOND);
    lock_acquire(&w, &c, "db", 60 * SECOND);
    ask_leave(w.c, &b.ask, b.ask.ticket + 100); /* another asking of the same slot */
    assert_int_equal(b.told, 0);
    ask_leave(w.c, &b.ask, b.ask.ticket);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_GONE);
    ask_leave(w.c, &b.ask, b.ask.ticket); /* old news */
    assert_int_equal(b.told, 1);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    assert_int_equal(c.told, 1);
    assert_int_equal(c.ask.outcome.why, WHY_OK);
    world_close(&w);
}

static void
a_lease_ends_at_its_ttl_and_not_before(void **state)
{
    struct world w;
    struct client b = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    lock_acquire(&w, &b, "db", 600 * SECOND);
    assert_int_equal(deadline_serve(w.c, NOW + TTL_DEFAULT - 1), NOW + TTL_DEFAULT);
    assert_int_equal(b.told, 0);
    (void)deadline_serve(w.c, NOW + TTL_DEFAULT);
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    assert_int_equal(lock_release(&w, "db", token), WHY_NOT_HOLDER);
    assert_int_equal(lock_release(&w, "db", b.ask.outcome.grant.token), WHY_OK);
    world_close(&w);
}

static enum ended_by
ended_by(struct world *w, const char *name, uint64_t token)
{
    struct client client = {0};

    (void)hold_renew(w->c, NOW, HOLD_LOCK, name, token, 0, ask_of(w, &client));
    world_commit(w);
    assert_int_equal(client.ask.outcome.why, WHY_NOT_HOLDER);
    return client.ask.outcome.ended;
}

static void
a_token_that_holds_no_more_says_how_it_ended(void **state)
{
    struct world w;
    struct client gone = {0};
    uint64_t token;

    (void)state;
    world_open(&w);
    token = lock_have(&w, "db");
    assert_int_equal(ended_by(&w, "db", token + 1), ENDED_UNKNOWN);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    assert_int_equal(ended_by(&w, "db", token), ENDED_BY_RELEASE);
    (void)lock_have(&w, "other");
    assert_int_equal(ended_by(&w, "other", token), ENDED_UNKNOWN);
    assert_int_equal(ended_by(&w, "nobody's", token), ENDED_UNKNOWN);

    token = lock_have(&w, "db");
    (void)hold_delete(w.c, NOW, HOLD_LOCK, "db", ask_of(&w, &gone));
    world_commit(&w);
    assert_int_equal(ended_by(&w, "db", token), ENDED_BY_DELETE);

    token = lock_have(&w, "db");
    (void)deadline_serve(w.c, NOW + TTL_DEFAULT);
    world_commit(&w);
    assert_int_equal(ended_by(&w, "db", token), ENDED_BY_EXPIRY);
    world_close(&w);
}

static void
a_wrong_token_changes_nothing(void **state)
{
    struct world w;
    struct client renew = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db"), other = lock_have(&w, "other");
    uint64_t last = w.journal.last;
    assert_int_equal(lock_release(&w, "db", token + 1), WHY_NOT_HOLDER);
    assert_int_equal(lock_release(&w, "db", other), WHY_NOT_HOLDER);
    assert_int_equal(lock_release(&w, "unknown", token), WHY_NOT_HOLDER);
    assert_int_equal(hold_renew(w.c, NOW, HOLD_LOCK, "db", other, 0, ask_of(&w, &renew)),
                     WHY_NOT_HOLDER);
    assert_int_equal(w.journal.last, last);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    assert_int_equal(lock_release(&w, "db", token), WHY_NOT_HOLDER);
    world_close(&w);
}

static void
renewing_with_the_same_ttl_writes_nothing(void **state)
{
    struct world w;
    struct client renew = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db"), last = w.journal.last;
    moment later = NOW + 20 * SECOND;
    assert_int_equal(hold_renew(w.c, later, HOLD_LOCK, "db", token, 0, ask_of(&w, &renew)), WHY_OK);
    assert_int_equal(renew.ask.outcome.grant.expires_at, later + TTL_DEFAULT);
    assert_int_equal(renew.ask.outcome.grant.token, token);
    assert_int_equal(
        hold_renew(w.c, later, HOLD_LOCK, "db", token, TTL_DEFAULT, ask_of(&w, &renew)), WHY_OK);
    assert_int_equal(w.journal.last, last);
    (void)deadline_serve(w.c, NOW + TTL_DEFAULT);
    assert_int_equal(w.journal.last, last); /* it has not ended */
    assert_int_equal(hold_renew(w.c, later, HOLD_LOCK, "db", token, SECOND, ask_of(&w, &renew)),
                     WHY_PENDING);
    assert_int_equal(w.journal.last, last + 1);
    world_commit(&w);
    assert_int_equal(renew.ask.outcome.grant.expires_at, later + SECOND);
    assert_int_equal(renew.ask.outcome.grant.token, token); /* the hold keeps its name */
    world_close(&w);
}

static void
a_full_disk_refuses_acquires_and_passes_releases(void **state)
{
    struct world w;
    struct client a = {0}, b = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    lock_acquire(&w, &b, "db", 60 * SECOND);
    w.journal.full = true;
    assert_int_equal(lock_acquire(&w, &a, "other", 0), WHY_STORE_FULL);
    assert_int_equal(a.ask.outcome.why, WHY_STORE_FULL);
    assert_int_equal(lock_release(&w, "db", token), WHY_OK);
    assert_int_equal(b.told, 1); /* the reserve pays for this grant */
    world_close(&w);
}

static void
a_lease_ends_a_little_later_when_the_journal_is_behind(void **state)
{
    struct world w;
    struct client b = {0};

    (void)state;
    world_open(&w);
    (void)lock_have(&w, "db");
    lock_acquire(&w, &b, "db", 600 * SECOND);
    w.journal.busy = true;
    moment again = deadline_serve(w.c, NOW + TTL_DEFAULT);
    assert_true(again > NOW + TTL_DEFAULT && again <= NOW + TTL_DEFAULT + 50 * NS_PER_MS);
    w.journal.busy = false;
    (void)deadline_serve(w.c, again);
    world_commit(&w);
    assert_int_equal(b.told, 1);
    world_close(&w);
}

static void
a_grant_given_back_goes_to_the_next(void **state)
{
    struct world w;
    struct client b = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    lock_acquire(&w, &b, "db", 60 * SECOND);
    hold_give_back(w.c, NOW, HOLD_LOCK, "db", token);
    hold_give_back(w.c, NOW, HOLD_LOCK, "db", token); /* each of three may say so */
    world_commit(&w);
    assert_int_equal(b.told, 1);
    assert_int_equal(b.ask.outcome.why, WHY_OK);
    assert_int_equal(lock_release(&w, "db", b.ask.outcome.grant.token), WHY_OK);
    world_close(&w);
}

static void
deleting_a_lock_ends_its_hold(void **state)
{
    struct world w;
    struct client b = {0}, gone = {0};

    (void)state;
    world_open(&w);
    uint64_t token = lock_have(&w, "db");
    lock_acquire(&w, &b, "db", 60 * SECOND);
    assert_int_equal(hold_delete(w.c, NOW, HOLD_LOCK, "db", ask_of(&w, &gone)), WHY_PENDING);
    world_commit(&w);
    assert_int_equal(gone.ask.outcome.why, WHY_OK);
    assert_int_equal(b.told, 1);
    assert_int_equal(lock_release(&w, "db", token), WHY_NOT_HOLDER);
    assert_int_equal(lock_release(&w, "db", b.ask.outcome.grant.token), WHY_OK);
    assert_int_equal(hold_delete(w.c, NOW, HOLD_LOCK, "db", ask_of(&w, &gone)),
                     WHY_OK); /* free: forgotten */
    assert_int_equal(hold_delete(w.c, NOW, HOLD_LOCK, "db", ask_of(&w, &gone)), WHY_NOT_FOUND);
    world_close(&w);
}

static void
shows_holders_and_the_line(void **state)
{
    struct world w;
    struct client a = {0}, b[3] = {0}, look = {0};
    static struct hold_view view;

    (void)state;
    world_open(&w);
    acquire(&w, &a, HOLD_LOCK, "db", NOW, (struct want){.owner = "ci"});
    for (int i = 0; i < 3; i++)
        acquire(&w, &b[i], HOLD_LOCK, "db", NOW + i,
                (struct want){.owner = "bob", .wait_ns = SECOND});
    assert_int_equal(hold_show(w.c, NOW, HOLD_LOCK, "db", &view, ask_of(&w, &look)), WHY_PENDING);
    world_commit(&w);
    assert_int_equal(look.told, 1);
    assert_string_equal(view.holder[0].owner, "ci");
    assert_int_equal(view.holder[0].token, a.ask.outcome.grant.token);
    assert_int_equal(view.waiters, 3);
    assert_int_equal(view.waiters_shown, 3);
    assert_int_equal(view.waiter[2].position, 3);
    assert_int_equal(view.waiter[2].since, NOW + 2);
    assert_string_equal(view.waiter[0].owner, "bob");
    world_close(&w);
}

static void
lists_in_the_order_of_names_page_by_page(void **state)
{
    struct world w;
    struct client look = {0};
    struct hold_row row[2];
    size_t n;

    (void)state;
    world_open(&w);
    (void)lock_have(&w, "b");
    (void)lock_have(&w, "c");
    (void)lock_have(&w, "a");
    assert_int_equal(hold_list(w.c, NOW, HOLD_LOCK, "", row, 2, &n, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(n, 2);
    assert_string_equal(row[0].name, "a");
    assert_string_equal(row[1].name, "b");
    assert_int_equal(hold_list(w.c, NOW, HOLD_LOCK, "b", row, 2, &n, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(n, 1);
    assert_string_equal(row[0].name, "c");
    assert_int_equal(hold_list(w.c, NOW, HOLD_LOCK, "aa", row, 2, &n, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(n, 2);
    assert_int_equal(row[0].free, 0);
    assert_true(row[0].holder.token > 0);
    world_close(&w);
}

static void
the_longest_names_fit_into_every_step(void **state)
{
    enum { N = 200 };
    struct world w;
    struct client put = {0}, a = {0};
    struct client *line = calloc(N, sizeof(*line));
    char name[NAME_MAX_LEN + 1], owner[OWNER_MAX_LEN + 1];
    struct fault f = {0};
    static struct hold_view view;

    (void)state;
    assert_non_null(line);
    world_open(&w);
    memset(name, 'n', NAME_MAX_LEN);
    memset(owner, 'o', OWNER_MAX_LEN);
    name[NAME_MAX_LEN] = owner[OWNER_MAX_LEN] = '\0';
    semaphore_put(w.c, NOW, name, WHOLE_MAX, true, ask_of(&w, &put));
    acquire(&w, &a, HOLD_SEMAPHORE, name, NOW, (struct want){.permits = WHOLE_MAX, .owner = owner});
    for (int i = 0; i < N; i++)
        acquire(
            &w, &line[i], HOLD_SEMAPHORE, name, NOW,
            (struct want){.permits = 2, .owner = owner, .ttl_ns = TTL_MOST, .wait_ns = WAIT_MOST});
    hold_give_back(w.c, NOW, HOLD_SEMAPHORE, name, w.journal.last);
    (void)deadline_serve(w.c, NOW);
    world_commit(&w);
    assert_int_equal(line[N - 1].told, 1);
    assert_int_equal(world_crash(&w, NOW, &f), WHY_OK);
    struct client look = {0};
    assert_int_equal(hold_show(w.c, NOW, HOLD_SEMAPHORE, name, &view, ask_of(&w, &look)), WHY_OK);
    assert_int_equal(view.holders, N);
    assert_string_equal(view.holder[0].owner, owner);
    assert_int_equal(view.free, WHOLE_MAX - 2 * N);
    world_close(&w);
    free(line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_is_told_once_it_is_durable),
        cmocka_unit_test(a_refusal_waits_for_the_grant_it_tells_of),
        cmocka_unit_test(a_release_makes_the_next_in_line_the_holder),
        cmocka_unit_test(a_client_that_hangs_up_leaves_the_line_at_once),
        cmocka_unit_test(a_lease_ends_at_its_ttl_and_not_before),
        cmocka_unit_test(a_wrong_token_changes_nothing),
        cmocka_unit_test(a_token_that_holds_no_more_says_how_it_ended),
        cmocka_unit_test(renewing_with_the_same_ttl_writes_nothing),
        cmocka_unit_test(a_full_disk_refuses_acquires_and_passes_releases),
        cmocka_unit_test(a_lease_ends_a_little_later_when_the_journal_is_behind),
        cmocka_unit_test(a_grant_given_back_goes_to_the_next),
        cmocka_unit_test(deleting_a_lock_ends_its_hold),
        cmocka_unit_test(shows_holders_and_the_line),
        cmocka_unit_test(lists_in_the_order_of_names_page_by_page),
        cmocka_unit_test(the_longest_names_fit_into_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
