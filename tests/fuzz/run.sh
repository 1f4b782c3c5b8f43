#!/bin/sh
# run.sh - builds each fuzz target with libFuzzer under ASan and UBSan and feeds it for a while, starting from its corpus.
#   tests/fuzz/run.sh [--seconds N] [target...]      default: 30 s for each of tests/fuzz/fuzz_*.c
# First it proves that planted bugs are found.  A crash is kept in $FUZZ_BUILD (build/fuzz) and named; put its input into
# tests/fuzz/corpus/TARGET/ with the fix: make check replays it ever after.
set -eu
cd "$(dirname "$0")/../.."
seconds=30
case ${1-} in --seconds) seconds=$2; shift 2 ;; --seconds=*) seconds=${1#*=}; shift ;; esac
out=${FUZZ_BUILD:-build/fuzz}
mkdir -p "$out"
libs="libcjson libmicrohttpd sqlite3 libcurl nettle"
pkg-config --exists libsystemd && libs="$libs libsystemd"
case $libs in *systemd*) systemd=-DHAVE_SYSTEMD=1 ;; *) systemd= ;; esac
flags="-std=gnu17 -D_GNU_SOURCE -pthread -O1 -g -Ilib -iquote server -iquote tests -DHAVE_CURL=1 -DHAVE_NETTLE=1 $systemd
  -DPACKAGE_VERSION=\"fuzz\" -DPKGDATADIR=\"/usr/share/bobbin\" $(pkg-config --cflags $libs | tr '\n' ' ')
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
flags=$(echo $flags) # one line

# Everything but main, in an archive: each target takes what it needs of it.
sources=$(ls lib/*.c server/*/*.c)
object() { echo "$out/$(echo "$1" | tr / _).o"; }
rules() {
    printf '%s: %s\n\trm -f $@; ar rcs $@ $^\n' "$out/parts.a" "$(for s in $sources; do object "$s"; done | tr '\n' ' ')"
    for s in $sources; do
        printf '%s: %s\n\tclang %s -MMD -MP -c -o $@ %s\n' "$(object "$s")" "$s" "$(echo "$flags" | sed 's/"/\\"/g')" "$s"
    done
    echo "-include $out/*.d"
}
rules >"$out/rules.mk"
make -s -j"$(nproc)" -f "$out/rules.mk"

link() { # PROGRAM SOURCE FLAG...
    program=$1 source=$2
    shift 2
    # shellcheck disable=SC2046,SC2086 # words
    clang $flags "$@" -fsanitize=fuzzer,address,undefined -o "$program" "$source" "$out/parts.a" $(pkg-config --libs $libs) -lm
}

passed=0 failed=0
tell() { # PASSED|FAILED TEXT
    if [ "$1" = passed ]; then passed=$((passed + 1)); echo "ok   $2"; else failed=$((failed + 1)); echo "FAIL $2"; fi
}

# The alarm is tested first.
planted=0
for found in 'deadly signal' 'heap-buffer-overflow' 'signed integer overflow'; do
    planted=$((planted + 1))
    link "$out/planted-$planted" tests/fuzz/planted.c -DPLANTED=$planted
    if "$out/planted-$planted" -seed=1 -max_total_time=20 -artifact_prefix="$out/planted-$planted-" >"$out/planted.log" 2>&1 ||
        ! grep -q "$found" "$out/planted.log"; then
        tell FAILED "planted bug $planted was not found as $found: see $out/planted.log"
    else
        tell passed "planted bug $planted: found ($found)"
    fi
done

for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    [ $# = 0 ] || case " $* " in *" $name "* | *" ${name#fuzz_} "*) ;; *) continue ;; esac
    link "$out/$name" "$source"
    mkdir -p "$out/corpus/$name"
    if "$out/$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -artifact_prefix="$out/$name-" -close_fd_mask=1 \
        -print_final_stats=1 "$out/corpus/$name" "tests/fuzz/corpus/${name#fuzz_}" >"$out/$name.log" 2>&1; then
        tell passed "$name: $seconds s, $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log") inputs"
    else
        grep -v '^#' "$out/$name.log" | tail -n 40
        tell FAILED "$name: see $out/$name.log"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
