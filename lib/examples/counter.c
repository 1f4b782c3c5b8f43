/* counter.c - four threads add to one counter, with a lock and without.
 *
 * An addition is a read, a sum and a write.  Without a lock another thread may write in between, and what it added is
 * overwritten: lost.  The reads and writes here are atomic, each for itself, as C leaves everything else undefined;
 * the yield between them makes seldom often.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/lock.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 4, TIMES = 100000 };

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static long guarded; /* under lock */
static atomic_long bare;
static const long expected = (long)THREADS * TIMES;

static void *
add_with_lock(void *arg)
{
    (void)arg;
    for (int i = 0; i < TIMES; i++) {
        bob_lock_hold(&lock);
        guarded += 1;
        bob_lock_release(&lock);
    }
    return NULL;
}

static void *
add_without(void *arg)
{
    (void)arg;
    for (int i = 0; i < TIMES; i++) {
        long seen = atomic_load_explicit(&bare, memory_order_relaxed);
        if (i % 16 == 0)
            sched_yield();
        atomic_store_explicit(&bare, seen + 1, memory_order_relaxed);
    }
    return NULL;
}

static bool
run(void *(*fn)(void *))
{
    struct bob_thread *threads[THREADS];
    int n = 0;

    while (n < THREADS && !bob_thread_start(&threads[n], "adder", fn, NULL, NULL))
        n++;
    for (int i = 0; i < n; i++)
        bob_thread_free(threads[i]); /* waits for it */
    return n == THREADS;
}

int
main(void)
{
    if (!run(add_with_lock) || !run(add_without)) {
        fprintf(stderr, "no thread\n");
        return 1;
    }
    printf("expected:       %ld\n", expected);
    printf("with a lock:    %ld\n", guarded);
    printf("without a lock: %s\n", bare < expected ? "fewer" : "as many, by luck");
    fprintf(stderr, "(%ld were lost)\n", expected - bare);
    return 0;
}
