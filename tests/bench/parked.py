"""Ten thousand clients that wait in line: what they cost in memory, in idle time, and in the speed of the others.

SPDX-License-Identifier: MIT
"""

import http.client
import json
import socket
import time

from programs import bobbind, load
from rows import Limit, Row, rounds_of

IDLE_SECONDS = 5
MEMORY_BAR, CPU_BAR = 200e6, 1.0


def ask(server, method, path):
    talk = http.client.HTTPConnection(server.host, server.port, timeout=30)
    talk.request(method, path)
    reply = talk.getresponse()
    assert reply.status == 200, reply.read()
    got = json.loads(reply.read())
    talk.close()
    return got


def park(server, n):
    """n connections, each with an acquire that waits; all of them stand in line when this returns."""
    ask(server, "POST", "/v1/locks/parked/acquire?ttl=1h")
    request = (f"POST /v1/locks/parked/acquire?wait=600s HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
               "\r\n").encode()
    crowd = []
    for _ in range(n):
        one = socket.create_connection((server.host, server.port), 30)
        one.sendall(request)
        crowd.append(one)
    end = time.monotonic() + 60
    while ask(server, "GET", "/v1/locks/parked")["waiters"] < n:
        assert time.monotonic() < end, "they do not all stand in line"
        time.sleep(0.05)
    return crowd


def idle_percent(server):
    before, began = server.cpu_seconds(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return 100 * (server.cpu_seconds() - before) / (time.monotonic() - began)


def parked_waiters(options, folders, bare, without):
    print(f"{options.parked} parked waiters", flush=True)
    crowded = bobbind(folders.memory / "parked")
    crowd = park(crowded, options.parked)
    try:
        time.sleep(1)
        idle = idle_percent(crowded)
        rounds = rounds_of(options.rounds, {
            "bare": lambda: load(bare.port, "add", options.seconds),
            "without": lambda: load(without.port, "add", options.seconds),
            "with": lambda: load(crowded.port, "add", options.seconds)})
        memory = crowded.memory_bytes()
        speed = Row(f"the durable counter with {options.parked:,} parked waiters against without", 0.5, None, "with", "without")
        speed.measure(rounds)
        return [Limit(f"{options.parked:,} parked waiters, resident", MEMORY_BAR / 1e6, "MB", memory / 1e6),
                Limit(f"{options.parked:,} parked waiters, idle, of one processor", CPU_BAR, "%", idle), speed]
    finally:
        for one in crowd:
            one.close()
        crowded.stop(60)
