"""What engines keep: artifacts of a process by their text, artifacts and machine code in the user's cache folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from rtlwasm.amaranth import WASMEngine

step, cycles = map(int, sys.argv[1:])
module, count = Module(), Signal(32)
module.d.sync += count.eq(count + step)
async def bench(ctx):
    await ctx.tick().repeat(cycles)
    print(ctx.get(count))
for _ in range(2):
    sim = Simulator(module, engine=WASMEngine)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
"""
LONG = 300_000


def simulate(cache: Path, step: int, cycles: int) -> list[str]:
    environment = {**os.environ, "RTLWASM_CACHE": str(cache)}
    command = [sys.executable, "-c", SCRIPT, str(step), str(cycles)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def files(folder: Path) -> dict[Path, int]:
    """The files of a folder; one that is written anew has another number."""
    return {path: path.stat().st_ino for path in folder.glob("*") if path.is_file()}


def test_a_design_is_compiled_once(tmp_path: Path) -> None:
    assert simulate(tmp_path, 1, 10) == ["10", "10"]
    designs = files(tmp_path / "designs")
    assert len(designs) == 1
    assert simulate(tmp_path, 1, 10) == ["10", "10"]
    assert files(tmp_path / "designs") == designs
    assert simulate(tmp_path, 3, 10) == ["30", "30"]
    assert len(files(tmp_path / "designs")) == 2


def test_machine_code_is_made_once(tmp_path: Path) -> None:
    assert simulate(tmp_path, 1, 10) == ["10", "10"]
    assert not files(tmp_path / "modules"), "a short simulation is interpreted"
    assert simulate(tmp_path, 1, LONG) == [str(LONG)] * 2
    modules = files(tmp_path / "modules")
    assert modules
    assert simulate(tmp_path, 1, LONG) == [str(LONG)] * 2
    assert files(tmp_path / "modules") == modules


@pytest.mark.parametrize("folder", ["designs", "modules"])
def test_damaged_files_are_made_anew(tmp_path: Path, folder: str) -> None:
    assert simulate(tmp_path, 1, LONG) == [str(LONG)] * 2
    for path in (tmp_path / folder).iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert simulate(tmp_path, 1, LONG) == [str(LONG)] * 2


def test_an_artifact_is_made_once_in_a_process() -> None:
    from rtlwasm._sim.compiled import compiled

    text = "module \\top\n  wire input 1 \\a\n  wire output 2 \\b\n  connect \\b \\a\nend\n"
    assert compiled(text) is compiled(text)
    assert compiled(text, trace=True) is not compiled(text)
