/* exchange.c - MHD's callbacks: from a first line to a whole request, through its handler, to a queued reply.
 *
 * MHD calls exchange_access once when the head is there, then for pieces of the body, then once more (the final call), and that
 * again after each resume.  A reply queued in the first call closes the connection: only a client that waits to hear whether its body is
 * wanted is answered there.  Every other fault waits in the request for the final call.  What leaves the end of a message in doubt never
 * comes so far (frame.c).
 *
 * SPDX-License-Identifier: MIT */
#include "http/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/metrics.h"
#include "http/park.h"
#include "http/slot.h"

static _Thread_local struct hand *mine;

struct hand *
exchange_hand(void)
{
    return mine;
}

static struct hand *
hand_enter(struct http *h)
{
    if (!mine) {
        unsigned n = atomic_fetch_add(&h->hands_taken, 1);
        char name[24];

        assert(n < h->hands_len);
        mine = &h->hands[n];
        mine->http = h;
        (void)snprintf(name, sizeof name, "http-%u", n);
        bob_thread_adopt(name, "http");
    }
    atomic_store_explicit(&mine->busy_since, http_beat(h), memory_order_relaxed);
    return mine;
}

static void
hand_leave(struct hand *hand)
{
    atomic_store_explicit(&hand->busy_since, 0, memory_order_relaxed);
}

static void
set_stage(struct request *req, enum stage stage)
{
    atomic_store_explicit(&req->stage, stage, memory_order_relaxed);
}

static int
stage_of(struct request *req)
{
    return atomic_load_explicit(&req->stage, memory_order_relaxed);
}

/* ---- a connection begins and ends; a request ends ---- */

/* The request is over, whether it was answered or not; called by whichever of COMPLETED and CLOSED comes first. */
static void
finish(struct request *req)
{
    if (stage_of(req) == STAGE_IDLE)
        return;
    if (req->hand) {
        park_resume_woken(req->http, req->hand);
        req->hand = NULL;
    }
    if (atomic_load(&req->park) != PARK_ABANDONED) { /* else it is its waker's now */
        if (req->watched)
            slot_unwatch(req->slot);
        request_give_back(req);
        if (req->status)
            access_line(req);
        if (req->stream)
            slot_set_stream(req->slot, NULL);
        request_end(req);
    }
    set_stage(req, STAGE_IDLE);
    socket_finished(req->slot);
}

void
exchange_connection(void *cls, struct MHD_Connection *c, void **ctx,
                    enum MHD_ConnectionNotificationCode code)
{
    struct http *h = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        hand_leave(hand_enter(h)); /* names the thread */
        struct slot *s = slots_at(
            h->slots, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);

        metric_add(M_HTTP_CONNECTIONS, 1);
        /* Its lock: after everything the last connection here has done. */
        slot_open(s, h->config->max_body);
        s->req.http = h;
        s->req.connection = c;
        slot_deadline(s, http_beat(h) + h->header_beats);
        *ctx = s;
    } else if (*ctx) {
        struct slot *s = *ctx;

        s->req.path = ""; /* MHD has freed what it pointed to */
        finish(&s->req);
        slot_close(s);
        metric_add(M_HTTP_CONNECTIONS, -1);
        atomic_fetch_sub(&h->connections, 1);
    }
}

void
exchange_completed(void *cls, struct MHD_Connection *c, void **ctx,
                   enum MHD_RequestTerminationCode code)
{
    struct http *h = cls;
    struct request *req = *ctx;

    (void)c;
    (void)code;
    if (!req)
        return;
    finish(req);
    slot_deadline(req->slot, http_beat(h) + h->idle_beats);
}

/* ---- the final call ---- */

static enum why
answer(struct hand *hand, struct request *req)
{
    answer_fn *fn = req->answer;

    assert(fn);
    if (req->watched) { /* it may be told before news of its client is; and it may stand in another line next */
        slot_unwatch(req->slot);
        req->watched = false;
    }
    reply_clear(&hand->reply);
    atomic_store_explicit(&req->woken_at, 0, memory_order_relaxed);
    atomic_store(&req->park, PARK_RUNNING); /* it may ask for more and be parked again */
    return fn(req, &hand->reply);
}

/* After the handler or an answer said @why. */
static enum MHD_Result
conclude(struct hand *hand, struct request *req, enum why why)
{
    while (why == WHY_PENDING) {
        switch (park_suspend(hand, req)) {
        case PARKED:
            return MHD_YES;
        case NOT_PARKED_WOKEN:
            why = answer(hand, req);
            break;
        case NOT_PARKED_STOPPING:
        default:
            return MHD_NO;
        }
    }
    return response_send(hand, req, why);
}

static enum MHD_Result
resumed(struct hand *hand, struct request *req)
{
    bool lost;
    bool woken = park_is_woken(req, &lost);

    assert(woken);
    park_resume_woken(req->http, hand);
    if (lost)
        return MHD_NO;
    if (atomic_load(&req->gone)) {
        request_give_back(req);
        return MHD_NO;
    }
    return conclude(hand, req, answer(hand, req));
}

enum { METHODS_LEN = 64 };

static void
list_methods(char ret_list[METHODS_LEN], unsigned allowed)
{
    size_t len = 0;

    *ret_list = '\0';
    for (int i = 0; i < METHOD_COUNT_; i++) {
        if (allowed & 1u << i)
            len += (size_t)snprintf(ret_list + len, METHODS_LEN - len, "%s%s%s", len ? ", " : "",
                                    method_name[i], i == GET ? ", HEAD" : "");
    }
}

static void
allow(const char *path, struct reply *r)
{
    char list[METHODS_LEN];

    list_methods(list, route_find(GET, path).allowed);
    reply_header(r, "Allow", list);
}

static enum why
admit(struct request *req)
{
    struct http *h = req->http;

    if (atomic_load(&h->refusing) || (atomic_load_explicit(&h->draining, memory_order_relaxed) &&
                                      req->route && !route_while_draining(req->route)))
        return fault_set(&req->fault, WHY_DRAINING, "the server is stopping");
    return req->fault.why;
}

static enum MHD_Result
final_call(struct hand *hand, struct request *req)
{
    slot_deadline(req->slot, 0);
    req->began = clock_now();
    set_stage(req, STAGE_ANSWERING);
    reply_clear(&hand->reply);

    enum why why = admit(req);
    if (why == WHY_METHOD)
        allow(req->path, &hand->reply);
    if (!why && !req->route->params)
        why = params_none(req);
    if (!why)
        why = req->route->handler(req, &hand->reply);
    return conclude(hand, req, why);
}

/* ---- the first call, and the body ---- */

/* MHD cuts the first Cookie into records in the memory of the connection, and answers twice, one reply within the other, when that
 * is used up.  A browser sends us what other servers on localhost have set.  So the first one is ours, and empty. */
static const char no_cookies[] = "Cookie";

static enum MHD_Result
see_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
           size_t value_len)
{
    (void)kind;
    if (name != no_cookies)
        guard_see(cls, name, name_len, value, value_len);
    return MHD_YES;
}

/* The path of "http://authority/path", which every server must take (RFC 9112, 3.2.2): the authority is the host then.  NULL: it is neither
 * that nor a path. */
static const char *
path_of(struct request *req, const char *uri)
{
    static const char scheme[] = "http://";
    struct guard *g = &req->guard;

    if (*uri == '/')
        return uri;
    if (strncasecmp(uri, scheme, sizeof scheme - 1) != 0)
        return NULL;
    uri += sizeof scheme - 1;
    const struct guard_text authority = {uri, strcspn(uri, "/?")};
    if (g->hosts == 0)
        g->host = authority;
    g->hosts = 1;
    if (g->host.len != authority.len || strncasecmp(g->host.at, uri, authority.len) != 0)
        return NULL;
    return uri[authority.len] == '/' ? uri + authority.len : "/";
}

static bool
read_method(struct request *req, const char *method)
{
    for (int i = 0; i < METHOD_COUNT_; i++) {
        if (strcmp(method, method_name[i]) == 0) {
            req->method = (enum method)i;
            return true;
        }
    }
    req->head = strcmp(method, "HEAD") == 0;
    return req->head; /* method is GET already */
}

static void
refuse_method(struct fault *f, const char *method, unsigned allowed)
{
    char list[METHODS_LEN];

    list_methods(list, allowed);
    fault_set(f, WHY_METHOD, "%.20s is not a method of this path, which has %s", method, list);
}

/* Finds the row, or leaves the fault for the final call. */
static void
direct(struct request *req, const char *method, bool known)
{
    struct fault *f = &req->fault;
    bool changes = !known || req->method != GET;

    if (guard_site(&req->guard, &req->http->hosts, changes, f))
        return;
    if (strcmp(method, "TRACE") == 0 || strcmp(method, "CONNECT") == 0) {
        fault_set(f, WHY_NOT_IMPLEMENTED, "%s is not implemented", method);
        return;
    }
    struct route_match m = route_find(req->method, req->path);
    if (!m.allowed)
        fault_set(f, WHY_NOT_FOUND, "%.150s: no such path; /openapi.json has them all", req->path);
    else if (!known || !m.route)
        refuse_method(f, method, m.allowed);
    else if (!request_take_names(req, &m))
        req->route = m.route;
}

/* Whether the answer is given before the body is asked for: its client waits to hear that it is wanted (RFC 9110, 10.1.1). */
static bool
is_unwanted(struct request *req)
{
    return req->guard.expects && (admit(req) || (guard_has_body(&req->guard) && params_type(req)));
}

static enum MHD_Result
first_call(struct hand *hand, struct request *req, const char *uri, const char *method)
{
    bool known = read_method(req, method);
    int64_t length;

    set_stage(req, STAGE_BODY);
    (void)MHD_get_connection_values_n(req->connection, MHD_HEADER_KIND, see_header, &req->guard);
    req->path = path_of(req, uri);
    if (!req->path) {
        req->path = uri;
        fault_set(&req->fault, WHY_BAD_REQUEST,
                  "the path does not begin with a slash, or its host is not Host");
    } else {
        direct(req, method, known);
    }
    if (is_unwanted(req)) {
        reply_clear(&hand->reply);
        req->must_close = true;
        return response_send(hand, req, req->fault.why);
    }
    if (!guard_has_body(&req->guard))
        return MHD_YES;
    slot_deadline(req->slot, http_beat(req->http) + req->http->body_beats);
    length = guard_length(&req->guard);
    if (!req->fault.why && length > 0 && !bytes_room(&req->body, (size_t)length + 1))
        fault_set(&req->fault, WHY_NO_MEMORY, "no memory for the body");
    return MHD_YES;
}

/* All of it is taken, also what is thrown away: the rest must not be read as a request. */
static void
body_piece(struct request *req, const char *data, size_t len)
{
    if (req->fault.why)
        return;
    bytes_add(&req->body, data, len); /* frame.c has counted it */
    if (req->body.failed)
        fault_set(&req->fault, WHY_NO_MEMORY, "no memory for the body");
}

/* The query is kept as a copy, for work may read it when the connection is gone.  It is cut off in MHD's buffer, which MHD itself is
 * about to cut in pieces there: it would make a record of each parameter in the memory of the connection, and when that is used
 * up, forget the connection without an answer. */
static void
take_query(struct request *req, const char *uri, size_t len)
{
    char *mark = (char *)(uintptr_t)memchr(uri, '?', len);

    if (!mark || !mark[1])
        return;
    req->query_len = len - (size_t)(mark + 1 - uri);
    req->query = request_keep(req, mark + 1, req->query_len);
    if (!req->query)
        fault_set(&req->fault, WHY_NO_MEMORY, "no memory for the query");
    mark[1] = '\0';
}

void *
exchange_uri(void *cls, const char *uri, struct MHD_Connection *c)
{
    struct http *h = cls;
    struct slot *s = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct request *req = &s->req;

    if (stage_of(req) != STAGE_IDLE) { /* MHD has forgotten to say so */
        req->path = "";
        finish(req);
    }
    request_begin(req);
    set_stage(req, STAGE_HEAD);
    slot_deadline(s, http_beat(h) + h->header_beats);
    take_query(req, uri, strlen(uri));
    (void)MHD_set_connection_value_n(c, MHD_HEADER_KIND, no_cookies, sizeof no_cookies - 1, "", 0);
    return req;
}

enum MHD_Result
exchange_access(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                const char *version, const char *data, size_t *data_len, void **ctx)
{
    struct request *req = *ctx;
    enum MHD_Result ok = MHD_YES;

    (void)c;
    (void)version;
    assert(req);
    struct hand *hand = hand_enter(cls);
    switch (stage_of(req)) {
    case STAGE_HEAD:
        ok = first_call(hand, req, url, method);
        break;
    case STAGE_BODY:
        if (*data_len > 0) {
            body_piece(req, data, *data_len);
            *data_len = 0;
        } else {
            ok = final_call(hand, req);
        }
        break;
    default:
        ok = resumed(hand, req);
        break;
    }
    hand_leave(hand);
    return ok;
}
