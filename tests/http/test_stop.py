"""How it stops: SIGTERM drains, tells those who wait, finishes or puts back what runs, and exits 0.

SPDX-License-Identifier: MIT
"""

import signal
import subprocess
import threading
import time

import pytest

from bobbind import BINARY, PATIENCE, at_best, until
from wire import Client, Raw, Waiting, stands_in_line


@pytest.mark.quick
def test_an_idle_server_stops_at_once(start):
    def took():
        server = start()
        Client(server).get("/livez").expect(200)
        began = time.monotonic()
        server.stop()
        return time.monotonic() - began

    at_best(took, 3)


@pytest.mark.quick
def test_sigint_stops_it_just_the_same(start):
    server = start()
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    server.log_line(r"stopping signal=SIGINT tasks_running=0 ")
    assert "stopping_at_once" not in server.log(), "nothing was cut"


@pytest.mark.quick
def test_waiters_are_told_to_come_back(start):
    server = start()
    client = Client(server)
    client.post("/v1/locks/l/acquire", ttl="60s").expect(200)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="square", n=1, delay="1h").expect(202)["id"]
    crowd = [Waiting(server, "POST", "/v1/locks/l/acquire", wait="60s", owner=f"w{n}") for n in range(20)]
    crowd.append(Waiting(server, "GET", f"/v1/tasks/{task}/result?wait=60s"))
    until(lambda: "\nbobbin_waiters 21\n" in client.get("/metrics").text, "all wait")
    server.stop()
    for one in crowd:
        reply = one.answer().expect(503)
        assert int(reply.headers["Retry-After"]) >= 1 and reply.headers["Connection"] == "close"


@pytest.mark.quick
def test_who_waits_for_the_result_of_his_own_task_is_told_where_it_is(start):
    server = start("--stop-timeout", "1s")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    submit = Waiting(server, "POST", "/v1/executors/e/tasks", kind="sleep", seconds=600, wait="5m")
    until(lambda: "\nbobbin_waiters 1\n" in client.get("/metrics").text, "it waits")
    server.stop()
    accepted = submit.answer().expect(202)
    assert accepted.headers["Location"] == f"/v1/tasks/{accepted['id']}"
    server.start()
    client = Client(server)
    assert client.get(accepted.headers["Location"]).expect(200)["kind"] == "sleep"
    client.delete(accepted.headers["Location"]).expect((200, 202))


@pytest.mark.quick
def test_a_stop_takes_no_hold_away(start):
    server = start()
    client = Client(server)
    held = client.post("/v1/locks/l/acquire", ttl="60s", owner="ana").expect(200)["token"]
    ghost = Raw(server).request("POST /v1/locks/l/acquire?wait=60s&owner=bea")
    stands_in_line(client, "/v1/locks/l", "bea")
    server.stop()
    assert ghost.reply().status == 503
    server.start()
    shown = Client(server).get("/v1/locks/l").expect(200)
    assert shown["holder"]["token"] == held and shown["waiters"] == 0


@pytest.mark.quick
def test_a_request_that_works_is_finished_and_answered(start):
    server = start("--stop-timeout", "5m")
    busy = Waiting(server, "POST", "/v1/run/sleep?seconds=3")
    eyes = Client(server)
    until(lambda: '"POST /v1/run/sleep"' in eyes.get("/v1/threads").text or busy.answered.is_set(), "it runs")
    eyes.close()
    server.stop()
    busy.answer().expect(200)
    assert busy.seconds >= 3


@pytest.mark.quick
def test_a_task_that_ends_in_time_is_finished(start):
    server = start("--stop-timeout", "5m")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    runs = client.post("/v1/executors/e/tasks", kind="sleep", seconds=3).expect(202)["id"]
    waits = client.post("/v1/executors/e/tasks", kind="square", n=7).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{runs}")["state"] in ("running", "succeeded"), "it runs")
    server.stop()
    server.start()
    client = Client(server)
    shown = client.get(f"/v1/tasks/{runs}").expect(200)
    assert shown["state"] == "succeeded" and shown["attempts"] == 1
    client.get(f"/v1/tasks/{waits}/result", wait="10s").expect(200)
    assert client.get(f"/v1/tasks/{waits}")["attempts"] == 1, "nothing new was begun while it drained"


@pytest.mark.quick
def test_a_task_that_does_not_end_in_time_goes_back_to_ready(start):
    server = start("--stop-timeout", "1s")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="sleep", seconds=600).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began >= 0.9
    server.log_line(r"stopping signal=SIGTERM tasks_running=1 at_most_s=1$")
    server.log_line(r"stopping_at_once why=.*--stop-timeout.* tasks_put_back=1$")
    server.start()
    client = Client(server)
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs again")
    assert client.get(f"/v1/tasks/{task}")["attempts"] == 2
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.quick
def test_a_second_sigterm_ends_it_at_once_and_still_durably(start):
    server = start("--stop-timeout", "10m")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="sleep", seconds=600).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    value = client.post("/v1/counters/c/add", n=5).expect(200)["value"]
    server.signal(signal.SIGTERM)
    server.log_line(r"\bstopping\b")  # else the two might be one
    time.sleep(0.5)
    assert server.alive(), "the first waits for the task"
    server.signal(signal.SIGTERM)
    server.log_line(r"stopping_at_once why=.*second signal.* tasks_put_back=1$")
    assert server.wait() == 0
    server.start()
    client = Client(server)
    assert client.get("/v1/counters/c").expect(200)["value"] == value
    assert client.get(f"/v1/tasks/{task}").expect(200)["state"] in ("ready", "running")
    client.delete(f"/v1/tasks/{task}")


class Draining:
    """A server told to stop, which waits for a task that sleeps until end() cancels it."""

    def __init__(self, start):
        self.server = start("--stop-timeout", "10m")
        self.client = Client(self.server)
        self.client.put("/v1/executors/e", max_workers=1).expect(201)
        self.task = self.client.post("/v1/executors/e/tasks", kind="sleep", seconds=600).expect(202)["id"]
        until(lambda: self.client.get(f"/v1/tasks/{self.task}")["state"] == "running", "it runs")

    def anew(self, method, path, **params):
        """One call on a connection of its own."""
        client = Client(self.server)
        try:
            return client(method, path, **params)
        finally:
            client.close()

    def begin(self):
        self.server.signal(signal.SIGTERM)
        until(lambda: self.anew("GET", "/readyz").status == 503, "it drains")

    def end(self):
        self.anew("DELETE", f"/v1/tasks/{self.task}").expect((200, 202))


@pytest.mark.quick
def test_a_planned_stop_costs_no_lease(start):
    drain = Draining(start)
    grant = drain.client.post("/v1/locks/l/acquire", ttl=2 * PATIENCE, owner="ana").expect(200)
    over = time.monotonic() + 2.5 * PATIENCE
    drain.begin()
    while time.monotonic() < over:  # every time on a new connection
        drain.anew("POST", "/v1/locks/l/renew", token=grant["token"]).expect(200)
        assert drain.anew("GET", "/v1/locks/l").expect(200)["holder"]["owner"] == "ana"
        drain.anew("POST", "/v1/locks/m/acquire", wait="60s").expect(503, "draining")
        drain.anew("GET", "/readyz").expect(503, "not_ready")
        time.sleep(0.4)
    assert drain.server.alive(), "its task runs"
    drain.end()
    began = time.monotonic()
    assert drain.server.wait() == 0
    assert time.monotonic() - began < 5 * PATIENCE, "nothing else is waited for"
    drain.server.check_log()
    drain.server.start()
    assert Client(drain.server).get("/v1/locks/l").expect(200)["holder"]["token"] == grant["token"]


@pytest.mark.quick
def test_each_call_passes_a_drain_or_not_as_the_route_table_says(start):
    """The whole table, on the wire: what begins something is 503 with Retry-After, and nothing else is."""
    drain = Draining(start)
    text = subprocess.run([BINARY, "--routes"], capture_output=True, text=True, timeout=10, check=True).stdout
    table = [(line.split()[:2], line.split()[-1].strip("()")) for line in text.splitlines()]
    drain.begin()
    for (method, path), effect in table:
        if path == "/v1/stream":
            continue  # it goes on: see the next test
        reply = drain.anew(method, path.replace("{name}", "n").replace("{id}", "t1").replace("{kind}", "square"))
        refused = reply.status == 503 and reply["code"] == "draining"
        assert refused == (effect == "begins"), f"{method} {path} ({effect}): {reply}"
        if path.startswith("/v1/"):
            assert reply.headers["Connection"] == "close", f"{method} {path}"
    drain.end()
    assert drain.server.wait() == 0


@pytest.mark.quick
def test_a_stream_shows_the_drain_and_does_not_hold_the_stop(start):
    drain = Draining(start)
    streams = [Raw(drain.server).request("GET /v1/stream?mode=latest&topics=task")]
    drain.begin()
    streams.append(Raw(drain.server).request("GET /v1/stream?mode=latest&topics=task"))
    for one in streams:
        until(lambda: b'"state":"running"' in one.got or not one._more(), "it shows the task")
        assert b'"state":"running"' in one.got
    drain.end()
    assert drain.server.wait() == 0
    assert all(one.is_cut() for one in streams)


@pytest.mark.quick
def test_who_asks_for_a_result_while_it_drains_is_answered_at_once(start):
    drain = Draining(start)
    drain.begin()
    drain.anew("GET", f"/v1/tasks/{drain.task}/result", wait="10m").expect(503, "draining")
    drain.anew("GET", f"/v1/tasks/{drain.task}/result").expect(202)
    drain.end()
    assert drain.server.wait() == 0


@pytest.mark.quick
def test_no_call_at_the_end_of_a_stop_is_done_without_an_answer(start):
    """From the end of the work to the closing of the sockets: a release is done and answered, or neither."""
    drain = Draining(start)
    holds = [drain.client.post(f"/v1/locks/l{n}/acquire", ttl="10m").expect(200)["token"] for n in range(600)]
    told, next_one, lock = {}, iter(range(len(holds))), threading.Lock()

    def give_back():
        while True:
            with lock:
                n = next(next_one, None)
            if n is None:
                return
            try:
                told[n] = drain.anew("POST", f"/v1/locks/l{n}/release", token=holds[n]).status
            except OSError as refused:
                told[n] = refused

    drain.begin()
    crowd = [threading.Thread(target=give_back, daemon=True) for _ in range(4)]
    for one in crowd:
        one.start()
    until(lambda: len(told) > 20, "they are at work")
    drain.end()
    assert drain.server.wait() == 0
    for one in crowd:
        one.join(20 * PATIENCE)
        assert not one.is_alive(), "a client hangs"
    drain.server.start()
    client = Client(drain.server)
    for n, status in told.items():
        assert status in (200, 503) or isinstance(status, OSError), f"l{n}: {status}"
        shown = client.get(f"/v1/locks/l{n}")
        assert (shown.status == 200 and shown["holder"] is not None) == (status != 200), f"l{n}: {status}, {shown}"


@pytest.mark.quick
def test_connections_of_before_are_served_while_it_drains(start):
    drain = Draining(start)
    held = drain.client.post("/v1/locks/l/acquire", ttl="10m").expect(200)["token"]
    others = [Client(drain.server) for _ in range(3)]
    for one in others:
        one.get("/livez").expect(200)
    busy = Waiting(drain.server, "POST", "/v1/run/sleep?seconds=600")
    until(lambda: '"POST /v1/run/sleep"' in drain.client.get("/v1/threads").text, "it runs")
    drain.begin()
    others[0].post("/v1/counters/c/add").expect(503, "draining")
    released = others[1].post("/v1/locks/l/release", token=held).expect(200)
    assert released.headers["Connection"] == "close"
    drain.end()
    busy.still_waits()
    others[2].get("/metrics").expect(200)
    busy.leave()
    assert drain.server.wait() == 0
    drain.server.start()
    Client(drain.server).post("/v1/locks/l/acquire").expect(200)


@pytest.mark.slow
@pytest.mark.quick
@pytest.mark.limit(60)
def test_stop_under_load_loses_no_acknowledged_change(start):
    server = start()
    acked, over = [0] * 8, threading.Event()

    def work(who):
        mine = Client(server)
        try:
            while not over.is_set():
                if mine.post("/v1/counters/c/add").status != 200:
                    break
                acked[who] += 1
        except OSError:
            pass
        except Exception as error:  # http.client's own: the connection closed between two requests
            if "closed" not in str(error).lower() and "idle" not in str(error).lower():
                raise

    crowd = [threading.Thread(target=work, args=(who,), daemon=True) for who in range(8)]
    for one in crowd:
        one.start()
    until(lambda: sum(acked) > 100, "they are at work", 30)
    server.stop()
    over.set()
    for one in crowd:
        one.join(20 * PATIENCE)
        assert not one.is_alive(), "a client hangs"
    server.start()
    value = Client(server).get("/v1/counters/c").expect(200)["value"]
    assert sum(acked) <= value <= sum(acked) + 8
