/* requests.c - the requests of many users, handled by a bounded number of threads: each gets a future at once, and its
 * reply when a thread had time for it.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <bobbin/lock.h>
#include <stdio.h>

enum { USERS = 200, WORKERS = 8 };

struct request {
    int user;
    char reply[40];
};

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static int busy, busiest; /* under lock */
static struct bob_event never;

static void
count(int change)
{
    bob_lock_hold(&lock);
    busy += change;
    if (busy > busiest)
        busiest = busy;
    bob_lock_release(&lock);
}

static enum bob_err
handle(void *arg, void **ret_value)
{
    struct request *req = arg;

    count(+1);
    (void)!bob_event_wait(&never, bob_in_ms(2)); /* the database thinks */
    (void)snprintf(req->reply, sizeof req->reply, "hello, user %d", req->user);
    count(-1);
    *ret_value = req->reply;
    return BOB_OK;
}

int
main(void)
{
    struct bob_executor_options options = {.role = "requests", .max_workers = WORKERS};
    struct bob_executor *x = bob_executor_new("web", &options);
    static struct request requests[USERS];
    static struct bob_future *futures[USERS];
    int replies = 0;

    if (!x)
        return 1;
    bob_event_init(&never);
    for (int i = 0; i < USERS; i++) {
        requests[i].user = i + 1;
        enum bob_err err = bob_executor_submit(x, handle, &requests[i], &futures[i]);
        if (err) /* tell this user "busy, come again"; the others are served */
            fprintf(stderr, "user %d: %s\n", i + 1, bob_strerror(err));
    }
    for (int i = 0; i < USERS; i++) {
        void *reply;
        if (futures[i] && !bob_future_result(futures[i], bob_in_seconds(30), &reply)) {
            replies++;
            if (i < 3 || i == USERS - 1)
                printf("%s\n", (char *)reply);
        }
        bob_future_unref(futures[i]);
    }
    bob_executor_free(x);
    printf("%d requests, %d replies\n", USERS, replies);
    printf("never more than %d at once: %s\n", WORKERS, busiest <= WORKERS ? "yes" : "no");
    bob_event_fini(&never);
    return 0;
}
