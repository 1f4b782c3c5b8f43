"""Tasks: their life, their result, their end.

SPDX-License-Identifier: MIT
"""

import time

import pytest

from bobbind import at_best, program, until
from event_stream import Stream
from wire import Client, Raw, Waiting

MEMBERS = {"id", "queue", "kind", "state", "attempts", "priority", "created_at", "run_at", "started_at",
           "finished_at", "worker", "progress"}


@pytest.fixture
def one(client, name):
    """An executor with one hand."""
    client.put(f"/v1/executors/{name}", max_workers=1).expect((200, 201))
    return f"/v1/executors/{name}/tasks"


@pytest.mark.quick
def test_the_life_of_a_task(client, one, name):
    accepted = client.post(one, kind="sleep", seconds=600).expect(202)
    task = accepted["id"]
    assert accepted.headers["Location"] == f"/v1/tasks/{task}" and MEMBERS <= set(accepted.json)
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    running = client.get(f"/v1/tasks/{task}").expect(200)
    assert running["started_at"] and running["finished_at"] is None and running["worker"]
    assert running["queue"] == name and running["kind"] == "sleep" and running["attempts"] == 1
    pending = client.get(f"/v1/tasks/{task}/result").expect(202)
    assert pending["id"] == task and pending["state"] == "running"
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    task = client.post(one, kind="sleep", seconds=0.1).expect(202)["id"]
    done = client.get(f"/v1/tasks/{task}/result", wait="20s").expect(200)
    assert done["id"] == task and done["state"] == "succeeded" and "result" in done.json
    shown = client.get(f"/v1/tasks/{task}").expect(200)
    assert shown["state"] == "succeeded" and shown["created_at"] <= shown["started_at"] < shown["finished_at"]
    assert client.get(f"/v1/tasks/{task}/result").expect(200)["result"] == done["result"], "again and again"


@pytest.mark.quick
def test_square_squares(client, one):
    for n, squared in ((0, 0), (12, 144), (-3, 9), (94906265, 9007199136250225)):
        done = client.post(one, kind="square", n=n, wait="10s").expect(200)
        assert str(squared) in str(done["result"]), (n, done)


@pytest.mark.quick
def test_a_misspelt_option_is_refused_with_the_options_there_are(client, one):
    refused = client.post(one, kind="sleep", seconds=1, dealy="5s").expect(400)
    assert refused["detail"] == ("dealy: unknown parameter; sleep takes seconds; "
                                 "this call takes kind, args, priority, delay, timeout, wait")
    refused = client.post("/v1/run/square", n=3, wiat=1).expect(400)
    assert refused["detail"] == "wiat: unknown parameter; square takes n; this call takes args, wait, timeout"


def test_an_unknown_id_is_404_and_never_pending(client):
    for path in ("/v1/tasks/t999999999", "/v1/tasks/t999999999/result"):
        client.get(path).expect(404)
    client.delete("/v1/tasks/t999999999").expect(404)
    for odd in ("t0", "t-1", "x1", "t1x", "t99999999999999999999999", "t"):
        client.get(f"/v1/tasks/{odd}").expect((400, 404))


@pytest.mark.quick
def test_a_wait_ends_with_202_when_the_task_does_not(client, one):
    task = client.post(one, kind="sleep", seconds=600).expect(202)["id"]

    def took():
        began = time.monotonic()
        client.get(f"/v1/tasks/{task}/result", wait="300ms").expect(202)
        seconds = time.monotonic() - began
        assert seconds >= 0.3
        return seconds

    at_best(took, 1.3)
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.quick
def test_many_wait_for_one_result_and_all_have_it(server, client, one):
    blocker = client.post(one, kind="sleep", seconds=600).expect(202)["id"]
    task = client.post(one, kind="square", n=2).expect(202)["id"]
    crowd = [Waiting(server, "GET", f"/v1/tasks/{task}/result?wait=60s") for _ in range(20)]
    ghost = Raw(server).request(f"GET /v1/tasks/{task}/result?wait=60s")
    until(lambda: "\nbobbin_waiters 21\n" in client.get("/metrics").text, "all wait")
    ghost.close(reset=True)
    client.delete(f"/v1/tasks/{blocker}").expect((200, 202, 204))
    for who in crowd:
        assert who.answer().expect(200)["id"] == task


@pytest.mark.quick
def test_a_ready_task_is_cancelled_at_once(client, one):
    blocker = client.post(one, kind="sleep", seconds=600).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{blocker}")["state"] == "running", "the blocker runs")
    task = client.post(one, kind="square", n=1).expect(202)["id"]
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    assert client.get(f"/v1/tasks/{task}")["state"] == "cancelled"
    client.get(f"/v1/tasks/{task}/result").expect(409, "cancelled")
    client.delete(f"/v1/tasks/{task}").expect(409)
    client.delete(f"/v1/tasks/{blocker}").expect((200, 202, 204))
    over = client.post(one, kind="square", n=1, wait="20s").expect(200)["id"]
    client.delete(f"/v1/tasks/{over}").expect(409)


@pytest.mark.quick
def test_a_delayed_task_is_cancelled_at_once(client, one):
    task = client.post(one, kind="square", n=1, delay="1h").expect(202)["id"]
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    assert client.get(f"/v1/tasks/{task}")["state"] == "cancelled"


@pytest.mark.quick
def test_a_running_task_stops_when_told_to(client, one):
    def took():
        task = client.post(one, kind="sleep", seconds=600).expect(202)["id"]
        until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
        began = time.monotonic()
        client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
        client.get(f"/v1/tasks/{task}/result", wait="20s").expect(409)
        return time.monotonic() - began

    at_best(took, 2)
    after = client.post(one, kind="square", n=2, wait="10s").expect(200)
    assert after["state"] == "succeeded", "the hand is free again"


@pytest.mark.quick
def test_a_task_that_runs_too_long_fails(client, one):
    task = client.post(one, kind="sleep", seconds=600, timeout="300ms").expect(202)["id"]
    failed = client.get(f"/v1/tasks/{task}/result", wait="20s").expect(422)
    assert "time" in failed["error"]["code"] and failed["error"]["attempts"] == 1
    assert client.get(f"/v1/tasks/{task}")["state"] == "failed"


@pytest.mark.limit(60)
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_error_of_the_last_try_is_shown_between_tries(start, tmp_path, how):
    server = start("--command", f"fail={program(tmp_path / 'fail', 'echo no such luck >&2; exit 3')}")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1, retries=100).expect(201)
    stream = Stream(server)
    accepted = client.post("/v1/executors/e/tasks", kind="command", name="fail", wait="6s").expect(202)
    task, error = accepted["id"], accepted["error"]
    assert error["code"] == "command_failed" and "no such luck" in error["message"], accepted

    def shows(what):
        return what["error"] and {**what["error"], "attempts": 0} == {**error, "attempts": 0}

    assert shows(client.get(f"/v1/tasks/{task}").expect(200))
    assert shows(client.get(f"/v1/tasks/{task}/result").expect(202))
    assert shows(client.get("/v1/tasks").expect(200)["items"][0])
    until(lambda: any(kind == "task" and shows(data) for _, kind, data in stream.tells_of(task)), "the stream tells it")
    stream.leave()
    failures = client.get(f"/v1/tasks/{task}")["failures"]
    getattr(server, how)()
    server.start()
    client = Client(server)
    shown = client.get(f"/v1/tasks/{task}").expect(200)
    assert shows(shown) and shown["failures"] >= failures
    client.delete(f"/v1/tasks/{task}").expect((200, 202))
    assert shows(until(lambda: (over := client.get(f"/v1/tasks/{task}"))["state"] == "cancelled" and over, "it is over"))


@pytest.mark.quick
def test_sleep_shows_its_progress(client, one):
    task = client.post(one, kind="sleep", seconds=600).expect(202)["id"]
    seen = []

    def moved():
        shown = client.get(f"/v1/tasks/{task}").expect(200)
        if shown["progress"] and shown["state"] == "running":
            seen.append(shown["progress"]["done"])
        return len(set(seen)) >= 3

    until(moved, "it goes on")
    assert seen == sorted(seen), seen
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    task = client.post(one, kind="sleep", seconds=0.3, wait="20s").expect(200)["id"]
    assert client.get(f"/v1/tasks/{task}")["progress"]["done"] == 300


@pytest.mark.quick
def test_lists_filter_by_state_and_executor_and_go_by_pages(client, one, name):
    done = [client.post(one, kind="square", n=n, wait="10s").expect(200)["id"] for n in range(45)]
    late = [client.post(one, kind="square", n=n, delay="1h").expect(202)["id"] for n in range(5)]
    mine = [item["id"] for item in client.all_items(f"/v1/tasks?executor={name}", limit=7)]
    assert mine == list(reversed(done + late)), "newest first, each once"
    assert [i["id"] for i in client.all_items(f"/v1/tasks?executor={name}&state=delayed", limit=2)] == late[::-1]
    assert len(client.all_items(f"/v1/tasks?executor={name}&state=succeeded", limit=100)) == 45
    assert client.all_items(f"/v1/tasks?executor={name}&state=failed") == []
    client.get("/v1/tasks?state=sleeping").expect(400).names("state")
    for task in late:
        client.delete(f"/v1/tasks/{task}")


def test_text_plain_gives_the_id_alone(client, one):
    plain = client.post(one, {"Accept": "text/plain"}, kind="square", n=2).expect(202)
    assert plain.text == plain.headers["Location"].rpartition("/")[2] + "\n"
    path = plain.headers["Location"]
    late = client.post(one, {"Accept": "text/plain"}, kind="sleep", seconds=600, wait="10ms").expect(202)
    assert late.text == late.headers["Location"].rpartition("/")[2] + "\n", "the wait changes nothing of the form"
    assert client.get(f"{path}/result", {"Accept": "text/plain"}, wait="10s").expect(200).text == "4\n"
    assert client.get(path, {"Accept": "text/plain"}).expect(200).text == "succeeded\n"
    client.delete(late.headers["Location"]).expect((200, 202, 204))


@pytest.mark.slow
def test_finished_tasks_are_forgotten_after_their_time(start):
    from wire import Client
    client = Client(start("--result-ttl", "1s"))
    client.put("/v1/executors/short", max_workers=1).expect(201)
    began = time.monotonic()
    task = client.post("/v1/executors/short/tasks", kind="square", n=2, wait="20s").expect(200)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}").expect((200, 404)).status == 404, "it is forgotten")
    assert time.monotonic() - began >= 1, "not before its time"
    assert client.all_items("/v1/tasks") == []
