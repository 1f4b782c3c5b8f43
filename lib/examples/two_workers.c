/* two_workers.c - six jobs on an executor with max_workers = 2: never more than two run at once, and two do.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/executor.h>
#include <bobbin/thread.h>
#include <stdio.h>

enum { JOBS = 6 };

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static struct bob_condition begun;
static int n_begun, running, most; /* under lock */

static bool
two_have_begun(void *arg)
{
    (void)arg;
    return n_begun >= 2;
}

static enum bob_err
job(void *arg, void **ret_value)
{
    (void)arg;
    (void)ret_value;
    bob_lock_hold(&lock);
    n_begun++;
    running++;
    if (running > most)
        most = running;
    bob_condition_notify_all(&begun);
    bob_condition_wait_for(&begun, &lock, two_have_begun, NULL,
                           bob_in_seconds(30)); /* the first waits for the second */
    running--;
    bob_lock_release(&lock);
    return BOB_OK;
}

int
main(void)
{
    struct bob_executor_options options = {.max_workers = 2};
    struct bob_executor *x = bob_executor_new("pair", &options);
    struct bob_future *futures[JOBS];
    struct bob_thread_info list[8];

    if (!x)
        return 1;
    bob_condition_init(&begun);
    for (int i = 0; i < JOBS; i++)
        if (bob_executor_submit(x, job, NULL, &futures[i]))
            return 1;
    for (int i = 0; i < JOBS; i++) {
        enum bob_err err = bob_future_result(futures[i], bob_in_seconds(30), NULL);
        printf("job %d: %s\n", i, bob_strerror(err));
        bob_future_unref(futures[i]);
    }
    size_t n = bob_thread_enumerate(list, 8);
    for (size_t i = 0; i < n; i++)
        printf("thread %s\n", list[i].name);
    bob_executor_free(x);
    bob_condition_fini(&begun);
    printf("at once, at most: %d\n", most);
    return 0;
}
