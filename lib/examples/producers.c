/* producers.c - two producers and two consumers share a bounded queue; main waits until every item is finished.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <bobbin/thread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { EACH = 1000, SLOTS = 8 };

static struct bob_queue *q;
static atomic_long sum;

static void *
produce(void *arg)
{
    int *numbers = arg;

    for (int i = 0; i < EACH; i++)
        if (bob_queue_put(q, &numbers[i], bob_in_seconds(30))) /* waits while all slots are taken */
            break;
    return NULL;
}

static void *
consume(void *arg)
{
    void *item;

    (void)arg;
    while (!bob_queue_get(q, &item, BOB_FOREVER)) {
        sum += *(int *)item;
        bob_queue_task_done(q);
    }
    return NULL; /* shut down, and empty */
}

int
main(void)
{
    static int numbers[2 * EACH];
    struct bob_thread *threads[4];

    for (int i = 0; i < 2 * EACH; i++)
        numbers[i] = i + 1;
    q = bob_queue_new(SLOTS);
    if (!q || bob_thread_start(&threads[0], "producer", produce, &numbers[0], NULL) ||
        bob_thread_start(&threads[1], "producer", produce, &numbers[EACH], NULL) ||
        bob_thread_start(&threads[2], "consumer", consume, NULL, NULL) ||
        bob_thread_start(&threads[3], "consumer", consume, NULL, NULL))
        return 1;

    bob_thread_free(threads[0]); /* all is put */
    bob_thread_free(threads[1]);
    enum bob_err err = bob_queue_join(q, bob_in_seconds(30)); /* all is finished */
    printf("every item is finished: %s\n", bob_strerror(err));
    printf("sum of 1 to %d: %ld\n", 2 * EACH, sum);

    bob_queue_shut_down(q); /* lets the consumers go */
    bob_thread_free(threads[2]);
    bob_thread_free(threads[3]);
    bob_queue_free(q);
    return 0;
}
