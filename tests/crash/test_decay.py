"""One byte of the store has decayed: what a start serves is what was acknowledged, or it is refused with a sentence.

SPDX-License-Identifier: MIT
"""

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
