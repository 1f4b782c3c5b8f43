"""The tutorial's first scene: several files are downloaded at once, and never more than the pool has hands.

SPDX-License-Identifier: MIT
"""

import email.utils
import socket
import threading
import time

import pytest

from bobbind import PATIENCE, at_best, until
from file_server import FileServer
from wire import Client

pytestmark = pytest.mark.needs("libcurl")

EIGHT = ["made/1mb.bin", "made/5mb.bin", "made/20mb.bin", "made/50mb.bin", "slow/3mb.bin",
         "common-licenses/GPL-3", "common-licenses/Apache-2.0", "common-licenses/BSD"]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "files").mkdir()
    served = FileServer(tmp_path / "files", sizes_mb=(1, 3, 5, 20, 50))
    yield served
    served.end()


@pytest.fixture
def server(start):
    return start("--allow-private-fetch")


@pytest.fixture
def dead_url():
    """A host that is there, and a port where nobody listens, nor can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/nobody"


def submit(client, url, executor="downloads"):
    accepted = client.form(f"/v1/executors/{executor}/tasks", {"kind": "download", "url": url}).expect(202)
    assert accepted.headers["Location"] == f"/v1/tasks/{accepted['id']}"
    return accepted["id"]


def check_file(server, files, result, name):
    assert result["sha256"] == files.sha256(name) and result["bytes"] == files.size(name)
    assert result["status"] == 200
    stored = server.folder / "files" / result["path"].removeprefix("files/")
    assert stored.read_bytes() == files.files[name].read_bytes(), "the file on disk is what the hash says"


@pytest.mark.slow
@pytest.mark.limit(90)
def test_eight_downloads_at_once_with_four_hands(server, client, files):
    client.put("/v1/executors/downloads", max_workers=4).expect(201)
    most = [0]
    over = threading.Event()

    def watch():
        eyes = Client(server)
        while not over.wait(0.01):
            running = eyes.get("/v1/executors/downloads").expect(200)["running"]
            most[0] = max(most[0], running)
        eyes.close()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    tasks = [(submit(client, f"{files.url}/{path}"), path) for path in EIGHT]
    for task, path in tasks:
        done = client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)
        assert done["state"] == "succeeded"
        check_file(server, files, done["result"], path.rpartition("/")[2])
    over.set()
    watcher.join(20 * PATIENCE)
    assert most[0] <= 4, f"{most[0]} ran at a time"
    assert 2 <= files.most <= 4, f"the file server saw {files.most} at a time"
    leftover = [file.name for file in (server.folder / "files").rglob("*") if file.is_file()]
    assert len(leftover) == 8, f"only the eight files, no parts: {leftover}"


@pytest.mark.quick
@pytest.mark.limit(60)
def test_the_wall_time_is_that_of_the_pool_and_not_of_the_sum(server, client, files):
    """Eight that take a second each: two rounds of four, where one after the other would be eight seconds."""
    client.put("/v1/executors/downloads", max_workers=4).expect(201)
    tasks = [submit(client, f"{files.url}/held/1mb.bin?n={n}") for n in range(8)]
    until(lambda: client.get("/v1/executors/downloads")["running"] == 4, "four run")
    shown = client.get("/v1/executors/downloads")
    assert shown["running"] == 4 and shown["ready"] == 4, "four run and four wait"
    until(lambda: sum(t.get("task") in tasks for t in client.get("/v1/threads").expect(200)["items"]) == 4,
          "/v1/threads shows the four hands at work")
    until(lambda: files.most == 4, "the file server sees them")
    files.hurry.set()
    for task in tasks:
        client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)

    def took():
        began = time.monotonic()
        for task in [submit(client, f"{files.url}/delay/1/1mb.bin?n={n}") for n in range(8)]:
            client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)
        wall = time.monotonic() - began
        assert wall >= 2
        return wall

    at_best(took, 6)
    assert files.most == 4


@pytest.mark.quick
@pytest.mark.limit(60)
def test_failures_are_data_and_hurt_nobody_else(server, client, files, dead_url):
    client.put("/v1/executors/downloads", max_workers=4).expect(201)
    good = [submit(client, f"{files.url}/made/{mb}mb.bin") for mb in (1, 3, 5)]
    missing = submit(client, f"{files.url}/made/no-such-file")
    dead = submit(client, dead_url)
    short = submit(client, f"{files.url}/truncated/5mb.bin")
    good.append(submit(client, f"{files.url}/made/20mb.bin"))
    for task in good:
        client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)
    for task in (missing, dead, short):
        failed = client.get(f"/v1/tasks/{task}/result", wait="60s").expect(422)
        assert failed["error"]["code"] and failed["error"]["message"], failed
        assert failed["error"]["attempts"] >= 1
        shown = client.get(f"/v1/tasks/{task}").expect(200)
        assert shown["state"] == "failed" and shown["finished_at"]
    assert "404" in client.get(f"/v1/tasks/{missing}/result").body.decode()
    stored = [file for file in (server.folder / "files").rglob("*") if file.is_file()]
    assert len(stored) == 4, "nothing is left of the failed ones"
    counts = client.get("/v1/executors/downloads").expect(200)
    assert counts["running"] == 0 and counts["ready"] == 0
    client.get(f"/v1/tasks/{submit(client, files.url + '/made/1mb.bin')}/result", wait="30s").expect(200)


@pytest.mark.limit(60)
def test_progress_is_seen_in_bytes_while_it_runs(server, client, files):
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    files.slow_seconds = 20
    task = submit(client, f"{files.url}/slow/5mb.bin")
    seen = []

    def moved():
        shown = client.get(f"/v1/tasks/{task}").expect(200)
        progress = shown["progress"]
        if shown["state"] == "running" and progress and progress["done"]:
            assert progress["unit"] == "bytes" and progress["total"] == files.size("5mb.bin")
            assert 0 <= progress["done"] <= progress["total"]
            seen.append(progress["done"])
        return len(set(seen)) >= 3

    until(moved, "progress moves", 40)
    assert seen == sorted(seen)
    files.hurry.set()
    client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)
    final = client.get(f"/v1/tasks/{task}")["progress"]
    assert final["done"] == final["total"] == files.size("5mb.bin")


STATUSES = [(408, True), (425, True), (429, True), (503, True), (404, False), (501, False), (505, False)]


@pytest.mark.quick
@pytest.mark.parametrize("status,may_pass", STATUSES)
def test_a_status_that_may_pass_is_tried_again(server, client, files, status, may_pass):
    client.put("/v1/executors/downloads", retries=1).expect(201)
    files.script = [(status, {})]
    task = submit(client, f"{files.url}/script/1mb.bin")
    reply = client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200 if may_pass else 422)
    assert may_pass or reply["error"]["code"] == f"http_{status}"
    assert client.get(f"/v1/tasks/{task}")["failures"] == 1


@pytest.mark.limit(60)
@pytest.mark.parametrize("status,says", [(429, "4"), (503, "date")])
def test_a_server_that_says_when_is_not_asked_sooner(server, client, files, status, says):
    client.put("/v1/executors/downloads", retries=1).expect(201)
    at = int(time.time()) + 5
    files.script = [(status, {"Retry-After": email.utils.formatdate(at, usegmt=True) if says == "date" else says})]
    task = submit(client, f"{files.url}/script/1mb.bin")
    client.get(f"/v1/tasks/{task}/result", wait="60s").expect(200)
    first, second = files.asked_at
    assert second >= (at if says == "date" else first + float(says))


def test_redirects_are_followed(server, client, files):
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    task = submit(client, f"{files.url}/redirect/made/1mb.bin")
    result = client.get(f"/v1/tasks/{task}/result", wait="30s").expect(200)["result"]
    check_file(server, files, result, "1mb.bin")
    assert result["url"].endswith("/made/1mb.bin") or result["url"].endswith("/redirect/made/1mb.bin")


@pytest.mark.quick
def test_a_gate_that_sets_a_cookie_and_sends_back_is_passed_each_time_anew(server, client, files):
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    for turn in range(1, 3):  # on one thread
        task = submit(client, f"{files.url}/gate/1mb.bin")
        check_file(server, files, client.get(f"/v1/tasks/{task}/result", wait="30s").expect(200)["result"], "1mb.bin")
        assert len(files.asked_at) == 2 * turn, "no cookie of the task before"


@pytest.mark.quick
@pytest.mark.parametrize("redirects,most,good", [(20, None, True), (21, None, False), (1, 1, True), (1, 0, False)])
def test_as_many_redirects_are_followed_as_it_was_told(server, client, files, redirects, most, good):
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    more = {} if most is None else {"max_redirects": most}
    task = client.post("/v1/executors/downloads/tasks", kind="download",
                       url=f"{files.url}{'/redirect' * redirects}/made/1mb.bin", **more).expect(202)["id"]
    reply = client.get(f"/v1/tasks/{task}/result", wait="30s").expect(200 if good else 422)
    assert good or reply["error"]["code"] == "too_many_redirects"
    client.post("/v1/executors/downloads/tasks", kind="download", url=files.url, max_redirects=101).expect(400)


@pytest.mark.quick
def test_a_running_download_can_be_cancelled_and_leaves_no_file(server, client, files):
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    files.slow_seconds = 100
    task = submit(client, f"{files.url}/slow/20mb.bin")
    until(lambda: (client.get(f"/v1/tasks/{task}")["progress"] or {}).get("done"), "some bytes came")
    client.delete(f"/v1/tasks/{task}").expect((200, 202, 204))
    client.get(f"/v1/tasks/{task}/result", wait="20s").expect(409)
    assert client.get(f"/v1/tasks/{task}")["state"] == "cancelled"
    assert [f for f in (server.folder / "files").rglob("*") if f.is_file()] == []


def test_two_downloads_of_one_name_do_not_overwrite_each_other(server, client, files):
    client.put("/v1/executors/downloads", max_workers=4).expect(201)
    tasks = [submit(client, f"{files.url}/{path}/5mb.bin") for path in ("made", "delay/0.2", "made", "delay/0.1")]
    paths = [client.get(f"/v1/tasks/{t}/result", wait="30s").expect(200)["result"]["path"] for t in tasks]
    assert len(set(paths)) == 4, paths


def test_a_size_cap_ends_it(start, files):
    server = start("--allow-private-fetch", "--max-download", "2M")
    client = Client(server)
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    client.get(f"/v1/tasks/{submit(client, files.url + '/made/1mb.bin')}/result", wait="20s").expect(200)
    failed = client.get(f"/v1/tasks/{submit(client, files.url + '/made/3mb.bin')}/result", wait="20s").expect(422)
    assert failed["error"]["code"], failed
    assert len([f for f in (server.folder / "files").rglob("*") if f.is_file()]) == 1


def test_a_timeout_ends_it(server, client, files):
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    began = time.monotonic()
    task = client.post("/v1/executors/downloads/tasks", kind="download", timeout="500ms",
                       url=f"{files.url}/delay/600/1mb.bin").expect(202)["id"]
    failed = client.get(f"/v1/tasks/{task}/result", wait="20s").expect(422)
    assert time.monotonic() - began >= 0.5 and "time" in failed["error"]["code"] + failed["error"]["message"]


PRIVATE = ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "0.0.0.0:{port}", "2130706433:{port}",
           "0x7f.1:{port}", "[::ffff:127.0.0.1]:{port}", "169.254.169.254", "10.0.0.1", "192.168.0.1"]


@pytest.mark.quick
@pytest.mark.limit(60)
def test_private_addresses_are_refused_unless_allowed(start, files):
    client = Client(start())
    client.put("/v1/executors/downloads", max_workers=1).expect(201)
    for host in PRIVATE:
        url = "http://" + host.format(port=files.url.rpartition(":")[2]) + "/made/1mb.bin"
        answer = client.post("/v1/executors/downloads/tasks", kind="download", url=url)
        if answer.status == 202:  # refused where it connects
            answer = client.get(f"/v1/tasks/{answer['id']}/result", wait="20s").expect(422)
            assert "address" in answer["error"]["message"] or "private" in answer["error"]["message"], answer
        else:
            answer.expect((400, 422))
        assert files.most == 0, url


@pytest.mark.quick
@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x", "no url", "",
                                 "http://", "http://a b/"])
def test_other_schemes_and_broken_urls_are_refused(server, client, url):
    client.put("/v1/executors/downloads", max_workers=1).expect((200, 201))
    answer = client.post("/v1/executors/downloads/tasks", kind="download", url=url)
    if answer.status == 202:
        client.get(f"/v1/tasks/{answer['id']}/result", wait="20s").expect(422)
    else:
        answer.expect(400).names("url")
