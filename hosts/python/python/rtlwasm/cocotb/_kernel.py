"""Time, edges and callbacks: what a simulator does for cocotb, with a model that does the design's part.

A time step goes through these phases, again from the first as long as there is something to do:

1. Callbacks that are due: timers, the next time step, signals that have changed.
2. What was written takes effect: the model settles, registers take their edges. Callbacks on a clock run before its
   edge, and see the values from before it; all others see settled ones.
3. Deposits are made, all together; clocks among them are edges of phase 2.
4. Callbacks of the read-write phase.

Then come those of the read-only phase, and time goes on to the next timer or clock flip.
"""

from __future__ import annotations

import heapq
import logging
import sys
import traceback
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from ..errors import NotWritableError
from . import _constants as c
from ._callbacks import Callback, Watched
from ._clock import SimulatorClock
from ._design import Design
from ._objects import Scope, Value

if TYPE_CHECKING:
    from .._native import Event
    from ..model import Model

_log = logging.getLogger("cocotb.rtlwasm")


class Kernel:
    """The simulator. Time is in steps of `10 ** precision` seconds."""

    def __init__(self, model: Model, precision: int, *, has_packed: bool) -> None:
        """For a model that was just powered on."""
        self.model = model
        self.precision = precision
        self.has_packed = has_packed
        self.now = 0
        self.failed = False
        self.ended: Callable[[], object] = lambda: None
        """Told when the simulation ends without having been stopped."""
        self.root = Scope(self, model.artifact.top, model.artifact.tree)
        self.clocks: list[SimulatorClock] = []
        self._design = Design(model, precision)
        self._running = True
        self._order = count()
        self._timers: list[tuple[int, int, Callback]] = []
        self._ready: deque[Callback] = deque()
        self._next_step: list[Callback] = []
        self._read_write: list[Callback] = []
        self._read_only: list[Callback] = []
        self._watched: dict[Value, Watched] = {}
        self._deposits: dict[Value, int] = {}
        self._written = True
        self._warned: set[Value] = set()
        model.on_event(_tell)

    # What cocotb asks for

    def after(self, steps: int, function: Callable[..., object], *args: object) -> Callback:
        """Call after so many steps."""
        callback = Callback(function, args)
        heapq.heappush(self._timers, (self.now + steps, next(self._order), callback))
        return callback

    def on_next_step(self, function: Callable[..., object], *args: object) -> Callback:
        """Call at the beginning of the next time step."""
        return _added(self._next_step, Callback(function, args))

    def on_read_write(self, function: Callable[..., object], *args: object) -> Callback:
        """Call when everything has settled."""
        return _added(self._read_write, Callback(function, args))

    def on_read_only(self, function: Callable[..., object], *args: object) -> Callback:
        """Call at the end of the time step."""
        return _added(self._read_only, Callback(function, args))

    def on_change(self, value: Value, function: Callable[..., object], edge: int, *args: object) -> Callback:
        """Call when a value changes, or a bit rises or falls."""
        callback = Callback(function, args, edge)
        self._watched.setdefault(value, Watched(value)).add(callback)
        return callback

    def write(self, value: Value, action: int, number: int) -> None:
        """Write a value: at once, or with the next deposits of this time step."""
        if action == c.RELEASE:
            value.forced = False
        elif action == c.FORCE:
            if value.signal.kind != "input":
                raise NotWritableError(f"`{value.name}` cannot be forced: an artifact lets only inputs be held")
            value.forced = False
            self._poke(value, number)
            value.forced = True
        elif action == c.NO_DELAY:
            self._poke(value, number)
            self._look()
        else:
            self._deposits.pop(value, None)
            self._deposits[value] = number

    def undefined(self, value: Value) -> None:
        """Warn, once for each, that a value has undefined bits."""
        if value not in self._warned:
            self._warned.add(value)
            _log.warning("%s: undefined bits become 0, since an artifact has two-state values", value.name)

    def stop(self) -> None:
        """End the simulation when the present callback returns."""
        self._running = False

    # The simulation

    def run(self) -> None:
        """Simulate until it is stopped, the design ends it, or nothing is left to happen."""
        try:
            while self._running:
                self._time_step()
                if self._running and not self._go_on():
                    self._end("nothing is left to happen: does a clock run?")
        except Exception:
            traceback.print_exc()
            self.failed = True
            self._end("an exception has left a callback")

    def _end(self, why: str) -> None:
        """The simulation ends by itself."""
        if self._running:
            self._running = False
            _log.info("The simulation ends: %s", why)
            self.ended()

    def _time_step(self) -> None:
        while self._running:
            if self._ready:
                self._ready.popleft().call()
            elif self._written:
                self._written = self._design.settle(self.now, self._waiting)
                self._look()
            elif self._deposits:
                deposits, self._deposits = self._deposits, {}
                for value, number in deposits.items():
                    self._poke(value, number)
                self._look()
            elif self._read_write:
                self._ready.extend(self._read_write)
                self._read_write.clear()
            elif self._read_only:
                self._end_of_step()
                return
            else:
                return

    def _end_of_step(self) -> None:
        callbacks = self._read_only[:]
        self._read_only.clear()
        for callback in callbacks:
            if self._running:
                callback.call()

    def _go_on(self) -> bool:
        """Let time pass until the next step; false when there is none."""
        self._drop_timers()
        if not self._timers:
            return False
        if not self._next_step and self._stride():
            return True
        self.now = self._timers[0][0]
        self._ready.extend(self._next_step)
        self._next_step.clear()
        while self._timers and self._timers[0][0] == self.now:
            self._ready.append(heapq.heappop(self._timers)[2])
        return True

    def _drop_timers(self) -> None:
        """The first one is active."""
        while self._timers and not self._timers[0][2].active:
            heapq.heappop(self._timers)

    def _stride(self) -> bool:
        """Many cycles of the only clock at once, where nothing else is to happen before they have ended."""
        time, _, callback = self._timers[0]
        if len(self.clocks) != 1 or self.clocks[0].flip is not callback or not self.clocks[0].rises:
            return False
        clock = self.clocks[0]
        if (watched := self._watched.get(clock.value)) and watched.is_waited_for():
            return False
        first = heapq.heappop(self._timers)
        self._drop_timers()
        period = sum(clock.spans.values())
        fit = (self._timers[0][0] - 1 - time + clock.spans[0]) // period if self._timers else sys.maxsize
        heapq.heappush(self._timers, first)
        if fit < 2 or clock.value.forced:
            return False
        stop = self._design.cycles(clock.value, time, clock.spans, fit, self._waiting())
        if stop is None:
            return False
        begun = time + stop.cycles * period
        if stop.is_high:
            self.now = begun
        elif stop.is_pending:
            self.now = begun + clock.spans[1]
        else:
            self.now = begun - clock.spans[0]
        clock.went(int(stop.is_high))
        self._written = stop.is_pending
        self._look()
        return True

    def _waiting(self) -> list[Value]:
        return [value for value, watched in self._watched.items() if watched.is_waited_for()]

    def _poke(self, value: Value, number: int) -> None:
        if not value.forced:
            value.poke(number)
            self._written = True

    def _look(self) -> None:
        """Callbacks of values that have changed are due, in the order in which somebody first waited for them."""
        for watched in self._watched.values():
            if fired := watched.fired():
                self._ready.extend(fired)
        if self._design.ended:
            self._end(self._design.ended)


def _added(callbacks: list[Callback], callback: Callback) -> Callback:
    callbacks.append(callback)
    return callback


def _tell(event: Event) -> None:
    """Messages of the design go where those of a simulator go."""
    if event.text:
        sys.stdout.write(event.text)
