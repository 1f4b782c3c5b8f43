"""Limits: each is met with a clear error, hurts nobody who is within it, and lets go again.

SPDX-License-Identifier: MIT
"""

import pytest

from bobbind import until
from wire import Client, Raw, Waiting


def metric(client, name):
    text = client.get("/metrics").expect(200).text
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


@pytest.mark.quick
def test_connections(start):
    server = start("--max-connections", "8", "--idle-timeout", "60s")
    crowd = [Raw(server)]
    until(lambda: metric_of(crowd[0], "bobbin_http_connections") == 1, "nobody else is there")
    crowd += [Raw(server) for _ in range(7)]
    for one in crowd:
        assert one.request("GET /livez").reply().status == 200
    over = Raw(server).request("GET /livez")
    reply = over.reply()
    assert reply is None or reply.status == 503, reply
    assert over.is_cut()
    for one in crowd:
        assert one.request("GET /livez").reply().status == 200, "those within are served on"
    assert metric_of(crowd[0], "bobbin_http_connections_refused_total") >= 1
    crowd.pop().close()
    def served():
        fresh = Raw(server).request("GET /livez")
        reply = fresh.reply()
        fresh.close()
        return reply and reply.status == 200
    until(served, "a place that came free is taken")


def metric_of(raw, name):
    text = raw.request("GET /metrics").reply().text
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


@pytest.mark.quick
def test_a_flood_of_half_requests_over_the_limit_passes(start):
    """A known trap of this HTTP library: after such a flood it may serve nobody until a timeout."""
    server = start("--max-connections", "50", "--header-timeout", "10m")
    flood = [Raw(server).send(b"GET /livez HT") for _ in range(120)]
    for one in flood:
        one.close(reset=True)

    def served():
        probe = Raw(server).request("GET /livez")
        try:
            reply = probe.reply()
            return reply and reply.status == 200
        finally:
            probe.close()

    # Of the flood, and of the first who are served again, some may not be gone yet.
    until(lambda: all(served() for _ in range(20)), "the server serves again, one after the other", 40)


@pytest.mark.quick
@pytest.mark.limit(120)
def test_memory_of_tasks(start):
    """Arguments of tasks that wait take three quarters of it at most; a task that goes makes room."""
    server = start("--max-task-memory", "1M")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    large = {"kind": "download", "url": "http://127.0.0.1/" + "a" * 1900, "delay": "1h"}
    tasks = []

    def refused():
        reply = client.post("/v1/executors/e/tasks", **large).expect((202, 503))
        if reply.status == 202:
            tasks.append(reply["id"])
        return reply if reply.status == 503 else None

    reply = until(refused, "the memory is full", 30)
    assert reply.names("--max-task-memory")["code"] == "no_memory"
    taken = metric(client, "bobbin_task_bytes")
    assert 700_000 < taken <= 768 * 1024 and 300 < len(tasks) < 410
    for task in tasks[:5]:
        client.delete(f"/v1/tasks/{task}").expect(200)
    client.post("/v1/executors/e/tasks", **large).expect(202)
    server.kill()
    server.start()
    client = Client(server)
    assert abs(metric(client, "bobbin_task_bytes") - taken) < 12_000, "counted again after a restart"


@pytest.mark.quick
def test_waiters_in_all(start):
    server = start("--max-waiters", "3")
    client = Client(server)
    for n in range(4):
        client.post(f"/v1/locks/l{n}/acquire", ttl="60s").expect(200)
    three = [Raw(server).request(f"POST /v1/locks/l{n}/acquire?wait=60s") for n in range(3)]
    until(lambda: metric(client, "bobbin_waiters") == 3, "three wait")
    client.post("/v1/locks/l3/acquire", wait="5s").expect(429)
    client.post("/v1/locks/l3/acquire").expect(423)  # one that does not wait is no waiter
    client.post("/v1/locks/free/acquire", wait="5s").expect(200)
    three[0].close()
    until(lambda: metric(client, "bobbin_waiters") == 2, "one left")
    fourth = Waiting(server, "POST", "/v1/locks/l3/acquire", wait="300ms")
    fourth.answer().expect(423)


@pytest.mark.quick
def test_a_task_whose_result_may_not_be_waited_for_is_accepted(start):
    server = start("--max-waiters", "1")
    client = Client(server)
    client.post("/v1/locks/l/acquire", ttl="60s").expect(200)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    waits = Raw(server).request("POST /v1/locks/l/acquire?wait=60s")
    until(lambda: metric(client, "bobbin_waiters") == 1, "one waits")
    accepted = client.post("/v1/executors/e/tasks", kind="sleep", seconds=1, wait="5s").expect(202)
    assert accepted.headers["Location"] == f"/v1/tasks/{accepted['id']}" and accepted["kind"] == "sleep"
    text = client.post("/v1/executors/e/tasks", {"Accept": "text/plain"}, kind="square", n=3, wait="5s").expect(202)
    task = text.text.rstrip("\n")
    assert text.headers["Location"] == f"/v1/tasks/{task}"
    until(lambda: client.get(f"/v1/tasks/{task}").expect(200)["state"] == "succeeded", "both ran")
    runs = client.post("/v1/executors/e/tasks", kind="sleep", seconds=600).expect(202)["id"]
    client.get(f"/v1/tasks/{runs}/result", wait="5s").expect(429)  # this one only waits
    client.delete(f"/v1/tasks/{runs}").expect((200, 202, 204))
    waits.close()


@pytest.mark.quick
def test_waiters_of_one_object(start):
    server = start("--max-waiters-per-object", "2")
    client = Client(server)
    for one in ("a", "b"):
        client.post(f"/v1/locks/{one}/acquire", ttl="60s").expect(200)
    crowd = [Raw(server).request("POST /v1/locks/a/acquire?wait=60s") for _ in range(2)]
    until(lambda: client.get("/v1/locks/a")["waiters"] == 2, "two wait")
    client.post("/v1/locks/a/acquire", wait="5s").expect(429)
    client.post("/v1/locks/b/acquire", wait="200ms").expect(423)
    for one in crowd:
        one.close()


@pytest.mark.quick
def test_objects(start):
    server = start("--max-objects", "5")
    client = Client(server)
    grant = client.post("/v1/locks/a/acquire", ttl="60s").expect(200)
    client.put("/v1/semaphores/b", value=2).expect(201)
    client.post("/v1/counters/c/add").expect(200)
    client.put("/v1/executors/d", max_workers=1).expect(201)
    client.post("/v1/counters/e/add").expect(200)
    client.post("/v1/counters/f/add").expect(429)
    client.post("/v1/locks/f/acquire").expect(429)
    client.put("/v1/semaphores/f", value=2).expect(429)
    client.put("/v1/executors/f", max_workers=1).expect(429)
    assert client.post("/v1/counters/c/add").expect(200)["value"] == 2, "those that are there go on"
    client.post("/v1/locks/a/release", token=grant["token"]).expect(200)
    client.delete("/v1/counters/e").expect((200, 204))
    client.post("/v1/counters/f/add").expect(200)


@pytest.mark.quick
def test_a_free_lock_makes_room(start):
    """A lock named by each job: as many names as there are, as long as few are held at once."""
    server = start("--max-objects", "50")
    client = Client(server)
    client.post("/v1/counters/zero/set", value=0).expect(200)
    client.put("/v1/semaphores/s", value=1).expect(201)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    held = client.post("/v1/locks/held/acquire", ttl="10m").expect(200)["token"]
    for n in range(300):
        token = client.post(f"/v1/locks/job{n}/acquire").expect(200)["token"]
        client.post(f"/v1/locks/job{n}/release", token=token).expect(200)
    assert metric(client, "bobbin_objects") == 50
    tag = client.get("/v1/locks/job299").expect(200)["rev"]
    client.get("/v1/locks/job0").expect(404)
    assert client.post("/v1/locks/job0/acquire").expect(200)["token"] > tag, "no rev comes twice"
    for n in range(45):
        client.post(f"/v1/locks/new{n}/acquire", ttl="10m").expect(200)
    client.post("/v1/locks/over/acquire").expect(429, "too_many")
    assert client.get("/v1/locks/held").expect(200)["holder"]["token"] == held
    for path in ("counters/zero", "semaphores/s", "executors/e"):
        client.get(f"/v1/{path}").expect(200)


@pytest.mark.quick
def test_a_refused_name_is_not_made(start):
    """Looking for things that are not there, or being refused, must not fill the table of names."""
    server = start("--max-objects", "10")
    client = Client(server)
    for n in range(30):
        client.get(f"/v1/locks/look{n}").expect(404)
        client.get(f"/v1/counters/look{n}").expect(404)
        client.post(f"/v1/locks/look{n}/release", token=5).expect((404, 412))
        client.post(f"/v1/counters/look{n}/add", n="x").expect(400)
    client.post("/v1/counters/new/add").expect(200)


@pytest.mark.quick
def test_tasks(start):
    server = start("--max-tasks", "4")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    ids = [client.post("/v1/executors/e/tasks", kind="square", n=1, delay="1h").expect(202)["id"] for _ in range(4)]
    client.post("/v1/executors/e/tasks", kind="square", n=1).expect(429)
    assert len(client.all_items("/v1/tasks")) == 4
    for task in ids:
        client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.quick
@pytest.mark.limit(120)
def test_ten_thousand_names_cost_little_memory(start):
    server = start()
    client = Client(server)
    client.post("/v1/counters/first/add").expect(200)
    before = server.memory_bytes()
    clients = [Raw(server) for _ in range(50)]  # at once: so they share a sync
    for batch in range(200):
        for n, raw in enumerate(clients):
            raw.request(f"POST /v1/counters/n{batch}-{n}/add", headers=["Content-Length: 0"])
        for raw in clients:
            raw.reply().expect(200)
    assert server.memory_bytes() - before < 40 * 1024 * 1024


@pytest.mark.quick
def test_memory_of_tasks_is_given_back(start):
    """Run, cancelled, over a restart and forgotten: nothing stays counted."""
    server = start("--result-ttl", "1s")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=2).expect(201)
    for n in range(20):
        client.post("/v1/executors/e/tasks", kind="square", n=n, wait="5s").expect(200)
        client.post("/v1/executors/e/tasks", kind="square", n=n, delay="1h").expect(202)
    assert metric(client, "bobbin_task_bytes") > 0
    server.kill()
    server.start()
    client = Client(server)
    for task in client.get("/v1/tasks", state="delayed", limit=100).expect(200)["items"]:
        client.delete(f"/v1/tasks/{task['id']}").expect(200)
    until(lambda: metric(client, "bobbin_task_bytes") == 0, "all are forgotten")
