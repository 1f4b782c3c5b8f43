/* wal.c - see wal.h.  The format is https://www.sqlite.org/fileformat2.html#walformat: a header of 32 bytes, then frames, each a header
 * of 24 bytes and a page.  A frame belongs to the log when it bears the header's salts (older ones stay behind when a log starts
 * over) and its checksum, taken over all frames so far, is right; it ends a transaction when it says how many pages the database has
 * then.
 *
 * Behind a frame that does not check, the others are where they were, and still bear the salts.  Where the header itself does not
 * check, the first frames tell the salts.
 *
 * SPDX-License-Identifier: MIT */
#include "store/wal.h"

#include <bobbin/annotate.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 32, FRAME_HEADER = 24, PAGE_LEAST = 512, PAGE_MOST = 65536, PAGE_USUAL = 4096 };
#define MAGIC 0x377f0682u /* its lowest bit: checksums take big-endian words */

/* In the place of a header.  SQLite looks for its magic number there, and finds none. */
static const char EMPTY[HEADER] = "bobbin: all in the database now\n";

struct wal {
    int fd;
    uint32_t page; /* bytes */
    bool big_endian;
    unsigned char salts[8];
    uint32_t sum[2];
    unsigned char frame[FRAME_HEADER + PAGE_MOST];
};

static uint32_t
big(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t
little(const unsigned char *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void
add_to_sum(struct wal *w, const unsigned char *data, size_t len)
{
    uint32_t a = w->sum[0], b = w->sum[1];

    for (size_t i = 0; i < len; i += 8) {
        a += (w->big_endian ? big(data + i) : little(data + i)) + b;
        b += (w->big_endian ? big(data + i + 4) : little(data + i + 4)) + a;
    }
    w->sum[0] = a;
    w->sum[1] = b;
}

static bool
is_sum(const struct wal *w, const unsigned char *at)
{
    return big(at) == w->sum[0] && big(at + 4) == w->sum[1];
}

static bool
is_page_size(uint32_t n)
{
    return n >= PAGE_LEAST && n <= PAGE_MOST && (n & (n - 1)) == 0;
}

/* Fills @ret with what is at @at, up to the end of the file; *ret_len says how much that was.  False: errno. */
static bool
read_at(int fd, void *ret, size_t len, int64_t at, size_t *ret_len)
{
    size_t had = 0;
    ssize_t n = 1;

    while (had < len && n > 0) {
        n = pread(fd, (char *)ret + had, len - had, at + (int64_t)had);
        if (n < 0 && errno != EINTR)
            return false;
        had += n > 0 ? (size_t)n : 0;
        n = n < 0 ? 1 : n; /* interrupted: again */
    }
    *ret_len = had;
    return true;
}

static int64_t
frame_at(const struct wal *w, int64_t i)
{
    return HEADER + i * (FRAME_HEADER + (int64_t)w->page);
}

/* Reads frame @i, of it @len bytes.  *ret_there false: the log has none. */
static bool
read_frame(struct wal *w, int64_t i, size_t len, bool *ret_there)
{
    size_t had;

    if (!read_at(w->fd, w->frame, len, frame_at(w, i), &had))
        return false;
    *ret_there = had == len;
    return true;
}

static bool
is_ours(const struct wal *w)
{
    return memcmp(w->frame + 8, w->salts, sizeof w->salts) == 0;
}

/* Whether the frame just read whole goes on from those before. */
static bool
checks(struct wal *w)
{
    if (big(w->frame) == 0 || !is_ours(w))
        return false;
    add_to_sum(w, w->frame, 8);
    add_to_sum(w, w->frame + FRAME_HEADER, w->page);
    return is_sum(w, w->frame + 16);
}

/* ---- the header ---- */

static bool
take_header(struct wal *w, const unsigned char *header)
{
    uint32_t page = big(header + 8);

    if ((big(header) & ~1u) != MAGIC || !is_page_size(page))
        return false;
    w->big_endian = big(header) & 1;
    add_to_sum(w, header, 24);
    if (!is_sum(w, header + 24))
        return false;
    w->page = page;
    memcpy(w->salts, header + 16, sizeof w->salts);
    return true;
}

/* Or has been, before a byte of it decayed: no header has so much of it. */
static bool
is_marked_empty(const unsigned char *header)
{
    int same = 0;

    for (int i = 0; i < HEADER; i++)
        same += header[i] == (unsigned char)EMPTY[i];
    return same >= HEADER - 8;
}

bool
wal_mark_empty(int fd)
{
    return pwrite(fd, EMPTY, sizeof EMPTY, 0) == sizeof EMPTY && fsync(fd) == 0;
}

/* The header does not check: the size of a page is the database's, and the salts are those that two of the first three frames
 * bear, or the first. */
static bool
guess_header(struct wal *w, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char two[2] = {0}, seen[3][8] = {{0}};
    size_t len = 0;
    bool there = true;

    if (fd >= 0) {
        (void)read_at(fd, two, sizeof two, 16, &len);
        (void)close(fd);
    }
    w->page = (uint32_t)two[0] << 8 | two[1];
    if (w->page == 1)
        w->page = PAGE_MOST; /* which two bytes cannot say */
    if (!is_page_size(w->page))
        w->page = PAGE_USUAL;
    for (int i = 0; i < 3 && there; i++) {
        if (!read_frame(w, i, FRAME_HEADER, &there))
            return false;
        if (there)
            memcpy(seen[i], w->frame + 8, sizeof seen[i]);
    }
    memcpy(w->salts, seen[memcmp(seen[1], seen[2], sizeof seen[1]) == 0 && there], sizeof w->salts);
    return true;
}

/* ---- the frames ---- */

static bool
count_commits(struct wal *w, int64_t from, int64_t *ret)
{
    static const unsigned char none[8];
    int64_t n = 0;
    bool there = true;

    for (int64_t i = from; there; i++) {
        if (!read_frame(w, i, FRAME_HEADER, &there))
            return false;
        n += there && is_ours(w) && big(w->frame + 4) > 0;
    }
    *ret = memcmp(w->salts, none, sizeof none) == 0 ? 0 : n;
    return true;
}

static bool
scan(struct wal *w, const char *path, struct wal_cut *ret)
{
    unsigned char header[HEADER];
    size_t len;
    int64_t i = 0;
    bool there = true;

    if (!read_at(w->fd, header, sizeof header, 0, &len))
        return false;
    if (len < sizeof header || is_marked_empty(header))
        return true; /* nothing is in it */
    if (!take_header(w, header)) {
        ret->at = 0;
        return guess_header(w, path) && count_commits(w, 0, &ret->commits);
    }
    for (;; i++) {
        if (!read_frame(w, i, FRAME_HEADER + w->page, &there))
            return false;
        if (!there || !checks(w))
            break;
    }
    ret->at = frame_at(w, i);
    return count_commits(w, i + 1, &ret->commits);
}

enum why
wal_scan(const char *path, struct wal_cut *ret, struct fault *f)
{
    struct wal *w = calloc(1, sizeof *w);
    struct wal_cut cut = {0};
    char log[4096], reason[128];
    enum why why = WHY_OK;

    if (!w)
        return fault_set(f, WHY_NO_MEMORY, "no memory to read the store's log");
    (void)snprintf(log, sizeof log, "%s-wal", path);
    w->fd = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (w->fd < 0 ? errno != ENOENT : !scan(w, path, &cut))
        why = fault_set(f, WHY_INTERNAL, "cannot read the store's log (%s): %s",
                        strerror_r(errno, reason, sizeof reason), log);
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w);
    if (!why)
        *ret = cut;
    return why;
}
