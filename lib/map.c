/* map.c - one function over many items on the threads of an executor; see bob_executor_map in <bobbin/executor.h>.
 *
 * A map is one job that several helpers share.  Each is a work of the executor, of which there are no more than
 * workers; it claims the next chunk of items until none is left.  So a million items cost a few submits, a helper that
 * comes late finds nothing and goes, and the chunks balance themselves.
 *
 * A helper at work has a stint, on its stack: the end of what it has claimed.  It looks at that before each item, and
 * at nothing else; a failure lowers the end of every stint that reaches above it.  Claims grow: an item below one that
 * was claimed has been claimed too.  So those below a failure still run, and those above that have not begun never do.
 *
 * left counts items that are neither finished nor closed off; it is 0 only when nobody touches the caller's arrays.
 * A call with a deadline may have to return before that: its job has copies of both arrays.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cond.h"
#include "list.h"
#include "noted.h"
#include "promise.h"
#include "staff.h"

enum { CHUNKS_EACH = 8, CHUNK_MAX = 2048 };

struct job {
    bob_work_fn fn;
    void *const *args;
    void **values; /* NULL: not wanted */
    size_t n, chunk;
    size_t refs; /* atomic: the caller's, and one for each helper */
    enum bob_err
        left_out; /* the caller's: why some were never begun though none failed; BOB_OK: all were */
    struct bob_parker parker; /* the caller's: let go when left or helpers is 0 */
    struct bob_lock lock;     /* class L_MAP */

    size_t helpers BOB_GUARDED_BY(L_MAP);         /* that may still come, or are at work */
    size_t next BOB_GUARDED_BY(L_MAP);            /* first item that is not claimed */
    size_t left BOB_GUARDED_BY(L_MAP);            /* see above */
    struct bob_list stints BOB_GUARDED_BY(L_MAP); /* of those at work */
    enum bob_err refused BOB_GUARDED_BY(L_MAP);   /* why a helper did not come; BOB_OK: all did */
    struct bob_map_failure failure BOB_GUARDED_BY(L_MAP); /* of the lowest; index SIZE_MAX: none */
    void *copies[];                                       /* of args, then of values */
};

struct stint {
    struct bob_list in_stints;
    size_t claimed; /* items; its owner's */
    size_t end;     /* atomic; of what may begin; written under the lock */
};

static void
lock(struct job *j) BOB_ACQUIRES(L_MAP)
{
    bob_lock_hold(&j->lock);
}

static void
unlock(struct job *j) BOB_RELEASES(L_MAP)
{
    (void)bob_lock_release(&j->lock);
}

static void
unref(struct job *j)
{
    bob_watch_publishes_(&j->refs);
    if (__atomic_sub_fetch(&j->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        bob_watch_sees_(&j->refs);
        bob_watch_forgets_(&j->refs);
        bob_lock_fini(&j->lock);
        free(j);
    }
}

/* No item is claimed from now on, and none at @end or above begins. */
static void
close_locked(struct job *j, size_t end) BOB_HOLDS(L_MAP)
{
    j->left -= j->n - j->next;
    j->next = j->n;
    for (struct bob_list *i = j->stints.next; i != &j->stints; i = i->next) {
        struct stint *s = BOB_OWNER(i, struct stint, in_stints);

        if (s->end > end)
            __atomic_store_n(&s->end, end, __ATOMIC_RELAXED);
    }
}

/* Out of line, so that the loop over items keeps its registers. */
static void __attribute__((noinline, cold))
item_failed(struct job *j, size_t index, enum bob_err err)
{
    const struct bob_failure failure = bob_noted_(err);
    struct bob_thread *t = bob_thread_current();
    struct bob_thread_info me = {.name = ""};
    struct bob_map_failure *f = &j->failure;

    if (t)
        bob_thread_describe(t, &me);
    lock(j);
    if (index < f->index) {
        f->index = index;
        f->code = failure.code;
        (void)snprintf(f->message, sizeof f->message, "%s", failure.message);
        bob_origin_in_(f->origin, sizeof f->origin, failure.origin, me.name);
        close_locked(j, index);
    }
    unlock(j);
}

/* @step is 1, or 0 if no values are wanted.  All that it does for each item beside the call is two stores and a look:
 * what an item costs is what a loop by hand costs. */
static inline void
run_items(struct job *j, const struct stint *s, size_t i, void **value, size_t step)
{
    void *const *args = j->args;
    bob_work_fn fn = j->fn;

    for (; i < __atomic_load_n(&s->end, __ATOMIC_RELAXED); i++, value += step) {
        bob_noting_forget_();
        *value = NULL;
        enum bob_err err = fn(args[i], value);
        if (__builtin_expect(err != BOB_OK, false))
            item_failed(j, i, err);
    }
}

/* Counts what @s had claimed as finished, and claims up to @most more, from *ret_from, if there are more. */
static bool
next_chunk(struct job *j, struct stint *s, size_t most, size_t *ret_from)
{
    bool is_end;

    lock(j);
    j->left -= s->claimed;
    is_end = j->left == 0;
    *ret_from = j->next;
    s->claimed = j->n - j->next < most ? j->n - j->next : most;
    j->next += s->claimed;
    __atomic_store_n(&s->end, j->next, __ATOMIC_RELAXED);
    unlock(j);
    if (is_end)
        bob_unpark_(&j->parker);
    return s->claimed > 0;
}

/* With a deadline that is the caller's who helps: one item at a time, for nobody else looks at the clock meanwhile. */
static void
run_chunks(struct job *j, bob_time deadline)
{
    size_t most = deadline == BOB_FOREVER ? j->chunk : 1;
    struct stint s = {.claimed = 0};
    void *unwanted;
    size_t from;

    bob_watch_trusts_(&s.end, sizeof s.end);
    lock(j);
    bob_list_append_(&j->stints, &s.in_stints);
    unlock(j);
    bob_noting_begin_();
    while (next_chunk(j, &s, bob_has_passed_(deadline) ? 0 : most, &from)) {
        if (j->values)
            run_items(j, &s, from, j->values + from, 1);
        else
            run_items(j, &s, from, &unwanted, 0);
    }
    bob_noting_end_();
    lock(j);
    bob_list_remove_(&s.in_stints);
    unlock(j);
}

/* ---- helpers ---- */

static enum bob_err
help(void *job, void **ret_value)
{
    (void)ret_value;
    run_chunks(job, BOB_FOREVER);
    return BOB_OK;
}

/* One helper less: it helped, or, with @err, never will. */
static void
one_less(struct job *j, enum bob_err err)
{
    bool is_last;

    lock(j);
    is_last = --j->helpers == 0;
    if (err)
        j->refused = err;
    unlock(j);
    if (is_last)
        bob_unpark_(&j->parker);
    unref(j);
}

/* A watch and no callback: the caller shall not wait for callbacks of its program's. */
struct helper {
    struct bob_watch watch; /* first: a future that is forgotten frees it */
    struct job *job;
};

static void
helper_is_done(struct bob_watch *w, struct bob_future *f)
{
    struct helper *h = BOB_OWNER(w, struct helper, watch);

    one_less(h->job, bob_future_result(f, BOB_AT_ONCE, NULL));
    free(h);
}

static enum bob_err
add_helper(struct bob_executor *x, struct job *j, bool waits)
{
    struct bob_future *f = bob_promise_new_(help, j);
    struct helper *h = f ? malloc(sizeof *h) : NULL;
    enum bob_err err = BOB_ERR_NO_MEMORY;

    if (h) {
        *h = (struct helper){.watch.told = helper_is_done, .job = j};
        (void)bob_promise_watch_(f, &h->watch); /* it is not done yet */
        __atomic_add_fetch(&j->refs, 1, __ATOMIC_RELAXED);
        lock(j);
        j->helpers++;
        unlock(j);
        err = bob_executor_put_(x, f, waits);
        if (!err)
            return BOB_OK;
        one_less(j, BOB_OK);
    }
    bob_future_unref(f); /* and its watch is forgotten */
    return err;
}

/* Up to @n of them.  If none comes, and the caller does not help, that is an error; or he helps after all. */
static enum bob_err
add_helpers(struct bob_executor *x, struct job *j, size_t n, bool *helps)
{
    enum bob_err err = BOB_OK;
    size_t i;

    for (i = 0; i < n && !err; i++)
        err = add_helper(x, j, false);
    if (!err || i > 1 || *helps)
        return BOB_OK;
    if (err == BOB_ERR_FULL && x->options.on_full == BOB_FULL_WAIT)
        return add_helper(x, j, true);
    *helps = err == BOB_ERR_FULL && x->options.on_full == BOB_FULL_CALLER_RUNS;
    return *helps ? BOB_OK : err;
}

/* ---- the call ---- */

static size_t
workers_of(struct bob_executor *x) BOB_UNSHARED
{
    size_t n;

    bob_lock_hold(&x->lock);
    n = x->max_workers;
    (void)bob_lock_release(&x->lock);
    return n;
}

static struct job *
job_new(bob_work_fn fn, void *const *args, size_t n, void **values, bool copies) BOB_UNSHARED
{
    struct job *j;
    size_t bytes = 0;

    if (copies && __builtin_mul_overflow(n, 2 * sizeof(void *), &bytes))
        return NULL;
    if (__builtin_add_overflow(bytes, sizeof *j, &bytes) || !(j = malloc(bytes)))
        return NULL;
    *j = (struct job){.fn = fn, .args = args, .values = values, .n = n, .left = n};
    j->refs = 2; /* the caller, and its place among the helpers: these are not 0 too early */
    j->helpers = 1;
    j->failure.index = SIZE_MAX;
    bob_list_init_(&j->stints);
    bob_lock_init(&j->lock, LOCK_CLASS(L_MAP));
    if (copies) {
        memcpy(j->copies, args, n * sizeof *args);
        memset(j->copies + n, 0, n * sizeof *args);
        j->args = j->copies;
        j->values = values ? j->copies + n : NULL;
    }
    return j;
}

static bool
is_over(struct job *j)
{
    bool over;

    lock(j);
    over = j->left == 0 || j->helpers == 0;
    unlock(j);
    return over;
}

/* Waits for the end; what has not begun by then never will. */
static enum bob_err
wait_for(struct job *j, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    size_t left;

    while (!is_over(j) && !err)
        err = bob_park_(&j->parker, deadline);
    lock(j);
    if (j->next < j->n)
        j->left_out = j->refused ? j->refused : BOB_ERR_TIMEOUT;
    close_locked(j, 0); /* with no helper left, this ends it */
    left = j->left;
    unlock(j);
    if (left > 0)
        return err;
    return j->left_out == BOB_ERR_TIMEOUT ? BOB_ERR_TIMEOUT : BOB_OK;
}

static enum bob_err
outcome_of(struct job *j, struct bob_map_failure *ret_failure) BOB_UNSHARED
{
    struct bob_failure failure = {j->failure.code, j->failure.message, j->failure.origin};

    if (j->failure.index == SIZE_MAX)
        return j->left_out;
    if (ret_failure)
        *ret_failure = j->failure;
    return bob_note_again_(&failure);
}

enum bob_err
bob_executor_map(struct bob_executor *x, bob_work_fn fn, void *const *args, size_t n,
                 void **ret_values, const struct bob_map_options *options)
{
    static const struct bob_map_options defaults = {0};
    bool helps = bob_working_for_ == x;
    size_t workers, helpers;
    bob_time deadline;
    struct job *j;
    enum bob_err err;

    if (!fn || (n > 0 && !args))
        return BOB_ERR_INVALID;
    if (n == 0)
        return BOB_OK;
    workers = workers_of(x);
    if (!options)
        options = &defaults;
    deadline = options->deadline ? options->deadline : BOB_FOREVER;
    j = job_new(fn, args, n, ret_values, deadline != BOB_FOREVER);
    if (!j)
        return BOB_ERR_NO_MEMORY;
    j->chunk = options->chunk ? options->chunk : n / (workers * CHUNKS_EACH);
    if (!options->chunk)
        j->chunk = j->chunk < 1 ? 1 : j->chunk > CHUNK_MAX ? CHUNK_MAX : j->chunk;
    helpers = (n - 1) / j->chunk + 1;
    helpers = (helpers < workers ? helpers : workers) - helps;
    err = add_helpers(x, j, helpers, &helps);
    if (!err && helps)
        run_chunks(j, deadline);
    one_less(j, BOB_OK);
    if (!err)
        err = wait_for(j, deadline);
    if (!err) {
        if (j->args == j->copies && ret_values)
            memcpy(ret_values, j->values, n * sizeof *ret_values);
        err = outcome_of(j, options->ret_failure);
    }
    unref(j);
    return err;
}
