/* semaphores.c - /v1/semaphores: permits, taken some at a time, held by lease.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"

#include "base/json.h"

struct put_args {
    int64_t value;
    bool bounded;
};

/* clang-format off */
const struct param params_semaphore_put[] = {
/*   name       type        into                                  needed least most       fallback choices doc */
    {"value",   PARAM_INT,  PARAM_AT(struct put_args, value),     true,  0,    WHOLE_MAX, NULL,    NULL,   "permits in all; a change takes effect at once; 0 is a pause: who waits stays in line"},
    {"bounded", PARAM_BOOL, PARAM_AT(struct put_args, bounded),   false, 0,    0,         "true",  NULL,   "kept with it; of no effect yet: it will bound releases without a token"},
    {0},
};
/* clang-format on */

static enum why
put(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct semaphore_view *v = &q->ask.outcome.semaphore;

    if (q->ask.outcome.why)
        return api_refuse(req, "semaphore");
    reply_etag(reply, v->rev);
    if (request_wants_text(req)) {
        reply_text_i64(reply, v->made ? 201 : 200, v->value);
        return WHY_OK;
    }
    struct bytes *b = reply_json(reply, v->made ? 201 : 200);
    json_open(b, '{');
    json_text(b, "name", request_name(req, 0));
    json_uint(b, "rev", v->rev);
    json_int(b, "value", v->value);
    json_int(b, "free", v->free);
    json_bool(b, "bounded", v->bounded);
    json_close(b, '}');
    return WHY_OK;
}

/* PUT /v1/semaphores/{name}  value, bounded: makes it, or resizes it while it is held and waited for
 *   200 resized    201 made */
enum why
api_semaphore_put(struct request *req, struct reply *reply)
{
    struct asking *q = api_ask(req, put);
    struct put_args args = {0};

    if (!q || request_args(req, &args))
        return request_why(req);
    return api_settle(req, reply,
                      semaphore_put(app_of(req)->coord, request_began(req), request_name(req, 0),
                                    args.value, args.bounded, &q->ask),
                      false);
}

/* POST /v1/semaphores/{name}/acquire  permits, wait, ttl, confirm, owner, bind
 *   200 the grant    400 more permits than there are in all    423 not had until wait ended    429 the line is full */
enum why
api_semaphore_acquire(struct request *req, struct reply *reply)
{
    return holds_acquire(req, reply, HOLD_SEMAPHORE);
}

/* POST /v1/semaphores/{name}/renew  token, ttl
 *   200 the grant, its lease anew    412 the token holds nothing, or no longer */
enum why
api_semaphore_renew(struct request *req, struct reply *reply)
{
    return holds_renew(req, reply, HOLD_SEMAPHORE);
}

/* POST /v1/semaphores/{name}/release  token
 *   200 released    412 the token holds nothing, or no longer */
enum why
api_semaphore_release(struct request *req, struct reply *reply)
{
    return holds_release(req, reply, HOLD_SEMAPHORE);
}

/* GET /v1/semaphores/{name}
 *   200 permits, holders, line    304 its rev is If-None-Match    404 */
enum why
api_semaphore_show(struct request *req, struct reply *reply)
{
    return holds_show(req, reply, HOLD_SEMAPHORE);
}

/* GET /v1/semaphores  limit, cursor, name */
enum why
api_semaphores_list(struct request *req, struct reply *reply)
{
    return holds_list(req, reply, HOLD_SEMAPHORE);
}

/* DELETE /v1/semaphores/{name}
 *   200 forgotten    404    409 it is held or waited for */
enum why
api_semaphore_delete(struct request *req, struct reply *reply)
{
    return holds_delete(req, reply, HOLD_SEMAPHORE);
}
