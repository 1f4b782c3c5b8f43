/* uncaught.h - the way to the hook for failures that nobody will read; see bob_set_excepthook in <bobbin/thread.h>.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_UNCAUGHT_H
#define BOB_UNCAUGHT_H

struct bob_failure;

/* Tells the hook, on the calling thread and as its failure.  Call it under no lock of the library. */
void bob_uncaught_(const struct bob_failure *f);

#endif
