"""Clients of bobbind: one that speaks HTTP politely, one that waits on a thread of its own, and a bare socket.

Every reply that passes here is checked for what all replies must be: JSON that parses, and for 4xx and 5xx a
problem+json that says its own status.

SPDX-License-Identifier: MIT
"""

import http.client
import json
import socket
import struct
import threading
import time
import urllib.parse

from bobbind import PATIENCE, until

MUTE = (204, 304)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = headers  # case-insensitive: http.client's message
        self.type = (headers.get("Content-Type") or "").split(";")[0]
        self.json = json.loads(body) if body and self.type.endswith("json") else None

    @property
    def text(self):
        return self.body.decode()

    def __getitem__(self, key):
        return self.json[key]

    def __repr__(self):
        return f"<{self.status} {self.type} {self.body[:300]!r}>"

    def is_sound(self, method="GET"):
        """What holds for every reply of ours."""
        if self.status >= 400 and method != "HEAD":
            assert self.type == "application/problem+json", f"an error that is no problem+json: {self}"
            for member in ("type", "title", "status", "code"):
                assert member in self.json, f"a problem without {member}: {self}"
            assert self.json["status"] == self.status, self
            assert self.json["type"].startswith("/problems/"), self
        if self.status in (423, 429, 503):
            assert int(self.headers["Retry-After"]) >= 1, f"no Retry-After: {self}"
        if self.status in MUTE:
            assert self.body == b"", self
        return self

    def expect(self, status, code=None):
        """This very status (and problem code), or a failure that shows the reply."""
        wanted = status if isinstance(status, tuple) else (status,)
        assert self.status in wanted, f"wanted {status}, got {self}"
        assert code is None or self.json["code"] == code, f"wanted code {code}, got {self}"
        return self

    def names(self, *words):
        """The problem's detail names the thing."""
        for word in words:
            assert word in self.json.get("detail", ""), f"the detail does not name {word!r}: {self}"
        return self


class Client:
    """Keep-alive; one thread at a time. Parameters given by keyword go as a JSON body (GET, DELETE: as query)."""

    def __init__(self, server, timeout=30):
        self.server = server
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout * PATIENCE)

    def send(self, method, path, body=None, headers=None, **params):
        headers = dict(headers or {})
        if params and method in ("GET", "DELETE", "HEAD"):
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(params)
        elif params:
            body = json.dumps(params)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        self.connection.request(method, path, body=body, headers=headers)

    def receive(self, method="GET"):
        answer = self.connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read()).is_sound(method)

    def __call__(self, method, path, body=None, headers=None, **params):
        self.send(method, path, body, headers, **params)
        return self.receive(method)

    def get(self, path, headers=None, **params):
        return self("GET", path, None, headers, **params)

    def post(self, path, headers=None, **params):
        return self("POST", path, None, headers, **params)

    def put(self, path, headers=None, **params):
        return self("PUT", path, None, headers, **params)

    def delete(self, path, headers=None, **params):
        return self("DELETE", path, None, headers, **params)

    def form(self, path, fields, method="POST"):
        """As `curl -d name=value`."""
        return self(method, path, urllib.parse.urlencode(fields),
                    {"Content-Type": "application/x-www-form-urlencoded"})

    def close(self):
        self.connection.close()

    def all_items(self, path, limit=100):
        """A whole list, page by page."""
        items, cursor = [], None
        while True:
            page = self.get(path, limit=limit, **({"cursor": cursor} if cursor else {})).expect(200)
            assert len(page["items"]) <= limit, page
            items += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return items


class Waiting(threading.Thread):
    """A client that waits for its answer on a thread of its own."""

    def __init__(self, server, method, path, timeout=60, **params):
        super().__init__(daemon=True)
        self.client = Client(server, timeout)
        self.reply, self.error, self.seconds = None, None, None
        self.answered = threading.Event()
        self.method, self.asked_at = method, time.monotonic()
        self.client.send(method, path, **params)
        self.start()

    def run(self):
        try:
            self.reply = self.client.receive(self.method)
        except Exception as error:  # shown by answer()
            self.error = error
        self.seconds = time.monotonic() - self.asked_at
        self.answered.set()

    def answer(self, seconds=20):
        assert self.answered.wait(seconds * PATIENCE), f"no answer within {seconds} s"
        self.join()
        self.client.close()
        if self.error:
            raise self.error
        return self.reply

    def still_waits(self):
        assert not self.answered.is_set(), f"it was answered: {self.reply or self.error}"

    def leave(self):
        """The client goes away."""
        self.client.connection.sock.shutdown(socket.SHUT_RDWR)
        self.join(20 * PATIENCE)
        self.client.close()


class Raw:
    """A bare socket: what no polite client sends."""

    def __init__(self, server, timeout=30):
        self.host = f"{server.host}:{server.port}"
        self.socket = socket.create_connection((server.host, server.port), timeout * PATIENCE)
        self.got = b""

    def send(self, data):
        try:
            self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        except OSError:
            pass  # the server may have cut us already; what it said is still to be read
        return self

    def end_of_requests(self):
        """Half a close: no more will come, an answer is still read."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is cut already

    def request(self, head, body=b"", headers=()):
        """A request line, a right Host, the given header lines, a body with its length."""
        lines = [head + " HTTP/1.1", "Host: " + self.host, *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def reply(self, method="GET"):
        """The next reply, or None when the server closes without one."""
        while b"\r\n\r\n" not in self.got:
            if not self._more():
                return None
        head, _, rest = self.got.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = http.client.HTTPMessage()
        for line in lines:
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        length = int(headers.get("Content-Length", 0)) if method != "HEAD" else 0
        while len(rest) < length:
            if not self._more():
                break
            rest = self.got.partition(b"\r\n\r\n")[2]
        self.got = rest[length:]
        return Reply(int(status_line.split()[1]), headers, rest[:length])

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        self.got += data
        return bool(data)

    def is_cut(self, seconds=20):
        """Waits until the server closes; true if it did within `seconds`."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds * PATIENCE)
        try:
            while self._more():
                pass
            return True
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(before)

    def close(self, reset=False):
        """FIN, or RST as from a client that was killed."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def line_of(client, path):
    """Owners standing in line at a lock or semaphore, head first."""
    return [place["owner"] for place in client.get(path).expect(200)["line"]]


def take(client, name, **params):
    """The grant of a lock."""
    return client.post(f"/v1/locks/{name}/acquire", **params).expect(200)


def release(client, name, token):
    return client.post(f"/v1/locks/{name}/release", token=token).expect(200)


def stands_in_line(client, path, *owners):
    """Waits until exactly these stand there, in this order."""
    until(lambda: line_of(client, path) == list(owners), f"the line at {path} is {owners}")
