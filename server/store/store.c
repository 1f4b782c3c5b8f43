/* store.c - the data folder: made, locked, its database opened and brought up to date; see store.h.
 *
 * Names of new files are synced with their folder, and a new folder with its parent: a database whose name is lost in a
 * power cut is a lost database.  Opening ends with a whole checkpoint: what a crash left in the log (perhaps never
 * synced, if that was the crash) is durable before anybody is told of it.
 *
 * SPDX-License-Identifier: MIT */
#include "store/store.h"

#include "base/config.h"
#include "base/log.h"
#include "base/notify.h"
#include "store/fold.h"
#include "store/parts.h"
#include "store/schema.h"
#include "store/verify.h"
#include "store/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum why
system_fault(struct fault *f, const char *doing, const char *path)
{
    char reason[128];
    int code = errno;

    return fault_set(
        f, code == ENOSPC || code == EDQUOT ? WHY_STORE_FULL : WHY_INTERNAL, "cannot %s (%s%s): %s",
        doing, strerror_r(code, reason, sizeof reason),
        code == EROFS && notify_is_service() ? ", unless the unit names it in ReadWritePaths=" : "",
        path);
}

static enum why
no_memory(struct fault *f)
{
    return fault_set(f, WHY_NO_MEMORY, "no memory to open the store");
}

static char *
joined(const char *first, const char *second)
{
    size_t cap = strlen(first) + strlen(second) + 1;
    char *path = malloc(cap);

    if (path)
        (void)snprintf(path, cap, "%s%s", first, second);
    return path;
}

static void
free_text(char *const *text)
{
    free(*text);
}
#define AUTO_TEXT BOB_CLEANUP(free_text) char

/* ---- the folder ---- */

static enum why
sync_folder(const char *path, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    enum why why = synced ? WHY_OK : system_fault(f, "sync the folder", path);

    if (fd >= 0)
        (void)close(fd);
    return why;
}

static enum why
sync_parent(const char *path, struct fault *f)
{
    AUTO_TEXT *parent = strdup(path);
    char *slash;

    if (!parent)
        return no_memory(f);
    slash = strrchr(parent, '/');
    if (!slash)
        return sync_folder(".", f);
    if (slash == parent)
        return sync_folder("/", f);
    *slash = '\0';
    return sync_folder(parent, f);
}

/* Makes the folder and those above it that are missing. */
static enum why
make_folder(const char *folder, struct fault *f)
{
    AUTO_TEXT *path = strdup(folder);
    struct stat st;

    if (!path)
        return no_memory(f);
    if (!*path)
        return fault_set(f, WHY_INVALID, "data: no folder is named");
    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    for (char *at = path + 1;; at++) {
        char was = *at;

        if (was != '/' && was != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) == 0) {
            enum why why = sync_parent(path, f);

            if (why)
                return why;
        } else if (errno != EEXIST) { /* one that is there may refuse in other ways */
            int refused = errno;

            if (stat(path, &st) != 0) {
                errno = refused;
                return system_fault(f, "make the folder", path);
            }
        }
        *at = was;
        if (was == '\0')
            break;
    }
    if (stat(path, &st) != 0)
        return system_fault(f, "look at the data folder", path);
    if (!S_ISDIR(st.st_mode))
        return fault_set(f, WHY_INVALID, "data: not a folder: %s", path);
    return WHY_OK;
}

static enum why
make_files_folder(const char *folder, struct fault *f)
{
    AUTO_TEXT *path = joined(folder, "/files");

    if (!path)
        return no_memory(f);
    return mkdir(path, 0700) == 0 || errno == EEXIST ? WHY_OK
                                                     : system_fault(f, "make the folder", path);
}

/* ---- the lock ---- */

static long
holder_of(int fd)
{
    char text[24] = "";

    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static enum why
take_lock(struct store *s, struct fault *f)
{
    AUTO_TEXT *path = joined(s->folder, "/lock");
    char text[24];
    int len;

    if (!path)
        return no_memory(f);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return system_fault(f, "open the lock file", path);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return system_fault(f, "lock the data folder", path);
        return fault_set(f, WHY_INTERNAL,
                         "the data folder is in use by another bobbind (process %ld): "
                         "stop that one, or give another folder with --data: %s",
                         holder_of(s->lock_fd), s->folder);
    }
    /* For whoever finds it locked; on a full disk it stays empty. */
    len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, text, (size_t)len, 0) != len)
        log_line(LOG_LEVEL_DEBUG, "lock file not written", "folder=%s", s->folder);
    return WHY_OK;
}

/* ---- the database ---- */

static enum why
look_at_log(struct store *s, bool accept_cut, struct fault *f)
{
    struct wal_cut cut = {0};
    enum why why = s->relaxed ? WHY_OK : wal_scan(s->path, &cut, f);

    if (why || cut.commits < WAL_COMMITS_DAMAGE)
        return why;
    if (!accept_cut)
        return fault_set(f, WHY_INVALID,
                         "the store's log is damaged at byte %" PRId64 ", and the %" PRId64
                         " commits behind that would be lost: put a backup in its place, or lose "
                         "them with --accept-cut-log: %s-wal",
                         cut.at, cut.commits, s->path);
    log_line(LOG_LEVEL_WARNING, "log cut", "commits=%" PRId64 " byte=%" PRId64 " file=%s-wal",
             cut.commits, cut.at, s->path);
    s->is_cut = true;
    return WHY_OK;
}

/* Reads everything before it writes anything, so that a refused store stays as it was found. */
static enum why
open_database(struct store *s, struct fault *f)
{
    enum stored got;
    enum why why = WHY_OK;
    int left;

    if (sqlite_open(&s->db, s->path, f))
        why = f->why;
    if (!why)
        why = schema_check(s->db, s->path, f);
    if (!why && sqlite_settle(s->db, f))
        why = f->why;
    if (!why)
        why = sqlite_fault(s->db, sqlite_examine(s->db), "examine the store", f);
    if (!why)
        why = schema_migrate(s->db, f);
    if (!why)
        why = verify_rows(s->db, &s->tally, f);
    if (!why && s->tally.last_seq < s->least_seq)
        why = fault_set(f, WHY_INVALID, "the log is older than the database");
    if (why)
        return why;

    got = sqlite_checkpoint(s->db, CHECKPOINT_RESTART, &left);
    if (!got)
        got = sqlite_prepare(s->db);
    if (!got)
        got = sqlite_keep_log(s->db, s->room.half_bytes);
    s->is_open = !got;
    return sqlite_fault(s->db, got, "open the store", f);
}

static void
close_database(struct store *s)
{
    sqlite_close(s->db);
    s->db = NULL;
    s->is_open = false;
}

/* The log has been cut.  What is left of it may be older than the database, where a checkpoint had gone further: laid over that, it would
 * not fit, or hide what is newer.  So the database alone is opened first, and the log counts only if it adds to that. */
static enum why
open_cut(struct store *s, struct fault *f)
{
    AUTO_TEXT *log = joined(s->path, "-wal"), *aside = joined(s->path, "-wal.cut");
    struct fault unsaid = {0};

    if (!log || !aside)
        return no_memory(f);
    if (rename(log, aside) != 0)
        return system_fault(f, "put the damaged log aside", log);
    if (!open_database(s, &unsaid))
        s->least_seq = s->tally.last_seq;
    close_database(s);
    if (rename(aside, log) != 0)
        return system_fault(f, "put the damaged log back", log);
    unsaid = (struct fault){0};
    if (!open_database(s, &unsaid))
        return WHY_OK;
    close_database(s);
    if (rename(log, aside) != 0)
        return system_fault(f, "put the damaged log aside", log);
    log_line(LOG_LEVEL_WARNING, "log left out", "moved_to=%s", aside);
    return open_database(s, f);
}

static enum why
open_parts(struct store *s, const struct store_options *o, struct fault *f)
{
    enum why why;

    s->folder = strdup(o->folder);
    s->path = joined(o->folder, "/store.db");
    s->relaxed = o->durability == DURABILITY_RELAXED;
    s->changes_kept = o->changes_kept ? o->changes_kept : CHANGES_KEPT;
    if (!s->folder || !s->path)
        return no_memory(f);

    why = make_folder(s->folder, f);
    if (!why)
        why = take_lock(s, f);
    if (!why)
        why = make_files_folder(s->folder, f);
    if (!why)
        why = room_open(&s->room, s->folder, s->path, o->reserve_bytes, f);
    if (!why)
        why = look_at_log(s, o->accept_cut_log, f);
    if (!why)
        why = s->is_cut ? open_cut(s, f) : open_database(s, f);
    if (why)
        return why;
    return sync_folder(s->folder, f);
}

enum why
store_open(struct store **ret, const struct store_options *o, struct fault *f)
{
    struct store *s = calloc(1, sizeof *s);
    enum why why;

    if (!s)
        return no_memory(f);
    s->lock_fd = s->room.folder_fd = s->room.db_fd = s->room.log_fd = -1;
    why = open_parts(s, o, f);
    if (why)
        store_close(s);
    else
        *ret = s;
    return why;
}

void
store_close(struct store *s)
{
    int left = 1;
    bool all_moved;

    if (!s)
        return;
    all_moved = s->is_open && !sqlite_checkpoint(s->db, CHECKPOINT_RESTART, &left) && left == 0;
    sqlite_close(s->db);
    room_close(&s->room, all_moved);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    free(s->path);
    free(s->folder);
    free(s);
}

const char *
store_folder(const struct store *s)
{
    return s->folder;
}
