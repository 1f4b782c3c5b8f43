"""Semaphores: permits, their line, and a value that changes while they are held.

SPDX-License-Identifier: MIT
"""

import threading
import time

import pytest

from bobbind import PATIENCE, until
from wire import Client, Raw, line_of, stands_in_line


def put(client, name, value, **more):
    return client.put(f"/v1/semaphores/{name}", value=value, **more).expect((200, 201))


def take(client, name, **params):
    return client.post(f"/v1/semaphores/{name}/acquire", **params).expect(200)


def release(client, name, token):
    return client.post(f"/v1/semaphores/{name}/release", token=token).expect(200)


@pytest.mark.quick
def test_put_makes_one_and_get_shows_it(client, name):
    made = client.put(f"/v1/semaphores/{name}", value=3).expect(201)
    assert made["value"] == 3 and made["free"] == 3 and made["name"] == name
    again = client.put(f"/v1/semaphores/{name}", value=3).expect(200)
    assert again["value"] == 3
    shown = client.get(f"/v1/semaphores/{name}").expect(200)
    assert shown["value"] == 3 and shown["free"] == 3 and shown["holders"] == [] and shown["line"] == []
    assert shown["waiters"] == 0 and shown.headers["ETag"] == f'"{shown["rev"]}"'


@pytest.mark.quick
def test_as_many_permits_as_its_value_and_no_more(client, name):
    put(client, name, 3)
    tokens = [take(client, name, owner=f"o{n}")["token"] for n in range(3)]
    assert tokens == sorted(set(tokens))
    refused = client.post(f"/v1/semaphores/{name}/acquire", owner="late").expect(423)
    assert refused["position"] == 1
    shown = client.get(f"/v1/semaphores/{name}")
    assert shown["free"] == 0 and [h["owner"] for h in shown["holders"]] == ["o0", "o1", "o2"]
    assert [h["token"] for h in shown["holders"]] == tokens
    release(client, name, tokens[1])
    assert client.get(f"/v1/semaphores/{name}")["free"] == 1
    take(client, name)


@pytest.mark.quick
def test_several_permits_are_taken_and_given_back_together(client, name):
    put(client, name, 5)
    grant = take(client, name, permits=4)
    assert grant["permits"] == 4
    assert client.get(f"/v1/semaphores/{name}")["free"] == 1
    client.post(f"/v1/semaphores/{name}/acquire", permits=2).expect(423)
    release(client, name, grant["token"])
    assert client.get(f"/v1/semaphores/{name}")["free"] == 5


@pytest.mark.quick
def test_more_permits_than_its_value_can_never_be_had(client, name):
    put(client, name, 3)
    client.post(f"/v1/semaphores/{name}/acquire", permits=4, wait="10s").expect(400).names("permits")


@pytest.mark.quick
def test_the_head_of_the_line_holds_back_those_behind_it(client, waiting, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 5)
    three, two = take(client, name, permits=3), take(client, name, permits=2)
    ana = waiting("POST", f"{path}/acquire", owner="ana", permits=5, wait="60s")
    stands_in_line(client, path, "ana")
    bea = waiting("POST", f"{path}/acquire", owner="bea", permits=1, wait="60s")
    stands_in_line(client, path, "ana", "bea")
    release(client, name, three["token"])
    assert line_of(client, path) == ["ana", "bea"], "three are free, but ana comes first"
    ana.still_waits()
    bea.still_waits()
    client.post(f"{path}/acquire").expect(423)  # nor may a newcomer pass her
    release(client, name, two["token"])
    grant = ana.answer().expect(200)
    assert grant["permits"] == 5
    bea.still_waits()
    release(client, name, grant["token"])
    bea.answer().expect(200)


def test_one_release_may_serve_several(client, waiting, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 3)
    grant = take(client, name, permits=3)
    people = []
    for n, owner in enumerate(("ana", "bea", "cai", "dan")):
        people.append(waiting("POST", f"{path}/acquire", owner=owner, wait="60s"))
        stands_in_line(client, path, *("ana", "bea", "cai", "dan")[: n + 1])
    release(client, name, grant["token"])
    tokens = [who.answer().expect(200)["token"] for who in people[:3]]
    assert tokens == sorted(tokens)
    people[3].still_waits()
    release(client, name, tokens[0])
    people[3].answer().expect(200)


@pytest.mark.quick
def test_a_value_of_0_is_a_pause(client, waiting, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 0)
    refused = client.post(f"{path}/acquire").expect(423)
    assert refused.names("paused", "PUT")["position"] == 1 and refused["value"] == 0
    ana = waiting("POST", f"{path}/acquire", owner="ana", permits=2, wait="60s")
    stands_in_line(client, path, "ana")
    put(client, name, 2)
    token = ana.answer().expect(200)["token"]
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "bea")
    put(client, name, 0)
    release(client, name, token)
    stands_in_line(client, path, "bea")
    bea.still_waits()
    put(client, name, 1)
    bea.answer().expect(200)
    client.post(f"{path}/acquire", permits=2, wait="10s").expect(400).names("permits")


@pytest.mark.quick
def test_growing_it_serves_the_line(client, waiting, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 1)
    take(client, name)
    ana = waiting("POST", f"{path}/acquire", owner="ana", wait="60s")
    stands_in_line(client, path, "ana")
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "ana", "bea")
    grown = put(client, name, 3)
    assert grown["value"] == 3
    ana.answer().expect(200)
    bea.answer().expect(200)
    assert client.get(path)["free"] == 0


@pytest.mark.quick
def test_shrinking_it_takes_nothing_from_those_who_hold(client, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 3)
    tokens = [take(client, name)["token"] for _ in range(3)]
    put(client, name, 1)
    shown = client.get(path)
    assert shown["value"] == 1 and len(shown["holders"]) == 3
    for token in tokens[:2]:
        release(client, name, token)
        client.post(f"{path}/acquire").expect(423)
    release(client, name, tokens[2])
    take(client, name)
    client.post(f"{path}/acquire").expect(423)


@pytest.mark.quick
def test_who_waits_for_more_than_the_shrunken_value_is_told_at_once(client, waiting, name):
    """Not only the head of the line, and not only when it would be its turn."""
    path = f"/v1/semaphores/{name}"
    put(client, name, 3)
    grant = take(client, name, permits=3)
    crowd = {}
    for owner, permits in (("ana", 1), ("bea", 3), ("cem", 2), ("dan", 3)):
        crowd[owner] = waiting("POST", f"{path}/acquire", owner=owner, permits=permits, wait="60s")
        stands_in_line(client, path, *crowd)
    put(client, name, 2)
    for owner in ("bea", "dan"):
        crowd[owner].answer().expect(400).names("permits", name)
    crowd["ana"].still_waits()
    stands_in_line(client, path, "ana", "cem")
    release(client, name, grant["token"])
    release(client, name, crowd["ana"].answer().expect(200)["token"])
    crowd["cem"].answer().expect(200)


@pytest.mark.quick
def test_a_lease_of_permits_ends_on_its_own(client, name):
    put(client, name, 2)
    asked = time.monotonic()
    take(client, name, permits=2, ttl="300ms")
    grant = client.post(f"/v1/semaphores/{name}/acquire", wait="60s").expect(200)
    assert time.monotonic() - asked >= 0.3
    release(client, name, grant["token"])


@pytest.mark.quick
def test_renew_and_wrong_tokens(client, name):
    put(client, name, 1)
    grant = take(client, name, ttl="30s")
    again = client.post(f"/v1/semaphores/{name}/renew", token=grant["token"], ttl="60s").expect(200)
    assert again["token"] == grant["token"] and again["expires_at"] > grant["expires_at"]
    client.post(f"/v1/semaphores/{name}/renew", token=grant["token"] + 7).expect(412)
    client.post(f"/v1/semaphores/{name}/release", token=grant["token"] + 7).expect(412)
    client.post(f"/v1/locks/{name}/release", token=grant["token"]).expect((404, 412))
    release(client, name, grant["token"])


def test_one_that_was_never_put_is_404(client, name):
    client.post(f"/v1/semaphores/{name}/acquire").expect(404).names(name)
    client.get(f"/v1/semaphores/{name}").expect(404)


@pytest.mark.quick
def test_a_dead_waiter_frees_its_place(server, client, waiting, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 1)
    held = take(client, name)["token"]
    ghost = Raw(server).request(f"POST {path}/acquire?wait=60s&owner=ghost")
    stands_in_line(client, path, "ghost")
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "ghost", "bea")
    ghost.close(reset=True)
    stands_in_line(client, path, "bea")
    release(client, name, held)
    bea.answer().expect(200)


def test_a_dying_head_lets_the_next_in(server, client, waiting, name):
    """The head wants two and one is free: when it dies the one behind it must be served at once."""
    path = f"/v1/semaphores/{name}"
    put(client, name, 2)
    take(client, name, ttl="60s")
    ghost = Raw(server).request(f"POST {path}/acquire?wait=60s&owner=ghost&permits=2")
    stands_in_line(client, path, "ghost")
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "ghost", "bea")
    ghost.close()
    bea.answer().expect(200)


def test_a_head_whose_wait_ends_lets_the_next_in(client, waiting, name):
    path = f"/v1/semaphores/{name}"
    put(client, name, 2)
    take(client, name, ttl="60s")
    ana = waiting("POST", f"{path}/acquire", owner="ana", wait="6s", permits=2)
    stands_in_line(client, path, "ana")
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "ana", "bea")
    ana.answer().expect(423)
    bea.answer().expect(200)


@pytest.mark.quick
@pytest.mark.limit(60)
def test_never_more_holders_than_permits(server, client, name):
    put(client, name, 3)
    guard, inside, most, wrong = threading.Lock(), [0], [0], []

    def work():
        mine = Client(server)
        for _ in range(12):
            grant = take(mine, name, wait="30s")
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                if inside[0] > 3:
                    wrong.append(inside[0])
            time.sleep(0.002)
            with guard:
                inside[0] -= 1
            release(mine, name, grant["token"])
        mine.close()

    crowd = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(50 * PATIENCE)
    assert wrong == [] and most[0] >= 2
    assert client.get(f"/v1/semaphores/{name}")["free"] == 3


def test_delete_forgets_one_that_nobody_uses(client, name):
    put(client, name, 2)
    grant = take(client, name)
    assert "only a free one" in client.delete(f"/v1/semaphores/{name}").expect(409)["detail"]
    release(client, name, grant["token"])
    client.delete(f"/v1/semaphores/{name}").expect((200, 204))
    client.get(f"/v1/semaphores/{name}").expect(404)


def test_lists_go_by_pages(client, name):
    names = [f"{name}-{n:03}" for n in range(300)]
    for n, one in enumerate(names):
        put(client, one, 1 + n % 5)
    found = [item for item in client.all_items("/v1/semaphores", limit=41) if item["name"] in set(names)]
    assert [item["name"] for item in found] == names
    assert [item["value"] for item in found] == [1 + n % 5 for n in range(300)]
