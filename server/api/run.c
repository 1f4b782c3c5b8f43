/* run.c - POST /v1/run/{kind}: one request, one thread, from its first line to its reply; nothing is stored.
 *
 * The gate is a semaphore without a name in coord, so that those it does not admit wait in a line and hold no thread.  The permit goes
 * back when the work is over, before the reply is on its way.  Works under way stand in a list, so that a client's leaving
 * (found by its ticket: the room may be another request's by then) and the server's stopping reach them.
 *
 * SPDX-License-Identifier: MIT */
#include "api/kinds.h"

#include "base/json.h"
#include "base/lockorder.h"
#include "base/metrics.h"

#include <bobbin/event.h>
#include <stdlib.h>

struct run_args {
    struct json_slice args;
    int64_t wait_ns, timeout_ns;
};
struct running {
    struct asking asking;
    struct run_args args;
    bool admitting; /* admit_enter has been called */
};
struct job {
    struct run run;
    struct bob_event stop;
    struct bytes json; /* the arguments; values points into these two */
    struct cJSON *tree;
    bool begun, succeeded;
    int64_t took_ns;
    uint64_t ticket;         /* names it in the list */
    struct job *prev, *next; /* in the list, from begin to end of its work */
    _Alignas(max_align_t) char values[];
};

static struct {
    struct bob_lock lock; /* class L_RUNS */

    struct job *first BOB_GUARDED_BY(L_RUNS);
    uint64_t tickets BOB_GUARDED_BY(L_RUNS);
    bool stopping BOB_GUARDED_BY(L_RUNS);
} runs = {.lock = BOB_LOCK_INIT(LOCK_CLASS(L_RUNS))};

/* clang-format off */
const struct param params_run[] = {
/*   name       type            into                                     needed least      most                   fallback choices doc */
    {"args",    PARAM_JSON,     PARAM_AT(struct run_args, args),         false, 0,         0,                     NULL,  NULL, "the kind's arguments; they may stand beside it instead"},
    {"wait",    PARAM_DURATION, PARAM_AT(struct run_args, wait_ns),      false, 0,         WAIT_MOST,             "0",   NULL, "how long to wait for a free request thread"},
    {"timeout", PARAM_DURATION, PARAM_AT(struct run_args, timeout_ns),   false, NS_PER_MS, 86400 * NS_PER_SECOND, "10m", NULL, "the work is told to end after this"},
    {0},
};
/* clang-format on */

static void
runs_lock(void) BOB_ACQUIRES(L_RUNS)
{
    bob_lock_hold(&runs.lock);
}

static void
runs_unlock(void) BOB_RELEASES(L_RUNS)
{
    bob_lock_release(&runs.lock);
}

static void
enter(struct job *job)
{
    runs_lock();
    job->ticket = ++runs.tickets;
    job->next = runs.first;
    if (runs.first)
        runs.first->prev = job;
    runs.first = job;
    if (runs.stopping)
        bob_event_set(&job->stop);
    runs_unlock();
}

static void
quit(struct job *job)
{
    runs_lock();
    if (job->next)
        job->next->prev = job->prev;
    if (job->prev)
        job->prev->next = job->next;
    else
        runs.first = job->next;
    runs_unlock();
}

static void
leave(void *app, void *room, uint64_t ticket)
{
    (void)app;
    (void)room;
    runs_lock();
    for (struct job *job = runs.first; job; job = job->next) {
        if (job->ticket == ticket)
            bob_event_set(&job->stop);
    }
    runs_unlock();
}

void
api_runs_stop(void)
{
    runs_lock();
    runs.stopping = true;
    for (struct job *job = runs.first; job; job = job->next)
        bob_event_set(&job->stop);
    runs_unlock();
}

static void
job_end(void *heap)
{
    struct job *job = heap;

    json_free(job->tree);
    bytes_free(&job->json);
    bytes_free(&job->run.result);
    bob_event_fini(&job->stop);
}

/* Nobody reads it: progress is for those who can look. */
static void
tell_nobody(struct run *run, int64_t done, int64_t total, const char *unit)
{
    (void)run;
    (void)done;
    (void)total;
    (void)unit;
}

/* On a thread of the request pool. */
static void
work(struct request *req)
{
    struct asking *q = request_room(req);
    struct job *job = q->heap;
    moment began = clock_now();

    metric_add(M_RUNS, 1);
    job->succeeded = job->run.kind->run(&job->run);
    job->took_ns = clock_now() - began;
    quit(job);
    admit_leave(app_of(req)->coord);
}

static enum why
ran(struct request *req, struct reply *reply)
{
    const struct asking *q = request_room(req);
    const struct job *job = q->heap;

    if (!job->succeeded) {
        struct bytes *b = reply_problem_extra(reply);

        json_open_in(b, "error", '{');
        json_text(b, "code", job->run.code);
        json_text(b, "message", job->run.message);
        json_int(b, "attempts", 1);
        json_close(b, '}');
        return fault_set(request_fault(req), WHY_TASK_FAILED, "%s failed: %s", job->run.kind->name,
                         job->run.message);
    }
    if (job->run.result.failed)
        return fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the result");
    const char *json = job->run.result.len ? job->run.result.at : "null";
    size_t len = job->run.result.len ? job->run.result.len : 4;
    if (request_wants_text(req)) {
        kinds_reply_text(reply, json, len);
        return WHY_OK;
    }
    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_text(b, "kind", job->run.kind->name);
    json_text(b, "state", "succeeded");
    json_raw(b, "result", json, len);
    json_seconds(b, "seconds", job->took_ns);
    json_close(b, '}');
    return WHY_OK;
}

static enum why
refuse_busy(struct request *req)
{
    metric_add(M_RUNS_REFUSED, 1);
    return fault_set(
        request_fault(req), WHY_BUSY,
        "all request threads are busy (see --request-threads): ask again, or give a longer wait");
}

static enum why
admitted(struct request *req, struct reply *reply)
{
    struct running *q = request_room(req);
    struct job *job = q->asking.heap;

    (void)reply;
    if (q->asking.ask.outcome.why == WHY_BUSY)
        return refuse_busy(req);
    if (q->asking.ask.outcome.why)
        return api_refuse(req, "request thread for");

    job->begun = true; /* from here on the permit goes back where the work ends */
    job->run.until = bob_in_ms(q->args.timeout_ns / NS_PER_MS);
    api_ask_again(req, ran);
    enter(job);
    uint64_t ticket = job->ticket;
    if (request_work(req, work) == WHY_PENDING) {
        request_watch(req, leave, ticket);
        return WHY_PENDING;
    }
    quit(job);
    admit_leave(app_of(req)->coord);
    metric_add(M_RUNS_REFUSED, 1);
    return request_why(req);
}

static void
give_back(void *app, struct request *req)
{
    const struct running *q = request_room(req);
    const struct job *job = q->asking.heap;

    if (q->admitting && job && !job->begun && q->asking.ask.outcome.why == WHY_OK)
        admit_leave(((struct app *)app)->coord);
}

static struct job *
job_new(struct request *req, const struct kind *kind, struct json_slice args)
{
    struct job *job = api_keep(req, sizeof *job + kind->args_size, job_end);

    if (!job)
        return NULL;
    bob_event_init(&job->stop);
    job->run.kind = kind;
    job->run.args = job->values;
    job->run.config = app_of(req)->config;
    job->run.stop = &job->stop;
    job->run.tell = tell_nobody;
    job->tree = kinds_args(req, kind, args, &job->json, job->values);
    if (job->tree)
        return job;
    api_let_go(req);
    return NULL;
}

/* POST /v1/run/{kind}  its arguments, wait, timeout
 *   200 the result    400 an argument is wrong    404 no such kind    422 it failed, its error inside
 *   503 all request threads were busy until wait ended */
enum why
api_run(struct request *req, struct reply *reply)
{
    struct running *q = api_ask(req, admitted);
    const struct kind *kind;

    if (!q || request_args(req, &q->args) ||
        !(kind = kinds_find(req, request_name(req, 0), WHY_NOT_FOUND)))
        return request_why(req);
    if (!kind->by_request)
        return fault_set(
            request_fault(req), WHY_INVALID,
            "kind: %s runs on an executor only: POST /v1/executors/{name}/tasks submits it",
            kind->name);
    if (!job_new(req, kind, q->args.args))
        return request_why(req);
    api_undo(req, give_back);
    q->admitting = true;
    return api_settle(
        req, reply,
        admit_enter(app_of(req)->coord, request_began(req), q->args.wait_ns, &q->asking.ask),
        q->args.wait_ns > 0);
}
