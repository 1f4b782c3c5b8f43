"""The kind command: programs of --command, each in a process and a folder of its own, and never more than they were given.

SPDX-License-Identifier: MIT
"""

import json
import os
import pathlib
import resource
import signal
import time

import pytest

from bobbind import at_best, program, until
from wire import Client

SCRIPTS = {
    "echo": "cat",
    "say": 'echo "$# $*"; echo "$BOBBIN_TASK $PATH"; pwd; echo "$HOME $TMPDIR"; cat',
    "fail": 'echo first >&2; printf "last: \\303\\274\\n\\n" >&2; exit 3',
    "grumble": "cat >&2; exit 1",
    "die": "kill -SEGV $$",
    "flood": "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero >&2",
    "bytes": "printf 'a\\377b\\000c\\001'",
    "litter": "mkdir -p a/b/c; touch a/b/c/d .hidden; ln -s / root; chmod 500 a/b; ls -A",
    "deep": 'i=0; while [ $i -lt 300 ]; do mkdir -p z d; cd d; i=$((i+1)); done; chmod 0 . ../..; echo $i',
    "sleep": 'echo $$ >"$1"; exec sleep 1000',
    "family": '(trap "" TERM; sleep 1000) & echo $! >"$1"; sleep 1000',
    "deaf": 'trap "" TERM; echo $$ >"$1"; while :; do sleep 1000; done',
    "big": "exec head -c 100000000 /dev/zero | tail -c 100000000 | wc -c",
    "limits": "ulimit -v; ulimit -c; cat /proc/self/oom_score_adj",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The flags that allow all of SCRIPTS, and the folder where those that run say who they are."""
    folder = tmp_path_factory.mktemp("programs")
    flags = ["--command-write", str(folder)]
    for name, script in SCRIPTS.items():
        path = program(folder / name, script)
        flags += ["--command", f"{name}={path} {folder / name}.pid two  three"]
    flags += ["--command", "missing=/no/such/program"]
    return folder, flags


@pytest.fixture(scope="module")
def server_flags(programs):
    return programs[1]


@pytest.fixture
def one(client, name):
    client.put(f"/v1/executors/{name}", max_workers=4).expect((200, 201))
    return f"/v1/executors/{name}/tasks"


def run(client, one, command, **more):
    return client.post(one, kind="command", name=command, wait="20s", **more)


def pid_of(programs, command):
    path = programs[0] / f"{command}.pid"
    pid = until(lambda: path.exists() and path.read_text().strip(), f"{command} says who it is")
    path.unlink()
    return int(pid)


def gone(pid):
    """No process, or one that only waits to be reaped."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def peak_bytes(server):
    """What the kernel counts as the most memory that it has used."""
    with open(f"/proc/{server.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def scratch_is_empty(server):
    return not os.listdir(server.folder / "scratch")


@pytest.mark.quick
def test_success_is_what_it_wrote(server, client, one):
    done = run(client, one, "say", input={"width": 10, "text": "ü"}).expect(200)
    result = done["result"]
    assert result["exit_status"] == 0 and result["stderr"] == ""
    words, told, folder, own, given = result["stdout"].split("\n", 4)
    assert words.startswith("3 /") and words.endswith(".pid two three"), "its arguments, split at spaces"
    assert told == f"{done['id']} /usr/local/bin:/usr/bin:/bin"
    assert folder == str((server.folder / "scratch" / done["id"]).resolve()) and own == f"{folder} {folder}"
    assert json.loads(given) == {"width": 10, "text": "ü"}
    assert result["stdout_truncated"] is False and result["stderr_truncated"] is False
    assert result["seconds"] > 0 and result["cpu_seconds"] > 0
    assert scratch_is_empty(server)


@pytest.mark.quick
@pytest.mark.parametrize("given", [[1, "two", None], {"a": {"b": []}}, 7, False, {"big": "x" * 50000}])
def test_input_reaches_standard_input_as_json(client, one, given):
    assert run(client, one, "echo", input=given).expect(200)["result"]["stdout"] == json.dumps(given)


@pytest.mark.quick
def test_without_input_there_is_none(client, one):
    assert run(client, one, "echo").expect(200)["result"]["stdout"] == ""
    nested = client.post(one, kind="command", args={"name": "echo", "input": [1]}, wait="20s").expect(200)
    assert nested["result"]["stdout"] == "[1]"


@pytest.mark.quick
def test_its_peak_of_memory_is_its_own_or_not_known(server, client, one):
    """exec counts what the server once used as the program's, if that is more; and what we used as the server's."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if max(peak_bytes(server), ours) < 90_000_000:
        assert run(client, one, "big").expect(200)["result"]["max_rss_bytes"] >= 100_000_000
    assert run(client, one, "echo").expect(200)["result"]["max_rss_bytes"] is None


@pytest.mark.quick
def test_failure_is_data_with_its_last_words(server, client, one):
    failed = run(client, one, "fail").expect(422)
    assert "code=command_failed" in server.log_line(f"task_failed task={failed['id']} ")
    assert failed["error"]["code"] == "command_failed"
    assert failed["error"]["message"] == "exit status 3: first last: ü"


@pytest.mark.quick
@pytest.mark.parametrize("pad", ["", "a", "bb", "ccc"])
def test_of_a_long_complaint_both_ends_are_told(client, one, pad):
    """Cut between characters, wherever they fall."""
    complaint = f'["the cause", "{pad}{"ü€😀" * 100}", "the verdict{pad}"]'
    failed = client("POST", one, f'{{"kind":"command","name":"grumble","wait":"20s","input":{complaint}}}',
                    {"Content-Type": "application/json"}).expect(422)
    message = failed["error"]["message"]
    assert message.startswith('exit status 1: ["the cause", "' + pad + "ü€😀")
    assert message.endswith('ü€😀", "the verdict' + pad + '"]') and message.count(" ... ") == 1
    assert "?" not in message and 160 <= len(message.encode()) <= 200
    died = run(client, one, "die").expect(422)
    assert died["error"]["code"] == "command_killed" and "SIGSEGV" in died["error"]["message"]
    missing = run(client, one, "missing").expect(422)
    assert missing["error"]["code"] == "command_not_started"
    assert missing["error"]["message"] == "/no/such/program: cannot be run: No such file or directory"


def test_a_program_that_is_not_there_is_told_at_the_start(server):
    told = server.log_line(r"warning command_missing ")
    assert told.endswith('name=missing program=/no/such/program why="No such file or directory"')
    assert server.log().count("command_missing") == 1


@pytest.mark.quick
def test_an_unknown_name_is_refused_with_those_that_exist(client, one):
    refused = client.post(one, kind="command", name="rm").expect(400)
    refused.names("name", "must be one of", "echo", "missing")
    client.post(one, kind="command").expect(400).names("name")
    client.post(one, kind="command", name="echo", argument="-x").expect(400).names("argument")
    client.post("/v1/run/command", name="echo").expect(400).names("executor")


@pytest.mark.quick
def test_output_is_cut_and_flagged(client, one):
    result = run(client, one, "flood").expect(200)["result"]
    assert set(result["stdout"]) == {"x"} and 10000 <= len(result["stdout"]) <= 65536 and result["stdout_truncated"]
    assert set(result["stderr"]) == {"\0"} and 10000 <= len(result["stderr"]) <= 65536 and result["stderr_truncated"]


@pytest.mark.quick
def test_output_that_is_no_text_becomes_text(client, one):
    assert run(client, one, "bytes").expect(200)["result"]["stdout"] == "a\ufffdb\0c\x01"


@pytest.mark.quick
def test_what_it_leaves_in_its_folder_goes(server, client, one):
    left = run(client, one, "litter").expect(200)["result"]
    assert left["stdout"].split() == [".hidden", "a", "root"]
    assert scratch_is_empty(server)


@pytest.mark.quick
def test_a_tree_of_any_depth_goes(server, client, one):
    assert run(client, one, "deep").expect(200)["result"]["stdout"] == "300\n"
    assert scratch_is_empty(server)


@pytest.mark.quick
def test_a_start_removes_what_a_crash_left_but_nothing_behind_a_link(start, programs, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kept").write_text("not ours")
    server = start(*programs[1])
    server.stop()
    scratch = server.folder / "scratch"
    os.makedirs(scratch / "t7" / "/".join(["d"] * 300))
    (scratch / "t7" / "out").symlink_to(outside)
    (scratch / "t8").symlink_to(outside)
    os.makedirs(scratch / "moved.0" / "inside")
    server.start()
    assert scratch_is_empty(server)
    assert os.listdir(outside) == ["kept"]


@pytest.mark.quick
def test_limits_are_set(start, programs):
    for flags, memory in (([], str(4 * 1024 * 1024)), (["--command-memory", "1G"], str(1024 * 1024)),
                          (["--command-memory", "0"], "unlimited")):
        client = Client(start(*programs[1], *flags))
        client.put("/v1/executors/e", max_workers=1).expect(201)
        assert run(client, "/v1/executors/e/tasks", "limits").expect(200)["result"]["stdout"] == f"{memory}\n0\n1000\n"


@pytest.mark.quick
def test_it_is_ended_when_its_time_is_over(server, client, one, programs):
    for seconds in (0.5, 2.5, 12.5):  # on a busy machine its time may be over before it says who it is
        failed = run(client, one, "sleep", timeout=seconds).expect(422)
        assert failed["error"]["code"] == "timeout" and str(seconds) in failed["error"]["message"]
        if (programs[0] / "sleep.pid").exists():
            break
    assert gone(pid_of(programs, "sleep")) and scratch_is_empty(server)


@pytest.mark.quick
def test_cancel_ends_it_with_its_family(server, client, one, programs):
    def took():
        task = client.post(one, kind="command", name="family").expect(202)["id"]
        child = pid_of(programs, "family")
        began = time.monotonic()
        client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
        client.get(f"/v1/tasks/{task}/result", wait="20s").expect(409)
        seconds = time.monotonic() - began
        until(lambda: gone(child), "the child that hears no SIGTERM is gone too")
        assert scratch_is_empty(server)
        return seconds

    at_best(took, 1.5)  # woken, not waited for


@pytest.mark.quick
def test_one_that_is_deaf_is_killed_after_its_grace(client, one, programs):
    task = client.post(one, kind="command", name="deaf").expect(202)["id"]
    pid = pid_of(programs, "deaf")
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    client.get(f"/v1/tasks/{task}/result", wait="20s").expect(409)
    assert gone(pid)


@pytest.mark.quick
def test_a_stop_ends_it_and_the_next_start_runs_it_again(start, programs):
    server = start("--stop-timeout", "300ms", *programs[1])
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="command", name="sleep").expect(202)["id"]
    first = pid_of(programs, "sleep")
    server.stop()
    assert gone(first)
    server.start()
    second = pid_of(programs, "sleep")
    client = Client(server)
    shown = client.get(f"/v1/tasks/{task}").expect(200)
    assert second != first and shown["state"] == "running" and shown["attempts"] == 2
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))


@pytest.mark.quick
def test_kill_9_leaves_no_program_running_and_it_runs_again(start, programs):
    server = start(*programs[1])
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="command", name="sleep").expect(202)["id"]
    first = pid_of(programs, "sleep")
    (server.folder / "scratch" / task / "left").write_text("by the first attempt")
    server.kill()
    until(lambda: gone(first), "the kernel ends it with the server")
    server.start()
    second = pid_of(programs, "sleep")
    client = Client(server)
    assert client.get(f"/v1/tasks/{task}").expect(200)["attempts"] == 2
    assert os.listdir(server.folder / "scratch" / task) == [], "what the first left is gone"
    os.kill(second, signal.SIGKILL)
    failed = client.get(f"/v1/tasks/{task}/result", wait="20s").expect(422)
    assert failed["error"]["code"] == "command_killed" and failed["error"]["attempts"] == 2


@pytest.mark.quick
def test_the_start_after_a_crash_ends_the_children_first(start, programs):
    server = start(*programs[1])
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    task = client.post("/v1/executors/e/tasks", kind="command", name="family").expect(202)["id"]
    first = pid_of(programs, "family")
    server.kill()
    assert not gone(first), "the kernel ends the program only"
    server.start()
    until(lambda: gone(first), "the start has ended it")
    assert f"pid={first}" in server.log_line("orphan_killed")
    second = pid_of(programs, "family")
    Client(server).delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    until(lambda: gone(second), "and this one with its group")


@pytest.mark.quick
def test_without_commands_there_is_no_such_kind(start, programs):
    server = start("--stop-timeout", "300ms", *programs[1])
    client = Client(server)
    kinds = {kind["name"]: kind for kind in client.get("/v1/kinds").expect(200)["items"]}
    assert [(a["name"], a["type"], a["required"]) for a in kinds["command"]["args"]] == \
        [("name", "text", True), ("input", "json", False)]
    client.put("/v1/executors/e", max_workers=1).expect(201)
    blocker = client.post("/v1/executors/e/tasks", kind="sleep", seconds=600).expect(202)["id"]
    late = client.post("/v1/executors/e/tasks", kind="command", name="echo").expect(202)["id"]
    server.stop()
    server.flags = []
    server.start()
    client = Client(server)
    assert "command" not in {kind["name"] for kind in client.get("/v1/kinds").expect(200)["items"]}
    refused = client.post("/v1/executors/e/tasks", kind="command", name="echo").expect((400, 404))
    refused.names("command", "sleep", "square")
    client.delete(f"/v1/tasks/{blocker}").expect((200, 202, 204))
    failed = client.get(f"/v1/tasks/{late}/result", wait="20s").expect(422)
    assert failed["error"]["code"] == "unknown_kind"


@pytest.mark.quick
def test_the_environment_may_hold_several(start, programs):
    server = start(env={"BOBBIN_COMMAND": f"one=/bin/echo a b , two={programs[0]}/echo"})
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect(201)
    assert run(client, "/v1/executors/e/tasks", "one").expect(200)["result"]["stdout"] == "a b\n"
    assert run(client, "/v1/executors/e/tasks", "two", input=2).expect(200)["result"]["stdout"] == "2"


@pytest.mark.quick
@pytest.mark.parametrize("flags, words", [
    (["x=relative"], "NAME=/PROGRAM"), (["/bin/true"], "NAME=/PROGRAM"), (["a b=/bin/true"], "NAME=/PROGRAM"),
    (["=/bin/true"], "NAME=/PROGRAM"), (["x=/bin/true", "x=/bin/false"], "twice"),
])
def test_a_malformed_command_is_named_at_the_start(start, flags, words):
    server = start(*[part for flag in flags for part in ("--command", flag)], wait=False)
    assert server.wait() != 0
    assert "command" in server.log() and words in server.log()


def children(pid, thread):
    """Of one thread; none of one that is gone, or where the kernel does not say."""
    try:
        return pathlib.Path(f"/proc/{pid}/task/{thread}/children").read_text().strip()
    except OSError:
        return ""


@pytest.mark.quick
def test_many_at_once_leave_nothing_behind(server, client, one):
    fds = len(os.listdir(f"/proc/{server.pid}/fd"))
    tasks = [client.post(one, kind="command", name="echo", input=n).expect(202)["id"] for n in range(60)]
    for n, task in enumerate(tasks):
        assert client.get(f"/v1/tasks/{task}/result", wait="20s").expect(200)["result"]["stdout"] == str(n)
    until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= fds + 2, "its descriptors are closed")
    assert all(children(server.pid, thread) == "" for thread in server.native_threads())
    assert scratch_is_empty(server)
