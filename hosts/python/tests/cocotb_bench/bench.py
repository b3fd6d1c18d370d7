"""A testbench for dut.v that writes down all it sees; it runs on a simulator and on an artifact."""

import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.handle import Force, Immediate, Release
from cocotb.queue import Queue
from cocotb.triggers import (
    ClockCycles,
    Combine,
    Event,
    FallingEdge,
    First,
    NextTimeStep,
    ReadOnly,
    ReadWrite,
    RisingEdge,
    Timer,
    ValueChange,
)
from cocotb.utils import get_sim_time

# cocotb 2.0 has no single bits of what Verilog declares.
HAS_BITS = not cocotb.__version__.startswith("2.0")
LOG = open(os.environ["BENCH_LOG"], "w")  # noqa: SIM115


def note(*what):
    print(get_sim_time("ps"), *what, file=LOG, flush=True)


async def start(dut, impl="py"):
    dut.en.value = 0
    dut.d.value = 0
    dut.rst.value = 1
    Clock(dut.clk, 10, "ns", impl=impl).start()
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


@cocotb.test()
async def registers(dut):
    await start(dut)
    dut.en.value = 1
    random.seed(1)
    for i in range(20):
        value = random.randrange(200)
        dut.d.value = value
        await RisingEdge(dut.clk)
        note("before", i, int(dut.q.value), dut.twice.value.to_signed(), int(dut.wide.value))
        await ReadOnly()
        note("after", i, int(dut.q.value), dut.twice.value.to_signed(), int(dut.wide.value))
        assert int(dut.q.value) == value
        await FallingEdge(dut.clk)
        note("fall", int(dut.q.value), int(dut.u.y.value), int(dut.turned.value))


@cocotb.test()
async def hierarchy(dut):
    note([int(dut.stage[k].value.value) for k in range(4)], len(dut.stage))
    note([int(block.value.value) for block in dut.stage])
    note([int(row.value) for row in dut.ram], len(dut.ram), dut.ram.range)
    note(dut.q.range, dut.turned.range, len(dut.wide), len(dut.clk))
    note(dut.q.value, dut.turned.value)
    if HAS_BITS:
        note(dut.q[0].value, dut.q[7].value, dut.turned[0].value, dut.turned[7].value)
    names = {child._name for child in dut}
    note(names >= {"clk", "q", "ram", "row", "u", "stage"}, [child._name for child in dut.u if child._name == "y"])
    note(dut.u.y._path, dut.ram[3]._path, type(dut.ram).__name__, type(dut.q).__name__, type(dut.clk).__name__)
    for name in ("nothing", "Q"):
        try:
            getattr(dut, name)
        except AttributeError as error:
            note(error)
    try:
        dut.ram[16]
    except IndexError as error:
        note(error)
    await Timer(1, "ns")


async def watch(dut, name):
    signal = getattr(dut, name)
    while True:
        await ValueChange(signal)
        note("change", name, int(signal.value))


@cocotb.test()
async def triggers(dut):
    await start(dut)
    watchers = [cocotb.start_soon(watch(dut, name)) for name in ("q", "half", "slow")]
    dut.en.value = 1
    for i in range(5):
        dut.d.value = 10 * i
        await RisingEdge(dut.half)
        note("half", int(dut.slow.value), int(dut.q.value))
        await NextTimeStep()
        note("next", int(dut.slow.value))
        await Timer(1, "ns")
        dut.d.value = 100 + i
        await ReadWrite()
        note("read-write", int(dut.d.value), int(dut.q.value))
        await ReadOnly()
        note("read-only", int(dut.d.value), int(dut.q.value))
        await Timer(333, "ps")
        note("timer")
    first = await First(Timer(7, "ns"), RisingEdge(dut.clk))
    note(type(first).__name__)
    await Combine(Timer(12, "ns"), FallingEdge(dut.clk))
    note("both")
    for watcher in watchers:
        watcher.cancel()
    await ClockCycles(dut.clk, 5)
    note("cycles", int(dut.slow.value))


@cocotb.test()
async def writes(dut):
    await start(dut)
    await Timer(1, "ns")
    dut.ram[3].value = 77
    dut.row.value = 9
    dut.wide.value = (1 << 99) + 5
    await ReadOnly()
    note(int(dut.ram[3].value), int(dut.row.value), int(dut.wide.value))
    await Timer(1, "ns")
    if HAS_BITS:
        dut.row[1].value = 1
    dut.d.value = "10101010"
    await ReadOnly()
    note(int(dut.row.value), int(dut.d.value))
    await Timer(1, "ns")
    dut.d.value = Immediate(12)
    note(int(dut.d.value))
    dut.d.value = Force(13)
    dut.d.value = 14
    await ReadOnly()
    note(int(dut.d.value))
    await Timer(1, "ns")
    dut.d.value = Release()
    await Timer(1, "ns")
    dut.d.value = 15
    dut.en.value = 1
    await ReadOnly()
    note(int(dut.d.value))
    await RisingEdge(dut.clk)
    await ReadOnly()
    note(
        int(dut.q.value), [int(row.value) for row in dut.ram if row.value.is_resolvable and int(row.value) in (15, 77)]
    )


@cocotb.test()
async def clock_of_the_simulator(dut):
    await start(dut, "gpi")
    dut.en.value = 1
    for i in range(3):
        await Timer(101, "ns")
        dut.d.value = i
        await ReadOnly()
        note(int(dut.slow.value), int(dut.q.value))
    await FallingEdge(dut.half)
    note(int(dut.slow.value))


@cocotb.test()
async def tasks(dut):
    await start(dut)
    queue = Queue(maxsize=2)

    async def produce():
        for i in range(5):
            await queue.put(i)
            await RisingEdge(dut.clk)

    async def consume():
        got = []
        while len(got) < 5:
            got.append(await queue.get())
            note("got", got[-1])
            await FallingEdge(dut.clk)
        return got

    cocotb.start_soon(produce())
    assert await cocotb.start_soon(consume()) == list(range(5))
    event = Event()

    async def set_later():
        await Timer(25, "ns")
        event.set()

    cocotb.start_soon(set_later())
    await event.wait()
    note("event")


@cocotb.test(expect_fail=True)
async def fails_as_expected(dut):
    await start(dut)
    assert int(dut.q.value) == 99


@cocotb.test()
async def fails(dut):
    await start(dut)
    assert int(dut.q.value) == 98, "it is something else"


@cocotb.test(timeout_time=100, timeout_unit="ns")
async def takes_too_long(dut):
    await start(dut)
    await Timer(1, "us")


@cocotb.test(skip=True)
async def is_skipped(dut):
    note("this does not run")


@cocotb.test()
async def the_design_ends(dut):
    await start(dut)
    dut.d.value = 0xFF
    await ClockCycles(dut.clk, 5)
    note("this does not come")


@cocotb.test()
async def after_the_end(dut):
    note("nor this")
