"""libbobbin beside GLib, bare pthreads and Python: ./dev bench lib, or tests/bench/lib/bench.py --build build [--quick].

Each round runs the programs of this folder one after the other; a program measures Bobbin and its peer by turns, in
one process. A ratio is Bobbin's figure to the peer's, the median of the rounds. A run that was stolen from (see
noise.py) is taken again. The bars are no gates: a run says `short` and ends well.

SPDX-License-Identifier: MIT
"""

import argparse
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.append(str(HERE.parent))

from noise import others_seconds, processors, undisturbed  # noqa: E402

QUICK_PERCENT = 5
PROGRAMS = {  # what each runs one after the other, as one sample
    "lock": ["lock"],
    "queue": ["queue"],
    "executor": ["executor", "pool.py"],
    "map": ["map"],
    "future": ["future"],
    "parked": ["parked"],
}
ONCE = ("future", "parked")  # these count and do not race


class Row:
    """One bar: Bobbin's figure `what` against that of `against`, or by itself when that is None."""

    def __init__(self, says, what, against, unit, least=None, most=None):
        self.says, self.what, self.against, self.unit, self.least, self.most = says, what, against, unit, least, most

    def line(self, rounds):
        found = [one[self.what] for one in rounds if self.what in one]
        if not found:
            return f"| {self.says} | {self.bar()} | | not measured | |"
        if self.against:
            got = statistics.median(one["bobbin"] / one[self.against] for one in found)
            figures = ", ".join(f"{who} {self.figure(statistics.median(one[who] for one in found))}"
                                for who in ("bobbin", self.against))
            return f"| {self.says} | {self.bar()} | {got:.2f} | {self.verdict(got)} | {figures} |"
        got = max(one["bobbin"] for one in found)
        return f"| {self.says} | {self.bar()} {self.unit} | {got:g} {self.unit} | {self.verdict(got)} | |"

    def bar(self):
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""

    def verdict(self, got):
        if self.least is None and self.most is None:
            return ""
        good = got >= self.least if self.least is not None else got <= self.most
        return "PASS" if good else "short"

    def figure(self, x):
        return (f"{x:,.0f}" if x >= 100 else f"{x:.3g}") + self.unit


ROWS = {
    "lock": [
        Row("lock and unlock, ranked, free, against a pthread mutex", "free", "pthread", " ns", most=1.6),
        Row("the same under another lock", "nested", "pthread", " ns", most=1.6),
        Row("the same contended by two threads", "contended", "pthread", "/s", least=1.0),
    ],
    "queue": [
        Row("queue, one producer and one consumer, against GAsyncQueue", "one", "GLib", "/s", least=2),
        Row("queue, four and four", "four", "GLib", "/s", least=2),
        Row("one and one through 64 slots, against GAsyncQueue without a bound", "one-bounded", "GLib", "/s"),
        Row("four and four through 64 slots", "four-bounded", "GLib", "/s"),
    ],
    "executor": [
        Row("executor, 1,000,000 tiny tasks and their results, against GThreadPool", "tasks", "GLib", "/s", least=3),
        Row("the same against Python's ThreadPoolExecutor (40,000 tasks)", "tasks", "Python", "/s", least=50),
        Row("submit to result of one task, the thread on the same processor, against GThreadPool", "latency-here", "GLib",
            " µs", most=1),
        Row("the same with as many threads as processors", "latency-here-all", "GLib", " µs", most=1),
        Row("submit to result of one task, the thread on another processor", "latency-there", "GLib", " µs", most=1),
        Row("the same with as many threads as processors", "latency-there-all", "GLib", " µs", most=1),
        Row("one thread on another processor, against two threads that wake one another by futex and do nothing else",
            "latency-bare", "futex", " µs"),
        Row("one thread where the kernel puts it, against GThreadPool", "latency-free", "GLib", " µs"),
    ],
    "map": [
        Row("map, 1,000,000 squares, against as many pthreads that split them, each with a processor", "map", "pthread", " ms",
            most=1.2),
        Row("the same, the threads where the kernel puts them", "map-free", "pthread", " ms"),
    ],
    "future": [
        Row("a future, allocated", "future-bytes", None, "bytes", most=128),
        Row("a submit with a future, allocated", "submit-bytes", None, "bytes"),
        Row("allocations for each submit with a future", "submit-allocations", None, "", most=1),
    ],
    "parked": [
        Row("a thread that waits, of one processor", "parked-cpu", None, "%", most=0.1),
        Row("a thread that waits, wakes by itself", "parked-wakes", None, "/s", most=0.1),
    ],
}


def built(name, build):
    """The program, compiled as the library is, against its shared form."""
    to = build / "tests" / "bench" / "lib"
    to.mkdir(parents=True, exist_ok=True)
    packages = subprocess.run(["pkg-config", "--cflags", "--libs", "glib-2.0"], capture_output=True, text=True,
                              check=True).stdout
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra",
                    "-pthread", "-I", str(ROOT / "lib"), str(HERE / f"{name}.c"), "-o", str(to / name),
                    "-L", str(build / ".libs"), f"-Wl,-rpath,{build / '.libs'}", "-lbobbin", *shlex.split(packages)],
                   check=True)
    return [str(to / name)]


def sample(commands, percent):
    """{what: {who: figure}} of one run of each."""
    got = {}
    for command in commands:
        said = subprocess.run([*command, str(percent)], capture_output=True, text=True, timeout=300)
        assert said.returncode == 0, f"{command}: {said.returncode} {said.stdout}{said.stderr}"
        for line in said.stdout.splitlines():
            what, *pairs = line.split()
            got.setdefault(what, {}).update(zip(pairs[::2], map(float, pairs[1::2])))
    return got


def measure(name, options):
    commands = [[sys.executable, str(HERE / one)] if one.endswith(".py") else built(one, options.build)
                for one in PROGRAMS[name]]
    rounds = []
    for _ in range(1 if name in ONCE else options.rounds):
        rounds.append(undisturbed(lambda: sample(commands, options.percent)))
        for what, figures in rounds[-1].items():
            print(f"  {what}  " + "  ".join(f"{who} {x:,.4g}" for who, x in figures.items()), flush=True)
    return rounds


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="folder with .libs/libbobbin.so")
    parse.add_argument("--quick", action="store_true", help="one short round: does it run at all")
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--only", choices=PROGRAMS, action="append", help="this program; may be repeated")
    options = parse.parse_args()
    options.build, options.percent = options.build.resolve(), 100
    if options.quick:
        options.rounds, options.percent = 1, QUICK_PERCENT
    began, others, lines = time.monotonic(), others_seconds(), []
    for name in options.only or PROGRAMS:
        print(name, flush=True)
        rounds = measure(name, options)
        lines += [row.line(rounds) for row in ROWS[name]]
    took = time.monotonic() - began
    others = (others_seconds() - others) / took / os.cpu_count()
    glib = subprocess.run(["pkg-config", "--modversion", "glib-2.0"], capture_output=True, text=True).stdout.strip()
    print(f"\n{processors()}, GLib {glib}, Python {platform.python_version()}; {options.rounds} rounds, {took:.0f} s in "
          f"all, others used {100 * others:.0f} % of the processors meanwhile\n")
    print("| what | bar | ratio | | medians |\n| --- | --- | --- | --- | --- |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
