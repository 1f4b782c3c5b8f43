"""Clients that behave badly, all at once, for a few seconds: afterwards nothing is left of them, and polite clients noticed nothing.

CHAOS_SECONDS makes it longer.

SPDX-License-Identifier: MIT
"""

import os
import random
import select
import socket
import threading
import time

import pytest

from bobbind import PATIENCE, until
from wire import Client, Raw

SECONDS = float(os.environ.get("CHAOS_SECONDS", "3"))
LOCKS = 8


class Chaos:
    """Threads that each play one bad client after another, drawn by a seeded die."""

    def __init__(self, server, seed, threads=6):
        self.server, self.over = server, threading.Event()
        self.sent = self.acknowledged = 0
        self.count = threading.Lock()
        self.errors = []
        self.threads = [threading.Thread(target=self.play, args=(seed * 100 + n,), daemon=True) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def play(self, seed):
        die = random.Random(seed)
        while not self.over.is_set():
            act = die.choice(ACTS)
            try:
                act(self, die)
            except OSError:
                if not self.over.is_set():
                    time.sleep(0.01)  # the server may be at its limit, or stopping
            except Exception as error:
                self.errors.append(f"{act.__name__}: {error!r}")

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(20 * PATIENCE)
            assert not thread.is_alive(), "a client hangs"
        assert not self.errors, self.errors[:5]

    def add(self, raw, times=1):
        with self.count:
            self.sent += times
        for _ in range(times):
            raw.request("POST /v1/counters/chaos/add")

    def acknowledge(self, reply):
        if reply and reply.status == 200:
            with self.count:
                self.acknowledged += 1


def waits(die):
    return f"POST /v1/locks/c{die.randrange(LOCKS)}/acquire?wait=2s&ttl=1s&owner=chaos"


def pause(die):
    select.select([], [], [], die.random() * 0.02)


def leaves_while_it_waits(chaos, die):
    raw = Raw(chaos.server).request(waits(die))
    pause(die)
    raw.close(reset=die.random() < 0.5)


def leaves_before_the_commit(chaos, die):
    raw = Raw(chaos.server)
    chaos.add(raw)
    raw.close(reset=die.random() < 0.5)


def closes_its_half(chaos, die):
    raw = Raw(chaos.server).request(waits(die))
    raw.socket.shutdown(socket.SHUT_WR)
    pause(die)
    raw.close()


def takes_and_gives_back(chaos, die):
    client = Client(chaos.server, timeout=20)
    path = f"/v1/locks/c{die.randrange(LOCKS)}"
    reply = client.post(f"{path}/acquire", wait="2s", ttl="1s")
    if reply.status == 200:
        client.post(f"{path}/release", token=reply["token"]).expect((200, 412, 503))
    client.close()


def sends_many_behind_one_that_waits(chaos, die):
    raw = Raw(chaos.server, timeout=20).request(waits(die))
    chaos.add(raw, 3)
    raw.request("GET /livez").request("GET /nowhere")
    if die.random() < 0.3:
        raw.close(reset=True)
        return
    raw.reply()
    for _ in range(3):
        chaos.acknowledge(raw.reply())
    raw.reply(), raw.reply()
    raw.close()


def adds_on_one_connection(chaos, die):
    raw = Raw(chaos.server, timeout=20)
    for _ in range(10):
        chaos.add(raw)
        chaos.acknowledge(raw.reply())
    raw.close()


def drips_a_header(chaos, die):
    raw = Raw(chaos.server)
    for letter in "GET /livez HTTP/1.1\r\nHost: " + raw.host[:die.randrange(9)]:
        raw.send(letter)
    raw.close()


def stops_in_a_body(chaos, die):
    raw = Raw(chaos.server)
    raw.send(f"POST /v1/counters/never/add HTTP/1.1\r\nHost: {raw.host}\r\n"
             "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"n\":")
    pause(die)
    raw.close(reset=die.random() < 0.5)


def asks_with_six_hundred_parameters(chaos, die):
    raw = Raw(chaos.server).request("GET /livez?" + "&".join(f"a{n}=" for n in range(600)))
    pause(die)
    raw.close()


def sends_nonsense(chaos, die):
    raw = Raw(chaos.server).send(bytes(die.randrange(256) for _ in range(die.randrange(400))) + b"\r\n\r\n")
    pause(die)
    raw.close()


def drops_a_stream(chaos, die):
    raw = Raw(chaos.server).request("GET /v1/stream?mode=latest")
    if die.random() < 0.5:
        raw.socket.settimeout(5 * PATIENCE)
        raw.socket.recv(200)
    raw.close(reset=die.random() < 0.5)


def leaves_its_work(chaos, die):
    raw = Raw(chaos.server).request("POST /v1/run/sleep?seconds=0.05")
    pause(die)
    raw.close(reset=die.random() < 0.5)


ACTS = [leaves_while_it_waits, leaves_before_the_commit, closes_its_half, takes_and_gives_back,
        sends_many_behind_one_that_waits, adds_on_one_connection, drips_a_header, stops_in_a_body,
        asks_with_six_hundred_parameters, sends_nonsense, drops_a_stream, leaves_its_work]


def gauge(server, name):
    """By a fresh client: one that stands still for long is cut, too."""
    client = Client(server)
    text = client.get("/metrics").expect(200).text
    client.close()
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


@pytest.mark.quick
@pytest.mark.limit(120)
def test_nothing_is_left_of_bad_clients(start):
    server = start("--header-timeout", "2s", "--body-timeout", "2s", "--idle-timeout", "60s")
    client = Client(server)
    chaos = Chaos(server, seed=1)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        client.get("/livez").expect(200)
        client.post("/v1/counters/polite/add").expect(200)
        time.sleep(0.01)
    chaos.end()

    client.close()
    until(lambda: gauge(server, "bobbin_http_parked_requests") == 0, "no request is parked")
    until(lambda: gauge(server, "bobbin_waiters") == 0, "nobody stands in a line")
    until(lambda: gauge(server, "bobbin_event_streams") == 0, "no stream is open")
    until(lambda: gauge(server, "bobbin_http_connections") <= 1, "no connection but ours is open", 40)
    client = Client(server)
    for n in range(LOCKS):
        until(lambda n=n: client.post(f"/v1/locks/c{n}/acquire", ttl="60s").status == 200, "the locks are free")
    value = client.get("/v1/counters/chaos").expect(200)["value"]
    assert chaos.acknowledged <= value <= chaos.sent, (chaos.acknowledged, value, chaos.sent)
    assert client.get("/v1/counters/never").status == 404


@pytest.mark.quick
@pytest.mark.limit(120)
def test_it_stops_under_bad_clients(start):
    for seed in (2, 3):
        server = start("--stop-timeout", "3s", "--header-timeout", "2s", "--body-timeout", "2s")
        chaos = Chaos(server, seed)
        time.sleep(min(SECONDS, 1.5))
        server.stop()
        chaos.end()
