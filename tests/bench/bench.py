"""Speed and memory, side by side in one run: ./dev bench, or python3 tests/bench/bench.py [part...] [--quick].

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
import subprocess
import time

from batch import batch
from calls import calls
from crowd import crowd
from latency import latency
from noise import processors
from programs import NGINX_BINARY, Folders
from rows import HEAD
from speed import speed

PARTS = {"speed": speed, "crowd": crowd, "latency": latency, "batch": batch, "calls": calls}
UNASKED = ("speed", "crowd", "latency")


def machine():
    microhttpd = subprocess.run(["pkg-config", "--modversion", "libmicrohttpd"], capture_output=True, text=True).stdout.strip()
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2][2:]
    nginx = subprocess.run([NGINX_BINARY, "-v"], capture_output=True, text=True).stderr.split("/")[-1].strip()
    return (f"{processors()}, libmicrohttpd {microhttpd}, redis {redis}, nginx {nginx}, Python {platform.python_version()}, "
            f"load before {os.getloadavg()[0]:.1f}")


def measure(part, options, machine_now):
    """The lines of its table, with a head of its own: each can be copied as it is."""
    began, folders = time.monotonic(), Folders(options.disk)
    try:
        got = PARTS[part](options, folders)
    finally:
        folders.end()
    head, rows = got if isinstance(got, tuple) else (HEAD, got)
    rounds = f"{options.rounds} rounds of" if head is HEAD else "once"
    return [f"`./dev bench {part}`: {machine_now}; {rounds} {options.seconds} s, {time.monotonic() - began:.0f} s in all",
            "", head, *(row.line() for row in rows)]


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)} [{' '.join(UNASKED)}]")
    parse.add_argument("--quick", action="store_true", help="one round of a second each: does it run at all")
    parse.add_argument("--rounds", type=int, default=6)
    parse.add_argument("--seconds", type=int, default=2, help="of each sample")
    parse.add_argument("--parked", type=int, default=10_000, help="waiters")
    parse.add_argument("--disk", default=".", help="folder on the disk to measure")
    options = parse.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parse.error(f"no part '{unknown[0]}'; there are {', '.join(PARTS)}")
    if options.quick:
        options.rounds, options.seconds, options.parked = 1, 1, min(options.parked, 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    now = machine()
    tables = [measure(part, options, now) for part in options.parts or UNASKED]
    for table in tables:
        print("\n" + "\n".join(table))


if __name__ == "__main__":
    main()
