/* bobbin/queue.h - queues between threads, after Python's queue.Queue, LifoQueue and PriorityQueue.
 *
 *     struct bob_queue *q = bob_queue_new(64);        // 64 slots; NULL if memory is out
 *     err = bob_queue_put(q, job, bob_in_ms(250));    // waits up to 250 ms for a slot
 *     err = bob_queue_get(q, &item, BOB_FOREVER);
 *     ... work on item ...
 *     bob_queue_task_done(q);                         // once for every get
 *     bob_queue_shut_down(q);                         // putters fail now, getters once it is empty
 *     bob_queue_free(q);
 *
 * Order:   first in, first out; or last in, first out; or lowest priority first, and of one priority the first that
 *          came.  Among waiting threads no order is promised.
 * Threads: every function may be called from any thread at once, but for free.  Only shut_down_now calls back, on
 *          the calling thread.
 * Locks:   a queue's own locks lie below all of yours: every call may be made under any of those.
 * Memory:  with a maxsize, new takes all there will ever be.  Without one, put takes more when it must, and it is
 *          given back as items leave.  A queue never owns items; each goes from the putter to the getter.
 *
 * Differs from Python: a priority is a number beside the item, and ties have an order.  A deadline that has passed
 * is no error (there, a negative timeout is): what is free is taken all the same.  A maxsize is memory at once.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_QUEUE_H
#define BOBBIN_QUEUE_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

BOB_BEGIN_DECLS

struct bob_queue;

/* A new queue that never holds more than @maxsize items, or any number of them if that is 0; NULL when memory is out.
 * Give it to bob_queue_free. */
struct bob_queue *bob_queue_new(size_t maxsize);
struct bob_queue *bob_queue_new_lifo(size_t maxsize);
struct bob_queue *bob_queue_new_priority(size_t maxsize);

/* Frees @q; NULL is allowed.  No thread may be inside a call on @q.  Items still queued stay the caller's:
 * shut down, drain with get or shut_down_now, then free. */
void bob_queue_free(struct bob_queue *q);

/* Puts @item, waiting for a slot until @deadline; on a priority queue, with priority 0.
 *   BOB_ERR_FULL       no slot, and the deadline was BOB_AT_ONCE or less
 *   BOB_ERR_TIMEOUT    no slot by the deadline
 *   BOB_ERR_SHUT_DOWN  the queue takes nothing new
 *   BOB_ERR_NO_MEMORY  only without a maxsize: no memory for one more
 * On error @item is still the caller's, and nothing is changed. */
BOB_MUST_USE enum bob_err bob_queue_put(struct bob_queue *q, void *item, bob_time deadline);

/* The same with a priority: the lowest leaves first.
 *   BOB_ERR_INVALID  not a priority queue */
BOB_MUST_USE enum bob_err bob_queue_put_at(struct bob_queue *q, void *item, int64_t priority,
                                           bob_time deadline);

/* Removes the next item into *@ret_item, waiting for one until @deadline.
 *   BOB_ERR_INVALID    @ret_item is NULL
 *   BOB_ERR_EMPTY      none there, and the deadline was BOB_AT_ONCE or less
 *   BOB_ERR_TIMEOUT    none came by the deadline
 *   BOB_ERR_SHUT_DOWN  shut down and empty: none will ever come */
BOB_MUST_USE enum bob_err bob_queue_get(struct bob_queue *q, void **ret_item, bob_time deadline);

/* Says that one item is finished.  Every item put counts as unfinished until then.
 *   BOB_ERR_INVALID  none is unfinished: said more often than items were put */
enum bob_err bob_queue_task_done(struct bob_queue *q);

/* Waits until no item is unfinished, also after a shut-down.
 *   BOB_ERR_TIMEOUT  some were at the deadline */
BOB_MUST_USE enum bob_err bob_queue_join(struct bob_queue *q, bob_time deadline);

/* Refuses every later put and wakes all that wait in put or get: putters fail, getters take what is left and then
 * fail.  Joiners go on waiting.  Safe to call twice. */
void bob_queue_shut_down(struct bob_queue *q);

/* Shuts down and takes out all items that are left, in the order of get, calling drop(item) for each unless @drop is
 * NULL; returns how many.  After the last drop, as many fewer are unfinished: joiners wake only if that leaves none,
 * so not while an item that was gotten is still worked on.  Also after bob_queue_shut_down.  drop may use @q, but
 * not wait in join. */
size_t bob_queue_shut_down_now(struct bob_queue *q, void (*drop)(void *item));

/* For displays: another thread may have changed it by the time it is read. */
size_t bob_queue_size(struct bob_queue *q);    /* never above maxsize */
size_t bob_queue_maxsize(struct bob_queue *q); /* as given to new; 0: any number */
bool bob_queue_empty(struct bob_queue *q);
bool bob_queue_full(struct bob_queue *q); /* never without a maxsize */

BOB_END_DECLS

#endif
