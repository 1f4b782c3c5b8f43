/* stream.c - see stream.h: a reply whose body MHD fetches piece by piece from a reader.
 *
 * AWAKE -> ASLEEP -> WOKEN, the same way of one atomic as park.c: the reader's thread suspends, then tries AWAKE -> ASLEEP; who
 * wakes resumes only if it moved ASLEEP -> WOKEN.  Returning nothing without suspending would spin MHD's thread.
 *
 * SPDX-License-Identifier: MIT */
#include "http/stream.h"

#include <stdlib.h>

#include "base/metrics.h"
#include "http/slot.h"

enum state { AWAKE, ASLEEP, WOKEN, ENDED };

struct stream {
    _Atomic int refs;
    _Atomic int state;         /* enum state */
    _Atomic bool gone;         /* its client left */
    _Atomic uint32_t slept_at; /* second */
    struct http *http;
    struct MHD_Connection *connection; /* set when the reply is queued */
    stream_read_fn *read;
    stream_ended_fn *ended;
    void *arg;
};

struct stream *
stream_ref(struct stream *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void
stream_unref(struct stream *s)
{
    if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        free(s);
}

struct stream *
reply_stream(struct reply *r, int status, const char *type, stream_read_fn *read,
             stream_ended_fn *ended, void *arg)
{
    struct stream *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    s->read = read;
    s->ended = ended;
    s->arg = arg;
    reply_empty(r, status);
    r->type = type;
    r->stream = s;
    return s;
}

void
stream_drop(struct stream *s)
{
    atomic_store(&s->state, ENDED);
    s->ended(s->arg);
    stream_unref(s);
}

static void
free_stream(void *cls)
{
    struct stream *s = cls;

    metric_add(M_STREAMS, -1);
    atomic_fetch_sub(&s->http->streams, 1);
    stream_drop(s);
}

/* True: it sleeps, or was woken on the way and will be called again.  False: go on. */
static bool
fall_asleep(struct stream *s)
{
    struct http *h = s->http;
    int awake = AWAKE;

    if (atomic_load(&s->state) == WOKEN)
        return false;
    atomic_fetch_add(&h->parked, 1);
    if (atomic_load(&h->ending)) { /* seen here, or parked is seen by http_quiet */
        atomic_fetch_sub(&h->parked, 1);
        return false;
    }
    atomic_store_explicit(&s->slept_at, http_beat(h), memory_order_relaxed);
    MHD_suspend_connection(s->connection);
    if (!atomic_compare_exchange_strong(&s->state, &awake, ASLEEP)) {
        MHD_resume_connection(s->connection);
        atomic_fetch_sub(&h->parked, 1);
    }
    return true;
}

static ssize_t
next_piece(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct stream *s = cls;

    (void)pos;
    for (;;) {
        /* Before the reasons to end are looked at: a wake that comes later is seen by fall_asleep. */
        atomic_store(&s->state, AWAKE);
        /* Not END_WITH_ERROR for one that left: 0.9.75 closes the connection then, but cleans it up only when it has become the
         * thread's oldest, up to a timeout later. */
        if (atomic_load(&s->gone) || atomic_load(&s->http->ending))
            return MHD_CONTENT_READER_END_OF_STREAM;
        ssize_t n = s->read(s, s->arg, buf, max);
        if (n > 0)
            return n;
        if (n < 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (fall_asleep(s))
            return 0;
    }
}

void
stream_wake(struct stream *s)
{
    int state = atomic_load(&s->state);

    do {
        if (state == WOKEN || state == ENDED)
            return;
    } while (!atomic_compare_exchange_weak(&s->state, &state, WOKEN));
    if (state == ASLEEP) {
        struct http *h = s->http;

        MHD_resume_connection(s->connection);
        atomic_fetch_sub(&h->parked, 1);
    }
}

/* On the watcher's thread. */
static void
client_left(void *app, void *room, uint64_t ticket)
{
    struct request *req = (struct request *)(void *)((char *)room - offsetof(struct request, room));
    struct stream *s = slot_stream(req->slot);

    (void)app;
    (void)ticket;
    if (!s)
        return;
    atomic_store(&s->gone, true);
    stream_wake(s);
    stream_unref(s);
}

struct MHD_Response *
stream_response(struct stream *s, struct request *req)
{
    s->http = req->http;
    s->connection = req->connection;

    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, next_piece, s, free_stream);
    if (response) {
        metric_add(M_STREAMS, 1);
        atomic_fetch_add(&s->http->streams, 1);
    }
    return response;
}

void
stream_queued(struct stream *s, struct request *req)
{
    slot_set_stream(req->slot, s);
    req->watched = true;
    slot_watch(req->slot, req->http->watch_fd, client_left, 0);
}

void
streams_sweep(struct http *h, bool all)
{
    uint32_t now = http_beat(h);

    if (atomic_load(&h->streams) == 0)
        return;
    for (size_t i = 0; i < slots_used(h->slots); i++) {
        struct stream *s = slot_stream(slots_at(h->slots, (int)i));

        if (!s)
            continue;
        if (all || now - atomic_load_explicit(&s->slept_at, memory_order_relaxed) >= HEARTBEAT_S)
            stream_wake(s);
        stream_unref(s);
    }
}
