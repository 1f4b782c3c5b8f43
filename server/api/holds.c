/* holds.c - what locks and semaphores have in common, which is nearly all: a lock is a semaphore of one.
 *
 * A grant that nobody is told of is given back: undo finds it in the outcome.  So is one whose client is told that it is
 * not known: without its token nobody could renew or release it, and others would wait for its whole ttl.  A grant whose
 * ttl ended before the reply is made is no grant: 423 hold_ended.
 *
 * SPDX-License-Identifier: MIT */
#include "api/list.h"
#include "api/shapes.h"

#include "base/json.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MOST (10 * NS_PER_SECOND)

static const char *const noun[] = {[HOLD_LOCK] = "lock", [HOLD_SEMAPHORE] = "semaphore"};
static const char *const binds[] = {"lease", NULL};

struct acquire_args {
    int64_t wait_ns, ttl_ns, confirm_ns, permits;
    const char *owner;
    int bind;
};
struct acquire {
    struct asking asking;
    enum hold_kind kind;
    struct acquire_args args;
};
struct token_args {
    uint64_t token;
    int64_t ttl_ns;
};
struct by_token {
    struct asking asking;
    enum hold_kind kind;
    struct token_args args;
};
struct show {
    struct asking asking;
    enum hold_kind kind;
};
struct hold_listing {
    struct listing listing;
    enum hold_kind kind;
};

/* clang-format off */
#define ACQUIRE                                                                                                                                              \
/*   name      type            into                                     needed least      most            fallback choices doc */                           \
    {"wait",   PARAM_DURATION, PARAM_AT(struct acquire_args, wait_ns),  false, 0,         WAIT_MOST,      "0",     NULL,   "how long to stand in the line"}, \
    {"ttl",    PARAM_DURATION, PARAM_AT(struct acquire_args, ttl_ns),   false, TTL_LEAST, TTL_MOST,       "30s",   NULL,   "the lease ends after this, if it is not renewed"}, \
    {"confirm", PARAM_DURATION, PARAM_AT(struct acquire_args, confirm_ns), false, TTL_LEAST, CONFIRM_MOST, NULL,   NULL,   "the lease is only this long until the first renew, then ttl; at most ttl"}, \
    {"owner",  PARAM_TEXT,     PARAM_AT(struct acquire_args, owner),    false, 0,         OWNER_MAX_LEN,  "",      NULL,   "a label for people; grants nothing"}, \
    {"bind",   PARAM_CHOICE,   PARAM_AT(struct acquire_args, bind),     false, 0,         0,              "lease", binds,  "what the hold lives by; lease: its ttl"}

const struct param params_lock_acquire[] = {
    ACQUIRE,
    {0},
};
const struct param params_semaphore_acquire[] = {
    ACQUIRE,
    {"permits", PARAM_INT,     PARAM_AT(struct acquire_args, permits),  false, 1,         WHOLE_MAX,      "1",     NULL,   "how many to take, all at once"},
    {0},
};
const struct param params_renew[] = {
    {"token",  PARAM_TOKEN,    PARAM_AT(struct token_args, token),      true,  0,         0,              NULL,    NULL,   "of the grant"},
    {"ttl",    PARAM_DURATION, PARAM_AT(struct token_args, ttl_ns),     false, TTL_LEAST, TTL_MOST,       NULL,    NULL,   "a new ttl, from now; without it the one the hold has"},
    {0},
};
const struct param params_release[] = {
    {"token",  PARAM_TOKEN,    PARAM_AT(struct token_args, token),      true,  0,         0,              NULL,    NULL,   "of the grant"},
    {0},
};
/* clang-format on */

static enum why
reply_grant(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct grant_view *g = &q->ask.outcome.grant;

    if (g->expires_at <= clock_now())
        return fault_set(
            request_fault(req), WHY_HOLD_ENDED,
            "%s was granted, but its ttl (or confirm) ended before the answer could be given",
            request_name(req, 0));
    if (request_wants_text(req)) {
        reply_text_u64(reply, 200, g->token);
        return WHY_OK;
    }
    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_text(b, "name", request_name(req, 0));
    json_uint(b, "token", g->token);
    json_text(b, "owner", g->owner);
    json_int(b, "permits", g->permits);
    json_moment(b, "expires_at", clock_to_wall_ms(g->expires_at));
    json_text(b, "bind", binds[0]);
    json_seconds(b, "waited", g->waited_ns);
    json_close(b, '}');
    return WHY_OK;
}

/* When the holder's lease ends at the latest; but most give back long before. */
static int64_t
retry_after(const struct held_view *h, moment now)
{
    int64_t rest = h->token && h->expires_at > now ? h->expires_at - now : NS_PER_SECOND;

    return rest < RETRY_MOST ? rest : RETRY_MOST;
}

static void
holder(struct bytes *b, const struct held_view *h)
{
    struct holder_view v = {
        .token = h->token, .since_ms = h->since_ms, .expires_at = h->expires_at};

    memcpy(v.owner, h->owner, sizeof v.owner);
    shape_holder(b, "holder", HOLD_LOCK, &v);
}

/* 423: who holds it, what place the request had, and when to come again. */
static enum why
refuse_held(struct request *req, struct reply *reply, enum hold_kind kind)
{
    const struct acquire *q = request_room(req);
    const struct held_view *h = &q->asking.ask.outcome.held;
    const char *advice = q->args.wait_ns ? "" : "; give wait to stand in the line";
    struct bytes *b = reply_problem_extra(reply);
    moment now = clock_now();

    if (kind == HOLD_LOCK) {
        holder(b, h);
    } else {
        json_int(b, "value", h->value);
        json_int(b, "free", h->free);
    }
    json_int(b, "position", h->position);
    json_int(b, "waiters", h->waiters);
    reply_retry_after(reply, retry_after(h, now));
    if (kind == HOLD_LOCK)
        return fault_set(request_fault(req), WHY_LOCK_HELD, "the lock %s is held%s%s%s",
                         request_name(req, 0), *h->owner ? " by " : "", h->owner, advice);
    if (h->value == 0)
        return fault_set(request_fault(req), WHY_LOCK_HELD,
                         "the semaphore %s is paused: its value is 0, until PUT raises it%s",
                         request_name(req, 0), advice);
    return fault_set(request_fault(req), WHY_LOCK_HELD,
                     "the semaphore %s has %lld of %lld permits free, and %lld stand in the line%s",
                     request_name(req, 0), (long long)h->free, (long long)h->value,
                     (long long)h->waiters, advice);
}

static void
give_back(void *app, struct request *req)
{
    const struct acquire *q = request_room(req);
    const struct outcome *o = &q->asking.ask.outcome;

    if (o->decided == WHY_OK && o->grant.token)
        hold_give_back(((struct app *)app)->coord, clock_now(), q->kind, request_name(req, 0),
                       o->grant.token);
}

static enum why
acquired(struct request *req, struct reply *reply)
{
    struct acquire *q = request_room(req);

    switch ((int)q->asking.ask.outcome.why) {
    case WHY_OK:
        return reply_grant(req, reply);
    case WHY_LOCK_HELD:
        return refuse_held(req, reply, q->kind);
    case WHY_INVALID:
        return fault_set(
            request_fault(req), WHY_INVALID,
            "permits: %lld is more than the semaphore %s has in all: PUT raises its value",
            (long long)q->args.permits, request_name(req, 0));
    case WHY_OUTCOME_UNKNOWN:
        give_back(app_of(req), req);
        return fault_set(
            request_fault(req), WHY_OUTCOME_UNKNOWN,
            "what was decided could not be written for 10 s (the disk is full, or another "
            "program has the store locked): nothing is held for you; ask again");
    default:
        return api_refuse(req, noun[q->kind]);
    }
}

enum why
holds_acquire(struct request *req, struct reply *reply, enum hold_kind kind)
{
    struct acquire *q = api_ask(req, acquired);

    if (!q || request_args(req, &q->args))
        return request_why(req);
    if (q->args.confirm_ns > q->args.ttl_ns)
        return fault_set(request_fault(req), WHY_INVALID, "confirm: it is longer than the ttl");
    q->kind = kind;
    if (kind == HOLD_LOCK)
        q->args.permits = 1;
    api_undo(req, give_back);
    return api_settle(req, reply,
                      hold_acquire(app_of(req)->coord, request_began(req), kind,
                                   request_name(req, 0),
                                   &(struct want){.owner = q->args.owner,
                                                  .permits = q->args.permits,
                                                  .ttl_ns = q->args.ttl_ns,
                                                  .confirm_ns = q->args.confirm_ns,
                                                  .wait_ns = q->args.wait_ns},
                                   &q->asking.ask),
                      q->args.wait_ns > 0);
}

/* What became of the hold, so that a client knows whether to blame its ttl, its own release or an operator. */
static enum why
refuse_token(struct request *req, struct reply *reply)
{
    static const struct {
        const char *by, *says;
    } ends[] = {
        [ENDED_UNKNOWN] = {NULL, "it does not hold it, or no longer"},
        [ENDED_BY_RELEASE] = {"release", "its hold was released"},
        [ENDED_BY_EXPIRY] = {"expiry",
                             "its hold ended with its ttl (or confirm), before a renewal came"},
        [ENDED_BY_DELETE] = {"delete", "its hold was ended by a DELETE"},
    };
    const struct by_token *q = request_room(req);

    if (q->asking.ask.outcome.why != WHY_NOT_HOLDER)
        return api_refuse(req, noun[q->kind]);
    json_text(reply_problem_extra(reply), "ended_by", ends[q->asking.ask.outcome.ended].by);
    return fault_set(request_fault(req), WHY_NOT_HOLDER, "token, of the %s %s: %s", noun[q->kind],
                     request_name(req, 0), ends[q->asking.ask.outcome.ended].says);
}

static enum why
renewed(struct request *req, struct reply *reply)
{
    const struct by_token *q = request_room(req);

    return q->asking.ask.outcome.why ? refuse_token(req, reply) : reply_grant(req, reply);
}

enum why
holds_renew(struct request *req, struct reply *reply, enum hold_kind kind)
{
    struct by_token *q = api_ask(req, renewed);

    if (!q || request_args(req, &q->args))
        return request_why(req);
    q->kind = kind;
    return api_settle(req, reply,
                      hold_renew(app_of(req)->coord, request_began(req), kind, request_name(req, 0),
                                 q->args.token, q->args.ttl_ns, &q->asking.ask),
                      false);
}

static enum why
released(struct request *req, struct reply *reply)
{
    const struct by_token *q = request_room(req);

    if (q->asking.ask.outcome.why)
        return refuse_token(req, reply);
    if (request_wants_text(req)) {
        reply_text_i64(reply, 200, q->asking.ask.outcome.released.free);
        return WHY_OK;
    }
    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_text(b, "name", request_name(req, 0));
    json_bool(b, "released", true);
    json_int(b, "free", q->asking.ask.outcome.released.free);
    json_close(b, '}');
    return WHY_OK;
}

enum why
holds_release(struct request *req, struct reply *reply, enum hold_kind kind)
{
    struct by_token *q = api_ask(req, released);

    if (!q || request_args(req, &q->args))
        return request_why(req);
    q->kind = kind;
    return api_settle(req, reply,
                      hold_release(app_of(req)->coord, request_began(req), kind,
                                   request_name(req, 0), q->args.token, &q->asking.ask),
                      false);
}

static enum why
deleted(struct request *req, struct reply *reply)
{
    const struct show *q = request_room(req);

    if (q->asking.ask.outcome.why == WHY_CONFLICT)
        return fault_set(request_fault(req), WHY_CONFLICT,
                         "the semaphore %s has holders or a line: only a free one can be forgotten",
                         request_name(req, 0));
    if (q->asking.ask.outcome.why)
        return api_refuse(req, noun[q->kind]);
    const struct held_view *was = &q->asking.ask.outcome.held;
    if (was->token) { /* somebody else's hold may have ended: it can be looked up who had it, and when */
        char owner[2 * OWNER_MAX_LEN + 4];

        log_often(LOG_LEVEL_INFO, "hold_taken_away", "%s=%s token=%" PRIu64 " owner=%s",
                  noun[q->kind], request_name(req, 0), was->token,
                  log_quote(owner, sizeof owner, was->owner));
    }
    struct bytes *b = api_deleting(req, reply);
    if (q->kind == HOLD_LOCK)
        holder(b, was);
    else
        json_int(b, "value", was->value);
    json_close(b, '}');
    return WHY_OK;
}

enum why
holds_delete(struct request *req, struct reply *reply, enum hold_kind kind)
{
    struct show *q = api_ask(req, deleted);

    if (!q)
        return request_why(req);
    q->kind = kind;
    return api_settle(req, reply,
                      hold_delete(app_of(req)->coord, request_began(req), kind,
                                  request_name(req, 0), &q->asking.ask),
                      false);
}

static enum why
shown(struct request *req, struct reply *reply)
{
    const struct show *q = request_room(req);
    const struct hold_view *v = q->asking.heap;

    if (q->asking.ask.outcome.why)
        return api_refuse(req, noun[q->kind]);
    /* Leases and the line change without a new rev: no ETag. */
    if (v->holders > 0 || v->waiters > 0)
        reply_sequence(reply, q->asking.ask.outcome.seq);
    else if (api_unchanged(req, reply, v->rev))
        return WHY_OK;
    if (!request_wants_text(req))
        shape_hold(reply_json(reply, 200), q->kind, v, clock_now());
    else
        reply_text_i64(reply, 200, q->kind == HOLD_SEMAPHORE ? v->free : v->holders_shown == 0);
    return WHY_OK;
}

enum why
holds_show(struct request *req, struct reply *reply, enum hold_kind kind)
{
    struct show *q = api_ask(req, shown);
    struct hold_view *v;

    if (!q || !(v = api_keep(req, sizeof *v, NULL)))
        return request_why(req);
    q->kind = kind;
    return api_settle(req, reply,
                      hold_show(app_of(req)->coord, request_began(req), kind, request_name(req, 0),
                                v, &q->asking.ask),
                      false);
}

static void
lock_row(struct bytes *b, const void *row)
{
    shape_hold_row(b, HOLD_LOCK, row);
}

static void
semaphore_row(struct bytes *b, const void *row)
{
    shape_hold_row(b, HOLD_SEMAPHORE, row);
}

static enum why
listed(struct request *req, struct reply *reply)
{
    const struct hold_listing *q = request_room(req);

    return list_reply(req, reply, sizeof(struct hold_row),
                      q->kind == HOLD_LOCK ? lock_row : semaphore_row);
}

enum why
holds_list(struct request *req, struct reply *reply, enum hold_kind kind)
{
    struct hold_listing *q = api_ask(req, listed);
    struct hold_row *rows;

    if (!q || !(rows = list_rows(req, sizeof *rows)))
        return request_why(req);
    q->kind = kind;
    return api_settle(req, reply,
                      hold_list(app_of(req)->coord, request_began(req), kind, q->listing.after,
                                rows, q->listing.cap, &q->listing.n, &q->listing.asking.ask),
                      false);
}
