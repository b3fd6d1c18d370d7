"""What processes ask for and the kernel does not do itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torii.hdl.ast import Statement, Value, ValueCastable
from torii.hdl.cd import ClockDomain

from .._sim.design import Design
from .._sim.evaluate import evaluate, execute
from ..errors import NotWritableError


class Commands:
    """The kernel calls `other`, `domain` and `missing`."""

    def __init__(self, design: Design, domains: Mapping[str, ClockDomain]) -> None:
        """Serve a design; `signals` and `kernel` are set later."""
        self.signals: Any = None
        self.kernel: Any = None
        self._design = design
        self._domains = domains

    def other(self, target: int, command: Any) -> int | None:
        """Carry out a command: the value of an expression, or a statement."""
        if isinstance(command, ValueCastable):
            command = Value.cast(command)
        if isinstance(command, Value):
            return evaluate(self, command)
        if isinstance(command, Statement):
            execute(self, command)
            return None
        if command is None:
            raise TypeError(
                f"Received default command from process {self._place(target)!r} that was added with add_process(); "
                "did you mean to add this process with add_sync_process() instead?"
            )
        raise TypeError(f"Received unsupported command {command!r} from process {self._place(target)!r}")

    def domain(self, target: int, command: Any) -> tuple[int, bool, int | None]:
        """What a Tick waits for: the clock's slot and level, and the slot of an asynchronous reset."""
        domain = command.domain
        if not isinstance(domain, ClockDomain):
            if domain not in self._domains:
                raise NameError(
                    f"Received command {command!r} that refers to a nonexistent domain {domain!r} from process "
                    f"{self._place(target)!r}"
                )
            domain = self._domains[domain]
        reset = self.signals.slot(domain.rst) if domain.rst is not None and domain.async_reset else None
        return self.signals.slot(domain.clk), domain.clk_edge == "pos", reset

    def missing(self, signal: Any) -> int:
        """The slot of a signal that is used for the first time."""
        row = self._design.rows.get(id(signal))
        if row is not None:
            memory, index = row
            slot: int = self.signals.add_row(signal, memory.name, index, memory.width, False, signal.reset)
            return slot
        name, shape = self._design.names.get(id(signal)), signal.shape()
        added: int = self.signals.add_signal(signal, name, shape.width, shape.signed, signal.reset)
        return added

    def get(self, signal: Any) -> int:
        """The present value of a signal or row."""
        value: int = self.signals.read(self.signals.slot(signal))
        return value

    def put(self, signal: Any, start: int, width: int, value: int) -> None:
        """Write bits of a signal or row, when the round ends."""
        slot = self.signals.slot(signal)
        if width < len(signal):
            mask = ((1 << width) - 1) << start
            value = (self.signals.read_next(slot) & ~mask) | ((value << start) & mask)
        if not self.signals.write(slot, value):
            raise NotWritableError(
                f"the design drives {signal!r} by combinational logic, so a process cannot: write the registers or "
                "inputs that it is computed from"
            )

    def _place(self, target: int) -> str | None:
        """Where the process is, as Torii says it."""
        generator = self.kernel.generator(target)
        if generator is None:
            return None
        while inspect.isgenerator(generator.gi_yieldfrom):
            generator = generator.gi_yieldfrom
        frame = generator.gi_frame
        return f"{inspect.getfile(frame)}:{frame.f_lineno}"
