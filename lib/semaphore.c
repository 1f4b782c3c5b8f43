/* semaphore.c - a number under a lock, and a line of those who wait; see <bobbin/semaphore.h>.
 *
 * Permits that come back are given to the head of the line there and then, while they suffice for it: so nobody who
 * comes just then takes them away, and each release wakes those it serves and no other.  While somebody waits, there
 * are fewer permits than the head wants.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/semaphore.h>
#include <limits.h>
#include <stdlib.h>

#include "list.h"
#include "lockorder.h"

struct bob_semaphore {
    struct bob_lock lock; /* class L_SEMAPHORE */
    unsigned value_max;   /* what value may never exceed */

    unsigned value BOB_GUARDED_BY(L_SEMAPHORE);       /* permits that are free */
    struct bob_list line BOB_GUARDED_BY(L_SEMAPHORE); /* who waits, the first first */
};

/* One who waits, on his own stack. */
struct taker {
    struct bob_list in_line;
    struct bob_condition served; /* signalled when is_served */
    unsigned n;
    bool is_served; /* has his permits, and is out of the line */
};

static void
lock(struct bob_semaphore *s) BOB_ACQUIRES(L_SEMAPHORE)
{
    bob_lock_hold(&s->lock);
}

static void
unlock(struct bob_semaphore *s) BOB_RELEASES(L_SEMAPHORE)
{
    (void)bob_lock_release(&s->lock);
}

static struct bob_semaphore *
make(unsigned value, unsigned value_max) BOB_UNSHARED
{
    struct bob_semaphore *s = malloc(sizeof *s);

    if (!s)
        return NULL;
    bob_lock_init(&s->lock, LOCK_CLASS(L_SEMAPHORE));
    bob_list_init_(&s->line);
    s->value_max = value_max;
    s->value = value;
    return s;
}

struct bob_semaphore *
bob_semaphore_new(unsigned value)
{
    return make(value, UINT_MAX);
}

struct bob_semaphore *
bob_semaphore_new_bounded(unsigned value)
{
    return make(value, value);
}

void
bob_semaphore_free(struct bob_semaphore *s)
{
    if (!s)
        return;
    bob_lock_fini(&s->lock);
    free(s);
}

static void
serve_locked(struct bob_semaphore *s) BOB_HOLDS(L_SEMAPHORE)
{
    while (!bob_list_is_empty_(&s->line)) {
        struct taker *t = BOB_OWNER(s->line.next, struct taker, in_line);

        if (t->n > s->value)
            return;
        s->value -= t->n;
        bob_list_remove_(&t->in_line);
        t->is_served = true;
        bob_condition_notify(&t->served);
    }
}

enum bob_err
bob_semaphore_acquire_n(struct bob_semaphore *s, unsigned n, bob_time deadline)
{
    struct taker t = {.served = BOB_CONDITION_INIT, .n = n};
    enum bob_err err = BOB_OK;

    if (n == 0 || n > s->value_max)
        return BOB_ERR_INVALID;
    lock(s);
    bob_list_append_(&s->line, &t.in_line);
    serve_locked(s);
    while (!t.is_served && !err)
        err = bob_condition_wait(&t.served, &s->lock, deadline);
    if (t.is_served) {
        err = BOB_OK;
    } else {
        bob_list_remove_(&t.in_line);
        serve_locked(s); /* there may be enough for those behind */
    }
    bob_condition_fini(&t.served); /* its place on the stack will be another lock's */
    unlock(s);
    return err;
}

enum bob_err
bob_semaphore_acquire(struct bob_semaphore *s, bob_time deadline)
{
    return bob_semaphore_acquire_n(s, 1, deadline);
}

enum bob_err
bob_semaphore_release(struct bob_semaphore *s, unsigned n)
{
    enum bob_err err = BOB_ERR_INVALID;

    lock(s);
    if (n > 0 && n <= s->value_max - s->value) {
        s->value += n;
        serve_locked(s);
        err = BOB_OK;
    }
    unlock(s);
    return err;
}

unsigned
bob_semaphore_value(struct bob_semaphore *s)
{
    unsigned value;

    lock(s);
    value = s->value;
    unlock(s);
    return value;
}
