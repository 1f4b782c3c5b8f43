"""Locks: who has it, who stands in line, and whose token counts; when a lease ends is in test_leases.py.

SPDX-License-Identifier: MIT
"""

import select
import threading
import time

import pytest

from bobbind import PATIENCE, at_best, until
from wire import Client, Raw, Waiting, line_of, release, stands_in_line, take


@pytest.mark.quick
def test_a_name_means_the_same_escaped(client, name):
    """encodeURIComponent and urllib.parse.quote make %3A of a colon."""
    grant = take(client, f"{name}%3A1")
    assert grant["name"] == f"{name}:1"
    client.post(f"/v1/locks/{name}:1/acquire").expect(423)
    assert client.get(f"/v1/locks/{name}%3a%31").expect(200)["holder"]["token"] == grant["token"]
    release(client, f"{name}:1", grant["token"])


@pytest.mark.quick
def test_one_that_is_refused_is_told_what_to_do(client, name):
    take(client, name)
    client.post(f"/v1/locks/{name}/acquire").expect(423).names(f"the lock {name} is held; give wait to stand in the line")
    assert "give wait" not in client.post(f"/v1/locks/{name}/acquire", wait="10ms").expect(423)["detail"]


@pytest.mark.quick
def test_a_free_lock_is_granted_at_once(client, name):
    grant = take(client, name, owner="ana", ttl="30s")
    assert grant["name"] == name and grant["owner"] == "ana" and grant["permits"] == 1
    assert 0 < grant["token"] < 2**53 and grant["bind"] == "lease" and grant["waited"] < 1
    assert grant["expires_at"].endswith("Z")
    shown = client.get(f"/v1/locks/{name}").expect(200)
    assert shown["holder"]["token"] == grant["token"] and shown["holder"]["owner"] == "ana"
    assert shown["holder"]["expires_at"][:19] == grant["expires_at"][:19] and shown["holder"]["since"]
    assert shown["waiters"] == 0 and shown["line"] == []
    assert int(shown.headers["Bobbin-Sequence"]) >= grant["token"]


@pytest.mark.quick
def test_a_poll_with_if_none_match_misses_nothing(server, client, name):
    """A renewal with the same ttl and a place in line have no rev of their own: 304 would hide them."""
    path, seen = f"/v1/locks/{name}", []

    def look():
        known = {"If-None-Match": ", ".join(f'"{shown["rev"]}"' for shown in seen)} if seen else {}
        seen.append(client.get(path, known).expect(200))
        return seen[-1]

    grant = take(client, name, ttl="30s")
    assert look().headers["ETag"] is None, "what is shown changes without a new rev"
    time.sleep(0.01)
    client.post(f"{path}/renew", token=grant["token"]).expect(200)
    assert look()["holder"]["expires_at"] > seen[0]["holder"]["expires_at"]
    waits = Waiting(server, "POST", f"{path}/acquire", wait="10s", owner="bea")
    stands_in_line(client, path, "bea")
    assert [place["owner"] for place in look()["line"]] == ["bea"]
    release(client, name, grant["token"])
    release(client, name, waits.answer().expect(200)["token"])
    free = look()
    assert free["holder"] is None and free.headers["ETag"] == f'"{free["rev"]}"'
    client.get(path, {"If-None-Match": free.headers["ETag"]}).expect(304)


@pytest.mark.quick
def test_a_held_lock_is_refused_with_its_holder_and_the_place(client, name):
    grant = take(client, name, owner="ana")
    refused = client.post(f"/v1/locks/{name}/acquire", owner="bea").expect(423, "lock_held")
    assert refused["holder"]["owner"] == "ana" and refused["holder"]["token"] == grant["token"]
    assert refused["position"] == 1 and refused["waiters"] == 0
    assert client.get(f"/v1/locks/{name}")["holder"]["owner"] == "ana"
    take(client, f"{name}:long", ttl="1h")
    refused = client.post(f"/v1/locks/{name}:long/acquire").expect(423)
    assert refused.headers["Retry-After"] == "10", "it may be free in a second"


@pytest.mark.quick
def test_a_released_lock_is_free(client, name):
    grant = take(client, name)
    release(client, name, grant["token"])
    assert client.get(f"/v1/locks/{name}").expect((200, 404)).json.get("holder") is None
    assert take(client, name)["token"] > grant["token"]


@pytest.mark.quick
def test_the_line_is_first_come_first_served(client, waiting, name):
    path = f"/v1/locks/{name}"
    held = take(client, name, owner="ana")["token"]
    people = ["bea", "cai", "dan", "eve"]
    line = []
    for n, owner in enumerate(people):
        line.append(waiting("POST", f"{path}/acquire", owner=owner, wait="60s"))
        stands_in_line(client, path, *people[: n + 1])
    shown = client.get(path).expect(200)
    assert shown["waiters"] == 4
    assert [place["position"] for place in shown["line"]] == [1, 2, 3, 4]
    waited = [place["waited"] for place in shown["line"]]
    assert waited == sorted(waited, reverse=True)
    for n, who in enumerate(line):
        for later in line[n:]:
            later.still_waits()
        release(client, name, held)
        grant = who.answer().expect(200)
        assert grant["owner"] == people[n] and grant["token"] > held
        assert grant["waited"] > 0
        held = grant["token"]
        assert line_of(client, path) == people[n + 1:]
    release(client, name, held)


@pytest.mark.quick
def test_a_wait_that_ends_says_who_holds_it_and_where_one_stood(client, waiting, name):
    path = f"/v1/locks/{name}"
    take(client, name, owner="ana")
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "bea")

    def took():
        began = time.monotonic()
        refused = client.post(f"{path}/acquire", owner="cai", wait="300ms").expect(423, "lock_held")
        seconds = time.monotonic() - began
        assert seconds >= 0.3
        assert refused["holder"]["owner"] == "ana" and refused["position"] == 2 and refused["waiters"] == 1
        return seconds

    at_best(took, 1.3)
    stands_in_line(client, path, "bea")
    bea.still_waits()
    bea.leave()


def test_a_waiter_in_the_middle_may_time_out_without_moving_the_others(client, waiting, name):
    path = f"/v1/locks/{name}"
    held = take(client, name, ttl="5m")["token"]
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "bea")
    cai = waiting("POST", f"{path}/acquire", owner="cai", wait="6s")
    stands_in_line(client, path, "bea", "cai")
    dan = waiting("POST", f"{path}/acquire", owner="dan", wait="60s")
    stands_in_line(client, path, "bea", "cai", "dan")
    cai.answer().expect(423)
    stands_in_line(client, path, "bea", "dan")
    release(client, name, held)
    release(client, name, bea.answer().expect(200)["token"])
    dan.answer().expect(200)


@pytest.mark.quick
def test_tokens_rise_over_all_locks_and_semaphores(client, name):
    tokens = []
    for n in range(10):
        tokens.append(take(client, f"{name}-{n}")["token"])
        client.put(f"/v1/semaphores/{name}-{n}", value=2).expect(201)
        tokens.append(client.post(f"/v1/semaphores/{name}-{n}/acquire").expect(200)["token"])
    assert tokens == sorted(set(tokens))


@pytest.mark.quick
def test_what_is_not_there_says_how_it_comes_to_be(client, name):
    client.get(f"/v1/locks/{name}").expect(404).names(name, "acquire")
    client.get(f"/v1/counters/{name}").expect(404).names(name, "add")
    client.post(f"/v1/semaphores/{name}/acquire").expect(404).names(name, "PUT")
    client.post(f"/v1/executors/{name}/tasks", kind="square", n=2).expect(404).names(name, "PUT")


@pytest.mark.quick
def test_a_wrong_token_is_refused_and_changes_nothing(client, name):
    grant = take(client, name, owner="ana")
    for verb in ("release", "renew"):
        refused = client.post(f"/v1/locks/{name}/{verb}", token=grant["token"] + 1).expect(412, "not_holder")
        assert refused["ended_by"] is None
        client.post(f"/v1/locks/{name}-other/{verb}", token=grant["token"]).expect((404, 412))
        client.post(f"/v1/locks/{name}/{verb}").expect(400).names("token")
    assert client.get(f"/v1/locks/{name}")["holder"]["token"] == grant["token"]


def test_a_release_is_not_taken_twice(client, name):
    grant = take(client, name)
    release(client, name, grant["token"])
    refused = client.post(f"/v1/locks/{name}/release", token=grant["token"]).expect(412)
    assert refused["ended_by"] == "release"
    refused.names("was released")


def test_the_token_of_a_lock_opens_no_semaphore(client, name):
    grant = take(client, name)
    client.post(f"/v1/semaphores/{name}/release", token=grant["token"]).expect((404, 412))
    assert client.get(f"/v1/locks/{name}")["holder"]["token"] == grant["token"]


@pytest.mark.quick
def test_delete_ends_the_hold_and_the_next_in_line_has_it(client, waiting, name):
    path = f"/v1/locks/{name}"
    grant = take(client, name, owner="ana")
    bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
    stands_in_line(client, path, "bea")
    client.delete(path).expect((200, 204))
    assert bea.answer().expect(200)["token"] > grant["token"]
    assert client.post(f"{path}/release", token=grant["token"]).expect(412)["ended_by"] == "delete"
    assert client.get(path)["holder"]["owner"] == "bea"


def test_whose_hold_a_delete_ended_is_in_the_log(server, client, name):
    taken = take(client, name, owner="ana and co")["token"]
    client.delete(f"/v1/locks/{name}").expect(200)
    server.log_line(f'hold_taken_away lock={name} token={taken} owner="ana and co"$')
    client.delete(f"/v1/locks/{name}").expect(200)
    assert server.log().count(f"hold_taken_away lock={name} ") == 1, "nobody's"


def test_delete_of_an_unknown_lock_is_404(client, name):
    client.delete(f"/v1/locks/{name}").expect(404)


@pytest.mark.quick
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_waiter_that_dies_loses_its_place_at_once(server, client, waiting, name, how):
    path = f"/v1/locks/{name}"
    held = take(client, name, ttl="5m")["token"]

    def kept_its_place():
        ghost = Raw(server)
        ghost.request(f"POST {path}/acquire?wait=60s&owner=ghost")
        stands_in_line(client, path, "ghost")
        bea = waiting("POST", f"{path}/acquire", owner="bea", wait="60s")
        stands_in_line(client, path, "ghost", "bea")
        died = time.monotonic()
        ghost.close(reset=how == "rst")
        stands_in_line(client, path, "bea")
        seconds = time.monotonic() - died
        bea.leave()
        stands_in_line(client, path)
        return seconds

    at_best(kept_its_place, 0.5)
    cai = waiting("POST", f"{path}/acquire", owner="cai", wait="60s")
    stands_in_line(client, path, "cai")
    release(client, name, held)
    cai.answer().expect(200)


@pytest.mark.quick
@pytest.mark.limit(60)
def test_a_grant_to_a_client_that_died_is_given_back(server, client, name):
    """The client goes away at about the moment the grant is made: whoever it meets, nobody keeps the lock."""
    path = f"/v1/locks/{name}"
    for n in range(40):
        held = take(client, name, ttl="60s", wait="5s")["token"]
        ghost = Raw(server)
        ghost.request(f"POST {path}/acquire?wait=60s&ttl=60s&owner=ghost")
        stands_in_line(client, path, "ghost")
        if n % 2:
            ghost.close(reset=n % 4 == 1)
            release(client, name, held)
        else:
            release(client, name, held)
            ghost.close(reset=n % 4 == 0)
        # An answer that was already in the dead client's socket is a grant given: only then may it still hold.
        got = client.post(f"{path}/acquire", wait="60s" if n % 2 else "50ms", owner="next")
        if n % 2:
            got.expect(200)
        elif got.status == 423:
            client.delete(path).expect((200, 204))
            continue
        release(client, name, got["token"])


def test_a_hundred_ghosts_never_hold_it(server, client, name):
    path = f"/v1/locks/{name}"
    held = take(client, name, ttl="60s")["token"]
    ghosts = [Raw(server).request(f"POST {path}/acquire?wait=60s&ttl=60s") for _ in range(100)]
    until(lambda: client.get(path)["waiters"] == 100, "a hundred stand in line")
    for n, ghost in enumerate(ghosts):
        ghost.close(reset=bool(n % 2))
    release(client, name, held)
    grant = client.post(f"{path}/acquire", wait="60s", ttl="60s").expect(200)
    assert client.get(path)["waiters"] == 0
    release(client, name, grant["token"])


@pytest.mark.quick
@pytest.mark.limit(60)
def test_never_two_holders(server, name):
    """Six clients fight for one lock; whoever has it writes its name, waits a moment, and must find it there."""
    board, wrong, tokens = {"who": None}, [], []

    def fight(who):
        mine = Client(server)
        for _ in range(15):
            grant = take(mine, name, owner=who, wait="30s")
            if board["who"] is not None:
                wrong.append((who, board["who"]))
            board["who"] = who
            time.sleep(0.001)
            if board["who"] != who:
                wrong.append((who, board["who"]))
            board["who"] = None
            tokens.append(grant["token"])
            release(mine, name, grant["token"])
        mine.close()

    crowd = [threading.Thread(target=fight, args=(f"p{n}",), daemon=True) for n in range(6)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(50 * PATIENCE)
    assert wrong == [] and len(tokens) == 90
    assert tokens == sorted(set(tokens)), "tokens rise in the order of the grants"


@pytest.mark.quick
def test_text_plain_gives_the_token_alone(client, name):
    grant = client.post(f"/v1/locks/{name}/acquire", {"Accept": "text/plain"}, ttl="60s").expect(200)
    assert grant.type == "text/plain" and grant.text == f"{int(grant.text)}\n"
    shown = client.get(f"/v1/locks/{name}")
    assert shown["holder"]["token"] == int(grant.text)
    plain = {"Accept": "text/plain"}
    assert client.get(f"/v1/locks/{name}", plain).expect(200).text == "0\n", "none is free"
    assert client.post(f"/v1/locks/{name}/release", plain, token=int(grant.text)).expect(200).text == "1\n"
    assert client.get(f"/v1/locks/{name}", plain).expect(200).text == "1\n"


@pytest.mark.quick
def test_parameters_come_by_query_json_or_form(client, name):
    by_query = client("POST", f"/v1/locks/{name}-q/acquire?owner=ana&ttl=1m").expect(200)
    by_json = client.post(f"/v1/locks/{name}-j/acquire", owner="ana", ttl=60).expect(200)
    by_form = client.form(f"/v1/locks/{name}-f/acquire", {"owner": "ana", "ttl": "60s"}).expect(200)
    mixed = client.form(f"/v1/locks/{name}-m/acquire?ttl=60000ms", {"owner": "ana"}).expect(200)
    assert [g["owner"] for g in (by_query, by_json, by_form, mixed)] == ["ana"] * 4
    encoded = client.form(f"/v1/locks/{name}-e/acquire", {"owner": "Ana & Bea, 50% +é"}).expect(200)
    assert encoded["owner"] == "Ana & Bea, 50% +é"


def test_an_unknown_lock_is_404(client, name):
    client.get(f"/v1/locks/{name}").expect(404).names(name)
    client.post(f"/v1/locks/{name}/release", token=1).expect((404, 412))


def test_lists_go_by_pages_over_three_hundred_names(client, name):
    names = [f"{name}-{n:03}" for n in range(300)]
    for one in names:
        take(client, one, ttl="5m", owner="lister")
    found = [item for item in client.all_items("/v1/locks", limit=37) if item["name"].startswith(f"{name}-")]
    assert [item["name"] for item in found] == names, "every name once, in order"
    assert all(item["holder"]["owner"] == "lister" for item in found)
    some = [item["name"] for item in client.all_items(f"/v1/locks?name={name}-00*", limit=3)]
    assert some == names[:10]


def test_a_list_stays_whole_while_names_come_and_go(client, name):
    stay = [f"{name}-{n:03}" for n in range(0, 60, 2)]
    for one in stay:
        take(client, one, ttl="5m")
    seen, cursor = [], None
    for turn in range(100):
        page = client.get("/v1/locks", limit=7, **({"cursor": cursor} if cursor else {})).expect(200)
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        passing = take(client, f"{name}-{(turn * 2 + 1) % 60:03}", wait="1s")
        release(client, passing["name"], passing["token"])
        if not cursor:
            break
    assert [one for one in seen if one in stay] == stay
    assert len(seen) == len(set(seen))


def test_names_may_hold_the_whole_alphabet(client, name):
    odd = "Az09._:~-" + "x" * 150
    assert take(client, odd)["name"] == odd
    take(client, "n" * 200)


@pytest.mark.limit(150)
def test_a_thousand_waiters_are_served_in_order(server, client, name):
    path = f"/v1/locks/{name}"
    held = take(client, name, ttl="10m")["token"]
    line = []
    for n in range(1000):
        line.append(Raw(server).request(f"POST {path}/acquire?wait=10m&ttl=10m&owner=w{n}"))
        if n % 100 == 99:
            until(lambda: client.get(path)["waiters"] == n + 1, "they stand in line", 20)
    shown = client.get(path)
    assert len(shown["line"]) == 100 and shown["line"][0]["position"] == 1
    began, order, waiting = time.monotonic(), [], {one.socket: one for one in line}
    while waiting:
        release(client, name, held)
        answered = select.select(list(waiting), [], [], 10 * PATIENCE)[0]
        assert len(answered) == 1, "one release, one grant"
        one = waiting.pop(answered[0])
        grant = one.reply().is_sound().expect(200)
        order.append(int(grant["owner"][1:]))
        held = grant["token"]
        one.close()
    release(client, name, held)
    assert sorted(order) == list(range(1000)) and time.monotonic() - began < 40 * PATIENCE
    # two threads read the requests of one batch: among those, arrival is the server's own matter
    assert [n // 100 for n in order] == sorted(n // 100 for n in order)


def test_waiting_holds_no_thread(server, client, name):
    path = f"/v1/locks/{name}"
    take(client, name, ttl="60s")
    before = len(server.native_threads())
    crowd = [Raw(server).request(f"POST {path}/acquire?wait=60s") for _ in range(200)]
    until(lambda: client.get(path)["waiters"] == 200, "two hundred wait")
    assert len(server.native_threads()) == before
    for one in crowd:
        one.close()


def test_a_waiting_client_is_not_cut_by_the_idle_timeout(start):
    server = start("--idle-timeout", "1s", "--header-timeout", "1s", "--body-timeout", "1s")
    client = Client(server)
    held = take(client, "slow", ttl="60s")["token"]
    client.close()
    bea = Waiting(server, "POST", "/v1/locks/slow/acquire", wait="30s", owner="bea")
    time.sleep(3)
    bea.still_waits()
    client = Client(server)
    release(client, "slow", held)
    bea.answer().expect(200)
