/* crew.h - the threads of one executor: a bob_executor, and how many stints it has been given.
 *
 *     crew_enter_locked(crew, claim); bob_executor_submit(crew->executor, ...); crew_let_go_locked(crew);
 *     (the stint, at its end) crew_leave_locked(crew);
 *     (lock) idle = crew_take_idle_locked(&crews, before); (unlock) crew_free(idle);
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_CREW_H
#define BOBBIND_CREW_H

#include "base/lockorder.h"
#include "coord/queue.h"

#include <bobbin/executor.h>
#include <stdatomic.h>
#include <stdbool.h>

struct crew {
    struct bob_executor *executor;
    char name[NAME_MAX_LEN + 1];
    struct crews *crews;
    atomic_int threads; /* that live */

    struct crew *next BOB_GUARDED_BY(L_HANDS);
    int64_t max_workers BOB_GUARDED_BY(L_HANDS); /* of the last claim */
    int64_t
        allowed BOB_GUARDED_BY(L_HANDS); /* threads it may have now: fewer, once it gave some up */
    int64_t stints BOB_GUARDED_BY(L_HANDS);  /* given to it and not over */
    int64_t callers BOB_GUARDED_BY(L_HANDS); /* may be inside a submit, though the stint is over */
    uint64_t looked_at BOB_GUARDED_BY(L_HANDS);  /* the round it was last looked at in */
    bob_time idle_since BOB_GUARDED_BY(L_HANDS); /* when stints came down to 0 */
};
struct crews {
    struct crew *first;
    uint64_t round;
    atomic_bool grown; /* a thread has been started */
};

struct crew *crew_new(struct crews *crews, const struct claim *claim); /* NULL: no memory */
void crew_free(struct crew *crew);   /* joins its threads; NULL is allowed */
void crews_free(struct crew *first); /* all of a list that nobody else sees */

struct crew *crew_find_locked(const struct crews *crews, const char *name) BOB_HOLDS(L_HANDS);
void crew_add_locked(struct crews *crews, struct crew *crew) BOB_HOLDS(L_HANDS);
/* Counts one stint and one caller more, and goes by the claim's number of workers. */
void crew_enter_locked(struct crew *crew, const struct claim *claim) BOB_HOLDS(L_HANDS);
void crew_leave_locked(struct crew *crew) BOB_HOLDS(L_HANDS);  /* the stint */
void crew_let_go_locked(struct crew *crew) BOB_HOLDS(L_HANDS); /* the caller */
/* Takes out the one that has been idle longest, if since before @before.  NULL: none. */
struct crew *crew_take_idle_locked(struct crews *crews, bob_time before) BOB_HOLDS(L_HANDS);
/* Takes out the one of that name, if it is idle.  NULL: there is none, or it has work. */
struct crew *crew_take_named_locked(struct crews *crews, const char *name) BOB_HOLDS(L_HANDS);
/* Copies the names of up to @cap idle ones that it has not shown in this round; less than @cap: that was the last of it. */
size_t crews_show_idle_locked(struct crews *crews, char (*ret_names)[NAME_MAX_LEN + 1], size_t cap)
    BOB_HOLDS(L_HANDS);
/* Has @n threads that have no work end, of crews that have some. */
void crews_shrink_locked(struct crews *crews, int64_t n) BOB_HOLDS(L_HANDS);
int64_t crews_threads_locked(const struct crews *crews) BOB_HOLDS(L_HANDS);

#endif
