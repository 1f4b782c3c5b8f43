"""The tutorial's own stack: ThreadingHTTPServer, and a counter under a Lock.

    POST /v1/counters/x/add?n=3     the counter, in memory
    POST /v1/run/square?n=12        the square, on the request's thread

As the library comes, each request has a connection and a thread of its own; with --keep-alive a connection keeps its
thread, which is as well as it can be done. Prints its port. Each reply leaves in one write: the library's two would
meet Nagle and a delayed acknowledgement.

SPDX-License-Identifier: MIT
"""

import http.server
import json
import sys
import threading
import urllib.parse

counter, counter_lock = 0, threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1" if "--keep-alive" in sys.argv else "HTTP/1.0"
    disable_nagle_algorithm = True

    def do_POST(self):
        global counter
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        path, _, query = self.path.partition("?")
        n = int(dict(urllib.parse.parse_qsl(query)).get("n", 1))
        if path.endswith("/square"):
            answer = {"result": n * n}
        else:
            with counter_lock:
                counter += n
                answer = {"name": "x", "value": counter}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self._headers_buffer.append(b"\r\n" + body)
        self.flush_headers()

    def log_message(self, *args):
        pass


class Stack(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass  # wrk leaves without a good-bye


if __name__ == "__main__":
    with Stack(("127.0.0.1", 0), Handler) as stack:
        print(stack.server_address[1], flush=True)
        stack.serve_forever()
