/* process_command.c - one block with everything a child is started from; see process_command.h.
 *
 * The child of a threaded program may not allocate, so the list of paths its program may be at is made here, before.
 * The block is laid out twice by the same code: once to measure it, once to fill it.
 *
 * SPDX-License-Identifier: MIT */
#include "process_command.h"

#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 1 << 20 };

static const char *const default_env[] = {BOB_PROCESS_ENV, NULL};

struct block {
    char *base; /* NULL: only measured */
    size_t len;
};

/* Room for @len bytes; NULL while it is measured. */
static void *
room(struct block *b, size_t len, size_t align)
{
    size_t at = (b->len + align - 1) / align * align;

    b->len = at + len;
    return b->base ? b->base + at : NULL;
}

static void *
put(struct block *b, const void *from, size_t len)
{
    void *to = room(b, len, 1);

    if (to && len > 0)
        memcpy(to, from, len);
    return to;
}

static char *
put_text(struct block *b, const char *text)
{
    return put(b, text, strlen(text) + 1);
}

static const char *const *
put_texts(struct block *b, const char *const *texts)
{
    size_t n = 0, most = 0;
    const char **list;

    while (texts[most])
        most++;
    list = room(b, (most + 1) * sizeof *list, _Alignof(char *));
    for (; *texts; texts++) {
        char *text = put_text(b, *texts);

        if (list)
            list[n++] = text;
    }
    if (list)
        list[n] = NULL;
    return list;
}

static const char *
path_of(const char *const *env)
{
    for (; *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            return *env + 5;
    return path_of(default_env);
}

/* A name with a slash is the path itself; another is looked for in each folder of @path, empty ones left out. */
static const char *const *
put_programs(struct block *b, const char *name, const char *path)
{
    size_t most = 2, n = 0;
    const char **list;

    for (const char *c = path; *c; c++)
        most += *c == ':';
    list = room(b, (most + 1) * sizeof *list, _Alignof(char *));
    if (strchr(name, '/')) {
        char *text = put_text(b, name);

        if (list)
            list[n++] = text;
        path = "";
    }
    while (*path) {
        size_t len = strcspn(path, ":");

        if (len > 0) {
            char *text = put(b, path, len);

            (void)put(b, "/", 1);
            (void)put_text(b, name);
            if (list)
                list[n++] = text;
        }
        path += len + (path[len] == ':');
    }
    if (list)
        list[n] = NULL;
    return list;
}

static struct bob_program *
lay_out(struct block *b, const struct bob_command *command)
{
    const char *const *env = command->env ? command->env : default_env;
    struct bob_program *p = room(b, sizeof *p, _Alignof(struct bob_program));
    struct bob_command copy = *command;
    const char *const *programs = put_programs(b, command->argv[0], path_of(env));

    copy.argv = put_texts(b, command->argv);
    copy.env = put_texts(b, env);
    copy.cwd = command->cwd ? put_text(b, command->cwd) : NULL;
    copy.writable = command->writable ? put_texts(b, command->writable) : NULL;
    copy.input = put(b, command->input, command->input_len);
    if (copy.output_max == 0)
        copy.output_max = OUTPUT_MAX;
    if (p)
        *p = (struct bob_program){copy, programs};
    return p;
}

enum bob_err
bob_program_new_(const struct bob_command *command, struct bob_program **ret_program)
{
    struct block b = {0};

    if (!command->argv || !command->argv[0] || !*command->argv[0] || command->timeout_ms < 0 ||
        command->grace_ms < 0 || (!command->input && command->input_len > 0))
        return BOB_ERR_INVALID;
    (void)lay_out(&b, command);
    b.base = malloc(b.len);
    if (!b.base)
        return BOB_ERR_NO_MEMORY;
    b.len = 0;
    *ret_program = lay_out(&b, command);
    return BOB_OK;
}
