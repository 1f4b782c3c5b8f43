/* counters.c - /v1/counters: whole numbers that no increment is lost from.
 *
 * SPDX-License-Identifier: MIT */
#include "api/list.h"
#include "api/shapes.h"

#include "base/json.h"

struct number_args {
    int64_t n, expected;
};

/* clang-format off */
const struct param params_add[] = {
/*   name        type       into                                     needed least       most       fallback choices doc */
    {"n",        PARAM_INT, PARAM_AT(struct number_args, n),         false, -WHOLE_MAX, WHOLE_MAX, "1",     NULL,   "what to add; may be negative"},
    {0},
};
const struct param params_set[] = {
    {"value",    PARAM_INT, PARAM_AT(struct number_args, n),         true,  -WHOLE_MAX, WHOLE_MAX, NULL,    NULL,   "the new value"},
    {0},
};
const struct param params_compare_and_set[] = {
    {"expected", PARAM_INT, PARAM_AT(struct number_args, expected),  true,  -WHOLE_MAX, WHOLE_MAX, NULL,    NULL,   "set only if this is the value"},
    {"value",    PARAM_INT, PARAM_AT(struct number_args, n),         true,  -WHOLE_MAX, WHOLE_MAX, NULL,    NULL,   "the new value"},
    {0},
};
/* clang-format on */

static enum why
answer(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct counter_view *v = &q->ask.outcome.counter;

    if (q->ask.outcome.why)
        return api_refuse(req, "counter");
    if (request_wants_text(req))
        reply_text_i64(reply, 200, v->value);
    else
        shape_counter(reply_json(reply, 200), request_name(req, 0), v->rev, v->value);
    return WHY_OK;
}

/* POST /v1/counters/{name}/add  n
 *   200 the new value    409 it would leave -(2^53-1) ... 2^53-1 */
enum why
api_counter_add(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, answer);
    struct number_args args = {0};

    if (!q || request_args(req, &args))
        return request_why(req);
    return api_settle(
        req, reply,
        counter_add(app_of(req)->coord, request_began(req), request_name(req, 0), args.n, &q->ask),
        false);
}

/* POST /v1/counters/{name}/set  value
 *   200 the new value */
enum why
api_counter_set(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, answer);
    struct number_args args = {0};

    if (!q || request_args(req, &args))
        return request_why(req);
    return api_settle(
        req, reply,
        counter_set(app_of(req)->coord, request_began(req), request_name(req, 0), args.n, &q->ask),
        false);
}

static enum why
compared(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct counter_view *v = &q->ask.outcome.counter;

    if (q->ask.outcome.why != WHY_CONFLICT)
        return answer(req, reply);
    struct bytes *b = reply_problem_extra(reply);
    json_int(b, "value", v->value);
    json_uint(b, "rev", v->rev);
    return fault_set(request_fault(req), WHY_CONFLICT, "expected: the counter %s is %lld",
                     request_name(req, 0), (long long)v->value);
}

/* POST /v1/counters/{name}/compare_and_set  expected, value
 *   200 the new value    409 it was another, which the problem shows */
enum why
api_counter_compare_and_set(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, compared);
    struct number_args args = {0};

    if (!q || request_args(req, &args))
        return request_why(req);
    return api_settle(req, reply,
                      counter_compare_and_set(app_of(req)->coord, request_began(req),
                                              request_name(req, 0), args.expected, args.n, &q->ask),
                      false);
}

static enum why
shown(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);

    if (!q->ask.outcome.why && api_unchanged(req, reply, q->ask.outcome.counter.rev))
        return WHY_OK;
    return answer(req, reply);
}

/* GET /v1/counters/{name}
 *   200 its value    304 its rev is If-None-Match    404 never touched */
enum why
api_counter_show(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, shown);

    if (!q)
        return request_why(req);
    return api_settle(req, reply, counter_get(app_of(req)->coord, request_name(req, 0), &q->ask),
                      false);
}

static void
row(struct bytes *b, const void *at)
{
    const struct counter_row *r = at;

    shape_counter(b, r->name, r->rev, r->value);
}

static enum why
listed(struct request *req, struct reply *reply)
{
    return list_reply(req, reply, sizeof(struct counter_row), row);
}

/* GET /v1/counters  limit, cursor, name */
enum why
api_counters_list(struct request *req, struct reply *reply)
{
    struct listing *q = api_ask(req, listed);
    struct counter_row *rows;

    if (!q || !(rows = list_rows(req, sizeof *rows)))
        return request_why(req);
    return api_settle(
        req, reply, counter_list(app_of(req)->coord, q->after, rows, q->cap, &q->n, &q->asking.ask),
        false);
}

static enum why
deleted(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);

    if (q->ask.outcome.why || request_wants_text(req))
        return answer(req, reply);
    struct bytes *b = api_deleting(req, reply);
    json_int(b, "value", q->ask.outcome.counter.value);
    json_close(b, '}');
    return WHY_OK;
}

/* DELETE /v1/counters/{name}
 *   200 forgotten, its last value    404    412 it is not as If-Match says */
enum why
api_counter_delete(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, deleted);

    if (!q)
        return request_why(req);
    return api_settle(
        req, reply,
        counter_delete(app_of(req)->coord, request_began(req), request_name(req, 0), &q->ask),
        false);
}
