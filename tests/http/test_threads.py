"""GET /v1/threads: every thread of the server, and what it does.

SPDX-License-Identifier: MIT
"""

import pytest

from bobbind import until
from wire import Client, Waiting


def threads(client):
    return client.get("/v1/threads").expect(200)["items"]


def at_work(client):
    """How many requests work now, each on its own thread."""
    return sum(thread["doing"] == "POST /v1/run/sleep" for thread in threads(client))


@pytest.mark.quick
def test_every_thread_of_the_process_is_there(server, client):
    client("POST", "/v1/run/square?n=2").expect(200)
    before, native = set(server.native_threads()), {t["native_id"] for t in threads(client)}
    assert native <= before | set(server.native_threads()) and server.pid in native
    until(lambda: {t["native_id"] for t in threads(client)} == set(server.native_threads()), "all of them, no more")


@pytest.mark.quick
def test_each_says_its_name_role_state_and_time(server, client):
    for thread in threads(client):
        for member in ("name", "native_id", "role", "state", "cpu_seconds", "since"):
            assert member in thread, (member, thread)
        assert thread["name"] and thread["cpu_seconds"] >= 0
        with open(f"/proc/{server.pid}/task/{thread['native_id']}/comm") as comm:
            seen = comm.read().strip()
        # the first thread's name is the process's: ps shows it
        assert seen == ("bobbind" if thread["native_id"] == server.pid else thread["name"][:15])
    roles = {thread["role"] for thread in threads(client)}
    for role in ("main", "acceptor", "http", "journal", "checkpointer", "deadline"):
        assert any(role in one for one in roles), f"{role} in {roles}"


@pytest.mark.quick
def test_hands_say_their_task(server, client, name):
    client.put(f"/v1/executors/{name}", max_workers=2).expect(201)
    tasks = {client.post(f"/v1/executors/{name}/tasks", kind="sleep", seconds=600).expect(202)["id"] for _ in range(2)}
    until(lambda: client.get(f"/v1/executors/{name}")["running"] == 2, "both run")
    busy = until(lambda: (lambda at_work: at_work if len(at_work) == 2 else None)(
        [thread for thread in threads(client) if thread["task"] in tasks]), "two hands say which task they have")
    assert {thread["task"] for thread in busy} == tasks
    assert len({thread["native_id"] for thread in busy}) == 2
    names = {thread["name"] for thread in busy}
    until(lambda: {client.get(f"/v1/tasks/{task}")["worker"] for task in tasks} == names,
          "the task names the thread that runs it")
    for task in tasks:
        client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.quick
def test_requests_that_work_are_shown_while_they_do(server, client):
    long = Waiting(server, "POST", "/v1/run/sleep?seconds=600")
    until(lambda: at_work(client) == 1, "its thread is shown at work")
    short = Waiting(server, "POST", "/v1/run/sleep?seconds=0.2")
    short.answer().expect(200)
    until(lambda: at_work(client) == 1, "one that is answered no longer")
    long.still_waits()
    long.leave()
    until(lambda: at_work(client) == 0, "nor one whose client left")


@pytest.mark.quick
def test_the_numbers_of_threads_are_as_set(start):
    server = start("--http-threads", "3", "--request-threads", "5", "--task-threads", "2")
    client = Client(server)
    for one in [Client(server) for _ in range(9)]:  # an http thread has its name from its first request on
        one.get("/livez").expect(200)
    assert sum(thread["role"] == "http" for thread in threads(client)) == 3
    five = [Waiting(server, "POST", "/v1/run/sleep?seconds=600") for _ in range(5)]
    until(lambda: at_work(client) == 5, "five work")
    client("POST", "/v1/run/square?n=1").expect(503)
    for one in five:
        one.still_waits()
        one.leave()
    until(lambda: at_work(client) == 0, "none works")
    client("POST", "/v1/run/square?n=1").expect(200)


def test_threads_without_tasks_do_not_outlive_their_use(start):
    """All executors together have --task-threads; those of one that is deleted end by themselves."""
    client = Client(start("--task-threads", "4"))

    def task_threads():
        return [t for t in client.get("/v1/threads").expect(200)["items"] if t["role"] == "task"]

    for n in range(5):
        client.put(f"/v1/executors/e{n}", max_workers=4).expect(201)
        tasks = [client.post(f"/v1/executors/e{n}/tasks", kind="sleep", seconds=0.3).expect(202)["id"] for _ in range(4)]
        for task in tasks:
            client.get(f"/v1/tasks/{task}/result", wait="20s").expect(200)
    until(lambda: len(task_threads()) <= 4, "no more threads than --task-threads")
    for n in range(5):
        client.delete(f"/v1/executors/e{n}").expect((200, 204))
    until(lambda: not task_threads(), "the threads of deleted executors end")
