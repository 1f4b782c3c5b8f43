/* race.h - a race test: parts that run one after the other, each with its crew of threads, and a verdict on each in TAP.
 *
 *     static void *
 *     count(void *arg)                                  // a racer; *(int *)arg is its number
 *     {
 *         for (int i = 0; i < rounds; i++)
 *             expect(add(&counter, 1) <= 4 * rounds);
 *         return arg;
 *     }
 *
 *     static bool
 *     nothing_is_lost(void)                             // a part
 *     {
 *         in_threads(4, count);
 *         return counter == 4 * rounds;
 *     }
 *
 *     static const struct part parts[] = {{"nothing is lost", nothing_is_lost}};
 *
 *     rounds = rounds_of(5000, 100);                    // in main
 *     return run_parts(parts, sizeof parts / sizeof *parts);
 *
 * BOBBIN_RACE_PERCENT says how long it runs: so much of its own number of rounds, 100 if that is not set.  helgrind is some
 * fifty times slower than the bare program, and so gets few; a long run gets 1000 or more.
 *
 * Threads: expect, add, read_of and crews are for any; run_parts, kept and rounds_of for main.
 * For a test program of one file.
 *
 * SPDX-License-Identifier: MIT */
#ifndef RACE_H
#define RACE_H

#include <bobbin/thread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* At least @least, and at most a hundred times @rounds. */
static inline int
rounds_of(int rounds, int least)
{
    const char *set = getenv("BOBBIN_RACE_PERCENT");
    long percent = set ? strtol(set, NULL, 10) : 100;
    long long n = (long long)rounds * (percent < 0 ? 0 : percent > 10000 ? 10000 : percent) / 100;

    return n < least ? least : (int)n;
}

/* What it is afterwards. */
static inline int
add(int *counter, int n)
{
    return __atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static inline int
read_of(int *counter)
{
    return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

/* ---- promises ---- */

static int broken; /* since they were last asked for */

static inline void
expect(bool holds)
{
    if (!holds)
        add(&broken, 1);
}

/* Whether all that was expected since the last call came true. */
static inline bool
kept(void)
{
    return __atomic_exchange_n(&broken, 0, __ATOMIC_SEQ_CST) == 0;
}

/* ---- crews ---- */

enum { CREW_MAX = 8 };

/* A thread, or the end of the program. */
static inline struct bob_thread *
started(const char *name, void *(*fn)(void *), void *arg)
{
    struct bob_thread *t;

    if (bob_thread_start(&t, name, fn, arg, NULL))
        abort();
    return t;
}

/* @n threads called "racer", at most CREW_MAX; each gets its number, from 0, as an int. */
static inline void
crew_start(struct bob_thread **t, int n, void *(*fn)(void *))
{
    static int numbers[CREW_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};

    for (int i = 0; i < n; i++)
        t[i] = started("racer", fn, &numbers[i]);
}

/* Waits until all have ended. */
static inline void
crew_end(struct bob_thread **t, int n)
{
    for (int i = 0; i < n; i++)
        bob_thread_free(t[i]);
}

static inline void
in_threads(int n, void *(*fn)(void *))
{
    struct bob_thread *t[CREW_MAX];

    crew_start(t, n, fn);
    crew_end(t, n);
}

/* ---- parts ---- */

struct part {
    const char *says;
    bool (*holds)(void); /* once its threads have ended */
};

/* Runs them in order; the exit status.  A part holds if it says so, all that it expected came true, and it left no thread. */
static inline int
run_parts(const struct part *parts, size_t n)
{
    int failed = 0;

    printf("1..%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        bool holds = parts[i].holds();

        holds = bob_thread_join_all(bob_in_seconds(100)) == BOB_OK && holds;
        holds = kept() && holds;
        failed += !holds;
        printf("%sok %zu - %s\n", holds ? "" : "not ", i + 1, parts[i].says);
        (void)fflush(stdout);
    }
    return failed > 0;
}

#endif
