/* shapes.c - see shapes.h.
 *
 * A member is always there, null when it says nothing, so that a reader need not ask whether it is.
 *
 * SPDX-License-Identifier: MIT */
#include "api/shapes.h"

#include "base/json.h"

void
shape_holder(struct bytes *b, const char *key, enum hold_kind kind, const struct holder_view *h)
{
    if (!h->token) {
        json_null(b, key);
        return;
    }
    if (key)
        json_open_in(b, key, '{');
    else
        json_open(b, '{');
    json_uint(b, "token", h->token);
    json_text(b, "owner", h->owner);
    if (kind == HOLD_SEMAPHORE)
        json_int(b, "permits", h->permits);
    json_moment(b, "since", h->since_ms);
    json_moment(b, "expires_at", clock_to_wall_ms(h->expires_at));
    json_text(b, "bind", "lease");
    json_close(b, '}');
}

static void
line(struct bytes *b, enum hold_kind kind, const struct hold_view *v, moment now)
{
    json_int(b, "waiters", v->waiters);
    json_open_in(b, "line", '[');
    for (int i = 0; i < v->waiters_shown; i++) {
        const struct waiter_view *w = &v->waiter[i];

        json_open(b, '{');
        json_int(b, "position", w->position);
        json_text(b, "owner", w->owner);
        if (kind == HOLD_SEMAPHORE)
            json_int(b, "permits", w->permits);
        json_seconds(b, "waited", now > w->since ? now - w->since : 0);
        json_close(b, '}');
    }
    json_close(b, ']');
}

void
shape_hold(struct bytes *b, enum hold_kind kind, const struct hold_view *v, moment now)
{
    static const struct holder_view nobody;

    json_open(b, '{');
    json_text(b, "name", v->name);
    json_uint(b, "rev", v->rev);
    if (kind == HOLD_LOCK) {
        shape_holder(b, "holder", kind, v->holders_shown > 0 ? &v->holder[0] : &nobody);
    } else {
        json_int(b, "value", v->value);
        json_int(b, "free", v->free);
        json_bool(b, "bounded", v->bounded);
        json_open_in(b, "holders", '[');
        for (int i = 0; i < v->holders_shown; i++)
            shape_holder(b, NULL, kind, &v->holder[i]);
        json_close(b, ']');
    }
    line(b, kind, v, now);
    json_close(b, '}');
}

void
shape_hold_row(struct bytes *b, enum hold_kind kind, const struct hold_row *row)
{
    json_open(b, '{');
    json_text(b, "name", row->name);
    json_uint(b, "rev", row->rev);
    if (kind == HOLD_LOCK) {
        shape_holder(b, "holder", kind, &row->holder);
    } else {
        json_int(b, "value", row->value);
        json_int(b, "free", row->free);
    }
    json_int(b, "waiters", row->waiters);
    json_close(b, '}');
}

void
shape_counter(struct bytes *b, const char *name, uint64_t rev, int64_t value)
{
    json_open(b, '{');
    json_text(b, "name", name);
    json_uint(b, "rev", rev);
    json_int(b, "value", value);
    json_close(b, '}');
}

void
shape_executor(struct bytes *b, const struct executor_view *v)
{
    json_open(b, '{');
    json_text(b, "name", v->name);
    json_uint(b, "rev", v->rev);
    json_int(b, "max_workers", v->terms.max_workers);
    json_int(b, "max_queue", v->terms.max_queue);
    if (v->terms.timeout_ns)
        json_seconds(b, "timeout", v->terms.timeout_ns);
    else
        json_null(b, "timeout");
    json_int(b, "retries", v->terms.retries);
    json_int(b, "ready", v->ready);
    json_int(b, "delayed", v->delayed);
    json_int(b, "running", v->running);
    json_int(b, "succeeded", v->succeeded);
    json_int(b, "failed", v->failed);
    json_int(b, "cancelled", v->cancelled);
    json_moment(b, "oldest", v->oldest ? clock_to_wall_ms(v->oldest) : 0);
    json_close(b, '}');
}

void
shape_error(struct bytes *b, const char *code, const char *message, int64_t attempts)
{
    json_open_in(b, "error", '{');
    json_text(b, "code", code);
    json_text(b, "message", message);
    json_int(b, "attempts", attempts);
    json_close(b, '}');
}

static void
progress(struct bytes *b, const struct task_view *v)
{
    if (v->done < 0) {
        json_null(b, "progress");
        return;
    }
    json_open_in(b, "progress", '{');
    json_int(b, "done", v->done);
    if (v->total >= 0)
        json_int(b, "total", v->total);
    else
        json_null(b, "total");
    json_text(b, "unit", v->unit);
    json_text(b, "message", v->message);
    json_close(b, '}');
}

void
shape_task(struct bytes *b, const struct task_view *v)
{
    char id[TASK_ID_LEN];

    task_id(id, v->number);
    json_open(b, '{');
    json_text(b, "id", id);
    json_uint(b, "rev", v->rev);
    json_text(b, "queue", v->executor);
    json_text(b, "kind", v->kind);
    json_text(b, "state", task_state_name[v->state]);
    json_bool(b, "cancelling", v->cancelling);
    json_int(b, "attempts", v->attempts);
    json_int(b, "failures", v->failures);
    json_int(b, "interrupted", v->interrupted);
    json_int(b, "priority", v->priority);
    json_moment(b, "created_at", v->created_ms);
    json_moment(b, "run_at", v->run_at_ms);
    json_moment(b, "started_at", v->started_ms);
    json_moment(b, "finished_at", v->finished_ms);
    json_text(b, "worker", *v->worker ? v->worker : NULL);
    progress(b, v);
    if (v->state == TASK_FAILED || *v->error_code)
        shape_error(b, v->error_code, v->error_message, v->attempts);
    else
        json_null(b, "error");
    if (v->args)
        json_raw(b, "args", v->args->text, v->args->len);
    json_close(b, '}');
}
