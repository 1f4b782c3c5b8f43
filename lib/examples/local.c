/* local.c - a value of its own for each thread: a connection is opened when a thread first needs one, and closed when
 * the thread ends.
 *
 * A plain number needs no more than C's _Thread_local; bob_local adds the destructor.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/local.h>
#include <bobbin/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 3, QUERIES = 4 };

struct connection {
    int queries;
};

static struct bob_local *connection;
static atomic_int opened, closed, asked;
static _Thread_local int tries; /* each thread's begins at 0 */

static void
close_connection(void *value)
{
    struct connection *c = value;

    asked += c->queries;
    closed++;
    free(c);
}

/* The calling thread's connection; NULL when memory is out. */
static struct connection *
mine(void)
{
    struct connection *c = bob_local_get(connection);

    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c || bob_local_set(connection, c)) {
            free(c);
            return NULL;
        }
        opened++;
    }
    return c;
}

static void *
work(void *arg)
{
    int *ret_tries = arg;

    for (int i = 0; i < QUERIES; i++) {
        struct connection *c = mine();
        tries++;
        if (c)
            c->queries++;
    }
    *ret_tries = tries;
    return NULL;
}

int
main(void)
{
    struct bob_thread *threads[THREADS];
    int of_thread[THREADS];

    connection = bob_local_new(close_connection);
    if (!connection)
        return 1;
    for (int i = 0; i < THREADS; i++)
        if (bob_thread_start(&threads[i], NULL, work, &of_thread[i], NULL))
            return 1;
    for (int i = 0; i < THREADS; i++) {
        bob_thread_free(threads[i]);
        printf("thread %d: %d tries\n", i, of_thread[i]);
    }
    printf("main: %d tries, %s\n", tries,
           bob_local_get(connection) ? "connected" : "not connected");
    bob_local_free(connection);
    printf("%d connections opened, %d closed, %d queries\n", opened, closed, asked);
    return 0;
}
