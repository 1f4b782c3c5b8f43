"""A real HTTP server with real files to download: Python's own, in this process.

/common-licenses/NAME   the machine's licence texts
/made/NAME              files of 1 to 50 MB made on the spot
/slow/NAME              the same, in pieces, over `slow_seconds`, or until `hurry` is set
/delay/SECONDS/NAME     the same, after so many seconds
/held/NAME              the same, when `hurry` is set
/redirect/PATH          302 to /PATH
/gate/NAME              302 to itself, with a cookie, for who has it not; else the file
/truncated/NAME         promises the whole file and closes after half of it
/script/NAME            what stands first in `script` and is taken from it, (status, headers); when nothing does, the file

"held" and "delay" may stand before others: /held/script/NAME.

SPDX-License-Identifier: MIT
"""

import hashlib
import http.server
import pathlib
import random
import threading
import time

LICENSES = pathlib.Path("/usr/share/common-licenses")
PIECE = 256 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.counted = True
        with self.server.counting:
            self.server.running += 1
            self.server.asked_at.append(time.time())
            self.server.most = max(self.server.most, self.server.running)
        try:
            self.answer([part for part in self.path.partition("?")[0].split("/") if part])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.leave()

    def leave(self):
        """Counted no more: before the last byte, at which the client may come again sooner than this thread goes on."""
        with self.server.counting:
            self.server.running -= self.counted
            self.counted = False

    def answer(self, parts):
        gate = parts[0] == "gate" and self.headers["Cookie"] != "seen=yes"
        if parts[0] == "redirect" or gate:
            self.leave()
            self.send_response(302)
            self.send_header("Location", self.path if gate else "/" + "/".join(parts[1:]))
            if gate:
                self.send_header("Set-Cookie", "seen=yes; Path=/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if parts[0] == "delay":
            self.server.stop.wait(float(parts[1]))
            parts = parts[2:]
        if parts[0] == "held":
            self.server.hurry.wait()
            parts = parts[1:]
        if parts[0] == "script" and self.server.script:
            status, headers = self.server.script.pop(0)
            self.leave()
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            return
        file = self.server.files.get(parts[-1])
        if file is None:
            self.leave()
            return self.send_error(404)
        data = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if parts[0] == "truncated":
            self.leave()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        pieces = [data[n:min(n + PIECE, len(data) - 1)] for n in range(0, len(data) - 1, PIECE)]
        for piece in pieces:
            self.wfile.write(piece)
            if parts[0] == "slow":
                self.server.hurry.wait(self.server.slow_seconds / len(pieces))
        self.leave()
        self.wfile.write(data[-1:])

    def log_message(self, *args):
        pass


class FileServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder, sizes_mb=(), slow_seconds=3.0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {file.name: file for file in LICENSES.iterdir() if file.is_file()}
        self.counting, self.running, self.most = threading.Lock(), 0, 0
        self.asked_at, self.script = [], []
        self.stop, self.hurry, self.slow_seconds = threading.Event(), threading.Event(), slow_seconds
        chance = random.Random(1)
        for mb in sizes_mb:
            made = pathlib.Path(folder) / f"{mb}mb.bin"
            made.write_bytes(chance.randbytes(1024 * 1024) * mb + chance.randbytes(mb * 7))
            self.files[made.name] = made
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a cancelled download leaves without a good-bye

    def sha256(self, name):
        return hashlib.sha256(self.files[name].read_bytes()).hexdigest()

    def size(self, name):
        return self.files[name].stat().st_size

    def end(self):
        self.stop.set()
        self.hurry.set()
        self.shutdown()
        self.server_close()
