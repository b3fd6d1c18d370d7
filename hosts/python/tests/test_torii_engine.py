"""Every command, trigger and error of Torii's simulator: the engine answers as Torii's own does."""

import gc
import random

import pytest
from rtlwasm import NotWritableError
from rtlwasm.torii import WASMEngine
from torii.hdl import (
    Array,
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    DomainRenamer,
    Elaboratable,
    EnableInserter,
    Instance,
    Memory,
    Module,
    Mux,
    ResetInserter,
    ResetSignal,
    Signal,
    signed,
    unsigned,
)
from torii.sim import Active, Delay, Passive, Settle, Simulator, Tick
from torii.sim._base import BaseEngine
from torii.sim.pysim import PySimEngine

ENGINES = {"pysim": PySimEngine, "wasm": WASMEngine}


class Given(Elaboratable):
    """A design from a function of its module."""

    def __init__(self, build):
        self.build = build

    def elaborate(self, platform):
        m = Module()
        self.build(m)
        return m


def same(scenario):
    """Runs a scenario, a function of an engine that returns what it saw, under both; returns what both saw."""
    expected, seen = scenario(PySimEngine), scenario(WASMEngine)
    assert seen == expected
    return seen


def simulate(build, *processes, engine, clocks=(("sync", 1e-6),), sync=True):
    """A simulator of a design with clocks and processes; which are synchronous if `sync`."""

    def with_domains(m):
        build(m)
        for name, _ in clocks:
            m.d[name] += Signal(name=f"in_{name}").eq(1)

    sim = Simulator(Given(with_domains), engine=engine)
    for name, period in clocks:
        sim.add_clock(period, domain=name)
    for process in processes:
        (sim.add_sync_process if sync else sim.add_process)(process)
    return sim


def values(signals):
    """What a process sees of several signals."""
    seen = []
    for signal in signals:
        seen.append((yield signal))
    return seen


def test_is_an_engine():
    assert issubclass(WASMEngine, BaseEngine)


def test_synchronous_process_sees_values_from_before_the_edge():
    def scenario(engine):
        seen, count, enable = [], Signal(8), Signal(reset=1)

        def build(m):
            with m.If(enable):
                m.d.sync += count.eq(count + 1)

        def process():
            for cycle in range(12):
                seen.append((yield count))
                if cycle in (3, 7):
                    yield enable.eq(cycle == 7)
                yield
            yield Settle()
            seen.append((yield count))
            yield Delay(2.7e-6)
            seen.append((yield count))

        sim = simulate(build, process, engine=engine)
        sim.run()
        return seen, sim._engine.now

    seen, _ = same(scenario)
    assert seen[:3] == [0, 1, 2]


def test_writes_at_an_edge_are_seen_after_it():
    def scenario(engine):
        seen, a, b = [], Signal(8), Signal(8)

        def build(m):
            m.d.sync += b.eq(a)

        def process():
            for value in (3, 5, 9):
                yield a.eq(value)
                seen.append(((yield a), (yield b)))
                yield
                seen.append(((yield a), (yield b)))
            yield a.eq(1)
            yield Settle()
            seen.append(((yield a), (yield b)))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_two_processes_exchange_values():
    def scenario(engine):
        seen, request, answer, ready = [], Signal(8), Signal(8), Signal()

        def build(m):
            m.d.comb += ready.eq(request != 0)

        def asks():
            for value in range(1, 6):
                yield request.eq(value)
                yield
                yield
                seen.append(("answer", (yield answer), (yield ready)))
            yield request.eq(0)
            yield

        def answers():
            yield Passive()
            while True:
                yield answer.eq((yield request) * 3)
                yield

        simulate(build, asks, answers, engine=engine).run()
        return seen

    same(scenario)


def test_settle_delay_and_time():
    def scenario(engine):
        seen, a, b = [], Signal(8), Signal(8)

        def build(m):
            m.d.comb += b.eq(a + 1)

        def first():
            seen.append(("first", (yield b)))
            yield a.eq(4)
            seen.append(("first", (yield a), (yield b)))
            yield Settle()
            seen.append(("first", (yield a), (yield b), sim._engine.now))
            yield Delay(1e-6)
            seen.append(("first", sim._engine.now))
            yield Delay()
            yield Delay(0)
            seen.append(("first", sim._engine.now))

        def second():
            yield Delay(0.5e-6)
            seen.append(("second", (yield b), sim._engine.now))
            yield a.eq(9)
            yield Settle()
            seen.append(("second", (yield b), sim._engine.now))

        sim = simulate(build, first, second, engine=engine, clocks=(), sync=False)
        sim.run()
        return seen

    same(scenario)


def test_passive_and_active():
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        def background():
            yield Passive()
            for _ in range(4):
                yield
            yield Active()
            for _ in range(8):
                yield
            yield Passive()
            while True:
                yield

        def short():
            for _ in range(6):
                yield

        sim = simulate(build, background, short, engine=engine)
        while sim.advance():
            seen.append(sim._engine.now)
        return seen

    same(scenario)


def test_run_until():
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        def process():
            for _ in range(5):
                yield
            seen.append((yield count))

        sim = simulate(build, process, engine=engine)
        sim.run_until(2e-6)
        seen.append(sim._engine.now)
        sim.run_until(20e-6)
        seen.append(sim._engine.now)
        sim.run_until(30e-6, run_passive=True)
        seen.append(sim._engine.now)
        with pytest.raises(ValueError):
            sim.run_until(1e-6)
        return seen

    same(scenario)


def test_reset_starts_again():
    def scenario(engine):
        seen, count, given, other = [], Signal(8, reset=3), Signal(8, reset=7), Signal(4, reset=2)

        def build(m):
            m.submodules.memory = memory
            m.d.sync += count.eq(count + given)

        memory = Memory(width=8, depth=4, init=[9, 8])
        memory.write_port()

        def process():
            seen.append(((yield given), (yield other), (yield memory[0])))
            yield given.eq(2)
            yield other.eq(5)
            yield memory[0].eq(77)
            for _ in range(3):
                yield
                seen.append(((yield count), (yield other), (yield memory[0])))

        sim = simulate(build, process, engine=engine)
        sim.run()
        seen.append(sim._engine.now)
        sim.reset()
        seen.append(sim._engine.now)
        sim.run()
        sim.run_until(40e-6, run_passive=True)
        sim.reset()
        sim.run()
        return seen

    seen = same(scenario)
    assert seen[0] == seen[6] == (7, 2, 9)


def expressions(a, b, c, s):
    """Values of every operator, of signed and unsigned operands."""
    for x in (a, b, s):
        yield from (~x, -x, x.any(), x.all(), x.xor(), x.bool(), x[0], x[1:3], x[-1], Cat(x, x), x.rotate_left(2))
        yield from (x.as_signed(), x.as_unsigned(), abs(x), x.shift_left(2), x.shift_right(1), x << c, x >> c)
        yield from (x.bit_select(c, 2), x.word_select(c, 3), Mux(c, x, s), Array([a, b, s, x])[c], x.replicate(3))
        for y in (a, b, s):
            yield from (x + y, x - y, x * y, x & y, x | y, x ^ y, x // y, x % y)
            yield from (x == y, x != y, x < y, x <= y, x > y, x >= y)


WIDTHS = [(1, 1, 1), (8, 3, 5), (16, 16, 16), (32, 31, 33), (64, 64, 64), (64, 65, 63), (100, 70, 130)]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_expressions_of_the_design_and_of_processes(widths):
    def scenario(engine):
        seen, rng = [], random.Random(str(widths))
        a, b, s = Signal(widths[0]), Signal(widths[1]), Signal(signed(widths[2]))
        c = Signal(2)
        exprs = list(expressions(a, b, c, s))
        results = [Signal(value.shape(), name=f"r{i}") for i, value in enumerate(exprs)]

        def build(m):
            m.d.comb += [result.eq(value) for result, value in zip(results, exprs, strict=True)]

        def process():
            for turn in range(6):
                for signal in (a, b, s):
                    value = rng.getrandbits(len(signal))
                    yield signal.eq([0, -1, value, value, value >> len(signal) // 2, 1][turn])
                yield c.eq(turn)
                yield Settle()
                for result, value in zip(results, exprs, strict=True):
                    seen.append(((yield result), (yield value)))

        simulate(build, process, engine=engine, clocks=(), sync=False).run()
        return seen

    same(scenario)


def targets(a, s, c, i):
    """What can be assigned to."""
    yield from (a, s, a[2:5], a[0], a[-3:], s[1:], Cat(a[0:3], s, a[3:]), s.as_unsigned(), a.as_signed())
    yield from (a.bit_select(c, 3), a.word_select(c, 2), s.bit_select(i, 2), Array([a, s])[c[0]], Array([a, s, a])[c])
    yield from (Array([a[0:4], s])[i], Cat(a, s).bit_select(i, 5), Cat(a, s)[3:].word_select(i, 3))
    yield Cat(Array([a, s])[c], a[0:2])


@pytest.mark.parametrize("number", range(18))
def test_assignments_of_the_design_and_of_processes(number):
    def scenario(engine):
        seen, rng = [], random.Random(number)
        a, s, c, i, value = Signal(8, reset=0x5A), Signal(signed(9), reset=-3), Signal(2), Signal(3), Signal(signed(11))
        comb, sync = Signal(8, reset=0x33), Signal(signed(9), reset=5)
        q, t = Signal(8, reset=0x0F), Signal(signed(9), reset=-1)

        def build(m):
            m.d.sync += q.eq(q + 1)
            m.d.comb += list(targets(comb, sync, c, i))[number].eq(value)
            m.d.sync += list(targets(q, t, c, i))[number].eq(value)

        def process():
            for _ in range(12):
                for signal in (c, i, value):
                    yield signal.eq(rng.getrandbits(len(signal)))
                yield
                yield list(targets(a, s, c, i))[number].eq(value)
                yield a[7].eq(1)
                yield
                seen.append((yield from values((a, s, comb, sync, q, t))))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_statements_nest_and_later_ones_win():
    def scenario(engine):
        seen, rng = [], random.Random(5)
        a, b, out, held = Signal(4), Signal(4), Signal(8, reset=1), Signal(8, reset=9)

        def build(m):
            m.d.comb += out.eq(3)
            with m.Switch(a):
                with m.Case(1, 2, 5):
                    m.d.comb += out.eq(b)
                    with m.If(b[0]):
                        m.d.comb += out[0:2].eq(0)
                    m.d.comb += out[7].eq(1)
                with m.Case("1--0"):
                    m.d.sync += held.eq(held + b)
                with m.Case("0-11", 8):
                    m.d.sync += held.eq(b)
                    m.d.comb += out.eq(Mux(b > a, 17, 34))
                with m.Default():
                    m.d.sync += held[0:4].eq(a)
            with m.If(a == 15):
                m.d.sync += held.eq(0)
            with m.Elif(b == 15):
                m.d.sync += held.eq(255)

        def process():
            for _ in range(200):
                yield a.eq(rng.getrandbits(4))
                yield b.eq(rng.getrandbits(4))
                yield
                seen.append(((yield out), (yield held)))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


@pytest.mark.parametrize("depth", [1, 2, 5, 8, 13])
@pytest.mark.parametrize("transparent", [False, True])
def test_memories(depth, transparent):
    def scenario(engine):
        seen, rng = [], random.Random(depth)
        memory = Memory(width=8, depth=depth, init=[rng.getrandbits(8) for _ in range(depth - 1)])
        read, comb = memory.read_port(transparent=transparent), memory.read_port(domain="comb")
        write, second = memory.write_port(granularity=4), memory.write_port()

        def build(m):
            m.submodules.memory = memory

        def process():
            for turn in range(60):
                for signal in (read.addr, comb.addr, write.addr, write.data, write.en, second.addr, second.data):
                    yield signal.eq(rng.getrandbits(max(1, len(signal))))
                yield second.en.eq(turn % 3 == 0)
                # Which of two writes to one row at one edge wins is not defined.
                if turn % 7 in (2, 4):
                    yield write.en.eq(0)
                    yield second.en.eq(0)
                yield read.en.eq(turn % 5 != 0)
                if turn % 7 == 3:
                    yield memory[turn % depth].eq(turn)
                if turn % 7 == 5:
                    yield memory[turn % depth][2:5].eq(turn)
                yield
                seen.append(
                    ((yield read.data), (yield comb.data), (yield from values(memory[row] for row in range(depth))))
                )

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_memory_below_an_enable():
    def scenario(engine):
        seen, enable, rng = [], Signal(), random.Random(2)
        memory = Memory(width=70, depth=4, init=[1 << 69, 2])
        read, write = memory.read_port(), memory.write_port()

        def build(m):
            m.submodules.inner = EnableInserter(enable)(Given(inner))

        def inner(m):
            m.submodules.read, m.submodules.write = read, write

        def process():
            yield write.en.eq(1)
            for turn in range(40):
                yield enable.eq(rng.getrandbits(1))
                yield write.addr.eq(rng.getrandbits(2))
                yield write.data.eq(rng.getrandbits(70))
                yield read.addr.eq(turn)
                yield
                seen.append((yield from values([*(memory[row] for row in range(4)), read.data])))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_poking_registers():
    def scenario(engine):
        seen, count, wide, low = [], Signal(8), Signal(90), Signal(4)

        def build(m):
            m.d.sync += [count.eq(count + 1), wide.eq(wide + 1)]
            m.d.comb += low.eq(count + 1)

        def process():
            for value in (0, 100, 255, -1, 300):
                # At the edge itself it is not defined whether the process or the design wins.
                yield Delay(0.1e-6)
                yield count.eq(value)
                yield wide.eq((1 << 90) - 2 + value)
                yield Settle()
                seen.append(((yield count), (yield wide), (yield low)))
                yield
                yield
                seen.append(((yield count), (yield wide), (yield low)))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_domains_edges_and_phases():
    def scenario(engine):
        seen, signals = [], [Signal(8, name=f"count{i}") for i in range(4)]

        def build(m):
            m.domains += [
                ClockDomain("fast"),
                ClockDomain("down", clk_edge="neg"),
                ClockDomain("bare", reset_less=True),
            ]
            for name, signal in zip(("sync", "fast", "down", "bare"), signals, strict=True):
                m.d[name] += signal.eq(signal + 1 + signals[0])

        def in_domain(name, times):
            def process():
                for _ in range(times):
                    yield Tick(name)
                    seen.append((name, sim._engine.now, (yield from values(signals))))

            return process

        sim = simulate(build, engine=engine, clocks=(("sync", 1e-6), ("fast", 0.3e-6), ("down", 0.5e-6)))
        sim.add_clock(0.7e-6, phase=0.1e-6, domain="bare")
        # The order of processes that wake together is not defined, so each has times of its own.
        for name in ("fast", "down", "bare", "sync"):
            sim.add_process(in_domain(name, 12))
        sim.run()
        return sorted(seen, key=lambda row: (row[1], row[0]))

    same(scenario)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_resets(asynchronous):
    def scenario(engine):
        seen, count, kept, reset = [], Signal(8, reset=5), Signal(8, reset=1, reset_less=True), Signal()
        domain = ClockDomain("sync", async_reset=asynchronous)

        def build(m):
            m.domains.sync = domain
            m.d.sync += [count.eq(count + 1), kept.eq(kept + 1)]
            m.d.comb += ResetSignal().eq(reset)

        def process():
            for turn in range(12):
                yield reset.eq(turn in (4, 5, 8))
                yield Delay(0.3e-6)
                seen.append(((yield count), turn))
                yield Tick()
                seen.append(((yield count), turn, (yield domain.rst)))

        simulate(build, process, engine=engine, sync=False).run()
        return seen

    same(scenario)


def test_reset_inserter_and_renamed_domain():
    def scenario(engine):
        seen, count, clear = [], Signal(8, reset=5), Signal()

        def inner(m):
            m.d.sync += count.eq(count + 3)

        def build(m):
            m.submodules.inner = ResetInserter(clear)(DomainRenamer(sync="other")(Given(inner)))
            m.submodules.again = DomainRenamer(sync="other")(ResetInserter(clear)(Given(other)))

        def other(m):
            m.d.sync += second.eq(second + count)

        second = Signal(16, reset=2)

        def process():
            for turn in range(12):
                yield clear.eq(turn in (3, 9))
                yield Tick("other")
                seen.append(((yield count), (yield second)))

        simulate(build, process, engine=engine, clocks=[("other", 1e-6)], sync=False).run()
        return seen

    same(scenario)


def test_process_drives_a_clock_by_hand():
    def scenario(engine):
        seen, count = [], Signal(8)
        domain = ClockDomain("sync")

        def build(m):
            m.domains.sync = domain
            m.d.sync += count.eq(count + 1)

        def process():
            for _ in range(5):
                yield domain.clk.eq(1)
                yield Settle()
                seen.append((yield count))
                yield domain.clk.eq(0)
                yield Delay(1e-9)

        def ticks():
            for _ in range(4):
                yield
                seen.append(("tick", (yield count)))

        sim = simulate(build, process, engine=engine, clocks=(), sync=False)
        sim.add_sync_process(ticks)
        sim.run()
        return seen

    same(scenario)


def test_instances_are_ignored():
    def scenario(engine):
        seen, out, count = [], Signal(8, reset=3), Signal(8)

        def build(m):
            m.submodules.box = Instance("box", i_a=count, o_y=out)
            m.d.sync += count.eq(count + out)

        def process():
            for _ in range(3):
                yield
                seen.append((yield count))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_errors_reach_the_process():
    def scenario(engine):
        seen, count = [], Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        def process():
            for command in (Tick("absent"), "nonsense", None, object):
                try:
                    yield command
                except (NameError, TypeError) as error:
                    seen.append((type(error), str(error)))
            yield Tick()
            seen.append((yield count))

        simulate(build, process, engine=engine, sync=False).run()
        return seen

    assert len(same(scenario)) == 5


def test_errors_of_a_process_reach_the_caller():
    def scenario(engine):
        count = Signal(8)

        def build(m):
            m.d.sync += count.eq(count + 1)

        def process():
            yield
            raise KeyError("mine")

        sim = simulate(build, process, engine=engine)
        with pytest.raises(KeyError, match="mine"):
            sim.run()

        def unknown():
            yield Tick("absent")

        sim = simulate(build, unknown, engine=engine)
        with pytest.raises(NameError) as caught:
            sim.run()
        return str(caught.value), sim._engine.now

    same(scenario)


def test_delay_into_the_past():
    def scenario(engine):
        def process():
            yield Delay(1e-6)
            yield Delay(-2e-6)

        sim = simulate(lambda m: None, process, engine=engine, clocks=(), sync=False)
        with pytest.raises(ValueError) as caught:
            sim.run()
        return str(caught.value)

    same(scenario)


def test_what_logic_drives_cannot_be_written():
    total, a = Signal(8, name="total"), Signal(8)

    def build(m):
        m.d.comb += total.eq(a + 1)

    def process():
        with pytest.raises(NotWritableError, match="total"):
            yield total.eq(3)
        yield Settle()
        assert (yield total) == 1

    simulate(build, process, engine=WASMEngine, clocks=(), sync=False).run()


def test_clock_must_have_one_bit():
    def scenario(engine):
        sim = simulate(lambda m: None, engine=engine, clocks=())
        with pytest.raises(TypeError) as caught:
            sim._engine.add_clock_process(Signal(2), phase=0, period=2)
        return str(caught.value)

    same(scenario)


def test_signals_that_the_design_does_not_use():
    def scenario(engine):
        seen, plain, wide, enum = [], Signal(4, reset=9), Signal(signed(100), reset=-7), Signal(3)

        def process():
            seen.append(((yield plain), (yield wide), (yield Signal(5, reset=3))))
            yield plain.eq(plain + 8)
            yield wide.eq(wide * 3)
            yield enum.eq(-1)
            seen.append(((yield plain), (yield wide)))
            yield Settle()
            seen.append(((yield plain), (yield wide), (yield enum), (yield plain + wide)))

        simulate(lambda m: None, process, engine=engine, clocks=(), sync=False).run()
        return seen

    same(scenario)


def test_divided_clock():
    def scenario(engine):
        seen, half, count = [], Signal(), Signal(8)

        def build(m):
            m.domains.slow = ClockDomain("slow", reset_less=True)
            m.d.sync += half.eq(~half)
            m.d.comb += ClockSignal("slow").eq(half)
            m.d.slow += count.eq(count + 1)

        def process():
            for _ in range(10):
                yield
                seen.append(((yield half), (yield count)))

        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_many_signals_and_commands():
    """Neither signals nor different commands are limited, and a command compiles nothing."""

    def scenario(engine):
        signals = [Signal(4, name=f"s{i}") for i in range(9000)]
        total = Signal(16)

        def build(m):
            for before, after in zip(signals, signals[1:], strict=False):
                m.d.sync += after.eq(before)
            m.d.comb += total.eq(signals[-1] + signals[-2])

        def process():
            for value in range(12000 if engine is WASMEngine else 100):
                yield signals[0].eq(Const(value % 16, unsigned(4 + value % 3)))
                yield signals[1].eq(signals[0] + value)
                if value % 400 == 0:
                    yield
            yield signals[-1].eq(7)
            yield Settle()
            seen.append((yield total))

        seen = []
        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)


def test_one_call_of_the_module_for_each_resumed_process():
    count, given = Signal(8), Signal(8)

    def build(m):
        m.d.sync += count.eq(count + given)

    def process():
        for value in range(1000):
            yield given.eq(value)
            yield

    sim = simulate(build, process, engine=WASMEngine)
    sim.run()
    # Three a cycle at present: the rising edge, what the process wrote, the falling edge.
    assert sim._engine._signals.calls <= 3 * 1000 + 10


def test_engines_are_collected():
    import weakref

    def process():
        yield

    sim = simulate(lambda m: None, process, engine=WASMEngine)
    sim.run()
    gone = weakref.ref(sim._engine)
    del sim
    gc.collect()
    assert gone() is None


def test_other_versions_are_refused(monkeypatch):
    from importlib import metadata

    from rtlwasm._sim.versions import require

    monkeypatch.setattr(metadata, "version", lambda name: "0.9.1")
    with pytest.raises(ImportError, match=r"torii 0\.8, and 0\.9\.1 is installed"):
        require("torii", "0.8")


def test_clocks_that_nobody_watches():
    def scenario(engine):
        seen, slow, fast, both = [], Signal(32), Signal(32, reset=1), Signal(32)

        def build(m):
            m.domains += ClockDomain("down", clk_edge="neg")
            m.d.sync += slow.eq(slow * 5 + fast)
            m.d.fast += fast.eq(fast * 3 + 1)
            m.d.down += both.eq(both + slow + fast)

        def process():
            for delay in (1e-7, 150e-6, 33.3e-6, 71.2e-6):
                yield Delay(delay)
                seen.append((yield from values((slow, fast, both))))
                yield Tick("fast")
                seen.append((yield from values((slow, fast, both))))

        clocks = (("sync", 1e-6), ("fast", 0.3e-6), ("down", 0.7e-6))
        sim = simulate(build, process, engine=engine, clocks=clocks, sync=False)
        sim.run()
        return seen, sim._engine.now

    same(scenario)


def test_a_long_run_takes_few_calls():
    count = Signal(32)

    def build(m):
        m.d.sync += count.eq(count + 1)

    def process():
        yield Delay(1)
        assert (yield count) == 1_000_000

    sim = simulate(build, process, engine=WASMEngine, sync=False)
    sim.run()
    assert sim._engine._signals.calls < 1000
