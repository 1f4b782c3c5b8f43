/* test_process_writable.c - lib/process_landlock.c: a program writes where it may, and nowhere
 * else.
 *
 * SPDX-License-Identifier: MIT */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "process_world.h"

enum { TRUNCATE_SINCE = 3 };

static char mine[sizeof folder + 8], theirs[sizeof folder + 8], kept[sizeof theirs + 8];

static void
need_landlock(void)
{
    if (bob_process_landlock_abi() == 0) {
        print_message("this kernel has no Landlock\n");
        skip();
    }
}

static int
two_folders(void **state)
{
    FILE *f;

    if (world_begin(state) != 0)
        return -1;
    (void)snprintf(mine, sizeof mine, "%s/mine", folder);
    (void)snprintf(theirs, sizeof theirs, "%s/theirs", folder);
    (void)snprintf(kept, sizeof kept, "%s/kept", theirs);
    if (mkdir(mine, 0700) != 0 || mkdir(theirs, 0700) != 0 || !(f = fopen(kept, "w")))
        return -1;
    (void)fputs("kept\n", f);
    return fclose(f);
}

static int
no_folders(void **state)
{
    says((struct bob_command){.argv = ARGV("/bin/rm", "-rf", mine, theirs)}, "");
    return world_end(state);
}

/* Its exit status, in a folder of its own. */
static int
tried(const char *script, const char *const *writable)
{
    struct bob_process *p;
    int status =
        ran(&p, (struct bob_command){.argv = SH(script), .cwd = mine, .writable = writable})
            ->exit_status;

    bob_process_free(p);
    return status;
}

static void
it_writes_where_it_may(void **state)
{
    static const char *const scripts[] = {
        "echo x >new && echo y >>new && rm new",
        "mkdir a b && echo x >a/f && ln a/f a/g && rm a/g a/f && rmdir a b",
        "ln -s /etc soft && mkfifo pipe && mv pipe tube && rm soft tube",
        "echo x >f && : >f && rm f",
        "echo x >/dev/null && : </dev/zero && : >/dev/full",
        "echo x >/proc/self/fd/1",
        "read word <../theirs/kept && [ $word = kept ] && ls ../theirs",
    };

    (void)state;
    need_landlock();
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        if (tried(scripts[i], ARGV(mine)) != 0)
            fail_msg("refused: %s", scripts[i]);
    }
}

static void
it_links_from_folder_to_folder_of_its_own(void **state)
{
    (void)state;
    need_landlock();
    if (bob_process_landlock_abi() > 1)
        assert_int_equal(tried("mkdir a b && echo x >a/f && ln a/f b/f && rm -r a b", ARGV(mine)),
                         0);
}

static void
it_writes_nowhere_else(void **state)
{
    static const struct {
        unsigned since;
        const char *script;
    } T[] = {
        {1, "echo x >../theirs/new"},
        {1, "echo x >>../theirs/kept"},
        {1, "rm ../theirs/kept"},
        {1, "mkdir ../theirs/folder"},
        {1, "mkfifo ../theirs/pipe"},
        {1, "ln -s x ../theirs/soft"},
        {1, "mv ../theirs/kept ../theirs/other"},
        {1, "echo x >f; mv f ../theirs/"},
        {1, "mv ../theirs/kept ."},
        {1, "ln ../theirs/kept hard"},
        {1, "ln -s ../theirs soft; echo x >soft/kept"},
        {1, "rmdir ../theirs"},
        {1, "mv ../theirs there"},
        {1, "sh -c 'setsid sh -c \"echo x >../theirs/new\"'"},
        {1, "echo x >/tmp/bob_process.stray"},
        {TRUNCATE_SINCE, ": >../theirs/kept"},
        {TRUNCATE_SINCE, "truncate -s 0 ../theirs/kept"},
    };

    (void)state;
    need_landlock();
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        if (T[i].since <= bob_process_landlock_abi() && tried(T[i].script, ARGV(mine)) == 0)
            fail_msg("allowed: %s", T[i].script);
    }
    says((struct bob_command){.argv = SH("ls; cat kept"), .cwd = theirs}, "kept\nkept\n");
    assert_int_equal(tried("echo x >../theirs/kept", NULL), 0);
}

static void
a_file_may_be_named_or_nothing(void **state)
{
    (void)state;
    need_landlock();
    assert_int_equal(tried("echo x >../theirs/kept", ARGV(mine, kept)), 0);
    assert_int_not_equal(tried("rm ../theirs/kept", ARGV(mine, kept)), 0);
    assert_int_equal(tried("exit 0", (const char *const[]){NULL}), 0);
    assert_int_not_equal(tried("echo x >new", (const char *const[]){NULL}), 0);
    assert_int_equal(tried("echo x >new", ARGV("/")), 0);
}

static void
what_is_not_there_is_named(void **state)
{
    struct bob_process *p;

    (void)state;
    need_landlock();
    p = process_of(&(struct bob_command){.argv = ARGV("/bin/true"), .writable = ARGV("/no/such")});
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_SYSTEM);
    assert_string_equal(bob_process_message(p),
                        "/bin/true: cannot be confined to what it may write to "
                        "/no/such: No such file or directory");
    bob_process_free(p);
}

/* ---- where there is none ---- */

enum { CREATE_RULESET = 444 };

/* As an older kernel, or a sandbox, answers. */
static void
play_landless(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CREATE_RULESET, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    struct bob_process *p;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(77);
    if (bob_process_landlock_abi() != 0 ||
        bob_process_new(&(struct bob_command){.argv = ARGV("/bin/true"), .writable = ARGV("/tmp")},
                        &p) != BOB_OK)
        _exit(1);
    if (bob_process_run(p, BOB_FOREVER) != BOB_ERR_SYSTEM)
        _exit(2);
    (void)printf("%s", bob_process_message(p));
    bob_process_free(p);
}

static void
without_landlock_it_is_not_started(void **state)
{
    (void)state;
    says((struct bob_command){.argv = ARGV(SELF, "landless")},
         "/bin/true: cannot be confined to what it may write to: Function not implemented");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_writes_where_it_may, two_folders, no_folders),
        cmocka_unit_test_setup_teardown(it_links_from_folder_to_folder_of_its_own, two_folders,
                                        no_folders),
        cmocka_unit_test_setup_teardown(it_writes_nowhere_else, two_folders, no_folders),
        cmocka_unit_test_setup_teardown(a_file_may_be_named_or_nothing, two_folders, no_folders),
        FACT(what_is_not_there_is_named),
        FACT(without_landlock_it_is_not_started),
    };

    if (argc > 2 && strcmp(argv[2], "landless") == 0) {
        play_landless();
        return 0;
    }
    play(argc, argv);
    return cmocka_run_group_tests_name("process_writable", tests, NULL, NULL);
}
