"""Waveforms of Torii simulations: read back, they are those that Torii's own engine writes."""

import enum
import io

from rtlwasm.torii import WASMEngine
from torii.hdl import Memory, Module, Signal, signed
from torii.sim import Delay, Settle, Simulator
from torii.sim.pysim import PySimEngine
from torii_bench import Given
from vcd_reader import changes


class State(enum.Enum):
    IDLE = 0
    BUSY = 1
    DONE = 2


def record(engine):
    total, state, inner = Signal(8), Signal(State), Signal(signed(5), reset=-2)
    given, outside, wide = Signal(4, reset=3), Signal(6), Signal(80)
    memory = Memory(width=8, depth=4, init=[1, 2])

    def build(m):
        m.submodules.inside = Given(below)
        m.submodules.port = port
        m.d.sync += [total.eq(total + given), wide.eq(wide * 3 + 1), state.eq(State.DONE), inner.eq(inner + 1)]
        m.d.comb += [port.addr.eq(total), port.data.eq(given), port.en.eq(given[0])]

    def below(m: Module):
        again = Signal(8, name="total")
        m.d.comb += again.eq(total + inner)

    port = memory.write_port()

    def process():
        for turn in range(20):
            yield given.eq(turn * 3)
            yield outside.eq(turn)
            yield
            if turn == 7:
                yield Settle()
                yield memory[3].eq(55)
                yield Delay(0.2e-6)
                yield state.eq(State.BUSY)

    sim = Simulator(Given(build), engine=engine)
    sim.add_clock(1e-6)
    sim.add_sync_process(process)
    vcd, gtkw = io.StringIO(), io.StringIO()
    vcd.name = "out.vcd"
    with sim.write_vcd(vcd, gtkw, traces=[wide, outside, state]):
        sim.run()
    return changes(vcd.getvalue()), [line for line in gtkw.getvalue().splitlines() if "size" not in line]


def test_the_same_changes_and_the_same_names():
    (names, values, end), gtkw = record(WASMEngine)
    (expected_names, expected_values, expected_end), expected_gtkw = record(PySimEngine)
    assert names == expected_names
    assert values == expected_values
    assert (end, gtkw) == (expected_end, expected_gtkw)


def test_files_by_name(tmp_path):
    count = Signal(8)

    def build(m):
        m.d.sync += count.eq(count + 1)

    def process():
        yield

    sim = Simulator(Given(build), engine=WASMEngine)
    sim.add_clock(1e-6)
    sim.add_sync_process(process)
    with sim.write_vcd(str(tmp_path / "a.vcd"), str(tmp_path / "a.gtkw"), traces=[count]):
        sim.run()
    assert "count" in (tmp_path / "a.vcd").read_text()
    assert "count[7:0]" in (tmp_path / "a.gtkw").read_text()
