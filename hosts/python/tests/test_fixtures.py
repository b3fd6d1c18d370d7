"""On the repository's small designs: every view shows what every signal's value is, and takes what is written."""

from __future__ import annotations

import contextlib
import random
from functools import lru_cache
from pathlib import Path

import pytest
import rtlwasm
from conftest import REPOSITORY, verilog
from rtlwasm import Signal

FIXTURES = REPOSITORY / "fixtures"


def sources_of(*folders: str) -> list[Path]:
    found = [source for folder in folders for source in sorted((FIXTURES / folder).iterdir())]
    return [source for source in found if source.suffix in {".v", ".sv", ".il"}]


SOURCES = sources_of("mem", "seq", "wide")


@lru_cache
def artifact_of(source: Path) -> rtlwasm.Artifact:
    header = [line[3:].strip() for line in source.read_text().splitlines() if line[:3] in {"//@", "#@ "}]
    tops = [line.partition(":")[2].strip() for line in header if line.startswith("top:")]
    with contextlib.chdir(source.parent):
        return rtlwasm.compile(source, top=tops[0] if tops else None)


def shown(signal: Signal, view: memoryview) -> int | list[int]:
    """What a view says, as numbers like those of the signal."""
    numbers = view.tolist()
    if signal.depth == 0:
        numbers = [numbers]
    elif numbers and not isinstance(numbers[0], list):
        numbers = [[number] for number in numbers]
    rows = [sum(number << 64 * i for i, number in enumerate(row)) for row in numbers]
    return rows if signal.depth else rows[0]


def value(signal: Signal) -> int | list[int]:
    return list(signal) if signal.depth else signal.value


@verilog
@pytest.mark.filterwarnings("ignore::rtlwasm.CompileWarning")
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.parent.name}/{source.name}")
def test_views_are_values(source: Path) -> None:
    model, rng = artifact_of(source).model(), random.Random(source.name)
    clocks = [clock for clock in model.clocks if not clock.derived]
    names = {clock.name for clock in clocks}
    signals = [signal for signal in model if signal.width]
    views = [(signal, signal.view()) for signal in signals]
    inputs = [port for port in model.ports if port.kind == "input" and port.width and port.name not in names]
    for _ in range(20):
        for port in inputs:
            port.value = rng.getrandbits(port.width)
        model.step(1, clock=rng.choice(clocks)) if clocks else model.eval()
        for signal, view in views:
            assert shown(signal, view) == value(signal), signal.name


@verilog
@pytest.mark.filterwarnings("ignore::rtlwasm.CompileWarning")
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.parent.name}/{source.name}")
def test_writes_through_views_are_pokes(source: Path) -> None:
    model, rng = artifact_of(source).model(), random.Random(source.name)
    twin = model.fork()
    for signal in model:
        if not signal.writable or not signal.width or signal.kind == "inout":
            continue
        array = signal.array(writable=True).reshape(max(1, signal.depth), -1)
        bits = array.dtype.itemsize * 8
        for row in range(len(array)):
            number = rng.getrandbits(signal.width)
            array[row] = [number >> bits * i & (1 << bits) - 1 for i in range(array.shape[1])]
            key = f"{signal.name}[{row + signal.first_row}]" if signal.depth else signal.name
            twin.poke(key, number)
    model.eval()
    twin.eval()
    assert model.snapshot() == twin.snapshot()


@verilog
@pytest.mark.filterwarnings("ignore::rtlwasm.CompileWarning")
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.parent.name}/{source.name}")
def test_a_table_is_what_single_calls_are(source: Path, tmp_path: Path) -> None:
    model, rng = artifact_of(source).model(), random.Random(source.name)
    names = {clock.name for clock in model.clocks}
    first = next((clock for clock in model.clocks if not clock.derived), None)
    if first is None:
        pytest.skip("no clock to step")
    inputs = [port for port in model.ports if port.kind in {"input", "inout"} and port.width and port.name not in names]
    read = [signal for signal in model if not signal.depth]
    table = {port.name: [rng.getrandbits(port.width) for _ in range(700)] for port in inputs}
    twin, other = model.fork(), model.fork()
    wave = model.play(table, read, cycles=700, clock=first)
    assert model.play({}, read[:1], cycles=0, clock=first).cycles == 0
    # While a waveform is written, each row is calls of its own.
    with twin.record(tmp_path / "twin.vcd"):
        recorded = twin.play(table, read, cycles=700, clock=first.name)
    assert wave.run.status == recorded.run.status
    assert wave.run.cycles == recorded.run.cycles
    outputs = [port for port in model.ports if port.kind == "output" and port.width]
    for some in (outputs, [rng.choice(read)], [rng.choice(read)], read[::2]):
        again = other.fork().play(table, some, clock=first.name, cycles=700)
        assert all(again.ints(signal.name) == recorded.ints(signal.name) for signal in some)
    assert all(wave.ints(signal.name) == recorded.ints(signal.name) for signal in read)
    assert model.snapshot() == twin.snapshot()
    assert [str(event) for event in model.events()] == [str(event) for event in twin.events()]
