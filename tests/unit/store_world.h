/* store_world.h - a store in a folder of its own, a journal over it, and promises a test can wait for.
 *
 *     struct world w = {0};
 *     world_open(&w); world_start(&w);
 *     seq = change_one(&w, "counter", "a", "1");       // under the state lock, as coord does it
 *     promise_make(&w, &p, seq); assert_int_equal(promise_wait(&p), WHY_OK);
 *     world_close(&w); world_open(&w); ...             // the same folder again
 *     world_end(&w);                                   // removes the folder
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_STORE_WORLD_H
#define TESTS_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include <bobbin/event.h>
#include <bobbin/lock.h>

#include "base/config.h"
#include "base/log.h"
#include "store/journal.h"
#include "store/sqlite.h"
#include "store/store.h"
#include "temp_folder.h"

struct world {
    char folder[64];
    int durability;
    int64_t reserve_bytes; /* 0: 64 KiB */
    int64_t changes_kept;  /* 0: as usual */
    bool accept_cut_log;
    struct store *store;
    struct journal *journal;
    struct bob_lock state; /* stands for coord's */
};

/* A connection of its own to the database. */
static inline struct sqlite *
world_database(const struct world *w)
{
    char path[96];
    struct fault f = {0};
    struct sqlite *db = NULL;

    (void)snprintf(path, sizeof path, "%s/store.db", w->folder);
    assert_int_equal(sqlite_open(&db, path, &f), STORED_OK);
    return db;
}

static inline void
world_lock(struct world *w) BOB_ACQUIRES(L_STATE)
{
    bob_lock_hold(&w->state);
}

/* Ends the step: what state_unlock is in coord. */
static inline void
world_unlock(struct world *w) BOB_RELEASES(L_STATE)
{
    bool wake = w->journal && journal_step_end(w->journal);

    (void)bob_lock_release(&w->state);
    if (wake)
        journal_wake(w->journal);
}

static inline enum why
world_try_open(struct world *w, struct fault *f)
{
    struct store_options o = {.folder = w->folder,
                              .durability = w->durability,
                              .reserve_bytes = w->reserve_bytes ? w->reserve_bytes : 65536,
                              .changes_kept = w->changes_kept,
                              .accept_cut_log = w->accept_cut_log};

    log_start(LOG_LEVEL_ERROR + 1); /* not between the lines of the test's report */
    return store_open(&w->store, &o, f);
}

static inline void
world_open(struct world *w)
{
    struct fault f = {0};

    if (!w->folder[0])
        temp_folder_make(w->folder);
    if (world_try_open(w, &f))
        fail_msg("%s", f.detail);
}

static inline void
world_start(struct world *w)
{
    struct fault f = {0};

    bob_lock_init(&w->state, LOCK_CLASS(L_STATE));
    if (journal_start(&w->journal, w->store, &f))
        fail_msg("%s", f.detail);
}

static inline void
world_close(struct world *w)
{
    if (w->journal) {
        journal_stop(w->journal);
        bob_lock_fini(&w->state);
    }
    store_close(w->store);
    w->journal = NULL;
    w->store = NULL;
}

static inline void
world_end(struct world *w)
{
    world_close(w);
    temp_folder_remove(w->folder);
}

/* One step with one change; record NULL: gone. */
static inline uint64_t
change_one(struct world *w, const char *kind, const char *name, const char *record)
{
    size_t len = record ? strlen(record) : 0;
    uint64_t seq = 0;
    enum why why;

    do {
        world_lock(w);
        why = journal_reserve(w->journal, true, len + strlen(name));
        if (!why)
            seq = journal_append(w->journal, kind, name, record, len);
        world_unlock(w);
    } while (why == WHY_BUSY);
    assert_int_equal(why, WHY_OK);
    return seq;
}

struct promise {
    struct pledge pledge;
    struct bob_event told;
    enum why why;
    int times;
};

static inline void
promise_kept(struct pledge *p, enum why why)
{
    struct promise *promise =
        (struct promise *)(void *)((char *)p - offsetof(struct promise, pledge));

    promise->why = why;
    promise->times++;
    bob_event_set(&promise->told);
}

static inline void
promise_make(struct world *w, struct promise *p, uint64_t seq)
{
    bob_event_init(&p->told);
    p->why = WHY_PENDING;
    p->times = 0;
    p->pledge.kept = promise_kept;
    if (!journal_await(w->journal, &p->pledge, seq))
        promise_kept(&p->pledge, WHY_OK);
}

/* Ends the promise. */
static inline enum why
promise_wait(struct promise *p)
{
    if (bob_event_wait(&p->told, bob_in_ms(30000)))
        fail_msg("not kept within 30 s");
    assert_int_equal(p->times, 1);
    bob_event_fini(&p->told);
    return p->why;
}

/* What a recovery gave: `kind name=record` lines, oldest first. */
struct recovered {
    char *text;
    size_t len, cap;
    uint64_t last;
    size_t n;
};

static inline enum why
recovered_add(void *arg, const char *kind, const char *name, uint64_t seq, const void *record,
              size_t len, struct fault *f)
{
    struct recovered *r = arg;
    size_t need = strlen(kind) + strlen(name) + len + 4;

    (void)f;
    assert_true(seq > r->last);
    r->last = seq;
    r->n++;
    if (r->cap - r->len < need) {
        r->cap = (r->cap + need) * 2;
        r->text = realloc(r->text, r->cap);
        assert_non_null(r->text);
    }
    r->len += (size_t)sprintf(r->text + r->len, "%s %s=%.*s\n", kind, name, (int)len,
                              (const char *)record);
    return WHY_OK;
}

static inline struct recovered
world_recover(struct world *w)
{
    struct recovered r = {.text = calloc(1, 64), .cap = 64};
    struct fault f = {0};

    assert_non_null(r.text);
    if (store_recover(w->store, recovered_add, &r, &f))
        fail_msg("%s", f.detail);
    return r;
}

#endif
