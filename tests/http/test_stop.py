"""How it stops: SIGTERM drains, tells those who wait, finishes or puts back what runs, and exits 0. And systemd is told.

SPDX-License-Identifier: MIT
"""

import os
import signal
import socket
import threading
import time

import pytest

from bobbind import PATIENCE, until
from wire import Client, Raw, Waiting, stands_in_line


@pytest.mark.quick
def test_an_idle_server_stops_at_once(start):
    server = start()
    Client(server).get("/livez").expect(200)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 3 * PATIENCE


@pytest.mark.quick
def test_sigint_stops_it_just_the_same(start):
    server = start()
    server.signal(signal.SIGINT)
    assert server.wait() == 0


@pytest.mark.quick
def test_waiters_are_told_to_come_back(start):
    server = start()
    client = Client(server)
    client.post("/v1/locks/l/acquire", ttl="60s").expect(200)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="square", n=1, delay="1h").expect(202)["id"]
    crowd = [Waiting(server, "POST", "/v1/locks/l/acquire", wait="60s", owner=f"w{n}") for n in range(20)]
    crowd.append(Waiting(server, "GET", f"/v1/tasks/{task}/result?wait=60s"))
    until(lambda: client.get("/v1/locks/l")["waiters"] == 20, "twenty wait")
    time.sleep(0.1)
    server.stop(10)
    for one in crowd:
        reply = one.answer(1).expect(503)
        assert int(reply.headers["Retry-After"]) >= 1 and reply.headers["Connection"] == "close"


@pytest.mark.quick
def test_who_waits_for_the_result_of_his_own_task_is_told_where_it_is(start):
    server = start("--stop-timeout", "1s")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    submit = Waiting(server, "POST", "/v1/executors/e/tasks", kind="sleep", seconds=30, wait="20s")
    until(lambda: "bobbin_waiters 1" in client.get("/metrics").text, "it waits")
    server.stop(15)
    accepted = submit.answer(1).expect(202)
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
    server = start()
    busy = Waiting(server, "POST", "/v1/run/sleep?seconds=1.5")
    eyes = Client(server)
    until(lambda: '"POST /v1/run/sleep"' in eyes.get("/v1/threads").text, "it runs")
    eyes.close()
    server.stop(15)
    busy.answer(1).expect(200)
    assert busy.seconds >= 1.5


@pytest.mark.quick
def test_a_task_that_ends_in_time_is_finished(start):
    server = start()
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    runs = client.post("/v1/executors/e/tasks", kind="sleep", seconds=1.5).expect(202)["id"]
    waits = client.post("/v1/executors/e/tasks", kind="square", n=7).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{runs}")["state"] == "running", "it runs")
    server.stop(15)
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
    task = client.post("/v1/executors/e/tasks", kind="sleep", seconds=4).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    began = time.monotonic()
    server.stop(15)
    assert 0.9 <= time.monotonic() - began < 4
    server.start()
    client = Client(server)
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs again")
    assert client.get(f"/v1/tasks/{task}")["attempts"] == 2
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.quick
def test_a_second_sigterm_ends_it_at_once_and_still_durably(start):
    server = start("--stop-timeout", "60s")
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="sleep", seconds=50).expect(202)["id"]
    until(lambda: client.get(f"/v1/tasks/{task}")["state"] == "running", "it runs")
    value = client.post("/v1/counters/c/add", n=5).expect(200)["value"]
    server.signal(signal.SIGTERM)
    time.sleep(0.5)
    assert server.alive(), "the first waits for the task"
    server.signal(signal.SIGTERM)
    assert server.wait(8) == 0
    server.start()
    client = Client(server)
    assert client.get("/v1/counters/c").expect(200)["value"] == value
    assert client.get(f"/v1/tasks/{task}").expect(200)["state"] in ("ready", "running")
    client.delete(f"/v1/tasks/{task}")


@pytest.mark.quick
def test_while_it_drains_it_takes_nothing_new_but_lets_one_give_back(start):
    server = start("--stop-timeout", "20s")
    client = Client(server)
    held = client.post("/v1/locks/l/acquire", ttl="60s").expect(200)["token"]
    others = [Client(server) for _ in range(8)]
    for one in others:
        one.get("/livez").expect(200)
    busy = Waiting(server, "POST", "/v1/run/sleep?seconds=3")
    until(lambda: '"POST /v1/run/sleep"' in client.get("/v1/threads").text, "it runs")
    server.signal(signal.SIGTERM)
    time.sleep(0.5)
    with pytest.raises(OSError):
        socket.create_connection((server.host, server.port), 2).recv(1)
        raise OSError("accepted, and closed")
    others[0].post("/v1/locks/m/acquire").expect(503)
    others[1].post("/v1/counters/c/add").expect(503)
    assert others[2].get("/readyz").status == 503
    others[3].get("/livez").expect(200)
    others[4].get("/metrics").expect(200)
    others[5].get("/v1/threads").expect(200)
    released = others[6].post("/v1/locks/l/release", token=held).expect(200)
    assert released.headers["Connection"] == "close"
    busy.answer(10).expect(200)
    assert server.wait() == 0
    server.start()
    Client(server).post("/v1/locks/l/acquire").expect(200)


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
    time.sleep(1)
    server.stop()
    over.set()
    for one in crowd:
        one.join(10)
    server.start()
    value = Client(server).get("/v1/counters/c").expect(200)["value"]
    assert sum(acked) <= value <= sum(acked) + 8 and value > 10


class Notify:
    """What systemd would hear."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0.1)
        self.heard = []

    def hears(self, word, seconds=10):
        def heard():
            try:
                self.heard.append(self.socket.recv(4096).decode())
            except TimeoutError:
                pass
            return any(word in message for message in self.heard)
        until(heard, f"systemd hears {word}", seconds)


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_systemd_hears_ready_and_stopping(start, tmp_path):
    systemd = Notify(tmp_path)
    server = start(env={"NOTIFY_SOCKET": systemd.path})
    systemd.hears("READY=1")
    assert not any("STOPPING=1" in message for message in systemd.heard)
    Client(server).get("/livez").expect(200)
    server.stop()
    systemd.hears("STOPPING=1")


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_ready_is_said_only_when_the_port_is_open(start, tmp_path):
    systemd = Notify(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start("--listen", f"127.0.0.1:{port}", env={"NOTIFY_SOCKET": systemd.path}, wait=False)
    systemd.hears("READY=1", 20)
    socket.create_connection(("127.0.0.1", port), 5).close()


@pytest.mark.quick
@pytest.mark.needs("libsystemd")
def test_the_watchdog_is_fed(start, tmp_path):
    systemd = Notify(tmp_path)
    start(env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "1000000"})
    systemd.hears("WATCHDOG=1")
    systemd.heard.clear()
    systemd.hears("WATCHDOG=1", 3)


@pytest.mark.needs("libsystemd")
def test_sockets_that_systemd_opened_are_used(start, tmp_path):
    import subprocess
    from bobbind import Server
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        port = listening.getsockname()[1]
        server = Server(tmp_path / "inherited")
        command = [part for part in server.command() if part not in ("--listen", "127.0.0.1:0")]

        def pass_on():
            os.dup2(listening.fileno(), 3)
            os.environ["LISTEN_PID"] = str(os.getpid())

        # LISTEN_PID must be the child's own: a shell sets it and becomes the server
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *command],
            env=server.environment(), pass_fds=(3,) if listening.fileno() == 3 else (3, listening.fileno()),
            preexec_fn=pass_on, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            server.host, server.port = "127.0.0.1", port
            Client(server).get("/livez").expect(200)
        finally:
            process.terminate()
            try:
                log = process.communicate(timeout=20 * PATIENCE)[1]
            finally:
                process.kill()
        assert process.returncode == 0, log
        socket.create_connection(("127.0.0.1", port), 2).close()  # systemd's socket is as it was
