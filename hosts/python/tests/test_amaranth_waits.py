"""Every trigger of Amaranth's simulator, and who sees what when: the engine answers as Amaranth's own does."""

import contextlib

import pytest
from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Const,
    ResetSignal,
    Signal,
    signed,
)
from amaranth.sim import BrokenTrigger, DomainReset
from amaranth_bench import Given, counter, same, same_steps, simulate
from rtlwasm.amaranth import WASMEngine


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

    same_steps(scenario)


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


def test_delays_of_a_loop_begin_anew():
    def scenario(engine):
        seen, a = [], Signal(8)

        async def testbench(ctx):
            async for row in ctx.delay(2.5e-6).changed(a):
                seen.append((sim._engine.now, row))

        async def writes(ctx):
            for value in (1, 2, 3):
                await ctx.delay(2e-6)
                ctx.set(a, value)
            await ctx.delay(9e-6)

        sim = simulate(lambda m: None, testbench, engine=engine)
        sim.add_testbench(writes)
        sim.run_until(15e-6)
        return seen

    times = [time for time, _ in same(scenario)]
    assert [time // 10**8 for time in times] == [0, 20, 40, 60, 85, 110, 135]


@pytest.mark.parametrize("how", ["once", "repeat", "until"])
def test_reset_before_a_testbench_has_its_turn(how):
    """The testbench that comes first sets an asynchronous reset after the edge that the other one has waited for."""

    def scenario(engine):
        seen, count, reset = [], Signal(8), Signal()

        def build(m):
            m.domains.sync = ClockDomain(async_reset=True)
            m.d.comb += ResetSignal().eq(reset)
            m.d.sync += count.eq(count + 1)

        async def resets(ctx):
            for _ in range(2):
                await ctx.tick()
            ctx.set(reset, 1)
            await ctx.delay(0.2e-6)
            ctx.set(reset, 0)

        async def waits(ctx):
            ticks = ctx.tick().sample(count)
            if how == "once":
                await ticks
            try:
                seen.append(
                    await {
                        "once": lambda: ticks,
                        "repeat": lambda: ticks.repeat(5),
                        "until": lambda: ticks.until(count == 4),
                    }[how]()
                )
            except BrokenTrigger:
                seen.append(("broken", sim._engine.now))
            seen.append(await ticks.repeat(2))

        sim = simulate(build, resets, waits, engine=engine)
        sim.run_until(20e-6)
        return seen

    assert same(scenario)[0][0] == "broken"


def test_what_comes_with_a_tick():
    """A process writes at the time of an edge what ends a wait there: a condition, or the reset."""

    def scenario(engine):
        seen, bit, domain = [], Signal(), ClockDomain("sync")

        def build(m):
            m.domains.sync = domain
            m.d.sync += Signal().eq(bit)

        async def writes(ctx):
            for signal, value in ((bit, 1), (bit, 0), (domain.rst, 1)):
                await ctx.delay(3e-6)
                ctx.set(signal, value)

        async def until(ctx):
            for _ in range(5):
                try:
                    seen.append((await ctx.tick().sample(bit).until(bit), sim._engine.now))
                except DomainReset:
                    seen.append(("reset", sim._engine.now))

        async def repeat(ctx):
            try:
                await ctx.tick().repeat(20)
            except DomainReset:
                seen.append(("reset", sim._engine.now))

        sim = simulate(build, until, repeat, engine=engine, processes=[writes], clocks=())
        sim.add_clock(2e-6, phase=1e-6)
        sim.run()
        return seen

    same(scenario)


def test_a_written_register_has_changed_once():
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        async def watches(ctx):
            async for value in ctx.changed(count):
                seen.append((sim._engine.now, value))

        async def writes(ctx):
            await ctx.delay(2.2e-6)
            ctx.set(count, 40)

        sim = simulate(build, writes, watches, engine=engine)
        sim.run_until(4e-6)
        return seen

    assert [value for _, (value,) in same(scenario)] == [0, 1, 2, 40, 41, 42]


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


def test_an_edge_after_one_that_nobody_waits_for():
    """The other edge passes in a long run, and the one that is waited for comes in a step."""

    def scenario(engine):
        count, seen = Signal(16), []

        def build(m):
            m.d.sync += count.eq(count + 1)

        async def waits(ctx):
            for _ in range(6):
                await ctx.edge(count[7], 1)
                seen.append(ctx.get(count))

        async def disturbs(ctx):
            for _ in range(40):
                await ctx.delay(37.25e-6)
                await ctx.tick().repeat(3)

        sim = simulate(build, waits, disturbs, engine=engine)
        sim.run()
        return seen

    same(scenario)
