/* request.h - what a handler may ask of a request, and how it says that the answer comes later.
 *
 *     struct acquire_args args;
 *     if (request_args(req, &args))
 *         return request_why(req);                     // 400 naming the parameter
 *     struct waiting *w = request_room(req);           // the handler's own, zeroed, until the reply is sent
 *     request_later(req, answer);
 *     ... start something that calls request_wake(req) once, from any thread; then return WHY_PENDING ...
 *     enum why answer(struct request *req, struct reply *reply)   // again in MHD's thread
 *
 * Threads: all calls from MHD's thread in the handler and in answer, but request_wake (any thread, once).
 * Memory:  texts live until the reply has been sent.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_REQUEST_H
#define BOBBIND_REQUEST_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/given.h"
#include "http/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_ROOM = 1024 }; /* bytes for the handler's own state */

const char *request_name(const struct request *req,
                         int i); /* the i-th {part}, checked and NUL-terminated */
const char *request_path(const struct request *req); /* as it came, without the query */
const struct route *request_route(const struct request *req);
moment
request_began(const struct request *req); /* when the final byte was there: the `now` of its step */
const char *request_header(const struct request *req, const char *name); /* NULL: absent; trimmed */
/* A list may come in several lines of one name (RFC 9110, 5.3): the @i-th, from 0; NULL: no more. */
const char *request_header_line(const struct request *req, const char *name, int i);
bool request_wants_text(const struct request *req); /* Accept: text/plain */
void *request_app(const struct request *req);       /* what http_start was given */

struct fault *request_fault(struct request *req);
enum why request_why(const struct request *req);

/* Reads the route's parameters into @args (their struct), from query, JSON body or form body alike; once, for it reads them where they
 * stand.  WHY_INVALID: malformed, out of range, missing, unknown (names the ones that exist), given twice; WHY_MEDIA_TYPE. */
enum why request_args(struct request *req, void *args);
/* Adds the names that the route has, "none" if it has none: for a sentence on one it has not. */
void request_param_names(const struct request *req, struct bytes *b);
/* With BODY_OPEN, after request_args: the parameters the route does not know, nulls too, as they were given; they live
 * as long as the request. */
struct named {
    const char *name;
    struct given value;
};
const struct named *request_rest(const struct request *req, size_t *ret_n);

/* ---- later ---- */

void *
request_room(struct request *
                 req); /* REQUEST_ROOM bytes, zeroed when the request began, aligned for anything */
typedef enum why answer_fn(struct request *req, struct reply *reply);
/* Before whatever may wake: @answer fills the reply once woken. */
void request_later(struct request *req, answer_fn *answer);
void request_wake(struct request *req); /* exactly once; @req is not touched after it */

/* This request stands in a line: watch its client.  If the client leaves while parked, leave(app, room, ticket) is called,
 * once, on the watcher's thread with no lock held; the request may have been woken and answered by then, and its room used
 * again: @ticket tells.  The handler calls this after the step returned WHY_PENDING, and before it returns. */
typedef void leave_fn(void *app, void *room, uint64_t ticket);
void request_watch(struct request *req, leave_fn *leave, uint64_t ticket);

/* What has been granted and not been told yet: called once, on any thread, if the reply is never queued because the client
 * is gone.  The answer_fn sets it first, and the queueing of the reply clears it; NULL clears it.  It is also called when answer is
 * never reached: so a handler that may be granted sets it before WHY_PENDING, and @undo looks at the outcome in the room. */
typedef void undo_fn(void *app, struct request *req);
void request_undo(struct request *req, undo_fn *undo);
/* Its answer cannot be told any more: the watcher saw its client leave, or the server ends.  Any thread: for work that can stop early. */
bool request_is_gone(const struct request *req);

/* ---- work ---- */
/* Runs fn(req) on a thread of the request pool, then wakes @req.  WHY_PENDING, or WHY_BUSY (no thread could be had).  Admission is the
 * caller's (coord's admit_enter).  fn may use request_name, request_room and its args; it may not reply. */
typedef void work_fn(struct request *req);
enum why request_work(struct request *req, work_fn *fn);

#endif
