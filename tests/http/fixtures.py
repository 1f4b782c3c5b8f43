"""What every test on the wire gets: a server, clients, a name of its own, and an end to its patience.

    server   a running bobbind, shared by the tests of one file (a fresh one if a test broke it)
    start    makes another: start("--max-waiters", "3"); ended with the test
    client   a keep-alive client of `server`
    name     a name no other test uses

Marks: quick (the short form that ./dev race runs against sanitizer builds), slow (more than five seconds),
limit(seconds) (this test's own time limit; 60 without it).

SPDX-License-Identifier: MIT
"""

import faulthandler
import os
import re
import signal
import subprocess
import sys

import pytest

from bobbind import BINARY, PATIENCE, Server
from wire import Client, Waiting


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: part of the short form, for sanitizer builds")
    config.addinivalue_line("markers", "slow: takes more than five seconds")
    config.addinivalue_line("markers", "limit(seconds): the test's own time limit")
    config.addinivalue_line("markers", "needs(library): skipped for a bobbind that was built without it")


def pytest_collection_modifyitems(items):
    """A build of the core alone passes what it can pass, and says what was left out."""
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, timeout=20, check=False).stdout
    for item in items:
        for mark in item.iter_markers("needs"):
            if mark.args[0] not in linked:
                item.add_marker(pytest.mark.skip(reason=f"built without {mark.args[0]}"))


def pytest_sessionstart(session):
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no bobbind at {BINARY}: build it, or name one in BOBBIND", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs shows where, and fails; the others still run."""
    mark = item.get_closest_marker("limit")
    seconds = (mark.args[0] if mark else 60) * PATIENCE

    def out_of_time(number, frame):
        faulthandler.dump_traceback(file=sys.__stderr__)
        raise AssertionError(f"still running after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def server_flags():
    """Of the server that the tests of a module share; a module may have its own."""
    return []


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory, server_flags):
    box = {"server": Server(tmp_path_factory.mktemp("data") / "store", *server_flags).start()}
    yield box
    box["server"].end()


@pytest.fixture
def server(shared_server, server_flags, tmp_path):
    if not shared_server["server"].alive():
        shared_server["server"] = Server(tmp_path / "store", *server_flags).start()
    yield shared_server["server"]
    assert shared_server["server"].alive(), f"the server ended:\n{shared_server['server'].log()}"


@pytest.fixture
def start(tmp_path):
    """start(*flags, folder=None, env=None, wait=True): a server of this test's own."""
    started = []

    def start(*flags, folder=None, env=None, wait=True, preload=None):
        folder = folder or tmp_path / f"store{len(started)}"
        fresh = Server(folder, *flags, env=env, preload=preload)
        started.append(fresh)
        return fresh.start() if wait else fresh.spawn()

    yield start
    failures = []
    for one in reversed(started):
        try:
            one.end()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def client(server):
    made = Client(server)
    yield made
    made.close()


@pytest.fixture
def waiting(server):
    """waiting("POST", path, owner="bea", wait="5s"): a client that waits on a thread of its own."""
    return lambda method, path, **params: Waiting(server, method, path, **params)


@pytest.fixture
def name(request):
    return re.sub(r"[^A-Za-z0-9._:~-]", "-", request.node.name)[:120]
