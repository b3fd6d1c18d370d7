"""What a design can hold, in Torii: the engine answers as Torii's own does."""

import random

import pytest
import torii.hdl
from operators import TARGETS, WIDTHS, expressions, nest, targets
from rtlwasm.torii import WASMEngine
from torii.hdl import (
    ClockDomain,
    ClockSignal,
    Const,
    DomainRenamer,
    EnableInserter,
    Instance,
    Memory,
    ResetInserter,
    ResetSignal,
    Signal,
    signed,
    unsigned,
)
from torii.sim import Delay, Settle, Tick
from torii_bench import Given, same, simulate, values


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_expressions_of_the_design_and_of_processes(widths):
    def scenario(engine):
        seen, rng = [], random.Random(str(widths))
        a, b, s = Signal(widths[0]), Signal(widths[1]), Signal(signed(widths[2]))
        c = Signal(2)
        exprs = list(expressions(torii.hdl, a, b, c, s))
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


@pytest.mark.parametrize("number", range(TARGETS))
def test_assignments_of_the_design_and_of_processes(number):
    def scenario(engine):
        seen, rng = [], random.Random(number)
        a, s, c, i, value = Signal(8, reset=0x5A), Signal(signed(9), reset=-3), Signal(2), Signal(3), Signal(signed(11))
        comb, sync = Signal(8, reset=0x33), Signal(signed(9), reset=5)
        q, t = Signal(8, reset=0x0F), Signal(signed(9), reset=-1)

        def build(m):
            m.d.sync += q.eq(q + 1)
            m.d.comb += list(targets(torii.hdl, comb, sync, c, i))[number].eq(value)
            m.d.sync += list(targets(torii.hdl, q, t, c, i))[number].eq(value)

        def process():
            for _ in range(12):
                for signal in (c, i, value):
                    yield signal.eq(rng.getrandbits(len(signal)))
                yield
                yield list(targets(torii.hdl, a, s, c, i))[number].eq(value)
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
            nest(torii.hdl, m, a, b, out, held)

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


@pytest.mark.parametrize("asynchronous", (False, True))
@pytest.mark.parametrize("inserted", ("none", "reset", "enabled"))
@pytest.mark.parametrize("width", (8, 70))
def test_resets_of_memories(asynchronous, inserted, width):
    def scenario(engine):
        seen, clear, enable = [], Signal(), Signal(reset=1)
        memory = Memory(width=width, depth=5, init=[3, 1 << (width - 1), 7])
        read, write = memory.read_port(), memory.write_port()

        def build(m):
            domain = ClockDomain("sync", async_reset=asynchronous)
            m.domains += domain
            resets.append(domain.rst)
            inner = memory if inserted == "none" else ResetInserter(clear)(memory)
            m.submodules.memory = EnableInserter(enable)(inner) if inserted == "enabled" else inner

        def process():
            for turn in range(200):
                yield write.addr.eq(turn % 5)
                yield read.addr.eq((turn + 2) % 5)
                yield write.data.eq(turn << (width - 8))
                yield write.en.eq(turn % 3 != 0)
                yield resets[0].eq(turn in (20, 21, 93, 150))
                yield clear.eq(turn in (40, 41, 60, 131, 151))
                yield enable.eq(turn % 10 != 1)
                yield
                seen.append(((yield read.data), *(yield from values(memory[row] for row in range(5)))))

        resets = []
        simulate(build, process, engine=engine).run()
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
            # Not at an edge: there it is not defined who wins.
            yield Settle()
            yield signals[-1].eq(7)
            yield Settle()
            seen.append((yield total))

        seen = []
        simulate(build, process, engine=engine).run()
        return seen

    same(scenario)
