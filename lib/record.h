/* record.h - what is known of one thread; made by thread.c and roster.c, which also end it.
 *
 * A record has a reference from the thread itself and one from the owner of its handle; the later one frees it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_RECORD_H
#define BOB_RECORD_H

#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <pthread.h>

#include "list.h"
#include "lockorder.h"

enum { BOB_KERNEL_NAME_MAX = 15 };

enum bob_thread_stage {
    BOB_THREAD_STARTING,
    BOB_THREAD_ALIVE,
    BOB_THREAD_ENDED,
    BOB_THREAD_JOINING, /* somebody is inside pthread_join */
    BOB_THREAD_JOINED,
};

struct bob_thread {
    struct bob_lock lock;         /* class L_THREAD */
    struct bob_condition changed; /* signalled when stage changes */
    int refs;                     /* atomic */
    bool is_adopted;              /* not started by this library */
    bool is_main, is_daemon;
    pid_t native_id;   /* set before it is ALIVE, as is the next; so for the main thread */
    pthread_t pthread; /* means nothing for the main thread */
    void *(*fn)(void *);
    void *arg;
    struct bob_list in_all BOB_GUARDED_BY(L_THREADS);

    enum bob_thread_stage stage BOB_GUARDED_BY(L_THREAD);
    void *value BOB_GUARDED_BY(L_THREAD);            /* what fn returned; once ENDED */
    enum bob_err failed_by BOB_GUARDED_BY(L_THREAD); /* BOB_OK: has not failed */
    const char *role BOB_GUARDED_BY(L_THREAD);
    bob_time note_since BOB_GUARDED_BY(L_THREAD);
    char name[BOB_THREAD_NAME_MAX + 1] BOB_GUARDED_BY(L_THREAD);
    char note[BOB_THREAD_NOTE_MAX + 1] BOB_GUARDED_BY(L_THREAD);        /* "": idle */
    char message[BOB_FAILURE_MESSAGE_MAX + 1] BOB_GUARDED_BY(L_THREAD); /* if it failed */
    char origin[BOB_FAILURE_ORIGIN_MAX + 1] BOB_GUARDED_BY(L_THREAD);   /* if it failed */
};

static inline void
bob_record_lock_(struct bob_thread *t) BOB_ACQUIRES(L_THREAD)
{
    bob_lock_hold(&t->lock);
}

static inline void
bob_record_unlock_(struct bob_thread *t) BOB_RELEASES(L_THREAD)
{
    (void)bob_lock_release(&t->lock);
}

/* @refs is 1 or 2; NULL when memory is out. */
struct bob_thread *bob_record_new_(const char *name, const char *role, int refs);
void bob_record_unref_(struct bob_thread *t);

void bob_record_set_stage_(struct bob_thread *t, enum bob_thread_stage stage);
void bob_record_end_(struct bob_thread *t, void *value); /* announces it to those who join */

/* Before its end: what the calling thread said of its failure counts, and the hook is told, if @value is NULL. */
void bob_record_tell_failure_(struct bob_thread *t, const void *value);

#endif
