/* slot.h - a place for each connection, found by its descriptor: it outlives every callback of the connection.
 *
 * MHD does not always say that a request is over (0.9.75 forgets it when a query exhausts its memory), but it always says that a
 * connection is: so what a request owns hangs on the connection.  The generation tells news of this connection from news of an earlier one
 * with the same descriptor.
 *
 * Threads: deadline by MHD's thread and the tick; the guarded fields by MHD's thread, the watcher and the tick.
 * Locks:   one L_SLOT for each; leave is called with none.
 * Memory:  pages of slots never used are never touched.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SLOT_H
#define BOBBIND_SLOT_H

#include "http/exchange.h"

struct slot {
    struct bob_lock lock;      /* class L_SLOT */
    struct bob_condition left; /* signalled when the watcher's call of leave has returned */
    int fd;
    _Atomic uint32_t deadline; /* the second in which it is cut; 0: never */
    struct frame frame;        /* these four are MHD's thread's (socket.c) */
    unsigned whole;            /* requests handed on to their last byte, and not over */
    _Atomic bool refused;      /* what the frame refuses has been answered; the tick reads it */
    size_t thrown_away;        /* bytes that came behind that */
    struct request req;        /* see there */

    uint32_t gen BOB_GUARDED_BY(L_SLOT);
    bool
        open BOB_GUARDED_BY(L_SLOT); /* between MHD's STARTED and CLOSED: fd is ours to shut down */
    bool in_epoll BOB_GUARDED_BY(L_SLOT); /* the watcher's epoll knows fd */
    bool watching BOB_GUARDED_BY(L_SLOT); /* news of fd concerns the request that is there */
    bool leaving BOB_GUARDED_BY(L_SLOT);  /* leave is being called */
    leave_fn *leave BOB_GUARDED_BY(L_SLOT);
    uint64_t ticket BOB_GUARDED_BY(L_SLOT);
};

struct slots;
struct slots *slots_new(size_t len); /* NULL: no memory */
void slots_free(struct slots *slots);

/* Makes sure that the slot of @fd can be used; one thread (the acceptor).  False: @fd is beyond them. */
bool slots_prepare(struct slots *slots, int fd);
struct slot *slots_at(struct slots *slots, int fd); /* of a prepared one */
size_t slots_used(const struct slots *slots);       /* those below have been prepared */

void slot_open(struct slot *s, int64_t body_most);
void slot_close(struct slot *s); /* also ends the watch */
static inline void
slot_deadline(struct slot *s, uint32_t at)
{
    atomic_store_explicit(&s->deadline, at, memory_order_relaxed);
}
/* Whether it is open and no answer of it is on the way; a guess, for MHD's thread goes on meanwhile. */
static inline bool
slot_is_asking(struct slot *s)
{
    return atomic_load_explicit(&s->req.stage, memory_order_relaxed) <= STAGE_BODY &&
           atomic_load_explicit(&s->deadline, memory_order_relaxed) != 0;
}
/* If the client has closed its side, MHD's epoll is told so again.  What the client sent before can still be read and answered: so this hurts
 * nobody, whatever MHD's thread does at the same time. */
void slot_hang_up(struct slot *s);
/* Shuts the connection down if its deadline has passed: MHD sees its end and cleans up.  Tells whether it did. */
bool slot_cut(struct slot *s, uint32_t beat);

/* ---- the client of the request, watched while it is parked ---- */

void slot_watch(struct slot *s, int watch_fd, leave_fn *leave, uint64_t ticket);
void slot_unwatch(struct slot *s); /* waits for a leave that is being called */
/* News from the watcher: calls leave if they concern the request that is there. */
void slot_client_left(struct slot *s, uint32_t gen, void *app);
/* What slot_watch put into its epoll. */
static inline uint64_t
slot_news(uint32_t gen, int fd)
{
    return (uint64_t)gen << 32 | (uint32_t)fd;
}

/* The stream that the request has become; NULL: none. */
void slot_set_stream(struct slot *s, struct stream *stream);
struct stream *slot_stream(struct slot *s); /* a reference */

#endif
