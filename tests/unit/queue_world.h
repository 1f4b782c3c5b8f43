/* queue_world.h - a coord_world with hands that only write down what they are given.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_QUEUE_WORLD_H
#define TESTS_QUEUE_WORLD_H

#include "coord_world.h"

#include "coord/task.h"

enum { CLAIMS_MAX = 1024 };

struct shop {
    struct world w;
    struct claim *claim
        [CLAIMS_MAX]; /* in the order they came; the test's to free by shop_finish or shop_close */
    int claims;
    uint64_t cancelled[CLAIMS_MAX];
    int cancels;
};

static inline void
shop_run(void *arg, struct claim *claim)
{
    struct shop *s = arg;

    assert_true(s->claims < CLAIMS_MAX);
    s->claim[s->claims++] = claim;
}

static inline void
shop_cancel(void *arg, uint64_t number)
{
    struct shop *s = arg;

    assert_true(s->cancels < CLAIMS_MAX);
    s->cancelled[s->cancels++] = number;
}

static inline void
shop_open_with(struct shop *s, const struct coord_options *o)
{
    const struct hands hands = {shop_run, shop_cancel, s};

    memset(s, 0, sizeof *s);
    world_open_with(&s->w, o);
    coord_set_hands(s->w.c, &hands);
}

static inline void
shop_open(struct shop *s)
{
    struct coord_options o = world_options();

    shop_open_with(s, &o);
}

static inline void
shop_close(struct shop *s)
{
    world_close(&s->w);
    for (int i = 0; i < s->claims; i++)
        claim_free(s->claim[i]);
}

/* Power loss: see world_crash; the same hands serve the new coord. */
static inline void
shop_crash(struct shop *s, moment now)
{
    struct coord_options o = s->w.c->options;
    const struct hands hands = {shop_run, shop_cancel, s};
    struct journal *j = &s->w.journal;
    struct fault f = {0};

    coord_free(s->w.c);
    assert_int_equal(coord_new(&s->w.c, &o, &f), WHY_OK);
    coord_set_hands(s->w.c, &hands);
    for (size_t i = 0; i < j->changes; i++) {
        const struct change *change = &j->change[i];

        if (change_is_live(j, i))
            assert_int_equal(coord_load(s->w.c, change->kind, change->name, change->seq,
                                        change->record, change->len, &f),
                             WHY_OK);
    }
    fake_journal_restart(j); /* what is left of pledges belongs to the coord that is gone */
    assert_int_equal(state_start(s->w.c, j, now, &f), WHY_OK);
}

/* A step's outcome, with all committed. */
static inline enum why
settled(struct shop *s, struct client *client, enum why why)
{
    if (why != WHY_PENDING)
        return why;
    world_commit(&s->w);
    assert_int_equal(client->told, 1);
    return client->ask.outcome.why;
}

static inline struct executor_terms
terms(int64_t max_workers)
{
    return (struct executor_terms){.max_workers = max_workers, .max_queue = 1000};
}

static inline enum why
shop_put(struct shop *s, const char *name, struct executor_terms t)
{
    struct executor_view view;
    struct client client = {0};

    return settled(s, &client, executor_put(s->w.c, NOW, name, &t, &view, ask_of(&s->w, &client)));
}

static inline struct executor_view
shop_show(struct shop *s, const char *name)
{
    struct executor_view view;
    struct client client = {0};

    assert_int_equal(
        settled(s, &client, executor_show(s->w.c, NOW, name, &view, ask_of(&s->w, &client))),
        WHY_OK);
    return view;
}

/* Submits and commits; returns the number. */
static inline uint64_t
shop_submit_at(struct shop *s, moment now, const char *executor, struct submission what)
{
    struct client client = {0};

    what.kind = what.kind ? what.kind : "sleep";
    what.args = what.args ? what.args : "{}";
    assert_int_equal(
        settled(s, &client, task_submit(s->w.c, now, executor, &what, ask_of(&s->w, &client))),
        WHY_OK);
    return client.ask.outcome.task;
}

static inline uint64_t
shop_submit(struct shop *s, const char *executor, int64_t priority)
{
    return shop_submit_at(s, NOW, executor, (struct submission){.priority = priority});
}

/* The task as it is; without its blobs. */
static inline struct task_view
shop_look(struct shop *s, uint64_t number)
{
    struct task_view view;
    struct client client = {0};

    assert_int_equal(
        settled(s, &client, task_wait(s->w.c, NOW, number, 0, &view, ask_of(&s->w, &client))),
        WHY_OK);
    task_view_free(&view);
    return view;
}

static inline enum why
shop_cancel_task(struct shop *s, uint64_t number)
{
    struct client client = {0};

    return settled(s, &client, task_cancel(s->w.c, NOW, number, ask_of(&s->w, &client)));
}

/* Ends the run of the @i-th claim. */
static inline void
shop_finish_at(struct shop *s, moment now, int i, struct task_end end)
{
    assert_true(i < s->claims);
    task_finish(s->w.c, now, s->claim[i]->number, s->claim[i]->attempt, &end);
}

static inline void
shop_succeed(struct shop *s, int i)
{
    shop_finish_at(s, NOW, i,
                   (struct task_end){.state = TASK_SUCCEEDED, .result = blob_new("42", 2)});
    world_commit(&s->w);
}

static inline void
shop_fail(struct shop *s, int i, bool retry, moment now)
{
    shop_finish_at(
        s, now, i,
        (struct task_end){
            .state = TASK_FAILED, .code = "broken", .message = "it broke", .retry = retry});
    world_commit(&s->w);
}

#endif
