/* hands.c - the threads that run tasks: a bob_executor for each executor, which runs what coord assigns and never chooses.
 *
 * A stint (stint.h) is one run of one task, from the claim to task_finish; those under way stand in a list, where cancel and drain
 * find them.  A crew (crew.h) is the threads of one executor.
 *
 * There is one struct work, and it is never freed: the journal may deliver a claim at any moment until it has stopped, which is
 * after the hands have.  Such a late claim goes back to ready.
 *
 * SPDX-License-Identifier: MIT */
#include "work/work.h"

#include <assert.h>
#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/lockorder.h"
#include "base/log.h"
#include "work/command.h"
#include "work/crew.h"
#include "work/download.h"
#include "work/stint.h"
#include "work/transfer.h"

enum { STOPPING_MS = 5000, IDLE_SECONDS = 60, NAMES = 16 };

struct work {
    struct bob_lock lock;          /* class L_HANDS */
    struct bob_condition all_over; /* signalled when nothing is unfinished */
    const struct config *config;
    struct coord *coord;
    bool has_folder;
    char folder[PATH_MAX];

    bool closed BOB_GUARDED_BY(L_HANDS); /* takes no claims: not started, draining or stopped */
    struct crews crews BOB_GUARDED_BY(L_HANDS);
    struct stint *stints BOB_GUARDED_BY(L_HANDS);
    int64_t unfinished BOB_GUARDED_BY(L_HANDS); /* stints, and submits of stints */
};

static struct work the_work = {.lock = BOB_LOCK_INIT(LOCK_CLASS(L_HANDS)), .closed = true};

static void
hands_lock(struct work *w) BOB_ACQUIRES(L_HANDS)
{
    bob_lock_hold(&w->lock);
}

static void
hands_unlock(struct work *w) BOB_RELEASES(L_HANDS)
{
    (void)bob_lock_release(&w->lock);
}

/* ---- one run ---- */

/* Sets its stop, for @reason if it has none yet. */
static void
stop_locked(struct stint *s, enum stop_reason reason) BOB_HOLDS(L_HANDS)
{
    if (s->reason == NOT_STOPPED)
        s->reason = reason;
    bob_event_set(&s->stop);
    if (s->wake)
        s->wake(s->wake_arg);
}

static void
on_stop(struct run *run, void (*wake)(void *arg), void *arg)
{
    struct stint *s = run->teller;

    hands_lock(&the_work);
    s->wake = wake;
    s->wake_arg = arg;
    if (wake && s->reason != NOT_STOPPED)
        wake(arg);
    hands_unlock(&the_work);
}

/* Out of the list of those that can be stopped, before coord may give the task to another hand. */
static enum stop_reason
leave(struct work *w, struct stint *s)
{
    enum stop_reason reason;

    hands_lock(w);
    reason = s->reason;
    if (s->prev)
        s->prev->next = s->next;
    else
        w->stints = s->next;
    if (s->next)
        s->next->prev = s->prev;
    hands_unlock(w);
    return reason;
}

static void
finish(struct work *w, struct stint *s)
{
    hands_lock(w);
    if (s->crew)
        crew_leave_locked(s->crew);
    if (--w->unfinished == 0)
        bob_condition_notify_all(&w->all_over);
    hands_unlock(w);
    stint_free(s);
}

/* Ends threads that have had no work for long by @now, and as many more as there are too many. */
static void
tidy(struct work *w, bob_time now)
{
    struct crew *idle;

    do {
        int64_t surplus;

        hands_lock(w);
        surplus = crews_threads_locked(&w->crews) - w->config->task_threads;
        idle = crew_take_idle_locked(&w->crews, surplus > 0 ? BOB_FOREVER
                                                            : now - IDLE_SECONDS * NS_PER_SECOND);
        if (!idle && surplus > 0)
            crews_shrink_locked(&w->crews, surplus);
        hands_unlock(w);
        crew_free(idle);
    } while (idle);
}

/* Tells coord.  A failure is logged, but for its message: it may hold what a program or another server said, and the task has it. */
static void
end_run(struct work *w, const struct claim *claim, const struct task_end *end)
{
    if (end->state == TASK_FAILED)
        log_often(LOG_LEVEL_INFO, "task_failed",
                  "task=t%" PRIu64 " executor=%s kind=%s attempt=%" PRId64 " code=%s",
                  claim->number, claim->executor, claim->kind, claim->attempt, end->code);
    task_finish(w->coord, clock_now(), claim->number, claim->attempt, end);
}

static enum bob_err
hand(void *arg, void **ret_value)
{
    struct work *w = &the_work;
    struct stint *s = arg;
    struct task_end end = {0};
    bool good;

    (void)ret_value;
    if (atomic_load(&w->crews.grown) && atomic_exchange(&w->crews.grown, false))
        tidy(w, bob_now()); /* not our own: it counts us */
    bob_thread_note("t%" PRIu64 " %s", s->claim->number, s->claim->kind);
    if (s->claim->timeout_ns > 0)
        s->run.until = bob_now() + s->claim->timeout_ns;
    stint_tell_now(s);
    good = stint_work_off(s);
    if (s->untold)
        stint_tell_now(s);
    stint_judge(s, good, leave(w, s), &end);
    end_run(w, s->claim, &end);
    bob_thread_note(NULL);
    finish(w, s);
    return BOB_OK;
}

/* ---- what coord calls ---- */

static struct stint *
stint_for(struct work *w, struct claim *claim)
{
    struct stint *s = stint_new(w->coord, claim);

    if (!s)
        return NULL;
    s->run.folder = w->has_folder ? w->folder : NULL;
    s->run.config = w->config;
    s->run.on_stop = on_stop;
    return s;
}

static bool
enter(struct work *w, struct stint *s)
{
    bool closed;

    hands_lock(w);
    closed = w->closed;
    if (!closed) {
        s->next = w->stints;
        if (w->stints)
            w->stints->prev = s;
        w->stints = s;
        w->unfinished += 2; /* it, and its submit: no crew is freed under that */
    }
    hands_unlock(w);
    return !closed;
}

/* The claim comes to nothing here and now. */
static void
decline(struct work *w, const struct claim *claim, const char *why)
{
    const struct task_end back = {.state = TASK_READY};
    const struct task_end failed = {
        .state = TASK_FAILED, .code = "no_thread", .message = why ? why : "", .retry = true};

    end_run(w, claim, why ? &failed : &back);
}

/* The crew for @claim, with a stint more; made outside the lock when there is none yet.  NULL: no memory. */
static struct crew *
crew_for(struct work *w, const struct claim *claim)
{
    struct crew *crew, *fresh = NULL;

    hands_lock(w);
    crew = crew_find_locked(&w->crews, claim->executor);
    if (!crew) {
        hands_unlock(w);
        fresh = crew_new(&w->crews, claim);
        hands_lock(w);
        crew = crew_find_locked(&w->crews, claim->executor); /* another may have been quicker */
    }
    if (!crew && fresh) {
        crew_add_locked(&w->crews, fresh);
        crew = fresh;
        fresh = NULL;
    }
    if (crew)
        crew_enter_locked(crew, claim);
    hands_unlock(w);
    crew_free(fresh);
    return crew;
}

static void
hands_run(void *arg, struct claim *claim)
{
    struct work *w = arg;
    struct stint *s = stint_for(w, claim);
    struct crew *crew;
    enum bob_err err;

    if (!s) {
        decline(w, claim, "no memory for the run");
        claim_free(claim);
        return;
    }
    if (!enter(w, s)) {
        decline(w, claim, NULL);
        stint_free(s);
        return;
    }
    s->crew = crew = crew_for(w, claim);
    err = crew ? bob_executor_submit(crew->executor, hand, s, NULL) : BOB_ERR_NO_MEMORY;
    hands_lock(w);
    if (crew)
        crew_let_go_locked(crew); /* the stint may be over already */
    if (--w->unfinished == 0)
        bob_condition_notify_all(&w->all_over);
    hands_unlock(w);
    if (!err)
        return;
    (void)leave(w, s);
    decline(w, claim, bob_strerror(err));
    finish(w, s);
}

static void
hands_cancel(void *arg, uint64_t number)
{
    struct work *w = arg;

    hands_lock(w);
    for (struct stint *s = w->stints; s; s = s->next) {
        if (s->run.number == number)
            stop_locked(s, CANCELLED);
    }
    hands_unlock(w);
}

/* ---- once a second ---- */

void
work_tick(struct work *w, int64_t now)
{
    char names[NAMES][NAME_MAX_LEN + 1];
    struct crew *idle;
    size_t n;

    tidy(w, now);
    do {
        hands_lock(w);
        n = crews_show_idle_locked(&w->crews, names, NAMES);
        hands_unlock(w);
        for (size_t i = 0; i < n; i++) {
            if (executor_exists(w->coord, names[i]))
                continue;
            hands_lock(w);
            idle = crew_take_named_locked(&w->crews, names[i]);
            hands_unlock(w);
            crew_free(idle);
        }
    } while (n == NAMES);
}

/* ---- start and stop ---- */

enum why
work_start(struct work **ret, const struct config *c, struct coord *coord, struct fault *f)
{
    struct work *w = &the_work;
    const struct hands hands = {.run = hands_run, .cancel = hands_cancel, .arg = w};
    enum why why;

    if (snprintf(w->folder, sizeof w->folder, "%s/files", c->data) >= (int)sizeof w->folder)
        return fault_set(f, WHY_INVALID, "data: the folder's name is too long");
    if ((why = downloads_start(w->folder, f)) || (why = transfer_start(f)) ||
        (why = commands_start(c, f)))
        return why;
    w->has_folder = true;
    w->config = c;
    w->coord = coord;
    hands_lock(w);
    assert(w->closed && !w->stints && !w->crews.first);
    bob_condition_init(&w->all_over);
    w->closed = false;
    hands_unlock(w);
    coord_set_hands(coord, &hands);
    *ret = w;
    return WHY_OK;
}

/* Waits for the last one; false: not by @deadline. */
static bool
await_all_over_locked(struct work *w, bob_time deadline) BOB_HOLDS(L_HANDS)
{
    enum bob_err err = BOB_OK;

    while (w->unfinished > 0 && !err)
        err = bob_condition_wait(&w->all_over, &w->lock, deadline);
    return w->unfinished == 0;
}

static void
tell_all_to_stop_locked(struct work *w) BOB_HOLDS(L_HANDS)
{
    for (struct stint *s = w->stints; s; s = s->next)
        stop_locked(s, PUT_BACK);
}

void
work_drain(struct work *w, int64_t deadline)
{
    bool over;

    hands_lock(w);
    w->closed = true;
    over = await_all_over_locked(w, deadline);
    tell_all_to_stop_locked(w);
    if (!over)
        over = await_all_over_locked(w, bob_in_ms(STOPPING_MS));
    hands_unlock(w);
    if (!over)
        log_line(LOG_LEVEL_WARNING, "tasks_slow_to_stop", "after_ms=%d", STOPPING_MS);
}

void
work_stop(struct work *w)
{
    struct crew *crews;

    if (!w)
        return;
    hands_lock(w);
    w->closed = true;
    tell_all_to_stop_locked(w);
    (void)await_all_over_locked(w, BOB_FOREVER);
    crews = w->crews.first;
    w->crews.first = NULL;
    hands_unlock(w);
    crews_free(crews);
    bob_condition_fini(&w->all_over);
}
