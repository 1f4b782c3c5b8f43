/* noted.h - the calling thread's note of a failure, and whose it is.
 *
 * Work can run inside work (a submit that the caller runs, a map that its caller helps with): each has its depth, and
 * takes only a note that was made at its own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_NOTED_H
#define BOB_NOTED_H

#include <bobbin/error.h>
#include <stddef.h>

struct bob_noting {
    int depth; /* of work within work; 0: none */
    int noted; /* the depth at which the note was made; -1: there is none */
};
extern __thread struct bob_noting bob_noting_ __attribute__((tls_model("initial-exec")));

/* Around work: what was noted before at this depth or deeper is forgotten. */
static inline void
bob_noting_begin_(void)
{
    if (bob_noting_.noted > bob_noting_.depth)
        bob_noting_.noted = -1;
    bob_noting_.depth++;
}

static inline void
bob_noting_end_(void)
{
    bob_noting_.depth--;
}

/* Without a look: a map does this before each item. */
static inline void
bob_noting_forget_(void)
{
    bob_noting_.noted = -1;
}

/* What the work at this depth noted with @code; else @code alone, with empty strings; BOB_ERR_INVALID for what is
 * no code.  The strings are good until the thread's next note. */
struct bob_failure bob_noted_(enum bob_err code);

/* Notes @failure, of other work, as the calling thread's own; returns its code. */
enum bob_err bob_note_again_(const struct bob_failure *failure);

/* Joins @place and the name of a thread, either of which may be "", as they stand in bob_failure.origin. */
void bob_origin_in_(char *ret_origin, size_t size, const char *place, const char *thread);

#endif
