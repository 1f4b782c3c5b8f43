"""Executors: hands in a bounded number, and a queue in front of them.

SPDX-License-Identifier: MIT
"""

import threading
import time

import pytest

from bobbind import PATIENCE, until
from wire import Client


def make(client, name, **terms):
    return client.put(f"/v1/executors/{name}", **terms).expect((200, 201))


def submit(client, name, **task):
    return client.post(f"/v1/executors/{name}/tasks", **task).expect(202)["id"]


def result(client, task, wait="20s"):
    return client.get(f"/v1/tasks/{task}/result", wait=wait)


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
    tasks = [submit(client, name, kind="sleep", seconds=0.5) for _ in range(9)]
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 3, "three run")
    shown = client.get(f"/v1/executors/{name}")
    assert shown["running"] == 3 and shown["ready"] == 6 and shown["oldest"]
    began = time.monotonic()
    for task in tasks:
        result(client, task).expect(200)
    assert time.monotonic() - began < 1.5 + 2 * PATIENCE, "three rounds of half a second"


@pytest.mark.quick
def test_more_hands_are_felt_at_once(client, name):
    make(client, name, max_workers=1)
    tasks = [submit(client, name, kind="sleep", seconds=1) for _ in range(4)]
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 1, "one runs")
    make(client, name, max_workers=4)
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 4, "four run", 0.9)
    for task in tasks:
        result(client, task).expect(200)


def test_fewer_hands_stop_nobody_who_runs(client, name):
    make(client, name, max_workers=4)
    tasks = [submit(client, name, kind="sleep", seconds=0.6) for _ in range(6)]
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 4, "four run")
    make(client, name, max_workers=1)
    until(lambda: client.get(f"/v1/executors/{name}")["running"] <= 1, "the four end, then one at a time", 3)
    for task in tasks:
        result(client, task).expect(200)


@pytest.mark.quick
def test_first_come_first_served_within_a_priority(client, name):
    make(client, name, max_workers=1)
    blocker = submit(client, name, kind="sleep", seconds=0.5)
    until(lambda: client.get(f"/v1/tasks/{blocker}")["state"] == "running", "the blocker runs")
    plain = [submit(client, name, kind="square", n=n) for n in range(5)]
    urgent = submit(client, name, kind="square", n=100, priority=-5)
    later = submit(client, name, kind="square", n=101, priority=5)
    for task in [*plain, urgent, later]:
        result(client, task).expect(200)
    order = sorted([*plain, urgent, later],
                   key=lambda t: (client.get(f"/v1/tasks/{t}")["started_at"], int(t[1:])))
    revs = {t: client.get(f"/v1/tasks/{t}")["rev"] for t in order}
    assert sorted(revs, key=revs.get) == [urgent, *plain, later]


@pytest.mark.quick
def test_a_delayed_task_waits_for_its_time(client, name):
    make(client, name, max_workers=1)
    began = time.monotonic()
    task = submit(client, name, kind="square", n=3, delay="500ms")
    assert client.get(f"/v1/tasks/{task}")["state"] == "delayed"
    assert client.get(f"/v1/executors/{name}")["delayed"] == 1
    result(client, task).expect(200)
    assert 0.5 <= time.monotonic() - began < 0.5 + 1 * PATIENCE


@pytest.mark.quick
def test_submit_with_wait_brings_the_result_if_in_time(client, name):
    make(client, name, max_workers=1)
    done = client.post(f"/v1/executors/{name}/tasks", kind="square", n=12, wait="10s").expect(200)
    assert done["state"] == "succeeded" and done["result"] is not None
    late = client.post(f"/v1/executors/{name}/tasks", kind="sleep", seconds=2, wait="200ms").expect(202)
    assert late.headers["Location"] == f"/v1/tasks/{late['id']}"
    client.delete(f"/v1/tasks/{late['id']}")


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
    tasks = [submit(client, name, kind="sleep", seconds=0.3) for _ in range(3)]
    client.post(f"/v1/executors/{name}/tasks", kind="square", n=1).expect(429)
    result(client, tasks[0]).expect(200)
    submit(client, name, kind="square", n=1)


def test_a_busy_executor_is_not_deleted(client, name):
    make(client, name, max_workers=1)
    task = submit(client, name, kind="sleep", seconds=0.5)
    client.delete(f"/v1/executors/{name}").expect(409)
    result(client, task).expect(200)
    client.delete(f"/v1/executors/{name}").expect((200, 204))
    client.get(f"/v1/executors/{name}").expect(404)


def test_all_hands_together_are_bounded(start):
    server = start("--task-threads", "3")
    client = Client(server)
    make(client, "a", max_workers=3)
    make(client, "b", max_workers=3)
    client.put("/v1/executors/c", max_workers=4).expect(400).names("max_workers")
    tasks = [submit(client, one, kind="sleep", seconds=0.4) for one in ("a", "b") for _ in range(6)]
    most, each = 0, set()

    def over():
        nonlocal most
        running = [client.get(f"/v1/executors/{one}")["running"] for one in ("a", "b")]
        each.update(one for one, n in zip("ab", running) if n)
        most = max(most, sum(running))
        return all(client.get(f"/v1/tasks/{t}")["state"] == "succeeded" for t in tasks)

    until(over, "all end", 15)
    assert each == {"a", "b"}
    assert 2 <= most <= 4  # two reads are not one moment: a hand may have moved between them
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
