/* kinds.c - the table of kinds, and the reading of their arguments.
 *
 * Arguments are read twice, by the same call from the same bytes: when a task is submitted, so that a wrong one never gets in,
 * and when it runs, for only the JSON is kept.
 *
 * SPDX-License-Identifier: MIT */
#include "work/kinds.h"

#include <string.h>

#include "base/json.h"
#include "work/command.h"

static const struct kind *const kinds[] = {
    &kind_command, /* stays the first: see first_kind */
#if defined(HAVE_CURL) && defined(HAVE_NETTLE)
    &kind_download,
#endif
    &kind_sleep,
    &kind_square,
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* A server that was given no commands has no kind for them. */
static size_t
first_kind(void)
{
    return commands_any() ? 0 : 1;
}

const struct kind *
kind_find(const char *name)
{
    for (size_t i = first_kind(); i < KINDS; i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

const struct kind *const *
kinds_all(size_t *ret_n)
{
    *ret_n = KINDS - first_kind();
    return kinds + first_kind();
}

const struct arg *
kind_arg(const struct kind *k, const char *name)
{
    for (const struct arg *a = k->args; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

void
kind_arg_names(const struct kind *k, struct bytes *b)
{
    for (const struct arg *a = k->args; a->name; a++) {
        bytes_adds(b, a == k->args ? "" : ", ");
        bytes_adds(b, a->name);
    }
}

static enum why
unknown(const struct kind *k, const char *name, struct fault *f)
{
    AUTO_BYTES known = {0};

    kind_arg_names(k, &known);
    return fault_set(f, WHY_INVALID, "%.60s: %s takes no such argument; it takes: %s", name,
                     k->name, bytes_text(&known));
}

/* What is given, each into its field; the bits of the rows it was are set in @*ret_seen. */
static enum why
read_given(const struct kind *k, struct json_walk *members, char *args, uint64_t *ret_seen,
           struct fault *f)
{
    const char *name;
    struct given value;

    while (json_next(members, &name, &value)) {
        const struct arg *a = kind_arg(k, name);

        if (!a)
            return unknown(k, name, f);
        if (given_null(&value) && a->type != ARG_JSON)
            continue;
        *ret_seen |= UINT64_C(1) << (a - k->args);
        if (arg_read(a, &value, args + a->offset, f))
            return f->why;
    }
    return WHY_OK;
}

/* What is not given: its default. */
static enum why
read_others(const struct kind *k, uint64_t seen, char *args, struct fault *f)
{
    for (const struct arg *a = k->args; a->name; a++) {
        if (seen & UINT64_C(1) << (a - k->args))
            continue;
        if (a->required)
            return fault_set(f, WHY_INVALID, "%s: %s needs it: %s", a->name, k->name, a->doc);
        if (a->fallback && arg_read(a, &(struct given){.text = a->fallback}, args + a->offset, f))
            return f->why;
    }
    return WHY_OK;
}

struct cJSON *
kind_args(const struct kind *k, const char *text, size_t len, void *args, struct fault *f)
{
    struct cJSON *tree = json_parse(text, len, f);
    struct json_walk members;
    uint64_t seen = 0;

    memset(args, 0, k->args_size);
    if (!tree)
        return NULL;
    if (!json_members(&members, tree, text, len))
        fault_set(f, WHY_INVALID, "args: must be an object");
    else if (!read_given(k, &members, args, &seen, f) && !read_others(k, seen, args, f))
        return tree;
    json_free(tree);
    return NULL;
}
