"""The tutorial's second scene: many users at once, and a slow request that stops nobody.

SPDX-License-Identifier: MIT
"""

import time

import pytest

from bobbind import PATIENCE, until
from wire import Client, Waiting


@pytest.fixture
def server(start):
    return start("--request-threads", "4")


def sleepers(client):
    """Threads of the request pool that run sleep now."""
    return [t for t in client.get("/v1/threads").expect(200)["items"]
            if t["state"] == "running" and t["doing"] == "POST /v1/run/sleep"]


def thousand(client, name):
    """A thousand quick requests of three sorts; the seconds of the slowest fiftieth and of all."""
    each = []
    for n in range(1000):
        began = time.monotonic()
        if n % 10 == 0:
            client.post(f"/v1/counters/{name}/add").expect(200)
        elif n % 2:
            client.get("/livez").expect(200)
        else:
            client.get(f"/v1/counters/{name}").expect(200)
        each.append(time.monotonic() - began)
    return sorted(each)[980], sum(each)


@pytest.mark.quick
@pytest.mark.slow
@pytest.mark.limit(60)
def test_four_run_four_are_told_to_come_back_and_nobody_else_notices(server, client):
    quiet_slowest, quiet_all = thousand(client, "quiet")
    eight = [Waiting(server, "POST", "/v1/run/sleep?seconds=5") for _ in range(8)]
    until(lambda: sum(one.answered.is_set() for one in eight) == 4, "four have their refusal")
    refused = [one for one in eight if one.answered.is_set()]
    running = [one for one in eight if not one.answered.is_set()]
    for one in refused:
        reply = one.answer().expect(503)
        assert one.seconds < 2 * PATIENCE and int(reply.headers["Retry-After"]) >= 1
    assert len(sleepers(client)) == 4, "/v1/threads shows who is where"
    assert len({t["native_id"] for t in sleepers(client)}) == 4, "each on a thread of its own"
    slowest, all_seconds = thousand(client, "busy")
    for one in running:
        one.still_waits()
    assert all_seconds < quiet_all * 3 + 0.5 * PATIENCE, f"{all_seconds} s against {quiet_all} s in the quiet"
    assert slowest < quiet_slowest * 5 + 0.05 * PATIENCE
    for one in running:
        one.answer(15).expect(200)
        assert 5 <= one.seconds < 5 + 2 * PATIENCE
    assert sleepers(client) == []


@pytest.mark.slow
@pytest.mark.limit(60)
def test_those_who_gave_wait_have_their_turn(server, client):
    eight = [Waiting(server, "POST", "/v1/run/sleep?seconds=2&wait=10s") for _ in range(8)]
    until(lambda: len(sleepers(client)) == 4, "four run")
    for one in eight:
        one.answer(20).expect(200)
    seconds = sorted(one.seconds for one in eight)
    assert all(2 <= s < 2 + 1.5 * PATIENCE for s in seconds[:4]), seconds
    # Each is timed from when it was sent itself, the second four a little after the first.
    assert all(3.5 <= s < 4 + 2.5 * PATIENCE for s in seconds[4:]), seconds


@pytest.mark.quick
def test_those_whose_wait_is_too_short_are_refused_when_it_ends(server, client):
    four = [Waiting(server, "POST", "/v1/run/sleep?seconds=3") for _ in range(4)]
    until(lambda: len(sleepers(client)) == 4, "four run")
    late = Waiting(server, "POST", "/v1/run/sleep?seconds=1&wait=500ms")
    late.answer().expect(503)
    assert 0.5 <= late.seconds < 0.5 + 1 * PATIENCE
    for one in four:
        one.answer().expect(200)


def test_one_who_leaves_while_waiting_takes_no_thread(server, client):
    four = [Waiting(server, "POST", "/v1/run/sleep?seconds=2") for _ in range(4)]
    until(lambda: len(sleepers(client)) == 4, "four run")
    ghost = Waiting(server, "POST", "/v1/run/sleep?seconds=30&wait=30s")
    time.sleep(0.1)
    ghost.leave()
    for one in four:
        one.answer().expect(200)
    four = [Waiting(server, "POST", "/v1/run/sleep?seconds=0.2&wait=1s") for _ in range(4)]
    for one in four:
        one.answer().expect(200)
        assert one.seconds < 1.2 * PATIENCE
