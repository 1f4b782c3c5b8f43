"""How long a read takes, beside nginx's `return 200` and the bare libmicrohttpd program.

At saturation 64 connections ask as fast as they are answered: that is the rate, seen from the other side. At a fixed
rate, which none of the three is short of, the same 64 ask by a schedule (see paced.c).

SPDX-License-Identifier: MIT
"""

import http.client

from programs import Nginx, bare_program, bobbind, compiled, measured, paced, record_replies
from rows import Beside, in_turn

READ = "/v1/counters/x"
RATE = 25_600


def body_of(server):
    talk = http.client.HTTPConnection(server.host, server.port, timeout=10)
    talk.request("GET", READ)
    body = talk.getresponse().read().decode().rstrip("\n")
    talk.close()
    return body


def latency(options, folders):
    server = bobbind(folders.memory / "latency", "--http-threads=2")
    ends = [lambda: server.stop(30)]
    rows = []

    def beside(says, sample, *figures):
        print(says, flush=True)
        rounds = in_turn(options.rounds, {who: lambda at=at: sample(at) for who, at in ports.items()})
        rows.extend(Beside(f"{says}: {figure}, against nginx", rounds, figure, ("bobbind", "nginx", "bare"))
                    for figure in figures)
        rows.append(Beside("the same against bare", rounds, figures[-1], ("bobbind", "bare")))

    try:
        record_replies(server, folders)
        bare = bare_program(folders)
        ends.append(bare.end)
        nginx = Nginx(folders.memory / "nginx", body_of(server))
        ends.append(nginx.end)
        ports = {"bobbind": server.port, "nginx": nginx.port, "bare": bare.port}
        generator = compiled("paced", "-lm", folders.disk)
        beside(f"`GET {READ}`, c = 64, at saturation", lambda at: measured(at, "counter", options.seconds),
               "rate", "p50", "p99")
        beside(f"`GET {READ}`, c = 64, {RATE:,} a second", lambda at: paced(generator, at, "GET", READ, RATE, options.seconds),
               "p50", "p99")
    finally:
        for end in ends:
            end()
    return rows
