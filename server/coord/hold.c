/* hold.c - granted permits: their records, their leases, and spare ones.
 *
 * A hold is asked for when somebody begins to wait, so that a grant inside another's release can never fail.  Spare holds are kept: the
 * quick way through a lock allocates nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/hold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "store/record.h"

enum { SPARE_MOST = 4096, RECORD_MAX = 512, TOKEN_TEXT_LEN = 21, TABLE_MOST = 1 << 22 };
enum { ENDED_KEPT = 1 << 14 }; /* 384 KiB, of which a quiet server touches little */
#define TRY_AGAIN (10 * NS_PER_MS)

struct ended {
    uint64_t token;
    uint64_t object; /* the hash of its name: it may be collected and made again */
    enum ended_by by;
};
struct holds {
    struct table by_token;
    struct hold *spare;
    int64_t spares;
    struct ended
        ended[ENDED_KEPT]; /* each at its token modulo ENDED_KEPT, until another ends there */
};

enum why
holds_new(struct coord *c) BOB_UNSHARED
{
    c->holds = calloc(1, sizeof(*c->holds));
    if (!c->holds || !table_init(&c->holds->by_token, TABLE_MOST))
        return WHY_NO_MEMORY;
    return WHY_OK;
}

/* After the gates, whose holds have become spare ones. */
void
holds_free(struct coord *c) BOB_UNSHARED
{
    if (!c->holds)
        return;
    for (struct hold *h = c->holds->spare, *next; h; h = next) {
        next = h->newer;
        free(h);
    }
    table_fini(&c->holds->by_token);
    free(c->holds);
    c->holds = NULL;
}

struct hold *
hold_new(struct coord *c)
{
    struct hold *h = c->holds->spare;

    if (h) {
        c->holds->spare = h->newer;
        c->holds->spares--;
        h->newer = NULL;
        return h;
    }
    if (deadline_room(c))
        return NULL;
    h = calloc(1, sizeof(*h));
    if (!h)
        deadline_room_back(c);
    return h;
}

bool
holds_full(struct coord *c)
{
    return (int64_t)table_len(&c->holds->by_token) >= c->options.max_objects;
}

void
hold_recycle(struct coord *c, struct hold *h)
{
    assert(!h->until.index);
    if (c->holds->spares == SPARE_MOST) {
        deadline_room_back(c);
        free(h);
        return;
    }
    h->gate = NULL;
    h->newer = c->holds->spare;
    c->holds->spare = h;
    c->holds->spares++;
}

static const char *
token_text(char text[TOKEN_TEXT_LEN], uint64_t token)
{
    char *at = text + TOKEN_TEXT_LEN - 1;

    *at = '\0';
    do
        *--at = (char)('0' + token % 10);
    while (token /= 10);
    return at;
}

void
hold_record(struct coord *c, struct hold *h)
{
    unsigned char buf[RECORD_MAX];
    char text[TOKEN_TEXT_LEN];
    const struct object *o = &h->gate->object;
    struct record r;

    record_start(&r, buf, sizeof(buf));
    record_int(&r, 'k', o->topic == TOPIC_LOCK ? HOLD_LOCK : HOLD_SEMAPHORE);
    record_text(&r, 'n', o->name, strlen(o->name));
    record_int(&r, 't', h->ttl_ns);
    record_int(&r, 's', h->since_ms);
    if (h->confirm_ns)
        record_int(&r, 'c', h->confirm_ns);
    if (h->permits != 1)
        record_int(&r, 'p', h->permits);
    if (*h->owner)
        record_text(&r, 'o', h->owner, strlen(h->owner));
    size_t len = record_end(&r);
    assert(len > 0);
    uint64_t seq = journal_append(c->journal, HOLD_KIND, token_text(text, h->token), buf, len);
    state_changed(c, &h->gate->object, seq);
}

void
hold_lasts(struct coord *c, struct hold *h, moment at)
{
    h->expires_at = at;
    deadline_set(c, &h->until, at);
}

void
hold_expire(struct coord *c, struct hold *h, moment now)
{
    struct gate *g = h->gate;

    metric_add(M_LEASES_EXPIRED, 1);
    hold_end(c, h, ENDED_BY_EXPIRY);
    gate_serve(c, &g->object.line, now);
}

static void
ran_out(struct coord *c, struct deadline *d, moment now) BOB_HOLDS(L_STATE)
{
    if (state_begin(c, GIVES_BACK, 0)) /* the backlog is at its bound: soon */
        deadline_set(c, d, now + TRY_AGAIN);
    else
        hold_expire(c, STRUCT_OF(d, struct hold, until), now);
}

/* Puts @h at the end of what @g has granted. */
static void
link_hold(struct coord *c, struct gate *g, struct hold *h) BOB_HOLDS(L_STATE)
{
    h->gate = g;
    h->newer = NULL;
    h->older = g->newest;
    *(g->newest ? &g->newest->newer : &g->oldest) = h;
    g->newest = h;
    g->holders++;
    g->taken += h->permits;
    h->until.due = ran_out;
    if (g->object.topic == TOPIC_SEMAPHORE) {
        h->by_token.hash =
            h->token; /* consecutive numbers that nobody outside chooses: spread enough */
        table_add(&c->holds->by_token, &h->by_token);
    }
}

void
hold_grant(struct coord *c, struct gate *g, struct hold *h, moment now)
{
    assert(!g->object.idle_since);
    h->token = journal_last(c->journal) + 1;
    h->since_ms = clock_to_wall_ms(now);
    link_hold(c, g, h);
    hold_record(c, h);
    assert(g->object.rev == h->token);
    hold_lasts(c, h, now + hold_lease(h));
    metric_add(M_GRANTS, 1);
}

static void
unlink_hold(struct coord *c, struct hold *h) BOB_HOLDS(L_STATE)
{
    struct gate *g = h->gate;

    if (g->object.topic == TOPIC_SEMAPHORE)
        table_remove(&c->holds->by_token, &h->by_token);
    *(h->older ? &h->older->newer : &g->oldest) = h->newer;
    *(h->newer ? &h->newer->older : &g->newest) = h->older;
    g->holders--;
    g->taken -= h->permits;
    deadline_clear(c, &h->until);
    hold_recycle(c, h);
}

void
hold_end(struct coord *c, struct hold *h, enum ended_by by)
{
    char text[TOKEN_TEXT_LEN];
    struct gate *g = h->gate;
    uint64_t seq = journal_append(c->journal, HOLD_KIND, token_text(text, h->token), NULL, 0);

    c->holds->ended[h->token % ENDED_KEPT] = (struct ended){h->token, g->object.in_table.hash, by};
    unlink_hold(c, h);
    state_changed(c, &g->object, seq);
}

enum ended_by
hold_ended_by(struct coord *c, const struct gate *g, uint64_t token)
{
    const struct ended *e = &c->holds->ended[token % ENDED_KEPT];

    return e->token == token && e->object == g->object.in_table.hash ? e->by : ENDED_UNKNOWN;
}

struct hold *
hold_find(struct coord *c, struct gate *g, uint64_t token)
{
    if (g->object.topic == TOPIC_LOCK)
        return g->oldest && g->oldest->token == token ? g->oldest : NULL;
    for (struct table_node *n = table_chain(&c->holds->by_token, token); n; n = n->next) {
        struct hold *h = (struct hold *)n;

        if (h->token == token)
            return h->gate == g ? h : NULL;
    }
    return NULL;
}

/* ---- recovery ---- */

struct loaded {
    int64_t kind, permits, ttl_ns, confirm_ns, since_ms;
    char name[NAME_MAX_LEN + 1], owner[OWNER_MAX_LEN + 1];
};

static void
copy_text(char *to, size_t cap, const struct field *field)
{
    size_t len = field->len < cap ? field->len : cap - 1;

    memcpy(to, field->text, len);
    to[len] = '\0';
}

static enum why
parse(const char *token, const void *record, size_t len, struct loaded *ret, struct fault *f)
{
    const unsigned char *at = NULL;
    struct field field;

    *ret = (struct loaded){.kind = -1, .permits = 1};
    while (record_next(record, len, &at, &field)) {
        enum why why = WHY_OK;

        if (field.tag == 'k' && !field.is_text)
            ret->kind = field.n;
        else if (field.tag == 'n' && field.is_text)
            copy_text(ret->name, sizeof(ret->name), &field);
        else if (field.tag == 'o' && field.is_text)
            copy_text(ret->owner, sizeof(ret->owner), &field);
        else if (field.tag == 'p' && !field.is_text)
            ret->permits = field.n;
        else if (field.tag == 't' && !field.is_text)
            ret->ttl_ns = field.n;
        else if (field.tag == 'c' && !field.is_text)
            ret->confirm_ns = field.n;
        else if (field.tag == 's' && !field.is_text)
            ret->since_ms = field.n;
        else
            why = topic_unknown_tag(field.tag, HOLD_KIND, token, f);
        if (why)
            return why;
    }
    if ((ret->kind != HOLD_LOCK && ret->kind != HOLD_SEMAPHORE) || !*ret->name ||
        ret->permits < 1 || ret->ttl_ns < 1 || ret->ttl_ns > TTL_MOST || ret->confirm_ns < 0 ||
        ret->confirm_ns > ret->ttl_ns)
        return fault_set(f, WHY_INTERNAL, "the hold %.20s in the store is damaged" PUT_A_BACKUP,
                         token);
    return WHY_OK;
}

enum why
hold_load(struct coord *c, const char *name, uint64_t seq, const void *record, size_t len,
          struct fault *f)
{
    struct loaded l;
    char *end;
    uint64_t token = strtoull(name, &end, 10);
    enum why why = parse(name, record, len, &l, f);

    if (why)
        return why;
    if (*end || token == 0 || token > seq)
        return fault_set(f, WHY_INTERNAL,
                         "the store has a hold with the impossible token %.20s" PUT_A_BACKUP, name);

    enum topic topic = hold_topic((enum hold_kind)l.kind);
    struct object *o = names_find(c, topic, l.name);
    if (!o)
        o = names_make(c, topic, l.name, &why);
    if (o && l.permits > WHOLE_MAX - ((struct gate *)o)->taken)
        return fault_set(f, WHY_INTERNAL,
                         "the holds of %.64s in the store are too many" PUT_A_BACKUP, l.name);
    struct hold *h = o ? hold_new(c) : NULL;
    if (!h)
        return fault_set(f, WHY_NO_MEMORY, "no memory to load the hold %.20s", name);
    if (o->rev < seq)
        o->rev = seq;
    h->token = token;
    h->permits = l.permits;
    h->ttl_ns = l.ttl_ns;
    h->confirm_ns = l.confirm_ns;
    h->since_ms = l.since_ms;
    strcpy(h->owner, l.owner);
    link_hold(c, (struct gate *)o, h);
    return WHY_OK;
}

static enum why
start_gate(struct coord *c, struct gate *g, moment now, struct fault *f) BOB_HOLDS(L_STATE)
{
    const char *name = g->object.name;

    if (g->object.topic == TOPIC_LOCK && g->holders > 1)
        return fault_set(f, WHY_INTERNAL,
                         "the lock %.64s has %lld holders in the store" PUT_A_BACKUP, name,
                         (long long)g->holders);
    if (g->object.topic == TOPIC_SEMAPHORE && !g->was_put)
        return fault_set(f, WHY_INTERNAL,
                         "the store has holds of the semaphore %.64s, but not it" PUT_A_BACKUP,
                         name);
    g->object.rev = journal_last(c->journal); /* holds that ended left no trace */
    for (struct hold *h = g->oldest; h; h = h->newer) {
        if (!h->since_ms) /* of a store of before, which did not keep it */
            h->since_ms = clock_to_wall_ms(now);
        hold_lasts(c, h, now + hold_lease(h));
    }
    return WHY_OK;
}

enum why
holds_start(struct coord *c, moment now, struct fault *f)
{
    struct table_node *n;
    enum why why = WHY_OK;

    for (size_t bucket = 0; !why && names_walk(c, &bucket, &n);) {
        for (; n && !why; n = n->next) {
            struct object *o = (struct object *)n;

            if (o->topic == TOPIC_LOCK || o->topic == TOPIC_SEMAPHORE)
                why = start_gate(c, (struct gate *)o, now, f);
        }
    }
    return why;
}
