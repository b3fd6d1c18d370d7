"""Clocks that the design computes: who waits for their ticks, and what comes together with the edge that moves them."""

import pytest
import torii_bench
from amaranth.hdl import ClockDomain, ClockSignal, Signal
from amaranth_bench import same, simulate


def divided(m, slow, how, count):
    """A domain whose clock is a register, logic of registers, or a gated clock whose gate is open; and a counter."""
    m.domains += slow
    m.d.sync += count.eq(count + 1)
    if how == "register":
        m.d.sync += slow.clk.eq(~slow.clk)
    elif how == "logic":
        m.d.comb += slow.clk.eq(count[1])
    else:
        m.d.comb += slow.clk.eq(ClockSignal("sync") & Signal(init=1))


def amaranth(how, *tasks):
    """Runs testbenches and processes, each a function of a context and the signals, under both engines."""

    def scenario(engine):
        slow, seen = ClockDomain("slow", reset_less=True), [[] for _ in tasks]
        signals = {name: Signal(8, name=name) for name in ("count", "given", "copy")}

        def build(m):
            divided(m, slow, how, signals["count"])
            m.d.slow += signals["copy"].eq(signals["copy"] + signals["given"] + 1)

        def started(number, task):
            async def run(ctx):
                await task(ctx, seen[number].append, **signals)

            return run

        runs = {task: started(number, task) for number, task in enumerate(tasks)}
        processes = [run for task, run in runs.items() if task.__name__.startswith("process")]
        testbenches = [run for task, run in runs.items() if not task.__name__.startswith("process")]
        simulate(build, *testbenches, engine=engine, processes=processes).run()
        return seen

    return same(scenario)


HOW = pytest.mark.parametrize("how", ("register", "logic", "gate"))


@HOW
@pytest.mark.parametrize("late", (False, True))
def test_ticks_of_both_clocks_at_one_time(how, late):
    """A process that waits for computed ticks, and a testbench that waits for those of the clock behind."""

    async def process(ctx, note, count, copy, **_):
        async for row in ctx.tick("slow").sample(count, copy):
            note(row)

    async def testbench(ctx, note, count, copy, **_):
        for _ in range(100):
            note(await ctx.tick().sample(count, copy))
            if late:
                note((ctx.get(count), ctx.get(copy)))

    assert amaranth(how, process, testbench)


@HOW
def test_several_count_the_ticks_of_one_clock(how):
    """Each is woken by its own tick: one of a number, one at which a condition holds, and each."""

    def counts(number):
        async def testbench(ctx, note, count, copy, **_):
            for _ in range(8):
                note(await ctx.tick("slow").sample(copy).repeat(number))
                note(ctx.get(count))

        return testbench

    async def until(ctx, note, count, copy, **_):
        for _ in range(8):
            note(await ctx.tick("slow").sample(count).until(copy[1]))

    async def each(ctx, note, copy, **_):
        for _ in range(40):
            note(await ctx.tick("slow").sample(copy))

    assert amaranth(how, counts(3), counts(4), until, each)


@HOW
def test_the_end_of_a_run_wakes_who_waits(how):
    """What happens at the last time happens before time goes on."""

    def scenario(engine):
        slow, count, times = ClockDomain("slow", reset_less=True), Signal(8), []

        def build(m):
            divided(m, slow, how, count)
            m.d.slow += Signal().eq(1)

        async def background(ctx):
            async for row in ctx.tick("slow").sample(count):
                times.append(row)

        for end in range(1, 24):
            sim = simulate(build, engine=engine)
            sim.add_testbench(background, background=True)
            sim.run_until(end * 0.25e-6)
            times.append(sim._engine.now)
            sim.run()
            times.append(sim._engine.now)
        return times

    same(scenario)


@pytest.mark.parametrize("waits", (False, True))
def test_what_a_process_writes_comes_with_the_edge_that_moves_a_clock(waits):
    """Registers of that clock, and who waits for its ticks, see it."""

    async def process(ctx, note, count, given, **_):
        async for _, _, now in ctx.tick().sample(count):
            ctx.set(given, now + 1)

    async def process_that_waits(ctx, note, given, copy, **_):
        async for row in ctx.tick("slow").sample(given, copy):
            note(row)

    async def testbench(ctx, note, count, given, copy):
        for _ in range(100):
            note(await ctx.tick().sample(count, copy, given))
            note((ctx.get(copy), ctx.get(given)))

    assert amaranth("register", *[process_that_waits] * waits, process, testbench)


@pytest.mark.parametrize("waits", (False, True))
def test_what_a_process_of_torii_writes_comes_with_the_edge_that_moves_a_clock(waits):
    from torii.hdl import ClockDomain, Signal
    from torii.sim import Passive, Settle, Tick

    def scenario(engine):
        slow, seen = ClockDomain("slow", reset_less=True), []
        given, copy, count = Signal(8), Signal(8), Signal(8)

        def build(m):
            divided(m, slow, "register", count)
            m.d.slow += copy.eq(copy + given + 1)

        def writes():
            yield Passive()
            while True:
                yield Tick("sync")
                yield given.eq((yield count) + 1)

        def looks():
            yield Passive()
            while True:
                yield Tick("slow")
                seen.append(((yield given), (yield copy)))

        def settles():
            for _ in range(100):
                yield Tick("sync")
                yield Settle()
                seen.append(((yield given), (yield copy), (yield count)))

        torii_bench.simulate(build, writes, *[looks] * waits, settles, engine=engine, sync=False).run()
        return seen

    assert torii_bench.same(scenario)


def test_what_a_testbench_writes_moves_a_clock():
    """It writes a register of a computed clock, and then what moves that clock, with no look in between."""

    def scenario(engine):
        slow, seen = ClockDomain("slow", reset_less=True), []
        given, other, copy = Signal(8), Signal(8), Signal(8)

        def build(m):
            m.domains += slow
            m.d.comb += slow.clk.eq(given[2])
            m.d.slow += copy.eq(copy + 3)
            m.d.sync += Signal(8, name="kept").eq(other)

        async def testbench(ctx):
            for i in range(60):
                ctx.set(other, i)
                ctx.set(copy, i)
                ctx.set(given, i)
                seen.append(ctx.get(copy))
                await ctx.tick()

        simulate(build, testbench, engine=engine).run()
        return seen

    same(scenario)
