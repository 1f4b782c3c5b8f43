/* process_landlock.h - a ruleset of the kernel's Landlock, by which a child writes only where it
 * may.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PROCESS_LANDLOCK_H
#define BOB_PROCESS_LANDLOCK_H

#include <stdbool.h>

/* A ruleset that allows to write at and below @writable, which ends with NULL.  Its descriptor
 * is close-on-exec; -1: errno says why, and *ret_path which of them could not be opened (else it
 * is unchanged). */
int bob_landlock_new_(const char *const *writable, const char **ret_path);

/* Puts the calling process under it, for ever; for the child: one system call.  False: errno
 * says why. */
bool bob_landlock_enter_(int ruleset);

#endif
