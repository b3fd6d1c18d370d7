"""What a design can hold, in Amaranth: the engine answers as Amaranth's own does."""

import random

import amaranth.hdl
import pytest
from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    EnableInserter,
    Instance,
    ResetInserter,
    ResetSignal,
    Shape,
    Signal,
    signed,
)
from amaranth.hdl._mem import MemoryData
from amaranth.lib.memory import Memory
from amaranth_bench import PAIR, Color, Given, same, simulate
from operators import TARGETS, WIDTHS, expressions, nest, targets
from rtlwasm.amaranth import WASMEngine


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


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_expressions_of_the_design_and_of_testbenches(widths):
    def scenario(engine):
        seen, rng = [], random.Random(str(widths))
        a, b, s = Signal(widths[0]), Signal(widths[1]), Signal(signed(widths[2]))
        c = Signal(2)
        exprs = list(expressions(amaranth.hdl, a, b, c, s))
        for x in (a, b, s):
            exprs += [x.matches(1, 2), x.matches("1" + "-" * (len(x) - 1)), x.implies(c)]
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


@pytest.mark.parametrize("number", range(TARGETS))
def test_assignments_of_the_design_and_of_testbenches(number):
    def scenario(engine):
        seen, rng = [], random.Random(number)
        a, s, c, i, value = Signal(8, init=0x5A), Signal(signed(9), init=-3), Signal(2), Signal(3), Signal(signed(11))
        comb, sync = Signal(8, init=0x33), Signal(signed(9), init=5)
        q, t = Signal(8, init=0x0F), Signal(signed(9), init=-1)

        def build(m):
            m.d.sync += q.eq(q + 1)
            m.d.comb += list(targets(amaranth.hdl, comb, sync, c, i))[number].eq(value)
            m.d.sync += list(targets(amaranth.hdl, q, t, c, i))[number].eq(value)

        async def testbench(ctx):
            for _ in range(12):
                for signal in (c, i, value):
                    ctx.set(signal, rng.getrandbits(len(signal)))
                await ctx.tick()
                left = list(targets(amaranth.hdl, a, s, c, i))[number]
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


def test_loops_remember_what_their_signals_were():
    """Inputs of a loop that fall together: what an expression in it was before counts no more."""

    def scenario(engine):
        rng, seen = random.Random(5), []
        sets, resets, load, data = Signal(4), Signal(4), Signal(), Signal(8)
        latch, muxed, chosen = Signal(4), Signal(8), Signal(8)

        def build(m):
            m.d.comb += latch.eq((latch | sets) & ~resets)
            m.d.comb += muxed.eq(amaranth.hdl.Mux(resets[0], 0, amaranth.hdl.Mux(load, data, muxed)))
            m.d.comb += chosen.eq(chosen)
            with m.If(load):
                m.d.comb += chosen.eq(data)
            with m.If(resets[1]):
                m.d.comb += chosen.eq(0)

        async def process(ctx):
            async for _ in ctx.tick():
                for signal in (sets, resets, load, data):
                    ctx.set(signal, rng.getrandbits(len(signal)))

        async def testbench(ctx):
            for _ in range(200):
                await ctx.tick()
                seen.append([ctx.get(signal) for signal in (latch, muxed, chosen)])

        simulate(build, testbench, engine=engine, processes=[process]).run()
        return seen

    same(scenario)


def test_statements_nest_and_later_ones_win():
    def scenario(engine):
        seen, rng = [], random.Random(5)
        a, b, out, held = Signal(4), Signal(4), Signal(8, init=1), Signal(8, init=9)

        def build(m):
            nest(amaranth.hdl, m, a, b, out, held)

        async def testbench(ctx):
            for _ in range(200):
                ctx.set(a, rng.getrandbits(4))
                ctx.set(b, rng.getrandbits(4))
                seen.append(ctx.get(out))
                await ctx.tick()
                seen.append(ctx.get(held))

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)
