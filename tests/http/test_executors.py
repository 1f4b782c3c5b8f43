"""Executors: hands in a bounded number, and a queue in front of them.

SPDX-License-Identifier: MIT
"""

import threading
import time

import pytest

from bobbind import PATIENCE, at_best, until
from wire import Client


def make(client, name, **terms):
    return client.put(f"/v1/executors/{name}", **terms).expect((200, 201))


def submit(client, name, **task):
    return client.post(f"/v1/executors/{name}/tasks", **task).expect(202)["id"]


def result(client, task, wait="20s"):
    return client.get(f"/v1/tasks/{task}/result", wait=wait)


def cancel(client, task):
    """And waits until it is over."""
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    result(client, task).expect(409)


def most_at_once(client, tasks):
    """How many of them ran at the same time, as the server itself has it."""
    shown = [client.get(f"/v1/tasks/{task}").expect(200) for task in tasks]
    edges = sorted([(one["started_at"], 1) for one in shown] + [(one["finished_at"], -1) for one in shown])
    return max(sum(step for _, step in edges[:n + 1]) for n in range(len(edges)))


@pytest.mark.quick
def test_put_makes_one_and_get_shows_it(client, name):
    made = client.put(f"/v1/executors/{name}", max_workers=4).expect(201)
    assert made["name"] == name and made["max_workers"] == 4
    assert made["running"] == 0 and made["ready"] == 0
    assert client.put(f"/v1/executors/{name}", max_workers=2).expect(200)["max_workers"] == 2
    shown = client.get(f"/v1/executors/{name}").expect(200)
    assert shown["max_workers"] == 2 and shown.headers["ETag"] == f'"{shown["rev"]}"'


def test_the_same_terms_again_change_nothing(client, name):
    made = client.put(f"/v1/executors/{name}", max_workers=3, retries=2).expect(201)
    before = client.get("/metrics").text
    again = client.put(f"/v1/executors/{name}", max_workers=3, retries=2).expect(200)
    assert again["rev"] == made["rev"] and again.headers["ETag"] == made.headers["ETag"]
    client.get(f"/v1/executors/{name}", headers={"If-None-Match": made.headers["ETag"]}).expect(304)
    wanted = "bobbin_journal_changes_total"
    assert line_with(before, wanted) == line_with(client.get("/metrics").text, wanted)
    other = client.put(f"/v1/executors/{name}", max_workers=3, retries=1).expect(200)
    assert other["rev"] > made["rev"]


def test_its_rev_is_new_when_a_count_is(client, name):
    """A client that polls with If-None-Match must not be told that nothing changed."""
    made = client.put(f"/v1/executors/{name}", max_workers=1).expect(201)
    client.post(f"/v1/executors/{name}/tasks", kind="square", n=2, wait="10s").expect(200)
    shown = client.get(f"/v1/executors/{name}", headers={"If-None-Match": made.headers["ETag"]}).expect(200)
    assert shown["succeeded"] == 1 and shown["rev"] > made["rev"]
    client.get(f"/v1/executors/{name}", headers={"If-None-Match": shown.headers["ETag"]}).expect(304)


def line_with(text, word):
    return next(line for line in text.splitlines() if line.startswith(word))


def test_one_that_was_never_put_is_404(client, name):
    client.get(f"/v1/executors/{name}").expect(404).names(name)
    client.post(f"/v1/executors/{name}/tasks", kind="square", n=2).expect(404)
    client.delete(f"/v1/executors/{name}").expect(404)


@pytest.mark.quick
def test_as_many_run_as_it_has_hands(client, name):
    make(client, name, max_workers=3)
    tasks = [submit(client, name, kind="sleep", seconds=600) for _ in range(9)]
    for first in (0, 3, 6):
        until(lambda: client.get(f"/v1/executors/{name}")["running"] == 3, "three run")
        shown = client.get(f"/v1/executors/{name}")
        assert shown["running"] == 3 and shown["ready"] == 6 - first and bool(shown["oldest"]) == (first < 6)
        assert all(client.get(f"/v1/tasks/{task}")["state"] == "running" for task in tasks[first:first + 3])
        for task in tasks[first:first + 3]:
            cancel(client, task)
    tasks = [submit(client, name, kind="sleep", seconds=0.2) for _ in range(9)]
    for task in tasks:
        result(client, task).expect(200)
    assert most_at_once(client, tasks) <= 3


@pytest.mark.quick
def test_more_hands_are_felt_at_once(client, name):
    make(client, name, max_workers=1)
    tasks = [submit(client, name, kind="sleep", seconds=600) for _ in range(4)]
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 1, "one runs")
    make(client, name, max_workers=4)
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 4, "four run")
    for task in tasks:
        cancel(client, task)


def test_fewer_hands_stop_nobody_who_runs(client, name):
    make(client, name, max_workers=4)
    tasks = [submit(client, name, kind="sleep", seconds=600) for _ in range(6)]
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 4, "four run")
    make(client, name, max_workers=1)
    for left in (3, 2, 1):
        assert client.get(f"/v1/executors/{name}")["running"] == left + 1
        cancel(client, tasks.pop(0))
        shown = client.get(f"/v1/executors/{name}")
        assert shown["running"] == left and shown["ready"] == 2, "nobody takes the place of one that ended"
    cancel(client, tasks.pop(0))
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 1, "then one at a time")
    assert client.get(f"/v1/executors/{name}")["ready"] == 1
    for task in tasks:
        cancel(client, task)


@pytest.mark.quick
def test_first_come_first_served_within_a_priority(client, name):
    make(client, name, max_workers=1)
    blocker = submit(client, name, kind="sleep", seconds=600)
    until(lambda: client.get(f"/v1/tasks/{blocker}")["state"] == "running", "the blocker runs")
    plain = [submit(client, name, kind="square", n=n) for n in range(5)]
    urgent = submit(client, name, kind="square", n=100, priority=-5)
    later = submit(client, name, kind="square", n=101, priority=5)
    cancel(client, blocker)
    for task in [*plain, urgent, later]:
        result(client, task).expect(200)
    order = sorted([*plain, urgent, later],
                   key=lambda t: (client.get(f"/v1/tasks/{t}")["started_at"], int(t[1:])))
    revs = {t: client.get(f"/v1/tasks/{t}")["rev"] for t in order}
    assert sorted(revs, key=revs.get) == [urgent, *plain, later]


@pytest.mark.quick
def test_a_delayed_task_waits_for_its_time(client, name):
    make(client, name, max_workers=1)
    late = submit(client, name, kind="square", n=3, delay="1h")
    assert client.get(f"/v1/tasks/{late}")["state"] == "delayed"
    assert client.get(f"/v1/executors/{name}")["delayed"] == 1
    cancel(client, late)

    def took():
        began = time.monotonic()
        result(client, submit(client, name, kind="square", n=3, delay="500ms")).expect(200)
        seconds = time.monotonic() - began
        assert seconds >= 0.5
        return seconds

    at_best(took, 1.5)


@pytest.mark.quick
def test_submit_with_wait_brings_the_result_if_in_time(client, name):
    make(client, name, max_workers=1)
    done = client.post(f"/v1/executors/{name}/tasks", kind="square", n=12, wait="10s").expect(200)
    assert done["state"] == "succeeded" and done["result"] is not None
    late = client.post(f"/v1/executors/{name}/tasks", kind="sleep", seconds=600, wait="200ms").expect(202)
    assert late.headers["Location"] == f"/v1/tasks/{late['id']}"
    cancel(client, late["id"])


@pytest.mark.quick
def test_arguments_stand_flat_or_in_args(client, name):
    make(client, name, max_workers=1)
    flat = submit(client, name, kind="square", n=7)
    inside = submit(client, name, kind="square", args={"n": 7})
    form = client.form(f"/v1/executors/{name}/tasks", {"kind": "square", "n": "7"}).expect(202)["id"]
    query = client("POST", f"/v1/executors/{name}/tasks?kind=square&n=7").expect(202)["id"]
    results = [result(client, task).expect(200)["result"] for task in (flat, inside, form, query)]
    assert all(one == results[0] for one in results), results


@pytest.mark.quick
@pytest.mark.parametrize("task, word", [
    ({"kind": "square"}, "n"), ({"kind": "square", "n": "x"}, "n"), ({"kind": "square", "n": 2, "m": 1}, "m"),
    ({"kind": "nonsense"}, "nonsense"), ({"n": 3}, "kind"), ({"kind": "sleep", "seconds": -1}, "seconds"),
    ({"kind": "sleep", "seconds": 1e12}, "seconds"),
    pytest.param({"kind": "download"}, "url", marks=pytest.mark.needs("libcurl")),
    ({"kind": "square", "n": 2, "args": {"n": 3}}, "n"), ({"kind": "square", "args": [1]}, "args"),
    ({"kind": "square", "n": 2, "delay": "-1s"}, "delay"), ({"kind": "square", "n": 2, "timeout": "x"}, "timeout"),
    ({"kind": "square", "n": 2, "priority": "high"}, "priority"),
])
def test_a_wrong_task_is_named_and_never_accepted(client, name, task, word):
    make(client, name, max_workers=1)
    client.post(f"/v1/executors/{name}/tasks", **task).expect(400).names(word)
    shown = client.get(f"/v1/executors/{name}")
    assert shown["ready"] == shown["running"] == shown["succeeded"] == 0


@pytest.mark.quick
@pytest.mark.parametrize("terms, word", [
    ({"max_workers": 0}, "max_workers"), ({"max_workers": -3}, "max_workers"), ({"max_workers": "many"}, "max_workers"),
    ({"max_workers": 100000}, "max_workers"), ({"max_workers": 2, "max_queue": 0}, "max_queue"),
    ({"max_workers": 2, "colour": "red"}, "colour"),
])
def test_wrong_terms_are_named(client, name, terms, word):
    client.put(f"/v1/executors/{name}", **terms).expect(400).names(word)
    client.get(f"/v1/executors/{name}").expect(404)


@pytest.mark.quick
def test_a_full_queue_is_429_and_drains(client, name):
    make(client, name, max_workers=1, max_queue=3)
    blocker = submit(client, name, kind="sleep", seconds=600)
    tasks = [submit(client, name, kind="square", n=n) for n in range(2)]
    client.post(f"/v1/executors/{name}/tasks", kind="square", n=1).expect(429)
    cancel(client, blocker)
    for task in tasks:
        result(client, task).expect(200)
    for n in range(3):
        submit(client, name, kind="sleep", seconds=0)


def test_a_busy_executor_is_not_deleted(client, name):
    make(client, name, max_workers=1)
    task = submit(client, name, kind="sleep", seconds=600)
    assert "DELETE /v1/tasks/" in client.delete(f"/v1/executors/{name}").expect(409)["detail"], "how to go on"
    cancel(client, task)
    client.delete(f"/v1/executors/{name}").expect((200, 204))
    client.get(f"/v1/executors/{name}").expect(404)


def test_all_hands_together_are_bounded(start):
    server = start("--task-threads", "3")
    client = Client(server)
    make(client, "a", max_workers=3)
    make(client, "b", max_workers=3)
    client.put("/v1/executors/c", max_workers=4).expect(400).names("max_workers")
    blockers = [submit(client, "a", kind="sleep", seconds=600) for _ in range(3)]
    tasks = [submit(client, one, kind="sleep", seconds=0.4) for one in ("a", "b") for _ in range(6)]
    until(lambda: [client.get(f"/v1/executors/{one}")["running"] for one in ("a", "b")] == [3, 0], "a has them all")
    for task in blockers:
        cancel(client, task)
    for task in tasks:
        result(client, task).expect(200)
    assert most_at_once(client, tasks) <= 3
    starts = [client.get(f"/v1/tasks/{task}")["started_at"] for task in tasks]
    assert max(starts[:6]) >= min(starts[6:]), "b need not wait until a has nothing left"
    assert int(client.get("/metrics").text.split("\nbobbin_tasks_succeeded_total ")[1].split()[0]) == 12


@pytest.mark.quick
def test_twenty_executors_share_the_hands_in_turn(start):
    server = start("--task-threads", "2")
    client = Client(server)
    first = [f"e{n}" for n in range(20)]
    for one in first:
        make(client, one, max_workers=2)
    tasks = [submit(client, one, kind="sleep", seconds=0.02) for one in first for _ in range(3)]
    for task in tasks:
        result(client, task).expect(200)


@pytest.mark.quick
@pytest.mark.limit(60)
def test_many_clients_submit_and_each_has_its_own_result(server, client, name):
    make(client, name, max_workers=8)
    wrong = []

    def work(who):
        mine = Client(server)
        for n in range(25):
            number = who * 1000 + n
            done = mine.post(f"/v1/executors/{name}/tasks", kind="square", n=number, wait="30s").expect(200)
            if str(number * number) not in str(done["result"]).replace(".0", ""):
                wrong.append((number, done["result"]))
        mine.close()

    crowd = [threading.Thread(target=work, args=(who,), daemon=True) for who in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(50 * PATIENCE)
    assert wrong == []
    assert client.get(f"/v1/executors/{name}")["succeeded"] == 200


def test_lists_go_by_pages(client, name):
    names = [f"{name}-{n:02}" for n in range(60)]
    for one in names:
        make(client, one, max_workers=1)
    found = [item["name"] for item in client.all_items("/v1/executors", limit=13) if item["name"] in set(names)]
    assert found == names


@pytest.mark.quick
@pytest.mark.needs("libcurl")
def test_kinds_show_their_arguments(client):
    kinds = {kind["name"]: kind for kind in client.get("/v1/kinds").expect(200)["items"]}
    assert {"download", "sleep", "square"} <= set(kinds)
    for kind in kinds.values():
        assert kind["doc"]
        for arg in kind["args"]:
            assert arg["name"] and arg["type"] and arg["doc"] and isinstance(arg["required"], bool)
    assert any(arg["name"] == "url" and arg["required"] for arg in kinds["download"]["args"])
