/* task_record.c - executors and tasks as records of the journal, and back when the server starts.
 *
 * Every change of a task appends all of it: a record stands alone.  It holds no moment of our clock, which starts anew with the
 * machine: a delay is kept as its length and as the wall clock's time it ends, and at most the whole of it is waited
 * again, whatever the wall clock shows by then.
 *
 * A task may be loaded before its executor, whose record may be younger; so tasks find their executors when all are there.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord/task.h"
#include "store/record.h"

/* ---- out ---- */

size_t
task_record_bound(const struct task *t)
{
    return 2048 + strlen(t->home->name) + t->args->len + (t->result ? t->result->len : 0) +
           (t->error ? t->error->len : 0);
}

void
home_changed(struct coord *c, struct home *h, uint64_t seq)
{
    if (!h->executor)
        return;
    h->executor->seen = seq;
    state_touch(c, &h->executor->object);
}

void
task_append(struct coord *c, struct task *t)
{
    struct record r;
    size_t len;

    record_start(&r, c->queues->record, RECORD_MAX);
    record_int(&r, 's', t->state);
    record_text(&r, 'x', t->home->name, strlen(t->home->name));
    record_text(&r, 'k', t->kind, strlen(t->kind));
    record_text(&r, 'a', t->args->text, t->args->len);
    record_int(&r, 'n', t->attempts);
    record_int(&r, 'l', t->failures);
    record_int(&r, 'i', t->interrupted);
    record_int(&r, 'p', t->priority);
    record_int(&r, 'd', t->delay_ns);
    record_int(&r, 't', t->timeout_ns);
    record_int(&r, 'c', t->created_ms);
    record_int(&r, 'r', t->run_at_ms);
    record_int(&r, 'b', t->started_ms);
    record_int(&r, 'f', t->finished_ms);
    record_int(&r, 'z', t->cancelling);
    record_int(&r, 'y', t->done);
    record_int(&r, 'w', t->total);
    record_text(&r, 'u', t->unit, strlen(t->unit));
    if (t->error)
        record_text(&r, 'e', t->error->text, t->error->len);
    if (t->result)
        record_text(&r, 'o', t->result->text, t->result->len);
    len = record_end(&r);
    assert(len > 0 && len <= task_record_bound(t));
    home_changed(c, t->home, state_append(c, &t->object, c->queues->record, len));
}

void
executor_append(struct coord *c, struct executor *x)
{
    struct record r;
    size_t len;

    record_start(&r, c->queues->record, RECORD_MAX);
    record_int(&r, 'b', (int64_t)x->birth);
    record_int(&r, 'w', x->terms.max_workers);
    record_int(&r, 'q', x->terms.max_queue);
    record_int(&r, 't', x->terms.timeout_ns);
    record_int(&r, 'n', x->terms.retries + 1); /* runs, when each of them fails */
    len = record_end(&r);
    assert(len > 0);
    x->seen = state_append(c, &x->object, c->queues->record, len);
}

/* ---- and back ---- */

static int
compare_homes(const struct home *a, const struct home *b)
{
    return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(homes, home, by_name, compare_homes, __attribute__((unused)) static)

static enum why
no_memory(struct fault *f)
{
    return fault_set(f, WHY_NO_MEMORY, "no memory for the tasks in the store");
}

/* A reference to the home of @name, made if there is none yet. */
static struct home *
home_of(struct queues *q, const char *name) BOB_HOLDS(L_STATE)
{
    struct home *fresh = home_new(name);
    struct home *there;

    if (!fresh)
        return NULL;
    there = RB_INSERT(homes, &q->homes, fresh);
    if (there)
        home_unref(fresh);
    else
        there = fresh;
    there->refs++;
    return there;
}

void
homes_drop(struct queues *q)
{
    struct home *h;

    while ((h = RB_MIN(homes, &q->homes))) {
        RB_REMOVE(homes, &q->homes, h);
        home_unref(h);
    }
}

/* A field's text into an array that holds @cap bytes with the NUL. */
static bool
read_text(const struct field *field, char *to, size_t cap)
{
    if (!field->is_text || field->len >= cap)
        return false;
    memcpy(to, field->text, field->len);
    to[field->len] = '\0';
    return true;
}

static bool
read_blob(const struct field *field, struct blob **to)
{
    blob_unref(*to);
    *to = field->is_text ? blob_new(field->text, field->len) : NULL;
    return *to != NULL;
}

#define NUMBER_MOST (INT64_MAX / 4) /* sums of two, and with a moment, stay in range */

/* False: a text that should be a number or the other way round, one too long or too large, or no memory. */
static bool
read_field(struct queues *q, struct task *t, const struct field *field, bool *ret_known)
    BOB_HOLDS(L_STATE)
{
    char home[NAME_MAX_LEN + 1];
    /* clang-format off */
    struct {
        char tag;
        int64_t *to;
    } numbers[] = {
        {'n', &t->attempts}, {'l', &t->failures}, {'i', &t->interrupted}, {'p', &t->priority},
        {'d', &t->delay_ns}, {'t', &t->timeout_ns}, {'c', &t->created_ms}, {'r', &t->run_at_ms},
        {'b', &t->started_ms}, {'f', &t->finished_ms}, {'y', &t->done}, {'w', &t->total},
    };
    /* clang-format on */

    *ret_known = true;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].tag == field->tag) {
            *numbers[i].to = field->n;
            return !field->is_text && field->n > -NUMBER_MOST && field->n < NUMBER_MOST;
        }
    }
    switch (field->tag) {
    case 's':
        t->state = (enum task_state)field->n;
        return !field->is_text && field->n >= 0 && field->n < TASK_STATES_;
    case 'z':
        t->cancelling = field->n != 0;
        return true;
    case 'x':
        home_unref(t->home);
        t->home = read_text(field, home, sizeof home) ? home_of(q, home) : NULL;
        return t->home != NULL;
    case 'k':
        return read_text(field, t->kind, sizeof t->kind);
    case 'u':
        return read_text(field, t->unit, sizeof t->unit);
    case 'a':
        return read_blob(field, &t->args);
    case 'e':
        return read_blob(field, &t->error);
    case 'o':
        return read_blob(field, &t->result);
    default:
        *ret_known = false;
        return true;
    }
}

/* A record from before failures had a number of their own: none, if no error is kept; else all runs
 * that are over and were not ended by a crash. */
static int64_t
failures_of_before(const struct task *t)
{
    int64_t n = t->attempts - t->interrupted - (t->state == TASK_RUNNING);

    return t->error && n > 0 ? n : 0;
}

static enum why
task_load(struct coord *c, struct object *o, const void *record, size_t len, struct fault *f)
    BOB_UNSHARED
{
    struct queues *q = c->queues;
    struct task *t = task_of(o);
    const unsigned char *at = NULL;
    struct field field;
    bool known;

    t->done = t->total = -1;
    t->failures = -1;
    t->number = task_number(o->name);
    if (t->number == 0 || !record_sound(record, len))
        return fault_set(f, WHY_INTERNAL, "the record of task %s is damaged" PUT_A_BACKUP, o->name);
    while (record_next(record, len, &at, &field)) {
        if (!read_field(q, t, &field, &known))
            return fault_set(f, WHY_INTERNAL,
                             "field %c of task %s is damaged, or memory is out" PUT_A_BACKUP,
                             field.tag, o->name);
        if (!known && topic_unknown_tag(field.tag, "task", o->name, f))
            return WHY_INTERNAL;
    }
    if (!t->args || !t->home)
        return fault_set(f, WHY_INTERNAL,
                         "the record of task %s lacks its arguments or executor" PUT_A_BACKUP,
                         o->name);
    if (t->failures < 0)
        t->failures = failures_of_before(t);
    tasks_add(q, t);
    if (task_is_over(t->state)) /* records come in the order of their sequences: the oldest first */
        task_enter(c, t, 0);
    return WHY_OK;
}

static enum why
executor_load(struct coord *c, struct object *o, const void *record, size_t len, struct fault *f)
    BOB_UNSHARED
{
    struct executor *x = executor_of(o);
    const unsigned char *at = NULL;
    struct field field;

    (void)c;
    if (!record_sound(record, len))
        return fault_set(f, WHY_INTERNAL, "the record of executor %.64s is damaged" PUT_A_BACKUP,
                         o->name);
    while (record_next(record, len, &at, &field)) {
        if (field.tag == 'b')
            x->birth = (uint64_t)field.n;
        else if (field.tag == 'w')
            x->terms.max_workers = field.n;
        else if (field.tag == 'q')
            x->terms.max_queue = field.n;
        else if (field.tag == 't')
            x->terms.timeout_ns = field.n;
        else if (field.tag == 'n')
            x->terms.retries = field.n - 1;
        else if (topic_unknown_tag(field.tag, "executor", o->name, f))
            return WHY_INTERNAL;
    }
    x->seen = o->rev;
    home_unref(x->home);
    x->home = home_new(o->name);
    if (!x->home)
        return no_memory(f);
    x->home->executor = x;
    return WHY_OK;
}

static void
task_free(struct coord *c, struct object *o)
{
    struct task *t = task_of(o);

    (void)c;
    blob_unref(t->args);
    blob_unref(t->result);
    blob_unref(t->error);
    blob_unref(t->message);
    home_unref(t->home);
}

static void
executor_free(struct coord *c, struct object *o)
{
    struct home *home = executor_of(o)->home;

    (void)c;
    if (home)
        home->executor = NULL;
    home_unref(home);
}

const struct topic_rules executor_rules = {
    .name = "executor",
    .size = sizeof(struct executor),
    .end = executor_free,
    .load = executor_load,
};
const struct topic_rules task_rules = {
    .name = "task",
    .size = sizeof(struct task),
    .line = &task_line_rules,
    .end = task_free,
    .load = task_load,
};
