/* response.c - a reply as one of MHD's own objects, and its queueing; see exchange.h for why they are remembered.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <poll.h>
#include <string.h>

#include "base/metrics.h"
#include "http/exchange.h"
#include "http/slot.h"

enum { FLAG_CLOSE = 1, FLAG_KEEP = 2 };

static unsigned
flags_of(const struct request *req, const struct reply *r)
{
    bool close =
        req->must_close || atomic_load_explicit(&req->http->draining, memory_order_relaxed);

    return (close ? FLAG_CLOSE : 0) | (r->keep ? FLAG_KEEP : 0);
}

bool
response_header(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

bool
response_always(struct MHD_Response *response, bool cached)
{
    static const char *const always[][2] = {
#define X(name, value) {name, value},
        HEADERS_ALWAYS(X)
#undef X
    };
    bool ok = true;

    for (size_t i = cached ? 1 : 0; i < sizeof always / sizeof always[0]; i++)
        ok = ok && response_header(response, always[i][0], always[i][1]);
    return ok;
}

static bool
add_all(struct MHD_Response *response, const struct reply *r, unsigned flags)
{
    const char *at = r->headers.at;
    const char *end = at ? at + r->headers.len : NULL;
    bool ok = response_always(response, flags & FLAG_KEEP);

    if (r->type)
        ok = ok && response_header(response, "Content-Type", r->type);
    while (ok && at < end) {
        const char *value = at + strlen(at) + 1;

        ok = response_header(response, at, value);
        at = value + strlen(value) + 1;
    }
    if (flags & FLAG_CLOSE)
        ok = ok && response_header(response, "Connection", "close");
    return ok;
}

static struct MHD_Response *
make(const struct reply *r, unsigned flags)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        r->body.len, r->body.len > 0 ? r->body.at : (void *)(uintptr_t) "", MHD_RESPMEM_MUST_COPY);

    if (response && !add_all(response, r, flags)) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

static bool
same(const struct memo *m, const struct reply *r, unsigned flags)
{
    return m->response && m->status == r->status && m->type == r->type && m->flags == flags &&
           m->headers_len == r->headers.len && m->body_len == r->body.len &&
           (r->body.len == 0 || memcmp(m->bytes + m->headers_len, r->body.at, r->body.len) == 0) &&
           (r->headers.len == 0 || memcmp(m->bytes, r->headers.at, r->headers.len) == 0);
}

static void
remember(struct memo *m, const struct reply *r, unsigned flags, struct MHD_Response *response)
{
    if (m->response)
        MHD_destroy_response(m->response);
    m->response = response;
    m->status = r->status;
    m->type = r->type;
    m->flags = flags;
    m->headers_len = r->headers.len;
    m->body_len = r->body.len;
    if (r->headers.len > 0)
        memcpy(m->bytes, r->headers.at, r->headers.len);
    if (r->body.len > 0)
        memcpy(m->bytes + r->headers.len, r->body.at, r->body.len);
}

/* *ret_owned: the caller destroys it once queued.  NULL: no memory. */
static struct MHD_Response *
response_make(struct hand *hand, const struct request *req, bool *ret_owned)
{
    const struct reply *r = &hand->reply;
    unsigned flags = flags_of(req, r);

    *ret_owned = false;
    if (r->body.failed || r->headers.failed || r->extra.failed)
        return NULL;
    if (r->headers.len + r->body.len > MEMO_BYTES) {
        *ret_owned = true;
        return make(r, flags);
    }
    uintptr_t spread =
        (uintptr_t)req->route / sizeof(struct route) + r->body.len + (unsigned)r->status;
    struct memo *m = &hand->memo[spread % MEMO_ROWS];
    if (same(m, r, flags))
        return m->response;
    struct MHD_Response *response = make(r, flags);
    if (response)
        remember(m, r, flags, response);
    return response;
}

void
responses_free(struct hand *hand)
{
    for (int i = 0; i < MEMO_ROWS; i++) {
        if (hand->memo[i].response)
            MHD_destroy_response(hand->memo[i].response);
        hand->memo[i].response = NULL;
    }
}

/* ---- queueing it ---- */

/* Whether the client of a request that was parked has left: MHD has not looked since.  One who stood in a line has, if its side is closed; any
 * other may have closed it only to say that no more comes, and listens. */
static bool
client_left(const struct request *req)
{
    struct pollfd p = {.fd = req->slot->fd, .events = req->stood_in_line ? POLLRDHUP : 0};

    return poll(&p, 1, 0) > 0;
}

static enum MHD_Result
give_up(struct request *req)
{
    request_give_back(req);
    return MHD_NO; /* MHD closes the connection without a word */
}

void
response_count(int status)
{
    metric_add(M_HTTP_REQUESTS, 1);
    if (status >= 500)
        metric_add(M_HTTP_SERVER_ERRORS, 1);
    else if (status >= 400)
        metric_add(M_HTTP_CLIENT_ERRORS, 1);
}

/* The reply as MHD's object.  *ret_owned: to be destroyed once queued. */
static struct MHD_Response *
response_of(struct hand *hand, struct request *req, bool *ret_owned)
{
    struct reply *r = &hand->reply;
    struct MHD_Response *response = NULL;

    *ret_owned = false;
    if (r->made)
        return r->made;
    if (r->stream &&
        req->head) { /* 0.9.75 would send the end of a chunked body that HEAD must not have */
        stream_drop(r->stream);
        r->stream = NULL;
    }
    if (!r->stream) {
        response = response_make(hand, req, ret_owned);
    } else {
        response = stream_response(r->stream, req);
        *ret_owned = true;
        if (response && !add_all(response, r, flags_of(req, r))) {
            MHD_destroy_response(response); /* and the stream with it */
            r->stream = NULL;
            response = NULL;
        } else if (!response) {
            stream_drop(r->stream);
            r->stream = NULL;
        }
    }
    if (!response) {
        r->status = 503;
        *ret_owned = false;
        response = req->http->no_memory;
    }
    return response;
}

static enum MHD_Result
queue(struct hand *hand, struct request *req)
{
    struct http *h = req->http;
    struct reply *r = &hand->reply;
    bool owned;
    struct MHD_Response *response = response_of(hand, req, &owned);
    size_t len = r->stream ? 0 : r->made ? r->made_len : r->body.len;

    if (r->stream)
        stream_queued(r->stream, req);
    slot_deadline(req->slot, r->stream ? 0 : http_beat(h) + h->reply_beats + (uint32_t)(len >> 16));
    atomic_store_explicit(&req->reply_len, len, memory_order_relaxed);
    enum MHD_Result ok = MHD_queue_response(req->connection, (unsigned)r->status, response);
    if (owned)
        MHD_destroy_response(response);
    if (ok != MHD_YES)
        return give_up(req);
    req->undo = NULL; /* told */
    atomic_store_explicit(&req->stage, STAGE_SENDING, memory_order_relaxed);
    req->status = r->status;
    response_count(r->status);
    return MHD_YES;
}

enum MHD_Result
response_send(struct hand *hand, struct request *req, enum why why)
{
    struct reply *r = &hand->reply;
    enum MHD_Result ok;

    if (why == WHY_GONE || (req->undo && req->was_parked && client_left(req))) {
        if (r->stream)
            stream_drop(r->stream);
        ok = give_up(req);
    } else {
        if (why) {
            if (r->stream)
                stream_drop(r->stream);
            r->stream = NULL;
            r->made = NULL;
            fault_set(&req->fault, why, "%s", ""); /* if the handler has not said more */
            reply_problem(r, &req->fault);
        }
        assert(r->status);
        if (r->body.len > 0 && r->body.at[r->body.len - 1] == '}')
            bytes_add(&r->body, "\n",
                      1); /* JSON too ends its line: a terminal is the first client */
        ok = queue(hand, req);
    }
    if (r->let_go)
        r->let_go(r->arg);
    return ok;
}
