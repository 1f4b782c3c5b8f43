"""Running it: the command line, the health pages, the metrics, the data folder.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import re
import socket
import sqlite3
import subprocess

import pytest

from bobbind import BINARY, PATIENCE, Server
from wire import Client


def run(*flags, env=None):
    """Runs bobbind with these flags to its end, which must come by itself."""
    kept = {k: v for k, v in Server("/").environment().items()}
    return subprocess.run([BINARY, *flags], env={**kept, **(env or {})}, capture_output=True, text=True,
                          timeout=40 * PATIENCE, stdin=subprocess.DEVNULL)


AGAIN, IN_VAIN = 1, 2  # exit statuses: another start may do, or would say the same


def refuses_to_start(start, folder, *words, flags=(), status=AGAIN):
    server = start(*flags, folder=folder, wait=False)
    assert server.wait() == status, server.log()
    for word in words:
        assert re.search(word, server.log(), re.I), f"nothing of {word!r} in:\n{server.log()}"
    assert not re.search(r"\blistening\b.*url=", server.log())


def metrics(text):
    """Parses the Prometheus text format strictly: {name: {"type", "help", "samples": {labels: value}}}."""
    families = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, what = line[7:].partition(" ")
            assert name not in families and what
            families[name] = {"help": what, "samples": {}}
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert "type" not in families[name] and kind in ("counter", "gauge", "histogram", "summary", "untyped")
            families[name]["type"] = kind
        else:
            found = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (-?[0-9.eE+-]+|\+Inf|NaN)", line)
            assert found, f"not a sample: {line!r}"
            family = re.sub(r"_(bucket|sum|count)$", "", found[1])
            family = family if family in families and families[family]["type"] == "histogram" else found[1]
            samples = families[family]["samples"]
            key = (found[1], found[2] or "")
            assert key not in samples, f"twice: {line}"
            samples[key] = float(found[3])
    return families


@pytest.mark.quick
def test_metrics_are_what_prometheus_reads(client, name):
    client.post(f"/v1/counters/{name}/add").expect(200)
    reply = client.get("/metrics").expect(200)
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = metrics(reply.text)
    for family, one in families.items():
        assert (one["type"] == "counter") == family.endswith("_total"), family
        assert one["samples"], family
    for wanted in ("bobbin_http_requests_total", "bobbin_waiters", "bobbin_journal_commit_seconds",
                   "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
                   "bobbin_build_info"):
        assert wanted in families, wanted
    buckets = [(float(re.search(r'le="([^"]+)"', labels)[1].replace("+Inf", "inf")), value)
               for (sample, labels), value in families["bobbin_journal_commit_seconds"]["samples"].items()
               if sample.endswith("_bucket")]
    assert buckets == sorted(buckets) and buckets[-1][0] == float("inf")
    assert [value for _, value in buckets] == sorted(value for _, value in buckets), "cumulative"
    assert buckets[-1][1] == families["bobbin_journal_commit_seconds"]["samples"][("bobbin_journal_commit_seconds_count", "")]


@pytest.mark.quick
def test_metrics_count(client, name):
    before = metrics(client.get("/metrics").text)
    client.post(f"/v1/counters/{name}/add").expect(200)
    client.get("/nothing").expect(404)
    after = metrics(client.get("/metrics").text)

    def grew(family):
        return after[family]["samples"][(family, "")] - before[family]["samples"][(family, "")]

    assert grew("bobbin_http_requests_total") == 3 and grew("bobbin_http_client_errors_total") == 1
    assert grew("bobbin_journal_changes_total") == 1 and grew("bobbin_journal_commits_total") == 1


@pytest.mark.quick
def test_health_pages(client):
    assert client.get("/livez").expect(200).body
    assert client.get("/readyz").expect(200).body


@pytest.mark.quick
def test_help_names_every_flag_and_its_variable():
    got = run("--help")
    assert got.returncode == 0 and got.stderr == ""
    for flag in ("listen", "data", "www", "http-threads", "request-threads", "task-threads", "durability",
                 "log-level", "access-log", "allow-host", "insecure", "allow-private-fetch", "max-connections",
                 "max-waiters", "max-objects", "max-tasks", "max-body", "header-timeout", "stop-timeout"):
        assert f"--{flag}" in got.stdout, flag
    assert max(len(line) for line in got.stdout.splitlines()) <= 120


@pytest.mark.quick
def test_version():
    got = run("--version")
    assert got.returncode == 0 and re.match(r"bobbind \d+\.\d+\.\d+", got.stdout)


@pytest.mark.parametrize("flags, words", [
    (["--nonsense"], ["nonsense"]), (["--http-threads", "x"], ["http-threads", "x"]), (["--http-threads"], ["http-threads"]),
    (["--http-threads", "-1"], ["http-threads"]), (["--durability", "maybe"], ["durability", "full", "relaxed"]),
    (["--max-body", "5X"], ["max-body"]), (["--header-timeout", "0"], ["header-timeout"]), (["stray"], ["stray"]),
    (["--listen", "nonsense"], ["nonsense"]), (["--listen", "127.0.0.1:99999"], ["99999"]),
    (["--max-waiters", "99999999999999999999"], ["max-waiters"]),
])
def test_a_wrong_flag_is_named(tmp_path, flags, words):
    got = run("--data", str(tmp_path / "store"), *flags)
    assert got.returncode == IN_VAIN
    for word in words:
        assert word in got.stderr, got.stderr
    assert len(got.stderr.splitlines()) <= 6, "an error, not a manual"
    assert not (tmp_path / "store").exists(), "it was found out too late"


@pytest.mark.quick
def test_a_wrong_variable_is_named(tmp_path):
    got = run("--data", str(tmp_path / "store"), env={"BOBBIN_HTTP_THREADS": "many"})
    assert got.returncode == IN_VAIN and "BOBBIN_HTTP_THREADS" in got.stderr


def test_a_variable_is_as_good_as_a_flag_and_a_flag_wins(start):
    server = start(env={"BOBBIN_HTTP_THREADS": "3"})

    def http_threads():
        crowd = [Client(server) for _ in range(9)]
        for one in crowd:
            one.get("/livez").expect(200)
        return sum(thread["role"] == "http" for thread in crowd[0].get("/v1/threads")["items"])

    assert http_threads() == 3
    server.stop()
    server.flags += ["--http-threads", "2"]
    server.start()
    assert http_threads() == 2


def test_off_loopback_it_refuses_to_start_unless_insecure(start, tmp_path):
    refuses_to_start(start, tmp_path / "off", r"0\.0\.0\.0 can be reached .*--insecure",
                     flags=("--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0"), status=IN_VAIN)
    assert not (tmp_path / "off").exists(), "it was found out too late"
    loud = start("--listen", "0.0.0.0:0", "--insecure")
    loud.log_line("warning")


def test_its_threads_do_not_preempt_one_another(start):
    server = start()
    threads = [int(entry.name) for entry in pathlib.Path(f"/proc/{server.pid}/task").iterdir()]
    assert len(threads) > 3 and {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


def test_it_listens_on_several_addresses(start):
    server = start("--listen", "127.0.0.1:0", "--listen", "[::1]:0")
    Client(server).get("/livez").expect(200)
    sixth = int(server.log_line(r"\burl=http://\[::1\]:\d+").rsplit(":", 1)[1])
    with socket.create_connection(("::1", sixth), 5) as raw:
        raw.sendall(f"GET /livez HTTP/1.1\r\nHost: [::1]:{sixth}\r\n\r\n".encode())
        assert b" 200 " in raw.recv(100)


def test_a_port_in_use_is_named(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        refuses_to_start(start, tmp_path / "port", port, "in use", flags=("--listen", f"127.0.0.1:{port}"))
        assert not (tmp_path / "port").exists(), "it was found out too late"


@pytest.mark.quick
def test_a_data_folder_in_use_is_refused(start):
    server = start()
    refuses_to_start(start, server.folder, "in use|another", re.escape(str(server.folder)))
    Client(server).get("/livez").expect(200)


def database(folder):
    """The store's own file."""
    found = [file for file in pathlib.Path(folder).iterdir() if file.is_file() and file.read_bytes()[:15] == b"SQLite format 3"]
    assert len(found) == 1, found
    return found[0]


def test_a_data_folder_of_a_newer_version_is_refused_and_left_as_it_is(start):
    server = start()
    Client(server).post("/v1/counters/c/add").expect(200)
    server.stop()
    file = database(server.folder)
    with sqlite3.connect(file) as store:
        version = store.execute("PRAGMA user_version").fetchone()[0]
        assert version > 0
        store.execute(f"PRAGMA user_version = {version + 1}")
    store.close()
    refuses_to_start(start, server.folder, "newer", status=IN_VAIN)
    with sqlite3.connect(file) as store:
        assert store.execute("PRAGMA user_version").fetchone()[0] == version + 1
        store.execute(f"PRAGMA user_version = {version}")
    store.close()
    server.start()
    assert Client(server).get("/v1/counters/c").expect(200)["value"] == 1


def test_a_data_folder_of_another_program_is_refused(start, tmp_path):
    server = start()
    server.stop()
    name = database(server.folder).name
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    store = sqlite3.connect(foreign / name)
    store.execute("CREATE TABLE theirs(x)")
    store.execute("PRAGMA application_id = 1234567")
    store.commit()
    store.close()
    refuses_to_start(start, foreign, "not|another|other", status=IN_VAIN)
    with sqlite3.connect(foreign / name) as store:
        assert [row[0] for row in store.execute("SELECT name FROM sqlite_master")] == ["theirs"], "untouched"
    store.close()


@pytest.mark.parametrize("harm", ["header", "middle", "empty"])
def test_a_damaged_store_is_refused(start, harm):
    server = start()
    client = Client(server)
    for n in range(300):
        client.post(f"/v1/counters/some-name-to-fill-the-pages-{n}/add").expect(200)
    server.stop()
    file = database(server.folder)
    data = bytearray(file.read_bytes())
    if harm == "header":
        data[:100] = b"x" * 100
    elif harm == "middle":
        assert len(data) > 3 * 4096
        data[4096:-4096] = b"\xa5" * (len(data) - 8192)
    else:
        data = bytearray(b"this was a database")
    file.write_bytes(data)
    refuses_to_start(start, server.folder, "damaged|corrupt|malformed|not a database|not one of", status=IN_VAIN)


def test_a_data_folder_that_cannot_be_made_is_named(start, tmp_path):
    (tmp_path / "file").write_text("in the way")
    refuses_to_start(start, tmp_path / "file" / "store", "file/store|not a directory")
    refuses_to_start(start, "/proc/nowhere", "/proc/nowhere")


def test_the_data_folder_is_ours_alone(start):
    server = start()
    Client(server).post("/v1/counters/c/add").expect(200)
    assert server.folder.stat().st_mode & 0o077 == 0
    for file in server.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0 or file.is_dir(), file


@pytest.mark.quick
def test_log_lines_are_one_event_each(start):
    server = start("--log-level", "debug", "--access-log")
    client = Client(server)
    client.get("/livez").expect(200)
    client.form("/v1/locks/log/acquire", {"owner": "evil\nerror   forged key=value"})
    server.stop()
    for line in [line for line in server.lines if line]:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) +\S+", line), line
        assert not line.startswith("error   forged")
    assert any("/livez" in line for line in server.lines), "the access log names the path"


def test_without_the_access_log_requests_leave_no_line(start):
    server = start()
    client = Client(server)
    for _ in range(50):
        client.get("/livez").expect(200)
        client.get("/nothing").expect(404)
    assert not any("livez" in line for line in server.lines)


@pytest.mark.quick
def test_relaxed_durability_works_too(start):
    server = start("--durability", "relaxed")
    client = Client(server)
    for n in range(1, 101):
        assert client.post("/v1/counters/c/add").expect(200)["value"] == n
    server.stop()
    server.start()
    assert Client(server).get("/v1/counters/c").expect(200)["value"] == 100


@pytest.mark.quick
def test_a_variable_that_is_no_setting_is_named_in_the_log(start):
    server = start(env={"BOBBIN_MAX_BODDY": "1", "BOBBIN_URL": "http://localhost:7070", "BOBBIN_MAX_TASKS": "7"})
    server.log_line("warn.* unknown_variable name=BOBBIN_MAX_BODDY nearest=BOBBIN_MAX_BODY$")
    server.log_line("unknown_variable name=BOBBIN_URL nearest=none$")
    assert "BOBBIN_MAX_TASKS" not in server.log()
