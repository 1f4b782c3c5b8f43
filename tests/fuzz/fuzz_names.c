/* fuzz_names.c - texts that name things: a task's id, a name of the URL, a glob over names.
 *
 * The input: a text, and behind its first newline another.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "api/list.h"
#include "coord/queue.h"

/* What api/list.c says it does, as slowly as it can be said: which prefixes of @name the glob so far can match. */
static bool
matches(const char *glob, const char *name)
{
    size_t len = strlen(name);
    bool can[256] = {true};

    for (; *glob; glob++) {
        bool before = *glob == '*' && can[0], was = can[0];

        can[0] = before;
        for (size_t i = 1; i <= len; i++) {
            bool here = can[i];

            if (*glob == '*')
                can[i] = here || can[i - 1];
            else
                can[i] = was && (*glob == '?' || *glob == name[i - 1]);
            was = here;
        }
    }
    return can[len];
}

FUZZ(names)
{
    static struct listing listing;
    char text[256], other[256] = "", id[TASK_ID_LEN];
    struct fault f = {0};

    if (size >= sizeof text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    char *second = strchr(text, '\n');
    if (second) {
        *second++ = '\0';
        memcpy(other, second, strlen(second) + 1);
    }

    uint64_t number = task_number(text);
    promise(number <= WHOLE_MAX);
    if (number) { /* one text for each number */
        task_id(id, number);
        promise(strcmp(id, text) == 0);
    }
    bool good = !name_check(text, strlen(text), &f);
    promise(good ? text[0] && strlen(text) <= NAME_MAX_LEN && !strpbrk(text, "/ %\\\"<>")
                 : f.detail[0] != '\0');

    bool match = glob_match(text, other);
    promise(match == matches(text, other));
    if (text[0] && strlen(text) <= NAME_MAX_LEN &&
        !name_check(other, strlen(other), &(struct fault){0})) {
        listing.args.name = text;
        listing.args.cursor = NULL;
        list_start(&listing);
        promise(!match ||
                strcmp(other, listing.after) > 0); /* no name that matches is before the page */
    }
    return 0;
}
