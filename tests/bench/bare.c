/* bare.c - libmicrohttpd and nothing else: the yardstick of the bench.
 *
 *     bare REPLIES          listens on a free port of 127.0.0.1 and prints it; ends at SIGTERM
 *
 * It accepts connections as bobbind does (an acceptor of its own, MHD_add_connection), has the same pool of two threads
 * and the same memory for a connection, reads the body, and answers inline with replies made before the first request:
 * no state, no store, no checks.  REPLIES holds what bobbind said to the same requests, byte for byte, so that both
 * programs send the same: bench.py writes it.  A reply is chosen by method and last segment of the path.
 *
 *     METHOD SEGMENT STATUS HEADER-LINES BODY-BYTES
 *     Name: value                     (HEADER-LINES times)
 *     the body, and a newline
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REPLIES_MAX = 32,
    POOL = 2,
    BACKLOG = 4096,
    MEMORY = 16 * 1024,
    BODY_MAX = 64 * 1024,
    CONNECTIONS = 16384
};

struct canned {
    char method[8];
    char segment[64];
    unsigned status;
    struct MHD_Response *response;
};
static struct canned canned[REPLIES_MAX];
static int n_canned;
static struct MHD_Daemon *mhd;
static int listener = -1;

static void
die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void
read_headers(FILE *file, struct MHD_Response *response, int lines)
{
    char line[1024];

    for (int i = 0; i < lines; i++) {
        if (!fgets(line, sizeof line, file))
            die("bare: a header is missing");
        line[strcspn(line, "\n")] = '\0';
        char *colon = strstr(line, ": ");
        if (!colon)
            die("bare: a header without a colon");
        *colon = '\0';
        if (MHD_add_response_header(response, line, colon + 2) != MHD_YES)
            die("bare: MHD_add_response_header");
    }
}

static void
read_replies(const char *path)
{
    static char body[BODY_MAX];
    FILE *file = fopen(path, "r");
    int lines, len;

    if (!file)
        die(path);
    while (n_canned < REPLIES_MAX) {
        struct canned *c = &canned[n_canned];

        if (fscanf(file, "%7s %63s %u %d %d\n", c->method, c->segment, &c->status, &lines, &len) !=
            5)
            break;
        long at = ftell(file);
        char skip[1024];
        for (int i = 0; i < lines; i++) {
            if (!fgets(skip, sizeof skip, file))
                die("bare: a header is missing");
        }
        if (len < 0 || len > BODY_MAX || fread(body, 1, (size_t)len, file) != (size_t)len)
            die("bare: a body is missing");
        long end = ftell(file);
        c->response = MHD_create_response_from_buffer((size_t)len, body, MHD_RESPMEM_MUST_COPY);
        if (!c->response || fseek(file, at, SEEK_SET))
            die("bare: a response");
        read_headers(file, c->response, lines);
        if (fseek(file, end, SEEK_SET))
            die("bare: fseek");
        n_canned++;
    }
    (void)fclose(file);
}

static enum MHD_Result
answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *data, size_t *size, void **state)
{
    static int seen;
    const char *segment = strrchr(url, '/') + 1;

    (void)cls;
    (void)version;
    (void)data;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*size) {
        *size = 0;
        return MHD_YES;
    }
    for (int i = 0; i < n_canned; i++) {
        if (strcmp(canned[i].segment, segment) == 0 && strcmp(canned[i].method, method) == 0)
            return MHD_queue_response(connection, canned[i].status, canned[i].response);
    }
    return MHD_NO;
}

static void *
accept_all(void *arg)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};

    (void)arg;
    while (poll(&ready, 1, -1) >= 0) {
        for (int i = 0; i < 64; i++) {
            struct sockaddr_in from;
            socklen_t len = sizeof from;
            int fd =
                accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

            if (fd < 0)
                break;
            (void)MHD_add_connection(mhd, fd, (struct sockaddr *)&from, len);
        }
    }
    return NULL;
}

static int
listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) ||
        listen(listener, BACKLOG) || getsockname(listener, (struct sockaddr *)&at, &len))
        die("bare: listen");
    return ntohs(at.sin_port);
}

int
main(int argc, char **argv)
{
    sigset_t all;
    int signal_number;
    pthread_t acceptor;
    struct rlimit files;

    if (argc != 2) {
        (void)fputs("usage: bare REPLIES\n", stderr);
        return EXIT_FAILURE;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    read_replies(argv[1]);
    mhd = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG,
        0, NULL, NULL, answer, NULL, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)POOL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 120U, MHD_OPTION_END);
    if (!mhd)
        die("bare: MHD_start_daemon");
    (void)printf("%d\n", listen_somewhere());
    (void)fflush(stdout);
    if (pthread_create(&acceptor, NULL, accept_all, NULL))
        die("bare: pthread_create");
    do {
        if (sigwait(&all, &signal_number))
            die("bare: sigwait");
    } while (signal_number != SIGTERM && signal_number != SIGINT);
    _exit(EXIT_SUCCESS);
}
