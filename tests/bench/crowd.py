"""From a few connections to thousands: no crowd may make a thread of the pool stand still.

Each number of connections is run several times, one run after the other, and the worst run is held against the best:
a thread that sleeps beside its crowd does so in one run of some, which no median shows. If it did so in all, the
medians of one crowd and another would tell.

SPDX-License-Identifier: MIT
"""

import statistics

from noise import undisturbed
from programs import bobbind, load
from rows import Spread

CROWDS = (16, 64, 128, 256, 512, 1024, 4096)
BAR, BAR_FOR = 0.55, (128, 256, 512)
KINDS = {"add": "`POST …/add`, durable, tmpfs", "counter": "`GET /v1/counters/x`"}


def crowd(options, folders):
    server = bobbind(folders.memory / "crowd", "--http-threads=2")
    rows = []
    try:
        for what, says in KINDS.items():
            medians = []
            for clients in CROWDS:
                runs = [undisturbed(lambda: load(server.port, what, options.seconds, clients))
                        for _ in range(options.rounds)]
                print(f"{what}, {clients} connections\n  " + "  ".join(f"{rate:,.0f}" for rate in runs), flush=True)
                medians.append(statistics.median(runs))
                rows.append(Spread(f"{says}, c = {clients:,}: the worst run against the best",
                                   BAR if clients in BAR_FOR else None, runs))
            rows.append(Spread("the lowest of these medians against the highest", None, medians))
    finally:
        server.stop(30)
    return rows
