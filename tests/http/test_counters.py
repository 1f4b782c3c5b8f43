"""Counters: exact numbers, whoever adds, and however many.

SPDX-License-Identifier: MIT
"""

import pytest

from bobbind import at_best
from wire import Client

MOST = 2**53 - 1


@pytest.mark.quick
def test_add_starts_at_nought_and_says_the_new_value(client, name):
    assert client.post(f"/v1/counters/{name}/add").expect(200)["value"] == 1
    assert client.post(f"/v1/counters/{name}/add", n=41).expect(200)["value"] == 42
    assert client.post(f"/v1/counters/{name}/add", n=-50).expect(200)["value"] == -8
    assert client.post(f"/v1/counters/{name}/add", n=0).expect(200)["value"] == -8
    shown = client.get(f"/v1/counters/{name}").expect(200)
    assert shown["value"] == -8 and shown["name"] == name
    assert shown.headers["ETag"] == f'"{shown["rev"]}"'
    assert int(shown.headers["Bobbin-Sequence"]) >= shown["rev"]


@pytest.mark.quick
def test_every_change_has_a_higher_rev(client, name):
    revs = [client.post(f"/v1/counters/{name}/add").expect(200)["rev"] for _ in range(20)]
    assert revs == sorted(set(revs))
    assert client.get(f"/v1/counters/{name}")["rev"] == revs[-1]


@pytest.mark.quick
def test_set_gives_it_a_value(client, name):
    for value in (7, -7, 0, MOST, -MOST):
        assert client.post(f"/v1/counters/{name}/set", value=value).expect(200)["value"] == value
        assert client.get(f"/v1/counters/{name}")["value"] == value
    client.post(f"/v1/counters/{name}/set").expect(400).names("value")


@pytest.mark.quick
def test_compare_and_set_only_when_it_is_as_expected(client, name):
    path = f"/v1/counters/{name}/compare_and_set"
    client.post(f"/v1/counters/{name}/set", value=5).expect(200)
    assert client.post(path, expected=5, value=9).expect(200)["value"] == 9
    refused = client.post(path, expected=5, value=11).expect(409)
    assert refused["value"] == 9, "the refusal says what it is"
    assert client.get(f"/v1/counters/{name}")["value"] == 9
    client.post(path, value=1).expect(400).names("expected")


@pytest.mark.quick
def test_numbers_stay_exact_to_the_end_of_what_json_holds(client, name):
    path = f"/v1/counters/{name}"
    client.post(f"{path}/set", value=MOST - 1).expect(200)
    assert client.post(f"{path}/add").expect(200).body.find(b"9007199254740991") > 0
    client.post(f"{path}/add").expect(409)
    client.post(f"{path}/add", n=MOST).expect(409)
    assert client.get(path)["value"] == MOST
    client.post(f"{path}/set", value=-MOST).expect(200)
    client.post(f"{path}/add", n=-1).expect(409)
    assert client.get(path)["value"] == -MOST
    assert client.post(f"{path}/add", n=MOST).expect(200)["value"] == 0


@pytest.mark.quick
@pytest.mark.parametrize("query, word", [
    ("n=1.5", "n"), ("n=x", "n"), ("n=", "n"), ("n=9007199254740992", "n"), ("n=1e3", "n"), ("n=0x10", "n"),
    ("n=%201", "n"), ("n=--1", "n"), ("m=1", "m"), ("n=1&n=1", "n"),
    ("n=99999999999999999999999999", "n"),
])
def test_an_odd_number_is_named(client, name, query, word):
    client.post(f"/v1/counters/{name}/set", value=3).expect(200)
    client("POST", f"/v1/counters/{name}/add?{query}").expect(400).names(word)
    assert client.get(f"/v1/counters/{name}")["value"] == 3


@pytest.mark.quick
@pytest.mark.parametrize("body", ['{"n":1.5}', '{"n":"x"}', '{"n":true}', '{"n":[1]}', '{"n":{}}',
                                  '{"n":9007199254740993}', '{"n":1e400}', '{"n":-1e400}', '{"n":NaN}'])
def test_an_odd_json_number_is_refused(client, name, body):
    client("POST", f"/v1/counters/{name}/add", body, {"Content-Type": "application/json"}).expect(400)
    client.get(f"/v1/counters/{name}").expect(404)


def test_text_plain_gives_the_value_alone(client, name):
    plain = {"Accept": "text/plain"}
    assert client.post(f"/v1/counters/{name}/add", plain, n=-12).expect(200).text == "-12\n"
    assert client.get(f"/v1/counters/{name}", plain).expect(200).text == "-12\n"


def test_one_never_touched_is_404(client, name):
    client.get(f"/v1/counters/{name}").expect(404).names(name)


@pytest.mark.quick
def test_what_is_known_already_is_304(client, name):
    rev = client.post(f"/v1/counters/{name}/add").expect(200)["rev"]
    known = {"If-None-Match": f'"{rev}"'}
    assert client.get(f"/v1/counters/{name}", known).expect(304).headers["ETag"] == f'"{rev}"'
    client.get(f"/v1/counters/{name}", {"If-None-Match": f'"{rev - 1}", "{rev}"'}).expect(304)
    client.post(f"/v1/counters/{name}/add").expect(200)
    assert client.get(f"/v1/counters/{name}", known).expect(200)["value"] == 2


def test_delete_forgets_it(client, name):
    client.post(f"/v1/counters/{name}/add").expect(200)
    client.post(f"/v1/counters/{name}/add", n=4).expect(200)
    assert client.delete(f"/v1/counters/{name}").expect(200)["value"] == 5
    client.get(f"/v1/counters/{name}").expect(404)
    client.delete(f"/v1/counters/{name}").expect(404)
    assert client.post(f"/v1/counters/{name}/add").expect(200)["value"] == 1
    assert client.delete(f"/v1/counters/{name}", {"Accept": "text/plain"}).expect(200).body == b"1\n"


@pytest.mark.quick
def test_what_was_counted_since_a_look_is_not_deleted_unseen(client, name):
    path = f"/v1/counters/{name}"
    seen = client.post(f"{path}/add").expect(200)
    etag = client.get(path).expect(200).headers["ETag"]
    client.post(f"{path}/add").expect(200)
    client.delete(path, {"If-Match": etag}).expect(412, "precondition_failed")
    assert client.get(path).expect(200)["value"] == 2 and seen["value"] == 1
    gone = client.delete(path, {"If-Match": client.get(path).headers["ETag"]}).expect(200)
    assert gone["value"] == 2


@pytest.mark.quick
def test_a_counter_at_zero_is_there_until_it_is_deleted(client, name):
    path = f"/v1/counters/{name}"
    client.post(f"{path}/set", value=3).expect(200)
    for _ in range(3):
        client.post(f"{path}/add", n=-1).expect(200)
    assert client.get(path).expect(200)["value"] == 0
    assert name in [item["name"] for item in client.all_items("/v1/counters")]


def test_lists_go_by_pages_over_three_hundred_names(client, name):
    names = [f"{name}-{n:03}" for n in range(300)]
    for n, one in enumerate(names):
        client.post(f"/v1/counters/{one}/set", value=n).expect(200)
    found = [item for item in client.all_items("/v1/counters", limit=29) if item["name"].startswith(f"{name}-")]
    assert [(item["name"], item["value"]) for item in found] == [(one, n) for n, one in enumerate(names)]
    few = client.all_items(f"/v1/counters?name={name}-29?", limit=100)
    assert [item["name"] for item in few] == names[290:]


@pytest.mark.quick
def test_a_cursor_that_is_none_is_refused(client):
    client.get("/v1/counters", cursor="%00 no").expect(400).names("cursor")
    client.get("/v1/counters", limit=0).expect(400).names("limit")
    client.get("/v1/counters", limit=1000000).expect(400).names("limit")


@pytest.mark.quick
def test_one_client_reads_its_own_write_and_another_sees_it_too(server, client, name):
    other = Client(server)
    for n in range(1, 60):
        assert client.post(f"/v1/counters/{name}/add").expect(200)["value"] == n
        assert other.get(f"/v1/counters/{name}").expect(200)["value"] == n
    other.close()


def test_a_hundred_adds_on_one_connection_are_quick(client, name):
    """Not a bench: only that no reply waits for a timer (40 ms of a delayed acknowledgement would show)."""
    import time

    def took():
        began = time.monotonic()
        for _ in range(100):
            client.post(f"/v1/counters/{name}/add").expect(200)
        return time.monotonic() - began

    at_best(took, 3)
