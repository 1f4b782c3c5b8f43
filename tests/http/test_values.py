"""Values: what is only passed on keeps its bytes, what is read is read as its type.

SPDX-License-Identifier: MIT
"""

import json

import pytest

from bobbind import program
from wire import Client, Raw

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"

# Each is JSON, and printed anew by a reader of doubles would be another text.
VALUES = [
    b"9007199254740991", b"9007199254740993", b"1.7976931348623157e308", b"0.30000000000000004", b"12345678901234567890",
    b"-0", b"-0.0", b"5.0", b"1E+2", b"1e-400", b"0.1000", b"3.141592653589793238462643383279",
    b"true", b"null", b'""', b'"5"', b'"hello"', b'"{\\"as\\": \\"text\\"}"', b'"null"',
    '"ü€😀"'.encode(), b'"\\u00e9\\/\\ud83d\\ude00\\u001f\\b"', b"[]", b"{ }",
    b'{\t"b" : [ 1.0,\r\n  { "\\u0061":-0 , "a/b":"\\/" } ],\n"a":9007199254740993}',
    b'{"args":{"input":1},"input":[2],"wait":"1s"}', b'"' + b"x" * 50000 + b'"', b"[" + b"1.0, " * 9000 + b"1]",
]
SHOWN = [str(value[:40]) for value in VALUES]


@pytest.fixture(scope="module")
def server_flags(tmp_path_factory):
    """Of a server with a program that writes what it reads."""
    return ["--command", f"echo={program(tmp_path_factory.mktemp('programs') / 'echo', 'exec cat')}"]


@pytest.fixture
def one(client, name):
    client.put(f"/v1/executors/{name}", max_workers=4).expect((200, 201))
    return f"/v1/executors/{name}/tasks"


def post(server, path, body, kind=JSON):
    raw = Raw(server).request(f"POST {path}", body, [kind])
    reply = raw.reply().is_sound("POST")
    raw.close()
    return reply


def member(reply, name):
    """The bytes of a member at the end of a reply's object: no reader of JSON has touched them."""
    return reply.body.partition(b'"' + name + b'":')[2].removesuffix(b"}\n")


def stdout(reply):
    return reply.expect(200)["result"]["stdout"].encode()


def args_of(client, task):
    return member(client.get(f"/v1/tasks/{task}").expect(200), b"args")


@pytest.mark.quick
@pytest.mark.parametrize("value", VALUES, ids=SHOWN)
def test_what_is_passed_on_keeps_its_bytes_in_args(server, client, one, value):
    args = b'{ "name":"echo" ,\n\t"input" : ' + value + b"\r\n}"
    done = post(server, one, b' {"kind":"command", "args" : ' + args + b' , "wait":"20s"} ')
    assert stdout(done) == value
    assert args_of(client, done["id"]) == args


@pytest.mark.quick
@pytest.mark.parametrize("value", VALUES, ids=SHOWN)
def test_and_beside_the_options(server, client, one, value):
    done = post(server, one, b'{"wait":"20s","\\u0069nput" :\t' + value + b'\n, "name":"\\u0065cho", "kind":"command"}')
    assert stdout(done) == value
    assert args_of(client, done["id"]) == b'{"input":' + value + b',"name":"\\u0065cho"}'


@pytest.mark.quick
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_bytes_outlive_a_restart_and_the_task_runs_with_them(start, server_flags, how):
    server = start("--stop-timeout", "300ms", *server_flags)
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    blocker = client.post("/v1/executors/e/tasks", kind="sleep", seconds=600).expect(202)["id"]
    tasks = {}
    for value in VALUES:
        args = b'{"input" :' + value + b' , "name":"echo"}'
        accepted = post(server, "/v1/executors/e/tasks", b'{"kind":"command","args":' + args + b"}").expect(202)
        tasks[accepted["id"]] = args, value
    getattr(server, how)()
    server.start()
    client = Client(server)
    for task, (args, _) in tasks.items():
        assert args_of(client, task) == args
    client.delete(f"/v1/tasks/{blocker}").expect((200, 202, 204))
    for task, (_, value) in tasks.items():
        assert stdout(client.get(f"/v1/tasks/{task}/result", wait="30s")) == value


@pytest.mark.quick
def test_a_second_run_reads_the_same_bytes(start, tmp_path):
    """The first writes what it read into a file and fails; the second is given it again."""
    seen = tmp_path / "seen"
    twice = program(tmp_path / "twice", '[ -e "$1" ] && exec cat\ncat >"$1"\nexit 1')
    client = Client(start("--command", f"twice={twice} {seen}", "--command-write", str(tmp_path)))
    client.put("/v1/executors/e", max_workers=1, retries=3).expect(201)
    value = b'{ "n":1.7976931348623157e308,\n"m" : -0, "t":"\\u00e9\\/" }'
    done = post(client.server, "/v1/executors/e/tasks", b'{"kind":"command","name":"twice","wait":"60s","input": ' + value + b"}")
    assert stdout(done) == value and seen.read_bytes() == value
    assert client.get(f"/v1/tasks/{done['id']}").expect(200)["attempts"] == 2


# a body of POST /v1/run/square or of a submit's arguments               the argument, None: taken
READ = [
    ("square", b'{"n":5}', None), ("square", b'{"n":5.0}', None), ("square", b'{"n":5e0}', None), ("square", b'{"n":50e-1}', None),
    ("square", b'{"n":9.4906265e7}', None), ("square", b'{"n":-0}', None),
    ("square", b'{"n":"5"}', "n"), ("square", b'{"n":5.5}', "n"), ("square", b'{"n":94906266}', "n"), ("square", b'{"n":1e300}', "n"),
    ("square", b'{"n":5.0000000000000000000000001}', "n"), ("square", b'{"n":null}', "n"), ("square", b'{"n":true}', "n"),
    ("square", b'{"n":[5]}', "n"), ("square", b'{"n":1E400}', "range of a double"), ("square", b'{"n":"05"}', "n"),
    ("sleep", b'{"seconds":0}', None), ("sleep", b'{"seconds":1e-3}', None), ("sleep", b'{"seconds":"1ms"}', None),
    ("sleep", b'{"seconds":"soon"}', "seconds"), ("sleep", b'{"seconds":true}', "seconds"), ("sleep", b'{"seconds":-1}', "seconds"),
    ("sleep", b'{"seconds":86401}', "seconds"), ("sleep", b'{"seconds":"-1s"}', "seconds"),
]


@pytest.mark.quick
@pytest.mark.parametrize("kind, args, named", READ, ids=[str(row[1]) for row in READ])
def test_what_is_read_is_read_alike_everywhere(server, client, one, kind, args, named):
    """By a request and by an executor, in args and beside the options; what is taken also runs."""
    calls = [(f"/v1/run/{kind}", b"{" + args[1:]), (f"/v1/run/{kind}", b'{"args":' + args + b"}"),
             (one, b'{"kind":"%s","wait":"20s",' % kind.encode() + args[1:]),
             (one, b'{"kind":"%s","wait":"20s","args":' % kind.encode() + args + b"}")]
    for path, body in calls:
        reply = post(server, path, body)
        if named:
            reply.expect(400).names(named)
        else:
            reply.expect(200)


@pytest.mark.quick
@pytest.mark.parametrize("body, named", [
    (b'{"n":"5"}', "n"), (b'{"n":5.0}', None), (b'{"n":5e0}', None), (b'{"n":9007199254740991.4}', "n"),
    (b'{"n":9007199254740990.6}', "n"), (b'{"n":0.5}', "n"), (b'{"n":9007199254740993}', "n"), (b'{"n":null}', None),
    (b'{"m":null}', "m: unknown"), (b'{"n":1e400}', "range"),
])
def test_the_parameters_of_a_call_are_read_the_same_way(server, name, body, named):
    reply = post(server, f"/v1/counters/{name}/add", body)
    if named:
        reply.expect(400).names(named)
    else:
        reply.expect(200)


@pytest.mark.quick
def test_a_counter_has_each_whole_number_exactly(server, client, name):
    for n in (b"9007199254740991", b"-9007199254740991", b"9007199254740990", b"9.007199254740989e15", b"4503599627370497"):
        post(server, f"/v1/counters/{name}/set", b'{"value":' + n + b"}").expect(200)
        assert client.get(f"/v1/counters/{name}")["value"] == int(float(n)), "each of these a double holds"


# a form's value of input     what the program reads, None: refused
FORMS = [
    ("%7B+%22n%22:1.0+%7D", b'{ "n":1.0 }'), ("5", b"5"), ("-0", b"-0"), ("9007199254740993", b"9007199254740993"),
    ("%225%22", b'"5"'), ("null", b"null"), ("+%0A[1]%09", b"[1]"), ("hello", b'"hello"'), ("", b'""'),
    ("say+%22hi%22", b'"say \\"hi\\""'), ("%C3%A9%0A", '"é\\n"'.encode()), ("05", b'"05"'), ("1,2", b'"1,2"'),
    ("%7B%22n%22:1", None), ("[1,]", None), ("%22open", None), ("1E400", None),
]


@pytest.mark.quick
@pytest.mark.parametrize("given, read", FORMS, ids=[row[0] or "empty" for row in FORMS])
def test_by_form_and_query_what_is_json_is_json_and_the_rest_a_text(server, client, one, given, read):
    asked = f"kind=command&name=echo&wait=20s&input={given}"
    for reply in (post(server, one, asked.encode(), FORM), post(server, f"{one}?{asked}", b"")):
        if read is None:
            reply.expect(400).names("input")
        else:
            assert stdout(reply) == read
            assert args_of(client, reply["id"]) == b'{"name":"echo","input":' + read + b"}"


@pytest.mark.quick
@pytest.mark.parametrize("given, kept", [
    ("kind=square&n=5", b'{"n":5}'), ("kind=square&n=-007", b'{"n":-7}'), ("kind=square&n=5.0", None), ("kind=square&n=1e3", None),
    ("kind=sleep&seconds=0", b'{"seconds":0}'), ("kind=sleep&seconds=0.0010", b'{"seconds":0.0010}'),
    ("kind=sleep&seconds=1ms", b'{"seconds":"1ms"}'), ("kind=command&name=5", None), ("kind=square&n=", None),
    ("kind=square&n=five", None), ("kind=square&n=%225%22", None),
])
def test_by_form_and_query_an_argument_is_read_as_its_type(server, client, one, given, kept):
    for reply in (post(server, one, f"{given}&wait=20s".encode(), FORM), post(server, f"{one}?{given}&wait=20s", b"")):
        if kept is None:
            reply.expect(400)
        else:
            assert args_of(client, reply.expect(200)["id"]) == kept


@pytest.mark.quick
@pytest.mark.parametrize("args", [b'{"name":"echo","input":1E400}', b'{"name":"echo","input":[-1e999]}',
                                  b'{"name":"echo","input":{"a":1,"\\u0061":2}}', b'{"name":"echo","input":01}',
                                  b'{"name":"echo","input":"\\ud800"}', b'{"name":"echo","input":"\xff"}'])
def test_what_others_would_not_read_is_not_passed_on(server, one, args):
    """A number that no double holds, a key twice, a broken text: the next reader would stumble, so nobody may send it."""
    for body in (b'{"kind":"command","args":' + args + b"}", b'{"kind":"command",' + args[1:]):
        assert "JSON" in post(server, one, body).expect(400)["detail"]


@pytest.mark.quick
def test_arguments_have_their_bound_in_the_bytes_as_sent(server, one):
    room = 64 * 1024 - len(b'{"name":"echo","input":""}')
    for more, status in ((0, 200), (1, 413)):
        args = b'{"name":"echo","input":"' + b"x" * (room + more) + b'"}'
        post(server, one, b'{"kind":"command","wait":"20s","args":' + args + b"}").expect(status)
    blanks = b'{"name":"echo","input":' + b" " * room + b'""}'
    post(server, one, b'{"kind":"command","wait":"20s","args":' + blanks + b"}").expect(200)
    post(server, one, b'{"kind":"command","wait":"20s","args":' + blanks.replace(b": ", b":  ") + b"}").expect(413)


def test_a_sentence_about_a_range_has_its_numbers_whole(client):
    kinds = {kind["name"]: kind for kind in json.loads(client.get("/v1/kinds").expect(200).text)["items"]}
    most = {arg["name"]: arg["most"] for arg in kinds["square"]["args"]}
    refused = client.post("/v1/run/square", n=most["n"] + 1).expect(400)
    assert refused["detail"] == f"n: must be -{most['n']} to {most['n']}"
