/* download.c - the kind download: a URL to a file, whole or not at all.
 *
 * A name is reserved to its task by standing in that task's own folder: a second attempt replaces what the first one left, and
 * nobody else's.  Every path is one component below a folder that is held open, and no link is followed.
 *
 * SPDX-License-Identifier: MIT */
#include "work/download.h"

#if defined(HAVE_CURL) && defined(HAVE_NETTLE)

#include <bobbin/time.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "work/address.h"
#include "work/kinds.h"
#include "work/transfer.h"

#define PARTIALS ".partial"
#define FALLBACK_NAME "download"

enum { FILE_NAME_MAX = 200, AS_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct download_args {
    const char *url, *filename;
    int64_t max_redirects;
};

struct saving {
    struct run *run;
    int folder, partials, file; /* descriptors; -1: not open */
    char task[TASK_ID_LEN];     /* the name of its partial file, and of its folder */
    bool has_partial;
    struct sha256 hash;
};

/* ---- names ---- */

static bool
may_be_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._:~+,=@-", c));
}

static const char *
wrong_filename(const char *text)
{
    if (*text == '.')
        return "must not begin with a dot";
    for (; *text; text++) {
        if (!may_be_in_name(*text))
            return "may hold letters, digits and ._:~+,=@- only";
    }
    return NULL;
}

/* The last part of the URL's path, with '_' for what a name may not hold. */
static void
name_from_url(char ret_name[FILE_NAME_MAX + 1], const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');
    size_t len = path ? strcspn(path, "?#") : 0;
    const char *last = path;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (path[i] == '/')
            last = path + i + 1;
    }
    for (; path && last < path + len && n < FILE_NAME_MAX; last++)
        ret_name[n++] = may_be_in_name(*last) ? *last : '_';
    ret_name[n] = '\0';
    if (ret_name[0] == '.' ||
        ret_name[0] == '-') /* hidden from ls, or an option to whoever writes rm * */
        ret_name[0] = '_';
    if (n == 0)
        memcpy(ret_name, FALLBACK_NAME, sizeof FALLBACK_NAME);
}

/* ---- files ---- */

/* clang-format off */
static const struct {
    int of;
    const char *code;
    bool retry;
} io_failures[] = {
    {ENOSPC, "disk_full",     true},
    {EDQUOT, "disk_full",     true},
    {ENOMEM, "out_of_memory", true},
    {EMFILE, "io_failed",     true},
    {ENFILE, "io_failed",     true},
    {0,      "io_failed",     false}, /* all others */
};
/* clang-format on */

static bool
fail_io(struct run *run, const char *doing)
{
    size_t i = 0;
    char why[96];

    while (io_failures[i].of != errno && io_failures[i].of != 0)
        i++;
    return run_fail(run, io_failures[i].retry, io_failures[i].code, "%s: %s", doing,
                    strerror_r(errno, why, sizeof why));
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
saving_end(struct saving *s)
{
    close_fd(&s->file);
    if (s->has_partial)
        (void)unlinkat(s->partials, s->task, 0);
    close_fd(&s->partials);
    close_fd(&s->folder);
}

static bool
saving_start(struct saving *s, struct run *run)
{
    s->run = run;
    task_id(s->task, run->number);
    sha256_start(&s->hash);
    s->folder = run->folder ? open(run->folder, AS_FOLDER) : -1;
    if (s->folder < 0)
        return fail_io(run, "opening the folder for files");
    s->partials = openat(s->folder, PARTIALS, AS_FOLDER);
    if (s->partials < 0)
        return fail_io(run, "opening the folder for partial files");
    if (unlinkat(s->partials, s->task, 0) != 0 && errno != ENOENT)
        return fail_io(run, "removing an earlier attempt's file");
    s->file =
        openat(s->partials, s->task, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->file < 0)
        return fail_io(run, "making the file");
    s->has_partial = true;
    return true;
}

static bool
save(struct transfer *t, const void *data, size_t len)
{
    struct saving *s = t->arg;
    const char *at = data;
    size_t left = len;

    while (left > 0) {
        ssize_t n = write(s->file, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_io(s->run, "writing");
        at += n;
        left -= (size_t)n;
    }
    sha256_add(&s->hash, data, len);
    s->run->tell(s->run, t->bytes, t->total, "bytes");
    return true;
}

/* Gives the whole file its final name, durably. */
static bool
finish(struct saving *s, const char *name)
{
    int home BOB_CLEANUP(close_fd) = -1;

    if (fsync(s->file) != 0)
        return fail_io(s->run, "syncing the file");
    if (mkdirat(s->folder, s->task, 0700) != 0 && errno != EEXIST)
        return fail_io(s->run, "making the task's folder");
    home = openat(s->folder, s->task, AS_FOLDER);
    if (home < 0)
        return fail_io(s->run, "opening the task's folder");
    if (renameat(s->partials, s->task, home, name) != 0)
        return fail_io(s->run, "naming the file");
    s->has_partial = false;
    if (fsync(home) != 0 || fsync(s->folder) != 0)
        return fail_io(s->run, "syncing the folder");
    return true;
}

static bool
run_download(struct run *run)
{
    const struct download_args *args = run->args;
    struct saving s BOB_CLEANUP(saving_end) = {.folder = -1, .partials = -1, .file = -1};
    struct transfer t = {
        .from = args->url,
        .run = run,
        .refuse = run->config->allow_private_fetch ? NULL : address_refusal,
        .max_bytes = run->config->max_download,
        .max_redirects = args->max_redirects,
        .write = save,
        .arg = &s,
    };
    char name[FILE_NAME_MAX + 1], hex[SHA256_HEX_LEN],
        path[sizeof "files/" + TASK_ID_LEN + FILE_NAME_MAX];
    bob_time began = bob_now();

    if (!saving_start(&s, run) || !transfer_get(&t))
        return false;
    run->tell(run, t.bytes, t.bytes, "bytes");
    if (args->filename)
        (void)snprintf(name, sizeof name, "%s", args->filename);
    else
        name_from_url(name, t.url);
    if (!finish(&s, name))
        return false;

    sha256_hex(&s.hash, hex);
    (void)snprintf(path, sizeof path, "files/%s/%s", s.task, name);
    json_open(&run->result, '{');
    json_text(&run->result, "path", path);
    json_int(&run->result, "bytes", t.bytes);
    json_text(&run->result, "sha256", hex);
    json_text(&run->result, "url", t.url);
    json_int(&run->result, "status", t.status);
    json_text(&run->result, "content_type", t.content_type[0] ? t.content_type : NULL);
    json_seconds(&run->result, "seconds", bob_now() - began);
    json_close(&run->result, '}');
    return true;
}

/* clang-format off */
const struct kind kind_download = {
    .name = "download",
    .doc = "fetches a URL into a file below the data folder, where it stays; its result is the path, size and SHA-256",
    .args_size = sizeof(struct download_args),
    .run = run_download,
    .args = (const struct arg[]){
        {.name = "url", .type = ARG_URL, .offset = offsetof(struct download_args, url), .required = true,
         .least = 1, .most = TRANSFER_URL_MAX, .doc = "what to fetch, by http or https"},
        {.name = "filename", .type = ARG_TEXT, .offset = offsetof(struct download_args, filename),
         .least = 1, .most = FILE_NAME_MAX, .wrong = wrong_filename,
         .doc = "name of the file in the task's own folder (default: the last part of the URL)"},
        {.name = "max_redirects", .type = ARG_INT, .offset = offsetof(struct download_args, max_redirects),
         .least = 0, .most = 100, .fallback = "20", .doc = "redirects that are followed, at most"},
        {0},
    },
};
/* clang-format on */

/* ---- at start ---- */

static enum why
fault_io(struct fault *f, const char *doing, const char *folder)
{
    char why[96];

    return fault_set(f, WHY_INTERNAL, "%s %.100s: %s", doing, folder,
                     strerror_r(errno, why, sizeof why));
}

static void
close_folder(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

static enum why
remove_dead(int partials, const char *folder, struct fault *f)
{
    int fd = dup(partials);
    DIR *d BOB_CLEANUP(close_folder) = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!d) {
        close_fd(&fd);
        return fault_io(f, "reading the partial files in", folder);
    }
    while ((entry = readdir(d))) {
        if (entry->d_name[0] != '.' && unlinkat(partials, entry->d_name, 0) != 0)
            return fault_io(f, "removing a partial file in", folder);
    }
    return WHY_OK;
}

enum why
downloads_start(const char *folder, struct fault *f)
{
    int fd BOB_CLEANUP(close_fd) = -1;
    int partials BOB_CLEANUP(close_fd) = -1;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fault_io(f, "making", folder);
    fd = open(folder, AS_FOLDER);
    if (fd < 0 || (mkdirat(fd, PARTIALS, 0700) != 0 && errno != EEXIST))
        return fault_io(f, "opening", folder);
    partials = openat(fd, PARTIALS, AS_FOLDER);
    if (partials < 0)
        return fault_io(f, "opening the partial files in", folder);
    return remove_dead(partials, folder, f);
}

#endif
