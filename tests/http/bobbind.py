"""A real bobbind for a test: started on a free port with a data folder of its own, and always ended.

A Server is ended by SIGTERM and must then exit with status 0 and leave no sanitizer report on its standard
error: a test that passes while the server leaks or races does not pass.

SPDX-License-Identifier: MIT
"""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("BOBBIND") or str(SOURCE / "build" / "bobbind")


def patience():
    """By how much times on the wall are stretched: a sanitizer build runs several times slower."""
    if "BOBBIN_PATIENCE" in os.environ or not os.access(BINARY, os.R_OK):
        return float(os.environ.get("BOBBIN_PATIENCE", "1"))
    program = pathlib.Path(BINARY).read_bytes()
    return 4.0 if b"__tsan_init" in program else 3.0 if b"__asan_init" in program else 1.0


PATIENCE = patience()

REPORTS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:", "Assertion `")


def until(fact, what, seconds=15.0):
    """Waits until fact() is true, and returns what it returned; fails with `what` after `seconds`, and a last look."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        last = time.monotonic() > end
        got = fact()
        if got:
            return got
        if last:
            raise AssertionError(f"not within {seconds} s: {what} (last: {got!r})")
        time.sleep(0.005)


def at_best(took, most, tries=5):
    """took() measures seconds, and one of some tries is within `most`: a busy machine makes one longer, a slow server all."""
    seen = [took()]
    while min(seen) > most * PATIENCE and len(seen) < tries:
        seen.append(took())
    assert min(seen) <= most * PATIENCE, f"more than {most} s each time: {seen}"


def program(path, script):
    """Writes a script of the shell that can be run: for --command."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


class Server:
    """One process of bobbind. start() returns when it listens; stop() and kill() end it; start() again restarts it."""

    def __init__(self, folder, *flags, env=None, preload=None):
        self.folder = pathlib.Path(folder)
        self.flags = list(flags)
        self.env = dict(env or {})
        self.preload = preload
        self.pass_fds = ()
        self.process = None
        self.host, self.port = "127.0.0.1", 0
        self.lines = []
        self.log_grew = threading.Condition()

    def command(self):
        given = [f for f in self.flags if f.startswith("--listen")]
        listen = [] if given else ["--listen", "127.0.0.1:0"]
        return [BINARY, *listen, "--data", str(self.folder), "--www", str(SOURCE / "www"), *self.flags]

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BOBBIN_", "BOBBIND_"))}
        for name in ("JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "http_proxy"):
            kept.pop(name, None)
        if self.preload:
            kept["LD_PRELOAD"] = str(self.preload)
        return {**kept, **self.env}

    def spawn(self):
        """Starts the process without waiting for it to listen."""
        assert self.process is None or self.process.poll() is not None, "started twice"
        with self.log_grew:
            self.lines = []
        self.process = subprocess.Popen(
            self.command(), env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", pass_fds=self.pass_fds)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        return self

    def _read(self, stream):
        for line in stream:
            with self.log_grew:
                self.lines.append(line.rstrip("\n"))
                self.log_grew.notify_all()
        stream.close()
        with self.log_grew:
            self.lines.append("")
            self.log_grew.notify_all()

    def start(self, seconds=40):
        self.spawn()
        line = self.log_line(r"\blistening\b.*\burl=http://\S+", seconds)
        found = re.search(r"url=http://(\[[^]]*\]|[^:/\s]*):(\d+)", line)
        self.host, self.port = found[1].strip("[]"), int(found[2])
        return self

    def log_line(self, pattern, seconds=20):
        """The first line of its log that has `pattern`; waits for it."""
        end = time.monotonic() + seconds * PATIENCE
        with self.log_grew:
            while True:
                for line in self.lines:
                    if re.search(pattern, line):
                        return line
                left = end - time.monotonic()
                assert left > 0, f"no line {pattern!r} within {seconds} s in:\n{self.log()}"
                assert self.process.poll() is None or not self.lines or self.lines[-1] != "", \
                    f"bobbind ended with {self.process.returncode} before a line {pattern!r}:\n{self.log()}"
                self.log_grew.wait(min(left, 0.5))

    def log(self):
        return "\n".join(self.lines[-60:])

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)
        if number == signal.SIGSTOP:  # one thread hears of it, and the others go on until it has run
            os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def wait(self, seconds=40):
        """Waits for its end and returns its exit status (negative: the signal that ended it)."""
        try:
            status = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"bobbind did not end within {seconds} s:\n{self.log()}") from None
        self.reader.join(20 * PATIENCE)  # the log is whole
        return status

    def stop(self, seconds=40):
        """SIGTERM; it must drain, and end well."""
        self.signal(signal.SIGTERM)
        status = self.wait(seconds)
        self.check_log()
        assert status == 0, f"exit status {status} after SIGTERM:\n{self.log()}"

    def kill(self):
        """kill -9, as a crash would be."""
        self.process.kill()
        self.wait()
        self.check_log()

    def end(self):
        """At the end of a test, whatever it did: nothing is left running."""
        if self.alive():
            self.stop()
        elif self.process is not None:
            self.check_log()

    def check_log(self):
        bad = [line for line in self.lines if any(report in line for report in REPORTS)]
        assert not bad, "the server reported:\n" + "\n".join(self.lines[-120:])

    def memory_bytes(self):
        """Resident memory now."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def native_threads(self):
        return sorted(int(name) for name in os.listdir(f"/proc/{self.pid}/task"))
