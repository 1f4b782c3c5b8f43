/* race_lib.c - each type of libbobbin under several threads at once, bounded by counts; TAP, for ThreadSanitizer.
 *
 * Each part ends with a sum that is right only if nothing was lost, done twice, or torn.  Without a sanitizer it is
 * a test all the same.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "race.h"

enum { THREADS = 4 };

static int rounds; /* set by main */

/* ---- locks ---- */

static const struct bob_lock_class outer = {"outer", 10}, inner = {"inner", 20};
static struct bob_lock lock_a = BOB_LOCK_INIT(&outer), lock_b = BOB_LOCK_INIT(&inner);
static int plain_a, plain_b; /* under lock_a and lock_b */
static int timeouts;

static void *
count_under_locks(void *arg)
{
    for (int i = 0; i < rounds; i++) {
        bob_lock_hold(&lock_a);
        plain_a++;
        if (bob_lock_acquire(&lock_b, i % 2 ? BOB_AT_ONCE : bob_in_ms(1)))
            add(&timeouts, 1);
        else {
            plain_b++;
            (void)bob_lock_release(i % 3 ? &lock_b : &lock_a);
            (void)bob_lock_release(i % 3 ? &lock_a : &lock_b);
            continue;
        }
        (void)bob_lock_release(&lock_a);
    }
    for (int i = 0; i < rounds / 10; i++) {
        bob_lock_hold(&lock_b);
        plain_b++;
        (void)bob_lock_locked(&lock_a);
        (void)bob_lock_release(&lock_b);
    }
    return arg;
}

static bool
locks_exclude(void)
{
    in_threads(THREADS, count_under_locks);
    return plain_a == THREADS * rounds && plain_b + timeouts == THREADS * (rounds + rounds / 10);
}

/* ---- queues ---- */

static struct bob_queue *queue;
static int64_t put_sum, got_sum;
static int fulls;

static void *
put_or_get(void *arg)
{
    int me = *(int *)arg;
    int64_t sum = 0;
    void *item;

    if (me % 2) {
        while (bob_queue_get(queue, &item, bob_in_seconds(20)) == BOB_OK) {
            sum += (intptr_t)item;
            expect(bob_queue_task_done(queue) == BOB_OK);
        }
        __atomic_add_fetch(&got_sum, sum, __ATOMIC_SEQ_CST);
        return arg;
    }
    for (intptr_t i = 1; i <= rounds; i++) {
        if (bob_queue_put(queue, (void *)i, i % 4 ? bob_in_seconds(20) : BOB_AT_ONCE) == BOB_OK)
            sum += i;
        else
            add(&fulls, 1);
        (void)bob_queue_size(queue);
    }
    __atomic_add_fetch(&put_sum, sum, __ATOMIC_SEQ_CST);
    expect(bob_queue_join(queue, bob_in_seconds(20)) == BOB_OK);
    bob_queue_shut_down(queue);
    return arg;
}

static bool
queues_lose_nothing(void)
{
    queue = bob_queue_new(4);
    in_threads(2, put_or_get);
    bob_queue_free(queue);
    return put_sum == got_sum && put_sum > 0;
}

/* ---- semaphores and events ---- */

static struct bob_semaphore *semaphore;
static int inside;

static void *
go_in_and_out(void *arg)
{
    for (int i = 0; i < rounds / 2; i++) {
        if (bob_semaphore_acquire(semaphore, i % 3 ? BOB_FOREVER : bob_in_ms(1)))
            continue;
        expect(add(&inside, 1) <= 2);
        add(&inside, -1);
        expect(bob_semaphore_release(semaphore, 1) == BOB_OK);
    }
    return arg;
}

static bool
semaphores_admit_no_more(void)
{
    unsigned left;

    semaphore = bob_semaphore_new_bounded(2);
    in_threads(THREADS, go_in_and_out);
    left = bob_semaphore_value(semaphore);
    bob_semaphore_free(semaphore);
    return left == 2;
}

static struct bob_event ping, pong;

static void *
play(void *arg)
{
    bool serves = *(int *)arg == 0;

    for (int i = 0; i < rounds / 5; i++) {
        if (serves)
            bob_event_set(&ping);
        expect(bob_event_wait(serves ? &pong : &ping, bob_in_seconds(20)) == BOB_OK);
        bob_event_clear(serves ? &pong : &ping);
        if (!serves)
            bob_event_set(&pong);
    }
    return arg;
}

static bool
events_reach_the_other(void)
{
    bob_event_init(&ping);
    bob_event_init(&pong);
    in_threads(2, play);
    bob_event_fini(&ping);
    bob_event_fini(&pong);
    return true;
}

/* ---- threads ---- */

static int torn, still_noting;

static void *
note_letters(void *arg)
{
    char note[80];

    for (int i = 0; i < rounds; i++) {
        memset(note, 'a' + i % 26, sizeof note);
        bob_thread_note("%.*s", 10 + i % 60, note);
        if (i % 100 == 0)
            bob_thread_adopt(i % 200 ? "xxxxxxxxxxxx" : "yyyyyyyyyyyyyyyyyyyy", "noter");
    }
    add(&still_noting, -1);
    return arg;
}

static bool
is_of_one_letter(const char *s)
{
    return strspn(s, (char[]){*s, '\0'}) == strlen(s);
}

static void *
read_list(void *arg)
{
    struct bob_thread_info list[16];

    while (read_of(&still_noting) > 0) {
        size_t n = bob_thread_enumerate(list, 16);

        for (size_t i = 0; i < n && i < 16; i++)
            if (strcmp(list[i].role, "noter") == 0 &&
                (!is_of_one_letter(list[i].note) || !is_of_one_letter(list[i].name)))
                add(&torn, 1);
    }
    return arg;
}

static void *
each_a_part(void *arg)
{
    return *(int *)arg < 2 ? note_letters(arg) : read_list(arg);
}

static void *
pass(void *arg)
{
    bob_thread_note("passing");
    return arg;
}

static void *
start_many(void *arg)
{
    for (int i = 0; i < rounds / 50; i++)
        in_threads(2, pass);
    return arg;
}

static bool
notes_are_whole_and_threads_come_and_go(void)
{
    size_t before = bob_thread_active_count();

    still_noting = 2;
    in_threads(3, each_a_part);
    in_threads(2, start_many);
    return torn == 0 && bob_thread_active_count() == before &&
           bob_thread_join_all(BOB_AT_ONCE) == BOB_OK;
}

/* ---- futures ---- */

static struct bob_future **futures; /* as many as rounds */
static int called, finished, cancelled;

static void
count_call(struct bob_future *f, void *arg)
{
    (void)f;
    add(arg, 1);
}

static void *
meddle(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < rounds; i++) {
        struct bob_future *f = futures[i];
        bool was_mine = false;

        expect(bob_future_add_done_callback(f, count_call, &called) == BOB_OK);
        if (me == 0 && bob_future_start(f))
            was_mine = bob_future_set_result(f, f) == BOB_OK;
        else if (me == 1)
            was_mine = bob_future_set_error(f, BOB_ERR_BROKEN, "raced") == BOB_OK;
        else if (me == 2)
            (void)bob_future_cancel(f);
        expect(bob_future_result(f, bob_in_seconds(20), NULL) != BOB_ERR_TIMEOUT);
        add(&finished, was_mine);
        if (me == 3)
            add(&cancelled, bob_future_cancelled(f));
        bob_future_unref(f);
    }
    return arg;
}

static bool
futures_are_done_once(void)
{
    futures = calloc((size_t)rounds, sizeof(struct bob_future *));
    if (!futures)
        abort();
    for (int i = 0; i < rounds; i++) {
        futures[i] = bob_future_new();
        for (int n = 1; n < THREADS; n++)
            bob_future_ref(futures[i]);
    }
    in_threads(THREADS, meddle);
    free(futures);
    return called == rounds * THREADS && finished + cancelled == rounds;
}

/* ---- executors ---- */

static struct bob_executor *executor;
static int ran, accepted, dropped;

static enum bob_err
run_and_count(void *arg, void **ret_value)
{
    add(&ran, 1);
    *ret_value = arg;
    return BOB_OK;
}

static void
count_if_cancelled(struct bob_future *f, void *arg)
{
    add(arg, bob_future_cancelled(f));
}

static void *
submit_and_resize(void *arg)
{
    struct bob_future *f;

    for (int i = 0; i < rounds / 2; i++) {
        if (*(int *)arg == 0 && i % 50 == 0)
            (void)bob_executor_resize(executor, 1 + (unsigned)(i / 50) % 5);
        if (bob_executor_submit(executor, run_and_count, arg, &f))
            continue; /* full, or shut down */
        add(&accepted, 1);
        expect(bob_future_add_done_callback(f, count_if_cancelled, &dropped) == BOB_OK);
        if (i % 7 == 0)
            (void)bob_future_cancel(f);
        else if (i % 11 == 0)
            expect(bob_future_result(f, bob_in_seconds(20), NULL) != BOB_ERR_TIMEOUT);
        bob_future_unref(f);
        (void)bob_executor_busy(executor);
    }
    if (*(int *)arg == 1)
        (void)!bob_executor_shut_down(executor, true, BOB_AT_ONCE);
    return arg;
}

static bool
executors_run_or_cancel_everything(void)
{
    const struct bob_executor_options options = {.max_workers = 3, .max_queue = 20};

    for (int i = 0; i < 3; i++) {
        executor = bob_executor_new("race", &options);
        in_threads(THREADS, submit_and_resize);
        bob_executor_free(executor);
    }
    return accepted > 0 && ran + dropped == accepted;
}

/* ---- timers ---- */

static struct bob_timers *timers;
static int fired, prevented;

static void
fire(void *arg)
{
    add(arg, 1);
}

static void *
set_and_cancel(void *arg)
{
    for (int i = 0; i < rounds / 4; i++) {
        int own = 0;
        struct bob_timer *t =
            bob_timer_start(timers, bob_now() + i % 50 * 1000, i % 5 == 0, fire, &own);

        if (i % 3 == 0)
            sched_yield();
        if (i % 2 && bob_timer_cancel(t)) {
            add(&prevented, 1);
            expect(i % 5 == 0 || read_of(&own) == 0); /* it said that it never fired */
        }
        bob_timer_free(t); /* afterwards nobody touches own */
        add(&fired, own);
    }
    return arg;
}

static bool
timers_fire_or_are_cancelled(void)
{
    timers = bob_timers_new("clockwork");
    in_threads(THREADS, set_and_cancel);
    bob_timers_free(timers);
    return fired + prevented > 0;
}

int
main(void)
{
    static const struct part parts[] = {
        {"locks exclude", locks_exclude},
        {"queues lose nothing", queues_lose_nothing},
        {"semaphores admit no more", semaphores_admit_no_more},
        {"events reach the other", events_reach_the_other},
        {"notes are whole, and threads come and go", notes_are_whole_and_threads_come_and_go},
        {"futures are done once", futures_are_done_once},
        {"executors run or cancel everything", executors_run_or_cancel_everything},
        {"timers fire or are cancelled", timers_fire_or_are_cancelled},
    };

    rounds = rounds_of(5000, 100);
    return run_parts(parts, sizeof parts / sizeof *parts);
}
