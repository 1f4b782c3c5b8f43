/* test_store.c - store/store.c, schema.c, fold.c, recover.c: whose folder it is, what is live, and that folding changes nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/store_world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "store/fold.h"
#include "store/sqlite.h"

static const char *
file_in(const struct world *w, const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return path;
}

/* ---- recovery ---- */

static void
the_last_record_of_each_thing_is_live_oldest_first(void **state)
{
    struct world w = {0};

    (void)state;
    for (int run = 0; run < 3; run++) { /* the same again after each start */
        struct recovered r;

        world_open(&w);
        r = world_recover(&w);
        assert_string_equal(r.text, run ? "lock a=2\ncounter c=\ncounter a=9\n" : "");
        free(r.text);
        world_start(&w);
        if (run == 0) {
            change_one(&w, "lock", "a", "1");
            change_one(&w, "counter", "a", "8");
            change_one(&w, "lock", "b", "1");
            change_one(&w, "lock", "a", "2");
            change_one(&w, "lock", "b", NULL);
            change_one(&w, "counter", "c", ""); /* of no bytes, and there */
            change_one(&w, "counter", "a", "9");
            change_one(&w, "lock", "never-there", NULL);
        }
        world_close(&w);
    }
    world_end(&w);
}

static enum why
refuse(void *arg, const char *kind, const char *name, uint64_t seq, const void *record, size_t len,
       struct fault *f)
{
    (void)arg, (void)kind, (void)name, (void)seq, (void)record, (void)len;
    return fault_set(f, WHY_INTERNAL, "not like this");
}

static void
a_loader_that_refuses_ends_the_recovery(void **state)
{
    struct world w = {0};
    struct fault f = {0};

    (void)state;
    world_open(&w);
    world_start(&w);
    change_one(&w, "lock", "a", "1");
    world_close(&w);
    world_open(&w);
    assert_int_equal(store_recover(w.store, refuse, NULL, &f), WHY_INVALID);
    assert_string_equal(f.detail, "not like this");
    world_end(&w);
}

/* ---- folding ---- */

enum { HOT = 7, COLD = 4000, NAME = 90 };

struct model {
    long value[HOT + COLD]; /* 0: not there */
    uint64_t seq[HOT + COLD];
    unsigned seed;
    long n;
};

static void
thing_name(char name[NAME], int i)
{
    /* Some do not fit into a slot of the fold, and many share one. */
    (void)snprintf(
        name, NAME, "%s%d",
        i % 5 ? "thing-" : "a-thing-with-a-name-that-is-longer-than-what-a-slot-can-hold-", i);
}

static void
change_at_random(struct world *w, struct model *m, int n)
{
    for (int i = 0; i < n; i++) {
        int which = (int)((unsigned)rand_r(&m->seed) % 4 ? (unsigned)rand_r(&m->seed) % HOT
                                                         : HOT + (unsigned)rand_r(&m->seed) % COLD);
        bool gone = rand_r(&m->seed) % 3 == 0;
        char name[NAME], record[24];

        thing_name(name, which);
        (void)snprintf(record, sizeof record, "%ld", ++m->n);
        m->seq[which] = change_one(w, "thing", name, gone ? NULL : record);
        m->value[which] = gone ? 0 : m->n;
    }
}

static enum why
compare(void *arg, const char *kind, const char *name, uint64_t seq, const void *record, size_t len,
        struct fault *f)
{
    struct model *m = arg;
    const char *digits = name + strlen(name);
    char text[24] = "";
    int which;

    (void)f;
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    which = atoi(digits);
    memcpy(text, record, len);
    assert_string_equal(kind, "thing");
    assert_int_equal(seq, m->seq[which]);
    assert_int_equal(atol(text), m->value[which]);
    m->value[which] = -m->value[which]; /* seen */
    return WHY_OK;
}

static void
check_against(struct world *w, struct model *m)
{
    struct fault f = {0};

    if (store_recover(w->store, compare, m, &f))
        fail_msg("%s", f.detail);
    for (int i = 0; i < HOT + COLD; i++) {
        assert_true(m->value[i] <= 0); /* all that is there was seen */
        m->value[i] = -m->value[i];
    }
}

static int64_t
number(struct world *w, const char *sql)
{
    struct sqlite *db = NULL;
    struct fault f = {0};
    int64_t n = -1;

    assert_int_equal(sqlite_open(&db, file_in(w, "store.db"), &f), STORED_OK);
    assert_int_equal(sqlite_number(db, sql, &n), STORED_OK);
    sqlite_close(db);
    return n;
}

static void
folding_keeps_the_last_changes_and_loses_nothing(void **state)
{
    struct world w = {0};
    static struct model m = {.seed = 20};

    (void)state;
    for (int run = 0; run < 3; run++) {
        world_open(&w);
        check_against(&w, &m);
        world_start(&w);
        change_at_random(&w, &m, 60000);
        world_close(&w);
    }
    /* One small commit at a time, so that the folding can catch up with the large ones before. */
    world_open(&w);
    world_start(&w);
    for (int i = 0; i < 4000 && number(&w, "SELECT count(*) FROM change") > CHANGES_KEPT + 1500;
         i++) {
        struct promise p;

        change_at_random(&w, &m, 9);
        change_one(&w, "other", "thing", NULL);
        promise_make(&w, &p, change_one(&w, "other", "thing", NULL));
        assert_int_equal(promise_wait(&p), WHY_OK);
    }
    world_close(&w);
    world_open(&w);
    check_against(&w, &m);
    world_close(&w);
    assert_in_range(number(&w, "SELECT count(*) FROM change"), CHANGES_KEPT, CHANGES_KEPT + 2048);
    assert_int_equal(
        number(&w, "SELECT count(*) FROM object WHERE seq >= (SELECT min(seq) FROM change)"), 0);
    assert_in_range(number(&w, "SELECT count(*) FROM object"), 1, HOT + COLD);
    world_end(&w);
}

/* ---- whose folder it is ---- */

static void
everything_is_private(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
    } T[] = {
        {"", S_IFDIR | 0700},         {"files", S_IFDIR | 0700},        {"lock", S_IFREG | 0600},
        {"store.db", S_IFREG | 0600}, {"store.db-wal", S_IFREG | 0600},
    };
    struct world w = {0};
    struct stat st;
    mode_t mask;

    (void)state;
    temp_folder_make(w.folder);
    assert_int_equal(rmdir(w.folder), 0);
    mask = umask(0);
    world_open(&w);
    (void)umask(mask);
    world_start(&w);
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        assert_int_equal(stat(file_in(&w, T[i].name), &st), 0);
        assert_int_equal(st.st_mode, T[i].mode);
    }
    assert_string_equal(store_folder(w.store), w.folder);
    world_end(&w);
}

static void
folders_above_are_made_too(void **state)
{
    struct world above = {0}, w = {0};
    struct fault f = {0};

    (void)state;
    world_open(&above);
    (void)snprintf(w.folder, sizeof w.folder, "%.40s/state//deep/", above.folder);
    if (world_try_open(&w, &f))
        fail_msg("%s", f.detail);
    world_close(&w);
    world_end(&above);
}

static void
run_sql(struct world *w, const char *sql)
{
    struct sqlite *db = world_database(w);

    assert_int_equal(sqlite_exec(db, sql), STORED_OK);
    sqlite_close(db);
}

static void
write_at(struct world *w, const char *name, long at, const char *bytes, size_t len)
{
    int fd = open(file_in(w, name), O_RDWR | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    assert_int_equal(close(fd), 0);
}

static void
make_newer(struct world *w)
{
    run_sql(w, "PRAGMA user_version = 99");
}

static void
make_foreign(struct world *w)
{
    run_sql(w, "PRAGMA application_id = 77");
}

static void
make_foreign_without_id(struct world *w)
{
    run_sql(w, "PRAGMA application_id = 0");
}

static void
make_no_database(struct world *w)
{
    char noise[4096];

    memset(noise, 'x', sizeof noise);
    write_at(w, "store.db", 0, noise, sizeof noise);
}

static void
damage_a_page(struct world *w)
{
    char noise[4096];

    memset(noise, 0xa5, sizeof noise);
    for (long page = 1; page < 4; page++)
        write_at(w, "store.db", page * 4096, noise, sizeof noise);
}

static void
cut_off(struct world *w)
{
    assert_int_equal(truncate(file_in(w, "store.db"), 4096 * 2), 0);
}

static void
a_folder_that_is_not_ours_to_use_is_refused_with_what_to_do(void **state)
{
    static const struct {
        const char *says;
        void (*spoil)(struct world *w);
        const char *expected;
    } T[] = {
        {"of a newer version", make_newer,
         "written by a newer bobbind (layout 99, this one knows 2): start that version"},
        {"of another program", make_foreign, "another program's: give another folder with --data"},
        {"with tables, and no program's", make_foreign_without_id,
         "another program's: give another folder"},
        {"not a database at all", make_no_database,
         "damaged (file is not a database): put a backup in its place"},
        {"with damaged pages", damage_a_page, "damaged ("},
        {"cut off", cut_off, "damaged ("},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct world w = {0};
        struct fault f = {0};

        world_open(&w);
        world_start(&w);
        change_one(&w, "lock", "a", "1");
        world_close(&w);
        T[i].spoil(&w);
        assert_int_equal(world_try_open(&w, &f), WHY_INVALID);
        assert_null(w.store);
        if (!strstr(f.detail, T[i].expected) || !strstr(f.detail, w.folder))
            fail_msg("%s: \"%s\"", T[i].says, f.detail);
        world_end(&w);
    }
}

static void
a_folder_in_use_is_refused_until_it_is_free(void **state)
{
    struct world w = {0}, second = {0};
    struct fault f = {0};
    char expected[64];

    (void)state;
    world_open(&w);
    strcpy(second.folder, w.folder);
    assert_int_equal(world_try_open(&second, &f), WHY_INTERNAL);
    (void)snprintf(expected, sizeof expected, "in use by another bobbind (process %ld)",
                   (long)getpid());
    assert_non_null(strstr(f.detail, expected));
    world_close(&w);
    world_open(&second);
    world_end(&second);
}

static void
what_is_no_folder_is_refused(void **state)
{
    struct world w = {0}, file = {0};
    struct fault f = {0};
    struct statfs at;

    (void)state;
    world_open(&w);
    (void)snprintf(file.folder, sizeof file.folder, "%.40s/lock", w.folder);
    assert_int_equal(world_try_open(&file, &f), WHY_INVALID);
    assert_non_null(strstr(f.detail, "not a folder"));
    (void)snprintf(file.folder, sizeof file.folder, "%.40s/lock/below", w.folder);
    f = (struct fault){0};
    assert_int_equal(world_try_open(&file, &f), WHY_INTERNAL);
    assert_non_null(strstr(f.detail, "cannot make the folder"));
    if (statfs("/sys", &at) == 0 && at.f_type == SYSFS_MAGIC) { /* nobody makes folders there */
        strcpy(file.folder, "/sys/bobbin/store");
        f = (struct fault){0};
        assert_int_equal(world_try_open(&file, &f), WHY_INTERNAL);
        assert_null(strstr(f.detail, "No such file"));
    }
    world_end(&w);
}

/* Of this program, and so the server's in it. */
static int refuse_folders; /* errno */

int
mkdir(const char *path, mode_t mode)
{
    if (!refuse_folders)
        return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    errno = refuse_folders;
    return -1;
}

static void
a_unit_that_may_not_write_there_is_told_of_its_setting(void **state)
{
    static const struct {
        const char *variable;
        int refusal;
        bool told;
    } T[] = {
        {"INVOCATION_ID", EROFS, true},
        {"NOTIFY_SOCKET", EROFS, true},
        {"INVOCATION_ID", EACCES, false},
        {"SHELL", EROFS, false},
    };
    struct world w = {0};

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct world below = {0};
        struct fault f = {0};

        (void)snprintf(below.folder, sizeof below.folder, "%.40s/below", w.folder);
        unsetenv("INVOCATION_ID");
        unsetenv("NOTIFY_SOCKET");
        setenv(T[i].variable, "x", 1);
        refuse_folders = T[i].refusal;
        assert_int_equal(world_try_open(&below, &f), WHY_INTERNAL);
        refuse_folders = 0;
        assert_int_equal(strstr(f.detail, "ReadWritePaths=") != NULL, T[i].told);
        assert_non_null(strstr(f.detail, below.folder));
    }
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_record_of_each_thing_is_live_oldest_first),
        cmocka_unit_test(a_loader_that_refuses_ends_the_recovery),
        cmocka_unit_test(folding_keeps_the_last_changes_and_loses_nothing),
        cmocka_unit_test(everything_is_private),
        cmocka_unit_test(folders_above_are_made_too),
        cmocka_unit_test(a_folder_that_is_not_ours_to_use_is_refused_with_what_to_do),
        cmocka_unit_test(a_folder_in_use_is_refused_until_it_is_free),
        cmocka_unit_test(what_is_no_folder_is_refused),
        cmocka_unit_test(a_unit_that_may_not_write_there_is_told_of_its_setting),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
