/* process_handle.h - what a pool does with a process that others may not.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PROCESS_HANDLE_H
#define BOB_PROCESS_HANDLE_H

#include <bobbin/process.h>

struct bob_process *bob_process_ref_(struct bob_process *p);
void bob_process_unref_(struct bob_process *p);

/* As bob_process_new, but bob_process_run refuses it and only bob_process_work_ runs it. */
BOB_MUST_USE enum bob_err bob_process_new_pooled_(const struct bob_command *command,
                                                  struct bob_process **ret_process);
enum bob_err bob_process_work_(struct bob_process *p, bob_time deadline);

#endif
