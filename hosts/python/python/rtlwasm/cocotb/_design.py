"""The model in the kernel's time: it settles, and makes cycles of a clock that nobody looks at one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._native import eval_to_change, put_time, step_to_change
from ..errors import AssertionFailed
from ._objects import Value

if TYPE_CHECKING:
    from .._native import Run, Signal
    from ..model import Model

MOST_CYCLES = 1_000_000
"""In one call, so that Python sees an interrupt."""


class Stop(NamedTuple):
    """How far cycles of a clock have come."""

    cycles: int
    """Those that have ended."""
    is_high: bool
    is_pending: bool
    """Whether edges are still to be made."""


class Design:
    """A model whose time is given to it, in steps of the kernel's."""

    def __init__(self, model: Model, precision: int) -> None:
        """A model that was just powered on."""
        self.model = model
        self.ended = ""
        """Why the simulation is to end, as soon as the design has ended it."""
        manifest = model.artifact.manifest
        self._scale = 10 ** (manifest["time_unit"] - precision)
        self._stored = _stored(manifest)
        self._has_computed_edges = _has_computed_edges(manifest)
        self._clocks = {clock["name"] for clock in manifest["clocks"] if not clock["derived"]}

    def settle(self, now: int, waiting: Callable[[], Iterable[Value]]) -> bool:
        """Take in what was written; where a value that somebody waits for changes, up to the next edges of computed
        clocks. True when there are such edges: who waited sees what was before them.
        """
        put_time(self.model, now // self._scale)
        signals = self._signals(waiting()) if self._has_computed_edges else None
        pending = False

        def call() -> Run:
            nonlocal pending
            if not signals:
                return self.model.eval()
            run, pending = eval_to_change(self.model, signals)
            return run

        self._run(call)
        return pending

    def cycles(self, value: Value, now: int, spans: dict[int, int], most: int, waiting: Iterable[Value]) -> Stop | None:
        """Make at most so many cycles of a clock that is low, each of them beginning with its rise, the first now.

        spans: for how long it is high (1) and low (0).
        waiting: values whose change ends it.

        None when single flips are needed.
        """
        signals = self._signals(waiting)
        named = value.name in self._clocks and value.signal.path == [value.name]
        if not named or signals is None or any(signal.path == value.signal.path for signal in signals):
            return None
        if any(span % self._scale for span in spans.values()):
            return None
        self.model.clock(value.name).period = (spans[1] // self._scale, spans[0] // self._scale)
        put_time(self.model, now // self._scale)
        stop = Stop(0, is_high=False, is_pending=False)

        def call() -> Run:
            nonlocal stop
            run, is_high, is_pending = step_to_change(self.model, value.name, min(most, MOST_CYCLES), signals)
            stop = Stop(run.cycles, is_high, is_pending)
            return run

        if failed := self._run(call):
            stop = Stop(failed.cycles, is_high=True, is_pending=False)
        return stop

    def _run(self, call: Callable[[], Run]) -> AssertionFailed | None:
        """What the design may end: `$finish` and `$stop`, failed assertions."""
        try:
            run = call()
        except AssertionFailed as error:
            print(error)
            self.ended = "an assertion has failed"
            return error
        self.ended = "" if run else f"${run.status}"
        return None

    def _signals(self, waiting: Iterable[Value]) -> list[Signal] | None:
        """Those that a run can stop at; None when it cannot for all."""
        found = {tuple(value.signal.path): value.signal for value in waiting}
        return list(found.values()) if found.keys() <= self._stored else None


def _stored(manifest: dict[str, Any]) -> set[tuple[str, ...]]:
    """The paths of all signals that a run can stop at."""
    signals = [signal for signal in manifest["signals"] if signal["access"] != "c" and "depth" not in signal]
    return {tuple(signal["path"]) for signal in signals if 0 < signal["width"] <= 64}


def _has_computed_edges(manifest: dict[str, Any]) -> bool:
    """Whether there are clocks or asynchronous resets that are no inputs."""
    resets = [reset["signal"] for reset in manifest["resets"] if reset["trigger"] is not None]
    computed = [i for i in resets if i is None or manifest["signals"][i]["kind"] != "input"]
    return bool(computed) or any(clock["derived"] for clock in manifest["clocks"])
