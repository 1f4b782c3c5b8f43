/* task.h - what the files of executors share: an executor, a task, and the places where tasks stand.
 *
 * A task stands in exactly one place, the one of its state:
 *
 *   delayed              queues->delayed, by the moment it is due
 *   ready                its executor's ready, by priority, run-at and arrival
 *   running              nowhere: it is counted
 *   over                 queues->over, by age: the oldest is the first to be forgotten
 *
 * task_move is the only way from one to another: it asks the table of life.c, changes the place and the counts, and appends the
 * record.  An executor with something ready and a free hand stands in the turn, from which the task threads are given out.
 *
 *     queue.c    executors, the deadline           claim.c       the turn, claims, their delivery
 *     task.c     submit, show, list, cancel        task_end.c    the end of a run, progress, waiters
 *     place.c    tasks' places                     task_record.c, task_start.c   to the journal and back
 *
 * One deadline serves them all (queues_wake): delayed tasks, results too old to keep, and what a step left over.
 *
 * Private to coord/; everything is guarded by L_STATE.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_TASK_H
#define BOBBIND_TASK_H

#include "coord/life.h"
#include "coord/queue.h"
#include "coord/state.h"

enum {
    CLAIMS_PER_STEP = 64,
    TOLD_PER_STEP = 128,
    FORGOTTEN_PER_STEP = 64,
    INTERRUPTED_MAX = 5, /* so many of its runs ended by a crash, and a task has failed */
};
#define RETRY_FIRST NS_PER_SECOND
#define RETRY_MOST (300 * NS_PER_SECOND)
#define AGAIN_SOON (100 * NS_PER_MS) /* the journal refused: ask it again after this */

RB_HEAD(by_number, task);
RB_HEAD(by_due, task);  /* run_at, number */
RB_HEAD(by_rank, task); /* priority, run_at, number */
RB_HEAD(homes, home);

/* The name of an executor, and how many of its tasks are kept in which state.  It outlives the executor while finished tasks
 * still tell where they ran. */
struct home {
    int refs;
    struct executor *executor; /* NULL: it is gone */
    RB_ENTRY(home) by_name;    /* while loading */
    int64_t count[TASK_STATES_];
    char name[];
};

struct executor {
    struct object object;
    struct home *home;
    struct executor_terms terms;
    uint64_t birth; /* tasks of lower numbers belong to another that had this name before */
    uint64_t seen;  /* the highest sequence of a change of its own or of its tasks */
    struct by_rank ready;
    struct task *oldest, *youngest; /* of those that are ready, by the moment they became so */
    struct executor *turn_prev, *turn_next;
    bool in_turn;
};

struct task {
    struct object object;
    struct executor *executor; /* NULL once it is over */
    struct home *home;
    struct blob *args, *result;
    struct blob *error;   /* code, NUL, message: of the last run that failed, until one succeeds */
    struct blob *message; /* of its progress */
    RB_ENTRY(task) in_all;
    RB_ENTRY(task) in_place;      /* delayed, or ready in its executor */
    struct task *older, *younger; /* ready in its executor, or over */
    struct task *left_next;       /* in queues->left */
    int64_t bytes;                /* counted for it, while it stands in a place */
    bool left;
    bool cancelling; /* a client does not want it any more, but it runs */
    bool delivered;  /* hands->run has been called for this attempt */
    bool
        ended; /* the run is over, as end_state and end_retry say; the journal has refused the record so far */
    bool end_retry;
    int64_t end_retry_after_ns;
    enum task_state end_state;
    enum task_state state;
    uint64_t number;
    moment run_at; /* when delayed: due; when ready: for the order */
    moment since;  /* when ready or over: since when */
    int64_t priority, delay_ns, timeout_ns;
    /* Runs begun, which names the one at hand; how many of them failed, which retries and backoff
     * count; and how many a crash ended.  One that a drain ended is an attempt and nothing else. */
    int64_t attempts, failures, interrupted;
    int64_t created_ms, run_at_ms, started_ms, finished_ms;
    int64_t done, total;
    char kind[KIND_MAX_LEN + 1], unit[UNIT_MAX_LEN + 1], worker[32];
};

struct queues {
    struct deadline wake;
    moment again_at;   /* when to go on with what a step left over; 0: nothing was */
    moment not_before; /* nothing is tried again before this, however long it has been due */
    struct by_number all;
    struct by_due delayed;
    struct task *oldest, *youngest;      /* over */
    struct task *left_first, *left_last; /* whose end, or whose waiters, are not done with */
    struct executor *turn_first, *turn_last;
    int64_t running;
    int64_t bytes, bytes_over; /* arguments and results of all tasks, and of those that are over */
    struct homes homes;        /* while loading: each holds a reference */
    char *record;              /* RECORD_MAX bytes to make a record in */
};
enum { RECORD_MAX = ARGS_MAX + RESULT_MAX + 4096 };

static inline struct task *
task_of(struct object *o)
{
    return (struct task *)(void *)o;
}
static inline struct executor *
executor_of(struct object *o)
{
    return (struct executor *)(void *)o;
}

/* ---- place.c ---- */

void tasks_add(struct queues *q, struct task *t) BOB_HOLDS(L_STATE); /* among all */
struct task *tasks_below(struct queues *q, uint64_t number)
    BOB_HOLDS(L_STATE); /* the newest below; 0: the newest; NULL: none */
struct task *tasks_older(struct task *t) BOB_HOLDS(L_STATE);    /* the next lower number */
struct task *tasks_lowest(struct queues *q) BOB_HOLDS(L_STATE); /* NULL: none */
struct task *tasks_newer(struct task *t) BOB_HOLDS(L_STATE);    /* the next higher number */
struct task *delayed_first(struct queues *q) BOB_HOLDS(L_STATE);
struct task *tasks_find(struct coord *c, uint64_t number) BOB_HOLDS(L_STATE);
/* Whether @more bytes of arguments are too much beside those of all tasks that are not over.  A quarter of the memory is kept
 * for results, which cannot be refused. */
bool tasks_too_big(struct coord *c, size_t more) BOB_HOLDS(L_STATE);
/* There is too much, and a task that is over may go for it. */
bool tasks_overflow(struct coord *c) BOB_HOLDS(L_STATE);
/* Puts @t where its state belongs and counts it, or takes it out. */
void task_enter(struct coord *c, struct task *t, moment now) BOB_HOLDS(L_STATE);
void task_exit(struct coord *c, struct task *t) BOB_HOLDS(L_STATE);
/* The life goes on: @event must be in the table.  Journaled. */
void task_move(struct coord *c, struct task *t, enum task_event event, moment now)
    BOB_HOLDS(L_STATE);
struct task *ready_first(struct executor *x) BOB_HOLDS(L_STATE);
/* Forgets @t, which is over and has nobody in its line. */
void task_forget(struct coord *c, struct task *t) BOB_HOLDS(L_STATE);
struct home *home_new(const char *name); /* one reference */
void home_unref(struct home *h);         /* NULL is allowed */

/* ---- claim.c ---- */

/* Hands out what can be handed out, up to a step's worth. */
void tasks_assign(struct coord *c, moment now) BOB_HOLDS(L_STATE);
/* @x may have become able to give work, or unable: puts it into the turn, or takes it out. */
void turn_update(struct queues *q, struct executor *x) BOB_HOLDS(L_STATE);
/* Tells the hands to stop the run of a task.  Made before the step, for it may fail; NULL: no memory. */
struct cancel_call *cancel_call_new(void);
void cancel_call_leave(struct coord *c, struct cancel_call *call, uint64_t number)
    BOB_HOLDS(L_STATE); /* takes it over */
void cancel_call_free(struct cancel_call *call);

/* ---- task_end.c ---- */

struct blob *task_error(const char *code,
                        const char *message); /* for task->error; NULL: no memory */

/* Tells those who wait for @t, which is over: a step's worth, the rest later. */
void task_tell_waiters(struct coord *c, struct task *t, moment now) BOB_HOLDS(L_STATE);
/* Goes on with the one whose end or whose waiters have waited longest. */
void task_go_on(struct coord *c, moment now) BOB_HOLDS(L_STATE);

/* ---- task.c ---- */

void task_fill(const struct task *t, struct task_view *v)
    BOB_HOLDS(L_STATE); /* without args and result */
void task_fill_whole(const struct task *t, struct task_view *v) BOB_HOLDS(L_STATE);
extern const struct line_rules task_line_rules;

/* ---- task_record.c ---- */

size_t task_record_bound(const struct task *t)
    BOB_HOLDS(L_STATE); /* its record is no longer than this */
void task_append(struct coord *c, struct task *t) BOB_HOLDS(L_STATE);
void executor_append(struct coord *c, struct executor *x) BOB_HOLDS(L_STATE);
/* The counts of @h changed with @seq: its executor, if it is there, shows them. */
void home_changed(struct coord *c, struct home *h, uint64_t seq) BOB_HOLDS(L_STATE);
void homes_drop(struct queues *q); /* loading is over: every task has its home */

/* ---- queue.c ---- */

int64_t executor_unfinished(const struct executor *x) BOB_HOLDS(L_STATE);

/* There is more than a step may do: go on at @at. */
void queues_again(struct queues *q, moment at) BOB_HOLDS(L_STATE);
/* The journal refused a change: go on AGAIN_SOON. */
void queues_refused(struct queues *q, moment now) BOB_HOLDS(L_STATE);
/* Sets the one deadline to the next thing to do: at the end of every step that changed any. */
void queues_wake(struct coord *c) BOB_HOLDS(L_STATE);
/* The outcome of a step that refuses, or that is about what has the sequence @seq. */
enum why queue_settle(struct coord *c, struct ask *a, enum why why, uint64_t seq)
    BOB_HOLDS(L_STATE);

#endif
