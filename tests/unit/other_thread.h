/* other_thread.h - a thread that is at hand: it says when it runs and ends when told; for test_thread and test_roster.
 *
 * SPDX-License-Identifier: MIT */
#ifndef OTHER_THREAD_H
#define OTHER_THREAD_H

#include <bobbin/event.h>
#include <bobbin/thread.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

struct other {
    struct bob_event runs, let_go;
    struct bob_thread *thread, *seen;
    pid_t native_id;
    sigset_t blocked;
    char kernel_name[16];
    const char *note;
};

static inline void *
run_until_told(void *arg)
{
    struct other *o = arg;

    o->seen = bob_thread_current();
    o->native_id = gettid();
    (void)pthread_sigmask(SIG_SETMASK, NULL, &o->blocked);
    (void)pthread_getname_np(pthread_self(), o->kernel_name, sizeof o->kernel_name);
    if (o->note)
        bob_thread_note("%s", o->note);
    bob_event_set(&o->runs);
    return bob_event_wait(&o->let_go, bob_in_seconds(20)) ? NULL : o;
}

static inline void
other_start(struct other *o, const char *name, const struct bob_thread_options *options)
{
    bob_event_init(&o->runs);
    bob_event_init(&o->let_go);
    assert_int_equal(bob_thread_start(&o->thread, name, run_until_told, o, options), BOB_OK);
    assert_int_equal(bob_event_wait(&o->runs, bob_in_seconds(20)), BOB_OK);
}

static inline void
other_end(struct other *o)
{
    bob_event_set(&o->let_go);
    bob_thread_free(o->thread);
    bob_event_fini(&o->let_go);
    bob_event_fini(&o->runs);
}

#endif
