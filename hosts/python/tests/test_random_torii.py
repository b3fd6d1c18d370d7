"""Random processes of Torii: they see at all times what they see under Torii's own engine.

What docs/python.md lists under "What is different" is left out: what a process writes does not come together with an
edge of a clock that it is not waiting for, and registers of a computed clock see neither that nor logic. Torii's own
engine runs the processes of a round in the order of a set; here it has a set that keeps the order in which they were
added, the design's own before them.
"""

import os
import random

import pytest
from rtlwasm.torii import WASMEngine
from torii.hdl import Array, Cat, ClockDomain, Memory, Mux, Signal
from torii.hdl.ast import Switch
from torii.sim import Active, Delay, Passive, Settle, Simulator, Tick
from torii.sim.pysim import PySimEngine
from torii_bench import Given, Hurried

# The first seed and the one after the last.
SEEDS = range(*map(int, os.environ.get("RTLWASM_TEST_TORII", "0:80").split(":")))
PERIOD = 100e-9
END = 60 * PERIOD
OPERATIONS = 24
PROCESSES = 3


class Ordered(PySimEngine):
    """Torii's own engine, with an order of processes."""

    def __init__(self, fragment):
        super().__init__(fragment)
        self._processes = InOrder(self._processes)


class InOrder(dict):
    """A set that keeps its order."""

    def __init__(self, members):
        super().__init__((member, None) for member in members)

    def add(self, member):
        self[member] = None


class Bench:
    """A design of two domains with a memory, and a simulation of it with processes."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.timed = rng.random() < 0.5
        self.sync = ClockDomain("sync", clk_edge=rng.choice(("pos", "pos", "neg")))
        self.other = ClockDomain("other", clk_edge=rng.choice(("pos", "neg")), async_reset=rng.random() < 0.7)
        self.slow = ClockDomain("slow", reset_less=True, clk_edge=rng.choice(("pos", "neg")))
        self.slow_clock = rng.choice(("none", "register", "logic"))
        self.domains = ("sync", "other") if self.slow_clock == "none" else ("sync", "other", "slow")
        self.by_hand = rng.random() < 0.3
        # Whose number is the same is written by the process of that number.
        self.inputs = [Signal(4, name=f"a{n}", reset=rng.randrange(16)) for n in range(PROCESSES)]
        self.bits = [Signal(name=f"b{n}") for n in range(PROCESSES)]
        self.unused = [Signal(4, name=f"u{n}") for n in range(PROCESSES)]
        self.registers = [Signal(4, name=f"r{n}", reset=rng.randrange(16)) for n in range(4)]
        self.slow_registers = [Signal(4, name=f"s{n}", reset=rng.randrange(16)) for n in range(2)]
        self.logic = [Signal(rng.choice((1, 4)), name=f"c{n}") for n in range(3)]
        self.memory = Memory(width=rng.choice((4, 70)), depth=6, init=[3, 5, 9])
        self.memory_domain = rng.choice(("sync", "other"))
        self.known = [*self.inputs, *self.bits, *self.registers, *self.slow_registers]
        self.finishes = rng.random() < 0.5

    def value(self, known):
        a, b, c = (self.rng.choice(known) for _ in range(3))
        return self.rng.choice((a + b, a ^ b, a + 1, a - b, Mux(c[0], a, b), Cat(a[0], b), a == b, a > b))

    def build(self, m):
        m.domains += [self.sync, self.other]
        known = list(self.known)
        for signal in self.logic:
            m.d.comb += signal.eq(self.value(known))
            known.append(signal)
        for n, register in enumerate(self.registers):
            m.d[("sync", "other")[n // 2]] += register.eq(self.value(known))
        self.build_slow(m)
        m.submodules.memory = memory = self.memory
        read, write = memory.read_port(domain="comb"), memory.write_port(domain=self.memory_domain)
        m.d.comb += [read.addr.eq(self.value(known)[:3]), write.addr.eq(self.value(known)[:3])]
        m.d.comb += [write.data.eq(Cat(self.value(known), self.value(known))), write.en.eq(self.value(known)[0])]
        self.logic.append(read.data)

    def build_slow(self, m):
        """A domain whose clock the design computes, low in the beginning; its registers see registers."""
        if self.slow_clock == "none":
            return
        m.domains += self.slow
        first = self.registers[0]
        if self.slow_clock == "register":
            m.d.sync += self.slow.clk.eq(self.rng.choice((~self.slow.clk, first[0])))
        else:
            m.d.comb += self.slow.clk.eq(first[1] ^ (first.reset >> 1 & 1))
        for register in self.slow_registers:
            m.d.slow += register.eq(self.value(self.known))

    def simulator(self, engine):
        rng = self.rng
        self.sim = sim = Simulator(Given(self.build), engine=engine)
        sim.add_clock(PERIOD, domain="sync")
        if not self.by_hand:
            period = PERIOD * rng.choice((1, 2, 0.7))
            sim.add_clock(period, domain="other", phase=rng.choice((None, 0.3)) and 0.3 * period)
        self.tasks = [Task(self, n, rng.random()) for n in range(PROCESSES)]
        for task in self.tasks:
            if rng.random() < 0.5:
                sim.add_process(task.run)
            else:
                task.default = rng.choice(("sync", "other"))
                sim.add_sync_process(task.run, domain=task.default)
        return sim


class Task:
    """Waits for this and that, writes what is its own, and notes what it sees."""

    def __init__(self, bench, number, seed):
        self.bench, self.number, self.seed = bench, number, seed
        self.seen, self.default, self.ended = [], None, False
        sync, other = bench.registers[:2], bench.registers[2:]
        self.registers = [(sync[number % 2], "sync") if number < 2 else (other[0], "other")]
        self.rows = [bench.memory[row] for row in (number, number + 3)]
        self.own = [bench.inputs[number], bench.bits[number], bench.unused[number]]

    def run(self):
        self.rng = random.Random(self.seed)
        # After a tick everything is as it was before the edge; what is written then comes with the edge.
        self.in_tick, self.in_slow = self.default is not None, False
        for operation in range(OPERATIONS):
            try:
                yield from self.operate(operation)
            except (TypeError, NameError) as error:
                self.note(operation, type(error).__name__, str(error))
        self.note("end")
        self.ended = True
        if self.number and not self.bench.finishes:
            yield Passive()
            while True:
                yield Tick("sync")

    def note(self, *what):
        now = self.bench.sim._engine.now if self.bench.timed else None
        self.seen.append((now, *what))

    def operate(self, operation):
        kind = self.rng.randrange(12)
        if kind < 4:
            yield from self.wait(operation)
        elif kind < 7:
            yield from self.write()
        elif kind < 10:
            yield from self.look(operation)
        elif kind < 11:
            yield from self.reset(operation)
        else:
            yield from self.odd()

    def wait(self, operation):
        rng = self.rng
        kind = rng.randrange(6)
        self.in_tick, self.in_slow = kind < 3, False
        if kind == 0 and self.default:
            yield
        elif kind < 3:
            domain = rng.choice(self.bench.domains)
            self.in_slow = domain == "slow"
            yield Tick(rng.choice((domain, getattr(self.bench, domain))))
        elif kind == 3:
            yield from self.settle()
        else:
            yield Delay(self.interval())
        self.note(operation, "waited")

    def settle(self):
        self.in_tick = self.in_slow = False
        yield self.rng.choice((Settle, Delay))()

    def interval(self):
        """At the end of it there is no edge of a clock, and no other process resumes."""
        picoseconds = 3 * self.rng.randint(1, 300) + self.number
        return (self.rng.choice((0, 0.5, 1, 2.5)) * PERIOD) + picoseconds * 1.01e-12

    def look(self, operation):
        bench, rng, seen = self.bench, self.rng, []
        known = [*bench.known, *bench.unused, bench.sync.clk, bench.other.clk]
        if not self.in_slow:
            known += [*bench.logic, *self.rows]
        for value in rng.sample(known, 3):
            seen.append((yield value))
        a, b = rng.sample(bench.known, 2)
        expressions = (a + b, a - b, Mux(a[0], a, b), Cat(a, b)[1:3], Array([a, b, a])[b[0:2]], a.any(), a // b, a % b)
        seen.append((yield rng.choice(expressions)))
        self.note(operation, "sees", seen)

    def write(self):
        rng, bench = self.rng, self.bench
        if rng.random() < 0.4:
            yield from self.write_state()
            return
        a, bit, unused = self.own
        known = rng.choice(bench.known)
        yield rng.choice(
            (
                a.eq(rng.getrandbits(4)),
                bit.eq(rng.getrandbits(1)),
                unused.eq(known),
                a.eq(known + 1),
                a[1:3].eq(rng.getrandbits(2)),
                Cat(bit, unused).eq(rng.getrandbits(5)),
                a.bit_select(unused[:2], 2).eq(rng.getrandbits(2)),
                Array([a, unused])[bit].eq(known),
                Switch(unused[:2], {0: [a.eq(1)], (1, 2): [a.eq(known), bit.eq(~bit)], None: [bit.eq(0)]}),
            )
        )

    def write_state(self):
        """A register or a row, between edges, and not while an asynchronous reset holds it."""
        if self.in_tick:
            yield from self.settle()
        bench, rng = self.bench, self.rng
        places = [*self.registers, *((row, bench.memory_domain) for row in self.rows)]
        place, domain = rng.choice(places)
        if domain == "other" and (yield bench.other.rst):
            return
        yield place.eq(rng.getrandbits(len(place)))

    def reset(self, operation):
        """The second process moves resets, the third a clock, when nothing else happens."""
        bench, rng = self.bench, self.rng
        if self.number == 0:
            return
        yield Delay(self.interval())
        self.in_tick = self.in_slow = False
        if self.number == 1:
            reset = rng.choice((bench.sync.rst, bench.other.rst, bench.other.rst))
            yield reset.eq(rng.getrandbits(1))
        elif bench.by_hand:
            yield bench.other.clk.eq(~bench.other.clk)
        yield from self.settle()
        self.note(operation, "reset")

    def odd(self):
        """What is refused, and what changes whether the simulation waits for this process."""
        commands = (Active(), Passive(), Active(), Tick("nowhere"), "junk", None if self.default is None else 1)
        yield self.rng.choice(commands)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore")
def test_all_see_the_same(seed):
    def scenario(engine):
        bench = Bench(seed)
        sim = bench.simulator(engine)
        sim.run_until(END, run_passive=True)
        if bench.finishes:
            # In Torii's own engine a process that still waits would be resumed by what it waited for before.
            sim.run_until(100 * END)
            if all(task.ended for task in bench.tasks):
                sim.reset()
                sim.run_until(END, run_passive=True)
        return [task.seen for task in bench.tasks]

    seen = scenario(WASMEngine)
    assert seen == scenario(Ordered)
    assert scenario(Hurried) == seen
