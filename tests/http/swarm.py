"""Many clients on one thread: each has one connection and one request under way, as fast as the server answers.

SPDX-License-Identifier: MIT
"""

import re
import selectors
import socket
import time

from bobbind import PATIENCE

VALUE = re.compile(rb'"value":\s*(-?\d+)')


class Swarm:
    """`clients` connections, each sending `each` increments of one counter."""

    def __init__(self, server, clients, each, counter):
        self.request = (f"POST /v1/counters/{counter}/add HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
                        "Content-Length: 0\r\n\r\n").encode()
        self.selector = selectors.DefaultSelector()
        self.values, self.acknowledged, self.in_flight, self.refused = [], 0, 0, []
        self.at = (server.host, server.port)
        self.clients, self.each = clients, each

    def run(self, at_half=None, seconds=120):
        """Until all are done or cut; at_half() is called once half of the increments are acknowledged."""
        left, end = {}, time.monotonic() + seconds * PATIENCE
        for _ in range(self.clients):
            one = socket.create_connection(self.at)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(one, selectors.EVENT_READ)
            left[one] = self.each
        for one in list(left):
            self._ask(one)
        while left:
            assert time.monotonic() < end, f"{self.acknowledged} acknowledged after {seconds} s"
            for key, _ in self.selector.select(1):
                one = key.fileobj
                if self._answered(one):
                    left[one] -= 1
                    if left[one] and self._ask(one):
                        continue
                self.selector.unregister(one)
                one.close()
                del left[one]
            if at_half and self.acknowledged * 2 >= self.clients * self.each:
                at_half()
                at_half = None
        self.selector.close()

    def _ask(self, one):
        self.in_flight += 1
        try:
            one.sendall(self.request)
            return True
        except OSError:
            return False

    def _answered(self, one):
        """True when an increment was acknowledged; false when the connection is over (its request stays in flight)."""
        got = b""
        while b"\r\n\r\n" not in got or not got.endswith(b"}\n"):
            try:
                more = one.recv(4096)
            except OSError:
                return False
            if not more:
                return False
            got += more
        self.in_flight -= 1
        if not got.startswith(b"HTTP/1.1 200"):
            self.refused.append(got)
            return True
        self.acknowledged += 1
        self.values.append(int(VALUE.search(got)[1]))
        return True
