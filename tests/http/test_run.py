"""Work on the request's own thread: POST /v1/run/{kind}.

SPDX-License-Identifier: MIT
"""

import threading
import time

import pytest

from bobbind import PATIENCE, at_best, until
from wire import Client, Raw


@pytest.mark.quick
def test_square_answers_on_the_spot(client):
    for n, squared in ((12, 144), (-3, 9), (0, 0)):
        for reply in (client("POST", f"/v1/run/square?n={n}"), client.post("/v1/run/square", n=n),
                      client.form("/v1/run/square", {"n": str(n)})):
            assert str(squared) in reply.expect(200).text


@pytest.mark.quick
@pytest.mark.parametrize("call, word", [
    ("square", "n"), ("square?n=x", "n"), ("square?n=1&n=2", "n"), ("square?n=1&colour=red", "colour"),
    ("sleep?seconds=-1", "seconds"), ("sleep?seconds=x", "seconds"), ("sleep?seconds=1&wait=-1s", "wait"),
    ("sleep?seconds=1&wait=3h", "wait"), ("square?n=1e400", "n"),
])
def test_wrong_arguments_are_named(client, call, word):
    client("POST", f"/v1/run/{call}").expect(400).names(word)


@pytest.mark.quick
def test_an_unknown_kind_is_named(client):
    client.post("/v1/run/nonsense").expect(404, "not_found").names("nonsense", "sleep", "square")
    client.get("/v1/run/square").expect(405)


def test_a_kind_that_writes_files_is_not_run_by_a_request(client):
    refused = client("POST", "/v1/run/download?url=http://127.0.0.1:1/").expect((400, 404))
    if refused.status == 400:  # else it was built without
        refused.names("download", "/v1/executors/")


@pytest.mark.quick
def test_sleep_sleeps_and_says_so(client):
    def took():
        began = time.monotonic()
        client("POST", "/v1/run/sleep?seconds=0.3").expect(200)
        seconds = time.monotonic() - began
        assert seconds >= 0.3
        return seconds

    at_best(took, 1.3)


@pytest.mark.quick
def test_nothing_is_stored(client):
    before = len(client.all_items("/v1/tasks"))
    client("POST", "/v1/run/square?n=3").expect(200)
    assert len(client.all_items("/v1/tasks")) == before


@pytest.mark.quick
@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_frees_its_thread(start, reset):
    server = start("--request-threads", "1")
    client = Client(server)
    ghost = Raw(server).request("POST /v1/run/sleep?seconds=600")
    until(lambda: '"POST /v1/run/sleep"' in client.get("/v1/threads").text, "the thread is taken")
    client("POST", "/v1/run/square?n=1").expect(503)
    ghost.close(reset=reset)
    client("POST", "/v1/run/square?n=5&wait=60s").expect(200)


@pytest.mark.quick
@pytest.mark.limit(60)
def test_many_at_once_each_with_its_own_answer(server):
    wrong, busy = [], []

    def work(who):
        mine = Client(server)
        for n in range(60):
            number = who * 100 + n
            reply = mine("POST", f"/v1/run/square?n={number}&wait=60s").expect((200, 503))
            if reply.status == 503:
                busy.append(number)
            elif str(number * number) not in reply.text:
                wrong.append((number, reply.text))
        mine.close()

    crowd = [threading.Thread(target=work, args=(who,), daemon=True) for who in range(12)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(50 * PATIENCE)
    assert wrong == [] and busy == []
