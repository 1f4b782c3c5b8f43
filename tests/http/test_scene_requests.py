"""The tutorial's second scene: many users at once, and a slow request that stops nobody.

SPDX-License-Identifier: MIT
"""

import time

import pytest

from bobbind import PATIENCE, at_best, until
from wire import Waiting


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
@pytest.mark.limit(180)
def test_four_run_four_are_told_to_come_back_and_nobody_else_notices(server, client):
    quiet_slowest, quiet_all = thousand(client, "quiet")
    eight = [Waiting(server, "POST", "/v1/run/sleep?seconds=600", timeout=600) for _ in range(8)]
    until(lambda: sum(one.answered.is_set() for one in eight) == 4, "four have their refusal")
    refused = [one for one in eight if one.answered.is_set()]
    running = [one for one in eight if not one.answered.is_set()]
    for one in refused:
        reply = one.answer().expect(503)
        assert int(reply.headers["Retry-After"]) >= 1
    until(lambda: len(sleepers(client)) == 4, "/v1/threads shows who is where")
    assert len({t["native_id"] for t in sleepers(client)}) == 4, "each on a thread of its own"

    def excess():
        """The seconds above what a busy server may take; nought or less is well."""
        slowest, all_seconds = thousand(client, "busy")
        return max(all_seconds - quiet_all * 3 - 0.5 * PATIENCE, slowest - quiet_slowest * 5 - 0.05 * PATIENCE)

    at_best(excess, 0)
    for one in running:
        one.still_waits()
        one.leave()
    until(lambda: sleepers(client) == [], "no thread works for those who left")


@pytest.mark.slow
@pytest.mark.limit(60)
def test_those_who_gave_wait_have_their_turn(server, client):

    def took():
        began = time.monotonic()
        eight = [Waiting(server, "POST", "/v1/run/sleep?seconds=2&wait=1m") for _ in range(8)]
        for one in eight:
            one.answer(30).expect(200)
        ends = sorted(one.asked_at + one.seconds - began for one in eight)
        assert ends[0] >= 2 and ends[4] >= 4, "four, and then the other four"
        return ends[-1]

    at_best(took, 6.5)


@pytest.mark.quick
def test_those_whose_wait_is_too_short_are_refused_when_it_ends(server, client):
    four = [Waiting(server, "POST", "/v1/run/sleep?seconds=600") for _ in range(4)]
    until(lambda: len(sleepers(client)) == 4, "four run")

    def took():
        late = Waiting(server, "POST", "/v1/run/sleep?seconds=1&wait=500ms")
        late.answer().expect(503)
        assert late.seconds >= 0.5
        return late.seconds

    at_best(took, 1.5)
    for one in four:
        one.still_waits()
        one.leave()


def test_one_who_leaves_while_waiting_takes_no_thread(server, client):
    def waiters():
        return float(client.get("/metrics").text.split("\nbobbin_waiters ")[1].split()[0])

    four = [Waiting(server, "POST", "/v1/run/sleep?seconds=600") for _ in range(4)]
    until(lambda: len(sleepers(client)) == 4, "four run")
    ghost = Waiting(server, "POST", "/v1/run/sleep?seconds=600&wait=10m")
    until(lambda: waiters() == 1, "it stands in line")
    ghost.leave()
    until(lambda: waiters() == 0, "it is missed")
    for one in four:
        one.leave()
    until(lambda: sleepers(client) == [], "the threads are free")
    four = [Waiting(server, "POST", "/v1/run/sleep?seconds=600") for _ in range(4)]
    until(lambda: len(sleepers(client)) == 4, "all four of them")
    for one in four:
        one.leave()
