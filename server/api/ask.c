/* ask.c - where a step of coord and a request that waits for it meet: the one place that knows both.
 *
 * An asking is the head of every handler's room.  When coord tells the ask, the request is woken, and its answer runs in
 * MHD's thread; when the client goes away before the reply is queued, undo gives back what nobody was told of, and frees
 * what the handler kept.  Exactly one of the two frees it: an answer frees before it returns.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"

#include "base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct asking) + 256 <= REQUEST_ROOM, "a handler has room for its own");

static void
tell(struct ask *a)
{
    request_wake(((struct asking *)(void *)a)->req);
}

static void
leave(void *app, void *room, uint64_t ticket)
{
    ask_leave(((struct app *)app)->coord, room, ticket);
}

static void
let_go(struct asking *q)
{
    if (!q->heap)
        return;
    if (q->heap_end)
        q->heap_end(q->heap);
    free(q->heap);
    q->heap = NULL;
}

void
api_let_go(struct request *req)
{
    let_go(request_room(req));
    request_undo(req, NULL);
}

static void
undo(void *app, struct request *req)
{
    struct asking *q = request_room(req);

    if (q->undo)
        q->undo(app, req);
    let_go(q);
}

static enum why
answered(struct request *req, struct reply *reply)
{
    struct asking *q = request_room(req);
    enum why why = q->answer(req, reply);

    if (why == WHY_PENDING)
        return why;
    let_go(q);
    if (!q->undo)
        request_undo(
            req, NULL); /* with one, http looks whether the client is still there: a system call */
    return why;
}

/* What a header asks for, and nobody looks at: to go on would be a silent lie, its sender relies on it. */
static bool
asks_too_much(struct request *req)
{
    static const char *const headers[] = {"Idempotency-Key", "If-Match", "If-None-Match"};

    if (request_route(req)->method != POST)
        return false;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (request_header(req, headers[i]))
            return fault_set(request_fault(req), WHY_NOT_IMPLEMENTED,
                             "%s: this version looks at none on a POST; send the request without",
                             headers[i]);
    }
    return false;
}

/* Whether the change that @req wants is bound to a condition that cannot be read. */
static bool
condition_unsound(struct request *req, struct asking *q)
{
    enum method method = request_route(req)->method;

    if (method != PUT && method != DELETE)
        return false;
    q->ask.condition = &q->condition;
    return api_read_condition(req, &q->condition);
}

void *
api_ask(struct request *req, answer_fn *answer)
{
    struct asking *q = request_room(req);

    if (asks_too_much(req) || condition_unsound(req, q))
        return NULL;
    q->ask.tell = tell;
    q->req = req;
    q->answer = answer;
    request_later(req, answered);
    return q;
}

void
api_undo(struct request *req, undo_fn *fn)
{
    struct asking *q = request_room(req);

    q->undo = fn;
    request_undo(req, undo);
}

void
api_ask_again(struct request *req, answer_fn *answer)
{
    struct asking *q = request_room(req);

    q->answer = answer;
    request_later(req, answered);
}

void *
api_keep(struct request *req, size_t size, void (*end)(void *heap))
{
    struct asking *q = request_room(req);

    assert(!q->heap);
    q->heap = calloc(1, size);
    q->heap_end = end;
    if (q->heap)
        request_undo(req, undo);
    else
        fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the answer");
    return q->heap;
}

enum why
api_settle(struct request *req, struct reply *reply, enum why why, bool waits)
{
    struct asking *q = request_room(req);

    if (why != WHY_PENDING) {
        q->ask.outcome.why = why;
        return answered(req, reply);
    }
    if (waits && q->ask.lined_up)
        request_watch(req, leave, q->ask.ticket);
    return WHY_PENDING;
}

enum why
api_deleted(struct request *req, struct reply *reply)
{
    json_close(api_deleting(req, reply), '}');
    return WHY_OK;
}

struct bytes *
api_deleting(struct request *req, struct reply *reply)
{
    struct bytes *b = reply_json(reply, 200);

    json_open(b, '{');
    json_text(b, "name", request_name(req, 0));
    json_bool(b, "deleted", true);
    return b;
}

/* How one comes to be there, for those who look for it in vain. */
static const char *
made_by(const char *noun)
{
    static const struct {
        const char *noun, *how;
    } ways[] = {
        {"lock", "the first acquire makes it"},
        {"semaphore", "PUT makes it, with its value"},
        {"counter", "the first add or set makes it"},
        {"executor", "PUT makes it"},
        {"task", "none was submitted as this, or it has ended and was forgotten (see --result-ttl, "
                 "--max-tasks and --max-task-memory)"},
    };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(ways[i].noun, noun) == 0)
            return ways[i].how;
    }
    return "it has ended";
}

enum why
api_refuse(struct request *req, const char *noun)
{
    const struct asking *q = request_room(req);
    struct fault *f = request_fault(req);
    const char *name = request_name(req, 0);
    enum why why = q->ask.outcome.why;

    switch ((int)why) {
    case WHY_NOT_FOUND:
        return fault_set(f, why, "there is no %s %s: %s", noun, name, made_by(noun));
    case WHY_OUT_OF_RANGE:
        return fault_set(f, why, "the %s %s would leave -(2^53-1) ... 2^53-1", noun, name);
    case WHY_CONFLICT:
        return fault_set(f, why, "the %s %s is in use", noun, name);
    case WHY_CHANGED:
        return fault_set(f, why, "the %s %s is not as the condition wants it: it has changed", noun,
                         name);
    case WHY_TOO_MANY:
        return fault_set(f, why, "the server is at its limit of waiters, objects or tasks (%s %s)",
                         noun, name);
    case WHY_BUSY:
        return fault_set(f, why, "the server has more to write than it can keep up with");
    case WHY_NO_MEMORY:
        return fault_set(f, why, "no memory for the %s %s", noun, name);
    case WHY_DRAINING:
        return fault_set(f, why, "the server is stopping");
    case WHY_OUTCOME_UNKNOWN:
        if (request_route(req)->method == GET)
            return fault_set(
                f, why,
                "what there is to see could not be written for 10 s (the disk is full, or "
                "another program has the store locked): ask again");
        return fault_set(
            f, why,
            "it was decided, but it could not be written for 10 s (the disk is full, or another "
            "program has the store locked): it may or may not hold; look before asking again");
    case WHY_STORE_FULL:
        return fault_set(f, why, "the disk is full: nothing was changed");
    case WHY_GONE:
        return fault_set(f, why, "the client has left");
    default:
        return fault_set(f, why, "the %s %s: not possible", noun, name);
    }
}
