/* coord.h - the state of the server: every named object under one lock, and the one who asked.
 *
 * Each call below is a step: it takes the state lock, ends what is due by the `now` it was
 * given, decides with that `now`, changes memory, appends to the journal, and leaves an outcome
 * in the ask.  It returns
 *
 *   WHY_PENDING   the outcome comes later: ask->tell is called once (perhaps before the step has returned), on some other
 *                 thread, with no lock held; the step's caller touches the ask no more until then
 *   anything else the outcome is in the ask already (outcome.why is the same): answer now
 *
 * No dirty outcomes: an outcome is told only when every change it depends on is durable; one that stands in a line is told when
 * it is granted and that grant is durable, or when its wait ends, its client leaves or the server drains.
 *
 * Order:   every line is first come, first served.
 * Threads: all calls from any thread.
 * Locks:   L_STATE inside; nothing slow happens under it, and no step touches more than 256 objects.
 * Memory:  texts given in are copied when they are kept; an ask belongs to its caller, and lives until it is told.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_COORD_H
#define BOBBIND_COORD_H

#include "base/clock.h"
#include "base/fault.h"
#include "store/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct coord;

enum { NAME_MAX_LEN = 200, OWNER_MAX_LEN = 200, STEP_OBJECTS_MAX = 256, LINE_SHOWN_MAX = 100 };
#define WHOLE_MAX INT64_C(9007199254740991) /* 2^53-1: what every JSON reader holds exactly */
#define TTL_LEAST (100 * NS_PER_MS)
#define TTL_MOST (NS_PER_SECOND * 24 * 3600)
#define TTL_DEFAULT (30 * NS_PER_SECOND)
#define CONFIRM_MOST (NS_PER_SECOND * 3600)
#define WAIT_MOST (600 * NS_PER_SECOND)

/* ---- what an outcome says: plain data ---- */

struct grant_view { /* WHY_OK of acquire and renew */
    uint64_t token;
    int64_t permits;
    moment expires_at;
    int64_t waited_ns;
    char owner[OWNER_MAX_LEN + 1];
};
struct held_view {  /* WHY_LOCK_HELD of acquire */
    uint64_t token; /* 0: no holder (permits are free, but too few) */
    char owner[OWNER_MAX_LEN + 1];
    int64_t since_ms; /* wall */
    moment expires_at;
    int64_t free, value; /* of a semaphore */
    int64_t
        position; /* the place it had, 1 is the head; when it did not wait: the one it would have had */
    int64_t waiters; /* others in the line */
};
struct counter_view {
    uint64_t rev;
    int64_t value;
};
struct semaphore_view { /* of PUT */
    uint64_t rev;
    int64_t value, free;
    bool bounded, made; /* made: it was not there before */
};
/* How a hold ended, as far as that is remembered: of some thousands, and not over a restart. */
enum ended_by { ENDED_UNKNOWN, ENDED_BY_RELEASE, ENDED_BY_EXPIRY, ENDED_BY_DELETE };
struct released_view {
    int64_t free; /* permits free after it (0 when it went to the next in line) */
};
struct outcome {
    enum why why;
    enum why
        decided; /* what why was, if it is WHY_OUTCOME_UNKNOWN now: a grant may be there that nobody hears of */
    uint64_t seq; /* the highest sequence it depends on; 0: none */
    union {
        struct grant_view grant;
        struct held_view held;
        struct counter_view counter;
        struct semaphore_view semaphore;
        struct released_view released;
        enum ended_by
            ended;     /* WHY_NOT_HOLDER: what became of the token's hold of this very object */
        uint64_t task; /* number of the task; name it with task_id */
    };
};

/* A moment at which something is due; embedded in what waits for it, served by the deadline thread. */
struct deadline {
    moment at;
    size_t index; /* private: place in the heap + 1; 0: not set */
    /* Called under the state lock, no longer in the heap; a step of its own. */
    void (*due)(struct coord *c, struct deadline *d, moment now);
};

/* What an object must be for a change to go in (RFC 9110, 13.1); judged in the steps of PUT and
 * DELETE, which end in WHY_CHANGED when it is not so. */
enum { CONDITION_REVS_MAX = 4 };
struct condition {
    bool asked; /* false: it goes in whatever the object is */
    bool match; /* If-Match: its rev is one of these; else If-None-Match: none of them */
    bool any;   /* `*`: whatever is there */
    int n;
    uint64_t rev[CONDITION_REVS_MAX];
};

struct line;
struct ask {
    void (*tell)(
        struct ask *
            a); /* set by the caller before the step; the rest is zeroed once, at birth, not between steps */
    const struct condition *condition; /* of a step that changes or removes; NULL: none */
    struct outcome outcome;
    uint64_t
        ticket; /* set by a step that returns WHY_PENDING: names this asking for ask_leave; never 0 */
    bool lined_up; /* it has stood in a line: not only its commit was waited for */
    /* private */
    struct pledge pledge_;
    struct coord *coord_;
    struct ask *next_told_;
    struct line *line_; /* the line it stands in; NULL: in none */
    struct ask *prev_, *next_;
    uint64_t arrival_; /* the how-manyth it was in that line */
    struct deadline until_;
    moment since_;
    void *
        ret_; /* where task_wait shows the task; the hold kept ready for one who waits for permits */
};

/* ---- the whole ---- */

struct coord_options {
    int64_t max_waiters, max_waiters_per_object, max_objects, max_tasks;
    int64_t max_task_memory; /* bytes of arguments and results */
    int64_t task_threads;
    int64_t result_ttl_ns;
};

enum why coord_new(struct coord **ret, const struct coord_options *o, struct fault *f);
store_load_fn coord_load; /* for store_recover; arg is the coord */
enum why
coord_start(struct coord *c, struct journal *j, moment now,
            struct fault *f); /* leases anew, tasks back to ready; starts the deadline thread */
void coord_drain(
    struct coord
        *c); /* every waiter is told WHY_DRAINING, every later one at once; claims no more tasks */
/* Tasks that run, and requests that were admitted and work: after coord_drain it only falls, and a stop waits for it. */
int64_t coord_working(struct coord *c);
void coord_stop(struct coord *c); /* joins the deadline thread */
void coord_free(struct coord *c);
int64_t coord_deadline_beat(
    const struct coord *c); /* how often the deadline thread went round: it does so each second */

/* The client of @a left: takes it out of its line, if it is still the asking @ticket and stands in one; it is told WHY_GONE. */
void ask_leave(struct coord *c, struct ask *a, uint64_t ticket);

/* ---- locks and semaphores: one mechanism, a lock is a semaphore of one ---- */

enum hold_kind { HOLD_LOCK, HOLD_SEMAPHORE };
struct want {
    const char *owner; /* "" when not given */
    int64_t permits;   /* 1 for a lock */
    int64_t ttl_ns, wait_ns;
    int64_t confirm_ns; /* the lease until the first renew, at most ttl_ns; 0: ttl_ns */
};
/* WHY_OK grant | WHY_LOCK_HELD held | WHY_TOO_MANY waiters, objects or, of semaphores, holds |
 * WHY_INVALID permits above the semaphore's value, unless that is 0 | WHY_NOT_FOUND no such
 * semaphore: it is made by PUT (a lock is made by its first acquire).  One that waits and wants
 * more than the value is lowered to (but to 0, a pause) is told WHY_INVALID by that PUT. */
enum why hold_acquire(struct coord *c, moment now, enum hold_kind kind, const char *name,
                      const struct want *want, struct ask *a);
/* WHY_OK grant, confirmed from now on | WHY_NOT_HOLDER.  @ttl_ns 0: the one it has. */
enum why hold_renew(struct coord *c, moment now, enum hold_kind kind, const char *name,
                    uint64_t token, int64_t ttl_ns, struct ask *a);
/* WHY_OK released | WHY_NOT_HOLDER */
enum why hold_release(struct coord *c, moment now, enum hold_kind kind, const char *name,
                      uint64_t token, struct ask *a);
/* The same for a grant nobody was told of: waits for nothing, tells nobody. */
void hold_give_back(struct coord *c, moment now, enum hold_kind kind, const char *name,
                    uint64_t token);
/* DELETE of a lock ends its hold, which outcome.held shows (token 0: there was none), and the next in line has it; of a
 * semaphore: forgets it (held.value: its last one), if nobody holds or waits (WHY_CONFLICT).
 * WHY_NOT_FOUND */
enum why hold_delete(struct coord *c, moment now, enum hold_kind kind, const char *name,
                     struct ask *a);
/* WHY_OK semaphore.  0 is a pause: nobody gets any, and who waits stays in line.  Raising @value serves the line, in further steps if it is long; lowering it below what is held takes nothing
 * away: free is 0 until releases have caught up.  The same again writes nothing.  @bounded says whether a release without a hold may exceed value (kept for later). */
enum why semaphore_put(struct coord *c, moment now, const char *name, int64_t value, bool bounded,
                       struct ask *a);

struct holder_view {
    uint64_t token;
    int64_t permits;
    int64_t since_ms; /* wall: of the grant, kept over a restart */
    moment expires_at;
    char owner[OWNER_MAX_LEN + 1];
};
struct waiter_view {
    int64_t position, permits;
    moment since;
    char owner[OWNER_MAX_LEN + 1];
};
struct hold_view { /* a lock or a semaphore, shown whole */
    char name[NAME_MAX_LEN + 1];
    uint64_t rev;
    bool bounded;
    int64_t value, free, holders, waiters;
    int holders_shown, waiters_shown;
    struct holder_view holder[LINE_SHOWN_MAX];
    struct waiter_view waiter[LINE_SHOWN_MAX];
};
/* WHY_OK (*ret filled) | WHY_NOT_FOUND */
enum why hold_show(struct coord *c, moment now, enum hold_kind kind, const char *name,
                   struct hold_view *ret, struct ask *a);

struct hold_row { /* one line of a list */
    char name[NAME_MAX_LEN + 1];
    uint64_t rev;
    int64_t value, free, waiters;
    struct holder_view holder; /* the oldest; token 0: none */
};
/* Up to @cap rows in the order of names, after @after ("" from the start); fewer than @cap: the end. */
enum why hold_list(struct coord *c, moment now, enum hold_kind kind, const char *after,
                   struct hold_row *rows, size_t cap, size_t *ret_n, struct ask *a);

/* ---- counters ---- */

enum why counter_add(struct coord *c, moment now, const char *name, int64_t n,
                     struct ask *a); /* WHY_OUT_OF_RANGE */
enum why counter_set(struct coord *c, moment now, const char *name, int64_t value, struct ask *a);
/* WHY_CONFLICT: it is not @expected; outcome.counter says what it is */
enum why counter_compare_and_set(struct coord *c, moment now, const char *name, int64_t expected,
                                 int64_t value, struct ask *a);
enum why counter_get(struct coord *c, const char *name,
                     struct ask *a); /* one never touched: WHY_NOT_FOUND */
enum why counter_delete(struct coord *c, moment now, const char *name, struct ask *a);

struct counter_row {
    char name[NAME_MAX_LEN + 1];
    uint64_t rev;
    int64_t value;
};
enum why counter_list(struct coord *c, const char *after, struct counter_row *rows, size_t cap,
                      size_t *ret_n, struct ask *a);

/* ---- admission: a semaphore without a name, of parked requests ---- */

/* The request pool's gate: WHY_OK admitted | WHY_BUSY not within @wait_ns.  admit_leave for each WHY_OK. */
enum why admit_enter(struct coord *c, moment now, int64_t wait_ns, struct ask *a);
void admit_leave(struct coord *c);
void admit_resize(struct coord *c, int64_t permits); /* before the first enter */

/* ---- what changed, for event streams ---- */

enum topic { TOPIC_LOCK, TOPIC_SEMAPHORE, TOPIC_COUNTER, TOPIC_EXECUTOR, TOPIC_TASK, TOPIC_COUNT_ };
struct changed {
    enum topic topic;
    bool gone;
    char name[NAME_MAX_LEN + 1];
};
/* Names of up to @cap (64 or more; 256 are looked at in a step) objects that changed after *at, oldest change first, or, from 0
 * on, of every object there is, in no order; moves *at, whose bits mean nothing outside.  *ret_more: call again at once.  WHY_CONFLICT: *at is older than what is remembered: start again from 0.
 * The outcome waits, like all, until what it tells of is durable. */
enum why coord_changes(struct coord *c, uint64_t *at, struct changed *rows, size_t cap,
                       size_t *ret_n, bool *ret_more, struct ask *a);
/* Differs from what it was when anything a client can see has changed since, progress too; lock-free.  It does not count
 * changes: those between two looks may share a stamp. */
uint64_t coord_stamp(struct coord *c);

#endif
