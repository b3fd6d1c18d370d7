"""What `until` waits for: expressions of signals, rows, clocks, and of what the design does not know."""

import gc
import io

import pytest
from amaranth.hdl import Array, Cat, ClockDomain, ClockSignal, Const, MemoryData, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth_bench import Hurried, same, simulate
from rtlwasm.amaranth import WASMEngine
from vcd_reader import changes


@pytest.fixture(autouse=True)
def _no_waits_are_left():
    """Coroutines that still wait end with errors; not in the middle of something else."""
    yield
    gc.collect()


def test_a_design_that_is_compiled_again_goes_on_where_it_was():
    """Registers, rows, resets, latches in a few bits of a signal, computed clocks, at times between two edges, too."""

    def scenario(engine):
        count, latched, latch, slow = Signal(8), Signal(4), Signal(), ClockDomain("slow", reset_less=True)
        memory, given, ticks, seen = Memory(shape=8, depth=4, init=[1, 2, 3, 4]), Signal(4), Signal(8), []

        def build(m):
            m.domains += slow
            m.submodules.memory = memory
            write = memory.write_port()
            m.d.sync += count.eq(count + 1)
            m.d.slow += ticks.eq(ticks + 1)
            m.d.comb += [slow.clk.eq(count[1]), write.addr.eq(count), write.data.eq(ticks), write.en.eq(count[3])]
            m.d.comb += latched[1:3].eq((latched[1:3] | given[:2]) & ~given[2:])
            m.d.comb += [latched[0].eq(count[0]), latched[3].eq(latched[2] ^ count[3])]
            m.d.comb += latch.eq(Mux(count[6], count[5], latch))

        async def testbench(ctx):
            for turn in range(12):
                ctx.set(given, (1, 4, 2, 0, 8, 3)[turn % 6])
                ctx.set(given, 0)
                await ctx.tick().repeat(5)
                await ctx.delay(0.3e-6)
                # Another expression in every turn.
                await ctx.tick("slow" if turn & 1 else "sync").until(count[2:6] == turn)
                seen.append([ctx.get(each) for each in (count, latched, latch, ticks, slow.clk, *memory.data)])

        async def looks(ctx):
            async for row in ctx.tick().sample(latched, latch, memory.data[2]):
                seen.append(row)

        sim = simulate(build, testbench, engine=engine)
        sim.add_testbench(looks, background=True)
        sim.run()
        sim.reset()
        sim.run()
        return seen, sim._engine.now

    same(scenario)


@pytest.mark.filterwarnings("ignore")
def test_constants_that_differ():
    """Each wait has its own, whoever else waits for an expression that is written alike; after a reset, too."""

    def scenario(engine):
        count, given, seen = Signal(8), Signal(8), []

        def build(m):
            m.d.sync += count.eq(count + 1)

        def waits(name, step):
            async def testbench(ctx):
                same = Const(step, 4)
                for turn in range(20):
                    number = turn * step % 61
                    conditions = (
                        count[:6] == number,
                        (count[:6] > number) & (count[:6] < number + 3),
                        Cat(count[0], Const(turn & 1, 1)) == Cat(Const(turn >> 1 & 1, 1), turn & 1),
                        (count[:4] ^ same) == same,
                        Array([turn & 1, count[1], same[0]])[count[4:6]] & ~count[number % 4 + 2],
                        count.as_signed() < -number,
                        (count[:4] ^ given) == turn % 16,
                    )
                    seen.append((name, *await ctx.tick().sample(count).until(conditions[turn * step % 7])))

            return testbench

        async def write(ctx):
            for turn in range(1000):
                ctx.set(given, turn & 3)
                await ctx.delay(0.5e-6 if turn & 8 else 1.2e-6)

        benches = [waits(name, step) for name, step in (("a", 1), ("b", 3), ("c", 3), ("d", 12))]
        sim = simulate(build, *benches, engine=engine, processes=[write])
        sim.run_until(600e-6)
        sim.reset()
        sim.run_until(300e-6)
        return seen

    same(scenario)


@pytest.mark.parametrize("wait", (0.5e-6, 1e-6, 0.1e-6))
@pytest.mark.filterwarnings("ignore")
def test_writes_at_the_time_of_an_edge(wait):
    """The expression sees them; what logic makes of them comes later."""

    def scenario(engine):
        count, given, other, seen = Signal(8), Signal(8), Signal(8), []

        def build(m):
            m.d.sync += count.eq(count + 1 + given[7])

        async def one(ctx):
            for _ in range(60):
                seen.append(await ctx.tick().sample(count, other).until(count[:3] == other[:3]))

        async def two(ctx):
            for _ in range(60):
                seen.append(await ctx.tick().sample(count).until(given[:2] == count[:2]))

        async def write(ctx):
            await ctx.delay(0.5e-6)
            for turn in range(1, 400):
                ctx.set(other, turn * 5 >> 2)
                ctx.set(given, turn * 3 >> 3 & 127)
                await ctx.delay(wait)

        simulate(build, one, two, engine=engine, processes=[write]).run_until(400e-6)
        return seen

    same(scenario)


@pytest.mark.parametrize("kind", ("own", "other", "with_own", "with_other", "logic", "computed", "constant"))
@pytest.mark.filterwarnings("ignore")
def test_clocks_as_conditions(kind):
    """At its tick a clock is seen as it is after the edge, and what logic makes of it as it was before."""

    def scenario(engine):
        count, gated, seen = Signal(8), Signal(), []
        sync, other, slow = ClockDomain("sync"), ClockDomain("other"), ClockDomain("slow")

        def build(m):
            m.domains += [sync, other, slow]
            m.d.sync += count.eq(count + 1)
            m.d.comb += [gated.eq(ClockSignal("other") & count[0]), slow.clk.eq(count[1])]
            m.d.slow += Signal(name="unused").eq(1)

        condition = {
            "own": sync.clk,
            "other": other.clk,
            "with_own": sync.clk & count[0],
            "with_other": other.clk == count[0],
            "logic": gated | (count == 3),
            "computed": slow.clk ^ count[0],
            "constant": Const(0),
        }[kind]

        async def testbench(ctx):
            for turn in range(80):
                await ctx.tick("slow" if kind == "own" and turn & 1 else "sync").until(condition)
                seen.append(ctx.get(count))

        clocks = (("sync", 1e-6), ("other", 1.6e-6))
        simulate(build, testbench, engine=engine, clocks=clocks).run_until(200e-6)
        return seen

    same(scenario)


@pytest.mark.parametrize("loops", (False, True))
@pytest.mark.filterwarnings("ignore")
def test_recordings_of_a_design_that_is_compiled_again(loops):
    """They tell as much afterwards, also of what has become an input of the design."""

    def record(engine):
        count, logic, latch, given, file = Signal(10), Signal(4), Signal(), Signal(4), io.StringIO()
        memory, unknown = Memory(shape=70, depth=4, init=[1, 2]), MemoryData(shape=4, depth=2, init=[3])
        file.close = lambda: None

        def build(m):
            m.submodules.memory = memory
            write = memory.write_port()
            m.d.sync += count.eq(count + 1)
            m.d.comb += [logic.eq(count >> 2), write.addr.eq(count), write.data.eq(count << 60), write.en.eq(count[3])]
            if loops:
                m.d.comb += latch.eq((latch | count[4]) & ~count[5])

        async def testbench(ctx):
            for turn in range(50):
                await ctx.tick().until(Cat(count[:2], given) == Cat(Const(1, 2), unknown[1]))
                ctx.set(given, turn >> 2)
                ctx.set(memory.data[1], turn)
                await ctx.tick().until(memory.data[2][60:64] == count[:4] - 4)
                ctx.set(unknown[1], turn >> 2)

        sim = simulate(build, testbench, engine=engine)
        with sim.write_vcd(file, traces=[given, unknown, latch]):
            sim.run_until(2e-3)
        made = getattr(sim._engine, "_conditions", None)
        assert made is None or len(made.computed) == 2
        return changes(file.getvalue())

    from amaranth.sim.pysim import PySimEngine

    expected = record(PySimEngine)
    gc.collect()
    assert record(WASMEngine) == expected
    assert record(Hurried) == expected
