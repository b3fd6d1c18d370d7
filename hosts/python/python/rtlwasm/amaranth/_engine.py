"""Amaranth's engine interface, on top of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from amaranth.hdl import Const, DriverConflict, MemoryData, Shape, ShapeCastable, Signal, Value
from amaranth.sim import BrokenTrigger, DomainReset, Simulator, TriggerCombination

from .. import _native
from .._sim.clock import now
from .._sim.compiled import compiled
from .._sim.evaluate import assign, evaluate
from .._sim.rtlil import leaves
from ._conditions import Conditions
from ._context import Process, Testbench
from ._effects import tell
from ._lower import initial, lower
from ._private import (
    BaseEngine,
    BaseEngineState,
    ChangedTrigger,
    DelayTrigger,
    EdgeTrigger,
    Row,
    SampleTrigger,
    row_place,
    triggers_of,
)
from ._state import State

if TYPE_CHECKING:
    from amaranth.hdl._ir import Design

    from ._wave import Wave


class WASMEngine(BaseEngine):
    """Simulates an Amaranth design as WebAssembly.

    Everything is as with Amaranth's own engine. What a process sees while the design is not settled may differ: values
    are always those of settled logic.
    """

    BrokenTrigger = BrokenTrigger
    DomainReset = DomainReset

    def __init__(self, design: Design) -> None:
        """Compile the design."""
        self._prepared = design
        self._design, self._effects = lower(design)
        self._memories = {id(memory.key): memory for memory in self._design.memories}
        self._rows: dict[tuple[int, int], int] = {}
        self._waves: list[Wave] = []
        self._conditions = Conditions(self)
        self._signals = _native.Signals(compiled(self._design.text), self._missing, self._store)
        self._kernel = _native.AmaranthKernel(self._signals, self)
        self._state = State(self)
        for signal in self._design.inputs:
            self._signals.slot(signal)
        if any(effect.computed for effect in self._effects):
            self._signals.tell_changes()
        if self._signals.loops:
            # Another artifact goes on with what a loop has come to by the names of its bits.
            self._design.name_bits()
            self._adopt(self._design.store(self._design.computed))

    @property
    def state(self) -> BaseEngineState:
        """Signals and memories by slot, and functions that are called when they change."""
        return self._state

    @property
    def now(self) -> int:
        """Present time in femtoseconds."""
        return now(self._signals, Simulator.run_until, True)

    def reset(self) -> None:
        """Give every signal and memory row its initial value, and start every process again."""
        self._conditions.reset()
        self._kernel.reset()

    def add_clock_process(self, clock: Signal, *, phase: int, period: int) -> None:
        """Add a clock that flips first after `phase` and then twice a `period`, in femtoseconds."""
        if id(clock) in self._design.computed:
            raise DriverConflict("Clock signal is already driven by combinational logic")
        self._kernel.add_clock(self._signals.slot(clock), phase, period // 2)

    def add_async_process(self, simulator: Any, process: Callable[..., Any]) -> None:
        """Add a process: it runs together with the design."""
        self._add(process, testbench=False, background=True)

    def add_async_testbench(self, simulator: Any, process: Callable[..., Any], *, background: bool) -> None:
        """Add a testbench: it runs when the design has settled."""
        self._add(process, testbench=True, background=background)

    def _add(self, constructor: Callable[..., Any], *, testbench: bool, background: bool) -> None:
        process = self._kernel.add_process(constructor, testbench, background)
        process.start((Testbench if testbench else Process)(self._prepared, self, process))

    def add_trigger_combination(self, combination: TriggerCombination, *, oneshot: bool) -> _native.Trigger:
        """What a process awaits."""
        triggers, process = triggers_of(combination)
        return self._kernel.add_trigger(process, [self._part(trigger) for trigger in triggers], oneshot)

    def _part(self, trigger: Any) -> tuple[Any, ...]:
        """A trigger as the kernel takes it."""
        kind = type(trigger)
        if kind is SampleTrigger:
            return self.sampled(trigger.value, trigger.shape)
        if kind is ChangedTrigger:
            sampled = (trigger.value, trigger.shape) if isinstance(trigger.shape, ShapeCastable) else None
            return "changed", self._signals.slot(trigger.signal), sampled
        if kind is EdgeTrigger:
            return "edge", self._signals.slot(trigger.signal), trigger.bit, bool(trigger.polarity)
        assert kind is DelayTrigger
        return "delay", trigger.interval_fs

    def sampled(self, value: Value, shape: Any) -> tuple[Any, ...]:
        """A value to be sampled, as the kernel takes it."""
        if not isinstance(shape, ShapeCastable):
            if type(value) is Signal:
                return "signal", self._signals.slot(value)
            if type(value) is Const:
                return "constant", value.value
            if type(value) is Row:
                return "signal", self.slot(value)
        return "sample", (value, shape), [self.slot(each) for each in leaves(value)]

    def condition(self, sampled: tuple[Value, Any], ticks: int) -> int | None:
        """The slot of a condition that the design computes, if it can; called by the kernel."""
        return self._conditions.compute(sampled, ticks)

    def sample(self, sampled: tuple[Value, Any]) -> Any:
        """The present value of an expression, in a shape; called by the kernel."""
        expression, shape = sampled
        value = evaluate(self, expression)
        return shape.from_bits(value) if isinstance(shape, ShapeCastable) else value

    def get_value(self, expr: Any) -> int:
        """The present value of an expression."""
        if type(expr) is Signal:
            value: int = self._signals.read(self._signals.slot(expr))
            return value
        return evaluate(self, Value.cast(expr))

    def set_value(self, expr: Any, value: int) -> None:
        """Assign to an expression; the design sees it in `step_design`."""
        if type(expr) is Signal:
            self.put(expr, 0, len(expr), value)
        else:
            left = Value.cast(expr)
            assign(self, left, 0, len(left), value)

    def step_design(self) -> None:
        """Let everything that waits for changes act, until nothing changes any more."""
        self._kernel.step_design()

    def advance(self) -> bool:
        """Do all that happens at the present time, then go on to the next deadline. True while one is critical."""
        critical: bool = self._kernel.advance()
        if self._waves:
            self._draw()
        return critical

    def told(self, number: int, values: list[int]) -> None:
        """The design tells something; called by the kernel."""
        tell(self._effects[number], values)

    @contextmanager
    def write_vcd(
        self, *, vcd_file: IO[str] | str | None, gtkw_file: IO[str] | str | None, traces: Any, fs_per_delta: int
    ) -> Iterator[None]:
        """Record every signal and memory row of the design in a VCD file, and `traces` in a GTKWave save file."""
        # What writes files is not imported by those who write none.
        from ._wave import Wave

        wave = Wave(
            self, self._prepared, vcd_file=vcd_file, gtkw_file=gtkw_file, traces=traces, fs_per_delta=fs_per_delta
        )
        self._waves.append(wave)
        try:
            self._trace()
            yield
        finally:
            self._signals.settle()
            self._draw()
            wave.close(self.now + self._kernel.rounds * fs_per_delta)
            self._waves.remove(wave)
            if not self._waves:
                self._signals.trace([], False)

    def _adopt(self, text: str, added: Sequence[Signal] = ()) -> None:
        """Go on with another artifact, which has those inputs more."""
        names, stands_for = self._design.names, self._design.writer.stands_for
        inputs = [(self.slot(stands_for.get(id(each), each)), names[id(each)]) for each in added]
        self._signals.adopt(compiled(text, trace=bool(self._waves)), inputs)

    def _store(self, names: list[str]) -> None:
        """Go on with an artifact that stores those signals; called by the kernel."""
        self._adopt(self._design.store_named(names))

    def _trace(self) -> None:
        """Record what the waves show, with an artifact that stores it."""
        self._adopt(self._design.store(id(each) for wave in self._waves for each in wave.signals))
        slots = dict.fromkeys(slot for wave in self._waves for slot in wave.slots)
        self._signals.trace(list(slots), any(wave.fs_per_delta for wave in self._waves))

    def _draw(self) -> None:
        for time, rounds, slot, value in self._signals.changes():
            for wave in self._waves:
                wave.change(time + rounds * wave.fs_per_delta, slot, value)

    # Signals and memory rows.

    def slot(self, place: Any) -> int:
        """The slot of a signal, or of a row of a memory."""
        if not isinstance(place, Row):
            slot: int = self._signals.slot(place)
            return slot
        return self.row_slot(*row_place(place))

    def row_slot(self, memory: MemoryData, index: int) -> int:
        """The slot of a row of a memory."""
        key = id(memory), index
        if key not in self._rows:
            self._rows[key] = self._add_row(memory, index)
        return self._rows[key]

    def get(self, place: Any) -> int:
        """The present value of a signal or row."""
        value: int = self._signals.read(self.slot(place))
        return value

    def put(self, place: Any, start: int, width: int, value: int) -> None:
        """Write bits of a signal or row, when the round ends."""
        if id(place) in self._design.computed:
            raise DriverConflict("Combinationally driven signals cannot be overriden by testbenches")
        slot = self.slot(place)
        if width < len(place):
            mask = ((1 << width) - 1) << start
            value = (self._signals.read_next(slot) & ~mask) | ((value << start) & mask)
        self._signals.write(slot, value)

    def _missing(self, signal: Signal) -> int:
        """The slot of a signal that is used for the first time."""
        name, shape = self._design.names.get(id(signal)), signal.shape()
        added: int = self._signals.add_signal(signal, name, shape.width, shape.signed, signal.init)
        return added

    def _add_row(self, memory: MemoryData, index: int) -> int:
        known, shape, row = self._memories.get(id(memory)), Shape.cast(memory.shape), memory[index]
        if known is not None:
            added: int = self._signals.add_row(row, known.name, index, shape.width, shape.signed, known.init[index])
        else:
            added = self._signals.add_signal(row, None, shape.width, shape.signed, initial(memory)[index])
        return added
