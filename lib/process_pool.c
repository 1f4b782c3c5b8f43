/* process_pool.c - an executor whose work is to run one child each; see <bobbin/process.h>.
 *
 * The pool lists the processes it has taken and not finished, so that a cancel can end those that run, and tell the
 * futures of those that wait.  The executor is never asked to cancel: what is dead already passes through it quickly.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <bobbin/lock.h>
#include <bobbin/process.h>
#include <stdlib.h>

#include "list.h"
#include "lockorder.h"
#include "process_handle.h"

struct bob_process_pool {
    struct bob_lock lock; /* class L_PROCESSES */
    struct bob_executor *executor;

    struct bob_list alive BOB_GUARDED_BY(L_PROCESSES);  /* of jobs */
    struct bob_list killed BOB_GUARDED_BY(L_PROCESSES); /* of jobs that a cancel has met */
};

/* One submit.  The executor has it until it has run. */
struct job {
    struct bob_list in_pool; /* alive or killed */
    struct bob_process_pool *pool;
    struct bob_process *process; /* a reference */
};

static void
lock(struct bob_process_pool *pool) BOB_ACQUIRES(L_PROCESSES)
{
    bob_lock_hold(&pool->lock);
}

static void
unlock(struct bob_process_pool *pool) BOB_RELEASES(L_PROCESSES)
{
    (void)bob_lock_release(&pool->lock);
}

static void
job_end(struct job *job)
{
    lock(job->pool);
    bob_list_remove_(&job->in_pool);
    unlock(job->pool);
    bob_process_unref_(job->process);
    free(job);
}

static enum bob_err
job_run(void *arg, void **ret_value)
{
    struct job *job = arg;

    (void)ret_value;
    (void)bob_process_work_(job->process, BOB_FOREVER); /* its future says how it went */
    job_end(job);
    return BOB_OK;
}

struct bob_process_pool *
bob_process_pool_new(const char *name, const struct bob_process_pool_options *options) BOB_UNSHARED
{
    struct bob_executor_options for_executor = {.role = "process"};
    struct bob_process_pool *pool = calloc(1, sizeof *pool);

    if (options) {
        for_executor.max_workers = options->max_children;
        for_executor.max_queue = options->max_queue;
        if (options->role)
            for_executor.role = options->role;
    }
    if (pool)
        pool->executor = bob_executor_new(name, &for_executor);
    if (!pool || !pool->executor) {
        free(pool);
        return NULL;
    }
    bob_lock_init(&pool->lock, LOCK_CLASS(L_PROCESSES));
    bob_list_init_(&pool->alive);
    bob_list_init_(&pool->killed);
    return pool;
}

void
bob_process_pool_free(struct bob_process_pool *pool)
{
    if (!pool)
        return;
    bob_executor_free(pool->executor);
    bob_lock_fini(&pool->lock);
    free(pool);
}

enum bob_err
bob_process_pool_submit(struct bob_process_pool *pool, const struct bob_command *command,
                        struct bob_process **ret_process)
{
    struct job *job = malloc(sizeof *job);
    struct bob_process *p = NULL;
    enum bob_err err = job ? bob_process_new_pooled_(command, &p) : BOB_ERR_NO_MEMORY;

    if (err) {
        free(job);
        return err;
    }
    *job = (struct job){.pool = pool, .process = bob_process_ref_(p)};
    lock(pool);
    bob_list_append_(&pool->alive, &job->in_pool);
    unlock(pool);
    err = bob_executor_submit(pool->executor, job_run, job, NULL);
    if (err)
        job_end(job);
    if (!err && ret_process)
        *ret_process = p;
    else
        bob_process_unref_(p);
    return err;
}

/* The next process that lives, with a reference; NULL: none. */
static struct bob_process *
next_alive(struct bob_process_pool *pool)
{
    struct bob_process *p = NULL;
    struct bob_list *first;

    lock(pool);
    first = bob_list_pop_(&pool->alive);
    if (first) {
        p = bob_process_ref_(BOB_OWNER(first, struct job, in_pool)->process);
        bob_list_append_(&pool->killed, first);
    }
    unlock(pool);
    return p;
}

enum bob_err
bob_process_pool_shut_down(struct bob_process_pool *pool, bool cancel, bob_time deadline)
{
    struct bob_process *p;
    enum bob_err err = BOB_OK;

    if (cancel) { /* first the door, so that no process comes after the last one that is killed */
        err = bob_executor_shut_down(pool->executor, false, BOB_AT_ONCE);
        while ((p = next_alive(pool))) {
            bob_process_kill(p);
            bob_process_unref_(p);
        }
    }
    return err == BOB_ERR_INVALID ? err : bob_executor_shut_down(pool->executor, false, deadline);
}
