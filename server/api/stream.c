/* stream.c - GET /v1/stream: the side of an event stream that MHD's threads see; hub.c fills what they read.
 *
 * SPDX-License-Identifier: MIT */
#include "api/stream.h"

#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/hub.h"
#include "api/sse.h"
#include "http/stream.h"

enum { RETRY_MS = 1000, QUIET_MS = 8000 }; /* a reader that slept is called every HEARTBEAT_S */

struct stream_args {
    const char *mode, *topics;
};

/* clang-format off */
const struct param params_stream[] = {
/*   name      type        into                                   needed least most fallback choices doc */
    {"mode",   PARAM_TEXT, PARAM_AT(struct stream_args, mode),    false, 0,    20,  NULL,    NULL, "latest: at most 4 frames a second, with the newest state of each changed object"},
    {"topics", PARAM_TEXT, PARAM_AT(struct stream_args, topics),  false, 1,    100, NULL,    NULL, "of lock, semaphore, counter, executor, task, with commas between; without it all"},
    {0},
};
/* clang-format on */

static ssize_t
read_some(struct stream *s, void *arg, char *buf, size_t cap)
{
    struct reader *r = arg;
    bool failed;
    size_t n;

    (void)s;
    hub_lock(r->hub);
    if (r->out.len == 0 && bob_now() - r->quiet_since >= QUIET_MS * NS_PER_MS)
        sse_comment(&r->out);
    failed = r->out.failed;
    n = r->out.len - r->sent;
    if (n > cap)
        n = cap;
    if (n > 0) {
        memcpy(buf, r->out.at + r->sent, n);
        r->sent += n;
        r->quiet_since = bob_now();
    }
    if (n > 0 && r->sent == r->out.len) {
        bytes_clear(&r->out);
        r->sent = 0;
        if (r->catching_up)
            bob_condition_notify(&r->hub->changed);
    }
    hub_unlock(r->hub);
    if (failed)
        return REPLY_END; /* out of memory: it connects again, and gets the whole state */
    return n > 0 ? (ssize_t)n : REPLY_SLEEP;
}

static void
ended(void *arg)
{
    struct reader *r = arg;
    struct hub *hub = r->hub;
    bool mine;

    hub_lock(hub);
    if (r->prev)
        r->prev->next = r->next;
    else if (hub->first == r)
        hub->first = r->next;
    if (r->next)
        r->next->prev = r->prev;
    hub->readers--;
    r->ended = true;
    mine = !r->pinned; /* else the hub frees it */
    hub_unlock(hub);
    if (mine)
        reader_free(r);
}

/* Reads "lock,task" into bits. */
static enum why
topics_read(const char *text, unsigned *ret_topics, struct fault *f)
{
    unsigned topics = 0;

    for (const char *at = text; at; at = *at ? at + 1 : NULL) {
        size_t len = strcspn(at, ","), t = 0;

        while (t < TOPIC_COUNT_ &&
               (strlen(topic_name[t]) != len || strncmp(topic_name[t], at, len) != 0))
            t++;
        if (t == TOPIC_COUNT_)
            return fault_set(
                f, WHY_INVALID,
                "topics: \"%.*s\" is none; there are: lock, semaphore, counter, executor, task",
                len > 40 ? 40 : (int)len, at);
        topics |= 1u << t;
        at += len;
    }
    *ret_topics = topics;
    return WHY_OK;
}

static struct reader *
reader_new(unsigned topics) BOB_UNSHARED
{
    struct reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->topics = topics;
    r->quiet_since = bob_now();
    r->catching_up = true;
    r->goal = UINT64_MAX; /* until it begins: then what is newest */
    r->failed = true;     /* so it begins */
    r->tick = -1;
    sse_retry(&r->out, RETRY_MS);
    return r;
}

static bool
enter(struct hub *hub, struct reader *r)
{
    bool room;

    r->hub = hub;
    hub_lock(hub);
    room = hub->readers < HUB_READERS_MAX;
    hub->readers += room;
    hub_unlock(hub);
    return room;
}

/* Into the list only with its stream, which the hub wakes. */
static void
link_in(struct reader *r, struct stream *s)
{
    struct hub *hub = r->hub;

    r->stream = stream_ref(s);
    hub_lock(hub);
    r->next = hub->first;
    if (hub->first)
        hub->first->prev = r;
    hub->first = r;
    bob_condition_notify(&hub->changed);
    hub_unlock(hub);
}

/* GET /v1/stream  mode, topics
 *   200 text/event-stream, see stream.h    400 a mode or topic that does not exist    429 too many streams */
enum why
api_stream(struct request *req, struct reply *reply)
{
    struct stream_args args = {0};
    struct reader *r;
    struct stream *s;
    unsigned topics = (1u << TOPIC_COUNT_) - 1;

    if (request_args(req, &args))
        return request_why(req);
    if (!args.mode || strcmp(args.mode, "latest") != 0)
        return fault_set(request_fault(req), WHY_INVALID,
                         "mode: \"latest\" is the only one so far: give mode=latest");
    if (args.topics && topics_read(args.topics, &topics, request_fault(req)))
        return request_why(req);
    if (!(r = reader_new(topics)))
        return fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for a stream");
    if (!enter(app_of(req)->hub, r)) {
        reader_free(r);
        reply_retry_after(reply, 10 * NS_PER_SECOND);
        return fault_set(request_fault(req), WHY_TOO_MANY, "there are %d event streams already",
                         HUB_READERS_MAX);
    }
    reply_header(reply, "Cache-Control", "no-store");
    reply_header(reply, "X-Accel-Buffering", "no");
    if (!(s = reply_stream(reply, 200, "text/event-stream", read_some, ended, r))) {
        ended(r);
        return fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for a stream");
    }
    link_in(r, s);
    return WHY_OK;
}
