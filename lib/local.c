/* local.c - values by thread and by local; see <bobbin/local.h>.
 *
 * Each local has a slot number, and each thread a table of slots, which only its owner reads without the lock.  A
 * value stands in that table and in two lists, its thread's and its local's; whoever takes it out of all three, under
 * the lock, calls its destructor: the thread that ends or the one that frees.
 *
 * One key of pthreads for all locals tells of the end of threads.  A key for each would not do: the system may call a
 * destructor while its key is being deleted.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/local.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cond.h"
#include "list.h"
#include "lockorder.h"

enum { ROUNDS = 4, SLOTS_AT_FIRST = 8 };

struct bob_local {
    void (*destructor)(void *); /* or NULL */
    size_t slot;
    struct bob_condition ended; /* signalled when ending becomes 0 */

    struct bob_list values BOB_GUARDED_BY(L_LOCAL); /* the oldest first */
    unsigned ending BOB_GUARDED_BY(L_LOCAL);        /* threads in the destructor, at their end */
};

/* The values of one thread. */
struct room {
    struct bob_list values BOB_GUARDED_BY(L_LOCAL); /* the oldest first */
    struct value **slot; /* changed under the lock, and one's own read without */
    size_t n_slots;      /* likewise */
};

struct value {
    struct bob_local *local;
    struct room *room;
    void *value; /* changed under the lock by the thread, read by it without */

    struct bob_list in_room BOB_GUARDED_BY(L_LOCAL);
    struct bob_list in_local BOB_GUARDED_BY(L_LOCAL);
};

static struct {
    struct bob_lock lock; /* class L_LOCAL */

    struct bob_local **slot BOB_GUARDED_BY(L_LOCAL); /* NULL: not taken */
    size_t n_slots BOB_GUARDED_BY(L_LOCAL);
    bool has_key BOB_GUARDED_BY(L_LOCAL);
    pthread_key_t key BOB_GUARDED_BY(L_LOCAL); /* of rooms */
} locals = {.lock = BOB_LOCK_INIT(LOCK_CLASS(L_LOCAL))};

static __thread struct room *my_room;               /* NULL: nothing was set */
static __thread struct bob_local *in_destructor_of; /* the innermost */

static void
lock(void) BOB_ACQUIRES(L_LOCAL)
{
    bob_lock_hold(&locals.lock);
}

static void
unlock(void) BOB_RELEASES(L_LOCAL)
{
    (void)bob_lock_release(&locals.lock);
}

/* Finds a free slot for @l, growing the table if there is none. */
static bool
take_slot_locked(struct bob_local *l) BOB_HOLDS(L_LOCAL)
{
    size_t i = 0;

    while (i < locals.n_slots && locals.slot[i])
        i++;
    if (i == locals.n_slots) {
        size_t n = i ? i * 2 : SLOTS_AT_FIRST;
        struct bob_local **grown = reallocarray(locals.slot, n, sizeof *grown);

        if (!grown)
            return false;
        memset(grown + i, 0, (n - i) * sizeof *grown);
        locals.slot = grown;
        locals.n_slots = n;
    }
    locals.slot[i] = l;
    l->slot = i;
    return true;
}

struct bob_local *
bob_local_new(void (*destructor)(void *))
{
    struct bob_local *l = calloc(1, sizeof *l);
    bool had;

    if (!l)
        return NULL;
    l->destructor = destructor;
    bob_condition_init(&l->ended);
    lock();
    bob_list_init_(&l->values);
    had = take_slot_locked(l);
    unlock();
    if (!had) {
        free(l);
        return NULL;
    }
    return l;
}

static void
destroy(struct bob_local *l, void *value)
{
    struct bob_local *outer = in_destructor_of;

    if (!value || !l->destructor)
        return;
    in_destructor_of = l;
    l->destructor(value);
    in_destructor_of = outer;
}

/* Takes the values of all threads out of their rooms. */
static void
take_all_locked(struct bob_local *l, struct bob_list *ret_values) BOB_HOLDS(L_LOCAL)
{
    bob_list_init_(ret_values);
    for (struct bob_list *link = l->values.next; link != &l->values; link = link->next) {
        struct value *v = BOB_OWNER(link, struct value, in_local);

        bob_list_remove_(&v->in_room);
        v->room->slot[l->slot] = NULL;
    }
    bob_list_splice_(ret_values, &l->values);
}

/* A destructor may set @l anew, on this thread or on one that is just ending: the slot is @l's until no value is left. */
void
bob_local_free(struct bob_local *l)
{
    struct bob_list mine, *link;

    if (!l)
        return;
    if (in_destructor_of == l)
        bob_die_("a local is freed by its own destructor");
    lock();
    for (int round = 0; l->ending > 0 || !bob_list_is_empty_(&l->values); round++) {
        take_all_locked(l, &mine);
        unlock();
        while ((link = bob_list_pop_(&mine))) {
            struct value *v = BOB_OWNER(link, struct value, in_local);

            if (round < ROUNDS)
                destroy(l, v->value);
            free(v);
        }
        lock();
        while (l->ending > 0)
            (void)!bob_condition_wait(&l->ended, &locals.lock, BOB_FOREVER);
    }
    locals.slot[l->slot] = NULL;
    unlock();
    bob_condition_fini(&l->ended);
    free(l);
}

/* Takes the newest value out of @list, a room's, or NULL; with @ends, its local waits for end_value. */
static struct value *
take_out(struct bob_list *list, bool ends)
{
    struct value *v = NULL;

    lock();
    if (!bob_list_is_empty_(list)) {
        v = BOB_OWNER(list->prev, struct value, in_room);
        bob_list_remove_(&v->in_room);
        bob_list_remove_(&v->in_local);
        v->room->slot[v->local->slot] = NULL;
        v->local->ending += ends;
    }
    unlock();
    return v;
}

static void
end_value(struct value *v)
{
    destroy(v->local, v->value);
    lock();
    if (--v->local->ending == 0)
        bob_condition_notify_all(&v->local->ended);
    unlock();
    free(v);
}

/* At the end of a thread.  A destructor may set values anew: those make the next round. */
static void
end_room(void *arg)
{
    struct room *r = arg;
    struct bob_list round;
    struct value *v;

    for (int i = 0; i < ROUNDS; i++) {
        bob_list_init_(&round);
        lock();
        bob_list_splice_(&round, &r->values);
        unlock();
        while ((v = take_out(&round, true)))
            end_value(v);
    }
    while ((v = take_out(&r->values, false)))
        free(v);
    my_room = NULL;
    free(r->slot);
    free(r);
}

void *
bob_local_get(struct bob_local *l)
{
    const struct room *r = my_room;
    const struct value *v = r && l->slot < r->n_slots ? r->slot[l->slot] : NULL;

    return v ? v->value : NULL;
}

/* Makes this thread's room, with the key that will end it. */
static enum bob_err
make_room(void)
{
    struct room *r = calloc(1, sizeof *r);
    enum bob_err err = BOB_OK;
    int failed;

    if (!r)
        return BOB_ERR_NO_MEMORY;
    lock();
    bob_list_init_(&r->values);
    if (!locals.has_key)
        locals.has_key = pthread_key_create(&locals.key, end_room) == 0;
    failed = locals.has_key ? pthread_setspecific(locals.key, r) : EAGAIN;
    unlock();
    if (failed) {
        free(r);
        err = failed == ENOMEM ? BOB_ERR_NO_MEMORY : BOB_ERR_SYSTEM;
    } else {
        my_room = r;
    }
    return err;
}

/* Makes @r a table that has @slot. */
static bool
reserve(struct room *r, size_t slot)
{
    size_t n = r->n_slots ? r->n_slots : SLOTS_AT_FIRST;
    struct value **grown, **before = r->slot;

    if (slot < r->n_slots)
        return true;
    while (n <= slot)
        n *= 2;
    grown = calloc(n, sizeof *grown);
    if (!grown)
        return false;
    lock(); /* another may free a local, and empty a slot */
    if (r->n_slots > 0)
        memcpy(grown, before, r->n_slots * sizeof *grown);
    r->slot = grown;
    r->n_slots = n;
    unlock();
    free(before);
    return true;
}

/* An empty value of this thread for @l. */
static enum bob_err
make_value(struct bob_local *l)
{
    enum bob_err err = my_room ? BOB_OK : make_room();
    struct value *v;

    if (err)
        return err;
    if (!reserve(my_room, l->slot) || !(v = calloc(1, sizeof *v)))
        return BOB_ERR_NO_MEMORY;
    v->local = l;
    v->room = my_room;
    lock();
    bob_list_append_(&my_room->values, &v->in_room);
    bob_list_append_(&l->values, &v->in_local);
    my_room->slot[l->slot] = v;
    unlock();
    return BOB_OK;
}

enum bob_err
bob_local_set(struct bob_local *l, void *value)
{
    bool has = my_room && l->slot < my_room->n_slots && my_room->slot[l->slot];
    enum bob_err err;

    if (!has && (err = make_value(l)))
        return err;
    lock(); /* the one who frees it reads it */
    my_room->slot[l->slot]->value = value;
    unlock();
    return BOB_OK;
}
