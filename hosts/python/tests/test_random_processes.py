"""Random testbenches and processes of Amaranth: they see at all times what they see under Amaranth's own engine.

What docs/python.md lists under "What is different" is left out: only ticks sample logic, and what a process writes does
not come together with an edge of a clock.
"""

import gc
import os
import random

import pytest
from amaranth.hdl import Cat, ClockDomain, Mux, Signal
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
        self.sync = ClockDomain("sync", clk_edge=rng.choice(("pos", "pos", "neg")))
        self.other = ClockDomain("other", clk_edge=rng.choice(("pos", "neg")), async_reset=True)
        self.by_hand = rng.random() < 0.3
        self.inputs = [Signal(4, name="a"), Signal(2, name="b"), Signal(name="bit")]
        self.owned = [Signal(3, name=f"p{n}") for n in range(3)]
        self.registers = [Signal(4, name=f"r{n}", init=rng.randrange(16)) for n in range(4)]
        self.known = [*self.inputs, *self.owned, *self.registers]
        self.logic = [Signal(rng.choice((1, 4)), name=f"c{n}") for n in range(3)]

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
        for n, register in enumerate(self.registers):
            m.d[("sync", "other")[n // 2]] += register.eq(self.value(known))

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
                sim.add_process(Writer(self, rng.random(), now, n).run)
        for _ in range(rng.randint(1, 3)):
            sim.add_testbench(Testbench(self, rng.random(), now, self.seen).run)
        return sim


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
        kind = self.rng.randrange(10)
        if kind < 4:
            self.write(ctx)
        elif kind < 6:
            self.note(number, await self.turn(self.trigger(ctx)))
        elif kind < 8:
            await self.count(ctx, number)
        else:
            await self.loop(ctx, number)

    async def count(self, ctx, number):
        """Ticks of a number, or up to a condition."""
        tick = self.tick(ctx)
        if self.rng.random() < 0.5:
            self.note(number, "repeat", await self.turn(tick.repeat(self.rng.randint(1, 4))))
        else:
            condition = self.rng.choice(
                (*self.bench.logic, *self.bench.inputs, *self.bench.owned, self.bench.registers[0] > 5)
            )
            self.waits += f" until {condition!r}"
            self.note(number, "until", await self.turn(tick.until(condition)))

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
        domain = self.rng.choice(("sync", "other"))
        self.waits = f"tick {domain}"
        return self.sampled(
            ctx.tick(domain), [*self.bench.logic, *self.bench.registers, *self.bench.inputs, *self.bench.owned]
        )

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
            signal = rng.choice(bench.known)
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

    def interval(self):
        return self.rng.choice((0, 0.5, 1, 1.5, 2, 0.1, 3.3)) * PERIOD

    def write(self, ctx):
        bench, rng = self.bench, self.rng
        if self.turns == 1:
            # In its own engine one that begins with a loop over changes counts as waiting until its second turn.
            return
        signals = [*bench.inputs, *bench.inputs, bench.inputs[0][1:3], bench.sync.rst, bench.other.rst]
        signals += [bench.other.rst, *bench.registers[:2]]
        signals += [bench.other.clk] * 2 if bench.by_hand else []
        for _ in range(rng.randint(1, 3)):
            reset = ctx.get(bench.other.rst)
            signal = rng.choice(signals if reset else [*signals, *bench.registers[2:]])
            ctx.set(signal, rng.getrandbits(len(signal)))
            shown = [*bench.registers, *bench.logic, *bench.owned]
            self.note([ctx.get(each) for each in rng.sample(shown, 2)])


class Writer(Task):
    """A process: it writes a signal of its own, and some of them a reset, at a time at which nothing else happens."""

    def __init__(self, bench, seed, now, number):
        super().__init__(bench, seed, now, [])
        bench.seen.append(self.seen)
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
        bench.simulator(engine).run_until(END)
        return bench.seen

    try:
        same(scenario)
    finally:
        # Coroutines that still wait end with errors; not in the middle of another test.
        gc.collect()
