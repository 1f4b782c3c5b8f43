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
import subprocess
import time

from noise import processors
from programs import Folders
from speed import speed


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
