/* cond.h - MUST() for calls that cannot fail, the end of a program that is wrong, and whether a deadline has passed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_COND_H
#define BOB_COND_H

#include <bobbin/error.h>
#include <bobbin/time.h>
#include <pthread.h>
#include <stdbool.h>

/* For a pthread call that fails only if the program is wrong: says which and why, and aborts. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        int failed_ = (call);                                                                      \
        if (__builtin_expect(failed_ != 0, 0))                                                     \
            bob_must_failed_(#call, __FILE__, __LINE__, failed_);                                  \
    } while (0)
_Noreturn void bob_must_failed_(const char *call, const char *file, int line, int errnum);

/* Prints "bobbin: " and the sentence to standard error and aborts: for a misuse that has no error to return. */
_Noreturn void bob_die_(const char *fmt, ...) BOB_PRINTF(1, 2);

/* Whether @deadline has passed; asks the clock only for one that is neither BOB_AT_ONCE nor BOB_FOREVER. */
bool bob_has_passed_(bob_time deadline);

#endif
