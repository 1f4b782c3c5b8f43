/* http.c - see http.h: the parts of the front door, started in one order and ended in the other.
 *
 * MHD aborts when it is stopped with a suspended connection, so http_stop goes on until the count of parked requests is zero:
 * each is woken by its own outcome, or its connection is given up.  Who parks adds to the count before it looks at `stopping`, and here
 * `stopping` is set before the count is looked at, so one of the two sees the other.
 *
 * SPDX-License-Identifier: MIT */
#include "http/http.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/process.h"
#include "http/listener.h"
#include "http/park.h"
#include "http/slot.h"

enum {
    HTTP_THREADS_LEAST = 2,
    STACK_BYTES = 512 * 1024,
    OWN_FDS = 8192,
    LOOK_AGAIN_MS = 2,
    CROWD = 1024,
    IDLE_TURNS = 4,
};
enum {
    GREET_MS = 1000,
    GREET_FD = 64,  /* greetings have numbers from here on */
    GRACE_MS = 500, /* how long a stop waits for clients that are slow to send, or to read */
    CALM_MS = 20,
};

/* ---- MHD ---- */

/* Peers can make MHD talk: only who looks for trouble hears it. */
BOB_PRINTF(2, 0)
static void
mhd_says(void *cls, const char *fmt, va_list args)
{
    char text[256];

    (void)cls;
    if (!log_wants(LOG_LEVEL_DEBUG))
        return;
    (void)vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = '\0';
    log_line(LOG_LEVEL_DEBUG, "mhd", "says=\"%s\"", text);
}

static void
mhd_panics(void *cls, const char *file, unsigned line, const char *reason)
{
    (void)cls;
    log_line(LOG_LEVEL_ERROR, "mhd_panic", "file=%s line=%u reason=\"%s\"", file, line,
             reason ? reason : "");
    abort();
}

/* Paths and queries stay as they came: a decoded "%2F" would be a slash, a decoded "%00" an end. */
static size_t
leave_raw(void *cls, struct MHD_Connection *c, char *text)
{
    (void)cls;
    (void)c;
    return strlen(text);
}

static enum why
daemon_start(struct http *h, struct fault *f)
{
    const struct config *c = h->config;
    unsigned threads = h->hands_len;
    unsigned limit =
        (unsigned)c->max_connections + threads * 64; /* it is divided by the threads; ours counts */
    /* Ours cuts first, but for streams that stall. */
    unsigned idle = h->idle_beats + 10 > 60 ? h->idle_beats + 10 : 60;

    MHD_set_panic_func(mhd_panics, NULL);
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, exchange_access, h, MHD_OPTION_EXTERNAL_LOGGER, mhd_says, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, idle,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_NOTIFY_CONNECTION,
        exchange_connection, h, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, h,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_uri, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_raw, NULL,
        MHD_OPTION_END);
    return h->daemon ? WHY_OK : fault_set(f, WHY_INTERNAL, "libmicrohttpd does not start");
}

/* A descriptor like @fd whose number modulo @n is @i: MHD gives a connection to the thread of its number. */
static int
numbered(int fd, unsigned n, unsigned i)
{
    int got = -1;

    for (unsigned least = GREET_FD - GREET_FD % n + i; got < 0 || (unsigned)got % n != i;
         least += n) {
        if (got >= 0)
            (void)close(got);
        got = fcntl(fd, F_DUPFD_CLOEXEC, (int)least);
        if (got < 0)
            return -1;
    }
    return got;
}

/* MHD has no hook for the start of a thread: each is given a connection that says nothing and ends, so that all have their names
 * before the first client comes. */
static void
greet_hands(struct http *h)
{
    const bob_time until = bob_in_ms(GREET_MS);
    const struct sockaddr none = {.sa_family = AF_UNIX};

    for (unsigned i = 0; i < h->hands_len; i++) {
        int pair[2], fd;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
            return;
        fd = numbered(pair[0], h->hands_len, i);
        if (fd >= 0 && slots_prepare(h->slots, fd))
            (void)listener_hand_on(h, fd, &none, sizeof none.sa_family);
        else if (fd >= 0)
            (void)close(fd);
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
    while (atomic_load(&h->hands_taken) < h->hands_len && bob_now() < until)
        (void)poll(NULL, 0, 1);
}

/* ---- start ---- */

/* As beats of http_tick: one more than it has seconds, for the next may come at any moment. */
static uint32_t
beats(int64_t ns)
{
    return (uint32_t)((ns + NS_PER_SECOND - 1) / NS_PER_SECOND) + 1;
}

/* As many descriptors as the system gives us; a slot for each that a connection can have. */
static enum why
make_slots(struct http *h, struct fault *f)
{
    size_t len = (size_t)h->config->max_connections + OWN_FDS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < len)
            len = limit.rlim_cur;
        if (len < (size_t)h->config->max_connections)
            log_line(LOG_LEVEL_WARNING, "few_descriptors", "limit=%zu max_connections=%lld", len,
                     (long long)h->config->max_connections);
    }
    h->slots = slots_new(len);
    return h->slots ? WHY_OK : fault_set(f, WHY_INTERNAL, "no memory for %zu connections", len);
}

static enum why
make_hands(struct http *h, struct fault *f)
{
    int64_t n = h->config->http_threads > 0 ? h->config->http_threads : process_processors();

    h->hands_len =
        n < HTTP_THREADS_LEAST ? HTTP_THREADS_LEAST : (unsigned)n; /* MHD has no pool of one */
    h->hands = aligned_alloc(64, h->hands_len * sizeof *h->hands);
    if (!h->hands)
        return fault_set(f, WHY_INTERNAL, "no memory for %u threads", h->hands_len);
    memset(h->hands, 0, h->hands_len * sizeof *h->hands);
    return WHY_OK;
}

static enum why
make_no_memory(struct http *h, struct fault *f)
{
    static char text[] =
        "{\"type\":\"/problems/no-memory\",\"title\":\"Out of memory\",\"status\":503,"
        "\"code\":\"no_memory\"}";

    h->no_memory = MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (!h->no_memory ||
        !response_header(h->no_memory, "Content-Type", "application/problem+json") ||
        !response_header(h->no_memory, "Retry-After", "1") || !response_always(h->no_memory, false))
        return fault_set(f, WHY_INTERNAL, "no memory");
    return WHY_OK;
}

enum why
http_open(struct http **ret, const struct config *c, const struct route *routes, size_t n,
          void *app, struct fault *f)
{
    struct http *h = aligned_alloc(64, sizeof *h);

    if (!h)
        return fault_set(f, WHY_INTERNAL, "no memory");
    memset(h, 0, sizeof *h);
    h->config = c;
    h->app = app;
    h->accept_stop_fd = h->watch_stop_fd = h->watch_fd = -1;
    atomic_store(&h->beat, 1);
    h->header_beats = beats(c->header_timeout);
    h->body_beats = beats(c->body_timeout);
    h->idle_beats = beats(c->idle_timeout);
    h->reply_beats = beats(c->reply_timeout);
    if (routes_set(routes, n, f) || listener_open(h, f)) {
        if (f->why == WHY_INVALID)
            notify_turn_away();
        http_stop(h);
        return f->why;
    }
    *ret = h;
    return WHY_OK;
}

enum why
http_start(struct http *h, struct fault *f)
{
    if (make_hands(h, f) || make_slots(h, f) || make_no_memory(h, f) || park_start(h, f) ||
        request_pool_start(h, f) || daemon_start(h, f))
        return f->why;
    greet_hands(h);
    return listener_start(h, f);
}

const char *
http_url(const struct http *h)
{
    return h->url;
}

/* ---- once a second ---- */

/* MHD listens for edges and reads as much as came: if the client's end came in the same event, it never hears of it.  One system
 * call looks after many; those between requests, who can be many more than the others, have their turn each IDLE_TURNS seconds. */
struct crowd {
    nfds_t len;
    struct pollfd at[CROWD];
};

static void
look_after(struct http *h, struct crowd *crowd)
{
    int gone = crowd->len > 0 ? poll(crowd->at, crowd->len, 0) : 0;

    for (nfds_t i = 0; gone > 0 && i < crowd->len; i++) {
        if (crowd->at[i].revents) {
            slot_hang_up(slots_at(h->slots, crowd->at[i].fd));
            gone--;
        }
    }
    crowd->len = 0;
}

#define BEAT_LEAST (NS_PER_SECOND / 100 * 95) /* between two that count */

/* The tick of this second counts unless the last one came so late that this one comes right behind it: who had come between the
 * two would lose a second of his deadline. */
static uint32_t
count_beat(struct http *h)
{
    bob_time now = bob_now();

    if (h->beat_at && now - h->beat_at < BEAT_LEAST)
        return http_beat(h);
    h->beat_at = now;
    return atomic_fetch_add_explicit(&h->beat, 1, memory_order_relaxed) + 1;
}

void
http_tick(struct http *h)
{
    struct crowd crowd;
    uint32_t now = count_beat(h), oldest = now;
    int64_t unread = 0, unread_bytes = 0;

    crowd.len = 0;
    for (size_t i = 0; i < slots_used(h->slots); i++) {
        struct slot *s = slots_at(h->slots, (int)i);
        int stage = atomic_load_explicit(&s->req.stage, memory_order_relaxed);
        uint32_t woken = atomic_load_explicit(&s->req.woken_at, memory_order_relaxed);

        if (woken && woken < oldest)
            oldest = woken;
        if (stage == STAGE_SENDING) {
            unread++;
            unread_bytes += atomic_load_explicit(&s->req.reply_len, memory_order_relaxed);
        }
        bool refused = atomic_load_explicit(&s->refused, memory_order_relaxed);
        if (slot_cut(s, now) && stage != STAGE_IDLE && !refused)
            metric_add(M_HTTP_SLOW_CUT, 1);
        else if (slot_is_asking(s) && (stage != STAGE_IDLE || i % IDLE_TURNS == now % IDLE_TURNS))
            crowd.at[crowd.len++] = (struct pollfd){.fd = s->fd, .events = POLLRDHUP};
        if (crowd.len == CROWD)
            look_after(h, &crowd);
    }
    look_after(h, &crowd);
    metric_set(M_HTTP_UNREAD, unread);
    metric_set(M_HTTP_UNREAD_BYTES, unread_bytes);
    for (unsigned i = 0; i < h->hands_len; i++) {
        uint32_t since = atomic_load_explicit(&h->hands[i].busy_since, memory_order_relaxed);

        if (since && since < oldest)
            oldest = since;
    }
    atomic_store_explicit(&h->oldest_beat_ms, (int64_t)(now - oldest) * 1000, memory_order_relaxed);
    streams_sweep(h, false);
}

int64_t
http_oldest_beat_ms(const struct http *h)
{
    return atomic_load_explicit(&((struct http *)(uintptr_t)h)->oldest_beat_ms,
                                memory_order_relaxed);
}

/* ---- the end ---- */

void
http_drain(struct http *h)
{
    atomic_store(&h->draining, true);
}

/* Whether a client has sent what MHD has not read yet, and stays for the answer. */
static bool
is_unread(struct crowd *crowd)
{
    int some = crowd->len > 0 ? poll(crowd->at, crowd->len, 0) : 0;
    bool unread = false;

    for (nfds_t i = 0; some > 0 && !unread && i < crowd->len; i++)
        unread = crowd->at[i].revents == POLLIN;
    crowd->len = 0;
    return unread;
}

/* Whether no request is on its way in, being answered, or on its way out: as far as clients have the patience of a stop. */
static bool
is_quiet(struct http *h)
{
    bool patient = bob_now() < h->patience;
    int least = patient ? STAGE_HEAD : STAGE_ANSWERING;
    struct crowd crowd;

    crowd.len = 0;
    for (size_t i = 0; i < slots_used(h->slots); i++) {
        struct slot *s = slots_at(h->slots, (int)i);

        if (atomic_load(&s->req.stage) >= least)
            return false;
        if (patient && slot_is_asking(s))
            crowd.at[crowd.len++] = (struct pollfd){.fd = s->fd, .events = POLLIN | POLLRDHUP};
        if (crowd.len == CROWD && is_unread(&crowd))
            return false;
    }
    return !is_unread(&crowd);
}

/* When all looks of CALM_MS were quiet (whose connection was accepted last has that long to send its request), or patience is over,
 * nothing more reaches a handler.  What did so before it saw that is waited for: it wrote its stage long before the next look,
 * LOOK_AGAIN_MS later. */
bool
http_quiet(struct http *h, int64_t deadline)
{
    bob_time calm = bob_in_ms(CALM_MS);

    if (!h->patience)
        h->patience = bob_in_ms(GRACE_MS);
    listener_stop(h);
    atomic_store(&h->ending, true);
    for (;;) {
        streams_sweep(h, true);
        bool quiet = is_quiet(h);
        if (quiet && atomic_load(&h->refusing))
            return true;
        if (!quiet)
            calm = bob_in_ms(CALM_MS);
        if (bob_now() >= (calm < h->patience ? calm : h->patience))
            atomic_store(&h->refusing, true);
        if (bob_now() >= deadline)
            return false;
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

/* Until no connection is suspended. */
static void
end_parked(struct http *h)
{
    while (atomic_load(&h->parked) > 0) {
        streams_sweep(h, true);
        for (size_t i = 0; i < slots_used(h->slots); i++)
            park_abandon(&slots_at(h->slots, (int)i)->req);
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

void
http_stop(struct http *h)
{
    atomic_store(&h->draining, true);
    atomic_store(&h->ending, true);
    atomic_store(&h->refusing, true);
    atomic_store(&h->stopping, true);
    listener_stop(h);
    request_pool_stop(h);
    if (h->slots)
        end_parked(h);
    park_stop(h);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    park_close(h);
    if (h->work || atomic_load(&h->abandoned) >
                       0) { /* somebody may still write into a request: the process ends soon */
        log_line(LOG_LEVEL_WARNING, "requests_left", "n=%lld",
                 (long long)atomic_load(&h->abandoned));
        return;
    }
    for (unsigned i = 0; h->hands && i < h->hands_len; i++) {
        responses_free(&h->hands[i]);
        bytes_free(&h->hands[i].reply.body);
        bytes_free(&h->hands[i].reply.extra);
        bytes_free(&h->hands[i].reply.headers);
    }
    if (h->no_memory)
        MHD_destroy_response(h->no_memory);
    for (int i = 0; i < h->own_names; i++)
        free(h->own_name[i]);
    slots_free(h->slots);
    free(h->hands);
    free(h);
}
