/* etag.c - ETag and the headers that name one: If-None-Match of a GET, If-Match and
 * If-None-Match of a change (RFC 9110, 8.8.3 and 13.1).
 *
 * An object's ETag is its rev in quotes.  What a change asks for is read here, and judged in
 * coord, in the step that changes.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

struct etag {
    uint64_t rev; /* 0: none of ours */
    bool weak, any;
};

/* Takes one off the list at *@at; false: there is no more, or what comes is none: **@at is not
 * NUL then. */
static bool
next(const char **at, struct etag *ret)
{
    const char *p = *at + strspn(*at, " \t,");
    const char *quoted, *quote;
    char *end;

    *at = p;
    *ret = (struct etag){.any = *p == '*', .weak = strncmp(p, "W/", 2) == 0};
    if (ret->any) {
        *at = p + 1;
        return true;
    }
    quoted = p + (ret->weak ? 2 : 0);
    if (*quoted != '"' || !(quote = strchr(quoted + 1, '"')))
        return false;
    ret->rev = strtoull(quoted + 1, &end, 10);
    if (end != quote || quoted[1] < '1' || quoted[1] > '9')
        ret->rev = 0;
    *at = quote + 1;
    return true;
}

bool
api_unchanged(struct request *req, struct reply *reply, uint64_t rev)
{
    const struct asking *q = request_room(req);
    const char *known = request_header(req, "If-None-Match");
    struct etag etag;

    reply_etag(reply, rev);
    reply_sequence(reply, q->ask.outcome.seq);
    while (known && next(&known, &etag)) {
        if (etag.any || (etag.rev && etag.rev == rev)) {
            reply_empty(reply, 304);
            return true;
        }
    }
    return false;
}

/* One line of the header @name, added to what the lines before it named. */
static enum why
read_line(const char *at, const char *name, struct condition *c, struct fault *f)
{
    struct etag etag;

    while (next(&at, &etag)) {
        c->any = c->any || etag.any;
        if (etag.any || (c->match && etag.weak)) /* a weak one matches no change */
            continue;
        if (c->n == CONDITION_REVS_MAX)
            return fault_set(f, WHY_INVALID, "%s: at most %d ETags", name, CONDITION_REVS_MAX);
        c->rev[c->n++] = etag.rev;
    }
    if (*at)
        return fault_set(f, WHY_INVALID, "%s: must be ETags, each in its quotes as it came, or *",
                         name);
    return WHY_OK;
}

enum why
api_read_condition(struct request *req, struct condition *ret)
{
    bool match = request_header(req, "If-Match"), none = request_header(req, "If-None-Match");
    const char *name = match ? "If-Match" : "If-None-Match", *line;
    struct condition c = {.asked = true, .match = match};

    if (!match && !none)
        return WHY_OK;
    if (match && none)
        return fault_set(request_fault(req), WHY_INVALID, "If-Match: give it or If-None-Match");
    for (int i = 0; (line = request_header_line(req, name, i)); i++) {
        if (read_line(line, name, &c, request_fault(req)))
            return request_why(req);
    }
    *ret = c;
    return WHY_OK;
}
