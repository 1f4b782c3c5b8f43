/* work.h - the hands of executors, and the kinds of task they know.
 *
 * A kind is one file and one row: its name, the table of its arguments, and run().  Arguments are checked when the task is
 * submitted, and read again, from the same table, when it runs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_WORK_H
#define BOBBIND_WORK_H

#include "base/bytes.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/given.h"
#include "coord/queue.h"

#include <bobbin/event.h>
#include <stdbool.h>
#include <stdint.h>

struct cJSON;

/* ---- kinds ---- */

enum arg_type {
    ARG_TEXT,
    ARG_INT,
    ARG_NUMBER,
    ARG_DURATION,
    ARG_BYTES,
    ARG_BOOL,
    ARG_URL,
    ARG_JSON
};
struct arg {
    const char *name;
    enum arg_type type;
    /* Into the kind's struct of arguments, by type: const char *, int64_t, double, int64_t of nanoseconds, int64_t, bool,
     * const char *, struct json_slice (any value, as it was sent; a null is one too, to the others it is "not given").  What each
     * takes is the table of base/given.h. */
    unsigned short offset;
    bool required;
    double least, most;   /* of the number, of the bytes of a text, in seconds of a duration */
    const char *fallback; /* as a client would write it */
    const char *doc;
    /* Of texts, may be NULL: says what is wrong with one; NULL: nothing. */
    const char *(*wrong)(const char *text);
};

/* One run of one task, or of a request of /v1/run. */
struct run {
    const struct kind *kind;
    void *args;         /* the kind's struct */
    uint64_t number;    /* of the task; 0: a request's own */
    const char *folder; /* where files may be written; NULL: nowhere */
    const struct config *config;
    struct bob_event *stop; /* set: end soon (cancelled, timed out, draining) */
    int64_t until;          /* bob_time: must be over by then; BOB_FOREVER */
    struct bytes result;    /* JSON, when run returned true */
    char code[CODE_MAX_LEN + 1], message[MESSAGE_MAX_LEN + 1]; /* when it returned false */
    bool cut_short; /* it failed because it had to end: by run_cut_short */
    bool retry;     /* another attempt may help */
    /* That one shall not begin sooner.  run_fail makes it 0, for a kind to set after it. */
    int64_t retry_after_ns;
    /* Progress, as often as it likes. */
    void (*tell)(struct run *run, int64_t done, int64_t total, const char *unit);
    void *teller;
    /* Calls wake(arg) once stop is set, at once if it is, and until it is given NULL: for a kind that waits where stop does
     * not reach it.  wake is called under a lock: it only wakes.  May be NULL: nobody stops this run. */
    void (*on_stop)(struct run *run, void (*wake)(void *arg), void *arg);
};
/* Says why a run failed and returns false: `return run_fail(run, false, "http_404", "…")`. */
bool run_fail(struct run *run, bool retry, const char *code, const char *fmt, ...) BOB_PRINTF(4, 5);
bool run_stopping(const struct run *run); /* stop is set, or until has passed */
/* Says that it ended early because it had to, "timeout" or "stopped", and returns false. */
bool run_cut_short(struct run *run);

struct kind {
    const char *name;
    const char *doc;
    const struct arg *args; /* ends with a row without a name */
    size_t args_size;
    bool by_request; /* POST /v1/run/{kind} may run it */
    bool (*run)(struct run *run);
};
const struct kind *kind_find(const char *name); /* NULL: unknown */
const struct kind *const *kinds_all(size_t *ret_n);

/* Reads @text, a JSON object, into @args (args_size bytes), whose texts are in what is returned and whose JSON is in @text:
 * json_free it when the run is over.  NULL with @f set: WHY_INVALID names the argument, and for an unknown one the ones that
 * exist; WHY_NO_MEMORY. */
struct cJSON *kind_args(const struct kind *k, const char *text, size_t len, void *args,
                        struct fault *f);
/* Adds the value of @a to an object for kind_args: JSON as the bytes it is, what came by query or form as what the type of @a
 * makes of it: 5 for n=5; for ARG_JSON what is JSON, else a text.  WHY_INVALID: it begins like JSON, and is none; WHY_NO_MEMORY. */
enum why arg_add(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f);
const struct arg *kind_arg(const struct kind *k,
                           const char *name);               /* NULL: it takes none of this name */
void kind_arg_names(const struct kind *k, struct bytes *b); /* adds them: "url, sha256" */

/* ---- hands ---- */

struct work;
/* Becomes the hands of @coord, which is not started yet; makes the folder for files and removes what a crash left half written.
 * One at a time in a process. */
enum why work_start(struct work **ret, const struct config *c, struct coord *coord,
                    struct fault *f);
/* Once a second, at @now (a bob_time): ends the threads of executors that are gone, or have had no tasks for a minute, and those
 * above --task-threads that have nothing to do. */
void work_tick(struct work *w, int64_t now);
/* Takes nothing new; waits until what runs is over, at most until @deadline; then tells it to stop and puts it back to ready.
 * coord_drain comes before. */
void work_drain(struct work *w, int64_t deadline);
void work_stop(
    struct work
        *w); /* joins every hand; a claim that comes later goes back to ready.  NULL is allowed */

#endif
