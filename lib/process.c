/* process.c - the handle of a process: its command, its future, its end; see <bobbin/process.h>.
 *
 * A kill reaches a process that runs through an eventfd that its watcher polls, and one that does not through a flag;
 * the lock makes it see one or the other.  The future decides who was first, a start or a cancel.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/lock.h>
#include <bobbin/process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "lockorder.h"
#include "process_handle.h"
#include "process_watch.h"
#include "watch.h"

struct bob_process {
    struct bob_lock lock; /* class L_PROCESS */
    int refs;             /* atomic: the owner's, and a pool's */
    bool is_pooled;
    struct bob_program *program;
    struct bob_future *future;
    struct bob_process_result result;        /* once has_result */
    char message[BOB_CHILD_MESSAGE_MAX + 1]; /* once has_message */

    bool begun BOB_GUARDED_BY(L_PROCESS);
    bool kill_asked BOB_GUARDED_BY(L_PROCESS);
    bool has_result BOB_GUARDED_BY(L_PROCESS);
    bool has_message BOB_GUARDED_BY(L_PROCESS);
    int stop_fd BOB_GUARDED_BY(L_PROCESS); /* -1: it does not run */
};

static void
lock(struct bob_process *p) BOB_ACQUIRES(L_PROCESS)
{
    bob_lock_hold(&p->lock);
}

static void
unlock(struct bob_process *p) BOB_RELEASES(L_PROCESS)
{
    (void)bob_lock_release(&p->lock);
}

static enum bob_err
make(const struct bob_command *command, bool is_pooled, struct bob_process **ret_process)
    BOB_UNSHARED
{
    struct bob_process *p;
    enum bob_err err;

    if (!command || !ret_process)
        return BOB_ERR_INVALID;
    p = calloc(1, sizeof *p);
    if (!p)
        return BOB_ERR_NO_MEMORY;
    err = bob_program_new_(command, &p->program);
    p->future = err ? NULL : bob_future_new();
    if (!p->future) {
        free(p->program);
        free(p);
        return err ? err : BOB_ERR_NO_MEMORY;
    }
    bob_lock_init(&p->lock, LOCK_CLASS(L_PROCESS));
    p->refs = 1;
    p->is_pooled = is_pooled;
    p->stop_fd = -1;
    *ret_process = p;
    return BOB_OK;
}

enum bob_err
bob_process_new(const struct bob_command *command, struct bob_process **ret_process)
{
    return make(command, false, ret_process);
}

enum bob_err
bob_process_new_pooled_(const struct bob_command *command, struct bob_process **ret_process)
{
    return make(command, true, ret_process);
}

struct bob_process *
bob_process_ref_(struct bob_process *p)
{
    (void)__atomic_add_fetch(&p->refs, 1, __ATOMIC_SEQ_CST);
    return p;
}

void
bob_process_unref_(struct bob_process *p)
{
    bob_watch_publishes_(&p->refs);
    if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_SEQ_CST) > 0)
        return;
    bob_watch_sees_(&p->refs);
    bob_future_unref(p->future);
    bob_lock_fini(&p->lock);
    free((char *)(uintptr_t)p->result.out.bytes); /* made by our sinks; we alone write to them */
    free((char *)(uintptr_t)p->result.err.bytes);
    free(p->program);
    free(p);
}

void
bob_process_free(struct bob_process *p)
{
    if (!p)
        return;
    bob_process_kill(p);
    bob_process_unref_(p);
}

void
bob_process_kill(struct bob_process *p)
{
    lock(p);
    p->kill_asked = true;
    if (p->stop_fd >= 0)
        (void)eventfd_write(p->stop_fd, 1);
    unlock(p);
    (void)bob_future_cancel(p->future); /* does nothing once it has begun */
}

struct bob_future *
bob_process_future(struct bob_process *p)
{
    return p->future;
}

const struct bob_process_result *
bob_process_result(struct bob_process *p)
{
    bool has_result;

    lock(p);
    has_result = p->has_result;
    unlock(p);
    return has_result ? &p->result : NULL;
}

const char *
bob_process_message(struct bob_process *p)
{
    bool has_message;

    lock(p);
    has_message = p->has_message;
    unlock(p);
    return has_message ? p->message : "";
}

/* ---- a run ---- */

/* True for the first who asks. */
static bool
begin(struct bob_process *p)
{
    bool was_begun;

    lock(p);
    was_begun = p->begun;
    p->begun = true;
    unlock(p);
    return !was_begun;
}

/* From now on a kill writes to @fd; false: there was one before. */
static bool
listen_to_kill(struct bob_process *p, int fd)
{
    bool kill_asked;

    lock(p);
    kill_asked = p->kill_asked;
    p->stop_fd = fd;
    unlock(p);
    return !kill_asked;
}

static void
stop_listening(struct bob_process *p)
{
    int fd;

    lock(p);
    fd = p->stop_fd;
    p->stop_fd = -1;
    unlock(p);
    bob_child_close_(&fd);
}

/* NULL when memory is out.  A sink's bytes have room for the NUL. */
static bool
output_of(struct bob_sink *s, struct bob_process_output *ret)
{
    if (!s->at)
        s->at = calloc(1, 1);
    if (!s->at)
        return false;
    s->at[s->len] = '\0';
    *ret = (struct bob_process_output){s->at, s->len, s->truncated};
    return true;
}

/* Turns @end into the result; its sinks are the result's then. */
static enum bob_err
keep(struct bob_process *p, struct bob_end *end, bob_time began)
{
    struct bob_process_result r = {
        .exit_status = WIFEXITED(end->status) ? WEXITSTATUS(end->status) : -1,
        .signal = WIFSIGNALED(end->status) ? WTERMSIG(end->status) : 0,
        .timed_out = end->timed_out,
        .killed = end->killed,
        .wall_ns = bob_now() - began,
        .cpu_ns = end->cpu_ns,
        .max_rss_bytes = end->max_rss_bytes,
    };

    if (!output_of(&end->out, &r.out) || !output_of(&end->err, &r.err))
        return BOB_ERR_NO_MEMORY;
    p->result = r;
    return BOB_OK;
}

static void
say(struct bob_process *p, const char *what)
{
    (void)snprintf(p->message, sizeof p->message, "%.200s: %s", p->program->command.argv[0], what);
}

/* The child's whole life.  The message is set when it fails. */
static enum bob_err
live(struct bob_process *p, int stop_fd, bob_time deadline)
{
    const struct bob_command *command = &p->program->command;
    bob_time began = bob_now();
    struct bob_child child;
    struct bob_end end;
    enum bob_err err = bob_child_start_(p->program, stop_fd, deadline, &child, p->message);
    bob_time until = command->timeout_ms ? bob_in_ms(command->timeout_ms) : BOB_FOREVER;

    if (err)
        return err;
    err = bob_child_watch_(&child, command, stop_fd, until < deadline ? until : deadline, &end);
    if (!err)
        err = keep(p, &end, began);
    if (!err)
        return BOB_OK;
    free(end.out.at);
    free(end.err.at);
    say(p,
        err == BOB_ERR_SYSTEM ? "its end was taken by another wait" : "no memory for its output");
    return err;
}

static enum bob_err
run_begun(struct bob_process *p, bob_time deadline)
{
    int stop_fd;
    enum bob_err err;

    if (bob_now() >= deadline) {
        say(p, "its deadline had passed");
        return BOB_ERR_TIMEOUT;
    }
    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd < 0) {
        say(p, "no descriptor to stop it by");
        return BOB_ERR_SYSTEM;
    }
    if (listen_to_kill(p, stop_fd)) {
        err = live(p, stop_fd, deadline);
    } else {
        say(p, "killed before it began");
        err = BOB_ERR_CANCELLED;
    }
    stop_listening(p);
    return err;
}

enum bob_err
bob_process_work_(struct bob_process *p, bob_time deadline)
{
    enum bob_err err;

    if (!begin(p))
        return BOB_ERR_STATE;
    if (!bob_future_start(p->future))
        return BOB_ERR_CANCELLED;
    err = run_begun(p, deadline);
    lock(p);
    p->has_result = !err;
    p->has_message = err;
    unlock(p);
    if (err)
        (void)bob_future_set_error(p->future, err, p->message);
    else
        (void)bob_future_set_result(p->future, &p->result);
    return err;
}

enum bob_err
bob_process_run(struct bob_process *p, bob_time deadline)
{
    return p->is_pooled ? BOB_ERR_STATE : bob_process_work_(p, deadline);
}
