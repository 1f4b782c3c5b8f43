/* thread.c - start a thread, wait for its end; see <bobbin/thread.h>, and record.c for what is known of it.
 *
 * A join waits for the end to be announced and then for the exit: between the two a thread leaves the list and destroys
 * what is its own, which may take long (destructors of thread-local values) and want locks of its program's.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/thread.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cond.h"
#include "cut.h"
#include "record.h"
#include "roster.h"
#include "watch.h"

enum { NS_PER_S = 1000000000 };

static size_t stack_default; /* atomic; bytes, 0: the system's */
static unsigned unnamed;     /* atomic; how many were started without a name */

static void
lock(struct bob_thread *t) BOB_ACQUIRES(L_THREAD)
{
    bob_record_lock_(t);
}

static void
unlock(struct bob_thread *t) BOB_RELEASES(L_THREAD)
{
    bob_record_unlock_(t);
}

/* ---- stacks ---- */

static size_t
stack_min(void)
{
    long min = sysconf(_SC_THREAD_STACK_MIN);

    return min > 0 ? (size_t)min : 0;
}

enum bob_err
bob_thread_set_stack_bytes(size_t bytes)
{
    if (bytes > 0 && bytes < stack_min())
        return BOB_ERR_INVALID;
    __atomic_store_n(&stack_default, bytes, __ATOMIC_SEQ_CST);
    return BOB_OK;
}

size_t
bob_thread_stack_bytes(void)
{
    return __atomic_load_n(&stack_default, __ATOMIC_SEQ_CST);
}

/* What to give a thread for which @asked was asked; 0: leave it to the system. */
static size_t
stack_for(size_t asked)
{
    if (asked == 0)
        return bob_thread_stack_bytes();
    return asked < stack_min() ? stack_min() : asked;
}

/* ---- start ---- */

static void *
run(void *arg) BOB_UNSHARED
{
    struct bob_thread *t = arg;
    char kernel_name[BOB_KERNEL_NAME_MAX + 1];

    bob_copy_cut_(kernel_name, BOB_KERNEL_NAME_MAX, t->name);
    (void)pthread_setname_np(pthread_self(), kernel_name); /* only a display */
    bob_roster_enter_(t);
    bob_roster_leave_(t, t->fn(t->arg));
    return NULL;
}

/* Blocked are all signals but those that a fault of the thread itself raises. */
static int
create(struct bob_thread *t, size_t stack_bytes)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    pthread_attr_t attr;
    pthread_t
        thread; /* the record gets it from the thread itself, which may be seen before this returns */
    sigset_t blocked, before;
    int failed = 0;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&blocked, faults[i]);
    MUST(pthread_attr_init(&attr));
    if (stack_bytes > 0)
        failed = pthread_attr_setstacksize(&attr, stack_bytes);
    MUST(pthread_sigmask(SIG_SETMASK, &blocked, &before));
    if (!failed)
        failed = pthread_create(&thread, &attr, run, t);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL));
    MUST(pthread_attr_destroy(&attr));
    return failed;
}

static void
wait_until_alive(struct bob_thread *t)
{
    lock(t);
    while (t->stage == BOB_THREAD_STARTING)
        MUST((int)bob_condition_wait(&t->changed, &t->lock, BOB_FOREVER));
    unlock(t);
}

enum bob_err
bob_thread_start(struct bob_thread **ret_thread, const char *name, void *(*fn)(void *), void *arg,
                 const struct bob_thread_options *options)
{
    static const struct bob_thread_options defaults = {0};
    char numbered[BOB_THREAD_NAME_MAX + 1];
    struct bob_thread *t;

    if (!fn || !ret_thread)
        return BOB_ERR_INVALID;
    if (!options)
        options = &defaults;
    if (!name)
        (void)snprintf(numbered, sizeof numbered, "Thread-%u",
                       __atomic_add_fetch(&unnamed, 1, __ATOMIC_RELAXED));
    t = bob_record_new_(name ? name : numbered, options->role, 2);
    if (!t)
        return BOB_ERR_NO_MEMORY;
    t->is_daemon = options->daemon;
    t->fn = fn;
    t->arg = arg;
    if (create(t, stack_for(options->stack_bytes))) {
        bob_record_unref_(t);
        bob_record_unref_(t);
        return BOB_ERR_SYSTEM;
    }
    wait_until_alive(t);
    *ret_thread = t;
    return BOB_OK;
}

/* ---- join ---- */

/* Whether it is the calling thread: in a destructor of its own, after its end was announced, bob_me_ says no more. */
static bool
is_me_locked(const struct bob_thread *t) BOB_HOLDS(L_THREAD)
{
    return t == bob_me_ ||
           (t->stage == BOB_THREAD_ENDED && pthread_equal(t->pthread, pthread_self()));
}

/* BOB_OK: it has ended; *ret_reaps: and the caller is the one to call pthread_join.  Others wait for him. */
static enum bob_err
wait_for_end(struct bob_thread *t, bob_time deadline, bool *ret_reaps, void **ret_value)
{
    enum bob_err err = BOB_OK;

    lock(t);
    while ((t->stage < BOB_THREAD_ENDED || t->stage == BOB_THREAD_JOINING) && !err)
        err = bob_condition_wait(&t->changed, &t->lock, deadline);
    if (t->stage == BOB_THREAD_ENDED)
        err = is_me_locked(t) ? BOB_ERR_INVALID : BOB_OK;
    else if (t->stage == BOB_THREAD_JOINED)
        err = BOB_OK;
    *ret_reaps = t->stage == BOB_THREAD_ENDED && !err;
    if (*ret_reaps)
        t->stage = BOB_THREAD_JOINING;
    *ret_value = t->value;
    unlock(t);
    return err;
}

/* Waits for its last step, which destructors of the program's may make long. */
static enum bob_err
reap(struct bob_thread *t, bob_time deadline)
{
    struct timespec until = {.tv_sec = deadline / NS_PER_S, .tv_nsec = deadline % NS_PER_S};
    int failed;

    if (deadline <= BOB_AT_ONCE)
        failed = pthread_tryjoin_np(t->pthread, NULL);
    else if (deadline == BOB_FOREVER || bob_is_watched_()) /* the tools know no other */
        failed = pthread_join(t->pthread, NULL);
    else
        failed = pthread_clockjoin_np(t->pthread, NULL, CLOCK_MONOTONIC, &until);
    if (failed != 0 && failed != ETIMEDOUT && failed != EBUSY)
        bob_must_failed_("pthread_join", __FILE__, __LINE__, failed);
    bob_record_set_stage_(t, failed ? BOB_THREAD_ENDED : BOB_THREAD_JOINED);
    return failed ? BOB_ERR_TIMEOUT : BOB_OK;
}

enum bob_err
bob_thread_join(struct bob_thread *t, bob_time deadline, void **ret_value)
{
    bool reaps = false;
    void *value = NULL;
    enum bob_err err;

    if (t == bob_me_ || t->is_adopted)
        return BOB_ERR_INVALID;
    err = wait_for_end(t, deadline, &reaps, &value);
    if (!err && reaps)
        err = reap(t, deadline);
    if (!err && ret_value)
        *ret_value = value;
    return err;
}

bool
bob_thread_try_free_(struct bob_thread *t)
{
    if (bob_thread_join(t, BOB_AT_ONCE, NULL))
        return false;
    bob_record_unref_(t);
    return true;
}

void
bob_thread_free(struct bob_thread *t)
{
    bool is_me;

    if (!t || t->is_adopted)
        return;
    lock(t);
    is_me = is_me_locked(t);
    unlock(t);
    if (is_me)
        MUST(pthread_detach(t->pthread));
    else
        MUST((int)bob_thread_join(t, BOB_FOREVER, NULL));
    bob_record_unref_(t);
}
