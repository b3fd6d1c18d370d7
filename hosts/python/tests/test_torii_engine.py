"""Every command, trigger and error of Torii's simulator: the engine answers as Torii's own does."""

import gc

import pytest
from rtlwasm import NotWritableError
from rtlwasm.torii import WASMEngine
from torii.hdl import (
    ClockDomain,
    Memory,
    Signal,
)
from torii.sim import Active, Delay, Passive, Settle, Tick
from torii.sim._base import BaseEngine
from torii_bench import same, same_steps, simulate, values


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


def test_all_that_wait_for_settling_go_on_together():
    def scenario(engine):
        seen, a, b = [], Signal(8, reset=5), Signal(8)

        def build(m):
            m.d.comb += b.eq(a + 1)

        def writes():
            yield a.eq(9)
            yield Settle()
            yield a.eq(20)

        def looks():
            seen.append(((yield a), (yield b)))
            yield Settle()
            seen.append(((yield a), (yield b)))
            yield Delay(0)
            seen.append(((yield a), (yield b)))

        sim = simulate(build, writes, looks, engine=engine, clocks=(), sync=False)
        sim.run()
        return seen

    assert same(scenario) == [(5, 6), (9, 10), (20, 21)]


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

    same_steps(scenario)


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


def test_ticks_of_a_computed_clock_see_values_from_before_it():
    def scenario(engine):
        seen, count, slow = [], Signal(4), Signal(4, reset=9)
        domain = ClockDomain("slow", reset_less=True)

        def build(m):
            m.domains.slow = domain
            m.d.sync += [count.eq(count + 1), domain.clk.eq(count[1])]
            m.d.slow += slow.eq(count)

        def ticks():
            for _ in range(4):
                yield Tick("slow")
                seen.append(((yield count), (yield slow), (yield slow + count)))
                yield Settle()
                seen.append(((yield count), (yield slow), (yield slow + count)))

        sim = simulate(build, ticks, engine=engine, sync=False)
        sim.run()
        return seen

    seen = same(scenario)
    assert seen[1] != seen[0]


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


def test_calls_of_the_module_for_each_resumed_process():
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
