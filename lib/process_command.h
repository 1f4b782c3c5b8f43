/* process_command.h - what a process keeps of its command: a copy, and where its program may be.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PROCESS_COMMAND_H
#define BOB_PROCESS_COMMAND_H

#include <bobbin/process.h>

struct bob_program {
    struct bob_command
        command; /* whose texts and input lie behind this struct, in the same allocation */
    const char *const *programs; /* paths to try in turn; ends with NULL */
};

/* One allocation, to be freed.  The copy's env is never NULL, nor is its output_max 0.
 *   BOB_ERR_INVALID    no argv[0], or a negative time
 *   BOB_ERR_NO_MEMORY */
BOB_MUST_USE enum bob_err bob_program_new_(const struct bob_command *command,
                                           struct bob_program **ret_program);

#endif
