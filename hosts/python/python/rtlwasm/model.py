"""One running simulation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _debug, _native
from ._debug import Break
from ._table import columns_of, from_limbs, row_count, to_limbs
from .errors import ConditionNotMetError, OptionError, UnknownNameError
from .hierarchy import Scope, Tree
from .wave import Wave

if TYPE_CHECKING:
    from ._native import Clock, Run, Signal, Watch
    from .artifact import Artifact

MAX_CYCLES = 1_000_000
"""Most cycles that `run_until` runs unless it is told otherwise."""


class Change(NamedTuple):
    """A word of a signal or memory row that has changed."""

    time: int
    name: str
    row: int
    """Of a memory, counted from 0."""
    limb: int
    """Of more than 64 bits, the lowest is 0."""
    value: int


class Model(_native.Model):
    """One running simulation of an artifact.

    `model["cpu.pc"]` is a signal, `model["cpu"]` an instance, `model.top` the hierarchy. `poke` and `peek` write and
    read, `step`, `run_until` and `advance` run. One thread uses a model at a time; `fork` makes another.
    """

    artifact: Artifact
    debugger: bool | None = None
    """Whether a break calls `breakpoint()`'s hook, with `model` and `stop` at hand; None: when a debugger runs."""
    _wave: Wave | None = None

    @cached_property
    def _breaks(self) -> dict[int, Break]:
        return {}

    # Names

    @property
    def top(self) -> Scope:
        """The top module: its signals, and the instances below it."""
        return Scope(self, self._tree, "")

    @property
    def _tree(self) -> Tree:
        return self.artifact.tree

    def __getitem__(self, path: str | Sequence[str]) -> Any:
        """The signal, memory or instance of that path.

        A path is joined with dots, from below the top module or with its name before it; a sequence of names settles
        doubts when a name itself holds a dot. Raises `UnknownNameError` with names that look alike.
        """
        try:
            return self.signal(path)
        except UnknownNameError:
            joined = path if isinstance(path, str) else ".".join(path)
            for below in (joined, joined.removeprefix(f"{self.artifact.top}.")):
                if tree := self._tree.find(below):
                    return Scope(self, tree, below)
            raise

    def __contains__(self, path: str) -> bool:
        """Whether there is a signal, memory or instance of that path."""
        try:
            self[path]
        except UnknownNameError:
            return False
        return True

    def __iter__(self) -> Iterator[Signal]:
        """Every signal and memory of the design, the top module's first."""
        return self.top.walk()

    def __setitem__(self, path: str | Sequence[str], value: object) -> None:
        """Refused: a signal is not its value."""
        name = path if isinstance(path, str) else ".".join(path)
        self[path]  # what does not exist is told first
        raise TypeError(f'a signal is not its value: write model["{name}"].value = ..., or model.poke("{name}", ...)')

    def __getattr__(self, name: str) -> Any:
        """Tell where signals are; called for what is no attribute."""
        if not name.startswith("_") and name in self.top:
            raise AttributeError(f'signals and instances are model["{name}"] or model.top.{name}')
        raise AttributeError(f"a model has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse a number under a signal's name; other attributes are the user's own."""
        if hasattr(value, "__index__") and not hasattr(type(self), name) and name in self.top:
            raise AttributeError(f'a signal is not its value: write model["{name}"].value = ...')
        super().__setattr__(name, value)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tree.keys())

    @property
    def ports(self) -> list[Signal]:
        """The top module's ports, in the order of their declaration."""
        return [self.signal(path) for path in self.artifact.paths()[: self.artifact.port_count()]]

    # Running

    def run_until(
        self,
        condition: str | Signal | Callable[[], object],
        value: int | str = 1,
        *,
        max_cycles: int = MAX_CYCLES,
        clock: str | Clock | None = None,
        progress: bool = False,
    ) -> Run:
        """Step a clock until a condition holds; tested before the first and after every cycle.

        condition: a signal of up to 64 bits, which must have `value`; tested inside the model, at full speed. Or a
            function without arguments that answers something true; then each cycle is a call of its own, and there is
            no progress bar.
        max_cycles: after so many cycles `ConditionNotMetError` (a `TimeoutError`) is raised.
        clock: which one; not needed when there is one only.
        progress: show a progress bar.

        Returns a `Run`; it is not true when `$finish` or `$stop` came first.
        """
        if not callable(condition):
            return self._step_until(condition, value, max_cycles, clock=clock, progress=progress)
        cycles = 0
        run = self.step(0, clock=clock)  # takes in what was poked
        while run and not condition():
            if cycles >= max_cycles:
                raise ConditionNotMetError(
                    f"the condition does not hold after {cycles} cycles: allow more with max_cycles, or look at why"
                )
            run = self.step(1, clock=clock)
            cycles += run.cycles
        return _native.Run(run.status, cycles, run.stop)

    def hold_reset(
        self,
        signal: str | Sequence[str] | Signal | None = None,
        *,
        cycles: int = 2,
        active: int | None = None,
        clock: str | Clock | None = None,
    ) -> Run:
        """Hold a reset input active for some clock cycles and then release it. (`reset` is power-on.)

        signal: the reset input. Not needed when the artifact names one; one that only synchronous logic uses may have
            to be named.
        active: the level that resets; by default what the artifact says, else 1.
        """
        found = self._reset_levels()
        if signal is None:
            if len(found) != 1:
                told = f"it has {', '.join(f'`{name}`' for name in found)}" if found else "the artifact names none"
                raise UnknownNameError(f"which reset input? {told}: give its name")
            signal = next(iter(found))
        reset = self._signal(signal)
        level = found.get(reset.name, 1) if active is None else active
        before, reset.value = reset.value, level
        try:
            run = self.step(cycles, clock=clock)
        except (ValueError, LookupError):
            # Nothing has run.
            reset.value = before
            raise
        reset.value = 1 - level
        return run

    def _reset_levels(self) -> dict[str, int]:
        """The reset inputs that the artifact knows, with their active levels."""
        manifest = self.artifact.manifest
        ports = self.artifact.ports
        inputs = {i for i, port in enumerate(manifest["signals"][: len(ports)]) if port["kind"] == "input"}
        return {ports[r["signal"]]: r["active"] for r in manifest["resets"] if r["signal"] in inputs}

    # Breaks

    def break_on(self, signal: str | Sequence[str] | Signal, value: int | str | None = None) -> Break:
        """Stop runs when a signal changes, or changes to `value`, once all that happens at that time is complete.

        signal: of any width, or a row of a memory, as `ram[16]`. What is poked is no change.

        The run answers a `Run` that is not true, with the status "break" and a `Stop`: `run.stop`. Calling again goes
        on, also in the middle of a cycle. With `engine="wasm"` runs stop at full speed, and only at what the artifact
        stores: ports, registers, latches, memories. Raises `UnknownNameError`, `ValueRangeError`, `OptionError`.
        """
        return _debug.on_signal(self, signal, value)

    def break_at(self, where: str) -> Break:
        """Stop runs that go through a line of the source, `file:line`; not with `engine="wasm"`.

        Runs are looked at when a clock edge comes: a line is gone through when something that acts at this edge, a
        register, a memory or a `$display`, gets its value by what is written there. That is, when the arm of an `if` or
        `case` is taken that begins on the line, or else, the innermost one that the line lies in; outside of arms, when
        an operation that begins on the line is used. The file may be named by the end of its path.

        Raises `OptionError`, which names lines nearby that can be stopped at.
        """
        return _debug.at_line(self, where)

    @property
    def breaks(self) -> list[Break]:
        """What runs stop at. A fork has none."""
        return list(self._breaks.values())

    # Watches, staged writes, the change trace

    def watch(
        self,
        signal: str | Sequence[str] | Signal,
        when: str | int = "rose",
        *,
        bits: int = (1 << 64) - 1,
        hits: int = 1,
        stop: str = "at",
        again: bool = False,
    ) -> Watch:
        """Stop runs inside the model, in the middle of a call: their status is "watch" then, and they are not true.

        signal: a signal that is stored, its low 64 bits; or a memory row such as "ram[3]".
        when: "rose", "fell" or "changed", of any bit; or the value that it is to have after a settling.
        bits: the bits that count.
        hits: at which of the hits to stop.
        stop: "at" the hit; of a clock that is before its edge acts, with all values from before it. "after" all that
            happens at that time is complete; "keep" the same, for `peek_before`.
        again: go on watching, for one hit at a time; else `rearm` makes it watch again.

        A `with` block removes the watch at its end.
        """
        kind, value = (when, 0) if isinstance(when, str) else ("equals", when)
        return _native.add_watch(self, signal, kind, value, bits, hits, stop, again)

    @property
    def edge_pending(self) -> bool:
        """Whether a watch on a clock has stopped the last run before the edge; the next run begins with that."""
        return _native.edge_pending(self)

    def stage(self, signal: str | Sequence[str] | Signal, value: int | str) -> None:
        """Write a signal or memory row together with the edge that is pending: it does not see that, and it wins."""
        _native.stage(self, signal, value)

    def peek_before(self, signal: str | Sequence[str] | Signal) -> int:
        """What a signal was at the last hit of a watch with `stop="keep"`."""
        return _native.peek_before(self, signal)

    @contextmanager
    def changes(self) -> Iterator[Callable[[], list[Change]]]:
        """Note every change in a `with` block, inside the calls; yields a function that takes what was noted so far.

        The artifact must have been compiled with `trace=True`. The first run tells all values but those of memories.
        """
        _native.set_trace(self, True)
        try:
            yield self._take_changes
        finally:
            _native.set_trace(self, False)

    def _take_changes(self) -> list[Change]:
        paths = [".".join(path) for path in self.artifact.paths()]
        return [Change(time, paths[signal], *rest) for time, signal, *rest in _native.take_changes(self)]

    # Tables

    def play(
        self,
        table: Any,
        read: str | Sequence[str | Signal] | None = None,
        *,
        cycles: int | None = None,
        clock: str | Clock | None = None,
        progress: bool = False,
    ) -> Wave:
        """Run a table of inputs, one row a cycle, in a single call.

        table: a mapping from signal names to columns, or a numpy array with named fields. In each cycle every signal
            gets its row; then the clock is stepped. A column has the shape (cycles,), negative numbers are two's
            complement; for more than 64 bits it has Python ints, or the shape (cycles, limbs) of uint64, the least
            significant limb first. A single number stands for a whole column.
        read: what to record after each cycle; by default all outputs.
        cycles: how many, when no column says it.

        Returns a `Wave`; it ends early after `$finish` or `$stop`. Raises `ShapeError` and `ValueRangeError` before
        anything has run.
        """
        columns = columns_of(table)
        rows = row_count(columns, cycles)
        inputs = []
        for name, values in columns.items():
            signal = self.signal(name)
            inputs.append((signal, to_limbs(signal, values, rows)))
        outputs = self._chosen(read, lambda port: port.kind == "output")
        names = [signal.name for signal in outputs]
        run, data = _native.play_rows(self, rows, inputs, outputs, clock=clock, progress=progress)
        found = {name: from_limbs(signal, d) for name, signal, d in zip(names, outputs, data, strict=True)}
        widths = {name: signal.width for name, signal in zip(names, outputs, strict=True)}
        self._wave = Wave(found, widths, run)
        return self._wave

    def trace(
        self,
        signals: str | Sequence[str | Signal] | None = None,
        cycles: int = 16,
        *,
        clock: str | Clock | None = None,
        progress: bool = False,
    ) -> Wave:
        """Run some cycles and record signals after each.

        signals: which ones; by default all ports but clocks.

        Returns a `Wave` with columns of the shape (cycles,).
        """
        clocks = {clock.name for clock in self.clocks}
        chosen = self._chosen(signals, lambda port: port.name not in clocks and port.width > 0)
        return self.play({}, chosen, cycles=cycles, clock=clock, progress=progress)

    def _chosen(self, signals: str | Sequence[str | Signal] | None, wanted: Callable[[Signal], bool]) -> list[Signal]:
        if signals is None:
            return [port for port in self.ports if wanted(port)]
        if isinstance(signals, str):
            return [self.signal(signals)]
        return [self._signal(signal) for signal in signals]

    def _signal(self, named: str | Sequence[str] | Signal) -> Signal:
        return named if isinstance(named, _native.Signal) else self.signal(named)

    @contextmanager
    def record(self, path: str | os.PathLike[str], *, memories: bool = False) -> Iterator[None]:
        """Write what runs in a `with` block to a waveform file, for GTKWave or Surfer.

        path: ends in `.vcd` or `.fst`.
        memories: write memories, too, row by row.

        All named signals are sampled after each edge, at the time of the edge. The model comes to the same state as
        without, but each cycle takes longer. `reset` and `restore` to an earlier time do not go into one file.

        Raises `WaveError` when the file cannot be written.
        """
        if Path(path).suffix not in {".vcd", ".fst"}:
            raise OptionError(f"`{os.fspath(path)}` tells no format: the name of a waveform ends in .vcd or .fst")
        _native.begin_wave(self, path, memories)
        try:
            yield
        finally:
            _native.end_wave(self)

    # The rest

    def fork(self) -> Model:
        """Make a second model in the same state; it shares code and nothing else. Events stay with the first."""
        return type(self)(self.artifact, fork_of=self)

    @property
    def time_unit(self) -> float:
        """Seconds that one unit of time stands for."""
        return float(10.0 ** self.artifact.manifest["time_unit"])

    def load(self, memory: str | Sequence[str] | Signal, path: str | os.PathLike[str]) -> int:
        """Fill a memory from a file and return the number of rows written.

        The file is text as `$readmemh` reads it, `$readmemb` with the ending `.bits`, or plain bytes with the ending
        `.bin`. Rows that it does not name keep their contents. Raises `ImageError` with file and line.
        """
        return self._load_memory(self._signal(memory), os.fspath(path))

    def __repr__(self) -> str:
        """Tell top module, time and clocks."""
        clocks = ", ".join(f"{clock.name} after {clock.cycles} cycles" for clock in self.clocks if not clock.derived)
        return f"Model({self.artifact.top!r}, time {self.time}, {clocks or 'no clock'})"

    def _repr_html_(self) -> str:
        rows = "".join(_port_row(port) for port in self.ports)
        head = "<tr><th>port</th><th>direction</th><th>bits</th><th>value</th></tr>"
        wave = self._wave._repr_html_() if self._wave is not None else ""
        return f"<p>{escape(repr(self))}</p><table>{head}{rows}</table>{wave}"


def _port_row(port: Signal) -> str:
    cells = (escape(port.name), port.kind, str(port.width), f"{port.value:#x}")
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
