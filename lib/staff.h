/* staff.h - the inside of an executor: the works that wait, and the workers who take them.
 *
 * Works are put into the ring under the lock and taken without it.  A worker that finds none says so under the lock,
 * by joining `idle`, and sleeps; who puts a work there wakes one, unless one is on its way already (`waking`).  That
 * one takes the lock and a work, and wakes the next if more wait.  So many small works cost few wakes, who submits pays
 * for one at most, and the kernel, which likes to put what is woken beside the waker, finds him asleep by the second:
 * two woken by one submitter shared a processor for milliseconds.  Whenever the lock is free, no work waits, or one
 * is on its way, or none is idle.
 *
 * How many works are unfinished is the ring's tail less the sum of what each worker has finished: one number for each,
 * written by that worker alone, so that a work costs no write that two threads share but the ring's head.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_STAFF_H
#define BOB_STAFF_H

#include <bobbin/condition.h>
#include <bobbin/executor.h>
#include <bobbin/thread.h>

#include "list.h"
#include "lockorder.h"
#include "parking.h"
#include "ring.h"

struct bob_worker {
    struct bob_list in_workers; /* or in ended */
    struct bob_list in_idle;    /* while it is there, it sleeps or is about to */
    struct bob_executor *executor;
    struct bob_thread *thread;
    struct bob_parker parker;
    unsigned number;    /* in its name; smallest that was free */
    uint64_t tail_seen; /* of the ring; its own */
    char apart[BOB_CACHE_LINE];
    uint64_t finished; /* atomic: how many works; written by it alone */
    char apart_too[BOB_CACHE_LINE];
};

struct bob_executor {
    struct bob_executor_options options;
    char name[BOB_THREAD_NAME_MAX + 1];
    bool look_up;      /* atomic: workers should look at what is below before they take */
    bool is_burst;     /* atomic; written under the lock: a submit may find a block in the slab */
    size_t room_wants; /* atomic; likewise: submits that wait for room */
    struct bob_ring ring;              /* put under the lock, which lies on a line with its tail */
    struct bob_lock lock;              /* class L_EXECUTOR */
    struct bob_condition worker_ended; /* signalled when one moves to ended */
    struct bob_condition room;         /* signalled when a work is finished, and at the end */

    struct bob_slab *slab BOB_GUARDED_BY(L_EXECUTOR); /* with blocks left; NULL: none */
    unsigned max_workers BOB_GUARDED_BY(L_EXECUTOR);
    unsigned threads BOB_GUARDED_BY(L_EXECUTOR);         /* that will take more work */
    unsigned n_idle BOB_GUARDED_BY(L_EXECUTOR);          /* length of idle */
    unsigned waking BOB_GUARDED_BY(L_EXECUTOR);          /* were idle, and are on their way */
    bool shut_down BOB_GUARDED_BY(L_EXECUTOR);           /* never goes back to false */
    bool is_broken BOB_GUARDED_BY(L_EXECUTOR);           /* neither */
    uint64_t finished_before BOB_GUARDED_BY(L_EXECUTOR); /* by those not in workers any more */
    struct bob_list idle BOB_GUARDED_BY(L_EXECUTOR);     /* the last to fall asleep first */
    struct bob_list workers BOB_GUARDED_BY(L_EXECUTOR);  /* by number */
    struct bob_list ended BOB_GUARDED_BY(L_EXECUTOR);    /* to be joined */
    char why_broken[BOB_FAILURE_MESSAGE_MAX + 1];        /* constant once is_broken */
    char where_broken[BOB_FAILURE_ORIGIN_MAX + 1];       /* likewise */
};

/* The executor whose worker the calling thread is; NULL: none. */
extern __thread const struct bob_executor *bob_working_for_
    __attribute__((tls_model("initial-exec")));

/* ---- staff.c: workers ---- */

enum bob_err bob_staff_hire_locked_(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR);

/* Takes one out of idle if works wait and none is on its way: the caller unparks it after the unlock, if it is
 * not NULL. */
struct bob_worker *bob_staff_call_locked_(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR);

/* Wakes all that are idle, to look at what has changed. */
void bob_staff_call_all_locked_(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR);

/* Sets look_up as it should be. */
void bob_staff_look_up_locked_(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR);

/* Joins those that have ended, and so waits for what runs at the very end of a thread: destructors, the hook. */
void bob_staff_reap_(struct bob_executor *x);

/* Joins those of them that are gone, and waits for none: a destructor may want a lock that the caller holds. */
void bob_staff_reap_gone_(struct bob_executor *x);

uint64_t bob_staff_unfinished_locked_(const struct bob_executor *x) BOB_HOLDS(L_EXECUTOR);

/* Takes all that waits, and has each cancelled, or failed with @failure if that is not NULL. */
void bob_staff_drain_(struct bob_executor *x, const struct bob_failure *failure);

/* Runs the work of @f here, finishes @f and gives a reference back. */
void bob_staff_run_(struct bob_future *f);

/* ---- executor.c ---- */

/* Submits @f as bob_executor_submit does, but gives BOB_ERR_FULL whenever it is full, unless it @waits.  On error @f
 * is the caller's. */
enum bob_err bob_executor_put_(struct bob_executor *x, struct bob_future *f, bool waits);

#endif
