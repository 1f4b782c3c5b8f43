/* fake_journal.h - a journal in memory, in the place of store/journal.c: whoever has it says when a change becomes durable.
 *
 *     struct journal j;
 *     fake_journal_init(&j, first);          // sequences from first + 1 on
 *     ... calls of coord ...                 // appended to j.change, their pledges kept back
 *     fake_journal_commit(&j, j.last);       // these are durable now; pledges are kept with no lock held
 *     fake_journal_fini(&j);
 *
 * It checks what the real journal relies on: leave asked before each append, at most 256 changes and the bytes asked for in a
 * step, nobody waiting for what was not appended.  A broken promise aborts.
 *
 * Threads: as the real one's.  A test with one thread may look at the members as it likes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FAKE_JOURNAL_H
#define TESTS_FAKE_JOURNAL_H

#include "store/journal.h"

#include <bobbin/condition.h>
#include <bobbin/lock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change {
    uint64_t seq;
    char *kind, *name;
    void *record; /* NULL: gone */
    size_t len;
};
struct journal {
    /* how it is to behave; set after fake_journal_init */
    bool full, busy;
    bool relaxed;   /* all is durable at once */
    bool forgetful; /* keeps no changes */

    struct bob_lock lock;      /* no class: below all */
    struct bob_condition work; /* signalled when something was appended, or is waited for */
    uint64_t first, last;
    _Atomic uint64_t committed;
    int64_t leave,
        room; /* changes and bytes that the step at hand may still append; guarded by L_STATE */
    struct pledge *pledge_first, *pledge_last;
    struct change *change;
    size_t changes, changes_cap;
};

#define FAKE_MUST(fact)                                                                            \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            (void)fprintf(stderr, "fake_journal.h:%d: %s\n", __LINE__, #fact);                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline void
fake_journal_init(struct journal *j, uint64_t first)
{
    memset(j, 0, sizeof *j);
    bob_lock_init(&j->lock, NULL);
    bob_condition_init(&j->work);
    j->first = j->last = first;
    j->committed = first;
}

static inline void
fake_journal_fini(struct journal *j)
{
    for (size_t i = 0; i < j->changes; i++) {
        free(j->change[i].kind);
        free(j->change[i].name);
        free(j->change[i].record);
    }
    free(j->change);
    bob_condition_fini(&j->work);
    bob_lock_fini(&j->lock);
}

/* Takes out the pledges that are durable with @seq, in their order. */
static inline struct pledge *
fake_journal_cut(struct journal *j, uint64_t seq)
{
    struct pledge *due = NULL, **due_end = &due, **at = &j->pledge_first;

    j->pledge_last = NULL;
    while (*at) {
        struct pledge *p = *at;

        if (p->seq_ <= seq) {
            *at = p->next_;
            p->next_ = NULL;
            *due_end = p;
            due_end = &p->next_;
        } else {
            j->pledge_last = p;
            at = &p->next_;
        }
    }
    return due;
}

/* Makes all up to @seq durable and keeps the pledges of it. */
static inline void
fake_journal_commit(struct journal *j, uint64_t seq)
{
    struct pledge *due;

    bob_lock_hold(&j->lock);
    FAKE_MUST(seq <= j->last);
    if (j->committed < seq)
        j->committed = seq;
    due = fake_journal_cut(j, j->committed);
    (void)bob_lock_release(&j->lock);
    while (due) {
        struct pledge *next = due->next_;

        due->kept(due, WHY_OK);
        due = next;
    }
}

/* Power loss: nobody waits any more, and the next start takes a block of its own. */
static inline void
fake_journal_restart(struct journal *j)
{
    j->pledge_first = j->pledge_last = NULL;
    j->last = (((j->last >> 20) + 1) << 20) - 1;
    j->committed = j->last;
}

/* ---- the calls of store/journal.h ---- */

enum why
journal_reserve(struct journal *j, bool grows, size_t bytes)
{
    if (j->busy)
        return WHY_BUSY;
    if (j->full && grows)
        return WHY_STORE_FULL;
    j->leave = 256;
    j->room = 65536 + (int64_t)bytes;
    return WHY_OK;
}

bool
journal_step_end(struct journal *j)
{
    (void)j;
    return false;
}

void
journal_wake(struct journal *j)
{
    (void)j;
}

static inline void
fake_journal_keep(struct journal *j, struct change c)
{
    void *copy = NULL;

    if (j->changes == j->changes_cap) {
        j->changes_cap = j->changes_cap ? j->changes_cap * 2 : 64;
        j->change = realloc(j->change, j->changes_cap * sizeof *j->change);
        FAKE_MUST(j->change);
    }
    if (c.record) {
        copy = malloc(c.len ? c.len : 1);
        FAKE_MUST(copy);
        memcpy(copy, c.record, c.len);
    }
    c.kind = strdup(c.kind);
    c.name = strdup(c.name);
    c.record = copy;
    FAKE_MUST(c.kind && c.name);
    j->change[j->changes++] = c;
}

uint64_t
journal_append(struct journal *j, const char *kind, const char *name, const void *record,
               size_t len)
{
    uint64_t seq;

    FAKE_MUST(*kind && *name);
    FAKE_MUST(j->leave-- > 0);
    j->room -= (int64_t)(strlen(kind) + strlen(name) + len + 8);
    FAKE_MUST(j->room >= 0);
    bob_lock_hold(&j->lock);
    seq = ++j->last;
    if (!j->forgetful)
        fake_journal_keep(j, (struct change){.seq = seq,
                                             .kind = (char *)(uintptr_t)kind,
                                             .name = (char *)(uintptr_t)name,
                                             .record = (void *)(uintptr_t)record,
                                             .len = len});
    if (j->relaxed)
        j->committed = seq;
    bob_condition_notify(&j->work);
    (void)bob_lock_release(&j->lock);
    return seq;
}

bool
journal_await(struct journal *j, struct pledge *p, uint64_t seq)
{
    bool later;

    bob_lock_hold(&j->lock);
    FAKE_MUST(seq <= j->last);
    later = seq > j->committed;
    if (later) {
        p->seq_ = seq;
        p->next_ = NULL;
        *(j->pledge_last ? &j->pledge_last->next_ : &j->pledge_first) = p;
        j->pledge_last = p;
        bob_condition_notify(&j->work);
    }
    (void)bob_lock_release(&j->lock);
    return later;
}

uint64_t
journal_committed(const struct journal *j)
{
    return j->committed;
}

uint64_t
journal_last(struct journal *j)
{
    uint64_t last;

    bob_lock_hold(&j->lock);
    last = j->last;
    (void)bob_lock_release(&j->lock);
    return last;
}

#endif
