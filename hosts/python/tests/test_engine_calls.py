"""How often the engines call the module: at most once for each process that is resumed."""

import pytest
from amaranth.sim.pysim import PySimEngine
from cpu_bench import amaranth, design, torii
from rtlwasm.amaranth import WASMEngine as AmaranthEngine
from rtlwasm.torii import WASMEngine as ToriiEngine

CYCLES = 1000


def run(framework, engine, how, cycles=CYCLES):
    """Runs the processor of the benchmark; the engine, and what the processor has come to."""
    cpu, seen = design(framework), []
    simulator = __import__(f"{framework}.sim", fromlist=["Simulator"]).Simulator
    sim = simulator(cpu, engine=engine)
    sim.add_clock(1e-6)
    {"amaranth": amaranth, "torii": torii}[framework](sim, cpu, cycles, how, seen)
    sim.run()
    return sim._engine, seen[-1]


@pytest.mark.parametrize("how", ("wait", "look", "write"))
@pytest.mark.parametrize(("framework", "engine"), (("amaranth", AmaranthEngine), ("torii", ToriiEngine)))
def test_one_call_for_each_resumed_process(framework, engine, how):
    made, result = run(framework, engine, how)
    # The first 64 steps look at every edge: somebody could ask for the time.
    assert made._signals.calls <= CYCLES + 64
    assert result == run(framework, "pysim", how)[1]


@pytest.mark.parametrize(("framework", "engine"), (("amaranth", AmaranthEngine), ("torii", ToriiEngine)))
def test_one_call_for_many_cycles(framework, engine):
    made, result = run(framework, engine, "run", 20_000)
    assert made._signals.calls <= 64 + 8
    assert made._signals.calls == run(framework, engine, "run", 10_000)[0]._signals.calls


@pytest.mark.parametrize("engine", (PySimEngine, AmaranthEngine))
@pytest.mark.parametrize("late", (False, True))
def test_waits_for_a_condition(engine, late):
    """A condition of the design, which holds seldom, often, or at once."""
    from amaranth.hdl import Signal
    from amaranth_bench import simulate

    count, seldom, often, looked = Signal(10), Signal(), Signal(), []

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += [seldom.eq(count == 1000), often.eq(count[0])]

    async def testbench(ctx):
        for condition in (seldom, often, often, seldom, ~often, seldom):
            (seen,) = await ctx.tick().sample(count).until(condition)
            looked.append((seen, ctx.get(count) if late else None))
        looked.append(await ctx.tick().sample(count, seldom).repeat(3000))

    sim = simulate(build, testbench, engine=engine)
    sim.run()
    first = [1000, 1001, 1003, 1000, 1002, 1000]
    assert looked[:-1] == [(seen, (seen + 1) % 1024 if late else None) for seen in first]
    assert looked[-1] == ((1000 + 3000) % 1024, 0)


@pytest.mark.parametrize(("often", "most"), ((0, 1), (1, 2), (5, 4)))
@pytest.mark.parametrize("late", (False, True))
def test_calls_of_a_wait_for_a_condition(often, most, late):
    """One that holds at every tick, every other, or every 32nd; machine code has been made before."""
    from amaranth.hdl import Signal
    from amaranth_bench import simulate

    count, holds, calls = Signal(10), Signal(), []

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += holds.eq(count[:often] == 0)

    async def testbench(ctx):
        await ctx.tick().repeat(5000)
        await ctx.tick().repeat(5000)
        for _ in range(300):
            await ctx.tick().until(holds)
            if late:
                ctx.get(count)
            calls.append(sim._engine._signals.calls)

    sim = simulate(build, testbench, engine=AmaranthEngine)
    sim._engine._signals.hurry()
    sim.run()
    assert calls[-1] - calls[50] <= 249 * most


@pytest.mark.parametrize(("framework", "engine"), (("amaranth", AmaranthEngine), ("torii", ToriiEngine)))
def test_run_until_takes_few_calls(framework, engine):
    """And it stops where the framework's own engine does."""

    def run(engine):
        cpu, seen = design(framework), []
        simulator = __import__(f"{framework}.sim", fromlist=["Simulator"]).Simulator
        sim = simulator(cpu, engine=engine)
        sim.add_clock(1e-6)
        for deadline in (100.2e-6, 400e-6, 750.7e-6, 3e-3):
            sim.run_until(deadline, **({"run_passive": True} if framework == "torii" else {}))
            seen.append(sim._engine.now)
        sim.advance()
        return [*seen, sim._engine.now], sim._engine

    seen, made = run(engine)
    assert seen == run("pysim")[0]
    assert made._signals.calls < 40
