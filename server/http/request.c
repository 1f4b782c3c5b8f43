/* request.c - see request.h; and the life of a request in its slot.
 *
 * SPDX-License-Identifier: MIT */
#include "http/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "http/exchange.h"
#include "http/slot.h"

struct piece {
    struct piece *next;
    char text[];
};

/* Only what another part asks before it sets it: this runs for every request. */
void
request_begin(struct request *req)
{
    atomic_store_explicit(&req->park, PARK_RUNNING, memory_order_relaxed);
    atomic_store_explicit(&req->gone, false, memory_order_relaxed);
    req->path = "";
    req->route = NULL;
    req->method = GET;
    req->query = NULL;
    req->query_len = 0;
    req->head = req->must_close = req->was_parked = req->watched = req->stood_in_line =
        req->room_used = req->params_read = false;
    req->guard = (struct guard){0};
    req->fault.why = WHY_OK;
    req->fault.detail[0] = '\0';
    req->began = 0;
    req->body_most = 0;
    req->answer = NULL;
    req->undo = NULL;
    req->work = NULL;
    req->leave = NULL;
    req->status = 0;
}

void
request_end(struct request *req)
{
    atomic_store_explicit(&req->woken_at, 0, memory_order_relaxed);
    if (req->json) {
        json_free(req->json);
        req->json = NULL;
    }
    if (req->rest) {
        free(req->rest);
        req->rest = NULL;
        req->rest_len = 0;
    }
    while (req->pieces) {
        struct piece *next = req->pieces->next;

        free(req->pieces);
        req->pieces = next;
    }
    req->texts_len = 0;
    if (req->body.cap > BODY_KEPT)
        bytes_free(&req->body);
    else
        bytes_clear(&req->body);
}

void
request_give_back(struct request *req)
{
    undo_fn *undo = req->undo;

    req->undo = NULL;
    if (undo)
        undo(req->http->app, req);
}

char *
request_keep(struct request *req, const char *at, size_t len)
{
    char *text = req->texts + req->texts_len;

    if (len < TEXTS_ROOM - req->texts_len) {
        req->texts_len += len + 1;
    } else {
        struct piece *p = malloc(sizeof *p + len + 1);

        if (!p)
            return NULL;
        p->next = req->pieces;
        req->pieces = p;
        text = p->text;
    }
    memcpy(text, at, len);
    text[len] = '\0';
    return text;
}

enum why
request_take_names(struct request *req, const struct route_match *m)
{
    for (int i = 0; i < ROUTE_NAMES_MAX; i++) {
        req->names[i][0] = '\0';
        if (m->name[i].at && name_take(m->name[i].at, m->name[i].len, req->names[i], &req->fault))
            return req->fault.why;
    }
    return WHY_OK;
}

const char *
request_name(const struct request *req, int i)
{
    assert(i >= 0 && i < ROUTE_NAMES_MAX);
    return req->names[i];
}

const char *
request_path(const struct request *req)
{
    return req->path;
}

const struct route *
request_route(const struct request *req)
{
    return req->route;
}

moment
request_began(const struct request *req)
{
    return req->began;
}

/* MHD leaves out the blanks before a value, and frame.c those behind it. */
const char *
request_header(const struct request *req, const char *name)
{
    return MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
}

struct line_wanted {
    const char *name;
    int before; /* lines of it that come first */
    const char *value;
};

static enum MHD_Result
see_line(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct line_wanted *w = cls;

    (void)kind;
    if (strcasecmp(name, w->name) != 0 || w->before-- > 0)
        return MHD_YES;
    w->value = value ? value : "";
    return MHD_NO;
}

const char *
request_header_line(const struct request *req, const char *name, int i)
{
    struct line_wanted wanted = {.name = name, .before = i};

    (void)MHD_get_connection_values(req->connection, MHD_HEADER_KIND, see_line, &wanted);
    return wanted.value;
}

static bool
mentions(struct guard_text t, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; t.at && i + len <= t.len; i++) {
        if (strncasecmp(t.at + i, word, len) == 0)
            return true;
    }
    return false;
}

/* A client that also takes JSON gets JSON: libraries send "application/json, text/plain, *" unasked. */
bool
request_wants_text(const struct request *req)
{
    return req->guard.accept.len >= 10 && mentions(req->guard.accept, "text/plain") &&
           !mentions(req->guard.accept, "json");
}

void *
request_app(const struct request *req)
{
    return req->http->app;
}

struct fault *
request_fault(struct request *req)
{
    return &req->fault;
}

enum why
request_why(const struct request *req)
{
    return req->fault.why;
}

void *
request_room(struct request *req)
{
    if (!req->room_used) {
        memset(req->room, 0, sizeof req->room);
        req->room_used = true;
    }
    return req->room;
}

void
request_later(struct request *req, answer_fn *answer)
{
    req->answer = answer;
}

void
request_watch(struct request *req, leave_fn *leave, uint64_t ticket)
{
    req->leave = leave;
    req->ticket = ticket;
    req->stood_in_line = true;
    req->watched =
        true; /* park_suspend arms it: a request that is not parked after all costs nothing */
}

void
request_undo(struct request *req, undo_fn *undo)
{
    req->undo = undo;
}

bool
request_is_gone(const struct request *req)
{
    return atomic_load_explicit(&req->gone, memory_order_relaxed) ||
           atomic_load_explicit(&req->http->stopping, memory_order_relaxed);
}
