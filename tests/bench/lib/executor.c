/* executor.c - tiny tasks from one submitter, beside GLib's GThreadPool with as many threads.
 *
 *     tasks                     tasks a second: all submitted, then every result waited for.  GThreadPool has no
 *                               results: its tasks leave theirs in an array, and the last one tells
 *     latency-...               median microseconds from a submit to its result, nothing else going on:
 *       here, there               the pool's one thread on the submitter's processor, and on another
 *       here-all, there-all       the same with as many threads as there are processors, all on that one
 *       bare                      there, beside two threads that wake one another by futex and do nothing else
 *       free                      one thread, where the kernel likes: most times it keeps the two where they met, on
 *                                 one processor or on two, and so says little of either library
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <glib.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

enum { TASKS = 1000000, SINGLES = 400 };

static unsigned threads;
static uintptr_t tasks;
static size_t singles;
static const cpu_set_t *own_cpus, *pool_cpus; /* where the submitter runs, and the pool's threads */

/* From now on, and what threads it starts. */
static void
run_on(const cpu_set_t *cpus)
{
    must(!sched_setaffinity(0, sizeof *cpus, cpus), "sched_setaffinity");
}

/* ---- Bobbin ---- */

static enum bob_err
square(void *arg, void **ret_value)
{
    uintptr_t n = (uintptr_t)arg;

    *ret_value = (void *)(n * n);
    return BOB_OK;
}

static struct bob_executor *
executor(unsigned n)
{
    const struct bob_executor_options options = {.max_workers = n};
    struct bob_executor *x = bob_executor_new("bench", &options);

    must(x != NULL, "bob_executor_new");
    return x;
}

static double
our_tasks(void)
{
    struct bob_executor *x = executor(threads);
    struct bob_future **future = malloc(tasks * sizeof(struct bob_future *));
    double began = now_s();
    void *value = NULL;
    uintptr_t i;

    must(future != NULL, "malloc");
    for (i = 0; i < tasks; i++)
        must(!bob_executor_submit(x, square, (void *)i, &future[i]), "submit");
    for (i = 0; i < tasks; i++) {
        must(!bob_future_result(future[i], BOB_FOREVER, &value) && (uintptr_t)value == i * i,
             "result");
        bob_future_unref(future[i]);
    }
    began = now_s() - began;
    bob_executor_free(x);
    free(future);
    return (double)tasks / began;
}

static double
our_latency_us(unsigned n)
{
    struct bob_executor *x;
    double took[SINGLES];
    struct bob_future *f;
    size_t i;

    run_on(pool_cpus);
    x = executor(n);
    for (i = 0; i <= singles; i++) { /* the first starts a thread, and does not count */
        double began = now_s();

        must(!bob_executor_submit(x, square, NULL, &f) && !bob_future_result(f, BOB_FOREVER, NULL),
             "submit");
        bob_future_unref(f);
        if (i == 0)
            run_on(own_cpus);
        else
            took[i - 1] = 1e6 * (now_s() - began);
    }
    bob_executor_free(x);
    return median(took, singles);
}

/* ---- GLib ---- */

struct job {
    uintptr_t n, squared;
};

static GMutex done_lock;
static GCond all_done;
static uintptr_t left; /* atomic */
static bool done;      /* under done_lock */

static void
square_of(void *data, void *user_data)
{
    struct job *job = data;

    (void)user_data;
    job->squared = job->n * job->n;
    if (__atomic_sub_fetch(&left, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    g_mutex_lock(&done_lock);
    done = true;
    g_cond_signal(&all_done);
    g_mutex_unlock(&done_lock);
}

static GThreadPool *
pool(unsigned n)
{
    GThreadPool *p = g_thread_pool_new(square_of, NULL, (gint)n, TRUE, NULL);

    must(p != NULL, "g_thread_pool_new");
    return p;
}

static void
wait_until_done(void)
{
    g_mutex_lock(&done_lock);
    while (!done)
        g_cond_wait(&all_done, &done_lock);
    done = false;
    g_mutex_unlock(&done_lock);
}

static double
their_tasks(void)
{
    GThreadPool *p = pool(threads);
    struct job *job = malloc(tasks * sizeof *job);
    double began = now_s();
    uintptr_t i;

    must(job != NULL, "malloc");
    left = tasks;
    for (i = 0; i < tasks; i++) {
        job[i].n = i;
        (void)g_thread_pool_push(p, &job[i], NULL);
    }
    wait_until_done();
    for (i = 0; i < tasks; i++)
        must(job[i].squared == i * i, "square");
    began = now_s() - began;
    g_thread_pool_free(p, FALSE, TRUE);
    free(job);
    return (double)tasks / began;
}

static double
their_latency_us(unsigned n)
{
    GThreadPool *p;
    double took[SINGLES];
    struct job job = {.n = 0};
    size_t i;

    run_on(pool_cpus);
    p = pool(n);
    for (i = 0; i <= singles; i++) {
        double began = now_s();

        left = 1;
        (void)g_thread_pool_push(p, &job, NULL);
        wait_until_done();
        if (i == 0)
            run_on(own_cpus);
        else
            took[i - 1] = 1e6 * (now_s() - began);
    }
    g_thread_pool_free(p, FALSE, TRUE);
    return median(took, singles);
}

static double
our_latency_one(void)
{
    return our_latency_us(1);
}

static double
our_latency_all(void)
{
    return our_latency_us(threads);
}

static double
their_latency_one(void)
{
    return their_latency_us(1);
}

static double
their_latency_all(void)
{
    return their_latency_us(threads);
}

/* ---- two wakes, and nothing else ---- */

static unsigned asked, answered; /* atomic: how many */

static void
await(unsigned *word, unsigned until)
{
    unsigned seen;

    while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != until)
        (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void
tell(unsigned *word, unsigned n)
{
    __atomic_store_n(word, n, __ATOMIC_RELEASE);
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *
answer(void *unused)
{
    for (unsigned i = 1; i <= singles + 1; i++) {
        await(&asked, i);
        tell(&answered, i);
    }
    return unused;
}

static double
bare_latency(void)
{
    double took[SINGLES];
    pthread_t thread;
    unsigned i;

    asked = answered = 0;
    run_on(pool_cpus);
    must(!pthread_create(&thread, NULL, answer, NULL), "pthread_create");
    for (i = 0; i <= singles; i++) {
        double began = now_s();

        tell(&asked, i + 1);
        await(&answered, i + 1);
        if (i == 0)
            run_on(own_cpus);
        else
            took[i - 1] = 1e6 * (now_s() - began);
    }
    (void)pthread_join(thread, NULL);
    return median(took, singles);
}

int
main(int argc, char **argv)
{
    cpu_set_t all, first = cpu_of(0), second = cpu_of(1);

    threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    tasks = (uintptr_t)(TASKS * percent(argc, argv) / 100);
    singles = (size_t)(SINGLES * percent(argc, argv) / 100);
    g_thread_pool_set_max_unused_threads(0); /* each pool's are its own, where it was made */
    must(!sched_getaffinity(0, sizeof all, &all), "sched_getaffinity");

    versus("tasks", 3, our_tasks, "GLib", their_tasks);
    own_cpus = pool_cpus = &first;
    versus("latency-here", 15, our_latency_one, "GLib", their_latency_one);
    versus("latency-here-all", 15, our_latency_all, "GLib", their_latency_all);
    pool_cpus = &second;
    versus("latency-there", 15, our_latency_one, "GLib", their_latency_one);
    versus("latency-there-all", 15, our_latency_all, "GLib", their_latency_all);
    versus("latency-bare", 15, our_latency_one, "futex", bare_latency);
    own_cpus = pool_cpus = &all;
    versus("latency-free", 15, our_latency_one, "GLib", their_latency_one);
    return 0;
}
