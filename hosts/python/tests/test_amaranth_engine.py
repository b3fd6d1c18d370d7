"""Every trigger, method and error of Amaranth's simulator: the engine answers as Amaranth's own does."""

import contextlib
import gc
import io
import random
import warnings
import weakref

import pytest
from amaranth.hdl import (
    Array,
    Assert,
    Assume,
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Cover,
    DomainRenamer,
    Elaboratable,
    EnableInserter,
    Format,
    Instance,
    Module,
    Mux,
    Print,
    ResetInserter,
    ResetSignal,
    Shape,
    Signal,
    signed,
)
from amaranth.hdl._ir import DriverConflict
from amaranth.hdl._mem import MemoryData
from amaranth.lib import data, enum
from amaranth.lib.memory import Memory
from amaranth.sim import BrokenTrigger, Delay, DomainReset, Passive, Settle, Simulator, Tick
from amaranth.sim._base import BaseEngine
from amaranth.sim.pysim import PySimEngine
from rtlwasm.amaranth import WASMEngine


class Given(Elaboratable):
    """A design from a function of its module."""

    def __init__(self, build):
        self.build = build

    def elaborate(self, platform):
        m = Module()
        self.build(m)
        return m


class Color(enum.Enum, shape=2):
    RED = 0
    GREEN = 1
    BLUE = 2


PAIR = data.StructLayout({"low": 4, "high": signed(6), "color": Color})


def same(scenario):
    """Runs a scenario, a function of an engine that returns what it saw, under both; returns what both saw."""
    expected, seen = scenario(PySimEngine), scenario(WASMEngine)
    assert seen == expected
    return seen


def simulate(build, *testbenches, engine, clocks=(("sync", 1e-6),), processes=()):
    """A simulator of a design with clocks, testbenches and processes."""

    def with_domains(m):
        build(m)
        for name, _ in clocks:
            m.d[name] += Signal(name=f"in_{name}").eq(1)

    sim = Simulator(Given(with_domains), engine=engine)
    for name, period in clocks:
        sim.add_clock(period, domain=name)
    for process in processes:
        sim.add_process(process)
    for testbench in testbenches:
        sim.add_testbench(testbench)
    return sim


def counter(m, count, enable):
    with m.If(enable):
        m.d.sync += count.eq(count + 1)


def test_is_an_engine():
    assert issubclass(WASMEngine, BaseEngine)


def test_tick_with_samples():
    def scenario(engine):
        seen, count, enable, sum_ = [], Signal(8), Signal(init=1), Signal(signed(9))

        def build(m):
            counter(m, count, enable)
            m.d.comb += sum_.eq(count - 20)

        async def testbench(ctx):
            for cycle in range(10):
                seen.append((ctx.get(count), ctx.get(sum_), ctx.get(count * sum_)))
                if cycle in (3, 6):
                    ctx.set(enable, cycle == 6)
                seen.append(await ctx.tick().sample(count, sum_, count + 1))
            seen.append(await ctx.tick().sample(count).sample(enable).repeat(4))
            seen.append(await ctx.tick().sample(count).until(count == 15))
            async for row in ctx.tick().sample(sum_):
                seen.append(row)
                if row[2] > 0:
                    break
            seen.append(ctx.get(count))

        sim = simulate(build, testbench, engine=engine)
        sim.run()
        return seen, sim._engine.now

    same(scenario)


def test_delays_changes_and_edges():
    def scenario(engine):
        seen, count, bit, other = [], Signal(8), Signal(), Signal(4)

        def build(m):
            m.d.sync += count.eq(count + 3)
            m.d.comb += bit.eq(count[3])

        async def delays(ctx):
            seen.append(("delay", await ctx.delay(2.6e-6).sample(count)))
            seen.append(("delay", await ctx.delay(0)))
            seen.append(("delay", await ctx.delay(1e-6).delay(0.4e-6).sample(count), sim._engine.now))

        async def changes(ctx):
            seen.append(("changed", await ctx.changed(count)))
            seen.append(("changed", await ctx.changed(count, bit)))
            async for value in ctx.changed(bit):
                seen.append(("loop", value, ctx.get(count)))
                if ctx.get(count) > 60:
                    break
            seen.append(("posedge", await ctx.posedge(bit).sample(count)))
            seen.append(("negedge", await ctx.negedge(count[3]).sample(count)))
            seen.append(("either", await ctx.edge(bit, 1).delay(0.2e-6).changed(other)))

        async def sets(ctx):
            await ctx.delay(0.1e-6)
            ctx.set(other, 3)
            seen.append(("set", await ctx.delay(30e-6).changed(other)))

        sim = simulate(build, delays, changes, sets, engine=engine)
        sim.run()
        return seen, sim._engine.now

    same(scenario)


def test_testbenches_run_in_order_and_see_each_other():
    def scenario(engine):
        seen, a, b = [], Signal(8), Signal(8)

        def build(m):
            m.d.comb += b.eq(a + 1)

        async def first(ctx):
            for value in range(5):
                await ctx.tick()
                ctx.set(a, value * 10)
                seen.append(("first", ctx.get(b)))

        async def second(ctx):
            for _ in range(5):
                await ctx.tick()
                seen.append(("second", ctx.get(b)))
                ctx.set(a, ctx.get(a) + 1)

        simulate(build, first, second, engine=engine).run()
        return seen

    same(scenario)


def test_processes_in_place_of_logic():
    def scenario(engine):
        seen, a, b, total, count = [], Signal(8), Signal(8), Signal(9), Signal(8)

        def build(m):
            m.d.sync += a.eq(a + 7)

        async def adder(ctx):
            async for x, y in ctx.changed(a, b):
                ctx.set(total, x + y)

        async def register(ctx):
            async for edge, reset, value in ctx.tick().sample(total):
                if reset:
                    ctx.set(count, 0)
                elif edge:
                    ctx.set(count, value // 2)

        async def testbench(ctx):
            for value in range(8):
                ctx.set(b, value * 5)
                seen.append((ctx.get(total), ctx.get(count)))
                await ctx.tick()
                seen.append((ctx.get(a), ctx.get(total), ctx.get(count)))

        simulate(build, testbench, engine=engine, processes=[adder, register]).run()
        return seen

    same(scenario)


def test_processes_may_not_look():
    def scenario(engine):
        count = Signal(8)

        async def process(ctx):
            await ctx.tick()
            ctx.get(count)

        sim = simulate(lambda m: None, engine=engine, processes=[process])
        with pytest.raises(TypeError) as caught:
            sim.run_until(1e-5)
        return str(caught.value)

    same(scenario)


def test_critical_and_background():
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        async def background(ctx):
            for _ in range(3):
                await ctx.tick()
            with ctx.critical():
                await ctx.tick().repeat(6)
                seen.append(ctx.get(count))
            while True:
                await ctx.tick()

        async def short(ctx):
            await ctx.tick().repeat(5)
            seen.append(ctx.get(count))

        sim = simulate(build, short, engine=engine)
        sim.add_testbench(background, background=True)
        while sim.advance():
            seen.append(sim._engine.now)
        return seen

    same(scenario)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_domain_reset_ends_waits(asynchronous):
    def scenario(engine):
        seen, count, reset = [], Signal(8, init=4), Signal()

        def build(m):
            m.domains.sync = ClockDomain(async_reset=asynchronous)
            m.d.comb += ResetSignal().eq(reset)
            m.d.sync += count.eq(count + 1)

        async def resets(ctx):
            for delay in (3.2e-6, 4.1e-6):
                await ctx.delay(delay)
                ctx.set(reset, 1)
                seen.append(("count", ctx.get(count)))
                await ctx.delay(1.4e-6)
                ctx.set(reset, 0)

        async def waits(ctx):
            with contextlib.suppress(DomainReset):
                await ctx.tick().repeat(10)
            seen.append(("repeat", ctx.get(count), sim._engine.now))
            await ctx.delay(2e-6)
            try:
                await ctx.tick().until(count == 100)
            except DomainReset:
                seen.append(("until", ctx.get(count), sim._engine.now))
            seen.append(await ctx.tick().sample(count))

        sim = simulate(build, resets, waits, engine=engine)
        sim.run()
        return seen

    same(scenario)


def test_broken_trigger():
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        async def testbench(ctx):
            try:
                async for _ in ctx.changed(count):
                    seen.append(ctx.get(count))
                    if ctx.get(count) == 3:
                        await ctx.delay(5e-6)
            except BrokenTrigger:
                seen.append("broken")
            await ctx.tick()
            seen.append(ctx.get(count))

        simulate(build, testbench, engine=engine).run()
        return seen

    assert "broken" in same(scenario)


def test_errors_of_triggers():
    elsewhere = Given(None)

    def scenario(engine):
        seen, count = [], Signal(8)

        async def testbench(ctx):
            def tried(make):
                try:
                    make()
                except (TypeError, ValueError, NameError) as error:
                    seen.append((type(error), str(error)))

            tried(lambda: ctx.tick("comb"))
            tried(lambda: ctx.tick("absent"))
            tried(lambda: ctx.tick(context=elsewhere))
            tried(lambda: ctx.delay(-1))
            tried(lambda: ctx.edge(Signal(2, name="two"), 1))
            tried(lambda: ctx.edge(Signal(name="one"), 2))
            tried(lambda: ctx.changed(Signal(name="one") + 1))
            tried(lambda: ctx.get(ClockSignal()))
            tried(lambda: ctx.set(Const(1, 2), 1))
            for make in (lambda: ctx.tick().repeat(0), lambda: ctx.tick().until("x")):
                try:
                    await make()
                except (TypeError, ValueError) as error:
                    seen.append((type(error), str(error)))
            ctx.get(count)

        simulate(lambda m: None, testbench, engine=engine).run()
        return seen

    assert len(same(scenario)) == 11


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


def test_only_triggers_can_be_awaited():
    class Odd:
        def __await__(self):
            yield self

        def initial_eligible(self):
            return False

    async def testbench(ctx):
        await Odd()

    sim = simulate(lambda m: None, testbench, engine=WASMEngine)
    with pytest.raises(TypeError, match="may only await simulation triggers"):
        sim.run()


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


@pytest.mark.parametrize("depth", [1, 2, 5, 8, 13])
def test_memories(depth):
    def scenario(engine):
        seen, rng = [], random.Random(depth)
        memory = Memory(shape=8, depth=depth, init=[rng.getrandbits(8) for _ in range(depth - 1)])

        def build(m):
            m.submodules.memory = memory

        writes = [memory.write_port(granularity=4), memory.write_port()]
        reads = [memory.read_port(), memory.read_port(transparent_for=writes), memory.read_port(domain="comb")]
        reads.append(memory.read_port(transparent_for=writes[:1]))

        async def testbench(ctx):
            for turn in range(60):
                for port in (*reads, *writes):
                    ctx.set(port.addr, rng.getrandbits(max(1, len(port.addr))))
                for port in writes:
                    ctx.set(port.data, rng.getrandbits(8))
                    ctx.set(port.en, rng.getrandbits(len(port.en)))
                for port in (reads[0], reads[1], reads[3]):
                    ctx.set(port.en, turn % 5 != 0)
                if turn % 7 == 3:
                    ctx.set(memory.data[turn % depth], turn)
                    ctx.set(memory.data[turn % depth][2:5], turn % 8)
                await ctx.tick()
                seen.append([ctx.get(port.data) for port in reads] + [ctx.get(row) for row in memory.data])

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


def test_memories_of_other_shapes_and_outside_of_the_design():
    def scenario(engine):
        seen = []
        pairs = Memory(shape=PAIR, depth=3, init=[{"low": 3, "high": -2, "color": Color.BLUE}])
        negative = Memory(shape=signed(7), depth=4, init=[-1, 5, -60])
        outside = MemoryData(shape=signed(70), depth=3, init=[-5, 1 << 68])

        def build(m):
            m.submodules.pairs, m.submodules.negative = pairs, negative
            m.d.comb += port.addr.eq(1)

        port = negative.read_port(domain="comb")
        pairs.read_port()

        async def testbench(ctx):
            seen.append([ctx.get(row) for row in negative.data] + [ctx.get(port.data)])
            seen.append([ctx.get(row) for row in outside])
            seen.append((ctx.get(pairs.data[0]).as_bits(), ctx.get(pairs.data[0].high), ctx.get(pairs.data[1].color)))
            ctx.set(pairs.data[1], {"low": 9, "high": 4, "color": Color.GREEN})
            ctx.set(pairs.data[0].high, -7)
            ctx.set(negative.data[1], -33)
            ctx.set(outside[2], -9)
            seen.append([ctx.get(row).as_bits() for row in pairs.data])
            seen.append((ctx.get(outside[2]), ctx.get(negative.data[1]), ctx.get(port.data)))

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


def test_values_with_shapes():
    def scenario(engine):
        seen, pair, color, out = [], Signal(PAIR), Signal(Color), Signal(PAIR)

        def build(m):
            m.d.sync += out.eq(pair)
            m.d.sync += out.color.eq(color)

        async def testbench(ctx):
            ctx.set(pair, {"low": 5, "high": -9, "color": Color.RED})
            ctx.set(color, Color.GREEN)
            seen.append(await ctx.tick().sample(pair, color, out.high))
            value = ctx.get(out)
            seen.append((value.low, value.high, value.color, ctx.get(color), ctx.get(out.high)))
            ctx.set(pair.high, 3)
            seen.append(await ctx.changed(out.as_value()))

        async def plain(ctx):
            seen.append(await ctx.changed(color))

        simulate(build, plain, testbench, engine=engine).run()
        return [tuple(map(str, row)) for row in seen]

    same(scenario)


def expressions(a, b, c, s):
    """Values of every operator, of signed and unsigned operands."""
    for x in (a, b, s):
        yield from (~x, -x, x.any(), x.all(), x.xor(), x.bool(), x[0], x[1:3], x[-1], Cat(x, x), x.rotate_left(2))
        yield from (x.as_signed(), x.as_unsigned(), abs(x), x.shift_left(2), x.shift_right(1), x << c, x >> c)
        yield from (x.bit_select(c, 2), x.word_select(c, 3), Mux(c, x, s), Array([a, b, s, x])[c], x.replicate(3))
        yield from (x.matches(1, 2), x.matches("1" + "-" * (len(x) - 1)), x.implies(c))
        for y in (a, b, s):
            yield from (x + y, x - y, x * y, x & y, x | y, x ^ y, x // y, x % y)
            yield from (x == y, x != y, x < y, x <= y, x > y, x >= y)


WIDTHS = [(1, 1, 1), (8, 3, 5), (16, 16, 16), (32, 31, 33), (64, 64, 64), (64, 65, 63), (100, 70, 130)]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_expressions_of_the_design_and_of_testbenches(widths):
    def scenario(engine):
        seen, rng = [], random.Random(str(widths))
        a, b, s = Signal(widths[0]), Signal(widths[1]), Signal(signed(widths[2]))
        c = Signal(2)
        exprs = list(expressions(a, b, c, s))
        results = [Signal(Shape.cast(value.shape()), name=f"r{i}") for i, value in enumerate(exprs)]

        def build(m):
            m.d.comb += [result.eq(value) for result, value in zip(results, exprs, strict=True)]

        async def testbench(ctx):
            for turn in range(6):
                for signal in (a, b, s):
                    value = rng.getrandbits(len(signal))
                    ctx.set(signal, [0, -1, value, value, value >> len(signal) // 2, 1][turn])
                ctx.set(c, turn % 4)
                for i, (result, value) in enumerate(zip(results, exprs, strict=True)):
                    seen.append((turn, i, ctx.get(result), ctx.get(value)))

        simulate(build, testbench, engine=engine, clocks=()).run()
        return seen

    same(scenario)


def targets(a, s, c, i):
    """What can be assigned to."""
    yield from (a, s, a[2:5], a[0], a[-3:], s[1:], Cat(a[0:3], s, a[3:]), s.as_unsigned(), a.as_signed())
    yield from (a.bit_select(c, 3), a.word_select(c, 2), s.bit_select(i, 2), Array([a, s])[c[0]], Array([a, s, a])[c])
    yield from (Array([a[0:4], s])[i], Cat(a, s).bit_select(i, 5), Cat(a, s)[3:].word_select(i, 3))
    yield Cat(Array([a, s])[c], a[0:2])


@pytest.mark.parametrize("number", range(18))
def test_assignments_of_the_design_and_of_testbenches(number):
    def scenario(engine):
        seen, rng = [], random.Random(number)
        a, s, c, i, value = Signal(8, init=0x5A), Signal(signed(9), init=-3), Signal(2), Signal(3), Signal(signed(11))
        comb, sync = Signal(8, init=0x33), Signal(signed(9), init=5)
        q, t = Signal(8, init=0x0F), Signal(signed(9), init=-1)

        def build(m):
            m.d.sync += q.eq(q + 1)
            m.d.comb += list(targets(comb, sync, c, i))[number].eq(value)
            m.d.sync += list(targets(q, t, c, i))[number].eq(value)

        async def testbench(ctx):
            for _ in range(12):
                for signal in (c, i, value):
                    ctx.set(signal, rng.getrandbits(len(signal)))
                await ctx.tick()
                left = list(targets(a, s, c, i))[number]
                # Amaranth's own engine writes beyond the end of a slice that is narrower than what it stands for.
                if number != 14:
                    ctx.set(left, rng.getrandbits(len(left)))
                ctx.set(a[7], 1)
                seen.append([ctx.get(signal) for signal in (a, s, comb, sync, q, t)])

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


def test_bits_of_a_signal_with_several_drivers():
    def scenario(engine):
        seen, mixed, given = [], Signal(signed(12), init=-1), Signal(3)

        def build(m):
            m.submodules.low = Given(low)
            m.d.comb += mixed[3:6].eq(given)
            m.d.other += mixed[8:10].eq(mixed[8:10] + 1)

        def low(m):
            m.d.sync += mixed[0:3].eq(mixed[0:3] + 1)

        async def testbench(ctx):
            for turn in range(10):
                ctx.set(given, turn % 8)
                seen.append(ctx.get(mixed))
                await ctx.tick()

        simulate(build, testbench, engine=engine, clocks=(("sync", 1e-6), ("other", 0.7e-6))).run()
        return seen

    same(scenario)


def test_domains_edges_and_phases():
    def scenario(engine):
        seen, signals = [], [Signal(8, name=f"count{i}") for i in range(4)]

        def build(m):
            m.domains += [ClockDomain("fast"), ClockDomain("down", clk_edge="neg")]
            m.domains.bare = ClockDomain(reset_less=True)
            for name, signal in zip(("sync", "fast", "down", "bare"), signals, strict=True):
                m.d[name] += signal.eq(signal + 1 + signals[0])

        def in_domain(name):
            async def testbench(ctx):
                for _ in range(12):
                    row = await ctx.tick(name).sample(*signals)
                    seen.append((name, row, [ctx.get(signal) for signal in signals], sim._engine.now))

            return testbench

        names = ("sync", "fast", "down", "bare")
        benches = [in_domain(name) for name in names]
        sim = simulate(build, *benches, engine=engine, clocks=(("sync", 1e-6), ("fast", 0.3e-6), ("down", 0.5e-6)))
        sim.add_clock(0.7e-6, phase=0.1e-6, domain="bare")
        sim.run()
        return seen

    same(scenario)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_resets(asynchronous):
    def scenario(engine):
        seen, count, kept, reset = [], Signal(8, init=5), Signal(8, init=1, reset_less=True), Signal()

        def build(m):
            m.domains.sync = ClockDomain(async_reset=asynchronous)
            m.d.comb += ResetSignal().eq(reset)
            m.d.sync += count.eq(count + 1)
            if not asynchronous:
                m.d.sync += kept.eq(kept + 1)

        async def testbench(ctx):
            for turn in range(12):
                ctx.set(reset, turn in (4, 5, 8))
                seen.append((ctx.get(count), turn))
                await ctx.delay(0.3e-6)
                seen.append((await ctx.tick().sample(count, kept), turn))

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


def test_inserters_and_renamed_domain():
    def scenario(engine):
        seen, count, clear, enable, second = [], Signal(8, init=5), Signal(), Signal(), Signal(16, init=2)

        def build(m):
            m.submodules.inner = ResetInserter(clear)(DomainRenamer("other")(Given(inner)))
            m.submodules.again = DomainRenamer("other")(EnableInserter(enable)(Given(again)))

        def inner(m):
            m.d.sync += count.eq(count + 3)

        def again(m):
            m.d.sync += second.eq(second + count)

        async def testbench(ctx):
            for turn in range(12):
                ctx.set(clear, turn in (3, 9))
                ctx.set(enable, turn % 3 != 0)
                await ctx.tick("other")
                seen.append((ctx.get(count), ctx.get(second)))

        simulate(build, testbench, engine=engine, clocks=[("other", 1e-6)]).run()
        return seen

    same(scenario)


def test_testbench_drives_a_clock_by_hand():
    def scenario(engine):
        seen, count, domain = [], Signal(8), ClockDomain("sync")

        def build(m):
            m.domains.sync = domain
            m.d.sync += count.eq(count + 1)

        async def testbench(ctx):
            for _ in range(5):
                ctx.set(domain.clk, 1)
                seen.append(ctx.get(count))
                ctx.set(domain.clk, 0)
                await ctx.delay(1e-9)

        async def ticks(ctx):
            for _ in range(4):
                seen.append(("tick", await ctx.tick().sample(count), ctx.get(count)))

        simulate(build, ticks, testbench, engine=engine, clocks=()).run()
        return seen

    same(scenario)


def test_divided_clock():
    def scenario(engine):
        seen, half, count = [], Signal(), Signal(8)

        def build(m):
            m.domains.slow = ClockDomain(reset_less=True)
            m.d.sync += half.eq(~half)
            m.d.comb += ClockSignal("slow").eq(half)
            m.d.slow += count.eq(count + 1)

        async def testbench(ctx):
            for _ in range(10):
                await ctx.tick()
                seen.append((ctx.get(half), ctx.get(count)))

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


def test_instances_are_ignored():
    def scenario(engine):
        seen, out, count = [], Signal(8, init=3), Signal(8)

        def build(m):
            m.submodules.box = Instance("box", i_a=count, o_y=out)
            m.d.sync += count.eq(count + out)

        async def testbench(ctx):
            for _ in range(3):
                await ctx.tick()
                seen.append(ctx.get(count))

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


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


def test_many_signals_and_writes():
    def scenario(engine):
        signals, total = [Signal(4, name=f"s{i}") for i in range(9000)], Signal(16)

        def build(m):
            for before, after in zip(signals, signals[1:], strict=False):
                m.d.sync += after.eq(before)
            m.d.comb += total.eq(signals[-1] + signals[-2])

        async def testbench(ctx):
            for value in range(12000 if engine is WASMEngine else 20):
                ctx.set(signals[0], value % 16)
            ctx.set(signals[-1], 7)
            await ctx.tick()
            ctx.set(signals[-1], 9)
            return seen.append(ctx.get(total))

        seen = []
        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)


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
