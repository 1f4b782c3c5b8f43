/* room.h - room on the disk for what gives back: blocks that the store's own files have, beyond what they need now.
 *
 *     room_open(&r, folder, "/folder/store.db", 16 << 20, f)   // before SQLite opens it
 *     if (!room_take(&r, used, 4 << 20)) ...                   // the disk has not that much, and 4 MB beside it
 *     if (!room_keep(&r, used)) ...                            // after each commit: the database has grown, and the disk is full
 *     room_close(&r, all_moved);                               // after SQLite has closed it
 *
 * Half of it is in the log, half at the end of the database.  Nobody else can have it: a file that was removed to make room would
 * be room for whoever writes fastest.  It holds where a block written again is the same block (ext4, xfs, tmpfs); where
 * each write takes a new one (btrfs, zfs, a snapshot), no file can promise room.
 *
 * Threads: one at a time, the journal's once that runs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_ROOM_H
#define BOBBIND_ROOM_H

#include "base/clock.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct room {
    int folder_fd; /* -1: not open, as the others */
    int db_fd;     /* open for as long as SQLite has the database: a close drops all its locks */
    int log_fd;    /* open once there is a log */
    const char *db_path; /* its owner's */
    int64_t half_bytes;
    int64_t have_bytes; /* the database file's blocks, as they were last seen */
    moment look_at;     /* whether they still are: a stranger's checkpoint may cut them off */
};

/* Makes the database file, private, if it is not there; what an earlier version kept as a file is removed.
 * WHY_INTERNAL, WHY_STORE_FULL: the files cannot be made. */
enum why room_open(struct room *r, const char *folder, const char *db_path, int64_t bytes,
                   struct fault *f);
/* @all_moved: the log's frames are in the database, so the log is marked as empty; it keeps its room. */
void room_close(struct room *r, bool all_moved);

/* The database needs @used_bytes now.  True: the room is whole. */
bool room_keep(struct room *r, int64_t used_bytes);

/* The same, and @beside_bytes more could be had, which stay free. */
bool room_take(struct room *r, int64_t used_bytes, int64_t beside_bytes);

#endif
