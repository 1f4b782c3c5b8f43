/* refusal.c - refusals that MHD cannot or must not send: written to the socket past it.
 *
 * MHD refuses some heads before any of its callbacks but the log, and 0.9.75 then may send its page twice, one within the other.  It
 * does not tell its log which connection it means.  But only those whose head is under way on this thread can be meant, so all of
 * them that deserve it get our answer, just before; what MHD says after that is heard by nobody.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/exchange.h"
#include "http/slot.h"

void
refusal_write(struct hand *hand, struct request *req)
{
    struct reply *r = &hand->reply;
    char head[256];

    reply_clear(r);
    reply_problem(r, &req->fault);
    bytes_add(&r->body, "\n", 1);
    int len = snprintf(
        head, sizeof head,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
        r->status, MHD_get_reason_phrase_for((unsigned)r->status), r->type, r->body.len);
    struct iovec parts[] = {{head, (size_t)len}, {r->body.at, r->body.len}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = req->head ? 1 : 2};

    if (!r->body.failed)
        (void)!sendmsg(req->slot->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(req->slot->fd, SHUT_WR);
    req->status = r->status;
    response_count(r->status);
}

struct size {
    int fields;
    size_t bytes;
};

static enum MHD_Result
measure(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
        size_t value_len)
{
    struct size *size = cls;

    (void)kind;
    (void)name;
    (void)value;
    size->fields++;
    size->bytes += name_len + value_len;
    return MHD_YES;
}

/* What MHD may refuse in what is there of the head: too much of it, or a Content-Length - the first one, and with white space
 * behind it.  MHD has found a query only if it stands behind a NUL: else it was cut off (exchange.c). */
static enum why
refusable(struct request *req)
{
    static const char name[] = "Content-Length";
    struct size size = {0};
    const char *value;
    size_t len;

    if (req->fault.why) /* the URI is too long */
        return req->fault.why;
    /* exchange.c's line_is_whole needs method and version, which MHD gives to the first call only, and sees every NUL. */
    if (MHD_get_connection_values_n(req->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0)
        return fault_set(&req->fault, WHY_BAD_REQUEST, "the request line has a NUL");
    (void)MHD_get_connection_values_n(req->connection, MHD_HEADER_KIND, measure, &size);
    if (size.fields > HEADERS_MAX || size.bytes > HEAD_MAX)
        return fault_set(&req->fault, WHY_HEADERS_TOO_LARGE,
                         "the header has more than %d bytes or %d fields", HEAD_MAX, HEADERS_MAX);
    if (MHD_lookup_connection_value_n(req->connection, MHD_HEADER_KIND, name, sizeof name - 1,
                                      &value, &len) != MHD_YES)
        return WHY_OK;
    if (len == 0 || strspn(value, "0123456789") < len)
        return fault_set(&req->fault, WHY_BAD_REQUEST, "%s is no number", name);
    errno = 0;
    if (strtoull(value, NULL, 10) == ULLONG_MAX && errno)
        return fault_set(&req->fault, WHY_TOO_LARGE, "the body has %.40s bytes, %lld are allowed",
                         value, (long long)req->http->config->max_body);
    return WHY_OK;
}

void
refusals_look(struct hand *hand)
{
    for (struct request *req = LIST_FIRST(&hand->heads); req; req = LIST_NEXT(req, beside)) {
        if (!req->status && refusable(req))
            refusal_write(hand, req);
    }
}
