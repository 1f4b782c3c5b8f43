/* exchange.h - what the files of http share: the server, a thread's own things, a request and a reply from inside.
 *
 * A request lives in the slot of its connection, one after the other, and belongs to MHD's thread of that connection: fields
 * without a word on threads are touched by no other, but by a work function while the request is parked for it.
 *
 * Private to http/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_EXCHANGE_H
#define BOBBIND_EXCHANGE_H

#include "http/frame.h"
#include "http/guard.h"
#include "http/http.h"
#include "http/reply.h"
#include "http/request.h"

#include <bobbin/condition.h>
#include <bobbin/executor.h>
#include <bobbin/thread.h>
#include <microhttpd.h>
#include <stdatomic.h>

#include "base/lockorder.h"

/* ---- limits, beside those of frame.h; MHD's own lie above all of them ---- */

enum {
    POOL_BYTES =
        16384, /* MHD's memory for one connection: zeroed for each request, so no larger than needed */
    BODY_KEPT = 1024, /* a body buffer up to this size stays with its slot */
    TEXTS_ROOM = 128, /* bytes of texts kept in the slot itself: most queries */
    LINGER_S = 2,     /* how long the rest of a refused connection is read and thrown away */
    LINGER_BYTES = 256 << 10, /* and how much of it */
    LISTEN_MAX = 16,
    MEMO_ROWS = 32,
    MEMO_BYTES = 512,
};

/* ---- a reply ---- */

struct reply {
    int status;       /* 0: not filled */
    size_t made_len;  /* bytes of made's body */
    const char *type; /* static storage; NULL: no Content-Type */
    bool keep;        /* no Cache-Control: no-store: the handler gave one */
    struct bytes body, extra;
    struct bytes headers;  /* "Name\0value\0" for each */
    struct stream *stream; /* owned until it is queued */
    /* An answer made before: queued as it is, then let_go(arg). */
    struct MHD_Response *made;
    void (*let_go)(void *arg);
    void *arg;
};

void reply_clear(struct reply *r);
void reply_made(struct reply *r, int status, struct MHD_Response *made, size_t len,
                void (*let_go)(void *), void *arg);
void reply_problem(struct reply *r,
                   const struct fault *f); /* from nothing, but the extra members and Retry-After */

/* ---- a reply as MHD wants it (response.c) ---- */

/* What every reply says, whoever makes it; but one may have a Cache-Control of its own. */
#define HEADERS_ALWAYS(X)                                                                          \
    X("Cache-Control", "no-store")                                                                 \
    X("X-Content-Type-Options", "nosniff")
#define HEADER_LINE(name, value) name ": " value "\r\n"

/* Equal small answers come in runs (a counter that is polled, "ok"): each thread keeps the last few as MHD's own objects, whole,
 * and queues them again.  A header costs three allocations, and an answer has up to six. */
struct memo {
    struct MHD_Response *response;
    int status;
    const char *type;
    size_t headers_len, body_len;
    unsigned flags;
    char bytes[MEMO_BYTES]; /* headers, then body */
};

bool response_header(struct MHD_Response *response, const char *name, const char *value);
/* HEADERS_ALWAYS; @cached: but Cache-Control. */
bool response_always(struct MHD_Response *response, bool cached);

struct hand;
/* Queues the thread's reply, or the problem that @why is; or closes the connection of a client that has left. */
enum MHD_Result response_send(struct hand *hand, struct request *req, enum why why);
void response_count(int status); /* for the metrics */
void responses_free(struct hand *hand);

/* ---- one of MHD's threads ---- */

struct hand {
    _Alignas(64) _Atomic uint32_t busy_since; /* second in which its callback began; 0: in none */
    _Alignas(64) _Atomic(struct request *)
        woken; /* suspended by it, woken, not resumed yet: see park.c */
    struct http *http;
    struct reply reply;
    struct memo memo[MEMO_ROWS];
};

/* ---- a request ---- */

enum stage {
    STAGE_IDLE,     /* between requests */
    STAGE_HEAD,     /* its first line is there */
    STAGE_BODY,     /* its head is there */
    STAGE_SENDING,  /* its reply is queued */
    STAGE_ANSWERING /* it is whole, its reply is not queued yet */
};
/* One atomic decides who resumes: see park.c. */
enum park { PARK_RUNNING, PARK_SUSPENDED, PARK_DONE, PARK_ABANDONED };

struct piece;
struct slot;
struct request {
    struct slot *slot; /* constant */
    struct http *http; /* these two: as long as the connection lasts */
    struct MHD_Connection *connection;
    _Atomic int park;  /* enum park */
    struct hand *hand; /* that suspended it */
    struct request *next_woken;
    bool leads; /* the list of woken ones was empty when it came: its waker resumes it */
    _Atomic uint32_t woken_at; /* second in which it was woken and not yet seen again; 0: not */
    _Atomic bool gone;         /* the watcher saw its client leave */

    _Atomic int stage; /* enum stage; written by MHD's thread, read by the tick and the drain */
    const char *path;  /* raw, without the query; MHD's, until the reply has been sent */
    const struct route *route;
    enum method method;
    char *query; /* without its mark; raw until params.c has read it; NULL: none */
    size_t query_len;
    _Atomic size_t reply_len; /* bytes of the body queued; of a stream 0; read by the tick */
    bool head, must_close, was_parked, watched, stood_in_line, room_used, params_read;
    struct guard guard; /* its headers */
    struct fault fault;
    moment began;

    struct bytes body;
    size_t body_most;
    struct cJSON *json; /* the body, once parsed */
    struct named *rest; /* what an open route did not know; NULL: nothing */
    size_t rest_len;
    struct piece *pieces; /* kept texts that had no room in texts */
    size_t texts_len;
    answer_fn *answer;
    undo_fn *undo;
    work_fn *work;
    leave_fn *leave; /* with watched */
    uint64_t ticket;
    struct stream *stream; /* the one queued; guarded by the slot's lock for others */
    int status;            /* of the reply queued; 0: none */
    char names[ROUTE_NAMES_MAX][NAME_ROOM];
    char texts[TEXTS_ROOM]; /* kept ones, each with its NUL */
    _Alignas(16) char room[REQUEST_ROOM];
};

void request_begin(struct request *req);
void request_end(struct request *req);       /* frees what it owns; twice is harmless */
void request_give_back(struct request *req); /* calls its undo, once */
/* @len bytes that live as long as the request, NUL-terminated.  NULL: no memory. */
char *request_keep(struct request *req, const char *at, size_t len);
enum why request_take_names(struct request *req, const struct route_match *m);

/* ---- the server ---- */

struct slots;
struct http {
    const struct config *config;
    void *app;
    struct MHD_Daemon *daemon;
    struct slots *slots;
    struct guard_hosts hosts;
    struct MHD_Response *no_memory; /* made at start */

    int listen_fd[LISTEN_MAX], listens;
    int accept_stop_fd, watch_stop_fd; /* eventfds */
    int watch_fd;                      /* epoll */
    struct bob_thread *acceptor, *watcher;
    struct bob_executor *work;
    char url[128];
    char *own_name[LISTEN_MAX]; /* texts in hosts that are ours */
    int own_names;

    struct hand *hands;
    unsigned hands_len;
    _Atomic unsigned hands_taken;

    uint32_t header_beats, body_beats, idle_beats, reply_beats; /* how long a client has */
    _Alignas(64) _Atomic uint32_t beat; /* http_tick counts it: no clock is read per request */
    /* One-way: drain; streams end; nothing new reaches a handler; nothing is parked. */
    _Atomic bool draining, ending, refusing, stopping;
    _Atomic int64_t oldest_beat_ms;
    _Alignas(64) _Atomic int64_t connections; /* given to MHD and not closed */
    _Atomic int64_t parked;    /* suspended, or about to be, or their resume is not over yet */
    _Atomic int64_t streams;   /* open */
    _Atomic int64_t abandoned; /* closed while parked, not woken yet */
    bob_time beat_at;          /* http_tick's own: when the last was counted; 0: none yet */
    bob_time
        patience; /* of http_quiet, from its first call: until then it also waits for slow clients */
};

static inline uint32_t
http_beat(const struct http *h)
{
    return atomic_load_explicit(&((struct http *)(uintptr_t)h)->beat, memory_order_relaxed);
}

/* ---- MHD's callbacks (exchange.c) ---- */

void exchange_connection(void *cls, struct MHD_Connection *c, void **ctx,
                         enum MHD_ConnectionNotificationCode code);
void *exchange_uri(void *cls, const char *uri, struct MHD_Connection *c);
enum MHD_Result exchange_access(void *cls, struct MHD_Connection *c, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **ctx);
void exchange_completed(void *cls, struct MHD_Connection *c, void **ctx,
                        enum MHD_RequestTerminationCode code);

/* The calling thread's own; NULL: it is none of MHD's. */
struct hand *exchange_hand(void);

void access_line(const struct request *req); /* access.c: logs it, if it is worth a line */

/* ---- stream.c ---- */

struct MHD_Response *stream_response(struct stream *s,
                                     struct request *req); /* owns @s from now; NULL: no memory */
void stream_queued(struct stream *s, struct request *req); /* watches its client */
void stream_drop(struct stream *s);                        /* one that was never queued */
void streams_sweep(struct http *h, bool all); /* wakes those due for a heartbeat, or all */

/* ---- socket.c ---- */

/* A request of the connection is over. */
void socket_finished(struct slot *slot);
/* Whether the calling thread of MHD has written to its own eventfd and does nothing but write to it until it says false. */
void socket_signalled(bool is_signalled);

/* ---- refusal.c ---- */

/* Writes what the slot's frame refuses to the socket past MHD, which sees nothing of it, and ends our side of the connection. */
void refusal_write(struct hand *hand, struct slot *slot);

/* ---- work.c: the request pool ---- */

enum why request_pool_start(struct http *h, struct fault *f);
void request_pool_stop(struct http *h);

/* ---- route.c ---- */

/* Whether calls of @route pass while the server drains: all but those that begin something. */
bool route_while_draining(const struct route *route);

/* ---- params.c ---- */

/* Whether the route takes a body, and one of that type, before it is there: WHY_INVALID, WHY_MEDIA_TYPE. */
enum why params_type(struct request *req);
/* For a route that takes none, instead of request_args: WHY_INVALID if some were given. */
enum why params_none(struct request *req);

#endif
