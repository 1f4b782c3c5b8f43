/* processes.c - work that may crash or run away, each in a process of its own, never more than two at once.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/process.h>
#include <stdio.h>
#include <string.h>

static const struct bob_command commands[] = {
    {.argv = (const char *const[]){"sort", "-n", NULL}, .input = "30\n1\n2\n", .input_len = 7},
    {.argv = (const char *const[]){"sh", "-c", "echo oops >&2; exit 3", NULL}},
    {.argv = (const char *const[]){"sh", "-c", "kill -s SEGV $$", NULL}},
    {.argv = (const char *const[]){"sleep", "600", NULL}, .timeout_ms = 50},
    {.argv = (const char *const[]){"/no/such/program", NULL}},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* The first line of what it wrote. */
static void
show_output(const char *name, const struct bob_process_output *output)
{
    if (output->len)
        printf(" %s: \"%.*s\"", name, (int)strcspn(output->bytes, "\n"), output->bytes);
}

static void
show(const char *program, struct bob_process *p)
{
    enum bob_err err = bob_future_result(bob_process_future(p), bob_in_seconds(60), NULL);
    const struct bob_process_result *r = bob_process_result(p);

    printf("%s:", program);
    if (err)
        printf(" could not be run: %s", bob_strerror(err));
    else if (r->timed_out)
        printf(" ran out of time");
    else if (r->signal)
        printf(" crashed: signal %d", r->signal);
    else
        printf(" exit status %d", r->exit_status);
    if (!err) {
        show_output("out", &r->out);
        show_output("err", &r->err);
    }
    printf("\n");
}

int
main(void)
{
    struct bob_process_pool_options options = {.max_children = 2};
    struct bob_process_pool *pool = bob_process_pool_new("child", &options);
    struct bob_process *processes[COMMANDS];

    if (!pool)
        return 1;
    for (int i = 0; i < COMMANDS; i++)
        if (bob_process_pool_submit(pool, &commands[i], &processes[i]))
            return 1;
    for (int i = 0; i < COMMANDS; i++) {
        show(commands[i].argv[0], processes[i]);
        bob_process_free(processes[i]);
    }
    bob_process_pool_free(pool);
    return 0;
}
