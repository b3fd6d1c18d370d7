"""Waveforms of Torii simulations: VCD with the names that Torii gives, and GTKWave save files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

from torii.hdl.ast import Signal, SignalDict, Value
from torii.hdl.ir import Fragment
from vcd.gtkw import GTKWSave

from .._sim.files import Files, check_name
from .._sim.rtlil import class_name, leaves, signals_of
from ._lower import assigns


class Wave:
    """One recording."""

    def __init__(
        self,
        fragment: Fragment,
        *,
        vcd_file: IO[str] | str | None,
        gtkw_file: IO[str] | str | None,
        traces: Iterable[Any],
    ) -> None:
        """Create the files and declare every signal of the design and of `traces`."""
        self._files = Files(vcd_file, gtkw_file, "1 ps")
        self._vcd = self._files.vcd
        self._traces: list[Signal] = []
        self._variables: SignalDict = SignalDict()
        self._shown: SignalDict = SignalDict()
        names = self._names(fragment, traces)
        if self._vcd is not None:
            for signal, places in names.items():
                self._declare(signal, places)

    @property
    def signals(self) -> list[Signal]:
        """What is recorded."""
        return list(self._variables)

    def change(self, time: int, signal: Signal, value: int) -> None:
        """Record a new value."""
        variable = self._variables.get(signal)
        if variable is not None and self._vcd is not None:
            self._vcd.change(variable, time, _text(signal, value))

    def close(self, time: int) -> None:
        """Complete the files."""
        self._files.close(time, self._save)

    def _save(self, save: GTKWSave) -> None:
        for signal in self._traces:
            bits = f"[{len(signal) - 1}:0]" if len(signal) > 1 and not signal.decoder else ""
            save.trace(".".join(self._shown[signal]) + bits)

    def _names(self, fragment: Fragment, traces: Iterable[Any]) -> SignalDict:
        """The places of every signal: in each fragment that uses it, or directly below `bench`, as given last."""
        names = SignalDict()
        for path, own_names in _names(fragment, ("bench", "top")):
            for signal, name in own_names.items():
                names.setdefault(signal, []).append((*path, name))
        own, taken = SignalDict((signal, None) for signal in names), set[str]()
        for trace in traces:
            for signal in signals_of(Value.cast(trace)):
                if signal not in own:
                    name = signal.name if signal.name not in taken else f"{signal.name}${len(taken)}"
                    names[signal] = [("bench", name)]
                    taken.add(name)
                self._traces.append(signal)
        return names

    def _declare(self, signal: Signal, places: list[tuple[str, ...]]) -> None:
        for *scope, name in places:
            check_name(scope, name)
            shown = self._register(signal, scope, name)
            if signal not in self._shown:
                self._shown[signal] = (*scope, shown)

    def _register(self, signal: Signal, scope: list[str], name: str) -> str:
        """Declare a signal in a scope, under another name if that one is taken."""
        shown, number = name, 0
        while True:
            try:
                if signal in self._variables:
                    self._vcd.register_alias(scope, shown, self._variables[signal])
                else:
                    kind, size = ("string", 1) if signal.decoder else ("wire", signal.width)
                    value = _text(signal, signal.reset)
                    self._variables[signal] = self._vcd.register_var(scope, shown, kind, size, init=value)
                return shown
            except KeyError:
                number += 1
                shown = f"{name}${number}"


def _text(signal: Signal, value: int) -> int | str:
    """A value as the file shows it."""
    return signal.decoder(value).expandtabs().replace(" ", "_") if signal.decoder else value


def _names(fragment: Fragment, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], SignalDict]]:
    """The path of a fragment, and the signals that it uses under their names there; then those below it."""
    names, taken = SignalDict(), set[str]()
    for signal in _used(fragment):
        if signal not in names:
            names[signal] = signal.name if signal.name not in taken else f"{signal.name}${len(taken)}"
            taken.add(names[signal])
    yield path, names
    for number, (below, name) in enumerate(fragment.subfragments):
        if name is None:
            name = f"U${number}"
        elif name in taken:
            name = f"{name}$U${number}"
        yield from _names(below, (*path, name))


def _used(fragment: Fragment) -> Iterator[Signal]:
    """The signals that a fragment uses; some more than once."""
    yield from fragment.ports
    for name in fragment.drivers:
        if name is not None:
            domain = fragment.domains[name]
            yield domain.clk
            if domain.rst is not None:
                yield domain.rst
    for statement in fragment.statements:
        yield from assigns(statement)
        yield from _reads(statement)


def _reads(statement: Any) -> Iterator[Signal]:
    """The signals that matter to a statement."""
    name = class_name(statement)
    if name == "Assign":
        yield from leaves(statement.lhs)
        yield from leaves(statement.rhs)
    elif name == "Property":
        yield from leaves(statement.test)
    elif name == "Switch":
        yield from leaves(statement.test)
        for statements in statement.cases.values():
            for each in statements:
                yield from _reads(each)
