/* reply.c - see reply.h: what a handler says, kept as plain bytes until MHD is told (response.c).
 *
 * SPDX-License-Identifier: MIT */
#include "http/reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "http/exchange.h"
#include "http/problem.h"

void
reply_clear(struct reply *r)
{
    r->status = 0;
    r->type = NULL;
    r->keep = false;
    r->stream = NULL;
    r->made = NULL;
    r->let_go = NULL;
    bytes_clear(&r->body);
    bytes_clear(&r->extra);
    bytes_clear(&r->headers);
}

struct bytes *
reply_body(struct reply *r, int status, const char *type)
{
    r->status = status;
    r->type = type;
    bytes_clear(&r->body);
    return &r->body;
}

struct bytes *
reply_json(struct reply *r, int status)
{
    return reply_body(r, status, "application/json");
}

void
reply_empty(struct reply *r, int status)
{
    (void)reply_body(r, status, NULL);
}

void
reply_text_u64(struct reply *r, int status, uint64_t n)
{
    struct bytes *b = reply_body(r, status, "text/plain");

    bytes_add_u64(b, n);
    bytes_add(b, "\n", 1);
}

void
reply_text_i64(struct reply *r, int status, int64_t n)
{
    struct bytes *b = reply_body(r, status, "text/plain");

    bytes_add_i64(b, n);
    bytes_add(b, "\n", 1);
}

static void
add_header(struct reply *r, const char *name, const char *value, size_t len)
{
    bytes_add(&r->headers, name, strlen(name) + 1);
    bytes_add(&r->headers, value, len);
    bytes_add(&r->headers, "", 1);
}

void
reply_header(struct reply *r, const char *name, const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++)
        assert(((unsigned char)value[i] >= ' ' || value[i] == '\t') && value[i] != 127);
    if (strcasecmp(name, "Cache-Control") == 0)
        r->keep = true;
    add_header(r, name, value, len);
}

/* @before, the number and @after, as a header's value. */
static void
number_header(struct reply *r, const char *name, const char *around, uint64_t n)
{
    bytes_add(&r->headers, name, strlen(name) + 1);
    bytes_adds(&r->headers, around);
    bytes_add_u64(&r->headers, n);
    bytes_adds(&r->headers, around);
    bytes_add(&r->headers, "", 1);
}

void
reply_etag(struct reply *r, uint64_t rev)
{
    number_header(r, "ETag", "\"", rev);
}

void
reply_sequence(struct reply *r, uint64_t seq)
{
    number_header(r, "Bobbin-Sequence", "", seq);
}

void
reply_retry_after(struct reply *r, int64_t ns)
{
    int64_t s = ns <= 0 ? 1 : (ns - 1) / NS_PER_SECOND + 1;

    number_header(r, "Retry-After", "", (uint64_t)s);
}

struct bytes *
reply_problem_extra(struct reply *r)
{
    return &r->extra;
}

void
reply_made(struct reply *r, int status, struct MHD_Response *made, size_t len,
           void (*let_go)(void *), void *arg)
{
    r->status = status;
    r->made = made;
    r->made_len = len;
    r->let_go = let_go;
    r->arg = arg;
}

/* The value of the header @name among those given so far; NULL: none. */
static const char *
given(const struct reply *r, const char *name)
{
    const char *end = r->headers.at + r->headers.len;

    for (const char *at = r->headers.at; at && at < end;) {
        const char *value = at + strlen(at) + 1;

        if (strcmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

void
reply_problem(struct reply *r, const struct fault *f)
{
    const struct problem *p = problem_of(f->why);
    char retry[24] = "";

    if (!p)
        p = problem_of(WHY_INTERNAL);
    /* The handler may have begun another answer: only its Retry-After and Allow are meant for this one. */
    const char *asked = given(r, "Retry-After"), *allow = given(r, "Allow");
    char allowed[64] = "";
    if (asked)
        (void)snprintf(retry, sizeof retry, "%s", asked);
    else if (p->retry_after)
        (void)snprintf(retry, sizeof retry, "%d", p->retry_after);
    if (allow)
        (void)snprintf(allowed, sizeof allowed, "%s", allow);
    bytes_clear(&r->headers);
    if (retry[0])
        add_header(r, "Retry-After", retry, strlen(retry));
    if (allowed[0])
        add_header(r, "Allow", allowed, strlen(allowed));
    r->keep = false;
    problem_json(reply_body(r, p->status, "application/problem+json"), f, &r->extra);
}
