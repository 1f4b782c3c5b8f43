/* scratch.c - folders for runs, made and removed; see scratch.h.
 *
 * What a program leaves may be anything: it is removed one component at a time below a folder that is held open, and no
 * link is followed.  Every level holds a descriptor, so a tree that is deep is taken apart: what lies too far down is first moved
 * up.
 *
 * SPDX-License-Identifier: MIT */
#include "work/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "work/orphans.h"

enum { AS_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
enum {
    LEVELS = 32,
    MOVES_MAX = 1 << 20
}; /* far more than a tree needs: ends a race with one who makes it grow */

static char home[PATH_MAX - TASK_ID_LEN - 1]; /* absolute; set at the start */

struct removal {
    int top;          /* the folder of all scratch folders */
    const char *name; /* what is moved up is called name.N there */
    unsigned moves;   /* the next N */
};
enum { MOVED_LEN = TASK_ID_LEN + 12 };

static bool
is_entry(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void
moved_name(char ret_name[MOVED_LEN], const struct removal *r, unsigned n)
{
    (void)snprintf(ret_name, MOVED_LEN, "%s.%u", r->name, n);
}

static bool
move_up(struct removal *r, int parent, const char *name)
{
    char to[MOVED_LEN];

    while (r->moves < MOVES_MAX) {
        moved_name(to, r, r->moves++);
        if (renameat(parent, name, r->top, to) == 0)
            return true;
        if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) /* a crash left one */
            return false;
    }
    return false;
}

static bool remove_one(struct removal *r, int parent, const char *name, int level);

/* All that is in @folder, which is closed. */
static bool
remove_inside(struct removal *r, int folder, int level)
{
    DIR *d = fdopendir(folder);
    const struct dirent *entry;
    bool good = true;

    if (!d) {
        (void)close(folder);
        return false;
    }
    (void)fchmod(folder, 0700);
    while ((entry = readdir(d))) {
        if (is_entry(entry->d_name))
            good = remove_one(r, folder, entry->d_name, level) && good;
    }
    (void)closedir(d);
    return good;
}

static bool
remove_one(struct removal *r, int parent, const char *name, int level)
{
    int folder;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR)
        return false;
    folder = openat(parent, name, AS_FOLDER);
    if (folder < 0 && errno == EACCES && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        folder = openat(parent, name, AS_FOLDER);
    if (folder < 0)
        return false;
    if (level == LEVELS) {
        (void)fchmod(folder, 0700); /* a folder that cannot be written to cannot be moved */
        (void)close(folder);
        return move_up(r, parent, name);
    }
    return remove_inside(r, folder, level + 1) && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* Which may be moved up again in parts. */
static bool
remove_moved(struct removal *r)
{
    char name[MOVED_LEN];
    bool good = true;

    for (unsigned n = 0; n < r->moves; n++) {
        moved_name(name, r, n);
        good = remove_one(r, r->top, name, 1) && good;
    }
    return good;
}

/* One that stays is in the way of its task only. */
static void
empty(int folder, const char *path)
{
    struct removal r = {.top = folder, .name = "moved"};
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    bool good = copy >= 0 && remove_inside(&r, copy, 1);

    if (!remove_moved(&r) || !good)
        log_line(LOG_LEVEL_WARNING, "scratch_left", "folder=%s", path);
    (void)close(folder);
}

enum why
scratch_start(const char *data, struct fault *f)
{
    char path[PATH_MAX], real[PATH_MAX], why[96];
    int folder;

    if (snprintf(path, sizeof path, "%s/scratch", data) >= (int)sizeof path)
        return fault_set(f, WHY_INVALID, "data: the folder's name is too long");
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || (folder = open(path, AS_FOLDER)) < 0)
        return fault_set(f, WHY_INTERNAL, "making %.100s: %s", path,
                         strerror_r(errno, why, sizeof why));
    if (!realpath(path, real) || strlen(real) >= sizeof home) {
        (void)close(folder);
        return fault_set(f, WHY_INVALID, "data: the folder's name is too long");
    }
    memcpy(home, real, strlen(real) + 1);
    orphans_end(home);
    empty(folder, home);
    return WHY_OK;
}

bool
scratch_make(uint64_t number, char ret_path[PATH_MAX])
{
    char name[TASK_ID_LEN];

    task_id(name, number);
    (void)snprintf(ret_path, PATH_MAX, "%s/%s", home, name);
    if (mkdir(ret_path, 0700) == 0)
        return true;
    if (errno != EEXIST || !scratch_remove(number)) /* an earlier attempt's */
        return false;
    return mkdir(ret_path, 0700) == 0;
}

bool
scratch_remove(uint64_t number)
{
    char name[TASK_ID_LEN];
    struct removal r = {.top = open(home, AS_FOLDER), .name = name};
    bool good = false;

    task_id(name, number);
    for (int i = 0; i < 2 && r.top >= 0 && !good;
         i++) { /* one that was killed may have written on */
        good = remove_one(&r, r.top, name, 1);
        good = remove_moved(&r) && good;
    }
    if (r.top >= 0)
        (void)close(r.top);
    return good;
}
