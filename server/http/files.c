/* files.c - see files.h.
 *
 * A set of files is read whole and never changed; who answers takes a reference to the set, so that a reload is one
 * exchanged pointer.  Each file is two of MHD's objects made beforehand: the file, and "not modified".
 *
 * SPDX-License-Identifier: MIT */
#include "http/files.h"

#include <bobbin/lock.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lockorder.h"
#include "base/log.h"
#include "http/exchange.h"

enum { FILES_MAX = 1000, DEPTH_MAX = 8, PATH_BYTES = 512 };
#define BYTES_MAX (INT64_C(64) << 20)

struct file {
    char *path; /* "/js/main.js" */
    char *bytes;
    size_t len;
    char etag[24];
    struct MHD_Response *whole, *unchanged;
};
struct set {
    struct file file[FILES_MAX]; /* sorted by path */
    size_t len;
    int64_t bytes;
    int refs BOB_GUARDED_BY(L_SLOT);
};
struct files {
    char *folder;
    struct bob_lock lock; /* class L_SLOT */

    struct set *set BOB_GUARDED_BY(L_SLOT);
};
/* What a reply holds on to until it is queued. */
struct grip {
    struct files *files;
    struct set *set;
};

static void
files_lock(struct files *files) BOB_ACQUIRES(L_SLOT)
{
    bob_lock_hold(&files->lock);
}

static void
files_unlock(struct files *files) BOB_RELEASES(L_SLOT)
{
    bob_lock_release(&files->lock);
}

static void
set_free(struct set *set)
{
    for (size_t i = 0; set && i < set->len; i++) {
        struct file *file = &set->file[i];

        if (file->whole)
            MHD_destroy_response(file->whole);
        if (file->unchanged)
            MHD_destroy_response(file->unchanged);
        free(file->path);
    }
    free(set);
}

/* ---- reading ---- */

static const char *
type_of(const char *path)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".json", "application/json"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
        {".map", "application/json"},
    };
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t end = strlen(types[i].end);

        if (len > end && strcmp(path + len - end, types[i].end) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* FNV-1a: it must only differ when the file does, and be the same in the next run. */
static void
make_etag(struct file *file)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < file->len; i++)
        hash = (hash ^ (unsigned char)file->bytes[i]) * UINT64_C(1099511628211);
    (void)snprintf(file->etag, sizeof file->etag, "\"%016" PRIx64 "\"", hash);
}

static bool
add_headers(struct MHD_Response *r, const struct file *file, bool whole)
{
    static const char *const safe[][2] = {
        {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                                    "img-src 'self' data:; connect-src 'self'; "
                                    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},
    };
    bool ok = response_header(r, "ETag", file->etag) && response_always(r, true);

    if (whole)
        ok = ok && response_header(r, "Content-Type", type_of(file->path));
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++)
        ok = ok && response_header(r, safe[i][0], safe[i][1]);
    return ok;
}

/* Takes @bytes, also when it fails. */
static bool
make_responses(struct file *file)
{
    make_etag(file);
    file->whole = MHD_create_response_from_buffer(file->len, file->bytes, MHD_RESPMEM_MUST_FREE);
    if (!file->whole)
        free(file->bytes);
    file->unchanged =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    return file->whole && file->unchanged && add_headers(file->whole, file, true) &&
           add_headers(file->unchanged, file, false);
}

static enum why
read_file(struct set *set, int fd, const char *path, int64_t size, struct fault *f)
{
    struct file *file = &set->file[set->len];
    size_t got = 0;

    if (set->len == FILES_MAX || (set->bytes += size) > BYTES_MAX)
        return fault_set(f, WHY_INVALID, "www: more than %d files or 64 MiB", FILES_MAX);
    *file =
        (struct file){.path = strdup(path), .bytes = malloc((size_t)size + 1), .len = (size_t)size};
    if (!file->path || !file->bytes) {
        free(file->path);
        free(file->bytes);
        return fault_set(f, WHY_NO_MEMORY, "www: no memory for %s", path);
    }
    while (got < file->len) {
        ssize_t n = read(fd, file->bytes + got, file->len - got);

        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            free(file->path);
            free(file->bytes);
            return fault_set(f, WHY_INTERNAL, "www: cannot read %s", path);
        }
        got += n > 0 ? (size_t)n : 0;
    }
    set->len++;
    return make_responses(file) ? WHY_OK
                                : fault_set(f, WHY_NO_MEMORY, "www: no memory for %s", path);
}

static enum why read_folder(struct set *set, int fd, const char *path, int depth, struct fault *f);

static enum why
read_entry(struct set *set, int folder, const char *name, const char *path, int depth,
           struct fault *f)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    struct stat st;
    enum why why = WHY_OK;

    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) /* a link, a socket */
        return WHY_OK;
    if (fd < 0 || fstat(fd, &st)) {
        if (fd >= 0)
            (void)close(fd);
        return fault_set(f, WHY_INTERNAL, "www: %s: %s", path, strerrordesc_np(errno));
    }
    if (S_ISDIR(st.st_mode))
        return read_folder(set, fd, path, depth + 1, f);
    if (S_ISREG(st.st_mode))
        why = read_file(set, fd, path, st.st_size, f);
    (void)close(fd);
    return why;
}

/* Takes @fd. */
static enum why
read_folder(struct set *set, int fd, const char *path, int depth, struct fault *f)
{
    DIR *dir = depth < DEPTH_MAX ? fdopendir(fd) : NULL;
    char child[PATH_BYTES];

    if (!dir) {
        (void)close(fd);
        return fault_set(f, WHY_INTERNAL, "www: cannot read the folder %s/", path);
    }
    for (const struct dirent *entry; !f->why && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        if ((size_t)snprintf(child, sizeof child, "%s/%s", path, entry->d_name) >= sizeof child)
            fault_set(f, WHY_INVALID, "www: a path is too long");
        else
            (void)read_entry(set, dirfd(dir), entry->d_name, child, depth, f);
    }
    (void)closedir(dir);
    return f->why;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

BOB_UNSHARED static struct set *
read_set(const char *folder, struct fault *f)
{
    struct set *set = calloc(1, sizeof *set);

    if (!set) {
        fault_set(f, WHY_NO_MEMORY, "www: no memory");
        return NULL;
    }
    set->refs = 1;
    if (!*folder)
        return set;
    int fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0)
        fault_set(f, WHY_INVALID, "www: %s: %s", folder, strerrordesc_np(errno));
    else
        (void)read_folder(set, fd, "", 0, f);
    if (f->why) {
        set_free(set);
        return NULL;
    }
    qsort(set->file, set->len, sizeof set->file[0], by_path);
    return set;
}

/* ---- the door ---- */

BOB_UNSHARED struct files *
files_load(const char *folder, struct fault *f)
{
    struct files *files = calloc(1, sizeof *files);

    if (!files || !(files->folder = strdup(folder))) {
        free(files);
        fault_set(f, WHY_NO_MEMORY, "www: no memory");
        return NULL;
    }
    bob_lock_init(&files->lock, LOCK_CLASS(L_SLOT));
    files->set = read_set(folder, f);
    if (!files->set) {
        files_free(files);
        return NULL;
    }
    return files;
}

BOB_UNSHARED void
files_free(struct files *files)
{
    if (!files)
        return;
    set_free(files->set);
    bob_lock_fini(&files->lock);
    free(files->folder);
    free(files);
}

static void
let_go(struct files *files, struct set *set)
{
    files_lock(files);
    bool last = --set->refs == 0;
    files_unlock(files);
    if (last)
        set_free(set);
}

enum why
files_reload(struct files *files)
{
    struct fault f = {0};
    struct set *fresh = read_set(files->folder, &f);

    if (!fresh) {
        log_line(LOG_LEVEL_ERROR, "www_not_reloaded", "why=\"%s\"", f.detail);
        return f.why;
    }
    log_line(LOG_LEVEL_INFO, "www_reloaded", "files=%zu", fresh->len);
    files_lock(files);
    struct set *old = files->set;
    files->set = fresh;
    files_unlock(files);
    let_go(files, old);
    return WHY_OK;
}

static void
release(void *arg)
{
    struct grip *grip = arg;

    let_go(grip->files, grip->set);
    free(grip);
}

enum why
files_reply(struct files *files, const char *path, struct request *req, struct reply *reply)
{
    const char *wanted = path ? path : request_path(req);
    const struct file key = {
        .path = (char *)(uintptr_t)(strcmp(wanted, "/") == 0 ? "/index.html" : wanted)};
    struct grip *grip = malloc(sizeof *grip);

    if (!grip)
        return fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the answer");
    files_lock(files);
    struct set *set = files->set;
    set->refs++;
    files_unlock(files);
    *grip = (struct grip){files, set};

    const struct file *file = bsearch(&key, set->file, set->len, sizeof set->file[0], by_path);
    if (!file) {
        release(grip);
        return fault_set(request_fault(req), WHY_NOT_FOUND, "%.150s: no such file", wanted);
    }
    const char *known = request_header(req, "If-None-Match");
    bool same = known && (strstr(known, file->etag) || strcmp(known, "*") == 0);
    reply_made(reply, same ? 304 : 200, same ? file->unchanged : file->whole, same ? 0 : file->len,
               release, grip);
    return WHY_OK;
}
