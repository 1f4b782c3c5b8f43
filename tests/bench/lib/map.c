/* map.c - squares of an array by the threads of an executor, beside as many pthreads started for it that take equal
 * parts and call the same function through the same kind of pointer.
 *
 *     map        milliseconds for the whole array, each thread of either side on a processor of its own; the executor is
 *                there before, its threads too
 *     map-free   the same, the threads where the kernel puts them: new ones it spreads, but of two that are woken it may keep
 *                both on the processor where they ran last, while another has nothing to do
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

enum { ITEMS = 1000000 };

static size_t items;
static unsigned threads;
static void **args, **values;
static struct bob_executor *executor;
static bool spread;       /* a processor for each */
static unsigned n_spread; /* atomic: workers that have theirs */

static enum bob_err
square(void *arg, void **ret_value)
{
    uintptr_t n = (uintptr_t)arg;

    *ret_value = (void *)(n * n);
    return BOB_OK;
}

static bob_work_fn volatile work = square; /* volatile: no call of it is inlined */

/* Every value is right; then none is. */
static void
check(void)
{
    size_t i;

    for (i = 0; i < items; i++)
        must((uintptr_t)values[i] == i * i, "square");
    memset(values, 0xff, items * sizeof *values);
}

static double
our_ms(void)
{
    double began = now_s();

    must(!bob_executor_map(executor, work, args, items, values, NULL), "map");
    began = now_s() - began;
    check();
    return 1e3 * began;
}

/* The executor's initializer. */
static enum bob_err
take_a_processor(void *unused)
{
    cpu_set_t one = cpu_of(__atomic_fetch_add(&n_spread, 1, __ATOMIC_RELAXED));

    (void)unused;
    return sched_setaffinity(0, sizeof one, &one) ? BOB_ERR_SYSTEM : BOB_OK;
}

static void *
map_part(void *arg)
{
    size_t who = (size_t)arg;
    size_t i = items * who / threads, end = items * (who + 1) / threads;
    bob_work_fn fn = work;

    for (; i < end; i++)
        must(!fn(args[i], &values[i]), "square");
    return NULL;
}

static double
split_ms(void)
{
    pthread_t thread[CREW_MAX];
    pthread_attr_t attr;
    double began;
    size_t i;

    must(!pthread_attr_init(&attr), "pthread_attr_init");
    began = now_s();
    for (i = 0; i < threads; i++) {
        cpu_set_t one = cpu_of((unsigned)i);

        must(!spread || !pthread_attr_setaffinity_np(&attr, sizeof one, &one), "affinity");
        must(!pthread_create(&thread[i], &attr, map_part, (void *)i), "pthread_create");
    }
    for (i = 0; i < threads; i++)
        (void)pthread_join(thread[i], NULL);
    began = now_s() - began;
    (void)pthread_attr_destroy(&attr);
    check();
    return 1e3 * began;
}

static void
compare(const char *what)
{
    struct bob_executor_options options = {
        .max_workers = threads,
        .initializer = spread ? take_a_processor : NULL,
    };

    executor = bob_executor_new("bench", &options);
    must(executor != NULL, "bob_executor_new");
    versus(what, 31, our_ms, "pthread", split_ms);
    bob_executor_free(executor);
}

int
main(int argc, char **argv)
{
    size_t i;

    (void)cpu_of(0); /* before a thread asks */
    items = (size_t)(ITEMS * percent(argc, argv) / 100);
    threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    threads = threads < CREW_MAX ? threads : CREW_MAX;
    args = malloc(items * sizeof *args);
    values = malloc(items * sizeof *values);
    must(args && values, "malloc");
    for (i = 0; i < items; i++)
        args[i] = (void *)i;
    spread = true;
    compare("map");
    spread = false;
    compare("map-free");
    free(args);
    free(values);
    return 0;
}
