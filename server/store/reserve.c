/* reserve.c - see reserve.h.  posix_fallocate allocates blocks without writing them (or writes zeros where the file system
 * cannot), and does nothing where they are there already.
 *
 * SPDX-License-Identifier: MIT */
#include "store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum why
reserve_open(struct reserve *r, const char *path, int64_t size_bytes, struct fault *f)
{
    char reason[128];

    r->size_bytes = size_bytes;
    r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->fd >= 0)
        return WHY_OK;
    return fault_set(f, WHY_INTERNAL, "cannot open the reserve file (%s): %s",
                     strerror_r(errno, reason, sizeof reason), path);
}

void
reserve_close(struct reserve *r)
{
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
}

/* Whether the disk says that it has less than @bytes free: then it is not asked for them, for a moment of having taken all there is
 * is one in which others find none.  It may say nothing, and a quota is not in what it says: only the asking tells. */
static bool
has_less(const struct reserve *r, uint64_t bytes)
{
    struct statvfs disk;

    return fstatvfs(r->fd, &disk) == 0 && disk.f_blocks > 0 && disk.f_frsize > 0 &&
           disk.f_bfree < bytes / disk.f_frsize;
}

bool
reserve_take(struct reserve *r, int64_t beside_bytes)
{
    int64_t bytes = r->size_bytes + beside_bytes, held = 0;
    struct stat st;

    /* A larger one of an earlier run holds more than is wanted. */
    if (fstat(r->fd, &st) == 0) {
        if (st.st_size > r->size_bytes)
            reserve_give(r);
        else
            held = st.st_size;
    }
    if (!has_less(r, (uint64_t)(bytes - held)) && posix_fallocate(r->fd, 0, bytes) == 0 &&
        ftruncate(r->fd, r->size_bytes) == 0)
        return true;
    reserve_give(r);
    return false;
}

void
reserve_give(struct reserve *r)
{
    /* It can fail only where nothing can be done about it: the next try at a commit will tell. */
    if (ftruncate(r->fd, 0) != 0)
        return;
}
