"""Waveforms of Torii simulations: VCD with the names that Torii gives, and GTKWave save files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from torii.hdl.ast import Signal, SignalDict, Value
from torii.hdl.ir import Fragment
from vcd.gtkw import GTKWSave

from .._sim.files import Files, check_name
from .._sim.rtlil import signals_of
from . import _private


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
        for signal, place in _private.names(fragment):
            names.setdefault(signal, []).append(place)
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
