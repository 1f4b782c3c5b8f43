/* hold.h - granted permits, and the gate that grants them: a lock is a gate of one permit.
 *
 * A hold is a record of its own in the journal (kind "hold"; its name is the token in decimal), so that a gate with a
 * thousand holders is not written anew for each.  Its token is the sequence of the change that made it.
 *
 * Private to coord/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_HOLD_H
#define BOBBIND_HOLD_H

#include "coord/state.h"

#define HOLD_KIND "hold"

/* Grants in one step: each is a record of at most 450 bytes or so, and 64 KiB are always there. */
enum { SERVE_MOST = 64 };

struct gate {
    struct object object;
    int64_t value; /* permits there are; 1 for a lock */
    int64_t taken; /* by holds; above value for a while after value was lowered */
    int64_t holders;
    struct hold *oldest, *newest;
    struct deadline more; /* set when a step served as many as it may and some are left */
    bool bounded;
    bool
        was_put; /* of a semaphore: false only in recovery, when a hold of it was read before its own record */
};

struct hold {
    struct table_node by_token; /* of a semaphore's hold: a lock has only one */
    struct gate *gate;
    struct hold *older, *newer; /* of the same gate; newer also chains the spare ones */
    uint64_t token;
    int64_t permits, ttl_ns;
    int64_t
        confirm_ns; /* until the first renew its lease is this short; 0: confirmed, or not asked for */
    int64_t since_ms;      /* wall: when it was granted, for people */
    moment expires_at;     /* its lease is over from then on */
    struct deadline until; /* when that is looked at: later, while the journal refuses its end */
    char owner[OWNER_MAX_LEN + 1];
};

static inline enum topic
hold_topic(enum hold_kind kind)
{
    return kind == HOLD_LOCK ? TOPIC_LOCK : TOPIC_SEMAPHORE;
}
static inline struct gate *
gate_of_line(struct line *l)
{
    return STRUCT_OF(l, struct gate, object.line);
}
/* What somebody in the line of a gate is granted when it is his turn. */
static inline const struct hold *
waiting_hold(const struct ask *a)
{
    return a->ret_;
}
static inline int64_t
hold_lease(const struct hold *h)
{
    return h->confirm_ns ? h->confirm_ns : h->ttl_ns;
}
static inline int64_t
gate_free(const struct gate *g)
{
    return g->value > g->taken ? g->value - g->taken : 0;
}
/* @permits can never be had as things are.  A value of 0 is no bound: it keeps everybody waiting, until it is raised. */
static inline bool
gate_beyond(const struct gate *g, int64_t permits)
{
    return g->value > 0 && permits > g->value;
}

/* ---- hold.c ---- */

/* A hold to be granted later without fail: spare ones are kept for that.  NULL: no memory. */
struct hold *hold_new(struct coord *c) BOB_HOLDS(L_STATE);
void hold_recycle(struct coord *c, struct hold *h) BOB_HOLDS(L_STATE);

/* There are as many holds of semaphores as there may be objects: a semaphore's value is no bound on memory. */
bool holds_full(struct coord *c) BOB_HOLDS(L_STATE);
/* Makes @h (permits, ttl_ns, confirm_ns and owner are filled, as they were when it was asked for) the newest of @g. */
void hold_grant(struct coord *c, struct gate *g, struct hold *h, moment now) BOB_HOLDS(L_STATE);
/* Its lease ends at @at. */
void hold_lasts(struct coord *c, struct hold *h, moment at) BOB_HOLDS(L_STATE);
/* Ends @h, and remembers how; whoever is next is not served yet. */
void hold_end(struct coord *c, struct hold *h, enum ended_by by) BOB_HOLDS(L_STATE);
/* Ends @h, whose lease is over, and serves the line. */
void hold_expire(struct coord *c, struct hold *h, moment now) BOB_HOLDS(L_STATE);
enum ended_by hold_ended_by(struct coord *c, const struct gate *g, uint64_t token)
    BOB_HOLDS(L_STATE);
/* Writes the record of @h anew: its ttl changed, or it was confirmed. */
void hold_record(struct coord *c, struct hold *h) BOB_HOLDS(L_STATE);
struct hold *hold_find(struct coord *c, struct gate *g, uint64_t token) BOB_HOLDS(L_STATE);
enum why hold_load(struct coord *c, const char *name, uint64_t seq, const void *record, size_t len,
                   struct fault *f) BOB_HOLDS(L_STATE);

/* ---- gate.c ---- */

/* First tells those from line->look on WHY_INVALID who want more than value is now; then grants
 * from the head of the line on, as far as permits go.  A head that wants more than there are
 * free holds back those behind it. */
void gate_serve(struct coord *c, struct line *l, moment now) BOB_HOLDS(L_STATE);
/* What somebody who did not get permits is told; @position: the place he had. */
void gate_refusal(const struct gate *g, int64_t position, struct outcome *ret);
void gate_granted(const struct hold *h, int64_t waited_ns, struct outcome *ret);

#endif
