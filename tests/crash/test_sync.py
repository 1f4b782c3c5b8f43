"""fsync, counted and made to fail by a preloaded shim: what is answered is on the disk, or it is not answered.

SPDX-License-Identifier: MIT
"""

import pathlib
import subprocess

import pytest

from bobbind import BINARY, until
from swarm import Swarm
from wire import Client

SOURCE = pathlib.Path(__file__).with_name("shim.c")


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The built one, or one compiled here."""
    built = pathlib.Path(BINARY).resolve().parent / "tests" / "crash" / "shim.so"
    if built.exists():
        return built
    made = tmp_path_factory.mktemp("shim") / "shim.so"
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(made), "-ldl"],
                   check=True)
    return made


def syncs(count_file):
    return int(pathlib.Path(count_file).read_text() or 0)


@pytest.mark.limit(60)
def test_two_hundred_adds_one_after_the_other_are_two_hundred_syncs(start, shim, tmp_path):
    count = tmp_path / "count"
    server = start(preload=shim, env={"SHIM_COUNT": str(count)})
    client = Client(server)
    client.post("/v1/counters/c/add").expect(200)
    before = syncs(count)
    for n in range(200):
        client.post("/v1/counters/c/add").expect(200)
    assert syncs(count) - before >= 200


@pytest.mark.limit(60)
def test_a_grant_and_a_release_are_synced_each(start, shim, tmp_path):
    count = tmp_path / "count"
    server = start(preload=shim, env={"SHIM_COUNT": str(count)})
    client = Client(server)
    before = syncs(count)
    for n in range(50):
        token = client.post("/v1/locks/l/acquire").expect(200)["token"]
        client.post("/v1/locks/l/release", token=token).expect(200)
    assert syncs(count) - before >= 100


@pytest.mark.limit(60)
def test_many_at_once_share_their_syncs(start, shim, tmp_path):
    count = tmp_path / "count"
    server = start(preload=shim, env={"SHIM_COUNT": str(count)})
    before = syncs(count)
    swarm = Swarm(server, 64, 50, "c")
    swarm.run()
    assert swarm.acknowledged == 3200 and 50 <= syncs(count) - before < 3200


@pytest.mark.limit(60)
@pytest.mark.parametrize("after", [1, 2, 7, 30, 100])
def test_after_a_sync_that_failed_nothing_is_acknowledged(start, shim, tmp_path, after):
    count = tmp_path / "count"
    server = start(preload=shim, env={"SHIM_COUNT": str(count)})
    client = Client(server)
    client.post("/v1/counters/warm/add").expect(200)
    at_start = syncs(count)
    server.stop()

    server.env = {"SHIM_FAIL_AFTER": str(at_start + after)}
    server.start()
    client, acked = Client(server), 0
    try:
        while acked < 10_000:
            reply = client.post("/v1/counters/c/add")
            assert reply.status == 200, f"neither done nor silent: {reply}"
            acked = reply["value"]
    except (OSError, ConnectionError):
        pass
    except Exception as gone:
        assert "closed" in str(gone).lower(), gone
    status = server.wait(20)
    assert status > 0, f"exit status {status}:\n{server.log()}"
    assert any("error" in line for line in server.lines), "the log says why"

    server.env, server.preload = {}, None
    server.start()
    reply = Client(server).get("/v1/counters/c")
    value = reply["value"] if reply.status == 200 else 0
    assert acked <= value <= acked + 1, f"{acked} were acknowledged, {value} are there"


@pytest.mark.limit(60)
def test_with_many_in_flight_each_acknowledged_change_is_there(start, shim, tmp_path):
    server = start(preload=shim, env={"SHIM_FAIL_AFTER": "150"})
    swarm = Swarm(server, 32, 1000, "c")
    swarm.run(seconds=40)
    assert server.wait(20) > 0 and swarm.refused == []
    server.env, server.preload = {}, None
    server.start()
    value = Client(server).get("/v1/counters/c").expect(200)["value"]
    assert swarm.acknowledged <= value <= swarm.acknowledged + swarm.in_flight


@pytest.mark.limit(60)
def test_a_disk_that_never_syncs_lets_it_not_even_start(start, shim):
    server = start(preload=shim, env={"SHIM_FAIL_AFTER": "0"}, wait=False)
    assert server.wait(20) > 0, server.log()
    until(lambda: any(line for line in server.lines), "it says why")
    assert not any("listening" in line for line in server.lines)
