/* shapes.h - how each object looks as JSON: the same in a reply, in a list and in the event stream.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SHAPES_H
#define BOBBIND_SHAPES_H

#include "base/bytes.h"
#include "coord/coord.h"
#include "coord/queue.h"

/* Each writes one object, as a document or as an element of a list. */
void shape_hold(struct bytes *b, enum hold_kind kind, const struct hold_view *v, moment now);
void shape_hold_row(struct bytes *b, enum hold_kind kind, const struct hold_row *row);
void shape_counter(struct bytes *b, const char *name, uint64_t rev, int64_t value);
void shape_executor(struct bytes *b, const struct executor_view *v);
void shape_task(struct bytes *b, const struct task_view *v);

/* The member @key: {"token","owner",...}; null when there is none (token 0). */
void shape_holder(struct bytes *b, const char *key, enum hold_kind kind,
                  const struct holder_view *h);
/* The member "error" of a task that failed. */
void shape_error(struct bytes *b, const char *code, const char *message, int64_t attempts);

#endif
