"""The README is run as it is written: its session against a real server, its table against the program's own.

SPDX-License-Identifier: MIT
"""

import re
import subprocess

import pytest

from bobbind import BINARY, PATIENCE, SOURCE

README = (SOURCE / "README.md").read_text()


def between(mark):
    found = re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", README, re.S)
    assert found, f"README.md has no <!-- {mark} -->"
    return found[1]


def shape(text):
    """Numbers, moments and blanks differ from run to run; everything else must not."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"\d+(\.\d+)?", "N", text).strip()


def commands():
    """(command, what the README says it prints) for each `$ ` line of the session."""
    block = re.search(r"```console\n(.*?)```", between("session"), re.S)[1]
    steps = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [(step.split("\n", 1)[0], step.split("\n", 1)[1] if "\n" in step else "") for step in steps]


@pytest.mark.limit(60)
def test_the_session_prints_what_the_readme_says(start):
    server = start()
    script = "".join(f"{command}\nprintf '\\n%s\\n' ---end---\n" for command, _ in commands())
    script = script.replace("127.0.0.1:7070", f"127.0.0.1:{server.port}")
    script = re.sub(r"\bwait=5\b", "wait=60", script)  # a busy machine may need longer
    ran = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=50 * PATIENCE, check=False)
    printed = ran.stdout.split("---end---\n")[:-1]
    assert len(printed) == len(commands()), ran.stderr
    for (command, said), got in zip(commands(), printed):
        assert shape(got.replace(f":{server.port}", ":7070")) == shape(said), f"$ {command}\n{got}\n{ran.stderr}"


def test_the_settings_table_is_the_programs_own():
    table = subprocess.run([BINARY, "--help=markdown"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert between("settings").strip() == table.strip(), "run: build/bobbind --help=markdown"
