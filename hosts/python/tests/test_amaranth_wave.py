"""Waveforms of Amaranth simulations: read back, they are those that Amaranth's own engine writes."""

import io
import itertools

import pytest
from amaranth.hdl import Format, Module, Signal, signed
from amaranth.hdl._mem import MemoryData
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from amaranth.sim.pysim import PySimEngine
from amaranth_bench import PAIR, Color, Given, simulate
from rtlwasm.amaranth import WASMEngine
from vcd_reader import changes


def record(engine):
    total, color, pair, inner = Signal(8), Signal(Color), Signal(PAIR), Signal(signed(5), init=-2)
    row = Signal(data.ArrayLayout(Color, 3))
    given, outside, wide = Signal(4, init=3), Signal(6), Signal(80)
    decoded = Signal(2, decoder=lambda value: f"is {value}")
    memory, pairs = Memory(shape=8, depth=4, init=[1, 2]), Memory(shape=PAIR, depth=2, init=[])
    elsewhere = MemoryData(shape=4, depth=2, init=[3])
    bus = wiring.Signature({"valid": Out(1), "data": In(PAIR)}).create()

    def build(m):
        m.submodules.inside, m.submodules.memory, m.submodules.pairs = Given(below), memory, pairs
        m.d.sync += [total.eq(total + given), wide.eq(wide * 3 + 1), color.eq(Color.BLUE), inner.eq(inner + 1)]
        m.d.sync += [pair.low.eq(total), pair.color.eq(color), row[1].eq(Color.GREEN), decoded.eq(decoded + 1)]
        m.d.comb += [port.addr.eq(total), port.data.eq(given), port.en.eq(given[0]), bus.valid.eq(total[1])]

    def below(m: Module):
        again = Signal(8, name="total")
        m.d.comb += again.eq(total + inner)

    port = memory.write_port()

    async def testbench(ctx):
        for turn in range(20):
            ctx.set(given, turn * 3 % 16)
            ctx.set(outside, turn)
            await ctx.tick()
            if turn == 7:
                ctx.set(memory.data[3], 55)
                ctx.set(elsewhere[1], 5)
                ctx.set(pairs.data[1].high, -3)
                await ctx.delay(0.2e-6)
                ctx.set(color, Color.GREEN)
                ctx.set(bus.data.low, 7)

    sim = Simulator(Given(build), engine=engine)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    vcd, gtkw = io.StringIO(), io.StringIO()
    vcd.close = gtkw.close = lambda: None
    vcd.name = "out.vcd"
    traces = [wide, outside, {"named": [decoded, bus]}, memory.data[3], pairs.data, elsewhere, wide + outside]
    with sim.write_vcd(vcd, gtkw, traces=traces):
        sim.run()
    return changes(vcd.getvalue()), [line for line in gtkw.getvalue().splitlines() if "size" not in line]


def test_the_same_changes_and_the_same_names():
    (names, values, end), gtkw = record(WASMEngine)
    (expected_names, expected_values, expected_end), expected_gtkw = record(PySimEngine)
    assert names == expected_names
    assert values == expected_values
    assert (end, gtkw) == (expected_end, expected_gtkw)


def test_files_by_name(tmp_path):
    count = Signal(8)

    def build(m):
        m.d.sync += count.eq(count + 1)

    async def testbench(ctx):
        await ctx.tick()

    sim = Simulator(Given(build), engine=WASMEngine)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    with sim.write_vcd(str(tmp_path / "a.vcd"), str(tmp_path / "a.gtkw"), traces=[count]):
        sim.run()
    assert "count" in (tmp_path / "a.vcd").read_text()
    assert "count[7:0]" in (tmp_path / "a.gtkw").read_text()


def test_time_of_rounds():
    """Rounds can be told apart in the file; there are fewer of them than Amaranth's own engine takes."""
    a, b = Signal(8), Signal(8)

    def build(m):
        m.d.comb += b.eq(a + 1)

    async def testbench(ctx):
        for value in range(3):
            ctx.set(a, value)

    sim = Simulator(Given(build), engine=WASMEngine)
    sim.add_testbench(testbench)
    vcd = io.StringIO()
    with sim.write_vcd(vcd, fs_per_delta=1):
        sim.run()
    times = sorted(changes(vcd.getvalue())[1])
    assert len(times) >= 3 and times[-1] < 100


def test_rounds_of_processes():
    """What a process writes when another's signal has changed comes in a round of its own; one call for each edge."""
    first, second, count = Signal(16, name="first"), Signal(16, name="second"), Signal(16)

    def build(m):
        m.d.sync += count.eq(count + first + second)

    async def writes(ctx):
        async for _, _, now in ctx.tick().sample(count):
            ctx.set(first, now ^ 3)

    async def follows(ctx):
        async for (value,) in ctx.changed(first):
            ctx.set(second, value + 1)

    async def testbench(ctx):
        await ctx.delay(300e-6)

    sim = simulate(build, testbench, engine=WASMEngine, processes=[writes, follows])
    vcd = io.StringIO()
    with sim.write_vcd(vcd, fs_per_delta=1):
        sim.run()
    seen = changes(vcd.getvalue())[1]
    times = {"first": set(), "second": set()}
    for before, time in itertools.pairwise(sorted(seen)):
        for variable, value in seen[time].items():
            name = variable[0][-3].partition("[")[0]
            if name in times and value != seen[before].get(variable):
                times[name].add(time)
    assert len(times["first"]) > 250
    assert not times["first"] & times["second"]
    # One call for each time at which one of them is resumed.
    assert sim._engine._signals.calls <= 600 + 140


def test_rounds_of_a_testbench():
    """What it writes one after the other has times of its own, in that order; all of a turn is one call."""

    def run(engine):
        first, outside, count, double = (Signal(16, name=name) for name in ("first", "outside", "count", "double"))

        def build(m):
            m.d.sync += count.eq(count + first)
            m.d.comb += double.eq(first * 2)

        async def testbench(ctx):
            for i in range(200):
                await ctx.tick()
                for n in range(3):
                    ctx.set(first, i + n)
                    ctx.set(outside, i ^ n)

        sim = simulate(build, testbench, engine=engine)
        vcd = io.StringIO()
        with sim.write_vcd(vcd, traces=[outside], fs_per_delta=1):
            sim.run()
        seen, order = changes(vcd.getvalue())[1], []
        for before, time in itertools.pairwise(sorted(seen)):
            now = {variable[0][-3].partition("[")[0]: value for variable, value in seen[time].items()}
            then = {variable[0][-3].partition("[")[0]: value for variable, value in seen[before].items()}
            changed = [(name, now[name]) for name in ("first", "outside") if now.get(name) != then.get(name)]
            order.extend(changed)
        return order, getattr(getattr(sim._engine, "_signals", None), "calls", None)

    order, calls = run(WASMEngine)
    assert len(order) > 1000
    assert order == run(PySimEngine)[0]
    assert calls <= 200 + 140


def test_what_cannot_be_traced():
    with_space = Signal(8, name="a b")

    def build(m):
        m.d.comb += with_space.eq(1)

    for engine in (PySimEngine, WASMEngine):
        sim = Simulator(Given(build), engine=engine)
        with pytest.raises(NameError, match="whitespace"), sim.write_vcd(io.StringIO()):
            pass
        sim = Simulator(Given(lambda m: None), engine=engine)
        with pytest.raises(TypeError, match="not a traceable"), sim.write_vcd(io.StringIO(), traces=[Format("x")]):
            pass
