"""Random designs in both languages: the engines agree with the frameworks' own, cycle by cycle and in waveforms."""

import io
import random

import amaranth.hdl
import amaranth.lib.memory
import amaranth.sim
import amaranth.sim.pysim
import pytest
import rtlwasm.amaranth
import rtlwasm.torii
import torii.hdl
import torii.sim
import torii.sim.pysim
from vcd_reader import changes

DESIGNS = 40
CYCLES = 30


class Random:
    """A design with inputs, logic without loops, registers of several domains, and a memory."""

    def __init__(self, language, seed):
        self.hdl = language
        self.rng = random.Random(seed)
        self.amaranth = language is amaranth.hdl
        self.inputs = [self.signal(f"i{n}") for n in range(4)]
        self.registers = [self.signal(f"r{n}", initial=True) for n in range(6)]
        self.logic = [self.signal(f"c{n}", initial=True) for n in range(6)]
        depth, width = self.rng.randint(1, 9), self.rng.randint(1, 70)
        init = [self.rng.getrandbits(width) for _ in range(self.rng.randint(0, depth))]
        make = amaranth.lib.memory.Memory if self.amaranth else torii.hdl.Memory
        self.memory = make(**{"shape" if self.amaranth else "width": width, "depth": depth, "init": init})
        self.resets = [language.Signal(name=f"reset{n}") for n in range(2)]

    def width(self):
        return self.rng.choice((1, 1, 2, 3, 5, 8, 8, 13, 16, 31, 32, 33, 48, 63, 64, 65, 80, 130))

    def signal(self, name, initial=False):
        width, is_signed = self.width(), self.rng.random() < 0.3
        value = 0
        if initial and self.rng.random() < 0.5:
            value = self.rng.getrandbits(width) - ((1 << (width - 1)) if is_signed else 0)
            value = max(value, -(1 << (width - 1))) if is_signed else value
            value = min(value, (1 << (width - 1)) - 1) if is_signed else value
        shape = self.hdl.signed(width) if is_signed else self.hdl.unsigned(width)
        return self.hdl.Signal(shape, name=name, **{"init" if self.amaranth else "reset": value})

    def value(self, known, depth=3):
        """An expression of known signals."""
        rng, hdl = self.rng, self.hdl
        if depth == 0 or rng.random() < 0.15:
            if rng.random() < 0.2:
                return hdl.Const(rng.getrandbits(8), 9)
            return rng.choice(known)
        a, b = self.value(known, depth - 1), self.value(known, depth - 1)
        small = self.value(known, 0)[0:3]
        kind = rng.randrange(16)
        if kind < 6:
            return rng.choice((lambda: a + b, lambda: a - b, lambda: a & b, lambda: a | b, lambda: a ^ b, lambda: ~a))()
        if kind < 8:
            return rng.choice((lambda: a == b, lambda: a != b, lambda: a < b, lambda: a >= b, lambda: a.any()))()
        if kind == 8:
            return a[:40] * b[:40]
        if kind == 9:
            return rng.choice((lambda: a[:30] // b[:30], lambda: a[:30] % b[:20], lambda: -a, lambda: a.xor()))()
        if kind == 10:
            return rng.choice((lambda: a << small, lambda: a >> small))()
        if kind == 11:
            return hdl.Mux(small, a, b)
        if kind == 12:
            return hdl.Cat(a, small, b)
        if kind == 13:
            # Torii's own engine gives an inverted element more bits than it has.
            return hdl.Array([a[:], b[:], self.value(known, 0)])[small[0:2]]
        if kind == 14:
            return rng.choice(known).bit_select(small, rng.randint(1, 9))
        return a.as_signed() if rng.random() < 0.5 else a[rng.randrange(len(a)) :]

    def target(self, signal):
        """Something to assign: a signal, or a part of it."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.7 or len(signal) < 3:
            return signal
        if kind < 0.85:
            start = rng.randrange(len(signal) - 1)
            return signal[start : rng.randint(start + 1, len(signal))]
        return signal.bit_select(rng.choice(self.inputs)[0:2], rng.randint(1, 5))

    def statements(self, m, domain, signals, known, depth=2):
        rng = self.rng
        for _ in range(rng.randint(1, 3)):
            kind = rng.random()
            if depth == 0 or kind < 0.5:
                m.d[domain] += self.target(rng.choice(signals)).eq(self.value(known))
            elif kind < 0.75:
                with m.If(self.value(known, 1)):
                    self.statements(m, domain, signals, known, depth - 1)
                if rng.random() < 0.5:
                    with m.Elif(self.value(known, 1)):
                        self.statements(m, domain, signals, known, depth - 1)
                if rng.random() < 0.5:
                    with m.Else():
                        self.statements(m, domain, signals, known, depth - 1)
            else:
                with m.Switch(self.hdl.Cat(rng.choice(known))[0:2] if rng.random() < 0.5 else rng.choice(known)[0:1]):
                    with m.Case(0):
                        self.statements(m, domain, signals, known, depth - 1)
                    if rng.random() < 0.5:
                        with m.Default():
                            self.statements(m, domain, signals, known, depth - 1)

    def build(self, m):
        domain = self.hdl.ClockDomain
        m.domains += [
            domain("sync"),
            # Torii's own engine gives memories their initial contents when their domain is reset.
            domain("ram", reset_less=True),
            domain("other", clk_edge=self.rng.choice(("pos", "neg")), async_reset=self.rng.random() < 0.5),
        ]
        m.d.comb += [self.hdl.ResetSignal("sync").eq(self.resets[0]), self.hdl.ResetSignal("other").eq(self.resets[1])]
        known = self.inputs + self.registers
        read, write = self.memory.read_port(domain="ram"), self.memory.write_port(domain="ram")
        comb = self.memory.read_port(domain="comb")
        m.submodules.memory = self.memory
        m.d.comb += [port.addr.eq(self.value(known, 1)) for port in (read, comb, write)]
        m.d.comb += [write.data.eq(self.value(known, 2)), write.en.eq(self.value(known, 1))]
        m.d.comb += read.en.eq(self.value(known, 1))
        known = [*known, read.data, comb.data]
        for signal in self.logic:
            self.statements(m, "comb", [signal], list(known))
            known.append(signal)
        half = len(self.registers) // 2
        self.statements(m, "sync", self.registers[:half], known)
        self.statements(m, "other", self.registers[half:], known)
        self.seen = known

    def elaborated(self):
        build = self.build

        class Top(self.hdl.Elaboratable):
            def elaborate(self, platform):
                m = outer.hdl.Module()
                build(m)
                return m

        outer = self
        return Top()


def stimulus(design, seed):
    """For each cycle: what to write, and whether to wait for an edge of which domain."""
    rng = random.Random(seed)
    for _ in range(CYCLES):
        writes = [(signal, rng.getrandbits(len(signal))) for signal in design.inputs if rng.random() < 0.6]
        writes += [(reset, int(rng.random() < 0.1)) for reset in design.resets]
        yield writes, rng.choice(("sync", "sync", "other"))


def run_amaranth(engine, seed, wave=None):
    design, rows = Random(amaranth.hdl, seed), []

    async def testbench(ctx):
        for writes, domain in stimulus(design, seed):
            for signal, value in writes:
                ctx.set(signal, value)
            rows.append([ctx.get(signal) for signal in design.seen])
            sampled = await ctx.tick(domain).sample(*design.seen)
            rows.append(list(sampled))
            rows.append([ctx.get(signal) for signal in design.seen])
            rows.append([ctx.get(row) for row in design.memory.data])
            await ctx.delay(0.013e-6)

    sim = amaranth.sim.Simulator(design.elaborated(), engine=engine)
    return finish(sim, lambda: sim.add_testbench(testbench), rows, wave)


def run_torii(engine, seed, wave=None):
    design, rows = Random(torii.hdl, seed), []

    def values(signals):
        row = []
        for signal in signals:
            row.append((yield signal))
        return row

    def process():
        depth = design.memory.depth
        for writes, domain in stimulus(design, seed):
            for signal, value in writes:
                yield signal.eq(value)
            yield torii.sim.Settle()
            rows.append((yield from values(design.seen)))
            yield torii.sim.Tick(domain)
            rows.append((yield from values(design.seen)))
            yield torii.sim.Settle()
            rows.append((yield from values(design.seen)))
            rows.append((yield from values(design.memory[row] for row in range(depth))))
            yield torii.sim.Delay(0.013e-6)

    sim = torii.sim.Simulator(design.elaborated(), engine=engine)
    return finish(sim, lambda: sim.add_process(process), rows, wave)


def finish(sim, add, rows, wave):
    sim.add_clock(1e-6, domain="sync")
    sim.add_clock(0.77e-6, domain="other", phase=0.031e-6)
    sim.add_clock(0.91e-6, domain="ram", phase=0.047e-6)
    add()
    if wave is None:
        sim.run()
        return rows, None
    with sim.write_vcd(wave):
        sim.run()
    names, values, end = changes(wave.getvalue())
    return rows, (names, values, end)


class Kept(io.StringIO):
    """A file that can be read after it was closed."""

    def close(self):
        pass


@pytest.mark.parametrize("seed", range(DESIGNS))
def test_amaranth(seed):
    wave = seed % 4 == 0
    expected = run_amaranth(amaranth.sim.pysim.PySimEngine, seed, Kept() if wave else None)
    assert run_amaranth(rtlwasm.amaranth.WASMEngine, seed, Kept() if wave else None) == expected


@pytest.mark.parametrize("seed", range(DESIGNS))
@pytest.mark.filterwarnings("ignore")
def test_torii(seed):
    wave = seed % 4 == 0
    expected = run_torii(torii.sim.pysim.PySimEngine, seed, Kept() if wave else None)
    assert run_torii(rtlwasm.torii.WASMEngine, seed, Kept() if wave else None) == expected
