/* fuzz_coord.c - recovery from a store that somebody has damaged: a fault, or a state that works; never a crash.
 *
 * The input is a list of rows: a byte for the kind, a byte for the name, a byte for the record's length, and the record's fields.
 * What is loaded is started, looked at in every way, left alone for a while, and freed.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "coord/hold.h"
#include "coord/task.h"
#include "store/record.h"
#include "unit/fake_journal.h"

/* ---- hands that hold nothing ---- */

static moment the_time;

static void
run(void *arg, struct claim *claim)
{
    struct coord *c = *(struct coord **)arg;
    struct task_end end = {.state = TASK_FAILED, .code = "fuzz", .message = "", .retry = true};

    promise(strlen(claim->executor) <= NAME_MAX_LEN && claim->args && claim->max_workers >= 1);
    task_progress(c, claim->number, claim->attempt, 1, 2, "bytes", "half", "fuzz");
    task_finish(c, the_time, claim->number, claim->attempt, &end);
    claim_free(claim);
}

static void
cancel(void *arg, uint64_t number)
{
    (void)arg;
    promise(number > 0);
}

/* ---- rows ---- */

static const char *const KINDS[] = {"hold", "semaphore", "counter", "executor",
                                    "task", "lock",      "x"};
enum { N_KINDS = 7, NAME_MOST = 255, RECORD_MOST = 512, FIRST_SEQ = 1000 };

/* Numbers are tokens and ids that fit; a few are far too long, as a damaged row may be. */
static void
name_of(char ret[NAME_MOST + 1], unsigned kind, unsigned n)
{
    if (n >= 250) {
        memset(ret, 'a', n);
        ret[n] = '\0';
    } else if (kind == 0) {
        (void)snprintf(ret, NAME_MOST, "%u", n);
    } else if (kind == 4) {
        (void)snprintf(ret, NAME_MOST, "t%u", n);
    } else {
        (void)snprintf(ret, NAME_MOST, "%c", 'a' + (int)n);
    }
}

static bool
load_all(struct coord *c, const uint8_t *at, const uint8_t *end)
{
    static char record[RECORD_MOST], name[NAME_MOST + 1];
    bool seen[N_KINDS][NAME_MOST + 1] = {0};

    for (uint64_t seq = FIRST_SEQ; end - at >= 3; seq++) {
        struct fault f = {0};
        unsigned kind = at[0] % N_KINDS;
        unsigned n = kind == 0 || kind == 4 || at[1] >= 250 ? at[1] : at[1] % 4u;
        size_t len = at[2];

        name_of(name, kind, n);
        at += 3;
        len = len < (size_t)(end - at) ? len : (size_t)(end - at);
        record[0] = 1; /* the version that record.c writes */
        memcpy(record + 1, at, len);
        at += len;
        if (seen[kind][n]) /* the store has no name of a kind twice */
            continue;
        seen[kind][n] = true;
        if (coord_load(c, KINDS[kind], name, seq, record, len + 1, &f)) {
            promise(f.why != WHY_OK && f.detail[0]);
            return false;
        }
    }
    return true;
}

/* ---- what clients do ---- */

static void
told(struct ask *a)
{
    (void)a;
}

static void
look_at_holds(struct coord *c, moment now)
{
    static struct hold_view view;
    static struct hold_row rows[64];
    struct want want = {.permits = 1, .ttl_ns = TTL_LEAST, .owner = "fuzz"};
    size_t n;

    for (int kind = HOLD_LOCK; kind <= HOLD_SEMAPHORE; kind++) {
        struct ask a = {.tell = told};

        (void)hold_list(c, now, (enum hold_kind)kind, "", rows, 64, &n, &a);
        for (size_t i = 0; i < n; i++) {
            promise(rows[i].free >= 0);
            (void)hold_show(c, now, (enum hold_kind)kind, rows[i].name, &view, &a);
            (void)hold_acquire(c, now, (enum hold_kind)kind, rows[i].name, &want, &a);
            if (view.holders_shown > 0)
                (void)hold_release(c, now, (enum hold_kind)kind, rows[i].name, view.holder[0].token,
                                   &a);
        }
    }
}

static void
look_at_tasks(struct coord *c, moment now)
{
    static struct executor_view executors[8];
    static struct task_view tasks[64], whole;
    static struct counter_row counters[8];
    struct task_filter all = {.state = -1, .executor = ""};
    struct submission more = {.kind = "sleep", .args = "{}"};
    struct ask a = {.tell = told};
    uint64_t next;
    size_t n;

    (void)counter_list(c, "", counters, 8, &n, &a);
    for (size_t i = 0; i < n; i++)
        (void)counter_add(c, now, counters[i].name, 1, &a);
    (void)executor_list(c, now, "", executors, 8, &n, &a);
    for (size_t i = 0; i < n; i++)
        (void)task_submit(c, now, executors[i].name, &more, &a);
    (void)task_list(c, now, &all, tasks, 64, &n, &next, &a);
    for (size_t i = 0; i < n; i++) {
        (void)task_wait(c, now, tasks[i].number, 0, &whole, &a);
        task_view_free(&whole);
        (void)task_cancel(c, now, tasks[i].number, &a);
    }
}

FUZZ(coord)
{
    static const struct coord_options options = {
        .max_waiters = 10,
        .max_waiters_per_object = 10,
        .max_objects = 100,
        .max_tasks = 100,
        .max_task_memory = 1 << 20,
        .task_threads = 2,
        .result_ttl_ns = 60 * NS_PER_SECOND,
    };
    struct journal journal;
    struct fault f = {0};
    struct coord *c = NULL;
    struct hands hands = {.run = run, .cancel = cancel, .arg = &c};

    the_time = 1000 * NS_PER_SECOND;
    if (size > 4096 || coord_new(&c, &options, &f))
        return 0;
    fake_journal_init(&journal, FIRST_SEQ + 4096);
    journal.relaxed = true; /* all is durable at once */
    coord_set_hands(c, &hands);
    if (load_all(c, data, data + size) && !state_start(c, &journal, the_time, &f)) {
        look_at_holds(c, the_time);
        look_at_tasks(c, the_time);
        for (int i = 0; i < 4; i++) {
            the_time += NS_PER_SECOND << (4 * i);
            (void)deadline_serve(c, the_time);
        }
        look_at_tasks(c, the_time);
        coord_drain(c);
    }
    coord_free(c);
    for (size_t i = 0; i < journal.changes; i++)
        promise(!journal.change[i].record ||
                record_sound(journal.change[i].record, journal.change[i].len));
    fake_journal_fini(&journal);
    return 0;
}
