/* command.c - the kind command: a program of --command, in a process of its own; see command.h.
 *
 * The hand that has the task runs the program and waits for it, so the program dies with the server, also by kill -9; its
 * children do not then, the next start ends them (orphans.h).  What the task gives it is JSON on its standard input, never an
 * argument: a stranger cannot say an option.
 *
 * SPDX-License-Identifier: MIT */
#include "work/command.h"

#include <assert.h>
#include <bobbin/process.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "work/kinds.h"
#include "work/scratch.h"

enum { COMMANDS_MAX = 256, WRITABLE_MAX = 64, LANDLOCK_WHOLE = 3 };
enum { OUTPUT_MAX = 64 * 1024, OUTPUT_SAFE = 16 * 1024, GRACE_MS = 2000 };
_Static_assert(2 * 6 * OUTPUT_SAFE + 1024 < RESULT_MAX, "even if each byte is escaped");

/* One --command; its texts lie behind it. */
struct allowed {
    const char *name;
    const char *argv[];
};

static struct {
    struct allowed *at[COMMANDS_MAX];
    int len;
    struct bytes one_of; /* what is said of a name that is none of theirs */
    bool confined;       /* to its folder and those of --command-write */
} commands;              /* constant while there are tasks */

bool
commands_any(void)
{
    return commands.len > 0;
}

static const struct allowed *
allowed_find(const char *name)
{
    for (int i = 0; i < commands.len; i++) {
        if (strcmp(commands.at[i]->name, name) == 0)
            return commands.at[i];
    }
    return NULL;
}

/* ---- --command ---- */

/* NULL with @f set. */
static struct allowed *
allowed_new(const char *text, struct fault *f)
{
    size_t len = strlen(text),
           name_len =
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    size_t most = 2, n = 0;
    struct allowed *a;
    char *copy, *rest = NULL;

    if (name_len == 0 || text[name_len] != '=' || text[name_len + 1] != '/') {
        fault_set(f, WHY_INVALID,
                  "command: \"%.80s\" is not NAME=/PROGRAM, with arguments after spaces", text);
        return NULL;
    }
    for (const char *c = text; *c; c++)
        most += *c == ' ';
    a = malloc(sizeof *a + most * sizeof *a->argv + len + 1);
    if (!a) {
        fault_set(f, WHY_NO_MEMORY, "no memory for the commands");
        return NULL;
    }
    copy = (char *)(a->argv + most);
    memcpy(copy, text, len + 1);
    copy[name_len] = '\0';
    a->name = copy;
    for (char *word = strtok_r(copy + name_len + 1, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        a->argv[n++] = word;
    a->argv[n] = NULL;
    return a;
}

/* No reason not to start: it may be on a disk that comes later.  But who wrote it wrong should not hear of it by its first task. */
static void
warn_missing(const struct allowed *a)
{
    char program[600];

    assert(a->argv[0]); /* it begins with a slash */
    if (access(a->argv[0], X_OK) != 0)
        log_line(LOG_LEVEL_WARNING, "command_missing", "name=%s program=%s why=\"%s\"", a->name,
                 log_quote(program, sizeof program, a->argv[0]), strerrordesc_np(errno));
}

static enum why
writable_check(const struct texts *folders, struct fault *f)
{
    char quoted[600];

    if (folders->len > WRITABLE_MAX)
        return fault_set(f, WHY_INVALID, "command-write: more than %d", WRITABLE_MAX);
    for (int i = 0; i < folders->len; i++) {
        if (folders->at[i][0] != '/')
            return fault_set(f, WHY_INVALID, "command-write: \"%.80s\" is no absolute path",
                             folders->at[i]);
        if (access(folders->at[i], F_OK) != 0)
            log_line(LOG_LEVEL_WARNING, "command_write_missing", "folder=%s why=\"%s\"",
                     log_quote(quoted, sizeof quoted, folders->at[i]), strerrordesc_np(errno));
    }
    return WHY_OK;
}

/* Where the kernel cannot, they run all the same, as they did before it could; but it is said. */
static void
confine(void)
{
    unsigned abi = bob_process_landlock_abi();

    commands.confined = abi > 0;
    if (abi < LANDLOCK_WHOLE)
        log_line(LOG_LEVEL_WARNING, "commands_not_confined", "landlock=%u why=\"%s\"", abi,
                 abi ? "before Linux 6.2, files outside their folders can be truncated"
                     : "no Landlock in this kernel, or a sandbox forbids it: they write where the "
                       "server may");
}

static void
forget_all(void)
{
    while (commands.len > 0)
        free(commands.at[--commands.len]);
    bytes_free(&commands.one_of);
}

enum why
commands_start(const struct config *c, struct fault *f)
{
    forget_all();
    if (c->command.len > COMMANDS_MAX)
        return fault_set(f, WHY_INVALID, "command: more than %d", COMMANDS_MAX);
    bytes_adds(&commands.one_of, "must be one of: ");
    for (int i = 0; i < c->command.len; i++) {
        struct allowed *a = allowed_new(c->command.at[i], f);

        if (!a)
            return f->why;
        bytes_addf(&commands.one_of, "%s%s", i ? ", " : "", a->name);
        if (allowed_find(a->name)) {
            fault_set(f, WHY_INVALID, "command: %.60s is given twice", a->name);
            free(a);
            return f->why;
        }
        commands.at[commands.len++] = a;
        warn_missing(a);
    }
    (void)bytes_text(&commands.one_of);
    if (commands.one_of.failed)
        return fault_set(f, WHY_NO_MEMORY, "no memory for the commands");
    if (commands.len == 0)
        return WHY_OK;
    if (writable_check(&c->command_write, f))
        return f->why;
    confine();
    return scratch_start(c->data, f);
}

/* ---- a run ---- */

struct command_args {
    const char *name;
    struct json_slice input;
};

static const char *
wrong_name(const char *text)
{
    /* Ended at the start: bytes_text would write, and several threads ask. */
    const char *one_of = commands.one_of.at ? commands.one_of.at : "there are none";

    return allowed_find(text) ? NULL : one_of;
}

/* What it was not content with, as a line: its standard error, and of a long one both ends.  The cause may stand in either: a
 * compiler says it first, a traceback last. */
static void
last_words(char *ret, size_t cap, const struct bob_process_output *err)
{
    static const char gap[] = " ... ";
    size_t len = err->len, head, tail;

    while (len > 0 && (err->bytes[len - 1] == '\n' || err->bytes[len - 1] == ' '))
        len--;
    if (len < cap) {
        memcpy(ret, err->bytes, len);
    } else {
        tail = (cap - sizeof gap) / 2;
        head = utf8_cut(err->bytes, tail);
        while (tail > 0 && ((unsigned char)err->bytes[len - tail] & 0xC0) == 0x80)
            tail--; /* the rest of a character */
        memcpy(ret, err->bytes, head);
        memcpy(ret + head, gap, sizeof gap - 1);
        memcpy(ret + head + sizeof gap - 1, err->bytes + len - tail, tail);
        len = head + sizeof gap - 1 + tail;
    }
    ret[len] = '\0';
    for (size_t i = 0; i < len; i++)
        ret[i] = ret[i] == '\n' || ret[i] == '\t' ? ' ' : ret[i];
    utf8_clean(ret, len);
}

static void
add_output(struct bytes *b, const char *key, const struct bob_process_output *o, size_t most)
{
    char flag[32];
    bool is_cut = o->truncated || o->len > most;

    json_textn(b, key, o->bytes,
               is_cut ? utf8_cut(o->bytes, o->len < most ? o->len : most) : o->len);
    (void)snprintf(flag, sizeof flag, "%s_truncated", key);
    json_bool(b, flag, is_cut);
}

static void
add_result(struct bytes *b, const struct bob_process_result *r, size_t most)
{
    json_open(b, '{');
    json_int(b, "exit_status", r->exit_status);
    add_output(b, "stdout", &r->out, most);
    add_output(b, "stderr", &r->err, most);
    json_seconds(b, "seconds", r->wall_ns);
    json_seconds(b, "cpu_seconds", r->cpu_ns);
    if (r->max_rss_bytes)
        json_uint(b, "max_rss_bytes", r->max_rss_bytes);
    else
        json_null(b, "max_rss_bytes");
    json_close(b, '}');
}

/* Its end, as the task's. */
static bool
conclude(struct run *run, const struct bob_process_result *r)
{
    char words[MESSAGE_MAX_LEN - 40];

    last_words(words, sizeof words, &r->err);
    if (r->killed || r->timed_out)
        return run_cut_short(run);
    if (r->signal)
        return run_fail(run, true, "command_killed", "ended by signal %d (SIG%s)%s%s", r->signal,
                        sigabbrev_np(r->signal) ? sigabbrev_np(r->signal) : "?", *words ? ": " : "",
                        words);
    if (r->exit_status != 0)
        return run_fail(run, true, "command_failed", "exit status %d%s%s", r->exit_status,
                        *words ? ": " : "", words);
    add_result(&run->result, r, OUTPUT_MAX);
    if (run->result.len > RESULT_MAX) { /* much of it had to be escaped */
        bytes_clear(&run->result);
        add_result(&run->result, r, OUTPUT_SAFE);
    }
    return true;
}

static void
kill_it(void *process)
{
    bob_process_kill(process);
}

static bool
run_it(struct run *run, const struct bob_command *command)
{
    struct bob_process *p = NULL;
    enum bob_err err = bob_process_new(command, &p);
    bool good;

    if (err)
        return run_fail(run, true, "out_of_memory", "no memory for the command");
    if (run->on_stop)
        run->on_stop(run, kill_it, p);
    err = bob_process_run(p, run->until);
    if (run->on_stop)
        run->on_stop(run, NULL, NULL);
    if (!err)
        good = conclude(run, bob_process_result(p));
    else if (err == BOB_ERR_TIMEOUT || err == BOB_ERR_CANCELLED)
        good = run_cut_short(run);
    else
        good =
            run_fail(run, true, err == BOB_ERR_NO_MEMORY ? "out_of_memory" : "command_not_started",
                     "%s", bob_process_message(p));
    bob_process_free(p);
    return good;
}

/* In a folder of its own, which goes with it. */
static bool
run_in_scratch(struct run *run, const char *const *argv, struct json_slice input)
{
    char folder[PATH_MAX], here[PATH_MAX + 8], temp[PATH_MAX + 8], task[TASK_ID_LEN + 16],
        id[TASK_ID_LEN], why[96];
    const char *const env[] = {BOB_PROCESS_ENV, here, temp, task, NULL};
    const char *writable[1 + WRITABLE_MAX + 1] = {folder};
    const struct bob_command command = {
        .argv = argv,
        .env = env,
        .cwd = folder,
        .input = input.at,
        .input_len = input.len,
        .output_max = OUTPUT_MAX,
        .grace_ms = GRACE_MS,
        /* When memory is out, the task fails and not the server. */
        .limits = {.oom_score_adj = 1000,
                   .memory_bytes = (uint64_t)run->config->command_memory,
                   .file_bytes = (uint64_t)run->config->max_download},
        .writable = commands.confined ? writable : NULL};
    const struct texts *more = &run->config->command_write;
    bool good;

    if (!scratch_make(run->number, folder))
        return run_fail(run, true, "io_failed", "making its folder: %s",
                        strerror_r(errno, why, sizeof why));
    for (int i = 0; i < more->len; i++)
        writable[1 + i] = more->at[i];
    task_id(id, run->number);
    (void)snprintf(here, sizeof here, "HOME=%s", folder);
    (void)snprintf(temp, sizeof temp, "TMPDIR=%s", folder);
    (void)snprintf(task, sizeof task, "BOBBIN_TASK=%s", id);
    good = run_it(run, &command);
    if (!scratch_remove(run->number))
        log_line(LOG_LEVEL_WARNING, "scratch_left", "task=%s", id);
    return good;
}

static bool
run_command(struct run *run)
{
    const struct command_args *args = run->args;
    const struct allowed *a = allowed_find(args->name); /* it was when the arguments were read */

    return run_in_scratch(run, a->argv, args->input);
}

/* clang-format off */
const struct kind kind_command = {
    .name = "command",
    .doc = "runs a program that the server was given by --command, in a process and a folder of its own; "
           "its result is what it wrote, its times, and its peak of memory (null: not above the server's own)",
    .args_size = sizeof(struct command_args),
    .run = run_command,
    .args = (const struct arg[]){
        {.name = "name", .type = ARG_TEXT, .offset = offsetof(struct command_args, name), .required = true,
         .least = 1, .most = 200, .wrong = wrong_name, .doc = "which of them"},
        {.name = "input", .type = ARG_JSON, .offset = offsetof(struct command_args, input),
         .doc = "what it reads on its standard input: this JSON, byte for byte (default: nothing)"},
        {0},
    },
};
/* clang-format on */
