"""System calls for each request, by name: bobbind and the bare program under strace(1), with 64 connections.

What is counted under strace runs many times slower than without, so the counts are of use and the rates are not; what a
commit costs is shared by as many requests as came meanwhile.

SPDX-License-Identifier: MIT
"""

import re
import signal
import subprocess

from programs import bare_program, bobbind, measured, record_replies

SEEN = 0.005  # of a request: what is less is left out
KINDS = {"add": "`POST …/add`, durable", "counter": "`GET /v1/counters/x`"}


class Call:
    """A line: how often each request makes this call, in each of the samples."""

    def __init__(self, name, shares):
        self.name, self.shares = name, shares

    def line(self):
        return f"| {self.name} | " + " | ".join(self.share(*one) for one in self.shares) + " |"

    @staticmethod
    def share(all_of_them, failed):
        if all_of_them < SEEN:
            return ""
        return f"{all_of_them:.2f}" + (f" ({failed:.2f} fail)" if failed >= SEEN else "")


def traced(pid, sample, scratch):
    """sample() while strace counts; returns what it returned, and {call: (how many, how many failed)}."""
    counts = scratch / "calls"
    strace = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,errors,name", "-o", str(counts), "-p", str(pid)],
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    said = strace.stderr.readline()
    if "attached" not in said:
        strace.wait(10)
        raise RuntimeError(f"strace cannot attach: {said}")
    try:
        got = sample()
    finally:
        strace.send_signal(signal.SIGINT)
        strace.communicate(timeout=20)
    found = re.findall(r"^ *(\d+) +(\d+)? +(\w+)$", counts.read_text(), re.MULTILINE)
    return got, {name: (int(n), int(failed or 0)) for n, failed, name in found if name != "total"}


def calls(options, folders):
    server = bobbind(folders.memory / "calls", "--http-threads=2")
    bare = None
    samples = []
    try:
        record_replies(server, folders)
        bare = bare_program(folders)
        for what, says in KINDS.items():
            for who, pid, port in (("bobbind", server.pid, server.port), ("bare", bare.process.pid, bare.port)):
                got, counts = traced(pid, lambda: measured(port, what, options.seconds), folders.disk)
                print(f"{who}, {what}: {got.rate:,.0f}/s under strace", flush=True)
                samples.append((f"{says}, {who}", {name: (n / got.requests, failed / got.requests)
                                                   for name, (n, failed) in counts.items()}))
    finally:
        if bare:
            bare.end()
        server.stop(30)
    names = {name for _, counts in samples for name, (n, _) in counts.items() if n >= SEEN}
    rows = [Call(name, [counts.get(name, (0, 0)) for _, counts in samples]) for name in names]
    rows.sort(key=lambda row: (-row.shares[0][0], row.name))
    total = [tuple(map(sum, zip(*counts.values()))) for _, counts in samples]
    head = "| calls for each request | " + " | ".join(says for says, _ in samples) + " |\n| --- |" + " ---: |" * len(samples)
    return head, rows + [Call("all", total)]
