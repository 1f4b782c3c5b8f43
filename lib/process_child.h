/* process_child.h - a program started as a child, and what its starter holds of it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PROCESS_CHILD_H
#define BOB_PROCESS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "process_command.h"

/* Descriptors are close-on-exec, and -1 when closed. */
struct bob_child {
    pid_t pid;    /* of the leader and of its group; ours to wait for */
    int pidfd;    /* readable once the leader has ended */
    int out, err; /* what it writes; reading does not block */
};

enum { BOB_CHILD_MESSAGE_MAX = 511 };

/* Returns when the program has begun.  On error there is no child, and @ret_message says why.
 *   BOB_ERR_SYSTEM     it could not
 *   BOB_ERR_CANCELLED  @stop_fd became readable while the program was open for writing
 *   BOB_ERR_TIMEOUT    @deadline passed meanwhile */
BOB_MUST_USE enum bob_err bob_child_start_(const struct bob_program *program, int stop_fd,
                                           bob_time deadline, struct bob_child *ret_child,
                                           char ret_message[BOB_CHILD_MESSAGE_MAX + 1]);

/* Sends @signal to its group, and to the leader should it have left.  The leader has not been waited for. */
void bob_child_signal_(const struct bob_child *child, int signal);

void bob_child_close_(int *fd); /* if it is open */

#endif
