"""What the programs of --command may write to: their own folders, and those of --command-write.

SPDX-License-Identifier: MIT
"""

import ctypes
import errno
import sys

import pytest

from bobbind import Server, program
from wire import Client

CREATE_RULESET, VERSION = 444, 1
LANDLOCK = ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION)
landlock = pytest.mark.skipif(LANDLOCK < 1, reason="this kernel has no Landlock")
untruncated = pytest.mark.skipif(LANDLOCK < 3, reason="this kernel's Landlock lets files be truncated")

# Runs bobbind where the first call of Landlock fails with the errno given: a filter of seccomp, as a sandbox has one.
WITHOUT_LANDLOCK = f"""
import ctypes, os, struct, sys
ops = ((0x20, 0, 0, 0), (0x15, 0, 1, {CREATE_RULESET}), (0x06, 0, 0, 0x00050000 | int(sys.argv[1])), (0x06, 0, 0, 0x7fff0000))
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *op) for op in ops))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, struct.pack("HP", len(ops), ctypes.addressof(code)), 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder that programs may write to."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """A command that does what its input says: a line for the shell, as a JSON text."""
    does = program(tmp_path_factory.mktemp("programs") / "do", '''eval "$(sed 's/^"//; s/"$//')"''')
    return ["--command", f"do={does}"]


@pytest.fixture(scope="module")
def server_flags(flags, shared):
    return [*flags, "--command-write", str(shared)]


def do(server, line):
    client = Client(server)
    client.put("/v1/executors/e", max_workers=1).expect((200, 201))
    return client.post("/v1/executors/e/tasks", kind="command", name="do", input=line, wait="20s")


@landlock
@pytest.mark.quick
@pytest.mark.parametrize("line", [
    "echo x >new; echo y >>new; cat new; rm new", "mkdir a b; echo x >a/f; ln a/f b/f; cat b/f",
    "echo x >$TMPDIR/f; cat $HOME/f", "echo x >/dev/null; echo x", "echo x >$SHARED/f; mv $SHARED/f .; cat f",
])
def test_a_command_writes_to_its_own_folder_and_those_allowed(server, shared, line):
    result = do(server, f"set -e; SHARED={shared}; {line}").expect(200)["result"]
    assert "x\n" in result["stdout"] and result["stderr"] == ""


@landlock
@pytest.mark.quick
@pytest.mark.parametrize("line", [
    "echo x >$DATA/new", "echo x >>$DATA/store.db", "rm $DATA/store.db", "mv $DATA/store.db-wal .", "mv $DATA/lock $DATA/other",
    "ln $DATA/store.db hard", "mkdir $DATA/files/new", "mkdir $DATA/scratch/t999999", "rm -r $DATA/scratch/*",
    "ln -s $DATA soft; echo x >>soft/lock", "setsid sh -c 'echo x >$DATA/new'", "echo x >/tmp/bobbin.stray",
    pytest.param(": >$DATA/store.db", marks=untruncated), pytest.param("truncate -s 0 $DATA/lock", marks=untruncated),
])
def test_a_command_writes_nowhere_else(server, line):
    failed = do(server, f"set -e; export DATA={server.folder}; {line}").expect(422)["error"]
    assert failed["code"] == "command_failed" and ("denied" in failed["message"] or "cross-device" in failed["message"])


@landlock
@pytest.mark.quick
def test_the_root_allows_everything(start, flags, tmp_path):
    do(start(*flags, "--command-write", "/"), f"echo x >{tmp_path}/new").expect(200)
    assert (tmp_path / "new").read_text() == "x\n"


@landlock
@pytest.mark.quick
def test_a_folder_that_is_not_there_is_told_at_the_start_and_by_each_task(start, flags):
    server = start(*flags, "--command-write", "/no/such")
    assert server.log_line("command_write_missing ").endswith('folder=/no/such why="No such file or directory"')
    failed = do(server, "echo x").expect(422)["error"]
    assert failed["code"] == "command_not_started"
    assert failed["message"].endswith("may write to /no/such: No such file or directory")


@pytest.mark.quick
def test_a_folder_that_is_not_absolute_is_refused_at_the_start(start, flags):
    server = start(*flags, "--command-write", "relative", wait=False)
    assert server.wait() != 0
    assert 'command-write: "relative" is no absolute path' in server.log()


@pytest.mark.quick
@pytest.mark.parametrize("refusal", [errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP], ids=lambda e: errno.errorcode[e])
def test_where_there_is_no_landlock_commands_run_and_it_is_said(tmp_path, flags, refusal):
    class Sandboxed(Server):
        def command(self):
            return [sys.executable, "-c", WITHOUT_LANDLOCK, str(refusal), *super().command()]

    server = Sandboxed(tmp_path / "store", *flags, "--command-write", "/no/such").start()
    try:
        assert "landlock=0" in server.log_line("warning commands_not_confined ")
        assert do(server, "echo x").expect(200)["result"]["stdout"] == "x\n"
        do(server, f"echo x >{tmp_path}/new").expect(200)
    finally:
        server.end()


@untruncated
@pytest.mark.quick
def test_where_there_is_landlock_nothing_is_said(server):
    assert "commands_not_confined" not in server.log()


@pytest.mark.quick
def test_without_commands_nothing_is_said(tmp_path):
    class Sandboxed(Server):
        def command(self):
            return [sys.executable, "-c", WITHOUT_LANDLOCK, str(errno.ENOSYS), *super().command()]

    server = Sandboxed(tmp_path / "store").start()
    server.end()
    assert "commands_not_confined" not in server.log()
