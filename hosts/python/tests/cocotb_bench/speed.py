"""Measures a testbench on an artifact and on Icarus: microseconds of processor time for a cycle of the Mandelbrot core.

Usage: python speed.py, in an environment with rtlwasm and cocotb. Nothing passes or fails.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

CORE = Path(__file__).parents[4] / "fixtures" / "designs" / "mandelbrot" / "mandelbrot.v"
CYCLES = 20_000


async def started(dut):
    dut.rst.value = 1
    Clock(dut.clk, 10, "ns", impl=os.environ["BENCH_CLOCK"]).start()
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    return time.process_time()


def tell(what, start):
    print(f"  {what}: {(time.process_time() - start) / CYCLES * 1e6:.2f} us")


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


def main():
    from cocotb_tools.runner import get_runner
    from rtlwasm.cocotb import Runner

    sys.path.insert(0, str(Path(__file__).parent))
    scale = ("1ns", "1ps")
    for name, runner in (("Icarus", get_runner("icarus")), ("artifact", Runner())):
        with tempfile.TemporaryDirectory() as folder:
            where = {"hdl_toplevel": "mandelbrot", "build_dir": folder, "timescale": scale}
            runner.build(sources=[CORE], parameters={"PRINT": 0}, **where)
            for clock in ("py", "gpi"):
                print(f"{name}, Clock(impl={clock!r}):", flush=True)
                log = Path(folder) / "log.txt"
                runner.test(test_module="speed", extra_env={"BENCH_CLOCK": clock}, log_file=log, **where)
                print(
                    "".join(line for line in log.read_text().splitlines(keepends=True) if line.startswith("  a task"))
                )


if __name__ == "__main__":
    main()
