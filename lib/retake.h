/* retake.h - taking a lock again at the end of a wait for a condition.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_RETAKE_H
#define BOB_RETAKE_H

#include <bobbin/lock.h>

/* bob_lock_hold for one who was just woken: most often the waker still holds @l and needs this processor to go on, so
 * it sleeps at once where bob_lock_hold first looks again. */
void bob_lock_retake_(struct bob_lock *l);

#endif
