"""Random clients on locks, semaphores and counters; some die, and the server dies once. Then the history is checked.

Each client writes down what it knows: a hold is surely its own from the reply to its grant until it sends the release,
or until the ttl has passed since it sent the request, whichever comes first. Of what got no reply it knows nothing.

HISTORY_SECONDS makes it longer, HISTORY_SEED runs one again.

SPDX-License-Identifier: MIT
"""

import http.client
import os
import random
import threading
import time

import pytest

from bobbind import PATIENCE, until
from wire import Client

SECONDS = float(os.environ.get("HISTORY_SECONDS", "5"))
LOCKS, SEMAPHORES, COUNTERS = 3, 2, 2
PERMITS = 4
DOWN = (OSError, http.client.HTTPException)


class Grant:
    def __init__(self, name, token, permits, sent, came, until):
        self.name, self.token, self.permits = name, token, permits
        self.sent, self.came, self.until = sent, came, until

    def __repr__(self):
        return f"{self.name} #{self.token} x{self.permits} asked {self.sent:.4f} had {self.came:.4f}-{self.until:.4f}"


class Add:
    def __init__(self, name, n, sent, came=None, value=None):
        self.name, self.n, self.sent, self.came, self.value = name, n, sent, came, value

    def __repr__(self):
        return f"{self.name} += {self.n} asked {self.sent:.4f} told {self.came} is {self.value}"


# ---- what must hold of every history ----

def tokens_rise(grants):
    """Each token is given once, and one asked for after another was had is higher, whatever it is a token of."""
    assert len({g.token for g in grants}) == len(grants), "a token was given twice"
    highest, had = None, sorted(grants, key=lambda g: g.came)
    for grant in sorted(grants, key=lambda g: g.sent):
        while had and had[0].came < grant.sent:
            first = had.pop(0)
            highest = first if highest is None or first.token > highest.token else highest
        assert highest is None or grant.token > highest.token, f"{grant} came after {highest}"


def one_at_a_time(grants):
    """The holds of a lock, in the order of their tokens, follow one another."""
    last = None
    for grant in sorted(grants, key=lambda g: g.token):
        assert last is None or last.until <= grant.came, f"{grant} overlaps {last}"
        if last is None or grant.until > last.until:
            last = grant


def never_more_than(permits, grants):
    """At no moment are more than @permits surely held."""
    edges = [(g.came, 1, g) for g in grants if g.until > g.came] + [(g.until, 0, g) for g in grants if g.until > g.came]
    held = 0
    for _, begins, grant in sorted(edges, key=lambda edge: edge[:2]):
        held += grant.permits if begins else -grant.permits
        assert held <= permits, f"{held} of {permits} permits are held, {grant} among them"


def nothing_is_lost(adds, value):
    """Acknowledged <= value <= acknowledged and in flight; what was acknowledged saw values of its own, in order."""
    acked = [a for a in adds if a.value is not None]
    sure = sum(a.n for a in acked)
    assert sure <= value <= sum(a.n for a in adds), f"{sure} acknowledged, {sum(a.n for a in adds)} sent, is {value}"
    place = 0
    for add in sorted(acked, key=lambda a: a.value):
        assert add.value - add.n >= place, f"{add} shares with another"
        place = add.value
    highest, told = 0, sorted(acked, key=lambda a: a.came)
    for add in sorted(acked, key=lambda a: a.sent):
        while told and told[0].came < add.sent:
            highest = max(highest, told.pop(0).value)
        assert add.value > highest, f"{add} after one was told {highest}"


# ---- the clients ----

class Player(threading.Thread):
    def __init__(self, game, seed):
        super().__init__(daemon=True)
        self.game, self.die = game, random.Random(seed)
        self.grants, self.adds, self.error, self.client = [], [], None, None
        self.start()

    def run(self):
        while not self.game.over.is_set():
            try:
                self.game.up.wait(5)
                self.client = self.client or Client(self.game.server, timeout=10)
                self.die.choice((self.lock, self.lock, self.semaphore, self.add, self.add))()
            except DOWN:
                self.leave()
            except Exception as error:
                self.error = error
                return
        self.leave()

    def leave(self):
        """Its connection is gone; what it held is left to its lease."""
        if self.client:
            self.client.close()
        self.client = None

    def lock(self):
        self.hold(f"/v1/locks/h{self.die.randrange(LOCKS)}", {})

    def semaphore(self):
        permits = self.die.randint(1, PERMITS - 1)
        self.hold(f"/v1/semaphores/h{self.die.randrange(SEMAPHORES)}", {"permits": permits})

    def hold(self, path, params):
        ttl, wait = self.die.choice((0.3, 0.6, 5.0)), self.die.choice((0, 0.05, 0.5))
        sent = time.monotonic()
        self.client.send("POST", path + "/acquire", ttl=ttl, wait=wait, **params)
        if self.die.random() < 0.05:
            return self.leave()  # dies in the line, or just before it is told
        reply = self.client.receive("POST").expect((200, 423))
        if reply.status != 200:
            return None
        grant = Grant(path, reply["token"], reply["permits"], sent, time.monotonic(), sent + ttl)
        self.grants.append(grant)
        time.sleep(self.die.choice((0, 0, 0.002, 0.02)))
        if self.die.random() < 0.1:
            return self.renew(path, grant)
        if ttl < 1 and self.die.random() < 0.1:
            return self.leave()  # dies with it: its lease ends it
        return self.release(path, grant)

    def renew(self, path, grant):
        sent, ttl = time.monotonic(), 0.4  # shorter or longer than it was
        grant.until = min(grant.until, sent + ttl)  # if no reply comes
        if self.client.post(path + "/renew", token=grant.token, ttl=ttl).expect((200, 412, 423)).status == 200:
            grant.until = sent + ttl
            time.sleep(0.01)
        self.release(path, grant)

    def release(self, path, grant):
        before = time.monotonic()
        live, grant.until = before < grant.until, min(grant.until, before)
        status = self.client.post(path + "/release", token=grant.token).expect((200, 412)).status
        assert status == 200 or time.monotonic() > before and not (live and time.monotonic() < grant.until), grant
        self.client.post(path + "/release", token=grant.token).expect(412)

    def add(self):
        name = f"h{self.die.randrange(COUNTERS)}"
        add = Add(name, self.die.randint(1, 3), time.monotonic())
        self.adds.append(add)
        self.client.send("POST", f"/v1/counters/{name}/add", n=add.n)
        if self.die.random() < 0.05:
            return self.leave()  # it will never know
        value = self.client.receive("POST").expect(200)["value"]
        add.came, add.value = time.monotonic(), value
        return None


class Game:
    def __init__(self, server, seed, players=12):
        self.server, self.up, self.over = server, threading.Event(), threading.Event()
        self.up.set()
        self.players = [Player(self, seed * 1000 + n) for n in range(players)]

    def end(self):
        self.over.set()
        for player in self.players:
            player.join(20 * PATIENCE)
            assert not player.is_alive(), "a client hangs"
            if player.error:
                raise player.error

    def crash(self):
        self.up.clear()
        self.server.kill()
        self.server.start()
        self.up.set()

    def grants(self, path=None):
        return [g for p in self.players for g in p.grants if path in (None, g.name)]

    def adds(self, name):
        return [a for p in self.players for a in p.adds if a.name == name]


@pytest.mark.slow
@pytest.mark.limit(150)
def test_no_history_breaks_a_promise(start):
    seed = int(os.environ.get("HISTORY_SEED") or time.time())
    print(f"HISTORY_SEED={seed}")
    server = start()
    with_permits = Client(server)
    for i in range(SEMAPHORES):
        with_permits.put(f"/v1/semaphores/h{i}", value=PERMITS).expect(201)
    game = Game(server, seed)
    time.sleep(SECONDS * (0.3 + 0.4 * random.Random(seed).random()))
    game.crash()
    time.sleep(SECONDS / 2)
    until(lambda: len(game.grants()) > 100 and len(game.adds("h0")) > 100, "enough happens to show anything", 40)
    game.end()

    tokens_rise(game.grants())
    for i in range(LOCKS):
        one_at_a_time(game.grants(f"/v1/locks/h{i}"))
    client = Client(server)
    for i in range(SEMAPHORES):
        path = f"/v1/semaphores/h{i}"
        never_more_than(PERMITS, game.grants(path))
        until(lambda path=path: client.get(path).expect(200)["free"] == PERMITS, f"{path} is free again", 20)
    for i in range(COUNTERS):
        nothing_is_lost(game.adds(f"h{i}"), client.get(f"/v1/counters/h{i}").expect(200)["value"])


@pytest.mark.quick
def test_the_checks_see_what_is_wrong():
    def hold(token, came, until, permits=1):
        return Grant("x", token, permits, came - 0.1, came, until)

    one_at_a_time([hold(1, 1, 2), hold(2, 2, 3)])
    never_more_than(2, [hold(1, 1, 2), hold(2, 1.5, 3), hold(3, 2, 3)])
    tokens_rise([hold(1, 1, 2), hold(3, 2, 3), hold(2, 2, 3)])
    nothing_is_lost([Add("x", 2, 1, 2, 2), Add("x", 1, 2.5, 3, 4), Add("x", 1, 1)], 4)
    wrong = (
        lambda: one_at_a_time([hold(1, 1, 2), hold(2, 1.9, 3)]),
        lambda: one_at_a_time([hold(1, 2, 3), hold(2, 1, 2)]),
        lambda: never_more_than(2, [hold(1, 1, 2), hold(2, 1.5, 3, 2)]),
        lambda: tokens_rise([hold(2, 1, 2), hold(1, 2, 3)]),
        lambda: tokens_rise([hold(1, 1, 2), hold(1, 1, 2)]),
        lambda: nothing_is_lost([Add("x", 1, 1, 2, 1), Add("x", 1, 1, 2, 2)], 1),
        lambda: nothing_is_lost([Add("x", 1, 1, 2, 1)], 2),
        lambda: nothing_is_lost([Add("x", 1, 1, 2, 1), Add("x", 1, 1, 2, 1)], 2),
        lambda: nothing_is_lost([Add("x", 1, 3, 4, 1), Add("x", 1, 1, 2, 2)], 2),
    )
    for number, check in enumerate(wrong):
        with pytest.raises(AssertionError):
            check()
            pytest.fail(f"check {number} saw nothing", pytrace=False)
