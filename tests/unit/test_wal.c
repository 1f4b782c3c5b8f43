/* test_wal.c - store/wal.c, and what store.c makes of it: a log that was cut by a power cut is taken silently, one that has decayed
 * only when told to.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/store_world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/sqlite.h"
#include "store/wal.h"

enum { PAGE = 4096, HEADER = 32, FRAME = 24 + PAGE, COMMITS = 300 };

struct image {
    unsigned char *bytes;
    size_t len;
};

/* A store as a crash leaves it. */
struct left {
    struct image database, log;
    long frames;
};

/* Another process looks: closing a file here that SQLite has open would drop its locks. */
static struct image
image_of(const struct world *w, const char *name)
{
    char path[96], copy[96];
    struct image m = {0};
    struct stat st;
    pid_t child = fork();
    int status, fd;

    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    (void)snprintf(copy, sizeof copy, "%s/copy", w->folder);
    if (child == 0) {
        (void)execlp("cp", "cp", path, copy, (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fd = open(copy, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    m.len = (size_t)st.st_size;
    m.bytes = malloc(m.len);
    assert_non_null(m.bytes);
    assert_int_equal(read(fd, m.bytes, m.len), m.len);
    assert_int_equal(close(fd), 0);
    return m;
}

static struct sqlite *
look_in(const struct world *w, const char *sql)
{
    struct sqlite *db = world_database(w);

    if (sqlite_exec(db, sql))
        fail_msg("%s: %s", sql, sqlite_error(db));
    return db;
}

/* Of several pages, so that a commit is of several frames. */
static const char *
large(void)
{
    static char record[9001];

    memset(record, 'x', sizeof record - 1);
    return record;
}

/* Change n says that thing n is there. */
static void
commit(struct world *w, int from, int to)
{
    for (int i = from; i < to; i++) {
        char name[80];
        struct promise p;

        (void)snprintf(name, sizeof name, "thing-%d-%060d", i, i);
        promise_make(w, &p, change_one(w, "lock", name, large()));
        assert_int_equal(promise_wait(&p), WHY_OK);
    }
}

enum how {
    ALL_IN_THE_LOG,  /* somebody reads, so that no checkpoint gets on */
    IN_THE_DATABASE, /* a checkpoint has moved all, and the log has not started over */
    STARTED_OVER     /* and then the log has: a few frames, and old ones behind */
};

/* The store's own checkpointer may be at it: then SQLite answers that it did nothing. */
static void
move_all(struct sqlite *db)
{
    int64_t busy = 1;

    for (int i = 0; i < 10 && busy; i++) /* each waits up to five seconds for the other */
        assert_int_equal(sqlite_number(db, "PRAGMA wal_checkpoint(RESTART)", &busy), STORED_OK);
    assert_int_equal(busy, 0);
}

static struct left
make_left(enum how how, int commits)
{
    struct world w = {0};
    struct sqlite *reader;
    struct left l;

    world_open(&w);
    world_start(&w);
    reader = look_in(&w, "BEGIN; SELECT count(*) FROM change;");
    commit(&w, 0, commits);
    if (how != ALL_IN_THE_LOG) {
        assert_int_equal(sqlite_exec(reader, "COMMIT"), STORED_OK);
        move_all(reader);
    }
    if (how == STARTED_OVER)
        commit(&w, commits, commits + 6);
    l.log = image_of(&w, "store.db-wal");
    l.database = image_of(&w, "store.db");
    l.frames = (long)(l.log.len - HEADER) / FRAME;
    sqlite_close(reader);
    world_end(&w);
    return l;
}

static void
free_left(struct left *l)
{
    free(l->database.bytes);
    free(l->log.bytes);
}

static void
put(const struct world *w, const char *name, const struct image *m, size_t len)
{
    char path[96];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, m->bytes, len), len);
    assert_int_equal(close(fd), 0);
}

/* How many things a start finds, the oldest first and none missing; -1: it is refused, and says so. */
static int
start_on(const struct left *l, size_t log_len, struct world *w, struct fault *f)
{
    struct recovered r;
    int n;

    temp_folder_make(w->folder);
    put(w, "store.db", &l->database, l->database.len);
    put(w, "store.db-wal", &l->log, log_len);
    if (world_try_open(w, f)) {
        if (strstr(f->detail, w->folder) == NULL)
            fail_msg("\"%s\"", f->detail);
        world_end(w);
        return -1;
    }
    r = world_recover(w);
    n = (int)r.n;
    for (int i = 0, at = 0; i < n; i++) {
        static char line[9200];
        int len = snprintf(line, sizeof line, "lock thing-%d-%060d=%s\n", i, i, large());

        assert_memory_equal(r.text + at, line, len);
        at += len;
    }
    free(r.text);
    world_end(w);
    return n;
}

static int
start(const struct left *l)
{
    struct world w = {0};
    struct fault f = {0};
    int n = start_on(l, l->log.len, &w, &f);

    if (n < 0)
        fail_msg("%s", f.detail);
    return n;
}

static void
refused(const struct left *l, const char *what, long at)
{
    struct world w = {0};
    struct fault f = {0};

    if (start_on(l, l->log.len, &w, &f) >= 0)
        fail_msg("%s %ld: served", what, at);
    if (!strstr(f.detail, "--accept-cut-log") || !strstr(f.detail, "store.db-wal"))
        fail_msg("%s %ld: \"%s\"", what, at, f.detail);
}

static void
flip(struct left *l, long at)
{
    l->log.bytes[at] ^= 0x41;
}

/* ---- what has decayed ---- */

static void
a_byte_in_the_middle_is_refused_wherever_it_is(void **state)
{
    static const long frames[] = {0, 1, 7, 100};
    struct left l = make_left(ALL_IN_THE_LOG, 60);

    (void)state;
    assert_int_equal(start(&l), 60);
    for (long at = 0; at < HEADER; at++) {
        flip(&l, at);
        refused(&l, "byte of the header", at);
        flip(&l, at);
    }
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        for (long at = 0; at < FRAME; at += at < 24 ? 1 : 509) {
            flip(&l, HEADER + frames[i] * FRAME + at);
            refused(&l, "byte of a frame", at);
            flip(&l, HEADER + frames[i] * FRAME + at);
        }
    assert_int_equal(start(&l), 60);
    free_left(&l);
}

static void
the_sentence_says_where_and_how_many(void **state)
{
    struct left l = make_left(ALL_IN_THE_LOG, 60);
    struct world w = {0};
    struct fault f = {0};
    long bad = l.frames - 30, commits = 0;
    char expected[128];

    (void)state;
    for (long i = bad + 1; i < l.frames; i++)
        commits += memcmp(l.log.bytes + HEADER + i * FRAME + 4, "\0\0\0\0", 4) != 0;
    assert_in_range(commits, 5, 30);
    flip(&l, HEADER + bad * FRAME + 77);
    assert_int_equal(start_on(&l, l.log.len, &w, &f), -1);
    (void)snprintf(expected, sizeof expected, "damaged at byte %ld, and the %ld commits behind",
                   HEADER + bad * FRAME, commits);
    if (!strstr(f.detail, expected))
        fail_msg("\"%s\" lacks \"%s\"", f.detail, expected);
    free_left(&l);
}

/* ---- what a power cut leaves ---- */

/* The frames of the last commit. */
static long
last_frames(const struct left *l)
{
    long i = l->frames - 1;

    while (i > 0 && memcmp(l->log.bytes + HEADER + (i - 1) * FRAME + 4, "\0\0\0\0", 4) == 0)
        i--;
    return l->frames - i;
}

static void
what_a_power_cut_leaves_is_taken_silently(void **state)
{
    struct left l = make_left(ALL_IN_THE_LOG, 60);
    long one = last_frames(&l);
    size_t len = l.log.len;

    (void)state;
    assert_in_range(one, 2, 9);
    for (long frame = 1; frame <= one + 1; frame++) { /* of the last commit, or the one before it */
        flip(&l, HEADER + (l.frames - frame) * FRAME + 99);
        assert_int_equal(start(&l), frame <= one ? 59 : 58);
        flip(&l, HEADER + (l.frames - frame) * FRAME + 99);
    }
    for (long frame = one + 2; frame <= one + 4; frame++) { /* two commits follow */
        flip(&l, HEADER + (l.frames - frame) * FRAME + 99);
        refused(&l, "frame from the end", frame);
        flip(&l, HEADER + (l.frames - frame) * FRAME + 99);
    }

    for (long less = 1; less < one * FRAME; less += 1000) { /* the file is too short */
        struct world w = {0};
        struct fault f = {0};

        assert_int_equal(start_on(&l, len - (size_t)less, &w, &f), 59);
    }
    memset(l.log.bytes + len - one * FRAME, 0, (size_t)one * FRAME); /* long enough, and empty */
    assert_int_equal(start(&l), 59);
    memset(l.log.bytes + len - one * FRAME, 0xa5, (size_t)one * FRAME);
    assert_int_equal(start(&l), 59);
    memset(l.log.bytes, 0, len); /* none of it ever came to the disk */
    assert_int_equal(start(&l), 0);
    free_left(&l);
}

static void
frames_of_an_older_log_count_for_nothing(void **state)
{
    struct left l = make_left(STARTED_OVER, 60);
    long newer = 0;

    (void)state;
    while (memcmp(l.log.bytes + 16, l.log.bytes + HEADER + newer * FRAME + 8, 8) == 0)
        newer++;
    assert_in_range(newer, 6, l.frames / 2);
    assert_int_equal(start(&l), 66);
    flip(&l, HEADER + (newer - 1) * FRAME + 24);
    assert_int_equal(start(&l), 65);
    flip(&l, HEADER + (newer - 1) * FRAME + 24);
    flip(&l, HEADER + 24);
    refused(&l, "byte of a frame", 24);
    flip(&l, HEADER + 24);
    flip(&l, 20);
    refused(&l, "byte of the header", 20);
    free_left(&l);
}

static void
relaxed_promised_no_sync_and_drops_what_does_not_check(void **state)
{
    struct left l = make_left(ALL_IN_THE_LOG, 60);
    struct world w = {.durability = DURABILITY_RELAXED};
    struct fault f = {0};

    (void)state;
    flip(&l, HEADER + 40 * FRAME + 24);
    assert_in_range(start_on(&l, l.log.len, &w, &f), 1, 40);
    free_left(&l);
}

/* ---- told to ---- */

static void
told_to_it_starts_with_what_was_before(void **state)
{
    struct left l = make_left(ALL_IN_THE_LOG, 60);

    (void)state;
    for (int run = 0; run < 2; run++) {
        struct world w = {.accept_cut_log = true};
        struct fault f = {0};
        int n;

        flip(&l, run ? 9 : HEADER + 40 * FRAME + 24);
        n = start_on(&l, l.log.len, &w, &f);
        assert_in_range(n, run ? 0 : 1, run ? 0 : 40);
        flip(&l, run ? 9 : HEADER + 40 * FRAME + 24);
    }
    free_left(&l);
}

/* What is left of the log would make pages of the database older than their neighbours. */
static void
told_to_it_takes_the_database_alone_where_that_is_ahead(void **state)
{
    struct left l = make_left(IN_THE_DATABASE, COMMITS);
    struct world w = {.accept_cut_log = true};
    struct fault f = {0};

    (void)state;
    assert_int_equal(start(&l), COMMITS);
    flip(&l, HEADER + 40 * FRAME + 24);
    refused(&l, "frame", 40);
    assert_int_equal(start_on(&l, l.log.len, &w, &f), COMMITS);
    free_left(&l);
}

static void
a_refused_log_stays_as_it_was(void **state)
{
    struct left l = make_left(ALL_IN_THE_LOG, 60);
    struct world w = {0};
    struct fault f = {0};
    struct image now;

    (void)state;
    flip(&l, HEADER + 40 * FRAME + 24);
    temp_folder_make(w.folder);
    put(&w, "store.db", &l.database, l.database.len);
    put(&w, "store.db-wal", &l.log, l.log.len);
    assert_int_equal(world_try_open(&w, &f), WHY_INVALID);
    now = image_of(&w, "store.db-wal");
    assert_int_equal(now.len, l.log.len);
    assert_memory_equal(now.bytes, l.log.bytes, now.len);
    free(now.bytes);
    free_left(&l);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_in_the_middle_is_refused_wherever_it_is),
        cmocka_unit_test(the_sentence_says_where_and_how_many),
        cmocka_unit_test(what_a_power_cut_leaves_is_taken_silently),
        cmocka_unit_test(frames_of_an_older_log_count_for_nothing),
        cmocka_unit_test(relaxed_promised_no_sync_and_drops_what_does_not_check),
        cmocka_unit_test(told_to_it_starts_with_what_was_before),
        cmocka_unit_test(told_to_it_takes_the_database_alone_where_that_is_ahead),
        cmocka_unit_test(a_refused_log_stays_as_it_was),
    };

    return cmocka_run_group_tests_name("wal", tests, NULL, NULL);
}
