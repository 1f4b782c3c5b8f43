"""Speed and memory, side by side in one run: ./dev bench, or python3 tests/bench/bench.py [--quick].

Each round runs the bare libmicrohttpd program, bobbind and the peer one after the other; the figure is the median of
the rounds' ratios. A sample during which other guests of the machine took a tenth of the processors ("steal" in
proc(5)) is taken again, and so is a round whose bare figure is under 0.7 of the best. Rates of one machine say little,
ratios say something; nothing here is a test that passes or fails.

SPDX-License-Identifier: MIT
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time

from noise import processors, undisturbed
from parked import parked_waiters
from programs import HERE, Folders, Program, Redis, bare_program, bobbind, load, record_replies

NOISE, RETRIES = 0.7, 5


class Row:
    """One bar: `ours` is held against `against`, in every round."""

    def __init__(self, says, bar, goal, ours, against):
        self.says, self.bar, self.goal, self.ours, self.against = says, bar, goal, ours, against
        self.ratio, self.rates = None, {}

    def measure(self, rounds):
        self.ratio = statistics.median(one[self.ours] / one[self.against] for one in rounds)
        self.rates = {who: statistics.median(one[who] for one in rounds) for who in rounds[0]}

    def line(self):
        rates = f"{self.ours} {self.rates[self.ours]:,.0f}/s, {self.against} {self.rates[self.against]:,.0f}/s"
        bar = (f"{self.bar:g}" if self.bar else "") + (f" ({self.goal:g})" if self.goal else "")
        return f"| {self.says} | {bar} | {self.ratio:.2f} | {self.verdict()} | {rates} |"

    def verdict(self):
        if not self.bar:
            return ""
        if self.goal and self.ratio >= self.goal:
            return "PASS, goal"
        return "PASS" if self.ratio >= self.bar else "short"


def rounds_of(n, samples):
    """n rounds of {who: its rate}; those with a weak bare figure are run again."""
    rounds, retries = [], 0
    while True:
        while len(rounds) < n:
            rounds.append({who: undisturbed(sample) for who, sample in samples.items()})
            print("  " + "  ".join(f"{who} {rate:,.0f}" for who, rate in rounds[-1].items()), flush=True)
        best = max(one["bare"] for one in rounds)
        good = [one for one in rounds if one["bare"] >= NOISE * best]
        if len(good) == n or retries >= RETRIES:
            return rounds
        retries += n - len(good)
        print(f"  {n - len(good)} disturbed, again", flush=True)
        rounds = good


def speed(options, folders):
    bare_path = bare_program(folders.disk)
    memory = bobbind(folders.memory / "store")
    record_replies(memory, folders.disk / "replies")
    bare = Program(str(bare_path), str(folders.disk / "replies"))
    stack = Program(sys.executable, str(HERE / "python_stack.py"))
    kept = Program(sys.executable, str(HERE / "python_stack.py"), "--keep-alive")
    disk = bobbind(folders.disk / "store")
    redis = Redis(folders.disk / "redis")
    at, rows = options.seconds, []

    def run(title, samples, *bars):
        print(title, flush=True)
        rounds = rounds_of(options.rounds, samples)
        for bar in bars:
            bar.measure(rounds)
            rows.append(bar)

    def sample(program, what):
        return lambda: load(program.port, what, at)

    try:
        for what, path in (("livez", "GET /livez"), ("counter", "GET /v1/counters/x")):
            run(path, {"bare": sample(bare, what), "bobbind": sample(memory, what)},
                Row(f"`{path}` against bare", 0.80, 0.90, "bobbind", "bare"))
        run("add, durable, tmpfs", {"bare": sample(bare, "add"), "bobbind": sample(memory, "add"),
                                    "Python": sample(stack, "add"), "Python keep-alive": sample(kept, "add")},
            Row("`POST …/add`, durable, tmpfs, against bare", 0.50, 0.60, "bobbind", "bare"),
            Row("the same against Python's ThreadingHTTPServer with a Lock", 25, None, "bobbind", "Python"),
            Row("the same against that with keep-alive", None, None, "bobbind", "Python keep-alive"))
        run("acquire and release over 5,000 locks, durable, tmpfs",
            {"bare": sample(bare, "locks"), "bobbind": sample(memory, "locks")},
            Row("acquire and release over 5,000 locks, durable, tmpfs, against bare", 0.40, 0.50, "bobbind", "bare"))
        guess = redis.increments_per_second(1, 64, 5000)
        run("add, durable, on the disk", {
            "bare": sample(bare, "add"), "bobbind": sample(disk, "add"),
            "redis": lambda: redis.increments_per_second(at, 64, guess)},
            Row("`POST …/add`, durable, on the disk, against redis-server appendfsync always", 0.60, 0.90,
                "bobbind", "redis"))
        run("run/square", {"bare": sample(bare, "square"), "bobbind": sample(memory, "square"),
                           "Python": sample(stack, "square"), "Python keep-alive": sample(kept, "square")},
            Row("`POST /v1/run/square` against Python on its thread per request", 8, None, "bobbind", "Python"),
            Row("the same against that with keep-alive", None, None, "bobbind", "Python keep-alive"))
        rows += parked_waiters(options, folders, bare, memory, rounds_of, Row)
    finally:
        for program in (bare, stack, kept, redis):
            program.end()
        for server in (memory, disk):
            server.stop(30)
    return rows


def machine():
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2][2:]
    return (f"{processors()}, libmicrohttpd 0.9.75, "
            f"redis {redis}, Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}")


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--quick", action="store_true", help="one round of a second each: does it run at all")
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--seconds", type=int, default=4, help="of each sample")
    parse.add_argument("--parked", type=int, default=10_000, help="waiters")
    parse.add_argument("--disk", default=".", help="folder on the disk to measure")
    options = parse.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.parked = 1, 1, min(options.parked, 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    began, head, folders = time.monotonic(), machine(), Folders(options.disk)
    try:
        rows = speed(options, folders)
    finally:
        folders.end()
    print(f"\n{head}; {options.rounds} rounds of {options.seconds} s, {time.monotonic() - began:.0f} s in all\n")
    print("| what | bar (goal) | ratio | | medians |\n| --- | --- | --- | --- | --- |")
    for row in rows:
        print(row.line())


if __name__ == "__main__":
    main()
