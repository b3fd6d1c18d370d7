"""Where runs stop, and what they show then."""

from __future__ import annotations

import bdb
import os
import re
import sys
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native

if TYPE_CHECKING:
    from ._native import Signal
    from .artifact import Artifact
    from .model import Model


@dataclass(frozen=True)
class SignalChange:
    """A signal that has stopped a run."""

    name: str
    """Its path, with the row of a memory."""
    old: int
    """The value before."""
    new: int
    source: str | None
    """Where it is declared, as "file:line.column"."""


@dataclass(frozen=True)
class Place:
    """A line of the source that a run has gone through."""

    file: str
    line: int
    column: int
    """From 1; 0 is the whole line."""
    instance: str
    """Path of the instance; empty for the top module."""
    text: str
    """The line itself; empty when the file cannot be read any more."""
    values: Mapping[str, tuple[int, int]]
    """The signals that the line names, but memories: before the clock edge, and now."""


@dataclass(frozen=True)
class Stop:
    """What a run has stopped at, once everything that happened at that time was complete; `str()` shows it."""

    model: Model = field(repr=False)
    cycle: int
    """Rises of the design's first clock since reset."""
    time: int
    """In time units."""
    changes: tuple[SignalChange, ...]
    """The signals that have stopped it."""
    places: tuple[Place, ...]
    """The lines that have stopped it."""

    def __str__(self) -> str:
        """Tell cycle, time, old and new values, and the lines with the values of their signals."""
        shown = [f"stopped in cycle {self.cycle} at time {self.time}"]
        for change in self.changes:
            shown.append(f"{change.name}: {change.old:#x} -> {change.new:#x}")
            if place := _declared(change, self.model.artifact):
                shown += _quote(place)
        for place in self.places:
            shown += _quote(place)
            values = [
                f"{name} = {before:#x}" + (f" -> {now:#x}" if now != before else "")
                for name, (before, now) in place.values.items()
            ]
            if values:
                shown.append(f"  {', '.join(values)}")
        return "\n".join(shown)


def _quote(place: Place) -> list[str]:
    """The place of a line, the line, and a mark below it."""
    shown = [f"{place.file}:{place.line}" + (f" in {place.instance}" if place.instance else "")]
    if place.text:
        shown.append(f"{place.line:5} | {place.text}")
        if place.column:
            lead = re.sub(r"\S", " ", place.text[: place.column - 1])
            shown.append(f"      | {lead}^")
    return shown


def _declared(change: SignalChange, artifact: Artifact) -> Place | None:
    """The line that declares a signal."""
    found = re.fullmatch(r"(.*):(\d+)(?:\.(\d+).*)?", change.source or "")
    if found is None:
        return None
    file, line = found[1], int(found[2])
    return Place(file, line, int(found[3] or 0), change.name.rpartition(".")[0], _text(artifact, file, line), {})


class Break:
    """Something that runs of a model stop at, until it is removed; see `Model.break_on` and `Model.break_at`."""

    def __init__(self, model: Model, what: str) -> None:
        """For the package's own use."""
        self._model = weakref.ref(model)
        self._id = 0
        self.what = what
        """What it stops at."""
        self.hits = 0
        """How often it has stopped a run."""

    def remove(self) -> None:
        """Let runs pass. Nothing happens when it was removed before."""
        if (model := self._model()) is not None:
            _native.unbreak(model, self._id)
            model._breaks.pop(self._id, None)

    def __repr__(self) -> str:
        """Tell what it stops at, and how often it has."""
        return f"Break({self.what!r}, hits={self.hits})"


class SignalBreak(Break):
    """A signal that changes."""

    def change(self, model: Model, old: int, new: int) -> SignalChange:
        """What has happened to it."""
        name = self.what.partition(" ")[0]
        return SignalChange(name, old, new, model.signal(re.sub(r"\[[^]]*\]$", "", name)).source)


class LineBreak(Break):
    """A line that a run goes through."""

    where: tuple[str, int, int] = ("", 0, 0)


def on_signal(model: Model, signal: Any, value: int | str | None) -> Break:
    """Stop where a signal changes, or changes to a value."""
    name = signal if isinstance(signal, str) else ".".join(signal) if isinstance(signal, (list, tuple)) else signal.name
    made = SignalBreak(model, name if value is None else f"{name} == {value}")
    made._id = _native.break_on(model, signal, value, _handler(model))
    return _keep(model, made)


def at_line(model: Model, where: str) -> Break:
    """Stop where a run goes through `file:line`."""
    file, _, line = where.rpartition(":")
    if not file or not line.isdecimal():
        from .errors import OptionError

        raise OptionError(f"a line of the source is named by file and number, as `cpu.v:37`, and not by `{where}`")
    made = LineBreak(model, where)
    made._id, *_ = found = _native.break_at(model, file, int(line), _handler(model))
    made.where = found[1:]
    return _keep(model, made)


def _keep(model: Model, made: Break) -> Break:
    model._breaks[made._id] = made
    return made


def _handler(model: Model) -> Any:
    """What the native part calls when a run has stopped; it must not keep the model alive."""
    known = weakref.ref(model)

    def handler(hits: list[tuple[Any, ...]]) -> Stop | None:
        found = known()
        return None if found is None else _stopped(found, hits)

    return handler


def _stopped(model: Model, hits: list[tuple[Any, ...]]) -> Stop:
    changes, places = [], []
    for number, *what in hits:
        made = model._breaks[number]
        made.hits += 1
        if isinstance(made, SignalBreak):
            changes.append(made.change(model, *what))
        elif isinstance(made, LineBreak):
            places.append(_place(model, *made.where, what[0]))
    clocks = model.clocks
    stop = Stop(model, clocks[0].cycles if clocks else 0, model.time, tuple(changes), tuple(places))
    debugger = _is_debugged() if model.debugger is None else model.debugger
    if debugger:
        _look_around(model, stop)
    return stop


def _place(model: Model, file: str, line: int, column: int, instance: str) -> Place:
    text = _text(model.artifact, file, line)
    values = {}
    for signal in _named(model, text, instance):
        before = _native.value_before(model, signal)
        values[signal.name] = (signal.value if before is None else before, signal.value)
    return Place(file, line, column, instance, text, values)


def _look_around(model: Model, stop: Stop) -> None:
    """Here the run has stopped: `model` and `stop` are at hand, `continue` goes back to what called it."""
    print(stop)
    sys.breakpointhook()


def _is_debugged() -> bool:
    """Whether a debugger of Python's own kind steps through the program, or has started it."""
    return isinstance(getattr(sys.gettrace(), "__self__", None), bdb.Bdb) or sys.orig_argv[1:3] == ["-m", "pdb"]


def _text(artifact: Artifact, file: str, line: int) -> str:
    """A line of a source file; empty when the file cannot be read any more."""
    candidates = [Path(file), *(path for path in artifact.dependencies if os.fspath(path).endswith(file))]
    for path in candidates:
        try:
            return path.read_text(encoding="utf-8", errors="replace").splitlines()[line - 1]
        except (OSError, IndexError):
            continue
    return ""


def _named(model: Model, text: str, instance: str) -> Iterator[Signal]:
    """The signals of an instance that a line of source names, but memories."""
    tree = model._tree.find(instance) if instance else model._tree
    names = dict.fromkeys(re.findall(r"[A-Za-z_][\w$]*", text.partition("//")[0]))
    for name in names if tree else ():
        if tree is not None and name in tree.signals and (signal := model.signal(tree.signals[name])).depth == 0:
            yield signal
