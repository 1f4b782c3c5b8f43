"""Somebody with a shell holds the store's lock: nobody waits without end, nothing is lost while the server runs.

SPDX-License-Identifier: MIT
"""

import sqlite3
import time

import pytest

from bobbind import until
from wire import Client, Waiting


@pytest.fixture
def server(start):
    return start("--stop-timeout", "1s")


@pytest.fixture
def shell(server):
    """sqlite3, as a person at a terminal would have it."""
    connection = sqlite3.connect(server.folder / "store.db", isolation_level=None, timeout=30)
    yield connection
    connection.close()


def test_a_short_backup_is_waited_for(server, shell):
    shell.execute("BEGIN IMMEDIATE")
    add = Waiting(server, "POST", "/v1/counters/sum/add")
    server.log_line("store locked")
    Client(server).get("/readyz").expect(503).names("locked")
    add.still_waits()
    shell.execute("ROLLBACK")
    assert add.answer().expect(200)["value"] == 1
    server.log_line("store unlocked")
    Client(server).get("/readyz").expect(200)


@pytest.mark.limit(90)
def test_who_waits_is_told_after_ten_seconds_and_the_changes_are_kept(server, shell):
    shell.execute("BEGIN IMMEDIATE")
    first = Waiting(server, "POST", "/v1/counters/sum/add")
    server.log_line("store locked")
    second = Waiting(server, "POST", "/v1/counters/sum/add")
    read = Waiting(server, "GET", "/v1/counters/sum")
    client = Client(server)
    for waiting in (first, second, read):
        waiting.answer(25).expect(503, "outcome_unknown")
        assert waiting.seconds > 9
    first.reply.names("may or may not hold", "look before asking again")
    read.reply.names("ask again")
    assert "decided" not in read.reply["detail"], "a read decides nothing"
    assert "bobbin_journal_full 0" in client.get("/metrics").text
    shell.execute("ROLLBACK")
    assert client.post("/v1/counters/sum/add").expect(200)["value"] == 3
    server.stop()
    server.start()
    assert Client(server).get("/v1/counters/sum").expect(200)["value"] == 3


@pytest.mark.limit(90)
def test_a_grant_nobody_was_told_of_is_given_back(server, shell):
    """Its client has left meanwhile, or was told 503 and so will never know its token."""
    client = Client(server)
    shell.execute("BEGIN IMMEDIATE")
    left = Waiting(server, "POST", "/v1/locks/left/acquire", ttl="1h")
    told = Waiting(server, "POST", "/v1/locks/told/acquire", ttl="1h")
    until(lambda: "bobbin_grants_total 2" in client.get("/metrics").text, "both are decided")
    behind = Waiting(server, "POST", "/v1/locks/told/acquire", ttl="1h", wait="1m")
    server.log_line("store locked")
    left.leave()
    refused = told.answer(25).expect(503, "outcome_unknown")
    until(lambda: "bobbin_grants_returned_total 2" in client.get("/metrics").text, "both are given back")
    refused.names("nothing is held for you", "ask again")
    shell.execute("ROLLBACK")
    assert client.get("/v1/locks/left").expect(200)["holder"] is None
    grant = behind.answer().expect(200)
    assert client.get("/v1/locks/told").expect(200)["holder"]["token"] == grant["token"]


@pytest.mark.limit(120)
def test_sigterm_gives_up_and_says_what_is_lost(server, shell):
    client = Client(server)
    client.post("/v1/counters/sum/add").expect(200)
    shell.execute("BEGIN IMMEDIATE")
    lost = Waiting(server, "POST", "/v1/counters/sum/add")
    server.log_line("store locked")
    began = time.monotonic()
    server.signal(15)
    assert server.wait(60) == 1
    assert time.monotonic() - began > 9
    lost.answer().expect(503, "outcome_unknown")
    assert "changes=1" in server.log_line("changes lost")
    server.log_line("stopped.*status=1")
    shell.execute("ROLLBACK")
    server.start()
    assert Client(server).get("/v1/counters/sum").expect(200)["value"] == 1


def test_sigterm_waits_for_a_short_backup(server, shell):
    shell.execute("BEGIN IMMEDIATE")
    add = Waiting(server, "POST", "/v1/counters/sum/add")
    server.log_line("store locked")
    server.signal(15)
    server.log_line("stopping")
    shell.execute("ROLLBACK")
    assert add.answer().expect(200)["value"] == 1
    assert server.wait() == 0


def test_a_start_on_a_locked_store_says_who_is_in_the_way(server, shell):
    until(lambda: Client(server).post("/v1/counters/sum/add").status == 200, "an add")
    server.stop()
    shell.execute("BEGIN IMMEDIATE")
    server.spawn()
    assert server.wait(30) == 1
    assert "another program has the store locked" in server.log()
    shell.execute("ROLLBACK")
    server.start()
