"""Raw bytes: where a request ends, who it is for, and what its client hears; one meaning for each, or one refusal.

SPDX-License-Identifier: MIT
"""

import time

import pytest

from bobbind import PATIENCE, until
from wire import Client, Raw

ADD = b"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\n"
SECOND = b"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\nX: "
CHUNKED = ADD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def filled(data, raw, name):
    return data.replace(b"{host}", raw.host.encode()).replace(b"{name}", name.encode())


def only_answer(raw, status):
    """The next reply is the last: it says so, and nothing comes behind it."""
    reply = raw.reply().is_sound().expect(status)
    assert raw.is_cut() and raw.got == b"", raw.got[:200]
    return reply


# Each is one request to whoever reads strictly, and two to whoever believes libmicrohttpd.
REFUSED = {
    "a folded length": (ADD + b"Content-Length:\r\n 65\r\n\r\n" + SECOND + b"y\r\n\r\n", 400),
    "a folded Host": (b"POST /v1/counters/{name}/add HTTP/1.1\r\nHost:\r\n {host}\r\n\r\n", 400),
    "a folded coding": (ADD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "a folded Origin": (ADD + b"Origin:\r\n http://evil.example\r\n\r\n", 400),
    "a fold of another value": (ADD + b"X: a\r\n b\r\n\r\n", 400),
    "a fold by tab": (ADD + b"X: a\r\n\tb\r\n\r\n", 400),
    "a fold before the first field": (b"POST /v1/counters/{name}/add HTTP/1.1\r\n X: y\r\nHost: {host}\r\n\r\n", 400),
    "a field of no name": (ADD + b": x\r\n" + SECOND + b"y\r\n\r\n", 400),
    "a name that is NUL": (ADD + b"\0: x\r\n" + SECOND + b"y\r\n\r\n", 400),
    "a line that begins with NUL": (ADD + b"\0\r\n" + SECOND + b"y\r\n\r\n", 400),
    "a line without a colon": (ADD + b"X\r\n\r\n", 400),
    "a NUL in Host": (b"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\0.evil\r\n\r\n", 400),
    "a NUL in a length": (ADD + b"Content-Length: 2\x000\r\n\r\n{}", 400),
    "a NUL in a coding": (ADD + b"Transfer-Encoding: chunked\0, gzip\r\n\r\n0\r\n\r\n", 400),
    "a NUL in Origin": (ADD + b"Origin: http://{host}\0.evil.example\r\n\r\n", 400),
    "a NUL in any value": (ADD + b"X: a\0b\r\n\r\n", 400),
    "a CR for the end of a line": (ADD + b"X: a\rContent-Length: 5\r\n\r\n", 400),
    "a chunk's line of LF alone": (CHUNKED + b"2\n{}\r\n0\r\n\r\n", 400),
    "a chunk that LF alone ends": (CHUNKED + b"2\r\n{}\n0\r\n\r\n", 400),
    "a last chunk of LF alone": (CHUNKED + b"2\r\n{}\r\n0\n\r\n", 400),
    "a body that LF alone ends": (CHUNKED + b"2\r\n{}\r\n0\r\n\n", 400),
    "a folded trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\n z\r\n\r\n", 400),
    "a chunk's extension of 20,000 bytes": (CHUNKED + b"2;x=" + b"y" * 20000 + b"\r\n{}\r\n0\r\n\r\n", 400),
    "a size that is no number": (CHUNKED + b"two\r\n{}\r\n0\r\n\r\n", 400),
    "a size of 2^64": (CHUNKED + b"10000000000000000\r\n{}", 413),
    "a length of 2^64 + 2": (ADD + b"Content-Length: 18446744073709551618\r\n\r\n{}", 413),
    "words behind the path": (b"POST /v1/counters/{name}/add x HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    "a method that is no token": (b"P@ST /v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    "another authority than Host": (b"POST http://evil.example/v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    "another port than Host": (b"POST http://127.0.0.1:1/v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    "a user before the authority": (b"POST http://x@{host}/v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    "https as the scheme": (b"POST https://{host}/v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
}

@pytest.mark.quick
@pytest.mark.parametrize("each", [None, 1, 7], ids=["whole", "byte by byte", "in sevens"])
@pytest.mark.parametrize("data, status", REFUSED.values(), ids=REFUSED.keys())
def test_what_may_mean_two_things_is_refused_once(server, client, name, data, status, each):
    raw = Raw(server)
    data = filled(data, raw, name)
    for at in range(0, len(data), each or len(data)):
        raw.send(data[at:at + (each or len(data))])
    reply = raw.reply().is_sound().expect(status)
    if reply.headers["Connection"] == "close":
        assert raw.is_cut() and raw.got == b"", raw.got[:200]
    client.get(f"/v1/counters/{name}").expect(404)


@pytest.mark.quick
def test_a_good_request_before_a_bad_one_is_answered_first(server, client, name):
    raw = Raw(server)
    raw.send(filled(ADD + b"\r\n" + ADD + b"\r\n" + ADD + b"X: a\r\n b\r\n\r\n" + ADD + b"\r\n", raw, name))
    assert [raw.reply().expect(200)["value"] for _ in range(2)] == [1, 2]
    only_answer(raw, 400)
    assert client.get(f"/v1/counters/{name}")["value"] == 2


@pytest.mark.quick
def test_one_who_works_or_waits_is_answered_before_what_is_refused_behind_it(server, client, name):
    """In one piece, so that the server sees both at once; its own end of reading is not its client's."""
    bad = ADD + b"X: a\r\n b\r\n\r\n"
    raw = Raw(server)
    raw.send(filled(b"POST /v1/run/sleep?seconds=0.3 HTTP/1.1\r\nHost: {host}\r\n\r\n" + bad, raw, name))
    raw.reply().expect(200)
    only_answer(raw, 400)
    token = client.post(f"/v1/locks/{name}/acquire", ttl="10m").expect(200)["token"]
    raw = Raw(server)
    raw.send(filled(b"POST /v1/locks/{name}/acquire?wait=10m HTTP/1.1\r\nHost: {host}\r\n\r\n" + bad, raw, name))
    until(lambda: client.get(f"/v1/locks/{name}")["waiters"] == 1, "it stands in line")
    client.post(f"/v1/locks/{name}/release", token=token).expect(200)
    raw.reply().expect(200)
    only_answer(raw, 400)


@pytest.mark.quick
def test_a_refusal_after_head_has_its_body(server):
    raw = Raw(server).request("HEAD /livez").send("\rX")
    raw.reply("HEAD").expect(200)
    only_answer(raw, 400)


def test_a_refusal_has_its_line_in_the_log_and_is_not_slow(start):
    server = start("--access-log")
    raw = Raw(server).request("GET /livez x")
    raw.reply().expect(400)
    server.log_line(r"request .*status=400")
    raw = Raw(server)
    raw.send(filled(CHUNKED + b"two\r\n", raw, "slow"))
    raw.reply().expect(400)
    client = Client(server)
    until(lambda: gauge(client, "bobbin_http_connections") == 1, "both are gone, one by its deadline")
    assert gauge(client, "bobbin_http_slow_clients_cut_total") == 0


TAKEN = {
    "chunked and a blank": (ADD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked \r\n\r\n7\r\n{\"n\":5}\r\n0\r\n\r\n"),
    "CHUNKED between tabs": (ADD + b"Content-Type: application/json\r\ntransfer-encoding:\tCHUNKED\t\r\n\r\n7\r\n{\"n\":5}\r\n0\r\n\r\n"),
    "a length and blanks": (ADD + b"Content-Type: application/json \t\r\nContent-Length:   7 \t \r\n\r\n{\"n\":5}"),
    "a Host and blanks": (b"POST /v1/counters/{name}/add?n=5 HTTP/1.1\r\nHost: \t{host} \r\n\r\n"),
    "an Origin and blanks": (ADD + b"Origin: http://{host} \r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":5}"),
    "extensions and a trailer": (CHUNKED + b"3;a=b\r\n{\"n\r\n4 ; c\r\n\":5}\r\n0;d\r\nX: y\r\n\r\n"),
    "the absolute form": (b"POST http://{host}/v1/counters/{name}/add?n=5 HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "HTTP:// in capitals": (b"POST HTTP://{host}/v1/counters/{name}/add?n=5 HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "lines of LF alone": (b"POST /v1/counters/{name}/add?n=5 HTTP/1.1\nHost: {host}\n\n"),
    "empty lines before it": (b"\r\n\r\nPOST /v1/counters/{name}/add?n=5 HTTP/1.1\r\nHost: {host}\r\n\r\n"),
}


@pytest.mark.quick
@pytest.mark.parametrize("each", [None, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN.keys())
def test_what_the_rfc_allows_is_taken(server, name, data, each):
    """And the next request on that connection is read as one."""
    raw = Raw(server)
    data = filled(data, raw, name)
    for at in range(0, len(data), each or len(data)):
        raw.send(data[at:at + (each or len(data))])
    assert raw.reply().is_sound().expect(200)["value"] == 5
    assert raw.request("GET /livez").reply().status == 200


@pytest.mark.quick
@pytest.mark.parametrize("line", [
    "Content-Length: 7{blanks}\r\n\r\n{{\"n\":5}}",
    "Transfer-Encoding: chunked{blanks}\r\n\r\n7\r\n{{\"n\":5}}\r\n0\r\n\r\n",
], ids=["a length", "a coding"])
@pytest.mark.parametrize("blanks", [30, 600])
def test_blanks_at_the_edge_of_a_buffer_are_no_part_of_a_value(server, name, line, blanks):
    """Wherever the server's buffer ends: the requests before it move the blanks along."""
    get = b"GET /livez HTTP/1.1\r\nHost: {host}\r\nX: "
    last = ADD + b"Content-Type: application/json\r\n" + line.format(blanks=" " * blanks + "\t").encode()
    for pad in range(0, 8600, 30 if blanks < 100 else 250):
        raw = Raw(server)
        raw.send(filled(b"".join(get + b"x" * n + b"\r\n\r\n" for n in (pad // 2, pad - pad // 2, 4000)) + last, raw, name))
        assert [raw.reply().status for _ in range(4)] == [200] * 4, pad
        raw.close()


@pytest.mark.quick
@pytest.mark.parametrize("path", ["/livez", "http://{host}/livez", "http://{host}/livez?", "http://{host}"])
def test_the_absolute_form_finds_what_the_path_finds(server, path):
    raw = Raw(server)
    raw.request("GET " + path.replace("{host}", raw.host)).reply().expect(200)


@pytest.mark.quick
def test_the_absolute_form_without_a_host_is_the_host(server):
    raw = Raw(server)
    raw.send(f"GET http://{raw.host}/livez HTTP/1.0\r\n\r\n").reply().expect(200)
    Raw(server).send("GET http://evil.example/v1/locks HTTP/1.0\r\n\r\n").reply().expect(403)


@pytest.mark.quick
def test_connection_close_and_a_blank_closes(server):
    raw = Raw(server).request("GET /livez", headers=["Connection: close "])
    raw.reply().expect(200)
    assert raw.is_cut()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    from bobbind import Server
    server = Server(tmp_path_factory.mktemp("small") / "store", "--max-body", "64K", "--body-timeout", "10m").start()
    yield server
    server.end()


@pytest.mark.quick
def test_a_chunked_body_without_end_is_413_as_soon_as_it_is_too_large(small, name):
    raw = Raw(small)
    raw.send(filled(CHUNKED, raw, name))
    chunk, sent = b"1000\r\n" + b" " * 4096 + b"\r\n", 0
    raw.socket.settimeout(20 * PATIENCE)
    try:
        while sent < 64 << 20:
            raw.socket.sendall(chunk)
            sent += 4096
    except OSError:
        pass
    assert sent < 64 << 20, "all of it was swallowed"
    # A client that is cut while it sends may have lost the answer; one that looks has it:
    raw = Raw(small)
    raw.send(filled(CHUNKED, raw, name) + chunk * 16)
    assert not raw.is_cut(0.2), "it is not too large yet"
    raw.send(b"1\r\n")
    only_answer(raw, 413)


@pytest.mark.quick
def test_a_client_that_goes_on_sending_still_reads_the_refusal(small):
    """Closed with bytes unread, the kernel would send a reset, and that takes the answer away."""
    raw = Raw(small)
    raw.send(filled(ADD + b"Content-Length: 200000\r\n\r\n", raw, "late"))
    time.sleep(0.1)  # the refusal is there, and unread
    raw.send(b"x" * 100000)
    raw.reply().is_sound().expect(413).names("--max-body")


EXPECTING = "Expect: 100-continue"
JSON = "Content-Type: application/json"


@pytest.mark.quick
@pytest.mark.parametrize("line, host, headers, status", [
    ("POST /v1/counters/expect/add", "evil.example", [JSON], 403),
    ("POST /v1/counters/expect/add", None, ["Content-Type: text/plain"], 415),
    ("POST /v1/counters/expect/add", None, [], 415),
    ("POST /v1/counters/expect/add", None, [JSON, "Content-Encoding: gzip"], 415),
    ("POST /v1/counters/expect/add", None, [JSON, "Origin: http://evil.example"], 403),
    ("POST /v1/nothing", None, [JSON], 404),
    ("PUT /v1/counters/expect/add", None, [JSON], 405),
    ("POST /v1/counters/a%2Fb/add", None, [JSON], 400),
    ("DELETE /v1/counters/expect", None, [JSON], 400),
])
def test_whose_body_is_not_wanted_is_told_so_instead_of_100(server, line, host, headers, status):
    raw = Raw(server)
    lines = [line + " HTTP/1.1", f"Host: {host or raw.host}", EXPECTING, "Content-Length: 7", *headers]
    raw.send("\r\n".join(lines) + "\r\n\r\n")
    only_answer(raw, status)


@pytest.mark.quick
@pytest.mark.parametrize("headers", [[], ["Content-Length: 0"], ["Content-Length: 7", "Expect: x"]])
def test_who_is_refused_anyway_hears_no_100(server, headers):
    raw = Raw(server)
    lines = ["POST /v1/nothing HTTP/1.1", f"Host: {raw.host}", EXPECTING, JSON, *headers]
    raw.send("\r\n".join(lines) + "\r\n\r\n")
    only_answer(raw, 404)


@pytest.mark.quick
def test_whose_body_is_wanted_hears_100(server, name):
    raw = Raw(server)
    raw.send(f"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {raw.host}\r\n{EXPECTING}\r\n{JSON}\r\nContent-Length: 7\r\n\r\n")
    assert raw.reply("HEAD").status == 100
    assert raw.send('{"n":5}').reply().expect(200)["value"] == 5


@pytest.mark.quick
def test_every_reply_says_that_it_is_not_to_be_kept_or_guessed(start, name):
    server = start("--max-connections", "8")
    raw = Raw(server)
    replies = []
    for line, headers in (("GET /livez", []), ("POST /v1/counters/x/add", []), ("PUT /v1/semaphores/x?value=1", []),
                          ("DELETE /v1/semaphores/x", []), ("GET /nothing", []), ("PUT /livez", []), ("HEAD /livez", []),
                          ("GET /v1/counters/x", []), ("GET /", []), ("GET /style.css", [])):
        replies.append((line, raw.request(line, headers=headers).reply(line.split()[0])))
    etag = next(r for line, r in replies if line == "GET /v1/counters/x").headers["ETag"]
    replies.append(("304", raw.request("GET /v1/counters/x", headers=[f"If-None-Match: {etag}"]).reply("HEAD")))
    assert replies[-1][1].status == 304
    style = next(r for line, r in replies if line == "GET /style.css").headers["ETag"]
    replies.append(("304 of a file", raw.request("GET /style.css", headers=[f"If-None-Match: {style}"]).reply("HEAD")))
    assert replies[-1][1].status == 304
    replies.append(("414", Raw(server).request("GET /" + "x" * 5000).reply()))
    replies.append(("431", Raw(server).request("GET /", headers=["X: " + "x" * 9000]).reply()))
    stream = Raw(server).request("GET /v1/stream")
    until(lambda: b"\r\n\r\n" in stream.got or not stream._more(), "the stream begins")
    replies.append(("stream", stream.reply("HEAD")))
    crowd = [Raw(server) for _ in range(12)]  # the last of them are turned away unasked
    replies.append(("503", crowd[-1].reply().expect(503)))
    for line, reply in replies:
        assert reply.headers["X-Content-Type-Options"] == "nosniff", (line, reply.headers.items())
        assert reply.headers["Cache-Control"] in ("no-store", "no-cache"), (line, reply.headers.items())
        assert (reply.headers["Cache-Control"] == "no-cache") == (line in ("GET /", "GET /style.css", "304 of a file")), line


@pytest.mark.quick
@pytest.mark.parametrize("wait", ["", "wait=5s&"], ids=["at once", "ready to wait"])
def test_one_who_closes_its_side_behind_a_whole_request_hears_the_answer(server, client, name, wait):
    """It waits for its commit only: that no more comes does not say that nobody listens."""
    for _ in range(20):
        raw = Raw(server).request(f"POST /v1/locks/{name}/acquire?{wait}owner=half")
        raw.end_of_requests()
        reply = raw.reply()
        assert reply is not None, "closed without an answer"
        token = reply.expect(200)["token"]
        assert raw.is_cut(), "and then its connection ends"
        assert client.get(f"/v1/locks/{name}")["holder"]["token"] == token
        client.post(f"/v1/locks/{name}/release", token=token).expect(200)


@pytest.mark.quick
def test_one_who_closes_its_side_while_it_stands_in_line_has_left(server, client, name):
    token = client.post(f"/v1/locks/{name}/acquire", ttl="10m").expect(200)["token"]
    raw = Raw(server).request(f"POST /v1/locks/{name}/acquire?wait=10m&owner=half")
    until(lambda: client.get(f"/v1/locks/{name}")["waiters"] == 1, "it stands in line")
    raw.end_of_requests()
    until(lambda: client.get(f"/v1/locks/{name}")["waiters"] == 0, "it is out of the line")
    assert raw.is_cut() and raw.got == b""
    client.post(f"/v1/locks/{name}/release", token=token).expect(200)


def gauge(client, name):
    text = client.get("/metrics").expect(200).text
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))


@pytest.mark.limit(120)
def test_a_peer_that_pipelines_and_never_reads_is_counted_and_cut(start):
    server = start("--reply-timeout", "2s", "--idle-timeout", "10m")
    client = Client(server)
    raw = Raw(server)
    one = f"GET /openapi.json HTTP/1.1\r\nHost: {raw.host}\r\n\r\n".encode()
    raw.socket.settimeout(0.2)
    began = time.monotonic()
    try:
        for _ in range(2000):
            raw.socket.sendall(one)
    except OSError:
        pass  # the server reads no more
    until(lambda: gauge(client, "bobbin_http_unread_replies") >= 1, "its reply is counted")
    assert gauge(client, "bobbin_http_unread_reply_bytes") > 10000
    until(lambda: gauge(client, "bobbin_http_connections") == 1, "it is cut", 30)
    assert time.monotonic() - began >= 1.9, "not before its time"
    until(lambda: gauge(client, "bobbin_http_unread_replies") == 0, "nothing is pinned any more")
