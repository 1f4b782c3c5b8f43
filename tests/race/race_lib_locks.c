/* race_lib_locks.c - each lock-like type of libbobbin under four threads at once, bounded by counts; TAP, for
 * ThreadSanitizer and helgrind.
 *
 * Each part ends with a sum of plain numbers that is right only if nothing was lost, done twice, or torn.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "race.h"

enum { THREADS = 4 };

static int rounds; /* set by main */

/* Now and then at once, now and then soon, else as long as it takes. */
static bob_time
deadline_of(int i)
{
    return i % 5 == 0 ? BOB_AT_ONCE : i % 7 == 0 ? bob_now() + 20000 : BOB_FOREVER;
}

static const struct bob_lock_class outer = {"outer", 10}, inner = {"inner", 20};
static int plain, had; /* plain is under the lock of the part; had is atomic */

/* The threads of a part, which counts from 0. */
static void
race(void *(*fn)(void *))
{
    plain = had = 0;
    in_threads(THREADS, fn);
}

/* ---- lock ---- */

static struct bob_lock lock_a = BOB_LOCK_INIT(&outer), lock_b = BOB_LOCK_INIT(&inner);
static int plain_b;

static void *
count_under_locks(void *arg)
{
    for (int i = 0; i < rounds * 5; i++) {
        if (bob_lock_acquire(&lock_a, deadline_of(i)))
            continue;
        add(&had, 1);
        plain++;
        bob_lock_hold(&lock_b);
        plain_b++;
        expect(bob_lock_is_mine(&lock_a) && bob_lock_locked(&lock_b));
        expect(bob_lock_release(i % 2 ? &lock_a : &lock_b) == BOB_OK);
        expect(bob_lock_release(i % 2 ? &lock_b : &lock_a) == BOB_OK);
        expect(bob_lock_release(&lock_b) == BOB_ERR_NOT_OWNER);
    }
    return arg;
}

static bool
locks_exclude(void)
{
    race(count_under_locks);
    return plain == had && plain_b == had;
}

/* ---- rlock and condition ---- */

static struct bob_rlock rlock = BOB_RLOCK_INIT(&outer);
static struct bob_condition turn = BOB_CONDITION_INIT;

static void *
take_turns(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < rounds; i++) {
        for (int n = 0; n <= i % 3; n++)
            bob_rlock_hold(&rlock);
        while (plain % THREADS != me)
            if (bob_condition_wait_rlock(&turn, &rlock, i % 2 ? BOB_FOREVER : bob_in_ms(1)))
                add(&had, 1);
        plain++;
        if (i % 4)
            bob_condition_notify_n(&turn, THREADS - 1);
        else
            bob_condition_notify_all(&turn);
        for (int n = 0; n <= i % 3; n++)
            expect(bob_rlock_release(&rlock) == BOB_OK);
    }
    return arg;
}

static bool
rlocks_and_conditions_give_each_its_turn(void)
{
    race(take_turns);
    return plain == THREADS * rounds && !bob_rlock_locked(&rlock);
}

/* One notify for each item, outside the lock: none may be lost. */
static struct bob_lock items_lock = BOB_LOCK_INIT(&outer);
static struct bob_condition item_there = BOB_CONDITION_INIT;

static void *
make_and_use(void *arg)
{
    bool makes = *(int *)arg % 2;

    for (int i = 0; i < rounds * 2; i++) {
        bob_lock_hold(&items_lock);
        if (makes) {
            plain++;
        } else {
            while (plain == 0)
                (void)!bob_condition_wait(&item_there, &items_lock, BOB_FOREVER);
            plain--;
        }
        expect(bob_lock_release(&items_lock) == BOB_OK);
        if (makes)
            bob_condition_notify(&item_there);
    }
    return arg;
}

static bool
conditions_lose_no_notify(void)
{
    race(make_and_use);
    return plain == 0;
}

/* ---- semaphore ---- */

static struct bob_semaphore *semaphore;

static void *
take_some(void *arg)
{
    unsigned n = 1 + (unsigned)*(int *)arg;

    for (int i = 0; i < rounds; i++) {
        if (bob_semaphore_acquire_n(semaphore, n, deadline_of(i)))
            continue;
        expect(add(&had, (int)n) <= 5);
        add(&had, -(int)n);
        expect(bob_semaphore_release(semaphore, n) == BOB_OK);
    }
    return arg;
}

static bool
semaphores_neither_lose_nor_make_permits(void)
{
    unsigned left;

    semaphore = bob_semaphore_new_bounded(5);
    race(take_some);
    left = bob_semaphore_value(semaphore);
    bob_semaphore_free(semaphore);
    return left == 5;
}

/* ---- event ---- */

static struct bob_event events[THREADS];

static void *
pass_round(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < rounds; i++) {
        expect(bob_event_wait(&events[me], bob_in_seconds(100)) == BOB_OK);
        bob_event_clear(&events[me]);
        plain++;
        bob_event_set(&events[(me + 1) % THREADS]);
    }
    return arg;
}

static bool
events_pass_what_was_done(void)
{
    for (int i = 0; i < THREADS; i++)
        bob_event_init(&events[i]);
    bob_event_set(&events[0]);
    race(pass_round);
    for (int i = 0; i < THREADS; i++)
        bob_event_fini(&events[i]);
    return plain == THREADS * rounds;
}

/* ---- barrier ---- */

static struct bob_barrier *barrier;
static int came_as[THREADS]; /* atomic: how often each index was given */

static enum bob_err
sum_up(void *arg)
{
    (*(int *)arg)++;
    return BOB_OK;
}

static void *
meet(void *arg)
{
    unsigned index;

    /* Nobody is in the next action before all have read what this one wrote. */
    for (int i = 0; i < rounds; i++) {
        expect(bob_barrier_wait(barrier, bob_in_seconds(100), &index) == BOB_OK);
        expect(plain == i + 1);
        add(&came_as[index], 1);
    }
    return arg;
}

static void *
meet_or_break(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < rounds; i++) {
        enum bob_err err = bob_barrier_wait(barrier, bob_in_ms(i % 3), NULL);

        expect(err == BOB_OK || err == BOB_ERR_TIMEOUT || err == BOB_ERR_BROKEN);
        if (i % 50 == 0 && me == 1)
            bob_barrier_abort(barrier);
        if (me == 0)
            bob_barrier_reset(barrier);
        if (me == 2)
            (void)bob_barrier_n_waiting(barrier);
    }
    return arg;
}

static bool
barriers_meet_or_break_together(void)
{
    int actions = 0;

    barrier = bob_barrier_new(THREADS, sum_up, &plain);
    race(meet);
    bob_barrier_free(barrier);
    barrier = bob_barrier_new(THREADS, sum_up, &actions);
    in_threads(THREADS, meet_or_break);
    bob_barrier_free(barrier);
    for (int i = 0; i < THREADS; i++)
        expect(came_as[i] == rounds);
    return plain == rounds;
}

/* ---- rwlock ---- */

static struct bob_rwlock rwlock = BOB_RWLOCK_INIT(&outer);
static int plain_too;

static void *
read_or_write(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < rounds; i++) {
        if (i % 4 == me) {
            if (bob_rwlock_write_acquire(&rwlock, deadline_of(i)))
                continue;
            add(&had, 1);
            plain++;
            plain_too++;
            expect(bob_rwlock_write_is_mine(&rwlock));
            expect(bob_rwlock_write_release(&rwlock) == BOB_OK);
        } else if (bob_rwlock_read_acquire(&rwlock, deadline_of(i)) == BOB_OK) {
            expect(plain == plain_too);
            expect(bob_rwlock_read_release(&rwlock) == BOB_OK);
            expect(bob_rwlock_read_release(&rwlock) == BOB_ERR_NOT_OWNER);
        }
    }
    return arg;
}

static bool
rwlocks_let_writers_alone(void)
{
    race(read_or_write);
    return plain == had && had > 0;
}

/* ---- once ---- */

enum { ONCES = 200 };
static struct bob_once onces[ONCES];
static int made[ONCES]; /* plain */

static enum bob_err
make_at_the_third_try(void *arg)
{
    int *n = arg;

    return ++*n < 3 ? BOB_ERR_SYSTEM : BOB_OK;
}

static void *
need_all(void *arg)
{
    for (int i = 0; i < ONCES; i++)
        while (bob_once_call(&onces[i], make_at_the_third_try, &made[i]))
            add(&had, 1);
    for (int i = 0; i < ONCES; i++)
        expect(made[i] == 3 && bob_once_done(&onces[i]));
    return arg;
}

static bool
onces_succeed_once(void)
{
    race(need_all);
    return had == 2 * ONCES;
}

/* ---- local ---- */

static struct bob_local *local;
static int set, ended; /* atomic */

static void
end(void *value)
{
    (*(int *)value)++;
    add(&ended, 1);
    free(value);
}

static void *
set_and_leave(void *arg)
{
    int *value = malloc(sizeof *value);

    if (!value || bob_local_get(local) || bob_local_set(local, value))
        abort();
    *value = 1;
    expect(bob_local_get(local) == value);
    add(&set, 1);
    return arg;
}

/* The threads end while the local is freed. */
static bool
locals_end_each_value_once(void)
{
    struct bob_thread *t[THREADS];

    for (int i = 0; i < rounds / 20; i++) {
        int before = set;

        local = bob_local_new(end);
        crew_start(t, THREADS, set_and_leave);
        while (read_of(&set) < before + THREADS)
            (void)sched_yield();
        bob_local_free(local);
        expect(read_of(&ended) == before + THREADS);
        crew_end(t, THREADS);
    }
    return bob_thread_join_all(bob_in_seconds(100)) == BOB_OK && set == ended;
}

int
main(void)
{
    static const struct part parts[] = {
        {"locks exclude", locks_exclude},
        {"rlocks and conditions give each its turn", rlocks_and_conditions_give_each_its_turn},
        {"conditions lose no notify", conditions_lose_no_notify},
        {"semaphores neither lose nor make permits", semaphores_neither_lose_nor_make_permits},
        {"events pass what was done", events_pass_what_was_done},
        {"barriers meet or break together", barriers_meet_or_break_together},
        {"rwlocks let writers alone", rwlocks_let_writers_alone},
        {"onces succeed once", onces_succeed_once},
        {"locals end each value once", locals_end_each_value_once},
    };

    rounds = rounds_of(2000, 40);
    return run_parts(parts, sizeof parts / sizeof *parts);
}
