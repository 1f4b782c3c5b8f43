/* parked.c - threads that wait, two in each wait that the library has: none may spin, none may poll.
 *
 *     parked-cpu       percent of a processor that the busiest of them uses
 *     parked-wakes     how often a second the one that wakes most does
 *
 * Both are the kernel's figures for each thread.  One of each two waits for ever, the other until a deadline that is
 * far away.  The threads end with the process.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

enum { THREADS_MAX = 100, SETTLE_MS = 200, WATCH_MS = 1500, FAR_S = 3600 };

static struct bob_lock held_lock, condition_lock;
static struct bob_condition condition;
static struct bob_rlock held_rlock;
static struct bob_rwlock written, read_by_main;
static struct bob_barrier *barrier;
static struct bob_once never_done = BOB_ONCE_INIT;
static struct bob_semaphore *semaphore;
static struct bob_event event;
static struct bob_queue *empty, *full;
static struct bob_future *pending;
static struct bob_thread *sleeper;
static struct bob_executor *busy; /* its one thread is stuck, and one task waits: it is full */

static enum bob_err
wait_lock(bob_time until)
{
    return bob_lock_acquire(&held_lock, until);
}

static enum bob_err
wait_condition(bob_time until)
{
    bob_lock_hold(&condition_lock);
    return bob_condition_wait(&condition, &condition_lock, until);
}

static enum bob_err
wait_rlock(bob_time until)
{
    return bob_rlock_acquire(&held_rlock, until);
}

static enum bob_err
wait_read(bob_time until)
{
    return bob_rwlock_read_acquire(&written, until);
}

static enum bob_err
wait_write(bob_time until)
{
    return bob_rwlock_write_acquire(&read_by_main, until);
}

static enum bob_err
wait_barrier(bob_time until)
{
    return bob_barrier_wait(barrier, until, NULL);
}

static enum bob_err
wait_event_for_ever(void *arg)
{
    (void)arg;
    return bob_event_wait(&event, BOB_FOREVER);
}

static enum bob_err
wait_once(bob_time until)
{
    (void)until; /* it has none */
    return bob_once_call(&never_done, wait_event_for_ever, NULL);
}

static enum bob_err
wait_semaphore(bob_time until)
{
    return bob_semaphore_acquire(semaphore, until);
}

static enum bob_err
wait_event(bob_time until)
{
    return bob_event_wait(&event, until);
}

static enum bob_err
wait_put(bob_time until)
{
    return bob_queue_put(full, NULL, until);
}

static enum bob_err
wait_get(bob_time until)
{
    void *item;

    return bob_queue_get(empty, &item, until);
}

static enum bob_err
wait_queue_join(bob_time until)
{
    return bob_queue_join(full, until);
}

static enum bob_err
wait_result(bob_time until)
{
    return bob_future_result(pending, until, NULL);
}

static enum bob_err
wait_first(bob_time until)
{
    return bob_future_wait(&pending, 1, BOB_FIRST_COMPLETED, until, NULL);
}

static enum bob_err
wait_all(bob_time until)
{
    return bob_future_wait(&pending, 1, BOB_ALL_COMPLETED, until, NULL);
}

static enum bob_err
wait_as_completed(bob_time until)
{
    struct bob_as_completed *it = bob_as_completed_new(&pending, 1);

    return bob_as_completed_next(it, until, &(struct bob_future *){NULL});
}

static enum bob_err
get_stuck(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    return bob_event_wait(&event, BOB_FOREVER);
}

static enum bob_err
wait_submit(bob_time until)
{
    (void)until; /* it has none */
    return bob_executor_submit(busy, get_stuck, NULL, NULL);
}

static enum bob_err
wait_shut_down(bob_time until)
{
    struct bob_executor *x = bob_executor_new("stuck", NULL);

    must(x && !bob_executor_submit(x, get_stuck, NULL, NULL), "submit");
    return bob_executor_shut_down(x, false, until);
}

static enum bob_err
wait_map(bob_time until)
{
    const struct bob_map_options options = {.deadline = until};
    struct bob_executor *x = bob_executor_new("stuck", NULL);
    void *args[4] = {NULL};

    must(x != NULL, "bob_executor_new");
    return bob_executor_map(x, get_stuck, args, 4, NULL, &options);
}

static enum bob_err
wait_thread_join(bob_time until)
{
    return bob_thread_join(sleeper, until, NULL);
}

static const struct kind {
    const char *says;
    enum bob_err (*wait)(bob_time until);
} kinds[] = {
    {"lock", wait_lock},
    {"rlock", wait_rlock},
    {"read", wait_read},
    {"write", wait_write},
    {"barrier", wait_barrier},
    {"once", wait_once},
    {"condition", wait_condition},
    {"semaphore", wait_semaphore},
    {"event", wait_event},
    {"queue put", wait_put},
    {"queue get", wait_get},
    {"queue join", wait_queue_join},
    {"future result", wait_result},
    {"thread join", wait_thread_join},
    {"wait first", wait_first},
    {"wait all", wait_all},
    {"as_completed", wait_as_completed},
    {"submit", wait_submit},
    {"shut_down", wait_shut_down},
    {"map", wait_map},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* None of the waits ends. */
static void
wait_as(const struct kind *kind, bob_time until)
{
    enum bob_err err = kind->wait(until);

    (void)fprintf(stderr, "%s: %s\n", kind->says, bob_strerror(err));
    exit(EXIT_FAILURE);
}

static void *
run_for_ever(void *kind)
{
    wait_as(kind, BOB_FOREVER);
    return NULL;
}

static void *
run_far(void *kind)
{
    wait_as(kind, bob_in_seconds(FAR_S));
    return NULL;
}

static enum bob_err
nothing(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    return BOB_OK;
}

static void
never(void *arg)
{
    (void)arg;
}

static void
prepare(void)
{
    static const struct kind sleeps = {"event", wait_event};
    struct bob_executor *idle = bob_executor_new("idle worker", NULL);
    struct bob_timers *timers = bob_timers_new("timers");
    struct bob_future *f;

    bob_lock_init(&held_lock, NULL);
    bob_lock_hold(&held_lock);
    bob_rlock_init(&held_rlock, NULL);
    bob_rlock_hold(&held_rlock);
    bob_rwlock_init(&written, NULL);
    bob_rwlock_write_hold(&written);
    bob_rwlock_init(&read_by_main, NULL);
    bob_rwlock_read_hold(&read_by_main);
    barrier = bob_barrier_new(3, NULL, NULL); /* one more than come */
    bob_lock_init(&condition_lock, NULL);
    bob_condition_init(&condition);
    bob_event_init(&event);
    semaphore = bob_semaphore_new(0);
    empty = bob_queue_new(1);
    full = bob_queue_new(1);
    pending = bob_future_new();
    must(barrier && semaphore && empty && full && pending && idle && timers, "memory");
    busy = bob_executor_new(
        "stuck",
        &(struct bob_executor_options){.max_workers = 1, .max_queue = 1, .on_full = BOB_FULL_WAIT});
    must(busy && !bob_executor_submit(busy, get_stuck, NULL, NULL) &&
             !bob_executor_submit(busy, get_stuck, NULL, NULL),
         "submit");
    must(!bob_queue_put(full, NULL, BOB_AT_ONCE), "put");
    must(!bob_thread_start(&sleeper, "sleeper", run_for_ever, (void *)&sleeps, NULL), "thread");
    must(!bob_executor_submit(idle, nothing, NULL, &f) && !bob_future_result(f, BOB_FOREVER, NULL),
         "submit");
    must(bob_timer_start(timers, bob_in_seconds(FAR_S), 0, never, NULL) != NULL, "timer");
}

struct used {
    double ms;  /* on a processor */
    long wakes; /* switches to it, whether it gave up by itself or was pushed */
};

static struct used
used_by(pid_t thread)
{
    struct used used;
    unsigned long long ns, waited;
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)thread);
    file = fopen(path, "r");
    must(file && fscanf(file, "%llu %llu %ld", &ns, &waited, &used.wakes) == 3, path);
    (void)fclose(file);
    used.ms = 1e-6 * (double)ns;
    return used;
}

static void
sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

int
main(void)
{
    struct bob_thread_info list[THREADS_MAX];
    struct used before[THREADS_MAX], most = {0, 0};
    struct bob_thread *thread;
    size_t i, n;

    prepare();
    for (i = 0; i < 2 * KINDS; i++)
        must(!bob_thread_start(&thread, kinds[i / 2].says, i % 2 ? run_far : run_for_ever,
                               (void *)&kinds[i / 2], NULL),
             "thread");
    sleep_ms(SETTLE_MS);
    n = bob_thread_enumerate(list, THREADS_MAX);
    must(n >= 2 * KINDS + 3 && n <= THREADS_MAX, "enumerate");
    for (i = 0; i < n; i++)
        before[i] = used_by(list[i].native_id);
    sleep_ms(WATCH_MS);
    for (i = 0; i < n; i++) {
        struct used used = used_by(list[i].native_id);

        if (list[i].native_id == getpid()) /* the one that watches */
            continue;
        used.ms -= before[i].ms;
        used.wakes -= before[i].wakes;
        if (used.wakes > 0)
            (void)fprintf(stderr, "%s: woke %ld times, %.3f ms\n", list[i].name, used.wakes,
                          used.ms);
        most.ms = used.ms > most.ms ? used.ms : most.ms;
        most.wakes = used.wakes > most.wakes ? used.wakes : most.wakes;
    }
    (void)printf("parked-cpu bobbin %.4f\n", 100 * most.ms / WATCH_MS);
    (void)printf("parked-wakes bobbin %.2f\n", 1e3 * (double)most.wakes / WATCH_MS);
    (void)printf("parked-threads bobbin %zu\n", n);
    (void)fflush(stdout);
    _exit(EXIT_SUCCESS);
}
