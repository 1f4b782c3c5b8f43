#!/bin/bash
# helgrind.sh BUILD - the race tests of libbobbin, and examples, under valgrind's helgrind; TAP.
#
# BUILD is a build folder without a sanitizer, best with CFLAGS='-O1 -g', in which the programs of `make check` are.
# A race that is planted must be found first, and with a lock it must not be: a check that cannot fail is no check.
# BOBBIN_RACE_PERCENT (3) is how long the tests run, BOBBIN_RACE_SECONDS (300) how long one may take.
#
# SPDX-License-Identifier: MIT
set -u
tests=(race_lib race_lib_executor race_lib_locks race_lib_process race_lib_queue race_lib_thread)
# Not counter, which counts without a lock to show what that does, nor those that need the network, children or time.
examples=(as_completed condition event graceful_stop local named_tasks producers requests semaphore squares
    start_join two_workers worker_error)

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
if ! command -v valgrind >/dev/null; then
    echo "1..0 # SKIP no valgrind"
    exit 0
fi
build=$(cd "${1:?which build folder?}" && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export BOBBIN_RACE_PERCENT=${BOBBIN_RACE_PERCENT:-3}
limit=${BOBBIN_RACE_SECONDS:-300}
number=0 failed=0

# under_helgrind PROGRAM - its output goes to $work/out, helgrind's to $work/err.
under_helgrind() {
    "$build/libtool" --mode=execute timeout -k 5 "$limit" valgrind --tool=helgrind --error-exitcode=9 -q --fair-sched=try \
        --history-level=none --suppressions="$here/helgrind.supp" "$@" >"$work/out" 2>"$work/err"
}

# tell WORD WHAT - one line of TAP, and what was said if it is a bad one.
tell() {
    number=$((number + 1))
    echo "$1 $number - $2"
    if [ "$1" != ok ]; then
        failed=1
        { grep '^not ok' "$work/out"; head -n 60 "$work/err"; } | sed 's/^/# /'
    fi
}

# run FOLDER NAME - one of the programs.
run() {
    local status what="$2 under helgrind"
    under_helgrind "$build/$1/$2"
    status=$?
    if [ $status = 0 ] && ! grep -q '^not ok' "$work/out"; then
        tell ok "$what"
    elif [ $status != 9 ] && grep -q 'unhandled .* syscall' "$work/err"; then
        tell ok "$what # SKIP this valgrind knows not all it needs of the kernel"
    else
        tell "not ok" "$what (status $status)"
    fi
}

# plant FLAGS... - makes $work/planted.
plant() {
    "${CC:-cc}" -std=gnu17 -O1 -g -pthread "$@" -I "$top/lib" -o "$work/planted" -x c - -x none \
        "$build/.libs/libbobbin.a" 2>"$work/err" <<'END'
#include <bobbin/barrier.h>
#include <bobbin/lock.h>
#include <bobbin/thread.h>

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static struct bob_barrier *both;
static volatile int number;

static void *
count(void *arg)
{
    if (bob_barrier_wait(both, BOB_FOREVER, NULL)) /* so that none ends before the other begins */
        return NULL;
    if (LOCKS)
        bob_lock_hold(&lock);
    number++;
    if (LOCKS)
        (void)bob_lock_release(&lock);
    return arg;
}

int
main(void)
{
    struct bob_thread *t[2];

    if (!(both = bob_barrier_new(2, NULL, NULL)))
        return 1;
    for (int i = 0; i < 2; i++)
        if (bob_thread_start(&t[i], "planted", count, NULL, NULL))
            return 1;
    for (int i = 0; i < 2; i++)
        bob_thread_free(t[i]);
    bob_barrier_free(both);
    return 0;
}
END
}

echo "1..$((${#tests[@]} + ${#examples[@]} + 2))"
: >"$work/out"
status=0
plant -DLOCKS=0 && { under_helgrind "$work/planted"; status=$?; }
what="a planted race is found"
if [ $status = 9 ] && grep -q 'data race' "$work/err"; then tell ok "$what"; else tell "not ok" "$what"; fi
what="with a lock it is none"
if plant -DLOCKS=1 && under_helgrind "$work/planted"; then tell ok "$what"; else tell "not ok" "$what"; fi
for name in "${tests[@]}"; do run tests/race "$name"; done
for name in "${examples[@]}"; do run lib/examples "$name"; done
exit $failed
