"""With SCHED_BATCH, which the server asks for at its start (process_prefer_throughput), and with SCHED_OTHER.

It is one process all the time: every thread of it is given the one policy or the other before each sample.

SPDX-License-Identifier: MIT
"""

import os

from latency import RATE, READ
from programs import bobbind, compiled, measured, paced, record_replies
from rows import Beside, in_turn

POLICIES = {"with": os.SCHED_BATCH, "without": os.SCHED_OTHER}
ADD = "/v1/counters/x/add"


def schedule(server, policy):
    """Gives all its threads the policy, as sched_setscheduler(2) does; those that come later have it from their maker."""
    while True:
        others = [one for one in server.native_threads() if os.sched_getscheduler(one) != policy]
        if not others:
            return
        for one in others:
            os.sched_setscheduler(one, policy, os.sched_param(0))


def batch(options, folders):
    server = bobbind(folders.memory / "batch", "--http-threads=2")
    generator = compiled("paced", "-lm", folders.disk)
    rows = []

    def beside(says, sample, *figures):
        def under(policy):
            schedule(server, policy)
            return sample()

        print(says, flush=True)
        rounds = in_turn(options.rounds, {name: lambda policy=policy: under(policy) for name, policy in POLICIES.items()})
        rows.extend(Beside(f"{says}: {figure} with SCHED_BATCH against without", rounds, figure, tuple(POLICIES))
                    for figure in figures)

    try:
        record_replies(server, folders)
        for what, says in (("add", "`POST …/add`, durable, tmpfs"), ("counter", f"`GET {READ}`")):
            beside(f"{says}, at saturation", lambda: measured(server.port, what, options.seconds), "rate", "p50", "p99")
        for method, path, says in (("POST", ADD, "`POST …/add`, durable, tmpfs"), ("GET", READ, f"`GET {READ}`")):
            beside(f"{says}, {RATE:,} a second",
                   lambda: paced(generator, server.port, method, path, RATE, options.seconds), "p50", "p99")
    finally:
        server.stop(30)
    return rows
