/* life.h - the life of a task: what can happen to it in which state, and what becomes of it.
 *
 * Private to coord/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_LIFE_H
#define BOBBIND_LIFE_H

#include "coord/queue.h"

#include <stdbool.h>

enum task_event {
    EVENT_DUE,      /* its moment has come */
    EVENT_CLAIM,    /* a hand takes it */
    EVENT_SUCCEED,  /* its run came to a result */
    EVENT_RETRY,    /* its run failed, and another will be made, later */
    EVENT_GIVE_UP,  /* its run failed, for good */
    EVENT_PUT_BACK, /* its run was broken off by the server: again, and soon */
    EVENT_CANCEL,   /* a client does not want it any more */
    EVENT_STOPPED,  /* its run has stopped because of that */
    EVENT_COUNT_
};

/* Moves *@state as the table says.  False: @event does not happen in that state, and *@state is as it was. */
bool task_step(enum task_state *state, enum task_event event);

/* Nothing will happen to it any more. */
bool task_is_over(enum task_state state);

#endif
