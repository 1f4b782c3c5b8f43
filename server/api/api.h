/* api.h - the nouns of the URL: read, ask, reply; nothing here decides.
 *
 *     struct add {
 *         struct asking asking;                          // first: the handler's room begins with it
 *         struct add_args args;
 *     };
 *
 *     enum why
 *     api_counter_add(struct request *req, struct reply *reply)
 *     {
 *         struct add *q = api_ask(req, answer);
 *
 *         if (!q || request_args(req, &q->args))
 *             return request_why(req);
 *         return api_settle(req, reply, counter_add(app_of(req)->coord, ..., &q->asking.ask), false);
 *     }
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_API_H
#define BOBBIND_API_H

#include "base/config.h"
#include "coord/coord.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"

struct files;
struct hub;

/* What handlers work on: request_app. */
struct app {
    const struct config *config;
    struct coord *coord;
    struct journal *journal;
    struct hub *hub;     /* api/stream.h */
    struct files *files; /* http/files.h */
    _Atomic bool draining;
};

/* What /readyz says, one of a few constant texts; NULL: it is ready. */
const char *app_not_ready(struct app *app);

static inline struct app *
app_of(const struct request *req)
{
    return request_app(req);
}

/* ---- ask.c: a step of coord, and the request that waits for its outcome ---- */

struct asking {
    struct ask ask; /* first: a room is an ask to the watcher of its client */
    struct request *req;
    answer_fn *answer; /* fills the reply from ask.outcome; may ask again and return WHY_PENDING */
    struct condition condition; /* of a PUT or DELETE */
    undo_fn *undo;              /* api_undo; NULL: nothing is to be given back */
    void *heap; /* what is too large for the room; freed after the answer, or if there is none */
    void (*heap_end)(void *heap); /* what heap owns; NULL: nothing */
};

/* Begins a handler: its room, made ready to be told.  NULL with the fault set: the request
 * carries what is not built yet, or a condition that cannot be read. */
void *api_ask(struct request *req, answer_fn *answer);

/* Before a step that may grant: if the reply is never sent, or never made, @fn gives back what ask.outcome has granted (or not: it
 * is called whatever the outcome). */
void api_undo(struct request *req, undo_fn *fn);

/* In an answer that asks coord again: @answer is for that outcome. */
void api_ask_again(struct request *req, answer_fn *answer);

/* Memory that lives until the answer has been given, zeroed; @end (may be NULL) lets go of what it owns.  NULL with the fault set. */
void *api_keep(struct request *req, size_t size, void (*end)(void *heap));
void api_let_go(struct request *req); /* frees it now: for a handler that fails without settling */

/* Ends a handler, or an answer that asked again: answers at once if the outcome is there; else its client is watched if it was ready to
 * wait (@waits) and stands in a line. */
enum why api_settle(struct request *req, struct reply *reply, enum why why, bool waits);

/* Why the step was refused, as the request's fault: a sentence for each why that coord gives without one.  @noun: "lock". */
enum why api_refuse(struct request *req, const char *noun);

/* {"name":...,"deleted":true}; the second leaves it open, for what was deleted with it. */
enum why api_deleted(struct request *req, struct reply *reply);
struct bytes *api_deleting(struct request *req, struct reply *reply);

/* ---- etag.c ---- */

/* What If-Match or If-None-Match asks of a change; neither: *ret is left as it is.  WHY_INVALID:
 * it cannot be read. */
enum why api_read_condition(struct request *req, struct condition *ret);
/* The head of every GET of one object: ETag, Bobbin-Sequence; true: If-None-Match knows @rev, and 304 is the whole reply. */
bool api_unchanged(struct request *req, struct reply *reply, uint64_t rev);

/* ---- holds.c: the same for locks and semaphores ---- */

enum why holds_acquire(struct request *req, struct reply *reply, enum hold_kind kind);
enum why holds_renew(struct request *req, struct reply *reply, enum hold_kind kind);
enum why holds_release(struct request *req, struct reply *reply, enum hold_kind kind);
enum why holds_delete(struct request *req, struct reply *reply, enum hold_kind kind);
enum why holds_show(struct request *req, struct reply *reply, enum hold_kind kind);
enum why holds_list(struct request *req, struct reply *reply, enum hold_kind kind);

/* ---- run.c ---- */

/* Tells every request that works on the request pool to end soon, and every later one at once. */
void api_runs_stop(void);

/* ---- routes.c ---- */

extern const struct route api_routes[];
extern const size_t api_routes_len;
/* One line for each route: method, path, parameters. */
void api_routes_print(struct bytes *b);

/* clang-format off */
#define API_HANDLERS(X)                                                                                      \
    X(lock_acquire) X(lock_renew) X(lock_release) X(lock_show) X(locks_list) X(lock_delete)                  \
    X(semaphore_put) X(semaphore_acquire) X(semaphore_renew) X(semaphore_release) X(semaphore_show)          \
    X(semaphores_list) X(semaphore_delete)                                                                   \
    X(counter_add) X(counter_set) X(counter_compare_and_set) X(counter_show) X(counters_list) X(counter_delete) \
    X(executor_put) X(executor_show) X(executors_list) X(executor_delete)                                    \
    X(task_submit) X(task_show) X(task_result) X(task_cancel) X(tasks_list)                                  \
    X(run) X(kinds_list) X(stream) X(page)                                      \
    X(livez) X(readyz) X(metrics_show) X(threads_list) X(config_show)
/* clang-format on */
#define X(name) handler_fn api_##name;
API_HANDLERS(X)
#undef X

/* Parameter tables, each beside its handler. */
extern const struct param params_lock_acquire[], params_semaphore_acquire[], params_renew[],
    params_release[], params_semaphore_put[], params_add[], params_set[], params_compare_and_set[],
    params_list[], params_executor_put[], params_submit[], params_result[], params_tasks_list[],
    params_run[], params_stream[];

#endif
