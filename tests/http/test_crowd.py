"""Many connections of one thread that ask at the same moment: none of them is left lying beside the others.

libmicrohttpd's loop takes 128 events at once and asks for more before it looks at them: where there are just 128, or twice or three times as
many, it would wait beside them for as long as nothing else happens.

SPDX-License-Identifier: MIT
"""

import select
import signal
import time

import pytest

from bobbind import PATIENCE
from wire import Raw

THREADS, ROUNDS = 2, 6


def answered_after(server, crowd, request):
    """All of the crowd send while the server stands still; how long until the last of them is answered, once it goes on."""
    server.signal(signal.SIGSTOP)
    try:
        for raw in crowd:
            raw.send(request.replace("{host}", raw.host))
        began = time.monotonic()
    finally:
        server.signal(signal.SIGCONT)
    left, poll = {raw.socket.fileno(): raw for raw in crowd}, select.poll()
    for number in left:
        poll.register(number, select.POLLIN)
    while left and time.monotonic() - began < 10 * PATIENCE:
        for number, _ in poll.poll(100):
            assert left.pop(number).reply().status == 200
            poll.unregister(number)
    assert not left, f"{len(left)} of {len(crowd)} have no answer"
    return time.monotonic() - began


@pytest.mark.limit(180)
@pytest.mark.parametrize("request_line", ["GET /livez", "POST /v1/counters/crowd/add"], ids=["read", "change"])
@pytest.mark.parametrize("n", [127, 128, 256, 384])
def test_each_of_a_crowd_is_answered(start, n, request_line):
    """As many for each thread: a connection goes to the thread of its descriptor."""
    server = start("--http-threads", str(THREADS), "--idle-timeout", "10m")
    crowd = [Raw(server) for _ in range(THREADS * n)]
    request = f"{request_line} HTTP/1.1\r\nHost: {{host}}\r\nContent-Length: 0\r\n\r\n"
    took = sorted(answered_after(server, crowd, request) for _ in range(ROUNDS))
    assert took[0] <= 0.3 * PATIENCE and took[len(took) // 2] <= 1.0 * PATIENCE, took
    for raw in crowd:
        raw.close()
