/* stint.c - see stint.h.  It knows neither the other stints nor the thread it is on: those are hands.c's.
 *
 * SPDX-License-Identifier: MIT */
#include "work/stint.h"

#include <bobbin/thread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"

enum { TOLD_EVERY_MS = 200 };

void
stint_tell_now(struct stint *s)
{
    s->untold = false;
    s->told_at = bob_now();
    task_progress(s->coord, s->claim->number, s->claim->attempt, s->done, s->total, s->unit, "",
                  bob_thread_name(bob_thread_current()));
}

/* As often as the run likes; coord hears of it a few times a second. */
static void
tell(struct run *run, int64_t done, int64_t total, const char *unit)
{
    struct stint *s = run->teller;

    s->done = done;
    s->total = total;
    (void)snprintf(s->unit, sizeof s->unit, "%s", unit);
    s->untold = true;
    if (bob_now() - s->told_at >= TOLD_EVERY_MS * NS_PER_MS)
        stint_tell_now(s);
}

struct stint *
stint_new(struct coord *coord, struct claim *claim)
{
    struct stint *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    bob_event_init(&s->stop);
    s->coord = coord;
    s->claim = claim;
    s->done = s->total = -1;
    s->run.number = claim->number;
    s->run.stop = &s->stop;
    s->run.until = BOB_FOREVER;
    s->run.tell = tell;
    s->run.teller = s;
    return s;
}

void
stint_free(struct stint *s)
{
    if (!s)
        return;
    bytes_free(&s->run.result);
    bob_event_fini(&s->stop);
    claim_free(s->claim);
    free(s);
}

bool
stint_work_off(struct stint *s)
{
    struct run *run = &s->run;
    struct fault f = {0};
    struct cJSON *json;
    bool good = false;

    run->kind = kind_find(s->claim->kind);
    if (!run->kind)
        return run_fail(run, false, "unknown_kind", "this server has no kind %s", s->claim->kind);
    run->args = calloc(1, run->kind->args_size);
    if (!run->args)
        return run_fail(run, true, "out_of_memory", "no memory for the arguments");
    json = kind_args(run->kind, s->claim->args->text, s->claim->args->len, run->args, &f);
    if (!json)
        (void)run_fail(run, f.why == WHY_NO_MEMORY, "bad_arguments", "%s", f.detail);
    else
        good = run->kind->run(run);
    json_free(json);
    free(run->args);
    run->args = NULL;
    if (good && run->result.failed)
        return run_fail(run, true, "out_of_memory", "no memory for the result");
    if (good && run->result.len > RESULT_MAX)
        return run_fail(run, false, "result_too_large", "a result of %zu bytes, above %d",
                        run->result.len, RESULT_MAX);
    return good;
}

void
stint_judge(struct stint *s, bool good, enum stop_reason reason, struct task_end *ret_end)
{
    struct run *run = &s->run;

    if (good) {
        ret_end->state = TASK_SUCCEEDED;
        ret_end->result = run->result.len ? blob_new(run->result.at, run->result.len) : NULL;
        if (ret_end->result || run->result.len == 0)
            return;
        (void)run_fail(run, true, "out_of_memory", "no memory for the result");
    }
    /* One that failed by itself has failed, although it was to stop. */
    if (reason == NOT_STOPPED || !run->cut_short) {
        if (run->cut_short)
            (void)run_fail(run, true, "timeout", "it was not over within %.15g seconds",
                           (double)s->claim->timeout_ns / (double)NS_PER_SECOND);
        ret_end->state = TASK_FAILED;
        ret_end->code = run->code;
        ret_end->message = run->message;
        ret_end->retry = run->retry;
        ret_end->retry_after_ns = run->retry_after_ns;
    } else {
        ret_end->state = reason == CANCELLED ? TASK_CANCELLED : TASK_READY;
    }
}
