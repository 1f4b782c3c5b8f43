/* named_tasks.c - several threads with names, each saying what it does; the list of them, as a monitor would show it.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <stdio.h>

static struct task {
    const char *name, *role, *does;
} tasks[] = {
    {"mixer", "bakery", "kneading the dough"},
    {"oven", "bakery", "at 230 degrees"},
    {"counter", "shop", "serving customer 17"},
};
enum { TASKS = sizeof tasks / sizeof tasks[0] };

static struct bob_event closing;
static struct bob_semaphore *at_work; /* one permit for each that has begun */

static void *
work(void *arg)
{
    const struct task *task = arg;

    bob_thread_note("%s", task->does);
    bob_semaphore_release(at_work, 1);
    (void)!bob_event_wait(&closing, BOB_FOREVER);
    return NULL;
}

int
main(void)
{
    struct bob_thread *threads[TASKS];
    struct bob_thread_info list[TASKS];
    enum bob_err err = BOB_OK;

    bob_event_init(&closing);
    at_work = bob_semaphore_new(0);
    if (!at_work)
        return 1;
    for (int i = 0; i < TASKS && !err; i++) {
        struct bob_thread_options options = {.role = tasks[i].role};
        err = bob_thread_start(&threads[i], tasks[i].name, work, &tasks[i], &options);
    }
    if (err) {
        fprintf(stderr, "no thread: %s\n", bob_strerror(err));
        return 1;
    }
    for (int i = 0; i < TASKS; i++)
        (void)!bob_semaphore_acquire(at_work, BOB_FOREVER);

    size_t n = bob_thread_enumerate(list, TASKS); /* in the order in which they came */
    for (size_t i = 0; i < n && i < TASKS; i++)
        printf("%-8s %-7s %s\n", list[i].name, list[i].role, list[i].note);

    bob_event_set(&closing);
    for (int i = 0; i < TASKS; i++)
        bob_thread_free(threads[i]); /* waits for it */
    printf("%zu are left\n", bob_thread_active_count());
    bob_semaphore_free(at_work);
    bob_event_fini(&closing);
    return 0;
}
