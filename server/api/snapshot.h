/* snapshot.h - from names of what changed to events with their newest state.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SNAPSHOT_H
#define BOBBIND_SNAPSHOT_H

#include "base/bytes.h"
#include "coord/coord.h"

struct snapshot;
extern const char *const topic_name[TOPIC_COUNT_ + 1]; /* "lock", ...; ends with NULL */

struct snapshot *snapshot_new(struct coord *c); /* NULL: no memory */
void snapshot_free(struct snapshot *s);         /* NULL is allowed */

/* coord_changes, but waits for the outcome: the caller is a thread of its own. */
enum why snapshot_changes(struct snapshot *s, uint64_t *at, struct changed *rows, size_t cap,
                          size_t *ret_n, bool *ret_more);

/* Appends to ret_events[topic] one event for each of @rows whose topic is in @topics (bits); one that is gone by now says so. Waits until
 * all it tells of is durable; what could not be had (the server drains, the disk is full) is left out. */
void snapshot_take(struct snapshot *s, const struct changed *rows, size_t n, unsigned topics,
                   struct bytes ret_events[TOPIC_COUNT_]);

#endif
