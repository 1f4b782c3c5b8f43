/* state.h - what the files of coord share: the state, a step's beginning and end, and what a step leaves behind.
 *
 *     state_lock(c);
 *     if (!(why = state_begin(c, GROWS, 512))) {     // room in the journal, or the fault
 *         ... decide, change, state_append ...
 *         a->outcome.why = WHY_OK;
 *         a->outcome.seq = object->rev;
 *         why = state_settle(c, a);                 // WHY_PENDING when that is not durable yet
 *     }
 *     state_unlock(c);                              // then: arms the timer, calls hands, tells those told without waiting
 *
 * Private to coord/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_STATE_H
#define BOBBIND_STATE_H

#include "base/lockorder.h"
#include "coord/coord.h"
#include "coord/queue.h"
#include "coord/table.h"

#include <bobbin/thread.h>
#include <bsd/sys/tree.h>
#include <stdatomic.h>
#include <stddef.h>

/* The struct that @member at @ptr is embedded in. */
#define STRUCT_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* ---- lines (line.c) ---- */

struct line_rules {
    /* Grants what can be granted from the head on; called whenever the head may have changed. */
    void (*serve)(struct coord *c, struct line *l, moment now);
    /* @a's wait is over and it is no longer in the line.  outcome.why says how: WHY_OK, it timed out: writes its outcome;
     * WHY_GONE or WHY_DRAINING: leaves the outcome as it is.  Frees what was kept for @a.  @position: the place it had; 0: not
     * counted.  Does not tell. */
    void (*give_up)(struct coord *c, struct line *l, struct ask *a, int64_t position, moment now);
};
struct line {
    const struct line_rules *rules;
    struct ask *first, *last;
    struct ask
        *look; /* where a walk over the line goes on in a further step; NULL: there is none */
    int64_t len;
    uint64_t arrivals; /* places ever given */
};
/* Stands @a at the end until now + @wait_ns and gives it a ticket.  WHY_PENDING | WHY_TOO_MANY | WHY_DRAINING | WHY_NO_MEMORY.  The caller
 * has filled ret_. */
enum why line_join(struct coord *c, struct line *l, struct ask *a, moment now, int64_t wait_ns)
    BOB_HOLDS(L_STATE);
/* Takes @a out of its line (to be granted, or given up); does not serve. */
void line_leave(struct coord *c, struct ask *a) BOB_HOLDS(L_STATE);
/* 1 is the head.  Exact up to LINE_SHOWN_MAX; beyond that it may count some who stood before @a and have left. */
int64_t line_position(const struct ask *a) BOB_HOLDS(L_STATE);
/* Tells them from the head on that their wait is over for @why (WHY_NOT_FOUND, WHY_CANCELLED ...): give_up sees it.  Returns
 * whether some are left: as many as the step may touch are told. */
bool line_send_away(struct coord *c, struct line *l, enum why why, moment now) BOB_HOLDS(L_STATE);

/* ---- objects (names.c) ---- */

/* The head of every named thing; each kind's struct begins with one. */
struct object {
    struct table_node in_table;           /* names.c: all topics in one table */
    RB_ENTRY(object) by_name;             /* all of one topic, in the order of names */
    struct object *idle_prev, *idle_next; /* names.c: the idle ones of its topic */
    moment idle_since; /* since when it equals its default with nobody in line; 0: it does not */
    uint64_t stamp;    /* of its last visible change */
    uint64_t rev;      /* sequence of its last change */
    enum topic topic;
    struct line line; /* every waiter stands in the line of an object, or in the admission's */
    char *name;       /* in the same allocation, behind the kind's struct */
};
struct topic_rules {
    const char *name; /* in the journal: never changed */
    size_t size;      /* of its struct */
    const struct line_rules *line;
    /* It is as one that was never touched, which has no record: collected when idle for 10 min,
     * or at once when max_objects is met, for nobody made it on purpose.  NULL: it stays until
     * it is deleted. */
    bool (*is_default)(const struct object *o);
    bool (*begin)(struct coord *c,
                  struct object *o); /* a new one; false: no memory; NULL: nothing to do */
    void (*end)(struct coord *c, struct object *o); /* frees what it owns; NULL: nothing */
    /* One record of it, at recovery; NULL: there can be none. */
    enum why (*load)(struct coord *c, struct object *o, const void *record, size_t len,
                     struct fault *f);
};
extern const struct topic_rules lock_rules, semaphore_rules, counter_rules, executor_rules,
    task_rules;
extern const struct topic_rules *const topic_rules[TOPIC_COUNT_]; /* topics.c: the one table */
/* How a sentence of a loader ends that says what the store holds and cannot be: with what to do. */
#define PUT_A_BACKUP                                                                               \
    ": put a backup of the data folder in its place; this start is refused, so that nothing is "   \
    "lost"
/* For loaders: @tag is none they know.  WHY_OK: to be skipped; a capital may not be (WHY_INTERNAL: of a newer version). */
enum why topic_unknown_tag(char tag, const char *kind, const char *name, struct fault *f);

struct object *names_find(struct coord *c, enum topic t, const char *name) BOB_HOLDS(L_STATE);
/* Made zeroed, with name and topic, and counted; at max_objects (tasks are not counted there)
 * the longest idle one goes for it.  NULL: WHY_NO_MEMORY or, if there is none such, WHY_TOO_MANY
 * (*ret_why says which). */
struct object *names_make(struct coord *c, enum topic t, const char *name, enum why *ret_why)
    BOB_HOLDS(L_STATE);
/* Says that @o now equals its default with nobody in line, or that it does not: for collection after 10 minutes, or before
 * if room is wanted. */
void names_idle(struct coord *c, struct object *o, moment now) BOB_HOLDS(L_STATE);
void names_busy(struct coord *c, struct object *o) BOB_HOLDS(L_STATE);
/* Collects what has been idle long enough, a step's worth; true: there is more. */
bool names_collect(struct coord *c, moment now) BOB_HOLDS(L_STATE);
/* Takes it out, remembers that it is gone for the streams, calls end, frees.  Nobody may stand in its line.  The record of
 * its end, if it had records, is appended before: state_append(c, o, NULL, 0). */
void names_remove(struct coord *c, struct object *o) BOB_HOLDS(L_STATE);
struct object *names_after(struct coord *c, enum topic t, const char *name)
    BOB_HOLDS(L_STATE); /* the first above @name */
struct object *names_next(struct object *o) BOB_HOLDS(L_STATE);
int64_t names_count(struct coord *c, enum topic t) BOB_HOLDS(L_STATE);
/* Every object, one bucket after another; *bucket starts at 0.  Returns the bucket's first node (NULL: an empty one) and
 * moves on; false when there are no more.  Objects made or moved meanwhile are met too, or met again; none is missed. */
bool names_walk(struct coord *c, size_t *bucket, struct table_node **ret_first) BOB_HOLDS(L_STATE);
enum why names_new(struct coord *c);
void names_free(struct coord *c); /* all objects too */

/* ---- deadlines (deadline.c) ---- */

/* Room for one more in the heap is made when something is made that may need it: WHY_NO_MEMORY then, never later.  Whoever
 * asked for room gives it back when that thing is freed. */
enum why deadline_room(struct coord *c) BOB_HOLDS(L_STATE);
void deadline_room_back(struct coord *c) BOB_HOLDS(L_STATE);
void deadline_set(struct coord *c, struct deadline *d, moment at)
    BOB_HOLDS(L_STATE); /* or moves it */
void deadline_clear(struct coord *c, struct deadline *d)
    BOB_HOLDS(L_STATE); /* one not set: nothing */
/* Serves the first that is due by @now, in the step at hand; false: nothing is. */
bool deadline_step(struct coord *c, moment now) BOB_HOLDS(L_STATE);
/* Serves what is due at @now, one a step, collects what has long been idle, and returns the next moment, 0: none.  The
 * thread's round, and the tests'. */
moment deadline_serve(struct coord *c, moment now) BOB_NOT_HOLDING(L_STATE);
enum why deadline_start(struct coord *c, struct fault *f);
void deadline_stop(struct coord *c);
void deadline_arm(struct coord *c)
    BOB_NOT_HOLDING(L_STATE); /* sets the timer to armed_at, whatever that is by now */
enum why heap_new(struct coord *c);
void heap_free(struct coord *c);

/* ---- steps (state.c) ---- */

struct names;
struct heap;
struct holds;
struct queues;
struct changes;

/* What is to be called once the lock is free again; embedded, not to be left twice before it was called. */
struct after {
    struct after *next;
    void (*call)(struct coord *c, struct after *after);
};

struct coord {
    struct bob_lock lock; /* class L_STATE */
    struct coord_options options;
    struct hands hands;
    struct journal *journal;
    struct bob_thread *deadline_thread;
    int timer_fd, wake_fd;
    _Atomic int64_t deadline_beats;
    _Atomic uint64_t stamp; /* written under the lock, read by anyone */
    _Atomic uint64_t seen;  /* changes.c: the highest stamp anybody was given */

    struct names *names BOB_GUARDED_BY(L_STATE);   /* names.c */
    struct heap *heap BOB_GUARDED_BY(L_STATE);     /* deadline.c */
    struct holds *holds BOB_GUARDED_BY(L_STATE);   /* hold.c: by token */
    struct queues *queues BOB_GUARDED_BY(L_STATE); /* queue.c: running, in turn */
    struct changes *
        changes BOB_GUARDED_BY(L_STATE); /* changes.c: the last 65,536 changes and removals */
    struct line admission BOB_GUARDED_BY(L_STATE); /* admit.c */
    int64_t admitted BOB_GUARDED_BY(L_STATE);
    int64_t admission_permits BOB_GUARDED_BY(L_STATE);
    int64_t waiters BOB_GUARDED_BY(L_STATE);
    uint64_t tickets BOB_GUARDED_BY(L_STATE);
    uint64_t removed_rev BOB_GUARDED_BY(
        L_STATE); /* highest rev of a removed object: what "there is none" depends on */
    bool draining BOB_GUARDED_BY(L_STATE);

    int budget BOB_GUARDED_BY(L_STATE); /* objects the step at hand may still touch */
    /* what the step at hand leaves for after the lock */
    struct ask *told_first BOB_GUARDED_BY(L_STATE);
    struct ask *told_last BOB_GUARDED_BY(L_STATE);
    struct after *after_first BOB_GUARDED_BY(L_STATE);
    struct after *after_last BOB_GUARDED_BY(L_STATE);
    bool arm BOB_GUARDED_BY(L_STATE); /* an earlier deadline came */
    _Atomic moment
        armed_at; /* what the timer is, or is about to be, set to; 0: nothing; written under the lock */
};

void state_lock(struct coord *c) BOB_ACQUIRES(L_STATE);
/* The same for a step at @now, before which everything that is due by then is served, in steps
 * of its own: a hold, a wait or a delay that is over by the clock is over for the step, whoever
 * comes first, the deadline thread or this one.  What the journal refuses just now is looked at
 * again later; but a lease that is over is never renewed or released. */
void state_lock_at(struct coord *c, moment now) BOB_ACQUIRES(L_STATE);
void state_unlock(struct coord *c) BOB_RELEASES(L_STATE);

/* A loop of a step over objects or places in line asks this before it touches one more: all that one step does shares
 * STEP_OBJECTS_MAX.  False: what is left is for a further step. */
static inline bool
state_spend(struct coord *c) BOB_HOLDS(L_STATE)
{
    if (c->budget == 0)
        return false;
    c->budget--;
    return true;
}

enum { GIVES_BACK = 0, GROWS = 1 };
/* Asks the journal's leave: see journal_reserve. @bytes: of the records to come, beyond 64 KiB that are always there. */
enum why state_begin(struct coord *c, bool grows, size_t bytes) BOB_HOLDS(L_STATE);
/* Appends the record of @o (NULL: gone), and makes its sequence the rev of @o. */
uint64_t state_append(struct coord *c, struct object *o, const void *record, size_t len)
    BOB_HOLDS(L_STATE);
/* @o changed in what a client can see (state_append says so itself).  changes.c */
void state_touch(struct coord *c, struct object *o) BOB_HOLDS(L_STATE);

/* Notes @seq as the last change of @o, and that a client can see it: for changes whose record is not @o's own. */
void state_changed(struct coord *c, struct object *o, uint64_t seq) BOB_HOLDS(L_STATE);

/* An outcome that depends on nothing: for what state_begin, names_make or line_join refused. */
static inline enum why
state_refuse(struct ask *a, enum why why)
{
    a->outcome.seq = 0;
    return a->outcome.why = a->outcome.decided = why;
}
/* Whether the condition of @a lets an object with @rev (0: there is none) be changed. */
bool state_allows(const struct ask *a, uint64_t rev);
/* The outcome of the ask whose step this is: durable already, outcome.why; else WHY_PENDING, told once it is. */
enum why state_settle(struct coord *c, struct ask *a) BOB_HOLDS(L_STATE);
/* The same, for "there is no such thing". */
enum why state_settle_missing(struct coord *c, struct ask *a) BOB_HOLDS(L_STATE);
/* The outcome of somebody else's ask, decided in this step: told once it is durable, or after this step. */
void state_tell(struct coord *c, struct ask *a) BOB_HOLDS(L_STATE);
/* @after is called once the lock is free, before those are told that this step tells. */
void state_after(struct coord *c, struct after *after) BOB_HOLDS(L_STATE);

/* coord_start without the deadline thread: for tests, which call deadline_serve with a `now` of their own. */
enum why state_start(struct coord *c, struct journal *j, moment now, struct fault *f);

/* ---- the other parts of coord_new, coord_start and coord_free ---- */

enum why changes_new(struct coord *c);
void changes_free(struct coord *c);
void changes_gone(struct coord *c, struct object *o) BOB_HOLDS(L_STATE); /* names_remove says so */
enum why holds_new(struct coord *c);
enum why holds_start(struct coord *c, moment now, struct fault *f)
    BOB_HOLDS(L_STATE); /* leases anew */
void holds_free(struct coord *c);
enum why queues_new(struct coord *c); /* queue.c */
enum why queues_start(struct coord *c, moment now, struct fault *f)
    BOB_HOLDS(L_STATE);            /* tasks back to ready; c->journal is there */
void queues_free(struct coord *c); /* before the objects are freed */

extern const struct line_rules admission_rules; /* admit.c */

#endif
