/* file_server.h - a small HTTP server on loopback, for tests that fetch: every path is a way to answer.
 *
 *     /file/N        N bytes, with Content-Length      /chunked/N     N bytes, without
 *     /status/NNN    that status                       /cut/N         promises N bytes, sends 10, and closes
 *     /after/NNN/TEXT  that status, with Retry-After: TEXT
 *     /slow          a header, ten bytes, then nothing until the client is gone
 *     /silent        not even a header                 /reset         closes at once
 *     /odd/N         what is no answer of HTTP/1, in the N-th way
 *     /redirect/N/P  N redirects, then to /P           /to?URL        a redirect to URL
 *     /longer/N      a redirect to /file/5 with a query of N bytes
 *     /gate/P        /P with its cookie; without, a redirect to itself that sets it
 *     /set?URL       a redirect to URL that sets it         /bare/P  /P without a cookie, else 400
 *
 * Answers close the connection, but for /file, which keeps it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FILE_SERVER_H
#define TESTS_FILE_SERVER_H

#include <arpa/inet.h>
#include <bobbin/bobbin.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PARTS_MAX = 256 };

struct file_server {
    int listening;
    int port;
    _Atomic bool stopping;
    _Atomic int connections, requests;
    struct bob_event slow_began; /* somebody is being answered slowly */
    struct bob_thread *acceptor;
    struct bob_thread *part[PARTS_MAX];
    int parts;
};

struct file_part {
    struct file_server *server;
    int fd;
};

static inline unsigned char
file_byte(int64_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static inline void
send_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        at += n;
        len -= (size_t)n;
    }
}

static inline void
send_text(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

static inline void
send_bytes(int fd, int64_t n)
{
    unsigned char buf[4096];

    for (int64_t at = 0; at < n;) {
        size_t len = 0;

        while (len < sizeof buf && at < n)
            buf[len++] = file_byte(at++);
        send_all(fd, buf, len);
    }
}

/* Until the client has closed, or the server stops. */
static inline void
wait_for_end(struct file_server *s, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    bob_event_set(&s->slow_began);
    while (!s->stopping && poll(&p, 1, 20) == 0) {
    }
}

#define COOKIE "seen=yes"

/* False: the connection is to be closed. */
static inline bool
answer(struct file_server *s, int fd, const char *request, const char *path)
{
    bool has_cookie = strstr(request, "\r\nCookie: " COOKIE "\r\n");
    char head[1200], rest[256] = "";
    long n = 0;

    if (strncmp(path, "/set?", 5) == 0 || (strncmp(path, "/gate/", 6) == 0 && !has_cookie)) {
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 302 Found\r\nLocation: %s\r\nSet-Cookie: " COOKIE "; Path=/\r\n"
                       "Content-Length: 0\r\nConnection: close\r\n\r\n",
                       path[1] == 's' ? path + 5 : path);
        send_text(fd, head);
        return false;
    }
    if (strncmp(path, "/bare/", 6) == 0 || strncmp(path, "/gate/", 6) == 0)
        path = path[1] == 'b' && strstr(request, "\r\nCookie:") ? "/status/400" : path + 5;
    if (sscanf(path, "/file/%ld", &n) == 1) {
        (void)snprintf(
            head, sizeof head,
            "HTTP/1.1 200 OK\r\nContent-Type: text/x-test\r\nContent-Length: %ld\r\n\r\n", n);
        send_text(fd, head);
        send_bytes(fd, n);
        return true;
    }
    if (sscanf(path, "/chunked/%ld", &n) == 1) {
        send_text(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        send_bytes(fd, n);
    } else if (sscanf(path, "/status/%ld", &n) == 1) {
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 %ld Odd\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops", n);
        send_text(fd, head);
    } else if (sscanf(path, "/after/%ld/%255s", &n, rest) == 2) {
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 %ld Odd\r\nRetry-After: %s\r\nContent-Length: 0\r\nConnection: "
                       "close\r\n\r\n",
                       n, rest);
        send_text(fd, head);
    } else if (sscanf(path, "/odd/%ld", &n) == 1) {
        static const char *const odd[] = {"SSH-2.0-OpenSSH_9\r\n", "HTTP/1.1 abc\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"};

        send_text(fd, odd[n]);
    } else if (sscanf(path, "/cut/%ld", &n) == 1) {
        (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", n);
        send_text(fd, head);
        send_bytes(fd, 10);
    } else if (strcmp(path, "/slow") == 0) {
        send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        send_bytes(fd, 10);
        wait_for_end(s, fd);
    } else if (strcmp(path, "/silent") == 0) {
        wait_for_end(s, fd);
    } else if (sscanf(path, "/redirect/%ld/%255s", &n, rest) == 2) {
        if (n > 1)
            (void)snprintf(head, sizeof head,
                           "HTTP/1.1 302 Found\r\nLocation: /redirect/%ld/%s\r\n", n - 1, rest);
        else
            (void)snprintf(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: /%s\r\n", rest);
        send_text(fd, head);
        send_text(fd, "Content-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (sscanf(path, "/longer/%ld", &n) == 1) {
        send_text(fd, "HTTP/1.1 302 Found\r\nLocation: /file/5?");
        for (long i = 0; i < n; i++)
            send_text(fd, "q");
        send_text(fd, "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (strncmp(path, "/to?", 4) == 0) {
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 307 Elsewhere\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: "
                       "close\r\n\r\n",
                       path + 4);
        send_text(fd, head);
    }
    return false;
}

static inline void *
serve(void *arg)
{
    struct file_part *part = arg;
    struct file_server *s = part->server;
    bool open = true;

    while (open) {
        char request[16384], path[1024];
        size_t len = 0;
        ssize_t n = 1;

        request[0] = '\0';
        while (!strstr(request, "\r\n\r\n") && len < sizeof request - 1 && n > 0) {
            struct pollfd p = {.fd = part->fd, .events = POLLIN};

            while (!s->stopping && poll(&p, 1, 20) == 0) {
            }
            n = s->stopping ? 0 : recv(part->fd, request + len, sizeof request - 1 - len, 0);
            if (n > 0)
                len += (size_t)n;
            request[len] = '\0';
        }
        open = sscanf(request, "GET %1023s", path) == 1;
        if (open) {
            s->requests++;
            open = answer(s, part->fd, request, path);
        }
    }
    (void)close(part->fd);
    free(part);
    return NULL;
}

static inline void *
accept_all(void *arg)
{
    struct file_server *s = arg;

    while (!s->stopping) {
        struct pollfd p = {.fd = s->listening, .events = POLLIN};

        if (poll(&p, 1, 20) <= 0 || s->parts == PARTS_MAX)
            continue;
        struct file_part *part = malloc(sizeof *part);
        *part = (struct file_part){s, accept(s->listening, NULL, NULL)};
        s->connections++;
        if (bob_thread_start(&s->part[s->parts], "file-server", serve, part, NULL) == BOB_OK)
            s->parts++;
    }
    return NULL;
}

static inline void
file_server_open(struct file_server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    memset(s, 0, sizeof *s);
    bob_event_init(&s->slow_began);
    s->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listening, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(s->listening, 64), 0);
    assert_int_equal(getsockname(s->listening, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(bob_thread_start(&s->acceptor, "file-server", accept_all, s, NULL), BOB_OK);
}

static inline void
file_server_close(struct file_server *s)
{
    s->stopping = true;
    bob_thread_free(s->acceptor);
    for (int i = 0; i < s->parts; i++)
        bob_thread_free(s->part[i]);
    (void)close(s->listening);
    bob_event_fini(&s->slow_began);
}

#endif
