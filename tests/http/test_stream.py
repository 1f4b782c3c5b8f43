"""The event stream of the dashboard: GET /v1/stream?mode=latest.

SPDX-License-Identifier: MIT
"""

import json
import re
import time

import pytest

from bobbind import PATIENCE, at_best, until
from event_stream import Stream
from wire import Client, Raw


@pytest.fixture
def stream(server):
    made = Stream(server)
    yield made
    made.leave()


def connections(client):
    text = client.get("/metrics").expect(200).text
    return int(re.search(r"^bobbin_http_connections (\d+)$", text, re.M)[1])


@pytest.mark.quick
@pytest.mark.parametrize("blank", ["\n", "\r\n", "\r", "\n\n", "\r\r\n \n"])
def test_arguments_that_were_sent_in_lines_do_not_break_its_own(client, stream, name, blank):
    client.put(f"/v1/executors/{name}", max_workers=1).expect(201)
    task = client("POST", f"/v1/executors/{name}/tasks", f'{{"kind":"square","args":{{{blank}"n"{blank}:12}}}}',
                  {"Content-Type": "application/json"}).expect(202)["id"]
    until(lambda: any(data.get("args") == {"n": 12} for _, _, data in stream.tells_of(task)), "the stream tells them")


@pytest.mark.quick
def test_a_change_is_told_within_a_moment(client, stream, name):
    value = 4711

    def took():
        nonlocal value
        value += 1
        began = time.monotonic()
        client.post(f"/v1/counters/{name}/set", value=value).expect(200)
        until(lambda: any(f"{value}" in json.dumps(data) for _, _, data in stream.tells_of(name)), "the stream tells it")
        return time.monotonic() - began

    at_best(took, 1.5)


@pytest.mark.quick
def test_what_is_there_already_is_told_first(server, client, name):
    client.post(f"/v1/counters/{name}/set", value=4712).expect(200)
    client.post(f"/v1/locks/{name}/acquire", owner="ana-of-the-stream").expect(200)
    late = Stream(server)
    until(lambda: "4712" in json.dumps([d for _, _, d in late.tells_of(name)]), "the counter")
    until(lambda: "ana-of-the-stream" in json.dumps([d for _, _, d in late.tells_of(name)]), "the lock")
    late.leave()


@pytest.mark.quick
def test_at_most_four_frames_a_second_and_the_last_value_is_never_dropped(client, stream, name):
    began, last = time.monotonic(), 0

    def add():
        nonlocal last
        last = client.post(f"/v1/counters/{name}/add").expect(200)["value"]
        return time.monotonic() - began >= 2 and len(stream.tells_of(name)) >= 3

    while not add():
        assert time.monotonic() - began < 20 * PATIENCE, "three frames in two seconds"
    until(lambda: any(re.search(rf"\b{last}\b", json.dumps(d)) for _, _, d in stream.tells_of(name)), "the last value")
    frames, seconds = len(stream.tells_of(name)), time.monotonic() - began
    assert frames <= 4 * seconds + 2 and frames < last, f"{frames} frames in {seconds} s, of {last} changes"


@pytest.mark.quick
def test_every_object_of_a_burst_is_told(client, stream, name):
    for n in range(300):
        client.post(f"/v1/counters/{name}-{n}/set", value=n).expect(200)

    def all_told():
        told = json.dumps([data for _, _, data in list(stream.events)])
        return all(f'"{name}-{n}"' in told for n in range(300))

    until(all_told, "all of them")


@pytest.mark.quick
def test_one_that_is_gone_is_told_too(client, stream, name):
    client.post(f"/v1/counters/{name}/add").expect(200)
    until(lambda: stream.tells_of(name), "it is told")
    seen = len(stream.tells_of(name))
    client.delete(f"/v1/counters/{name}").expect((200, 204))
    until(lambda: len(stream.tells_of(name)) > seen, "its end is told")


@pytest.mark.quick
def test_tasks_and_lines_are_told(server, client, stream, waiting, name):
    client.put(f"/v1/executors/{name}", max_workers=1).expect(201)
    task = client.post(f"/v1/executors/{name}/tasks", kind="sleep", seconds=1).expect(202)["id"]
    until(lambda: "succeeded" in json.dumps([d for _, _, d in stream.tells_of(f'"{task}"')]), "the task's end", 20)
    assert stream.tells_of(f'"{task}"')[-1][2]["args"] == {"seconds": 1}, "what it is about is short, and told"
    grant = client.post(f"/v1/locks/{name}/acquire", owner="ana").expect(200)
    bea = waiting("POST", f"/v1/locks/{name}/acquire", owner="bea-in-line", wait="20s")
    until(lambda: stream.tells_of("bea-in-line") or any('"waiters": 1' in json.dumps(d)
          for _, _, d in stream.tells_of(name)), "the line")
    client.post(f"/v1/locks/{name}/release", token=grant["token"]).expect(200)
    bea.answer().expect(200)


@pytest.mark.quick
def test_a_reader_that_never_reads_hurts_nobody(server, client, name):
    deaf = [Raw(server).request("GET /v1/stream?mode=latest") for _ in range(20)]
    before = server.memory_bytes()
    for n in range(400):
        client.post(f"/v1/counters/{name}-{n % 200}/add").expect(200)
    assert server.memory_bytes() - before < 64 * 1024 * 1024
    for one in deaf:
        one.close(reset=True)
    client.get("/livez").expect(200)


@pytest.mark.quick
def test_readers_may_come_and_go(server, client, name):
    for n in range(40):
        one = Raw(server).request("GET /v1/stream?mode=latest")
        client.post(f"/v1/counters/{name}/add").expect(200)
        one.close(reset=bool(n % 2))
    until(lambda: re.search(r"\nbobbin_event_streams (\d+)", client.get("/metrics").text)[1] == "0",
          "the server noticed that they left", 25)


@pytest.mark.quick
def test_a_reader_that_left_keeps_no_connection_behind_an_older_one(start):
    server = start("--http-threads", "2", "--header-timeout", "10m")
    idle = [Raw(server) for _ in range(4)]  # older than the streams, on each of the threads, and saying nothing
    client = Client(server)
    for _ in range(4):
        raw = Raw(server).request("GET /v1/stream?mode=latest")
        raw.socket.recv(100)
        raw.close(reset=True)
    until(lambda: connections(client) == len(idle) + 1, "no connection of a stream is left")
    for raw in idle:
        raw.close()


def test_head_of_the_stream_has_no_body_and_keeps_the_connection(server):
    raw = Raw(server).request("HEAD /v1/stream?mode=latest").request("GET /livez")
    first = raw.reply("HEAD")
    assert first.status in (200, 405)
    second = raw.reply()
    assert second is None or second.status == 200, "no stray bytes between"


@pytest.mark.quick
def test_wrong_parameters_are_named(client):
    client.get("/v1/stream?mode=nonsense").expect(400).names("mode")
    client.get("/v1/stream?mode=latest&colour=red").expect(400).names("colour")


@pytest.mark.slow
@pytest.mark.limit(90)
def test_a_quiet_stream_sends_a_comment_every_fifteen_seconds(start):
    quiet = Stream(start())
    until(lambda: quiet.comments >= 1, "a comment", 40)
    quiet.leave()


@pytest.mark.quick
def test_a_stop_ends_the_stream(start):
    server = start()
    one = Stream(server)
    server.stop()
    assert one.ended.wait(20 * PATIENCE)
