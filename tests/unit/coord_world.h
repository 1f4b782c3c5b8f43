/* coord_world.h - a coord whose journal is a fake: the test decides when a change becomes durable, and what time it is.
 *
 *     struct world w;  world_open(&w);                    // no threads; NOW is the first moment
 *     struct client a = {0};
 *     why = lock_acquire(&w, &a, "db", 0);                // WHY_PENDING: the grant is not durable
 *     world_commit(&w);                                   // now it is: a.told == 1, a.ask.outcome says what
 *     world_close(&w);
 *
 * Checked beside what fake_journal.h checks: nobody is told before what he is told is durable.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_COORD_WORLD_H
#define TESTS_COORD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coord/state.h"
#include "unit/fake_journal.h"

#define NOW (1000 * NS_PER_SECOND)
#define SECOND NS_PER_SECOND

struct world {
    struct coord *c;
    struct journal journal;
};

struct client {
    struct ask ask;
    int told;
    struct world *world; /* what it was told is checked against this world's journal */
};

static inline void
client_told(struct ask *a)
{
    struct client *client = STRUCT_OF(a, struct client, ask);

    client->told++;
    if (client->world && a->outcome.why != WHY_OUTCOME_UNKNOWN)
        assert_true(a->outcome.seq <= client->world->journal.committed);
}

static inline struct ask *
ask_of(struct world *w, struct client *client)
{
    client->world = w;
    client->ask.tell = client_told;
    return &client->ask;
}

static inline void
world_commit_to(struct world *w, uint64_t seq)
{
    fake_journal_commit(&w->journal, seq);
}

static inline void
world_commit(struct world *w)
{
    world_commit_to(w, w->journal.last);
}

static inline struct coord_options
world_options(void)
{
    return (struct coord_options){
        .max_waiters = 100000,
        .max_waiters_per_object = 20000,
        .max_objects = 1000000,
        .max_tasks = 100000,
        .max_task_memory = 256 << 20,
        .task_threads = 64,
        .result_ttl_ns = 3600 * SECOND,
    };
}

static inline void
world_open_with(struct world *w, const struct coord_options *o)
{
    struct fault f = {0};

    memset(w, 0, sizeof(*w));
    fake_journal_init(&w->journal, (1 << 20) - 1);
    assert_int_equal(coord_new(&w->c, o, &f), WHY_OK);
    assert_int_equal(state_start(w->c, &w->journal, NOW, &f), WHY_OK);
}

static inline void
world_open(struct world *w)
{
    struct coord_options o = world_options();

    world_open_with(w, &o);
}

static inline void
world_close(struct world *w)
{
    coord_drain(w->c);
    world_commit(w);
    coord_free(w->c);
    fake_journal_fini(&w->journal);
}

/* Whether change @i is the last word on its thing, and says that it is there. */
static inline bool
change_is_live(const struct journal *j, size_t i)
{
    for (size_t k = i + 1; k < j->changes; k++) {
        if (j->change[k].seq <= j->committed && strcmp(j->change[k].kind, j->change[i].kind) == 0 &&
            strcmp(j->change[k].name, j->change[i].name) == 0)
            return false;
    }
    return j->change[i].record && j->change[i].seq <= j->committed;
}

/* Power loss: what was not committed is lost, a new coord is loaded from the rest.  Returns what loading said. */
static inline enum why
world_crash(struct world *w, moment now, struct fault *f)
{
    struct coord_options o = world_options();
    struct journal *j = &w->journal;
    enum why why = WHY_OK;

    coord_free(w->c);
    assert_int_equal(coord_new(&w->c, &o, f), WHY_OK);
    for (size_t i = 0; !why && i < j->changes; i++) {
        const struct change *change = &j->change[i];

        if (change_is_live(j, i))
            why = coord_load(w->c, change->kind, change->name, change->seq, change->record,
                             change->len, f);
    }
    fake_journal_restart(j);
    return why ? why : state_start(w->c, j, now, f);
}

/* ---- the calls, short ---- */

static inline enum why
acquire(struct world *w, struct client *client, enum hold_kind kind, const char *name, moment now,
        struct want want)
{
    want.owner = want.owner ? want.owner : "";
    want.permits = want.permits ? want.permits : 1;
    want.ttl_ns = want.ttl_ns ? want.ttl_ns : TTL_DEFAULT;
    return hold_acquire(w->c, now, kind, name, &want, ask_of(w, client));
}

static inline enum why
lock_acquire(struct world *w, struct client *client, const char *name, int64_t wait_ns)
{
    return acquire(w, client, HOLD_LOCK, name, NOW, (struct want){.wait_ns = wait_ns});
}

/* Acquires what is free, durably; returns the token. */
static inline uint64_t
lock_have(struct world *w, const char *name)
{
    struct client client = {0};

    assert_int_equal(lock_acquire(w, &client, name, 0), WHY_PENDING);
    world_commit(w);
    assert_int_equal(client.told, 1);
    assert_int_equal(client.ask.outcome.why, WHY_OK);
    return client.ask.outcome.grant.token;
}

static inline enum why
lock_release(struct world *w, const char *name, uint64_t token)
{
    struct client client = {0};
    enum why why = hold_release(w->c, NOW, HOLD_LOCK, name, token, ask_of(w, &client));

    if (why != WHY_PENDING)
        return why;
    world_commit(w);
    assert_int_equal(client.told, 1);
    return client.ask.outcome.why;
}

#endif
