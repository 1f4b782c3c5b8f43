"""The tutorial's third scene: a counter that many increment at once, and no increment is lost.

SPDX-License-Identifier: MIT
"""

import pytest

from swarm import Swarm
from wire import Client


@pytest.mark.slow
@pytest.mark.limit(150)
def test_a_hundred_clients_times_a_thousand_increments_end_at_exactly_100000(start):
    server = start()
    swarm = Swarm(server, 100, 1000, "hits")
    swarm.run()
    client = Client(server)
    assert client.get("/v1/counters/hits").expect(200)["value"] == 100_000
    assert swarm.refused == [] and swarm.acknowledged == 100_000
    assert sorted(swarm.values) == list(range(1, 100_001)), "each increment saw a value of its own"
    client.close()
    server.kill()
    server.start()
    assert Client(server).get("/v1/counters/hits").expect(200)["value"] == 100_000, "durable: kill -9 took nothing"


@pytest.mark.slow
@pytest.mark.limit(150)
def test_killed_half_way_it_has_every_acknowledged_increment(start):
    server = start()
    swarm = Swarm(server, 100, 1000, "hits")
    swarm.run(at_half=server.kill)
    server.start()
    value = Client(server).get("/v1/counters/hits").expect(200)["value"]
    assert swarm.refused == [] and 50_000 <= swarm.acknowledged < 100_000
    assert swarm.acknowledged <= value <= swarm.acknowledged + swarm.in_flight
    assert swarm.in_flight <= 100 and len(set(swarm.values)) == swarm.acknowledged
    rest = Swarm(server, 100, 10, "hits")
    rest.run()
    assert Client(server).get("/v1/counters/hits")["value"] == value + 1000


@pytest.mark.quick
@pytest.mark.limit(60)
def test_the_same_in_small(start):
    server = start()
    swarm = Swarm(server, 20, 50, "hits")
    swarm.run(at_half=server.kill)
    server.start()
    value = Client(server).get("/v1/counters/hits").expect(200)["value"]
    assert swarm.acknowledged <= value <= swarm.acknowledged + swarm.in_flight
    assert len(set(swarm.values)) == swarm.acknowledged and swarm.in_flight <= 20
