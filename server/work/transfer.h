/* transfer.h - one GET over HTTP, from a URL to a writer; libcurl is behind it and nowhere else.
 *
 *     struct transfer t = {.from = url, .run = run, .refuse = address_refusal,
 *                          .max_bytes = most, .max_redirects = 20, .write = save, .arg = file};
 *     if (!transfer_get(&t))
 *         return false;                          // run->code says why
 *
 * Redirects are followed, to http and https only.  Every connection, also one made for a redirect,
 * is checked on the address it is really made to, so that no name can lead elsewhere.  Cookies that
 * come on the way are sent where they belong, and forgotten with the transfer: a gate may set one
 * and send back.  No proxies, no credentials.
 *
 * Threads: each thread has its own handle.  From one transfer to the next it keeps its connections,
 *          with their TLS sessions, and the names it has looked up, and nothing else.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_TRANSFER_H
#define BOBBIND_TRANSFER_H

#include "work/work.h"

#include <sys/socket.h>

enum { TRANSFER_URL_MAX = 2048, TRANSFER_LAST_URL_MAX = 8192 };

struct transfer {
    const char *from;
    struct run *run; /* whose stop and until end it, and whose failure it writes */
    const char *(*refuse)(const struct sockaddr *); /* NULL: any address will do; see address.h */
    int64_t max_bytes, max_redirects;
    /* Bytes as they come.  False: end it; it has said why with run_fail. */
    bool (*write)(struct transfer *t, const void *data, size_t len);
    void *arg;

    /* what came of it */
    int64_t bytes;
    int64_t total; /* what the server said it would send; -1: it did not */
    long status;
    char url[TRANSFER_LAST_URL_MAX + 1]; /* after redirects, which may make it longer */
    char content_type[128];              /* "" when there was none */
    /* private */
    const char *refused_; /* what is wrong with every address there was */
    bool tried_;          /* one of them would do */
};

#if defined(HAVE_CURL)

/* Gets t->from.  False: run->code is http_NNN, connect_failed, address_refused, too_large, too_many_redirects, cut_off, timeout,
 * stopped, bad_url, bad_reply, tls_failed, out_of_memory, transfer_failed, or the writer's own. */
bool transfer_get(struct transfer *t);

/* Whether an answer of @status, which is no success, may be another at another time: then
 * run->retry is set, and run->retry_after_ns to what its Retry-After says. */
bool transfer_may_pass(long status);
/* What the text of a Retry-After, seconds or a date, comes to at @wall_ms; 0: it is over, or cannot
 * be read. */
int64_t transfer_retry_after_ns(const char *text, int64_t wall_ms);

enum why transfer_start(struct fault *f); /* once, before any thread gets */
void transfer_thread_ends(void);          /* this thread gets no more */

#else

static inline enum why
transfer_start(struct fault *f)
{
    (void)f;
    return WHY_OK;
}

static inline void
transfer_thread_ends(void)
{
}

#endif

#endif
