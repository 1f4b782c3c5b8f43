/* life.c - the life of a task, as a table: what is not in it does not happen.
 *
 * A running task is not cancelled by EVENT_CANCEL: its run is told to stop, and EVENT_STOPPED says that it has.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/life.h"

#include <stddef.h>

const char *const task_state_name[TASK_STATES_] = {
    [TASK_DELAYED] = "delayed",     [TASK_READY] = "ready",   [TASK_RUNNING] = "running",
    [TASK_SUCCEEDED] = "succeeded", [TASK_FAILED] = "failed", [TASK_CANCELLED] = "cancelled",
};

/* clang-format off */
static const struct step {
    enum task_state from;
    enum task_event event;
    enum task_state to;
} steps[] = {
    {TASK_DELAYED, EVENT_DUE,      TASK_READY},
    {TASK_DELAYED, EVENT_CANCEL,   TASK_CANCELLED},
    {TASK_READY,   EVENT_CLAIM,    TASK_RUNNING},
    {TASK_READY,   EVENT_CANCEL,   TASK_CANCELLED},
    {TASK_RUNNING, EVENT_SUCCEED,  TASK_SUCCEEDED},
    {TASK_RUNNING, EVENT_RETRY,    TASK_DELAYED},
    {TASK_RUNNING, EVENT_GIVE_UP,  TASK_FAILED},
    {TASK_RUNNING, EVENT_PUT_BACK, TASK_READY},
    {TASK_RUNNING, EVENT_STOPPED,  TASK_CANCELLED},
};
/* clang-format on */

bool
task_step(enum task_state *state, enum task_event event)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].from == *state && steps[i].event == event) {
            *state = steps[i].to;
            return true;
        }
    }
    return false;
}

bool
task_is_over(enum task_state state)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].from == state)
            return false;
    }
    return true;
}
