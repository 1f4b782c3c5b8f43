/* deadline.c - every moment at which something is due, in one heap under the state lock, and the thread that serves it.
 *
 * The heap keeps each moment beside its pointer, four children to a node: to sift is to read neighbours in memory and not the
 * waiters themselves.  The thread sleeps on a timerfd of CLOCK_BOOTTIME, which fires at once when a sleeping machine wakes
 * after the moment.  It is set only when a moment comes that is earlier than the one it is set to; a moment that was cleared
 * is left to fire for nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CHILDREN = 4, HEAP_LEAST = 1024, BEAT_MS = 1000 };

struct entry {
    moment at; /* d->at, near at hand */
    struct deadline *d;
};
struct heap {
    struct entry *entry;
    size_t len, cap;
    size_t promised; /* deadlines that may be set at once: never above cap */
};

enum why
heap_new(struct coord *c) BOB_UNSHARED
{
    c->heap = calloc(1, sizeof(*c->heap));
    return c->heap ? WHY_OK : WHY_NO_MEMORY;
}

void
heap_free(struct coord *c) BOB_UNSHARED
{
    if (c->heap)
        free(c->heap->entry);
    free(c->heap);
    c->heap = NULL;
}

static void
place(struct heap *h, size_t i, struct entry e)
{
    h->entry[i] = e;
    e.d->index = i + 1;
}

static void
sift_up(struct heap *h, size_t i, struct entry e)
{
    while (i > 0) {
        size_t parent = (i - 1) / CHILDREN;

        if (h->entry[parent].at <= e.at)
            break;
        place(h, i, h->entry[parent]);
        i = parent;
    }
    place(h, i, e);
}

static void
sift_down(struct heap *h, size_t i, struct entry e)
{
    for (;;) {
        size_t first = i * CHILDREN + 1, least = first;

        if (first >= h->len)
            break;
        for (size_t k = first + 1; k < first + CHILDREN && k < h->len; k++) {
            if (h->entry[k].at < h->entry[least].at)
                least = k;
        }
        if (e.at <= h->entry[least].at)
            break;
        place(h, i, h->entry[least]);
        i = least;
    }
    place(h, i, e);
}

/* Puts @e where place @i is free. */
static void
settle(struct heap *h, size_t i, struct entry e)
{
    if (i > 0 && e.at < h->entry[(i - 1) / CHILDREN].at)
        sift_up(h, i, e);
    else
        sift_down(h, i, e);
}

enum why
deadline_room(struct coord *c)
{
    struct heap *h = c->heap;

    if (h->promised == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : HEAP_LEAST;
        struct entry *entry = realloc(h->entry, cap * sizeof(*entry));

        if (!entry)
            return WHY_NO_MEMORY;
        h->entry = entry;
        h->cap = cap;
    }
    h->promised++;
    return WHY_OK;
}

void
deadline_room_back(struct coord *c)
{
    assert(c->heap->promised > c->heap->len);
    c->heap->promised--;
}

void
deadline_set(struct coord *c, struct deadline *d, moment at)
{
    struct heap *h = c->heap;
    struct entry e = {at, d};

    d->at = at;
    if (d->index) {
        settle(h, d->index - 1, e);
    } else {
        assert(h->len < h->promised);
        sift_up(h, h->len++, e);
    }
    moment armed_at =
        atomic_load_explicit(&c->armed_at, memory_order_relaxed); /* written under this lock */
    if (c->timer_fd >= 0 && (armed_at == 0 || at < armed_at)) {
        atomic_store(&c->armed_at, at);
        c->arm = true;
    }
}

void
deadline_clear(struct coord *c, struct deadline *d)
{
    struct heap *h = c->heap;

    if (!d->index)
        return;
    size_t i = d->index - 1;
    struct entry last = h->entry[--h->len];

    d->index = 0;
    if (last.d != d)
        settle(h, i, last);
}

bool
deadline_step(struct coord *c, moment now)
{
    struct heap *h = c->heap;

    if (h->len == 0 || h->entry[0].at > now)
        return false;

    struct deadline *d = h->entry[0].d;

    deadline_clear(c, d);
    d->due(c, d, now);
    return true;
}

/* Serves one that is due, in a step of its own.  *ret_next: the moment of the next, 0: none. */
static bool
serve_one(struct coord *c, moment now, moment *ret_next)
{
    state_lock(c);
    struct heap *h = c->heap;
    bool due = deadline_step(c, now);
    *ret_next = h->len > 0 ? h->entry[0].at : 0;
    if (!due && c->timer_fd >= 0) { /* what is set from now on compares itself to this */
        c->arm = *ret_next != 0;
        atomic_store(&c->armed_at, *ret_next);
    }
    state_unlock(c);
    return due;
}

moment
deadline_serve(struct coord *c, moment now)
{
    moment next;
    bool more;

    do {
        state_lock(c);
        more = names_collect(c, now);
        state_unlock(c);
    } while (more);
    while (serve_one(c, now, &next)) {
    }
    return next;
}

void
deadline_arm(struct coord *c)
{
    moment at;

    /* Two threads may come here at once, in either order.  Whoever sets the timer last has looked at armed_at after that. */
    do {
        at = atomic_load(&c->armed_at);
        struct itimerspec when = {.it_value = {at / NS_PER_SECOND, at % NS_PER_SECOND}};

        int failed = timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
        assert(!failed);
    } while (at != atomic_load(&c->armed_at));
}

static void *
deadline_run(void *arg)
{
    struct coord *c = arg;
    struct pollfd ready[2] = {{.fd = c->timer_fd, .events = POLLIN},
                              {.fd = c->wake_fd, .events = POLLIN}};

    for (;;) {
        uint64_t fired;

        (void)deadline_serve(c, clock_now());
        atomic_fetch_add(&c->deadline_beats, 1);
        if (poll(ready, 2, BEAT_MS) < 0)
            assert(errno == EINTR);
        if (ready[1].revents)
            return NULL;
        if (ready[0].revents && read(c->timer_fd, &fired, sizeof(fired)) < 0)
            assert(errno == EAGAIN); /* it was set anew between the two calls */
    }
}

enum why
deadline_start(struct coord *c, struct fault *f)
{
    static const struct bob_thread_options options = {.role = "deadline"};
    enum bob_err err;
    char why[64];
    int timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (timer_fd < 0 || wake_fd < 0) {
        fault_set(f, WHY_INTERNAL, "no timer for deadlines: %s",
                  strerror_r(errno, why, sizeof(why)));
        goto close_both;
    }
    state_lock(c);
    c->wake_fd = wake_fd;
    c->timer_fd = timer_fd;
    state_unlock(c);
    err = bob_thread_start(&c->deadline_thread, "deadline", deadline_run, c, &options);
    if (!err)
        return WHY_OK;

    fault_set(f, WHY_INTERNAL, "no thread for deadlines: %s", bob_strerror(err));
    state_lock(c);
    c->wake_fd = c->timer_fd = -1;
    state_unlock(c);
close_both:
    if (timer_fd >= 0)
        (void)close(timer_fd);
    if (wake_fd >= 0)
        (void)close(wake_fd);
    return WHY_INTERNAL;
}

void
deadline_stop(struct coord *c)
{
    if (!c->deadline_thread)
        return;

    uint64_t one = 1;
    ssize_t n = write(c->wake_fd, &one, sizeof(one));
    assert(n == sizeof(one));
    bob_thread_free(c->deadline_thread); /* joins it */
    c->deadline_thread = NULL;
}
