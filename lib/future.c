/* future.c - one result behind one atomic word; see <bobbin/future.h>, and promise.h for how the word changes.
 *
 * A callback may finish another future, and that one's callback a third: were they called inside
 * one another, a long chain would end the stack.  So each thread has a list of callbacks that are
 * due, and calls them one after the other.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/future.h>
#include <bobbin/lock.h>
#include <bobbin/thread.h>
#include <string.h>

#include "list.h"
#include "noted.h"
#include "parking.h"
#include "promise.h"

enum { BUCKETS = 64 }; /* a power of two */

struct bob_failure_text {
    const char *origin; /* behind the message */
    char message[];
};

typedef void callback_fn(struct bob_future *, void *);

struct callback {
    struct bob_watch watch;
    struct bob_future *of; /* with a reference once it is due */
    callback_fn *fn;
    void *arg;
};

__thread struct bob_due bob_due_;

#define BUCKET                                                                                     \
    {                                                                                              \
        BOB_LOCK_INIT(LOCK_CLASS(L_FUTURE))                                                        \
    }
#define FOUR(x) x, x, x, x

/* The locks of all futures' watchers, a cache line each. */
static struct {
    struct bob_lock lock; /* class L_FUTURE */
} __attribute__((aligned(64))) buckets[BUCKETS] = {
    FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET),
    FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET),
    FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET), FOUR(BUCKET),
};

static struct bob_lock *
lock_of(const struct bob_future *f)
{
    uint64_t hash = (uint64_t)(uintptr_t)f * 0x9E3779B97F4A7C15U;

    return &buckets[hash >> 58].lock;
}
_Static_assert(BUCKETS == 1 << (64 - 58), "the hash has as many values as there are buckets");

static void
lock(struct bob_future *f) BOB_ACQUIRES(L_FUTURE)
{
    bob_lock_hold(lock_of(f));
}

static void
unlock(struct bob_future *f) BOB_RELEASES(L_FUTURE)
{
    (void)bob_lock_release(lock_of(f));
}

/* ---- references ---- */

struct bob_future *
bob_future_new(void)
{
    return bob_promise_new_(NULL, NULL);
}

struct bob_future *
bob_future_ref(struct bob_future *f)
{
    /* Relaxed: who adds a reference has one already, so nothing is published by it. */
    __atomic_fetch_add(&f->word, PROMISE_REF, __ATOMIC_RELAXED);
    return f;
}

static void
destroy(struct bob_future *f) BOB_UNSHARED
{
    struct bob_watch *w, *next;
    unsigned place;

    bob_watch_sees_(f);
    bob_watch_forgets_(f);
    for (w = f->watches; w; w = next) { /* callbacks alone: others have a reference */
        next = w->next;
        free(w);
    }
    if (bob_promise_state_(f->word) == PROMISE_FAILED)
        free(f->u.text);
    place = (unsigned)((f->word & PROMISE_PLACE) >> PROMISE_PLACE_SHIFT);
    if (place)
        bob_slab_drop_(bob_slab_of_(f, place), 1);
    else
        free(f);
}

void
bob_future_unref(struct bob_future *f)
{
    /* Release: what this thread did to *f comes before; acquire: the last one sees what all others did.  Who has
     * the only reference needs no exchange: nobody else can make a second. */
    if (!f)
        return;
    bob_watch_publishes_(f);
    if (bob_promise_word_(f) < 2 * PROMISE_REF ||
        __atomic_sub_fetch(&f->word, PROMISE_REF, __ATOMIC_ACQ_REL) < PROMISE_REF)
        destroy(f);
}

/* ---- watchers ---- */

bool
bob_promise_watch_(struct bob_future *f, struct bob_watch *w)
{
    uint64_t word;

    lock(f);
    word = bob_promise_word_(f);
    while (!bob_promise_is_done_(word) &&
           !__atomic_compare_exchange_n(&f->word, &word, word | PROMISE_WATCHED, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    if (!bob_promise_is_done_(word)) {
        w->next = f->watches;
        f->watches = w;
    }
    unlock(f);
    return !bob_promise_is_done_(word);
}

void
bob_promise_unwatch_(struct bob_future *f, struct bob_watch *w)
{
    struct bob_watch **at;

    lock(f);
    for (at = &f->watches; *at && *at != w; at = &(*at)->next)
        ;
    if (*at)
        *at = w->next;
    unlock(f);
}

static void
call(callback_fn *fn, struct bob_future *f, void *arg)
{
    bob_due_.put_at = &bob_due_.first;
    fn(f, arg);
}

static void
call_all_due(void)
{
    struct bob_watch *w;

    while ((w = bob_due_.first)) {
        struct callback *c = BOB_OWNER(w, struct callback, watch);

        bob_due_.first = w->next;
        call(c->fn, c->of, c->arg);
        bob_future_unref(c->of);
        free(c);
    }
    bob_due_.put_at = NULL;
}

/* Those from @first to the one whose next is *@last are due.  They are called now, or else by the
 * call of this further up the stack. */
static void
make_due(struct bob_watch *first, struct bob_watch **last) BOB_NOT_HOLDING(L_FUTURE)
{
    bool is_outermost = !bob_due_.put_at;

    if (is_outermost)
        bob_due_.put_at = &bob_due_.first;
    *last = *bob_due_.put_at;
    *bob_due_.put_at = first;
    bob_due_.put_at = last;
    if (is_outermost)
        call_all_due();
}

/* @f is done: tells all that watch it, in the order in which they came. */
static void
tell(struct bob_future *f) BOB_NOT_HOLDING(L_FUTURE)
{
    struct bob_watch *w, *next, *oldest = NULL, *callbacks = NULL;
    struct bob_watch **last = &callbacks;

    lock(f);
    for (w = f->watches; w; w = next) {
        next = w->next;
        w->next = oldest;
        oldest = w;
    }
    f->watches = NULL;
    for (w = oldest; w; w = next) {
        next = w->next;
        if (w->told) {
            w->told(w, f); /* and it may be gone */
        } else {
            bob_future_ref(f); /* a callback may drop the caller's */
            *last = w;
            last = &w->next;
        }
    }
    *last = NULL;
    unlock(f);
    if (callbacks)
        make_due(callbacks, last);
}

struct waiter {
    struct bob_watch watch;
    struct bob_parker parker;
};

static void
wake(struct bob_watch *w, struct bob_future *f)
{
    (void)f;
    bob_unpark_(&BOB_OWNER(w, struct waiter, watch)->parker);
}

enum bob_err
bob_promise_await_(struct bob_future *f, bob_time deadline)
{
    struct waiter me = {.watch = {.told = wake}, .parker = BOB_PARKER_INIT};

    if (bob_promise_is_done_(bob_promise_word_(f)))
        return BOB_OK;
    if (deadline <= BOB_AT_ONCE)
        return BOB_ERR_TIMEOUT;
    if (bob_promise_watch_(f, &me.watch) && bob_park_(&me.parker, deadline)) {
        bob_promise_unwatch_(f, &me.watch);
        return bob_promise_is_done_(bob_promise_word_(f)) ? BOB_OK : BOB_ERR_TIMEOUT;
    }
    return BOB_OK;
}

/* ---- the steps ---- */

/* Enters the last state, @bits; @gives_back: with a reference. */
static void
publish(struct bob_future *f, uint64_t bits, bool gives_back)
{
    uint64_t word = __atomic_load_n(&f->word, __ATOMIC_RELAXED);
    uint64_t next;

    /* Release: value or text come before.  Acquire: who gives the last reference back sees what all others did.
     * The reference of a future that is watched is still needed in tell(). */
    bob_watch_publishes_(f);
    do {
        next = (word & ~(PROMISE_REF - 1)) | (word & PROMISE_PLACE) | bits;
        if (gives_back && !(word & PROMISE_WATCHED))
            next -= PROMISE_REF;
    } while (!__atomic_compare_exchange_n(&f->word, &word, next, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (word & PROMISE_WATCHED) {
        tell(f);
        if (gives_back)
            bob_future_unref(f);
    } else if (next < PROMISE_REF) {
        destroy(f);
    }
}

/* From PENDING, and it had none of @flags: sets @bits instead of PENDING. */
static bool
leave_pending(struct bob_future *f, uint64_t bits)
{
    uint64_t word = __atomic_load_n(&f->word, __ATOMIC_RELAXED);

    while (bob_promise_state_(word) == PROMISE_PENDING && !(word & PROMISE_FINISHING))
        if (__atomic_compare_exchange_n(&f->word, &word, word | bits, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

bool
bob_future_start(struct bob_future *f)
{
    return leave_pending(f, PROMISE_RUNNING);
}

bool
bob_promise_start_(struct bob_future *f)
{
    return leave_pending(f, PROMISE_RUNNING | PROMISE_OWNED);
}

/* By hand.  True: the caller is the one to finish it, and does so now.  False: it is done. */
static bool
claim(struct bob_future *f)
{
    uint64_t word = __atomic_load_n(&f->word, __ATOMIC_RELAXED);

    while (!bob_promise_is_done_(word) && !(word & (PROMISE_FINISHING | PROMISE_OWNED)))
        if (__atomic_compare_exchange_n(&f->word, &word, word | PROMISE_FINISHING, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    if (word & PROMISE_FINISHING) /* another thread is at it, and about to be done */
        (void)bob_promise_await_(f, BOB_FOREVER);
    return false;
}

/* NULL: no memory. */
static struct bob_failure_text *
text_of(const struct bob_failure *failure)
{
    struct bob_thread *t = bob_thread_current();
    struct bob_thread_info me = {.name = ""};
    size_t len = strlen(failure->message), room;
    struct bob_failure_text *text;

    if (t)
        bob_thread_describe(t, &me);
    room = strlen(failure->origin) + sizeof " in " + strlen(me.name);
    text = (struct bob_failure_text *)malloc(sizeof *text + len + 1 + room);
    if (!text)
        return NULL;
    memcpy(text->message, failure->message, len + 1);
    text->origin = text->message + len + 1;
    bob_origin_in_(text->message + len + 1, room, failure->origin, me.name);
    return text;
}

static uint64_t
failed_with(enum bob_err code)
{
    return PROMISE_FAILED | (uint64_t)code << PROMISE_CODE_SHIFT;
}

void
bob_promise_succeed_(struct bob_future *f, void *value)
{
    f->u.value = value;
    publish(f, PROMISE_DONE, true);
}

void
bob_promise_fail_(struct bob_future *f, const struct bob_failure *failure)
{
    f->u.text = text_of(failure);
    publish(f, failed_with(failure->code), true);
}

enum bob_err
bob_future_set_result(struct bob_future *f, void *value)
{
    if (!claim(f))
        return BOB_ERR_STATE;
    f->u.value = value;
    publish(f, PROMISE_DONE, false);
    return BOB_OK;
}

enum bob_err
bob_future_set_error(struct bob_future *f, enum bob_err code, const char *message)
{
    const struct bob_failure failure = {code, message ? message : "", ""};

    if (code <= BOB_OK || code >= BOB_ERR_COUNT_)
        return BOB_ERR_INVALID;
    if (!claim(f))
        return BOB_ERR_STATE;
    f->u.text = text_of(&failure);
    publish(f, failed_with(code), false);
    return BOB_OK;
}

bool
bob_future_cancel(struct bob_future *f)
{
    uint64_t word = __atomic_load_n(&f->word, __ATOMIC_ACQUIRE);

    bob_watch_publishes_(f);
    while (bob_promise_state_(word) == PROMISE_PENDING && !(word & PROMISE_FINISHING))
        if (__atomic_compare_exchange_n(&f->word, &word,
                                        (word & ~(uint64_t)PROMISE_WATCHED) | PROMISE_CANCELLED,
                                        true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            if (word & PROMISE_WATCHED)
                tell(f);
            return true;
        }
    if (bob_promise_state_(word) == PROMISE_PENDING) /* another thread finishes it just now */
        (void)bob_promise_await_(f, BOB_FOREVER);
    return bob_promise_state_(word) == PROMISE_CANCELLED;
}

/* ---- what it says ---- */

bool
bob_future_cancelled(struct bob_future *f)
{
    return bob_promise_state_(bob_promise_word_(f)) == PROMISE_CANCELLED;
}

bool
bob_future_running(struct bob_future *f)
{
    return bob_promise_state_(bob_promise_word_(f)) == PROMISE_RUNNING;
}

bool
bob_future_done(struct bob_future *f)
{
    return bob_promise_is_done_(bob_promise_word_(f));
}

static enum bob_err
code_of(uint64_t word)
{
    return (enum bob_err)((word & PROMISE_CODE) >> PROMISE_CODE_SHIFT);
}

enum bob_err
bob_future_result(struct bob_future *f, bob_time deadline, void **ret_value)
{
    enum bob_err err = bob_promise_await_(f, deadline);
    uint64_t word = bob_promise_word_(f);

    if (err)
        return err;
    if (bob_promise_state_(word) == PROMISE_CANCELLED)
        return BOB_ERR_CANCELLED;
    if (bob_promise_state_(word) == PROMISE_FAILED)
        return code_of(word);
    if (ret_value)
        *ret_value = f->u.value;
    return BOB_OK;
}

bool
bob_future_failure(struct bob_future *f, struct bob_failure *ret_failure)
{
    uint64_t word = bob_promise_word_(f);
    const struct bob_failure_text *text;
    bool is_cancelled = bob_promise_state_(word) == PROMISE_CANCELLED;

    if (!is_cancelled && bob_promise_state_(word) != PROMISE_FAILED)
        return false;
    text = is_cancelled ? NULL : f->u.text;
    if (ret_failure)
        *ret_failure = (struct bob_failure){is_cancelled ? BOB_ERR_CANCELLED : code_of(word),
                                            text ? text->message : "", text ? text->origin : ""};
    return true;
}

const char *
bob_future_message(struct bob_future *f)
{
    struct bob_failure failure;

    return bob_future_failure(f, &failure) ? failure.message : "";
}

enum bob_err
bob_future_add_done_callback(struct bob_future *f, void (*fn)(struct bob_future *, void *),
                             void *arg)
{
    struct callback *c;

    if (!fn)
        return BOB_ERR_INVALID;
    if (bob_future_done(f) && !bob_due_.put_at) {
        call(fn, f, arg);
        call_all_due();
        return BOB_OK;
    }
    c = (struct callback *)malloc(sizeof *c);
    if (!c)
        return BOB_ERR_NO_MEMORY;
    *c = (struct callback){.of = f, .fn = fn, .arg = arg};
    if (!bob_promise_watch_(f, &c->watch)) {
        bob_future_ref(f);
        make_due(&c->watch, &c->watch.next);
    }
    return BOB_OK;
}
