/* bobbind.h - the whole server: every part, in the order they start.
 *
 *     struct bobbind b = {.config = &config};
 *     if (bobbind_start(&b, &fault)) ...           // what had started has been stopped again
 *     ... wait for a signal ...
 *     bobbind_drain(&b);                           // nothing new
 *     while (!bobbind_idle(&b)) ...
 *     bobbind_stop(&b);                            // everything answered, committed and joined
 *
 * Threads: all calls from the main thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_BOBBIND_H
#define BOBBIND_BOBBIND_H

#include "api/api.h"
#include "base/config.h"
#include "base/fault.h"

#include <bobbin/time.h>
#include <stdbool.h>

struct bobbind {
    struct config
        *config; /* set by the caller; max_connections is lowered to what the system allows */

    /* private, in the order in which they start */
    struct store *store;
    struct coord *coord;
    struct work *work;
    struct journal *journal;
    struct hub *hub;
    struct files *files;
    struct http *http;
    struct bob_timers *timers;
    struct bob_timer *tick;
    struct app app; /* what handlers see of all this */

    int64_t beat;       /* of the deadline thread, as last seen */
    bob_time beat_seen; /* when it had last moved on */
    bool lost;          /* the journal could not write all it had */
};

/* Starts every part, or none: the fault then says which, why, and what to do. */
enum why bobbind_start(struct bobbind *b, struct fault *f);

/* Whether the threads that everything depends on come round, as far as memory tells. */
bool bobbind_is_well(struct bobbind *b);

/* Why it is not ready, as /readyz says: the same pointer for the same reason; NULL: it is. */
const char *bobbind_not_ready(struct bobbind *b);

void bobbind_reload(struct bobbind *b); /* the dashboard's files */

/* Begins nothing new; those who wait in a line are told.  Connections are taken and holds renewed as before. */
void bobbind_drain(struct bobbind *b);
/* Whether no task runs and no request works: after bobbind_drain it stays so. */
bool bobbind_idle(struct bobbind *b);
/* Tells what still runs to end, closes the listening sockets, and stops every part.  Drain first.  False: changes were lost, as
 * journal_stop says. */
bool bobbind_stop(struct bobbind *b);

#endif
