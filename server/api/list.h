/* list.h - the pages of a list: limit, cursor, and a glob over names.
 *
 *     GET /v1/locks?name=ci-*&limit=50&cursor=ci-7      -> {"items":[...],"next_cursor":"ci-61"}
 *
 * A cursor is the last name looked at, so pages neither skip nor repeat what stays, whatever comes and goes between
 * them.  A page may hold fewer items than asked for, even none, and still not be the last: the work of one request is
 * bounded, not its luck.  The end is next_cursor null.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_LIST_H
#define BOBBIND_LIST_H

#include "api/api.h"

struct list_args {
    int64_t limit;
    const char *cursor, *name; /* NULL: from the start; every name */
};

/* The head of a list handler's room. */
struct listing {
    struct asking asking;
    struct list_args args;
    size_t cap, n; /* rows asked for, and had */
    char after[NAME_MAX_LEN + 2];
};

/* `*` any bytes, `?` any one.  Never more steps than the product of both lengths, whatever the pattern. */
bool glob_match(const char *glob, const char *name);

/* Where to begin in the order of names: at the cursor, or just before the first name the glob can match. */
void list_start(struct listing *l);

/* Reads the arguments and makes the rows (l->cap of @row_size, in the heap).  NULL with the fault set. */
void *list_rows(struct request *req, size_t row_size);

/* Answers with the rows that match; each begins with its name. */
enum why list_reply(struct request *req, struct reply *reply, size_t row_size,
                    void (*shape)(struct bytes *b, const void *row));

#endif
