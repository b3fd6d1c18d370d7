"""What the tests of Amaranth's engine share: designs, simulators, and scenarios for both engines."""

from amaranth.hdl import (
    Elaboratable,
    Module,
    Signal,
    signed,
)
from amaranth.lib import data, enum
from amaranth.sim import Simulator
from amaranth.sim.pysim import PySimEngine
from rtlwasm.amaranth import WASMEngine


class Given(Elaboratable):
    """A design from a function of its module."""

    def __init__(self, build):
        self.build = build

    def elaborate(self, platform):
        m = Module()
        self.build(m)
        return m


class Color(enum.Enum, shape=2):
    RED = 0
    GREEN = 1
    BLUE = 2


PAIR = data.StructLayout({"low": 4, "high": signed(6), "color": Color})


class Hurried(WASMEngine):
    """The engine as it is in a long run in which nobody looks at the time: clocks run inside the module from the start,
    and it gets to know at once what would save a call."""

    def __init__(self, design):
        super().__init__(design)
        self._signals.hurry()
        self._conditions.worth = 1


def same(scenario):
    """Runs a scenario, a function of an engine that returns what it saw, under both; returns what both saw."""
    seen = same_steps(scenario)
    assert scenario(Hurried) == seen
    return seen


def same_steps(scenario):
    """The same for a scenario that looks at each step."""
    expected, seen = scenario(PySimEngine), scenario(WASMEngine)
    assert seen == expected
    return seen


def simulate(build, *testbenches, engine, clocks=(("sync", 1e-6),), processes=()):
    """A simulator of a design with clocks, testbenches and processes."""

    def with_domains(m):
        build(m)
        for name, _ in clocks:
            m.d[name] += Signal(name=f"in_{name}").eq(1)

    sim = Simulator(Given(with_domains), engine=engine)
    for name, period in clocks:
        sim.add_clock(period, domain=name)
    for process in processes:
        sim.add_process(process)
    for testbench in testbenches:
        sim.add_testbench(testbench)
    return sim


def counter(m, count, enable):
    with m.If(enable):
        m.d.sync += count.eq(count + 1)
