/* slot.c - see slot.h.
 *
 * Shutting a descriptor down, with a look at it before, is the one system call made under the lock: MHD closes the descriptor
 * only after slot_close, which takes the same lock, so what is shut down is never somebody else's file of the same number.
 *
 * SPDX-License-Identifier: MIT */
#include "http/slot.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "http/stream.h"

struct slots {
    size_t len;
    _Atomic size_t used;
    struct slot *at;
};

static void
slot_lock(struct slot *s) BOB_ACQUIRES(L_SLOT)
{
    bob_lock_hold(&s->lock);
}

static void
slot_unlock(struct slot *s) BOB_RELEASES(L_SLOT)
{
    bob_lock_release(&s->lock);
}

struct slots *
slots_new(size_t len)
{
    struct slots *slots = calloc(1, sizeof *slots);

    if (!slots)
        return NULL;
    slots->len = len;
    slots->at = mmap(NULL, len * sizeof *slots->at, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots->at == MAP_FAILED) {
        free(slots);
        return NULL;
    }
    return slots;
}

BOB_UNSHARED void
slots_free(struct slots *slots)
{
    if (!slots)
        return;
    for (size_t i = 0; i < slots_used(slots); i++) {
        request_end(&slots->at[i].req);
        bytes_free(&slots->at[i].req.body);
        bob_condition_fini(&slots->at[i].left);
        bob_lock_fini(&slots->at[i].lock);
    }
    (void)munmap(slots->at, slots->len * sizeof *slots->at);
    free(slots);
}

BOB_UNSHARED bool
slots_prepare(struct slots *slots, int fd)
{
    size_t used = atomic_load_explicit(&slots->used, memory_order_relaxed);

    if (fd < 0 || (size_t)fd >= slots->len)
        return false;
    if (used > (size_t)fd)
        return true;
    for (; used <= (size_t)fd; used++) {
        struct slot *s = &slots->at[used];

        bob_lock_init(&s->lock, LOCK_CLASS(L_SLOT));
        bob_condition_init(&s->left);
        s->fd = (int)used;
        s->req.slot = s;
    }
    atomic_store_explicit(&slots->used, used,
                          memory_order_release); /* the tick reads what was made before it */
    return true;
}

struct slot *
slots_at(struct slots *slots, int fd)
{
    assert((size_t)fd < slots_used(slots));
    return &slots->at[fd];
}

size_t
slots_used(const struct slots *slots)
{
    return atomic_load_explicit(&slots->used, memory_order_acquire);
}

void
slot_open(struct slot *s, int64_t body_most)
{
    s->frame = (struct frame){.body_most = body_most};
    atomic_store_explicit(&s->refused, false, memory_order_relaxed);
    s->whole = 0;
    s->thrown_away = 0;
    slot_lock(s);
    s->gen++;
    s->open = true;
    s->in_epoll = false;
    s->watching = false;
    slot_unlock(s);
}

void
slot_close(struct slot *s)
{
    slot_deadline(s, 0);
    slot_lock(s);
    s->open = false;
    s->watching = false;
    slot_unlock(s);
}

bool
slot_cut(struct slot *s, uint32_t beat)
{
    uint32_t at = atomic_load_explicit(&s->deadline, memory_order_relaxed);
    bool cut = false;

    if (!at || beat < at)
        return false;
    slot_lock(s);
    if (s->open && atomic_compare_exchange_strong(&s->deadline, &at, 0)) {
        (void)shutdown(s->fd, SHUT_RDWR);
        cut = true;
    }
    slot_unlock(s);
    return cut;
}

/* The descriptor may have become another connection's since somebody looked at it: it is looked at again under the lock. */
void
slot_hang_up(struct slot *s)
{
    slot_lock(s);
    struct pollfd p = {.fd = s->fd, .events = POLLRDHUP};
    if (s->open && poll(&p, 1, 0) > 0)
        (void)shutdown(s->fd, SHUT_RD);
    slot_unlock(s);
}

void
slot_watch(struct slot *s, int watch_fd, leave_fn *leave, uint64_t ticket)
{
    struct epoll_event news = {.events = EPOLLRDHUP | EPOLLONESHOT};

    slot_lock(s);
    int op = s->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    s->in_epoll = true;
    s->watching = true;
    s->leave = leave;
    s->ticket = ticket;
    news.data.u64 = slot_news(s->gen, s->fd);
    slot_unlock(s);

    /* It looks at the state of the socket now, so a client that left already is not missed.  If it fails the wait still ends by
     * its deadline. */
    (void)epoll_ctl(watch_fd, op, s->fd, &news);
}

void
slot_unwatch(struct slot *s)
{
    slot_lock(s);
    s->watching = false;
    while (s->leaving)
        (void)!bob_condition_wait(&s->left, &s->lock, BOB_FOREVER);
    slot_unlock(s);
}

void
slot_client_left(struct slot *s, uint32_t gen, void *app)
{
    slot_lock(s);
    bool ours = s->watching && s->gen == gen;
    leave_fn *leave = s->leave;
    uint64_t ticket = s->ticket;
    s->watching = false;
    s->leaving = ours;
    slot_unlock(s);
    if (!ours)
        return;

    atomic_store(&s->req.gone, true);
    leave(app, s->req.room, ticket);

    slot_lock(s);
    s->leaving = false;
    slot_unlock(s);
    bob_condition_notify_all(&s->left);
}

void
slot_set_stream(struct slot *s, struct stream *stream)
{
    slot_lock(s);
    s->req.stream = stream;
    slot_unlock(s);
}

struct stream *
slot_stream(struct slot *s)
{
    slot_lock(s);
    struct stream *stream = s->req.stream ? stream_ref(s->req.stream) : NULL;
    slot_unlock(s);
    return stream;
}
