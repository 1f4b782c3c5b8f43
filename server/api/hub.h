/* hub.h - what the two sides of an event stream share: the hub's thread (hub.c) and MHD's (stream.c).
 *
 * Private to these two.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_HUB_H
#define BOBBIND_HUB_H

#include "api/snapshot.h"
#include "base/lockorder.h"

#include <bobbin/condition.h>
#include <bobbin/thread.h>

struct stream;

enum { HUB_READERS_MAX = 256, HUB_PASS_ROWS = 64 };

/* One event stream. */
struct reader {
    struct hub *hub;
    struct stream *stream; /* a reference; NULL until it is in the list */
    unsigned topics;       /* bits */

    struct reader *prev BOB_GUARDED_BY(L_HUB);
    struct reader *next BOB_GUARDED_BY(L_HUB);
    struct bytes out BOB_GUARDED_BY(L_HUB); /* what MHD has still to send, from `sent` on */
    size_t sent BOB_GUARDED_BY(L_HUB);
    bob_time quiet_since BOB_GUARDED_BY(L_HUB); /* when it last read anything */
    uint64_t at BOB_GUARDED_BY(L_HUB);      /* it knows of all changes up to here: coord_changes */
    bool catching_up BOB_GUARDED_BY(L_HUB); /* to `goal`, as fast as it reads */
    bool whole BOB_GUARDED_BY(L_HUB);       /* with the whole state, not with changes */
    uint64_t goal BOB_GUARDED_BY(L_HUB);    /* the newest stamp when it began to */
    int64_t tick BOB_GUARDED_BY(L_HUB);     /* in which it last began to, or failed */
    bool failed BOB_GUARDED_BY(L_HUB);      /* the last pass failed: not before the next tick */
    bool pinned BOB_GUARDED_BY(L_HUB);      /* the hub works for it: its memory stays */
    bool ended BOB_GUARDED_BY(L_HUB);       /* pinned, and nobody else's: the hub frees it */
};

struct hub {
    struct coord *coord;
    struct bob_thread *thread;
    struct bob_lock lock; /* class L_HUB */
    struct bob_condition
        changed; /* signalled when a reader comes, or has read all it was given, or the hub stops */

    /* the thread's own: a pass at hand */
    struct snapshot *snapshot;
    struct bytes events[TOPIC_COUNT_];
    struct reader *group[HUB_READERS_MAX]; /* who it is for: all stood at the same stamp */
    size_t group_len;
    struct changed rows[HUB_PASS_ROWS];

    struct reader *first BOB_GUARDED_BY(L_HUB);
    size_t readers BOB_GUARDED_BY(L_HUB); /* also those that are not in the list yet */
    bool stopping BOB_GUARDED_BY(L_HUB);
};

void hub_lock(struct hub *hub) BOB_ACQUIRES(L_HUB);
void hub_unlock(struct hub *hub) BOB_RELEASES(L_HUB);
void reader_free(struct reader *r);

#endif
