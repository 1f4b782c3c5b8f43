/* graceful_stop.c - SIGTERM ends a program that has work in hand: nothing new is taken, what was taken is finished.
 *
 * Threads of the library have signals blocked, so that main alone is told.  Here main sends the signal to itself;
 * with an argument it waits for yours.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <bobbin/thread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { WORKERS = 3, JOBS = 1000 };

static struct bob_queue *jobs;
static atomic_int finished;

static void *
work(void *arg)
{
    void *job;

    (void)arg;
    while (!bob_queue_get(jobs, &job, BOB_FOREVER)) { /* BOB_ERR_SHUT_DOWN: none will ever come */
        finished++;
        bob_queue_task_done(jobs);
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    struct bob_thread *workers[WORKERS];
    static int job[JOBS];
    sigset_t ends;
    int signal;

    (void)argv;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* kept until sigwait */
    jobs = bob_queue_new(0);
    if (!jobs)
        return 1;
    for (int i = 0; i < JOBS; i++)
        if (bob_queue_put(jobs, &job[i], BOB_FOREVER))
            return 1;
    for (int i = 0; i < WORKERS; i++)
        if (bob_thread_start(&workers[i], "worker", work, NULL, NULL))
            return 1;

    if (argc == 1)
        kill(getpid(), SIGTERM);
    sigwait(&ends, &signal);
    printf("signal: %s\n", signal == SIGTERM ? "SIGTERM" : "SIGINT");

    bob_queue_shut_down(jobs);
    printf("a new job: %s\n", bob_strerror(bob_queue_put(jobs, &job[0], BOB_AT_ONCE)));
    enum bob_err err =
        bob_thread_join_all(bob_in_seconds(30)); /* a second signal could shorten this */
    printf("workers: %s\n", err ? "some still run" : "all have ended");
    for (int i = 0; i < WORKERS; i++)
        bob_thread_free(workers[i]);
    printf("finished: %d of %d jobs\n", finished, JOBS);
    bob_queue_free(jobs);
    return 0;
}
