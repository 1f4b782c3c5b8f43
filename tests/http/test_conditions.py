"""If-Match and If-None-Match of PUT and DELETE (RFC 9110, 13.1): a change goes in only if the object is as its sender knew it.

SPDX-License-Identifier: MIT
"""

import pytest

from wire import Raw, take

NONE = '"9007199254740991"'  # the rev of nothing that is there


def semaphore(client, name):
    return "/v1/semaphores/" + name, {"value": 2}, {"value": 5}


def executor(client, name):
    return "/v1/executors/" + name, {"max_workers": 2}, {"max_workers": 5}


@pytest.fixture(params=[semaphore, executor], ids=["semaphores", "executors"])
def noun(request, client, name):
    return request.param(client, name)


@pytest.mark.quick
def test_a_put_goes_in_only_over_what_its_sender_knew(client, noun):
    path, first, second = noun
    made = client.put(path, **first).expect(201).headers["ETag"]
    client.put(path, {"If-Match": NONE}, **second).expect(412, "precondition_failed")
    client.put(path, {"If-Match": f"W/{made}"}, **second).expect(412)
    client.put(path, {"If-None-Match": made}, **second).expect(412)
    assert client.get(path).expect(200).headers["ETag"] == made, "nothing was changed"
    changed = client.put(path, {"If-Match": f"{NONE}, {made}"}, **second).expect(200).headers["ETag"]
    client.put(path, {"If-Match": made}, **second).expect(412)
    client.put(path, {"If-Match": "*"}, **first).expect(200)
    client.put(path, {"If-None-Match": changed}, **second).expect(200)


@pytest.mark.quick
def test_a_put_may_say_that_it_is_the_first_or_is_not(client, noun):
    path, first, second = noun
    client.put(path, {"If-Match": "*"}, **first).expect(412)
    client.get(path).expect(404)
    client.put(path, {"If-None-Match": "*"}, **first).expect(201)
    client.put(path, {"If-None-Match": "*"}, **second).expect(412)


@pytest.mark.quick
def test_a_delete_goes_in_only_over_what_its_sender_knew(client, noun):
    path, first, _ = noun
    client.delete(path, {"If-Match": "*"}).expect(404)
    made = client.put(path, **first).expect(201).headers["ETag"]
    client.delete(path, {"If-Match": NONE}).expect(412, "precondition_failed")
    client.delete(path, {"If-None-Match": made}).expect(412)
    client.get(path).expect(200)
    client.delete(path, {"If-Match": made}).expect(200)
    client.get(path).expect(404)


@pytest.mark.quick
def test_a_hold_is_not_taken_from_another_holder(client, name):
    path = f"/v1/locks/{name}"
    take(client, name, owner="ana")
    seen = client.get(path).expect(200)
    client.post(f"{path}/release", token=seen["holder"]["token"]).expect(200)
    bea = take(client, name, owner="bea")
    client.delete(path, {"If-Match": f'"{seen["rev"]}"'}).expect(412)
    assert client.get(path)["holder"]["token"] == bea["token"]
    rev = client.get(path)["rev"]
    assert client.delete(path, {"If-Match": f'"{rev}"'}).expect(200)["holder"]["owner"] == "bea"


@pytest.mark.quick
def test_a_task_is_not_cancelled_in_another_state(client, name):
    client.put(f"/v1/executors/{name}", max_workers=1).expect(201)
    task = client.post(f"/v1/executors/{name}/tasks", kind="square", n=2, delay="1h").expect(202)
    path = f"/v1/tasks/{task['id']}"
    client.delete(path, {"If-Match": NONE}).expect(412)
    assert client.get(path).expect(200)["state"] == "delayed"
    assert client.delete(path, {"If-Match": f'"{task["rev"]}"'}).expect(200)["state"] == "cancelled"


@pytest.mark.quick
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["17", '"17', '17"', '"17" x', ", ".join(f'"{n}"' for n in range(1, 6))])
def test_a_condition_that_cannot_be_read_is_refused(client, name, header, value):
    path = f"/v1/semaphores/{name}"
    client.put(path, {header: value}, value=1).expect(400).names(header)
    client.delete(path, {header: value}).expect(400).names(header)
    client.get(path).expect(404)


@pytest.mark.quick
@pytest.mark.parametrize("header, first, second, status",
                         [("If-None-Match", NONE, "*", 412), ("If-None-Match", NONE, "{made}", 412),
                          ("If-Match", NONE, "{made}", 200), ("If-Match", NONE, "17", 400)])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_condition_in_several_lines_is_one_list(client, server, name, method, header, first, second, status):
    path = f"/v1/semaphores/{name}"
    made = client.put(path, value=1).expect(201).headers["ETag"]
    body = b'{"value":2}' if method == "PUT" else b""
    raw = Raw(server).request(f"{method} {path}", body, ("Content-Type: application/json", f"{header}: {first}",
                                                         f"{header.lower()}: {second.format(made=made)}"))
    raw.reply().expect(status)
    raw.close()


@pytest.mark.quick
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_condition_of_a_post_is_refused_not_ignored(client, name, header):
    path = f"/v1/counters/{name}"
    client.post(f"{path}/set", {header: NONE}, value=1).expect(501, "not_implemented").names(header)
    client.post(f"{path}/add", {header: "*"}).expect(501)
    client.get(path).expect(404)


@pytest.mark.quick
def test_both_conditions_at_once_are_refused(client, name):
    client.put(f"/v1/semaphores/{name}", {"If-Match": "*", "If-None-Match": NONE}, value=1).expect(400)


@pytest.mark.quick
def test_an_etag_of_another_server_matches_nothing(client, name):
    path = f"/v1/semaphores/{name}"
    client.put(path, value=1).expect(201)
    for etag in ('"abc"', '""', '"+1"', '"0"', '"99999999999999999999999"'):
        client.put(path, {"If-Match": etag}, value=2).expect(412)
        client.put(path, {"If-None-Match": etag}, value=1).expect(200)
