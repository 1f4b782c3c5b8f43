"""What no polite client sends: a clear error that names the thing, and the server goes on.

SPDX-License-Identifier: MIT
"""

import select
import time

import pytest

from bobbind import PATIENCE, until
from wire import Client, Raw

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
ADD = "POST /v1/counters/bad/add"
TAKE = "POST /v1/locks/bad/acquire"

# what it is                            request line              headers   body                       status  the detail names
BODIES = [
    ("no JSON at all",                  ADD,                      [JSON],   b"hello",                    400, []),
    ("JSON that is cut off",            ADD,                      [JSON],   b'{"n":',                    400, []),
    ("something after the JSON",        ADD,                      [JSON],   b'{"n":1} x',                400, []),
    ("two documents",                   ADD,                      [JSON],   b'{"n":1}{"n":2}',           400, []),
    ("an array",                        ADD,                      [JSON],   b"[1]",                      400, ["object"]),
    ("a number",                        ADD,                      [JSON],   b"17",                       400, ["object"]),
    ("null",                            ADD,                      [JSON],   b"null",                     400, ["object"]),
    ("a key twice",                     ADD,                      [JSON],   b'{"n":1,"n":2}',            400, ["n"]),
    ("not UTF-8",                       TAKE,                     [JSON],   b'{"owner":"\xff\xfe"}',     400, ["UTF-8"]),
    ("a lone surrogate",                TAKE,                     [JSON],   b'{"owner":"\\ud800"}',      400, []),
    ("a NUL in a text",                 TAKE,                     [JSON],   b'{"owner":"a\\u0000b"}',    400, []),
    ("a raw NUL",                       ADD,                      [JSON],   b'{"n":1}\0',                400, []),
    ("a byte order mark",               ADD,                      [JSON],   b'\xef\xbb\xbf{"n":1}',      (200, 400), []),
    ("a control byte in an owner",      TAKE,                     [JSON],   b'{"owner":"a\\u0007\\n"}',  (200, 400), []),
    ("depth 65",                        ADD,                      [JSON],   b'{"n":' + b"[" * 65 + b"]" * 65 + b"}", 400, []),
    ("depth 20,000",                    ADD,                      [JSON],   b"[" * 20000,                400, []),
    ("20,000 values",                   ADD,                      [JSON],   b'{"n":[' + b"1," * 20000 + b"1]}", 400, []),
    ("a wrong type: text for number",   ADD,                      [JSON],   b'{"n":"x"}',                400, ["n"]),
    ("a wrong type: object for number", ADD,                      [JSON],   b'{"n":{}}',                 400, ["n"]),
    ("a wrong type: number for text",   TAKE,                     [JSON],   b'{"owner":5}',              400, ["owner"]),
    ("a wrong type: bool for duration", TAKE,                     [JSON],   b'{"ttl":true}',             400, ["ttl"]),
    ("a wrong type: array for wait",    TAKE,                     [JSON],   b'{"wait":[1]}',             400, ["wait"]),
    ("an unknown field",                ADD,                      [JSON],   b'{"colour":"red"}',         400, ["colour"]),
    ("an unknown field in a form",      ADD,                      [FORM],   b"colour=red",               400, ["colour"]),
    ("an unknown field in the query",   ADD + "?colour=red",      [],       b"",                         400, ["colour"]),
    ("one twice in the query",          ADD + "?n=1&n=1",         [],       b"",                         400, ["n"]),
    ("one twice in a form",             ADD,                      [FORM],   b"n=1&n=1",                  400, ["n"]),
    ("one in the query and the body",   ADD + "?n=1",             [JSON],   b'{"n":1}',                  400, ["n"]),
    ("one in the query and the form",   ADD + "?n=1",             [FORM],   b"n=1",                      400, ["n"]),
    ("JSON that says it is a form",     "PUT /v1/executors/bad",  [FORM],   b'{"max_workers":4}',        400, ["-H 'Content-Type: application/json'"]),
    ("an array that says so",           ADD,                      [FORM],   b' [{"n":1}]',               400, ["-H 'Content-Type: application/json'"]),
    ("a broken escape in a form",       TAKE,                     [FORM],   b"owner=%zz",                400, []),
    ("a broken escape at the end",      TAKE,                     [FORM],   b"owner=%4",                 400, []),
    ("an escaped NUL in a form",        TAKE,                     [FORM],   b"owner=a%00b",              400, []),
    ("not UTF-8 in a form",             TAKE,                     [FORM],   b"owner=%ff",                400, []),
    ("an owner of 201 bytes",           TAKE,                     [FORM],   b"owner=" + b"x" * 201,      400, ["owner"]),
    ("a negative wait",                 TAKE + "?wait=-1",        [],       b"",                         400, ["wait", "between 0 and 10m"]),
    ("a wait over ten minutes",         TAKE + "?wait=601",       [],       b"",                         400, ["wait"]),
    ("a wait of a strange unit",        TAKE + "?wait=3days",     [],       b"",                         400, ["wait"]),
    ("a wait that overflows",           TAKE + "?wait=1e300",     [],       b"",                         400, ["wait"]),
    ("a wait that is not a number",     TAKE + "?wait=nan",       [],       b"",                         400, ["wait"]),
    ("a ttl of nought",                 TAKE + "?ttl=0",          [],       b"",                         400, ["ttl"]),
    ("a ttl too short",                 TAKE + "?ttl=99ms",       [],       b"",                         400, ["ttl"]),
    ("a ttl too long",                  TAKE + "?ttl=25h",        [],       b"",                         400, ["ttl"]),
    ("a negative ttl",                  TAKE + "?ttl=-5s",        [],       b"",                         400, ["ttl"]),
    ("a number of 10,000 digits",       ADD,                      [JSON],   b'{"n":' + b"9" * 10000 + b"}", 400, []),
    ("a token of nought",               "POST /v1/locks/bad/release?token=0", [], b"",                   400, ["token"]),
    ("a negative token",                "POST /v1/locks/bad/release?token=-1", [], b"",                  400, ["token"]),
    ("a token of 2^53",                 f"POST /v1/locks/bad/release?token={2**53}", [], b"",            400, ["token"]),
    ("permits nought",                  "POST /v1/semaphores/bad/acquire?permits=0", [], b"",            400, ["permits"]),
    ("permits negative",                "POST /v1/semaphores/bad/acquire?permits=-1", [], b"",           400, ["permits"]),
    ("a semaphore of less than nought", "PUT /v1/semaphores/bad?value=-1", [], b"",                      400, ["value"]),
    ("a semaphore of 2^53",             f"PUT /v1/semaphores/bad?value={2**53}", [], b"",                400, ["value"]),
    ("a semaphore without a value",     "PUT /v1/semaphores/bad", [],       b"",                         400, ["value"]),
    ("an unknown bind",                 TAKE + "?bind=glue",      [],       b"",                         400, ["bind: must be lease"]),
    ("a body that is packed",           ADD,                      [FORM, "Content-Encoding: gzip"], b"n=1", 415, ["Content-Encoding"]),
    ("a body that is not packed",       ADD,                      [FORM, "Content-Encoding: identity"], b"n=1", 200, []),
    ("a body of text",                  ADD,                      ["Content-Type: text/plain"], b"n=1",  415, []),
    ("a body of XML",                   ADD,                      ["Content-Type: application/xml"], b"<n/>", 415, []),
    ("a multipart body",                ADD,                      ["Content-Type: multipart/form-data; boundary=x"], b"--x--", 415, []),
]

NAMES = ["a%2Fb", "a%20b", "a b", "%", "%zz", "a%00b", "x" * 201, "%C3%A9", "é", ".", "..", "%2e%2e", "a;b", "a,b",
         "<img>", "a'b", 'a"b', "a\\b", "a*b", "a+b", "a@b", "$x", "(x)", "%0d%0aX: y"]

# what it is                              request bytes with {host}                                                  status or None: closed without a word
FRAMES = [
    ("two equal Content-Lengths",         b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    ("two different Content-Lengths",     b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n{}", 400),
    ("Content-Length and chunked",        b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked twice",                     b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("a transfer coding nobody knows",    b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ("chunked in HTTP/1.0",               b"POST /v1/counters/bad/add HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("a Content-Length that is no number", b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: two\r\n\r\n", 400),
    ("a negative Content-Length",         b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: -2\r\n\r\n", 400),
    ("no Host",                           b"GET /livez HTTP/1.1\r\n\r\n", 400),
    ("an empty Host",                     b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", (400, 403)),
    ("two Hosts",                         b"GET /livez HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n", 400),
    ("another Host",                      b"GET /v1/locks HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
    ("another Host with our port",        b"GET /v1/locks HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n", 403),
    ("a Host that begins as ours",        b"GET /v1/locks HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 403),
    ("a Host with a user",                b"GET /v1/locks HTTP/1.1\r\nHost: evil@localhost\r\n\r\n", (400, 403)),
    ("a space before the colon",          b"POST /v1/counters/bad/add HTTP/1.1\r\nHost: {host}\r\nContent-Length : 2\r\n\r\n{}", 400),
    ("a control byte in a header",        b"GET /livez HTTP/1.1\r\nHost: {host}\r\nX-Odd: a\x01b\r\n\r\n", 400),
    ("TRACE",                             b"TRACE /livez HTTP/1.1\r\nHost: {host}\r\n\r\n", (405, 501)),
    ("CONNECT",                           b"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n", (400, 405, 501)),
    ("an unknown method",                 b"BREW /v1/locks HTTP/1.1\r\nHost: {host}\r\n\r\n", (405, 501)),
    ("a path without a slash",            b"GET livez HTTP/1.1\r\nHost: {host}\r\n\r\n", (400, 404)),
    ("a NUL in the path",                 b"GET /livez\0junk HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    ("a NUL at the end of the path",      b"GET /livez\0 HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    ("a NUL in the query",                b"GET /v1/locks?limit=5\0junk HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    ("a NUL in the method",               b"GET\0X /livez HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    ("a NUL before the method",           b"\0GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n", (400, None)),
    ("spaces in the first line",          b"GET   /livez HTTP/1.1\r\nHost: {host}\r\n\r\n", 200),
    ("an escaped NUL in the path",        b"GET /livez%00x HTTP/1.1\r\nHost: {host}\r\n\r\n", (400, 404)),
    ("a URI of 5,000 bytes",              b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n", 414),
    ("headers of 12,000 bytes",           b"GET /livez HTTP/1.1\r\nHost: {host}\r\nX-Long: " + b"x" * 12000 + b"\r\n\r\n", 431),
    ("headers of 40,000 bytes",           b"GET /livez HTTP/1.1\r\nHost: {host}\r\nX-Long: " + b"x" * 40000 + b"\r\n\r\n", (431, None)),
    ("five hundred headers",              b"GET /livez HTTP/1.1\r\nHost: {host}\r\n" + b"X: y\r\n" * 500 + b"\r\n", (431, None)),
    ("six hundred parameters",            b"POST /v1/counters/bad/add?" + b"a&" * 600 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n", 400),
    ("no HTTP at all",                    b"HELO there\r\n\r\n", (400, None)),
    ("the beginning of TLS",              b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60) + b"\r\n\r\n", (400, None)),
    ("HTTP/2's preface",                  b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 405, 501, 505, None)),
    ("HTTP/3.7",                          b"GET /livez HTTP/3.7\r\nHost: {host}\r\n\r\n", (400, 505, None)),
]


def still_serves(server):
    fresh = Client(server)
    fresh.get("/livez").expect(200)
    fresh.close()


@pytest.mark.quick
@pytest.mark.parametrize("request_line, headers, body, status, words", [row[1:] for row in BODIES],
                         ids=[row[0] for row in BODIES])
def test_a_wrong_body_or_parameter(server, request_line, headers, body, status, words):
    raw = Raw(server).request(request_line, body, headers)
    reply = raw.reply().is_sound().expect(status)
    if reply.status >= 400:
        reply.names(*words)
    # every refusal of a whole request leaves the connection usable: pollers would reconnect for each otherwise
    assert raw.request("GET /livez").reply().status == 200
    raw.close()


@pytest.mark.quick
@pytest.mark.parametrize("odd", NAMES)
def test_a_wrong_name(server, odd):
    raw = Raw(server).request(f"POST /v1/locks/{odd}/acquire")
    reply = raw.reply()
    assert reply is not None and reply.status in (400, 404), reply
    if "/" not in odd and " " not in odd and odd not in (".", ".."):
        reply.is_sound().expect(400)
    raw.close()
    still_serves(server)


@pytest.mark.quick
@pytest.mark.parametrize("data, status", [row[1:] for row in FRAMES], ids=[row[0] for row in FRAMES])
def test_a_wrong_frame(server, data, status):
    raw = Raw(server)
    raw.send(data.replace(b"{host}", raw.host.encode()).replace(b"{port}", str(server.port).encode()))
    if status is None or isinstance(status, tuple) and None in status:
        raw.end_of_requests()
    reply = raw.reply()
    allowed = status if isinstance(status, tuple) else (status,)
    assert (reply.status if reply else None) in allowed, reply
    raw.close()
    still_serves(server)


@pytest.mark.quick
@pytest.mark.parametrize("first", [
    b"POST /v1/counters/smuggled/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n",
    b"POST /v1/counters/smuggled/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
])
def test_nothing_is_smuggled_behind_a_wrong_frame(server, client, first):
    raw = Raw(server)
    second = b"POST /v1/counters/smuggled/add HTTP/1.1\r\nHost: {host}\r\n\r\n"
    raw.send((first + second).replace(b"{host}", raw.host.encode()))
    assert raw.reply().status == 400
    assert raw.is_cut(), "the connection ends with the refusal"
    client.get("/v1/counters/smuggled").expect(404)


OWN, EVIL = "http://{host}", "http://evil.example"
ORIGINS = [
    # Origin, Sec-Fetch-Site, allowed
    (None, None, True), (OWN, None, True), (OWN, "same-origin", True), (None, "same-origin", True),
    (None, "none", True), (EVIL, None, False), ("null", None, False), (None, "cross-site", False),
    (None, "same-site", False), (EVIL, "same-origin", False), (OWN, "cross-site", False),
    ("http://127.0.0.1:1", None, False), (OWN + ".evil.example", None, False),
]


@pytest.mark.quick
@pytest.mark.parametrize("origin, site, allowed", ORIGINS)
def test_another_page_in_the_browser_changes_nothing(server, origin, site, allowed):
    raw = Raw(server)
    headers = [FORM]
    if origin:
        headers.append("Origin: " + origin.replace("{host}", raw.host))
    if site:
        headers.append("Sec-Fetch-Site: " + site)
    for line, body in (("POST /v1/counters/origin/add", b"n=1"), ("PUT /v1/semaphores/origin", b"value=3"),
                       ("DELETE /v1/locks/origin", b"")):
        reply = raw.request(line, body, headers).reply().is_sound()
        assert (reply.status != 403) == allowed, f"{line}: {reply}"
        assert reply.headers["Access-Control-Allow-Origin"] is None
        if reply.headers["Connection"] == "close":
            raw = Raw(server)
    reply = Raw(server).request("GET /v1/locks", b"", headers[1:]).reply().is_sound()
    assert reply.status in ((200,) if allowed else (200, 403)), "to read is harmless without CORS, and may be refused"
    assert reply.headers["Access-Control-Allow-Origin"] is None
    reply = Raw(server).request("OPTIONS /v1/locks/x/acquire", b"",
                                headers[1:] + ["Access-Control-Request-Method: POST"]).reply()
    assert reply.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.quick
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_loopback_names_are_ours(server, host):
    raw = Raw(server)
    raw.send(f"GET /livez HTTP/1.1\r\nHost: {host.format(port=server.port)}\r\n\r\n")
    assert raw.reply().status == 200


def test_allow_host_adds_a_name(start):
    server = start("--allow-host", "bobbin.example")
    for host, status in (("bobbin.example", 200), ("BOBBIN.example", 200), (f"bobbin.example:{server.port}", 200),
                         ("evil.example", 403), ("bobbin.example.evil", 403)):
        raw = Raw(server).send(f"GET /v1/locks HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert raw.reply().status == status, host


@pytest.mark.quick
@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "/v1/locks/x/acquire", {"POST"}), ("GET", "/v1/locks/x/acquire", {"POST"}),
    ("POST", "/v1/locks/x", {"GET", "HEAD", "DELETE"}), ("POST", "/v1/locks", {"GET", "HEAD"}),
    ("DELETE", "/livez", {"GET", "HEAD"}), ("PATCH", "/v1/counters/x", {"GET", "HEAD", "DELETE"}),
    ("POST", "/v1/semaphores/x", {"GET", "HEAD", "PUT", "DELETE"}), ("POST", "/", {"GET", "HEAD"}),
])
def test_a_method_a_path_does_not_have_is_405_with_allow(server, method, path, allow):
    raw = Raw(server)
    reply = raw.request(f"{method} {path}").reply().is_sound().expect(405)
    assert {one.strip() for one in reply.headers["Allow"].split(",")} - {"OPTIONS"} == allow
    reply.names(method, *allow)
    assert raw.request("GET /livez").reply().status == 200, "the connection goes on"


@pytest.mark.quick
@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/", "/v2/locks", "/v1/locks/x/y/z", "/v1/locks/x/steal",
                                  "/v1/lock", "/v1/locks/", "//v1/locks", "/livez/", "/v1/locks//acquire"])
def test_a_path_nobody_knows_is_404(server, path):
    raw = Raw(server)
    for method in ("GET", "POST"):
        reply = raw.request(f"{method} {path}").reply().is_sound()
        assert reply.status == 404, reply
        reply.names(path, "/openapi.json")
    assert raw.request("GET /livez").reply().status == 200


@pytest.mark.quick
def test_a_problem_s_type_is_a_page(client, name):
    token = client.post(f"/v1/locks/{name}/acquire").expect(200)["token"]
    for problem in (client.post(f"/v1/locks/{name}/acquire"), client.get("/nothing"), client.get("/v1/locks?x=1"),
                    client.post(f"/v1/locks/{name}/release", token=token + 1)):
        page = client.get(problem["type"]).expect(200)
        assert problem["title"] in page.text


@pytest.mark.quick
def test_head_is_get_without_a_body(server):
    raw = Raw(server)
    for path in ("/livez", "/metrics", "/v1/locks", "/", "/nothing"):
        whole = raw.request(f"GET {path}").reply()
        head = raw.request(f"HEAD {path}").reply("HEAD")
        assert head.status == whole.status and head.body == b""
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        if path != "/metrics":  # its numbers change with each request
            assert head.headers["Content-Length"] == whole.headers["Content-Length"]


@pytest.mark.quick
def test_pipelined_requests_are_answered_in_order(server, name):
    raw, host = Raw(server), f"{server.host}:{server.port}"
    one = f"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
    raw.send(one * 40)
    assert [raw.reply().json["value"] for _ in range(40)] == list(range(1, 41))


@pytest.mark.quick
def test_a_request_behind_one_that_waits_is_answered_after_it(server, client, name):
    path = f"/v1/locks/{name}"
    held = client.post(f"{path}/acquire", ttl="60s").expect(200)["token"]
    raw = Raw(server).request(f"POST {path}/acquire?wait=20s&owner=ana").request("GET /livez").request("GET /nothing")
    until(lambda: client.get(path)["waiters"] == 1, "ana waits")
    client.post(f"{path}/release", token=held).expect(200)
    assert raw.reply().json["owner"] == "ana"
    assert raw.reply().status == 200 and raw.reply().status == 404


@pytest.mark.quick
@pytest.mark.parametrize("cut", [b"", b"P", b"POST /v1/counters/cut/add HT", b"POST /v1/counters/cut/add HTTP/1.1\r\nHost: {host}\r\nContent-Le",
                                 b"POST /v1/counters/cut/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 8\r\n\r\n",
                                 b"POST /v1/counters/cut/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 8\r\n\r\n{\"n\":",
                                 b"POST /v1/counters/cut/add HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"n\":",
                                 ], ids=["nothing", "a letter", "half a line", "half a header", "no body", "half a body", "half a chunk"])
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_client_that_goes_away_at_every_stage(server, client, cut, reset):
    for _ in range(5):
        raw = Raw(server)
        raw.send(cut.replace(b"{host}", raw.host.encode()))
        raw.close(reset=reset)
    still_serves(server)
    client.get("/v1/counters/cut").expect(404)


@pytest.mark.quick
def test_one_who_goes_right_after_asking_hurts_nobody(server, client, name):
    for n in range(60):
        Raw(server).request(f"POST /v1/counters/{name}/add").close(reset=bool(n % 2))
    still_serves(server)
    assert 0 <= client.post(f"/v1/counters/{name}/add", n=0).expect(200)["value"] <= 60


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    from bobbind import Server
    server = Server(tmp_path_factory.mktemp("strict") / "store", "--header-timeout", "1s", "--body-timeout", "1s",
                    "--idle-timeout", "2s", "--max-body", "64K").start()
    yield server
    server.end()


@pytest.mark.quick
@pytest.mark.parametrize("head, drop", [
    (b"", b"G"), (b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"x"),
    (b"POST /v1/counters/slow/add HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n", b" "),
    (b"POST /v1/counters/slow/add HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n", b"1\r\n \r\n"),
], ids=["a slow request line", "a slow header", "a slow body", "a slow chunked body"])
def test_a_slow_client_is_cut_however_steadily_it_drips(strict, head, drop):
    began, cut = time.monotonic(), False
    raw = Raw(strict)
    raw.send(head.replace(b"{host}", raw.host.encode()))
    while not cut and time.monotonic() - began < 20 * PATIENCE:
        raw.send(drop)
        cut = raw.is_cut(0.2 / PATIENCE)
    assert cut, "it still holds its connection"
    assert time.monotonic() - began >= 0.9, "no client is cut before its time"
    still_serves(strict)


@pytest.mark.quick
def test_no_client_is_cut_before_its_time(strict):
    """Wherever it begins between two beats of the server's clock."""
    began, lived, end = {}, [], time.monotonic() + 20 * PATIENCE
    while len(lived) < 8:
        assert time.monotonic() < end, f"{len(began)} still hold their connection"
        if len(began) + len(lived) < 8:
            at = time.monotonic()
            began[Raw(strict)] = at
        ended = select.select([raw.socket for raw in began], [], [], 0.15)[0]
        lived += [time.monotonic() - began.pop(raw) for raw in list(began) if raw.socket in ended]
    assert min(lived) >= 0.9, lived


@pytest.mark.quick
def test_an_idle_connection_is_closed_in_the_end(strict):
    raw = Raw(strict)
    assert raw.request("GET /livez").reply().status == 200
    assert raw.is_cut()


@pytest.mark.quick
def test_the_header_deadline_starts_with_a_request(start):
    raw = Raw(start("--header-timeout", "1s", "--idle-timeout", "10m"))
    assert raw.request("GET /livez").reply().status == 200
    assert not raw.is_cut(2.5 / PATIENCE)
    assert raw.request("GET /livez").reply().status == 200


@pytest.mark.quick
def test_a_body_that_says_it_is_too_large_is_413_at_once(strict):
    raw = Raw(strict)
    raw.send(f"POST /v1/counters/big/add HTTP/1.1\r\nHost: {raw.host}\r\nContent-Type: application/json\r\n"
             f"Content-Length: {64 * 1024 + 1}\r\n\r\n")
    raw.reply().is_sound().expect(413)
    raw = Raw(strict)
    raw.send(f"POST /v1/counters/big/add HTTP/1.1\r\nHost: {raw.host}\r\nContent-Type: application/json\r\n"
             f"Content-Length: 99999999999999999999\r\n\r\n")
    reply = raw.reply()
    assert reply is None or reply.status in (400, 413)
    still_serves(strict)


@pytest.mark.quick
def test_a_body_that_turns_out_too_large_is_413(strict):
    raw = Raw(strict)
    raw.send(f"POST /v1/counters/big/add HTTP/1.1\r\nHost: {raw.host}\r\nContent-Type: application/json\r\n"
             "Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        raw.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
    raw.send(b"0\r\n\r\n")
    raw.reply().is_sound().expect(413)


@pytest.mark.quick
def test_a_body_just_within_the_limit_is_taken(strict):
    raw = Raw(strict)
    body = b'{"n":1}' + b" " * (64 * 1024 - 7)
    raw.request("POST /v1/counters/fits/add", body, [JSON])
    assert raw.reply().expect(200)["value"] == 1


@pytest.mark.quick
def test_expect_100_continue_is_answered_before_the_body(strict):
    raw = Raw(strict)
    raw.send(f"POST /v1/counters/expect/add HTTP/1.1\r\nHost: {raw.host}\r\nContent-Type: application/json\r\n"
             "Expect: 100-continue\r\nContent-Length: 7\r\n\r\n")
    assert raw.reply("HEAD").status == 100
    raw.send(b'{"n":4}')
    assert raw.reply().expect(200)["value"] == 4
    raw.send(f"POST /v1/counters/expect/add HTTP/1.1\r\nHost: {raw.host}\r\nContent-Type: application/json\r\n"
             "Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n")
    raw.reply().expect(413)


@pytest.mark.quick
def test_a_chunked_body_is_as_good_as_another(server, name):
    raw = Raw(server)
    raw.send(f"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {raw.host}\r\n{JSON}\r\n"
             "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"n\r\n4\r\n\":5}\r\n0\r\n\r\n")
    assert raw.reply().expect(200)["value"] == 5


@pytest.mark.quick
def test_a_body_dripped_in_single_bytes_is_whole_in_the_end(server, name):
    raw = Raw(server)
    whole = (f"POST /v1/counters/{name}/add HTTP/1.1\r\nHost: {raw.host}\r\n{JSON}\r\n"
             'Content-Length: 7\r\n\r\n{"n":6}')
    for one in whole:
        raw.send(one)
    assert raw.reply().expect(200)["value"] == 6


def test_http_1_0_closes_after_its_answer(server):
    raw = Raw(server).send(f"GET /livez HTTP/1.0\r\nHost: {server.host}:{server.port}\r\n\r\n")
    assert raw.reply().status == 200
    assert raw.is_cut()
