"""Measures a testbench on artifacts and on Icarus: microseconds of processor time for a clock cycle,
the least of some turns.

Usage: python speed.py, in an environment with rtlwasm and cocotb. The designs are the Mandelbrot core and, where
RTLWASM_CORES says where the cores are, the PicoRV32 system. Nothing passes or fails.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

DESIGNS = Path(__file__).parents[4] / "fixtures" / "designs"
CYCLES, TURNS = 10_000, 3


async def started(dut):
    dut.rst.value = 1
    Clock(dut.clk, 10, "ns", impl=os.environ["BENCH_CLOCK"]).start()
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    return time.process_time()


def tell(what, start):
    print(f"\n  {what}: {(time.process_time() - start) / CYCLES * 1e6}", flush=True)


@cocotb.test()
async def each_cycle(dut):
    start = await started(dut)
    for _ in range(CYCLES):
        await RisingEdge(dut.clk)
    tell("a task that waits for each edge", start)


@cocotb.test()
async def one_wait(dut):
    start = await started(dut)
    await Timer(CYCLES * 10, "ns")
    tell("a task that waits once", start)


def sources(name):
    """Those that the design's list names."""
    lines = [line.partition("//")[0].strip() for line in (DESIGNS / name / "sources.f").read_text().splitlines()]
    return [DESIGNS / name / os.path.expandvars(line) for line in lines if line]


def measure(runner, top, build, clock):
    """Build the design and print what both tests tell."""
    with tempfile.TemporaryDirectory() as folder:
        for image in Path.cwd().glob("*.hex"):
            shutil.copy(image, folder)
        where = {"hdl_toplevel": top, "build_dir": folder, "timescale": ("1ns", "1ps")}
        runner.build(**where, **build)
        log, least = Path(folder) / "log.txt", {}
        for _ in range(TURNS):
            runner.test(test_module="speed", extra_env={"BENCH_CLOCK": clock}, log_file=log, **where)
            for line in log.read_text().splitlines():
                if line.startswith("  a task"):
                    what, _, number = line.partition(": ")
                    least[what] = min(float(number), least.get(what, float("inf")))
    for what, number in least.items():
        print(f"{what}: {number:.2f}", flush=True)


def main():
    from cocotb_tools.runner import get_runner
    from rtlwasm.cocotb import Runner

    sys.path.insert(0, str(Path(__file__).parent))
    designs = {"mandelbrot": ("mandelbrot", {"parameters": {"PRINT": 0}})}
    if "RTLWASM_CORES" in os.environ:
        designs["picorv32"] = ("picorv32_soc", {"defines": {"BENCH": 1}})
    for name, (top, options) in designs.items():
        os.chdir(DESIGNS / name)
        for simulator, make in (("Icarus", lambda: get_runner("icarus")), ("artifact", Runner)):
            for clock in ("py", "gpi"):
                print(f"{name}, {simulator}, Clock(impl={clock!r}):", flush=True)
                measure(make(), top, {"sources": sources(name), **options}, clock)


if __name__ == "__main__":
    main()
