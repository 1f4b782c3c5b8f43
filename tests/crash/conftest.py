"""The fixtures of the tests on the wire, and the shim over fsync.

SPDX-License-Identifier: MIT
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

from fixtures import *  # noqa: E402,F401,F403
