/* paced.c - sends requests at a fixed rate, whatever the server does, and says how long each took.
 *
 *     paced PORT METHOD PATH RATE CONNECTIONS SECONDS
 *
 * The schedule is open: it is made before the first request, and no answer moves it.  Its gaps are
 * those of a Poisson process (drawn from one seed, so every server meets the same), and the
 * connections take turns.  A connection whose answer is late sends its next request when that has
 * come, but the time counts from the scheduled moment: else a server that stands still for a second
 * would have one slow answer, and not a second's worth of them.  The time by which this program
 * itself is late is in it too, and is told beside the rest.
 *
 * Prints, all in microseconds:
 *
 *     RESULT requests unanswered refused p50 p99 max late-p99
 *
 * unanswered: not ten seconds after the last moment; they count in the times.  refused: any status
 * but 200.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REPLY_MAX = 4096,
    REQUEST_MAX = 512,
    EVENTS = 256,
    CONNECTIONS_MAX = 16384,
    FIRST_NS = 20 * 1000 * 1000,
    SEED = 1
};
#define SECOND_NS INT64_C(1000000000)
#define GRACE_NS (10 * SECOND_NS)
#define REQUESTS_MAX (INT64_C(100) * 1000 * 1000)

struct connection {
    int fd;
    /* A request is under way: that at `next`. */
    bool busy;
    /* A place in the schedule: this connection has every n_connections-th. */
    size_t next;
    /* Of the reply, so far. */
    size_t len;
    char reply[REPLY_MAX + 1];
};
static struct connection *connections;
static size_t n_connections;
static char request[REQUEST_MAX];
static size_t request_len;

/* The schedule; how long each took from its moment (-1: no answer yet); and how late those left
 * whose connection was free at their moment. */
static int64_t *due_at, *took_ns, *late_ns;
/* All requests, those whose moment has come, and what became of them. */
static size_t n, n_due, n_late, n_ended, n_refused;

static void
die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int64_t
now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void *
array(size_t count, size_t size)
{
    void *made = calloc(count, size);

    if (!made)
        die("paced: memory");
    return made;
}

/* Moments from 0 on. */
static void
make_schedule(double rate)
{
    double at = FIRST_NS;

    due_at = array(n, sizeof *due_at);
    took_ns = array(n, sizeof *took_ns);
    late_ns = array(n, sizeof *late_ns);
    srand48(SEED);
    for (size_t i = 0; i < n; i++) {
        at += -log(1 - drand48()) / rate * (double)SECOND_NS;
        due_at[i] = (int64_t)at;
        took_ns[i] = -1;
    }
}

static void
connect_all(int port, int epoll)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    connections = array(n_connections, sizeof *connections);
    for (size_t i = 0; i < n_connections; i++) {
        struct connection *c = &connections[i];
        struct epoll_event readable = {.events = EPOLLIN, .data.ptr = c};
        const int on = 1;

        c->next = i;
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&at, sizeof at) ||
            setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
            fcntl(c->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &readable))
            die("paced: connect");
    }
}

static void
send_next(struct connection *c)
{
    if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        die("paced: send");
    c->busy = true;
    c->len = 0;
}

/* Sends those whose moment has come and whose connection is free; the rest go after its answer. */
static void
send_due(int64_t began)
{
    int64_t now = now_ns() - began;

    for (; n_due < n && due_at[n_due] <= now; n_due++) {
        struct connection *c = &connections[n_due % n_connections];

        if (c->busy)
            continue;
        send_next(c);
        now = now_ns() - began;
        late_ns[n_late++] = now - due_at[n_due];
    }
}

/* The status of a whole reply; 0: there is more to come. */
static int
whole_reply(const struct connection *c)
{
    const char *end = strstr(c->reply, "\r\n\r\n");
    const char *length = strcasestr(c->reply, "\r\nContent-Length:");
    int status;

    if (!end)
        return 0;
    if (!length || length > end || sscanf(c->reply, "HTTP/1.1 %d", &status) != 1) {
        (void)fprintf(stderr, "paced: not a reply: %s\n", c->reply);
        exit(EXIT_FAILURE);
    }
    length += strlen("\r\nContent-Length:");
    size_t whole = (size_t)(end - c->reply) + 4 + strtoul(length, NULL, 10);
    if (c->len > whole || whole > REPLY_MAX) {
        (void)fprintf(stderr, "paced: a reply of %zu bytes, %zu came\n", whole, c->len);
        exit(EXIT_FAILURE);
    }
    return c->len == whole ? status : 0;
}

static void
receive(struct connection *c, int64_t began)
{
    ssize_t got = recv(c->fd, c->reply + c->len, REPLY_MAX - c->len, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || !c->busy)
        die(got ? "paced: recv" : "paced: closed by the server");
    c->len += (size_t)got;
    c->reply[c->len] = '\0';
    int status = whole_reply(c);
    if (!status)
        return;
    took_ns[c->next] = now_ns() - began - due_at[c->next];
    n_ended++;
    n_refused += status != 200;
    c->busy = false;
    c->next += n_connections;
    if (c->next < n_due)
        send_next(c);
}

static void
run(int epoll)
{
    const int64_t began = now_ns(), last_at = due_at[n - 1] + GRACE_NS;
    struct epoll_event events[EVENTS];

    while (n_ended < n) {
        send_due(began);
        int64_t left = (n_due < n ? due_at[n_due] : last_at) - (now_ns() - began);
        if (left <= 0 && n_due == n)
            break;
        left = left > 0 ? left : 0;
        const struct timespec wait = {.tv_sec = left / SECOND_NS, .tv_nsec = left % SECOND_NS};
        int found = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
        if (found < 0 && errno != EINTR)
            die("paced: epoll_pwait2");
        for (int i = 0; i < found; i++)
            receive(events[i].data.ptr, began);
    }
    for (size_t i = 0; i < n; i++) {
        if (took_ns[i] < 0)
            took_ns[i] = last_at - due_at[i];
    }
}

static int
by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* In microseconds, of a sorted array; 0 of an empty one. */
static int64_t
percentile(const int64_t *times, size_t count, size_t percent)
{
    return count ? times[(count - 1) * percent / 100] / 1000 : 0;
}

static void
show(void)
{
    const size_t unanswered = n - n_ended;

    qsort(took_ns, n, sizeof *took_ns, by_size);
    qsort(late_ns, n_late, sizeof *late_ns, by_size);
    (void)printf("RESULT %zu %zu %zu %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", n,
                 unanswered, n_refused, percentile(took_ns, n, 50), percentile(took_ns, n, 99),
                 percentile(took_ns, n, 100), percentile(late_ns, n_late, 99));
}

int
main(int argc, char **argv)
{
    if (argc != 7) {
        (void)fputs("usage: paced PORT METHOD PATH RATE CONNECTIONS SECONDS\n", stderr);
        return EXIT_FAILURE;
    }
    const int port = atoi(argv[1]);
    const double rate = strtod(argv[4], NULL), requests = rate * strtod(argv[6], NULL);
    const long clients = strtol(argv[5], NULL, 10);
    const int len =
        snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", argv[2],
                 argv[3], port);
    if (port <= 0 || port > UINT16_MAX || clients <= 0 || clients > CONNECTIONS_MAX || len < 0 ||
        len >= REQUEST_MAX || !(requests >= 1 && requests <= (double)REQUESTS_MAX)) {
        (void)fputs("paced: an argument is out of range\n", stderr);
        return EXIT_FAILURE;
    }
    request_len = (size_t)len;
    n_connections = (size_t)clients;
    n = (size_t)requests;
    /* The kernel may end a wait 50 us late unless it is told not to. */
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        die("paced: epoll_create1");
    make_schedule(rate);
    connect_all(port, epoll);
    run(epoll);
    show();
    return EXIT_SUCCESS;
}
