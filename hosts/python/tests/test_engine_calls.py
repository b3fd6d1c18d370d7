"""How often the engines call the module: at most once for each process that is resumed."""

import gc
import io

import pytest
from amaranth.sim.pysim import PySimEngine
from cpu_bench import amaranth, design, torii
from rtlwasm.amaranth import WASMEngine as AmaranthEngine
from rtlwasm.torii import WASMEngine as ToriiEngine
from vcd_reader import changes

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


def record(framework, engine, how, cycles):
    """The same while a waveform is written: the engine, and what is in the file."""
    cpu, seen, file = design(framework), [], io.StringIO()
    file.close = lambda: None
    simulator = __import__(f"{framework}.sim", fromlist=["Simulator"]).Simulator
    sim = simulator(cpu, engine=engine)
    sim.add_clock(1e-6)
    {"amaranth": amaranth, "torii": torii}[framework](sim, cpu, cycles, how, seen)
    with sim.write_vcd(file, **({"traces": ()} if framework == "torii" else {})):
        sim.run()
    return sim._engine, changes(file.getvalue())


@pytest.mark.parametrize("how", ("run", "wait", "look", "write"))
@pytest.mark.parametrize(("framework", "engine"), (("amaranth", AmaranthEngine), ("torii", ToriiEngine)))
def test_recordings_take_no_more_calls(framework, engine, how):
    made, seen = record(framework, engine, how, 400)
    assert made._signals.calls <= (8 if how == "run" else 400) + 64
    assert seen == record(framework, "pysim", how, 400)[1]


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


FIRST = 140
"""Calls before the engine knows what a simulation does: it looks at every edge, and then asks for what is worth it."""


SOME = 8
"""The same of an engine that is to hurry."""


def counted(
    build, testbench, engine=AmaranthEngine, processes=(), clocks=(("sync", 1e-6),), hurry=False, background=()
):
    """Runs a testbench, a function of a context and of what to call for each time that is counted; how often that was,
    and the calls of the module meanwhile. Those in the background may be cut short."""
    from amaranth_bench import simulate

    turns = [0]

    def turn():
        turns[0] += 1

    async def bench(ctx):
        await testbench(ctx, turn)

    def given(process):
        async def run(ctx):
            await process(ctx, turn)

        return run

    made = [given(process) for process in processes]
    sim = simulate(build, bench, engine=engine, processes=made, clocks=clocks)
    if hurry and engine is AmaranthEngine:
        sim._engine._signals.hurry()
    for each in background:
        sim.add_testbench(given(each), background=True)
    sim.run()
    return turns[0], getattr(sim._engine, "_signals", None) and sim._engine._signals.calls


def few(build, testbench, **options):
    """No more calls than turns, and turns as often as under Amaranth's own engine."""
    turns, calls = counted(build, testbench, **options)
    assert turns == counted(build, testbench, PySimEngine, **options)[0]
    assert calls <= turns + FIRST, (calls, turns)


@pytest.mark.parametrize("often", (0, 1, 5))
@pytest.mark.parametrize("late", (False, True))
@pytest.mark.parametrize("kind", ("bit", "wide", "computed", "chosen", "with_sample"))
def test_one_call_for_a_wait_for_a_condition(often, late, kind):
    """One that holds at every tick, every other, or every 32nd."""
    from amaranth.hdl import Array, Mux, Signal

    count, holds, wide = Signal(10), Signal(), Signal(70)

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += [holds.eq(count[:often] == 0), wide.eq(holds << 69)]

    async def testbench(ctx, turn):
        zero = count[:often] == 0
        chosen = Mux(zero, Array([count == 1, 1])[zero], count.bit_select(zero + 9, 1) & 0)
        condition = {"wide": wide, "computed": zero, "chosen": chosen}.get(kind, holds)
        for _ in range(600):
            if kind == "with_sample":
                await ctx.tick().sample(count, count + 1).until(condition)
            else:
                await ctx.tick().until(condition)
            if late:
                ctx.get(count)
            turn()

    few(build, testbench)


@pytest.mark.parametrize("loops", (False, True))
@pytest.mark.parametrize("kind", ("row", "rows", "unknown", "unknown_row", "nothing_else", "loop"))
def test_one_call_for_a_wait_for_an_expression_of_anything(kind, loops):
    """Rows of memories, what the design does not know, and in designs with loops all of it."""
    from amaranth.hdl import MemoryData, Signal
    from amaranth.lib.memory import Memory

    count, latched, given, flag = Signal(12), Signal(4), Signal(4, init=3), Signal()
    memories, unknown = [], MemoryData(shape=4, depth=3, init=[1, 2])

    def build(m):
        # Each simulation has a memory of its own.
        m.submodules.memory = memory = Memory(shape=70, depth=4, init=[1, 2, 3, 4])
        memories.append(memory.data)
        write = memory.write_port()
        m.d.sync += count.eq(count + 1)
        m.d.comb += [write.addr.eq(count), write.data.eq(count << 56), write.en.eq(count[2:5] == 0)]
        if loops:
            m.d.comb += latched[1:3].eq((latched[1:3] | count[4:6]) & ~count[7:9])
            m.d.comb += [latched[0].eq(count[0]), latched[3].eq(latched[2] ^ count[3])]

    async def testbench(ctx, turn):
        rows = memories[-1]
        conditions = {
            "row": rows[3][56:62] == 35,
            "rows": rows[1][:57] > rows[2],
            "unknown": count[:4] == given,
            "unknown_row": (count[:5] ^ unknown[2]) == 5,
            "nothing_else": flag | (given == 20),
            "loop": latched == (5 if loops else 0),
        }
        for i in range(300):
            await ctx.tick().until(conditions[kind])
            turn()
            ctx.set(unknown[2], i)

    async def react(ctx, turn):
        for i in range(300):
            await ctx.tick().repeat(13)
            turn()
            ctx.set(given, i >> 1)
            ctx.set(flag, i % 3 == 2)

    async def waits(ctx, turn):
        await ctx.delay(10e-3)

    few(build, waits, processes=(react,), background=(testbench,))


@pytest.mark.parametrize("loops", (False, True))
def test_one_call_for_waits_with_other_constants_each_time(loops):
    """In two testbenches at once, for the same or another number."""
    from amaranth.hdl import Signal

    count, latch = Signal(12), Signal()

    def build(m):
        m.d.sync += count.eq(count + 1)
        if loops:
            m.d.comb += latch.eq((latch | count[4]) & ~count[5])

    def waits(step):
        async def testbench(ctx, turn):
            for i in range(300):
                # Numbers of every width.
                await ctx.tick().until((count[:7] == i * step % 128) & (count[3:] != 0))
                turn()

        return testbench

    async def idle(ctx, turn):
        await ctx.delay(20e-3)

    few(build, idle, background=(waits(5), waits(15)))


@pytest.mark.parametrize("late", (False, True))
@pytest.mark.parametrize("process", (False, True))
def test_one_call_for_ticks_that_are_counted_where_the_design_resets(late, process):
    """And one for a wait that such a reset ends."""
    from amaranth.hdl import ClockDomain, Signal
    from amaranth.sim import DomainReset

    count, other, copy = Signal(16), Signal(16), Signal(16)

    def build(m):
        m.domains.other = domain = ClockDomain()
        m.d.comb += domain.rst.eq(count[:8] == 200)
        m.d.sync += count.eq(count + 1)
        m.d.other += other.eq(other + 1)

    async def react(ctx, turn):
        for i in range(300):
            try:
                ticks = ctx.tick("other") if process else ctx.tick("other").sample(other)
                row = await ticks.repeat(9 + i % 7)
            except DomainReset:
                row = [0]
            turn()
            ctx.set(copy, sum(row) + i)
            if late and not process:
                ctx.get(other)

    async def idle(ctx, turn):
        await ctx.delay(5e-3)

    clocks = (("sync", 1e-6), ("other", 1e-6))
    few(build, idle if process else react, processes=(react,) if process else (), clocks=clocks)


@pytest.mark.parametrize("late", (False, True))
def test_one_call_for_a_long_wait_for_a_condition(late):
    """The module runs all its cycles without a look at each edge, and the edge at the end."""
    from amaranth.hdl import Signal

    count, holds = Signal(10), Signal()

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += holds.eq(count == 0)

    async def testbench(ctx, turn):
        for _ in range(60):
            (seen,) = await ctx.tick().sample(count).until(holds)
            assert seen == 0
            assert not late or ctx.get(count) == 1
            turn()

    few(build, testbench)


@pytest.mark.parametrize("edge", ("pos", "neg"))
@pytest.mark.parametrize("disturbed", (False, True))
def test_what_long_waits_see(edge, disturbed):
    """Rows, wide signals and inputs, sampled at their end; what comes in between; a condition that begins at a fall."""
    from amaranth.hdl import ClockDomain, Signal
    from amaranth.lib.memory import Memory
    from amaranth_bench import simulate

    def run(engine):
        count, wide, given, holds, fell, seen = Signal(9), Signal(90), Signal(4), Signal(), Signal(), []
        memory = Memory(shape=70, depth=4, init=[1, 2, 3, 4])

        def build(m):
            m.submodules.memory = memory
            sync, fall = ClockDomain("sync"), ClockDomain("fall", clk_edge="neg", reset_less=True)
            fall.clk = sync.clk
            m.domains += [sync, fall]
            write = memory.write_port()
            m.d.comb += holds.eq(fell if edge == "neg" else count == 4)
            m.d.sync += [count.eq(count + 1), wide.eq(wide * 5 + given)]
            m.d.comb += [write.addr.eq(count), write.data.eq(wide), write.en.eq(1)]
            if edge == "neg":
                m.d.fall += fell.eq(count == 4)

        async def testbench(ctx):
            for i in range(24):
                ctx.set(given, i)
                seen.append(await ctx.tick().sample(count, wide, given, memory.data[2]).until(holds))
                if i > 3:
                    seen.append((ctx.get(count), ctx.get(wide), ctx.get(memory.data[2]), ctx.get(holds)))

        async def disturbs(ctx):
            for i in range(20):
                await ctx.delay(450.75e-6 + i * 1e-6 / 3)
                ctx.set(given, i)

        benches = [testbench, disturbs] if disturbed else [testbench]
        sim = simulate(build, *benches, engine=engine)
        sim.run()
        return seen, sim._engine.now

    assert run(AmaranthEngine) == run(PySimEngine)


@pytest.mark.parametrize("sampled", (0, 1, 2))
def test_one_call_for_what_is_sampled_and_read(sampled):
    from amaranth.hdl import Signal

    count, double, written = Signal(10), Signal(10), Signal(4)

    def build(m):
        m.d.sync += count.eq(count + written + 1)
        m.d.comb += double.eq(count * 2)

    async def testbench(ctx, turn):
        seen = 0
        for i in range(600):
            ctx.set(written, i & 3)
            before = await ctx.tick().sample(*(double, count + double)[:sampled])
            assert before[2:] == ((2 * seen) & 1023, seen + ((2 * seen) & 1023))[:sampled]
            seen = ctx.get(count)
            turn()

    few(build, testbench)


@pytest.mark.parametrize("kind", ("register", "logic", "edge", "several"))
@pytest.mark.parametrize("process", (False, True))
def test_one_call_for_a_wait_for_a_change(kind, process):
    """Of a register, of logic, an edge of a bit; for a testbench, and for a process that writes what it sees."""
    from amaranth.hdl import Signal

    count, high, wide, copy = Signal(16), Signal(4), Signal(100), Signal(100)

    def build(m):
        m.d.sync += [count.eq(count + 1), high.eq(count[8:])]
        m.d.comb += wide.eq(count[5:] << 80)

    def waits(ctx):
        if kind == "register":
            return ctx.changed(high)
        if kind == "logic":
            return ctx.changed(wide)
        if kind == "edge":
            return ctx.edge(count[6], 1)
        return ctx.changed(high).edge(count[7], 0).edge(count[5], 1)

    async def react(ctx, turn):
        for _ in range(300):
            row = await waits(ctx).sample(wide)
            turn()
            ctx.set(copy, row[-1])

    async def watch(ctx, turn):
        await ctx.delay(5e-3)

    few(build, watch if process else react, processes=(react,) if process else ())


def test_changes_beside_ticks():
    """Somebody is resumed by each tick, somebody else by changes."""
    from amaranth.hdl import Signal

    count, high, copy = Signal(16), Signal(8), Signal(8)

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += high.eq(count[5:])

    async def react(ctx, turn):
        async for (value,) in ctx.changed(high):
            ctx.set(copy, value)
            turn()

    async def bench(ctx, turn):
        for _ in range(500):
            await ctx.tick()
            assert ctx.get(copy) == ctx.get(high)
            turn()

    few(build, bench, processes=(react,))


@pytest.mark.parametrize("kind", ("print", "print_logic", "assert", "loop", "computed", "derived"))
@pytest.mark.parametrize("write", (False, True))
def test_one_call_with_designs_of_every_kind(kind, write, capsys):
    """Designs that tell something, with loops, and with clocks that they compute."""
    from amaranth.hdl import Assert, ClockDomain, ClockSignal, Format, Print, Signal

    count, other, given = Signal(16), Signal(16), Signal(4)
    set_, reset, latch = Signal(), Signal(), Signal()

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += [set_.eq((count[:5] == 3) & given[0]), reset.eq(count[:5] == 20)]
        if kind == "print":
            m.d.sync += Print(Format("{}", count))
        elif kind == "print_logic":
            m.d.comb += Print(Format("{}", count[4:]))
        elif kind == "assert":
            m.d.sync += Assert(count < 10_000)
        elif kind == "loop":
            m.d.comb += latch.eq((latch | set_) & ~reset)
        else:
            m.domains += ClockDomain("slow")
            m.d.comb += ClockSignal("slow").eq(count[2] if kind == "derived" else count[2] & given[1])
            m.d.slow += other.eq(other + 1)

    async def testbench(ctx, turn):
        for i in range(500):
            if write:
                ctx.set(given, i >> 3)
            await ctx.tick()
            turn()
            print(ctx.get(count), ctx.get(other), ctx.get(latch))
        await ctx.tick().repeat(3000)
        turn()

    if kind == "print_logic" and write:
        # What is written may be told at once.
        turns, calls = counted(build, testbench)
        assert calls <= turns + 500 / 8 + FIRST
    else:
        turns, calls = counted(build, testbench)
        assert calls <= turns + FIRST, (calls, turns)
    told = capsys.readouterr().out
    counted(build, testbench, PySimEngine)
    # Amaranth's own engine tells it each time that logic is computed.
    assert kind == "print_logic" or told == capsys.readouterr().out


def slow_clock(m, kind, count):
    """A domain whose clock the design computes."""
    from amaranth.hdl import ClockDomain, ClockSignal, Signal

    m.domains += ClockDomain("slow", reset_less=True)
    if kind == "register":
        m.d.sync += ClockSignal("slow").eq(~ClockSignal("slow"))
    else:
        m.d.comb += ClockSignal("slow").eq(count[1] if kind == "divider" else Signal(init=1) & ClockSignal("sync"))


@pytest.mark.parametrize("kind", ("register", "divider", "gate"))
@pytest.mark.parametrize("wait", ("tick", "read", "sample", "repeat", "until", "expression", "both"))
def test_one_call_for_a_wait_for_a_computed_clock(kind, wait):
    from amaranth.hdl import Signal

    count, other, holds = Signal(16), Signal(16), Signal()

    def build(m):
        m.d.sync += count.eq(count + 1)
        slow_clock(m, kind, count)
        m.d.slow += other.eq(other + 3)
        m.d.comb += holds.eq(other[:3] == 1)

    async def testbench(ctx, turn):
        for _ in range(400):
            if wait == "repeat":
                await ctx.tick("slow").repeat(7)
            elif wait in ("until", "expression"):
                await ctx.tick("slow").until(holds if wait == "until" else other[:5] == 5)
            else:
                await ctx.tick("slow").sample(*[other] * (wait != "tick"))
            turn()
            if wait == "both":
                await ctx.tick().sample(count, other)
                turn()
            elif wait != "tick":
                ctx.get(other)

    few(build, testbench)


@pytest.mark.parametrize("kind", ("register", "divider", "gate"))
def test_one_call_for_each_of_several_that_wait_for_computed_clocks(kind):
    """A process that writes at each tick, a testbench that waits for the same, and one for the clock behind."""
    from amaranth.hdl import Signal

    count, other, given = Signal(16), Signal(16), Signal(16)

    def build(m):
        m.d.sync += count.eq(count + 1)
        slow_clock(m, kind, count)
        m.d.slow += other.eq(other + given)

    async def react(ctx, turn):
        async for _, _, seen in ctx.tick("slow").sample(other):
            ctx.set(given, seen + 1)
            turn()

    async def bench(ctx, turn):
        for i in range(300):
            await (ctx.tick().sample(other) if i & 1 else ctx.tick("slow").sample(other))
            turn()

    few(build, bench, processes=(react,))


@pytest.mark.parametrize("kind", ("loop", "divider", "plain"))
@pytest.mark.parametrize("process", (False, True))
@pytest.mark.parametrize("read", (False, True))
def test_one_call_for_many_writes(kind, process, read):
    """Of one turn, in designs to which their order may matter, too."""
    from amaranth.hdl import Signal

    given = [Signal(4, name=f"given{n}") for n in range(5)]
    count, other, latch = Signal(16), Signal(16), Signal()

    def build(m):
        m.d.sync += count.eq(count + given[0] + given[4])
        if kind == "loop":
            m.d.comb += latch.eq((latch | given[1][0]) & ~given[2][0])
        elif kind == "divider":
            slow_clock(m, "divider", count)
            m.d.slow += other.eq(other + given[3])

    async def react(ctx, turn):
        for i in range(400):
            _, _, before = await ctx.tick().sample(count)
            turn()
            for n, signal in enumerate(given):
                ctx.set(signal, i * 7 >> n)
            if read and not process:
                # And one for what has been written.
                ctx.get(latch)
                ctx.get(count)
                turn()

    async def idle(ctx, turn):
        await ctx.delay(410e-6)

    few(build, idle if process else react, processes=(react,) if process else ())


@pytest.mark.parametrize("domain", ("sync", "slow"))
@pytest.mark.parametrize("wait", ("tick", "repeat", "long", "until", "seldom", "expression"))
@pytest.mark.parametrize("rows", (1, 40))
def test_one_call_for_rows_that_are_sampled(domain, wait, rows):
    """At a time that is known, or that hangs on a condition; of the clock, and of one that the design computes."""
    from amaranth.hdl import Signal
    from amaranth.lib.memory import Memory

    turns_of = {"long": 6, "seldom": 8, "expression": 400}.get(wait, 40)

    def run(engine):
        memory, seen = Memory(shape=70, depth=64, init=range(50)), []
        count, often, seldom = Signal(16), Signal(), Signal()

        def build(m):
            m.submodules.memory = memory
            write = memory.write_port()
            m.d.sync += count.eq(count + 1)
            m.d.comb += [write.addr.eq(count), write.data.eq(count << 60), write.en.eq(1)]
            m.d.comb += [often.eq(count[2:4] == 1), seldom.eq(count[2:10] == 1)]
            slow_clock(m, "divider", count)
            m.d.slow += Signal(name="clocked").eq(1)

        async def testbench(ctx, turn):
            for i in range(turns_of):
                sampled = [memory.data[(i + row) % 64] for row in range(rows)]
                tick = ctx.tick(domain).sample(count, *sampled)
                conditions = {"until": often, "seldom": seldom, "expression": count[3:5] == 2}
                if wait in conditions:
                    seen.append(await tick.until(conditions[wait]))
                else:
                    seen.append(await tick.repeat({"tick": 1, "repeat": 3, "long": 500}[wait]))
                seen.append((ctx.get(sampled[0]), ctx.get(count)))
                turn()

        return seen, *counted(build, testbench, engine, hurry=True)

    seen, turns, calls = run(AmaranthEngine)
    # An expression has to be waited for some times before it becomes part of the design.
    assert calls <= turns + (200 if wait == "expression" else SOME), (calls, turns)
    assert (seen, turns) == run(PySimEngine)[:2]


@pytest.mark.parametrize("kind", ("print", "assert", "many"))
def test_one_call_for_a_long_wait_in_every_design(kind, capsys):
    """Where the design tells something, and where much is sampled."""
    from amaranth.hdl import Assert, Format, Print, Signal

    def run(engine):
        count, holds, others, seen = Signal(10), Signal(), [Signal(10, init=n) for n in range(60)], []

        def build(m):
            m.d.sync += [count.eq(count + 1), *(other.eq(other + count) for other in others)]
            m.d.comb += holds.eq(count == 0)
            if kind == "print":
                with m.If(count[:9] == 0):
                    m.d.sync += Print(Format("{}", count))
            elif kind == "assert":
                m.d.sync += Assert(others[0] != 1024)

        async def testbench(ctx, turn):
            for _ in range(12):
                seen.append(await ctx.tick().sample(*(others if kind == "many" else [])).until(holds))
                turn()
                print("seen", ctx.get(count))

        turns, calls = counted(build, testbench, engine, hurry=True)
        return seen, turns, capsys.readouterr().out, calls

    *seen, calls = run(AmaranthEngine)
    assert seen == list(run(PySimEngine)[:3])
    assert calls <= seen[1] + SOME, (calls, seen[1])


@pytest.mark.parametrize("rise", (2500, 2501))
@pytest.mark.filterwarnings("ignore")
def test_a_long_wait_ends_where_an_assertion_fails(rise):
    """In the middle of a cycle: the time is that of the edge, and the clock is high."""
    from amaranth.hdl import Assert, Signal
    from amaranth_bench import simulate

    def run(engine):
        count, holds = Signal(16), Signal()

        def build(m):
            m.d.sync += [count.eq(count + 1), Assert(count != rise)]
            m.d.comb += holds.eq(count[:9] == 0)

        async def testbench(ctx):
            while True:
                await ctx.tick().until(holds)

        sim = simulate(build, testbench, engine=engine)
        with pytest.raises(AssertionError):
            sim.run()
        return sim._engine.now

    try:
        assert run(AmaranthEngine) == run(PySimEngine)
    finally:
        # What still waits ends with errors; not in the middle of another test.
        gc.collect()


@pytest.mark.parametrize("write", (False, True))
def test_one_call_for_what_processes_write_where_logic_tells(write, capsys):
    """A `Print` among combinational statements: it is told before a testbench runs."""
    from amaranth.hdl import Format, Print, Signal

    count, given = Signal(16), Signal(16)

    def build(m):
        m.d.sync += count.eq(count + 1)
        m.d.comb += Print(Format("{} {}", count[6:], given))

    async def react(ctx, turn):
        for i in range(400):
            await ctx.tick()
            turn()
            ctx.set(given, i >> 4 if write else 0)

    async def idle(ctx, turn):
        await ctx.delay(410e-6)

    few(build, idle, processes=(react,))


@pytest.mark.parametrize("kind", ("logic", "row", "divider", "tick", "loop", "print", "print_logic", "print_computed"))
@pytest.mark.parametrize("reaches", (False, True))
def test_no_call_for_writes_that_wake_nobody(kind, reaches, capsys):
    """Somebody waits for what the design drives, or that tells something: a write is a call where it reaches that."""
    from amaranth.hdl import Format, Print, Signal
    from amaranth.lib.memory import Memory

    def run(engine):
        given = [Signal(4, name=f"given{n}") for n in range(3)]
        count, high, other, latch, row, seen = Signal(16), Signal(12), Signal(16), Signal(), Signal(16), []
        memory = Memory(shape=16, depth=4, init=[])

        def build(m):
            m.submodules.memory = memory
            write, read = memory.write_port(), memory.read_port(domain="comb")
            # Registers and rows see what is written with the next edge, logic at once.
            m.d.sync += count.eq(count + given[0] + 1)
            m.d.comb += [write.addr.eq(given[1]), write.data.eq(count), write.en.eq(1)]
            m.d.comb += [read.addr.eq(given[2][:2] if reaches else 2), row.eq(read.data)]
            m.d.comb += high.eq((count >> 4) ^ (given[2] if reaches else 0))
            if kind in ("divider", "tick", "print_computed"):
                slow_clock(m, "divider", count ^ (given[2] if reaches else 0))
                m.d.slow += other.eq(other + given[1])
            elif kind == "loop":
                m.d.comb += latch.eq((latch | (count[3] & ~count[5])) & ~(count[4] | (given[2][0] if reaches else 0)))
            if kind == "print":
                m.d.sync += Print(Format("{}", count))
            elif kind == "print_logic":
                m.d.comb += Print(Format("{}", high))
            elif kind == "print_computed":
                m.d.slow += Print(Format("{}", other))

        waits = {"row": row, "divider": other, "tick": None, "loop": latch}.get(kind, high)

        async def react(ctx, turn):
            async for value in ctx.tick("slow").sample(other) if waits is None else ctx.changed(waits):
                seen.append(("react", value))
                turn()

        async def bench(ctx, turn):
            for i in range(200):
                await ctx.tick()
                turn()
                for n, signal in enumerate(given):
                    ctx.set(signal, i * 7 >> n)
            seen.append(ctx.get(count))

        processes = () if kind.startswith("print") else (react,)
        turns, calls = counted(build, bench, engine, processes=processes, hurry=True)
        return seen, turns, capsys.readouterr().out, calls

    *seen, calls = run(AmaranthEngine)
    expected = run(PySimEngine)
    assert seen[:2] == list(expected[:2])
    # Amaranth's own engine tells it each time that logic is computed.
    assert kind == "print_logic" or seen[2] == expected[2]
    writes = 0 if not reaches or kind == "print" else 3 * 200
    # The compiler is asked what reaches what after some calls that it would have saved.
    assert calls <= seen[1] + writes + 40, (calls, seen[1])


def test_an_assertion_stops_where_it_fails():
    from amaranth.hdl import Assert, Signal
    from amaranth_bench import simulate

    def run(engine):
        count, seen = Signal(16), []

        def build(m):
            m.d.sync += count.eq(count + 1)
            m.d.sync += Assert(count != 3000)

        async def testbench(ctx):
            try:
                await ctx.tick().repeat(10_000)
            finally:
                seen.append("over")

        sim = simulate(build, testbench, engine=engine)
        with pytest.raises(AssertionError):
            sim.run()
        return seen, sim._engine.now

    assert run(AmaranthEngine) == run(PySimEngine)


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
