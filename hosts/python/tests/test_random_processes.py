"""Random testbenches and processes of Amaranth: they see at all times what they see under Amaranth's own engine.

What docs/python.md lists under "What is different" is left out: only ticks sample logic, what a process writes does not
come together with an edge of a clock that it does not move, and registers of a computed clock, and who waits for its
ticks, see no logic.
"""

import gc
import io
import os
import random

import pytest
from amaranth.hdl import Cat, ClockDomain, MemoryData, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.sim import BrokenTrigger, DomainReset, Simulator
from amaranth_bench import Given, same

# The first seed and the one after the last.
SEEDS = range(*map(int, os.environ.get("RTLWASM_TEST_PROCESSES", "0:80").split(":")))
PERIOD = 100e-9
END = 60 * PERIOD
OPERATIONS = 14


class Bench:
    """A design of two domains, and a simulation of it with testbenches and processes."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.timed = rng.random() < 0.5
        self.seen = []
        self.noted = [[], [], []]
        """What each process sees: they run in no order."""
        self.waiting = 0
        """Testbenches that keep a simulation going until they end."""
        self.sync = ClockDomain("sync", clk_edge=rng.choice(("pos", "pos", "neg")))
        self.other = ClockDomain("other", clk_edge=rng.choice(("pos", "neg")), async_reset=True)
        self.by_hand = rng.random() < 0.3
        self.inputs = [Signal(4, name="a"), Signal(2, name="b"), Signal(name="bit")]
        self.owned = [Signal(3, name=f"p{n}") for n in range(3)]
        self.registers = [Signal(4, name=f"r{n}", init=rng.randrange(16)) for n in range(4)]
        self.slow = ClockDomain("slow", reset_less=True, clk_edge=rng.choice(("pos", "neg")))
        self.slow_clock = rng.choice(("none", "register", "logic", "gate"))
        self.slow_registers = [Signal(4, name=f"s{n}", init=rng.randrange(16)) for n in range(2)]
        self.memory = Memory(shape=rng.choice((4, 66)), depth=5, init=[7, 1])
        self.unknown = MemoryData(shape=4, depth=3, init=[3])
        self.loops = rng.random() < 0.4
        self.latched = [Signal(4, name="latched"), Signal(name="latch")] if self.loops else []
        # With changes of others comes no sample of these.
        self.known = [*self.inputs, *self.owned, *self.registers]
        self.registers += self.slow_registers
        self.logic = [Signal(rng.choice((1, 4)), name=f"c{n}") for n in range(3)]
        # Logic that changes once at most when something is written, or a clock has an edge.
        self.plain = Signal(rng.choice((1, 4)), name="plain")

    def value(self, known):
        a, b, c = (self.rng.choice(known) for _ in range(3))
        return self.rng.choice((a + b, a ^ b, a + 1, a - b, Mux(c[0], a, b), Cat(a[0], b), a == b, a > b))

    def build(self, m):
        m.domains += [self.sync, self.other]
        # The last one is written together with edges of clocks, and no part of the design.
        known = [*self.inputs, *self.owned[:-1], *self.registers]
        for signal in self.logic:
            m.d.comb += signal.eq(self.value(known))
            known.append(signal)
        m.d.comb += self.plain.eq(self.value([*self.inputs, *self.registers[:2]]))
        for n, register in enumerate(self.registers[:4]):
            m.d[("sync", "other")[n // 2]] += register.eq(self.value(known))
        self.build_slow(m)
        self.build_memory(m, known)
        self.build_loops(m)

    def build_loops(self, m):
        """What a few bits of a signal hold, and a signal of which each bit is computed from the one below."""
        if not self.loops:
            return
        a, b, c, d = self.rng.sample([*self.inputs[:2], *self.owned[:-1], *self.registers[:4]], 4)
        latched, latch = self.latched
        m.d.comb += latched[1:3].eq((latched[1:3] | a[:2]) & ~b[:2])
        m.d.comb += [latched[0].eq(c[0]), latched[3].eq(latched[2] ^ d[0])]
        with m.If(d[1]):
            m.d.comb += latch.eq(c[1])
        with m.Else():
            m.d.comb += latch.eq(latch)

    def build_slow(self, m):
        """A domain whose clock the design computes, low in the beginning; what its registers see is no logic."""
        if self.slow_clock == "none":
            return
        m.domains += self.slow
        first = self.registers[0]
        if self.slow_clock == "register":
            m.d.sync += self.slow.clk.eq(self.rng.choice((~self.slow.clk, first[0], self.inputs[2])))
        elif self.slow_clock == "logic":
            bit = self.rng.choice((first[1] ^ (first.init >> 1 & 1), (first > first.init) & self.inputs[2]))
            m.d.comb += self.slow.clk.eq(bit)
        else:
            m.d.comb += self.slow.clk.eq(self.sync.clk & self.inputs[0][0])
        for register in self.slow_registers:
            m.d.slow += register.eq(self.value([*self.registers, *self.inputs, *self.written()]))

    def written(self):
        """What processes write together with an edge that moves the computed clock, if that is a register: all that is
        written then is there before its edge."""
        return self.owned if self.slow_clock == "register" else []

    def build_memory(self, m, known):
        m.submodules.memory = memory = self.memory
        read, write = memory.read_port(domain="comb"), memory.write_port(domain="sync")
        m.d.comb += [read.addr.eq(self.value(known)), write.addr.eq(self.value(known))]
        m.d.comb += [write.data.eq(Cat(self.value(known), self.value(known))), write.en.eq(self.value(known)[0])]
        self.logic.append(read.data)

    def simulator(self, engine):
        rng = self.rng
        sim = Simulator(Given(self.build), engine=engine)
        sim.add_clock(PERIOD, domain="sync")
        if not self.by_hand:
            period = PERIOD * rng.choice((1, 2, 0.7))
            sim.add_clock(period, domain="other", phase=rng.choice((None, 0.3)) and 0.3 * period)
        now = lambda: sim._engine.now if self.timed else None  # noqa: E731
        for n in range(len(self.owned)):
            if rng.random() < 0.7:
                sim.add_process(self.started(Writer, rng.random(), now, n))
        for _ in range(rng.randint(1, 3)):
            background = rng.random() < 0.5
            started = self.started(Testbench, rng.random(), now, self.seen, keeps=not background)
            sim.add_testbench(started, background=background)
        return sim

    def started(self, kind, *about, keeps=False):
        """A task that begins anew when the simulation does; the simulation may go on until it ends."""

        async def run(ctx):
            self.waiting += keeps
            await kind(self, *about).run(ctx)
            self.waiting -= keeps

        return run

    def simulate(self, engine):
        """Run in pieces; half of all simulations begin again, some in the middle of everything; some are recorded."""
        sim, again = self.simulator(engine), self.rng.random() < 0.5
        rounds = self.rng.choice((None, None, 0, 1))
        if rounds is None or again:
            self.run(sim, again)
        else:
            with sim.write_vcd(io.StringIO(), fs_per_delta=rounds):
                self.run(sim, again)

    def run(self, sim, again):
        now = lambda: sim._engine.now  # noqa: E731
        for end in self.rng.choice(((1,), (0.3, 1), (0.1, 0.4, 1))):
            sim.run_until(end * END)
            self.seen.append(("until", now()))
        if again:
            sim.reset()
            self.waiting = 0
            self.seen.append(("reset", now()))
            sim.run_until(self.rng.choice((0.2, 1)) * END)
        if not self.waiting:
            sim.run()
            self.seen.append(("run", now()))


class Task:
    """Waits for this and that, and notes what it sees."""

    def __init__(self, bench, seed, now, seen):
        self.bench, self.seed, self.now, self.seen = bench, seed, now, seen
        self.waits, self.turns = "", 0

    async def run(self, ctx):
        self.rng = random.Random(self.seed)
        for number in range(OPERATIONS):
            await self.guarded(ctx, number)
        self.note("end")

    def note(self, *what):
        self.seen.append((self.seed, self.now(), self.waits, *what))

    async def guarded(self, ctx, number):
        """One operation, with its error."""
        try:
            await self.operate(ctx, number)
        except (BrokenTrigger, DomainReset) as error:
            self.note(number, type(error).__name__)

    async def turn(self, awaited):
        try:
            return await awaited
        finally:
            self.turns += 1

    async def operate(self, ctx, number):
        kind = self.rng.randrange(14)
        if kind > 10:
            await self.until(ctx, number)
        elif kind == 10:
            await self.hurry(ctx, number)
        elif kind < 4:
            self.write(ctx)
        elif kind < 6:
            self.note(number, await self.turn(self.trigger(ctx)))
        elif kind < 8:
            await self.count(ctx, number)
        else:
            await self.loop(ctx, number)

    async def hurry(self, ctx, number):
        """Something that a simulation waits for."""
        with ctx.critical():
            for _ in range(self.rng.randint(1, 3)):
                trigger = ctx.tick() if self.rng.random() < 0.5 else ctx.delay(self.interval())
                self.note(number, "critical", await self.turn(trigger))

    async def count(self, ctx, number):
        """Ticks of a number, or up to a condition."""
        if self.rng.random() < 0.5:
            self.note(number, "repeat", await self.turn(self.tick(ctx).repeat(self.rng.randint(1, 4))))
        else:
            await self.until(ctx, number)

    async def until(self, ctx, number):
        tick, condition = self.tick(ctx), self.condition()
        self.waits += f" until {condition!r}"
        self.note(number, "until", await self.turn(tick.until(condition)))

    def condition(self):
        """Signals, rows, and what is computed of them and of what the design does not know."""
        rng, bench = self.rng, self.bench
        rows, registers, unknown, last = bench.memory.data, bench.registers, bench.unknown, bench.owned[-1]
        signals, computed = [*bench.inputs, 1], [registers[0] > 5, registers[1][:2] == rng.randrange(4)]
        if "slow" not in self.waits:
            signals += [*bench.logic, *bench.owned, *bench.latched, rows[1], unknown[1], bench.sync.clk]
            computed += [rows[1] > rows[rng.randrange(5)], rows[2][1] ^ registers[2][0], last < registers[3]]
            computed += [last[0], unknown[0] == registers[0], (unknown[2] + last)[1:3], last[:2] == registers[1][:2]]
            computed += [bench.sync.clk ^ registers[1][1], (bench.other.clk == last[1]) & registers[0][0]]
            computed += [Cat(registers[0][0], signal)[:2] == 1 for signal in bench.latched]
        return rng.choice(signals if rng.random() < 0.3 else computed)

    async def loop(self, ctx, number):
        """A wait that goes on while what is in the loop runs, and may wait, too."""
        left = self.rng.randint(1, 4)
        async for row in self.trigger(ctx):
            self.note(number, "loop", row)
            self.turns += 1
            if self.rng.random() < 0.5:
                self.write(ctx)
            elif self.rng.random() < 0.3:
                self.note(number, "inner", await self.turn(self.trigger(ctx)))
            left -= 1
            if left == 0:
                break

    def tick(self, ctx):
        bench = self.bench
        domain = self.rng.choice(("sync", "other") if bench.slow_clock == "none" else ("sync", "other", "slow"))
        self.waits = f"tick {domain}"
        known = [*bench.registers, *bench.inputs]
        logic = [*bench.logic, *bench.latched, *bench.owned, *bench.memory.data]
        known += bench.written() if domain == "slow" else logic
        return self.sampled(ctx.tick(domain), known)

    def sampled(self, trigger, known):
        chosen = self.rng.sample(known, self.rng.randint(0, 3))
        self.waits += f" sample {chosen}"
        return trigger.sample(*chosen)

    def trigger(self, ctx):
        rng = self.rng
        if rng.random() < 0.4:
            return self.tick(ctx)
        self.waits, parts = "", ctx
        for _ in range(rng.choice((1, 1, 2, 3))):
            parts = self.part(parts)
        return self.sampled(parts, self.bench.known)

    def part(self, context):
        rng, bench = self.rng, self.bench
        kind = rng.randrange(4)
        if kind == 0:
            interval = self.interval()
            self.waits += f" delay {interval}"
            return context.delay(interval)
        if kind == 1:
            signal = rng.choice((*bench.known, *bench.slow_registers))
            self.waits += f" changed {signal!r}"
            return context.changed(signal)
        bits = [
            bench.inputs[0][2],
            bench.inputs[2],
            bench.owned[0][0],
            bench.owned[2][0],
            bench.registers[1][0],
            bench.other.rst,
        ]
        bit, polarity = rng.choice((*bits, bench.sync.clk, bench.other.clk)), rng.randrange(2)
        self.waits += f" edge {bit!r} {polarity}"
        return context.edge(bit, polarity)


class Testbench(Task):
    """It may look, and write whatever no process writes."""

    __test__ = False

    async def operate(self, ctx, number):
        if self.rng.random() < 0.2:
            await self.see_logic(ctx, number)
        else:
            await super().operate(ctx, number)

    async def see_logic(self, ctx, number):
        plain, self.waits = self.bench.plain, "plain"
        change = ctx.changed(plain) if self.rng.random() < 0.5 else ctx.edge(plain[0], self.rng.randrange(2))
        row = await self.turn(change.delay(self.interval() + 3.7 * PERIOD))
        self.note(number, row, ctx.get(self.bench.registers[0]))

    def interval(self):
        return self.rng.choice((0, 0.5, 1, 1.5, 2, 0.1, 3.3)) * PERIOD

    def write(self, ctx):
        bench, rng = self.bench, self.rng
        if self.turns == 1:
            # In its own engine one that begins with a loop over changes counts as waiting until its second turn.
            return
        signals = [*bench.inputs, *bench.inputs, bench.inputs[0][1:3], bench.sync.rst, bench.other.rst]
        signals += [bench.other.rst, *bench.registers[:2], *bench.slow_registers, bench.memory.data[rng.randrange(5)]]
        signals.append(bench.unknown[rng.randrange(3)])
        signals += [bench.other.clk] * 2 if bench.by_hand else []
        for _ in range(rng.randint(1, 3)):
            reset = ctx.get(bench.other.rst)
            signal = rng.choice(signals if reset else [*signals, *bench.registers[2:4]])
            ctx.set(signal, rng.getrandbits(len(signal)))
            shown = [*bench.registers, *bench.logic, *bench.latched, *bench.owned]
            shown.append(bench.memory.data[rng.randrange(5)])
            self.note([ctx.get(each) for each in rng.sample(shown, 2)])


class Writer(Task):
    """A process: it writes a signal of its own, and some of them a reset, at a time at which nothing else happens."""

    def __init__(self, bench, seed, now, number):
        super().__init__(bench, seed, now, bench.noted[number])
        self.signal, self.resets, self.alone = bench.owned[number], number == 0, number < 2

    def interval(self):
        interval = self.rng.choice((0.5, 1, 2.5)) * PERIOD
        return interval + self.rng.randint(1, 3000) * 1e-12 if self.alone else interval

    def write(self, ctx):
        ctx.set(self.signal, self.rng.getrandbits(3))

    async def operate(self, ctx, number):
        if self.resets and self.rng.random() < 0.2:
            await ctx.delay(self.interval())
            ctx.set(self.rng.choice((self.bench.sync.rst, self.bench.other.rst)), self.rng.randrange(2))
            self.note(number, "reset")
            await ctx.delay(self.interval())
        else:
            await super().operate(ctx, number)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore")
def test_all_see_the_same(seed):
    def scenario(engine):
        bench = Bench(seed)
        bench.simulate(engine)
        return bench.seen, bench.noted

    try:
        same(scenario)
    finally:
        # Coroutines that still wait end with errors; not in the middle of another test.
        gc.collect()
