"""What calls from Python cost, in processor time.

Two figures: what one cycle costs when Python pokes, steps and peeks in each; and what a million cycles in one call take
beside the same artifact in the Rust host, in turns, the least of each.
"""

from __future__ import annotations

import os
import resource
import subprocess
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


def cycle_by_cycle(model: Model, written: str, shown: str) -> dict[str, float]:
    """What a cycle costs that Python takes part in, in nanoseconds."""
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

    table = {written: [0] * CALLS}
    works = {
        "`poke` + `step` + `peek`": names,
        "`signal.value` + `step` + `signal.value`": signals,
        "`step` + a view": views,
        "`play`, a row": lambda: model.play(table, [shown]) and None,
    }
    return {what: per_call(CALLS, work) for what, work in works.items()}


def long_runs(artifact: Artifact, command: str, written: str) -> tuple[float, float]:
    """Seconds that a million cycles in one call take, here and in the Rust host."""
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
    return min(ours), min(theirs) - min(started)


def processor_time(command: list[str]) -> float:
    """Seconds that a program takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
