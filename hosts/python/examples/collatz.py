"""Models on several threads: which number up to a limit takes the most steps down to one?

Usage: python collatz.py [LIMIT [THREADS]]. Each thread has a model of its own. They run at once, because a model that
runs does not hold the interpreter lock.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rtlwasm


def search(artifact: rtlwasm.Artifact, first: int, stride: int, last: int) -> tuple[int, int]:
    """The most steps of any of these numbers, and the number."""
    model = artifact.model()
    for name, value in (("first", first), ("stride", stride), ("last", last), ("start", 1)):
        model.poke(name, value)
    model.step()
    model.poke("start", 0)
    model.run_until("done", max_cycles=10**12)
    return model.peek("most"), model.peek("best")


def main() -> None:
    """Divide the numbers among the threads."""
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1
    artifact = rtlwasm.compile(Path(__file__).with_name("collatz.v"), top="collatz")
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda i: search(artifact, 1 + i, threads, limit), range(threads))
        steps, number = max(found)
    print(f"{number} takes {steps} steps")


if __name__ == "__main__":
    main()
