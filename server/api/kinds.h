/* kinds.h - a kind's arguments as a request brings them: in `args`, or flat beside the route's own parameters.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_KINDS_H
#define BOBBIND_KINDS_H

#include "api/api.h"
#include "work/work.h"

/* The kind called @name, or NULL with the fault set, which names the ones there are: @why is WHY_INVALID where the name is a
 * parameter's value, WHY_NOT_FOUND where it is a part of the path. */
const struct kind *kinds_find(struct request *req, const char *name, enum why why);

/* The arguments of a BODY_OPEN route that has read @args (NULL: none given): a JSON object, the caller's, checked against
 * @kind's table; @values (kind->args_size bytes) point into it.  NULL with the fault set. */
struct cJSON *kinds_args(struct request *req, const struct kind *kind, const struct cJSON *args,
                         void *values);

/* The reply for a value that is JSON already: the text itself for Accept: text/plain. */
void kinds_reply_text(struct reply *reply, const char *json, size_t len);

#endif
