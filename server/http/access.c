/* access.c - one line for a finished request, when it is worth one.
 *
 * Every request with --access-log; else the server's own failures, and what was slow without having been asked to wait.  That it is busy,
 * full or stopping is no failure to be told once for each request: who decides it says it once.
 *
 * SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "http/exchange.h"

#define SLOW (1 * NS_PER_SECOND)

void
access_line(const struct request *req)
{
    bool asked_to_wait = req->stood_in_line || req->stream;
    bool failed = req->fault.why == WHY_INTERNAL || req->fault.why == WHY_NO_MEMORY;
    moment took = 0;

    if (req->began && (req->was_parked || failed || req->http->config->access_log))
        took = clock_now() - req->began;
    if (!failed && !req->http->config->access_log && (asked_to_wait || took < SLOW))
        return;

    char path[256], detail[320];
    const char *method = req->head ? "HEAD" : method_name[req->method];
    log_often(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, failed ? "request_failed" : "request",
              "method=%s path=%s status=%d ms=%lld%s%s", method,
              log_quote(path, sizeof path, req->path), req->status, (long long)(took / NS_PER_MS),
              req->fault.why ? " detail=" : "",
              req->fault.why ? log_quote(detail, sizeof detail, req->fault.detail) : "");
}
