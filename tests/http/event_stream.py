"""A reader of GET /v1/stream, as a browser's EventSource would be.

SPDX-License-Identifier: MIT
"""

import json
import re
import socket
import threading
import time

from bobbind import PATIENCE
from wire import Client


class Stream(threading.Thread):
    """Reads server-sent events on a thread of its own."""

    def __init__(self, server, query="mode=latest"):
        super().__init__(daemon=True)
        self.client = Client(server)
        self.client.send("GET", f"/v1/stream?{query}")
        self.answer = self.client.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["Content-Type"].startswith("text/event-stream")
        assert "no-store" in self.answer.headers["Cache-Control"] or "no-cache" in self.answer.headers["Cache-Control"]
        self.events, self.comments, self.ended = [], 0, threading.Event()
        self.start()

    def run(self):
        event, data = None, []
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line.startswith("event:"):
                    event = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line and data:
                    self.events.append((time.monotonic(), event, json.loads("\n".join(data))))
                    event, data = None, []
                elif line:
                    assert re.match(r"(id|retry):", line), f"an odd line in the stream: {line!r}"
        except (OSError, ValueError, AttributeError):
            pass
        self.ended.set()

    def tells_of(self, name):
        """Everything said so far that mentions `name`."""
        return [(at, kind, data) for at, kind, data in list(self.events) if name in json.dumps(data)]

    def leave(self):
        self.client.connection.sock and self.client.connection.sock.shutdown(socket.SHUT_RDWR)
        try:
            self.answer.fp.raw._sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass
        self.join(20 * PATIENCE)
