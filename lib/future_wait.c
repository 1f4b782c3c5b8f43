/* future_wait.c - waiting for several futures, and taking them as they finish; see <bobbin/future.h>.
 *
 * A set puts one watch on each future.  A finisher tells it under the lock of that future's watchers, so a watch that
 * was taken off under the same lock is never told: the set can go at any time and leaves nothing behind.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/future.h>

#include "list.h"
#include "parking.h"
#include "promise.h"

enum { FEW = 16 }; /* so many need no allocation */

static bool
is_done(struct bob_future *f)
{
    return bob_promise_is_done_(bob_promise_word_(f));
}

static size_t
count_done(struct bob_future *const *fs, size_t n)
{
    size_t done = 0;

    for (size_t i = 0; i < n; i++)
        done += is_done(fs[i]);
    return done;
}

/* ---- wait ---- */

struct set {
    enum bob_return_when when;
    size_t left; /* atomic: not done yet */
    struct bob_parker parker;
};

struct set_watch {
    struct bob_watch watch;
    struct set *set;
};

/* @f, one of the set, is done: whether the wait is over. */
static bool
is_enough(struct set *set, struct bob_future *f)
{
    bool failed = bob_promise_state_(bob_promise_word_(f)) == PROMISE_FAILED;

    return __atomic_sub_fetch(&set->left, 1, __ATOMIC_RELAXED) == 0 ||
           set->when == BOB_FIRST_COMPLETED || (set->when == BOB_FIRST_EXCEPTION && failed);
}

static void
one_is_done(struct bob_watch *w, struct bob_future *f)
{
    struct set *set = BOB_OWNER(w, struct set_watch, watch)->set;

    if (is_enough(set, f))
        bob_unpark_(&set->parker);
}

static enum bob_err
wait_for_one(struct bob_future *const *fs, size_t n, struct set *set, bob_time deadline)
{
    struct set_watch few[FEW];
    struct set_watch *watches = n > FEW ? malloc(n * sizeof *watches) : few;
    enum bob_err err = BOB_OK;
    bool enough = false;
    size_t i;

    if (!watches)
        return BOB_ERR_NO_MEMORY;
    for (i = 0; i < n && !enough; i++) {
        watches[i] = (struct set_watch){.watch.told = one_is_done, .set = set};
        if (!bob_promise_watch_(fs[i], &watches[i].watch))
            enough = is_enough(set, fs[i]);
    }
    if (!enough)
        err = bob_park_(&set->parker, deadline);
    while (i > 0) {
        i--;
        bob_promise_unwatch_(fs[i], &watches[i].watch);
    }
    if (watches != few)
        free(watches);
    return err;
}

static enum bob_err
wait_for_all(struct bob_future *const *fs, size_t n, bob_time deadline)
{
    enum bob_err err = BOB_OK;

    for (size_t i = 0; i < n && !err; i++)
        err = bob_promise_await_(fs[i], deadline);
    return err;
}

enum bob_err
bob_future_wait(struct bob_future *const *fs, size_t n, enum bob_return_when when,
                bob_time deadline, size_t *ret_n_done)
{
    struct set set = {.when = when, .left = n, .parker = BOB_PARKER_INIT};
    enum bob_err err = BOB_OK;

    if (n > 0 && !fs)
        return BOB_ERR_INVALID;
    if (when == BOB_ALL_COMPLETED)
        err = wait_for_all(fs, n, deadline);
    else if (n > 0)
        err = wait_for_one(fs, n, &set, deadline);
    if (ret_n_done && err != BOB_ERR_NO_MEMORY)
        *ret_n_done = count_done(fs, n);
    return err;
}

/* ---- as completed ---- */

struct entry {
    struct bob_watch watch;
    struct bob_as_completed *of;
    struct bob_future *future;
    struct bob_list in_done; /* not linked until done */
    bool was_done;           /* before it could be watched */
};

struct bob_as_completed {
    struct bob_lock lock; /* class L_COMPLETED */
    struct bob_condition
        grown; /* signalled when an entry joins done, and when the last was given */
    size_t n;

    size_t given BOB_GUARDED_BY(L_COMPLETED);
    struct bob_list done BOB_GUARDED_BY(L_COMPLETED); /* not given yet, the first done first */
    struct entry entries[];
};

static void
lock(struct bob_as_completed *it) BOB_ACQUIRES(L_COMPLETED)
{
    bob_lock_hold(&it->lock);
}

static void
unlock(struct bob_as_completed *it) BOB_RELEASES(L_COMPLETED)
{
    (void)bob_lock_release(&it->lock);
}

static void
add_done(struct entry *e)
{
    lock(e->of);
    bob_list_append_(&e->of->done, &e->in_done);
    bob_condition_notify(&e->of->grown);
    unlock(e->of);
}

static void
entry_is_done(struct bob_watch *w, struct bob_future *f)
{
    (void)f;
    add_done(BOB_OWNER(w, struct entry, watch));
}

struct bob_as_completed *
bob_as_completed_new(struct bob_future *const *fs, size_t n) BOB_UNSHARED
{
    struct bob_as_completed *it;
    size_t bytes;

    if ((n > 0 && !fs) || __builtin_mul_overflow(n, sizeof *it->entries, &bytes) ||
        __builtin_add_overflow(bytes, sizeof *it, &bytes))
        return NULL;
    it = malloc(bytes);
    if (!it)
        return NULL;
    bob_lock_init(&it->lock, LOCK_CLASS(L_COMPLETED));
    bob_condition_init(&it->grown);
    bob_list_init_(&it->done);
    it->n = n;
    it->given = 0;
    for (size_t i = 0; i < n; i++) {
        struct entry *e = &it->entries[i];

        *e = (struct entry){.watch.told = entry_is_done, .of = it, .future = bob_future_ref(fs[i])};
        e->was_done = is_done(fs[i]);
        if (e->was_done) /* these first */
            add_done(e);
    }
    for (size_t i = 0; i < n; i++) {
        struct entry *e = &it->entries[i];

        if (!e->was_done && !bob_promise_watch_(e->future, &e->watch))
            add_done(e);
    }
    return it;
}

enum bob_err
bob_as_completed_next(struct bob_as_completed *it, bob_time deadline,
                      struct bob_future **ret_future)
{
    struct bob_list *first = NULL;
    enum bob_err err = BOB_OK;

    if (!ret_future)
        return BOB_ERR_INVALID;
    lock(it);
    while (it->given < it->n && !(first = bob_list_pop_(&it->done)) && !err)
        err = bob_condition_wait(&it->grown, &it->lock, deadline);
    if (first) {
        err = BOB_OK;
        *ret_future = BOB_OWNER(first, struct entry, in_done)->future;
        if (++it->given == it->n)
            bob_condition_notify_all(&it->grown);
    } else if (it->given == it->n) {
        err = BOB_ERR_EMPTY;
    }
    unlock(it);
    return err;
}

void
bob_as_completed_free(struct bob_as_completed *it) BOB_UNSHARED
{
    if (!it)
        return;
    for (size_t i = 0; i < it->n; i++)
        bob_promise_unwatch_(it->entries[i].future, &it->entries[i].watch);
    for (size_t i = 0; i < it->n; i++)
        bob_future_unref(it->entries[i].future);
    bob_condition_fini(&it->grown);
    bob_lock_fini(&it->lock);
    free(it);
}
