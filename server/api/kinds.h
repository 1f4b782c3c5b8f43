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

/* The arguments of a BODY_OPEN route, as the JSON object that is kept and shown: the bytes of @args, or, when none were given
 * (at NULL), an object of the flat ones.  It is added to @ret_json, and checked by @kind's table into @values (kind->args_size
 * bytes), which point into it and into what is returned: json_free that.  NULL with the fault set. */
struct cJSON *kinds_args(struct request *req, const struct kind *kind, struct json_slice args,
                         struct bytes *ret_json, void *values);

/* The reply for a value that is JSON already: the text itself for Accept: text/plain. */
void kinds_reply_text(struct reply *reply, const char *json, size_t len);

#endif
