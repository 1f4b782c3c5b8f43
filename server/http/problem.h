/* problem.h - the one table from a reason to what HTTP says of it: status, type, title, and a page that explains.
 *
 * The type of a problem is its page: "/problems/lock-held"; its code is the same with underscores: "lock_held".
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_PROBLEM_H
#define BOBBIND_PROBLEM_H

#include "base/bytes.h"
#include "base/fault.h"
#include "http/reply.h"
#include "http/request.h"

struct problem {
    int status;
    int retry_after; /* seconds, when the handler names none; 0: no Retry-After */
    const char *slug, *code, *title, *doc;
};

/* The row of @why; NULL: it is no failure that anybody is told of (WHY_OK, WHY_PENDING, WHY_GONE). */
const struct problem *problem_of(enum why why);

/* Writes {"type","title","status","code","detail",...}: @extra (may be NULL) holds further members, as json_* writes them. */
void problem_json(struct bytes *b, const struct fault *f, const struct bytes *extra);

/* Handlers: GET /problems, a list, and GET /problems/{slug}, the page of the first name. */
enum why problem_list(struct request *req, struct reply *reply);
enum why problem_page(struct request *req, struct reply *reply);

#endif
