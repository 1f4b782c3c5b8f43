"""The programs of the bench, each started on a free port of 127.0.0.1 and ended by its process id.

SPDX-License-Identifier: MIT
"""

import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))

from bobbind import BINARY, Server  # noqa: E402

ADDED_BY_ITSELF = ("date", "content-length", "connection")  # libmicrohttpd adds these to both


class Program:
    """A child that prints its port."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def compiled(name, library, scratch):
    """The program of that name beside bobbind, or one compiled here."""
    built = pathlib.Path(BINARY).resolve().parent / "tests" / "bench" / name
    if os.access(built, os.X_OK):
        return str(built)
    made = scratch / name
    if not made.exists():
        subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-pthread", str(HERE / f"{name}.c"), "-o", str(made),
                        library], check=True)
    return str(made)


def bare_program(folders):
    """Started, to answer what bobbind says: record_replies() comes first."""
    return Program(compiled("bare", "-lmicrohttpd", folders.disk), str(folders.disk / "replies"))


def record_replies(server, folders):
    """What bobbind says to each request of the bench, for the bare program to say the same."""
    talk = http.client.HTTPConnection(server.host, server.port, timeout=10)

    def ask(method, target):
        talk.request(method, target)
        reply = talk.getresponse()
        body = reply.read()
        assert reply.status == 200, (method, target, reply.status, body)
        headers = [f"{name}: {value}" for name, value in reply.getheaders() if name.lower() not in ADDED_BY_ITSELF]
        return reply.status, headers, body

    ask("POST", "/v1/counters/x/add?n=123456")
    steps = [("GET", "/livez"), ("GET", "/v1/counters/x"), ("POST", "/v1/counters/x/add?n=1"),
             ("POST", "/v1/run/square?n=7"), ("POST", "/v1/locks/bench-0-1234/acquire?ttl=3s"),
             ("POST", "/v1/locks/bench-0-1234/release?token=")]
    with open(folders.disk / "replies", "wb") as file:
        token = ""
        for method, target in steps:
            status, headers, body = ask(method, target + token if target.endswith("token=") else target)
            found = re.search(rb'"token":(\d+)', body)
            token = found[1].decode() if found else token
            segment = target.partition("?")[0].rpartition("/")[2]
            file.write(f"{method} {segment} {status} {len(headers)} {len(body)}\n".encode())
            file.write("".join(line + "\n" for line in headers).encode() + body + b"\n")
    talk.close()


class Redis:
    """redis-server that syncs for every command, with its file in `folder`."""

    def __init__(self, folder):
        self.port = free_port()
        folder.mkdir()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync",
             "always", "--save", "", "--dir", str(folder), "--daemonize", "no", "--loglevel", "warning",
             "--no-appendfsync-on-rewrite", "no"], stdout=subprocess.DEVNULL)
        for _ in range(100):
            if subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True).stdout == b"PONG\n":
                return
        raise RuntimeError("redis-server did not come up")

    def increments_per_second(self, seconds, clients, guess):
        """INCR of one key under redis-benchmark, for about so many seconds."""
        count = max(1000, int(guess * seconds))
        got = subprocess.run(["redis-benchmark", "-p", str(self.port), "-c", str(clients), "-n", str(count), "--csv",
                              "incr", "x"], capture_output=True, text=True, check=True, timeout=120).stdout
        return float(got.splitlines()[-1].split(",")[1].strip('"'))

    def end(self):
        self.process.terminate()
        self.process.wait(20)


NGINX_BINARY = shutil.which("nginx") or "/usr/sbin/nginx"  # its folder is not in everybody's PATH
NGINX = """daemon off;
worker_processes 2;
worker_rlimit_nofile 16384;
pid {folder}/pid;
error_log {folder}/error;
events {{
    worker_connections 8192;
}}
http {{
    access_log off;
    server_tokens off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    add_header Cache-Control no-store;
    add_header X-Content-Type-Options nosniff;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            return 200 '{body}';
        }}
    }}
}}
"""


class Nginx:
    """nginx with two workers, that says the same JSON to whatever it is asked; its files are in `folder`."""

    def __init__(self, folder, body):
        self.port = free_port()
        folder.mkdir()
        (folder / "conf").write_text(NGINX.format(folder=folder, port=self.port, body=body))
        self.process = subprocess.Popen(
            [NGINX_BINARY, "-p", str(folder), "-e", str(folder / "error"), "-c", str(folder / "conf")],
            stdin=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        self.process.kill()
        raise RuntimeError("nginx did not come up: " + (folder / "error").read_text())

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Folders:
    """Scratch on tmpfs and on the disk; both gone at the end."""

    def __init__(self, disk):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.memory = pathlib.Path(tempfile.mkdtemp(prefix="bobbin-bench-", dir=memory))
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="bobbin-bench-", dir=disk))

    def end(self):
        shutil.rmtree(self.memory, ignore_errors=True)
        shutil.rmtree(self.disk, ignore_errors=True)


def bobbind(folder, *flags):
    return Server(folder, *flags).start()


class Figures(NamedTuple):
    """Of one sample: requests, those of a second, and how many milliseconds half of them and 99 of 100 took at most."""

    requests: int
    rate: float
    p50: float
    p99: float

    def __str__(self):
        return f"{self.rate:,.0f}/s {self.p50:.2f}/{self.p99:.2f} ms"


def measured(port, what, seconds, clients=64):
    """wrk, as fast as it goes. A reply that is no success, or none, is an error of the bench."""
    got = subprocess.run(["wrk", "-t2", f"-c{clients}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / "load.lua"),
                          f"http://127.0.0.1:{port}", "--", what], capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", got.stdout)
    assert found, got.stdout + got.stderr
    requests, micros, refused, broken, p50, p99 = map(int, found.groups())
    assert refused + broken <= requests * 0.01, f"{what}: {refused} refused, {broken} broken of {requests}"
    return Figures(requests, requests * 1e6 / micros, p50 / 1e3, p99 / 1e3)


def load(port, what, seconds, clients=64):
    """Its requests a second."""
    return measured(port, what, seconds, clients).rate


def paced(program, port, method, path, rate, seconds, clients=64):
    """paced.c: an open schedule of `rate` a second. Every request must be answered, and well."""
    got = subprocess.run([program, str(port), method, path, str(rate), str(clients), str(seconds)], capture_output=True,
                         text=True, timeout=seconds + 60)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", got.stdout)
    assert found, got.stdout + got.stderr
    requests, unanswered, refused, p50, p99, _, _ = map(int, found.groups())
    assert unanswered + refused == 0, f"{method} {path}: {unanswered} unanswered, {refused} refused of {requests}"
    return Figures(requests, rate, p50 / 1e3, p99 / 1e3)
