/* list.c - see list.h.
 *
 * A glob that begins with plain text is a range of names: the page starts at that text and ends the list behind it, so
 * that `ci-*` costs what matches and not what there is.
 *
 * SPDX-License-Identifier: MIT */
#include "api/list.h"

#include "base/json.h"

#include <string.h>

enum { LIMIT_DEFAULT = 100 };
_Static_assert(STEP_OBJECTS_MAX == 256 && LIMIT_DEFAULT == 100, "the table below says so in words");

/* clang-format off */
const struct param params_list[] = {
/*   name      type        into                                  needed least most              fallback choices doc */
    {"limit",  PARAM_INT,  PARAM_AT(struct list_args, limit),    false, 1, STEP_OBJECTS_MAX,    "100", NULL, "items on a page, at most"},
    {"cursor", PARAM_TEXT, PARAM_AT(struct list_args, cursor),   false, 1, NAME_MAX_LEN,        NULL,  NULL, "next_cursor of the page before"},
    {"name",   PARAM_TEXT, PARAM_AT(struct list_args, name),     false, 1, NAME_MAX_LEN,        NULL,  NULL, "only names that match: * is any text, ? any one byte"},
    {0},
};
/* clang-format on */

bool
glob_match(const char *glob, const char *name)
{
    const char *star = NULL, *star_name = NULL;

    while (*name) {
        if (*glob == '*') {
            star = glob++;
            star_name = name;
        } else if (*glob == '?' || *glob == *name) {
            glob++;
            name++;
        } else if (star) { /* let the last star take one byte more */
            glob = star + 1;
            name = ++star_name;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return !*glob;
}

static size_t
literal_len(const char *glob)
{
    return strcspn(glob, "*?");
}

void
list_start(struct listing *l)
{
    size_t len = l->args.name ? literal_len(l->args.name) : 0;

    l->after[0] = '\0';
    if (len > 0) {
        /* '\x7f' is above every byte of a name: "cn" and it stand above all that begins with "cn", and just
         * below the first that begins with "co" */
        memcpy(l->after, l->args.name, len);
        l->after[len - 1]--;
        l->after[len] = '\x7f';
        l->after[len + 1] = '\0';
    }
    if (l->args.cursor && strcmp(l->args.cursor, l->after) > 0)
        strcpy(l->after, l->args.cursor);
}

void *
list_rows(struct request *req, size_t row_size)
{
    struct listing *l = request_room(req);

    if (request_args(req, &l->args))
        return NULL;
    if (l->args.cursor && name_check(l->args.cursor, strlen(l->args.cursor), &(struct fault){0})) {
        fault_set(request_fault(req), WHY_INVALID, "cursor: is none that a page has given");
        return NULL;
    }
    l->cap = l->args.name ? STEP_OBJECTS_MAX : (size_t)l->args.limit;
    list_start(l);
    return api_keep(req, l->cap * row_size, NULL);
}

enum why
list_reply(struct request *req, struct reply *reply, size_t row_size,
           void (*shape)(struct bytes *b, const void *row))
{
    const struct listing *l = request_room(req);
    const char *glob = l->args.name, *row = l->asking.heap, *last = NULL;
    size_t prefix = glob ? literal_len(glob) : 0, i;
    int64_t shown = 0;
    bool past = false;

    if (l->asking.ask.outcome.why)
        return api_refuse(req, "list");

    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_open_in(b, "items", '[');
    for (i = 0; i < l->n && shown < l->args.limit; i++, row += row_size) {
        if (glob && (past = strncmp(row, glob, prefix) != 0))
            break;
        last = row;
        if (glob && !glob_match(glob, row))
            continue;
        shape(b, row);
        shown++;
    }
    json_close(b, ']');
    json_text(b, "next_cursor", !past && last && (i < l->n || l->n == l->cap) ? last : NULL);
    json_close(b, '}');
    reply_sequence(reply, l->asking.ask.outcome.seq);
    return WHY_OK;
}
