/* test_room.c - store/room.c: blocks that are there before they are needed, and that stay.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/store_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/room.h"
#include "store/sqlite.h"

enum { BYTES = 1 << 20, HALF = BYTES / 2, PAGE = 4096 };

static const char *
file_in(const struct world *w, const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return path;
}

static struct stat
look_at(const struct world *w, const char *name)
{
    struct stat st;

    if (stat(file_in(w, name), &st) != 0)
        fail_msg("no %s", name);
    return st;
}

/* Each of its bytes has a block. */
static bool
is_whole(const struct world *w, const char *name, int64_t least)
{
    struct stat st = look_at(w, name);

    return st.st_size >= least && st.st_blocks * 512 >= least;
}

static int64_t
used_bytes(const struct world *w)
{
    struct sqlite *db = NULL;
    struct fault f = {0};
    int64_t pages = 0;

    assert_int_equal(sqlite_open(&db, file_in(w, "store.db"), &f), STORED_OK);
    assert_int_equal(sqlite_number(db, "PRAGMA page_count", &pages), STORED_OK);
    sqlite_close(db);
    return pages * PAGE;
}

static void
change_much(struct world *w, int n)
{
    static char record[4000];
    uint64_t seq = 0;
    struct promise p;

    memset(record, 'x', sizeof record - 1);
    for (int i = 0; i < n; i++)
        seq = change_one(w, "lock", "a", record);
    promise_make(w, &p, seq);
    assert_int_equal(promise_wait(&p), WHY_OK);
}

static void
the_store_has_its_room_while_it_grows_and_after(void **state)
{
    struct world w = {.reserve_bytes = BYTES};

    (void)state;
    for (int run = 0; run < 3; run++) {
        world_open(&w);
        world_start(&w);
        for (int i = 0; i < 10; i++) {
            change_much(&w, 100);
            assert_true(is_whole(&w, "store.db-wal", HALF));
        }
        world_close(&w); /* with whole checkpoints, one now and then and one at the end */
        assert_true(is_whole(&w, "store.db", used_bytes(&w) + HALF));
        assert_int_equal(look_at(&w, "store.db-wal").st_size, HALF);
        assert_true(is_whole(&w, "store.db-wal", HALF));
    }
    world_end(&w);
}

static void
what_a_stranger_cut_off_is_had_again(void **state)
{
    struct world w = {.reserve_bytes = BYTES};
    int64_t used;

    (void)state;
    world_open(&w);
    world_start(&w);
    change_much(&w, 100);
    world_close(&w);
    used = used_bytes(&w);
    assert_int_equal(truncate(file_in(&w, "store.db"), used), 0);
    assert_int_equal(unlink(file_in(&w, "store.db-wal")), 0);
    world_open(&w);
    world_start(&w);
    assert_true(is_whole(&w, "store.db", used + HALF));
    assert_true(is_whole(&w, "store.db-wal", HALF));
    world_end(&w);
}

static void
the_file_of_before_is_removed(void **state)
{
    struct world w = {.reserve_bytes = BYTES};
    int fd;

    (void)state;
    world_open(&w);
    world_close(&w);
    fd = open(file_in(&w, "reserve"), O_RDWR | O_CREAT, 0600);
    assert_int_equal(close(fd), 0);
    world_open(&w);
    assert_int_equal(access(file_in(&w, "reserve"), F_OK), -1);
    world_end(&w);
}

/* ---- when there is none ---- */

static fsblkcnt_t free_blocks; /* that a disk says it has, of 4096 bytes; 0: as many as it has */

int
fstatvfs(int fd, struct statvfs *ret)
{
    char path[32];

    if (!free_blocks) {
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        return statvfs(path, ret);
    }
    *ret = (struct statvfs){.f_blocks = free_blocks, .f_bfree = free_blocks, .f_frsize = PAGE};
    return 0;
}

static void
room_that_is_there_needs_no_room_again(void **state)
{
    static const struct {
        fsblkcnt_t free;
        bool had;
    } T[] = {
        {HALF / PAGE * 2 + 1, false}, /* to begin with, all of it and what is beside it */
        {HALF / PAGE * 2 + 2, true},
        {2, true},  /* it is there */
        {1, false}, /* beside it there is less than is wanted */
        {2, true},
    };
    struct world w = {0};
    struct rlimit limit;
    struct room r;
    struct fault f = {0};
    int fd;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    world_open(&w);
    world_close(&w);
    assert_int_equal(mkdir(file_in(&w, "other"), 0700), 0);
    fd = open(file_in(&w, "other/db-wal"), O_RDWR | O_CREAT, 0600);
    assert_int_equal(close(fd), 0);
    {
        char folder[128], path[128];

        strcpy(folder, file_in(&w, "other"));
        strcpy(path, file_in(&w, "other/db"));
        assert_int_equal(room_open(&r, folder, path, BYTES, &f), WHY_OK);
        for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
            free_blocks = T[i].free;
            if (room_take(&r, 0, 2L * PAGE) != T[i].had)
                fail_msg("with %d blocks free, in row %zu", (int)T[i].free, i);
        }
        free_blocks = 0;
        /* Some file systems (tmpfs) have room for a hole of any size, so no file may be so
         * large. */
        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 30, limit.rlim_max}), 0);
        assert_false(room_take(&r, 0, INT64_C(1) << 60)); /* beside it */
        assert_true(room_keep(&r, 0));
        assert_true(is_whole(&w, "other/db-wal", HALF));
        assert_false(room_keep(&r, INT64_C(1) << 60));
        assert_true(room_take(&r, 8L * PAGE, 2L * PAGE));
        assert_true(look_at(&w, "other/db").st_size >= HALF + 8 * PAGE);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        room_close(&r, false);
    }
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_has_its_room_while_it_grows_and_after),
        cmocka_unit_test(what_a_stranger_cut_off_is_had_again),
        cmocka_unit_test(the_file_of_before_is_removed),
        cmocka_unit_test(room_that_is_there_needs_no_room_again),
    };

    return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
