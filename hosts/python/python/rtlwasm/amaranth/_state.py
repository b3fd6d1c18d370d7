"""The state of a simulation as Amaranth's engines show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from amaranth.hdl import MemoryData, Signal

from ._private import BaseEngineState, BaseMemoryState, BaseSignalState

if TYPE_CHECKING:
    from ._engine import WASMEngine


class State(BaseEngineState):
    """Slots of signals and memories, and functions to be called on changes."""

    def __init__(self, engine: WASMEngine) -> None:
        """Show the state of an engine."""
        self._engine = engine
        self._numbers: dict[int, int] = {}
        self.slots: list[SignalState | MemoryState] = []

    def reset(self) -> None:
        """Give everything its initial value."""
        self._engine.reset()

    def get_signal(self, signal: Signal) -> int:
        """The number of a signal in `slots`."""
        return self._number(signal, SignalState)

    def get_memory(self, memory: MemoryData) -> int:
        """The number of a memory in `slots`."""
        return self._number(memory, MemoryState)

    def set_delay_waker(self, interval: int, waker: Callable[[], Any]) -> None:
        """Call a function once, after an interval in femtoseconds."""

        def due() -> bool:
            waker()
            return False

        self._engine._kernel.call_after(interval, due)

    def add_signal_waker(self, signal: Signal, waker: Callable[[int, int], Any]) -> None:
        """Call a function with the old and new value of a signal whenever it changes, until it returns False."""
        before = self._engine.get(signal)

        def changed() -> bool:
            nonlocal before
            last, before = before, self._engine.get(signal)
            return bool(waker(last, before))

        self._engine._kernel.call_on_change([self._engine.slot(signal)], changed)

    def add_memory_waker(self, memory: MemoryData, waker: Callable[[], Any]) -> None:
        """Call a function whenever a row of a memory changes, until it returns False."""
        rows = [self._engine.row_slot(memory, row) for row in range(memory.depth)]
        self._engine._kernel.call_on_change(rows, lambda: bool(waker()))

    def _number(self, key: Any, kind: Callable[[WASMEngine, Any], SignalState | MemoryState]) -> int:
        if id(key) not in self._numbers:
            self._numbers[id(key)] = len(self.slots)
            self.slots.append(kind(self._engine, key))
        return self._numbers[id(key)]


class SignalState(BaseSignalState):
    """A signal."""

    def __init__(self, engine: WASMEngine, signal: Signal) -> None:
        """Show a signal of an engine."""
        self._engine = engine
        self.signal = signal

    @property
    def is_comb(self) -> bool:
        """Whether combinational logic drives it."""
        return id(self.signal) in self._engine._design.computed

    @property
    def curr(self) -> int:
        """The present value."""
        return self._engine.get(self.signal)

    @property
    def next(self) -> int:
        """The value that it has at the end of the round."""
        value: int = self._engine._signals.read_next(self._engine.slot(self.signal))
        return value

    def update(self, value: int, mask: int = -1) -> None:
        """Write the bits of a mask, at the end of the round."""
        self._engine.put(self.signal, 0, len(self.signal), (self.next & ~mask) | (value & mask))


class MemoryState(BaseMemoryState):
    """A memory."""

    def __init__(self, engine: WASMEngine, memory: MemoryData) -> None:
        """Show a memory of an engine."""
        self._engine = engine
        self.memory = memory

    def read(self, addr: int) -> int:
        """A row; 0 beyond the last."""
        if addr not in range(self.memory.depth):
            return 0
        value: int = self._engine._signals.read(self._engine.row_slot(self.memory, addr))
        return value

    def write(self, addr: int, value: int, mask: int | None = None) -> None:
        """Write the bits of a mask to a row, at the end of the round."""
        if addr in range(self.memory.depth):
            signals, slot = self._engine._signals, self._engine.row_slot(self.memory, addr)
            if mask is not None:
                value = (signals.read_next(slot) & ~mask) | (value & mask)
            signals.write(slot, value)
