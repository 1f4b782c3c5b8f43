"""One byte of the store has decayed: what a start serves is what was acknowledged, or it is refused with a sentence.

SPDX-License-Identifier: MIT
"""

import subprocess
import sys

import pytest

from wire import Client


def refusal(server):
    """Why it does not start; None: it listens."""
    server.spawn()
    line = server.log_line(r"\blistening\b|\berror\b|^bobbind: ")
    if "listening" in line:
        server.end()
        return None
    assert server.wait(20) > 0
    return server.log()


@pytest.mark.limit(60)
@pytest.mark.parametrize("within", [b"owner-of-it", b"counter-to-be"])
def test_a_letter_that_changed_in_the_database_is_never_served(start, within):
    server = start()
    client = Client(server)
    client.post("/v1/locks/held/acquire", owner="owner-of-it", ttl="1h").expect(200)
    client.post("/v1/counters/counter-to-be/set", value=77).expect(200)
    server.stop()
    file = server.folder / "store.db"
    whole = file.read_bytes()
    at = whole.find(within)
    assert at > 0
    for offset in (0, len(within) - 1):
        harmed = bytearray(whole)
        harmed[at + offset] ^= 0x02
        file.write_bytes(harmed)
        why = refusal(server)
        assert why, "it was served"
        assert "damaged" in why and "is not what was written" in why and str(file) in why, why
    file.write_bytes(whole)
    server.start()
    client = Client(server)
    assert client.get("/v1/counters/counter-to-be").expect(200)["value"] == 77
    assert "owner-of-it" in client.get("/v1/locks/held").expect(200).text


# Somebody who reads, so that what is written stays in the log; killed as well, for its end would tidy up.
READER = """import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("BEGIN")
store.execute("SELECT count(*) FROM change").fetchone()
print("reads", flush=True)
sys.stdin.read()
"""
LATER = 3000
HEADER, FRAME = 32, 24 + 4096


def written(log):
    """How many bytes of the log are of it; behind them there is room, or what an older one left."""
    data, end = log.read_bytes(), HEADER
    while data[end + 8:end + 16] == data[16:24]:
        end += FRAME
    return end


@pytest.mark.limit(120)
def test_three_thousand_commits_are_not_dropped_for_one_byte(start):
    server = start("--accept-cut-log=no")
    reader = subprocess.Popen([sys.executable, "-c", READER, str(server.folder / "store.db")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert reader.stdout.readline() == "reads\n"
        client, log = Client(server), server.folder / "store.db-wal"
        for _ in range(20):
            client.post("/v1/counters/sum/add").expect(200)
        harmed = written(log) - 2000
        for _ in range(LATER):
            client.post("/v1/counters/sum/add").expect(200)
        server.kill()
    finally:
        reader.kill()
        reader.wait()
        reader.stdin.close()
        reader.stdout.close()
    whole = bytearray(log.read_bytes())
    whole[harmed] ^= 0x40
    log.write_bytes(whole)

    why = refusal(server)
    assert why, "it started without a word"
    assert f" {LATER} commits " in why and "--accept-cut-log" in why and str(log) in why, why

    server.flags = ["--accept-cut-log=yes"]
    server.start()
    server.log_line(rf"warn.*log cut.*commits={LATER}\b")
    assert Client(server).get("/v1/counters/sum").expect(200)["value"] in (18, 19, 20)


@pytest.mark.limit(60)
def test_a_log_that_ends_in_the_middle_of_a_commit_starts_without_a_word(start):
    server = start()
    client, log = Client(server), server.folder / "store.db-wal"
    acknowledged = [client.post("/v1/counters/sum/add").expect(200)["value"] for _ in range(20)][-1]
    server.kill()
    whole, end = log.read_bytes(), written(log)
    begun = whole[end - FRAME:end - 2000]  # one that was being written
    log.write_bytes(whole[:end] + begun + whole[end + len(begun):])
    server.start()
    assert Client(server).get("/v1/counters/sum").expect(200)["value"] == acknowledged
    assert "log cut" not in server.log()
