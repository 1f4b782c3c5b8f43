/* lockorder.c - the rows of lockorder.h as classes, by rank.
 *
 * SPDX-License-Identifier: MIT */
#include "base/lockorder.h"

const struct bob_lock_class lock_classes[] = {{"none", RANK_NONE},
#define X(cls, after) {#cls, RANK_##cls},
                                              LOCK_ORDER(X)
#undef X
};
