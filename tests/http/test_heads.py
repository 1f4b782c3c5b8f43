"""Heads that are large, many-parted or cut off: each gets one sound answer.

SPDX-License-Identifier: MIT
"""

import pytest

from wire import Raw


def one_answer(raw, status):
    """All that the server says before it closes: one reply, and nothing behind it."""
    reply = raw.reply().is_sound().expect(status)
    assert raw.is_cut() and raw.got == b"", f"something came behind the answer: {raw.got[:200]!r}"
    return reply


@pytest.mark.quick
@pytest.mark.parametrize("n", [129, 220, 230, 250, 600, 900])
def test_too_many_parameters_are_told_so(server, n):
    raw = Raw(server)
    raw.request("POST /v1/counters/crowd/add?" + "&".join(f"{i:x}" for i in range(n)))
    raw.reply().is_sound().expect(400).names("more than 128 parameters")
    assert raw.request("GET /livez").reply().status == 200, "the connection goes on"


@pytest.mark.quick
def test_a_long_uri_of_many_parameters_is_414(server):
    one_answer(Raw(server).request("POST /v1/counters/crowd/add?" + "a&" * 3000), 414)


@pytest.mark.quick
def test_many_parameters_and_many_headers_leave_room_for_an_answer(server):
    """Both within their limits."""
    query = "&".join(f"abcdefghijk{i}=1" for i in range(48))
    for n in range(90, 99):
        raw = Raw(server).request(f"GET /livez?{query}", headers=["X: " + "y" * 60] * n)
        raw.reply().is_sound().expect(400).names("abcdefghijk0")


@pytest.mark.quick
def test_a_query_is_read_as_a_form_is(client, name):
    path = f"/v1/locks/{name}"
    token = client.post(f"{path}/acquire?&owner=a+b%2Bc%26&&ttl=60s&").expect(200)["token"]
    assert client.get(path)["holder"]["owner"] == "a b+c&"
    client.post(f"{path}/release?token={token}").expect(200)
    client.get(f"{path}?").expect(200)


@pytest.mark.quick
@pytest.mark.parametrize("n", [1, 250, 400])
def test_a_browser_s_cookies_hurt_nobody(server, n):
    """They are those of every server on localhost."""
    raw = Raw(server)
    for _ in range(2):
        raw.request("GET /livez", headers=["Cookie: " + "; ".join(f"c{i}=value{i}" for i in range(n))])
        raw.reply().is_sound().expect(200)


@pytest.mark.quick
def test_more_cookies_than_a_head_may_have_are_431(server):
    one_answer(Raw(server).request("GET /livez", headers=["Cookie: " + "a=b; " * 1800]), 431)


@pytest.mark.quick
@pytest.mark.parametrize("length, status", [("+3", 400), ("3x", 400), ("0x3", 400), ("-3", 400), ("", 400), ("3 3", 400),
                                            ("two", 400), ("9" * 20, 413), ("9" * 18, 413)])
def test_a_length_that_is_none_gets_one_answer(server, length, status):
    one_answer(Raw(server).request("POST /v1/counters/length/add", headers=["Content-Length: " + length]), status)


@pytest.mark.quick
def test_a_wrong_length_is_not_blamed_on_others(server):
    """Of many heads under way on the same threads, the wrong one is answered, and the others go on."""
    others = [Raw(server).send(f"POST /v1/counters/others/add HTTP/1.1\r\nContent-Length: {i}\r\n") for i in range(8)]
    half = Raw(server).send("POST /v1/counters/length/add HTTP/1.1\r\nContent-Length: +3\r\n")
    for raw in others:
        raw.send(f"Host: {raw.host}\r\n")
    half.send(f"Host: {half.host}\r\n\r\nabc")
    one_answer(half, 400).names("Content-Length")
    for i, raw in enumerate(others):
        raw.send("Content-Type: application/json\r\n\r\n" + ("{}" + " " * 8)[:i])
        raw.reply().expect(400 if i == 1 else 200)


@pytest.mark.quick
def test_headers_at_the_edge_of_what_fits_get_one_answer(server):
    for n in range(215, 240):
        raw = Raw(server).request("GET /livez", headers=["X: y"] * n)
        assert raw.reply().status == 431 and raw.is_cut() and raw.got == b"", n
    for n in range(15900, 16500, 20):
        raw = Raw(server).request("GET /livez", headers=["X: " + "y" * n])
        assert raw.reply().status == 431 and raw.is_cut() and raw.got == b"", n
    for n in (*range(15840, 16200, 12), 16300, 20000):
        raw = Raw(server).request("GET /" + "x" * n)
        reply = raw.reply()
        assert reply and reply.status in (414, 431) and raw.is_cut() and raw.got == b"", (n, reply)


@pytest.mark.quick
@pytest.mark.parametrize("n", [1, 500, 2000])
def test_a_nul_before_the_query_gets_one_answer(server, n):
    one_answer(Raw(server).request("GET /\0?" + "a&" * n), 400).names("NUL")


@pytest.mark.quick
def test_head_of_what_is_refused_has_no_body(server):
    raw = Raw(server).request("HEAD /livez", headers=["X: " + "y" * 9000])
    assert raw.reply("HEAD").status == 431 and raw.is_cut() and raw.got == b""
