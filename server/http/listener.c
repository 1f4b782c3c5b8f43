/* listener.c - see listener.h.
 *
 * We accept ourselves and hand the connections to MHD: its own accept spreads 64 connections anywhere between 32/32 and
 * 64/0 over its threads, its way to stop listening can abort the process, and at its limit clients hang instead of hearing 503.
 * A connection over the limit is told so in a few bytes, as far as that can be done without waiting for it.
 *
 * SPDX-License-Identifier: MIT */
#include "http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "http/http.h"
#include "http/slot.h"

enum { BACKLOG = 4096, ACCEPTS_AT_ONCE = 64, BREATH_MS = 20, PORT_TEXT = 8, HOST_TEXT = 256 };

/* Written whole by hand: it is sent before there is a request. */
#define FULL_HEAD                                                                                  \
    "HTTP/1.1 503 Service Unavailable\r\n"                                                         \
    "Content-Type: application/problem+json\r\n"                                                   \
    "Content-Length: 145\r\n"                                                                      \
    "Retry-After: 1\r\n"                                                                           \
    "Connection: close\r\n"
#define FULL_BODY                                                                                  \
    "{\"type\":\"/problems/busy\",\"title\":\"The server is "                                      \
    "busy\",\"status\":503,\"code\":\"busy\","                                                     \
    "\"detail\":\"too many connections at once (see --max-connections)\"}"
static const char full[] = FULL_HEAD HEADERS_ALWAYS(HEADER_LINE) "\r\n" FULL_BODY;
_Static_assert(sizeof FULL_BODY - 1 == 145, "Content-Length says so");

/* ---- addresses ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_storage room;
};

static bool
is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->four.sin_addr.s_addr) >> 24 == 127;
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->six.sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&a->six.sin6_addr) && a->six.sin6_addr.s6_addr[12] == 127);
    return a->any.sa_family == AF_UNIX;
}

static bool
is_wildcard(const union address *a)
{
    return a->any.sa_family == AF_INET ? a->four.sin_addr.s_addr == htonl(INADDR_ANY)
                                       : IN6_IS_ADDR_UNSPECIFIED(&a->six.sin6_addr);
}

/* "127.0.0.1" or "[::1]", as it stands in a URL and in Host. */
static void
host_text(char *ret, size_t cap, const union address *a)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (a->any.sa_family == AF_INET)
        (void)snprintf(ret, cap, "%s", inet_ntop(AF_INET, &a->four.sin_addr, text, sizeof text));
    else
        (void)snprintf(ret, cap, "[%s]", inet_ntop(AF_INET6, &a->six.sin6_addr, text, sizeof text));
}

/* What clients may call us after the socket @fd, and its URL: kept if it is the first, else in the log, or nobody knew its port. */
static enum why
learn_names(struct http *h, int fd, struct fault *f)
{
    union address a = {0};
    socklen_t len = sizeof a;
    char host[INET6_ADDRSTRLEN + 2], url[sizeof h->url];

    if (getsockname(fd, &a.any, &len))
        return fault_set(f, WHY_INTERNAL, "getsockname: %s", strerrordesc_np(errno));
    if (a.any.sa_family != AF_UNIX)
        host_text(host, sizeof host, &a);
    if (!is_loopback(&a) && !h->config->insecure)
        return fault_set(f, WHY_INVALID,
                         "listen: %s can be reached from other machines, and whoever connects may "
                         "do anything; give --insecure if that is meant",
                         host);
    if (!is_loopback(&a))
        log_line(LOG_LEVEL_WARNING, "insecure",
                 "why=\"listening off loopback: anybody who can connect may do anything\"");
    if (a.any.sa_family == AF_UNIX) {
        if (!h->url[0])
            (void)snprintf(h->url, sizeof h->url, "http://localhost");
        return WHY_OK;
    }
    if (is_wildcard(&a)) {
        h->hosts.any_address = true;
        (void)snprintf(host, sizeof host, "%s", a.any.sa_family == AF_INET ? "127.0.0.1" : "[::1]");
    } else {
        char *name = strdup(host);

        if (!name || !guard_hosts_add(&h->hosts, name)) {
            free(name);
            return fault_set(f, WHY_INTERNAL, "too many addresses");
        }
        h->own_name[h->own_names++] = name;
    }
    (void)snprintf(url, sizeof url, "http://%s:%d", host,
                   ntohs(a.any.sa_family == AF_INET ? a.four.sin_port : a.six.sin6_port));
    if (h->url[0])
        log_line(LOG_LEVEL_INFO, "listening_too", "url=%s", url);
    else
        strcpy(h->url, url);
    return WHY_OK;
}

static bool
is_listening(int fd)
{
    int listens = 0;
    socklen_t len = sizeof listens;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

static enum why
keep(struct http *h, int fd, struct fault *f)
{
    if (h->listens == LISTEN_MAX) {
        (void)close(fd);
        return fault_set(f, WHY_INVALID, "listen: more than %d addresses", LISTEN_MAX);
    }
    h->listen_fd[h->listens++] = fd;
    (void)fcntl(fd, F_SETFL,
                fcntl(fd, F_GETFL) |
                    O_NONBLOCK); /* an inherited one may block, and stop us with it */
    return learn_names(h, fd, f);
}

static enum why
bind_one(struct http *h, const struct addrinfo *ai, const char *text, struct fault *f)
{
    const int on = 1, off = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fault_set(f, WHY_INTERNAL, "listen: %s: %s", text, strerrordesc_np(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ai->ai_family == AF_INET6) {
        const union address *a = (const void *)ai->ai_addr;

        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_wildcard(a) ? &off : &on, sizeof on);
    }
    if (bind(fd, ai->ai_addr, ai->ai_addrlen)) {
        fault_set(f, WHY_INTERNAL, "listen: %s: %s", text, strerrordesc_np(errno));
        (void)close(fd);
        return f->why;
    }
    return keep(h, fd, f);
}

/* The port in @text, which is "HOST:PORT" or "[HOST]:PORT"; NULL with @f set. */
static const char *
split(const char *text, char ret_host[HOST_TEXT], struct fault *f)
{
    const char *colon = strrchr(text, ':');

    size_t len = colon ? (size_t)(colon - text) : 0;
    bool six = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (six)
        len -= 2;
    if (len == 0 || len >= HOST_TEXT || !colon[1] || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > 65535 ||
        (!six && memchr(text, ':', len))) {
        fault_set(f, WHY_INVALID, "listen: %.100s is not HOST:PORT or [HOST]:PORT", text);
        return NULL;
    }
    memcpy(ret_host, text + six, len);
    ret_host[len] = '\0';
    return colon + 1;
}

/* A name may stand for several addresses. */
static enum why
bind_text(struct http *h, const char *text, struct fault *f)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char host[HOST_TEXT];
    const char *port = split(text, host, f);

    if (!port)
        return f->why;
    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed)
        return fault_set(f,
                         failed == EAI_AGAIN || failed == EAI_MEMORY ? WHY_INTERNAL : WHY_INVALID,
                         "listen: %.100s: %s", text, gai_strerror(failed));
    for (const struct addrinfo *ai = list; ai && !f->why; ai = ai->ai_next)
        (void)bind_one(h, ai, text, f);
    freeaddrinfo(list);
    return f->why;
}

enum why
listener_open(struct http *h, struct fault *f)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    const struct texts *allowed = &h->config->allow_host, *listen_on = &h->config->listen;
    int first, n = notify_sockets(&first);

    for (size_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++)
        (void)guard_hosts_add(&h->hosts, loopback[i]);
    for (int i = 0; i < allowed->len; i++) {
        if (!guard_hosts_add(&h->hosts, allowed->at[i]))
            return fault_set(f, WHY_INVALID, "allow-host: too many names");
    }
    if (n > 0 && config_from(&config_rows[CONFIG_ROW_listen]) != CONFIG_FROM_DEFAULT)
        log_line(LOG_LEVEL_WARNING, "listen_ignored",
                 "why=\"systemd gives the sockets: the address of the socket unit counts\"");
    for (int i = 0; i < n && !f->why; i++) {
        if (keep(h, first + i, f) == WHY_OK && !is_listening(first + i))
            fault_set(f, WHY_INVALID, "listen: systemd's socket %d is none that listens", i);
    }
    for (int i = 0; n <= 0 && i < listen_on->len && !f->why; i++)
        (void)bind_text(h, listen_on->at[i], f);
    if (!f->why && h->listens == 0)
        fault_set(f, WHY_INVALID, "listen: no address");
    return f->why;
}

/* ---- accepting ---- */

/* Whatever it has sent is read first, or the kernel would take the answer back with a reset. */
static void
turn_away(int fd)
{
    char thrown_away[4096];

    metric_add(M_HTTP_CONNECTIONS_REFUSED, 1);
    (void)!recv(fd, thrown_away, sizeof thrown_away, MSG_DONTWAIT);
    (void)!send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

bool
listener_hand_on(struct http *h, int fd, const struct sockaddr *from, socklen_t len)
{
    atomic_fetch_add(&h->connections, 1);
    if (MHD_add_connection(h->daemon, fd, from, len) == MHD_YES)
        return true;
    atomic_fetch_sub(&h->connections, 1); /* MHD has closed it, and says nothing */
    return false;
}

/* False: the system has no descriptor or memory for another one just now. */
static bool
accept_some(struct http *h, int listen_fd)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        union address a;
        socklen_t len = sizeof a;
        int fd = accept4(listen_fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        if (atomic_load(&h->connections) >= h->config->max_connections ||
            !slots_prepare(h->slots, fd))
            turn_away(fd);
        else
            (void)listener_hand_on(h, fd, &a.any, len);
    }
    return true;
}

static void *
accept_all(void *arg)
{
    struct http *h = arg;
    struct pollfd fds[LISTEN_MAX + 1] = {{.fd = h->accept_stop_fd, .events = POLLIN}};
    bool complained = false;

    for (int i = 0; i < h->listens; i++)
        fds[i + 1] = (struct pollfd){.fd = h->listen_fd[i], .events = POLLIN};
    for (;;) {
        bool short_of = false;

        if (poll(fds, (nfds_t)h->listens + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[0].revents)
            return NULL;
        for (int i = 0; i < h->listens; i++) {
            if (fds[i + 1].revents && !accept_some(h, fds[i + 1].fd))
                short_of = true;
        }
        if (short_of) { /* the client waits in the kernel's backlog; we must not spin until something is closed */
            if (!complained)
                log_line(LOG_LEVEL_ERROR, "accept_failed", "why=\"no descriptor or memory left\"");
            complained = true;
            (void)poll(fds, 1, BREATH_MS);
        }
    }
}

enum why
listener_start(struct http *h, struct fault *f)
{
    static const struct bob_thread_options options = {.role = "acceptor"};

    for (int i = 0; i < h->listens; i++) {
        if (!is_listening(h->listen_fd[i]) && listen(h->listen_fd[i], BACKLOG))
            return fault_set(f, WHY_INTERNAL, "listen: %s: %s", h->url, strerrordesc_np(errno));
    }
    h->accept_stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->accept_stop_fd < 0 ||
        bob_thread_start(&h->acceptor, "acceptor", accept_all, h, &options))
        return fault_set(f, WHY_INTERNAL, "no thread for the acceptor");
    return WHY_OK;
}

/* Who is in the kernel's backlog believes to be connected, and would be reset. */
static void
accept_rest(struct http *h)
{
    for (int i = 0; i < h->listens; i++) {
        struct pollfd fd = {.fd = h->listen_fd[i], .events = POLLIN};

        for (int rest = BACKLOG; rest > 0 && poll(&fd, 1, 0) > 0; rest -= ACCEPTS_AT_ONCE) {
            if (!accept_some(h, fd.fd))
                break;
        }
    }
}

void
listener_stop(struct http *h)
{
    if (h->acceptor) {
        (void)!eventfd_write(h->accept_stop_fd, 1);
        bob_thread_free(h->acceptor);
        h->acceptor = NULL;
        accept_rest(h);
    }
    for (; h->listens > 0; h->listens--)
        (void)close(h->listen_fd[h->listens - 1]);
    if (h->accept_stop_fd >= 0)
        (void)close(h->accept_stop_fd);
    h->accept_stop_fd = -1;
}
