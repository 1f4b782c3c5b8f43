/* bobbin/once.h - something that is done once, by whoever needs it first.
 *
 *     static struct bob_once opened = BOB_ONCE_INIT;
 *     enum bob_err err = bob_once_call(&opened, open_log, "/var/log/it");    // opens it, or waits for who does
 *     if (err)
 *         return err;                                                        // the next caller tries again
 *
 * Order:   callers that wait while a call fails are not served in any promised order.
 * Threads: bob_once_call may be called from any thread at once; it runs fn on one of those threads.
 * Locks:   none is held while fn runs.  A caller may hold any, if fn can finish without them.
 * Memory:  one word, in its owner's struct or static; nothing is allocated, nothing need be freed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_ONCE_H
#define BOBBIN_ONCE_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <stdbool.h>

BOB_BEGIN_DECLS

struct bob_once {
    /* private */
    unsigned word_; /* atomic: 0, who runs it and whether somebody sleeps, or done */
};

#define BOB_ONCE_INIT                                                                              \
    {                                                                                              \
        0                                                                                          \
    }

/* Runs fn(arg) unless a call with @o has succeeded before; while another thread's runs, waits for its end.  After
 * BOB_OK, what the successful fn did is seen by the caller.
 *   BOB_ERR_INVALID  @fn is NULL
 *   BOB_ERR_STATE    called by the fn that @o runs just now
 *   others           what fn returned: it is run again by the next call, or by one that waits */
BOB_MUST_USE enum bob_err bob_once_call(struct bob_once *o, enum bob_err (*fn)(void *), void *arg);

/* Whether a call has succeeded.  If so, what it did is seen by the caller. */
bool bob_once_done(const struct bob_once *o);

BOB_END_DECLS

#endif
