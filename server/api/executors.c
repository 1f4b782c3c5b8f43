/* executors.c - /v1/executors: queues with hands, made by PUT only.
 *
 * SPDX-License-Identifier: MIT */
#include "api/list.h"
#include "api/shapes.h"

#include "base/json.h"
#include "coord/queue.h"

struct put_args {
    int64_t max_workers, max_queue, timeout_ns, retries;
};
struct put {
    struct asking asking;
    struct put_args args;
};

/* clang-format off */
const struct param params_executor_put[] = {
/*   name           type            into                                   needed least       most                   fallback choices doc */
    {"max_workers", PARAM_INT,      PARAM_AT(struct put_args, max_workers), false, 1,          4096,                  "4",     NULL, "tasks it runs at once, at most; not above --task-threads"},
    {"max_queue",   PARAM_INT,      PARAM_AT(struct put_args, max_queue),   false, 1,          10000000,              "10000", NULL, "tasks that are not finished, running ones too, at most; more are refused with 429"},
    {"timeout",     PARAM_DURATION, PARAM_AT(struct put_args, timeout_ns),  false, 0,          NS_PER_SECOND * 86400 * 7, "0", NULL, "of each run; 0: none"},
    {"retries",     PARAM_INT,      PARAM_AT(struct put_args, retries),     false, 0,          100,                   "0",     NULL, "how often a task that failed and may do better is run again"},
    {0},
};
/* clang-format on */

static enum why
reply_executor(struct reply *reply, int status, const struct executor_view *v)
{
    shape_executor(reply_json(reply, status), v);
    return WHY_OK;
}

static enum why
put(struct request *req, struct reply *reply)
{
    const struct put *q = request_room(req);
    const struct executor_view *v = q->asking.heap;

    if (q->asking.ask.outcome.why == WHY_INVALID)
        return fault_set(request_fault(req), WHY_INVALID,
                         "max_workers: %lld is above --task-threads, which is %lld",
                         (long long)q->args.max_workers,
                         (long long)app_of(req)->config->task_threads);
    if (q->asking.ask.outcome.why)
        return api_refuse(req, "executor");
    reply_etag(reply, v->rev);
    return reply_executor(reply, v->made ? 201 : 200, v);
}

/* PUT /v1/executors/{name}  max_workers, max_queue, timeout, retries: makes it, or gives it other terms while it runs
 *   200 changed    201 made    400 more workers than --task-threads */
enum why
api_executor_put(struct request *req, struct reply *reply)
{
    struct put *q = api_ask(req, put);
    struct executor_view *v;

    if (!q || request_args(req, &q->args) || !(v = api_keep(req, sizeof *v, NULL)))
        return request_why(req);
    return api_settle(req, reply,
                      executor_put(app_of(req)->coord, request_began(req), request_name(req, 0),
                                   &(struct executor_terms){.max_workers = q->args.max_workers,
                                                            .max_queue = q->args.max_queue,
                                                            .timeout_ns = q->args.timeout_ns,
                                                            .retries = q->args.retries},
                                   v, &q->asking.ask),
                      false);
}

static enum why
shown(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct executor_view *v = q->heap;

    if (q->ask.outcome.why)
        return api_refuse(req, "executor");
    if (!api_unchanged(req, reply, v->rev))
        return reply_executor(reply, 200, v);
    return WHY_OK;
}

/* GET /v1/executors/{name}
 *   200 its terms, and how many tasks are in which state    304 its rev is If-None-Match    404 */
enum why
api_executor_show(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, shown);
    struct executor_view *v;

    if (!q || !(v = api_keep(req, sizeof *v, NULL)))
        return request_why(req);
    return api_settle(
        req, reply,
        executor_show(app_of(req)->coord, request_began(req), request_name(req, 0), v, &q->ask),
        false);
}

static void
row(struct bytes *b, const void *at)
{
    shape_executor(b, at);
}

static enum why
listed(struct request *req, struct reply *reply)
{
    return list_reply(req, reply, sizeof(struct executor_view), row);
}

/* GET /v1/executors  limit, cursor, name */
enum why
api_executors_list(struct request *req, struct reply *reply)
{
    struct listing *q = api_ask(req, listed);
    struct executor_view *rows;

    if (!q || !(rows = list_rows(req, sizeof *rows)))
        return request_why(req);
    return api_settle(req, reply,
                      executor_list(app_of(req)->coord, request_began(req), q->after, rows, q->cap,
                                    &q->n, &q->asking.ask),
                      false);
}

static enum why
deleted(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);

    if (q->ask.outcome.why == WHY_CONFLICT)
        return fault_set(request_fault(req), WHY_CONFLICT,
                         "the executor %s has tasks that are not finished: wait for them, or "
                         "cancel each by DELETE /v1/tasks/{id}",
                         request_name(req, 0));
    return q->ask.outcome.why ? api_refuse(req, "executor") : api_deleted(req, reply);
}

/* DELETE /v1/executors/{name}
 *   200 forgotten    404    409 it has tasks that are not finished */
enum why
api_executor_delete(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, deleted);

    if (!q)
        return request_why(req);
    return api_settle(
        req, reply,
        executor_delete(app_of(req)->coord, request_began(req), request_name(req, 0), &q->ask),
        false);
}
