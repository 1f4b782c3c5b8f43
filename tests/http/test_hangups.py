"""Clients that close their side: in one piece with what they sent last, so that the server hears of both at once.

SPDX-License-Identifier: MIT
"""

import signal

import pytest

from bobbind import PATIENCE, until
from wire import Client, Raw

POST = b"POST /v1/counters/left/add HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
CUTS = {
    "half a line": b"GET /livez HT",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: {ho",
    "no body": POST + b"Content-Length: 8\r\n\r\n",
    "half a body": POST + b"Content-Length: 8\r\n\r\n{\"n\"",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n8\r\n{\"n\"",
    "a request, and half of the next": b"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\nGET /livez HTTP",
}


def number(client, name):
    text = client.get("/metrics").expect(200).text
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


def in_one_piece(server, data, used=False):
    """Sends data and the end of all requests while the server stands still."""
    raw = Raw(server)
    if used:
        assert raw.request("GET /livez").reply().status == 200
    server.signal(signal.SIGSTOP)
    try:
        raw.send(data.replace(b"{host}", raw.host.encode()))
        raw.end_of_requests()
    finally:
        server.signal(signal.SIGCONT)
    return raw


@pytest.mark.quick
@pytest.mark.parametrize("used", [False, True], ids=["new", "used before"])
@pytest.mark.parametrize("data", CUTS.values(), ids=CUTS.keys())
def test_one_who_left_within_a_request_is_seen_soon(server, client, data, used):
    slow = number(client, "bobbin_http_slow_clients_cut_total")
    raw = in_one_piece(server, data, used)
    assert raw.is_cut(), "its connection is still kept"
    until(lambda: number(client, "bobbin_http_connections") == 1, "only the one who asks is there")
    assert number(client, "bobbin_http_slow_clients_cut_total") == slow, "it was not slow"


@pytest.mark.quick
@pytest.mark.parametrize("used", [False, True], ids=["new", "used before"])
def test_one_who_closed_after_whole_requests_hears_the_answers(server, used):
    whole = b"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n"
    raw = in_one_piece(server, whole * 30, used)
    for _ in range(30):
        assert raw.reply().status == 200
    assert raw.is_cut(), "and then its connection ends"


@pytest.mark.quick
def test_one_whose_request_comes_in_pieces_hears_the_answer(server):
    """Over several beats, before its end is there."""
    raw = Raw(server).send(b"POST /v1/counters/pieces/add HTTP/1.1\r\n")
    assert not raw.is_cut(1.2 / PATIENCE)
    raw.send(f"Host: {raw.host}\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{{\"n\"")
    assert not raw.is_cut(1.2 / PATIENCE)
    raw.send(":3}")
    raw.end_of_requests()
    assert raw.reply().expect(200)["value"] >= 3
    assert raw.is_cut()


@pytest.mark.quick
def test_those_who_left_make_room(start):
    server = start("--max-connections", "9", "--header-timeout", "10m")
    client = Client(server)
    until(lambda: number(client, "bobbin_http_connections") == 1, "nobody else is there")
    for _ in range(8):
        in_one_piece(server, CUTS["half a head"], used=True)

    def served():
        fresh = Client(server)
        try:
            return fresh.get("/livez").status == 200
        except (OSError, AssertionError):
            return False
        finally:
            fresh.close()

    until(served, "a newcomer is served")
