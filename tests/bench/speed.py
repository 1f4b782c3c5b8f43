"""How many requests a second, beside the bare libmicrohttpd program, Redis and Python; and what waiters cost.

SPDX-License-Identifier: MIT
"""

import sys

from parked import parked_waiters
from programs import HERE, Program, Redis, bare_program, bobbind, load, record_replies
from rows import Row, rounds_of


def speed(options, folders):
    memory = bobbind(folders.memory / "store")
    record_replies(memory, folders)
    bare = bare_program(folders)
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
        rows += parked_waiters(options, folders, bare, memory)
    finally:
        for program in (bare, stack, kept, redis):
            program.end()
        for server in (memory, disk):
            server.stop(30)
    return rows
