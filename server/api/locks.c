/* locks.c - /v1/locks: a semaphore of one, with its holder shown.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"

/* POST /v1/locks/{name}/acquire  wait, ttl, confirm, owner, bind
 *   200 the grant    423 held by another until wait ended    429 the line is full */
enum why
api_lock_acquire(struct request *req, struct reply *reply)
{
    return holds_acquire(req, reply, HOLD_LOCK);
}

/* POST /v1/locks/{name}/renew  token, ttl
 *   200 the grant, its lease anew    412 the token does not hold it, or no longer */
enum why
api_lock_renew(struct request *req, struct reply *reply)
{
    return holds_renew(req, reply, HOLD_LOCK);
}

/* POST /v1/locks/{name}/release  token
 *   200 released    412 the token does not hold it, or no longer */
enum why
api_lock_release(struct request *req, struct reply *reply)
{
    return holds_release(req, reply, HOLD_LOCK);
}

/* GET /v1/locks/{name}
 *   200 the holder and the line    304 its rev is If-None-Match    404 */
enum why
api_lock_show(struct request *req, struct reply *reply)
{
    return holds_show(req, reply, HOLD_LOCK);
}

/* GET /v1/locks  limit, cursor, name */
enum why
api_locks_list(struct request *req, struct reply *reply)
{
    return holds_list(req, reply, HOLD_LOCK);
}

/* DELETE /v1/locks/{name}: ends the hold, the next in line has it
 *   200    404 */
enum why
api_lock_delete(struct request *req, struct reply *reply)
{
    return holds_delete(req, reply, HOLD_LOCK);
}
