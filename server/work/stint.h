/* stint.h - one run of one task, from the claim to what it comes to.
 *
 *     struct stint *s = stint_new(coord, claim);     // then hands.c lends it folder, config and on_stop, and lists it
 *     stint_tell_now(s);                             // this and the next on the thread that runs it
 *     good = stint_work_off(s);
 *     stint_judge(s, good, reason, &end);            // for task_finish
 *     stint_free(s);
 *
 * Threads: what is guarded is the hands'; all else its own thread's once it runs, but stop, which anybody may set.
 * Locks:   none is taken here; stint_tell_now makes a step of coord, so it is called with none.
 * Memory:  a stint owns its claim; coord is there as long as any stint is.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_STINT_H
#define BOBBIND_STINT_H

#include "base/lockorder.h"
#include "work/work.h"

struct crew;

enum stop_reason { NOT_STOPPED, CANCELLED, PUT_BACK };

struct stint {
    struct run run;
    struct bob_event stop;
    struct coord *coord;
    struct claim *claim;
    struct crew *crew; /* NULL: none could be made */
    bob_time told_at;  /* this and what is told: the hand's own */
    bool untold;       /* done, total and unit have not been told */
    int64_t done, total;
    char unit[UNIT_MAX_LEN + 1];

    void (*wake)(void *arg) BOB_GUARDED_BY(L_HANDS); /* called when stop is set; NULL: nothing */
    void *wake_arg BOB_GUARDED_BY(L_HANDS);
    struct stint *prev BOB_GUARDED_BY(L_HANDS);
    struct stint *next BOB_GUARDED_BY(L_HANDS);
    enum stop_reason reason BOB_GUARDED_BY(L_HANDS); /* why stop was set; the first wins */
};

/* Owns @claim from now.  NULL: no memory, and the claim is still the caller's. */
struct stint *stint_new(struct coord *coord, struct claim *claim);
void stint_free(struct stint *s); /* NULL is allowed */

/* Tells coord how far it is. */
void stint_tell_now(struct stint *s);
/* Reads the arguments and runs; false: the run says why. */
bool stint_work_off(struct stint *s);
/* What @good and the reason it may have been stopped for come to.  The texts of @ret_end are the stint's, its result is the caller's. */
void stint_judge(struct stint *s, bool good, enum stop_reason reason, struct task_end *ret_end);

#endif
