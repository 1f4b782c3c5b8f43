/* roster.c - every thread, started here or adopted, in one list; see roster.h and <bobbin/thread.h>.
 *
 * L_THREADS guards who is in the list, L_THREAD (record.c) what one record says: a reader of the list takes one
 * record's lock after the other under the list's.  A record that is in the list has its thread's reference.
 *
 * A key's destructor ends the record of a thread that nobody started here, or that left by pthread_exit.
 *
 * SPDX-License-Identifier: MIT */
#include "roster.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "cond.h"
#include "record.h"
#include "self.h"

static struct {
    pthread_once_t once;
    pthread_key_t ends;        /* its destructor ends the record of a thread */
    struct bob_lock lock;      /* class L_THREADS */
    struct bob_condition left; /* signalled when to_join becomes smaller */

    struct bob_list all BOB_GUARDED_BY(L_THREADS); /* oldest first */
    struct bob_thread *
        main BOB_GUARDED_BY(L_THREADS); /* NULL: nobody has asked for it; never freed */
    size_t len BOB_GUARDED_BY(L_THREADS);
    size_t to_join BOB_GUARDED_BY(L_THREADS); /* started, and not daemon */
} threads = {
    .once = PTHREAD_ONCE_INIT,
    .lock = BOB_LOCK_INIT(LOCK_CLASS(L_THREADS)),
    .all = BOB_LIST_EMPTY(threads.all),
};

__thread struct bob_thread *bob_me_;

static void
lock(void) BOB_ACQUIRES(L_THREADS)
{
    bob_lock_hold(&threads.lock);
}

static void
unlock(void) BOB_RELEASES(L_THREADS)
{
    (void)bob_lock_release(&threads.lock);
}

static void
end_by_key(void *t)
{
    bob_roster_leave_(t, NULL);
}

static void
init_once(void)
{
    MUST(pthread_key_create(&threads.ends, end_by_key));
    bob_condition_init(&threads.left);
}

static bool
is_to_be_joined(const struct bob_thread *t)
{
    return !t->is_adopted && !t->is_daemon;
}

/* ---- come and go ---- */

static void
append_locked(struct bob_thread *t) BOB_HOLDS(L_THREADS)
{
    bob_list_append_(&threads.all, &t->in_all);
    threads.len++;
    if (is_to_be_joined(t))
        threads.to_join++;
}

void
bob_roster_enter_(struct bob_thread *t)
{
    MUST(pthread_once(&threads.once, init_once));
    bob_me_ = t;
    t->native_id = bob_self_();
    t->pthread = pthread_self();
    (void)pthread_setspecific(threads.ends, t); /* without it pthread_exit is not seen */
    lock();
    append_locked(t);
    unlock();
    bob_record_set_stage_(t, BOB_THREAD_ALIVE);
}

void
bob_roster_leave_(struct bob_thread *t, void *value)
{
    bob_record_tell_failure_(t, value);
    (void)pthread_setspecific(threads.ends, NULL);
    bob_record_end_(t, value);

    lock();
    bob_list_remove_(&t->in_all);
    threads.len--;
    if (is_to_be_joined(t)) {
        threads.to_join--;
        bob_condition_notify_all(&threads.left);
    }
    unlock();
    bob_me_ = NULL;
    if (!t->is_main)
        bob_record_unref_(t);
}

/* ---- those that were not started here ---- */

/* The main thread's record, made by whoever asks first; NULL when memory is out. */
static struct bob_thread *
main_record(void)
{
    struct bob_thread *made, *found;

    lock();
    found = threads.main;
    unlock();
    if (found)
        return found;
    made = bob_record_new_("main", "", 1);
    if (!made)
        return NULL;
    made->is_adopted = made->is_main = true;
    made->native_id = getpid();
    bob_record_set_stage_(made, BOB_THREAD_ALIVE);
    lock();
    if (!threads.main) {
        threads.main = made;
        append_locked(made);
    }
    found = threads.main;
    unlock();
    if (found != made) /* another was faster */
        bob_record_unref_(made);
    return found;
}

struct bob_thread *
bob_thread_main(void)
{
    return main_record();
}

static struct bob_thread *
adopt_me(void)
{
    char name[BOB_KERNEL_NAME_MAX + 1] = "";
    struct bob_thread *t;

    (void)pthread_getname_np(pthread_self(), name, sizeof name);
    t = bob_record_new_(name, "", 1);
    if (!t)
        return NULL;
    t->is_adopted = t->is_daemon = true;
    if (pthread_setspecific(threads.ends, t)) { /* it would stay in the list for ever */
        bob_record_unref_(t);
        return NULL;
    }
    bob_roster_enter_(t);
    return t;
}

struct bob_thread *
bob_thread_current(void)
{
    if (bob_me_)
        return bob_me_;
    MUST(pthread_once(&threads.once, init_once));
    if (bob_self_() == getpid()) {
        bob_me_ = main_record();
        (void)pthread_setspecific(threads.ends, bob_me_);
        return bob_me_;
    }
    return adopt_me();
}

pid_t
bob_thread_own_id(void)
{
    return bob_self_();
}

/* ---- all threads ---- */

size_t
bob_thread_enumerate(struct bob_thread_info *ret_list, size_t cap)
{
    size_t n = 0;

    lock();
    for (struct bob_list *i = threads.all.next; i != &threads.all; i = i->next) {
        if (ret_list && n < cap)
            bob_thread_describe(BOB_OWNER(i, struct bob_thread, in_all), &ret_list[n]);
        n++;
    }
    unlock();
    return n;
}

size_t
bob_thread_active_count(void)
{
    size_t len;

    lock();
    len = threads.len;
    unlock();
    return len;
}

enum bob_err
bob_thread_join_all(bob_time deadline)
{
    enum bob_err err = BOB_OK;
    size_t myself = bob_me_ && is_to_be_joined(bob_me_);

    MUST(pthread_once(&threads.once, init_once));
    lock();
    while (threads.to_join > myself && !err)
        err = bob_condition_wait(&threads.left, &threads.lock, deadline);
    if (threads.to_join <= myself)
        err = BOB_OK;
    unlock();
    return err;
}
