/* race_lib_thread.c - threads that fail, are renamed, listed, joined by many and free themselves, hooks that change
 * under them, and timers that are joined; bounded by counts; TAP, for ThreadSanitizer and helgrind.
 *
 * Each part ends with a sum that is right only if nothing was lost, done twice, or torn.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#include "race.h"

enum { THREADS = 4 };

static int rounds; /* set by main */

/* ---- failures ---- */

/* Two hooks, each with an argument of its own: they change together or not at all. */
static int told_by[2];

static void
count(const struct bob_uncaught *u, int which)
{
    add(&told_by[which], 1);
    expect(strcmp(u->thread_name, "failing") == 0);
    expect(strcmp(u->failure.message, "lost") == 0 && u->native_id == bob_thread_own_id());
}

static void
hook_a(const struct bob_uncaught *u, void *arg)
{
    count(u, 0);
    expect(arg == &told_by[0]);
}

static void
hook_b(const struct bob_uncaught *u, void *arg)
{
    count(u, 1);
    expect(arg == &told_by[1]);
}

static void *
fail(void *arg)
{
    (void)arg;
    return bob_thread_fail(BOB_ERR_BROKEN, "lost");
}

static void *
start_some_that_fail(void *arg)
{
    for (int i = 0; i < rounds; i++) {
        struct bob_thread *t = started("failing", fail, NULL);
        struct bob_failure f = {.code = BOB_OK};

        bob_set_excepthook(i % 2 ? hook_a : hook_b, &told_by[i % 2 ? 0 : 1]);
        while (!bob_thread_failure(t, &f))
            sched_yield();
        expect(f.code == BOB_ERR_BROKEN && strcmp(f.message, "lost") == 0);
        bob_thread_free(t);
    }
    return arg;
}

static bool
each_failure_is_told_once(void)
{
    bob_set_excepthook(hook_a, &told_by[0]);
    in_threads(THREADS, start_some_that_fail);
    bob_set_excepthook(NULL, NULL);
    return told_by[0] + told_by[1] == THREADS * rounds;
}

/* ---- names ---- */

static struct bob_thread *named[THREADS];
static int renaming; /* threads that still rename */
static const char *const names[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbb", "c"};

static bool
is_whole(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strcmp(name, "racer") == 0 || strcmp(name, "main") == 0;
}

/* Ends some time while it is being renamed. */
static void *
be_named(void *arg)
{
    for (int i = 0; i < rounds / 2; i++) {
        bob_thread_note("%d", i);
        bob_thread_rename(bob_thread_current(), names[i % 3]);
    }
    return arg;
}

static void *
rename_all(void *arg)
{
    for (int i = 0; i < rounds * THREADS; i++)
        bob_thread_rename(named[i % THREADS], names[i % 3]);
    add(&renaming, -1);
    return arg;
}

static void *
read_names(void *arg)
{
    while (read_of(&renaming) > 0) {
        struct bob_thread_info list[4 * THREADS], info;
        size_t n = bob_thread_enumerate(list, 4 * THREADS);

        for (size_t i = 0; i < n && i < 4 * THREADS; i++)
            expect(is_whole(list[i].name));
        bob_thread_describe(named[n % THREADS], &info);
        expect(is_whole(info.name));
    }
    return arg;
}

static bool
names_are_whole(void)
{
    struct bob_thread *t[4];

    renaming = 2;
    for (int i = 0; i < THREADS; i++)
        named[i] = started(names[i % 3], be_named, NULL);
    crew_start(t, 2, rename_all);
    crew_start(t + 2, 2, read_names);
    crew_end(t, 4);
    crew_end(named, THREADS);
    return true;
}

/* ---- ends ---- */

static struct bob_thread *joined;
static struct bob_event let_go;
static int joins, ends;

static void *
wait_to_end(void *arg)
{
    expect(bob_event_wait(&let_go, bob_in_seconds(60)) == BOB_OK);
    return arg;
}

static void *
join_by_deadlines(void *arg)
{
    void *value = NULL;

    while (bob_thread_join(joined, BOB_AT_ONCE, &value)) {
        bob_event_set(&let_go);
        sched_yield();
    }
    expect(value == &joins);
    add(&joins, 1);
    return arg;
}

static void *
free_myself(void *arg)
{
    expect(bob_event_wait(&let_go, bob_in_seconds(60)) == BOB_OK);
    bob_thread_free(bob_thread_current());
    add(&ends, 1);
    return arg;
}

static bool
many_join_one_and_some_free_themselves(void)
{
    size_t before = bob_thread_active_count();

    bob_event_init(&let_go);
    for (int i = 0; i < rounds; i++) {
        bob_event_clear(&let_go);
        joined = started("joined", wait_to_end, &joins);
        (void)started("selfless", free_myself, NULL); /* which frees its handle itself */
        in_threads(THREADS, join_by_deadlines);
        bob_thread_free(joined);
    }
    expect(bob_thread_join_all(bob_in_seconds(60)) == BOB_OK);
    bob_event_fini(&let_go);
    return joins == THREADS * rounds && ends == rounds && bob_thread_active_count() == before;
}

/* ---- timers ---- */

static struct bob_timers *timers;
static struct bob_timer *periodic;

static void
fire(void *arg)
{
    add(arg, 1);
}

static void *
start_and_join(void *arg)
{
    for (int i = 0; i < 4 * rounds; i++) {
        int own = 0;
        struct bob_timer *t =
            bob_timer_start_named(timers, "own", bob_now() + i % 50 * 1000, 0, fire, &own);
        bool was_in_time = i % 3 == 0 && bob_timer_cancel(t);

        (void)bob_timer_due(t);
        expect(bob_timer_join(t, bob_in_seconds(60)) == BOB_OK && !bob_timer_is_alive(t));
        expect(read_of(&own) == !was_in_time);
        (void)bob_timer_is_alive(periodic);
        bob_timer_free(t);
    }
    return arg;
}

static void *
join_periodic(void *arg)
{
    expect(bob_timer_join(periodic, bob_in_seconds(60)) == BOB_OK);
    return arg;
}

static bool
a_join_of_a_timer_ends_once_it_is_over(void)
{
    struct bob_thread *joiner;
    int beats = 0, seen;

    timers = bob_timers_new("clockwork");
    periodic = bob_timer_start(timers, BOB_AT_ONCE, 1, fire, &beats);
    joiner = started("joiner", join_periodic, NULL);
    in_threads(THREADS, start_and_join);
    (void)bob_timer_cancel(periodic);
    bob_thread_free(joiner);
    seen = read_of(&beats);
    bob_timer_free(periodic);
    bob_timers_free(timers);
    return seen > 0 && beats == seen;
}

int
main(void)
{
    static const struct part parts[] = {
        {"each failure is told once", each_failure_is_told_once},
        {"names are whole", names_are_whole},
        {"many join one, and some free themselves", many_join_one_and_some_free_themselves},
        {"a join of a timer ends once it is over", a_join_of_a_timer_ends_once_it_is_over},
    };

    rounds = rounds_of(150, 4);
    return run_parts(parts, sizeof parts / sizeof *parts);
}
