/* problem.c - see problem.h.
 *
 * The table is in the order of enum why, one row for each: the compiler counts them.
 *
 * SPDX-License-Identifier: MIT */
#include "http/problem.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { NOT_TOLD = 0 };

/* clang-format off */
static const struct problem problems[] = {
/*                        status  retry  slug  code  title  doc */
[WHY_OK]                = {NOT_TOLD, 0, NULL, NULL, NULL, NULL},
[WHY_PENDING]           = {NOT_TOLD, 0, NULL, NULL, NULL, NULL},
[WHY_INVALID]           = {400, 0, "invalid", "invalid", "A value is not valid",
    "A parameter is malformed, out of range, missing, unknown or given twice. The detail names it, and what is allowed."},
[WHY_BAD_REQUEST]       = {400, 0, "bad-request", "bad_request", "The request is malformed",
    "The HTTP message itself is not right: its framing, a header field or an encoding. The connection is closed, because nobody can tell where the next request begins."},
[WHY_FORBIDDEN]         = {403, 0, "forbidden", "forbidden", "Not from here",
    "Host is not a name of this server (add one with --allow-host), or a page of another site sent the request: Origin and Sec-Fetch-Site must be this server's own."},
[WHY_NOT_FOUND]         = {404, 0, "not-found", "not_found", "Not found",
    "There is no such path, or no such object. Names are 1-200 bytes of A-Z a-z 0-9 . _ : ~ -"},
[WHY_METHOD]            = {405, 0, "method-not-allowed", "method_not_allowed", "Method not allowed",
    "The path exists, but not with this method: Allow lists those it has."},
[WHY_CONFLICT]          = {409, 0, "conflict", "conflict", "Not possible now",
    "The object is in a state that does not allow this. Look at it, then decide."},
[WHY_CANCELLED]         = {409, 0, "cancelled", "cancelled", "The task was cancelled",
    "The task was cancelled before it ended: it has no result."},
[WHY_OUT_OF_RANGE]      = {409, 0, "out-of-range", "out_of_range", "The number would leave its range",
    "Numbers are whole and lie between -(2^53-1) and 2^53-1, so that every JSON reader has them exactly. Nothing was changed."},
[WHY_OVER_RELEASE]      = {409, 0, "over-release", "over_release", "More permits than there are",
    "A bounded semaphore never has more free permits than its value. Nothing was changed."},
[WHY_NOT_HOLDER]        = {412, 0, "not-holder", "not_holder", "Not the holder",
    "The token is not, or no longer, the holder's: its ttl may have ended, or somebody ended the hold. Do not go on with what it protected."},
[WHY_CHANGED]           = {412, 0, "precondition-failed", "precondition_failed", "Not as the condition wants it",
    "The object's ETag is not one that If-Match names, or is one that If-None-Match does: somebody changed it since you looked, or it is there already. Nothing was done. Look again, then decide."},
[WHY_TOO_LARGE]         = {413, 0, "too-large", "too_large", "The body is too large",
    "The body is larger than --max-body allows."},
[WHY_URI_TOO_LONG]      = {414, 0, "uri-too-long", "uri_too_long", "The URI is too long",
    "A path and its query may have 4096 bytes together. Parameters may go in the body as well."},
[WHY_MEDIA_TYPE]        = {415, 0, "media-type", "media_type", "Unknown type of body",
    "A body is application/json or application/x-www-form-urlencoded, and says so in Content-Type; it has no Content-Encoding."},
[WHY_TASK_FAILED]       = {422, 0, "task-failed", "task_failed", "The task failed",
    "The task ran and failed; its own error is in the member error."},
[WHY_LOCK_HELD]         = {423, 1, "lock-held", "lock_held", "Lock is held",
    "The lock, or the permits, could not be had within wait. Ask again with a longer wait: it keeps a place in the line, asking again and again does not."},
[WHY_HOLD_ENDED]        = {423, 1, "hold-ended", "hold_ended", "The hold has ended",
    "It was granted, but its ttl ended before the answer could be given. Ask again with a longer ttl."},
[WHY_TOO_MANY]          = {429, 1, "too-many", "too_many", "A limit is met",
    "The server is at its limit of waiters, objects or tasks: see --max-waiters, --max-waiters-per-object, --max-objects and --max-tasks."},
[WHY_HEADERS_TOO_LARGE] = {431, 0, "headers-too-large", "headers_too_large", "The header is too large",
    "A request's header may have 8192 bytes and 100 fields."},
[WHY_INTERNAL]          = {500, 0, "internal", "internal", "The server failed",
    "A fault of the server or of its system; its log says more."},
[WHY_NOT_IMPLEMENTED]   = {501, 0, "not-implemented", "not_implemented", "Not implemented",
    "This version of the server does not do that: a transfer coding other than chunked, TRACE, CONNECT, or what the detail names."},
[WHY_NO_MEMORY]         = {503, 1, "no-memory", "no_memory", "Out of memory",
    "The server has no memory for this just now, or the tasks that are not finished take all that --max-task-memory gives them."},
[WHY_BUSY]              = {503, 1, "busy", "busy", "The server is busy",
    "All threads for requests that work are taken (see --request-threads), or more is to be written than the disk can take. Ask again, or give wait."},
[WHY_DRAINING]          = {503, 5, "draining", "draining", "The server is stopping",
    "The server takes nothing new because it is about to stop."},
[WHY_NOT_READY]         = {503, 5, "not-ready", "not_ready", "The server is not ready",
    "The server should be given nothing that changes something just now: it is stopping, its disk is full or too slow, or another program has its store locked. It goes on answering what it can."},
[WHY_OUTCOME_UNKNOWN]   = {503, 5, "outcome-unknown", "outcome_unknown", "The outcome is not known",
    "It was decided, but it cannot be written yet, because the disk is full or another program has the store locked: it may or may not hold. Look before you ask again. A call that only looks depends on such a change; ask it again."},
[WHY_STORE_FULL]        = {507, 5, "store-full", "store_full", "No room on the disk",
    "The disk has no room. Nothing was decided and nothing changed; releases still pass."},
[WHY_GONE]              = {NOT_TOLD, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */
_Static_assert(sizeof problems / sizeof problems[0] == WHY_COUNT_, "a row for each why");

const struct problem *
problem_of(enum why why)
{
    return why < WHY_COUNT_ && problems[why].status ? &problems[why] : NULL;
}

void
problem_json(struct bytes *b, const struct fault *f, const struct bytes *extra)
{
    const struct problem *p = problem_of(f->why);
    char type[64];

    if (!p)
        p = &problems[WHY_INTERNAL];
    (void)snprintf(type, sizeof type, "/problems/%s", p->slug);
    json_open(b, '{');
    json_text(b, "type", type);
    json_text(b, "title", p->title);
    json_int(b, "status", p->status);
    json_text(b, "code", p->code);
    if (f->detail[0])
        json_text(b, "detail", f->detail);
    if (extra && extra->len > 0) {
        const char *at = extra->at;
        size_t len = extra->len;

        if (*at == ',')
            at++, len--;
        bytes_add(b, ",", 1);
        bytes_add(b, at, len);
        b->failed |= extra->failed;
    }
    json_close(b, '}');
}

static const char page_head[] = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                                "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";

static struct bytes *
page(struct reply *reply)
{
    struct bytes *b = reply_body(reply, 200, "text/html; charset=utf-8");

    reply_header(reply, "Content-Security-Policy",
                 "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    reply_header(reply, "Referrer-Policy", "no-referrer");
    bytes_adds(b, page_head);
    return b;
}

enum why
problem_list(struct request *req, struct reply *reply)
{
    struct bytes *b = page(reply);

    (void)req;
    bytes_adds(b, "Problems</title>\n<h1>Problems</h1>\n<ul>\n");
    for (int why = 0; why < WHY_COUNT_; why++) {
        const struct problem *p = problem_of((enum why)why);

        if (p)
            bytes_addf(b, "<li>%d <a href=\"/problems/%s\">%s</a></li>\n", p->status, p->slug,
                       p->title);
    }
    bytes_adds(b, "</ul>\n</html>\n");
    return WHY_OK;
}

enum why
problem_page(struct request *req, struct reply *reply)
{
    const char *slug = request_name(req, 0);
    const struct problem *p = NULL;

    for (int why = 0; why < WHY_COUNT_ && !p; why++) {
        if (problems[why].slug && strcmp(problems[why].slug, slug) == 0)
            p = &problems[why];
    }
    if (!p)
        return fault_set(request_fault(req), WHY_NOT_FOUND,
                         "there is no problem of this name; see /problems");

    struct bytes *b = page(reply);

    bytes_addf(b, "%s</title>\n<h1>%s</h1>\n<p>Status %d, code <code>%s</code></p>\n<p>", p->title,
               p->title, p->status, p->code);
    for (const char *at = p->doc; *at;
         at++) { /* the table has no other byte that HTML would take */
        if (*at == '&')
            bytes_adds(b, "&amp;");
        else if (*at == '<')
            bytes_adds(b, "&lt;");
        else
            bytes_add(b, at, 1);
    }
    bytes_adds(b, "</p>\n<p><a href=\"/problems\">All problems</a></p>\n</html>\n");
    return WHY_OK;
}
