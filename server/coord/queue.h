/* queue.h - executors and their tasks: an executor is a queue with hands.
 *
 * coord assigns: a ready task, a free hand of its executor (max_workers) and a free task thread (task_threads, over all
 * executors, in turn) make a claim; when the claim is durable, `run` is called for it.  Whoever runs it says task_finish,
 * which in the same step claims the next.
 *
 * The life of a task is the table in coord/life.c: delayed -> ready -> running -> succeeded | failed | cancelled.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_QUEUE_H
#define BOBBIND_QUEUE_H

#include "coord/coord.h"

enum task_state {
    TASK_DELAYED,
    TASK_READY,
    TASK_RUNNING,
    TASK_SUCCEEDED,
    TASK_FAILED,
    TASK_CANCELLED,
    TASK_STATES_
};
extern const char *const task_state_name[TASK_STATES_];

/* A text that is never changed, shared by reference: results are not copied under the state lock. */
struct blob {
    _Atomic int refs;
    size_t len;
    char text[]; /* NUL-terminated */
};
struct blob *blob_new(const char *text, size_t len); /* one reference; NULL: no memory */
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b); /* NULL is allowed */

enum {
    TASK_ID_LEN = 24,
    KIND_MAX_LEN = 31,
    ARGS_MAX = 64 * 1024,
    RESULT_MAX = 256 * 1024,
    UNIT_MAX_LEN = 15,
    MESSAGE_MAX_LEN = 200,
    CODE_MAX_LEN = 47
};

/* "t17" for 17, and back; 0: not such a name. */
void task_id(char ret_id[TASK_ID_LEN], uint64_t number);
uint64_t task_number(const char *id);

struct executor_terms {
    int64_t max_workers; /* 1 ... task_threads */
    int64_t max_queue;   /* tasks not finished, at most */
    int64_t timeout_ns;  /* of each run; 0: none */
    int64_t retries;     /* of a run that failed */
};
struct executor_view {
    char name[NAME_MAX_LEN + 1];
    uint64_t
        rev; /* of the last change of its terms or of any of its tasks: the counts below are part of it */
    bool made;
    struct executor_terms terms;
    int64_t ready, delayed, running, succeeded, failed, cancelled;
    moment oldest; /* since when the oldest ready one waits; 0: none */
};
/* The same terms again write nothing. */
enum why executor_put(struct coord *c, moment now, const char *name, const struct executor_terms *t,
                      struct executor_view *ret,
                      struct ask *a); /* WHY_INVALID: max_workers above task_threads */
enum why executor_show(struct coord *c, moment now, const char *name, struct executor_view *ret,
                       struct ask *a);
bool executor_exists(struct coord *c, const char *name); /* at this moment, durable or not */
enum why executor_list(struct coord *c, moment now, const char *after, struct executor_view *rows,
                       size_t cap, size_t *ret_n, struct ask *a);
/* WHY_CONFLICT: it has tasks that are not finished */
enum why executor_delete(struct coord *c, moment now, const char *name, struct ask *a);

struct submission {
    const char *kind;
    const char *args; /* JSON object, checked */
    int64_t priority; /* lower runs first; default 0 */
    int64_t delay_ns;
    int64_t timeout_ns; /* 0: the executor's */
};
/* WHY_OK outcome.task | WHY_NOT_FOUND no such executor | WHY_TOO_MANY max_queue or max_tasks | WHY_NO_MEMORY
 * max_task_memory, or none at all.  Tasks that are over make room for others: the oldest is forgotten first. */
enum why task_submit(struct coord *c, moment now, const char *executor, const struct submission *s,
                     struct ask *a);

struct task_view {
    uint64_t number, rev;
    char executor[NAME_MAX_LEN + 1], kind[KIND_MAX_LEN + 1];
    enum task_state state;
    bool cancelling;
    int64_t attempts, failures, interrupted; /* runs begun; of these, failed; ended by a crash */
    int64_t priority;
    int64_t created_ms, run_at_ms, started_ms, finished_ms; /* wall; 0: not yet */
    char worker[32];
    int64_t done, total; /* progress; total -1: unknown, done -1: none told */
    char unit[UNIT_MAX_LEN + 1], message[MESSAGE_MAX_LEN + 1];
    char error_code[CODE_MAX_LEN + 1],
        error_message[MESSAGE_MAX_LEN +
                      1]; /* of the last run that failed; "" when it succeeded after all */
    struct blob *args,
        *result; /* JSON, a reference each, or NULL; only from task_wait: task_view_free */
};
void task_view_free(struct task_view *v); /* gives the references back; not the view itself */

/* Shows a task.  @wait_ns > 0: once it has finished, or as it is when the wait ends.  WHY_NOT_FOUND.
 * *ret is filled before the outcome is told; it must live as long as @a, and is task_view_free's whatever the outcome. */
enum why task_wait(struct coord *c, moment now, uint64_t number, int64_t wait_ns,
                   struct task_view *ret, struct ask *a);
struct task_filter {
    int state;            /* -1: any */
    const char *executor; /* "": any */
    uint64_t before;      /* only those of lower numbers; 0: from the newest */
};
/* Newest first.  Looks at no more than 256 tasks a step: *ret_next is where to go
 * on (0: the end), and fewer than @cap rows do not mean the end. */
enum why task_list(struct coord *c, moment now, const struct task_filter *filter,
                   struct task_view *rows, size_t cap, size_t *ret_n, uint64_t *ret_next,
                   struct ask *a);
/* A ready or delayed one is cancelled; a running one is told to (its state changes when it has stopped).
 * WHY_CONFLICT: finished. */
enum why task_cancel(struct coord *c, moment now, uint64_t number, struct ask *a);

/* ---- the hands' side (work/hands.c) ---- */

struct claim { /* malloc'd; the receiver gives it to claim_free */
    uint64_t number;
    int64_t attempt; /* 1 for the first run; names this run */
    int64_t timeout_ns;
    char executor[NAME_MAX_LEN + 1], kind[KIND_MAX_LEN + 1];
    int64_t max_workers; /* of the executor, now */
    struct blob *args;   /* JSON object */
};
void claim_free(struct claim *claim);

/* Both are called with no lock held.  run: the claim is durable.  cancel: a running one shall stop, soon. */
struct hands {
    void (*run)(void *arg, struct claim *claim);
    void (*cancel)(void *arg, uint64_t number);
    void *arg;
};
void coord_set_hands(struct coord *c, const struct hands *h); /* before coord_start */

#define RETRY_ASKED_MOST (3600 * NS_PER_SECOND)
struct task_end {
    enum task_state
        state; /* TASK_SUCCEEDED, TASK_FAILED or TASK_CANCELLED; TASK_READY: put back (the server stops) */
    struct blob *result;        /* JSON, when succeeded; the reference is taken over */
    const char *code, *message; /* when failed */
    bool retry;                 /* when failed: another attempt may help */
    int64_t retry_after_ns;     /* and it shall not begin sooner; RETRY_ASKED_MOST counts at most */
};
/* The run @attempt of @number is over.  One that is no longer running under that attempt is ignored. */
void task_finish(struct coord *c, moment now, uint64_t number, int64_t attempt,
                 const struct task_end *end);
/* At most a few times a second, please: each takes the state lock.  Not durable. */
void task_progress(struct coord *c, uint64_t number, int64_t attempt, int64_t done, int64_t total,
                   const char *unit, const char *message, const char *worker);

#endif
