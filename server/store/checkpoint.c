/* checkpoint.c - see checkpoint.h.  Left to SQLite, a checkpoint runs inside somebody's COMMIT, makes it wait for two more
 * syncs, and hides their failure.  Here a failed checkpoint ends the process, as a failed commit does.
 *
 * A log starts over only when all of it has been moved and nobody writes meanwhile.  Under load that never happens by itself,
 * and polling for the write lock would lose against a journal that takes it again at once; hence `wants_still`.
 *
 * SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"

#include "base/log.h"

#include <bobbin/condition.h>
#include <bobbin/lock.h>
#include <bobbin/thread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 4096, /* SQLite's own choice */
    PAGES_DUE = 1000,
    PAGES_RESTART = 16384,  /* 64 MB */
    ROOM_BYTES = 128 << 20, /* with less on the disk it starts over at each round */
    ROUND_MS = 1000,
    STILL_MS = 50,   /* how long it waits for the journal to come by: an idle one does not */
    PATIENCE_MS = 20 /* for a stranger who reads: the journal must not stand still for long */
};

struct checkpointer {
    const struct store *store;
    struct sqlite *db; /* its own connection */
    struct bob_thread *thread;
    int asked_at;              /* pages at the last request; the journal's */
    int half_pages;            /* of those that the log has blocks for */
    atomic_int pages;          /* in the log */
    const atomic_bool *closed; /* the gate */
    atomic_uint round;         /* odd while SQLite moves the log */
    atomic_bool no_room;       /* the last round found none */
    atomic_bool wants_still;   /* written under the lock */
    struct bob_lock lock;      /* class L_JOURNAL */

    struct bob_condition due;   /* signalled when asked or stopping is set */
    struct bob_condition still; /* signalled when is_still is set */
    struct bob_condition go_on; /* signalled when wants_still is cleared */
    bool asked BOB_GUARDED_BY(L_JOURNAL);
    bool is_still BOB_GUARDED_BY(L_JOURNAL);
    bool stopping BOB_GUARDED_BY(L_JOURNAL);
};

static void
checkpoint_lock(struct checkpointer *c) BOB_ACQUIRES(L_JOURNAL)
{
    bob_lock_hold(&c->lock);
}

static void
checkpoint_unlock(struct checkpointer *c) BOB_RELEASES(L_JOURNAL)
{
    (void)bob_lock_release(&c->lock);
}

/* ---- the journal's side ---- */

unsigned
checkpoint_round(const struct checkpointer *c)
{
    return atomic_load(&c->round);
}

static void
stand_still(struct checkpointer *c)
{
    enum bob_err err = BOB_OK;

    checkpoint_lock(c);
    c->is_still = true;
    bob_condition_notify(&c->still);
    while (atomic_load(&c->wants_still) && !err)
        err = bob_condition_wait(&c->go_on, &c->lock, BOB_FOREVER);
    c->is_still = false;
    checkpoint_unlock(c);
}

bool
checkpoint_visit(struct checkpointer *c, int pages, bool full)
{
    int due = atomic_load(c->closed) && c->half_pages < PAGES_DUE ? c->half_pages : PAGES_DUE;

    atomic_store_explicit(&c->pages, pages, memory_order_relaxed); /* read with nothing else */
    if (pages < c->asked_at)
        c->asked_at = 0; /* the log has started over */
    if (full || pages - c->asked_at >= due) {
        c->asked_at = pages;
        checkpoint_lock(c);
        c->asked = true;
        checkpoint_unlock(c);
        bob_condition_notify(&c->due);
    }
    if (atomic_load(&c->wants_still))
        stand_still(c);
    return !atomic_load_explicit(&c->no_room, memory_order_relaxed);
}

/* ---- its own thread ---- */

static void
want_still(struct checkpointer *c)
{
    bob_time until = bob_in_ms(STILL_MS);
    enum bob_err err = BOB_OK;

    checkpoint_lock(c);
    atomic_store(&c->wants_still, true);
    while (!c->is_still && !c->stopping && !err)
        err = bob_condition_wait(&c->still, &c->lock, until);
    checkpoint_unlock(c);
}

static void
let_go_on(struct checkpointer *c)
{
    checkpoint_lock(c);
    atomic_store(&c->wants_still, false);
    checkpoint_unlock(c);
    bob_condition_notify(&c->go_on);
}

/* Returns how many pages stayed in the log. */
static int
checkpoint(struct checkpointer *c, enum checkpoint_how how)
{
    char quoted[256];
    int left = 0;
    enum stored got;

    atomic_fetch_add(&c->round, 1);
    got = sqlite_checkpoint(c->db, how, &left);
    atomic_fetch_add(&c->round, 1);
    switch (got) {
    case STORED_OK:
    case STORED_BUSY:
        atomic_store(&c->no_room, false);
        return left;
    case STORED_NO_ROOM:
        if (!atomic_exchange(&c->no_room, true))
            log_line(LOG_LEVEL_ERROR, "checkpoint finds no room", "pages=%d",
                     atomic_load(&c->pages));
        return left;
    case STORED_FAILED:
        break;
    }
    log_line(LOG_LEVEL_ERROR, "store failed", "doing=checkpoint error=%s",
             log_quote(quoted, sizeof quoted, sqlite_error(c->db)));
    _exit(1);
}

/* Whether the disk is too small for the log to grow as large as it may: it would fill it with what has been moved already. */
static bool
is_room_short(const struct checkpointer *c)
{
    struct statvfs disk;

    return statvfs(c->store->folder, &disk) == 0 && disk.f_blocks > 0 && disk.f_frsize > 0 &&
           disk.f_bfree < ROOM_BYTES / disk.f_frsize;
}

static void
make_round(struct checkpointer *c)
{
    bool closed = atomic_load(c->closed);
    int pages = atomic_load(&c->pages);

    bob_thread_note("moving %d pages of the log", pages);
    (void)checkpoint(c, CHECKPOINT_PASSIVE); /* most of the work, with nobody waiting */
    if (pages >= PAGES_RESTART || closed || is_room_short(c)) {
        want_still(c);
        (void)checkpoint(c, CHECKPOINT_RESTART);
        let_go_on(c);
    }
    bob_thread_note(NULL);
}

static bool
wait_due(struct checkpointer *c)
{
    bob_time until = bob_in_ms(ROUND_MS);
    enum bob_err err = BOB_OK;
    bool stopping;

    checkpoint_lock(c);
    while (!c->asked && !c->stopping && !err)
        err = bob_condition_wait(&c->due, &c->lock, until);
    c->asked = false;
    stopping = c->stopping;
    checkpoint_unlock(c);
    return !stopping;
}

static void *
checkpoint_run(void *arg)
{
    struct checkpointer *c = arg;
    int moved = 0; /* what the log had at the last round: all of it was moved, or is still there */

    while (wait_due(c)) {
        int pages = atomic_load(&c->pages);

        if (pages != moved || atomic_load(&c->no_room) || atomic_load(c->closed))
            make_round(c);
        moved = pages;
    }
    return NULL;
}

enum why
checkpoint_start(struct checkpointer **ret, struct store *s, const atomic_bool *closed,
                 struct fault *f)
{
    static const struct bob_thread_options options = {.role = "checkpointer"};
    struct checkpointer *c = calloc(1, sizeof *c);
    enum why why = WHY_OK;

    if (!c)
        return fault_set(f, WHY_NO_MEMORY, "no memory to start the journal");
    c->closed = closed;
    c->store = s;
    c->half_pages = (int)(s->room.half_bytes / 2 / PAGE_BYTES);
    bob_lock_init(&c->lock, LOCK_CLASS(L_JOURNAL));
    bob_condition_init(&c->due);
    bob_condition_init(&c->still);
    bob_condition_init(&c->go_on);
    if (sqlite_open(&c->db, s->path, f) || sqlite_settle(c->db, f))
        why = f->why;
    else
        sqlite_be_patient(c->db, PATIENCE_MS);
    if (!why && bob_thread_start(&c->thread, "checkpointer", checkpoint_run, c, &options))
        why = fault_set(f, WHY_INTERNAL, "cannot start the checkpointer's thread");
    if (why)
        checkpoint_stop(c);
    else
        *ret = c;
    return why;
}

void
checkpoint_stop(struct checkpointer *c)
{
    if (!c)
        return;
    checkpoint_lock(c);
    c->stopping = true;
    checkpoint_unlock(c);
    bob_condition_notify(&c->due);
    bob_condition_notify(&c->still);
    bob_thread_free(c->thread);
    sqlite_close(c->db);
    bob_condition_fini(&c->go_on);
    bob_condition_fini(&c->still);
    bob_condition_fini(&c->due);
    bob_lock_fini(&c->lock);
    free(c);
}
