/* error.c - the phrases of <bobbin/error.h>, from its table, and each thread's note of its last failure.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cut.h"
#include "noted.h"

enum { LINE_LEN = 12 }; /* ":-2147483648" */

__thread struct bob_noting bob_noting_ = {.noted = -1};

static __thread struct {
    enum bob_err code;
    char message[BOB_FAILURE_MESSAGE_MAX + 1];
    char origin[BOB_FAILURE_ORIGIN_MAX + 1];
} note; /* good if bob_noting_ says so */

const char *
bob_strerror(enum bob_err err)
{
    static const char *const phrases[BOB_ERR_COUNT_] = {
#define X(name, text) [BOB_##name] = (text),
        BOB_ERRORS(X)
#undef X
    };

    return (unsigned)err < BOB_ERR_COUNT_ ? phrases[err] : "unknown error";
}

enum bob_err
bob_fail_at(enum bob_err code, const char *file, int line, const char *fmt, ...)
{
    char message[sizeof note.message]; /* an argument may be the note before */
    char place[sizeof note.origin - LINE_LEN];
    const char *slash = strrchr(file, '/');
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (len < 0)
        message[0] = '\0';
    if (len > BOB_FAILURE_MESSAGE_MAX)
        bob_drop_half_character_(message, BOB_FAILURE_MESSAGE_MAX);
    memcpy(note.message, message, sizeof message);
    bob_copy_cut_(place, sizeof place - 1, slash ? slash + 1 : file);
    (void)snprintf(note.origin, sizeof note.origin, "%s:%d", place, line);
    note.code = code;
    bob_noting_.noted = bob_noting_.depth;
    return code;
}

struct bob_failure
bob_noted_(enum bob_err code)
{
    if ((unsigned)code >= BOB_ERR_COUNT_)
        return (struct bob_failure){BOB_ERR_INVALID, "work returned what is no error", ""};
    if (bob_noting_.noted == bob_noting_.depth && note.code == code)
        return (struct bob_failure){code, note.message, note.origin};
    return (struct bob_failure){code, "", ""};
}

enum bob_err
bob_note_again_(const struct bob_failure *failure)
{
    (void)snprintf(note.message, sizeof note.message, "%s", failure->message);
    (void)snprintf(note.origin, sizeof note.origin, "%s", failure->origin);
    note.code = failure->code;
    bob_noting_.noted = bob_noting_.depth;
    return failure->code;
}

void
bob_origin_in_(char *ret_origin, size_t size, const char *place, const char *thread)
{
    (void)snprintf(ret_origin, size, "%s%s%s%s", place, *place && *thread ? " " : "",
                   *thread ? "in " : "", thread);
}
