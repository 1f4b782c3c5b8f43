/* race_coord.c - many clients at few locks, with short waits and hang-ups, against a journal thread that takes its time.
 *
 * Checked: nobody is inside with another, every asking is told exactly once and only when durable, and no add is lost.  Made
 * for ThreadSanitizer; runs without it too.
 *
 *     race_coord [clients [rounds]]
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <bobbin/condition.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord/state.h"
#include "unit/fake_journal.h"

enum { LOCKS = 3, PERMITS = 4, CLIENTS_MAX = 64 };

/* ---- a journal that commits what there is, again and again ---- */

static struct journal journal;
static _Atomic bool journal_stops;

static bool
has_work(void *arg)
{
    const struct journal *j = arg;

    return journal_stops || j->pledge_first || j->last > j->committed;
}

static void *
journal_run(void *arg)
{
    struct journal *j = arg;
    bool over = false;

    while (!over) {
        uint64_t last;

        bob_lock_hold(&j->lock);
        (void)bob_condition_wait_for(&j->work, &j->lock, has_work, j, BOB_FOREVER);
        last = j->last;
        over = journal_stops && !j->pledge_first;
        (void)bob_lock_release(&j->lock);
        fake_journal_commit(j, last);
    }
    return NULL;
}

/* ---- clients ---- */

static struct coord *coord;
static long rounds = 1000;
static _Atomic int inside[LOCKS + 1]; /* permits in use, as the clients see it */
static _Atomic long ends[WHY_COUNT_];

struct client {
    struct ask ask;
    struct bob_lock lock;
    struct bob_condition told;
    int n_told;
    unsigned random;
};

static void
told(struct ask *a)
{
    struct client *client = STRUCT_OF(a, struct client, ask);

    bob_lock_hold(&client->lock);
    client->n_told++;
    bob_condition_notify(&client->told);
    (void)bob_lock_release(&client->lock);
}

static bool
was_told(void *arg)
{
    return ((struct client *)arg)->n_told > 0;
}

static enum why
outcome(struct client *client, enum why why)
{
    if (why == WHY_PENDING) {
        bob_lock_hold(&client->lock);
        assert(bob_condition_wait_for(&client->told, &client->lock, was_told, client,
                                      bob_in_ms(60000)));
        assert(client->n_told == 1);
        client->n_told = 0;
        (void)bob_lock_release(&client->lock);
        why = client->ask.outcome.why;
    }
    assert(client->n_told == 0);
    assert(client->ask.outcome.seq <= journal.committed);
    return why;
}

static void
use_permits(struct client *client, int which, const char *name, int permits)
{
    enum hold_kind kind = which == LOCKS ? HOLD_SEMAPHORE : HOLD_LOCK;
    uint64_t token = client->ask.outcome.grant.token;
    struct ask *a = &client->ask;

    int others = atomic_fetch_add(&inside[which], permits);

    assert(others + permits <= (which == LOCKS ? PERMITS : 1));
    if (rand_r(&client->random) % 3 == 0)
        assert(outcome(client, hold_renew(coord, clock_now(), kind, name, token, 0, a)) == WHY_OK);
    atomic_fetch_sub(&inside[which], permits);
    if (rand_r(&client->random) % 5 == 0)
        hold_give_back(coord, clock_now(), kind, name, token);
    else
        assert(outcome(client, hold_release(coord, clock_now(), kind, name, token, a)) == WHY_OK);
}

static void
one_round(struct client *client)
{
    int which = rand_r(&client->random) % (LOCKS + 1);
    int permits = which == LOCKS ? 1 + rand_r(&client->random) % 3 : 1;
    struct want want = {
        .owner = "racer",
        .permits = permits,
        .ttl_ns = TTL_MOST,
        .wait_ns = rand_r(&client->random) % 4 * (NS_PER_MS / 2),
    };
    char name[8];

    (void)snprintf(name, sizeof(name), "l%d", which);
    enum why why = hold_acquire(coord, clock_now(), which == LOCKS ? HOLD_SEMAPHORE : HOLD_LOCK,
                                name, &want, &client->ask);
    if (why == WHY_PENDING && rand_r(&client->random) % 4 == 0)
        ask_leave(coord, &client->ask, client->ask.ticket);
    why = outcome(client, why);
    ends[why]++;
    if (why == WHY_OK)
        use_permits(client, which, name, permits);
    else
        assert(why == WHY_LOCK_HELD || why == WHY_GONE);
}

static void *
client_run(void *arg)
{
    struct client *client = arg;
    static const size_t cap = 64;
    struct changed *rows = calloc(cap, sizeof(*rows));
    uint64_t at = 0;

    assert(rows);
    for (long i = 0; i < rounds; i++) {
        struct ask *a = &client->ask;
        size_t n;
        bool more;

        one_round(client);
        assert(outcome(client, counter_add(coord, clock_now(), "x", 1, a)) == WHY_OK);
        enum why why = outcome(client, coord_changes(coord, &at, rows, cap, &n, &more, a));
        assert(why == WHY_OK);
        assert(coord_stamp(coord) > 0);
    }
    free(rows);
    return NULL;
}

static void
client_init(struct client *client, unsigned random)
{
    bob_lock_init(&client->lock, NULL);
    bob_condition_init(&client->told);
    client->ask.tell = told;
    client->random = random;
}

int
main(int argc, char **argv)
{
    const struct coord_options options = {.max_waiters = 1000,
                                          .max_waiters_per_object = 1000,
                                          .max_objects = 1000,
                                          .max_tasks = 1000,
                                          .task_threads = 1};
    static struct client client[CLIENTS_MAX + 1];
    struct bob_thread *thread[CLIENTS_MAX], *journal_thread;
    struct fault f = {0};
    int clients = argc > 1 ? atoi(argv[1]) : 8;

    assert(clients > 0 && clients <= CLIENTS_MAX);
    rounds = argc > 2 ? atol(argv[2]) : rounds;
    fake_journal_init(&journal, 0);
    journal.forgetful = true;
    assert(!bob_thread_start(&journal_thread, "journal", journal_run, &journal, NULL));
    assert(!coord_new(&coord, &options, &f) && !coord_start(coord, &journal, clock_now(), &f));
    struct client *first = &client[CLIENTS_MAX];
    client_init(first, 1);
    assert(!outcome(first, semaphore_put(coord, clock_now(), "l3", PERMITS, true, &first->ask)));

    for (int i = 0; i < clients; i++) {
        client_init(&client[i], (unsigned)i + 1);
        assert(!bob_thread_start(&thread[i], "client", client_run, &client[i], NULL));
    }
    for (int i = 0; i < clients; i++)
        bob_thread_free(thread[i]);

    assert(!outcome(first, counter_get(coord, "x", &first->ask)));
    assert(first->ask.outcome.counter.value == clients * rounds);
    coord_drain(coord);
    coord_stop(coord);
    bob_lock_hold(&journal.lock);
    journal_stops = true;
    bob_condition_notify(&journal.work);
    (void)bob_lock_release(&journal.lock);
    bob_thread_free(journal_thread);
    coord_free(coord);
    fake_journal_fini(&journal);
    printf("ok 1 - granted %ld, not in time %ld, hung up %ld\n1..1\n", ends[WHY_OK],
           ends[WHY_LOCK_HELD], ends[WHY_GONE]);
    return 0;
}
