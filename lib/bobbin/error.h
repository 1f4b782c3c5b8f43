/* bobbin/error.h - the one error type of the library, and what a failure can say beside its code.
 *
 *     enum bob_err load(void *path, void **ret_value)          // work: its failure crosses to who asks the future
 *     {
 *         int fd = open(path, O_RDONLY | O_CLOEXEC);
 *         if (fd < 0)
 *             return bob_fail(BOB_ERR_SYSTEM, "cannot open %s", (const char *)path);
 *         ...
 *
 * Every call that can fail returns enum bob_err; BOB_OK is 0, so `if (err)` reads as it should.  A call
 * that fails leaves its ret_ parameters as they were.  Nothing here sets or reads errno.  Numbers are
 * never changed once released: new rows go to the end.
 *
 * Order:   a later bob_fail of a thread takes the place of an earlier one.
 * Threads: every function may be called from any thread at once; a note belongs to the thread that made it.
 * Locks:   none is taken.
 * Memory:  none is allocated: a note lies in room that each thread has.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_ERROR_H
#define BOBBIN_ERROR_H

#include <bobbin/annotate.h>

BOB_BEGIN_DECLS

/* clang-format off */
#define BOB_ERRORS(X)                                                                              \
    X(OK,            "ok")                                                                         \
    X(ERR_TIMEOUT,   "the deadline passed first")                                                  \
    X(ERR_CANCELLED, "cancelled before it could finish")                                           \
    X(ERR_SHUT_DOWN, "shut down: takes nothing new")                                               \
    X(ERR_FULL,      "full")                                                                       \
    X(ERR_BROKEN,    "broken: another party gave up")                                              \
    X(ERR_NOT_OWNER, "held by someone else, or by nobody")                                         \
    X(ERR_STATE,     "not possible in this state")                                                 \
    X(ERR_INVALID,   "malformed or out of range")                                                  \
    X(ERR_SYSTEM,    "the system refused")                                                         \
    X(ERR_NO_MEMORY, "out of memory")                                                              \
    X(ERR_EMPTY,     "empty")
/* clang-format on */

enum bob_err {
#define X(name, text) BOB_##name,
    BOB_ERRORS(X)
#undef X
        BOB_ERR_COUNT_
};

/* A short lower-case phrase for @err, for logs and for people.  Static storage; never NULL, whatever
 * the number. */
const char *bob_strerror(enum bob_err err);

/* A failure as data.  Its strings are never NULL; who gives it out says how long they live. */
struct bob_failure {
    enum bob_err code;
    const char *message; /* a sentence for people, or "" */
    const char *
        origin; /* "load.c:12 in loader-0": where, and in which thread; parts not known are left out */
};

/* In bytes.  Longer ones are cut, never within a UTF-8 character. */
enum { BOB_FAILURE_MESSAGE_MAX = 255, BOB_FAILURE_ORIGIN_MAX = 95 };

/* Notes a sentence (printf-like) and this place as the calling thread's failure, and returns @code.  An executor
 * moves the note into the future when its work returns the same code; see bob_future_failure. */
#define bob_fail(code, ...) bob_fail_at((code), __FILE__, __LINE__, __VA_ARGS__)
enum bob_err bob_fail_at(enum bob_err code, const char *file, int line, const char *fmt, ...)
    BOB_PRINTF(4, 5);

BOB_END_DECLS

#endif
