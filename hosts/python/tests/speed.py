"""Measures; nothing passes or fails. `cargo xtask python --bench` runs this with the path of the `rtlwasm` command.

Two figures, both in processor time: what one cycle costs when Python pokes, steps and peeks in each; and what a million
cycles in one call take beside the same artifact in the Rust host, in turns, the least of each.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import rtlwasm
from rtlwasm import Artifact, Model

REPOSITORY = Path(__file__).parents[3]
CYCLES, TURNS, CALLS = 1_000_000, 9, 100_000


def counter() -> tuple[Artifact, str, str]:
    """A design of no size: what is measured is the call. With an input and an output."""
    return rtlwasm.compile(REPOSITORY / "compiler/tests/cli/counter.il", top="counter"), "rst", "count"


def picorv32() -> tuple[Artifact, str, str]:
    """A RISC-V core with memory and devices, running an endless program."""
    os.chdir(REPOSITORY / "fixtures/designs/picorv32")
    warnings.simplefilter("ignore", rtlwasm.CompileWarning)
    artifact = rtlwasm.compile(file_lists=["sources.f"], top="picorv32_soc", defines=["BENCH"])
    return artifact, "rst", "mem_addr"


def per_call(calls: int, work: Callable[[], None]) -> float:
    """Nanoseconds of processor time for each of `calls`, the least of some turns."""
    times = []
    for _ in range(TURNS):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) / calls * 1e9)
    return min(times)


def cycle_by_cycle(model: Model, written: str, shown: str) -> None:
    """Print what a cycle costs that Python takes part in."""
    poke, step, peek = model.poke, model.step, model.peek
    into, out = model[written], model[shown]
    view = out.view()

    def names() -> None:
        for _ in range(CALLS):
            poke(written, 0)
            step()
            peek(shown)

    def signals() -> None:
        for _ in range(CALLS):
            into.value = 0
            step()
            out.value  # noqa: B018

    def views() -> None:
        for _ in range(CALLS):
            step()
            view[0]

    for what, work in (("poke + step + peek", names), ("signal.value", signals), ("step + view", views)):
        print(f"  {what:<20} {per_call(CALLS, work):8.0f} ns a cycle")
    table = {written: [0] * CALLS}
    print(f"  {'play, a table':<20} {per_call(CALLS, lambda: model.play(table, [shown]) and None):8.0f} ns a cycle")


def long_runs(artifact: Artifact, command: str, written: str) -> None:
    """Print how a million cycles in one call compare with the Rust host, both in processor time."""
    ours, theirs, started = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = artifact.save(Path(folder) / "design.wasm")
        run = [command, "run", str(path), "--reset", f"{written}=1:4", "--json", "--cycles"]
        model = artifact.model()
        model.hold_reset(written, cycles=4)
        start = model.snapshot()
        model.step(CYCLES)
        for _ in range(TURNS):
            model.restore(start)
            began = time.process_time()
            model.step(CYCLES)
            ours.append(time.process_time() - began)
            started.append(processor_time([*run, "4"]))
            theirs.append(processor_time([*run, str(CYCLES + 4)]))
    python, rust = min(ours), min(theirs) - min(started)
    print(f"  step({CYCLES:,}): {python * 1e3:.2f} ms, Rust host {rust * 1e3:.2f} ms: {python / rust - 1:+.1%}")


def processor_time(command: list[str]) -> float:
    """Seconds that a program takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Both designs; that of Verilog only where its sources are."""
    designs = [counter] + ([picorv32] if "RTLWASM_CORES" in os.environ else [])
    for design in designs:
        artifact, written, shown = design()
        print(f"{design.__name__}:")
        cycle_by_cycle(artifact.model(), written, shown)
        # Cycles of the counter, which is not enabled, change nothing and are only counted.
        if len(sys.argv) > 1 and design is not counter:
            long_runs(artifact, sys.argv[1], written)


if __name__ == "__main__":
    main()
