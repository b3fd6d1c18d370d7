"""Waveforms of running models: what is in the file, and that the model does not notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import rtlwasm
from rtlwasm import Model


def changes(path: Path, name: str) -> list[tuple[int, str]]:
    """The changes of a signal in a VCD file: time and bits."""
    time, code, found = 0, None, []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["$var"] and words[4].partition("[")[0] == name:
            code = words[3]
        elif line.startswith("#"):
            time = int(line[1:])
        elif code and words and words[0][0] in "01b" and line[0] != "$":
            bits, _, of = line[1:].partition(" ") if line[0] == "b" else (line[0], "", line[1:])
            if of == code:
                found.append((time, bits))
    return found


def test_edges_at_their_times(counter: Model, tmp_path: Path) -> None:
    counter.poke("en", 1)
    counter.step(2)
    with counter.record(tmp_path / "wave.vcd"):
        counter.step()
        counter.poke("en", 0)
        counter.step(2)
    assert changes(tmp_path / "wave.vcd", "clk") == [
        (4, "0"),
        (4, "1"),
        (5, "0"),
        (6, "1"),
        (7, "0"),
        (8, "1"),
        (9, "0"),
    ]
    assert [(time, int(bits, 2)) for time, bits in changes(tmp_path / "wave.vcd", "count")] == [(4, 2), (4, 3)]
    assert changes(tmp_path / "wave.vcd", "en") == [(4, "1"), (6, "0")]
    before = (tmp_path / "wave.vcd").read_bytes()
    counter.step(5)
    assert (tmp_path / "wave.vcd").read_bytes() == before


def runs(model: Model) -> None:
    """Every kind of run, with two clocks."""
    red, blue = model.clocks
    model.step(3, clock=red)
    blue.period = (2, 1)
    blue.start(delay=5)
    model.step(4, clock=red)
    red.start()
    model.advance(40)
    red.rise()
    model.eval()
    model.step(2, clock=red)
    model.run_until("reds", 40, clock=red)
    model.play({}, ["reds"], cycles=3, clock=blue)
    with pytest.raises(rtlwasm.ConditionNotMetError):
        model.run_until("reds", 0, max_cycles=2, clock=red)


@pytest.mark.parametrize("name", ["wave.vcd", "wave.fst"])
def test_a_recorded_model_comes_to_the_same_state(two_clocks: Model, tmp_path: Path, name: str) -> None:
    twin = two_clocks.fork()
    runs(two_clocks)
    with twin.record(tmp_path / name):
        runs(twin)
    assert twin.time == two_clocks.time
    assert twin.snapshot() == two_clocks.snapshot()
    assert (tmp_path / name).stat().st_size > 300


def test_advance_shows_every_edge(two_clocks: Model, tmp_path: Path) -> None:
    red = two_clocks.clock("red")
    red.period = (3, 2)
    red.start(delay=1)
    with two_clocks.record(tmp_path / "wave.vcd"):
        assert two_clocks.advance(10).cycles == 2
    edges = [(0, "0"), (1, "1"), (4, "0"), (6, "1"), (9, "0")]
    assert changes(tmp_path / "wave.vcd", "red") == edges


def test_a_run_that_stops_early_is_complete(counter: Model, tmp_path: Path) -> None:
    counter.poke("en", 1)
    counter.poke("addr", 1)
    twin = counter.fork()
    with counter.record(tmp_path / "wave.vcd"):
        run = counter.step(1000)
        rest = counter.step(3)
    assert (run.status, run.cycles) == ("finish", twin.step(1000).cycles)
    assert rest.cycles == twin.step(3).cycles
    assert counter.snapshot() == twin.snapshot()
    assert changes(tmp_path / "wave.vcd", "count")[-1][1].lstrip("0") == f"{counter['count'].value:b}"


def test_memories_only_when_asked(counter: Model, tmp_path: Path) -> None:
    for memories in (False, True):
        with counter.record(tmp_path / "wave.vcd", memories=memories):
            counter.step()
        assert ("ram[3]" in (tmp_path / "wave.vcd").read_text()) == memories


@pytest.mark.parametrize("back", [Model.reset, lambda model: model.restore(model.artifact.model().snapshot())])
def test_time_does_not_run_backwards(counter: Model, tmp_path: Path, back: Callable[[Model], object]) -> None:
    counter.step(5)
    with (
        pytest.raises(rtlwasm.WaveError, match="wave.vcd.*time went back from 10 to 0"),
        counter.record(tmp_path / "wave.vcd"),
    ):
        back(counter)
        counter.step()
    assert counter.step(3).cycles == 3


def test_what_cannot_be_recorded(counter: Model, tmp_path: Path) -> None:
    with pytest.raises(rtlwasm.OptionError, match="ends in .vcd or .fst"), counter.record(tmp_path / "wave.txt"):
        pass
    with pytest.raises(rtlwasm.WaveError, match="cannot write"), counter.record(tmp_path / "none" / "wave.vcd"):
        pass
    with (
        counter.record(tmp_path / "one.vcd"),
        pytest.raises(rtlwasm.OptionError, match="one waveform at a time"),
        counter.record(tmp_path / "two.vcd"),
    ):
        pass
    counter.step()
