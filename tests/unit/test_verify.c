/* test_verify.c - store/verify.c, check.c, tally.c and the migration in schema.c: after whatever one byte of the database has
 * become, a start serves what was acknowledged, or is refused with a sentence.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/store_world.h"

#include <bobbin/thread.h>

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "store/check.h"
#include "store/sqlite.h"

/* ---- what a start gives ---- */

struct seen {
    char *text;
    size_t len, cap;
};

static enum why
see(void *arg, const char *kind, const char *name, uint64_t seq, const void *record, size_t len,
    struct fault *f)
{
    struct seen *s = arg;
    size_t need = strlen(kind) + strlen(name) + len + 32;

    (void)f;
    if (s->cap - s->len < need) {
        s->cap = (s->cap + need) * 2;
        s->text = realloc(s->text, s->cap);
        assert_non_null(s->text);
    }
    s->len += (size_t)sprintf(s->text + s->len, "%" PRIu64 " %s %s=", seq, kind, name);
    memcpy(s->text + s->len, record, len);
    s->len += len;
    s->text[s->len++] = '\n';
    s->text[s->len] = '\0';
    return WHY_OK;
}

/* Opens, recovers and starts the journal, as bobbind does.  False: refused, with a sentence that names the place. */
static bool
starts(struct world *w, struct seen *ret, struct fault *f)
{
    enum why why = world_try_open(w, f);

    *ret = (struct seen){.text = calloc(1, 1)};
    if (!why)
        why = store_recover(w->store, see, ret, f);
    if (!why) {
        bob_lock_init(&w->state, LOCK_CLASS(L_STATE));
        why = journal_start(&w->journal, w->store, f);
        if (why)
            bob_lock_fini(&w->state);
    }
    if (why && (!strstr(f->detail, w->folder) || strlen(f->detail) < strlen(w->folder) + 20))
        fail_msg("refused with \"%s\"", f->detail);
    world_close(w);
    return !why;
}

static struct seen
starts_well(struct world *w)
{
    struct seen s;
    struct fault f = {0};

    if (!starts(w, &s, &f))
        fail_msg("%s", f.detail);
    return s;
}

static void
refused_with(struct world *w, const char *says, const char *expected)
{
    struct seen s;
    struct fault f = {0};

    if (starts(w, &s, &f))
        fail_msg("%s: served", says);
    if (!strstr(f.detail, expected))
        fail_msg("%s: \"%s\"", says, f.detail);
    free(s.text);
}

static void
run_sql(struct world *w, const char *sql)
{
    struct sqlite *db = world_database(w);

    if (sqlite_exec(db, sql))
        fail_msg("%s: %s", sql, sqlite_error(db));
    sqlite_close(db);
}

static int64_t
number(struct world *w, const char *sql)
{
    struct sqlite *db = world_database(w);
    int64_t n = -1;

    assert_int_equal(sqlite_number(db, sql, &n), STORED_OK);
    sqlite_close(db);
    return n;
}

/* In memory, where there is such a file system: a test here opens a store some thousand times. */
static void
make_folder(struct world *w)
{
    strcpy(w->folder, "/dev/shm/bobbin-test-XXXXXX");
    if (!mkdtemp(w->folder))
        temp_folder_make(w->folder);
}

enum { KEPT = 200, THINGS = 400, CHANGES = 2400 };

/* Each commit folds a little; how many changes one is of, is the journal's affair. */
static void
commit_one(struct world *w)
{
    struct promise p;

    promise_make(w, &p, change_one(w, "lock", "promised", "1"));
    assert_int_equal(promise_wait(&p), WHY_OK);
}

/* A store with changes and objects, some of which have been put, put again and taken out. */
static void
make_store(struct world *w)
{
    unsigned seed = 7;

    *w = (struct world){.changes_kept = KEPT};
    make_folder(w);
    world_open(w);
    world_start(w);
    for (int i = 0; i < CHANGES; i++) {
        int which = (int)((unsigned)rand_r(&seed) % THINGS);
        char name[64], record[40];

        (void)snprintf(name, sizeof name, "thing-%d%s", which, which % 9 ? "" : "-of-a-long-name");
        (void)snprintf(record, sizeof record, "{\"owner\":\"owner%d\",\"n\":%d}", which, i);
        change_one(w, which % 2 ? "lock" : "counter", name, rand_r(&seed) % 6 ? record : NULL);
        if (i % 300 == 0)
            commit_one(w);
    }
    do
        commit_one(w);
    while (number(w, "SELECT count(*) FROM change") > CHANGES / 2);
    world_close(w);
    assert_in_range(number(w, "SELECT count(*) FROM change"), KEPT, CHANGES / 2);
    assert_in_range(number(w, "SELECT count(*) FROM object"), THINGS / 8, THINGS);
}

/* ---- one byte ---- */

struct image {
    unsigned char *bytes;
    size_t len, used; /* behind what is used there is room */
    int fd;
};

static struct image
image_of(struct world *w)
{
    char path[96];
    struct image m = {0};
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/store.db", w->folder);
    m.fd = open(path, O_RDWR);
    assert_int_equal(fstat(m.fd, &st), 0);
    m.len = (size_t)st.st_size;
    m.bytes = malloc(m.len);
    assert_non_null(m.bytes);
    assert_int_equal(pread(m.fd, m.bytes, m.len, 0), m.len);
    m.used = (size_t)((int)m.bytes[28] << 24 | m.bytes[29] << 16 | m.bytes[30] << 8 | m.bytes[31]) *
             4096;
    assert_in_range(m.used, 10 * 4096, m.len);
    return m;
}

static void
put_back(struct world *w, const struct image *m)
{
    static const char *const beside[] = {"store.db-wal", "store.db-shm"};

    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        char path[96];

        (void)snprintf(path, sizeof path, "%s/%s", w->folder, beside[i]);
        (void)unlink(path);
    }
    assert_int_equal(ftruncate(m->fd, (off_t)m->len), 0);
    assert_int_equal(pwrite(m->fd, m->bytes, m->len, 0), m->len);
}

static void
flip(struct world *w, const struct image *m, size_t at, unsigned char mask, const struct seen *said,
     int *served)
{
    unsigned char byte = m->bytes[at] ^ mask;
    struct seen now;
    struct fault f = {0};

    assert_int_equal(pwrite(m->fd, &byte, 1, (off_t)at), 1);
    if (starts(w, &now, &f)) {
        if (now.len != said->len || memcmp(now.text, said->text, now.len) != 0)
            fail_msg("byte %zu (of page %zu), 0x%02x made 0x%02x: other records are served", at,
                     at / 4096 + 1, m->bytes[at], byte);
        ++*served;
    }
    free(now.text);
    put_back(w, m);
}

/* The header of the database and of each page, where a byte means much, and bytes of all sorts. */
static void
after_any_one_byte_what_was_said_is_served_or_the_start_refused(void **state)
{
    static const unsigned char masks[] = {0x01, 0x03, 0x10, 0x80, 0xff};
    struct world w;
    struct seen said;
    struct image m;
    unsigned seed = 11;
    int served = 0, flips = 0;

    (void)state;
    make_store(&w);
    said = starts_well(&w);
    m = image_of(&w);
    for (size_t at = 0; at < 124; at++, flips += 2) {
        flip(&w, &m, at, masks[at % 5], &said, &served);
        flip(&w, &m, at, masks[(at + 2) % 5], &said, &served);
    }
    for (size_t page = 4096; page < m.used; page += 4096)
        for (size_t at = 0; at < 20; at++, flips++)
            flip(&w, &m, page + at, masks[(page / 4096 + at) % 5], &said, &served);
    for (int i = 0; i < 1000; i++, flips++)
        flip(&w, &m, (size_t)rand_r(&seed) % m.used, masks[i % 5], &said, &served);
    print_message("# %d bytes, %d of them of no meaning\n", flips, served);
    assert_in_range(served, 1, flips - 500);
    assert_int_equal(close(m.fd), 0);
    free(m.bytes);
    free(said.text);
    world_end(&w);
}

/* ---- rows ---- */

static void
a_row_that_is_not_as_written_is_named(void **state)
{
    static const struct {
        const char *says, *sql, *expected;
    } T[] = {
        {"the newest change lost", "DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)",
         "are not there"},
        {"one in the middle lost",
         "DELETE FROM change WHERE seq = (SELECT max(seq) - 9 FROM change)", "or what came after"},
        {"the oldest lost", "DELETE FROM change WHERE seq = (SELECT min(seq) FROM change)",
         "is not what was written"},
        {"all lost", "DELETE FROM change", "changes from 0 to"},
        {"a record lost",
         "UPDATE change SET record = NULL WHERE seq ="
         " (SELECT max(seq) FROM change WHERE record IS NOT NULL)",
         "is not what was written"},
        {"two changed places",
         "UPDATE change SET seq = -seq WHERE seq > (SELECT max(seq) - 2 FROM"
         " change); UPDATE change SET seq = 9000 + seq WHERE seq < 0",
         "is not what was written"},
        {"a name of another type", "UPDATE change SET name = CAST(name AS BLOB)",
         "not one that was written"},
        {"an object lost", "DELETE FROM object WHERE seq = (SELECT min(seq) FROM object)",
         "table object has"},
        {"an object more",
         "INSERT INTO object SELECT 'x', name, seq, record, checksum FROM object LIMIT 1",
         "object x thing-"},
        {"an object's record",
         "UPDATE object SET record = x'01' WHERE name = (SELECT max(name) FROM object)", " thing-"},
        {"an object older than it was", "UPDATE object SET seq = seq - 1", " thing-"},
        {"no tally", "DELETE FROM meta", "\"tally\""},
        {"another tally", "UPDATE meta SET value = zeroblob(56)", "\"tally\""},
        {"a layout of before", "PRAGMA user_version = 1",
         "table change is not the one of layout 1"},
        {"no layout", "PRAGMA user_version = 0", "no layout is named"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct world w;
        static struct image m;

        if (i == 0) {
            make_store(&w);
            m = image_of(&w);
        } else {
            w = (struct world){.changes_kept = KEPT};
            make_folder(&w);
            world_open(&w);
            world_close(&w);
            assert_int_equal(close(m.fd), 0);
            m.fd = open(strcat(strcpy((char[96]){0}, w.folder), "/store.db"), O_RDWR);
            put_back(&w, &m);
        }
        free(starts_well(&w).text);
        run_sql(&w, T[i].sql);
        refused_with(&w, T[i].says, T[i].expected);
        refused_with(&w, T[i].says,
                     T[i].expected); /* nothing was mended, nor believed, meanwhile */
        world_end(&w);
    }
}

/* ---- check ---- */

static void
a_check_tells_every_byte_and_where_texts_end(void **state)
{
    static unsigned char record[37];
    struct change c = {.seq = 1,
                       .kind = "lock",
                       .kind_len = 4,
                       .name = "abc",
                       .name_len = 3,
                       .record = record,
                       .len = sizeof record};
    struct change moved = c;
    uint64_t check = check_change(CHECK_START, &c);

    (void)state;
    for (size_t i = 0; i < sizeof record; i++)
        for (int mask = 1; mask < 256; mask++) {
            record[i] ^= (unsigned char)mask;
            assert_true(check_change(CHECK_START, &c) != check);
            record[i] ^= (unsigned char)mask;
        }
    assert_true(check_change(CHECK_START, &c) == check);
    assert_true(check_change(CHECK_START + 1, &c) != check);
    moved.kind = "locka";
    moved.kind_len = 5;
    moved.name = "bc";
    moved.name_len = 2;
    assert_true(check_change(CHECK_START, &moved) != check);
    moved = c;
    moved.len--;
    assert_true(check_change(CHECK_START, &moved) != check);
    moved.len = 0;
    check = check_change(CHECK_START, &moved);
    moved.record = NULL;
    assert_true(check_change(CHECK_START, &moved) != check);
}

static void
the_tally_reads_what_it_wrote_and_nothing_else(void **state)
{
    struct tally t = {1, 2, 3, 4, 5, UINT64_MAX}, read = {0};
    unsigned char bytes[TALLY_LEN];

    (void)state;
    tally_write(&t, bytes);
    assert_true(tally_read(&read, bytes, sizeof bytes));
    assert_memory_equal(&t, &read, sizeof t);
    assert_false(tally_read(&read, bytes, sizeof bytes - 1));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 0x20;
        assert_false(tally_read(&read, bytes, sizeof bytes));
        bytes[i] ^= 0x20;
    }
}

/* ---- stores of before ---- */

static const char LAYOUT_1[] = "CREATE TABLE change(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
                               "name TEXT NOT NULL, record BLOB);"
                               "CREATE TABLE object(kind TEXT NOT NULL, name TEXT NOT NULL, seq "
                               "INTEGER NOT NULL, record BLOB NOT NULL,"
                               "                    PRIMARY KEY(kind, name)) WITHOUT ROWID;"
                               "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
                               "PRAGMA application_id = 0x424f4242; PRAGMA user_version = 1;";

static const char ROWS_1[] =
    "INSERT INTO object VALUES ('counter', 'a', 3, x'31'), ('counter', 'gone-since', 4, x'31'),"
    " ('lock', 'empty', 5, x''), ('lock', 'a', 6, x'0132'), ('lock', 'b', 7, zeroblob(9000));"
    "INSERT INTO change VALUES (11, 'counter', 'a', x'32'), (12, 'counter', 'gone-since', NULL),"
    " (13, 'lock', 'c', x''), (14, 'task', 'never-there', NULL), (1048576, 'lock', 'd', x'33');"
    "INSERT INTO meta VALUES ('sequence_limit', 2097152);";

static void
make_layout_1(struct world *w, const char *rows)
{
    char path[96];
    int fd;

    *w = (struct world){0};
    make_folder(w);
    (void)snprintf(path, sizeof path, "%s/store.db", w->folder);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(close(fd), 0);
    run_sql(w, LAYOUT_1);
    run_sql(w, rows);
}

static void
a_store_of_before_is_migrated_with_all_that_is_in_it(void **state)
{
    struct world w;
    struct seen s;
    size_t nine_thousand;

    (void)state;
    make_layout_1(&w, ROWS_1);
    for (int run = 0; run < 3; run++) {
        s = starts_well(&w);
        assert_memory_equal(s.text, "5 lock empty=\n6 lock a=\1\62\n7 lock b=", 35);
        nine_thousand = 35 + 9000;
        assert_string_equal(s.text + nine_thousand,
                            "\n11 counter a=2\n13 lock c=\n1048576 lock d=3\n");
        free(s.text);
    }
    assert_int_equal(number(&w, "PRAGMA user_version"), 2);
    assert_int_equal(number(&w, "SELECT count(*) FROM sqlite_schema"), 3);
    world_open(&w);
    world_start(&w);
    assert_in_range(change_one(&w, "lock", "e", "1"), 2097152, 2097152 + 10);
    world_close(&w);
    run_sql(&w, "UPDATE object SET record = x'07' WHERE name = 'empty'");
    refused_with(&w, "after the migration", "object lock empty is not what was written");
    world_end(&w);
}

static void
a_store_of_before_with_nothing_in_it_is_migrated(void **state)
{
    struct world w;
    struct seen s;

    (void)state;
    make_layout_1(&w, "");
    s = starts_well(&w);
    assert_string_equal(s.text, "");
    free(s.text);
    world_open(&w);
    world_start(&w);
    assert_int_equal(change_one(&w, "lock", "a", "1"), 2); /* the stop before took one */
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_any_one_byte_what_was_said_is_served_or_the_start_refused),
        cmocka_unit_test(a_row_that_is_not_as_written_is_named),
        cmocka_unit_test(a_check_tells_every_byte_and_where_texts_end),
        cmocka_unit_test(the_tally_reads_what_it_wrote_and_nothing_else),
        cmocka_unit_test(a_store_of_before_is_migrated_with_all_that_is_in_it),
        cmocka_unit_test(a_store_of_before_with_nothing_in_it_is_migrated),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
