/* ops.c - the server itself: is it there, can it serve, what does it count, which threads does it
 * have, how is it set.
 *
 * All of them are answered where they were read, from memory and /proc: they must work when nothing
 * else does.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"

#include <bobbin/thread.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/metrics.h"
#include "base/process.h"
#include "coord/queue.h"

enum { BACKLOG_MS_MAX = 10000 };

enum why
api_livez(struct request *req, struct reply *reply)
{
    (void)req;
    bytes_add(reply_body(reply, 200, "text/plain"), "ok\n", 3);
    return WHY_OK;
}

const char *
app_not_ready(struct app *app)
{
    struct journal_health health;

    if (app->draining)
        return "the server is stopping";
    journal_health(app->journal, &health);
    if (health.full)
        return "the disk is full: nothing can be written until there is room";
    if (health.locked)
        return "another program has the store locked: nothing can be written until it lets go";
    if (health.oldest_ms > BACKLOG_MS_MAX)
        return "the disk is too slow: changes have waited for it for more than 10 s";
    return NULL;
}

enum why
api_readyz(struct request *req, struct reply *reply)
{
    const char *why = app_not_ready(app_of(req));

    if (!why) {
        bytes_add(reply_body(reply, 200, "text/plain"), "ready\n", 6);
        return WHY_OK;
    }
    return fault_set(request_fault(req), WHY_NOT_READY, "%s", why);
}

enum why
api_metrics_show(struct request *req, struct reply *reply)
{
    (void)req;
    metrics_text(reply_body(reply, 200, "text/plain; version=0.0.4; charset=utf-8"));
    return WHY_OK;
}

enum why
api_config_show(struct request *req, struct reply *reply)
{
    struct bytes *b = reply_json(reply, 200);

    json_open(b, '{');
    json_text(b, "version", PACKAGE_VERSION);
    config_json(b, "items", app_of(req)->config);
    json_null(b, "next_cursor");
    json_close(b, '}');
    return WHY_OK;
}

/* ---- threads ---- */

struct threads {
    struct process_thread *kernel; /* every thread of the process */
    struct bob_thread_info *known; /* those with a name and a role of ours, by native id */
    size_t kernel_n, known_n;
};

static void
threads_free(struct threads *t)
{
    free(t->kernel);
    free(t->known);
}

static int
compare_native_id(const void *a, const void *b)
{
    const struct bob_thread_info *left = a, *right = b;

    return (left->native_id > right->native_id) - (left->native_id < right->native_id);
}

/* Threads that start meanwhile have some room; more of them are not shown this time. */
static bool
threads_look(struct threads *t)
{
    size_t cap = bob_thread_active_count() + 64;

    t->known = calloc(cap, sizeof *t->known);
    t->kernel = calloc(2 * cap, sizeof *t->kernel);
    if (!t->known || !t->kernel)
        return false;
    t->known_n = bob_thread_enumerate(t->known, cap);
    if (t->known_n > cap)
        t->known_n = cap;
    t->kernel_n = process_threads(t->kernel, 2 * cap);
    if (t->kernel_n > 2 * cap)
        t->kernel_n = 2 * cap;
    qsort(t->known, t->known_n, sizeof *t->known, compare_native_id);
    return true;
}

static const char *
kernel_word(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'S':
    case 'I':
        return "sleeping";
    case 'D':
        return "blocked";
    case 'T':
    case 't':
        return "stopped";
    default:
        return "ending";
    }
}

/* "t17" when that is the first word of @note, as hands note it. */
static void
json_task(struct bytes *b, const char *note)
{
    char id[TASK_ID_LEN];
    size_t len = strcspn(note, " ");

    if (len < sizeof id) {
        memcpy(id, note, len);
        id[len] = '\0';
        if (task_number(id)) {
            json_text(b, "task", id);
            return;
        }
    }
    json_null(b, "task");
}

static void
json_thread(struct bytes *b, const struct process_thread *t, const struct bob_thread_info *known)
{
    const char *note = known ? known->note : "";
    bool busy = *note || t->state == 'R' || t->state == 'D';
    int64_t since_ms = t->started_wall_ms;

    if (known)
        since_ms = clock_wall_ms() - (bob_now() - known->note_since) / NS_PER_MS;
    json_open(b, '{');
    json_text(b, "name", known ? known->name : t->name);
    json_int(b, "native_id", t->native_id);
    json_text(b, "role", known ? known->role : "");
    json_text(b, "state", busy ? "running" : "idle");
    json_text(b, "kernel_state", kernel_word(t->state));
    json_text(b, "doing", *note ? note : NULL);
    json_task(b, note);
    json_seconds(b, "cpu_seconds", t->cpu_ns);
    json_moment(b, "since", since_ms);
    json_close(b, '}');
}

enum why
api_threads_list(struct request *req, struct reply *reply)
{
    BOB_CLEANUP(threads_free) struct threads t = {0};

    if (!threads_look(&t))
        return fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the list of threads");
    struct bytes *b = reply_json(reply, 200);

    json_open(b, '{');
    json_open_in(b, "items", '[');
    for (size_t i = 0; i < t.kernel_n; i++) {
        const struct bob_thread_info key = {.native_id = t.kernel[i].native_id};

        json_thread(b, &t.kernel[i],
                    bsearch(&key, t.known, t.known_n, sizeof key, compare_native_id));
    }
    json_close(b, ']');
    json_null(b, "next_cursor");
    json_close(b, '}');
    return WHY_OK;
}
