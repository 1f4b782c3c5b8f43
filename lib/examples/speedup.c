/* speedup.c - what threads help: 16 pieces of work that wait, and 16 that compute, by 1 to 8 threads.
 *
 * Work that waits (for disks, networks, people) gains with each thread; work that computes gains up to the number of
 * processors.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <stdint.h>
#include <stdio.h>

enum { PIECES = 16, BELOW = 6000 };

static struct bob_event never;

static enum bob_err
wait_for_disk(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    (void)!bob_event_wait(&never, bob_in_ms(5));
    return BOB_OK;
}

static enum bob_err
count_primes(void *arg, void **ret_value)
{
    intptr_t primes = 0;

    (void)arg;
    for (int n = 2; n < BELOW; n++) {
        int d = 2;
        while (d * d <= n && n % d)
            d++;
        primes += d * d > n;
    }
    *ret_value = (void *)primes;
    return BOB_OK;
}

/* The milliseconds that all pieces take on @threads threads; negative: it failed. */
static double
measure(bob_work_fn fn, unsigned threads)
{
    struct bob_executor_options options = {.max_workers = threads};
    struct bob_map_options one_by_one = {.chunk = 1};
    struct bob_executor *x = bob_executor_new("worker", &options);
    void *args[PIECES] = {NULL};

    if (!x)
        return -1;
    bob_time began = bob_now();
    enum bob_err err = bob_executor_map(x, fn, args, PIECES, NULL, &one_by_one);
    double ms = (double)(bob_now() - began) / 1e6;
    bob_executor_free(x);
    return err ? -1 : ms;
}

int
main(void)
{
    double wait_alone = 0, count_alone = 0;

    bob_event_init(&never);
    printf("threads    waiting            computing\n");
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        double wait = measure(wait_for_disk, threads), count = measure(count_primes, threads);
        if (wait <= 0 || count <= 0)
            return 1;
        if (threads == 1) {
            wait_alone = wait;
            count_alone = count;
        }
        printf("%7u %7.1f ms %5.1f x %7.1f ms %5.1f x\n", threads, wait, wait_alone / wait, count,
               count_alone / count);
    }
    bob_event_fini(&never);
    return 0;
}
