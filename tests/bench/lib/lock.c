/* lock.c - a ranked lock beside a bare default pthread mutex: one thread, and two that contend.
 *
 * Another thread exists while one is measured alone: glibc leaves the atomic operations out as long as the process
 * has a single thread, where a lock is of no use.
 *
 *     free, nested    nanoseconds for taking and releasing one that is free; nested: under another one that is held
 *     contended       pairs a second of two threads together, each adding one under the lock
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/lock.h>
#include <sched.h>
#include <stdbool.h>

#include "measure.h"

enum { CONTENDERS = 2, PAIRS = 200000, SLICE_MS = 60 };

static const struct bob_lock_class outer_class = {"outer", 10}, inner_class = {"inner", 20};
static struct bob_lock outer = BOB_LOCK_INIT(&outer_class);
static pthread_mutex_t bare_outer = PTHREAD_MUTEX_INITIALIZER;

static struct {
    _Alignas(CACHE_LINE) struct bob_lock lock;
    uint64_t sum;
} ranked = {.lock = BOB_LOCK_INIT(&inner_class)};

static struct {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    uint64_t sum;
} bare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static long pairs;
static double slice_s;
static bool stop; /* atomic */

static double
ranked_pair_ns(void)
{
    double began = now_s();
    long i;

    for (i = 0; i < pairs; i++) {
        bob_lock_hold(&ranked.lock);
        (void)bob_lock_release(&ranked.lock);
    }
    return 1e9 * (now_s() - began) / (double)pairs;
}

static double
bare_pair_ns(void)
{
    double began = now_s();
    long i;

    for (i = 0; i < pairs; i++) {
        (void)pthread_mutex_lock(&bare.lock);
        (void)pthread_mutex_unlock(&bare.lock);
    }
    return 1e9 * (now_s() - began) / (double)pairs;
}

static double
ranked_pair_nested_ns(void)
{
    double ns;

    bob_lock_hold(&outer);
    ns = ranked_pair_ns();
    (void)bob_lock_release(&outer);
    return ns;
}

static double
bare_pair_nested_ns(void)
{
    double ns;

    (void)pthread_mutex_lock(&bare_outer);
    ns = bare_pair_ns();
    (void)pthread_mutex_unlock(&bare_outer);
    return ns;
}

/* The last of the crew holds the watch. */
static bool
is_watch(unsigned who)
{
    struct timespec slice = {.tv_nsec = (long)(1e9 * slice_s)};

    if (who < CONTENDERS)
        return false;
    (void)nanosleep(&slice, NULL);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    return true;
}

/* Two on one processor would hardly ever meet. */
static void
keep_apart(unsigned who)
{
    cpu_set_t all, mine;
    int cpu, n = 0;

    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof all, &all))
        return;
    for (cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&mine) == 0; cpu++)
        if (CPU_ISSET(cpu, &all) && n++ == (int)who)
            CPU_SET(cpu, &mine);
    if (CPU_COUNT(&mine) == 1)
        (void)sched_setaffinity(0, sizeof mine, &mine);
}

static void
contend_ranked(unsigned who, void *arg)
{
    (void)arg;
    if (is_watch(who))
        return;
    keep_apart(who);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        bob_lock_hold(&ranked.lock);
        ranked.sum++;
        (void)bob_lock_release(&ranked.lock);
    }
}

static void
contend_bare(unsigned who, void *arg)
{
    (void)arg;
    if (is_watch(who))
        return;
    keep_apart(who);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        (void)pthread_mutex_lock(&bare.lock);
        bare.sum++;
        (void)pthread_mutex_unlock(&bare.lock);
    }
}

static double
contended(void (*fn)(unsigned, void *), const uint64_t *sum)
{
    uint64_t before = *sum;
    double seconds;

    __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
    seconds = crew_seconds(CONTENDERS + 1, fn, NULL);
    return (double)(*sum - before) / seconds;
}

static double
ranked_contended(void)
{
    return contended(contend_ranked, &ranked.sum);
}

static double
bare_contended(void)
{
    return contended(contend_bare, &bare.sum);
}

/* On a thread of its own, while main waits for it. */
static void
measure_alone(unsigned who, void *arg)
{
    (void)who;
    (void)arg;
    versus("free", 25, ranked_pair_ns, "pthread", bare_pair_ns);
    versus("nested", 25, ranked_pair_nested_ns, "pthread", bare_pair_nested_ns);
}

int
main(int argc, char **argv)
{
    pairs = (long)(PAIRS * percent(argc, argv) / 100);
    slice_s = SLICE_MS * 1e-3 * percent(argc, argv) / 100;
    (void)crew_seconds(1, measure_alone, NULL);
    versus("contended", 15, ranked_contended, "pthread", bare_contended);
    return 0;
}
