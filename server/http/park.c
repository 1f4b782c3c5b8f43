/* park.c - suspending and resuming, exactly once each.
 *
 * RUNNING -> SUSPENDED -> DONE, by one atomic.  MHD's thread suspends, then tries RUNNING -> SUSPENDED; if that fails the wake came in
 * between, and it resumes itself.  The waker exchanges to DONE and resumes only if it found SUSPENDED; whatever it found, the request is
 * not touched again.  So each suspend has one resume: a stray one would stay latched in MHD and swallow the next suspend.
 * A connection that is suspended cannot be closed, and MHD acts on a resume only in the thread that suspended: therefore
 * that thread may go on using the request until its callback returns.
 *
 * A commit wakes many at once, and each MHD_resume_connection from outside would wake MHD's thread, which then walks its list of
 * suspended connections for that one.  So woken requests gather in a list of their thread: only the first of a list is
 * resumed by its waker, and MHD's thread, once in a callback, resumes the others itself: one wake-up and two walks for
 * all of them.  A callback always comes: the first one's answer, or COMPLETED or CLOSED if its client has left.
 *
 * MHD does not look at a suspended connection, so the client's leaving is watched by our own epoll, one-shot, for requests
 * that stand in a line.  A watch is never taken back: closing the socket does that, and generation and slot tell old news.
 *
 * SPDX-License-Identifier: MIT */
#include "http/park.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "http/slot.h"

enum { NEWS_AT_ONCE = 64 };
#define NEWS_STOP UINT64_MAX

static void
resume(struct http *h, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection); /* from here its request may be another one */
    metric_add(M_HTTP_PARKED, -1);
    atomic_fetch_sub(&h->parked, 1); /* last: http_stop waits for it */
}

static enum parked
lose(struct request *req)
{
    struct http *h = req->http;
    int running = PARK_RUNNING;

    atomic_fetch_add(&h->abandoned, 1); /* before the waker can see it and take one away */
    if (atomic_compare_exchange_strong(&req->park, &running, PARK_ABANDONED))
        return NOT_PARKED_STOPPING;
    atomic_fetch_sub(&h->abandoned, 1);
    return NOT_PARKED_WOKEN;
}

enum parked
park_suspend(struct hand *hand, struct request *req)
{
    struct http *h = req->http;
    int running = PARK_RUNNING;

    if (atomic_load_explicit(&req->park, memory_order_acquire) == PARK_DONE)
        return NOT_PARKED_WOKEN;
    atomic_fetch_add(&h->parked, 1);
    if (atomic_load(
            &h->stopping)) { /* either this is seen here, or parked above is seen by http_stop: both are seq_cst */
        enum parked lost = lose(req);

        atomic_fetch_sub(&h->parked, 1);
        return lost;
    }
    req->was_parked = true;
    req->hand = hand;
    metric_add(M_HTTP_PARKED, 1);
    MHD_suspend_connection(req->connection);
    if (atomic_compare_exchange_strong(&req->park, &running, PARK_SUSPENDED)) {
        if (req->watched)
            slot_watch(req->slot, h->watch_fd, req->leave, req->ticket);
    } else {
        resume(h, req->connection);
    }
    return PARKED;
}

bool
park_is_woken(struct request *req, bool *ret_lost)
{
    int park = atomic_load(&req->park);

    *ret_lost = park == PARK_ABANDONED;
    return park == PARK_DONE || park == PARK_ABANDONED;
}

void
park_abandon(struct request *req)
{
    struct http *h = req->http;
    struct MHD_Connection *connection = req->connection;
    int suspended = PARK_SUSPENDED;

    if (atomic_load(&req->park) != PARK_SUSPENDED)
        return;
    atomic_fetch_add(&h->abandoned, 1);
    if (!atomic_compare_exchange_strong(&req->park, &suspended, PARK_ABANDONED)) {
        atomic_fetch_sub(&h->abandoned, 1);
        return;
    }
    resume(h, connection);
}

static void
resume_with_others(struct request *req)
{
    struct http *h = req->http;
    struct hand *hand = req->hand;
    struct MHD_Connection *connection = req->connection;
    struct request *first = atomic_load(&hand->woken);

    do {
        req->next_woken = first;
        req->leads = !first;
    } while (!atomic_compare_exchange_weak(&hand->woken, &first, req));
    if (!first)
        resume(h, connection);
}

void
park_resume_woken(struct http *h, struct hand *hand)
{
    struct request *req, *next;

    if (!atomic_load_explicit(
            &hand->woken,
            memory_order_relaxed)) /* what comes now has a leader of its own, or finds one */
        return;
    for (req = atomic_exchange(&hand->woken, NULL); req; req = next) {
        next = req->next_woken;
        if (!req->leads) {
            resume(h, req->connection);
            socket_signalled(true);
        }
    }
    socket_signalled(false);
}

void
request_wake(struct request *req)
{
    struct http *h = req->http;

    atomic_store_explicit(&req->woken_at, http_beat(h), memory_order_relaxed);
    switch (atomic_exchange(&req->park, PARK_DONE)) {
    case PARK_RUNNING: /* MHD's thread is still in the handler: it will see */
        return;
    case PARK_SUSPENDED:
        resume_with_others(req);
        return;
    case PARK_ABANDONED: /* its connection is closed and its slot stays unused: ours alone */
        if (req->undo)
            req->undo(h->app, req);
        atomic_fetch_sub(&h->abandoned, 1);
        return;
    default:
        abort(); /* woken twice: the second resume would swallow the next suspend */
    }
}

static void *
watch(void *arg)
{
    struct http *h = arg;
    struct epoll_event news[NEWS_AT_ONCE];

    for (;;) {
        int n = epoll_wait(h->watch_fd, news, NEWS_AT_ONCE, -1);

        if (n < 0 && errno != EINTR) {
            log_line(LOG_LEVEL_ERROR, "watcher_failed", "why=\"%s\"", strerrordesc_np(errno));
            return NULL;
        }
        for (int i = 0; i < n; i++) {
            uint64_t u = news[i].data.u64;

            if (u == NEWS_STOP)
                return NULL;
            bob_thread_note("a client left");
            slot_client_left(slots_at(h->slots, (int)(uint32_t)u), (uint32_t)(u >> 32), h->app);
            bob_thread_note(NULL);
        }
    }
}

enum why
park_start(struct http *h, struct fault *f)
{
    static const struct bob_thread_options options = {.role = "park watcher"};
    struct epoll_event stop = {.events = EPOLLIN, .data.u64 = NEWS_STOP};

    h->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    h->watch_stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->watch_fd < 0 || h->watch_stop_fd < 0 ||
        epoll_ctl(h->watch_fd, EPOLL_CTL_ADD, h->watch_stop_fd, &stop))
        return fault_set(f, WHY_INTERNAL, "no epoll for the park watcher: %s",
                         strerrordesc_np(errno));
    if (bob_thread_start(&h->watcher, "watcher", watch, h, &options))
        return fault_set(f, WHY_INTERNAL, "no thread for the park watcher");
    return WHY_OK;
}

void
park_stop(struct http *h)
{
    if (h->watcher) {
        (void)!eventfd_write(h->watch_stop_fd, 1);
        bob_thread_free(h->watcher);
        h->watcher = NULL;
    }
}

void
park_close(struct http *h)
{
    if (h->watch_fd >= 0)
        (void)close(h->watch_fd);
    if (h->watch_stop_fd >= 0)
        (void)close(h->watch_stop_fd);
}
