/* room.c - see room.h.  posix_fallocate gives a file blocks without writing them (or writes zeros where the file system cannot), and
 * does nothing where they are there already.  SQLite takes zeros behind a log's frames for its end, and goes by the number of pages
 * in the database's header, not by the file's size.
 *
 * SPDX-License-Identifier: MIT */
#include "store/room.h"

#include "store/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { AHEAD_BYTES = 1 << 20 }; /* had at a time, so that not each commit asks for a page */

enum why
room_open(struct room *r, const char *folder, const char *db_path, int64_t bytes, struct fault *f)
{
    char reason[128];

    *r = (struct room){.db_path = db_path, .half_bytes = bytes / 2, .db_fd = -1, .log_fd = -1};
    r->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->folder_fd >= 0) /* SQLite gives its other files the mode of this one */
        r->db_fd = open(db_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->db_fd >= 0) {
        (void)unlinkat(r->folder_fd, "reserve", 0);
        return WHY_OK;
    }
    return fault_set(f, errno == ENOSPC || errno == EDQUOT ? WHY_STORE_FULL : WHY_INTERNAL,
                     "cannot open the store (%s): %s", strerror_r(errno, reason, sizeof reason),
                     db_path);
}

static void
shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void
room_close(struct room *r, bool all_moved)
{
    struct stat st;

    /* The mark first, and durable: a log that is cut and still counts would make the database older. */
    if (all_moved && r->log_fd >= 0 && wal_mark_empty(r->log_fd) && fstat(r->log_fd, &st) == 0 &&
        st.st_size > r->half_bytes && ftruncate(r->log_fd, r->half_bytes) != 0)
        errno = 0; /* then it is larger than it need be */
    shut(&r->log_fd);
    shut(&r->db_fd);
    shut(&r->folder_fd);
}

/* ---- the two halves ---- */

static bool
keep_database(struct room *r, int64_t used_bytes)
{
    int64_t wanted = used_bytes + r->half_bytes;

    if (r->have_bytes >= wanted)
        return true;
    if (r->have_bytes < used_bytes)
        r->have_bytes = used_bytes;
    wanted += AHEAD_BYTES;
    if (posix_fallocate(r->db_fd, r->have_bytes, wanted - r->have_bytes) != 0)
        return false;
    r->have_bytes = wanted;
    return true;
}

static bool
open_log(struct room *r)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s-wal", r->db_path);
    if (r->log_fd < 0)
        r->log_fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return r->log_fd >= 0;
}

static bool
keep_log(struct room *r)
{
    return open_log(r) && posix_fallocate(r->log_fd, 0, r->half_bytes) == 0;
}

/* Somebody with a shell may have cut off either, or have put another log in the place of ours. */
static bool
look(struct room *r)
{
    struct stat db, log;

    r->look_at = clock_now() + NS_PER_SECOND;
    if (fstat(r->db_fd, &db) != 0 || (r->log_fd >= 0 && fstat(r->log_fd, &log) != 0))
        return false;
    if (db.st_size < r->have_bytes)
        r->have_bytes = db.st_size;
    if (r->log_fd >= 0 && log.st_nlink == 0)
        shut(&r->log_fd);
    return (r->log_fd >= 0 && log.st_size >= r->half_bytes) || keep_log(r);
}

bool
room_keep(struct room *r, int64_t used_bytes)
{
    if (clock_now() >= r->look_at && !look(r))
        return false;
    return keep_database(r, used_bytes);
}

/* ---- beside them ---- */

/* Whether the disk says that it has less than @bytes free: then it is not asked for them, for a moment of having taken all there is
 * is one in which others find none.  It may say nothing, and a quota is not in what it says: only the asking tells. */
static bool
has_less(const struct room *r, int64_t bytes)
{
    struct statvfs disk;

    return bytes > 0 && fstatvfs(r->folder_fd, &disk) == 0 && disk.f_blocks > 0 &&
           disk.f_frsize > 0 && disk.f_bfree < (uint64_t)bytes / disk.f_frsize;
}

static bool
could_have(const struct room *r, int64_t bytes)
{
    int fd =
        openat(r->folder_fd, "room", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool could;

    if (fd < 0)
        return false;
    (void)unlinkat(r->folder_fd, "room", 0);
    could = posix_fallocate(fd, 0, bytes) == 0;
    (void)close(fd);
    return could;
}

/* What is not there yet of @wanted bytes of a file. */
static int64_t
lacking(int fd, int64_t wanted)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && wanted > st.st_size ? wanted - st.st_size : 0;
}

bool
room_take(struct room *r, int64_t used_bytes, int64_t beside_bytes)
{
    int64_t wanted = used_bytes + r->half_bytes;

    if (!open_log(r) ||
        has_less(r, lacking(r->db_fd, wanted) + lacking(r->log_fd, r->half_bytes) + beside_bytes))
        return false;
    /* All of it anew: a copy may have made holes of zeros. */
    r->have_bytes = 0;
    if (!keep_log(r) || !keep_database(r, used_bytes))
        return false;
    return look(r) && could_have(r, beside_bytes);
}
