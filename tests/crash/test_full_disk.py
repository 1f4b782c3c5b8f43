"""A full disk: what would grow is refused before anything is decided, what gives back passes, and room is noticed.

SPDX-License-Identifier: MIT
"""

import os
import subprocess
import threading
import time

import pytest

from bobbind import PATIENCE, until
from swarm import Swarm
from wire import Client, Raw, Waiting, stands_in_line

SIZE = "48m"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("SKIP: only root may mount a tmpfs")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
                             capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"SKIP: no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def server(small_disk, start):
    return start("--reserve", "4M", folder=small_disk / "store")


def fill(folder):
    """Takes all the room there is."""
    with open(folder / "filler", "ab", buffering=0) as filler:
        for size in (1 << 20, 4096):
            try:
                while filler.write(b"x" * size):
                    pass
            except OSError:
                pass
    return folder / "filler"


class Hog(threading.Thread):
    """A program that goes on writing: every free byte is its own at once, those that are given back as well."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.file = folder / "hog"
        self.over = threading.Event()
        self.start()

    def run(self):
        with open(self.file, "ab", buffering=0) as file:
            while not self.over.is_set():
                try:
                    file.write(b"x" * 65536)
                except OSError:
                    try:
                        file.write(b"x" * 4096)
                    except OSError:
                        os.sched_yield()

    def end(self):
        self.over.set()
        self.join()
        self.file.unlink()


def write_until_full(client, seconds=30):
    """Adds until the gate is closed; returns the sum of those that were acknowledged."""
    acked = 0
    ends = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < ends:
        reply = client.post("/v1/counters/sum/add")
        if reply.status == 507:
            return acked
        acked += reply.expect((200, 503)).status == 200
    raise AssertionError(f"no 507 within {seconds} s, after {acked}")


@pytest.mark.limit(120)
def test_writers_get_507_releases_pass_and_room_is_noticed(server, small_disk):
    client = Client(server, timeout=40)
    tokens = [client.post(f"/v1/locks/l{n}/acquire", ttl="10m").expect(200)["token"] for n in range(50)]
    client.put("/v1/semaphores/s", value=3).expect(201)
    permits = client.post("/v1/semaphores/s/acquire", permits=3, ttl="10m").expect(200)["token"]
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="square", n=1, delay="1h").expect(202)["id"]
    filler = fill(small_disk)
    acked = write_until_full(client)

    for refused in (client.post("/v1/locks/new/acquire"), client.put("/v1/semaphores/new", value=1),
                    client.post("/v1/counters/new/set", value=1), client.put("/v1/executors/new", max_workers=1),
                    client.post("/v1/executors/e/tasks", kind="square", n=1)):
        refused.expect(507, "store_full")
    client.get("/readyz").expect(503)
    client.get("/livez").expect(200)
    assert "bobbin_journal_full 1" in client.get("/metrics").text

    for n, token in enumerate(tokens):
        client.post(f"/v1/locks/l{n}/release", token=token).expect(200)
    client.post("/v1/semaphores/s/release", token=permits).expect(200)
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))

    filler.unlink()
    until(lambda: client.post("/v1/counters/new/set", value=7).status == 200, "room is noticed")
    client.get("/readyz").expect(200)
    value = client.get("/v1/counters/sum").expect(200)["value"]
    assert value >= acked
    client.post("/v1/locks/l0/acquire").expect(200)
    server.stop()
    server.start()
    client = Client(server)
    assert client.get("/v1/counters/sum").expect(200)["value"] == value
    assert client.get("/v1/counters/new")["value"] == 7
    assert client.get("/v1/semaphores/s").expect(200)["free"] == 3


@pytest.mark.limit(120)
def test_what_gives_back_passes_beside_a_program_that_goes_on_writing(server, small_disk):
    """Room that was removed from a file would be the other's; that within the store's own files is not."""
    client = Client(server, timeout=40)
    locks, counters, tasks = 300, 100, 100
    tokens = [client.post(f"/v1/locks/l{n}/acquire", ttl="10m").expect(200)["token"] for n in range(locks)]
    for n in range(counters):
        client.post(f"/v1/counters/c{n}/set", value=n).expect(200)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    ids = [client.post("/v1/executors/e/tasks", kind="square", n=1, delay="1h").expect(202)["id"] for n in range(tasks)]
    hog = Hog(small_disk)
    write_until_full(client)

    took = []

    def promptly(reply):
        nonlocal began
        reply.expect((200, 202, 204))
        took.append(time.monotonic() - began)
        began = time.monotonic()

    began = time.monotonic()
    for n in range(locks):
        promptly(client.post(f"/v1/locks/l{n}/release", token=tokens[n]))
        if n % 3 == 0:
            promptly(client.delete(f"/v1/counters/c{n // 3}"))
            promptly(client.delete(f"/v1/tasks/{ids[n // 3]}"))
    assert len(took) == locks + counters + tasks and max(took) < 2 * PATIENCE, f"{max(took):.1f} s"
    client.post("/v1/counters/new/set", value=1).expect(507, "store_full")
    assert os.statvfs(small_disk).f_bavail < 256, "the other program has left something"

    hog.end()
    until(lambda: client.post("/v1/counters/new/set", value=7).status == 200, "room is noticed")
    server.stop()
    server.start()
    client = Client(server)
    assert client.get("/v1/counters/new").expect(200)["value"] == 7
    client.get("/v1/counters/c1").expect(404)
    client.post("/v1/locks/l0/acquire").expect(200)


@pytest.mark.limit(120)
def test_it_stops_and_starts_on_a_full_disk(server, small_disk):
    """A stop leaves its room in the files, and so does a crash."""
    client = Client(server, timeout=40)
    tokens = [client.post(f"/v1/locks/l{n}/acquire", ttl="10m").expect(200)["token"] for n in range(4)]
    fill(small_disk)
    write_until_full(client)
    fill(small_disk)
    for n, end in enumerate((server.stop, server.kill, server.stop)):
        client.post(f"/v1/locks/l{n}/release", token=tokens[n]).expect(200)
        end()
        server.start()
        client = Client(server, timeout=40)
        client.get(f"/v1/locks/l{n}").expect(404)  # free, and so not there after a start
        client.post("/v1/counters/new/set", value=1).expect(507, "store_full")
    client.post("/v1/locks/l3/release", token=tokens[3]).expect(200)


@pytest.mark.limit(120)
def test_the_reserve_is_there_again_for_the_next_time(server, small_disk):
    client = Client(server, timeout=40)
    for turn in range(3):
        token = client.post(f"/v1/locks/l{turn}/acquire", ttl="10m").expect(200)["token"]
        filler = fill(small_disk)
        write_until_full(client)
        client.post(f"/v1/locks/l{turn}/release", token=token).expect(200)
        filler.unlink()
        until(lambda: client.post("/v1/counters/sum/add").status == 200, "room is noticed")
        until(lambda: client.get("/readyz").status == 200, "ready again")


@pytest.mark.limit(120)
def test_the_gate_stays_closed_while_there_is_no_room_but_the_reserve(server, small_disk):
    """What was given back is room for the reserve again: it must not open the gate for the next write to close."""
    client = Client(server, timeout=40)
    client.post("/v1/counters/sum/add").expect(200)
    filler = fill(small_disk)
    write_until_full(client)
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        client.post("/v1/counters/sum/add").expect((503, 507))
    assert server.log().count("disk full") == 1 and "has room again" not in server.log()
    filler.unlink()
    until(lambda: client.post("/v1/counters/sum/add").status == 200, "room is noticed")
    server.log_line("has room again")
    assert server.log().count("has room again") == 1


@pytest.mark.limit(240)
def test_the_log_alone_does_not_fill_a_small_disk(server, small_disk):
    """More passes through the log than there is room for, and nearly all of it is in the database already."""
    filler = fill(small_disk)
    os.truncate(filler, filler.stat().st_size - (10 << 20))
    swarm = Swarm(server, 4, 15000, "sum")
    swarm.run(seconds=200)
    assert swarm.acknowledged == 60000 and "disk full" not in server.log()


@pytest.mark.limit(120)
def test_kill_on_a_full_disk_loses_nothing_that_was_acknowledged(server, small_disk):
    client = Client(server, timeout=40)
    filler = fill(small_disk)
    acked = write_until_full(client)
    server.kill()
    filler.unlink()
    server.start()
    reply = Client(server).get("/v1/counters/sum")
    assert (reply.expect(200)["value"] if acked else 0) >= acked


@pytest.mark.limit(120)
def test_a_line_moves_on_although_the_disk_is_full(server, small_disk):
    """A release passes, and so does the grant it makes: the next in line was let in before the disk was full."""
    client = Client(server, timeout=40)
    held = client.post("/v1/locks/l/acquire", ttl="10m").expect(200)["token"]
    bea = Waiting(server, "POST", "/v1/locks/l/acquire", wait="5m", owner="bea", ttl="10m")
    stands_in_line(client, "/v1/locks/l", "bea")
    ghost = Raw(server).request("POST /v1/locks/l/acquire?wait=5m&owner=ghost")
    stands_in_line(client, "/v1/locks/l", "bea", "ghost")
    filler = fill(small_disk)
    write_until_full(client)
    client.post("/v1/locks/l/release", token=held).expect(200)
    bea.answer(20).expect(200)
    ghost.close()
    filler.unlink()
    until(lambda: client.post("/v1/counters/sum/add").status == 200, "room is noticed")
