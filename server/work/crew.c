/* crew.c - see crew.h.  Its threads count themselves: a bob_executor starts one when work comes and no other is free for it, so
 * what lives is not what has work.
 *
 * SPDX-License-Identifier: MIT */
#include "work/crew.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "work/transfer.h"

static enum bob_err
hand_begins(void *arg)
{
    struct crew *crew = arg;

    atomic_fetch_add(&crew->threads, 1);
    atomic_store(&crew->crews->grown, true);
    return BOB_OK;
}

static void
hand_ends(void *arg)
{
    struct crew *crew = arg;

    transfer_thread_ends();
    atomic_fetch_sub(&crew->threads, 1);
}

struct crew *
crew_new(struct crews *crews, const struct claim *claim) BOB_UNSHARED
{
    struct crew *crew = calloc(1, sizeof *crew);
    const struct bob_executor_options options = {
        .role = "task",
        .max_workers = (unsigned)claim->max_workers,
        .initializer = hand_begins,
        .cleanup = hand_ends,
        .arg = crew,
    };

    if (!crew)
        return NULL;
    crew->crews = crews;
    memcpy(crew->name, claim->executor, sizeof crew->name);
    crew->max_workers = crew->allowed = claim->max_workers;
    crew->executor = bob_executor_new(claim->executor, &options);
    if (!crew->executor) {
        free(crew);
        return NULL;
    }
    return crew;
}

void
crew_free(struct crew *crew)
{
    if (!crew)
        return;
    bob_executor_free(crew->executor);
    free(crew);
}

void
crews_free(struct crew *first) BOB_UNSHARED
{
    while (first) {
        struct crew *next = first->next;

        crew_free(first);
        first = next;
    }
}

struct crew *
crew_find_locked(const struct crews *crews, const char *name)
{
    struct crew *crew = crews->first;

    while (crew && strcmp(crew->name, name) != 0)
        crew = crew->next;
    return crew;
}

void
crew_add_locked(struct crews *crews, struct crew *crew)
{
    crew->next = crews->first;
    crews->first = crew;
}

static void
allow_locked(struct crew *crew, int64_t threads) BOB_HOLDS(L_HANDS)
{
    crew->allowed = threads;
    (void)bob_executor_resize(crew->executor, (unsigned)threads);
}

void
crew_enter_locked(struct crew *crew, const struct claim *claim)
{
    crew->stints++;
    crew->callers++;
    /* Rare, so under the lock: two may bring different numbers. */
    if (crew->max_workers != claim->max_workers ||
        (crew->allowed < crew->max_workers && crew->allowed < crew->stints))
        allow_locked(crew, claim->max_workers);
    crew->max_workers = claim->max_workers;
}

void
crew_leave_locked(struct crew *crew)
{
    if (--crew->stints == 0)
        crew->idle_since = bob_now();
}

void
crew_let_go_locked(struct crew *crew)
{
    crew->callers--;
}

/* ---- those that are idle ---- */

static bool
is_idle_locked(const struct crew *crew) BOB_HOLDS(L_HANDS)
{
    return crew->stints == 0 && crew->callers == 0;
}

static struct crew *
take_out_locked(struct crews *crews, const struct crew *which) BOB_HOLDS(L_HANDS)
{
    struct crew **at = &crews->first, *crew;

    while (*at != which)
        at = &(*at)->next;
    crew = *at;
    *at = crew->next;
    return crew;
}

struct crew *
crew_take_idle_locked(struct crews *crews, bob_time before)
{
    struct crew *longest = NULL;

    for (struct crew *crew = crews->first; crew; crew = crew->next) {
        if (is_idle_locked(crew) && crew->idle_since < before &&
            (!longest || crew->idle_since < longest->idle_since))
            longest = crew;
    }
    return longest ? take_out_locked(crews, longest) : NULL;
}

struct crew *
crew_take_named_locked(struct crews *crews, const char *name)
{
    struct crew *crew = crew_find_locked(crews, name);

    return crew && is_idle_locked(crew) ? take_out_locked(crews, crew) : NULL;
}

size_t
crews_show_idle_locked(struct crews *crews, char (*ret_names)[NAME_MAX_LEN + 1], size_t cap)
{
    size_t n = 0;

    for (struct crew *crew = crews->first; crew && n < cap; crew = crew->next) {
        if (is_idle_locked(crew) && crew->looked_at != crews->round) {
            crew->looked_at = crews->round;
            memcpy(ret_names[n++], crew->name, sizeof crew->name);
        }
    }
    if (n < cap)
        crews->round++;
    return n;
}

/* Threads that live and are not about to end. */
static int64_t
threads_locked(const struct crew *crew) BOB_HOLDS(L_HANDS)
{
    int64_t n = atomic_load(&crew->threads);

    if (n > crew->allowed)
        n = crew->allowed;
    return n > crew->stints ? n : crew->stints;
}

int64_t
crews_threads_locked(const struct crews *crews)
{
    int64_t n = 0;

    for (const struct crew *crew = crews->first; crew; crew = crew->next)
        n += threads_locked(crew);
    return n;
}

void
crews_shrink_locked(struct crews *crews, int64_t n)
{
    for (struct crew *crew = crews->first; crew && n > 0; crew = crew->next) {
        int64_t threads = threads_locked(crew);
        int64_t fewer = threads - (crew->stints > 0 ? crew->stints : 1);

        if (fewer > n)
            fewer = n;
        if (fewer > 0) {
            allow_locked(crew, threads - fewer);
            n -= fewer;
        }
    }
}
