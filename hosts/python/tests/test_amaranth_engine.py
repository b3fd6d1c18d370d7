"""Every trigger, method and error of Amaranth's simulator: the engine answers as Amaranth's own does."""

import contextlib
import gc
import io
import warnings
import weakref

import pytest
from amaranth.hdl import (
    Assert,
    Assume,
    ClockDomain,
    ClockSignal,
    Cover,
    Format,
    Print,
    Signal,
    signed,
)
from amaranth.hdl._ir import DriverConflict
from amaranth.lib.memory import Memory
from amaranth.sim import Delay, Passive, Settle, Tick
from amaranth.sim._base import BaseEngine
from amaranth.sim.pysim import PySimEngine
from amaranth_bench import same, simulate
from rtlwasm.amaranth import WASMEngine


def test_is_an_engine():
    assert issubclass(WASMEngine, BaseEngine)


def test_errors_of_set_up():
    def scenario(engine):
        seen, count, clock = [], Signal(8), Signal()

        def build(m):
            m.domains.made = ClockDomain(reset_less=True)
            m.d.comb += [ClockSignal("made").eq(clock), count.eq(clock)]
            m.d.made += Signal().eq(1)

        async def testbench(ctx):
            try:
                ctx.set(count, 3)
            except DriverConflict as error:
                seen.append(str(error))
            await ctx.delay(1e-6)

        sim = simulate(build, testbench, engine=engine, clocks=())
        for call in (
            lambda: sim.add_clock(1e-6, domain="made"),
            lambda: sim.add_clock(1e-6, domain="absent"),
            lambda: sim.add_testbench(3),
            lambda: (sim.advance(), sim.add_testbench(testbench)),
            lambda: sim.add_clock(1e-6, domain="absent"),
        ):
            with pytest.raises((DriverConflict, NameError, TypeError, RuntimeError)) as caught:
                call()
            seen.append(str(caught.value))
        sim.run()
        return seen

    same(scenario)


def test_errors_of_a_testbench_reach_the_caller():
    def scenario(engine):
        async def testbench(ctx):
            await ctx.tick()
            raise KeyError("mine")

        sim = simulate(lambda m: None, testbench, engine=engine)
        with pytest.raises(KeyError, match="mine"):
            sim.run()
        return sim._engine.now

    same(scenario)


def test_run_until_and_reset():
    def scenario(engine):
        seen, count, given, outside = [], Signal(8, init=3), Signal(8, init=7), Signal(4, init=2)
        memory = Memory(shape=8, depth=4, init=[9, 8])

        def build(m):
            m.submodules.memory = memory
            port = memory.write_port()
            m.d.comb += [port.addr.eq(count), port.data.eq(given), port.en.eq(count[0])]
            m.d.sync += count.eq(count + given)

        async def testbench(ctx):
            seen.append([ctx.get(each) for each in (given, outside, memory.data[0], memory.data[3])])
            ctx.set(given, 2)
            ctx.set(outside, 5)
            ctx.set(memory.data[0], 77)
            async for row in ctx.tick().sample(count, outside, memory.data[0], memory.data[3]):
                seen.append(row)

        sim = simulate(build, testbench, engine=engine)
        sim.run_until(5.2e-6)
        seen.append(sim._engine.now)
        sim.reset()
        seen.append(sim._engine.now)
        sim.run_until(9e-6)
        sim.run_until(12e-6)
        return seen

    seen = same(scenario)
    assert seen[0] == seen[8] == [7, 2, 9, 0]


def test_print_and_cover():
    def scenario(engine):
        count, level, text = Signal(8), Signal(signed(6)), Signal(24, init=int.from_bytes(b"abc", "little"))

        def build(m):
            m.d.sync += [count.eq(count + 1), level.eq(level - 5)]
            m.d.sync += Print("tick", count, level)
            with m.If(count == 3):
                m.d.sync += Print(Format("{:#06x} {:>+5d} {{}} {:b} {:s}", count, level, count, text), end="!\n")
            m.d.sync += Cover(level == 2, Format("level {}", level))

        async def testbench(ctx):
            await ctx.tick().repeat(7)

        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            simulate(build, testbench, engine=engine).run()
        return out.getvalue()

    assert "0x0003" in same(scenario)


@pytest.mark.parametrize("kind", [Assert, Assume])
@pytest.mark.parametrize("domain", ["sync", "comb"])
def test_failed_assertions(kind, domain):
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)
            m.d[domain] += kind(count < 4, Format("count is {}", count))

        async def testbench(ctx):
            for _ in range(9):
                await ctx.tick()
                seen.append(ctx.get(count))

        sim = simulate(build, testbench, engine=engine)
        with pytest.raises(AssertionError) as caught:
            sim.run()
        return seen, str(caught.value), caught.traceback[-1].path.name

    same(scenario)


def test_deprecated_generators():
    def scenario(engine):
        seen, count, given = [], Signal(8), Signal(8, init=1)

        def build(m):
            m.d.sync += count.eq(count + given)

        def process():
            for turn in range(6):
                yield given.eq(turn)
                seen.append(((yield count), (yield count + given)))
                yield
            try:
                yield "nonsense"
            except TypeError as error:
                seen.append(str(error))
            yield Settle()
            seen.append((yield count))

        def other():
            yield Passive()
            yield Delay(2.2e-6)
            seen.append(("other", (yield count)))
            while True:
                yield Tick()
                seen.append(("tick", (yield count)))

        def bench():
            yield Tick()
            seen.append(("bench", (yield count)))
            yield given.eq(9)
            yield Delay(1e-6)
            seen.append(("bench", (yield given)))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sim = simulate(build, engine=engine)
            sim.add_sync_process(process)
            sim.add_process(other)
            sim.add_testbench(bench)
            sim.run()
        return seen

    seen, expected = scenario(WASMEngine), scenario(PySimEngine)
    # The order of processes that wake together is not defined.
    assert sorted(map(str, seen)) == sorted(map(str, expected))


def test_state():
    def scenario(engine):
        seen, count, total = [], Signal(8, init=250), Signal(9)
        memory = Memory(shape=4, depth=3, init=[1, 2])

        def build(m):
            m.submodules.memory = memory
            port = memory.write_port()
            m.d.comb += [port.en.eq(count == 253), port.addr.eq(2), port.data.eq(7), total.eq(count + 1)]
            m.d.sync += count.eq(count + 1)

        async def testbench(ctx):
            await ctx.tick().repeat(8)

        sim = simulate(build, testbench, engine=engine)
        state = sim._engine.state
        signal, rows = state.slots[state.get_signal(count)], state.slots[state.get_memory(memory.data)]
        assert state.slots[state.get_signal(total)].is_comb and not signal.is_comb
        assert signal.signal is count and rows.memory is memory.data
        state.add_signal_waker(count, lambda before, after: seen.append((before, after)) or after != 1)
        # Amaranth's own engine also calls it when a port could have written.
        state.add_memory_waker(memory.data, lambda: changed.append(rows.read(2)) or True)
        state.set_delay_waker(3_100_000_000, lambda: seen.append(("delay", signal.curr, rows.read(2), rows.read(9))))
        sim.run()
        signal.update(5, 15)
        rows.write(1, 15, 4)
        seen.append((signal.next, rows.read(1)))
        sim._engine.step_design()
        seen.append((signal.curr, rows.read(1)))
        return seen

    changed = []
    same(scenario)
    assert 7 in changed or 0 in changed


def test_engines_are_collected():
    async def testbench(ctx):
        async for _ in ctx.tick():
            pass

    sim = simulate(lambda m: None, testbench, engine=WASMEngine)
    sim.run_until(1e-5)
    gone = weakref.ref(sim._engine)
    del sim
    gc.collect()
    assert gone() is None


def test_clocks_that_nobody_watches():
    def scenario(engine):
        seen, slow, fast, both = [], Signal(32), Signal(32, init=1), Signal(32)

        def build(m):
            m.domains.down = ClockDomain("down", clk_edge="neg")
            m.d.sync += slow.eq(slow * 5 + fast)
            m.d.fast += fast.eq(fast * 3 + 1)
            m.d.down += both.eq(both + slow + fast)

        async def testbench(ctx):
            for delay in (1e-7, 150e-6, 33.3e-6, 71.2e-6):
                await ctx.delay(delay)
                seen.append([ctx.get(signal) for signal in (slow, fast, both)])
                seen.append(await ctx.tick("fast").sample(slow, fast, both))

        clocks = (("sync", 1e-6), ("fast", 0.3e-6), ("down", 0.7e-6))
        sim = simulate(build, testbench, engine=engine, clocks=clocks)
        sim.run()
        return seen, sim._engine.now

    same(scenario)


def test_a_long_run_takes_few_calls():
    count = Signal(32)

    def build(m):
        m.d.sync += count.eq(count + 1)

    async def testbench(ctx):
        await ctx.delay(1)
        assert ctx.get(count) == 1_000_000

    sim = simulate(build, testbench, engine=WASMEngine)
    sim.run()
    assert sim._engine._signals.calls < 1000


@pytest.mark.parametrize("clock", ["register", "logic", "gate"])
def test_ticks_of_a_computed_clock_see_values_from_before_it(clock):
    def scenario(engine):
        seen, count, slow, written = [], Signal(4), Signal(4, init=9), Signal(4)
        domain = ClockDomain("slow", reset_less=True, clk_edge="neg")

        def build(m):
            m.domains += domain
            m.d.sync += count.eq(count + 1)
            m.d.slow += slow.eq(count + written)
            if clock == "register":
                m.d.sync += domain.clk.eq(~domain.clk)
            else:
                m.d.comb += domain.clk.eq(count[0] if clock == "logic" else ClockSignal("sync") & written[0])

        async def loops(ctx):
            async for row in ctx.tick("slow").sample(count, slow):
                seen.append(("loops", row, ctx.get(slow)))

        async def waits(ctx):
            for value in (1, 3, 7, 5):
                ctx.set(written, value)
                row = await ctx.tick("slow").sample(count, slow)
                seen.append(("waits", row, ctx.get(slow)))
            seen.append(await ctx.tick("slow").sample(slow).until(slow[1]))

        async def process(ctx):
            async for *_, before in ctx.tick("slow").sample(slow):
                ctx.set(other, before)

        other = Signal(4)
        sim = simulate(build, loops, waits, engine=engine, processes=(process,))
        sim.run_until(20e-6)
        return seen

    same(scenario)
