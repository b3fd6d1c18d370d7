"""Waveforms of Amaranth simulations: VCD with the names and formats that Amaranth gives, and GTKWave save files."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from amaranth.hdl import Format, MemoryData, MemoryInstance, ShapeCastable, Signal, Value, ValueLike
from amaranth.lib import data, wiring
from vcd.gtkw import GTKWSave

from .._sim.evaluate import evaluate
from .._sim.files import Files, check_name
from .._sim.rtlil import signals_of
from ._effects import message
from ._lower import initial
from ._private import Row, chunks_of, format_of, memory_of, parts_of, row_place

if TYPE_CHECKING:
    from amaranth.hdl._ir import Design

_Show = Callable[[int], Any]
"""What a variable shows of the value of its signal or row."""


class Wave:
    """One recording."""

    def __init__(
        self,
        engine: Any,
        design: Design,
        *,
        vcd_file: IO[str] | str | None,
        gtkw_file: IO[str] | str | None,
        traces: Any,
        fs_per_delta: int,
    ) -> None:
        """Create the files and declare every signal and memory of the design and of `traces`."""
        self._files = Files(vcd_file, gtkw_file, "1 fs")
        self._vcd = self._files.vcd
        self.fs_per_delta = fs_per_delta
        self._engine = engine
        self._traces = traces
        self._signals: dict[int, tuple[Signal, list[tuple[str, ...]]]] = {}
        """Every signal with its places, by id."""
        self._memories: dict[MemoryData, tuple[str, ...]] = {}
        self._names(design)
        self._add_traces(traces, set())
        self._variables: dict[int, list[tuple[Any, _Show]]] = {}
        """By the slot of a signal or row."""
        self._shown: dict[int, list[str]] = {}
        self.slots: list[int] = []
        """What is recorded."""
        if self._vcd is not None:
            self._declare()

    @property
    def signals(self) -> list[Signal]:
        """The signals that are recorded."""
        return [signal for signal, _ in self._signals.values()]

    def change(self, time: int, slot: int, value: int) -> None:
        """Record a new value of the signal or row of a slot."""
        for variable, show in self._variables.get(slot, ()):
            self._vcd.change(variable, time, show(value))

    def close(self, time: int) -> None:
        """Complete the files."""
        self._files.close(time, lambda save: self._save(save, self._traces))

    def _names(self, design: Design) -> None:
        """The places of every signal: one in each fragment that uses it."""
        for fragment, info in design.fragments.items():
            path = ("bench", *info.name)
            for signal, name in info.signal_names.items():
                self._signals.setdefault(id(signal), (signal, []))[1].append((*path, name))
            if isinstance(fragment, MemoryInstance):
                self._memories[memory_of(fragment)] = path

    def _add_traces(self, traces: Any, taken: set[str]) -> None:
        """What the design does not have lies directly below `bench`, under the name that it got last."""
        own = set(self._signals)

        def place(name: str) -> tuple[str, ...]:
            chosen = name if name not in taken else f"{name}${len(taken)}"
            taken.add(chosen)
            return ("bench", chosen)

        for trace in _leaves(traces):
            if isinstance(trace, MemoryData):
                if trace not in self._memories:
                    self._memories[trace] = place(trace.name)
            else:
                for signal in signals_of(trace):
                    if id(signal) not in own:
                        self._signals[id(signal)] = signal, [place(signal.name)]

    def _declare(self) -> None:
        for signal, places in self._signals.values():
            decoder = signal.decoder
            if decoder is not None and not isinstance(decoder, enum.EnumMeta):
                fields: list[tuple[tuple[Any, ...], str, int, _Show]] = [((), "string", 1, decoder)]
            else:
                fields = list(_fields((), format_of(signal), signal))
            self._register(self._engine.slot(signal), places, fields, signal.init)
        for memory, path in self._memories.items():
            for index, first in enumerate(initial(memory)):
                row = memory[index]
                if isinstance(memory.shape, ShapeCastable):
                    fields = list(_fields((), memory.shape.format(row, ""), Value.cast(row)))
                else:
                    fields = [((), "wire", len(row), _value(row, row))]
                name = f"\\{path[-1]}[{index}]"
                self._register(self._engine.row_slot(memory, index), [(*path[:-1], name)], fields, first)

    def _register(self, slot: int, paths: list[tuple[str, ...]], fields: Any, initial: int) -> None:
        variables, shown = self._variables.setdefault(slot, []), self._shown.setdefault(slot, [])
        self.slots.append(slot)
        for path, kind, size, show in fields:
            variable = None
            for *scope, name in paths:
                check_name(scope, name)
                full = name + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
                if path and not full.startswith("\\"):
                    full = "\\" + full
                if variable is None:
                    variable = self._vcd.register_var(scope, full, kind, size, init=show(initial))
                    shown.append(".".join((*scope, full)) + (f"[{size - 1}:0]" if size > 1 else ""))
                else:
                    self._vcd.register_alias(scope, full, variable)
            variables.append((variable, show))

    def _save(self, save: GTKWSave, traces: Any) -> None:
        """Traces for GTKWave, in groups as they were given."""
        if isinstance(traces, data.View):
            with save.group("view"):
                self._save(save, Value.cast(traces))
        elif isinstance(traces, MemoryData):
            for index in range(traces.depth):
                self._save_slot(save, self._engine.row_slot(traces, index))
        elif isinstance(traces, ValueLike):
            trace = Value.cast(traces)
            places = [trace] if isinstance(trace, Row) else signals_of(trace)
            for place in places:
                self._save_slot(save, self._engine.slot(place))
        elif _is_interface(traces):
            with save.group("interface"):
                for _, _, member in traces.signature.flatten(traces):
                    self._save(save, member)
        elif isinstance(traces, dict):
            for name, trace in traces.items():
                with save.group(name):
                    self._save(save, trace)
        else:
            for trace in traces:
                self._save(save, trace)

    def _save_slot(self, save: GTKWSave, slot: int) -> None:
        for name in self._shown.get(slot, ()):
            save.trace(name)


def _leaves(traces: Any) -> Iterator[Any]:
    """Values and memories of a trace specification."""
    if isinstance(traces, ValueLike):
        trace = Value.cast(traces)
        yield row_place(trace)[0] if isinstance(trace, Row) else trace
    elif isinstance(traces, MemoryData):
        yield traces
    elif _is_interface(traces):
        for name in traces.signature.members:
            yield from _leaves(getattr(traces, name))
    elif isinstance(traces, (list, tuple, dict)):
        for trace in traces.values() if isinstance(traces, dict) else traces:
            yield from _leaves(trace)
    else:
        raise TypeError(f"{traces!r} is not a traceable object")


def _is_interface(traces: Any) -> bool:
    return hasattr(traces, "signature") and isinstance(traces.signature, wiring.Signature)


def _fields(path: tuple[Any, ...], form: Any, place: Any) -> Iterator[tuple[tuple[Any, ...], str, int, _Show]]:
    """The variables of a format: path, kind, size, and what they show."""
    if isinstance(form, (Format.Struct, Format.Array)):
        value, fields = parts_of(form)
        yield path, "wire", len(value), _value(value, place)
        for name, field in fields.items() if isinstance(form, Format.Struct) else enumerate(fields):
            yield from _fields((*path, name), field, place)
        return
    match chunks_of(form) if isinstance(form, Format) else ():
        case [(value, "")]:
            yield path, "wire", len(value), _value(value, place)
        case _:
            yield path, "string", 1, _formatted(form, place)


class _Only:
    """Access to one signal or row, whose value is known."""

    def __init__(self, value: int) -> None:
        self._known = value

    def get(self, signal: Any) -> int:
        return self._known

    def put(self, signal: Any, start: int, width: int, value: int) -> None:
        raise NotImplementedError


def _value(value: Any, place: Any) -> _Show:
    """An expression of a signal or row."""
    if value is place:
        return lambda number: number
    return lambda number: evaluate(_Only(number), value)


def _formatted(form: Any, place: Any) -> _Show:
    """A format of a signal or row."""
    whole = Format("{}", form)

    def show(number: int) -> str:
        signals = _Only(number)
        values = (evaluate(signals, chunk[0]) for chunk in chunks_of(whole) if not isinstance(chunk, str))
        return message(whole, values)

    return show
