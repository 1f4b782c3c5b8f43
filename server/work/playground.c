/* playground.c - kinds that do nothing of use, to try things with: sleep and square.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/time.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/json.h"
#include "work/kinds.h"

enum { LOOK_UP_MS = 200 }; /* how often a sleeper says how far it is */

struct sleep_args {
    int64_t ns;
};

/* Waits on its stop event: a sleeper that is cancelled wakes at once. */
static bool
run_sleep(struct run *run)
{
    const struct sleep_args *args = run->args;
    bob_time began = bob_now(), end = began + args->ns;

    for (bob_time now = began; now < end; now = bob_now()) {
        bob_time until = now + LOOK_UP_MS * NS_PER_MS;

        run->tell(run, (now - began) / NS_PER_MS, args->ns / NS_PER_MS, "ms");
        if (until > end)
            until = end;
        if (until > run->until)
            until = run->until;
        if (bob_event_wait(run->stop, until) == BOB_OK || bob_now() >= run->until)
            return run_cut_short(run);
    }
    run->tell(run, args->ns / NS_PER_MS, args->ns / NS_PER_MS, "ms");
    json_seconds(&run->result, NULL, args->ns);
    return true;
}

/* clang-format off */
const struct kind kind_sleep = {
    .name = "sleep",
    .doc = "waits; its result is how many seconds",
    .args_size = sizeof(struct sleep_args),
    .by_request = true,
    .run = run_sleep,
    .args = (const struct arg[]){
        {.name = "seconds", .type = ARG_DURATION, .offset = offsetof(struct sleep_args, ns), .required = true,
         .least = 0, .most = 86400, .doc = "how long"},
        {0},
    },
};
/* clang-format on */

#define ROOT_MOST 94906265 /* its square is the largest below 2^53 */

struct square_args {
    int64_t n;
};

static bool
run_square(struct run *run)
{
    const struct square_args *args = run->args;

    json_int(&run->result, NULL, args->n * args->n);
    return true;
}

/* clang-format off */
const struct kind kind_square = {
    .name = "square",
    .doc = "multiplies a number by itself",
    .args_size = sizeof(struct square_args),
    .by_request = true,
    .run = run_square,
    .args = (const struct arg[]){
        {.name = "n", .type = ARG_INT, .offset = offsetof(struct square_args, n), .required = true,
         .least = -ROOT_MOST, .most = ROOT_MOST, .doc = "the number"},
        {0},
    },
};
/* clang-format on */
