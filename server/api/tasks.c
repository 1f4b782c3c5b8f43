/* tasks.c - /v1/executors/{name}/tasks and /v1/tasks: submit, look, wait for the result, cancel.
 *
 * A submit that waits is two steps: the task must be durable before anybody waits for it.  What the first wait has used up is gone from
 * the second.  Once the first is done the task is accepted, and whatever becomes of the wait is no refusal of it.
 *
 * SPDX-License-Identifier: MIT */
#include "api/kinds.h"
#include "api/shapes.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct submit_args {
    const char *kind;
    struct json_slice args;
    int64_t priority, delay_ns, timeout_ns, wait_ns;
};
struct submit {
    struct asking asking;
    struct submit_args args;
    uint64_t number; /* once it is accepted */
};
struct result_args {
    int64_t wait_ns;
};

#define DAY (86400 * NS_PER_SECOND)

/* clang-format off */
const struct param params_submit[] = {
/*   name        type            into                                       needed least     most       fallback choices doc */
    {"kind",     PARAM_TEXT,     PARAM_AT(struct submit_args, kind),       true,  1,        KIND_MAX_LEN, NULL, NULL, "what to do: see /v1/kinds"},
    {"args",     PARAM_JSON,     PARAM_AT(struct submit_args, args),       false, 0,        0,         NULL,    NULL, "the kind's arguments; they may stand beside it instead"},
    {"priority", PARAM_INT,      PARAM_AT(struct submit_args, priority),   false, -1000000, 1000000,   "0",     NULL, "lower runs first"},
    {"delay",    PARAM_DURATION, PARAM_AT(struct submit_args, delay_ns),   false, 0,        365 * DAY, "0",     NULL, "not to be run before"},
    {"timeout",  PARAM_DURATION, PARAM_AT(struct submit_args, timeout_ns), false, 0,        7 * DAY,   "0",     NULL, "of each run; 0: the executor's"},
    {"wait",     PARAM_DURATION, PARAM_AT(struct submit_args, wait_ns),    false, 0,        WAIT_MOST, "0",     NULL, "how long to wait for the result"},
    {0},
};
const struct param params_result[] = {
    {"wait",     PARAM_DURATION, PARAM_AT(struct result_args, wait_ns),    false, 0,        WAIT_MOST, "0",     NULL, "how long to wait for the result"},
    {0},
};
/* clang-format on */

static void
view_end(void *view)
{
    task_view_free(view);
}

static bool
make_view(struct request *req)
{
    return api_keep(req, sizeof(struct task_view), view_end);
}

/* Fills the view. */
static enum why
view(struct request *req, struct reply *reply, uint64_t number, int64_t wait_ns)
{
    struct asking *q = request_room(req);

    return api_settle(req, reply,
                      task_wait(app_of(req)->coord, clock_now(), number, wait_ns, q->heap, &q->ask),
                      wait_ns > 0);
}

static enum why
look(struct request *req, struct reply *reply, uint64_t number, int64_t wait_ns)
{
    return make_view(req) ? view(req, reply, number, wait_ns) : request_why(req);
}

static enum why
no_such_task(struct request *req)
{
    return fault_set(request_fault(req), WHY_NOT_FOUND,
                     "there is no task %s: an id is t and a number", request_name(req, 0));
}

static void
task_location(struct reply *reply, const char *id)
{
    char location[sizeof "/v1/tasks/" + TASK_ID_LEN] = "/v1/tasks/";

    strcat(location, id);
    reply_header(reply, "Location", location);
}

/* 202 for a task that is not over: where it is; true: its id as text is the whole answer. */
static bool
pending(struct request *req, struct reply *reply, const char *id)
{
    task_location(reply, id);
    if (!request_wants_text(req))
        return false;
    struct bytes *b = reply_body(reply, 202, "text/plain; charset=utf-8");
    bytes_adds(b, id);
    bytes_adds(b, "\n");
    return true;
}

/* 200 the value | 202 the task | 409 | 422 */
static enum why
resulted(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct task_view *v = q->heap;
    char id[TASK_ID_LEN];

    if (q->ask.outcome.why)
        return api_refuse(req, "task");
    task_id(id, v->number);
    if (request_route(req)->method == GET)
        reply_sequence(reply, q->ask.outcome.seq);
    switch ((int)v->state) {
    case TASK_SUCCEEDED:
        break;
    case TASK_FAILED:
        shape_error(reply_problem_extra(reply), v->error_code, v->error_message, v->attempts);
        json_text(reply_problem_extra(reply), "id", id);
        return fault_set(request_fault(req), WHY_TASK_FAILED, "task %s failed: %s", id,
                         v->error_message);
    case TASK_CANCELLED:
        json_text(reply_problem_extra(reply), "id", id);
        return fault_set(request_fault(req), WHY_CANCELLED, "task %s was cancelled", id);
    default:
        if (!pending(req, reply, id))
            shape_task(reply_json(reply, 202), v);
        return WHY_OK;
    }
    const char *json = v->result ? v->result->text : "null";
    size_t len = v->result ? v->result->len : strlen("null");
    if (request_wants_text(req)) {
        kinds_reply_text(reply, json, len);
        return WHY_OK;
    }
    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_text(b, "id", id);
    json_text(b, "state", task_state_name[v->state]);
    json_raw(b, "result", json, len);
    json_close(b, '}');
    return WHY_OK;
}

/* The task as it was when it was accepted: by now it may run, but that would be another outcome to wait for. */
static void
shape_accepted(struct request *req, struct bytes *b)
{
    const struct submit *q = request_room(req);
    struct task_view v = {
        .number = q->number,
        .rev = q->number, /* the sequence that made it */
        .state = q->args.delay_ns ? TASK_DELAYED : TASK_READY,
        .priority = q->args.priority,
        .created_ms = clock_to_wall_ms(request_began(req)),
        .done = -1,
    };

    v.run_at_ms = v.created_ms + q->args.delay_ns / NS_PER_MS;
    strcpy(v.executor, request_name(req, 0));
    strcpy(v.kind, q->args.kind); /* a known one: kinds_find */
    shape_task(b, &v);
}

static enum why
accepted(struct request *req, struct reply *reply)
{
    const struct submit *q = request_room(req);
    char id[TASK_ID_LEN];

    task_id(id, q->number);
    if (!pending(req, reply, id))
        shape_accepted(req, reply_json(reply, 202));
    return WHY_OK;
}

/* The wait may have been refused or cut short (too many wait, the server stops), but not the task. */
static enum why
waited(struct request *req, struct reply *reply)
{
    enum why why = ((const struct asking *)request_room(req))->ask.outcome.why;

    return why && why != WHY_GONE && why != WHY_NOT_FOUND ? accepted(req, reply)
                                                          : resulted(req, reply);
}

static enum why
submitted(struct request *req, struct reply *reply)
{
    struct submit *q = request_room(req);
    const struct ask *a = &q->asking.ask;

    if (a->outcome.why == WHY_TOO_MANY)
        return fault_set(request_fault(req), WHY_TOO_MANY,
                         "the executor %s has max_queue tasks that are not finished, running ones "
                         "too, or the server --max-tasks",
                         request_name(req, 0));
    if (a->outcome.why == WHY_NO_MEMORY)
        return fault_set(
            request_fault(req), WHY_NO_MEMORY,
            "no memory for one more task: the arguments of those that are not finished take what "
            "--max-task-memory gives them; ask again when some have run");
    if (a->outcome.why)
        return api_refuse(req, "executor");

    q->number = a->outcome.task;
    if (q->args.wait_ns == 0)
        return accepted(req, reply);
    int64_t left = q->args.wait_ns - (clock_now() - request_began(req));

    api_ask_again(req, waited);
    return view(req, reply, q->number, left > 0 ? left : 0);
}

/* Only checked here: the hands read the same bytes again. */
static bool
args_sound(struct request *req, const struct kind *kind, struct json_slice args,
           struct bytes *ret_json)
{
    void *values = calloc(1, kind->args_size + 1);

    if (values)
        json_free(kinds_args(req, kind, args, ret_json, values));
    else
        fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the arguments");
    free(values);
    return request_why(req) == WHY_OK;
}

/* POST /v1/executors/{name}/tasks  kind and its arguments, priority, delay, timeout, wait
 *   202 accepted, with Location, also when the wait is refused    200 the result, if it was there within wait
 *   400 an argument is wrong    404 no such executor    422 it failed within wait    429 max_queue or max_tasks
 *   503 max_task_memory */
enum why
api_task_submit(struct request *req, struct reply *reply)
{
    struct submit *q = api_ask(req, submitted);
    const struct kind *kind;
    AUTO_BYTES json = {0};

    if (!q || request_args(req, &q->args) || !(kind = kinds_find(req, q->args.kind, WHY_INVALID)) ||
        !args_sound(req, kind, q->args.args, &json))
        return request_why(req);
    if (json.len > ARGS_MAX)
        return fault_set(request_fault(req), WHY_TOO_LARGE, "args: more than %d bytes", ARGS_MAX);
    if (q->args.wait_ns > 0 && !make_view(req)) /* before there is a task */
        return request_why(req);
    return api_settle(req, reply,
                      task_submit(app_of(req)->coord, request_began(req), request_name(req, 0),
                                  &(struct submission){.kind = kind->name,
                                                       .args = bytes_text(&json),
                                                       .priority = q->args.priority,
                                                       .delay_ns = q->args.delay_ns,
                                                       .timeout_ns = q->args.timeout_ns},
                                  &q->asking.ask),
                      false);
}

/* GET /v1/tasks/{id}/result  wait
 *   200 the value    202 not finished: the task    404    409 cancelled    422 failed, its error inside */
enum why
api_task_result(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, resulted);
    struct result_args args = {0};
    uint64_t number;

    if (!q || request_args(req, &args))
        return request_why(req);
    if (!(number = task_number(request_name(req, 0))))
        return no_such_task(req);
    return look(req, reply, number, args.wait_ns);
}

static enum why
shown(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct task_view *v = q->heap;

    if (q->ask.outcome.why)
        return api_refuse(req, "task");
    if (v->state == TASK_RUNNING) /* its progress changes without a new rev: no ETag */
        reply_sequence(reply, q->ask.outcome.seq);
    else if (api_unchanged(req, reply, v->rev))
        return WHY_OK;
    if (request_wants_text(req))
        bytes_addf(reply_body(reply, 200, "text/plain; charset=utf-8"), "%s\n",
                   task_state_name[v->state]);
    else
        shape_task(reply_json(reply, 200), v);
    return WHY_OK;
}

/* GET /v1/tasks/{id}
 *   200 the task    304 its rev is If-None-Match    404 */
enum why
api_task_show(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, shown);
    uint64_t number;

    if (!q)
        return request_why(req);
    if (!(number = task_number(request_name(req, 0))))
        return no_such_task(req);
    return look(req, reply, number, 0);
}

static enum why
shown_cancelled(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct task_view *v = q->heap;

    if (q->ask.outcome.why)
        return api_refuse(req, "task");
    shape_task(reply_json(reply, v->state == TASK_RUNNING ? 202 : 200), v);
    return WHY_OK;
}

static enum why
cancelled(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);

    if (q->ask.outcome.why == WHY_CONFLICT)
        return fault_set(request_fault(req), WHY_CONFLICT, "task %s has finished",
                         request_name(req, 0));
    if (q->ask.outcome.why)
        return api_refuse(req, "task");
    api_ask_again(req, shown_cancelled);
    return look(req, reply, task_number(request_name(req, 0)), 0);
}

/* DELETE /v1/tasks/{id}
 *   200 the task, cancelled    202 it runs, and was told to stop    404    409 it has finished */
enum why
api_task_cancel(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, cancelled);
    uint64_t number;

    if (!q)
        return request_why(req);
    if (!(number = task_number(request_name(req, 0))))
        return no_such_task(req);
    return api_settle(req, reply,
                      task_cancel(app_of(req)->coord, request_began(req), number, &q->ask), false);
}
