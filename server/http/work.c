/* work.c - thread per request, bounded: a request that works has one thread of this pool from its first line to its outcome.
 *
 * The pool never queues for long: the caller has admitted no more than it has threads.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>

#include "base/log.h"
#include "http/exchange.h"

enum { STACK_BYTES = 512 * 1024, STOP_MS = 5000 };

static enum bob_err
work(void *arg, void **ret_value)
{
    struct request *req = arg;

    (void)ret_value;
    bob_thread_note("%s %s", method_name[req->method], req->path);
    req->work(req);
    bob_thread_note(NULL);
    request_wake(req);
    return BOB_OK;
}

enum why
request_work(struct request *req, work_fn *fn)
{
    assert(req->answer);
    req->work = fn;
    switch ((int)bob_executor_submit(req->http->work, work, req, NULL)) {
    case BOB_OK:
        return WHY_PENDING;
    case BOB_ERR_SHUT_DOWN:
        return fault_set(&req->fault, WHY_DRAINING, "the server is stopping");
    default:
        return fault_set(&req->fault, WHY_BUSY, "no thread for the request");
    }
}

enum why
request_pool_start(struct http *h, struct fault *f)
{
    int64_t threads = h->config->request_threads;
    const struct bob_executor_options options = {
        .role = "request",
        .max_workers = threads > 0 ? (unsigned)threads : 4 * h->hands_len,
        .stack_bytes = STACK_BYTES,
    };

    h->work = bob_executor_new("request", &options);
    return h->work ? WHY_OK : fault_set(f, WHY_INTERNAL, "no executor for requests that work");
}

/* What runs is told by request_is_gone that nobody waits for it. */
void
request_pool_stop(struct http *h)
{
    if (!h->work)
        return;
    if (bob_executor_shut_down(h->work, true, bob_in_ms(STOP_MS))) {
        log_line(LOG_LEVEL_ERROR, "work_left_running", "requests=%u", bob_executor_busy(h->work));
        return; /* its threads still use the executor and their requests */
    }
    bob_executor_free(h->work);
    h->work = NULL;
}
