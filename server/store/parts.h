/* parts.h - what store.c, recover.c and journal.c share: the open store.
 *
 * Private to store/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_PARTS_H
#define BOBBIND_PARTS_H

#include "store/room.h"
#include "store/sqlite.h"
#include "store/store.h"
#include "store/tally.h"

#include <stdbool.h>

struct store {
    char *folder; /* as given */
    char *path;   /* of the database */
    int lock_fd;  /* -1: not locked */
    bool relaxed;
    struct sqlite *db;  /* the journal's, once it runs */
    struct tally tally; /* as it was found at the opening, every row verified */
    int64_t changes_kept;
    bool is_open;       /* the database was verified, and is ours to write */
    uint64_t least_seq; /* of the newest change, else what is there is older than it need be */
    bool is_cut;        /* the log was not taken whole, as accept_cut_log allows */
    struct room room;
};

#endif
