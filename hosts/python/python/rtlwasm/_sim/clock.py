"""The present time, for those who ask an engine."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from .. import _native


def now(signals: _native.Signals, run_until: Callable[..., Any], comes: bool) -> int:
    """The present time; called by the property of an engine.

    `run_until` of a simulator asks after each step whether its deadline has come. So that the clocks need not stop at
    each edge for it, what it is given tells with what it is compared. `comes` says that nothing ends the simulation
    before.
    """
    time: int = signals.now
    if sys._getframe(2).f_code is not getattr(run_until, "__code__", None):
        return time
    told = _Time(time)
    told.signals, told.comes = signals, comes
    return told


class _Time(int):
    """A time that is going to be compared with a deadline, before which nobody else asks for the time."""

    signals: _native.Signals
    comes: bool

    def __lt__(self, deadline: float) -> bool:
        self._tell(deadline)
        return int(self) < deadline

    def __gt__(self, deadline: float) -> bool:
        self._tell(deadline)
        return int(self) > deadline

    def _tell(self, deadline: float) -> None:
        if int(self) < deadline < math.inf:
            self.signals.look_away(math.ceil(deadline), self.comes)
