"""bobbind started with standard input, output or error closed: nothing else is opened in their place.

SPDX-License-Identifier: MIT
"""

import itertools
import os
import signal
import socket
import subprocess

import pytest

from bobbind import BINARY, PATIENCE, SOURCE, until

HOST = "127.0.70.70"  # of no other test: a port that is free stays so
CLOSED = [c for n in range(1, 4) for c in itertools.combinations((0, 1, 2), n)]


def free_port():
    with socket.create_server((HOST, 0)) as one:
        return one.getsockname()[1]


def listens(port):
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0


def with_closed(closed, *arguments, **more):
    """bobbind as a child whose descriptors `closed` are."""
    script = f'exec "$@" {" ".join(f"{fd}>&-" for fd in closed)}'
    return subprocess.Popen(["/bin/sh", "-c", script, "sh", BINARY, *arguments], stdin=subprocess.DEVNULL, **more)


@pytest.mark.quick
@pytest.mark.parametrize("closed", CLOSED, ids=lambda fds: "".join(map(str, fds)))
def test_what_is_closed_is_no_file_of_the_server(tmp_path, closed):
    port = free_port()
    server = with_closed(closed, "--listen", f"{HOST}:{port}", "--data", str(tmp_path / "store"),
                         "--www", str(SOURCE / "www"),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: listens(port) or server.poll() is not None, "it listens", seconds=40)
        assert server.poll() is None
        opened = [os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in closed]
        server.send_signal(signal.SIGTERM)
        log = server.communicate(timeout=40 * PATIENCE)[0]
    finally:
        server.kill()
        server.wait()
    assert opened == ["/dev/null"] * len(closed)
    assert server.returncode == 0
    assert (b" listening " in log) == (2 not in closed)
    for file in (tmp_path / "store").iterdir():
        assert file.is_dir() or b" stopped " not in file.read_bytes(), f"the log is in {file}"


@pytest.mark.quick
@pytest.mark.parametrize("asked", ["--help", "--version", "--routes"])
def test_who_asks_for_words_and_closes_their_place_is_told(asked):
    asking = with_closed((1,), asked, stderr=subprocess.PIPE)
    told = asking.communicate(timeout=20 * PATIENCE)[1]
    assert asking.returncode != 0 and b"standard output" in told
