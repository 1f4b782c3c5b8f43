/* hub.c - the thread that tells event streams what changed; see stream.h.
 *
 * A reader is given nothing while it has unread bytes: its place in the order of changes stays where it is, and when it
 * has read, it gets the newest state of all that changed since.  So a slow reader costs one bounded buffer and holds up
 * nobody, and "the newest state wins" needs no code.  Four times a second a reader begins to catch up with the present,
 * in passes of at most 64 objects; readers at the same place share a pass.
 *
 * L_HUB guards the list of readers and their buffers; nothing is called under it.  A stream may end during a pass: then
 * the reader is out of the list, and `pinned` leaves its memory, and its reference to the stream, to the hub.
 *
 * SPDX-License-Identifier: MIT */
#include "api/hub.h"

#include <stdlib.h>

#include "api/sse.h"
#include "api/stream.h"
#include "http/stream.h"

enum { TICK_MS = 250 };

void
hub_lock(struct hub *hub) BOB_ACQUIRES(L_HUB)
{
    bob_lock_hold(&hub->lock);
}

void
hub_unlock(struct hub *hub) BOB_RELEASES(L_HUB)
{
    bob_lock_release(&hub->lock);
}

void
reader_free(struct reader *r) BOB_UNSHARED
{
    bytes_free(&r->out);
    if (r->stream)
        stream_unref(r->stream);
    free(r);
}

static bool
is_due_locked(const struct reader *r, int64_t tick, uint64_t stamp) BOB_HOLDS(L_HUB)
{
    if (r->out.len > 0 || r->out.failed)
        return false;
    if (r->catching_up && !r->failed)
        return true;
    return r->tick != tick && (r->catching_up || r->goal != stamp);
}

static void
begin_locked(struct reader *r, int64_t tick, uint64_t stamp) BOB_HOLDS(L_HUB)
{
    if (r->catching_up && !r->failed)
        return;
    r->tick = tick;
    r->failed = false;
    r->catching_up = true;
    r->goal = stamp;
}

/* Takes for a pass all readers that are due and know of the changes up to the same stamp.  Nobody is due: waits for the next tick, or
 * for somebody to come.  False: the hub stops. */
static bool
gather(struct hub *hub, uint64_t *ret_at)
{
    enum bob_err err = BOB_OK;

    hub_lock(hub);
    hub->group_len = 0;
    while (!hub->stopping && hub->group_len == 0) {
        int64_t tick = bob_now() / (TICK_MS * NS_PER_MS);
        uint64_t stamp = coord_stamp(hub->coord);

        for (struct reader *r = hub->first; r; r = r->next) {
            if (!is_due_locked(r, tick, stamp) || (hub->group_len > 0 && r->at != *ret_at))
                continue;
            begin_locked(r, tick, stamp);
            *ret_at = r->at;
            r->pinned = true;
            hub->group[hub->group_len++] = r;
        }
        if (hub->group_len == 0)
            err = bob_condition_wait(&hub->changed, &hub->lock,
                                     hub->first ? (tick + 1) * (TICK_MS * NS_PER_MS) : BOB_FOREVER);
    }
    hub_unlock(hub);
    (void)err; /* a tick is as good a reason to look as a signal */
    return hub->group_len > 0;
}

/* What a pass up to @at found, into one reader's buffer.  @stamp: the newest; a cursor above it is a place within the whole state. */
static void
give_locked(struct hub *hub, struct reader *r, enum why why, uint64_t at, bool more, uint64_t stamp)
    BOB_HOLDS(L_HUB)
{
    if (why == WHY_CONFLICT) { /* it was away for too long: the whole state again */
        r->at = 0;
        r->whole = false;
        return;
    }
    r->failed = why;
    if (why)
        return;
    if (r->at == 0 && !r->whole) {
        r->whole = true;
        sse_event(&r->out, "reset", "{}", 2);
    }
    for (int t = 0; t < TOPIC_COUNT_; t++) {
        if (r->topics & 1u << t)
            bytes_add(&r->out, hub->events[t].at, hub->events[t].len);
        if (hub->events[t].failed)
            r->out.failed = true;
    }
    r->at = at;
    if (!more || (at >= r->goal && at <= stamp)) {
        if (r->whole)
            sse_event(&r->out, "ready", "{}", 2);
        r->whole = r->catching_up = false;
    }
}

static void
give(struct hub *hub, enum why why, uint64_t at, bool more)
{
    uint64_t stamp = coord_stamp(hub->coord);

    hub_lock(hub);
    for (size_t i = 0; i < hub->group_len; i++) {
        if (!hub->group[i]->ended)
            give_locked(hub, hub->group[i], why, at, more, stamp);
    }
    hub_unlock(hub);
}

static void
let_go(struct hub *hub)
{
    hub_lock(hub);
    for (size_t i = 0; i < hub->group_len; i++) {
        struct reader *r = hub->group[i];

        r->pinned = false;
        if (r->ended)
            reader_free(r);
    }
    hub_unlock(hub);
}

static void
pass(struct hub *hub, uint64_t at)
{
    unsigned topics = 0;
    size_t n = 0;
    bool more = false;

    for (size_t i = 0; i < hub->group_len; i++)
        topics |= hub->group[i]->topics;
    for (int t = 0; t < TOPIC_COUNT_; t++)
        bytes_clear(&hub->events[t]);

    enum why why = snapshot_changes(hub->snapshot, &at, hub->rows, HUB_PASS_ROWS, &n, &more);
    if (!why)
        snapshot_take(hub->snapshot, hub->rows, n, topics, hub->events);
    give(hub, why, at, more);
    for (size_t i = 0; i < hub->group_len; i++)
        stream_wake(
            hub->group[i]
                ->stream); /* cheap for one that has ended, or has nothing to read after all */
    let_go(hub);
}

static void *
run(void *arg)
{
    struct hub *hub = arg;
    uint64_t at = 0;

    while (gather(hub, &at))
        pass(hub, at);
    return NULL;
}

struct hub *
hub_start(struct coord *c, struct fault *f)
{
    struct hub *hub = calloc(1, sizeof *hub);

    if (!hub || !(hub->snapshot = snapshot_new(c))) {
        free(hub);
        fault_set(f, WHY_NO_MEMORY, "no memory for the event streams");
        return NULL;
    }
    hub->coord = c;
    bob_lock_init(&hub->lock, LOCK_CLASS(L_HUB));
    bob_condition_init(&hub->changed);
    enum bob_err err = bob_thread_start(&hub->thread, "hub", run, hub,
                                        &(struct bob_thread_options){.role = "event streams"});
    if (err) {
        fault_set(f, WHY_INTERNAL, "no thread for the event streams: %s", bob_strerror(err));
        hub_stop(hub);
        return NULL;
    }
    return hub;
}

static void
say_stop(struct hub *hub)
{
    hub_lock(hub);
    hub->stopping = true;
    bob_condition_notify(&hub->changed);
    hub_unlock(hub);
}

void
hub_stop(struct hub *hub)
{
    if (!hub)
        return;
    say_stop(hub);
    bob_thread_free(hub->thread);
    for (int t = 0; t < TOPIC_COUNT_; t++)
        bytes_free(&hub->events[t]);
    snapshot_free(hub->snapshot);
    bob_condition_fini(&hub->changed);
    bob_lock_fini(&hub->lock);
    free(hub);
}
