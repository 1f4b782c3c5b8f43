"""Under systemd: what it is told, the sockets it gives, and how the journal is written to.

SPDX-License-Identifier: MIT
"""

import os
import re
import signal
import socket
import sqlite3
import sys

import pytest

from bobbind import PATIENCE, Server, until
from swarm import Swarm
from wire import Client, Waiting


# Descriptors from 3 on, a process that knows its own number, and the journal as the reader of standard error.
AS_SYSTEMD = """
import fcntl, os, sys
cut = sys.argv.index("--")
given = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 64) for fd in sys.argv[1:cut]]
for n, fd in enumerate(given):
    os.dup2(fd, 3 + n)
    os.close(fd)
if given:
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)))
journal = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{journal.st_dev}:{journal.st_ino}"
os.execv(sys.argv[cut + 1], sys.argv[cut + 1:])
"""


class Unit(Server):
    """bobbind as systemd starts it."""

    def __init__(self, folder, *flags, sockets=(), env=None):
        super().__init__(folder, *flags, env=env)
        self.pass_fds = tuple(one.fileno() for one in sockets)

    def command(self):
        command = super().command()
        if self.pass_fds and "--listen" not in self.flags:
            command = [part for part in command if part not in ("--listen", "127.0.0.1:0")]
        return [sys.executable, "-c", AS_SYSTEMD, *map(str, self.pass_fds), "--", *command]


@pytest.fixture
def unit(tmp_path):
    """unit(*flags, sockets=(), env=None): a Unit, not started yet; ended with the test."""
    made = []

    def unit(*flags, sockets=(), env=None):
        made.append(Unit(tmp_path / f"unit{len(made)}", *flags, sockets=sockets, env=env))
        return made[-1]

    yield unit
    for one in made:
        one.end()


class Notify:
    """What systemd would hear."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0.1)
        self.heard = []

    def hears(self, word, seconds=20, times=1):
        def heard():
            try:
                self.heard.append(self.socket.recv(4096).decode())
            except TimeoutError:
                pass
            return sum(1 for message in self.heard if re.search(word, message)) >= times
        until(heard, f"systemd hears {word}", seconds)

    def seconds(self):
        """What it was last asked to wait for."""
        return int(re.findall(r"^EXTEND_TIMEOUT_USEC=(\d+)$", "\n".join(self.heard), re.MULTILINE)[-1]) / 1e6


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_systemd_hears_ready_and_stopping(start, tmp_path):
    systemd = Notify(tmp_path)
    server = start(env={"NOTIFY_SOCKET": systemd.path})
    systemd.hears("READY=1")
    assert not any("STOPPING=1" in message for message in systemd.heard)
    Client(server).get("/livez").expect(200)
    server.stop()
    systemd.hears("STOPPING=1")


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_systemd_hears_how_long_a_stop_may_take(start, tmp_path):
    """At least --stop-timeout, and then some to tell and commit: TimeoutStopSec= knows of neither."""
    systemd = Notify(tmp_path)
    server = start("--stop-timeout", "40m", env={"NOTIFY_SOCKET": systemd.path})
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="sleep", seconds=3600).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    server.signal(signal.SIGTERM)
    systemd.hears("STOPPING=1")
    assert 41 * 60 <= systemd.seconds() <= 45 * 60
    assert server.alive(), "it waits for its task"
    client.delete(f"/v1/tasks/{task}").expect((200, 202))
    assert server.wait() == 0
    systemd.hears("STATUS=stopping\n")
    assert 30 <= systemd.seconds() <= 120, "what is left does not take so long"


@pytest.mark.needs("libsystemd")
def test_systemd_hears_what_readyz_says_and_once(start, tmp_path):
    systemd = Notify(tmp_path)
    server = start("--stop-timeout", "1s", env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "1000000"})
    shell = sqlite3.connect(server.folder / "store.db", isolation_level=None, timeout=30)
    systemd.hears(f"STATUS={server.url}$")
    systemd.heard.clear()
    shell.execute("BEGIN IMMEDIATE")
    try:
        Waiting(server, "POST", "/v1/counters/sum/add")
        server.log_line("store locked")
        said = Client(server).get("/readyz").expect(503)["detail"]
        systemd.hears(f"STATUS={server.url} is not ready: {re.escape(said)}$")
        systemd.hears("WATCHDOG=1", times=5)  # it has looked several times more
        assert len([one for one in systemd.heard if "STATUS=" in one]) == 1, systemd.heard
    finally:
        shell.close()
    systemd.hears(f"STATUS={server.url}$")


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_ready_is_said_only_when_the_port_is_open(start, tmp_path):
    systemd = Notify(tmp_path)
    host = "127.77.7.7"  # a number that is free here is nobody else's a moment later
    with socket.create_server((host, 0)) as free:
        port = free.getsockname()[1]
    start("--listen", f"{host}:{port}", env={"NOTIFY_SOCKET": systemd.path}, wait=False)
    systemd.hears("READY=1", 40)
    socket.create_connection((host, port), 10 * PATIENCE).close()


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_the_watchdog_is_fed(start, tmp_path):
    systemd = Notify(tmp_path)
    start(env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "1000000"})
    systemd.hears("WATCHDOG=1")
    systemd.heard.clear()
    systemd.hears("WATCHDOG=1")


@pytest.mark.needs("libsystemd")
def test_sockets_that_systemd_opened_are_used(unit):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = unit(sockets=[listening]).start()
        assert server.port == listening.getsockname()[1]
        Client(server).get("/livez").expect(200)
        server.stop()
        socket.create_connection(("127.0.0.1", server.port), 10 * PATIENCE).close()  # it is as it was


@pytest.mark.quick
@pytest.mark.parametrize("flags, env", [
    (["--nonsense"], {}), (["--max-body", "5X"], {}), (["stray"], {}), ([], {"BOBBIN_MAX_BODY": "5X"}),
    (["--www", "/nowhere"], {}), (["--data", "/dev/null"], {}), (["--command", "nonsense"], {}),
])
def test_what_stops_the_start_is_an_error_to_the_journal(unit, flags, env):
    server = unit(*flags, env=env).spawn()
    assert server.wait() > 0
    said = [line for line in server.lines if "bobbind: " in line]
    assert len(said) == 1 and said[0].startswith("<3>bobbind: "), server.log()
    assert all(line.startswith("<") for line in server.lines if line), server.log()


@pytest.mark.needs("libsystemd")
@pytest.mark.parametrize("flags, env", [(["--listen", "127.0.0.1:1"], {}), ([], {"BOBBIN_LISTEN": "127.0.0.1:1"}), ([], {})])
def test_an_address_that_does_not_count_is_named_in_the_log(unit, flags, env):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = unit(*flags, sockets=[listening], env=env).start()
        assert server.port == listening.getsockname()[1]
        assert ("<4>listen_ignored" in server.log()) == bool(flags or env), server.log()


@pytest.mark.needs("libsystemd")
@pytest.mark.parametrize("kind, address, word", [
    (socket.SOCK_STREAM, "0.0.0.0", "--insecure"), (socket.SOCK_DGRAM, "127.0.0.1", "none that listens"),
])
def test_a_socket_that_may_not_be_is_refused_before_the_store_is_read(unit, kind, address, word):
    with socket.socket(socket.AF_INET, kind) as given:
        given.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            given.listen()
        server = unit(sockets=[given]).spawn()
        assert server.wait() == 2 and word in server.log(), server.log()
        assert not server.folder.exists()


@pytest.mark.needs("libsystemd")
@pytest.mark.parametrize("flags", [("--max-body=5X",), ("--www=/nowhere",), ()], ids=["setting", "folder", "address"])
def test_who_waits_for_what_will_not_start_is_let_go(unit, flags):
    """Else systemd starts it anew, at once and again, for as long as a client waits at the socket."""
    with socket.socket() as given:
        given.bind(("127.0.0.1" if flags else "0.0.0.0", 0))
        given.listen()
        clients = [socket.create_connection(("127.0.0.1", given.getsockname()[1]), 20) for _ in range(3)]
        assert unit(*flags, sockets=[given]).spawn().wait() == 2
        given.setblocking(False)
        with pytest.raises(BlockingIOError):  # what systemd looks at
            given.accept()
        for client in clients:
            with client:
                assert client.recv(1) == b""


@pytest.mark.needs("libsystemd")
def test_who_waits_is_served_by_the_start_that_succeeds(unit, tmp_path):
    """Another has the data folder: that passes, and the client waits on."""
    holder = unit().start()
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        given.listen()
        with socket.create_connection(given.getsockname(), 40) as client:
            second = unit(sockets=[given])
            second.folder = holder.folder
            assert second.spawn().wait() == 1
            holder.stop()
            second.start()
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"


def test_the_access_log_leaves_the_journal_room_for_what_matters(unit):
    """Requests as fast as they are answered, until some have no line; what is left out is counted."""
    server = unit("--access-log").start()
    asked = 0
    for _ in range(20):
        swarm = Swarm(server, clients=16, each=100, counter="c")
        swarm.run()
        asked += swarm.acknowledged
        if any("lines_left_out" in line for line in server.lines):
            break
    server.stop()
    logged = sum(line.startswith("<6>request ") for line in server.lines)
    left_out = [int(n) for n in re.findall(r"^<4>lines_left_out n=(\d+) ", "\n".join(server.lines), re.MULTILINE)]
    assert left_out and logged + sum(left_out) == asked
    assert any(line.startswith("<6>stopping ") for line in server.lines) and "<6>stopped " in server.log()
