"""A testbench for any small design: random inputs and clock edges, all outputs before each edge and after it."""

import json
import os
import random

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge, Timer
from cocotb.utils import get_sim_time

PORTS = json.loads(os.environ["BENCH_PORTS"])
LOG = open(os.environ["BENCH_LOG"], "w")  # noqa: SIM115


def note(dut, when):
    values = {name: str(getattr(dut, name).value) for name in PORTS["outputs"]}
    print(get_sim_time("step"), when, values, file=LOG, flush=True)


async def look(dut, clock):
    while True:
        await RisingEdge(clock)
        note(dut, f"before {clock._name}")


@cocotb.test()
async def edges(dut):
    rng = random.Random(3)
    clocks = [getattr(dut, name) for name in PORTS["clocks"]]
    inputs = [getattr(dut, name) for name in PORTS["inputs"]]
    for port in clocks + inputs:
        port.value = 0
    await Timer(5, "ns")
    bits = [getattr(dut, name) for name in PORTS["outputs"] if len(getattr(dut, name)) == 1]
    for signal in clocks + bits:
        cocotb.start_soon(look(dut, signal))
    for _ in range(150):
        for port in inputs:
            if rng.random() < 0.5:
                port.value = rng.getrandbits(len(port))
        await Timer(7, "ns")
        clock = rng.choice(clocks)
        clock.value = 1 - int(clock.value)
        await Timer(6, "ns")
        await ReadOnly()
        note(dut, "after")
        await Timer(1, "ns")
