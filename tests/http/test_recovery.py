"""What survives a restart: after a stop in good order, and after kill -9.

SPDX-License-Identifier: MIT
"""

import datetime
import time

import pytest

from bobbind import until
from file_server import FileServer
from wire import Client, Raw, stands_in_line

ENDS = ["stop", "kill"]


def restart(server, how):
    getattr(server, how)()
    server.start()
    return Client(server)


@pytest.mark.quick
@pytest.mark.parametrize("how", ENDS)
def test_counters_keep_their_values(start, how):
    server = start()
    client = Client(server)
    for n in range(50):
        client.post(f"/v1/counters/c{n}/set", value=n * n - 100).expect(200)
    client.post("/v1/counters/gone/add").expect(200)
    client.delete("/v1/counters/gone").expect((200, 204))
    client = restart(server, how)
    for n in range(50):
        assert client.get(f"/v1/counters/c{n}").expect(200)["value"] == n * n - 100
    client.get("/v1/counters/gone").expect(404)


@pytest.mark.quick
@pytest.mark.parametrize("how", ENDS)
def test_a_rev_does_not_go_back(start, how):
    """The last change of a semaphore may be a release, which leaves no record of its own."""
    server = start()
    client = Client(server)
    client.put("/v1/semaphores/gpu", value=4).expect(201)
    ana, _, _ = (client.post("/v1/semaphores/gpu/acquire", owner=o, ttl="60s").expect(200) for o in ("ana", "bea", "cy"))
    with_ana = client.get("/v1/semaphores/gpu").expect(200)
    client.post("/v1/semaphores/gpu/release", token=ana["token"]).expect(200)
    without = client.get("/v1/semaphores/gpu").expect(200)
    client.put("/v1/semaphores/free", value=1).expect(201)
    token = client.post("/v1/semaphores/free/acquire").expect(200)["token"]
    client.post("/v1/semaphores/free/release", token=token).expect(200)
    before = client.get("/v1/semaphores/free").expect(200)
    client = restart(server, how)
    shown = client.get("/v1/semaphores/gpu", {"If-None-Match": f'"{with_ana["rev"]}"'}).expect(200)
    assert len(shown["holders"]) == 2 and shown["rev"] > without["rev"]
    assert client.get("/v1/semaphores/free").expect(200)["rev"] > before["rev"]


@pytest.mark.quick
@pytest.mark.parametrize("how", ENDS)
def test_holds_keep_their_tokens_and_their_owners(start, how):
    server = start()
    client = Client(server)
    held = client.post("/v1/locks/db/acquire", owner="ana", ttl="60s").expect(200)
    since = client.get("/v1/locks/db")["holder"]["since"]
    free = client.post("/v1/locks/free/acquire").expect(200)
    client.post("/v1/locks/free/release", token=free["token"]).expect(200)
    client.put("/v1/semaphores/gpu", value=4).expect(201)
    some = client.post("/v1/semaphores/gpu/acquire", owner="bea", permits=3, ttl="60s").expect(200)
    client = restart(server, how)
    shown = client.get("/v1/locks/db").expect(200)
    assert shown["holder"]["token"] == held["token"] and shown["holder"]["owner"] == "ana"
    assert shown["holder"]["since"] == since, "of the grant, not of this start"
    assert client.post("/v1/locks/db/acquire").expect(423)["holder"]["since"] == since
    client.post("/v1/locks/db/renew", token=held["token"]).expect(200)
    shown = client.get("/v1/semaphores/gpu").expect(200)
    assert shown["value"] == 4 and shown["free"] == 1
    assert [(h["owner"], h["permits"]) for h in shown["holders"]] == [("bea", 3)]
    client.post("/v1/locks/free/acquire").expect(200)
    client.post("/v1/semaphores/gpu/release", token=some["token"]).expect(200)
    client.post("/v1/locks/db/release", token=held["token"]).expect(200)


@pytest.mark.quick
def test_tokens_rise_over_restarts_of_both_sorts(start):
    server = start()
    client, tokens = Client(server), []
    for turn in range(4):
        for n in range(5):
            tokens.append(client.post(f"/v1/locks/t{turn}-{n}/acquire", ttl="1h").expect(200)["token"])
        client = restart(server, ENDS[turn % 2])
    assert tokens == sorted(set(tokens)) and tokens[-1] < 2**53


@pytest.mark.quick
def test_numbers_leap_after_a_crash_and_not_after_a_stop(start):
    server = start()
    client = Client(server)
    first = client.post("/v1/locks/a/acquire").expect(200)["token"]
    client = restart(server, "stop")
    second = client.post("/v1/locks/b/acquire").expect(200)["token"]
    assert second == first + 2, "the stop has one of its own"
    client = restart(server, "kill")
    third = client.post("/v1/locks/c/acquire").expect(200)["token"]
    assert third > second + 1000


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.mark.parametrize("how", ENDS)
def test_a_lease_starts_again_in_full(start, how):
    server = start()
    client = Client(server)
    client.post("/v1/locks/long/acquire", owner="ana", ttl="10m").expect(200)
    client.post("/v1/locks/short/acquire", owner="bea", ttl="2s").expect(200)
    time.sleep(0.5)
    stopped = time.time()
    client = restart(server, how)
    ends = moment(client.get("/v1/locks/long").expect(200)["holder"]["expires_at"])
    assert stopped + 599.9 <= ends <= time.time() + 600
    client.post("/v1/locks/short/acquire", wait="1m").expect(200)


def test_waiters_are_gone_after_a_crash_and_the_line_is_empty(start):
    server = start()
    client = Client(server)
    client.post("/v1/locks/line/acquire", ttl="60s").expect(200)
    ghost = Raw(server).request("POST /v1/locks/line/acquire?wait=60s&owner=ghost")
    stands_in_line(client, "/v1/locks/line", "ghost")
    client = restart(server, "kill")
    assert ghost.is_cut()
    assert client.get("/v1/locks/line").expect(200)["line"] == []


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.needs("libcurl")
def test_executors_and_finished_tasks_stay(start, how):
    server = start()
    client = Client(server)
    client.put("/v1/executors/work", max_workers=2).expect(201)
    task = client.post("/v1/executors/work/tasks", kind="square", n=12).expect(202)["id"]
    done = client.get(f"/v1/tasks/{task}/result", wait="10s").expect(200)
    failed = client.post("/v1/executors/work/tasks", kind="download", url="http://127.0.0.1:1/x").expect(202)["id"]
    client.get(f"/v1/tasks/{failed}/result", wait="20s").expect(422)
    client = restart(server, how)
    assert client.get("/v1/executors/work").expect(200)["max_workers"] == 2
    assert client.get(f"/v1/tasks/{task}/result").expect(200)["result"] == done["result"]
    client.get(f"/v1/tasks/{failed}/result").expect(422)
    another = client.post("/v1/executors/work/tasks", kind="square", n=3).expect(202)["id"]
    assert another not in (task, failed)
    client.get(f"/v1/tasks/{another}/result", wait="10s").expect(200)


def test_tasks_that_ran_or_waited_at_a_crash_run_again(start):
    server = start()
    client = Client(server)
    client.put("/v1/executors/one", max_workers=1).expect(201)
    runs = client.post("/v1/executors/one/tasks", kind="sleep", seconds=600).expect(202)["id"]
    waits = [client.post("/v1/executors/one/tasks", kind="sleep", seconds=0.1).expect(202)["id"],
             client.post("/v1/executors/one/tasks", kind="square", n=9).expect(202)["id"]]
    until(lambda: client.get(f"/v1/tasks/{runs}")["state"] == "running", "the first runs")
    client = restart(server, "kill")
    until(lambda: client.get(f"/v1/tasks/{runs}")["state"] == "running", "it runs again")
    assert client.get(f"/v1/tasks/{runs}")["attempts"] == 2, "the attempt that the crash ended counts"
    client.delete(f"/v1/tasks/{runs}").expect((200, 202, 204))
    for task in waits:
        client.get(f"/v1/tasks/{task}/result", wait="20s").expect(200)
        assert client.get(f"/v1/tasks/{task}")["attempts"] == 1


@pytest.mark.limit(90)
@pytest.mark.needs("libcurl")
@pytest.mark.parametrize("how", ENDS)
def test_a_run_that_a_restart_ended_uses_up_no_retry(start, tmp_path, how):
    (tmp_path / "files").mkdir()
    files = FileServer(tmp_path / "files", sizes_mb=(1,))
    server = start("--allow-private-fetch", "--stop-timeout", "100ms")
    client = Client(server)
    client.put("/v1/executors/one", max_workers=1, retries=3).expect(201)
    task = client.post("/v1/executors/one/tasks", kind="download",
                       url=f"{files.url}/held/script/1mb.bin").expect(202)["id"]
    for turn in range(4):
        until(lambda: len(files.asked_at) == turn + 1, "it runs")
        getattr(server, how)()
        if turn == 3:
            files.hurry.set()
            until(lambda: files.running == 0, "those whose client is gone are over")
            files.script = [(503, {})]
        server.start()
    client = Client(server)
    client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)
    shown = client.get(f"/v1/tasks/{task}").expect(200)
    assert (shown["attempts"], shown["failures"]) == (6, 1)
    assert shown["interrupted"] == (4 if how == "kill" else 0)
    files.end()


def test_the_fifth_crash_during_its_runs_is_the_end_of_a_task(start):
    server = start()
    client = Client(server)
    client.put("/v1/executors/one", max_workers=1).expect(201)
    task = client.post("/v1/executors/one/tasks", kind="sleep", seconds=600).expect(202)["id"]
    for crash in range(5):
        until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs, without any retries")
        assert client.get(f"/v1/tasks/{task}")["interrupted"] == crash
        client = restart(server, "kill")
    failed = client.get(f"/v1/tasks/{task}/result").expect(422)
    assert failed["error"] == {"code": "interrupted", "message": "the server crashed during 5 of its runs", "attempts": 5}
    assert client.get(f"/v1/tasks/{task}")["failures"] == 0


@pytest.mark.quick
def test_a_start_that_fails_ends_and_leaves_the_tasks_to_the_next(start):
    server = start()
    client = Client(server)
    client.put("/v1/executors/one", max_workers=1).expect(201)
    task = client.post("/v1/executors/one/tasks", kind="sleep", seconds=600).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    server.kill()
    flags, server.flags = server.flags, [*server.flags, "--www", str(server.folder / "none")]
    assert server.spawn().wait() > 0
    server.flags = flags
    server.start()
    client = Client(server)
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    assert client.get(f"/v1/tasks/{task}")["attempts"] <= 3, "the start that failed may have begun one"
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.slow
@pytest.mark.limit(90)
def test_ten_crashes_in_a_row_lose_nothing(start):
    server = start()
    client, sum_acked = Client(server), 0
    for turn in range(10):
        for n in range(20):
            client.post("/v1/counters/sum/add", n=turn + n).expect(200)
            sum_acked += turn + n
        client = restart(server, "kill")
        assert client.get("/v1/counters/sum").expect(200)["value"] == sum_acked
