"""Tiny tasks from one submitter to Python's ThreadPoolExecutor, every result waited for: tasks a second.

SPDX-License-Identifier: MIT
"""

import concurrent.futures
import os
import sys
import time

TASKS = 40_000


def square(n):
    return n * n


def main():
    tasks = int(TASKS * float(sys.argv[1]) / 100)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
        began = time.monotonic()
        futures = [executor.submit(square, n) for n in range(tasks)]
        assert [future.result() for future in futures] == [n * n for n in range(tasks)]
        print("tasks Python", tasks / (time.monotonic() - began))


if __name__ == "__main__":
    main()
