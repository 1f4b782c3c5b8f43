/* measure.h - what the programs of this folder share: a clock, threads that begin together, taking turns, medians.
 *
 * Each program measures Bobbin and its peer by turns, and prints a line for each thing measured, for bench.py:
 *
 *     WHAT WHO FIGURE WHO FIGURE ...
 *
 * Its one argument is the size of the work, in percent.
 *
 * SPDX-License-Identifier: MIT */
#ifndef MEASURE_H
#define MEASURE_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CREW_MAX = 64, TURNS_MAX = 64, CACHE_LINE = 64 };

static inline void
must(int ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "%s failed\n", what);
    exit(EXIT_FAILURE);
}

static inline double
now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The processor with that number among those the program might use when this was first called, by main; the last, if
 * there are fewer. */
static inline cpu_set_t
cpu_of(unsigned number)
{
    static cpu_set_t all;
    cpu_set_t one;

    if (CPU_COUNT(&all) == 0)
        must(!sched_getaffinity(0, sizeof all, &all), "sched_getaffinity");
    CPU_ZERO(&one);
    for (unsigned cpu = 0, n = 0; cpu < CPU_SETSIZE && n <= number; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        n++;
    }
    return one;
}

struct crew {
    void (*fn)(unsigned who, void *arg);
    void *arg;
    unsigned next; /* atomic: number of the next thread that comes */
    pthread_barrier_t all_here;
};

static inline void *
crew_member(void *arg)
{
    struct crew *crew = arg;
    unsigned who = __atomic_fetch_add(&crew->next, 1, __ATOMIC_RELAXED);

    (void)pthread_barrier_wait(&crew->all_here);
    crew->fn(who, crew->arg);
    return NULL;
}

/* Runs fn(0, arg) ... fn(n - 1, arg), each on a thread: seconds from all being there to all being done. */
static inline double
crew_seconds(unsigned n, void (*fn)(unsigned who, void *arg), void *arg)
{
    struct crew crew = {.fn = fn, .arg = arg};
    pthread_t thread[CREW_MAX];
    double began;
    unsigned i;

    must(n <= CREW_MAX && !pthread_barrier_init(&crew.all_here, NULL, n + 1), "crew");
    for (i = 0; i < n; i++)
        must(!pthread_create(&thread[i], NULL, crew_member, &crew), "pthread_create");
    (void)pthread_barrier_wait(&crew.all_here);
    began = now_s();
    for (i = 0; i < n; i++)
        (void)pthread_join(thread[i], NULL);
    began = now_s() - began;
    (void)pthread_barrier_destroy(&crew.all_here);
    return began;
}

static inline int
smaller(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts them. */
static inline double
median(double *figures, size_t n)
{
    qsort(figures, n, sizeof *figures, smaller);
    return n % 2 ? figures[n / 2] : (figures[n / 2 - 1] + figures[n / 2]) / 2;
}

/* Asks both for a figure by turns, after one turn that does not count, and prints the medians. */
static inline void
versus(const char *what, int turns, double (*ours)(void), const char *peer, double (*theirs)(void))
{
    double us[TURNS_MAX], them[TURNS_MAX];
    int i;

    must(turns >= 1 && turns <= TURNS_MAX, "turns");
    (void)ours();
    (void)theirs();
    for (i = 0; i < turns; i++) {
        us[i] = ours();
        them[i] = theirs();
    }
    (void)printf("%s bobbin %.9g %s %.9g\n", what, median(us, (size_t)turns), peer,
                 median(them, (size_t)turns));
    (void)fflush(stdout);
}

static inline double
percent(int argc, char **argv)
{
    return argc > 1 ? atof(argv[1]) : 100;
}

#endif
