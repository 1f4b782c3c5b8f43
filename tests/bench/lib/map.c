/* map.c - squares of an array by the threads of an executor, beside as many pthreads started for it that take equal
 * parts and call the same function through the same kind of pointer.
 *
 *     map     milliseconds for the whole array; the executor is there before, its threads too
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

enum { ITEMS = 1000000 };

static size_t items;
static unsigned threads;
static void **args, **values;
static struct bob_executor *executor;

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
    double began = now_s();
    size_t i;

    for (i = 0; i < threads; i++)
        must(!pthread_create(&thread[i], NULL, map_part, (void *)i), "pthread_create");
    for (i = 0; i < threads; i++)
        (void)pthread_join(thread[i], NULL);
    began = now_s() - began;
    check();
    return 1e3 * began;
}

int
main(int argc, char **argv)
{
    struct bob_executor_options options = {0};
    size_t i;

    items = (size_t)(ITEMS * percent(argc, argv) / 100);
    threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    threads = threads < CREW_MAX ? threads : CREW_MAX;
    options.max_workers = threads;
    executor = bob_executor_new("bench", &options);
    args = malloc(items * sizeof *args);
    values = malloc(items * sizeof *values);
    must(executor && args && values, "memory");
    for (i = 0; i < items; i++)
        args[i] = (void *)i;
    versus("map", 31, our_ms, "pthread", split_ms);
    bob_executor_free(executor);
    free(args);
    free(values);
    return 0;
}
