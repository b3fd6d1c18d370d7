"""What the tests of Torii's engine share: designs, simulators, and scenarios for both engines."""

from rtlwasm.torii import WASMEngine
from torii.hdl import (
    Elaboratable,
    Module,
    Signal,
)
from torii.sim import Simulator
from torii.sim.pysim import PySimEngine


class Given(Elaboratable):
    """A design from a function of its module."""

    def __init__(self, build):
        self.build = build

    def elaborate(self, platform):
        m = Module()
        self.build(m)
        return m


class Hurried(WASMEngine):
    """The engine as it is in a run in which nobody looks at the time: clocks run inside the module from the start."""

    def __init__(self, design):
        super().__init__(design)
        self._signals.hurry()


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
