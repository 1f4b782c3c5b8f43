/* fault.h - why a request failed: a reason for programs and one sentence for people.
 *
 *     return fault_set(f, WHY_INVALID, "ttl: 0 is under 100ms");
 *
 * enum why is the server's one list of reasons.  A step of coord or work returns it, a handler
 * returns it, and http/problem.c alone turns it into a status, a title and a problem page.  bob_err
 * stays in the library: an HTTP reason has no place in a header that other programs include.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_FAULT_H
#define BOBBIND_FAULT_H

#include <bobbin/annotate.h>

/* clang-format off */
#define WHYS(X)                                                                                    \
    X(OK)               /* done */                                                                 \
    X(PENDING)          /* no failure: the outcome comes later, to the ask that was given */       \
    X(INVALID)          /* 400  a value is malformed or out of range: detail names the field */    \
    X(BAD_REQUEST)      /* 400  the message itself is malformed: framing, Host, encoding */        \
    X(FORBIDDEN)        /* 403  Host, Origin or Sec-Fetch-Site says no */                          \
    X(NOT_FOUND)        /* 404 */                                                                  \
    X(METHOD)           /* 405  with Allow */                                                      \
    X(CONFLICT)         /* 409  not possible in this state */                                      \
    X(CANCELLED)        /* 409  the task was cancelled */                                          \
    X(OUT_OF_RANGE)     /* 409  the number would leave -(2^53-1) ... 2^53-1 */                     \
    X(OVER_RELEASE)     /* 409  more permits than the semaphore's value */                         \
    X(NOT_HOLDER)       /* 412  the token is not, or no longer, the holder's */                    \
    X(CHANGED)          /* 412  the object is not as If-Match or If-None-Match wants it */         \
    X(TOO_LARGE)        /* 413  the body */                                                        \
    X(URI_TOO_LONG)     /* 414 */                                                                  \
    X(MEDIA_TYPE)       /* 415 */                                                                  \
    X(TASK_FAILED)      /* 422  its error is inside */                                             \
    X(LOCK_HELD)        /* 423  not had within wait */                                             \
    X(HOLD_ENDED)       /* 423  granted, but its ttl ended before the answer */                    \
    X(TOO_MANY)         /* 429  a limit on waiters, objects or tasks is met */                     \
    X(HEADERS_TOO_LARGE)/* 431 */                                                                  \
    X(INTERNAL)         /* 500  a bug, or the system failed us */                                  \
    X(NOT_IMPLEMENTED)  /* 501  transfer coding, TRACE, CONNECT */                                 \
    X(NO_MEMORY)        /* 503 */                                                                  \
    X(BUSY)             /* 503  all request threads are busy */                                    \
    X(DRAINING)         /* 503  the server is stopping */                                          \
    X(NOT_READY)        /* 503  of /readyz only */                                                 \
    X(OUTCOME_UNKNOWN)  /* 503  decided, not written yet: it may or may not hold */                \
    X(STORE_FULL)       /* 507  no room on the disk: nothing was decided */                        \
    X(GONE)             /* the client has left: no answer at all */
/* clang-format on */

enum why {
#define X(name) WHY_##name,
    WHYS(X)
#undef X
        WHY_COUNT_
};

struct fault {
    enum why why;
    char detail[256]; /* UTF-8, no final full stop; "" when the reason says it all */
};

/* Records @why and the formatted sentence in @f and returns @why.  The first fault wins: a later
 * one is not recorded.  Control bytes in the sentence become '?'. */
enum why fault_set(struct fault *f, enum why why, const char *fmt, ...) BOB_PRINTF(3, 4);

#endif
