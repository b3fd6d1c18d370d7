"""Torii's engine interface, on top of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from torii.hdl.ast import Assign, Const, Signal
from torii.hdl.ir import Fragment
from torii.sim import Active, Delay, Passive, Settle, Simulator, Tick

from .. import _native
from .._sim.clock import now
from .._sim.compiled import compiled
from ._commands import Commands
from ._lower import lower
from ._private import BaseEngine

if TYPE_CHECKING:
    from ._wave import Wave

_CLASSES = {
    "tick": Tick,
    "settle": Settle,
    "delay": Delay,
    "passive": Passive,
    "active": Active,
    "signal": Signal,
    "constant": Const,
    "assign": Assign,
}


class WASMEngine(BaseEngine):
    """Simulates a Torii design as WebAssembly.

    Everything is as with Torii's own engine. What a process writes while the design is not settled may differ: values
    are always those of settled logic.
    """

    def __init__(self, fragment: Fragment) -> None:
        """Compile the design."""
        design = self._design = lower(fragment)
        self._fragment = fragment
        self._waves: list[Wave] = []
        self._active = True
        """A process was active after the last step: who goes on without one does so until a deadline."""
        self._traced: dict[int, Signal] = {}
        commands = Commands(design, fragment.domains)
        self._signals = commands.signals = _native.Signals(compiled(design.text), commands.missing, self._store)
        self._kernel = commands.kernel = _native.ToriiKernel(self._signals, _CLASSES, commands)
        for signal in design.inputs:
            self._signals.slot(signal)
        for reset in design.resets:
            memory, domain, slot = reset.memory, reset.domain, self._signals.slot
            at_once = slot(domain.rst) if domain.rst is not None and domain.async_reset else None
            rows = [*memory.init, *[0] * (memory.depth - len(memory.init))]
            self._signals.add_memory_reset(
                memory.name,
                memory.width,
                rows,
                slot(domain.clk),
                domain.clk_edge == "pos",
                slot(reset.condition),
                at_once,
            )
        if self._signals.loops:
            # Another artifact goes on with what a loop has come to by the names of its bits.
            design.name_bits()
            self._adopt(design.store(design.computed))

    def add_coroutine_process(self, process: Callable[[], Any], *, default_cmd: Any) -> None:
        """Add a process; `default_cmd` is what None stands for."""
        self._kernel.add_process(process, default_cmd)

    def add_clock_process(self, clock: Signal, *, phase: int, period: int) -> None:
        """Add a clock that flips first after `phase` and then twice a `period`, in picoseconds."""
        if len(clock) != 1:
            raise TypeError(f"Clock signal must be exactly 1-wide, not {len(clock)}")
        self._kernel.add_clock(self._signals.slot(clock), phase, period // 2)

    def reset(self) -> None:
        """Give every signal and memory row its initial value, and start every process again."""
        self._kernel.reset()

    @property
    def now(self) -> int:
        """Present time in picoseconds."""
        return now(self._signals, Simulator.run_until, not self._active)

    def advance(self) -> bool:
        """Settle everything at the present time, then go on to the next deadline. True while a process is active."""
        self._active = self._kernel.advance()
        if self._waves:
            self._draw()
        return self._active

    @contextmanager
    def write_vcd(
        self, *, vcd_file: IO[str] | str | None, gtkw_file: IO[str] | str | None = None, traces: Iterable[Signal]
    ) -> Iterator[None]:
        """Record every signal of the design in a VCD file, and `traces` in a GTKWave save file."""
        # What writes files is not imported by those who write none.
        from ._wave import Wave

        wave = Wave(self._fragment, vcd_file=vcd_file, gtkw_file=gtkw_file, traces=traces)
        self._waves.append(wave)
        try:
            self._trace()
            yield
        finally:
            self._signals.settle()
            self._draw()
            wave.close(self.now)
            self._waves.remove(wave)
            if not self._waves:
                self._signals.trace([], False)

    def _adopt(self, text: str) -> None:
        """Go on with another artifact."""
        self._signals.adopt(compiled(text, trace=bool(self._waves)), [])

    def _store(self, names: list[str]) -> None:
        """Go on with an artifact that stores those signals; called by the kernel."""
        self._adopt(self._design.store_named(names))

    def _trace(self) -> None:
        """Record what the waves show, with an artifact that stores it."""
        signals = [signal for wave in self._waves for signal in wave.signals]
        self._adopt(self._design.store(id(signal) for signal in signals))
        self._traced = {self._signals.slot(signal): signal for signal in signals}
        self._signals.trace(list(self._traced), False)

    def _draw(self) -> None:
        for time, _, slot, value in self._signals.changes():
            for wave in self._waves:
                wave.change(time, self._traced[slot], value)
