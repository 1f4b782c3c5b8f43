/* tasklist.c - GET /v1/tasks: newest first, by number and not by name, so with a cursor of its own kind.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "api/shapes.h"

#include "base/json.h"

#include <string.h>

struct list_args {
    int64_t limit;
    const char *cursor, *executor;
    int state; /* index in states: 0 is any */
};
struct listing {
    struct asking asking;
    struct list_args args;
    size_t n;
    uint64_t next;
};

static const char *const states[] = {"any",       "delayed", "ready",     "running",
                                     "succeeded", "failed",  "cancelled", NULL};
_Static_assert(sizeof states / sizeof states[0] == TASK_STATES_ + 2,
               "one name for each enum task_state");

/* clang-format off */
const struct param params_tasks_list[] = {
/*   name        type          into                                   needed least most              fallback choices doc */
    {"limit",    PARAM_INT,    PARAM_AT(struct list_args, limit),    false, 1, STEP_OBJECTS_MAX,    "100", NULL,   "items on a page, at most"},
    {"cursor",   PARAM_TEXT,   PARAM_AT(struct list_args, cursor),   false, 1, TASK_ID_LEN,         NULL,  NULL,   "next_cursor of the page before"},
    {"state",    PARAM_CHOICE, PARAM_AT(struct list_args, state),    false, 0, 0,                   "any", states, "only tasks in this state"},
    {"executor", PARAM_TEXT,   PARAM_AT(struct list_args, executor), false, 1, NAME_MAX_LEN,        NULL,  NULL,   "only tasks of this executor"},
    {0},
};
/* clang-format on */

static enum why
listed(struct request *req, struct reply *reply)
{
    const struct listing *q = request_room(req);
    const struct task_view *rows = q->asking.heap;
    char id[TASK_ID_LEN];

    if (q->asking.ask.outcome.why)
        return api_refuse(req, "list");
    reply_sequence(reply, q->asking.ask.outcome.seq);
    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_open_in(b, "items", '[');
    for (size_t i = 0; i < q->n; i++)
        shape_task(b, &rows[i]);
    json_close(b, ']');
    if (q->next) {
        task_id(id, q->next);
        json_text(b, "next_cursor", id);
    } else {
        json_null(b, "next_cursor");
    }
    json_close(b, '}');
    return WHY_OK;
}

/* GET /v1/tasks  limit, cursor, state, executor
 *   200 a page, perhaps empty: the end is next_cursor null */
enum why
api_tasks_list(struct request *req, struct reply *reply)
{
    struct listing *q = api_ask(req, listed);
    struct task_view *rows;
    uint64_t before = 0;

    if (!q || request_args(req, &q->args))
        return request_why(req);
    if (q->args.cursor && !(before = task_number(q->args.cursor)))
        return fault_set(request_fault(req), WHY_INVALID, "cursor: %s is none that was given",
                         q->args.cursor);
    if (!(rows = api_keep(req, (size_t)q->args.limit * sizeof *rows, NULL)))
        return request_why(req);
    return api_settle(
        req, reply,
        task_list(app_of(req)->coord, request_began(req),
                  &(struct task_filter){.state = q->args.state - 1,
                                        .executor = q->args.executor ? q->args.executor : "",
                                        .before = before},
                  rows, (size_t)q->args.limit, &q->n, &q->next, &q->asking.ask),
        false);
}
