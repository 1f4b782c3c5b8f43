/* refusal.c - what frame.c refuses: answered on the socket itself, past MHD.
 *
 * MHD would refuse some of it with a page of its own, some of it twice, one reply within the other,
 * and believe the rest.  It is shown nothing of it.  It reads from a connection only when all of
 * its own replies there are sent, so ours comes behind them.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/exchange.h"
#include "http/slot.h"

#define HEAD_FORMAT                                                                                \
    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"                                \
    "Connection: close\r\n" HEADERS_ALWAYS(HEADER_LINE) "\r\n"

static void
set_fault(struct fault *f, const struct slot *s)
{
    *f = (struct fault){0};
    if (s->frame.why == WHY_TOO_LARGE)
        fault_set(f, WHY_TOO_LARGE, "%s: %lld bytes are allowed (see --max-body)", s->frame.wrong,
                  (long long)s->frame.body_most);
    else
        fault_set(f, s->frame.why, "%s", s->frame.wrong);
}

void
refusal_write(struct hand *hand, struct slot *s)
{
    struct request *req = &s->req;
    struct reply *r = &hand->reply;
    struct fault f;
    char head[320];

    set_fault(&f, s);
    reply_clear(r);
    reply_problem(r, &f);
    bytes_add(&r->body, "\n", 1);
    int len = snprintf(head, sizeof head, HEAD_FORMAT, r->status,
                       MHD_get_reason_phrase_for((unsigned)r->status), r->type, r->body.len);
    struct iovec parts[] = {{head, (size_t)len}, {r->body.at, r->body.len}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = s->frame.is_head ? 1 : 2};

    if (!r->body.failed)
        (void)!sendmsg(s->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(s->fd, SHUT_WR);
    response_count(r->status);
    bool begun = atomic_load_explicit(&req->stage, memory_order_relaxed) != STAGE_IDLE;
    if (!begun)
        request_begin(req);
    req->fault = f;
    req->status = r->status;
    if (!begun) /* MHD knows of no request that ends, and would bring its line into the log */
        access_line(req);
}
